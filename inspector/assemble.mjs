// Assembles the page: one file of markup, style, scripts, examples, and the verifier with the machine and its image.
// It opens from a disk and from a server. Writes the worker beside it, which the gateway's page takes, too.
//
//   node inspector/assemble.mjs BINDINGS PAGE WORKER
//
// BINDINGS is the output directory of the program in inspector/bindings.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const HERE = fileURLToPath(new URL(".", import.meta.url));

/** The page's own script, in this order. Those in shared/ are the gateway's page's, too. */
const SCRIPTS = [
  "shared/document.js", "shared/verdict.js", "shared/evidence.js", "shared/verifier.js",
  "page/difference.js", "page/report.js", "page/inspector.js",
];

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

const [bindings, out, workerOut] = process.argv.slice(2);
if (!workerOut) throw new Error("usage: node inspector/assemble.mjs BINDINGS PAGE WORKER");

const source = (name) => readFileSync(join(HERE, name), "utf8");
// Compressed: the evaluator's image is most of it.
const module = gzipSync(readFileSync(join(bindings, "assent_inspector_engine_bg.wasm")), { level: 9 });
const binding = readFileSync(join(bindings, "assent_inspector_engine.js"), "utf8");

// In its own scope, so that it replaces nothing of the browser's.
const script = refuseMarkup("the script", `\n"use strict";\n(() => {\n${SCRIPTS.map(source).join("\n")}})();\n`);
const style = `\n${source("shared/shared.css")}\n${source("page/inspector.css")}`;
const worker = `\n${binding}\n${source("shared/worker.js")}\nconst MODULE = "${module.toString("base64")}";\n`;
const evidence = readFileSync(join(HERE, "../tests/replay/cases/deny.json"), "utf8");
const examples = JSON.stringify([
  ...JSON.parse(readFileSync(join(HERE, "examples.json"), "utf8")),
  { name: "evidence of a denial", texts: { evidence } },
]);
const page = fill(source("page/inspector.html"), {
  POLICY: policy(script, style),
  STYLE: style,
  EXAMPLES: examples.replaceAll("<", "\\u003c"),
  WORKER: refuseMarkup("the worker", worker),
  SCRIPT: script,
});
writeFileSync(out, page);
writeFileSync(workerOut, worker);
console.log(`${out}: ${kilobytes(page.length)}, of which the module takes ${kilobytes(module.length)} before base64`);

function kilobytes(bytes) {
  return `${Math.round(bytes / 1000)} kB`;
}
