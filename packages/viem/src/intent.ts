import {
  type Abi,
  type Address,
  type ContractFunctionName,
  type EncodeFunctionDataParameters,
  type Hex,
  encodeAbiParameters,
  encodeFunctionData,
  hashStruct,
  keccak256,
} from "viem";
import { type AttestationDomain, type Eip712Domain, eip712Domain, eip712DomainTypes } from "./domain.js";
import { addressIn, bytesIn, unsignedIn } from "./fields.js";

/** A call that operators decide on. */
export type Intent = {
  /** The caller. */
  readonly from: Address;
  /** The contract that is called. */
  readonly to: Address;
  /** The value sent with the call, in wei. */
  readonly value: bigint;
  /** The whole calldata, without an authorization. */
  readonly data: Hex;
  /** The chain on which the call is made (EIP-155). */
  readonly chainId: bigint;
};

/** The EIP-712 type of an intent. */
export const intentTypes = {
  Intent: [
    { name: "from", type: "address" },
    { name: "to", type: "address" },
    { name: "value", type: "uint256" },
    { name: "data", type: "bytes" },
    { name: "chainId", type: "uint256" },
  ],
} as const;

type Ends = {
  /** The caller: for a function under `onlyAttested`, the sender of the transaction. */
  readonly from: Address;
  /** The contract that is called: for a function under `onlyAttested`, the protected contract itself. */
  readonly to: Address;
  /** The value in wei; 0 if left out. */
  readonly value?: bigint;
  readonly chainId: bigint | number;
};

/** A call by its calldata. */
export type CallByData = Ends & {
  readonly data: Hex;
  readonly abi?: never;
  readonly functionName?: never;
  readonly args?: never;
};

/** A call by function and arguments, which viem's types check against the ABI. */
export type CallByFunction<
  abi extends Abi | readonly unknown[],
  functionName extends ContractFunctionName<abi> | undefined,
> = Ends & EncodeFunctionDataParameters<abi, functionName> & { readonly data?: never };

/** Returns the intent of a call. */
export function intentFor(call: CallByData): Intent;
export function intentFor<
  const abi extends Abi | readonly unknown[],
  functionName extends ContractFunctionName<abi> | undefined = undefined,
>(call: CallByFunction<abi, functionName>): Intent;
export function intentFor(call: CallByData | CallByFunction<Abi, string>): Intent {
  const data = call.data ?? encodeFunctionData(call as unknown as EncodeFunctionDataParameters);
  return checkedIntent({
    from: call.from,
    to: call.to,
    value: call.value ?? 0n,
    data,
    chainId: unsignedIn("intent.chainId", call.chainId, 256),
  });
}

/** Returns the EIP-712 struct hash of an intent, which a task id commits to. */
export function hashIntent(intent: Intent): Hex {
  return hashStruct({ types: intentTypes, primaryType: "Intent", data: checkedIntent(intent) });
}

/** Returns an intent as typed data, for wallets: `signTypedData(intentTypedData(…))`. */
export function intentTypedData(parameters: AttestationDomain & { readonly intent: Intent }): IntentTypedData {
  const { intent, ...domain } = parameters;
  return {
    domain: eip712Domain(domain),
    types: { ...eip712DomainTypes, ...intentTypes },
    primaryType: "Intent",
    message: checkedIntent(intent),
  };
}

/** The typed data of an intent. */
export type IntentTypedData = {
  readonly domain: Eip712Domain;
  readonly types: typeof eip712DomainTypes & typeof intentTypes;
  readonly primaryType: "Intent";
  readonly message: Intent;
};

/** Returns the id of a task: an intent for one client, under one policy, with one nonce. */
export function taskId(
  parameters: AttestationDomain & {
    readonly policyClient: Address;
    readonly policyId: Hex;
    readonly intent: Intent;
    readonly nonce: bigint;
  },
): Hex {
  const words = [
    ["uint256", unsignedIn("chainId", parameters.chainId, 256)],
    ["address", addressIn("taskManager", parameters.taskManager)],
    ["address", addressIn("policyClient", parameters.policyClient)],
    ["bytes32", bytesIn("policyId", parameters.policyId, 32)],
    ["bytes32", hashIntent(parameters.intent)],
    ["uint256", unsignedIn("nonce", parameters.nonce, 256)],
  ] as const;
  return keccak256(
    encodeAbiParameters(
      words.map(([type]) => ({ type })),
      words.map(([, value]) => value),
    ),
  );
}

/** Returns an intent in JSON, as operators and the command line read it. Numbers are strings, to keep all digits. */
export function intentToJson(intent: Intent): string {
  const { from, to, value, data, chainId } = checkedIntent(intent);
  return JSON.stringify({ from, to, value: value.toString(), data, chainId: chainId.toString() });
}

/** Returns the intent with its fields checked and normalized. */
export function checkedIntent(intent: Intent, path = "intent"): Intent {
  return {
    from: addressIn(`${path}.from`, intent.from),
    to: addressIn(`${path}.to`, intent.to),
    value: unsignedIn(`${path}.value`, intent.value, 256),
    data: bytesIn(`${path}.data`, intent.data),
    chainId: unsignedIn(`${path}.chainId`, intent.chainId, 256),
  };
}
