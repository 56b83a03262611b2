// A document for examples of the documentation, which include this file. Its signature signs nothing.
{
    use alloy_primitives::{Address, B256, U256, aliases::U48};
    use assent_types::{
        Attestation, AttestationDocument, Decision, Intent, MerkleProof, NonSigners, Signature, digest,
    };

    let (chain_id, task_manager, policy_client) = (U256::from(1), Address::repeat_byte(1), Address::repeat_byte(2));
    let (policy_id, nonce) = (B256::repeat_byte(3), U256::from(7));
    let intent = Intent {
        from: Address::repeat_byte(4),
        to: policy_client,
        value: U256::ZERO,
        data: vec![0xa9, 0x05, 0x9c, 0xbb].into(),
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
            expiration: U48::from(1_700_000_600u64),
            decision: Decision::Allow.into(),
            evidence: B256::repeat_byte(5),
            intent,
        },
        epoch: 1,
        signature: Signature([6; 96]),
        non_signers: NonSigners::NONE,
        merkle_proof: MerkleProof::EMPTY,
    }
}
