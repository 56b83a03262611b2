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
