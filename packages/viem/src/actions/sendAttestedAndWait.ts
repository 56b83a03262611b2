import { BaseError } from "viem";
import { waitForTransactionReceipt } from "viem/actions";
import type { AttestedAction } from "./attestedAction.js";
import { sendAttested } from "./sendAttested.js";
import { simulateAttested } from "./simulateAttested.js";

/**
 * Calls a function under `onlyAttested`, and waits until the call is mined.
 *
 * @param client - Client to use
 * @param parameters - What viem's `simulateContract` takes, and the authorization or the attestation document
 * @returns The transaction's receipt, whose status is `success`
 * @throws {RefusedError} when the protocol refuses the call, before it is sent or in its block; otherwise as viem's
 * `writeContract`
 */
export const sendAttestedAndWait: AttestedAction<"wait"> = async (client, parameters) => {
  const hash = await sendAttested(client, parameters as never);
  const receipt = await waitForTransactionReceipt(client, { hash });
  if (receipt.status === "success") return receipt;
  // A receipt has no reason. In the state behind its block, the same call is refused for the same one.
  await simulateAttested(client, { ...parameters, blockNumber: receipt.blockNumber } as never);
  throw new BaseError(`The transaction ${hash} is mined, but it reverted.`);
};
