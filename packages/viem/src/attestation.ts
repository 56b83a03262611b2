import { type Address, type Hex, concat, hashTypedData, keccak256 } from "viem";
import { type Decision, decisionByte, decisionIn } from "./decision.js";
import { type AttestationDomain, type Eip712Domain, eip712Domain, eip712DomainTypes } from "./domain.js";
import { addressIn, bytesIn, listIn, unsignedIn } from "./fields.js";
import { type Intent, checkedIntent, intentTypes } from "./intent.js";

/** The operators' statement about one task. */
export type Attestation = {
  readonly taskId: Hex;
  /** The policy the operators evaluated. */
  readonly policyId: Hex;
  /** The contract the attestation is for, and the only one that can spend it. */
  readonly policyClient: Address;
  readonly nonce: bigint;
  /** When the operators decided: the timestamp of a recent block (Unix time). The attestation is not valid before. */
  readonly issuedAt: number;
  /** The first second at which the attestation is no longer valid (Unix time). */
  readonly expiration: number;
  readonly decision: Decision;
  /** A commitment to everything the operators evaluated. */
  readonly evidence: Hex;
  readonly intent: Intent;
};

/** The EIP-712 types of an attestation. */
export const attestationTypes = {
  Attestation: [
    { name: "taskId", type: "bytes32" },
    { name: "policyId", type: "bytes32" },
    { name: "policyClient", type: "address" },
    { name: "nonce", type: "uint256" },
    { name: "issuedAt", type: "uint48" },
    { name: "expiration", type: "uint48" },
    { name: "decision", type: "uint8" },
    { name: "evidence", type: "bytes32" },
    { name: "intent", type: "Intent" },
  ],
  ...intentTypes,
} as const;

/** The maximum length of a Merkle proof, in hashes. */
export const MAX_PROOF_LENGTH = 32;

/** An attestation as the contracts' ABI has it, with the decision as a byte. */
export type AttestationStruct = Omit<Attestation, "decision"> & { readonly decision: 0 | 1 };

/** The typed data of an attestation. */
export type AttestationTypedData = {
  readonly domain: Eip712Domain;
  readonly types: typeof eip712DomainTypes & typeof attestationTypes;
  readonly primaryType: "Attestation";
  readonly message: AttestationStruct;
};

/** Returns an attestation as typed data. */
export function attestationTypedData(
  parameters: AttestationDomain & { readonly attestation: Attestation },
): AttestationTypedData {
  const { attestation, ...domain } = parameters;
  return {
    domain: eip712Domain(domain),
    types: { ...eip712DomainTypes, ...attestationTypes },
    primaryType: "Attestation",
    message: attestationStruct(attestation),
  };
}

/** Returns the EIP-712 digest of an attestation: what operators sign, or a leaf of the tree whose root they sign. */
export function attestationDigest(parameters: AttestationDomain & { readonly attestation: Attestation }): Hex {
  return hashTypedData(attestationTypedData(parameters));
}

export type MerkleRootParameters = {
  readonly leaf: Hex;
  /** The siblings, from the leaf up. */
  readonly proof: readonly Hex[];
};

/** Returns the root of the Merkle tree of a leaf. With an empty proof the leaf is the root. */
export function merkleRoot({ leaf, proof }: MerkleRootParameters): Hex {
  return listIn("merkleProof", proof, MAX_PROOF_LENGTH).reduce<Hex>((node, hash, level) => {
    const sibling = bytesIn(`merkleProof[${level}]`, hash, 32);
    return keccak256(node < sibling ? concat([node, sibling]) : concat([sibling, node]));
  }, bytesIn("leaf", leaf, 32));
}

/** Returns an attestation for the contracts' ABI, as `digestOf` takes it, with its fields checked and normalized. */
export function attestationStruct(attestation: Attestation): AttestationStruct {
  return {
    taskId: bytesIn("attestation.taskId", attestation.taskId, 32),
    policyId: bytesIn("attestation.policyId", attestation.policyId, 32),
    policyClient: addressIn("attestation.policyClient", attestation.policyClient),
    nonce: unsignedIn("attestation.nonce", attestation.nonce, 256),
    issuedAt: Number(unsignedIn("attestation.issuedAt", attestation.issuedAt, 48)),
    expiration: Number(unsignedIn("attestation.expiration", attestation.expiration, 48)),
    decision: decisionByte[decisionIn("attestation.decision", attestation.decision)],
    evidence: bytesIn("attestation.evidence", attestation.evidence, 32),
    intent: checkedIntent(attestation.intent, "attestation.intent"),
  };
}
