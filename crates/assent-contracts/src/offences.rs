//! Proofs of offences, as the contracts of `contracts/challenge` take them.

use alloy::{
    primitives::{Address, B256, Bytes, U256},
    sol_types::SolValue,
};
use assent_verifier::{AttestationDocument, EpochHandover, NonSigners, Signature, protocol::Attestation};

use crate::EpochMirror;

/// A `SigningDomain` of `TaskStatements.sol`: the chain and the TaskManager of the task.
type SigningDomain = (U256, Address);

/// A `SignedAttestation` of `Equivocation.sol`: epoch, attestation, Merkle proof, non-signers, signature.
type SignedAttestation = (u32, Attestation, Vec<B256>, Bytes, Bytes);

/// Returns the proof that operators signed two different attestations of one task, for `Equivocation`.
///
/// Both are for the chain and the TaskManager of the first.
/// Each operator that signed both is punished; any weight is enough. The contract verifies it: nothing is checked here.
///
/// ```
/// use alloy::primitives::{Address, B256, U256, aliases::U48};
/// use assent_contracts::offences::equivocation_proof;
/// use assent_verifier::{
///     Attestation, AttestationDocument, Decision, EpochId, Intent, MerkleProof, NonSigners, Signature,
/// };
///
/// let intent = Intent {
///     from: Address::ZERO, to: Address::ZERO, value: U256::ZERO, data: Default::default(), chainId: U256::from(1),
/// };
/// let allow = Attestation {
///     taskId: B256::repeat_byte(1),
///     policyId: B256::repeat_byte(2),
///     policyClient: Address::ZERO,
///     nonce: U256::ZERO,
///     issuedAt: U48::from(1_800_000_000),
///     expiration: U48::from(1_800_000_600),
///     decision: Decision::Allow.into(),
///     evidence: B256::repeat_byte(3),
///     intent,
/// };
/// let deny = Attestation { decision: Decision::Deny.into(), ..allow.clone() };
/// let [first, second] = [allow, deny].map(|attestation| AttestationDocument {
///     chain_id: U256::from(1),
///     task_manager: Address::repeat_byte(4),
///     attestation,
///     epoch: EpochId(1),
///     signature: Signature([5; 96]), // What operators signed.
///     non_signers: NonSigners::NONE,
///     merkle_proof: MerkleProof::EMPTY,
/// });
/// let proof = equivocation_proof(&first, &second); // For `EigenLayerSlasher.recordOffence`.
/// assert_eq!(proof.len() % 32, 0);
/// ```
pub fn equivocation_proof(first: &AttestationDocument, second: &AttestationDocument) -> Bytes {
    let domain: SigningDomain = (first.chain_id, first.task_manager);
    (domain, signed(first), signed(second)).abi_encode_params().into()
}

/// Returns the proof that operators signed a handover that differs from the registry's record, for `FalseHandover`.
pub fn false_handover_proof(handover: &EpochHandover, non_signers: &NonSigners, signature: &Signature) -> Bytes {
    let handover = EpochMirror::Handover::from(*handover);
    let (non_signers, signature) = (Bytes::copy_from_slice(non_signers.as_bytes()), Bytes::from(signature.0));
    (handover, non_signers, signature).abi_encode_params().into()
}

fn signed(document: &AttestationDocument) -> SignedAttestation {
    (
        document.epoch.into(),
        document.attestation.clone(),
        document.merkle_proof.as_slice().to_vec(),
        Bytes::copy_from_slice(document.non_signers.as_bytes()),
        document.signature.0.into(),
    )
}
