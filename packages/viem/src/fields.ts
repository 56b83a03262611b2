import { type Address, type Hex, getAddress, isAddress } from "viem";

/** A value that its field cannot hold. */
export class InvalidFieldError extends Error {
  override readonly name = "InvalidFieldError";

  constructor(
    /** Which value, as a path: `attestation.intent.value`. */
    readonly field: string,
    /** What is wrong with it. */
    readonly problem: string,
  ) {
    super(`${field}: ${problem}`);
  }
}

/** Whole bytes in hex, in lower case; of exactly `length` bytes where it is given. */
export function bytesIn(field: string, value: unknown, length?: number): Hex {
  if (typeof value !== "string" || !/^0x([0-9a-f]{2})*$/i.test(value)) {
    throw new InvalidFieldError(field, `${shown(value)} is not bytes in hex, with 0x and two digits for each`);
  }
  const actual = (value.length - 2) / 2;
  if (length !== undefined && actual !== length) {
    throw new InvalidFieldError(field, `${actual} bytes, and it takes ${length}`);
  }
  return value.toLowerCase() as Hex;
}

/** An address with its checksum. Where it is written in both cases, the checksum must hold: it tells a typing error. */
export function addressIn(field: string, value: unknown): Address {
  bytesIn(field, value, 20);
  if (!isAddress(value as string)) {
    throw new InvalidFieldError(field, `the checksum of ${shown(value)} does not hold: is a character mistyped?`);
  }
  return getAddress(value as string);
}

/** A whole number of at most `bits` bits. */
export function unsignedIn(field: string, value: unknown, bits: number): bigint {
  if (typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    const problem = `${value} is above 2^53, where a number loses digits: write it as a string or a bigint`;
    throw new InvalidFieldError(field, problem);
  }
  if (typeof value !== "bigint" && !(typeof value === "number" && Number.isInteger(value))) {
    throw new InvalidFieldError(field, `${shown(value)} is not a whole number`);
  }
  const number = BigInt(value);
  if (number < 0n || number >= 1n << BigInt(bits)) {
    throw new InvalidFieldError(field, `${number} does not fit ${bits} bits without a sign`);
  }
  return number;
}

/** A list, of at most `most` entries where that is given. */
export function listIn(field: string, value: unknown, most = Infinity): readonly unknown[] {
  if (!Array.isArray(value)) throw new InvalidFieldError(field, `${shown(value)} is not a list`);
  if (value.length > most) throw new InvalidFieldError(field, `${value.length} entries, and it takes ${most} at most`);
  return value;
}

/** A value in an error's message: never longer than a line. */
export function shown(value: unknown): string {
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
