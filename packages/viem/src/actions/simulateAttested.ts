import { simulateContract } from "viem/actions";
import { authorizationSuffix } from "../calldata.js";
import { type AttestedAction, orRefusal } from "./attestedAction.js";

/**
 * Simulates a call of a function under `onlyAttested`. Its `request` can be given to `writeContract`.
 *
 * @param client - Client to use
 * @param parameters - What viem's `simulateContract` takes, and the authorization
 * @returns What viem's `simulateContract` returns
 * @throws {RefusedError} when the protocol refuses the call; otherwise as viem's `simulateContract`
 */
export const simulateAttested: AttestedAction<"simulate"> = async (client, parameters) => {
  const { authorization, ...call } = parameters;
  const dataSuffix = authorizationSuffix(authorization);
  return orRefusal(simulateContract(client, { ...call, dataSuffix } as never)) as never;
};
