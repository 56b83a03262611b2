// One version everywhere, and a changelog for it: `node --test tests/packages/versions.test.mjs`. With RELEASE=1 the
// changelog must have a dated section for the version.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const workspace = repository("Cargo.toml");
const version = /^version = "(.*)"$/m.exec(workspace)[1];
const changelog = repository("CHANGELOG.md");

test("the crates depend on each other's current version", () => {
  const dependencies = [...workspace.matchAll(/^(assent-[\w-]+) = \{.*?\bversion = "([^"]*)"/gm)];
  assert.ok(dependencies.length >= 5);
  for (const [, name, required] of dependencies) assert.equal(required, version, name);
});

test("the npm packages have the crates' version", () => {
  for (const name of ["contracts", "packages/viem"]) {
    assert.equal(JSON.parse(repository(name, "package.json")).version, version, name);
  }
});

test("the changelog has a section with entries for the version, or for what is unreleased", () => {
  const sections = new Map(changelog.split(/^## /m).slice(1).map((text) => [text.split("\n")[0], text]));
  const released = [...sections.keys()].find((title) => title.startsWith(`${version} - `));
  const title = released ?? "Unreleased";
  assert.ok(sections.has(title), `CHANGELOG.md has no section for ${version} and none for what is unreleased`);
  assert.match(sections.get(title), /^- \S/m, `the section ${title} of CHANGELOG.md is empty`);
  if (process.env.RELEASE) {
    assert.match(title, /^\S+ - \d{4}-\d{2}-\d{2}$/, `CHANGELOG.md needs a section "## ${version} - YYYY-MM-DD"`);
  }
});

function repository(...path) {
  return readFileSync(join(ROOT, ...path), "utf8");
}
