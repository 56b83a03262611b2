import { InvalidFieldError } from "./errors/invalidField.js";
import { shown } from "./fields.js";

/** The operators' decision. */
export type Decision = "allow" | "deny";

/** The byte of each decision, as it is signed. */
export const decisionByte = { deny: 0, allow: 1 } as const satisfies Record<Decision, number>;

/** Returns the value if it is a decision. */
export function decisionIn(field: string, value: unknown): Decision {
  if (value !== "allow" && value !== "deny") {
    throw new InvalidFieldError({ field, problem: `${shown(value)} is neither "allow" nor "deny"` });
  }
  return value;
}
