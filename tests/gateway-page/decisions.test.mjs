// The page shows a real network's decisions, each as operators signed it, and makes them again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { call, live, network, relay, show, waitFor } from "./network.mjs";

const stage = network();

test("a decision appears as it comes, with verdict, client, function and time", async () => {
  const { page, faults, requests, close } = await stage.open();
  await live(page);
  for (const [isAllowed, verdict] of [[true, "✓ Allow"], [false, "✗ Deny"]]) {
    const task = await stage.pay(isAllowed);
    await page.waitForFunction((verdict) => {
      const entry = document.querySelector("#list .entry");
      return entry?.querySelector(".end").textContent === verdict &&
        entry.querySelector(".function").textContent.startsWith("pay(");
    }, verdict);
    const entry = await page.innerText("#list .entry");
    assert.ok(entry.includes("pay(address,address,uint256)"), entry);
    assert.ok(entry.toLowerCase().includes(task.policyClient.slice(0, 8).toLowerCase()), entry);
    const time = await page.getAttribute("#list .entry time", "datetime");
    assert.equal(Date.parse(time), task.timings.endedAt);
  }
  // A page that is opened later has them, too.
  const later = await stage.open();
  await live(later.page);
  await later.page.waitForFunction(() => document.querySelectorAll("#list .entry").length >= 2);
  await later.close();
  assert.deepEqual(faults, []);
  const origin = new URL(stage.url).origin;
  assert.deepEqual(requests.filter((url) => !url.startsWith(origin) && !/^(data|blob):/.test(url)), []);
  await close();
});

test("a decision in full: call, reasons, signers, time line, attestation", async () => {
  const { page, faults, close } = await stage.open({ permissions: ["clipboard-read", "clipboard-write"] });
  const task = await stage.pay(false);
  await live(page);
  await show(page, task.taskId);
  await page.waitForFunction(() => document.querySelector("#call").innerText.includes("amount"));
  assert.equal(await page.getAttribute("#verdict", "data-outcome"), "deny");
  const reasons = await page.$$eval("#reasons li", (items) => items.map((item) => item.textContent));
  assert.deepEqual(reasons, task.reasons);
  assert.ok(reasons.length > 0);
  const text = await page.innerText("#call");
  assert.match(text, /Call: pay\(address,address,uint256\)/);
  assert.match(text, /amount[^\n]*900000000000000000000/);

  const steps = await page.$$eval("#timeline [data-kind='step']", (items) => items.map((item) => item.innerText));
  const { receivedAt, acceptedAt, decidedAt, endedAt } = task.timings;
  for (const [word, at] of [["Received", receivedAt], ["Accepted", acceptedAt], ["Decided", decidedAt],
    ["Attested", endedAt]]) {
    const step = steps.find((step) => step.includes(word));
    assert.ok(step?.replaceAll(",", "").includes(`+${at - receivedAt} ms`), `${word}: ${step}`);
  }
  const signers = await page.$$eval("#signers li", (items) => items.map((item) => [
    item.querySelector("code").textContent, item.dataset.signed,
  ]));
  assert.deepEqual(new Map(signers), new Map([
    ...task.signers.map((operator) => [operator, "true"]), ...task.nonSigners.map((operator) => [operator, "false"]),
  ]));
  assert.equal(signers.length, 4);

  const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
  await page.click("#copies button:nth-of-type(1)");
  await waitFor(async () => await clipboard() === task.authorization);
  await page.click("#copies button:nth-of-type(2)");
  await waitFor(async () => (await clipboard()).startsWith("{"));
  assert.deepEqual(JSON.parse(await clipboard()), task.document);
  await page.click("#json summary");
  await page.waitForFunction(() => document.querySelector("#json pre").textContent !== "");
  const shown = JSON.parse(await page.textContent("#json pre"));
  assert.deepEqual(shown.document, (await call(stage.gateway, "assent_getTask", [task.taskId])).document);
  assert.deepEqual(faults, []);
  await close();
});

test("an update of the task leaves its JSON in sight", async () => {
  const { prepare, publish } = relay();
  const task = await stage.pay(true);
  const { page, close } = await stage.open({ prepare });
  await live(page);
  await show(page, task.taskId);
  await page.click("#json summary");
  publish({ ...task, reasons: ["updated"] });
  await page.waitForFunction(() => document.querySelector("#json pre").textContent.includes('"updated"'));
  assert.ok(await page.evaluate(() => document.querySelector("#json").open));
  await close();
});

test("evidence is fetched and replayed in the page, and compared with the attestation", async () => {
  const { page, faults, close } = await stage.open();
  await live(page);
  for (const isAllowed of [true, false]) {
    const task = await stage.pay(isAllowed);
    await show(page, task.taskId);
    await page.click("#replay:not([disabled])");
    await page.waitForSelector("#replayed:not([hidden])");
    const verdict = await page.innerText("#replayed");
    assert.match(verdict, /This follows/);
    assert.match(verdict, /as the evidence and the attestation say/);
    assert.ok(verdict.includes(`Decision: ${task.decision}`), verdict);
    const documents = await page.innerText("#documents");
    assert.ok(documents.includes(task.evidence), documents);
  }
  assert.deepEqual(faults, []);
  await close();
});

