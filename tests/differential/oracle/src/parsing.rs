//! An authorization's fields.

use crate::{
    failure::Failure,
    interface::IVerifierOracle::{Fields, parseCall, parseReturn},
};
use alloy_primitives::Bytes;
use assent_verifier::{Authorization, QuorumProof};

pub(crate) fn parse(call: &parseCall) -> Result<parseReturn, Failure> {
    let Ok(authorization) = Authorization::parse(&call.authorization) else {
        return Ok(parseReturn { isWellFormed: false, fields: Fields::default(), encoded: Bytes::new() });
    };
    let encoded = authorization.encode().into();
    Ok(parseReturn { isWellFormed: true, fields: fields(authorization), encoded })
}

fn fields(authorization: Authorization) -> Fields {
    let (signature, non_signers) = match &authorization.quorum_proof {
        QuorumProof::Direct { signature, non_signers } => (signature.0.into(), non_signers.as_bytes().to_vec().into()),
        QuorumProof::Recorded => (Bytes::new(), Bytes::new()),
    };
    Fields {
        taskId: authorization.task_id,
        nonce: authorization.nonce,
        issuedAt: authorization.issued_at,
        expiration: authorization.expiration,
        decision: authorization.decision.into(),
        evidence: authorization.evidence,
        epoch: authorization.epoch.into(),
        isRecorded: authorization.quorum_proof == QuorumProof::Recorded,
        signature,
        nonSigners: non_signers,
        proof: authorization.merkle_proof.as_slice().to_vec(),
    }
}
