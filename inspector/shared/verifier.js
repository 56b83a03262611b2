/** The verifier in its worker. It answers one question at a time. */
class Verifier {
  #startWorker;
  #worker = null;
  #waiting = null;
  #onProgress = null;

  /** Takes a function that starts the worker, which has the module in its script. */
  constructor(startWorker) {
    this.#startWorker = startWorker;
  }

  /** Inspects texts. Answers with the inspection, or with an error and its input. */
  inspect(texts) {
    return this.#ask("inspect", JSON.stringify(texts));
  }

  /** Recognises a text. Answers with its input, or with an error. */
  recognise(text) {
    return this.#ask("recognise", text);
  }

  /** Replays the evidence among texts. Answers with the replay, or with an error and its input. */
  replay(texts, onProgress) {
    const answer = this.#ask("replay", JSON.stringify(texts));
    this.#onProgress = onProgress;
    return answer;
  }

  /** Stops the pending question, with a reason to show or without one. */
  stop(reason = null) {
    this.#worker?.terminate();
    this.#worker = null;
    this.#waiting?.reject(reason);
    this.#waiting = null;
  }

  #ask(what, text) {
    // The answer to a question that was replaced is not the answer to this one.
    if (this.#waiting) this.stop();
    this.#onProgress = null;
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#worker ??= this.#start();
      this.#worker.postMessage({ what, text });
    });
  }

  #start() {
    const worker = this.#startWorker();
    worker.onmessage = ({ data }) => {
      // After a fault the module's memory may be corrupt: the next question gets a new module.
      if (data.failure !== undefined) return this.stop(unexpected(data.failure));
      if (data.progress) return this.#onProgress?.(data.progress);
      this.#waiting?.resolve(data.answer);
      this.#waiting = null;
    };
    worker.onerror = (event) => this.stop(unexpected(event.message));
    return worker;
  }
}

function unexpected(failure) {
  return `The verifier stopped unexpectedly (${failure}). This is a bug of the page: report it with the input.`;
}
