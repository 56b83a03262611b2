import { BaseError, type Hex } from "viem";

export type GatewayErrorType = GatewayError & { name: "GatewayError" };

/** A gateway's error: what a program needs to go on, and what a person can do. */
export class GatewayError extends BaseError {
  override name = "GatewayError" as const;
  /** The kind of the reason: docs/gateway.md lists them. `unreachable` if no gateway answered. */
  readonly code: string;
  /** The reason. */
  readonly reason: string;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  /** What to do. */
  readonly next: string;
  /** The task, if there is one. */
  readonly taskId: Hex | undefined;
  /** The nonce of the request, if there is one. The same request with this nonce is the same task. */
  readonly nonce: bigint | undefined;

  constructor(parameters: {
    readonly code: string;
    readonly message: string;
    readonly retryable: boolean;
    readonly next: string;
    readonly taskId?: Hex | undefined;
    readonly nonce?: bigint | undefined;
    readonly cause?: unknown;
  }) {
    const { code, message, retryable, next, taskId, nonce, cause } = parameters;
    super(`The gateway gave no authorization (${code}): ${message.replace(/\.$/, "")}.`, { metaMessages: [next] });
    if (cause instanceof Error) {
      Object.defineProperty(this, "cause", { value: cause, configurable: true, writable: true });
    }
    this.code = code;
    this.reason = message;
    this.retryable = retryable;
    this.next = next;
    this.taskId = taskId;
    this.nonce = nonce;
  }
}
