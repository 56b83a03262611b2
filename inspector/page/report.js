/** Longest value that is shown in full; the JSON always has it all. */
const LONGEST_VALUE = 2000;

const OUTCOMES = {
  passed: "✓ passed",
  failed: "✗ FAILED",
  notReached: "– not reached",
  notMade: "– not made",
};

const VERDICTS = { valid: "✓ VALID", refused: "✗ REFUSED", notVerified: "– NOT VERIFIED", failed: "✗ NOT INSPECTED" };

/** Shows what came of an inspection. */
function showInspection(inspection) {
  const { verdict, checks, assumptions, fields, operators } = inspection;
  const { outcome, sentence, remedy, error } = verdict;
  showVerdict(outcome, [error?.name, sentence, remedy && `next: ${remedy}`].filter(Boolean).join("\n"),
    error && `revert data: ${error.revertData}`);
  byId("assumed").hidden = assumptions.length === 0;
  byId("assumptions").replaceChildren(...assumptions.map(({ fact, value, checks: numbers }) =>
    element("li", {}, `${fact}: ${value} (for ${numbers.length > 1 ? "checks" : "check"} ${numbers.join(", ")})`)));
  byId("checks").replaceChildren(...checks.map(checkItem));
  byId("fields").replaceChildren(...fields.flatMap(fieldGroup));
  byId("operators").replaceChildren(...operatorTable(operators));
  const json = byId("json");
  json.open = false;
  json.ontoggle = () => { json.querySelector("pre").textContent = JSON.stringify(inspection, null, 2); };
  byId("report").hidden = false;
}

/** Shows why there is no inspection. */
function showFailure(message) {
  byId("report").hidden = true;
  showVerdict("failed", message);
}

/** Says something while there is neither. */
function showState(message) {
  byId("report").hidden = true;
  const verdict = byId("verdict");
  verdict.dataset.outcome = "none";
  verdict.replaceChildren(element("p", {}, message));
}

function showVerdict(outcome, summary, detail) {
  const verdict = byId("verdict");
  verdict.dataset.outcome = outcome;
  const paragraphs = [element("p", {}, element("strong", {}, VERDICTS[outcome])), element("p", {}, summary)];
  if (detail) paragraphs.push(element("p", {}, element("code", {}, shortened(detail))));
  verdict.replaceChildren(...paragraphs);
}

function checkItem({ number, title, outcome, reason, assumed = [] }) {
  const assumption = assumed.length > 0 ? `\nassumed: ${assumed.join(", ")}` : "";
  return element("li", { "data-check": number, "data-outcome": outcome },
    element("span", {}, `${number}.`),
    element("span", { class: "name" }, title),
    element("span", { class: "outcome", "data-outcome": outcome }, OUTCOMES[outcome]),
    element("p", { class: "reason" }, shortened(reason + assumption)));
}

function fieldGroup({ title, fields }) {
  const rows = fields.flatMap(({ name, value, note, bytes }) => {
    const label = element("dt", {}, name);
    if (bytes) {
      const last = bytes.offset + bytes.length - 1;
      const place = bytes.length === 1 ? `byte ${last}` : `bytes ${bytes.offset} to ${last}`;
      label.append(element("span", { class: "note" }, place));
    }
    const description = element("dd", {}, element("code", {}, shortened(value)));
    if (note) description.append(element("span", { class: "note" }, note));
    return [label, description];
  });
  return [element("h3", {}, title), element("dl", {}, ...rows)];
}

function operatorTable(operators) {
  if (operators.length === 0) return [];
  const signs = (signed) => (signed === null ? "–" : signed ? "✓ yes" : "✗ no");
  const rows = operators.map(({ index, address, weight, publicKey, signed }) => element("tr", {},
    element("td", {}, String(index)),
    element("td", {}, element("code", {}, address), element("span", { class: "note" }, element("code", {}, publicKey))),
    element("td", {}, weight),
    element("td", {}, signs(signed))));
  const head = element("tr", {}, ...["Index", "Operator and key", "Weight", "Signed"].map((title) =>
    element("th", { scope: "col" }, title)));
  return [
    element("h3", { id: "operators-heading" }, "Operators of the epoch"),
    element("table", { "aria-labelledby": "operators-heading" },
      element("thead", {}, head), element("tbody", {}, ...rows)),
  ];
}

function shortened(text) {
  if (text.length <= LONGEST_VALUE) return text;
  return `${text.slice(0, LONGEST_VALUE)}… (${text.length} characters in all; the JSON below has them)`;
}

/** Text only ever becomes text: nothing that was pasted is read as markup. */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

function byId(id) {
  return document.getElementById(id);
}
