import { InvalidFieldError, shown } from "./fields.js";

/** What the operators found. */
export type Decision = "allow" | "deny";

/** The byte for each decision, as it is signed. */
export const decisionByte = { deny: 0, allow: 1 } as const satisfies Record<Decision, number>;

/** One of the two decisions. */
export function decisionIn(field: string, value: unknown): Decision {
  if (value !== "allow" && value !== "deny") {
    throw new InvalidFieldError(field, `${shown(value)} is neither "allow" nor "deny"`);
  }
  return value;
}
