import {
  type Abi,
  type Account,
  type Address,
  BaseError,
  type Chain,
  type Client,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type Hash,
  type Hex,
  type SimulateContractParameters,
  type SimulateContractReturnType,
  type Transport,
} from "viem";
import { readContract, simulateContract, writeContract } from "viem/actions";
import { policyClientAbi } from "./abi.js";
import { type Authorization, encodeAuthorization } from "./authorization.js";
import { asAuthorization, authorizationSuffix } from "./calldata.js";
import { type Intent, checkedIntent } from "./intent.js";
import { type Refusal, decodeRefusal } from "./refusal.js";

/** A call that the protocol refused. The error of viem, with everything it knows of the call, is its cause. */
export class RefusedError extends BaseError {
  constructor(
    /** Why. */
    readonly refusal: Refusal,
    cause: unknown,
  ) {
    super(`The call was refused with ${refusal.name}: ${refusal.explanation}.`, {
      ...(cause instanceof Error ? { cause } : {}),
      metaMessages: [refusal.remedy],
      name: "RefusedError",
    });
  }
}

/** What `checkAuthorization` finds. */
export type Verdict =
  | { readonly authorized: true; readonly taskId: Hex }
  | { readonly authorized: false; readonly refusal: Refusal };

/**
 * Asks a protected contract whether an authorization would let a call through now. A refusal is an answer and not an
 * error; what throws is a node that cannot be asked, or a contract that is none of Assent's.
 */
export async function checkAuthorization(
  client: Client,
  parameters: {
    /** The protected contract. */
    readonly policyClient: Address;
    readonly intent: Intent;
    readonly authorization: Authorization | Hex;
    /** Who would make the call; the intent's `from` when left out. */
    readonly caller?: Address;
  },
): Promise<Verdict> {
  const { policyClient, intent, authorization, caller = intent.from } = parameters;
  const encoded = encodeAuthorization(asAuthorization(authorization));
  try {
    const taskId = await readContract(client, {
      abi: policyClientAbi,
      address: policyClient,
      functionName: "checkAuthorization",
      args: [checkedIntent(intent), caller, encoded],
    });
    return { authorized: true, taskId };
  } catch (error) {
    const refusal = decodeRefusal(error);
    if (refusal === undefined) throw error;
    return { authorized: false, refusal };
  }
}

/** What viem's `simulateContract` takes, and the authorization of the call. */
export type AttestedParameters<
  abi extends Abi | readonly unknown[],
  functionName extends ContractFunctionName<abi, "nonpayable" | "payable">,
  args extends ContractFunctionArgs<abi, "nonpayable" | "payable", functionName>,
  chain extends Chain | undefined,
  chainOverride extends Chain | undefined,
  accountOverride extends Account | Address | null | undefined,
> = SimulateContractParameters<abi, functionName, args, chain, chainOverride, accountOverride> & {
  readonly authorization: Authorization | Hex;
  /** The authorization stands there. */
  readonly dataSuffix?: never;
};

/**
 * Calls a function under `onlyAttested` without sending anything. `request` can be given to `writeContract`.
 *
 * @throws {RefusedError} when the protocol refuses it, and otherwise as viem's `simulateContract` does.
 */
export async function simulateAttested<
  chain extends Chain | undefined,
  account extends Account | undefined,
  const abi extends Abi | readonly unknown[],
  functionName extends ContractFunctionName<abi, "nonpayable" | "payable">,
  const args extends ContractFunctionArgs<abi, "nonpayable" | "payable", functionName>,
  chainOverride extends Chain | undefined = undefined,
  accountOverride extends Account | Address | null | undefined = undefined,
>(
  client: Client<Transport, chain, account>,
  parameters: AttestedParameters<abi, functionName, args, chain, chainOverride, accountOverride>,
): Promise<SimulateContractReturnType<abi, functionName, args, chain, account, chainOverride, accountOverride>> {
  const { authorization, ...call } = parameters;
  const dataSuffix = authorizationSuffix(authorization);
  return orRefusal(simulateContract(client, { ...call, dataSuffix } as never)) as never;
}

/**
 * Calls a function under `onlyAttested`: simulates the call and, only if it would go through, sends it.
 *
 * @returns the transaction's hash. Between simulation and block something may change: read the receipt.
 * @throws {RefusedError} when the protocol refuses it, and otherwise as viem's `writeContract` does.
 */
export async function sendAttested<
  chain extends Chain | undefined,
  account extends Account | undefined,
  const abi extends Abi | readonly unknown[],
  functionName extends ContractFunctionName<abi, "nonpayable" | "payable">,
  const args extends ContractFunctionArgs<abi, "nonpayable" | "payable", functionName>,
  chainOverride extends Chain | undefined = undefined,
  accountOverride extends Account | Address | null | undefined = undefined,
>(
  client: Client<Transport, chain, account>,
  parameters: AttestedParameters<abi, functionName, args, chain, chainOverride, accountOverride> &
    Given<"chain", chain, Chain> &
    Given<"account", account, Account | Address>,
): Promise<Hash> {
  const { request } = await simulateAttested(client, parameters as never);
  return orRefusal(writeContract(client, request as never));
}

/** A parameter that must be given where the client has none of its own. */
export type Given<name extends string, own, value> = [own] extends [undefined]
  ? Readonly<Record<name, value>>
  : unknown;

async function orRefusal<result>(answer: Promise<result>): Promise<result> {
  try {
    return await answer;
  } catch (error) {
    const refusal = decodeRefusal(error);
    throw refusal === undefined ? error : new RefusedError(refusal, error);
  }
}
