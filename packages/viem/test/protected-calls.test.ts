// Against a real chain with the contracts as forge compiled them, and operators who really sign.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  type Hex,
  concat,
  createWalletClient,
  encodeFunctionData,
  getTypesForEIP712Domain,
  http,
  keccak256,
  parseEventLogs,
  size,
  slice,
  stringToHex,
} from "viem";
import { foundry } from "viem/chains";
import {
  type Attestation,
  type AttestationDocument,
  InvalidFieldError,
  type Intent,
  type Refusal,
  RefusedError,
  assentActions,
  attestationDigest,
  attestationStruct,
  attestationTypedData,
  authorizationOf,
  checkAuthorization,
  decodeRefusal,
  differences,
  encodeAuthorization,
  intentFor,
  intentTypedData,
  noncePosition,
  policyClientAbi,
  readPolicy,
  recordedAuthorizationOf,
  rootOf,
  sendAttested,
  simulateAttested,
  taskId,
  taskManagerAbi,
  withAuthorization,
} from "@assent/viem";
import { Random } from "./random.js";
import { MAX_LIFETIME, type Terms, type World, createWorld, recipient, tokenAbi, vaultAbi } from "./world.js";

let world: World;
before(async () => {
  world = await createWorld();
});
after(() => world?.stop());

/** Names and arguments: what the tests compare. */
type Expected = {
  [name in Refusal["name"]]: readonly [name, Extract<Refusal, { name: name }>["args"]];
}[Refusal["name"]];

async function assertRefused(call: Promise<unknown>, [name, args]: Expected): Promise<Refusal> {
  try {
    await call;
  } catch (error) {
    assert(error instanceof RefusedError, String(error));
    assert.deepEqual([error.refusal.name, error.refusal.args], [name, args]);
    assert(error.message.includes(error.refusal.explanation) && error.message.includes(error.refusal.remedy));
    return error.refusal;
  }
  assert.fail(`the call succeeded, and ${name} was expected`);
}

/** Sends a payment with an authorization; the contract's own view must have given the same verdict. */
async function pay(amount: bigint, document: AttestationDocument): Promise<Hex> {
  const { call, intent } = world.payment(amount);
  const authorization = authorizationOf(document);
  const verdict = await checkAuthorization(world.reader, { policyClient: world.vault, intent, authorization });
  try {
    const hash = await sendAttested(world.agent, { ...call, authorization });
    assert.deepEqual(verdict, { authorized: true, taskId: document.attestation.taskId });
    return hash;
  } catch (error) {
    assert(error instanceof RefusedError, String(error));
    // The time may have gone on a second between the two.
    assert(!verdict.authorized && verdict.refusal.name === error.refusal.name);
    throw error;
  }
}

const attestPayment = (amount: bigint, terms: Terms) => world.attest(world.payment(amount).intent, terms);

const execute = (intent: Intent, document: AttestationDocument) =>
  world.agent.writeContract({
    abi: vaultAbi,
    address: world.vault,
    functionName: "execute",
    args: [intent, encodeAuthorization(authorizationOf(document))],
  });

/** Returns the refusal of a call made with only viem. */
async function refusalOf(call: Promise<unknown>): Promise<Refusal> {
  const error: unknown = await call.then(() => assert.fail("the call succeeded"), (reason: unknown) => reason);
  return decodeRefusal(error) ?? assert.fail(String(error));
}

test("an attested call succeeds once, spends its nonce, and is refused the second time", async () => {
  const document = await attestPayment(250n, { nonce: 258n, signers: 4 });
  const { logs } = await world.mined(await pay(250n, document));
  assert.equal(await world.balanceOf(recipient), 250n);
  const [spent] = parseEventLogs({ abi: taskManagerAbi, logs, eventName: "AttestationSpent" });
  const { taskId, evidence } = document.attestation;
  assert.deepEqual(spent?.args, { policyClient: world.vault, taskId, nonce: 258n, epoch: 1, evidence });
  const { word, mask } = noncePosition(258n);
  assert.deepEqual([word, mask], [1n, 4n]);
  const read = { abi: taskManagerAbi, address: world.taskManager, functionName: "spentNonces" } as const;
  assert.equal(await world.reader.readContract({ ...read, args: [world.vault, word] }), mask);

  await assertRefused(pay(250n, document), ["AttestationAlreadySpent", { policyClient: world.vault, nonce: 258n }]);
  assert.equal(await world.balanceOf(recipient), 250n);
});

