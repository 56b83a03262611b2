"use strict";
// Appended to the bindings by wasm-bindgen, and followed by the module as the constant MODULE.
// The verifier runs in a worker so that the page responds and can stop it.

/** The steps of a replay between two reports of its progress: a fraction of a second. */
const SLICE = 1 << 23;

/** Resolves when the module can answer. The script's end, which has the module, runs before any message comes. */
let ready;

self.onmessage = async ({ data }) => {
  try {
    ready ??= load(MODULE);
    await ready;
    self.postMessage({ answer: answers[data.what](data.text) });
  } catch (error) {
    self.postMessage({ failure: String(error) });
  }
};

const answers = {
  inspect: (text) => JSON.parse(wasm_bindgen.inspect(text)),
  recognise: (text) => JSON.parse(wasm_bindgen.recognise(text)),
  replay: (text) => {
    let answer = JSON.parse(wasm_bindgen.replay(text));
    while (answer.progress) {
      self.postMessage({ progress: answer.progress });
      answer = JSON.parse(wasm_bindgen.advance(SLICE));
    }
    return answer;
  },
};

/** Loads the module: compressed, in base64. */
async function load(text) {
  const compressed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream("gzip"));
  wasm_bindgen.initSync({ module: await new Response(stream).arrayBuffer() });
}
