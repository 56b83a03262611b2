import { BaseError } from "viem";
import type { Difference } from "../differences.js";
import type { Refusal } from "../refusal.js";

export type RefusedErrorType = RefusedError & { name: "RefusedError" };

/** A call that the protocol refuses. Its cause is viem's error, with all details of the call. */
export class RefusedError extends BaseError {
  override name = "RefusedError" as const;
  /** The protocol's error, decoded. */
  readonly refusal: Refusal;
  /** Where the call differs from what was attested, if the refusal is `WrongTask` and the document was given. */
  readonly differences: readonly Difference[];

  constructor(parameters: { refusal: Refusal; cause: unknown; differences?: readonly Difference[] }) {
    const { refusal, cause, differences = [] } = parameters;
    // With `cause`, viem would link its own page about the action. `cause` is set below.
    super(`The call was refused with ${refusal.name}: ${refusal.explanation}.`, {
      docsBaseUrl: "@assent/viem",
      docsPath: "/README.md",
      docsSlug: "handle-a-refusal",
      metaMessages: [...differences.map(({ sentence }) => sentence), refusal.remedy],
      ...(cause instanceof Error ? { details: cause instanceof BaseError ? cause.details : cause.message } : {}),
    });
    if (cause instanceof Error) {
      Object.defineProperty(this, "cause", { value: cause, configurable: true, writable: true });
    }
    this.refusal = refusal;
    this.differences = differences;
  }
}
