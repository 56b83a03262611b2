const UNKNOWN_IMAGE = "use a version of this page that has the image, or `assent evidence replay --image`";

/** Shows the verdict of a replay. */
function showReplayVerdict(replay, verdict = byId("verdict")) {
  const { follows, isImageKnown, sentence, difference } = replay;
  showVerdict(!isImageKnown ? "unknown" : follows ? "follows" : "differs", {
    sentence: withCode(difference ? `First difference here: \`${difference.field}\`` : sentence),
    causes: [...differenceOf(difference), ...decisionOf(replay)],
    remedy: isImageKnown ? undefined : UNKNOWN_IMAGE,
  }, verdict);
}

/** Returns what a replay computed and read, as groups that unfold. */
function replayGroups(replay) {
  return [summaryOf(replay), ...replay.documents.map(documentGroup)];
}

/** What the file claims and what follows, one above the other. */
function differenceOf(difference) {
  if (!difference) return [];
  const row = (name, value) => [element("dt", {}, name), element("dd", {}, element("code", {}, shortened(value)))];
  return [element("dl", { id: "difference" },
    ...row("claimed", difference.claimed), ...row("follows", difference.actual))];
}

/** The decision of the replay with its reasons. */
function decisionOf({ decision, reasons, steps, stepLimit, isAttestationCompared }) {
  if (!decision) return [];
  const attested = isAttestationCompared ? ", and the attestation was compared" : "";
  const parts = [element("p", { class: "claim", id: "decision" }, `Decision: ${decision}`,
    element("span", { class: "note" }, `${count(steps)} steps of at most ${count(stepLimit)}${attested}`))];
  if (reasons.length > 0) {
    parts.push(element("ul", { id: "reasons" }, ...reasons.map(reasonItem)));
  }
  return parts;
}

/** A reason; in a conjunction with its policy. */
function reasonItem({ kind, message, policy, package: name }) {
  const ofPolicy = policy === undefined ? [] : [`policy ${policy} (${name}): `];
  return element("li", {}, ...ofPolicy, element("code", {}, kind), `: ${shortened(message)}`);
}

/** The hashes that the replay computed. */
function summaryOf({ policyId, evidence, image, isImageKnown, initialState, finalState }) {
  const known = isImageKnown ? "known: this page has it" : "unknown: this page does not have it";
  const fields = [
    { name: "policyId", value: policyId, note: "computed of rules and parameters" },
    { name: "evidence", value: evidence, note: "computed by the replay" },
    { name: "image", value: image, note: known },
    { name: "first state", value: initialState, note: "of the machine" },
    { name: "last state", value: finalState, note: "of the machine" },
  ];
  const folded = fieldGroup({ title: "Replay", fields: fields.filter(({ value }) => value !== null) });
  folded.open = true;
  return folded;
}

/** A document, with texts of several lines as they are. */
function documentGroup({ title, fields }) {
  const rows = fields.flatMap(({ name, value, note, isText }) => {
    const label = element("dt", {}, name);
    const text = () => element("pre", { tabindex: "0", "aria-label": `${title}: ${name}` }, value);
    const description = element("dd", {}, ...(isText ? [text()] : copyable(value)));
    if (note) description.append(element("span", { class: "note" }, note));
    return [label, description];
  });
  return group(title, element("dl", {}, ...rows));
}
