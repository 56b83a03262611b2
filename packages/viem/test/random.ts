// Random values that are the same in every run.
import { type Hex, keccak256, numberToHex, stringToHex } from "viem";

export class Random {
  #state: Hex;

  constructor(seed: string) {
    this.#state = keccak256(stringToHex(seed));
  }

  /** Of `length` bytes. */
  bytes(length: number): Hex {
    let digits = "";
    while (digits.length < 2 * length) {
      this.#state = keccak256(this.#state);
      digits += this.#state.slice(2);
    }
    return `0x${digits.slice(0, 2 * length)}`;
  }

  /** Of `bits` bits, a whole number of bytes; now and then the least or the greatest. */
  unsigned(bits: number): bigint {
    const extreme = this.below(8);
    if (extreme === 0) return 0n;
    if (extreme === 1) return (1n << BigInt(bits)) - 1n;
    return BigInt(this.bytes(bits / 8));
  }

  below(limit: number): number {
    return Number(BigInt(this.bytes(6)) % BigInt(limit));
  }

  list<item>(length: number, make: () => item): item[] {
    return Array.from({ length }, make);
  }

  address(): Hex {
    return numberToHex(this.unsigned(160), { size: 20 });
  }
}
