import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { toHex } from "viem";
import { type AttestationDocument, guidance, intentToJson, protocolErrors } from "@assent/viem";
import { createWorld, recipient } from "./world.js";

const PACKAGE = new URL("../../", import.meta.url);
const README = readFileSync(new URL("README.md", PACKAGE), "utf8");

/** Runs a program of the README where the operators have attested a payment of 250. Returns the lines it prints. */
async function run(name: string, runs: number, context: TestContext) {
  const world = await createWorld();
  context.after(world.stop);
  const directory = mkdtempSync(join(tmpdir(), "assent-viem-"));
  context.after(() => rmSync(directory, { recursive: true }));
  const { intent } = world.payment(250n);
  writeFileSync(join(directory, "attestation.json"), toJson(await world.attest(intent, { nonce: 7n })));
  const env = {
    ...process.env,
    RPC_URL: world.url,
    AGENT: world.agent.account.address,
    AGENT_KEY: toHex(world.agent.account.getHdKey().privateKey ?? assert.fail()),
    VAULT: world.vault,
    TOKEN: world.token,
  };
  const program = fileURLToPath(new URL(`build/build/readme/${name}.js`, PACKAGE));
  const printed: string[] = [];
  for (let count = 0; count < runs; count += 1) {
    const { stdout } = await promisify(execFile)(process.execPath, [program], { cwd: directory, env });
    printed.push(...stdout.trim().split("\n"));
  }
  return { world, directory, intent, printed };
}

test("the README's program pays once and says why not twice", async (context) => {
  const { world, directory, intent, printed } = await run("example", 1, context);
  assert.equal(readFileSync(join(directory, "intent.json"), "utf8"), intentToJson(intent));
  assert.equal(await world.balanceOf(recipient), 250n);
  assert.deepEqual(printed, [
    "success",
    "nonce 7 is spent",
    `nonce 7 of client ${world.vault} was used or burned. ${guidance.AttestationAlreadySpent.remedy}`,
    "AttestationAlreadySpent",
  ]);
});

test("the README's program for wagmi pays", async (context) => {
  const { world, printed } = await run("wagmi", 1, context);
  assert.deepEqual(printed, ["success"]);
  assert.equal(await world.balanceOf(recipient), 250n);
});

test("the README's program for ethers pays once and decodes the refusal of the second time", async (context) => {
  const { world, printed } = await run("ethers", 2, context);
  assert.deepEqual(printed, ["success", "AttestationAlreadySpent"]);
  assert.equal(await world.balanceOf(recipient), 250n);
});

test("the README's program for tests signs", async () => {
  const program = fileURLToPath(new URL("build/build/readme/testing.js", PACKAGE));
  const { stdout } = await promisify(execFile)(process.execPath, [program]);
  assert.deepEqual(stdout.trim().split("\n"), ["[ 386, 386, 386 ]", "[ 0 ]"]);
});

test("the README's table has every error, its arguments and what to do", () => {
  const rows = protocolErrors.map(({ name, inputs }) => {
    const args = inputs.map((input) => `\`${input.name}\``).join(", ") || "–";
    return `| \`${name}\` | ${args} | ${guidance[name].remedy} |`;
  });
  assert(README.includes(`| --- | --- | --- |\n${rows.join("\n")}\n\n`));
});

test("the README gets from the installation to a sent call in 20 lines", () => {
  const [, program] = /^```ts\n(.*?)^```$/ms.exec(README) ?? [];
  const lines = program?.split("\n").filter((line) => line.trim() !== "") ?? [];
  assert(lines.length <= 20, `${lines.length} lines`);
});

function toJson(document: AttestationDocument): string {
  return JSON.stringify(document, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
}
