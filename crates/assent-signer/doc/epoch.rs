// Shared set-up of the documentation's examples, in lines that it does not show: an epoch of two operators, and a batch
// of attestations for them to sign. Each example includes this file as a module.

use alloy_primitives::{
    Address, B256, U256,
    aliases::{U48, U96},
};
use assent_signer::*;
use assent_verifier::{
    Attestation, Epoch, EpochId, Intent, Operator, OperatorSet, OperatorSetId,
    digest::{intent_hash, task_id},
};

/// The operators' addresses, ascending.
pub const OPERATORS: [Address; 2] = [Address::repeat_byte(1), Address::repeat_byte(2)];

/// Their keys, from the system's random generator, and the epoch in which each has a weight of 100.
pub fn epoch() -> ([SecretKey; 2], Epoch) {
    let keys = [SecretKey::generate().unwrap(), SecretKey::generate().unwrap()];
    let operators = OPERATORS.iter().zip(&keys).map(|(&address, key)| Operator {
        address,
        public_key: key.public_key(),
        weight: U96::from(100_u64),
    });
    let operators = OperatorSet::new(operators.collect()).unwrap();
    (keys, Epoch { number: EpochId(1), operator_set: OperatorSetId(1), valid_until: U48::MAX, operators })
}

/// The client's chain.
pub fn chain_id() -> U256 {
    U256::from(1)
}

/// The TaskManager that the client asks.
pub const TASK_MANAGER: Address = Address::repeat_byte(7);

/// A call of a client is allowed.
pub fn attestation(nonce: u64) -> Attestation {
    let (client, policy, nonce) = (Address::repeat_byte(8), B256::repeat_byte(9), U256::from(nonce));
    let intent = Intent {
        from: Address::repeat_byte(10),
        to: client,
        value: U256::ZERO,
        data: vec![0x12, 0x34, 0x56, 0x78].into(),
        chainId: chain_id(),
    };
    Attestation {
        taskId: task_id(chain_id(), TASK_MANAGER, client, policy, intent_hash(&intent), nonce),
        policyId: policy,
        policyClient: client,
        nonce,
        issuedAt: U48::from(1_899_999_400_u64),
        expiration: U48::from(1_900_000_000_u64),
        decision: 1,
        evidence: B256::repeat_byte(11),
        intent,
    }
}

/// Two attestations.
pub fn batch() -> AttestationBatch {
    AttestationBatch::new(vec![attestation(0), attestation(1)], chain_id(), TASK_MANAGER).unwrap()
}
