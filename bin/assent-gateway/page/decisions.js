/** The most decisions that are listed. */
const MOST_LISTED = 200;

/** The most policies whose functions are remembered. */
const MOST_POLICIES = 64;

/** The time between two changes of the list in milliseconds. */
const REDRAWN_EVERY = 250;

/** What a task's end is called in the list. */
const ENDS = {
  allow: "✓ Allow",
  deny: "✗ Deny",
  undecided: "? Not decided",
};

/** Tasks that ended, the latest first. */
class DecisionList {
  #tasks = new Map();
  #items = new Map();
  #timer = 0;
  #isPaused = false;
  #selected = null;
  #policies;
  #onSelect;

  constructor({ policies, onSelect }) {
    this.#policies = policies;
    this.#onSelect = onSelect;
  }

  /** Adds tasks that ended, the latest last. A task is listed once, in the order of the ends. */
  add(tasks) {
    for (const task of tasks) {
      if (isTask(task) && task.status !== "pending") this.#tasks.set(task.taskId, task);
    }
    // Also while the list is paused: what is not shown would grow.
    for (const { taskId } of this.#latestFirst().slice(MOST_LISTED)) this.#tasks.delete(taskId);
    if (!this.#isPaused && this.#timer === 0) this.#timer = setTimeout(() => this.#draw(), REDRAWN_EVERY);
  }

  /** Returns a listed task. */
  get(id) {
    return this.#tasks.get(id);
  }

  /** Marks a task as the one that is shown. */
  select(id) {
    this.#selected = id;
    for (const [known, item] of this.#items) markCurrent(item, known === id);
  }

  /** Stops or continues to change the list. */
  pause(isPaused) {
    this.#isPaused = isPaused;
    // A change that was due would come after the list was paused.
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (!isPaused) this.#draw();
  }

  #draw() {
    this.#timer = 0;
    const list = byId("list");
    for (const [id, item] of this.#items) {
      if (this.#tasks.has(id)) continue;
      item.remove();
      this.#items.delete(id);
    }
    let next = list.firstChild;
    for (const task of this.#latestFirst()) {
      const id = task.taskId;
      if (!this.#items.has(id)) {
        this.#items.set(id, this.#item(task));
        markCurrent(this.#items.get(id), id === this.#selected);
      }
      const item = this.#items.get(id);
      // What is in its place stays there, and keeps the keyboard's focus.
      if (item === next) next = next.nextSibling;
      else list.insertBefore(item, next);
    }
    byId("empty").hidden = this.#tasks.size > 0;
  }

  #latestFirst() {
    return [...this.#tasks.values()].reverse().sort((one, other) => endOf(other) - endOf(one));
  }

  #item(task) {
    const outcome = outcomeOf(task);
    const called = element("span", { class: "function" }, selectorOf(task));
    this.#policies.functionOf(task).then((known) => { if (known) called.textContent = shortened(known.signature); });
    const button = element("button", { type: "button", class: "entry", "data-outcome": outcome },
      timeElement(endOf(task)),
      element("span", { class: "end" }, ENDS[outcome]),
      element("code", { class: "client" }, partOf(task.policyClient)),
      called);
    button.addEventListener("click", () => this.#onSelect(task.taskId));
    return element("li", {}, button);
  }
}

/** The functions of policies, which the gateway is asked for once. */
class Policies {
  #functions = new Map();
  #call;

  constructor(call) {
    this.#call = call;
  }

  /** Returns the functions of a policy; none if the gateway does not say. */
  functions(policyId) {
    const known = this.#functions.get(policyId);
    if (known) return known;
    if (this.#functions.size >= MOST_POLICIES) this.#functions.delete(this.#functions.keys().next().value);
    const asked = this.#call("assent_getPolicy", { policyId }).then(
      ({ functions }) => (Array.isArray(functions) ? functions : []),
      () => {
        // It is asked for again.
        this.#functions.delete(policyId);
        return [];
      },
    );
    this.#functions.set(policyId, asked);
    return asked;
  }

  /** Returns the function that a task calls, if its policy names it. */
  async functionOf(task) {
    const selector = text(task.selector ?? task.intent?.data).slice(0, 10).toLowerCase();
    const functions = await this.functions(text(task.policyId));
    const known = functions.find((known) => (known?.selector ?? "0x") === selector);
    return known && { signature: text(known.signature), declaration: text(known.declaration) };
  }
}

function isTask(task) {
  return typeof task === "object" && task !== null && /^0x[0-9a-f]{64}$/i.test(task.taskId);
}

/** Returns how a task ended, or that it has not. */
function outcomeOf({ status, decision }) {
  return status === "attested" && (decision === "allow" || decision === "deny") ? decision : "undecided";
}

/** Returns when a task ended in milliseconds: once the gateway has forgotten it, about. */
function endOf({ endedAt, timings, block }) {
  return number(endedAt) ?? number(timings?.endedAt) ?? (number(block?.timestamp) ?? 0) * 1000;
}

function selectorOf({ intent, selector }) {
  const data = text(selector ?? intent?.data);
  return data.length < 10 ? "no calldata" : data.slice(0, 10);
}

function markCurrent(item, isCurrent) {
  if (isCurrent) item.firstChild.setAttribute("aria-current", "true");
  else item.firstChild.removeAttribute("aria-current");
}

function timeElement(millis) {
  const date = new Date(millis);
  if (Number.isNaN(date.getTime())) return element("time", {}, "–");
  const day = date.toDateString() === new Date().toDateString() ? "" : `${date.toLocaleDateString()} `;
  return element("time", { datetime: date.toISOString() }, day + date.toLocaleTimeString());
}

/** Returns the beginning and the end of a hash or an address. */
function partOf(value) {
  const whole = text(value);
  return whole.length <= 14 ? whole : `${whole.slice(0, 8)}…${whole.slice(-4)}`;
}

/** Returns a text of what should be one. What the gateway answers can be anything. */
function text(value) {
  if (typeof value === "string") return value;
  return value === undefined || value === null ? "" : JSON.stringify(value);
}

/** Returns a number of what should be one, or null. */
function number(value) {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function list(value) {
  return Array.isArray(value) ? value : [];
}
