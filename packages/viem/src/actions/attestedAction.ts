import type {
  Abi,
  Account,
  Address,
  Chain,
  Client,
  ContractFunctionArgs,
  ContractFunctionName,
  Hash,
  Hex,
  SimulateContractParameters,
  SimulateContractReturnType,
  Transport,
} from "viem";
import type { Authorization } from "../authorization.js";
import { RefusedError } from "../errors/refused.js";
import { decodeRefusal } from "../refusal.js";

/** What an action takes beside viem's parameters of `simulateContract`. */
export type WithAuthorization = {
  /** The authorization, or its bytes. */
  readonly authorization: Authorization | Hex;
  /** The authorization is the suffix. */
  readonly dataSuffix?: never;
};

/** An action on a function under `onlyAttested`: `"simulate"` returns viem's simulation, `"send"` the hash. */
export type AttestedAction<kind extends "simulate" | "send"> = <
  chain extends Chain | undefined,
  account extends Account | undefined,
  const abi extends Abi | readonly unknown[],
  functionName extends ContractFunctionName<abi, "nonpayable" | "payable">,
  const args extends ContractFunctionArgs<abi, "nonpayable" | "payable", functionName>,
  chainOverride extends Chain | undefined = undefined,
  accountOverride extends Account | Address | null | undefined = undefined,
>(
  client: Client<Transport, chain, account>,
  parameters: SimulateContractParameters<abi, functionName, args, chain, chainOverride, accountOverride> &
    WithAuthorization &
    (kind extends "send" ? Missing<"chain", chain, Chain> & Missing<"account", account, Account | Address> : unknown),
) => Promise<
  kind extends "send"
    ? Hash
    : SimulateContractReturnType<abi, functionName, args, chain, account, chainOverride, accountOverride>
>;

/** A parameter that is required if the client has no such value. */
export type Missing<name extends string, own, value> = [own] extends [undefined]
  ? Readonly<Record<name, value>>
  : unknown;

/** Returns the answer. Throws a `RefusedError` in place of an error that carries a refusal. */
export async function orRefusal<answer>(pending: Promise<answer>): Promise<answer> {
  try {
    return await pending;
  } catch (error) {
    const refusal = decodeRefusal(error);
    throw refusal === undefined ? error : new RefusedError({ refusal, cause: error });
  }
}
