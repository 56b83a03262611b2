import { simulateContract } from "viem/actions";
import { authorizationSuffix } from "../calldata.js";
import {
  type AttestedAction,
  type CallParameters,
  type WithAuthorization,
  authorizationToSend,
  callDifferences,
  orRefusal,
} from "./attestedAction.js";

/**
 * Simulates a call of a function under `onlyAttested`. Its `request` can be given to `writeContract`.
 *
 * @param client - Client to use
 * @param parameters - What viem's `simulateContract` takes, and the authorization or the attestation document
 * @returns What viem's `simulateContract` returns
 * @throws {RefusedError} when the protocol refuses the call; otherwise as viem's `simulateContract`
 */
export const simulateAttested: AttestedAction<"simulate"> = async (client, parameters) => {
  const { authorization, document, ...call } = parameters as unknown as CallParameters & WithAuthorization;
  const dataSuffix = authorizationSuffix(authorizationToSend(parameters));
  return orRefusal(simulateContract(client, { ...call, dataSuffix } as never), async () =>
    document === undefined ? [] : callDifferences(client, call as CallParameters, document),
  ) as never;
};
