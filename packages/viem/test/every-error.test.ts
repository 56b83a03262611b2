// The errors that the other tests against a chain do not meet, each decoded from what a node answers.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { concat, keccak256, pad, stringToHex, toHex } from "viem";
import {
  type Refusal,
  type RefusalName,
  authorizationOf,
  checkAuthorization,
  decodeRefusal,
  policyClientAbi,
  protocolErrors,
  sendAttested,
  taskManagerAbi,
  withAuthorization,
} from "@assent/viem";
import { repositoryFile } from "./anvil.js";
import { type World, createWorld } from "./world.js";

/** Those that no contract and no chain here can be brought to revert with, and why. */
const NOT_REVERTED: Partial<Record<RefusalName, string>> = {
  AssentAlreadyInitialized: "a client behind a proxy whose initializer can be called twice; ours have constructors",
  AssentWrongValue: "a client with a payable function that executes intents; TreasuryVault's is not payable",
  InstructionMissing: "a chain on which CLZ counts wrongly; one without it fails with an invalid opcode",
};

/** The ERC-7201 namespace of PolicyClient: the TaskManager and the policy's terms, then the policy's id. */
const NAMESPACE = 0x775bcae047544c0ff1bf72751e7823236a3ff3789295e7d770bca6883ef01b00n;

let world: World;
before(async () => {
  world = await createWorld();
});
after(() => world?.stop());

/** Decodes the refusal of a call. */
async function refusalOf(call: Promise<unknown>): Promise<Refusal> {
  const error: unknown = await call.then(() => assert.fail("the call succeeded"), (reason: unknown) => reason);
  return decodeRefusal(error) ?? assert.fail(String(error));
}

/** Leaves the chain as it was. */
async function undone(work: () => Promise<void>): Promise<void> {
  const id = await world.reader.snapshot();
  try {
    await work();
  } finally {
    await world.reader.revert({ id });
  }
}

const ownersCall = () => ({ abi: policyClientAbi, address: world.vault }) as const;
const policy = { policyId: keccak256(stringToHex("another")), operatorSet: 1, quorum: 6667, maxLifetime: 600 };

test("PolicyNotSet: a client that was never initialised", () =>
  undone(async () => {
    const { call, intent } = world.payment(1n);
    const authorization = authorizationOf(await world.attest(intent));
    for (const slot of [NAMESPACE, NAMESPACE + 1n]) {
      const index = pad(toHex(slot), { size: 32 });
      await world.reader.setStorageAt({ address: world.vault, index, value: pad("0x", { size: 32 }) });
    }
    const refusal = await refusalOf(sendAttested(world.agent, { ...call, authorization }));
    assert.deepEqual([refusal.name, refusal.kind, refusal.args], ["PolicyNotSet", "check", {}]);
    const verdict = await checkAuthorization(world.reader, { policyClient: world.vault, intent, authorization });
    assert(!verdict.authorized && verdict.refusal.name === "PolicyNotSet");
  }));

test("EpochExpired: an epoch whose lifetime is over", () =>
  undone(async () => {
    const epoch = { abi: taskManagerAbi, address: world.taskManager, functionName: "epochs", args: [1] } as const;
    const [, , validUntil] = await world.reader.readContract(epoch);
    await world.reader.setNextBlockTimestamp({ timestamp: BigInt(validUntil) });
    await world.reader.mine({ blocks: 1 });
    const { call, intent } = world.payment(1n);
    const authorization = authorizationOf(await world.attest(intent));
    const refusal = await refusalOf(sendAttested(world.agent, { ...call, authorization }));
    assert.deepEqual([refusal.name, refusal.args], ["EpochExpired", { epoch: 1, validUntil }]);
  }));

test("InsufficientGas: a call with less gas than its pairing takes, and enough to say so", async () => {
  const { intent } = world.payment(1n);
  const data = withAuthorization({ calldata: intent.data, authorization: authorizationOf(await world.attest(intent)) });
  const call = { account: world.agent.account, to: world.vault, data };
  const refusal = await refusalOf(world.reader.call({ ...call, gas: 160_000n }));
  assert.deepEqual([refusal.name, refusal.kind, refusal.args], ["InsufficientGas", "chain", {}]);
  await world.reader.call(call);
});

test("AssentInvalidTaskManager: an account without code", async () => {
  const taskManager = world.stranger.account.address;
  const set = { ...ownersCall(), functionName: "setAssentTaskManager", args: [taskManager] } as const;
  const refusal = await refusalOf(world.owner.writeContract(set));
  assert.equal(refusal.kind, "administration");
  assert.deepEqual([refusal.name, refusal.args], ["AssentInvalidTaskManager", { taskManager }]);
});

test("AssentInvalidPolicy: a quorum that half of the weight reaches", async () => {
  const invalid = { ...policy, quorum: 5000 };
  const set = { ...ownersCall(), functionName: "setAssentPolicy", args: [invalid] } as const;
  const refusal = await refusalOf(world.owner.writeContract(set));
  assert.deepEqual([refusal.name, refusal.args], ["AssentInvalidPolicy", invalid]);
});

test("AssentArgumentsNotExact: calldata with bytes after the arguments, attested as it is", async () => {
  const { intent } = world.payment(1n);
  const data = concat([intent.data, "0x00"]);
  const authorization = authorizationOf(await world.attest({ ...intent, data }));
  const transaction = { to: world.vault, data: withAuthorization({ calldata: data, authorization }) };
  const refusal = await refusalOf(world.agent.sendTransaction(transaction));
  assert.deepEqual([refusal.name, refusal.args], ["AssentArgumentsNotExact", {}]);
});

test("NoRoots: nothing to record", async () => {
  const record = { abi: taskManagerAbi, address: world.taskManager, functionName: "recordRoots" } as const;
  const refusal = await refusalOf(world.stranger.writeContract({ ...record, args: [1, []] }));
  assert.deepEqual([refusal.name, refusal.kind, refusal.args], ["NoRoots", "administration", {}]);
});

test("NotOperatorRegistry: an epoch that another account updates", async () => {
  const caller = world.stranger.account.address;
  const epoch = { table: caller, operatorSet: 1, validUntil: 1, expiresAt: 1 };
  const update = { abi: taskManagerAbi, address: world.taskManager, functionName: "updateEpoch" } as const;
  const refusal = await refusalOf(world.stranger.writeContract({ ...update, args: [1, epoch] }));
  assert.deepEqual([refusal.name, refusal.args], ["NotOperatorRegistry", { caller }]);
});

test("every error is decoded from a real revert in some test, but for those with a reason", () => {
  const files = ["every-error", "protected-calls", "old-chain"];
  const sources = files.map((file) => repositoryFile(`packages/viem/test/${file}.test.ts`)).join("\n");
  const isMet = (name: string) => sources.includes(`"${name}"`);
  const missing = protocolErrors.map(({ name }) => name).filter((name) => !isMet(name) && !(name in NOT_REVERTED));
  assert.deepEqual(missing, []);
  assert.deepEqual(Object.keys(NOT_REVERTED).filter(isMet), []);
});
