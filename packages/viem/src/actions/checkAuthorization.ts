import type { Abi, Address, Client, Hex } from "viem";
import { readContract } from "viem/actions";
import { policyClientAbi } from "../abi.js";
import { encodeAuthorization } from "../authorization.js";
import type { Difference } from "../differences.js";
import { type Intent, checkedIntent } from "../intent.js";
import { type Refusal, decodeRefusal } from "../refusal.js";
import { type GivenAuthorization, authorizationToSend, taskDifferences } from "./attestedAction.js";

export type CheckAuthorizationParameters = GivenAuthorization & {
  /** The protected contract. */
  readonly policyClient: Address;
  /** The call. */
  readonly intent: Intent;
  /** The caller; the intent's `from` if left out. */
  readonly caller?: Address;
  /** The ABI of the called function: names the arguments that differ. */
  readonly abi?: Abi | readonly unknown[];
};

export type CheckAuthorizationReturnType =
  | { readonly authorized: true; readonly taskId: Hex }
  | {
      readonly authorized: false;
      readonly refusal: Refusal;
      /** Where the call differs from what was attested, if the refusal is `WrongTask` and the document was given. */
      readonly differences: readonly Difference[];
    };

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
  const { policyClient, intent, document, abi, caller = intent.from } = parameters;
  const encoded = encodeAuthorization(authorizationToSend(parameters));
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
    const explained = refusal.name === "WrongTask" && document !== undefined;
    const differences = explained ? await taskDifferences(client, { policyClient, intent, document, abi }) : [];
    return { authorized: false, refusal, differences };
  }
}
