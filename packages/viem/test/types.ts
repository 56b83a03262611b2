// Misuse that must not compile: the build of the tests fails when one of these lines does.
import { type Hex, createWalletClient, http, parseAbi } from "viem";
import { foundry } from "viem/chains";
import {
  type Attestation,
  type AttestationDocument,
  type Authorization,
  type Intent,
  type Refusal,
  assentActions,
  authorizationOf,
  checkAuthorization,
  encodeAuthorization,
  intentFor,
  sendAttested,
  taskId,
  withAuthorization,
} from "@assent/viem";

const abi = parseAbi([
  "function pay(address token, uint256 amount)",
  "function fund() payable",
  "function total() view returns (uint256)",
]);
const client = createWalletClient({ transport: http() });
const extended = client.extend(assentActions());
const ofGateway = client.extend(assentActions({ gateway: ["https://a.example", http("https://b.example")] }));

export function misuse(
  intent: Intent,
  document: AttestationDocument,
  authorization: Authorization,
  attestation: Attestation,
  refusal: Refusal,
  address: Hex,
): unknown[] {
  const ends = { from: address, to: address, chainId: 1 };
  const sender = { account: address, chain: foundry } as const;
  const call = { ...sender, authorization } as const;
  return [
    // @ts-expect-error a decision is "allow" or "deny", not a byte
    { ...attestation, decision: 1 } satisfies Attestation,
    // @ts-expect-error nor any other word
    { ...attestation, decision: "approve" } satisfies Attestation,
    // @ts-expect-error an intent without its sender
    intentFor({ to: address, data: "0x", chainId: 1 }),
    // @ts-expect-error without its chain
    intentFor({ from: address, to: address, data: "0x" }),
    // @ts-expect-error without a call
    intentFor(ends),
    // @ts-expect-error with two calls
    intentFor({ ...ends, data: "0x", abi, functionName: "pay", args: [address, 1n] }),
    // @ts-expect-error a number of wei that loses digits
    intentFor({ ...ends, data: "0x", value: 1e18 }),
    // @ts-expect-error a function that the ABI does not have
    intentFor({ ...ends, abi, functionName: "transfer", args: [address, 1n] }),
    // @ts-expect-error arguments of other types
    intentFor({ ...ends, abi, functionName: "pay", args: [1n, address] }),
    // @ts-expect-error a task without the nonce
    taskId({ chainId: 1, taskManager: address, policyClient: address, policyId: address, intent }),
    // @ts-expect-error the document is not what travels with the call
    withAuthorization({ calldata: "0xa9059cbb", authorization: document }),
    // @ts-expect-error calldata and authorization the wrong way round
    withAuthorization({ calldata: authorization, authorization: "0xa9059cbb" }),
    // @ts-expect-error a recorded authorization has no signature
    encodeAuthorization({ ...authorizationOf(document), kind: "recorded" }),
    // @ts-expect-error a direct one has
    encodeAuthorization({ ...authorizationOf(document), signature: undefined }),
    // @ts-expect-error an attestation is not an authorization
    encodeAuthorization(attestation),
    // @ts-expect-error a protected call without its authorization
    sendAttested(client, { abi, address, functionName: "pay", args: [address, 1n], ...sender }),
    // @ts-expect-error without the one or the other
    extended.sendAttested({ abi, address, functionName: "pay", args: [address, 1n], ...sender }),
    // @ts-expect-error arguments of other types, of a client with the actions
    extended.sendAttested({ abi, address, functionName: "pay", args: [1n], ...call }),
    // @ts-expect-error a transaction and calldata
    withAuthorization({ transaction: { data: "0xa9059cbb" }, calldata: "0xa9059cbb", authorization }),
    // @ts-expect-error a call without an account, where the client has none
    sendAttested(client, { abi, address, functionName: "fund", chain: foundry, authorization }),
    // @ts-expect-error on no chain, where the client has none
    sendAttested(client, { abi, address, functionName: "fund", account: address, authorization }),
    // @ts-expect-error a view is not sent
    sendAttested(client, { abi, address, functionName: "total", ...call }),
    // @ts-expect-error arguments of other types
    sendAttested(client, { abi, address, functionName: "pay", args: [1n], ...call }),
    // @ts-expect-error value for a function that takes none
    sendAttested(client, { abi, address, functionName: "pay", args: [address, 1n], value: 1n, ...call }),
    // @ts-expect-error something else behind the calldata
    sendAttested(client, { abi, address, functionName: "fund", ...sender, authorization, dataSuffix: "0x00" }),
    // @ts-expect-error a check without the intent
    checkAuthorization(client, { policyClient: address, authorization }),
    // @ts-expect-error an error that the protocol does not have
    refusal.name === "AttestationSpent",
    // @ts-expect-error the arguments of an error that it may not be
    refusal.args.nonce,
    // @ts-expect-error an attested intent is read-only
    (document.attestation.intent.value = 1n),
  ];
}

/** What must compile, so that the lines above fail for their own reason. */
export function use(
  intent: Intent,
  document: AttestationDocument,
  authorization: Authorization,
  address: Hex,
): unknown[] {
  const ends = { from: address, to: address, chainId: 1 };
  const sender = { account: address, chain: foundry } as const;
  const call = { ...sender, authorization } as const;
  return [
    intentFor({ ...ends, data: "0x", value: 1n }),
    intentFor({ ...ends, abi, functionName: "pay", args: [address, 1n] }),
    intentFor({ ...ends, abi, functionName: "fund", value: 1n, chainId: 1n }),
    taskId({ chainId: 1, taskManager: address, policyClient: address, policyId: address, intent, nonce: 0n }),
    withAuthorization({ calldata: "0xa9059cbb", authorization }),
    withAuthorization({ calldata: "0xa9059cbb", authorization: encodeAuthorization(authorizationOf(document)) }),
    sendAttested(client, { ...call, abi, address, functionName: "pay", args: [address, 1n] }),
    sendAttested(client, { ...call, abi, address, functionName: "fund", value: 1n }),
    sendAttested(client, { ...sender, document, abi, address, functionName: "fund", value: 1n }),
    sendAttested(client, { ...call, document, abi, address, functionName: "fund", value: 1n }),
    extended.sendAttested({ ...call, abi, address, functionName: "pay", args: [address, 1n] }),
    ofGateway.sendAttested({ ...sender, abi, address, functionName: "pay", args: [address, 1n] }),
    ofGateway.sendAttestedAndWait({ ...sender, abi, address, functionName: "fund" }).then(({ status }) => status),
    extended.simulateAttested({ ...sender, document, abi, address, functionName: "fund", value: 1n }),
    client.sendTransaction({
      ...sender,
      ...withAuthorization({ transaction: { to: address, data: "0xa9059cbb", value: 1n }, authorization }),
    }),
    checkAuthorization(client, { policyClient: address, intent, authorization, caller: address }),
  ];
}
