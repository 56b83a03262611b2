// Statements to sign, for examples, tests and benchmarks, which include this file as a module.

use alloy_primitives::{Address, B256, U256, aliases::U48};
use assent_signer::AttestationBatch;
use assent_verifier::digest::{intent_hash, task_id};
use assent_verifier::{Attestation, EpochHandover, EpochId, Intent, Observation, OperatorSetId};

pub const TASK_MANAGER: Address = Address::repeat_byte(7);

/// The time of the first statement, in Unix seconds.
pub const START: u64 = 1_900_000_000;

pub fn chain_id() -> U256 {
    U256::from(1)
}

/// An attestation of the task with a nonce. Other evidence is another digest.
pub fn attestation_at(nonce: u64, evidence: u64, time: u64) -> Attestation {
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
        issuedAt: U48::from(time),
        expiration: U48::from(time + 600),
        decision: 1,
        evidence: B256::from(U256::from(evidence)),
        intent,
    }
}

pub fn attestation(nonce: u64, evidence: u64) -> Attestation {
    attestation_at(nonce, evidence, START)
}

pub fn batch(attestations: Vec<Attestation>) -> AttestationBatch {
    AttestationBatch::new(attestations, chain_id(), TASK_MANAGER).unwrap()
}

/// A batch of one attestation.
pub fn single(nonce: u64, evidence: u64) -> AttestationBatch {
    batch(vec![attestation(nonce, evidence)])
}

/// The same call allowed and denied.
pub fn two_decisions_on_one_task() -> [AttestationBatch; 2] {
    let allow = attestation(0, 1);
    let deny = Attestation { decision: 0, ..allow.clone() };
    [batch(vec![allow]), batch(vec![deny])]
}

pub fn observation(task: u8, source: &str, output: &str) -> Observation {
    Observation::new(B256::repeat_byte(task), source, B256::repeat_byte(2), output.as_bytes())
}

/// A handover from one epoch to another of the same registry. Another content is another digest.
pub fn handover(signed_by: u32, epoch: u32, content: u8) -> EpochHandover {
    EpochHandover {
        home_chain: chain_id(),
        home_registry: Address::repeat_byte(11),
        operator_set: OperatorSetId(1),
        signed_by: EpochId(signed_by),
        epoch: EpochId(epoch),
        committed_at: U48::from(START),
        expires_at: U48::from(START + 604_800),
        content_hash: B256::repeat_byte(content),
    }
}
