import type { Hex } from "viem";
import { type Attestation, attestationDigest, merkleRoot } from "../attestation.js";
import type { EpochId } from "../authorization.js";
import type { AttestationDocument } from "../document.js";
import type { AttestationDomain } from "../domain.js";
import { unsignedIn } from "../fields.js";
import { taskId } from "../intent.js";
import { type TestOperator, aggregateSignatures } from "./operators.js";

export type SignAttestationParameters = AttestationDomain & {
  /** The attestation; its task id is computed. */
  readonly attestation: Omit<Attestation, "taskId">;
  readonly epoch: EpochId;
  /** The operators of the epoch, in the order of its table. */
  readonly operators: readonly TestOperator[];
  /** The indices of the operators that do not sign; none if left out. */
  readonly nonSigners?: readonly number[];
  /** From the attestation's digest up to the root to sign; empty if left out. */
  readonly merkleProof?: readonly Hex[];
};

/** Returns the attestation document that test operators sign. */
export function signAttestation(parameters: SignAttestationParameters): AttestationDocument {
  const { taskManager, epoch, operators, nonSigners = [], merkleProof = [] } = parameters;
  const domain = { chainId: unsignedIn("chainId", parameters.chainId, 256), taskManager };
  const attestation = { ...parameters.attestation, taskId: taskId({ ...domain, ...parameters.attestation }) };
  const root = merkleRoot({ leaf: attestationDigest({ ...domain, attestation }), proof: merkleProof });
  const signers = operators.filter((_, index) => !nonSigners.includes(index));
  const signature = aggregateSignatures(signers.map((operator) => operator.sign(root)));
  return { ...domain, attestation, epoch, signature, nonSigners, merkleProof };
}
