/** The longest value that is shown in full. The JSON has every value in full. */
const LONGEST_VALUE = 2000;

/** The shortest value that gets a button to copy it: an address. */
const SHORTEST_COPIED = 42;

const OUTCOMES = {
  passed: "✓ passed",
  failed: "✗ failed",
  notReached: "– not reached",
  notMade: "– not made",
};

const VERDICTS = {
  valid: "✓\u00a0Valid",
  refused: "✗\u00a0Refused",
  notVerified: "?\u00a0Not verified",
  failed: "✗\u00a0Cannot inspect",
  follows: "✓\u00a0This follows",
  differs: "✗\u00a0This does not follow",
  unknown: "?\u00a0Not replayed",
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

/** Offers a result as JSON, which a command prints too. */
function showJson(command, result) {
  const json = byId("json");
  json.open = false;
  json.querySelector("code").textContent = command;
  json.ontoggle = () => { json.querySelector("pre").textContent = JSON.stringify(result, null, 2); };
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

function showVerdict(outcome, { name, sentence, causes = [], remedy }) {
  const verdict = byId("verdict");
  verdict.dataset.outcome = outcome;
  const word = element("p", { class: "word" }, VERDICTS[outcome]);
  if (name) word.append(element("code", {}, name));
  const plain = element("p", { class: "sentence" }, ...sentence);
  const parts = [element("div", { class: "head" }, word, plain)];
  if (causes.length > 0) parts.push(element("div", { class: "cause" }, ...causes));
  if (remedy) parts.push(element("p", { class: "next" }, element("b", {}, "Next:"), " ", ...withCode(remedy)));
  verdict.replaceChildren(...parts);
}

/** Returns a text in which the parts between backticks are code. */
function withCode(text) {
  return text.split("`").map((part, index) => (index % 2 === 0 ? part : element("code", {}, part)));
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

function fieldGroup({ title, fields }) {
  const rows = fields.flatMap(({ name, value, note, bytes }) => {
    const label = element("dt", {}, name);
    if (bytes) {
      const last = bytes.offset + bytes.length - 1;
      const range = bytes.length === 1 ? `byte ${last}` : `bytes ${bytes.offset} to ${last}`;
      label.append(element("span", { class: "note" }, range));
    }
    const description = element("dd", {}, ...copyable(value));
    if (note) description.append(element("span", { class: "note" }, note));
    return [label, description];
  });
  return group(title, element("dl", {}, ...rows));
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

function group(title, content) {
  return element("details", {}, element("summary", {}, title), content);
}

/** Returns a value and, if it is long, a button that copies it in full. */
function copyable(value) {
  const code = element("code", {}, shortened(value));
  return value.length < SHORTEST_COPIED ? [code] : [code, copyButton(() => value)];
}

function copyButton(text) {
  const button = element("button", { type: "button", class: "copy" }, "Copy");
  onCopy(button, text);
  return button;
}

/** Has a button copy a text. */
function onCopy(button, text) {
  button.addEventListener("click", async () => {
    const copied = await navigator.clipboard.writeText(text()).then(() => true, () => false);
    button.textContent = copied ? "Copied" : "Cannot copy: select the text";
  });
}

function shortened(text) {
  if (text.length <= LONGEST_VALUE) return text;
  return `${text.slice(0, LONGEST_VALUE)}… (${text.length} characters; the JSON has all of them)`;
}

/** Text only ever becomes text: pasted content is never parsed as markup. */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

function byId(id) {
  return document.getElementById(id);
}
