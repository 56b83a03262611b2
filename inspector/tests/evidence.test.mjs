// The page repeats decisions from their evidence, and says what `assent evidence replay` says.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ASSENT, fill, inspect, inspector, json, said, settled } from "./browser.mjs";

const CASES = fileURLToPath(new URL("../../tests/replay/", import.meta.url));
const STATES = JSON.parse(readFileSync(join(CASES, "states.json"), "utf8"));
const evidenceOf = (name) => readFileSync(join(CASES, `cases/${name}.json`), "utf8");
const OTHER = `0x${"77".repeat(32)}`;

const stage = inspector();

/** Replays an evidence file, and returns the result in JSON. */
async function replay(page, evidence, document = "") {
  await fill(page, { evidence, document });
  await inspect(page);
  return json(page);
}

/** Returns a case's evidence file, changed. */
function changed(name, change) {
  const file = JSON.parse(evidenceOf(name));
  change(file);
  return JSON.stringify(file);
}

/** Returns the attestation document that follows from an evidence file. */
function documentOf(name, change = () => {}) {
  const { policyId, evidence } = JSON.parse(evidenceOf(name));
  const address = (byte) => `0x${byte.repeat(20)}`;
  const word = (value) => value.toString(16).padStart(64, "0");
  const intent = {
    from: address("f0"), to: address("ee"), value: "0", data: `0xc4076876${word(0x4d)}${word(500)}`, chainId: "1",
  };
  const attestation = {
    policyId, evidence, decision: "allow", policyClient: address("cc"), nonce: "7", issuedAt: "1767261660", intent,
  };
  change(attestation);
  return JSON.stringify({ attestation });
}

test("in WebAssembly every decision has the same bytes and states as natively, twice", async () => {
  const { page, faults, close } = await stage.open();
  for (const { name, decision, evidence, states, steps } of STATES) {
    const results = [await replay(page, evidenceOf(name)), await replay(page, evidenceOf(name))];
    assert.deepEqual(results[0], results[1], name);
    const [result] = results;
    assert.ok(result.follows, `${name}: ${result.sentence}`);
    assert.deepEqual(
      [result.decision, result.evidence, result.initialState, result.finalState, result.steps],
      [decision, evidence, states[0], states.at(-1), steps],
      name,
    );
    assert.equal((await said(page)).outcome, "follows", name);
  }
  assert.deepEqual(faults, []);
  await close();
});

test("the page says what `assent evidence replay` says", async () => {
  const { page, close } = await stage.open();
  const desk = mkdtempSync(join(tmpdir(), "inspector-"));
  const files = [evidenceOf("deny"), evidenceOf("treasury"), evidenceOf("conjunction"),
    changed("deny", (file) => { file.result = "0x01"; })];
  for (const evidence of files) {
    writeFileSync(join(desk, "evidence.json"), evidence);
    const run = spawnSync(ASSENT, ["evidence", "replay", "evidence.json", "--json"], { cwd: desk, encoding: "utf8" });
    assert.notEqual(run.stdout, "", run.stderr);
    assert.deepEqual(await replay(page, evidence), JSON.parse(run.stdout));
  }
  rmSync(desk, { recursive: true });
  await close();
});

test("what does not follow is shown with the first difference, what is claimed and what follows", async () => {
  const { page, close } = await stage.open();
  const cases = [
    ["policyId", "deny", (file) => { file.policyId = OTHER; }, /^claimed\n0x7777/],
    ["decision", "deny", (file) => { file.result = "0x01"; }, /^claimed\nallow\n+follows\ndeny$/],
    ["result, from byte 3 on", "deny", (file) => { file.result = `${file.result.slice(0, 8)}00`; }, /follows\n/],
    ["evidence", "allow", (file) => { file.evidence = OTHER; }, /^claimed\n0x7777/],
    ["evidence", "median", (file) => { file.data = file.data.replace('"104"', '"105"'); }, /follows\n0x/],
    ["decision", "median", (file) => { file.data = file.data.replace('"103"', '"102"'); }, /follows\ndeny$/],
  ];
  for (const [field, name, change, values] of cases) {
    const { follows, difference } = await replay(page, changed(name, change));
    assert.equal(follows, false, field);
    assert.equal(difference.field, field);
    const { outcome, verdict } = await said(page);
    assert.equal(outcome, "differs");
    assert.match(verdict, /This does not follow/);
    assert.ok(verdict.includes(`First difference here: ${field}`), verdict);
    assert.match(await page.innerText("#difference"), values, field);
  }
  await close();
});

test("decision, reasons and every document are shown", async () => {
  const { page, close } = await stage.open();
  await replay(page, evidenceOf("deny"));
  assert.match((await said(page)).verdict, /This follows[\s\S]*Decision: deny[\s\S]*steps of at most 268,435,456/);
  assert.equal(await page.innerText("#reasons"), "denied: 501 is more than 500");
  await page.evaluate(() => { for (const folded of document.querySelectorAll("details")) folded.open = true; });
  const details = await page.innerText("#details");
  for (const expected of [
    /image[\s\S]*known: this page has it/,
    /last state/,
    /package policy\n\nallow if input\.call\.args\.amount <= data\.params\.limit\n/,
    /"limit": "500"/,
    /pay\(address,uint256\)/,
    /argument amount\s+501/,
    /blockTimestamp\s+1767261660 \(2026-01-01T10:01:00Z\)/,
    /decision byte\s+0\s+deny/,
  ]) assert.match(details, expected);
  await replay(page, evidenceOf("conjunction"));
  assert.match(await page.innerText("#reasons"), /^policy 1 \(policy\): notAllowed: /);
  await replay(page, evidenceOf("median"));
  await page.evaluate(() => { for (const folded of document.querySelectorAll("details")) folded.open = true; });
  assert.match(await page.innerText("#details"),
    /data\.wasm\.price[\s\S]*"usd": "-7"[\s\S]*observed by 0xa3\w+ \(weight 33\)/);
  await close();
});

