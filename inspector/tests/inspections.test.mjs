// The page says what the verifier and `assent inspect` say.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ASSENT, EXAMPLES, fill, inspect, inspector, json, load, paste, said, settled } from "./browser.mjs";

const stage = inspector();

function expected(refused) {
  const failing = refused ? refused[0] : 13;
  return Array.from({ length: 12 }, (_, index) =>
    index + 1 < failing ? "passed" : index + 1 === failing ? "failed" : "notReached");
}

/** Returns what `assent inspect --json` says of the same texts. */
function terminal(texts) {
  const desk = mkdtempSync(join(tmpdir(), "inspector-"));
  try {
    const file = (name) => {
      writeFileSync(join(desk, name), texts[name]);
      return name;
    };
    const given = (name, ...words) => (texts[name] === "" ? [] : words);
    const run = spawnSync(ASSENT, ["inspect", "--json",
      ...given("authorization", texts.authorization),
      ...given("calldata", "--calldata", texts.calldata),
      ...given("value", "--value", texts.value),
      ...["document", "intent", "context"].flatMap((name) => given(name, `--${name}`, name)),
      ...given("epochs", "--epoch", "epochs"),
      ...given("caller", "--caller", texts.caller),
      ...given("timestamp", "--timestamp", texts.timestamp),
      ...given("abi", "--abi", texts.abi),
      ...(texts.recorded ? ["--recorded"] : []),
    ], { cwd: (["document", "intent", "context", "epochs"].forEach(file), desk), encoding: "utf8" });
    assert.notEqual(run.stdout, "", run.stderr);
    return { status: run.status, inspection: JSON.parse(run.stdout) };
  } finally {
    rmSync(desk, { recursive: true });
  }
}

test("one click shows a valid authorization with every check passed", async () => {
  const { page, faults, close } = await stage.open();
  await page.click("#load");
  await settled(page);
  const { outcome, verdict, checks } = await said(page);
  assert.equal(outcome, "valid");
  assert.match(verdict, /Valid/);
  assert.deepEqual(checks, expected(null));
  assert.match(await page.textContent("#details"), /nonce[\s\S]*258[\s\S]*bit 2 of word 1/);
  assert.match(await page.textContent("#operators"), /0x0000000000000000000000000000000000000003/);
  assert.deepEqual(faults, []);
  await close();
});

test("every example fails at its check, and says what `assent inspect` says", async () => {
  const { page, faults, close } = await stage.open();
  for (const [index, { name, refused, texts }] of EXAMPLES.entries()) {
    await page.selectOption("#example", String(index));
    await page.click("#load");
    await settled(page);
    const { outcome, checks, verdict } = await said(page);
    assert.deepEqual(checks, expected(refused), name);
    assert.equal(outcome, refused ? "refused" : "valid", name);
    if (refused) assert.match(verdict, new RegExp(refused[1]), name);
    const { status, inspection } = terminal(texts);
    assert.deepEqual(await json(page), inspection, name);
    assert.equal(status, refused ? 1 : 0, name);
  }
  assert.deepEqual(faults, []);
  await close();
});

test("without chain state an authorization is decoded, and each check says what it needs", async () => {
  const { page, close } = await stage.open();
  await fill(page, { authorization: EXAMPLES[0].texts.authorization });
  await inspect(page);
  const { outcome, checks } = await said(page);
  assert.equal(outcome, "notVerified");
  assert.deepEqual(new Set(checks), new Set(["notMade"]));
  assert.match(await page.textContent("#checks"), /needs a context/);
  assert.match(await page.textContent("#details"), /taskId\s*bytes 0 to 31\s*0xbba8a8dc/);
  await close();
});

test("a caller and a time override the context's, on the page as in the terminal", async () => {
  const { page, close } = await stage.open();
  const { texts } = EXAMPLES[0];
  for (const change of [{ timestamp: "1800000600" }, { caller: `0x${"99".repeat(20)}` },
    { authorization: "", recorded: true, intent: "" }]) {
    await fill(page, { ...texts, ...change });
    await inspect(page);
    const { inspection } = terminal({ ...texts, ...change });
    assert.equal(inspection.verdict.outcome, "refused");
    assert.deepEqual(await json(page), inspection);
  }
  await close();
});

