import { BaseError } from "viem";

export type MalformedAuthorizationErrorType = MalformedAuthorizationError & { name: "MalformedAuthorizationError" };

/** Bytes that are not an authorization. The contracts refuse them with `MalformedAuthorization()`. */
export class MalformedAuthorizationError extends BaseError {
  override name = "MalformedAuthorizationError" as const;
  /** The field that does not parse. */
  readonly field: string;
  /** The offset of the field, in bytes. */
  readonly offset: number;
  /** What is wrong with the field. */
  readonly problem: string;

  constructor({ field, offset, problem }: { field: string; offset: number; problem: string }) {
    super(`Cannot parse the authorization: ${problem}.`, { metaMessages: [`Field:  ${field}`, `Offset: ${offset}`] });
    this.field = field;
    this.offset = offset;
    this.problem = problem;
  }
}
