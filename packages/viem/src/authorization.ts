import { type Hex, concat, numberToHex } from "viem";
import { MAX_PROOF_LENGTH } from "./attestation.js";
import { type Decision, decisionByte, decisionIn } from "./decision.js";
import { InvalidFieldError, bytesIn, listIn, unsignedIn } from "./fields.js";

/** What travels with a call: the attestation's fields that the call does not fix, and a proof that a quorum signed. */
export type Authorization = DirectAuthorization | RecordedAuthorization;

/** One that carries the operators' signature. */
export type DirectAuthorization = AttestedFields & {
  readonly kind: "direct";
  /** The aggregate signature, a point of G1 in 96 bytes. */
  readonly signature: Hex;
  /** The places in the epoch's operator table of those that did not sign; in ascending order when decoded. */
  readonly nonSigners: readonly number[];
};

/** One whose root was recorded on chain ahead of time, so that it carries no signature. */
export type RecordedAuthorization = AttestedFields & {
  readonly kind: "recorded";
  readonly signature?: never;
  readonly nonSigners?: never;
};

type AttestedFields = {
  readonly taskId: Hex;
  /** Use of the authorization spends it. */
  readonly nonce: bigint;
  /** First second at which the attestation is no longer good (Unix time). */
  readonly expiration: number;
  readonly decision: Decision;
  /** Commits to all that the operators evaluated. */
  readonly evidence: Hex;
  /** The epoch whose operators signed. */
  readonly epoch: number;
  /** From the attestation's digest up to the signed root; empty when the attestation was signed alone. */
  readonly merkleProof: readonly Hex[];
};

/** Bytes that are not an authorization: the contracts refuse them with `MalformedAuthorization()`. */
export class MalformedAuthorizationError extends Error {
  override readonly name = "MalformedAuthorizationError";

  constructor(
    /** The field that does not parse. */
    readonly field: string,
    /** Where it begins, in bytes. */
    readonly offset: number,
    /** What is wrong with it. */
    readonly problem: string,
  ) {
    super(`${field} (at byte ${offset}): ${problem}`);
  }
}

/** The highest place of an operator that a bitmap can name: it has 255 bytes at most. */
const HIGHEST_PLACE = 2039;

/** The bytes of an authorization (docs/protocol.md). */
export function encodeAuthorization(authorization: Authorization): Hex {
  const { taskId, nonce, expiration, decision, evidence, epoch, merkleProof } = authorization;
  const proof = listIn("merkleProof", merkleProof, MAX_PROOF_LENGTH);
  return concat([
    bytesIn("taskId", taskId, 32),
    unsigned("nonce", nonce, 32),
    unsigned("expiration", expiration, 6),
    unsigned("decision", decisionByte[decisionIn("decision", decision)], 1),
    bytesIn("evidence", evidence, 32),
    unsigned("epoch", epoch, 4),
    quorumProof(authorization),
    unsigned("merkleProof", proof.length, 1),
    ...proof.map((hash, level) => bytesIn(`merkleProof[${level}]`, hash, 32)),
  ]);
}

/**
 * Reads an authorization's bytes as the contracts do: nothing may be missing or left over.
 *
 * @throws {MalformedAuthorizationError} when they do not parse.
 */
export function decodeAuthorization(encoded: Hex): Authorization {
  const reader = new Reader(encoded);
  const attested = {
    taskId: reader.bytes("taskId", 32),
    nonce: reader.unsigned("nonce", 32),
    expiration: Number(reader.unsigned("expiration", 6)),
    decision: reader.oneOf("decision", ["deny", "allow"]),
    evidence: reader.bytes("evidence", 32),
    epoch: Number(reader.unsigned("epoch", 4)),
  };
  if (reader.oneOf("kind", ["direct", "recorded"]) === "recorded") {
    return { ...attested, kind: "recorded", merkleProof: reader.lastHashes("merkleProof") };
  }
  return {
    ...attested,
    kind: "direct",
    signature: reader.bytes("signature", 96),
    nonSigners: reader.bitmap("nonSigners"),
    merkleProof: reader.lastHashes("merkleProof"),
  };
}

