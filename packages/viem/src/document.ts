import type { Address, Hex } from "viem";
import { type Attestation, MAX_PROOF_LENGTH, attestationDigest, merkleRoot } from "./attestation.js";
import { type DirectAuthorization, type RecordedAuthorization, placeIn } from "./authorization.js";
import { decisionIn } from "./decision.js";
import { InvalidFieldError, addressIn, bytesIn, listIn, shown, unsignedIn } from "./fields.js";
import { type Intent, taskId } from "./intent.js";

/** An attestation with every attested field and its proof. The authorization can be cut from it. */
export type AttestationDocument = {
  readonly chainId: bigint;
  readonly taskManager: Address;
  readonly attestation: Attestation;
  /** The epoch whose operators signed. */
  readonly epoch: number;
  /** The aggregate signature over the root. */
  readonly signature: Hex;
  /** The places in the epoch's operator table of those that did not sign. */
  readonly nonSigners: readonly number[];
  /** From the attestation's digest up to the signed root. */
  readonly merkleProof: readonly Hex[];
};

/** A field in which a call differs from what was attested. */
export type Difference = { readonly field: string; readonly attested: string; readonly actual: string };

/**
 * Reads an attestation document, as operators hand it out: JSON text, or what `JSON.parse` made of it. A field that is
 * unknown or missing is an error, and so is a number that lost digits on the way.
 *
 * @throws {InvalidFieldError} which names the field.
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
    nonSigners: listIn("nonSigners", document.nonSigners).map((place, position) =>
      placeIn(`nonSigners[${position}]`, numberIn(`nonSigners[${position}]`, place, 16)),
    ),
    merkleProof: listIn("merkleProof", document.merkleProof, MAX_PROOF_LENGTH).map((hash, level) =>
      bytesIn(`merkleProof[${level}]`, hash, 32),
    ),
  };
}

/** What travels with the attested call, the signature included. */
export function authorizationOf(document: AttestationDocument): DirectAuthorization {
  const { signature, nonSigners } = document;
  return { ...attestedFields(document), kind: "direct", signature, nonSigners };
}

/** What travels with the attested call once the document's root is recorded on chain: no signature. */
export function recordedAuthorizationOf(document: AttestationDocument): RecordedAuthorization {
  return { ...attestedFields(document), kind: "recorded" };
}

/** The root that the operators signed. */
export function rootOf(document: AttestationDocument): Hex {
  return merkleRoot(attestationDigest(document), document.merkleProof);
}

/**
 * Names each field in which a call differs from what was attested, which is what a `WrongTask` is about. Empty when the
 * call is the attested one. A difference in `taskId` alone means that the document contradicts itself.
 */
export function differences(document: AttestationDocument, intent: Intent): Difference[] {
  const { attestation } = document;
  const compared = (["from", "to", "value", "data", "chainId"] as const).map((field) =>
    difference(`intent.${field}`, attestation.intent[field], intent[field]),
  );
  const recomputed = taskId({ ...document, ...attestation });
  return [...compared, difference("taskId", attestation.taskId, recomputed)].flat();
}

function attestedFields({ attestation, epoch, merkleProof }: AttestationDocument) {
  const { taskId, nonce, expiration, decision, evidence } = attestation;
  return { taskId, nonce, expiration, decision, evidence, epoch, merkleProof };
}

function difference(field: string, attested: bigint | string, actual: bigint | string): Difference[] {
  // Addresses and bytes have spellings.
  const [one, other] = [String(attested), String(actual)];
  return one.toLowerCase() === other.toLowerCase() ? [] : [{ field, attested: one, actual: other }];
}

function attestationIn(json: unknown): Attestation {
  const path = "attestation";
  const fields = fieldsOf(path, json, [
    "taskId",
    "policyId",
    "policyClient",
    "nonce",
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
    throw new InvalidFieldError("document", `not JSON: ${(error as Error).message}`);
  }
}

/** An object with these fields and no other. */
function fieldsOf<name extends string>(path: string, json: unknown, names: readonly name[]): Record<name, unknown> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new InvalidFieldError(path, `${shown(json)} is not an object with fields`);
  }
  const unknown = Object.keys(json).find((key) => !(names as readonly string[]).includes(key));
  if (unknown !== undefined) {
    throw new InvalidFieldError(path, `no field is called ${shown(unknown)}; there are ${names.join(", ")}`);
  }
  const missing = names.find((name) => !Object.hasOwn(json, name));
  if (missing !== undefined) throw new InvalidFieldError(path, `the field ${missing} is missing`);
  return json as Record<name, unknown>;
}

/** An integer, a decimal string, or a hex string with 0x. */
function numberIn(field: string, json: unknown, bits: number): bigint {
  const written = typeof json === "string" && /^(0x[0-9a-f]+|[0-9]+)$/i.test(json);
  return unsignedIn(field, written ? BigInt(json) : json, bits);
}
