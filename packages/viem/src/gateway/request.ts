import { BaseError, type Hex, RpcRequestError, type Transport, http } from "viem";
import { GatewayError } from "../errors/gateway.js";
import type { GatewayMethods } from "./api.js";

/**
 * A gateway: its URL, or a viem transport.
 *
 * `fallback([http(one), http(other)])` asks another gateway if one gives no answer.
 */
export type Gateway = string | Transport;

/** How long a gateway may take to answer, in milliseconds: longer than a request asks it to wait. */
const TIMEOUT = 30_000;

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
  const transport = typeof gateway === "string" ? http(gateway, { timeout: TIMEOUT }) : gateway;
  const { request } = transport({});
  try {
    return (await request({ method, params: parameters } as never)) as GatewayMethods[method]["result"];
  } catch (error) {
    throw gatewayError(error);
  }
}

function gatewayError(error: unknown): unknown {
  if (!(error instanceof BaseError)) return error;
  const answer = error.walk((cause) => cause instanceof RpcRequestError);
  const data = answer instanceof RpcRequestError ? (answer.data as ErrorData | undefined) : undefined;
  if (data !== undefined && typeof data.code === "string" && answer instanceof RpcRequestError) {
    const { code, retryable, next, taskId } = data;
    return new GatewayError({ code, message: answer.details, retryable, next, taskId, cause: error });
  }
  const next = "Ask another gateway, or compare the URL.";
  return new GatewayError({ code: "unreachable", message: error.shortMessage, retryable: true, next, cause: error });
}

/** What a gateway's error has beside JSON-RPC's members. */
type ErrorData = {
  readonly code: string;
  readonly retryable: boolean;
  readonly next: string;
  readonly taskId?: Hex;
};
