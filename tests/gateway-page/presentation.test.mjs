// Everyone can use the page: with the keyboard, light and dark, narrow and wide. What a gateway says stays text.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { LOOKS, PAGE, barriers, overflow, photographer } from "../../inspector/tests/browser.mjs";
import { live, network, relay, show } from "./network.mjs";

const SCREENSHOTS = join(dirname(PAGE), "../gateway-page/screenshots");
mkdirSync(SCREENSHOTS, { recursive: true });

/** Texts that would do something if they became markup, a script, an address or a pattern. */
const HOSTILE = [
  "<img src=x onerror=\"globalThis.injected = true\">",
  "<script>globalThis.injected = true</script>",
  "\"><svg onload=globalThis.injected=true>",
  "javascript:globalThis.injected=true",
  "</code></dd><style>*{display:none}</style>",
  "{{constructor.constructor('globalThis.injected=true')()}}",
  "\u202e\u0000\ud83d\ude00 `code` & &amp; $& \\",
  "x".repeat(100_000),
];

const stage = network();

for (const look of LOOKS) {
  const { colorScheme, width } = look;
  test(`everything is in reach and in sight: ${colorScheme}, ${width} pixels wide`, async (context) => {
    const tasks = [await stage.pay(true), await stage.pay(false)];
    // The page's policy refuses scripts that are not its own, and axe is one.
    const { page, close } = await stage.open({ colorScheme, viewport: { width, height: 800 }, bypassCSP: true });
    const picture = photographer({ page, context, folder: SCREENSHOTS, look });
    await live(page);
    await page.waitForSelector("#list .entry");
    await picture("live");
    for (const [name, task] of [["allow", tasks[0]], ["deny", tasks[1]]]) {
      await show(page, task.taskId);
      await page.waitForFunction(() => document.querySelector("#call").innerText.includes("amount"));
      await page.click("#replay:not([disabled])");
      await page.waitForSelector("#replayed:not([hidden])");
      await picture(name);
    }
    await page.evaluate(() => { for (const folded of document.querySelectorAll("details")) folded.open = true; });
    await picture("unfolded");
    await close();
  });
}

test("the page asks for a token where it is needed, in every look", async (context) => {
  const gateway = await stage.second("secret");
  for (const { colorScheme, width } of LOOKS) {
    const { page, close } = await stage.open({
      url: gateway.url, colorScheme, viewport: { width, height: 800 }, bypassCSP: true,
    });
    await page.waitForSelector("#access:not([hidden])");
    assert.deepEqual(await barriers(page), []);
    assert.equal(await overflow(page), 0);
    await page.screenshot({ path: join(SCREENSHOTS, `token-${colorScheme}-${width}.png`) });
    await page.fill("#token", "secret");
    await page.click("#access button");
    await live(page);
    assert.deepEqual(await barriers(page), []);
    const path = join(SCREENSHOTS, `no-quorum-${colorScheme}-${width}.png`);
    await page.screenshot({ path, fullPage: true });
    context.diagnostic(path);
    await close();
  }
  await gateway.stop();
});

test("the keyboard suffices: to a decision, and back to the list", async () => {
  await stage.pay(true);
  const { page, close } = await stage.open();
  await live(page);
  await page.waitForSelector("#list .entry");
  const tab = async (isThere) => {
    for (let presses = 0; presses < 60; presses += 1) {
      await page.keyboard.press("Tab");
      if (await page.evaluate(isThere)) return;
    }
    assert.fail(`the keyboard does not reach ${isThere}`);
  };
  await tab(() => document.activeElement.id === "pause");
  await page.keyboard.press("Space");
  assert.equal(await page.getAttribute("#pause", "aria-pressed"), "true");
  await page.keyboard.press("Space");
  await tab(() => document.activeElement.matches("#list .entry"));
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), "none");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement.id === "decision-title");
  await tab(() => document.activeElement.id === "close");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement.id === "decisions-title");
  await close();
});

/** Replaces every text of a value that is no id. */
function poisoned(value, next) {
  if (typeof value === "string") return next();
  if (Array.isArray(value)) return value.map((item) => poisoned(item, next));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) =>
    [key, ["taskId", "status", "decision", "evidence"].includes(key) ? item : poisoned(item, next)]));
}

