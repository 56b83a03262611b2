// Against a server that answers as docs/gateway.md says, for operators who really sign: the contracts judge.
import assert from "node:assert/strict";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { type Hex, fallback, http } from "viem";
import {
  DeniedError,
  type GatewayAttestedTask,
  GatewayError,
  type GatewayMethods,
  RefusedError,
  assentActions,
  authorizationOf,
  encodeAuthorization,
  parseAttestationDocument,
  requestGateway,
} from "@assent/viem";
import { type World, createWorld, recipient } from "./world.js";

type Request = GatewayMethods["assent_requestAuthorization"]["parameters"];
type Answer = { readonly result: unknown } | { readonly error: object };

let world: World;
before(async () => {
  world = await createWorld();
});
after(() => world?.stop());

/** A server that answers each call as `answer` says, and keeps what it was asked. */
async function serve(answer: (method: string, params: unknown) => Answer | Promise<Answer>) {
  const asked: { method: string; params: unknown }[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", async () => {
      const { id, method, params } = JSON.parse(Buffer.concat(chunks).toString());
      asked.push({ method, params });
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ jsonrpc: "2.0", id, ...(await answer(method, params)) }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** What a gateway answers about a call that the operators decided. */
async function attested(params: unknown, decision: "allow" | "deny"): Promise<GatewayAttestedTask> {
  const { intent } = params as Request;
  const nonce = BigInt((params as Request).nonce ?? assert.fail("a request has a nonce"));
  const checked = { ...intent, value: BigInt(intent.value), chainId: BigInt(intent.chainId) };
  const document = await world.attest(checked, { nonce, decision });
  const { attestation } = document;
  const json = JSON.parse(
    JSON.stringify(document, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value)),
  );
  return {
    taskId: attestation.taskId,
    status: "attested",
    policyClient: attestation.policyClient,
    policyId: attestation.policyId,
    nonce: nonce.toString(),
    expiration: attestation.expiration,
    epoch: document.epoch,
    block: { number: 1, hash: attestation.taskId, timestamp: attestation.issuedAt },
    intent,
    decision,
    reasons: decision === "deny" ? ["more than 500"] : [],
    evidence: attestation.evidence,
    authorization: encodeAuthorization(authorizationOf(document)),
    document: json,
  };
}

const failure = (code: number, kind: string, retryable: boolean, taskId?: Hex): Answer => ({
  error: { code, message: "the reason", data: { code: kind, retryable, next: "what to do", taskId } },
});

test("sendAttested asks the gateway and sends what it answers", async () => {
  const { url, asked } = await serve(async (_, params) => ({ result: await attested(params, "allow") }));
  const agent = world.agent.extend(assentActions({ gateway: url }));
  const before = await world.balanceOf(recipient);
  const { call, intent } = world.payment(30n);
  const count = await world.reader.getTransactionCount({ address: world.agent.account.address });
  await world.mined(await agent.sendAttested({ ...call, nonce: count }));
  assert.equal((await world.balanceOf(recipient)) - before, 30n);
  // As the gateway reads it: numbers are decimal strings.
  const [{ method, params }] = asked as [{ method: string; params: Request }];
  assert.equal(method, "assent_requestAuthorization");
  assert.equal(params.policyClient, world.vault);
  assert.deepEqual(params.intent, { ...intent, value: "0", chainId: "31337" });
  assert.match(String(params.nonce), /^\d+$/);
  assert(!("expiration" in params));
  assert.equal(asked.length, 1);
});

test("sendAttestedAndWait returns the receipt of what the gateway authorized", async () => {
  const { url } = await serve(async (_, params) => ({ result: await attested(params, "allow") }));
  const agent = world.agent.extend(assentActions({ gateway: url }));
  const before = await world.balanceOf(recipient);
  const receipt = await agent.sendAttestedAndWait(world.payment(6n).call);
  assert.equal(receipt.status, "success");
  assert.equal((await world.balanceOf(recipient)) - before, 6n);
});

