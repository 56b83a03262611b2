// An ERC-4337 account pays from a treasury. Its user operation carries the operators' authorization behind the inner
// call: node pay.mjs network.json, with what `assent network up --json` prints.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { assentActions, decodeRefusal, withAuthorization } from "@assent/viem";
import {
  createWalletClient,
  decodeEventLog,
  encodeFunctionData,
  http,
  parseAbi,
  parseEther,
  publicActions,
} from "viem";
import { entryPoint08Abi, getUserOperationHash, toPackedUserOperation } from "viem/account-abstraction";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { foundry } from "viem/chains";

const network = JSON.parse(readFileSync(process.argv[2] ?? "network.json", "utf8"));
const { gateways, owner, token, vault, recipient } = network;
const require = createRequire(import.meta.url);
/** What the npm package of the entry point ships. */
const artifact = (name) => require(`@account-abstraction/contracts/artifacts/${name}.json`);
const vaultAbi = parseAbi([
  "function pay(address token, address recipient, uint256 amount)",
  "function setAgent(address newAgent)",
]);
const tokenAbi = parseAbi(["function balanceOf(address account) view returns (uint256)"]);

// The network's accounts are unlocked: the owner deploys and pays here, and is the bundler, too.
const transport = http(network.chain.rpcUrl);
const wallet = createWalletClient({ account: owner, chain: foundry, transport, pollingInterval: 100 });
const client = wallet.extend(publicActions).extend(assentActions({ gateway: gateways }));
const mined = async (sent) => client.waitForTransactionReceipt({ hash: await sent });
const deploy = async (name, args) =>
  (await mined(client.deployContract({ ...artifact(name), args }))).contractAddress;

// The account, which the vault makes its agent. Its first operation deploys it.
const entryPoint = await deploy("EntryPoint", []);
const factory = {
  abi: artifact("SimpleAccountFactory").abi,
  address: await deploy("SimpleAccountFactory", [entryPoint]),
};
const key = privateKeyToAccount(generatePrivateKey());
const account = await client.readContract({ ...factory, functionName: "getAddress", args: [key.address, 0n] });
await mined(client.sendTransaction({ to: account, value: parseEther("1") }));
await mined(client.writeContract({ abi: vaultAbi, address: vault, functionName: "setAgent", args: [account] }));
console.log(`the account ${account} is the agent of the vault ${vault}`);

/** Asks the operators for a payment by the account. The inner call is what they attest: the vault sees the account. */
async function ask(amount) {
  const data = encodeFunctionData({ abi: vaultAbi, functionName: "pay", args: [token, recipient, parseEther(amount)] });
  const intent = { from: account, to: vault, value: 0n, data, chainId: BigInt(foundry.id) };
  const { decision, reasons, authorization } = await client.requestAuthorization({ intent });
  console.log(`${amount} EXT: ${[decision, ...reasons].join(": ")}`);
  return decision === "allow" ? withAuthorization({ calldata: data, authorization }) : undefined;
}

/** Sends the account's next operation, as a bundler does. Returns why its execution was reverted, if it was. */
async function execute(data) {
  const nonce = await client.readContract({
    abi: entryPoint08Abi,
    address: entryPoint,
    functionName: "getNonce",
    args: [account, 0n],
  });
  const deployment = {
    factory: factory.address,
    factoryData: encodeFunctionData({ abi: factory.abi, functionName: "createAccount", args: [key.address, 0n] }),
  };
  const operation = {
    sender: account,
    nonce,
    ...(nonce === 0n ? deployment : {}),
    callData: encodeFunctionData({
      abi: artifact("SimpleAccount").abi,
      functionName: "execute",
      args: [vault, 0n, data],
    }),
    // About 150,000 of it is for the verification of the authorization.
    callGasLimit: 500_000n,
    verificationGasLimit: 1_000_000n,
    preVerificationGas: 100_000n,
    maxFeePerGas: 2_000_000_000n,
    maxPriorityFeePerGas: 1_000_000_000n,
    signature: "0x",
  };
  // The account's key signs last, and so signs the authorization, too.
  const hash = getUserOperationHash({
    chainId: foundry.id,
    entryPointAddress: entryPoint,
    entryPointVersion: "0.8",
    userOperation: operation,
  });
  const packed = toPackedUserOperation({ ...operation, signature: await key.sign({ hash }) });
  const { logs } = await mined(
    client.writeContract({
      abi: entryPoint08Abi,
      address: entryPoint,
      functionName: "handleOps",
      args: [[packed], owner],
      gas: 3_000_000n,
    }),
  );
  const events = logs
    .filter(({ address }) => address.toLowerCase() === entryPoint.toLowerCase())
    .map(({ data, topics }) => decodeEventLog({ abi: entryPoint08Abi, data, topics }));
  const succeeded = events.some(({ eventName, args }) => eventName === "UserOperationEvent" && args.success);
  const reverted = events.find(({ eventName }) => eventName === "UserOperationRevertReason");
  if (!succeeded && reverted === undefined) throw new Error("the operation failed without a reason");
  return reverted?.args.revertReason;
}

const balance = () =>
  client.readContract({ abi: tokenAbi, address: token, functionName: "balanceOf", args: [recipient] });

const before = await balance();
const attested = await ask("250");
const reverted = await execute(attested);
if (reverted !== undefined) throw new Error(`the payment was refused: ${decodeRefusal(reverted)?.name ?? reverted}`);
console.log(`paid ${((await balance()) - before) / parseEther("1")} EXT by a user operation`);

// Its authorization is spent: another operation with it is refused, and pays nothing.
console.log(`the same authorization again: ${decodeRefusal(await execute(attested))?.name}`);
// The operators deny this one, so there is nothing to send.
if ((await ask("900")) !== undefined) throw new Error("a payment above the limit was allowed");
