import { unsignedIn } from "./fields.js";

/** The word of `spentNonces(policyClient, word)` that marks a nonce, and the mask of its bit, as in `burnNonces`. */
export type NoncePlace = { readonly word: bigint; readonly mask: bigint };

/** Where a nonce is marked. */
export function noncePlace(nonce: bigint): NoncePlace {
  const checked = unsignedIn("nonce", nonce, 256);
  return { word: checked >> 8n, mask: 1n << (checked & 0xffn) };
}
