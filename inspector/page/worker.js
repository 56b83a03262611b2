"use strict";
// Appended to the bindings by wasm-bindgen. The verifier runs in a worker so that the page responds and can stop it.
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