test("what a protected contract is bound to is read from it", async () => {
  const policy = await world.reader.extend(assentActions()).readPolicy({ policyClient: world.vault });
  const policyId = keccak256(stringToHex("policy"));
  assert.deepEqual(policy, { policyId, operatorSet: 1, quorum: 6667, maxLifetime: MAX_LIFETIME });
  await assert.rejects(readPolicy(world.reader, { policyClient: world.token }));
});

test("one byte of calldata changed is another task, and the difference is named", async () => {
  const document = await attestPayment(1n, { nonce: 1n });
  const changed = world.payment(2n).intent;
  const expected = taskId({ ...document, ...document.attestation, intent: changed });
  await assertRefused(pay(2n, document), ["WrongTask", { expected, actual: document.attestation.taskId }]);
  assert.deepEqual(differences({ document, intent: changed }).map(({ field }) => field), ["intent.data"]);
});

test("an authorization for another sender is for another task", async () => {
  const intent = { ...world.payment(1n).intent, from: world.stranger.account.address };
  const document = await world.attest(intent, { nonce: 2n });
  const expected = taskId({ ...document, ...document.attestation, intent: world.payment(1n).intent });
  await assertRefused(pay(1n, document), ["WrongTask", { expected, actual: document.attestation.taskId }]);
});

test("an authorization for another chain is for another task", async () => {
  const document = await world.attest({ ...world.payment(1n).intent, chainId: 1n }, { nonce: 2n });
  const expected = taskId({ ...document, ...document.attestation, intent: world.payment(1n).intent });
  await assertRefused(pay(1n, document), ["WrongTask", { expected, actual: document.attestation.taskId }]);
});

test("an attestation that has expired, or is valid for too long, is refused", async () => {
  const expired = await attestPayment(1n, { nonce: 3n, lifetime: -100 });
  const refusal = await refusalOf(pay(1n, expired));
  assert(refusal.name === "AttestationExpired");
  assert.equal(refusal.args.expiration, expired.attestation.expiration);
  assert(refusal.args.timestamp >= BigInt(expired.attestation.expiration) + 100n);

  const lasting = await attestPayment(1n, { nonce: 3n, lifetime: 100_000 });
  const tooLong = await refusalOf(pay(1n, lasting));
  assert(tooLong.name === "LifetimeTooLong");
  assert.equal(tooLong.args.expiration, lasting.attestation.expiration);
  assert.equal(tooLong.args.latest, BigInt(lasting.attestation.issuedAt) + BigInt(MAX_LIFETIME));
});

test("an attestation is not valid before it was issued, and its lifetime is counted from then", async () => {
  const ahead = await attestPayment(1n, { nonce: 3n, issuedIn: 100, lifetime: 200 });
  const refusal = await refusalOf(pay(1n, ahead));
  assert(refusal.name === "AttestationNotYetValid");
  assert.equal(refusal.args.issuedAt, ahead.attestation.issuedAt);
  assert(refusal.args.timestamp < BigInt(ahead.attestation.issuedAt));

  const early = await attestPayment(1n, { nonce: 3n, issuedIn: -MAX_LIFETIME, lifetime: 100 });
  const latest = BigInt(early.attestation.issuedAt + MAX_LIFETIME);
  const { expiration } = early.attestation;
  await assertRefused(pay(1n, early), ["LifetimeTooLong", { expiration, latest }]);
});

