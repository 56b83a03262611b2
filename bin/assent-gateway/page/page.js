/** The time between two questions about health and operators in milliseconds. */
const ASKED_EVERY = 2000;

/** How long after its end a decision is asked for again: slower operators have answered then. */
const LATE_ANSWERS = 1500;

/** The name under which this tab keeps the token. */
const TOKEN = "assent-gateway-token";

const STATES = { open: "● Live", lost: "○ Not connected", unauthorized: "○ Not connected" };

let operators = [];
const connection = new Connection({ onState: showState, onTask: takeTask });
const call = (method, params) => connection.call(method, params);
const policies = new Policies(call);
const decisions = new DecisionList({ policies, onSelect: (id) => { location.hash = id; } });
const decision = new DecisionView({ call, policies, engine: new Engine(), operators: () => operators });

byId("access").addEventListener("submit", (event) => {
  event.preventDefault();
  const token = byId("token").value.trim();
  byId("token").value = "";
  if (!/^[\x20-\x7e]+$/.test(token)) {
    byId("token-error").textContent = "A token has visible characters of ASCII.";
    return;
  }
  sessionStorage.setItem(TOKEN, token);
  connection.open(token);
});

byId("pause").addEventListener("click", () => {
  const isPaused = byId("pause").getAttribute("aria-pressed") !== "true";
  byId("pause").setAttribute("aria-pressed", String(isPaused));
  byId("pause").textContent = isPaused ? "Continue" : "Pause";
  decisions.pause(isPaused);
});

byId("find").addEventListener("submit", (event) => {
  event.preventDefault();
  const id = byId("task").value.trim();
  const isId = isTask({ taskId: id });
  byId("task-error").textContent = isId ? "" : "A task id is 0x and 64 hex digits.";
  if (!isId) return;
  if (location.hash === `#${id}`) showTask();
  else location.hash = id;
});

byId("close").addEventListener("click", () => { location.hash = ""; });

addEventListener("hashchange", showTask);

connection.open(sessionStorage.getItem(TOKEN));

async function showState(state, reason) {
  const status = byId("connection");
  const why = reason ? `: ${reason}. It is tried again.` : "";
  status.textContent = STATES[state] + why;
  status.dataset.state = state;
  const isOut = state === "unauthorized";
  byId("access").hidden = !isOut;
  byId("content").hidden = isOut || (state !== "open" && byId("content").hidden);
  if (isOut) {
    const wasGiven = sessionStorage.getItem(TOKEN) !== null;
    byId("token-error").textContent = wasGiven ? "The gateway does not know the token." : "";
    sessionStorage.removeItem(TOKEN);
    byId("token").focus();
  }
  if (state !== "open") return;
  // Subscribed first: a task that ends in between is listed once.
  const subscribed = call("assent_subscribe");
  const recent = call("assent_recentTasks");
  ask();
  try {
    await subscribed;
    decisions.add(list(await recent).reverse());
  } catch (error) {
    status.textContent = `${STATES.open}, but without decisions: ${shortened(error.message)}`;
  }
  showTask();
}

/** Asks for health and operators, while the page is visible. */
async function ask() {
  clearTimeout(ask.timer);
  try {
    if (document.visibilityState === "visible") {
      const [known, health] = await Promise.all([call("assent_operators"), call("assent_health")]);
      operators = list(known);
      showOperators(operators);
      showHealth(health);
    }
  } catch {
    // The next connection asks again.
  }
  ask.timer = setTimeout(ask, ASKED_EVERY);
}

function takeTask(task) {
  if (!isTask(task)) return;
  decisions.add([task]);
  if (task.taskId === decision.id) {
    decision.show(task);
    lookAgain(task.taskId);
  }
}

/** Shows the task that the address names. */
async function showTask() {
  const id = location.hash.slice(1);
  const isNew = decision.id !== id;
  byId("task-error").textContent = "";
  decisions.select(id);
  if (!isTask({ taskId: id })) {
    const wasOpen = decision.id !== null;
    decision.close();
    if (wasOpen) byId("decisions-title").focus();
    return;
  }
  const known = decisions.get(id);
  // Of those that ended before the page was opened, the list has a summary only.
  if (known?.intent && isNew) decision.show(known);
  try {
    const task = await call("assent_getTask", { taskId: id });
    if (location.hash.slice(1) !== id || !isTask(task)) return;
    decision.show(task);
    if (task.status === "pending") await call("assent_subscribe", { taskId: id });
    else lookAgain(id);
  } catch (error) {
    if (location.hash.slice(1) === id && known && decision.id !== id) decision.show(known);
    if (location.hash.slice(1) === id && !known) {
      decision.close();
      byId("task-error").textContent = shortened(`${error.message}${error.next ? `: ${error.next}` : ""}`);
    }
    return;
  }
  if (isNew) byId("decision-title").focus();
}

/** Asks for a task again once: operators answer after its end, too. */
function lookAgain(id) {
  clearTimeout(lookAgain.timer);
  lookAgain.timer = setTimeout(async () => {
    const task = await call("assent_getTask", { taskId: id }).catch(() => null);
    if (decision.id === id && isTask(task)) decision.show(task);
  }, LATE_ANSWERS);
}