test("sendAttestedAndWait says why a call is refused in its block", async () => {
  const { call, intent } = world.payment(7n);
  const document = await world.attest(intent, { nonce: 106n });
  const agent = world.agent.extend(assentActions());
  const nonce = await world.reader.getTransactionCount({ address: agent.account.address });
  await world.reader.setAutomine(false);
  // Both are simulated before either is mined.
  const sent = [0, 1].map((after) => agent.sendAttestedAndWait({ ...call, document, nonce: nonce + after }));
  const settled = Promise.allSettled(sent);
  while ((await world.reader.getTxpoolStatus()).pending < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  await world.reader.mine({ blocks: 1 });
  await world.reader.setAutomine(true);
  const [first, second] = await settled;
  assert(first?.status === "fulfilled" && first.value.status === "success", String(first));
  assert(second?.status === "rejected" && second.reason instanceof RefusedError, String(second));
  assert.equal(second.reason.refusal.name, "AttestationAlreadySpent");
});

test("an authorization that is given is not asked for", async () => {
  const { url, asked } = await serve(() => failure(-32601, "methodNotFound", false));
  const agent = world.agent.extend(assentActions({ gateway: url }));
  const { call, intent } = world.payment(1n);
  const document = await world.attest(intent, { nonce: 101n });
  await world.mined(await agent.sendAttested({ ...call, document }));
  assert.equal(asked.length, 0);
});

test("requestAuthorization takes an intent or a call, with nonce and expiration", async () => {
  const { url, asked } = await serve(async (_, params) => ({ result: await attested(params, "allow") }));
  const agent = world.agent.extend(assentActions({ gateway: http(url) }));
  const { call, intent } = world.payment(2n);
  const terms = { nonce: 102n, expiration: 1_900_000_000 };
  const byIntent = await agent.requestAuthorization({ intent, ...terms });
  const byCall = await agent.requestAuthorization({ ...call, ...terms });
  assert.deepEqual(asked[0]?.params, asked[1]?.params);
  assert.equal((asked[0]?.params as Request).nonce, "102");
  assert.equal((asked[0]?.params as Request).expiration, 1_900_000_000);
  assert.equal(byIntent.decision, "allow");
  assert.equal(encodeAuthorization(byCall.authorization), byCall.task.authorization);
  assert.deepEqual(byCall.document, parseAttestationDocument(byCall.task.document));
});

test("a denial is not sent, and says why", async () => {
  const { url } = await serve(async (_, params) => ({ result: await attested(params, "deny") }));
  const agent = world.agent.extend(assentActions({ gateway: url }));
  const { call } = world.payment(600n);
  assert.equal((await agent.requestAuthorization(call)).decision, "deny");
  await assert.rejects(agent.sendAttested(call), (error) => {
    assert(error instanceof DeniedError);
    assert.deepEqual(error.reasons, ["more than 500"]);
    assert(error.message.includes("more than 500"));
    assert(error.message.includes("so that the policy allows it"));
    assert.equal(error.document.attestation.decision, "deny");
    return true;
  });
});

test("a task that takes long is asked for until it ends, with its nonce", async () => {
  const taskId: Hex = `0x${"11".repeat(32)}`;
  let left = 2;
  const { url, asked } = await serve(async (_, params) => {
    left -= 1;
    return left >= 0 ? failure(-32002, "pending", false, taskId) : { result: await attested(params, "allow") };
  });
  const agent = world.agent.extend(assentActions({ gateway: url }));
  assert.equal((await agent.requestAuthorization(world.payment(3n).call)).decision, "allow");
  assert.equal(asked.length, 3);
  assert.deepEqual(asked, Array(3).fill(asked[0]));
});

test("a request without a nonce is one task at every gateway, and two requests are two tasks", async () => {
  const lost = await serve(() => failure(-32002, "unavailable", true));
  const good = await serve(async (_, params) => ({ result: await attested(params, "allow") }));
  const agent = world.agent.extend(assentActions({ gateway: [lost.url, good.url] }));
  const { call } = world.payment(7n);
  const [one, other] = [await agent.requestAuthorization(call), await agent.requestAuthorization(call)];
  assert.deepEqual(lost.asked, good.asked);
  const nonces = good.asked.map(({ params }) => BigInt((params as Request).nonce ?? -1));
  assert.deepEqual(nonces, [one, other].map(({ document }) => document.attestation.nonce));
  // They share a storage slot.
  assert.equal(nonces[1], nonces[0]! + 1n);
  const another = world.agent.extend(assentActions({ gateway: good.url }));
  const { nonce } = (await another.requestAuthorization(call)).document.attestation;
  assert.notEqual(nonce >> 8n, nonces[0]! >> 8n);
});

test("what a gateway refuses is not asked of another, and the error has the nonce to ask again with", async () => {
  const refusing = await serve(() => failure(-32602, "invalid", false));
  const other = await serve(() => failure(-32002, "unavailable", true));
  const agent = world.agent.extend(assentActions({ gateway: [refusing.url, other.url] }));
  await assert.rejects(agent.requestAuthorization(world.payment(4n).call), (error) => {
    assert(error instanceof GatewayError, String(error));
    assert.deepEqual([error.code, error.reason, error.next], ["invalid", "the reason", "what to do"]);
    assert.equal(error.nonce?.toString(), (refusing.asked[0]?.params as Request).nonce);
    return true;
  });
  assert.deepEqual([refusing.asked.length, other.asked.length], [1, 0]);
});

test("an answer about another request is refused", async () => {
  const other = world.payment(8n).intent;
  const json = (intent: typeof other) => ({ ...intent, value: "0", chainId: intent.chainId.toString() });
  const answers: ((params: Request) => Promise<object>)[] = [
    (params) => attested({ ...params, intent: json(other) }, "allow"),
    (params) => attested({ ...params, nonce: "1" }, "allow"),
    async (params) => ({ ...(await attested(params, "deny")), decision: "allow" }),
    async (params) => ({ ...(await attested(params, "allow")), authorization: "0x00" }),
  ];
  for (const answer of answers) {
    const { url } = await serve(async (_, params) => ({ result: await answer(params as Request) }));
    const agent = world.agent.extend(assentActions({ gateway: url }));
    await assert.rejects(agent.requestAuthorization(world.payment(9n).call), { code: "unexpected", retryable: false });
  }
});

test("a gateway with another answer than was asked for is passed over", async () => {
  const other = (params: unknown) => ({ ...(params as Request), nonce: "1" });
  const wrong = await serve(async (_, params) => ({ result: await attested(other(params), "allow") }));
  const broken = await serve(async (_, params) => ({ result: { ...(await attested(params, "allow")), document: {} } }));
  const good = await serve(async (_, params) => ({ result: await attested(params, "allow") }));
  const agent = world.agent.extend(assentActions({ gateway: [wrong.url, broken.url, good.url] }));
  assert.equal((await agent.requestAuthorization(world.payment(9n).call)).decision, "allow");
  assert.equal(good.asked.length, 1);
});

test("a gateway that never decides is not asked for longer than the request lives", async () => {
  const taskId: Hex = `0x${"33".repeat(32)}`;
  const endless = await serve(() => failure(-32002, "pending", false, taskId));
  const { call } = world.payment(9n);
  const agent = world.agent.extend(assentActions({ gateway: endless.url }));
  const expiration = Math.floor(Date.now() / 1000) + 2;
  await assert.rejects(agent.requestAuthorization({ ...call, expiration }), { code: "pending" });
  assert(endless.asked.length >= 2 && endless.asked.length <= 10, `${endless.asked.length}`);
  const good = await serve(async (_, params) => ({ result: await attested(params, "allow") }));
  const both = world.agent.extend(assentActions({ gateway: [endless.url, good.url] }));
  assert.equal((await both.requestAuthorization(call)).decision, "allow");
});

test("errors say what a program and a person can do", async () => {
  const taskId: Hex = `0x${"22".repeat(32)}`;
  for (const [number, code, retryable] of [
    [-32003, "noQuorum", false],
    [-32602, "invalid", false],
    [-32002, "unavailable", true],
  ] as const) {
    const { url } = await serve(() => failure(number, code, retryable, taskId));
    const agent = world.agent.extend(assentActions({ gateway: http(url, { retryCount: 0 }) }));
    await assert.rejects(agent.requestAuthorization(world.payment(4n).call), (error) => {
      assert(error instanceof GatewayError, String(error));
      assert.deepEqual([error.code, error.retryable, error.taskId], [code, retryable, taskId]);
      assert(error.message.includes("the reason") && error.message.includes("what to do"));
      return true;
    });
  }
  const nothing = http("http://127.0.0.1:1", { retryCount: 0 });
  await assert.rejects(requestGateway(nothing, "assent_health", {}), { name: "GatewayError", code: "unreachable" });
});

test("another gateway is asked if one gives no answer", async () => {
  const busy = await serve(() => failure(-32002, "unavailable", true));
  const good = await serve(async (_, params) => ({ result: await attested(params, "allow") }));
  const options = { retryCount: 0 };
  const gateways = ["http://127.0.0.1:1", busy.url, good.url].map((url) => http(url, options));
  const agent = world.agent.extend(assentActions({ gateway: fallback(gateways, options) }));
  const before = await world.balanceOf(recipient);
  await world.mined(await agent.sendAttested(world.payment(5n).call));
  assert.equal((await world.balanceOf(recipient)) - before, 5n);
  assert.deepEqual([busy.asked.length, good.asked.length], [1, 1]);
});