test("a denial is refused as one", async () => {
  const document = await attestPayment(1n, { nonce: 4n, decision: "deny" });
  await assertRefused(pay(1n, document), ["PolicyDenied", { taskId: document.attestation.taskId }]);
});

test("with too many non-signers the quorum is not reached", async () => {
  const document = await attestPayment(1n, { nonce: 5n, signers: 3 });
  await assertRefused(pay(1n, document), ["QuorumNotReached", { signed: 300n, required: 334n }]);
});

test("a forged signature is refused, and so is one that is no point", async () => {
  const document = await attestPayment(1n, { nonce: 6n });
  const other = await attestPayment(1n, { nonce: 7n });
  await assertRefused(pay(1n, { ...document, signature: other.signature }), ["InvalidSignature", {}]);
  await assertRefused(pay(1n, { ...document, nonSigners: [0] }), ["InvalidSignature", {}]);
  await assertRefused(pay(1n, { ...document, signature: `0x${"00".repeat(96)}` }), ["MalformedSignature", {}]);
});

test("an epoch that does not exist, and an operator that it does not have, are refused", async () => {
  const document = await attestPayment(1n, { nonce: 6n });
  await assertRefused(pay(1n, { ...document, epoch: 2 }), ["UnknownEpoch", { epoch: 2 }]);
  await assertRefused(pay(1n, { ...document, nonSigners: [5] }), ["NonSignerOutOfRange", {}]);
});

test("truncated bytes are refused, for every way to send them", async () => {
  const { intent } = world.payment(1n);
  const authorization = authorizationOf(await world.attest(intent, { nonce: 6n }));
  const attested = withAuthorization({ calldata: intent.data, authorization });
  const data = concat([slice(attested, 0, size(attested) - 3), slice(attested, size(attested) - 2)]);
  const call = { account: world.agent.account, to: world.vault, data };
  assert.equal((await refusalOf(world.reader.call(call))).name, "MalformedAuthorization");
  assert.equal((await refusalOf(world.reader.estimateGas(call))).name, "MalformedAuthorization");
  assert.equal((await refusalOf(world.agent.sendTransaction(call))).name, "MalformedAuthorization");
});

test("a recorded root authorizes a call without its signature, and only once it is recorded", async () => {
  const { call, intent } = world.payment(10n);
  const sibling: Hex = `0x${"5a".repeat(32)}`;
  const document = await world.attest(intent, { nonce: 8n, merkleProof: [sibling] });
  const authorization = recordedAuthorizationOf(document);
  const root = rootOf(document);
  await assertRefused(sendAttested(world.agent, { ...call, authorization }), ["RootNotRecorded", { epoch: 1, root }]);

  const { signature } = document;
  const record = { abi: taskManagerAbi, address: world.taskManager, functionName: "recordRoot" } as const;
  const signedRoot = { root, signature, nonSigners: "0x" } as const;
  await world.mined(await world.stranger.writeContract({ ...record, args: [1, signedRoot] }));
  const before = await world.balanceOf(recipient);
  await world.mined(await sendAttested(world.agent, { ...call, authorization }));
  assert.equal(await world.balanceOf(recipient), before + 10n);
});

test("an explicit intent is executed with its value, and another's or another chain's is refused", async () => {
  await world.mined(await world.owner.sendTransaction({ to: world.vault, value: 100n }));
  const ends = { from: world.agent.account.address, to: recipient, chainId: foundry.id };
  const intent = intentFor({ ...ends, value: 70n, data: "0x" });
  const document = await world.attest(intent, { nonce: 9n });
  const anothers = { ...intent, from: world.stranger.account.address };
  const [expected, actual] = [intent.from, anothers.from];
  const sender = await refusalOf(execute(anothers, document));
  assert.deepEqual([sender.name, sender.args], ["WrongSender", { expected, actual }]);
  const elsewhere = await refusalOf(execute({ ...intent, chainId: 1n }, document));
  assert.deepEqual([elsewhere.name, elsewhere.args], ["WrongChain", { expected: 31337n, actual: 1n }]);
  assert.equal((await refusalOf(execute({ ...intent, value: 71n }, document))).name, "WrongTask");

  await world.mined(await execute(intent, document));
  assert.equal(await world.reader.getBalance({ address: recipient }), 70n);
  assert.equal((await refusalOf(execute(intent, document))).name, "AttestationAlreadySpent");
});

