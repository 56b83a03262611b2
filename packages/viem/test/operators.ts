// Operators who sign with @noble/curves: an implementation of BLS12-381 that shares no code with the contracts, nor
// with the Rust crates.
import { bls12_381 } from "@noble/curves/bls12-381";
import { type Hex, concat, hexToBytes, numberToHex } from "viem";

type G1 = ReturnType<typeof bls12_381.G1.ProjectivePoint.fromAffine>;

const SIGNATURE_TAG = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";
const POSSESSION_TAG = "BLS_POP_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";

/** An operator's key: `seed` in each of its 32 bytes. */
export class OperatorKey {
  readonly #secret: bigint;

  constructor(seed: number) {
    this.#secret = BigInt(concat(Array.from({ length: 32 }, () => numberToHex(seed, { size: 1 }))));
  }

  /** A point of G2 in 192 bytes. */
  publicKey(): Hex {
    const { x, y } = bls12_381.G2.ProjectivePoint.BASE.multiply(this.#secret).toAffine();
    return concat([x.c0, x.c1, y.c0, y.c1].map(fieldElement));
  }

  sign(root: Hex): G1 {
    return this.#sign(root, SIGNATURE_TAG);
  }

  provePossession(digest: Hex): Hex {
    return encoded(this.#sign(digest, POSSESSION_TAG));
  }

  #sign(message: Hex, tag: string): G1 {
    const { x, y } = bls12_381.G1.hashToCurve(hexToBytes(message), { DST: tag }).toAffine();
    return bls12_381.G1.ProjectivePoint.fromAffine({ x, y }).multiply(this.#secret);
  }
}

/** The signature of all that signed, in 96 bytes. */
export function aggregate(signatures: readonly G1[]): Hex {
  return encoded(signatures.reduce((sum, signature) => sum.add(signature)));
}

function encoded(point: G1): Hex {
  const { x, y } = point.toAffine();
  return concat([x, y].map(fieldElement));
}

function fieldElement(element: bigint): Hex {
  return numberToHex(element, { size: 48 });
}