test("evidence of a gateway that lies does not follow, with the first difference", async () => {
  const task = await stage.pay(false);
  const lie = (message) => {
    const { id, result } = JSON.parse(message);
    if (typeof result?.rules !== "string") return message;
    // The result says that the call is allowed.
    return JSON.stringify({ jsonrpc: "2.0", id, result: { ...result, result: `0x01${result.result.slice(4)}` } });
  };
  const prepare = (page) => page.routeWebSocket(/\/ws$/, (socket) => {
    const gateway = socket.connectToServer();
    gateway.onMessage((message) => socket.send(lie(message)));
  });
  const { page, close } = await stage.open({ prepare });
  await live(page);
  await show(page, task.taskId);
  await page.click("#replay:not([disabled])");
  await page.waitForSelector("#replayed:not([hidden])");
  const verdict = await page.innerText("#replayed");
  assert.match(verdict, /This does not follow[\s\S]*First difference here: decision/);
  assert.match(verdict, /claimed[\s\S]*allow[\s\S]*follows[\s\S]*deny/);
  assert.equal(await page.getAttribute("#replayed", "data-outcome"), "differs");
  await close();
});

test("operators and health are those of the gateway", async () => {
  const { page, close } = await stage.open();
  await stage.pay(true);
  await live(page);
  const operators = await call(stage.gateway, "assent_operators", []);
  await page.waitForFunction(() => document.querySelectorAll("#sets tbody tr").length === 4);
  const titles = await page.$$eval("#sets tbody code", (codes) => codes.map((code) => code.title));
  assert.deepEqual(titles, operators.map(({ operator }) => operator));
  assert.match(await page.innerText("#sets caption"), /4 of 4 connected, 100 % of the weight/);
  await page.waitForFunction(() => /\d+ of \d+[\s\S]*\d ms/.test(document.querySelector("#sets tbody tr").innerText));
  const health = await page.innerText("#health");
  assert.match(health, /✓ ok/);
  assert.match(health, /4 of 4 connected/);
  assert.match(health, /The gateway refuses nothing now/);
  await close();
});

test("what an operator declared is shown as text", async () => {
  const prepare = (page) => page.routeWebSocket(/\/ws$/, (socket) => {
    const gateway = socket.connectToServer();
    gateway.onMessage((message) => {
      const answer = JSON.parse(message);
      // The network of this test has no allowlist, which the gateway would read this from.
      if (answer.result?.[0]?.operatorSet !== undefined) {
        Object.assign(answer.result[0], { region: "eu-central-1", provider: "<b>Example</b>" });
      }
      socket.send(JSON.stringify(answer));
    });
  });
  const { page, close } = await stage.open({ prepare });
  await live(page);
  await page.waitForFunction(() => document.querySelectorAll("#sets tbody tr").length === 4);
  const declared = await page.$$eval("#sets tbody td[data-label='Declared']", (cells) =>
    cells.map((cell) => cell.textContent));
  assert.deepEqual(declared, ["eu-central-1<b>Example</b>", "–", "–", "–"]);
  assert.equal(await page.locator("#sets b").count(), 0);
  await close();
});

test("a task is found by its id, and an unknown one is named", async () => {
  const { page, close } = await stage.open();
  const task = await stage.pay(true);
  await live(page);
  await page.fill("#task", "0x12");
  await page.click("#find button");
  assert.match(await page.innerText("#task-error"), /64 hex digits/);
  await page.fill("#task", `0x${"ab".repeat(32)}`);
  await page.click("#find button");
  await page.waitForFunction(() => document.querySelector("#task-error").textContent.includes("no such task"));
  await page.fill("#task", task.taskId);
  await page.click("#find button");
  await page.waitForSelector("#decision:not([hidden])");
  assert.equal(await page.innerText("#task-error"), "");
  await page.waitForFunction(() => document.activeElement.id === "decision-title");
  await page.click("#close");
  await page.waitForSelector("#decision[hidden]", { state: "attached" });
  await close();
});

test("with tokens the page asks for one, keeps it in the tab, and connects again", async () => {
  const token = "a token of the tests";
  const gateway = await stage.second(token);
  const { page, requests, close } = await stage.open({ url: gateway.url });
  await page.waitForSelector("#access:not([hidden])");
  assert.equal(await page.evaluate(() => document.activeElement.id), "token");
  assert.ok(await page.isHidden("#content"));
  const enter = async (text) => {
    await page.fill("#token", text);
    await page.click("#access button");
  };
  await enter("another");
  await page.waitForFunction(() => document.querySelector("#token-error").textContent.includes("does not know"));
  await enter(token);
  await live(page);
  // It has no operators: the page says what new requests get.
  assert.match(await page.innerText("#refusing"), /noQuorum[\s\S]*weight 0 of/);
  await page.reload();
  await live(page);
  await gateway.stop();
  await page.waitForFunction(() => document.querySelector("#connection").dataset.state === "lost");
  const again = await stage.second(token, gateway.port);
  await page.waitForFunction(() => document.querySelector("#connection").dataset.state === "open");
  assert.ok(requests.every((url) => !url.includes("token") && !url.includes("?")), "no address has the token");
  assert.equal(await page.evaluate(() => localStorage.length), 0);
  await close();
  await again.stop();
});
