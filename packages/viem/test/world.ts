// A whole Assent on anvil: five operators of equal weight, four of whom make a quorum, and a treasury whose agent may
// spend what they have authorised.
import {
  type Address,
  type Hex,
  createPublicClient,
  createWalletClient,
  getAddress,
  http,
  keccak256,
  parseAbi,
  stringToHex,
  testActions,
} from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { foundry } from "viem/chains";
import { type AttestationDocument, type Intent, intentFor } from "@assent/viem";
import { TestOperator, signAttestation } from "@assent/viem/testing";
import { MNEMONIC, artifact, startAnvil } from "./anvil.js";

export const vaultAbi = parseAbi([
  "struct Intent { address from; address to; uint256 value; bytes data; uint256 chainId; }",
  "function pay(address token, address recipient, uint256 amount)",
  "function execute(Intent intent, bytes authorization) returns (bytes)",
]);
export const tokenAbi = parseAbi([
  "function transfer(address to, uint256 amount) returns (bool)",
  "function balanceOf(address account) view returns (uint256)",
]);
const registryAbi = parseAbi([
  "function addValidator(address validator)",
  "function proofOfPossessionDigest(address operator, bytes publicKey) view returns (bytes32)",
  "function registerOperator(bytes publicKey, bytes proofOfPossession)",
  "function commitEpoch(uint32 operatorSet, address[] operators) returns (uint32)",
  "function revokeEpochs(uint32[] epochs)",
]);
const ownerStakeSourceAbi = parseAbi([
  "function setWeights(uint32 operatorSet, address[] operators, uint96[] weights)",
]);

const OPERATOR_SET = 1;
const OPERATORS = 5;
const SUPPLY = 1_000n;
/** The policy's `maxLifetime` in seconds. */
export const MAX_LIFETIME = 600;
export const recipient: Address = "0x000000000000000000000000000000000000bEEF";

/** What a test changes of an attestation. */
export type Terms = {
  readonly nonce?: bigint;
  /** Seconds from now until the attestation is valid. */
  readonly issuedIn?: number;
  /** Seconds from now until it expires. */
  readonly lifetime?: number;
  readonly decision?: "allow" | "deny";
  readonly signers?: number;
  readonly merkleProof?: readonly Hex[];
};

export type World = Awaited<ReturnType<typeof createWorld>>;

export async function createWorld() {
  const anvil = await startAnvil();
  // Patient: a busy machine is no failure.
  const transport = http(anvil.url, { timeout: 120_000 });
  const account = (addressIndex: number) => mnemonicToAccount(MNEMONIC, { addressIndex });
  const wallet = (addressIndex: number) =>
    createWalletClient({ account: account(addressIndex), chain: foundry, transport, pollingInterval: 20 });
  const [owner, agent, stranger] = [wallet(0), wallet(1), wallet(2)];
  const reader = createPublicClient({ chain: foundry, transport, pollingInterval: 20 }).extend(
    testActions({ mode: "anvil" }),
  );
  const mined = async (hash: Hex) => {
    const receipt = await reader.waitForTransactionReceipt({ hash });
    if (receipt.status !== "success") throw new Error(`transaction ${hash} reverted`);
    return receipt;
  };
  const deploy = async (name: string, ...args: unknown[]): Promise<Address> => {
    const receipt = await mined(await owner.deployContract({ ...artifact(name), args }));
    return getAddress(receipt.contractAddress as Address);
  };

  const ownerStakeSource = await deploy("OwnerStakeSource", owner.account.address);
  const registry = await deploy("OperatorRegistry", owner.account.address, ownerStakeSource, 604_800, 86_400, 3600);
  const taskManager = await deploy("TaskManager", registry);
  const policyId = keccak256(stringToHex("policy"));
  const policy = { policyId, operatorSet: OPERATOR_SET, quorum: 6667, maxLifetime: MAX_LIFETIME };
  const vault = await deploy("TreasuryVault", owner.account.address, agent.account.address, taskManager, policy);
  const token = await deploy("ExampleToken", SUPPLY);
  const fund = { abi: tokenAbi, address: token, functionName: "transfer", args: [vault, SUPPLY] } as const;
  await mined(await owner.writeContract(fund));

  const registryOf = { abi: registryAbi, address: registry };
  await mined(await owner.writeContract({ ...registryOf, functionName: "addValidator", args: [taskManager] }));
  const operators = Array.from({ length: OPERATORS }, (_, place) => ({
    wallet: wallet(3 + place),
    address: account(3 + place).address,
    key: new TestOperator(1 + place),
  })).sort((one, other) => (one.address.toLowerCase() < other.address.toLowerCase() ? -1 : 1));
  for (const operator of operators) {
    const publicKey = operator.key.publicKey();
    const digest = await reader.readContract({
      ...registryOf,
      functionName: "proofOfPossessionDigest",
      args: [operator.address, publicKey],
    });
    const proof = operator.key.provePossession(digest);
    const register = { ...registryOf, functionName: "registerOperator", args: [publicKey, proof] } as const;
    await mined(await operator.wallet.writeContract(register));
  }
  const addresses = operators.map(({ address }) => address);
  await mined(
    await owner.writeContract({
      abi: ownerStakeSourceAbi,
      address: ownerStakeSource,
      functionName: "setWeights",
      args: [OPERATOR_SET, addresses, addresses.map(() => 100n)],
    }),
  );
  const commit = { ...registryOf, functionName: "commitEpoch", args: [OPERATOR_SET, addresses] } as const;
  await mined(await owner.writeContract(commit));

  /** The first `signers` operators, in the order of the epoch's table, sign their decision on an intent. */
  const attest = async (intent: Intent, terms: Terms = {}): Promise<AttestationDocument> => {
    const { nonce = 0n, issuedIn = 0, lifetime = 300, decision = "allow" } = terms;
    const { signers = OPERATORS, merkleProof = [] } = terms;
    const { timestamp } = await reader.getBlock();
    return signAttestation({
      chainId: foundry.id,
      taskManager,
      attestation: {
        policyId: policy.policyId,
        policyClient: vault,
        nonce,
        issuedAt: Number(timestamp) + issuedIn,
        expiration: Number(timestamp) + lifetime,
        decision,
        evidence: keccak256(stringToHex("evidence")),
        intent,
      },
      epoch: 1,
      operators: operators.map(({ key }) => key),
      nonSigners: operators.slice(signers).map((_, place) => signers + place),
      merkleProof,
    });
  };

  /** A payment of the agent's, and the intent to make it. */
  const payment = (amount: bigint) => {
    const call = { abi: vaultAbi, functionName: "pay", args: [token, recipient, amount] } as const;
    return {
      call: { ...call, address: vault },
      intent: intentFor({ ...call, from: agent.account.address, to: vault, chainId: foundry.id }),
    };
  };

  const balanceOf = (holder: Address) =>
    reader.readContract({ abi: tokenAbi, address: token, functionName: "balanceOf", args: [holder] });

  const revokeEpoch = async () =>
    mined(await owner.writeContract({ ...registryOf, functionName: "revokeEpochs", args: [[1]] }));

  const parties = { owner, agent, stranger };
  const contracts = { taskManager, vault, token };
  return { ...anvil, ...parties, ...contracts, reader, mined, attest, payment, balanceOf, revokeEpoch };
}
