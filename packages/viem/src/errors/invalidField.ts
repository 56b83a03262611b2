import { BaseError } from "viem";

export type InvalidFieldErrorType = InvalidFieldError & { name: "InvalidFieldError" };

/** A value that its field cannot hold. */
export class InvalidFieldError extends BaseError {
  override name = "InvalidFieldError" as const;
  /** The path of the value: `attestation.intent.value`. */
  readonly field: string;
  /** What is wrong with the value. */
  readonly problem: string;

  constructor({ field, problem }: { field: string; problem: string }) {
    super(`${field}: ${problem}`);
    this.field = field;
    this.problem = problem;
  }
}
