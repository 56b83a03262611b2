// The README's TypeScript, block after block, as one module: the tests compile it and run it.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const blocks = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code);
if (blocks.length === 0) throw new Error("README.md has no block of TypeScript");
mkdirSync(new URL("../build/readme", import.meta.url), { recursive: true });
writeFileSync(new URL("../build/readme/example.ts", import.meta.url), blocks.join("\n"));
