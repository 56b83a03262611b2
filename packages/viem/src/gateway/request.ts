import { BaseError, type Hex, RpcRequestError, type Transport, fallback, http } from "viem";
import { GatewayError } from "../errors/gateway.js";
import type { GatewayMethods } from "./api.js";

/**
 * A gateway: its URL, a viem transport, or several of them, of which the next is asked if one gives no answer.
 *
 * Give several URLs, not a `fallback` of viem: that one also repeats a refusal at every gateway.
 */
export type Gateway = string | Transport | readonly (string | Transport)[];

/** How long a gateway may take to answer, in milliseconds: longer than a request asks it to wait. */
const TIMEOUT = 30_000;

/** Refusals after which another gateway may do what one did not. */
const OF_THE_GATEWAY = ["unavailable", "busy", "rateLimited"];

/**
 * Calls a method of a gateway.
 *
 * @throws {GatewayError} if the gateway answers with an error, or does not answer
 */
export async function requestGateway<method extends keyof GatewayMethods>(
  gateway: Gateway,
  method: method,
  parameters: GatewayMethods[method]["parameters"],
): Promise<GatewayMethods[method]["result"]> {
  const { request } = transportOf(gateway)({});
  try {
    return (await request({ method, params: parameters } as never)) as GatewayMethods[method]["result"];
  } catch (error) {
    throw gatewayError(error);
  }
}

function transportOf(gateway: Gateway): Transport {
  if (typeof gateway === "string") return http(gateway, { timeout: TIMEOUT });
  if (typeof gateway === "function") return gateway;
  const [only, ...others] = gateway;
  if (only !== undefined && others.length === 0) return transportOf(only);
  const transports = gateway.map((one) => transportOf(one));
  return fallback(transports, { shouldThrow: isRefusal });
}

/** Returns whether another gateway would answer the same. */
function isRefusal(error: Error): boolean {
  const answer = answerOf(error);
  return answer !== undefined && !OF_THE_GATEWAY.includes(answer.data.code);
}

/** Returns whether another gateway may do what one did not. */
export function isOfTheGateway({ code }: GatewayError): boolean {
  return OF_THE_GATEWAY.includes(code) || code === "unreachable" || code === "unexpected";
}

function gatewayError(error: unknown): unknown {
  if (!(error instanceof BaseError)) return error;
  const answer = answerOf(error);
  if (answer !== undefined) {
    const { code, retryable, next, taskId } = answer.data;
    return new GatewayError({ code, message: answer.message, retryable, next, taskId, cause: error });
  }
  const next = "Ask another gateway, or compare the URL.";
  return new GatewayError({ code: "unreachable", message: error.shortMessage, retryable: true, next, cause: error });
}

/** Returns what a gateway answered, if it is an error of a gateway. */
function answerOf(error: Error): { readonly message: string; readonly data: ErrorData } | undefined {
  if (!(error instanceof BaseError)) return undefined;
  const answer = error.walk((cause) => cause instanceof RpcRequestError);
  if (!(answer instanceof RpcRequestError)) return undefined;
  const data = answer.data as ErrorData | undefined;
  return typeof data?.code === "string" ? { message: answer.details, data } : undefined;
}

/** What a gateway's error has beside JSON-RPC's members. */
type ErrorData = {
  readonly code: string;
  readonly retryable: boolean;
  readonly next: string;
  readonly taskId?: Hex;
};
