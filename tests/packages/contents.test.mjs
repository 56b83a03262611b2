// The contents of the tarball that TARBALL names: `TARBALL=target/npm/….tgz node --test
// tests/packages/contents.test.mjs`.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const directory = mkdtempSync(join(tmpdir(), "assent-contents-"));
after(() => rmSync(directory, { recursive: true }));
execFileSync("tar", ["-xzf", process.env.TARBALL, "-C", directory]);
const files = filesIn(join(directory, "package"));
const sources = new Map(files.filter((file) => file.endsWith(".sol")).map((file) => [file, packed(file)]));
const description = JSON.parse(packed("package.json"));

const CONTRACTS_WITH_ABI = [
  "AttestationValidator",
  "OperatorRegistry",
  "OwnerStakeSource",
  "PolicyClient",
  "PolicyRegistry",
  "TaskManager",
];
const IMPORT = /^import\s[^;]*?"([^"]+)";/gm;
// The import prefix of each library, and the directory of its sources.
const LIBRARIES = { "@openzeppelin/contracts/": "@openzeppelin/contracts/", "solady/": "solady/src/" };
const PROVIDED_BY_FOUNDRY = "forge-std/";
const MACHINE_PATHS = /\/(home|root|Users|tmp|work|mnt|private)\/|[A-Z]:\\\\|file:\/\//;
const SECRETS = /_authToken|-----BEGIN|(private|secret)_?key["']?\s*[:=]\s*["']?(0x)?[0-9a-f]{32}|mnemonic/i;

test("it holds the contracts, the kit, ABIs, the README and both licences, and nothing else", () => {
  const names = ["challenge", "crosschain", "interfaces", "libraries", "policy", "stake", "testing", "types"];
  const folders = ["", ...names.map((name) => `${name}/`)];
  const contracts = folders.flatMap((folder) =>
    readdirSync(join(ROOT, "contracts", folder)).filter((name) => name.endsWith(".sol")).map((name) => folder + name),
  );
  const others = ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "package.json", "remappings.txt"];
  const abis = CONTRACTS_WITH_ABI.map((name) => `abi/${name}.json`);
  assert.deepEqual(files, [...contracts, ...others, ...abis].sort());
});

test("it holds the sources and licences as they are in the repository", () => {
  for (const file of sources.keys()) assert.equal(packed(file), repository("contracts", file), file);
  for (const licence of ["LICENSE-APACHE", "LICENSE-MIT"]) assert.equal(packed(licence), repository(licence));
});

test("it holds no machine's paths and no secrets", () => {
  for (const file of files) {
    assert.doesNotMatch(packed(file), MACHINE_PATHS, file);
    assert.doesNotMatch(packed(file), SECRETS, file);
    assert.ok(!packed(file).includes(ROOT), file);
  }
});

test("every import is of a file that is there, or of a declared dependency", () => {
  for (const [file, source] of sources) {
    for (const path of importsOf(source)) {
      if (path.startsWith(".")) {
        assert.ok(sources.has(posix.join(posix.dirname(file), path)), `${file} imports ${path}`);
      } else if (!(file.startsWith("testing/") && path.startsWith(PROVIDED_BY_FOUNDRY))) {
        const library = Object.keys(LIBRARIES).find((prefix) => path.startsWith(prefix));
        assert.ok(library, `${file} imports ${path}`);
        assert.ok(library.slice(0, -1) in description.dependencies, `${file} imports ${path}, which is not declared`);
        const inPackage = join("node_modules", LIBRARIES[library], path.slice(library.length));
        assert.ok(existsSync(join(ROOT, inPackage)), `${file} imports ${path}`);
      }
    }
  }
});

test("every dependency is imported", () => {
  const imported = [...sources.values()].flatMap(importsOf);
  for (const name of Object.keys(description.dependencies)) {
    assert.ok(imported.some((path) => path.startsWith(`${name}/`)), name);
  }
});

test("no source accepts a compiler that what it imports refuses", () => {
  for (const [file, source] of sources) {
    for (const path of importsOf(source).filter((path) => path.startsWith("."))) {
      const imported = posix.join(posix.dirname(file), path);
      assert.ok(leastPatch(file) >= leastPatch(imported), `${file} imports ${imported}, which needs a newer compiler`);
    }
  }
});

test("what is inherited compiles from 0.8.28 on", () => {
  const reached = new Set();
  const reach = (file) => {
    if (reached.has(file)) return;
    reached.add(file);
    const relative = importsOf(sources.get(file)).filter((path) => path.startsWith("."));
    relative.forEach((path) => reach(posix.join(posix.dirname(file), path)));
  };
  ["PolicyClient.sol", "testing/AssentTestKit.sol"].forEach(reach);
  for (const file of reached) assert.match(sources.get(file), /^pragma solidity \^0\.8\.28;$/m, file);
});

test("its version is the crates'", () => {
  assert.equal(description.version, /^version = "(.*)"$/m.exec(repository("Cargo.toml"))[1]);
});

test("nothing runs when it is installed", () => {
  assert.equal(description.scripts, undefined);
});

test("the ABIs tell every refusal and fault that a protected call can end with", () => {
  const declared = [...packed("interfaces/Protocol.sol").matchAll(/^ +error (\w+)\(/gm)].map(([, name]) => name);
  assert.ok(declared.length >= 10);
  const errors = abi("PolicyClient").filter(({ type }) => type === "error").map(({ name }) => name);
  for (const name of declared) assert.ok(errors.includes(name), name);
  const faults = abi("TaskManager").filter(({ type }) => type === "error").map(({ name }) => name);
  for (const name of ["PrecompileMissing", "InsufficientGas"]) assert.ok(faults.includes(name), name);
});

test("the README shows what the projects compile and test", () => {
  const shown = ["treasury/src/Treasury.sol", "treasury/test/Treasury.t.sol"];
  const lines = shown.flatMap((file) => repository("tests/packages", file).split("\n"));
  const blocks = [...packed("README.md").matchAll(/```solidity\n(.*?)```/gs)];
  assert.equal(blocks.length, 2);
  for (const line of blocks.flatMap(([, block]) => block.split("\n"))) assert.ok(lines.includes(line), line);
  const remappings = repository("tests/packages/foundry/remappings.txt").trim().split("\n");
  for (const line of remappings) assert.ok(packed("README.md").includes(`    ${line}\n`), line);
});

function filesIn(directory, prefix = "") {
  const entries = readdirSync(directory, { withFileTypes: true });
  const nested = entries.map((entry) =>
    entry.isDirectory() ? filesIn(join(directory, entry.name), `${prefix}${entry.name}/`) : [prefix + entry.name],
  );
  return nested.flat().sort();
}

function packed(file) {
  return readFileSync(join(directory, "package", file), "utf8");
}

function repository(...path) {
  return readFileSync(join(ROOT, ...path), "utf8");
}

function abi(contract) {
  return JSON.parse(packed(`abi/${contract}.json`));
}

function importsOf(source) {
  return [...source.matchAll(IMPORT)].map(([, path]) => path);
}

function leastPatch(file) {
  return Number(/^pragma solidity \^?0\.8\.(\d+);$/m.exec(sources.get(file))[1]);
}
