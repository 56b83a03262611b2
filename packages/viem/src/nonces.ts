import { bytesToBigInt } from "viem";
import { unsignedIn } from "./fields.js";

export type NoncePositionReturnType = {
  /** The index of the word in `spentNonces(policyClient, word)`. */
  readonly word: bigint;
  /** The mask of the nonce's bit, as `burnNonces` takes it. */
  readonly mask: bigint;
};

/** Returns the word and the mask that mark a nonce. */
export function noncePosition(nonce: bigint): NoncePositionReturnType {
  const checked = unsignedIn("nonce", nonce, 256);
  return { word: checked >> 8n, mask: 1n << (checked & 0xffn) };
}

/** Chooses nonces for a client's requests. */
export type NonceSource = () => bigint;

/** The nonces whose bits share a storage slot. */
const NONCES_OF_A_WORD = 256n;

/**
 * Returns a source of nonces: the next of 256 that share a storage slot, so that spending them is cheap.
 *
 * A random number names the slot, so that two sources do not meet.
 */
export function nonceSource(): NonceSource {
  let next = 0n;
  let left = 0n;
  return () => {
    if (left === 0n) {
      next = bytesToBigInt(random(32)) & ~(NONCES_OF_A_WORD - 1n);
      left = NONCES_OF_A_WORD;
    }
    const nonce = next;
    next += 1n;
    left -= 1n;
    return nonce;
  };
}

/** Browsers and Node have it; the types of neither are here. */
type WithCrypto = { readonly crypto: { readonly getRandomValues: (bytes: Uint8Array) => Uint8Array } };

function random(length: number): Uint8Array {
  return (globalThis as unknown as WithCrypto).crypto.getRandomValues(new Uint8Array(length));
}
