#!/usr/bin/env node
// Mutation testing: changes the contracts in one small way at a time and sees whether a test notices.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { Compiler } from "./compiler.mjs";
import { mutantsOf } from "./mutants.mjs";
import { diff, readEquivalents, Results, summarize, survivors, table } from "./results.mjs";
import { TARGETS } from "./targets.mjs";
import { Trial } from "./trial.mjs";
import { hash, Workspace } from "./workspace.mjs";

const HELP = `Changes the contracts in one small way at a time, and sees whether a test notices.

Usage: cargo xtask mutate [options]

Options:
  --contract X  Only this source's mutants: TaskManager, Quorum, ... (may be repeated)
  --sample N    Only N mutants, chosen by the seed
  --seed S      Seed of the sample and of the order [default: 1]
  --minutes M   Stop after so many minutes; the next run goes on from there
  --list        Print the mutants and try none
  --json        Print the counts and the survivors for a program
  --fresh       Forget what earlier runs found
  --help        Print this

What was found is kept in cache/mutation until a contract changes; survivors are tried again when a test changes.
Accepted equivalents, with reasons, are in tests/mutation/equivalents.json.
The exit status is 0 only when no mutant but those survived.`;

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const place = join(root, "cache/mutation");
const EQUIVALENTS = join(root, "tests/mutation/equivalents.json");

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}

async function main() {
  const options = read(process.argv.slice(2));
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  const compiler = new Compiler(root);
  const selected = select(compiler, options);
  if (options.list) {
    for (const mutant of selected) console.log(`${diff(mutant)}\n`);
    console.error(`${selected.length} mutants`);
    return 0;
  }
  const results = new Results(join(place, "results.json"), options.fresh ? "" : hashOf("contracts"));
  results.contractsHash = hashOf("contracts");
  await tryAll(selected, results, options);
  return report(selected, results, options);
}

function read(words) {
  const { values } = parseArgs({
    args: words,
    options: {
      contract: { type: "string", multiple: true },
      sample: { type: "string" },
      seed: { type: "string", default: "1" },
      minutes: { type: "string", default: "Infinity" },
      list: { type: "boolean" },
      json: { type: "boolean" },
      fresh: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  for (const name of ["sample", "seed", "minutes"]) {
    if (values[name] !== undefined && !(Number(values[name]) >= 0)) throw new Error(`--${name} needs a number`);
  }
  return values;
}

function select(compiler, { contract: wanted, sample, seed, list }) {
  const named = (target, name) => target.file.endsWith(`/${name}.sol`);
  for (const name of wanted ?? []) {
    if (!TARGETS.some((target) => named(target, name))) throw new Error(`there is no contract ${name} to mutate`);
  }
  const targets = TARGETS.filter((target) => !wanted || wanted.some((name) => named(target, name)));
  const mutants = targets.flatMap((target) => {
    const found = mutantsOf(target.file, compiler.source(target.file), compiler.tree(target.file));
    return found.map((mutant) => ({ ...mutant, target }));
  });
  if (list && sample === undefined) return mutants;
  // In an order that the seed fixes, so that a run that is stopped has tried a fair sample.
  const drawn = mutants.map((mutant) => [hash(`${seed} ${mutant.name}`), mutant]);
  const shuffled = drawn.sort(([a], [b]) => (a < b ? -1 : 1));
  return shuffled.slice(0, sample === undefined ? undefined : Number(sample)).map(([, mutant]) => mutant);
}

async function tryAll(selected, results, { minutes }) {
  const testsHash = hashOf("tests/forge");
  // An accepted equivalent runs every suite, as long as fifty other mutants: last, so that a run that is stopped has
  // tried what may survive.
  const accepted = readEquivalents(EQUIVALENTS);
  const pending = selected
    .filter((mutant) => !results.isSettled(mutant, testsHash))
    .sort((one, other) => accepted.has(one.name) - accepted.has(other.name));
  if (pending.length === 0) return;
  console.error(`${pending.length} of ${selected.length} mutants to try; first the tests without one (some minutes)`);
  const workspace = new Workspace(root, place);
  await workspace.prepare();
  // From the copy's sources: a test that is compiled with a mutated library must deploy from artifacts like the others.
  const trial = new Trial(new Compiler(place), workspace);
  trial.restore(TARGETS);
  const targets = TARGETS.filter((target) => pending.some((mutant) => mutant.target === target));
  await passUnmutated(trial, targets, hash(hashOf("contracts") + testsHash));

  const started = Date.now();
  let next = trial.compile(pending[0].target, pending[0]);
  for (const [index, mutant] of pending.entries()) {
    if (Date.now() - started > Number(minutes) * 60_000) return;
    const running = trial.run(mutant.target, mutant, next);
    const after = pending[index + 1];
    // While forge runs, which is another process.
    await new Promise((resume) => setTimeout(resume, 50));
    next = after && trial.compile(after.target, after);
    const result = await running;
    results.record(mutant, { ...result, testsHash });
    const left = Math.ceil(((Date.now() - started) / (index + 1)) * (pending.length - index - 1) / 60_000);
    const how = result.by ? `${result.outcome} by ${result.by}` : result.outcome;
    console.error(`[${index + 1}/${pending.length}, ${left} min left] ${mutant.file}:${mutant.line} ${how}`);
    if (result.outcome === "survived") console.error(diff(mutant));
  }
}

// Once for the current contracts and tests.
async function passUnmutated(trial, targets, state) {
  const stamp = join(place, "passed-unmutated.json");
  const known = existsSync(stamp) ? JSON.parse(readFileSync(stamp, "utf8")) : {};
  const passed = known.state === state ? known.passed : [];
  const rest = targets.filter((target) => !passed.includes(target.file));
  if (rest.length === 0) return;
  await trial.requireNotice(rest);
  writeFileSync(stamp, JSON.stringify({ state, passed: [...passed, ...rest.map((target) => target.file)] }));
}

function report(selected, results, { json }) {
  const equivalents = readEquivalents(EQUIVALENTS);
  const summary = summarize(selected, results, equivalents);
  const alive = survivors(selected, results, equivalents);
  if (json) {
    const shown = alive.map(({ source, target, ...mutant }) => mutant);
    console.log(JSON.stringify({ contracts: summary.rows, total: summary.total, survivors: shown }, null, 2));
  } else {
    if (alive.length > 0) console.log(`Survivors:\n\n${alive.map(diff).join("\n\n")}\n`);
    console.log(table(summary));
  }
  return alive.length === 0 ? 0 : 1;
}

function hashOf(folder) {
  const files = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return hash(files.filter(existsSync).map((file) => readFileSync(file, "utf8")).join("\0"));
}
