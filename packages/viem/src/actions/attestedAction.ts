import type {
  Abi,
  Account,
  Address,
  Chain,
  Client,
  ContractFunctionArgs,
  ContractFunctionName,
  EncodeFunctionDataParameters,
  Hash,
  Hex,
  SimulateContractParameters,
  SimulateContractReturnType,
  TransactionReceipt,
  Transport,
} from "viem";
import { encodeFunctionData, zeroAddress } from "viem";
import { getChainId, readContract } from "viem/actions";
import { policyClientAbi } from "../abi.js";
import type { Authorization } from "../authorization.js";
import { asAuthorization } from "../calldata.js";
import { type Difference, type DifferencesParameters, differences } from "../differences.js";
import { type AttestationDocument, authorizationOf } from "../document.js";
import { RefusedError } from "../errors/refused.js";
import type { Intent } from "../intent.js";
import { decodeRefusal } from "../refusal.js";

/** What an action takes beside viem's parameters of `simulateContract`. */
export type WithAuthorization = GivenAuthorization & {
  /** The authorization is the suffix. */
  readonly dataSuffix?: never;
};

/** What an action takes that asks a gateway if no authorization is given. */
export type WithOptionalAuthorization = WithAuthorization | WithoutAuthorization;

/** No authorization is given. */
export type WithoutAuthorization = {
  readonly authorization?: undefined;
  readonly document?: undefined;
  readonly dataSuffix?: never;
};

/** The authorization, the attestation document that it is derived from, or both. */
export type GivenAuthorization =
  | {
      /** The authorization, or its bytes. */
      readonly authorization: Authorization | Hex;
      /** The document. If the call is refused with `WrongTask`, the error says where it differs. */
      readonly document?: AttestationDocument | undefined;
    }
  | {
      readonly authorization?: undefined;
      /** The document; its authorization is sent. If the call is refused with `WrongTask`, the error says where it
       * differs. */
      readonly document: AttestationDocument;
    };

/** The parameters of an attested action. */
export type AttestedParameters<
  kind extends "simulate" | "send" | "wait",
  chain extends Chain | undefined,
  account extends Account | undefined,
  abi extends Abi | readonly unknown[],
  functionName extends ContractFunctionName<abi, "nonpayable" | "payable">,
  args extends ContractFunctionArgs<abi, "nonpayable" | "payable", functionName>,
  chainOverride extends Chain | undefined,
  accountOverride extends Account | Address | null | undefined,
  given = WithAuthorization,
> = SimulateContractParameters<abi, functionName, args, chain, chainOverride, accountOverride> &
  given &
  (kind extends "simulate" ? unknown : Missing<"chain", chain, Chain> & Missing<"account", account, Account | Address>);

/** The result of an attested action: `"simulate"` returns viem's simulation, `"send"` the hash, `"wait"` a receipt. */
export type AttestedReturnType<
  kind extends "simulate" | "send" | "wait",
  chain extends Chain | undefined,
  account extends Account | undefined,
  abi extends Abi | readonly unknown[],
  functionName extends ContractFunctionName<abi, "nonpayable" | "payable">,
  args extends ContractFunctionArgs<abi, "nonpayable" | "payable", functionName>,
  chainOverride extends Chain | undefined,
  accountOverride extends Account | Address | null | undefined,
> = kind extends "send"
  ? Hash
  : kind extends "wait"
    ? TransactionReceipt
    : SimulateContractReturnType<abi, functionName, args, chain, account, chainOverride, accountOverride>;

/** An action on a function under `onlyAttested`. */
export type AttestedAction<kind extends "simulate" | "send" | "wait"> = <
  chain extends Chain | undefined,
  account extends Account | undefined,
  const abi extends Abi | readonly unknown[],
  functionName extends ContractFunctionName<abi, "nonpayable" | "payable">,
  const args extends ContractFunctionArgs<abi, "nonpayable" | "payable", functionName>,
  chainOverride extends Chain | undefined = undefined,
  accountOverride extends Account | Address | null | undefined = undefined,
