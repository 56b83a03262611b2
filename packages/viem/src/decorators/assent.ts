import type { Account, Chain, Client, Transport } from "viem";
import type { BoundAttestedAction } from "../actions/attestedAction.js";
import {
  type CheckAuthorizationParameters,
  type CheckAuthorizationReturnType,
  checkAuthorization,
} from "../actions/checkAuthorization.js";
import { type ReadPolicyParameters, type ReadPolicyReturnType, readPolicy } from "../actions/readPolicy.js";
import { sendAttested } from "../actions/sendAttested.js";
import { simulateAttested } from "../actions/simulateAttested.js";

/** The actions of a client that is extended with `assentActions()`. */
export type AssentActions<
  chain extends Chain | undefined = Chain | undefined,
  account extends Account | undefined = Account | undefined,
> = {
  /** Asks a protected contract whether an authorization is valid for a call now. */
  readonly checkAuthorization: (parameters: CheckAuthorizationParameters) => Promise<CheckAuthorizationReturnType>;
  /** Reads the policy that a protected contract is bound to. */
  readonly readPolicy: (parameters: ReadPolicyParameters) => Promise<ReadPolicyReturnType | undefined>;
  /** Calls a function under `onlyAttested`: simulates the call and sends it only if it succeeds. */
  readonly sendAttested: BoundAttestedAction<"send", chain, account>;
  /** Simulates a call of a function under `onlyAttested`. */
  readonly simulateAttested: BoundAttestedAction<"simulate", chain, account>;
};

/** Returns an extension with this package's actions: `createWalletClient(…).extend(assentActions())`. */
export function assentActions() {
  return <chain extends Chain | undefined, account extends Account | undefined>(
    client: Client<Transport, chain, account>,
  ): AssentActions<chain, account> => ({
    checkAuthorization: (parameters) => checkAuthorization(client, parameters),
    readPolicy: (parameters) => readPolicy(client, parameters),
    sendAttested: (parameters) => sendAttested(client, parameters as never),
    simulateAttested: (parameters) => simulateAttested(client, parameters as never) as never,
  });
}
