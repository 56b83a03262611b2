import { BaseError } from "viem";
import type { Refusal } from "../refusal.js";

export type RefusedErrorType = RefusedError & { name: "RefusedError" };

/** A call that the protocol refuses. Its cause is viem's error, with all details of the call. */
export class RefusedError extends BaseError {
  override name = "RefusedError" as const;
  /** The protocol's error, decoded. */
  readonly refusal: Refusal;

  constructor({ refusal, cause }: { refusal: Refusal; cause: unknown }) {
    super(`The call was refused with ${refusal.name}: ${refusal.explanation}.`, {
      ...(cause instanceof Error ? { cause } : {}),
      metaMessages: [refusal.remedy],
    });
    this.refusal = refusal;
  }
}
