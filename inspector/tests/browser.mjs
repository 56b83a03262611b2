// Opens the page in a browser, as a user does.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const ROOT = resolve(HERE, "../..");

export const PAGE = resolve(process.env.INSPECTOR ?? `${ROOT}/target/inspector/inspector.html`);
export const ASSENT = resolve(process.env.ASSENT ?? `${ROOT}/target/debug/assent`);
export const EXAMPLES = JSON.parse(readFileSync(resolve(ROOT, "inspector/examples.json"), "utf8"));

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** The looks in which a page is tested. */
export const LOOKS = ["light", "dark"].flatMap((colorScheme) => [320, 1280].map((width) => ({ colorScheme, width })));

/** The timeout of every step in milliseconds: generous, for busy machines. */
export const PATIENCE = 120_000;

/** Starts a browser before a file's tests, and stops it after them. */
export function browser() {
  const stage = {};
  before(async () => {
    stage.browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      timeout: PATIENCE,
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync"],
    });
  });
  after(() => stage.browser?.close());
  /** Opens the page and returns it with its requests and its faults. */
  stage.open = async ({ url = stage.url, prepare = () => {}, ...options } = {}) => {
    const context = await stage.browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    const requests = [];
    const faults = [];
    context.on("request", (request) => requests.push(request.url()));
    page.on("pageerror", (error) => faults.push(String(error)));
    page.on("console", (message) => { if (message.type() === "error") faults.push(message.text()); });
    await prepare(page);
    await page.goto(url, { timeout: PATIENCE });
    return { page, requests, faults, close: () => context.close() };
  };
  return stage;
}

/** Starts a browser and a static server of the Inspector before a file's tests, and stops both after them. */
export function inspector() {
  const stage = browser();
  before(async () => {
    const html = readFileSync(PAGE);
    stage.server = createServer((request, response) => {
      const known = request.url === "/inspector.html";
      response.writeHead(known ? 200 : 404, { "content-type": "text/html" });
      response.end(known ? html : "");
    });
    await new Promise((listening) => stage.server.listen(0, "127.0.0.1", listening));
    stage.url = `http://127.0.0.1:${stage.server.address().port}/inspector.html`;
  });
  after(() => stage.server?.close());
  return stage;
}

/** Returns the faults that axe finds, by name and element. */
export async function barriers(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) =>
    `${id}: ${target.join(" ")}: ${failureSummary}`));
}

/** Returns by how many pixels a page is wider than its window. */
export function overflow(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** Returns what takes a named picture of a page, after it found no barrier there and nothing wider than the window. */
export function photographer({ page, context, folder, look: { colorScheme, width } }) {
  return async (name) => {
    assert.deepEqual(await barriers(page), [], name);
    assert.equal(await overflow(page), 0, `${name} is too wide`);
    const path = join(folder, `${name}-${colorScheme}-${width}.png`);
    await page.screenshot({ path, fullPage: true });
    context.diagnostic(path);
  };
}

/** Fills the single fields. */
export async function fill(page, texts) {
  await page.click("#clear");
  await page.evaluate(() => { document.querySelector("#inputs").open = true; });
  for (const [input, text] of Object.entries(texts)) {
    if (typeof text === "boolean") await page.setChecked(`#${input}`, text);
    else if (text !== "") await page.fill(`#${input}`, text);
  }
}

/** Inspects what the single fields hold. */
export async function inspect(page) {
  await page.click("#inspect");
  await settled(page);
}

/** Loads the first example with this error, or without one, and waits for its result. */
export async function load(page, error = null) {
  const index = EXAMPLES.findIndex(({ refused }) => (refused?.[1] ?? null) === error);
  await page.selectOption("#example", String(index));
  await page.click("#load");
  await settled(page);
}

/** Pastes a text with the keyboard. The context needs the permission for the clipboard. */
export async function paste(page, text) {
  await page.evaluate((text) => navigator.clipboard.writeText(text), text);
  await page.focus("#paste");
  await page.keyboard.press("Control+V");
  await page.waitForFunction(() => document.querySelector("#paste").value === "");
  await page.waitForFunction(() => document.querySelector("#stop").hidden);
}

/** Waits until the page has a result. */
export async function settled(page) {
  await page.waitForFunction(() => document.querySelector("#stop").hidden &&
    document.querySelector("#verdict").dataset.outcome !== "none");
}

/** Returns what the page says: its verdict, and each check's outcome. */
export async function said(page) {
  return {
    outcome: await page.getAttribute("#verdict", "data-outcome"),
    verdict: await page.innerText("#verdict"),
    checks: await page.$$eval("#checks li", (items) => items.map((item) => item.dataset.outcome)),
  };
}

/** Returns the inspection as the page shows it in JSON. */
export async function json(page) {
  await page.click("#json summary");
  await page.waitForFunction(() => document.querySelector("#json pre").textContent !== "");
  return JSON.parse(await page.textContent("#json pre"));
}
