/** The verifier in its worker: one question at a time. */
class Verifier {
  #worker = null;
  #waiting = null;

  /** Asks for an inspection of texts: an inspection, or an error with the input that it is about. */
  inspect(texts) {
    return this.#ask("inspect", JSON.stringify(texts));
  }

  /** Asks which of the inputs a text is. */
  recognise(text) {
    return this.#ask("recognise", text);
  }

  /** Gives up what is being worked on, for a reason that is worth showing, or for none. */
  stop(reason = null) {
    this.#worker?.terminate();
    this.#worker = null;
    this.#waiting?.reject(reason);
    this.#waiting = null;
  }

  #ask(what, text) {
    // An answer that is no longer wanted must not be taken for this one's.
    if (this.#waiting) this.stop();
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#worker ??= this.#start();
      this.#worker.postMessage({ what, text });
    });
  }

  #start() {
    const worker = new Worker(URL.createObjectURL(new Blob([contents("worker")], { type: "text/javascript" })));
    worker.onmessage = ({ data }) => {
      // After a fault the module's memory is not to be trusted: the next question gets a fresh one.
      if (data.failure !== undefined) return this.stop(unexpected(data.failure));
      this.#waiting?.resolve(data.answer);
      this.#waiting = null;
    };
    worker.onerror = (event) => this.stop(unexpected(event.message));
    const bytes = Uint8Array.from(atob(contents("module")), (character) => character.charCodeAt(0));
    worker.postMessage({ module: bytes }, [bytes.buffer]);
    return worker;
  }
}

function unexpected(failure) {
  return `The verifier stopped unexpectedly (${failure}). That is a fault of this page: please report it, with the input.`;
}

/** The text of an element that is no script, but holds one, or data. */
function contents(id) {
  return document.getElementById(id).textContent;
}
