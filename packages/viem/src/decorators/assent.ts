import type { Abi, Account, Chain, Client, ContractFunctionArgs, ContractFunctionName, Transport } from "viem";
import type {
  BoundAttestedAction,
  CallParameters,
  GivenAuthorization,
  WithAuthorization,
  WithOptionalAuthorization,
} from "../actions/attestedAction.js";
import {
  type CheckAuthorizationParameters,
  type CheckAuthorizationReturnType,
  checkAuthorization,
} from "../actions/checkAuthorization.js";
import { type ReadPolicyParameters, type ReadPolicyReturnType, readPolicy } from "../actions/readPolicy.js";
import {
  type RequestAuthorizationParameters,
  type RequestAuthorizationReturnType,
  requestAuthorization,
} from "../actions/requestAuthorization.js";
import { sendAttested } from "../actions/sendAttested.js";
import { sendAttestedAndWait } from "../actions/sendAttestedAndWait.js";
import { simulateAttested } from "../actions/simulateAttested.js";
import { DeniedError } from "../errors/denied.js";
import type { Gateway } from "../gateway/request.js";
import { nonceSource } from "../nonces.js";

/** The actions of a client that is extended with `assentActions()`. */
export type AssentActions<
  chain extends Chain | undefined = Chain | undefined,
  account extends Account | undefined = Account | undefined,
  given = WithAuthorization,
> = {
  /** Asks a protected contract whether an authorization is valid for a call now. */
  readonly checkAuthorization: (parameters: CheckAuthorizationParameters) => Promise<CheckAuthorizationReturnType>;
  /** Reads the policy that a protected contract is bound to. */
  readonly readPolicy: (parameters: ReadPolicyParameters) => Promise<ReadPolicyReturnType | undefined>;
  /** Calls a function under `onlyAttested`: simulates the call and sends it only if it succeeds. */
  readonly sendAttested: BoundAttestedAction<"send", chain, account, given>;
  /** Does what `sendAttested` does, and waits until the call is mined. */
  readonly sendAttestedAndWait: BoundAttestedAction<"wait", chain, account, given>;
  /** Simulates a call of a function under `onlyAttested`. */
  readonly simulateAttested: BoundAttestedAction<"simulate", chain, account>;
};

/** The actions of a client that is extended with `assentActions({ gateway })`. */
export type AssentGatewayActions<
  chain extends Chain | undefined = Chain | undefined,
  account extends Account | undefined = Account | undefined,
> = AssentActions<chain, account, WithOptionalAuthorization> & {
  /** Asks the gateway for the operators' authorization of a call, and waits for their decision. */
  readonly requestAuthorization: <
    const abi extends Abi | readonly unknown[],
    functionName extends ContractFunctionName<abi, "nonpayable" | "payable">,
    const args extends ContractFunctionArgs<abi, "nonpayable" | "payable", functionName>,
  >(
    parameters: RequestAuthorizationParameters<abi, functionName, args>,
  ) => Promise<RequestAuthorizationReturnType>;
};

/** The extension without a gateway. */
type Extension = <chain extends Chain | undefined, account extends Account | undefined>(
  client: Client<Transport, chain, account>,
) => AssentActions<chain, account>;

/** The extension with a gateway. */
type GatewayExtension = <chain extends Chain | undefined, account extends Account | undefined>(
  client: Client<Transport, chain, account>,
) => AssentGatewayActions<chain, account>;

/**
 * Returns an extension with this package's actions: `createWalletClient(…).extend(assentActions())`.
 *
 * With a gateway, `sendAttested` asks it for the authorization if none is given, and `requestAuthorization` is there.
 */
export function assentActions(parameters: { readonly gateway: Gateway }): GatewayExtension;
export function assentActions(): Extension;
export function assentActions(parameters?: { readonly gateway: Gateway }): Extension | GatewayExtension {
  if (parameters === undefined) return (client) => actionsOf(client);
  const { gateway } = parameters;
  return (client) => {
    const nonces = nonceSource();
    const request = (call: object) => requestAuthorization(client, { nonces, ...call, gateway } as never);
    /** Asks for the authorization, unless one is given. */
    const authorized = async (parameters: CallParameters & Partial<GivenAuthorization>) => {
      if (parameters.authorization !== undefined || parameters.document !== undefined) return parameters;
      const { address, abi, functionName, args, account, value } = parameters;
      // Not viem's nonce, which is the transaction's.
      const { decision, document, reasons } = await request({ address, abi, functionName, args, account, value });
      if (decision === "deny") throw new DeniedError({ document, reasons });
      return { ...parameters, document };
    };
    type Parameters = CallParameters & Partial<GivenAuthorization>;
    return {
      ...actionsOf(client),
      requestAuthorization: request,
      sendAttested: async (parameters: Parameters) => sendAttested(client, (await authorized(parameters)) as never),
      sendAttestedAndWait: async (parameters: Parameters) =>
        sendAttestedAndWait(client, (await authorized(parameters)) as never),
    } as never;
  };
}

function actionsOf<chain extends Chain | undefined, account extends Account | undefined>(
  client: Client<Transport, chain, account>,
): AssentActions<chain, account> {
  return {
    checkAuthorization: (parameters) => checkAuthorization(client, parameters),
    readPolicy: (parameters) => readPolicy(client, parameters),
    sendAttested: (parameters) => sendAttested(client, parameters as never),
    sendAttestedAndWait: (parameters) => sendAttestedAndWait(client, parameters as never),
    simulateAttested: (parameters) => simulateAttested(client, parameters as never) as never,
  };
}
