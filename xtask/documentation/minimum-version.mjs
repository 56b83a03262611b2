// Fails when a package needs a newer Rust than the one stated. Takes the version, and what `cargo metadata` printed.

import { readFileSync } from "node:fs";

const [stated, metadata] = process.argv.slice(2);
const numbers = (version) => version.split(".").map(Number);
const isNewer = (version, than) => {
  const [one, other] = [numbers(version), numbers(than)];
  const place = [0, 1, 2].find((index) => (one[index] ?? 0) !== (other[index] ?? 0));
  return place !== undefined && (one[place] ?? 0) > (other[place] ?? 0);
};

const { packages } = JSON.parse(readFileSync(metadata, "utf8"));
const stating = packages.filter(({ rust_version: needed }) => needed);
const dependencies = stating.filter(({ source }) => source);
const most = dependencies.reduce((one, other) => (isNewer(other.rust_version, one.rust_version) ? other : one));
console.log(`Rust ${stated} is stated; of ${dependencies.length} dependencies that state theirs, ${most.name} ${most.version} needs the newest, ${most.rust_version}`);
const tooNew = dependencies.filter(({ rust_version: needed }) => isNewer(needed, stated));
tooNew.forEach(({ name, version, rust_version: needed }) => console.log(`  ${name} ${version} needs Rust ${needed}`));
// A crate of the workspace with a version of its own would promise what nobody has tried.
const own = stating.filter(({ source, rust_version: needed }) => !source && needed !== stated);
own.forEach(({ name, rust_version: needed }) => console.log(`  ${name} states ${needed}, not ${stated}`));
process.exitCode = tooNew.length + own.length > 0 ? 1 : 0;
