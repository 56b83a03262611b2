import {
  type Abi,
  type Account,
  type Address,
  type Client,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type Hex,
  type Transport,
} from "viem";
import { getChainId } from "viem/actions";
import { type Authorization, encodeAuthorization } from "../authorization.js";
import { type AttestationDocument, authorizationOf, parseAttestationDocument } from "../document.js";
import type { Decision } from "../decision.js";
import { GatewayError } from "../errors/gateway.js";
import { InvalidFieldError } from "../errors/invalidField.js";
import { unsignedIn } from "../fields.js";
import type { GatewayAttestedTask, GatewayMethods } from "../gateway/api.js";
import { type Gateway, isOfTheGateway, requestGateway } from "../gateway/request.js";
import { type Intent, intentToJson, taskId } from "../intent.js";
import { type NonceSource, nonceSource } from "../nonces.js";
import { type CallParameters, intentOf } from "./attestedAction.js";

/** How long a gateway waits for a decision, in seconds, before it is asked again. */
const WAIT = 8;
/** The pause before it is asked again, in milliseconds. */
const PAUSE = 250;
/** How often one gateway may say that a request is undecided before the next one is asked. */
const MOST_PENDING = 2;
/** How long an undecided request without an expiration is asked for again, in milliseconds. */
const LONGEST_LIFETIME = 300_000;

/** What is asked of the operators beside the call. */
export type AuthorizationTerms = {
  /**
   * The nonce; without one a new one is chosen, so that a request that another gateway repeats is the same task.
   *
   * Two requests without a nonce are two tasks. To ask again after an error, give the error's nonce.
   */
  readonly nonce?: bigint | undefined;
  /** The first second at which the attestation is no longer valid (Unix time); without one the gateway chooses. */
  readonly expiration?: number | undefined;
};

/** The call to be authorized: an intent, or a function of the protected contract with its arguments. */
export type RequestAuthorizationParameters<
  abi extends Abi | readonly unknown[] = Abi,
  functionName extends ContractFunctionName<abi, "nonpayable" | "payable"> = ContractFunctionName<
    abi,
    "nonpayable" | "payable"
  >,
  args extends ContractFunctionArgs<abi, "nonpayable" | "payable", functionName> = ContractFunctionArgs<
    abi,
    "nonpayable" | "payable",
    functionName
  >,
> = AuthorizationTerms &
  (
    | {
        readonly intent: Intent;
        /** The contract that checks the authorization; the intent's `to` if left out. */
        readonly policyClient?: Address | undefined;
      }
    | {
        readonly intent?: undefined;
        /** The protected contract. */
        readonly address: Address;
        readonly abi: abi;
        readonly functionName: functionName;
        readonly args: args;
        readonly account?: Account | Address | undefined;
        readonly value?: bigint | undefined;
      }
  );

/** What the operators decided. */
export type RequestAuthorizationReturnType = {
  readonly taskId: Hex;
  readonly decision: Decision;
  /** Why the call is denied, as an operator gave it. */
  readonly reasons: readonly string[];
  /** The hash of the evidence, which repeats the decision. */
  readonly evidence: Hex;
  readonly authorization: Authorization;
  readonly document: AttestationDocument;
  /** What the gateway says of the task: who signed, and when. */
  readonly task: GatewayAttestedTask;
};

/**
 * Asks a gateway for the operators' authorization of a call, and waits for their decision.
 *
 * A denial is a decision, not an error. The gateway is not trusted: the contract verifies the authorization.
 * If its answer is not about the request, the next gateway is asked. While a gateway says that there is no decision,
 * it is asked again until the request's expiration, and the next one after the second time.
 *
 * @param client - Client to use, for account and chain
 * @param parameters - The gateway, and the intent or the call
 * @throws {GatewayError} if there is no attestation; {InvalidFieldError} if the gateway's answer is not one
 */
export async function requestAuthorization<
  const abi extends Abi | readonly unknown[],
  functionName extends ContractFunctionName<abi, "nonpayable" | "payable">,
  const args extends ContractFunctionArgs<abi, "nonpayable" | "payable", functionName>,
