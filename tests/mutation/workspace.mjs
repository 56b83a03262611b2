// A copy of the project, in which every mutated contract is deployed from its artifact. So the tests are compiled once,
// and a mutant is tried by writing its bytecode into the artifacts: forge sees unchanged sources and compiles nothing.

import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

import { deployedArtifacts } from "./targets.mjs";

const DEPLOYER = `// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Vm} from "forge-std/Vm.sol";

// By an instruction, as \`new\` does. If it reverts within a cheatcode, the test ends there, and passes where it
// expects that: whatever follows.
function deployFromArtifact(string memory artifact, bytes memory arguments) returns (address payable deployed) {
    Vm vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    bytes memory code = bytes.concat(vm.getCode(artifact), arguments);
    assembly {
        deployed := create(0, add(code, 0x20), mload(code))
        if iszero(deployed) {
            returndatacopy(0, 0, returndatasize())
            revert(0, returndatasize())
        }
    }
}
`;
// A contract's creation, with arguments of up to two levels of brackets.
const CREATION = /new (\w+)\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)/g;
// A mutant may make a loop endless: a test's gas bounds it, but not before minutes. Processor time does not depend on
// what else the machine does. All suites together need a quarter of it with the unmutated contracts.
const PROCESSOR_SECONDS = 240;
const BUILD_SECONDS = 7_200;
// Few runs, for speed: what takes more of them to be noticed counts as a survivor. The same inputs each time.
const SETTINGS = {
  FOUNDRY_FUZZ_RUNS: "16",
  FOUNDRY_FUZZ_SEED: "0x5",
  FOUNDRY_INVARIANT_RUNS: "1",
  FOUNDRY_INVARIANT_DEPTH: "32",
};

export class Workspace {
  #root;
  #place;

  constructor(root, place) {
    this.#root = root;
    this.#place = place;
  }

