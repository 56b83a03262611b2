// Everybody can use the page: by keyboard alone, light and dark, narrow and wide, from a server and from a disk; and it keeps
// to itself.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { EXAMPLES, PAGE, fill, inspect, inspector, said, settled } from "./browser.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SCREENSHOTS = join(dirname(PAGE), "screenshots");
mkdirSync(SCREENSHOTS, { recursive: true });
const stage = inspector();

/** Faults that axe finds, by name and place. */
async function barriers(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) =>
    `${id}: ${target.join(" ")}: ${failureSummary}`));
}

const looks = ["light", "dark"].flatMap((colorScheme) =>
  [320, 1280].map((width) => ({ colorScheme, width })));

for (const { colorScheme, width } of looks) {
  test(`nothing is out of reach or out of sight: ${colorScheme}, ${width} pixels wide`, async () => {
    // The page's policy refuses scripts that are not its own, and axe is one.
    const { page, close } = await stage.open({ colorScheme, viewport: { width, height: 800 }, bypassCSP: true });
    const show = async (name) => {
      assert.deepEqual(await barriers(page), [], name);
      const { scrollWidth, clientWidth } = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        return { scrollWidth, clientWidth };
      });
      assert.ok(scrollWidth <= clientWidth, `${name} is ${scrollWidth} pixels wide`);
      await page.screenshot({ path: join(SCREENSHOTS, `${name}-${colorScheme}-${width}.png`), fullPage: true });
    };
    await show("empty");
    for (const [name, error] of [["valid", null], ["refused", "WrongTask"]]) {
      const place = EXAMPLES.findIndex(({ refused }) => (refused?.[1] ?? null) === error);
      await page.selectOption("#example", String(place));
      await page.click("#load");
      await settled(page);
      await page.click("#json summary");
      await show(name);
    }
    await fill(page, { authorization: "0xzz" });
    await inspect(page);
    await show("error");
    await close();
  });
}

test("the keyboard alone is enough, and goes from top to bottom", async () => {
  const { page, close } = await stage.open();
  const focused = () => page.evaluate(() => document.activeElement.id);
  const order = [];
  for (let presses = 0; presses < 16; presses += 1) {
    await page.keyboard.press("Tab");
    order.push(await focused());
  }
  assert.deepEqual(order, ["example", "load", "files", "authorization", "document", "context", "epochs", "timestamp",
    "now", "intent", "calldata", "value", "caller", "recorded", "inspect", "clear"]);
  // Where the keyboard is can be seen.
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), "none");

  await page.focus("#authorization");
  await page.keyboard.insertText(EXAMPLES[0].texts.authorization);
  while (await focused() !== "inspect") await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await settled(page);
  assert.equal((await said(page)).outcome, "notVerified");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.ok(await page.evaluate(() => document.querySelector("#json").open), "the JSON opens");
  await close();
});

test("results are announced, and nothing is said by colour alone", async () => {
  const { page, close } = await stage.open();
  assert.equal(await page.getAttribute("#verdict", "role"), "status");
  await page.selectOption("#example", String(EXAMPLES.findIndex(({ refused }) => refused?.[0] === 5)));
  await page.click("#load");
  await settled(page);
  assert.match(await page.innerText("#verdict"), /REFUSED/);
  const outcomes = await page.$$eval("#checks .outcome", (items) => items.map((item) => item.innerText));
  assert.deepEqual(outcomes.slice(3, 6), ["✓ passed", "✗ FAILED", "– not reached"]);
  await close();
});

test("nothing leaves the page: it asks for itself alone, and may not ask for more", async () => {
  const { page, requests, close } = await stage.open();
  for (const place of ["0", "8"]) {
    await page.selectOption("#example", place);
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
