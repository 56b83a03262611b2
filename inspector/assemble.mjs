// Assembles the page: one file of markup, style, scripts, examples, and the verifier with the machine and its image.
// It opens from a disk and from a server.
//
//   node inspector/assemble.mjs BINDINGS PAGE
//
// BINDINGS is the output directory of the program in inspector/bindings.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const HERE = fileURLToPath(new URL(".", import.meta.url));

/** The page's own script, in this order. */
const SCRIPTS = ["verifier.js", "difference.js", "report.js", "evidence.js", "inspector.js"];

/** Returns the policy: only this script, this style, WebAssembly and a worker of the page's own text. No requests. */
function policy(script, style) {
  const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  return [
    "default-src 'none'",
    `script-src ${hash(script)} 'wasm-unsafe-eval'`,
    `style-src ${hash(style)}`,
    "worker-src blob:",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

/** Replaces each name in double braces with its value. */
function fill(template, values) {
  const used = new Set();
  const filled = template.replace(/\{\{(\w+)\}\}/g, (_, name) => {
    if (!(name in values)) throw new Error(`{{${name}}} has no value`);
    used.add(name);
    return values[name];
  });
  for (const name of Object.keys(values)) {
    if (!used.has(name)) throw new Error(`${name} is not in the template`);
  }
  return filled;
}

/** Refuses a text that would end its element or begin another. */
function refuseMarkup(name, text) {
  if (/<\/script|<!--/i.test(text)) throw new Error(`${name} would end the element that holds it`);
  return text;
}

const [bindings, out] = process.argv.slice(2);
if (!bindings || !out) throw new Error("usage: node inspector/assemble.mjs BINDINGS PAGE");

const source = (name) => readFileSync(join(HERE, "page", name), "utf8");
// Compressed: the evaluator's image is most of it.
const module = gzipSync(readFileSync(join(bindings, "assent_inspector_engine_bg.wasm")), { level: 9 });
const binding = readFileSync(join(bindings, "assent_inspector_engine.js"), "utf8");

// In its own scope, so that it replaces nothing of the browser's.
const script = refuseMarkup("the script", `\n"use strict";\n(() => {\n${SCRIPTS.map(source).join("\n")}})();\n`);
const style = `\n${source("inspector.css")}`;
const evidence = readFileSync(join(HERE, "../tests/replay/cases/deny.json"), "utf8");
const examples = JSON.stringify([
  ...JSON.parse(readFileSync(join(HERE, "examples.json"), "utf8")),
  { name: "evidence of a denial", texts: { evidence } },
]);
const page = fill(source("inspector.html"), {
  POLICY: policy(script, style),
  STYLE: style,
  EXAMPLES: examples.replaceAll("<", "\\u003c"),
  WORKER: refuseMarkup("the worker", `\n${binding}\n${source("worker.js")}`),
  MODULE: module.toString("base64"),
  SCRIPT: script,
});
writeFileSync(out, page);
console.log(`${out}: ${kilobytes(page.length)}, of which the module takes ${kilobytes(module.length)} before base64`);

function kilobytes(bytes) {
  return `${Math.round(bytes / 1000)} kB`;
}
