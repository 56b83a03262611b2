import { BaseError, type Hex } from "viem";

export type GatewayErrorType = GatewayError & { name: "GatewayError" };

/** A gateway's error: what a program needs to go on, and what a person can do. */
export class GatewayError extends BaseError {
  override name = "GatewayError" as const;
  /** The kind of the reason: docs/gateway.md lists them. `unreachable` if no gateway answered. */
  readonly code: string;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  /** The task, if there is one. */
  readonly taskId: Hex | undefined;

  constructor(parameters: {
    readonly code: string;
    readonly message: string;
    readonly retryable: boolean;
    readonly next: string;
    readonly taskId?: Hex | undefined;
    readonly cause?: unknown;
  }) {
    const { code, message, retryable, next, taskId, cause } = parameters;
    super(`The gateway gave no authorization (${code}): ${message}.`, { metaMessages: [next] });
    if (cause instanceof Error) {
      Object.defineProperty(this, "cause", { value: cause, configurable: true, writable: true });
    }
    this.code = code;
    this.retryable = retryable;
    this.taskId = taskId;
  }
}
