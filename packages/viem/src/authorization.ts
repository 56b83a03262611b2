import { type Hex, concat, numberToHex } from "viem";
import { MAX_PROOF_LENGTH } from "./attestation.js";
import { type Decision, decisionByte, decisionIn } from "./decision.js";
import { InvalidFieldError } from "./errors/invalidField.js";
import { MalformedAuthorizationError } from "./errors/malformedAuthorization.js";
import { bytesIn, listIn, shown, unsignedIn } from "./fields.js";

/** The bytes in calldata, decoded: the attested fields that the call does not determine, and a proof of the quorum. */
export type Authorization = DirectAuthorization | RecordedAuthorization;

/** An authorization with the operators' signature. */
export type DirectAuthorization = AttestedFields & {
  readonly kind: "direct";
  /** The aggregate signature: a point of G1 in 96 bytes. */
  readonly signature: Hex;
  /** The indices in the epoch's operator table of the operators that did not sign; ascending when decoded. */
  readonly nonSigners: readonly number[];
};

/** An authorization without a signature: its root is recorded on chain. */
export type RecordedAuthorization = AttestedFields & {
  readonly kind: "recorded";
  readonly signature?: never;
  readonly nonSigners?: never;
};

/** The number of an epoch: uint32 in the contracts. */
export type EpochId = number;

type AttestedFields = {
  readonly taskId: Hex;
  /** Spent by the authorization. */
  readonly nonce: bigint;
  /** When the operators decided (Unix time). */
  readonly issuedAt: number;
  /** The first second at which the attestation is no longer valid (Unix time). */
  readonly expiration: number;
  readonly decision: Decision;
  /** A commitment to everything the operators evaluated. */
  readonly evidence: Hex;
  /** The epoch whose operators signed. */
  readonly epoch: EpochId;
  /** From the attestation's digest up to the signed root; empty if the digest is the root. */
  readonly merkleProof: readonly Hex[];
};

/** The highest index in a bitmap of at most 255 bytes. */
const HIGHEST_INDEX = 2039;

/** Returns the bytes of an authorization (docs/protocol.md). */
export function encodeAuthorization(authorization: Authorization): Hex {
  const { taskId, nonce, issuedAt, expiration, decision, evidence, epoch, merkleProof } =
    authorizationIn(authorization);
  const proof = listIn("merkleProof", merkleProof, MAX_PROOF_LENGTH);
  return concat([
    bytesIn("taskId", taskId, 32),
    unsigned("nonce", nonce, 32),
    unsigned("issuedAt", issuedAt, 6),
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
 * Decodes an authorization's bytes as strictly as the contracts.
 *
 * @throws {MalformedAuthorizationError} when they do not parse
 */
export function decodeAuthorization(encoded: Hex): Authorization {
  const reader = new Reader(encoded);
  const attested = {
    taskId: reader.bytes("taskId", 32),
    nonce: reader.unsigned("nonce", 32),
    issuedAt: Number(reader.unsigned("issuedAt", 6)),
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

/** Returns the value if it can be an authorization: its fields are not checked. */
export function authorizationIn(value: unknown): Authorization {
  const field = "authorization";
  if (value === undefined || value === null) {
    const problem = "missing: give an authorization, as `authorizationOf(document)` returns it, or its bytes";
    throw new InvalidFieldError({ field, problem });
  }
  if (typeof value !== "object") {
    throw new InvalidFieldError({ field, problem: `${shown(value)} is neither an authorization nor its bytes` });
  }
  if ("attestation" in value) {
    const problem = "an attestation document is not an authorization: give `authorizationOf(document)`";
    throw new InvalidFieldError({ field, problem });
  }
  return value as Authorization;
}

/** Returns the index of a non-signer in the epoch's operator table. */
export function operatorIndexIn(field: string, value: unknown): number {
  const index = Number(unsignedIn(field, value, 16));
  if (index > HIGHEST_INDEX) {
    const problem = `operator ${index}: the highest index of a bitmap is ${HIGHEST_INDEX}`;
    throw new InvalidFieldError({ field, problem });
  }
  return index;
}

function quorumProof(authorization: Authorization): Hex {
  if (authorization.kind === "recorded") return "0x01";
  if (authorization.kind !== "direct") {
    throw new InvalidFieldError({ field: "kind", problem: 'an authorization is either "direct" or "recorded"' });
  }
  const bitmap = bitmapOf(authorization.nonSigners);
  return concat([
    "0x00",
    bytesIn("signature", authorization.signature, 96),
    unsigned("nonSigners", (bitmap.length - 2) / 2, 1),
    bitmap,
  ]);
}

/** Returns the bitmap: operator `i` is bit `i % 8` of byte `i / 8`; the last byte is not zero, to be unique. */
function bitmapOf(nonSigners: readonly number[]): Hex {
  const bytes: number[] = [];
  listIn("nonSigners", nonSigners).forEach((value, position) => {
    const index = operatorIndexIn(`nonSigners[${position}]`, value);
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
      throw new MalformedAuthorizationError({
        field,
        offset: start,
        problem: `the authorization ends after ${digits.length / 2} of its ${length} bytes`,
      });
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
      const problem = `${byte} is neither 0 (${words[0]}) nor 1 (${words[1]})`;
      throw new MalformedAuthorizationError({ field, offset, problem });
    }
    return word;
  }

  bitmap(field: string): number[] {
    const length = Number(this.unsigned(field, 1));
    const offset = this.#offset;
    const bytes = Array.from({ length }, () => Number(this.unsigned(field, 1)));
    if (bytes.at(-1) === 0) {
      throw new MalformedAuthorizationError({ field, offset, problem: "the bitmap ends in a zero byte" });
    }
    return bytes.flatMap((byte, index) =>
      [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (byte >> bit) & 1).map((bit) => 8 * index + bit),
    );
  }

  lastHashes(field: string): Hex[] {
    const offset = this.#offset;
    const length = Number(this.unsigned(field, 1));
    if (length > MAX_PROOF_LENGTH) {
      const problem = `${length} hashes, more than ${MAX_PROOF_LENGTH}`;
      throw new MalformedAuthorizationError({ field, offset, problem });
    }
    const hashes = Array.from({ length }, () => this.bytes(field, 32));
    const rest = this.#digits.length / 2 - this.#offset;
    if (rest > 0) {
      const problem = `${rest} bytes follow the Merkle proof`;
      throw new MalformedAuthorizationError({ field, offset: this.#offset, problem });
    }
    return hashes;
  }
}
