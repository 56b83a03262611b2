import { writeContract } from "viem/actions";
import { type AttestedAction, orRefusal } from "./attestedAction.js";
import { simulateAttested } from "./simulateAttested.js";

/**
 * Calls a function under `onlyAttested`: simulates the call and sends it only if it succeeds.
 *
 * Chain state can change between simulation and block: read the receipt.
 *
 * @param client - Client to use
 * @param parameters - What viem's `simulateContract` takes, and the authorization or the attestation document
 * @returns The transaction's hash
 * @throws {RefusedError} when the protocol refuses the call; otherwise as viem's `writeContract`
 */
export const sendAttested: AttestedAction<"send"> = async (client, parameters) => {
  const { request } = await simulateAttested(client, parameters as never);
  return orRefusal(writeContract(client, request as never));
};