>(
  client: Client<Transport, chain, account>,
  parameters: AttestedParameters<kind, chain, account, abi, functionName, args, chainOverride, accountOverride>,
) => Promise<AttestedReturnType<kind, chain, account, abi, functionName, args, chainOverride, accountOverride>>;

/** The same action of a client with `assentActions()`. */
export type BoundAttestedAction<
  kind extends "simulate" | "send" | "wait",
  chain extends Chain | undefined,
  account extends Account | undefined,
  given = WithAuthorization,
> = <
  const abi extends Abi | readonly unknown[],
  functionName extends ContractFunctionName<abi, "nonpayable" | "payable">,
  const args extends ContractFunctionArgs<abi, "nonpayable" | "payable", functionName>,
  chainOverride extends Chain | undefined = undefined,
  accountOverride extends Account | Address | null | undefined = undefined,
>(
  parameters: AttestedParameters<kind, chain, account, abi, functionName, args, chainOverride, accountOverride, given>,
) => Promise<AttestedReturnType<kind, chain, account, abi, functionName, args, chainOverride, accountOverride>>;

/** A parameter that is required if the client has no such value. */
export type Missing<name extends string, own, value> = [own] extends [undefined]
  ? Readonly<Record<name, value>>
  : unknown;

/** Returns the authorization to send. */
export function authorizationToSend({ authorization, document }: GivenAuthorization): Authorization {
  if (authorization === undefined && document !== undefined) return authorizationOf(document);
  return asAuthorization(authorization as Authorization | Hex);
}

/** Returns the result. Throws a `RefusedError` in place of an error that carries a refusal. */
export async function orRefusal<result>(
  pending: Promise<result>,
  differencesOf: () => Promise<readonly Difference[]> = async () => [],
): Promise<result> {
  try {
    return await pending;
  } catch (error) {
    const refusal = decodeRefusal(error);
    if (refusal === undefined) throw error;
    const found = refusal.name === "WrongTask" ? await differencesOf() : [];
    throw new RefusedError({ refusal, cause: error, differences: found });
  }
}

/** A call by function and arguments, as viem's actions take it. */
export type CallParameters = EncodeFunctionDataParameters & {
  readonly address: Address;
  readonly account?: Account | Address | null;
  readonly value?: bigint;
};

/** Returns the intent of a call by function and arguments. */
export function intentOf(call: CallParameters, account: Account | Address, chainId: bigint): Intent {
  return {
    from: typeof account === "string" ? account : account.address,
    to: call.address,
    value: call.value ?? 0n,
    data: encodeFunctionData(call),
    chainId,
  };
}

/** Returns where a call by function and arguments differs from a document. */
export async function callDifferences(
  client: Client,
  call: CallParameters,
  document: AttestationDocument,
): Promise<Difference[]> {
  const account = call.account ?? client.account ?? zeroAddress;
  const chainId = await getChainId(client).then(BigInt, () => document.chainId);
  const intent = intentOf(call, account, chainId);
  return taskDifferences(client, { policyClient: call.address, intent, abi: call.abi, document });
}

/** Returns where a task of a client differs from a document. What the node does not answer is not compared. */
export async function taskDifferences(
  client: Client,
  parameters: DifferencesParameters & { readonly policyClient: Address },
): Promise<Difference[]> {
  const { policyClient, ...compared } = parameters;
  const read = { abi: policyClientAbi, address: policyClient } as const;
  const [chainId, taskManager, policy] = await Promise.all([
    getChainId(client).then(BigInt, () => undefined),
    readContract(client, { ...read, functionName: "assentTaskManager" }).catch(() => undefined),
    readContract(client, { ...read, functionName: "assentPolicy" }).catch(() => undefined),
  ]);
  const expected = { chainId, policyClient, taskManager, policyId: policy?.policyId };
  return differences({ ...compared, expected });
}
