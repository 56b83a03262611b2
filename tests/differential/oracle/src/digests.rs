//! What is hashed with keccak256.

use crate::{
    failure::Failure,
    interface::IVerifierOracle::{
        connectionDigestCall, hashesCall, hashesReturn, observationDigestCall, proofOfPossessionDigestCall,
    },
};
use alloy_primitives::B256;
use alloy_sol_types::SolValue;
use assent_verifier::{Attestation, Connection, MerkleProof, Observation, PublicKey, digest};

pub(crate) fn hashes(call: &hashesCall) -> Result<hashesReturn, Failure> {
    let attestation = Attestation::abi_decode_validate(&call.attestation)?;
    let intent_hash = digest::intent_hash(&attestation.intent);
    let Attestation { policyClient, policyId, nonce, .. } = attestation;
    let leaf = digest::attestation_digest(&attestation, call.chainId, call.taskManager);
    Ok(hashesReturn {
        intentHash: intent_hash,
        taskId: digest::task_id(call.chainId, call.taskManager, policyClient, policyId, intent_hash, nonce),
        digest: leaf,
        root: MerkleProof::try_from(call.proof.clone())?.root(leaf),
    })
}

pub(crate) fn proof_of_possession(call: &proofOfPossessionDigestCall) -> Result<B256, Failure> {
    let (length, expected) = (call.publicKey.len(), PublicKey::LENGTH);
    let public_key = <[u8; PublicKey::LENGTH]>::try_from(call.publicKey.as_ref()).map_err(|_| Failure::Length {
        argument: "publicKey",
        length,
        expected,
    })?;
    Ok(digest::proof_of_possession_digest(call.operator, &PublicKey(public_key), call.chainId, call.operatorRegistry))
}

pub(crate) fn observation(call: &observationDigestCall) -> B256 {
    let observationDigestCall { taskId, source, referenceBlock, output, .. } = *call;
    Observation { task_id: taskId, source, reference_block: referenceBlock, output }
        .digest(call.chainId, call.taskManager)
}

pub(crate) fn connection(call: &connectionDigestCall) -> B256 {
    Connection { challenge: call.challenge, operator: call.operator, gateway: call.gateway.clone() }
        .digest(call.chainId, call.taskManager)
}
