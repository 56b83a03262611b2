/** What the steps of a task are called, by their names in `timings`. */
const STEPS = {
  acceptedAt: "Accepted: durably recorded",
  agreedAt: "Observed: the observations to decide on are recorded",
  decidedAt: "Decided: a quorum has signed",
  endedAt: "Attested: verified, recorded and handed out",
};

/** What operators' answers are called. */
const ANSWERS = {
  observed: "observed",
  decided: "decided",
  signed: "signed",
  refused: "refused",
  invalid: "signed with an invalid signature",
};

/** The most operators that are shown. */
const MOST_OPERATORS = 500;

const NO_REPLAY = "This gateway has no evaluator for the page: replay the evidence with `assent evidence replay`.";

/** One task in full. */
class DecisionView {
  #task = null;
  #evidence = null;
  #engine;
  #policies;
  #call;
  #operators;

  /** `operators` returns what the gateway last said about the operators. */
  constructor({ call, policies, engine, operators }) {
    this.#call = call;
    this.#policies = policies;
    this.#engine = engine;
    this.#operators = operators;
    byId("replay").addEventListener("click", () => this.#replay());
    byId("stop").addEventListener("click", () => this.#engine.stop("Stopped."));
    onCopy(byId("copy-evidence"), () => this.#evidence ?? "");
    onCopy(document.querySelector("#json .copy"), () => document.querySelector("#json pre").textContent);
  }

  /** Returns the id of the task that is shown, or null. */
  get id() {
    return this.#task?.taskId ?? null;
  }

  /** Shows a task. What is known of its evidence stays if it is the same. */
  show(task) {
    const isUpdate = this.#task?.taskId === task.taskId;
    const isSame = isUpdate && this.#task.evidence === task.evidence;
    this.#task = task;
    byId("decision").hidden = false;
    byId("decision-title").textContent = `Decision ${partOf(task.taskId)}`;
    this.#showOutcome(task);
    if (!isSame) this.#showCall(task);
    byId("timeline").replaceChildren(...timeline(task));
    byId("signers").replaceChildren(...signers(task, this.#operators()));
    const isAttested = task.status === "attested";
    byId("evidence").hidden = !isAttested;
    byId("attestation").hidden = !isAttested;
    if (isAttested) showAttestation(task);
    showJson("assent_getTask", task, isUpdate);
    if (isSame) return;
    this.#evidence = null;
    this.#engine.stop();
    byId("observations").replaceChildren();
    byId("documents").replaceChildren();
    byId("replayed").hidden = true;
    byId("replay-state").textContent = "";
    if (isAttested) this.#fetchEvidence(task);
  }

  /** Shows no task. */
  close() {
    this.#task = null;
    this.#engine.stop();
    byId("decision").hidden = true;
  }

  #showOutcome(task) {
    const outcome = outcomeOf(task);
    const reasons = list(task.reasons).map((reason) => element("li", {}, shortened(text(reason))));
    const causes = reasons.length > 0 ? [element("ul", { id: "reasons", "aria-label": "Reasons" }, ...reasons)] : [];
    const { failure } = task;
    let sentence = "The operators have not decided yet.";
    if (task.status === "failed") sentence = shortened(text(failure?.message));
    else if (outcome === "allow") sentence = "A quorum of operators signed that the policy allows the call.";
    else if (outcome === "deny") sentence = "A quorum of operators signed that the policy denies the call.";
    const next = text(failure?.next);
    showVerdict(outcome, {
      name: failure ? shortened(text(failure.code)) : undefined,
      sentence: [sentence],
      causes,
      remedy: next === "" ? undefined : shortened(next),
    });
  }

  async #showCall(task) {
    const intent = task.intent ?? {};
    const fields = [
      { name: "client", value: text(task.policyClient), note: "the contract that checks the authorization" },
      { name: "from", value: text(intent.from) },
      { name: "to", value: text(intent.to) },
      { name: "value", value: text(intent.value), note: "wei" },
      { name: "data", value: text(intent.data), note: selectorOf(task) },
      { name: "chainId", value: text(intent.chainId) },
    ];
    const asked = [
      { name: "task id", value: text(task.taskId) },
      { name: "policy", value: text(task.policyId) },
      { name: "nonce", value: text(task.nonce) },
      { name: "expiration", value: dateOf((number(task.expiration) ?? 0) * 1000) },
      { name: "reference block", value: text(task.block?.number), note: text(task.block?.hash) },
    ];
    const show = (title, call) => {
      const group = fieldGroup({ title, fields: call });
      group.open = true;
      byId("call").replaceChildren(group, fieldGroup({ title: "Task", fields: asked }));
    };
    show("Call", fields);
    const known = await this.#policies.functionOf(task);
    if (this.#task?.taskId !== task.taskId) return;
    const title = known ? `Call: ${known.signature}` : "Call: the policy does not name its function";
    show(title, fields);
    if (!known || task.status !== "attested") return;
    const answer = await this.#engine.inspect({ document: JSON.stringify(task.document), abi: known.declaration });
    const decoded = answer?.inspection?.fields.find((group) => group.title === "Call");
    if (this.#task?.taskId === task.taskId && decoded) show(title, [fields[0], ...decoded.fields]);
  }

  async #fetchEvidence(task) {
    const state = byId("replay-state");
    byId("replay").disabled = true;
    byId("copy-evidence").disabled = true;
    state.textContent = "Fetching the evidence…";
    try {
      const evidence = await this.#call("assent_getEvidence", { evidence: task.evidence });
      if (this.#task?.taskId !== task.taskId) return;
      this.#evidence = JSON.stringify(evidence);
      byId("copy-evidence").disabled = false;
      byId("observations").replaceChildren(...observations(evidence));
      const canReplay = await this.#engine.isThere();
      if (this.#task?.taskId !== task.taskId) return;
      byId("replay").disabled = !canReplay;
      state.replaceChildren(...(canReplay ? [] : withCode(NO_REPLAY)));
    } catch (error) {
      if (this.#task?.taskId !== task.taskId) return;
      state.textContent = `No evidence: ${shortened(error.message)}${error.next ? `; ${shortened(error.next)}` : ""}`;
    }
  }

  /** Makes the decision again, in this page, and compares it with the attestation. */
  async #replay() {
    const task = this.#task;
    const state = byId("replay-state");
    byId("replay").disabled = true;
    byId("stop").hidden = false;
    const texts = { evidence: this.#evidence, document: JSON.stringify(task.document) };
    try {
      const answer = await this.#engine.replay(texts, ({ steps, stepLimit }) => {
        state.textContent = `Deciding again: ${count(steps)} steps of at most ${count(stepLimit)}.`;
      });
      if (this.#task?.taskId !== task.taskId) return;
      state.textContent = "";
      const verdict = byId("replayed");
      if (answer.error) {
        showVerdict("failed", { sentence: [shortened(`${answer.error.input}: ${answer.error.message}`)] }, verdict);
      } else {
        showReplayVerdict(answer.replay, verdict);
        byId("documents").replaceChildren(...replayGroups(answer.replay));
      }
      verdict.hidden = false;
    } catch (reason) {
      // Without a reason, another task is shown now.
      if (reason !== null && this.#task?.taskId === task.taskId) state.textContent = String(reason);
    } finally {
      byId("stop").hidden = true;
      byId("replay").disabled = false;
    }
  }
}

/** The verifier and the evaluator in a worker, started when it is needed. It does one thing after the other. */
class Engine {
  #verifier = new Verifier(() => new Worker(replayScript()));
  #isThere = null;
  #last = Promise.resolve();

  /** Returns whether the gateway has the script. */
  isThere() {
    this.#isThere ??= fetch("page/replay.js", { method: "HEAD" }).then(({ ok }) => ok, () => {
      this.#isThere = null;
      return false;
    });
    return this.#isThere;
  }

  /** Inspects texts. Answers with nothing if it cannot. */
  async inspect(texts) {
    if (!await this.isThere()) return null;
    return this.#next(() => this.#verifier.inspect(texts)).catch(() => null);
  }

  replay(texts, onProgress) {
    return this.#next(() => this.#verifier.replay(texts, onProgress));
  }

  stop(reason = null) {
    this.#verifier.stop(reason);
  }

  #next(act) {
    const done = this.#last.then(act, act);
    this.#last = done.catch(() => {});
    return done;
  }
}

/** Returns the address of the worker's script, in the form that a browser with Trusted Types asks for. */
function replayScript() {
  const url = new URL("page/replay.js", location.href).href;
  if (!globalThis.trustedTypes) return url;
  replayScript.policy ??= trustedTypes.createPolicy("replay", {
    createScriptURL: (asked) => {
      if (asked !== new URL("page/replay.js", location.href).href) throw new TypeError("another script");
      return asked;
    },
  });
  return replayScript.policy.createScriptURL(url);
}

/** Returns the steps of a task and the operators' answers, in their order. */
function timeline({ timings, status }) {
  const start = number(timings?.receivedAt);
  if (start === null) return [element("li", { class: "note" }, "The gateway no longer knows when it was decided.")];
  const steps = [{ label: "Received", at: start }];
  for (const [name, label] of Object.entries(STEPS)) {
    const at = number(timings[name]);
    const isEnd = name === "endedAt" && status === "failed";
    if (at !== null) steps.push({ label: isEnd ? "Ended without a decision" : label, at });
  }
  for (const answer of list(timings.operators).slice(0, MOST_OPERATORS)) {
    const at = number(answer?.at);
    const what = ANSWERS[answer?.answer] ?? "answered";
    if (at !== null) steps.push({ label: `${partOf(answer.operator)} ${what}`, at, isOperator: true });
  }
  const order = steps.map((step, index) => ({ ...step, index }));
  order.sort((one, other) => one.at - other.at || one.index - other.index);
  const longest = Math.max(...order.map(({ at }) => at - start), 1);
  return order.map(({ label, at, isOperator }) => {
    const bar = element("span", { class: "bar", "aria-hidden": "true" });
    bar.style.setProperty("--share", String((at - start) / longest));
    const millis = element("span", { class: "millis" }, `+${count(at - start)} ms`);
    return element("li", { "data-kind": isOperator ? "operator" : "step" }, millis, element("span", {}, label), bar);
  });
}

/** Returns who signed and who did not, with weight and answer. */
function signers(task, operators) {
  const answers = new Map(list(task.timings?.operators).map((answer) => [text(answer?.operator), answer]));
  const signed = list(task.signers).map(text);
  const others = list(task.nonSigners).map(text);
  const known = new Set([...signed, ...others]);
  // Of a task without an attestation, only those that answered.
  for (const operator of answers.keys()) if (!known.has(operator)) others.push(operator);
  const all = [...signed.map((operator) => [operator, true]), ...others.map((operator) => [operator, false])];
  if (all.length === 0) return [element("li", { class: "note" }, "The gateway no longer knows who signed.")];
  const received = number(task.timings?.receivedAt);
  return all.slice(0, MOST_OPERATORS).map(([operator, hasSigned]) => {
    const answer = answers.get(operator);
    const at = number(answer?.at);
    const notes = [];
    if (answer && at !== null && received !== null) {
      const decision = text(answer.decision);
      const what = ANSWERS[answer.answer] ?? "answered";
      notes.push(`${what}${decision === "" ? "" : ` ${shortened(decision)}`} after ${count(at - received)} ms`);
    }
    if (answer?.refusal) notes.push(shortened(`${text(answer.refusal.code)}: ${text(answer.refusal.message)}`));
    const member = operators.find((known) => text(known?.operator) === operator && known.epoch === task.epoch);
    if (member) notes.push(`weight ${shortened(text(member.weight))}`);
    const isIn = hasSigned ? "✓ in the attestation" : "– not in the attestation";
    return element("li", { "data-signed": String(hasSigned) },
      element("code", {}, shortened(operator)),
      element("span", { class: "signed" }, isIn),
      element("span", { class: "note" }, notes.join(", ")));
  });
}

/** Returns what operators observed, as the evidence has it. The replay shows the same, decoded. */
function observations(evidence) {
  let data;
  try {
    data = JSON.parse(evidence?.data);
  } catch {
    return [element("p", { class: "note" }, "The policy decided without outside data.")];
  }
  const rows = Object.entries(data?.sources ?? {}).flatMap(([source, outputs]) => list(outputs).flatMap((output) => {
    const observers = Object.entries(output?.observers ?? {});
    const names = observers.map(([operator, weight]) => `${operator} (weight ${text(weight)})`).join(", ");
    return [
      element("dt", {}, shortened(source)),
      element("dd", {}, element("code", {}, shortened(text(output?.output))),
        element("span", { class: "note" }, shortened(`observed by ${names}`))),
    ];
  }));
  if (rows.length === 0) return [element("p", { class: "note" }, "The policy decided without outside data.")];
  return [element("div", { class: "fields" }, element("dl", {}, ...rows.slice(0, 2 * MOST_OPERATORS)))];
}

function showAttestation(task) {
  const { document: attested, authorization } = task;
  const copy = (label, value) => {
    const button = element("button", { type: "button" }, label);
    onCopy(button, () => value);
    return button;
  };
  byId("copies").replaceChildren(
    copy("Copy authorization", text(authorization)),
    copy("Copy attestation document", JSON.stringify(attested, null, 2)),
  );
  const fields = [
    { name: "authorization", value: text(authorization), note: "appended to the call's data" },
    { name: "evidence", value: text(task.evidence) },
    { name: "epoch", value: text(attested?.epoch) },
    { name: "issued", value: dateOf((number(Number(attested?.attestation?.issuedAt)) ?? 0) * 1000) },
    { name: "signature", value: text(attested?.signature) },
  ];
  byId("attested").replaceChildren(fieldGroup({ title: "Fields", fields }));
}

function dateOf(millis) {
  const date = new Date(millis);
  return Number.isNaN(date.getTime()) ? "–" : date.toISOString().replace(".000Z", "Z");
}