test("an explicit call of a token moves it", async () => {
  const transfer = { abi: tokenAbi, functionName: "transfer", args: [recipient, 40n] } as const;
  const intent = intentFor({ ...transfer, from: world.agent.account.address, to: world.token, chainId: foundry.id });
  const before = await world.balanceOf(recipient);
  await world.mined(await execute(intent, await world.attest(intent, { nonce: 10n })));
  assert.equal(await world.balanceOf(recipient), before + 40n);
});

test("calldata with the authorization behind it can be sent by any means", async () => {
  const { call, intent } = world.payment(3n);
  const calldata = encodeFunctionData(call);
  assert.equal(calldata, intent.data);
  const document = await world.attest(intent, { nonce: 11n });
  const data = withAuthorization({ calldata, authorization: encodeAuthorization(authorizationOf(document)) });
  const before = await world.balanceOf(recipient);
  await world.mined(await world.agent.sendTransaction({ to: world.vault, data }));
  assert.equal(await world.balanceOf(recipient), before + 3n);
});

test("a data suffix that the client appends to every call does not spoil an attested one", async () => {
  const { account } = world.agent;
  const tagging = createWalletClient({ account, chain: foundry, transport: http(world.url), dataSuffix: "0xdeadbeef" });
  const { call, intent } = world.payment(4n);
  const authorization = authorizationOf(await world.attest(intent, { nonce: 12n }));
  const before = await world.balanceOf(recipient);
  await world.mined(await sendAttested(tagging, { ...call, authorization }));
  assert.equal(await world.balanceOf(recipient), before + 4n);
});

test("withAuthorization keeps a client's data suffix off a transaction", async () => {
  const { account } = world.agent;
  const tagging = createWalletClient({ account, chain: foundry, transport: http(world.url), dataSuffix: "0xdeadbeef" });
  const { intent } = world.payment(4n);
  const authorization = authorizationOf(await world.attest(intent, { nonce: 20n }));
  const { to, data } = intent;
  const suffixed = { to, data: withAuthorization({ calldata: data, authorization }) };
  assert.equal((await refusalOf(tagging.sendTransaction(suffixed))).name, "MalformedAuthorization");
  const before = await world.balanceOf(recipient);
  await world.mined(await tagging.sendTransaction(withAuthorization({ transaction: { to, data }, authorization })));
  assert.equal(await world.balanceOf(recipient), before + 4n);
});

test("a client that is extended with assentActions has this package's actions", async () => {
  const client = world.agent.extend(assentActions());
  const { call, intent } = world.payment(6n);
  const document = await world.attest(intent, { nonce: 21n });
  const authorization = authorizationOf(document);
  const { taskId } = document.attestation;
  const result = await client.checkAuthorization({ policyClient: world.vault, intent, authorization });
  assert.deepEqual(result, { authorized: true, taskId });
  const { request } = await client.simulateAttested({ ...call, authorization });
  assert.equal(request.functionName, "pay");
  const before = await world.balanceOf(recipient);
  await world.mined(await client.sendAttested({ ...call, document }));
  assert.equal(await world.balanceOf(recipient), before + 6n);
  await assertRefused(client.sendAttested({ ...call, document }), [
    "AttestationAlreadySpent",
    { policyClient: world.vault, nonce: 21n },
  ]);
});