>(
  client: Client,
  parameters: RequestAuthorizationParameters<abi, functionName, args> & {
    readonly gateway: Gateway;
    /** Where the nonce comes from if none is given. */
    readonly nonces?: NonceSource | undefined;
  },
): Promise<RequestAuthorizationReturnType> {
  const { gateway, expiration, nonces = sharedNonces } = parameters;
  const intent = parameters.intent ?? (await intentOfCall(client, parameters as CallParameters));
  const policyClient = (parameters.intent && parameters.policyClient) ?? intent.to;
  const nonce = unsignedIn("nonce", parameters.nonce ?? nonces(), 256);
  try {
    const request = {
      policyClient,
      intent: JSON.parse(intentToJson(intent)),
      nonce: nonce.toString(),
      ...(expiration === undefined ? {} : { expiration }),
      waitSeconds: WAIT,
    };
    return await decided(gateway, request, (task) => {
      const document = parseAttestationDocument(task.document);
      const authorization = authorizationOf(document);
      requireAsked(task, document, authorization, { policyClient, intent, nonce });
      const { decision, evidence } = document.attestation;
      const { reasons } = task;
      return { taskId: document.attestation.taskId, decision, reasons, evidence, authorization, document, task };
    });
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const { code, reason, retryable, next, taskId, cause } = error;
    throw new GatewayError({ code, message: reason, retryable, next, taskId, nonce, cause });
  }
}

/** The nonces of requests that no source is given for. */
const sharedNonces = nonceSource();

async function intentOfCall(client: Client, call: CallParameters): Promise<Intent> {
  const account = call.account ?? client.account;
  if (account === undefined) {
    throw new InvalidFieldError({ field: "account", problem: "missing: who calls is part of what is authorized" });
  }
  return intentOf(call, account, BigInt(client.chain?.id ?? (await getChainId(client))));
}

/** What is asked of a gateway. */
type Parameters = GatewayMethods["assent_requestAuthorization"]["parameters"];

/** Returns what `read` makes of the attested task. If it takes long, the same request waits for it again. */
async function decided<result>(
  gateway: Gateway,
  parameters: Parameters,
  read: (task: GatewayAttestedTask) => result,
): Promise<result> {
  let gateways = typeof gateway === "string" || typeof gateway === "function" ? [gateway] : [...gateway];
  const { expiration } = parameters;
  const deadline = expiration === undefined ? Date.now() + LONGEST_LIFETIME : expiration * 1000;
  for (let pending = 1; ; pending += 1) {
    try {
      return await firstOf(gateways, parameters, read);
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== "pending" || Date.now() >= deadline) throw error;
      if (pending % MOST_PENDING === 0) gateways = [...gateways.slice(1), ...gateways.slice(0, 1)];
      await new Promise((resolve) => schedule(resolve, PAUSE));
    }
  }
}

/** Returns the first answer that `read` takes. A gateway with another answer is one that gives none. */
async function firstOf<result>(
  gateways: readonly (string | Transport)[],
  parameters: Parameters,
  read: (task: GatewayAttestedTask) => result,
): Promise<result> {
  const task = await requestGateway(gateways, "assent_requestAuthorization", parameters);
  let unread: unknown;
  try {
    return read(task);
  } catch (error) {
    unread = error;
  }
  // Which of them gave the answer is not known.
  for (const gateway of gateways.length > 1 ? gateways : []) {
    try {
      return read(await requestGateway(gateway, "assent_requestAuthorization", parameters));
    } catch (error) {
      if (error instanceof GatewayError && !isOfTheGateway(error)) throw error;
    }
  }
  throw unread;
}

/** Refuses an answer that is not about the request, or whose parts differ. */
function requireAsked(
  task: GatewayAttestedTask,
  document: AttestationDocument,
  authorization: Authorization,
  asked: { readonly policyClient: Address; readonly intent: Intent; readonly nonce: bigint },
): void {
  const { attestation, chainId, taskManager } = document;
  const { policyId } = attestation;
  const expected = taskId({ ...asked, chainId, taskManager, policyId });
  const isAsked =
    chainId === asked.intent.chainId && attestation.taskId === expected && attestation.nonce === asked.nonce;
  const agrees = task.decision === attestation.decision && task.authorization === encodeAuthorization(authorization);
  if (isAsked && agrees) return;
  const message = isAsked ? "its authorization differs from its attestation" : "it answered another request";
  const next = "Ask another gateway: this one is wrong.";
  throw new GatewayError({ code: "unexpected", message, retryable: false, next });
}

/** Browsers and Node have it; the types of neither are here. */
const schedule = (globalThis as unknown as { setTimeout: (run: (value: unknown) => void, wait: number) => void })
  .setTimeout;
