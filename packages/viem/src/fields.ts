import { type Address, type Hex, getAddress } from "viem";
import { InvalidFieldError } from "./errors/invalidField.js";

/** Returns whole bytes in lower-case hex; of exactly `length` bytes if it is given. */
export function bytesIn(field: string, value: unknown, length?: number): Hex {
  if (typeof value !== "string" || !/^0x([0-9a-f]{2})*$/i.test(value)) {
    throw new InvalidFieldError({ field, problem: `${shown(value)} is not hex: give 0x and two digits for each byte` });
  }
  const actual = (value.length - 2) / 2;
  if (length !== undefined && actual !== length) {
    throw new InvalidFieldError({ field, problem: `${actual} bytes, expected ${length}` });
  }
  return value.toLowerCase() as Hex;
}

/** Returns an address with its checksum. Letters of both cases must match it; letters of one case carry none. */
export function addressIn(field: string, value: unknown): Address {
  const address = getAddress(bytesIn(field, value, 20));
  const digits = (value as string).slice(2);
  const oneCase = digits === digits.toLowerCase() || digits === digits.toUpperCase();
  if (!oneCase && digits !== address.slice(2)) {
    const problem =
      `the capital letters of ${shown(value)} do not match its checksum (EIP-55), so a digit may be mistyped; ` +
      `if every digit is right, write ${address}`;
    throw new InvalidFieldError({ field, problem });
  }
  return address;
}

/** Returns a whole number of at most `bits` bits. */
export function unsignedIn(field: string, value: unknown, bits: number): bigint {
  if (typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    const problem = `${value} is above 2^53, where a number loses digits: write it as a string or a bigint`;
    throw new InvalidFieldError({ field, problem });
  }
  if (typeof value !== "bigint" && !(typeof value === "number" && Number.isInteger(value))) {
    throw new InvalidFieldError({ field, problem: `${shown(value)} is not a whole number` });
  }
  const number = BigInt(value);
  if (number < 0n || number >= 1n << BigInt(bits)) {
    throw new InvalidFieldError({ field, problem: `${number} does not fit uint${bits}` });
  }
  return number;
}

/** Returns a list; of at most `most` entries if that is given. */
export function listIn(field: string, value: unknown, most = Infinity): readonly unknown[] {
  if (!Array.isArray(value)) throw new InvalidFieldError({ field, problem: `${shown(value)} is not a list` });
  if (value.length > most) {
    throw new InvalidFieldError({ field, problem: `${value.length} entries, expected at most ${most}` });
  }
  return value;
}

/** Returns a value for an error's message: at most one line. */
export function shown(value: unknown): string {
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
