// Everyone can use the page: with the keyboard, light and dark, narrow and wide, from a server and from a disk.
// Nothing leaves it.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { EXAMPLES, LOOKS, PAGE, fill, inspect, inspector, load, photographer, said, settled } from "./browser.mjs";

const SCREENSHOTS = join(dirname(PAGE), "screenshots");
mkdirSync(SCREENSHOTS, { recursive: true });
const EVIDENCE = readFileSync(new URL("../../tests/replay/cases/deny.json", import.meta.url), "utf8");
const stage = inspector();

for (const look of LOOKS) {
  const { colorScheme, width } = look;
  test(`everything is in reach and in sight: ${colorScheme}, ${width} pixels wide`, async (context) => {
    // The page's policy refuses scripts that are not its own, and axe is one.
    const { page, close } = await stage.open({ colorScheme, viewport: { width, height: 800 }, bypassCSP: true });
    const show = photographer({ page, context, folder: SCREENSHOTS, look });
    await show("empty");
    for (const [name, error] of [["valid", null], ["refused", "WrongTask"]]) {
      await load(page, error);
      await show(name);
    }
    await page.click("[aria-label='Remove: ABI']");
    await page.waitForFunction(() => document.querySelector(".cause")?.innerText.includes("word 2"));
    await show("refused-without-abi");
    await page.evaluate(() => { for (const folded of document.querySelectorAll("details")) folded.open = true; });
    await page.waitForFunction(() => document.querySelector("#json pre").textContent !== "");
    await show("unfolded");
    await fill(page, { authorization: EXAMPLES[0].texts.authorization });
    await inspect(page);
    await show("not-verified");
    await fill(page, { authorization: "0xzz" });
    await inspect(page);
    await show("error");
    const evidence = EVIDENCE;
    await fill(page, { evidence });
    await inspect(page);
    await show("follows");
    await page.evaluate(() => { for (const folded of document.querySelectorAll("details")) folded.open = true; });
    await show("follows-unfolded");
    await fill(page, { evidence: evidence.replace(/"result":"0x00/, '"result":"0x01') });
    await inspect(page);
    await show("does-not-follow");
    await fill(page, { evidence: evidence.replace(/"image":"0x..../, '"image":"0x7777') });
    await inspect(page);
    await show("unknown-image");
    await close();
  });
}

test("on a phone a refusal and its reason are in view, below one field", async () => {
  const { page, close } = await stage.open({ viewport: { width: 390, height: 844 } });
  const { top } = await page.evaluate(() => document.querySelector("#result").getBoundingClientRect().toJSON());
  assert.ok(top < 500, `the result begins at ${top} pixels`);
  await load(page, "WrongTask");
  const box = await page.evaluate(() => document.querySelector("#verdict").getBoundingClientRect().toJSON());
  assert.ok(box.top >= 0 && box.bottom <= 844, `the verdict is from ${box.top} to ${box.bottom}`);
  const strip = await page.evaluate(() => document.querySelector("#marks").getBoundingClientRect().toJSON());
  assert.ok(strip.bottom <= 844, `the checks end at ${strip.bottom}`);
  await close();
});

test("the verdict is a sentence, not hashes", async () => {
  const { page, close } = await stage.open();
  await load(page, "WrongTask");
  const verdict = await page.innerText("#verdict .head");
  assert.ok(verdict.length < 120, verdict);
  const size = (selector) => page.$eval(selector, (element) => Number.parseFloat(getComputedStyle(element).fontSize));
  assert.ok(await size("#verdict .word") >= 28, "the verdict is large");
  await close();
});

test("the twelve checks are a strip that unfolds", async () => {
  const { page, close } = await stage.open();
  await load(page, "WrongTask");
  const marks = await page.$$eval("#marks > span", (spans) => spans.map((span) => span.firstChild.textContent));
  assert.equal(marks.join(""), "✓✓✓✗––––––––");
  assert.equal(await page.innerText("#progress"), "Check 4 of 12 failed: task");
  assert.equal(await page.isVisible("#checks"), false);
  await page.click("#strip summary");
  assert.equal(await page.isVisible("#checks"), true);
  assert.doesNotMatch(await page.innerText("#checks"), /failed before/);
  await close();
});

test("no heading of the table of operators wraps", async () => {
  const { page, close } = await stage.open({ viewport: { width: 320, height: 800 } });
  await load(page);
  await page.click("#operators summary");
  const lines = await page.$$eval("#operators th", (cells) => cells.map((cell) => {
    const range = document.createRange();
    range.selectNodeContents(cell);
    return range.getClientRects().length;
  }));
  assert.deepEqual(lines, [1, 1, 1, 1]);
  await close();
});

test("the keyboard suffices, and goes from top to bottom", async () => {
  const { page, close } = await stage.open();
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.parentElement.id);
  const tab = async (times) => {
    const order = [];
    for (let presses = 0; presses < times; presses += 1) {
      await page.keyboard.press("Tab");
      order.push(await focused());
    }
    return order;
  };
  assert.deepEqual(await tab(7), ["paste", "inspect", "files", "clear", "example", "load", "inputs"]);
  await page.keyboard.press("Enter");
  assert.deepEqual(await tab(14), ["authorization", "document", "recorded", "intent", "calldata", "value", "abi",
    "caller", "context", "epochs", "timestamp", "now", "evidence", "inspect-fields"]);
  // The focus is visible.
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), "none");

  await page.focus("#paste");
  await page.keyboard.insertText(EXAMPLES[0].texts.authorization);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await settled(page);
  assert.equal((await said(page)).outcome, "notVerified");
  while (await focused() !== "json") await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.ok(await page.evaluate(() => document.querySelector("#json").open), "the JSON unfolds");
  await close();
});

test("results are announced, and colour is never the only signal", async () => {
  const { page, close } = await stage.open();
  assert.equal(await page.getAttribute("#verdict", "role"), "status");
  await page.selectOption("#example", String(EXAMPLES.findIndex(({ refused }) => refused?.[0] === 5)));
  await page.click("#load");
  await settled(page);
  assert.match(await page.innerText("#verdict"), /Refused/);
  const outcomes = await page.$$eval("#checks .outcome", (items) => items.map((item) => item.textContent));
  assert.deepEqual(outcomes.slice(3, 6), ["✓ passed", "✗ failed", "– not reached"]);
  await close();
});

test("nothing leaves the page: it requests only itself, and its policy forbids more", async () => {
  const { page, requests, close } = await stage.open();
  for (const index of ["0", "8"]) {
    await page.selectOption("#example", index);
    await page.click("#load");
    await settled(page);
  }
  const elsewhere = requests.filter((url) => !url.startsWith("blob:") && !url.startsWith("data:"));
  assert.deepEqual(elsewhere, [stage.url]);
  const attempts = await page.evaluate(async (url) => {
    const refused = async (attempt) => attempt().then(() => "allowed", () => "refused");
    const image = () => new Promise((resolve, reject) => {
      Object.assign(new Image(), { onload: resolve, onerror: reject, src: url });
    });
    return [await refused(() => fetch(url)), await refused(image), typeof globalThis.injected];
  }, stage.url);
  assert.deepEqual(attempts, ["refused", "refused", "undefined"]);
  await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "globalThis.injected = true";
    document.body.append(script);
  });
  assert.equal(await page.evaluate(() => typeof globalThis.injected), "undefined", "no other script runs");
  await close();
});

test("the page works from a disk", async () => {
  const { page, requests, faults, close } = await stage.open({ url: pathToFileURL(PAGE).href });
  await page.click("#load");
  await settled(page);
  assert.equal((await said(page)).outcome, "valid");
  assert.deepEqual(requests.filter((url) => !/^(blob|data):/.test(url)), [pathToFileURL(PAGE).href]);
  assert.deepEqual(faults, []);
  await close();
});
