#!/usr/bin/env node
// Tries packed crates or the packed @assent/viem as a newcomer would, in a project outside of the repository:
// `node tests/packages/try-released.mjs rust DIRECTORY` and `node tests/packages/try-released.mjs viem TARBALL`.
import { execFileSync } from "node:child_process";
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const PROJECTS = { rust: tryCrates, viem: tryViem };

const [name, packed] = process.argv.slice(2);
if (!packed || !Object.hasOwn(PROJECTS, name)) {
  console.error("usage: node tests/packages/try-released.mjs rust DIRECTORY | viem TARBALL");
  process.exit(2);
}
const directory = mkdtempSync(join(tmpdir(), "assent-released-"));
try {
  const project = join(directory, name);
  cpSync(join(ROOT, "tests/packages", name), project, { recursive: true });
  PROJECTS[name](resolve(packed), project);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(directory, { recursive: true });
}

function tryCrates(crates, project) {
  const unpacked = join(directory, "unpacked");
  mkdirSync(unpacked);
  const files = readdirSync(crates).filter((file) => file.endsWith(".crate"));
  // As docs/integrate.md says: cargo takes the unpacked crates in place of those that crates.io does not have yet.
  appendFileSync(join(project, "Cargo.toml"), "\n[patch.crates-io]\n");
  for (const file of files) {
    run(directory, "tar", ["-xzf", join(crates, file), "-C", unpacked]);
    const path = join(unpacked, basename(file, ".crate"));
    const crate = /^(.*)-\d+\.\d+\.\d+/.exec(basename(file, ".crate"))[1];
    appendFileSync(join(project, "Cargo.toml"), `${crate} = { path = ${JSON.stringify(path)} }\n`);
  }
  // The repository's versions of everything else, which are tested.
  cpSync(join(ROOT, "Cargo.lock"), join(project, "Cargo.lock"));
  const target = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "released-project");
  const printed = run(project, process.env.CARGO ?? "cargo", ["run", "--quiet"], { CARGO_TARGET_DIR: target });
  if (!printed.includes("refused as expected")) throw new Error(`the project printed ${printed}`);
}

function tryViem(tarball, project) {
  cpSync(tarball, join(directory, "assent-viem.tgz"));
  run(project, "npm", ["install", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"]);
  const printed = run(project, process.execPath, ["try.mjs"]);
  if (!printed.includes("built an intent")) throw new Error(`the project printed ${printed}`);
}

function run(directory, program, words, environment = {}) {
  console.error(`$ ${[basename(program), ...words].join(" ")}`);
  const env = { ...process.env, ...environment };
  return execFileSync(program, words, { cwd: directory, encoding: "utf8", env, stdio: ["ignore", "pipe", "inherit"] });
}
