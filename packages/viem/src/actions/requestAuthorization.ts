import {
  type Abi,
  type Account,
  type Address,
  type Client,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type EncodeFunctionDataParameters,
  type Hex,
  encodeFunctionData,
} from "viem";
import { getChainId } from "viem/actions";
import type { Authorization } from "../authorization.js";
import { type AttestationDocument, authorizationOf, parseAttestationDocument } from "../document.js";
import type { Decision } from "../decision.js";
import { GatewayError } from "../errors/gateway.js";
import { InvalidFieldError } from "../errors/invalidField.js";
import { unsignedIn } from "../fields.js";
import type { GatewayAttestedTask, GatewayTask } from "../gateway/api.js";
import { type Gateway, requestGateway } from "../gateway/request.js";
import { type Intent, intentToJson } from "../intent.js";

/** How long a gateway waits for a decision, in seconds, before it is asked again. */
const WAIT = 8;
/** How often a task that takes longer is asked for, in milliseconds. */
const INTERVAL = 1_000;

/** What is asked of the operators beside the call. */
export type AuthorizationTerms = {
  /** The nonce; without one the gateway chooses. */
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
  parameters: RequestAuthorizationParameters<abi, functionName, args> & { readonly gateway: Gateway },
): Promise<RequestAuthorizationReturnType> {
  const { gateway, nonce, expiration } = parameters;
  const intent = parameters.intent ?? (await intentOf(client, parameters as CallByName));
  const policyClient = (parameters.intent && parameters.policyClient) ?? intent.to;
  const task = await decided(gateway, {
    policyClient,
    intent: JSON.parse(intentToJson(intent)),
    ...(nonce === undefined ? {} : { nonce: unsignedIn("nonce", nonce, 256).toString() }),
    ...(expiration === undefined ? {} : { expiration }),
    waitSeconds: WAIT,
  });
  const document = parseAttestationDocument(task.document);
  return {
    taskId: document.attestation.taskId,
    decision: document.attestation.decision,
    reasons: task.reasons,
    evidence: document.attestation.evidence,
    authorization: authorizationOf(document),
    document,
    task,
  };
}

type CallByName = EncodeFunctionDataParameters & {
  readonly address: Address;
  readonly account?: Account | Address | undefined;
  readonly value?: bigint | undefined;
};

async function intentOf(client: Client, call: CallByName): Promise<Intent> {
  const account = call.account ?? client.account;
  if (account === undefined) {
    throw new InvalidFieldError({ field: "account", problem: "missing: who calls is part of what is authorized" });
  }
  return {
    from: typeof account === "string" ? account : account.address,
    to: call.address,
    value: call.value ?? 0n,
    data: encodeFunctionData(call),
    chainId: BigInt(client.chain?.id ?? (await getChainId(client))),
  };
}

/** Returns the attested task. One that takes long is asked for until it ends. */
async function decided(
  gateway: Gateway,
  parameters: Parameters<typeof requestGateway<"assent_requestAuthorization">>[2],
): Promise<GatewayAttestedTask> {
  try {
    return await requestGateway(gateway, "assent_requestAuthorization", parameters);
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== "pending" || error.taskId === undefined) throw error;
    return await ended(gateway, error.taskId);
  }
}

async function ended(gateway: Gateway, taskId: Hex): Promise<GatewayAttestedTask> {
  for (;;) {
    const task: GatewayTask = await requestGateway(gateway, "assent_getTask", { taskId });
    if (task.status === "attested") return task;
    if (task.status === "failed") throw new GatewayError({ ...task.failure, taskId });
    await new Promise((resolve) => schedule(resolve, INTERVAL));
  }
}

/** Browsers and Node have it; the types of neither are here. */
const schedule = (globalThis as unknown as { setTimeout: (run: (value: unknown) => void, wait: number) => void })
  .setTimeout;
