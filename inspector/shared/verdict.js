const VERDICTS = {
  valid: "✓\u00a0Valid",
  refused: "✗\u00a0Refused",
  notVerified: "?\u00a0Not verified",
  failed: "✗\u00a0Cannot inspect",
  follows: "✓\u00a0This follows",
  differs: "✗\u00a0This does not follow",
  unknown: "?\u00a0Not replayed",
  allow: "✓\u00a0Allow",
  deny: "✗\u00a0Deny",
  undecided: "?\u00a0Not decided",
};

/** Shows a verdict: a word, a sentence, the causes and what to do next. */
function showVerdict(outcome, { name, sentence, causes = [], remedy }, verdict = byId("verdict")) {
  verdict.dataset.outcome = outcome;
  const word = element("p", { class: "word" }, VERDICTS[outcome]);
  if (name) word.append(element("code", {}, name));
  const plain = element("p", { class: "sentence" }, ...sentence);
  const parts = [element("div", { class: "head" }, word, plain)];
  if (causes.length > 0) parts.push(element("div", { class: "cause" }, ...causes));
  if (remedy) parts.push(element("p", { class: "next" }, element("b", {}, "Next:"), " ", ...withCode(remedy)));
  verdict.replaceChildren(...parts);
}

/** Offers a result as JSON, which a command prints too. The panel folds, except for an update of what it shows. */
function showJson(command, result, isUpdate = false) {
  const json = byId("json");
  const print = () => { json.querySelector("pre").textContent = JSON.stringify(result, null, 2); };
  if (!isUpdate) json.open = false;
  else if (json.open) print();
  json.querySelector("code").textContent = command;
  json.ontoggle = print;
}
