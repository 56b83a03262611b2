// Refuses the words that docs/dev/style.md replaces, in comments, pages, help texts and messages, and long
// sentences in pages and doc comments.
//
//   node xtask/vocabulary/check.mjs             names file, line, word and replacement; part of `cargo xtask lint`
//   node xtask/vocabulary/check.mjs --counts    words per 10,000 words of comments and Markdown
//   … --root DIRECTORY                          in another tree

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { MOST_WORDS, sentences } from "./sentences.mjs";
import { COUNTED, REFUSED } from "./words.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({ options: { counts: { type: "boolean" }, root: { type: "string" } } });
const root = values.root ?? join(here, "../..");

const CHECKED = /\.(md|rs|sol|ts|js|mjs|html|py|toml|yml|sh)$|^\.ci\/|^tests\/mutation\/equivalents\.json$/;
// Pages and doc comments, whose sentences are measured.
const WITH_SENTENCES = /\.(md|rs|sol)$/;
// They quote the words.
const QUOTING = /^(docs\/dev\/style\.md|xtask\/vocabulary\/)/;

// The checked files with their texts.
function readFiles() {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: root });
  const names = listed.toString().split("\n").filter((name) => CHECKED.test(name) && !QUOTING.test(name));
  const existing = names.filter((name) => existsSync(join(root, name)));
  return existing.map((name) => ({ name, text: readFileSync(join(root, name), "utf8") }));
}

// The text with comment markers and line ends as spaces, so that a phrase may cross a line, and where each line begins.
function flatten(text) {
  let flat = "";
  const starts = [];
  for (const line of text.split("\n")) {
    starts.push(flat.length);
    flat += line.replace(/^\s*(\/\/[/!]?|\*\/?|\/\*+|#!?|--|<!--)?\s*/, "").trimEnd() + " ";
  }
  return { flat, lineOf: (index) => starts.findLastIndex((start) => start <= index) + 1 };
}

function findings(text) {
  const { flat, lineOf } = flatten(text);
  return REFUSED.flatMap(({ pattern, instead }) =>
    [...flat.matchAll(pattern)].map(({ 0: word, index }) => ({ line: lineOf(index), word, instead })),
  ).sort((a, b) => a.line - b.line);
}

function check(files) {
  for (const { pattern, finds, passes } of REFUSED) {
    if (finds.search(pattern) < 0) throw new Error(`${pattern} does not find "${finds}"`);
    if (passes.search(pattern) >= 0) throw new Error(`${pattern} finds "${passes}"`);
  }
  let found = 0;
  for (const { name, text } of files) {
    for (const { line, word, instead } of findings(text)) {
      console.error(`${name}:${line}: "${word}": write ${instead}`);
      found += 1;
    }
  }
  if (found > 0) {
    console.error(`${found} words that docs/dev/style.md replaces`);
    process.exitCode = 1;
  }
}

function checkSentences(files) {
  for (const [text, words] of [["Two `a b` words.", 3], ["[A link](to/a place), of 0.5 %.", 4]]) {
    if (sentences("a.md", text)[0].words !== words) throw new Error(`"${text}" has ${words} words`);
  }
  for (const { name, text } of files.filter(({ name }) => WITH_SENTENCES.test(name))) {
    for (const { line, sentence, words } of sentences(name, text)) {
      if (words <= MOST_WORDS) continue;
      console.error(`${name}:${line}: ${words} words, of at most ${MOST_WORDS}: ${sentence}`);
      process.exitCode = 1;
    }
  }
}

// Comments and Markdown, without code.
function prose(name, text) {
  if (name.endsWith(".md")) return text.replace(/^```[^]*?^```/gm, "");
  if (!/\.(rs|sol|ts|js|mjs)$/.test(name)) return "";
  return [...text.matchAll(/(?:^|\s)\/\/+!?(.*)$|\/\*([^]*?)\*\//gm)].map((found) => found[1] ?? found[2]).join("\n");
}

function counts(files) {
  const pages = files.map(({ name, text }) => prose(name, text));
  const text = pages.join("\n").replace(/\s+/g, " ");
  const total = text.match(/[A-Za-z][A-Za-z'-]*/g).length;
  console.log(`${total} words`);
  for (const [word, pattern] of Object.entries(COUNTED)) {
    console.log(`${word.padEnd(16)} ${(((text.match(pattern) ?? []).length * 10_000) / total).toFixed(1)}`);
  }
}

const files = readFiles();
if (values.counts) {
  counts(files);
} else {
  check(files);
  checkSentences(files);
}
