// A Safe pays only what its owners signed and operators allowed: node pay.mjs network.json policy.json, with what
// `assent network up --json` and `assent policy build --json` print.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { assentActions, authorizationSuffix, decodeRefusal } from "@assent/viem";
import { concat, createWalletClient, encodeFunctionData, http, parseEther, publicActions, zeroAddress } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { foundry } from "viem/chains";

const [network, policy] = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, "utf8")));
const { gateways, owner: executor, recipient } = network;
const require = createRequire(import.meta.url);
/** What the npm package of the Safe ships. */
const ofSafe = (path) => require(`@safe-global/safe-smart-account/build/artifacts/contracts/${path}.json`);
/** What forge makes of contracts/examples/SafeAttestationGuard.sol. */
const guardArtifact = JSON.parse(
  readFileSync(new URL("../../out/SafeAttestationGuard.sol/SafeAttestationGuard.json", import.meta.url), "utf8"),
);

// The network's accounts are unlocked: one of them deploys, and executes the Safe's transactions.
const transport = http(network.chain.rpcUrl);
const wallet = createWalletClient({ account: executor, chain: foundry, transport, pollingInterval: 100 });
const client = wallet.extend(publicActions).extend(assentActions({ gateway: gateways }));
const mined = async (sent) => client.waitForTransactionReceipt({ hash: await sent });
const deploy = async (abi, bytecode, args) =>
  (await mined(client.deployContract({ abi, bytecode, args }))).contractAddress;

// A Safe with two owners, who both have to sign.
const owners = [1, 2].map(() => privateKeyToAccount(generatePrivateKey()));
owners.sort((one, other) => (one.address.toLowerCase() < other.address.toLowerCase() ? -1 : 1));
const { abi, bytecode } = ofSafe("Safe.sol/Safe");
const singleton = await deploy(abi, bytecode, []);
const setup = encodeFunctionData({
  abi,
  functionName: "setup",
  args: [owners.map(({ address }) => address), 2n, zeroAddress, "0x", zeroAddress, zeroAddress, 0n, zeroAddress],
});
const factory = ofSafe("proxies/SafeProxyFactory.sol/SafeProxyFactory");
const creation = {
  abi: factory.abi,
  address: await deploy(factory.abi, factory.bytecode, []),
  functionName: "createProxyWithNonce",
  args: [singleton, setup, 0n],
};
const { result: safe, request } = await client.simulateContract(creation);
await mined(client.writeContract(request));
await mined(client.sendTransaction({ to: safe, value: parseEther("10") }));

/** The arguments of `execTransaction`: a plain call, without a refund. */
const argumentsOf = ({ to, value = 0n, data = "0x" }, signatures = "0x") =>
  /** @type {const} */ ([to, value, data, 0, 0n, 0n, 0n, zeroAddress, zeroAddress, signatures]);

/** The owners' signatures of the Safe's next transaction. */
async function sign(transaction) {
  const nonce = await client.readContract({ abi, address: safe, functionName: "nonce" });
  const args = [...argumentsOf(transaction).slice(0, 9), nonce];
  const hash = await client.readContract({ abi, address: safe, functionName: "getTransactionHash", args });
  return concat(await Promise.all(owners.map((owner) => owner.sign({ hash }))));
}

/** Sends a transaction of the Safe with what follows the owners' signatures. */
async function execute(transaction, suffix = "0x") {
  const args = argumentsOf(transaction, concat([await sign(transaction), suffix]));
  const { request } = await client.simulateContract({ abi, address: safe, functionName: "execTransaction", args });
  await mined(client.writeContract(request));
}

// The guard, which the Safe installs by two transactions as usual. From then on, every transaction is attested.
const { policyId } = policy;
const terms = { policyId, operatorSet: 1, quorum: 6667, maxLifetime: 3600 };
const guard = await deploy(guardArtifact.abi, guardArtifact.bytecode.object, [
  safe,
  network.contracts.TaskManager,
  terms,
]);
for (const functionName of ["setModuleGuard", "setGuard"]) {
  await execute({ to: safe, data: encodeFunctionData({ abi, functionName, args: [guard] }) });
}
console.log(`the Safe ${safe} has the guard ${guard}`);

/** Asks the operators for a transaction. They attest it with empty signatures: the owners need not wait for them. */
async function ask(transaction) {
  const data = encodeFunctionData({ abi, functionName: "execTransaction", args: argumentsOf(transaction) });
  const intent = { from: executor, to: safe, value: 0n, data, chainId: BigInt(foundry.id) };
  const { decision, reasons, authorization } = await client.requestAuthorization({ intent, policyClient: guard });
  console.log(`${transaction.value / parseEther("1")} ETH: ${[decision, ...reasons].join(": ")}`);
  return decision === "allow" ? authorizationSuffix(authorization) : undefined;
}

const payment = { to: recipient, value: parseEther("1") };
const refused = await execute(payment).then(
  () => undefined,
  (error) => decodeRefusal(error)?.name,
);
console.log(`without an authorization: ${refused}`);

const before = await client.getBalance({ address: recipient });
await execute(payment, await ask(payment));
console.log(`paid ${((await client.getBalance({ address: recipient })) - before) / parseEther("1")} ETH`);

// The operators deny this one, so there is nothing to send.
if ((await ask({ to: recipient, value: parseEther("5") })) !== undefined) throw new Error("5 ETH were allowed");