test("a call without its authorization is refused with what to give, before anything is sent", async () => {
  const { call, intent } = world.payment(1n);
  const named = (error: unknown) => error instanceof InvalidFieldError && error.field === "authorization";
  await assert.rejects(sendAttested(world.agent, call as never), named);
  await assert.rejects(simulateAttested(world.agent, call as never), named);
  const check = { policyClient: world.vault, intent } as never;
  await assert.rejects(checkAuthorization(world.reader, check), named);
});

test("with the document, WrongTask says which argument differs", async () => {
  const document = await attestPayment(1n, { nonce: 22n });
  const { call } = world.payment(2n);
  const error: unknown = await sendAttested(world.agent, { ...call, document }).catch((reason: unknown) => reason);
  assert(error instanceof RefusedError);
  assert.equal(error.refusal.name, "WrongTask");
  assert.match(error.message, /^amount: 1 attested, 2 in the call$/m);
  assert.deepEqual(
    error.differences.map(({ field, parts }) => [field, parts]),
    [["intent.data", [{ kind: "argument", label: "amount", type: "uint256", attested: "1", actual: "2" }]]],
  );
});

test("with the document, WrongTask says which sender, value, client or policy differs", async () => {
  const { call, intent } = world.payment(1n);
  const other = { ...intent, from: world.stranger.account.address, value: 1n };
  const document = await world.attest(other, { nonce: 22n });
  const policyId: Hex = `0x${"77".repeat(32)}`;
  const attestation = { ...document.attestation, policyId, policyClient: world.token };
  const simulated = simulateAttested(world.agent, { ...call, document: { ...document, attestation } });
  const error: unknown = await simulated.catch((reason: unknown) => reason);
  assert(error instanceof RefusedError);
  assert.deepEqual(
    error.differences.map(({ field }) => field),
    ["policyClient", "policyId", "intent.from", "intent.value", "taskId"],
  );
});

test("with the document, a check says what differs", async () => {
  const document = await attestPayment(1n, { nonce: 22n });
  const { intent } = world.payment(2n);
  const check = { policyClient: world.vault, intent, document };
  for (const [parameters, sentence] of [
    [check, "calldata word 3: 0x1 attested, 0x2 in the call"],
    [{ ...check, abi: vaultAbi }, "amount: 1 attested, 2 in the call"],
  ] as const) {
    const result = await checkAuthorization(world.reader, parameters);
    assert(!result.authorized && result.refusal.name === "WrongTask");
    assert.deepEqual(result.differences.map((difference) => difference.sentence), [sentence]);
  }
});

