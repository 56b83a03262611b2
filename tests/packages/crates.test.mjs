// The contents of the packed crates: `CRATES=target/package node --test tests/packages/crates.test.mjs`.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const VERSION = /^version = "(.*)"$/m.exec(repository("Cargo.toml"))[1];
// What cargo makes itself.
const GENERATED = ["Cargo.toml", "Cargo.toml.orig", "Cargo.lock", ".cargo_vcs_info.json"];
const REQUIRED = ["Cargo.toml", "LICENSE-APACHE", "LICENSE-MIT", "README.md", "src/lib.rs"];
const MACHINE_PATHS = /\/(home|root|Users|mnt|private)\/|\/work\/|[A-Z]:\\\\|file:\/\//;
const SECRETS = /_authToken|-----BEGIN|CARGO_REGISTRY_TOKEN/;

const directory = mkdtempSync(join(tmpdir(), "assent-crates-"));
after(() => rmSync(directory, { recursive: true }));
const published = readdirSync(join(ROOT, "crates"))
  .filter((name) => existsSync(join(ROOT, "crates", name, "Cargo.toml")))
  .filter((name) => !/^publish = false$/m.test(repository("crates", name, "Cargo.toml")));
for (const name of published) {
  execFileSync("tar", ["-xzf", join(process.env.CRATES, `${name}-${VERSION}.crate`), "-C", directory]);
}

test("every crate that can be published is packed", () => {
  assert.ok(published.includes("assent-verifier") && published.includes("assent-signer"), published.join(" "));
  assert.deepEqual(readdirSync(directory).sort(), published.map((name) => `${name}-${VERSION}`).sort());
});

for (const name of published) {
  const packed = join(directory, `${name}-${VERSION}`);
  const files = filesIn(packed);
  const manifest = readFileSync(join(packed, "Cargo.toml"), "utf8");

  test(`${name} holds its README, both licences and its sources as they are in the repository`, () => {
    for (const file of REQUIRED) assert.ok(files.includes(file), file);
    for (const file of files.filter((file) => !GENERATED.includes(file))) {
      assert.equal(readFileSync(join(packed, file), "utf8"), repository("crates", name, file), file);
    }
  });

  test(`${name} holds no machine's paths and no secrets`, () => {
    for (const file of files) {
      const text = readFileSync(join(packed, file), "utf8");
      assert.doesNotMatch(text, MACHINE_PATHS, file);
      assert.doesNotMatch(text, SECRETS, file);
      assert.ok(!text.includes(ROOT), file);
    }
  });

  test(`${name} says what it is, and depends only on published versions`, () => {
    for (const field of ["description", "license", "rust-version", "readme"]) {
      assert.match(manifest, new RegExp(`^${field} = "`, "m"), field);
    }
    assert.match(manifest, new RegExp(`^version = "${VERSION.replaceAll(".", "\\.")}"$`, "m"));
    const dependencies = manifest.matchAll(/^\[(?:.*\.)?((?:dev-|build-)?dependencies)\.(assent-[\w-]+)\]\n([^[]*)/gm);
    for (const [, kind, dependency, fields] of dependencies) {
      assert.ok(published.includes(dependency), `${kind}.${dependency} is not published`);
      assert.match(fields, new RegExp(`^version = "${VERSION.replaceAll(".", "\\.")}"$`, "m"), dependency);
      assert.doesNotMatch(fields, /^path = /m, dependency);
    }
  });
}

function filesIn(directory, prefix = "") {
  const entries = readdirSync(directory, { withFileTypes: true });
  const nested = entries.map((entry) =>
    entry.isDirectory() ? filesIn(join(directory, entry.name), `${prefix}${entry.name}/`) : [prefix + entry.name],
  );
  return nested.flat().sort();
}

function repository(...path) {
  return readFileSync(join(ROOT, ...path), "utf8");
}