test("texts of a hostile gateway stay texts", async () => {
  const task = await stage.pay(false);
  let turn = 0;
  const next = () => HOSTILE[turn++ % HOSTILE.length];
  const prepare = (page) => page.routeWebSocket(/\/ws$/, (socket) => {
    const gateway = socket.connectToServer();
    gateway.onMessage((message) => {
      const { id, result, error } = JSON.parse(message);
      // The id of a subscription is not shown.
      const answer = typeof result === "string" ? result : poisoned(result, next);
      socket.send(JSON.stringify({ jsonrpc: "2.0", id, result: answer, error }));
      if (id === undefined) return;
      // Further answers that are nothing of what a gateway says.
      for (const params of [null, 1, "x", [], { result: null }, { result: { taskId: 7 } },
        { result: { taskId: `0x${"12".repeat(32)}`, status: next(), reasons: next(), timings: next() } },
        { result: { taskId: `0x${"34".repeat(32)}`, status: "failed", failure: { code: {}, message: next() } } },
        { result: { taskId: `0x${"56".repeat(32)}`, status: "attested", decision: next(), intent: 5 } }]) {
        socket.send(JSON.stringify({ jsonrpc: "2.0", method: "assent_subscription", params }));
      }
      socket.send(next());
    });
  });
  const { page, faults, close } = await stage.open({ prepare });
  await live(page);
  for (const id of [task.taskId, `0x${"12".repeat(32)}`, `0x${"34".repeat(32)}`, `0x${"56".repeat(32)}`]) {
    await page.evaluate((id) => { location.hash = id; }, id);
    await page.waitForFunction((id) =>
      document.querySelector("#decision-title").textContent.includes(id.slice(0, 8)), id);
  }
  await page.evaluate(() => { for (const folded of document.querySelectorAll("details")) folded.open = true; });
  assert.equal(await page.evaluate(() => globalThis.injected), undefined);
  const foreign = await page.evaluate(() =>
    document.querySelectorAll("img, svg, style, iframe, script:not([src='page/page.js']), [onerror], [onload]").length);
  assert.equal(foreign, 0);
  // They are there, as texts.
  assert.ok((await page.innerText("#refusals")).length > 0);
  assert.ok((await page.textContent("#facts")).includes("<") || (await page.textContent("#sets")).includes("<"));
  assert.ok(await page.evaluate(() => document.body.textContent.length) < 5_000_000);
  assert.deepEqual(faults, []);
  await close();
});

test("the list of decisions is bounded, and can be paused", async () => {
  const { prepare, publish } = relay();
  const task = await stage.pay(true);
  const { page, close } = await stage.open({ prepare });
  await live(page);
  const id = (number) => `0x${number.toString(16).padStart(64, "0")}`;
  for (let number = 1; number <= 1000; number += 1) publish({ ...task, taskId: id(number) });
  const ids = () => page.$$eval("#list .entry", (entries) => entries.length);
  await page.waitForFunction(() => document.querySelectorAll("#list .entry").length === 200);
  // A change of the list is due when it is paused.
  await page.evaluate(() => document.querySelector("#pause").addEventListener("click", () => {
    const until = performance.now() + 500;
    while (performance.now() < until);
    globalThis.listed = document.querySelector("#list").innerHTML;
  }, { once: true }));
  for (let number = 1001; number <= 1150; number += 1) publish({ ...task, taskId: id(number), decision: "deny" });
  await page.click("#pause");
  for (let number = 1151; number <= 1300; number += 1) publish({ ...task, taskId: id(number), decision: "deny" });
  await page.waitForTimeout(1000);
  assert.ok(await page.evaluate(() => document.querySelector("#list").innerHTML === globalThis.listed));
  await page.click("#pause");
  await page.waitForFunction(() => document.querySelectorAll("#list .entry[data-outcome='deny']").length === 200);
  assert.equal(await ids(), 200);
  await close();
});

test("the page's policy refuses what is not the page's", async () => {
  const { page, close } = await stage.open();
  await live(page);
  const attempts = await page.evaluate(async () => {
    const refused = (attempt) => Promise.resolve().then(attempt).then(() => "allowed", () => "refused");
    const script = document.createElement("script");
    const load = (element, attribute) => new Promise((resolve, reject) => {
      Object.assign(element, { onload: resolve, onerror: reject });
      element.setAttribute(attribute, "http://127.0.0.1:9/");
      document.body.append(element);
    });
    return [
      await refused(() => fetch("http://127.0.0.1:9/")),
      await refused(() => load(document.createElement("img"), "src")),
      await refused(() => { document.body.innerHTML = "<b>markup</b>"; }),
      await refused(() => { script.textContent = "globalThis.injected = true"; document.body.append(script); }),
      await refused(() => new Worker("page/page.js")),
      await refused(() => trustedTypes.createPolicy("other", {})),
      typeof globalThis.injected,
    ];
  });
  assert.deepEqual(attempts, [...Array(6).fill("refused"), "undefined"]);
  await close();
});
