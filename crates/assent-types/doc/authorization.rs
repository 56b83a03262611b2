// An authorization for examples of the documentation, which include this file. Its signature signs nothing.
{
    use alloy_primitives::{B256, U256, aliases::U48};
    use assent_types::{Authorization, Decision, EpochId, MerkleProof, NonSigners, QuorumProof, Signature};

    Authorization {
        task_id: B256::repeat_byte(1),
        nonce: U256::from(7),
        issued_at: U48::from(1_699_999_400u64),
        expiration: U48::from(1_700_000_000u64),
        decision: Decision::Allow,
        evidence: B256::repeat_byte(2),
        epoch: EpochId(1),
        quorum_proof: QuorumProof::Direct { signature: Signature([3; 96]), non_signers: NonSigners::NONE },
        merkle_proof: MerkleProof::EMPTY,
    }
}
