// Garbage of any kind and size gets an error that says what is wrong and where, and the page keeps working.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { EXAMPLES, fill, inspect, inspector, said, settled } from "./browser.mjs";

const LONGEST_TEXT = 8 * 1024 * 1024;
const { texts } = EXAMPLES[0];
const stage = inspector();

/** Returns the error beside an input, which has the focus. The verdict repeats the error. */
async function error(page, input) {
  const { outcome, verdict } = await said(page);
  const message = await page.innerText(`#${input === "files" ? "paste" : input}-error`);
  assert.equal(outcome, "failed", message);
  assert.notEqual(message, "");
  assert.ok(verdict.includes(message), verdict);
  assert.equal(await page.getAttribute(`#${input}`, "aria-invalid"), "true");
  assert.equal(await page.evaluate(() => document.activeElement.id), input);
  return message;
}

async function stillWorks(page) {
  await page.click("#load");
  await settled(page);
  assert.equal((await said(page)).outcome, "valid");
}

test("pasted garbage is refused with its place", async () => {
  const { page, faults, close } = await stage.open();
  const cases = [
    [{}, "authorization", /nothing to inspect/],
    [{ authorization: "0xzz" }, "authorization", /not hex/],
    [{ authorization: "<img src=x onerror=alert(1)>" }, "authorization", /not hex/],
    [{ authorization: "0x1234" }, "authorization", /ends within `taskId`/],
    [{ authorization: `0x${randomBytes(150).toString("hex")}` }, "authorization", /./],
    [{ calldata: "0x12345678" }, "calldata", /no authorization is appended/],
    [{ document: "{" }, "document", /line 1/],
    [{ ...texts, context: "[".repeat(100_000) }, "context", /./],
    [{ ...texts, context: '{"a":'.repeat(100_000) }, "context", /./],
    [{ ...texts, context: texts.context.replace('"caller"', '"\\u0000"') }, "context", /unknown field/],
    [{ ...texts, intent: "null" }, "intent", /an intent is/],
    [{ ...texts, epochs: `[${Array(17).fill("0").join()}]` }, "epochs", /17 epochs are more than 16/],
    [{ ...texts, timestamp: "tomorrow" }, "timestamp", /whole number/],
    [{ ...texts, caller: "me" }, "caller", /not an address/],
    [{ ...texts, value: "1" }, "value", /calldata/],
    [{ ...texts, calldata: "0x00" }, "calldata", /not both/],
    [{ ...texts, abi: "transfer(address" }, "abi", /function signature/],
    [{ ...texts, abi: "[".repeat(100_000) }, "abi", /JSON/],
  ];
  for (const [garbage, input, words] of cases) {
    await fill(page, garbage);
    await inspect(page);
    assert.match(await error(page, input), words);
  }
  await stillWorks(page);
  assert.deepEqual(faults, []);
  await close();
});

test("text that is not recognised stays in the field, with the reason beside it", async () => {
  const { page, faults, close } = await stage.open();
  const cases = [["hello", /not hex/], ['{"a": 1}', /this JSON is not/], ["f(", /function signature/]];
  for (const [garbage, words] of cases) {
    await page.fill("#paste", garbage);
    await inspect(page);
    assert.match(await error(page, "paste"), words);
    assert.equal(await page.inputValue("#paste"), garbage);
  }
  await stillWorks(page);
  assert.equal(await page.inputValue("#paste"), "");
  assert.deepEqual(faults, []);
  await close();
});

test("an authorization that was cut short or lengthened anywhere never stops the verifier", async () => {
  const { page, faults, close } = await stage.open();
  for (const cut of [2, 20, 142, 154, 228, 230, 412, 420, 424]) {
    for (const tail of ["", "ff".repeat(40)]) {
      await fill(page, { ...texts, authorization: texts.authorization.slice(0, 2 + cut) + tail });
      await inspect(page);
      assert.notEqual((await said(page)).outcome, "valid");
    }
  }
  assert.deepEqual(faults, []);
  await close();
});

test("a text that is too long is refused before it is read", async () => {
  const { page, faults, close } = await stage.open();
  for (const length of [LONGEST_TEXT, LONGEST_TEXT + 1]) {
    await page.evaluate((length) => {
      document.querySelector("#authorization").value = "0x".padEnd(length, "0");
    }, length);
    await inspect(page);
    assert.match(await error(page, "authorization"), length > LONGEST_TEXT ? /8388608/ : /the maximum is 1491/);
  }
  await page.click("#clear");
  await stillWorks(page);
  assert.deepEqual(faults, []);
  await close();
});

test("files that are no text, empty or too long are refused by name", async () => {
  const { page, faults, close } = await stage.open();
  const desk = mkdtempSync(join(tmpdir(), "inspector-"));
  const file = (name, contents) => {
    writeFileSync(join(desk, name), contents);
    return join(desk, name);
  };
  const cases = [
    [file("random.bin", Buffer.concat([Buffer.from([0xff, 0xfe]), randomBytes(5000)])), /random\.bin: not text/],
    [file("empty.json", ""), /empty\.json: it is empty/],
    [file("large.json", Buffer.alloc(LONGEST_TEXT + 1, "[")), /large\.json: the file has 8388609 bytes/],
    [file("words.txt", "hello"), /words\.txt: not hex/],
    [file("other.json", '{"a": 1}'), /other\.json: this JSON is not/],
  ];
  for (const [path, words] of cases) {
    await page.setInputFiles("#files", path);
    await settled(page);
    assert.match(await error(page, "files"), words);
    await page.click("#clear");
  }
  await stillWorks(page);
  assert.deepEqual(faults, []);
  await close();
  rmSync(desk, { recursive: true });
});

test("long work can be stopped, and the page goes on", async () => {
  const { page, faults, close } = await stage.open();
  // So many keys to validate that it takes seconds.
  const context = JSON.parse(texts.context);
  const [epoch] = context.epochs;
  const operators = Array.from({ length: 1500 }, (_, index) =>
    ({ ...epoch.operators[0], address: `0x${(index + 1).toString(16).padStart(40, "0")}` }));
  context.epochs = Array.from({ length: 8 }, (_, index) => ({ ...epoch, number: index + 1, operators }));
  const large = JSON.stringify(context);
  assert.ok(large.length < LONGEST_TEXT);
  await fill(page, { authorization: texts.authorization, intent: texts.intent });
  await page.evaluate((large) => { document.querySelector("#context").value = large; }, large);
  await page.click("#inspect");
  await page.click("#stop");
  await settled(page);
  assert.match((await said(page)).verdict, /Stopped/);
  await stillWorks(page);
  assert.deepEqual(faults, []);
  await close();
});
