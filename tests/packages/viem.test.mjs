// The contents of the packed @assent/viem: `TARBALL=target/npm/….tgz node --test tests/packages/viem.test.mjs`.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const SOURCES = join(ROOT, "packages/viem/src");
const MACHINE_PATHS = /\/(home|root|Users|mnt|private)\/|\/work\/|[A-Z]:\\\\|file:\/\//;

const directory = mkdtempSync(join(tmpdir(), "assent-viem-"));
after(() => rmSync(directory, { recursive: true }));
execFileSync("tar", ["-xzf", process.env.TARBALL, "-C", directory]);
const packed = join(directory, "package");
const files = filesIn(packed);
const description = JSON.parse(readFileSync(join(packed, "package.json"), "utf8"));

test("it holds each module with its types, the README and both licences, and nothing else", () => {
  const modules = filesIn(SOURCES).map((file) => file.replace(/\.ts$/, ""));
  const compiled = modules.flatMap((module) => [`dist/${module}.js`, `dist/${module}.d.ts`]);
  const others = ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "package.json"];
  assert.deepEqual(files, [...compiled, ...others].sort());
});

test("every export is there", () => {
  for (const target of Object.values(description.exports)) {
    const paths = typeof target === "string" ? [target] : Object.values(target);
    for (const path of paths) assert.ok(existsSync(join(packed, path)), path);
  }
});

test("it holds no machine's paths", () => {
  for (const file of files) {
    const text = readFileSync(join(packed, file), "utf8");
    assert.doesNotMatch(text, MACHINE_PATHS, file);
    assert.ok(!text.includes(ROOT), file);
  }
});

test("nothing runs when it is installed", () => {
  for (const script of ["preinstall", "install", "postinstall", "prepare"]) {
    assert.equal(description.scripts?.[script], undefined);
  }
});

function filesIn(directory, prefix = "") {
  const entries = readdirSync(directory, { withFileTypes: true });
  const nested = entries.map((entry) =>
    entry.isDirectory() ? filesIn(join(directory, entry.name), `${prefix}${entry.name}/`) : [prefix + entry.name],
  );
  return nested.flat().sort();
}
