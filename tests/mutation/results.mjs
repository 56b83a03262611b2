// What is known of each mutant: kept from run to run, counted, and shown.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

// Outcomes by the mutant's name, for the current contracts. A kill stays one when tests are added; a survivor is tried
// again.
export class Results {
  #path;
  #known = {};

  constructor(path, contractsHash) {
    this.#path = path;
    this.contractsHash = contractsHash;
    if (!existsSync(path)) return;
    const saved = JSON.parse(readFileSync(path, "utf8"));
    if (saved.contractsHash === contractsHash) this.#known = saved.known;
  }

  of(mutant) {
    return this.#known[mutant.name];
  }

  isSettled(mutant, testsHash) {
    const known = this.of(mutant);
    return known !== undefined && (known.outcome !== "survived" || known.testsHash === testsHash);
  }

  record(mutant, result) {
    this.#known[mutant.name] = result;
    mkdirSync(dirname(this.#path), { recursive: true });
    writeFileSync(this.#path, JSON.stringify({ contractsHash: this.contractsHash, known: this.#known }));
  }
}

// The accepted equivalents: groups of mutants' names, each with the reason why no test can tell them from the original.
export function readEquivalents(path) {
  const reasons = new Map();
  for (const { reason, mutants } of JSON.parse(readFileSync(path, "utf8"))) {
    for (const mutant of mutants) reasons.set(mutant, reason);
  }
  return reasons;
}

// Counts by source file. `tried` are those whose outcome is known.
export function summarize(selected, results, equivalents) {
  const rows = new Map();
  for (const mutant of selected) {
    const row = rows.get(mutant.file) ?? { contract: mutant.file, mutants: 0, ...emptyCounts() };
    rows.set(mutant.file, row);
    ++row.mutants;
    ++row[columnOf(mutant, results, equivalents)];
  }
  const list = [...rows.values()];
  const total = { contract: "total", mutants: 0, ...emptyCounts() };
  for (const row of list) for (const key of Object.keys(total).slice(1)) total[key] += row[key];
  for (const row of [...list, total]) row.score = score(row);
  return { rows: list, total };
}

export function survivors(selected, results, equivalents) {
  return selected.filter((mutant) => results.of(mutant)?.outcome === "survived" && !equivalents.has(mutant.name));
}

export function table({ rows, total }) {
  const heads = ["contract", "mutants", "killed", "survived", "equivalent", "not compiling", "not tried", "score"];
  const cells = [...rows, total].map((row) => [
    row.contract.replace("contracts/", "").replace("libraries/", ""),
    ...[row.mutants, row.killed, row.survived, row.equivalent, row.notCompiling, row.notTried].map(String),
    row.score === null ? "-" : `${(row.score * 100).toFixed(1)} %`,
  ]);
  const widths = heads.map((head, i) => Math.max(head.length, ...cells.map((row) => row[i].length)));
  const line = (row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join("  ");
  return [heads, ...cells].map(line).join("\n");
}

export function diff(mutant) {
  const head = `${mutant.file}:${mutant.line}  ${mutant.operator} in ${mutant.function}`;
  return `${head}\n- ${mutant.original}\n+ ${mutant.mutant}`;
}

function emptyCounts() {
  return { killed: 0, survived: 0, equivalent: 0, notCompiling: 0, notTried: 0 };
}

function columnOf(mutant, results, equivalents) {
  const outcome = results.of(mutant)?.outcome;
  if (outcome === undefined) return "notTried";
  if (outcome === "killed") return "killed";
  if (outcome === "not compiling") return "notCompiling";
  return outcome === "same code" || equivalents.has(mutant.name) ? "equivalent" : "survived";
}

// Of those that compile and are not equivalent.
function score({ killed, survived }) {
  return killed + survived === 0 ? null : killed / (killed + survived);
}
