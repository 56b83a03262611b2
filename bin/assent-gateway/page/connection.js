/** How long a call may take in milliseconds. */
const LONGEST_CALL = 30_000;

/** The most calls that wait for an answer. */
const MOST_CALLS = 256;

/** The times between two attempts to connect in milliseconds: doubled each time. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;

/** An error that the gateway answered. */
class GatewayError extends Error {
  constructor({ message, data }) {
    super(text(message));
    this.next = text(data?.next);
  }
}

/** A connection to the gateway: JSON-RPC over a WebSocket, which is opened again when it is lost. */
class Connection {
  #token = null;
  #socket = null;
  #calls = new Map();
  #number = 0;
  #pause = FIRST_PAUSE;
  #timer = 0;
  #attempt = 0;
  #refused = 0;
  #onState;
  #onTask;

  /** Takes what is told each state (`open`, `lost` with a reason, `unauthorized`) and each task of a subscription. */
  constructor({ onState, onTask }) {
    this.#onState = onState;
    this.#onTask = onTask;
  }

  /** Connects, with a token or without one. */
  open(token) {
    this.#token = token;
    this.#pause = FIRST_PAUSE;
    this.#connect();
  }

  /** Calls a method. */
  call(method, params = {}) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return Promise.reject(new Error("the gateway is not connected"));
    if (this.#calls.size >= MOST_CALLS) return Promise.reject(new Error("too many calls wait for the gateway"));
    this.#number += 1;
    const id = this.#number;
    return new Promise((resolve, reject) => {
      const socket = this.#socket;
      const timer = setTimeout(() => {
        this.#calls.delete(id);
        reject(new Error("the gateway gave no answer in time"));
        // A connection that answers nothing is opened again.
        socket.close();
      }, LONGEST_CALL);
      this.#calls.set(id, { resolve, reject, timer });
      socket.send(JSON.stringify({ jsonrpc: "2.0", method, params, id }));
    });
  }

  async #connect() {
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = null;
    this.#attempt += 1;
    const attempt = this.#attempt;
    let status = null;
    try {
      // A WebSocket does not say why it was refused.
      const headers = { "content-type": "application/json" };
      if (this.#token !== null) headers.authorization = `Bearer ${this.#token}`;
      const body = JSON.stringify({ jsonrpc: "2.0", method: "assent_health", id: 0 });
      ({ status } = await fetch(new URL("./", location.href), { method: "POST", headers, body }));
    } catch {
      // It keeps no status.
    }
    // With another token, a later attempt may have begun.
    if (attempt !== this.#attempt) return undefined;
    if (status === null) return this.#retry("the gateway does not answer");
    if (status === 401) return this.#onState("unauthorized");
    if (status !== 200) return this.#retry(`the gateway answers with status ${status}`);
    const url = new URL("ws", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const protocols = ["assent"];
    if (this.#token !== null) protocols.push(`assent.token.${hexOf(this.#token)}`);
    const socket = new WebSocket(url, protocols);
    this.#socket = socket;
    let isOpen = false;
    socket.onopen = () => {
      isOpen = true;
      this.#pause = FIRST_PAUSE;
      this.#refused = 0;
      this.#onState("open");
    };
    socket.onmessage = ({ data }) => this.#take(data);
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      for (const { reject, timer } of this.#calls.values()) {
        clearTimeout(timer);
        reject(new Error("the connection was lost"));
      }
      this.#calls.clear();
      if (!isOpen) this.#refused += 1;
      this.#retry(this.#refused > 1 ? `it takes no WebSocket of ${location.origin}; see cors-origins` : "it was lost");
    };
    return undefined;
  }

  #retry(reason) {
    this.#onState("lost", reason);
    // Not all pages at once.
    this.#timer = setTimeout(() => this.#connect(), this.#pause * (0.5 + Math.random()));
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
  }

  #take(data) {
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return;
    }
    if (message?.method === "assent_subscription") {
      this.#onTask(message.params?.result);
      return;
    }
    const call = this.#calls.get(message?.id);
    if (!call) return;
    this.#calls.delete(message.id);
    clearTimeout(call.timer);
    if (message.error) call.reject(new GatewayError(message.error));
    else call.resolve(message.result);
  }
}

/** Returns the UTF-8 bytes of a text in hex. */
function hexOf(value) {
  return [...new TextEncoder().encode(value)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
