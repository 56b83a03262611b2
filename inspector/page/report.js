const OUTCOMES = {
  passed: "✓ passed",
  failed: "✗ failed",
  notReached: "– not reached",
  notMade: "– not made",
};

/** Shows an inspection. */
function showInspection(inspection) {
  const { verdict, checks, assumptions, differences, fields, operators } = inspection;
  showVerdict(verdict.outcome, {
    name: verdict.error?.name,
    sentence: withCode(verdict.sentence),
    causes: causes(differences),
    remedy: verdict.remedy,
  });
  byId("assumed").hidden = assumptions.length === 0;
  byId("assumptions").replaceChildren(...assumptions.map(({ fact, value, checks: numbers }) =>
    element("li", {}, `${fact}: ${value} (${numbers.length > 1 ? "checks" : "check"} ${numbers.join(", ")})`)));
  byId("strip").hidden = false;
  showChecks(checks);
  const groups = [...revertData(verdict.error), ...fields.map(fieldGroup), ...operatorGroup(operators)];
  byId("details").replaceChildren(...groups);
  showJson("assent inspect --json", inspection);
  byId("report").hidden = false;
}

/** Shows the replay of an evidence file. */
function showReplay(replay) {
  showReplayVerdict(replay);
  byId("assumed").hidden = true;
  byId("strip").hidden = true;
  byId("details").replaceChildren(...replayGroups(replay));
  showJson("assent evidence replay --json", replay);
  byId("report").hidden = false;
}

/** Shows why there is no inspection. */
function showFailure(message) {
  byId("report").hidden = true;
  showVerdict("failed", { sentence: [shortened(message)] });
}

/** Shows a state without a result. */
function showState(message) {
  byId("report").hidden = true;
  const verdict = byId("verdict");
  verdict.dataset.outcome = "none";
  verdict.replaceChildren(element("p", {}, message));
}

/** Shows the checks as a strip that unfolds. */
function showChecks(checks) {
  byId("strip").open = false;
  byId("marks").replaceChildren(...checks.map(({ number, outcome }) =>
    element("span", { "data-outcome": outcome }, OUTCOMES[outcome][0], element("small", {}, String(number)))));
  const failed = checks.find(({ outcome }) => outcome === "failed");
  const passed = checks.filter(({ outcome }) => outcome === "passed").length;
  byId("progress").textContent = failed
    ? `Check ${failed.number} of ${checks.length} failed: ${failed.title}`
    : passed > 0 ? `All ${passed} checks passed` : "No check was made";
  byId("checks").replaceChildren(...checks.map(checkItem));
}

function checkItem({ number, title, outcome, reason, assumed = [] }) {
  const item = element("li", { "data-check": number, "data-outcome": outcome },
    element("span", {}, `${number}.`),
    element("span", { class: "name" }, title),
    element("span", { class: "outcome", "data-outcome": outcome }, OUTCOMES[outcome]));
  // The reason is the same for every check after the one that failed.
  if (outcome === "notReached") return item;
  const assumption = assumed.length > 0 ? `\nassumed: ${assumed.join(", ")}` : "";
  item.append(element("p", { class: "reason" }, shortened(reason + assumption)));
  return item;
}

function revertData(error) {
  if (!error) return [];
  return [group("Revert data", element("dl", {},
    element("dt", {}, "error"), element("dd", {}, ...copyable(error.signature)),
    element("dt", {}, "data"), element("dd", {}, ...copyable(error.revertData))))];
}

function operatorGroup(operators) {
  if (operators.length === 0) return [];
  const signs = (signed) => (signed === null ? "–" : signed ? "✓ yes" : "✗ no");
  const rows = operators.map(({ index, address, weight, publicKey, signed }) => element("tr", {},
    element("td", {}, String(index)),
    element("td", {}, element("code", {}, address), publicKeyNote(publicKey)),
    element("td", {}, weight),
    element("td", {}, signs(signed))));
  const head = element("tr", {}, ...["Index", "Operator", "Weight", "Signed"].map((title) =>
    element("th", { scope: "col" }, title)));
  const signers = operators.filter(({ signed }) => signed).length;
  const title = operators[0].signed === null
    ? `Operators: ${operators.length}`
    : `Operators: ${signers} of ${operators.length} signed`;
  const table = element("table", { "aria-label": "Operators of the epoch" },
    element("thead", {}, head), element("tbody", {}, ...rows));
  const folded = group(title, table);
  folded.id = "operators";
  return [folded];
}

/** The key is 96 bytes: it is shown in part, and copied in full. */
function publicKeyNote(key) {
  const part = `${key.slice(0, 10)}…${key.slice(-8)}`;
  return element("span", { class: "note" }, "key ", element("code", {}, part), copyButton(() => key));
}
