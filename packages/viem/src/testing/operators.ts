import { bls12_381 } from "@noble/curves/bls12-381";
import { type Hex, concat, hexToBytes, numberToHex } from "viem";
import { bytesIn, unsignedIn } from "../fields.js";

type G1 = ReturnType<typeof bls12_381.G1.ProjectivePoint.fromAffine>;

const SIGNATURE_TAG = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";
const POSSESSION_TAG = "BLS_POP_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";

/**
 * An operator of a test. Its signatures are real.
 *
 * Warning: anyone can derive its key. Never register it on a chain with value.
 */
export class TestOperator {
  readonly #secret: bigint;

  /** The secret key is 32 bytes, each of them the seed: 1 to 115. */
  constructor(seed: number) {
    const byte = numberToHex(unsignedIn("seed", seed, 8), { size: 1 });
    this.#secret = BigInt(concat(Array.from({ length: 32 }, () => byte)));
  }

  /** Returns the public key, as `registerOperator` takes it: a point of G2 in 192 bytes. */
  publicKey(): Hex {
    const { x, y } = bls12_381.G2.ProjectivePoint.BASE.multiply(this.#secret).toAffine();
    return concat([x.c0, x.c1, y.c0, y.c1].map(fieldElement));
  }

  /** Returns the signature of a root: a point of G1 in 96 bytes. */
  sign(root: Hex): Hex {
    return this.#sign(bytesIn("root", root, 32), SIGNATURE_TAG);
  }

  /** Returns the proof of possession with which the operator registers its key. */
  provePossession(digest: Hex): Hex {
    return this.#sign(bytesIn("digest", digest, 32), POSSESSION_TAG);
  }

  #sign(message: Hex, tag: string): Hex {
    const { x, y } = bls12_381.G1.hashToCurve(hexToBytes(message), { DST: tag }).toAffine();
    return encoded(bls12_381.G1.ProjectivePoint.fromAffine({ x, y }).multiply(this.#secret));
  }
}

/** Returns the aggregate of signatures of the same root, in 96 bytes. */
export function aggregateSignatures(signatures: readonly Hex[]): Hex {
  const points = signatures.map((signature, index) => decoded(bytesIn(`signatures[${index}]`, signature, 96)));
  return encoded(points.reduce((sum, point) => sum.add(point)));
}

function decoded(signature: Hex): G1 {
  const [x, y] = [BigInt(signature.slice(0, 98)), BigInt(`0x${signature.slice(98)}`)];
  return bls12_381.G1.ProjectivePoint.fromAffine({ x, y });
}

function encoded(point: G1): Hex {
  const { x, y } = point.toAffine();
  return concat([x, y].map(fieldElement));
}

function fieldElement(element: bigint): Hex {
  return numberToHex(element, { size: 48 });
}
