//! The chain that operators and gateway read: blocks in virtual time, clients, and epochs.

use std::{collections::BTreeMap, sync::LazyLock};

use alloy_primitives::{
    Address, B256, U256,
    aliases::{U48, U96},
    keccak256,
};
use assent_network::{
    Task,
    gateway::{Accepted, Submission},
    operator::Examination,
};
use assent_types::Intent;
use assent_verifier::{Epoch, EpochId, Operator, OperatorSet, OperatorSetId, Policy};

use crate::{
    evaluations::policy_with,
    scheme::{Signer, domain, secret_key},
};

/// When every history starts, in milliseconds.
pub(crate) const START_MILLIS: u64 = 1_800_000_000_000;
const BLOCK_SECONDS: u64 = 4;

/// Operators of each size of a set, with their weights.
static EPOCHS: LazyLock<Vec<(Epoch, Vec<Signer>)>> = LazyLock::new(|| {
    let weights: [&[u64]; 4] = [&[1, 1, 1, 1], &[3, 2, 2, 2, 1], &[1, 1, 1, 1, 1, 1, 1], &[10, 9, 8, 7, 6, 5, 4]];
    weights.into_iter().map(epoch).collect()
});

fn epoch(weights: &[u64]) -> (Epoch, Vec<Signer>) {
    let signers: Vec<_> = (1_u8..)
        .zip(weights)
        .map(|(seed, _)| Signer {
            address: Address::repeat_byte(seed),
            public_key: secret_key(seed).public_key(),
            seed,
        })
        .collect();
    let operators = signers.iter().zip(weights).map(|(signer, weight)| Operator {
        address: signer.address,
        public_key: signer.public_key,
        weight: U96::from(*weight),
    });
    let operators = OperatorSet::new(operators.collect()).expect("a valid set");
    (Epoch { number: EpochId(1), operator_set: OperatorSetId(1), valid_until: U48::MAX, operators }, signers)
}

/// Returns the epoch of a history and its operators.
pub(crate) fn epoch_of(choice: u64) -> (Epoch, Vec<Signer>) {
    let count = u64::try_from(EPOCHS.len()).unwrap_or(1);
    EPOCHS[usize::try_from(choice % count).unwrap_or(0)].clone()
}

/// Returns the number and the timestamp of the latest block.
pub(crate) const fn latest(now_millis: u64) -> (u64, u64) {
    let number = now_millis.saturating_sub(START_MILLIS) / 1000 / BLOCK_SECONDS;
    (number + 100, START_MILLIS / 1000 + number * BLOCK_SECONDS)
}

pub(crate) fn block_hash(number: u64) -> B256 {
    keccak256(number.to_be_bytes())
}

const fn timestamp_of(number: u64) -> u64 {
    START_MILLIS / 1000 + number.saturating_sub(100) * BLOCK_SECONDS
}

pub(crate) const fn client(has_source: bool) -> Address {
    Address::repeat_byte(if has_source { 0xc2 } else { 0xc1 })
}

pub(crate) fn client_policy(has_source: bool) -> Policy {
    Policy { policyId: policy_with(has_source).id(), operatorSet: 1, quorum: 6667, maxLifetime: U48::from(3600) }
}

pub(crate) fn submission(has_source: bool, nonce: u64, value: u64, expiration: u64) -> Submission {
    Submission {
        policy_client: client(has_source),
        intent: Intent {
            from: Address::repeat_byte(0xf0),
            to: client(has_source),
            value: U256::from(value),
            data: Vec::new().into(),
            chainId: domain().chain_id,
        },
        nonce: Some(U256::from(nonce)),
        expiration,
    }
}

/// Returns the task that a submission becomes at a time.
pub(crate) fn accepted(submission: &Submission, epoch: &Epoch, now_millis: u64) -> Accepted {
    let has_source = submission.policy_client == client(true);
    let (block_number, block_timestamp) = latest(now_millis);
    let client_policy = client_policy(has_source);
    Accepted {
        task: Task {
            policy_client: submission.policy_client,
            policy_id: client_policy.policyId,
            nonce: submission.nonce.unwrap_or_default(),
            intent: submission.intent.clone(),
            expiration: submission.expiration,
            epoch: epoch.number,
            block_number,
            block_hash: block_hash(block_number),
            block_timestamp,
        },
        client_policy,
        issuance_floor: U48::ZERO,
        sources: if has_source { BTreeMap::from([("limit".to_owned(), true)]) } else { BTreeMap::new() },
    }
}

/// Returns what an operator's node says of a task, at a time that lags behind by `lag_millis`.
pub(crate) fn examination(task: &Task, epoch: &Epoch, now_millis: u64, lag_millis: u64) -> Examination {
    let (number, latest_timestamp) = latest(now_millis.saturating_sub(lag_millis).max(START_MILLIS));
    let has_source = task.policy_client == client(true);
    let is_canonical = task.block_number <= number && task.block_hash == block_hash(task.block_number);
    Examination {
        block_timestamp: is_canonical.then(|| timestamp_of(task.block_number)),
        latest_timestamp,
        task_manager: domain().task_manager,
        client_policy: Some(client_policy(has_source)),
        issuance_floor: U48::ZERO,
        is_spent: false,
        epoch: (task.epoch == epoch.number).then(|| epoch.clone()),
        is_trusted_forwarder: false,
        is_delegated: false,
        policy: Some(policy_with(has_source)),
    }
}