test("dropped files are recognised by their content, not by their names", async () => {
  const { page, faults, close } = await stage.open();
  const { texts } = EXAMPLES[0];
  const transfer = await page.evaluateHandle((contents) => {
    const transfer = new DataTransfer();
    contents.forEach((text, index) => transfer.items.add(new File([text], `${index}`)));
    return transfer;
  }, [texts.context, texts.authorization, texts.intent]);
  await page.dispatchEvent("body", "dragover", { dataTransfer: transfer });
  await page.dispatchEvent("body", "drop", { dataTransfer: transfer });
  await settled(page);
  assert.deepEqual((await said(page)).checks, expected(null));
  assert.equal(await page.inputValue("#context"), texts.context);
  assert.deepEqual(faults, []);
  await close();
});

test("opened files are read like dropped ones, and operator sets are combined", async () => {
  const { page, close } = await stage.open();
  const { document, epochs } = EXAMPLES.find(({ texts }) => texts.context === "").texts;
  const another = { ...JSON.parse(epochs), number: 6 };
  const file = (name, text) => ({ name, mimeType: "application/json", buffer: Buffer.from(text) });
  await page.setInputFiles("#files",
    [file("a.json", document), file("b.json", epochs), file("c.json", JSON.stringify(another))]);
  await settled(page);
  assert.equal((await said(page)).outcome, "notVerified", "the time is missing");
  await page.click("#inputs summary");
  await page.fill("#timestamp", "1800000000");
  await inspect(page);
  assert.equal((await said(page)).outcome, "valid");
  assert.match(await page.innerText("#assumed"), /quorum: 5001/);
  assert.deepEqual(JSON.parse(await page.inputValue("#epochs")).map(({ number }) => number), [5, 6]);
  await close();
});

const CLIPBOARD = { permissions: ["clipboard-read", "clipboard-write"] };

test("one field takes whatever is pasted, and each text replaces the last of its kind", async () => {
  const { page, faults, close } = await stage.open(CLIPBOARD);
  const { texts } = EXAMPLES.find(({ refused }) => refused?.[1] === "WrongTask");
  const trailing = EXAMPLES.find((example) => example.texts.calldata !== "").texts.calldata;
  const [epoch] = JSON.parse(texts.context).epochs;
  const outcomes = [];
  for (const [input, text] of [
    ["intent", texts.intent],
    ["context", texts.context],
    ["authorization", texts.authorization],
    ["document", texts.document],
    ["abi", texts.abi],
    ["epochs", JSON.stringify(epoch)],
    ["calldata", trailing],
  ]) {
    await paste(page, text);
    assert.equal((await page.inputValue(`#${input}`)).trim(), text.trim(), input);
    outcomes.push((await said(page)).outcome);
  }
  assert.deepEqual(outcomes, ["none", "none", "refused", "refused", "refused", "refused", "valid"]);
  assert.deepEqual(await page.$$eval("#given li", (items) => items.map((item) => item.firstChild.textContent)),
    ["transaction calldata", "attestation document", "context", "operator set", "ABI"],
    "the calldata replaces authorization and intent");
  assert.deepEqual(faults, []);
  await close();
});

test("the argument that differs is named, with both values", async () => {
  const { page, close } = await stage.open();
  await load(page, "WrongTask");
  const cause = await page.innerText(".cause");
  assert.match(cause, /^amount uint256\n+attested\n100\nin the call\n101$/);
  assert.equal(await page.innerText(".cause mark"), "101");
  assert.match(await page.innerText("#verdict"), /Next: make the call as it was attested/);
  await close();
});

test("without an ABI the word that differs is shown, with its bytes marked", async () => {
  const { page, close } = await stage.open();
  await load(page, "WrongTask");
  await page.click("[aria-label='Remove: ABI']");
  await page.waitForFunction(() => document.querySelector(".cause")?.innerText.includes("calldata word 2"));
  assert.deepEqual(await page.$$eval(".cause mark", (marks) => marks.map((mark) => mark.innerText)), ["64", "65"]);
  assert.match(await page.innerText(".cause"), /bytes 36 to 67[\s\S]*64 = 100[\s\S]*65 = 101[\s\S]*signature or ABI/);
  await close();
});

test("hashes and revert data are folded, and copied in full", async () => {
  const { page, close } = await stage.open(CLIPBOARD);
  await load(page, "WrongTask");
  const hashes = /0x[0-9a-f]{64}/;
  assert.doesNotMatch(await page.innerText("body"), hashes);
  await page.click("#details summary >> nth=0");
  assert.match(await page.innerText("#details"), hashes);
  await page.click("#details dd >> nth=1 >> button");
  await page.waitForFunction(() => document.querySelectorAll("#details dd")[1].innerText.includes("Copied"));
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied, (await json(page)).verdict.error.revertData);
  await close();
});
