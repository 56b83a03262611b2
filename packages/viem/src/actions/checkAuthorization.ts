import type { Address, Client, Hex } from "viem";
import { readContract } from "viem/actions";
import { policyClientAbi } from "../abi.js";
import { type Authorization, encodeAuthorization } from "../authorization.js";
import { asAuthorization } from "../calldata.js";
import { type Intent, checkedIntent } from "../intent.js";
import { type Refusal, decodeRefusal } from "../refusal.js";

export type CheckAuthorizationParameters = {
  /** The protected contract. */
  readonly policyClient: Address;
  /** The call. */
  readonly intent: Intent;
  /** The authorization, or its bytes. */
  readonly authorization: Authorization | Hex;
  /** The caller; the intent's `from` if left out. */
  readonly caller?: Address;
};

export type CheckAuthorizationReturnType =
  | { readonly authorized: true; readonly taskId: Hex }
  | { readonly authorized: false; readonly refusal: Refusal };

/**
 * Asks a protected contract whether an authorization is valid for a call now. A refusal is returned, not thrown.
 *
 * @param client - Client to use
 * @param parameters - {@link CheckAuthorizationParameters}
 * @returns The task id or the refusal. {@link CheckAuthorizationReturnType}
 * @throws viem's error when the node does not answer, or the contract is not a policy client
 */
export async function checkAuthorization(
  client: Client,
  parameters: CheckAuthorizationParameters,
): Promise<CheckAuthorizationReturnType> {
  const { policyClient, intent, authorization, caller = intent.from } = parameters;
  const encoded = encodeAuthorization(asAuthorization(authorization));
  try {
    const taskId = await readContract(client, {
      abi: policyClientAbi,
      address: policyClient,
      functionName: "checkAssentAuthorization",
      args: [checkedIntent(intent), caller, encoded],
    });
    return { authorized: true, taskId };
  } catch (error) {
    const refusal = decodeRefusal(error);
    if (refusal === undefined) throw error;
    return { authorized: false, refusal };
  }
}
