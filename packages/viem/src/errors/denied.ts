import { BaseError, type Hex } from "viem";
import type { AttestationDocument } from "../document.js";
import { guidance } from "../guidance.js";

export type DeniedErrorType = DeniedError & { name: "DeniedError" };

/** A call that the operators deny. Nothing was sent. */
export class DeniedError extends BaseError {
  override name = "DeniedError" as const;
  /** The task. */
  readonly taskId: Hex;
  /** Why, as an operator gave it; the evidence has the reasons signed. */
  readonly reasons: readonly string[];
  /** What to do. */
  readonly next: string;
  /** The attestation of the denial. */
  readonly document: AttestationDocument;

  constructor({ reasons, document }: { reasons: readonly string[]; document: AttestationDocument }) {
    const { remedy } = guidance.PolicyDenied;
    super("The operators deny the call.", { metaMessages: [...reasons.map((reason) => `- ${reason}`), remedy] });
    this.next = remedy;
    this.taskId = document.attestation.taskId;
    this.reasons = reasons;
    this.document = document;
  }
}
