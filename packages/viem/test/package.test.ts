import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { repositoryFile } from "./anvil.js";

const PACKAGE = fileURLToPath(new URL("../../", import.meta.url));
const INSTALLED = fileURLToPath(new URL("../../../../node_modules/", import.meta.url));

/** Of a program that uses the package: types and code, from an authorization's bytes to a refusal. */
const PROGRAM = `
import { type Refusal, decodeAuthorization, decodeRefusal, encodeAuthorization } from "@assent/viem";
import type { Hex } from "viem";

const bytes: Hex = \`0x\${"11".repeat(76)}01\${"22".repeat(36)}0100\`;
const refusal: Refusal | undefined = decodeRefusal("0x8baa579f");
console.log(encodeAuthorization(decodeAuthorization(bytes)) === bytes, refusal?.name);
`;

/** Of a test that uses the operators. */
const OPERATORS = `
import { TestOperator, aggregateSignatures } from "@assent/viem/testing";

const signatures = [1, 2].map((seed) => new TestOperator(seed).sign(\`0x\${"11".repeat(32)}\`));
console.log(aggregateSignatures(signatures).length);
`;

test("the packed package installs, compiles and runs where there is nothing but viem", (context) => {
  const directory = mkdtempSync(join(tmpdir(), "assent-viem-"));
  context.after(() => rmSync(directory, { recursive: true }));
  const run = (program: string, args: string[], cwd = directory) =>
    execFileSync(program, args, { cwd, encoding: "utf8" });

  // `prepack` compiles anew, which would take dist away from the tests beside this one; the licences are all it adds.
  run(process.execPath, ["scripts/copy-licences.mjs"], PACKAGE);
  const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", directory];
  const [packed] = JSON.parse(run("npm", pack, PACKAGE)) as { filename: string; files: { path: string }[] }[];
  assert(packed);
  const compiled = /^dist\/([a-z]+\/)?[a-zA-Z]+(\.d\.ts|\.js)$/;
  const others = packed.files.map(({ path }) => path).filter((path) => !compiled.test(path));
  assert.deepEqual(others.sort(), ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "package.json"]);

  writeFileSync(join(directory, "package.json"), JSON.stringify({ type: "module" }));
  // viem is there already, and is a peer: npm must not look for it on a network.
  const install = ["install", "--offline", "--legacy-peer-deps", "--no-audit", "--no-fund", "--no-save"];
  run("npm", [...install, packed.filename]);
  symlinkSync(join(INSTALLED, "viem"), join(directory, "node_modules", "viem"));
  for (const licence of ["LICENSE-MIT", "LICENSE-APACHE"]) {
    const shipped = readFileSync(join(directory, "node_modules/@assent/viem", licence), "utf8");
    assert.equal(shipped, repositoryFile(licence));
  }

  mkdirSync(join(directory, "src"));
  writeFileSync(join(directory, "src/program.ts"), PROGRAM);
  const strict = ["--strict", "--types", "", "--target", "es2022", "--outDir", "out", "src/program.ts"];
  const tsc = join(INSTALLED, "typescript/bin/tsc");
  run(process.execPath, [tsc, "--module", "nodenext", ...strict]);
  run(process.execPath, [tsc, "--module", "preserve", "--noEmit", ...strict]);
  assert.equal(run(process.execPath, ["out/program.js"]).trim(), "true InvalidSignature");

  // Only test operators need the curve.
  symlinkSync(join(INSTALLED, "@noble"), join(directory, "node_modules", "@noble"));
  writeFileSync(join(directory, "src/program.ts"), OPERATORS);
  run(process.execPath, [tsc, "--module", "nodenext", ...strict]);
  assert.equal(run(process.execPath, ["out/program.js"]).trim(), "194");
});
