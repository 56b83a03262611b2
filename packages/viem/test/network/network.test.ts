// Against operators and two gateways that run: NETWORK names the file with what `assent network up --json` prints. The
// command line's tests start them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { type Address, type Hex, createWalletClient, http, parseAbi, parseEther, publicActions } from "viem";
import { foundry } from "viem/chains";
import { DeniedError, GatewayError, RefusedError, assentActions, requestGateway } from "@assent/viem";

const network = JSON.parse(readFileSync(process.env["NETWORK"] ?? "", "utf8")) as {
  readonly chain: { readonly rpcUrl: string };
  readonly gateways: readonly [string, string];
  readonly contracts: { readonly TaskManager: Address };
  readonly agent: Address;
  readonly vault: Address;
  readonly token: Address;
  readonly recipient: Address;
};
const [first, second] = network.gateways;
const { vault, token, recipient } = network;
const abi = parseAbi([
  "function pay(address token, address recipient, uint256 amount)",
  "function balanceOf(address account) view returns (uint256)",
]);

/** The agent, whose account the network's chain has unlocked. */
const wallet = createWalletClient({
  account: network.agent,
  chain: foundry,
  transport: http(network.chain.rpcUrl),
  pollingInterval: 50,
}).extend(publicActions);
const agentOf = (gateway: string | readonly string[]) => wallet.extend(assentActions({ gateway }));
const payment = (tokens: string) =>
  ({ abi, address: vault, functionName: "pay", args: [token, recipient, parseEther(tokens)] }) as const;
const balance = () => wallet.readContract({ abi, address: token, functionName: "balanceOf", args: [recipient] });

/** Passes calls on to a gateway, and drops the answers to those that ask the operators. */
async function losingAnswersOf(gateway: string): Promise<string> {
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", async () => {
      const headers = { "content-type": "application/json" };
      await fetch(gateway, { method: "POST", headers, body: Buffer.concat(chunks) })
        .then((answer) => answer.text())
        .catch(() => undefined);
      response.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("one call asks the operators, appends what they sign, sends it and waits", async () => {
  const before = await balance();
  const receipt = await agentOf(first).sendAttestedAndWait(payment("250"));
  assert.equal(receipt.status, "success");
  assert.equal((await balance()) - before, parseEther("250"));
});

test("a denial is not sent, and says which rule denies it and what to do", async () => {
  const before = await balance();
  await assert.rejects(agentOf(first).sendAttested(payment("900")), (error) => {
    assert(error instanceof DeniedError, String(error));
    assert.equal(error.reasons.length, 1);
    assert.match(error.reasons[0] ?? "", /^9\d{20} is more than the limit of 5\d{20} for the token 0x/);
    assert(error.message.includes(error.reasons[0] ?? "-") && error.message.includes(error.next), error.message);
    return true;
  });
  assert.equal(await balance(), before);
});

test("what the operators signed is spent once", async () => {
  const agent = agentOf(first);
  const { document, task } = await agent.requestAuthorization(payment("1"));
  assert((task.signers?.length ?? 0) >= 3 && task.timings !== undefined, JSON.stringify(task));
  await agent.sendAttestedAndWait({ ...payment("1"), document });
  await assert.rejects(agent.sendAttested({ ...payment("1"), document }), (error) => {
    assert(error instanceof RefusedError, String(error));
    return error.refusal.name === "AttestationAlreadySpent";
  });
});

test("the same request with its nonce is the same task, and has the same answer", async () => {
  const agent = agentOf(first);
  const one = await agent.requestAuthorization({ ...payment("2"), nonce: 77n });
  const other = await agent.requestAuthorization({ ...payment("2"), nonce: 77n });
  assert.deepEqual(other.document, one.document);
});

test("another gateway is asked if one does not answer", async () => {
  const before = await balance();
  await agentOf(["http://127.0.0.1:9", second]).sendAttestedAndWait(payment("3"));
  assert.equal((await balance()) - before, parseEther("3"));
});

test("a payment whose answer is lost is not authorized twice by another gateway", async () => {
  const agent = agentOf([await losingAnswersOf(first), second]);
  const nonce = 0x1234_00n;
  const documents = new Set<Hex>();
  // The second gateway offers the operators the same task. They sign one attestation of it, or say why not.
  const asked = await agent.requestAuthorization({ ...payment("4"), nonce }).catch((error: unknown) => {
    assert(error instanceof GatewayError && error.nonce === nonce, String(error));
    return undefined;
  });
  if (asked !== undefined) documents.add(asked.task.authorization);
  const again = await agentOf(first).requestAuthorization({ ...payment("4"), nonce });
  documents.add(again.task.authorization);
  const before = await balance();
  await agent.sendAttestedAndWait({ ...payment("4"), document: again.document });
  for (const authorization of documents) {
    await assert.rejects(agent.sendAttested({ ...payment("4"), authorization }), RefusedError);
  }
  assert.equal((await balance()) - before, parseEther("4"));
});

test("a request that cannot become a task says why and what to do", async () => {
  const intent = { from: network.agent, to: vault, value: 0n, data: "0x12345678" as Hex, chainId: 1n };
  await assert.rejects(agentOf([first, second]).requestAuthorization({ intent }), (error) => {
    assert(error instanceof GatewayError, String(error));
    assert.deepEqual([error.code, error.retryable], ["invalid", false]);
    assert(error.reason !== "" && error.next !== "" && error.message.includes(error.next), error.message);
    return true;
  });
});

test("every method that needs no task answers as its types say", async () => {
  const health = await requestGateway(second, "assent_health", {});
  assert.deepEqual([health.status, health.taskManager], ["ok", network.contracts.TaskManager]);
  const operators = await requestGateway(network.gateways, "assent_operators", {});
  assert.deepEqual([operators.length, operators.every(({ connected }) => connected)], [4, true]);
  const simulated = await requestGateway(first, "assent_simulate", {
    policyClient: vault,
    intent: { from: network.agent, to: vault, value: 2, data: "0x", chainId: foundry.id },
  });
  assert.deepEqual([simulated.decision, ...simulated.reasons], ["deny", "2 wei is more than the limit of 0"]);
});
