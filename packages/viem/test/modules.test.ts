import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const SOURCES = new URL("../../src/", import.meta.url);

test("only the module of test operators imports another package than viem", () => {
  const modules = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));
  assert(modules.length > 20, `${modules.length} modules`);
  for (const module of modules) {
    const source = readFileSync(new URL(module, SOURCES), "utf8");
    const packages = [...source.matchAll(/ from "([^."][^"]*)";/g)].map(([, name]) => name);
    const others = packages.filter((name) => name !== "viem" && !name?.startsWith("viem/"));
    assert.deepEqual(others, module === "testing/operators.ts" ? ["@noble/curves/bls12-381"] : [], module);
  }
});