  // Brings the copy up to date and compiles what has changed.
  async prepare() {
    mkdirSync(join(this.#place, "script"), { recursive: true });
    mkdirSync(join(this.#place, "deployments"), { recursive: true });
    writeFileSync(join(this.#place, "script/solc"), this.#launcher(), { mode: 0o755 });
    if (!existsSync(join(this.#place, "node_modules"))) {
      symlinkSync(join(this.#root, "node_modules"), join(this.#place, "node_modules"));
    }
    this.#update("foundry.toml", withoutProfiles(readFileSync(join(this.#root, "foundry.toml"), "utf8")));
    this.#copy("contracts", () => true, (text) => text);
    this.#copy("tests/vectors", () => true, (text) => text);
    for (const core of ["cache/eigenlayer", "cache/symbiotic"]) {
      // Without them the tests of stake would be skipped, and their mutants survive.
      const howToGetIt = `${core} is missing: cargo xtask test --only "core, for"`;
      if (!existsSync(join(this.#root, core))) throw new Error(howToGetIt);
      mkdirSync(join(this.#place, core), { recursive: true });
      this.#copy(core, () => true, (text) => text);
    }
    // Gas figures are not promises about behaviour, and writing them would need the snapshots.
    this.#copy("tests/forge", (name) => !name.startsWith("Gas"), fromArtifacts);
    this.#update("tests/forge/DeployArtifact.sol", DEPLOYER);
    const built = await this.forge(["build"], BUILD_SECONDS);
    if (!built.passed) throw new Error(`the copy in ${this.#place} does not compile:\n${built.output}`);
  }

  // Has every test deploy this code from now on.
  install(compiled) {
    for (const { file, contract, creation, runtime } of compiled) {
      const path = join(this.#place, "out", basename(file), `${contract}.json`);
      const artifact = JSON.parse(readFileSync(path, "utf8"));
      artifact.bytecode.object = creation;
      artifact.deployedBytecode.object = runtime;
      writeFileSync(path, JSON.stringify(artifact));
    }
  }

  // Runs tests until one fails; says whether all passed, and if not, which did not. A run that ends otherwise, because
  // the machine lacks memory or forge is missing, says nothing about the mutant.
  async test(selection) {
    const outcome = await this.forge(["test", "--fail-fast", ...selection], PROCESSOR_SECONDS);
    if (/Compiling \d+ files/.test(outcome.output)) throw new Error("forge compiled instead of taking the mutant");
    const failed = nameOfFailure(outcome.output) ?? (outcome.isOverLimit ? "processor time" : undefined);
    if (!outcome.passed && !failed) throw new Error(`forge ended without a result:\n${outcome.output.slice(-4000)}`);
    return { ...outcome, failed };
  }

  // Runs forge with a limit to its processor time, in seconds.
  forge(words, limit) {
    const program = join(this.#root, "node_modules/.bin/forge");
    return new Promise((resolve, reject) => {
      const options = { cwd: this.#place, env: { ...process.env, ...SETTINGS } };
      const child = spawn("sh", ["-c", 'ulimit -S -t "$0" && exec "$@"', String(limit), program, ...words], options);
      let output = "";
      child.stdout.on("data", (data) => (output += data));
      child.stderr.on("data", (data) => (output += data));
      child.on("error", reject);
      child.on("close", (status, signal) => {
        resolve({ passed: status === 0, isOverLimit: signal === "SIGXCPU", output });
      });
    });
  }

  // forge asks for the compiler's version each time it starts; to load the compiler for that takes longer than many a
  // suite.
  #launcher() {
    const real = join(this.#root, "script/solc");
    const version = execFileSync(real, ["--version"], { encoding: "utf8" }).trim();
    return `#!/bin/sh\n[ "$1" = --version ] && echo "${version}" && exit\nexec "${real}" "$@"\n`;
  }

  #copy(folder, isWanted, change) {
    const names = readdirSync(join(this.#root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && isWanted(entry.name))
      .map((entry) => join(entry.parentPath, entry.name).slice(this.#root.length + 1));
    for (const name of names) this.#update(name, change(readFileSync(join(this.#root, name), "utf8"), name));
    const present = readdirSync(join(this.#place, folder), { recursive: true, withFileTypes: true });
    for (const entry of present.filter((entry) => entry.isFile() && entry.name !== "DeployArtifact.sol")) {
      const path = join(entry.parentPath, entry.name);
      if (!names.includes(path.slice(this.#place.length + 1))) rmSync(path);
    }
  }

  // forge goes by the time of a change where it can, so what has not changed is not touched.
  #update(name, text) {
    const path = join(this.#place, name);
    if (existsSync(path) && readFileSync(path, "utf8") === text) return;
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, text);
  }
}

// The test that failed. An invariant's name is in a line after its sequence of calls.
function nameOfFailure(output) {
  const name = /\[FAIL[^\n]*\] (\w+)/.exec(output)?.[1];
  return name ?? (output.includes("[FAIL") ? (/^ *(invariant_\w+)\(\)/m.exec(output)?.[1] ?? "invariant") : undefined);
}

export function hash(text) {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

function withoutProfiles(settings) {
  return settings.replace(/^(additional_compiler_profiles|compilation_restrictions) = \[[^\]]*\]$/gm, "");
}

function fromArtifacts(source, name) {
  const files = new Map(deployedArtifacts().map((artifact) => artifact.split(":").reverse()));
  let isChanged = false;
  const changed = source.replace(CREATION, (creation, contract, words) => {
    if (!files.has(contract)) return creation;
    isChanged = true;
    return `${contract}(deployFromArtifact("${basename(files.get(contract))}:${contract}", abi.encode(${words})))`;
  });
  if (!isChanged) return source;
  const deployer = "../".repeat(name.split("/").length - "tests/forge/test.sol".split("/").length);
  const imported = `import {deployFromArtifact} from "./${deployer}DeployArtifact.sol";`;
  return changed.replace(/pragma[^\n]*\n/, (line) => `${line}\n${imported}\n`);
}
