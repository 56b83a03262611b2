import type { Address, Hex } from "viem";
import { type Attestation, MAX_PROOF_LENGTH, attestationDigest, merkleRoot } from "./attestation.js";
import {
  type DirectAuthorization,
  type EpochId,
  type RecordedAuthorization,
  operatorIndexIn,
} from "./authorization.js";
import { decisionIn } from "./decision.js";
import { InvalidFieldError } from "./errors/invalidField.js";
import { addressIn, bytesIn, listIn, shown, unsignedIn } from "./fields.js";
import type { Intent } from "./intent.js";

/** An attestation with every attested field and its proof. The authorization is derived from it. */
export type AttestationDocument = {
  readonly chainId: bigint;
  readonly taskManager: Address;
  readonly attestation: Attestation;
  /** The epoch whose operators signed. */
  readonly epoch: EpochId;
  /** The aggregate signature over the root. */
  readonly signature: Hex;
  /** The indices in the epoch's operator table of the operators that did not sign. */
  readonly nonSigners: readonly number[];
  /** From the attestation's digest up to the signed root. */
  readonly merkleProof: readonly Hex[];
};

/**
 * Parses an attestation document: JSON text, or the result of `JSON.parse`.
 *
 * An unknown or missing field is an error, and so is a number that lost digits.
 *
 * @throws {InvalidFieldError} with the field
 */
export function parseAttestationDocument(json: unknown): AttestationDocument {
  const document = fieldsOf("document", typeof json === "string" ? parsed(json) : json, [
    "chainId",
    "taskManager",
    "attestation",
    "epoch",
    "signature",
    "nonSigners",
    "merkleProof",
  ]);
  return {
    chainId: numberIn("chainId", document.chainId, 256),
    taskManager: addressIn("taskManager", document.taskManager),
    attestation: attestationIn(document.attestation),
    epoch: Number(numberIn("epoch", document.epoch, 32)),
    signature: bytesIn("signature", document.signature, 96),
    nonSigners: listIn("nonSigners", document.nonSigners).map((index, position) =>
      operatorIndexIn(`nonSigners[${position}]`, numberIn(`nonSigners[${position}]`, index, 16)),
    ),
    merkleProof: listIn("merkleProof", document.merkleProof, MAX_PROOF_LENGTH).map((hash, level) =>
      bytesIn(`merkleProof[${level}]`, hash, 32),
    ),
  };
}

/** Returns the authorization of the attested call, with the signature. */
export function authorizationOf(document: AttestationDocument): DirectAuthorization {
  const { signature, nonSigners } = document;
  return { ...attestedFields(document), kind: "direct", signature, nonSigners };
}

/** Returns the authorization of the attested call without the signature, for a root that is recorded on chain. */
export function recordedAuthorizationOf(document: AttestationDocument): RecordedAuthorization {
  return { ...attestedFields(document), kind: "recorded" };
}

/** Returns the root that the operators signed. */
export function rootOf(document: AttestationDocument): Hex {
  return merkleRoot({ leaf: attestationDigest(document), proof: document.merkleProof });
}

function attestedFields({ attestation, epoch, merkleProof }: AttestationDocument) {
  const { taskId, nonce, issuedAt, expiration, decision, evidence } = attestation;
  return { taskId, nonce, issuedAt, expiration, decision, evidence, epoch, merkleProof };
}

function attestationIn(json: unknown): Attestation {
  const path = "attestation";
  const fields = fieldsOf(path, json, [
    "taskId",
    "policyId",
    "policyClient",
    "nonce",
    "issuedAt",
    "expiration",
    "decision",
    "evidence",
    "intent",
  ]);
  return {
    taskId: bytesIn(`${path}.taskId`, fields.taskId, 32),
    policyId: bytesIn(`${path}.policyId`, fields.policyId, 32),
    policyClient: addressIn(`${path}.policyClient`, fields.policyClient),
    nonce: numberIn(`${path}.nonce`, fields.nonce, 256),
    issuedAt: Number(numberIn(`${path}.issuedAt`, fields.issuedAt, 48)),
    expiration: Number(numberIn(`${path}.expiration`, fields.expiration, 48)),
    decision: decisionIn(`${path}.decision`, fields.decision),
    evidence: bytesIn(`${path}.evidence`, fields.evidence, 32),
    intent: intentIn(`${path}.intent`, fields.intent),
  };
}

function intentIn(path: string, json: unknown): Intent {
  const fields = fieldsOf(path, json, ["from", "to", "value", "data", "chainId"]);
  return {
    from: addressIn(`${path}.from`, fields.from),
    to: addressIn(`${path}.to`, fields.to),
    value: numberIn(`${path}.value`, fields.value, 256),
    data: bytesIn(`${path}.data`, fields.data),
    chainId: numberIn(`${path}.chainId`, fields.chainId, 256),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidFieldError({ field: "document", problem: `not JSON: ${(error as Error).message}` });
  }
}

/** Returns an object with exactly these fields. */
function fieldsOf<name extends string>(path: string, json: unknown, names: readonly name[]): Record<name, unknown> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new InvalidFieldError({ field: path, problem: `${shown(json)} is not an object with fields` });
  }
  const unknown = Object.keys(json).find((key) => !(names as readonly string[]).includes(key));
  if (unknown !== undefined) {
    const problem = `unknown field ${shown(unknown)}; the fields are ${names.join(", ")}`;
    throw new InvalidFieldError({ field: path, problem });
  }
  const missing = names.find((name) => !Object.hasOwn(json, name));
  if (missing !== undefined) throw new InvalidFieldError({ field: path, problem: `the field ${missing} is missing` });
  return json as Record<name, unknown>;
}

/** Returns the number of an integer, a decimal string, or a hex string with 0x. */
function numberIn(field: string, json: unknown, bits: number): bigint {
  const written = typeof json === "string" && /^(0x[0-9a-f]+|[0-9]+)$/i.test(json);
  return unsignedIn(field, written ? BigInt(json) : json, bits);
}