/** The place of a non-signer in the epoch's operator table. */
export function placeIn(field: string, value: unknown): number {
  const place = Number(unsignedIn(field, value, 16));
  if (place > HIGHEST_PLACE) {
    throw new InvalidFieldError(field, `operator ${place}: the highest that a bitmap can name is ${HIGHEST_PLACE}`);
  }
  return place;
}

function quorumProof(authorization: Authorization): Hex {
  if (authorization.kind === "recorded") return "0x01";
  if (authorization.kind !== "direct") {
    throw new InvalidFieldError("kind", 'an authorization is either "direct" or "recorded"');
  }
  const bitmap = bitmapOf(authorization.nonSigners);
  return concat([
    "0x00",
    bytesIn("signature", authorization.signature, 96),
    unsigned("nonSigners", (bitmap.length - 2) / 2, 1),
    bitmap,
  ]);
}

/** Operator `i` is bit `i % 8` of byte `i / 8`; the last byte is not zero, so that one set has one bitmap. */
function bitmapOf(nonSigners: readonly number[]): Hex {
  const bytes: number[] = [];
  listIn("nonSigners", nonSigners).forEach((place, position) => {
    const field = `nonSigners[${position}]`;
    const index = placeIn(field, place);
    while (bytes.length <= index >> 3) bytes.push(0);
    bytes[index >> 3]! |= 1 << (index & 7);
  });
  return concat(["0x", ...bytes.map((byte) => numberToHex(byte, { size: 1 }))]);
}

function unsigned(field: string, value: bigint | number, size: number): Hex {
  return numberToHex(unsignedIn(field, value, 8 * size), { size });
}

class Reader {
  readonly #digits: string;
  #offset = 0;

  constructor(encoded: Hex) {
    this.#digits = bytesIn("authorization", encoded).slice(2);
  }

  bytes(field: string, length: number): Hex {
    const start = this.#offset;
    const digits = this.#digits.slice(2 * start, 2 * (start + length));
    if (digits.length < 2 * length) {
      throw new MalformedAuthorizationError(
        field,
        start,
        `the authorization ends after ${digits.length / 2} of its ${length} bytes`,
      );
    }
    this.#offset += length;
    return `0x${digits}`;
  }

  unsigned(field: string, length: number): bigint {
    return BigInt(this.bytes(field, length));
  }

  oneOf<word extends string>(field: string, words: readonly [word, word]): word {
    const offset = this.#offset;
    const byte = Number(this.unsigned(field, 1));
    const word = words[byte];
    if (word === undefined) {
      throw new MalformedAuthorizationError(field, offset, `${byte} is neither 0 (${words[0]}) nor 1 (${words[1]})`);
    }
    return word;
  }

  bitmap(field: string): number[] {
    const length = Number(this.unsigned(field, 1));
    const offset = this.#offset;
    const bytes = Array.from({ length }, () => Number(this.unsigned(field, 1)));
    if (bytes.at(-1) === 0) {
      throw new MalformedAuthorizationError(field, offset, "the bitmap ends in a zero byte, which names nobody");
    }
    return bytes.flatMap((byte, place) =>
      [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (byte >> bit) & 1).map((bit) => 8 * place + bit),
    );
  }

  lastHashes(field: string): Hex[] {
    const offset = this.#offset;
    const length = Number(this.unsigned(field, 1));
    if (length > MAX_PROOF_LENGTH) {
      throw new MalformedAuthorizationError(field, offset, `${length} hashes, more than ${MAX_PROOF_LENGTH}`);
    }
    const hashes = Array.from({ length }, () => this.bytes(field, 32));
    const rest = this.#digits.length / 2 - this.#offset;
    if (rest > 0) {
      throw new MalformedAuthorizationError(field, this.#offset, `${rest} bytes follow the Merkle proof`);
    }
    return hashes;
  }
}
