#!/usr/bin/env node
// Tries the packed contracts as a newcomer would: `node tests/packages/try.mjs foundry|hardhat TARBALL` copies the
// project to a place of its own, installs the tarball there, compiles, and runs the project's tests.
//
// forge-std and the compilers usually come from servers other than npm's. Here they come from npm packages, put
// where `forge install` and `npm install github:foundry-rs/forge-std` would put them, and where Foundry finds a compiler by path.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const FORGE_STD = join(ROOT, "node_modules/@layerzerolabs/toolbox-foundry/lib/forge-std");
// How many tests each project has: one that finds none of its tests has not passed.
const TESTS = 8;
const PROJECTS = {
  foundry: {
    prepare(place, project) {
      cpSync(FORGE_STD, join(project, "lib/forge-std/src"), { recursive: true });
      cpSync(join(ROOT, "script/solc"), join(project, "solc"));
    },
    test: [join(ROOT, "node_modules/.bin/forge"), ["test"]],
    passed: new RegExp(`\\b${TESTS} tests passed, 0 failed`),
  },
  hardhat: {
    prepare(place) {
      const library = join(place, "forge-std");
      cpSync(FORGE_STD, join(library, "src"), { recursive: true });
      renameSync(join(library, "src/package.json"), join(library, "package.json"));
      run(library, "npm", ["pack", "--ignore-scripts", "--pack-destination", place]);
    },
    test: ["npm", ["exec", "--offline", "--", "hardhat", "test"]],
    passed: new RegExp(`\\b${TESTS} passing`),
  },
};

const [name, tarball] = process.argv.slice(2);
if (!tarball || !Object.hasOwn(PROJECTS, name)) {
  console.error("usage: node tests/packages/try.mjs foundry|hardhat TARBALL");
  process.exit(2);
}
// Outside of the repository, whose node_modules would answer for what the project lacks.
const place = mkdtempSync(join(tmpdir(), "assent-package-"));
try {
  tryProject(PROJECTS[name], place);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(place, { recursive: true });
}

function tryProject({ prepare, test: [program, words], passed }, place) {
  const project = join(place, name);
  cpSync(join(ROOT, "tests/packages", name), project, { recursive: true });
  cpSync(tarball, join(place, "assent-contracts.tgz"));
  prepare(place, project);
  run(project, "npm", ["ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"]);
  // The lock file says what the tarball depended on when it was written; this, whether that still holds.
  run(project, "npm", ["ls", "--all"]);
  const output = run(project, program, words);
  if (!passed.test(output)) throw new Error(`${output}\nnot the ${TESTS} tests of tests/packages/${name} ran`);
  console.log(output.split("\n").slice(-30).join("\n"));
}

function run(directory, program, words) {
  console.error(`$ ${[program.replace(`${ROOT}/`, ""), ...words].join(" ")}`);
  const env = {
    ...process.env,
    // npm and Hardhat on the Node that runs this.
    PATH: dirname(process.execPath) + delimiter + process.env.PATH,
    FOUNDRY_PROFILE: "default",
    FOUNDRY_SOLC: join(directory, "solc"),
    FOUNDRY_OFFLINE: "true",
    HARDHAT_DISABLE_TELEMETRY_PROMPT: "true",
    CI: "true",
  };
  const { status, stdout, stderr, error } = spawnSync(program, words, {
    cwd: directory,
    env,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${stdout}\n${stderr}\n${program} ended with ${status}`);
  return stdout;
}
