// A document with every field set, for examples and tests. Its signature signs nothing.
{
    use alloy_primitives::{Address, B256, U256, aliases::U48};
    use assent_types::{
        Attestation, AttestationDocument, Decision, EpochId, Intent, MerkleProof, NonSigners, Signature, digest,
    };

    let (chain_id, task_manager, policy_client) =
        (U256::from(31337), Address::repeat_byte(0x11), Address::repeat_byte(0x22));
    let (policy_id, nonce) = (B256::repeat_byte(0x33), U256::from(260));
    let intent = Intent {
        from: Address::repeat_byte(0x44),
        to: Address::repeat_byte(0x55),
        value: U256::from(1000),
        data: vec![0xa9, 0x05, 0x9c, 0xbb, 1, 2, 3].into(),
        chainId: chain_id,
    };
    let intent_hash = digest::intent_hash(&intent);
    AttestationDocument {
        chain_id,
        task_manager,
        attestation: Attestation {
            taskId: digest::task_id(chain_id, task_manager, policy_client, policy_id, intent_hash, nonce),
            policyId: policy_id,
            policyClient: policy_client,
            nonce,
            issuedAt: U48::from(1_700_000_000u64),
            expiration: U48::from(1_700_000_600u64),
            decision: Decision::Allow.into(),
            evidence: B256::repeat_byte(0x66),
            intent,
        },
        epoch: EpochId(9),
        signature: Signature([0x77; 96]),
        non_signers: NonSigners::from_indices([1, 4]).unwrap(),
        merkle_proof: MerkleProof::EMPTY,
    }
}