test("the typed data has the domain's type, so that a node signs it as it is", async () => {
  const { attestation, ...domain } = await attestPayment(1n, { nonce: 22n });
  const { account } = world.agent;
  for (const typedData of [
    attestationTypedData({ ...domain, attestation }),
    intentTypedData({ ...domain, intent: attestation.intent }),
  ]) {
    assert.deepEqual(typedData.types.EIP712Domain, getTypesForEIP712Domain({ domain: typedData.domain }));
    const json = JSON.stringify(typedData, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
    const request = { method: "eth_signTypedData_v4", params: [account.address, json] } as const;
    const signature = await world.reader.request(request as never);
    assert.equal(signature, await account.signTypedData(typedData as never));
  }
});

test("a simulation sends nothing, and its request can be sent", async () => {
  const { call, intent } = world.payment(5n);
  const authorization = authorizationOf(await world.attest(intent, { nonce: 13n }));
  const before = await world.balanceOf(recipient);
  const { request } = await simulateAttested(world.agent, { ...call, authorization });
  assert.equal(await world.balanceOf(recipient), before);
  await world.mined(await world.agent.writeContract(request));
  assert.equal(await world.balanceOf(recipient), before + 5n);
});

test("a refusal by the contract itself stays viem's error", async () => {
  const { call, intent } = world.payment(1n);
  const authorization = authorizationOf(await world.attest(intent, { nonce: 14n }));
  const sent = sendAttested(world.stranger, { ...call, authorization });
  const error: unknown = await sent.catch((reason: unknown) => reason);
  assert(error instanceof Error && !(error instanceof RefusedError) && error.name === "ContractFunctionExecutionError");
  assert.equal(decodeRefusal(error), undefined);
});

test("the chain computes the same task ids and digests", async () => {
  const random = new Random("digests");
  const { taskManager } = world;
  const read = { abi: taskManagerAbi, address: taskManager } as const;
  for (let count = 0; count < 20; count += 1) {
    const intent = {
      from: random.address(),
      to: random.address(),
      value: random.unsigned(256),
      data: random.bytes(random.below(100)),
      chainId: random.unsigned(256),
    };
    const task = { policyClient: random.address(), policyId: random.bytes(32), intent, nonce: random.unsigned(256) };
    const id = taskId({ chainId: foundry.id, taskManager, ...task });
    const { policyClient, policyId, nonce } = task;
    const args = [policyClient, policyId, intent, nonce] as const;
    assert.equal(await world.reader.readContract({ ...read, functionName: "taskIdOf", args }), id);
    const attestation: Attestation = {
      ...task,
      taskId: id,
      issuedAt: Number(random.unsigned(48)),
      expiration: Number(random.unsigned(48)),
      decision: random.below(2) === 0 ? "deny" : "allow",
      evidence: random.bytes(32),
    };
    const struct = attestationStruct(attestation);
    const digest = attestationDigest({ chainId: foundry.id, taskManager, attestation });
    assert.equal(await world.reader.readContract({ ...read, functionName: "digestOf", args: [struct] }), digest);
  }
});

test("an attestation that the client voided is refused", async () => {
  const document = await attestPayment(1n, { nonce: 15n });
  const { issuedAt } = document.attestation;
  const floor = issuedAt + 1;
  const client = { abi: policyClientAbi, address: world.vault } as const;
  const voiding = { ...client, functionName: "voidAssentAttestations", args: [floor] } as const;
  await world.mined(await world.owner.writeContract(voiding));
  assert.equal(await world.reader.readContract({ ...client, functionName: "assentIssuanceFloor" }), floor);
  await assertRefused(pay(1n, document), ["AttestationVoided", { issuedAt, floor }]);
  const refusal = await refusalOf(
    world.owner.writeContract({ ...client, functionName: "voidAssentAttestations", args: [floor] }),
  );
  assert(refusal.name === "AssentInvalidFloor");
  assert.deepEqual([refusal.args.newFloor, refusal.args.currentFloor], [floor, floor]);
});

test("no recorded root outlives the epoch that signed it", async () => {
  const epoch = { abi: taskManagerAbi, address: world.taskManager, functionName: "epochs", args: [1] } as const;
  const [, , validUntil, expiresAt] = await world.reader.readContract(epoch);
  assert.equal(validUntil, expiresAt);
  await world.reader.setNextBlockTimestamp({ timestamp: BigInt(expiresAt) - 200n });
  await world.reader.mine({ blocks: 1 });
  const document = await attestPayment(1n, { nonce: 16n, lifetime: 300 });
  const authorization = recordedAuthorizationOf(document);
  const { call } = world.payment(1n);
  const record = { abi: taskManagerAbi, address: world.taskManager, functionName: "recordRoot" } as const;
  const signedRoot = { root: rootOf(document), signature: document.signature, nonSigners: "0x" } as const;
  await world.mined(await world.stranger.writeContract({ ...record, args: [1, signedRoot] }));
  const { expiration } = document.attestation;
  await assertRefused(sendAttested(world.agent, { ...call, authorization }), [
    "ExpirationBeyondEpoch",
    { expiration, epochEnd: expiresAt },
  ]);
  await world.mined(await pay(1n, document));
});

test("every call under a revoked epoch is refused", async () => {
  const document = await attestPayment(1n, { nonce: 17n });
  await world.revokeEpoch();
  await assertRefused(pay(1n, document), ["EpochRevoked", { epoch: 1 }]);
});
