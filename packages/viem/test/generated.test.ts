import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const PACKAGE = new URL("../../", import.meta.url);

test("the ABIs are what the Solidity sources say now", async () => {
  const { generate } = (await import(new URL("scripts/generate-abi.mjs", PACKAGE).href)) as { generate: () => string };
  const committed = readFileSync(new URL("src/abi.ts", PACKAGE), "utf8");
  assert(committed === generate(), "src/abi.ts is out of date: run `npm run generate` in packages/viem");
});

test("the types of the gateway's API are what its OpenRPC document says now", async () => {
  const script = new URL("scripts/generate-gateway.mjs", PACKAGE).href;
  const { generate } = (await import(script)) as { generate: () => string };
  const committed = readFileSync(new URL("src/gateway/api.ts", PACKAGE), "utf8");
  assert(committed === generate(), "src/gateway/api.ts is out of date: run `npm run generate` in packages/viem");
});
