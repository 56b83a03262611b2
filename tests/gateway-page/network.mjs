// A local network and its gateway's page in a browser.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after, before } from "node:test";
import { ASSENT, PATIENCE, browser } from "../../inspector/tests/browser.mjs";

const GATEWAY = resolve(process.env.GATEWAY ?? join(dirname(ASSENT), "assent-gateway"));

/** Starts `assent network up` and a browser before a file's tests, and stops both after them. */
export function network() {
  const stage = browser();
  before(async () => {
    const program = start(ASSENT, ["network", "up", "--gateway-port", "0", "--rpc-port", "0", "--json"]);
    stage.program = program;
    stage.report = JSON.parse(await program.printed((text) => text.endsWith("}\n")));
    [stage.gateway] = stage.report.gateways;
    [stage.url] = stage.report.pages;
  });
  after(() => stage.program?.stop());

  /** Asks the network's gateway for the payment that it allows or denies, and returns the task. */
  stage.pay = async (isAllowed) => {
    const { vault, agent, chain, allowedRequest, deniedRequest } = stage.report;
    const [, data] = /--data (0x[0-9a-f]+)/.exec(isAllowed ? allowedRequest : deniedRequest);
    const intent = { from: agent, to: vault, value: "0", data, chainId: chain.chainId };
    return call(stage.gateway, "assent_requestAuthorization", { policyClient: vault, intent });
  };

  /** Starts another gateway for the same chain, with a token, and without operators and the script for replays. */
  stage.second = async (token, port) => {
    const { chain, contracts, folder } = stage.report;
    const own = mkdtempSync(join(tmpdir(), "gateway-page-"));
    const hash = createHash("sha256").update(token).digest("hex");
    const listen = `127.0.0.1:${port ?? await freePort()}`;
    const program = start(GATEWAY, ["--listen", listen, "--rpc-url", chain.rpcUrl,
      "--task-manager", contracts.TaskManager, "--policies", join(folder, "policies"),
      "--task-log", join(own, "tasks.redb"), "--tokens", `tests:${hash}`]);
    const url = `http://${listen}/page`;
    await waitFor(async () => (await fetch(url)).ok);
    return { url, port: listen.split(":")[1], stop: async () => {
      await program.stop();
      rmSync(own, { recursive: true });
    } };
  };
  return stage;
}

/** Calls a method of a gateway. */
export async function call(gateway, method, params) {
  const body = JSON.stringify({ jsonrpc: "2.0", method, params, id: 1 });
  const response = await fetch(gateway, { method: "POST", headers: { "content-type": "application/json" }, body });
  const { result, error } = await response.json();
  assert.equal(error, undefined, JSON.stringify(error));
  return result;
}

/** Waits until the page is connected and has asked for everything once. */
export async function live(page) {
  await page.waitForFunction(() => document.querySelector("#connection").dataset.state === "open" &&
    document.querySelector("#facts").childElementCount > 0);
}

/** Passes on what a gateway says, so that a test can `publish` further tasks that ended once the page is connected. */
export function relay() {
  let page;
  const prepare = (opened) => opened.routeWebSocket(/\/ws$/, (socket) => {
    page = socket;
    const gateway = socket.connectToServer();
    gateway.onMessage((message) => socket.send(message));
  });
  const publish = (result) =>
    page.send(JSON.stringify({ jsonrpc: "2.0", method: "assent_subscription", params: { result } }));
  return { prepare, publish };
}

/** Shows a task, and waits until its evidence is fetched. */
export async function show(page, taskId) {
  await page.evaluate((taskId) => { location.hash = taskId; }, taskId);
  await page.waitForFunction((id) => !document.querySelector("#decision").hidden &&
    document.querySelector("#decision-title").textContent.includes(id.slice(0, 8)) &&
    !document.querySelector("#evidence").hidden && !document.querySelector("#copy-evidence").disabled, taskId);
}

/** Waits until something holds. */
export async function waitFor(condition) {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const holds = await Promise.resolve().then(condition).catch(() => false);
    if (holds) return;
    assert.ok(Date.now() < deadline, `it does not hold: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function start(program, words) {
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  let errors = "";
  child.stdout.on("data", (data) => { text += data; });
  child.stderr.on("data", (data) => { errors += data; });
  const ended = new Promise((resolve) => { child.on("exit", resolve); child.on("error", resolve); });
  return {
    printed: async (isWhole) => {
      await waitFor(() => {
        assert.equal(child.exitCode, null, errors);
        return isWhole(text);
      });
      return text;
    },
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** Returns a port that no one listens on: a gateway that is started again has to have the one of before. */
async function freePort() {
  const server = createServer();
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}
