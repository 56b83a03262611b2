// Writes the README's TypeScript to build/readme: the tests compile and run it. Blocks of the same name are one module;
// a block that begins ```ts without a name is of example.ts.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const modules = new Map();
for (const [, name = "example.ts", code] of readme.matchAll(/^```ts(?: (\w+\.ts))?\n(.*?)^```$/gms)) {
  modules.set(name, [...(modules.get(name) ?? []), code]);
}
if (modules.size === 0) throw new Error("README.md has no block of TypeScript");
mkdirSync(new URL("../build/readme", import.meta.url), { recursive: true });
for (const [name, blocks] of modules) {
  writeFileSync(new URL(`../build/readme/${name}`, import.meta.url), blocks.join("\n"));
}