test("an attestation beside the evidence is compared", async () => {
  const { page, close } = await stage.open();
  const same = await replay(page, evidenceOf("allow"), documentOf("allow"));
  assert.ok(same.follows && same.isAttestationCompared, JSON.stringify(same.difference));
  assert.match((await said(page)).verdict, /as the evidence and the attestation say/);
  for (const [field, change] of [
    ["evidence", (attestation) => { attestation.evidence = OTHER; }],
    ["policyId", (attestation) => { attestation.policyId = OTHER; }],
    ["decision", (attestation) => { attestation.decision = "deny"; }],
    ["value", (attestation) => { attestation.intent.value = "1"; }],
  ]) {
    const { follows, difference } = await replay(page, evidenceOf("allow"), documentOf("allow", change));
    assert.equal(follows, false);
    assert.equal(difference.field, `attestation.${field}`);
  }
  await close();
});

test("evidence that names an image which the page lacks is not replayed, and says so", async () => {
  const { page, close } = await stage.open();
  const { follows, isImageKnown, decision, claimedDecision, documents } =
    await replay(page, changed("deny", (file) => { file.image = OTHER; }));
  assert.deepEqual([follows, isImageKnown, decision, claimedDecision], [false, false, null, "deny"]);
  assert.ok(documents.length > 4, "its documents are shown");
  const { outcome, verdict } = await said(page);
  assert.equal(outcome, "unknown");
  assert.match(verdict, new RegExp(`Not replayed[\\s\\S]*${OTHER} is unknown; this version has 0x`));
  await close();
});

test("one field takes an evidence file and its attestation", async () => {
  const { page, faults, close } = await stage.open();
  const file = (name, text) => ({ name, mimeType: "application/json", buffer: Buffer.from(text) });
  await page.setInputFiles("#files", [file("b.json", documentOf("allow")), file("a.json", evidenceOf("allow"))]);
  await settled(page);
  assert.match((await said(page)).verdict, /This follows/);
  assert.deepEqual(await page.$$eval("#given li", (items) => items.map((item) => item.firstChild.textContent)),
    ["attestation document", "evidence file"]);
  await page.click("[aria-label='Remove: evidence file']");
  await page.waitForFunction(() => document.querySelector("#stop").hidden);
  assert.notEqual((await said(page)).outcome, "follows");
  assert.deepEqual(faults, []);
  await close();
});

test("the example is evidence of a denial", async () => {
  const { page, close } = await stage.open();
  await page.selectOption("#example", { label: "evidence of a denial" });
  await page.click("#load");
  await settled(page);
  assert.match((await said(page)).verdict, /This follows[\s\S]*Decision: deny/);
  await close();
});

test("hostile evidence ends in an error that says what is wrong", async () => {
  const { page, faults, close } = await stage.open();
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  const cases = [
    [changed("deny", (file) => { delete file.input; }), /`input` is missing/],
    [changed("deny", (file) => { file.more = 1; }), /`more` is unknown/],
    [changed("deny", (file) => { file.version = 2; }), /`version`: "2" is not 1/],
    [changed("deny", (file) => { file.stepLimit = 2 ** 28 + 1; }), /step limit/],
    [changed("deny", (file) => { file.result = "0x0"; }), /`result`/],
    [changed("deny", (file) => { file.parameters = '{"limit": "1"}'; }), /canonical/],
    [changed("deny", (file) => { file.data = "x".repeat(200_000); }), /data has 200000 bytes/],
    [evidenceOf("deny").replace('"version":1', '"version":1,"version":1'), /occurs twice/],
    [evidenceOf("deny").replace('"version":1', `"version":${deep}`), /nested more than 64 deep/],
    [evidenceOf("deny").replace('"data":""', '"data":"\\ud800"'), /the escape is half/],
    ["{", /ends too early/],
    ["hello", /expected a value/],
  ];
  for (const [evidence, words] of cases) {
    await fill(page, { evidence });
    await inspect(page);
    assert.equal((await said(page)).outcome, "failed");
    assert.match(await page.innerText("#evidence-error"), words);
  }
  await page.selectOption("#example", { label: "evidence of a denial" });
  await page.click("#load");
  await settled(page);
  assert.equal((await said(page)).outcome, "follows", "the page goes on");
  assert.deepEqual(faults, []);
  await close();
});

test("a decision of 2^28 steps shows its progress, freezes nothing, and can be stopped", async () => {
  const { page, faults, close } = await stage.open();
  await fill(page, { evidence: changed("limit", (file) => { file.stepLimit = 2 ** 28; }) });
  await page.click("#inspect");
  await page.waitForFunction(() =>
    /Deciding again: [1-9][\d,]* steps of at most 268,435,456/.test(document.querySelector("#verdict").textContent));
  const frames = await page.evaluate(() => new Promise((resolve) => {
    let count = 0;
    const frame = () => { count += 1; if (count === 5) resolve(count); else requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
  }));
  assert.equal(frames, 5, "the page draws while the worker decides");
  await page.click("#stop");
  await settled(page);
  assert.match((await said(page)).verdict, /Stopped/);
  assert.ok((await replay(page, evidenceOf("deny"))).follows, "the page goes on");
  assert.deepEqual(faults, []);
  await close();
});
