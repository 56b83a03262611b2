#!/usr/bin/env node
// Packs the npm package @assent/contracts: `node script/pack-contracts.mjs [directory]` writes the tarball to the
// directory (by default target/npm) and prints its path.
//
// npm packs a copy of contracts/ with the ABIs and the licences: a change of contracts/ itself would make cargo compile
// all contracts again.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const CONTRACTS = join(ROOT, "contracts");
const LICENCES = ["LICENSE-APACHE", "LICENSE-MIT"];
// The contracts that programs outside the EVM call.
const WITH_ABI = [
  "AttestationValidator",
  "OperatorRegistry",
  "PolicyClient",
  "TaskManager",
  "policy/PolicyRegistry",
  "stake/OwnerStakeSource",
];
// Holds `IRefusals`, the errors of a protected call.
const REFUSALS = "interfaces/Protocol";
// As in foundry.toml.
const REMAPPINGS = { "@openzeppelin/contracts/": "@openzeppelin/contracts/", "solady/": "solady/src/" };

if (process.argv[2] === "--refuse") {
  console.error("contracts/ by itself lacks the ABIs and the licences; pack it with `node script/pack-contracts.mjs`");
  process.exitCode = 1;
} else {
  console.log(pack(resolve(process.argv[2] ?? join(ROOT, "target/npm"))));
}

function pack(destination) {
  const staged = mkdtempSync(join(tmpdir(), "assent-contracts-"));
  try {
    stage(staged);
    mkdirSync(destination, { recursive: true });
    const output = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", destination], {
      cwd: staged,
      encoding: "utf8",
    });
    return join(destination, tarballName(JSON.parse(output)));
  } finally {
    rmSync(staged, { recursive: true });
  }
}

// A list of packages, or, since npm 11, an object with the packages' names as keys.
function tarballName(packed) {
  return Object.values(packed)[0].filename;
}

function stage(directory) {
  cpSync(CONTRACTS, directory, { recursive: true });
  for (const licence of LICENCES) cpSync(join(ROOT, licence), join(directory, licence));
  const { scripts, ...description } = JSON.parse(readFileSync(join(CONTRACTS, "package.json"), "utf8"));
  writeJson(join(directory, "package.json"), description);
  mkdirSync(join(directory, "abi"));
  for (const [name, abi] of Object.entries(abis())) writeJson(join(directory, "abi", `${name}.json`), abi);
}

function writeJson(path, value) {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}

// Without bytecode, which takes the compiler a second instead of a minute.
function abis() {
  const solc = createRequire(import.meta.url)("solc");
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(
      [...WITH_ABI, REFUSALS].map((path) => [`${path}.sol`, { content: sourceOf(`${path}.sol`) }]),
    ),
    settings: { outputSelection: { "*": { "*": ["abi"] } } },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: (path) => ({ contents: sourceOf(path) }) }));
  const faults = (output.errors ?? []).filter(({ severity }) => severity === "error");
  if (faults.length > 0) throw new Error(faults.map(({ formattedMessage }) => formattedMessage).join("\n"));
  const abis = WITH_ABI.map((path) => [basename(path), output.contracts[`${path}.sol`][basename(path)].abi]);
  return withRefusals(Object.fromEntries(abis), output.contracts[`${REFUSALS}.sol`].IRefusals.abi);
}

// A protected call reverts with every error of IRefusals, though PolicyClient itself names only two of them.
function withRefusals(abis, refusals) {
  const known = new Set(abis.PolicyClient.filter(({ type }) => type === "error").map(({ name }) => name));
  return { ...abis, PolicyClient: [...abis.PolicyClient, ...refusals.filter(({ name }) => !known.has(name))] };
}

function sourceOf(path) {
  const prefix = Object.keys(REMAPPINGS).find((start) => path.startsWith(start));
  const file = prefix
    ? join(ROOT, "node_modules", REMAPPINGS[prefix], path.slice(prefix.length))
    : join(CONTRACTS, path);
  if (!existsSync(file)) throw new Error(`${path} is missing; run \`npm ci\` in the repository's root`);
  return readFileSync(file, "utf8");
}
