"use strict";
// Behind the bindings that wasm-bindgen made. The verifier works here, so that the page answers while it does, and so that it can
// be stopped.
self.onmessage = ({ data }) => {
  try {
    if (data.module) {
      wasm_bindgen.initSync({ module: data.module });
    } else {
      const asked = { inspect: wasm_bindgen.inspect, recognise: wasm_bindgen.recognise };
      self.postMessage({ answer: JSON.parse(asked[data.what](data.text)) });
    }
  } catch (error) {
    self.postMessage({ failure: String(error) });
  }
};
