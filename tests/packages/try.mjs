#!/usr/bin/env node
// Tries the packed contracts as a newcomer would: `node tests/packages/try.mjs foundry|hardhat TARBALL` copies the
// project to a temporary directory, installs the tarball there, compiles, and runs the tests. Both projects have the
// contract and the tests of tests/packages/treasury.
//
// forge-std and the compilers usually come from servers other than npm's. Here they come from npm packages, copied to
// where
// `forge install` and `npm install github:foundry-rs/forge-std` install them, and to where Foundry finds a compiler by
// path.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const FORGE_STD = join(ROOT, "node_modules/@layerzerolabs/toolbox-foundry/lib/forge-std");
// The number of tests in tests/packages/treasury. A project that finds none of them has not passed.
const TESTS = 10;
const PROJECTS = {
  foundry: {
    prepare(directory, project) {
      cpSync(FORGE_STD, join(project, "lib/forge-std/src"), { recursive: true });
      cpSync(join(ROOT, "script/solc"), join(project, "solc"));
    },
    test: [join(ROOT, "node_modules/.bin/forge"), ["test"]],
    passed: new RegExp(`\\b${TESTS} tests passed, 0 failed`),
  },
  hardhat: {
    prepare(directory) {
      const library = join(directory, "forge-std");
      cpSync(FORGE_STD, join(library, "src"), { recursive: true });
      renameSync(join(library, "src/package.json"), join(library, "package.json"));
      run(library, "npm", ["pack", "--ignore-scripts", "--pack-destination", directory]);
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
// Outside of the repository, whose node_modules would supply what the project lacks.
const directory = mkdtempSync(join(tmpdir(), "assent-package-"));
try {
  tryProject(PROJECTS[name], directory);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(directory, { recursive: true });
}

function tryProject({ prepare, test: [program, words], passed }, directory) {
  const project = join(directory, name);
  cpSync(join(ROOT, "tests/packages", name), project, { recursive: true });
  cpSync(join(ROOT, "tests/packages/treasury"), project, { recursive: true });
  cpSync(tarball, join(directory, "assent-contracts.tgz"));
  prepare(directory, project);
  run(project, "npm", ["ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"]);
  // Fails if the tarball's dependencies differ from those in the lock file.
  run(project, "npm", ["ls", "--all"]);
  const output = run(project, program, words);
  if (!passed.test(output)) throw new Error(`${output}\nnot all ${TESTS} tests ran in the ${name} project`);
  console.log(output.split("\n").slice(-30).join("\n"));
}

function run(directory, program, words) {
  console.error(`$ ${[program.replace(`${ROOT}/`, ""), ...words].join(" ")}`);
  const env = {
    ...process.env,
    // npm and Hardhat run on the Node that runs this program.
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
