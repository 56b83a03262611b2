/** Shows the operators, a table for each operator set. */
function showOperators(operators) {
  const sets = new Map();
  for (const operator of operators) {
    const key = `${text(operator?.operatorSet)} ${text(operator?.epoch)}`;
    if (!sets.has(key)) sets.set(key, []);
    sets.get(key).push(operator);
  }
  const tables = [...sets.values()].map(setTable);
  const none = element("p", { class: "note" }, "No operator set has an epoch in force.");
  byId("sets").replaceChildren(...(tables.length > 0 ? tables : [none]));
}

const HEADINGS = ["Operator", "Declared", "State", "Weight", "Decided", "Median time"];

function setTable(operators) {
  const total = operators.reduce((sum, { weight }) => sum + whole(weight), 0n);
  const connected = operators.filter((operator) => operator.connected === true);
  const part = connected.reduce((sum, { weight }) => sum + whole(weight), 0n);
  const [{ operatorSet, epoch }] = operators;
  const title = `Set ${text(operatorSet)}, epoch ${text(epoch)}: ${connected.length} of ${operators.length} connected, `
    + `${share(part, total)} of the weight`;
  const head = element("tr", { role: "row" }, ...HEADINGS.map((heading) =>
    element("th", { role: "columnheader", scope: "col" }, heading)));
  const rows = operators.slice(0, MOST_OPERATORS).map((operator) => operatorRow(operator, total));
  return element("table", { role: "table", class: "operators" },
    element("caption", {}, shortened(title)),
    element("thead", { role: "rowgroup" }, head),
    element("tbody", { role: "rowgroup" }, ...rows));
}

function operatorRow(operator, total) {
  const { participation, lastSeen } = operator;
  const isConnected = operator.connected === true;
  const seen = number(lastSeen) === null ? "never seen" : `seen ${ago(Date.now() - lastSeen)}`;
  const tasks = number(participation?.tasks) ?? 0;
  const decided = number(participation?.decided) ?? 0;
  const millis = number(participation?.latencyMillis);
  const state = element("span", { class: "state", "data-connected": String(isConnected) },
    isConnected ? "✓ connected" : "✗ not connected");
  const cells = [
    [element("code", { title: text(operator.operator) }, partOf(operator.operator))],
    [shortened(text(operator.region)) || "–", element("span", { class: "note" }, shortened(text(operator.provider)))],
    [state, element("span", { class: "note" }, seen)],
    [shortened(text(operator.weight)), element("span", { class: "note" }, share(whole(operator.weight), total))],
    [tasks === 0 ? "–" : `${count(decided)} of ${count(tasks)}`,
      element("span", { class: "note" }, tasks === 0 ? "no task yet" : share(BigInt(decided), BigInt(tasks)))],
    [millis === null ? "–" : `${count(millis)} ms`],
  ];
  return element("tr", { role: "row" }, ...cells.map((cell, index) =>
    element("td", { role: "cell", "data-label": HEADINGS[index] }, ...cell)));
}

/** Returns a whole number of what should be one in decimal. */
function whole(value) {
  return /^[0-9]{1,78}$/.test(text(value)) ? BigInt(text(value)) : 0n;
}

function share(part, total) {
  return total === 0n ? "–" : `${Number((part * 1000n) / total) / 10} %`;
}

function ago(millis) {
  const seconds = Math.max(Math.round(millis / 1000), 0);
  if (seconds < 120) return `${seconds} s ago`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min ago` : `${Math.round(seconds / 3600)} h ago`;
}

/** Shows whether the gateway can serve requests, and what it refuses. */
function showHealth(health) {
  const refusing = list(health?.refusing).slice(0, MOST_OPERATORS);
  const works = refusing.length === 0 ? "✓ ok" : "? with limits";
  const facts = [
    ["State", health?.status === "ok" ? works : "✗ unavailable"],
    ["Version", text(health?.version)],
    ["Chain", `${text(health?.chainId)}, block ${text(health?.block) || "unknown"}`],
    ["Operators", `${text(health?.connected)} of ${text(health?.operators)} connected`],
    ["Tasks in memory", text(health?.tasks)],
    ["TaskManager", partOf(health?.taskManager)],
  ];
  byId("facts").replaceChildren(...facts.map(([name, value]) =>
    element("div", {}, element("dt", {}, name), element("dd", {}, shortened(value)))));
  byId("facts").dataset.status = health?.status !== "ok" ? "unavailable" : refusing.length === 0 ? "ok" : "limits";
  byId("refusing").replaceChildren(...(refusing.length > 0 ? refusing.map(obstacle) : [
    element("li", { class: "note" }, "The gateway refuses nothing now."),
  ]));
  const refusals = list(health?.refusals).slice(0, MOST_OPERATORS);
  const total = refusals.reduce((sum, { count }) => sum + (number(count) ?? 0), 0);
  document.querySelector("#refusals summary").textContent = `Errors since the start: ${count(total)}`;
  document.querySelector("#refusals dl").replaceChildren(...refusals.flatMap((refusal) => [
    element("dt", {}, element("code", {}, shortened(text(refusal.code)))),
    element("dd", {}, count(number(refusal.count) ?? 0),
      element("span", { class: "note" }, `last ${ago(Date.now() - (number(refusal.lastAt) ?? 0))}`)),
  ]));
}

function obstacle({ code, message, next }) {
  return element("li", { class: "obstacle" },
    element("code", {}, shortened(text(code))), " ", shortened(text(message)),
    element("span", { class: "note" }, shortened(text(next))));
}
