//! The chain that operators and gateway read: blocks in virtual time, clients, and epochs.

use std::sync::LazyLock;

use alloy_primitives::{
    Address, B256, U256,
    aliases::{U48, U96},
    keccak256,
};
use assent_network::{
    Task,
    gateway::{Accepted, Submission},
    message::HandoverName,
    operator::Examination,
};
use assent_types::{EpochHandover, Intent};
use assent_verifier::{Epoch, EpochId, Operator, OperatorSet, OperatorSetId, Policy};

use crate::{
    evaluations::{policy_of, policy_with, sources_of},
    faults::Faults,
    random::Random,
    scheme::{Signer, domain, secret_key},
};

/// When every history starts, in milliseconds.
pub(crate) const START_MILLIS: u64 = 1_800_000_000_000;
const BLOCK_SECONDS: u64 = 4;
/// How long after its block the second epoch is final.
const FINALITY_SECONDS: u64 = 2;

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

/// Returns the number and the timestamp of the latest block.
pub(crate) const fn latest(now_millis: u64) -> (u64, u64) {
    let number = now_millis.saturating_sub(START_MILLIS) / 1000 / BLOCK_SECONDS;
    (number + 100, START_MILLIS / 1000 + number * BLOCK_SECONDS)
}

const fn timestamp_of(number: u64) -> u64 {
    START_MILLIS / 1000 + number.saturating_sub(100) * BLOCK_SECONDS
}

/// The chain of a history: what it says at a time.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    /// The first epoch, and the one that follows it, if one does.
    epochs: Vec<Epoch>,
    /// The operators of both.
    pub(crate) signers: Vec<Signer>,
    /// When the second epoch begins, and when the clients change their policies (Unix time in seconds).
    epoch_change: u64,
    policy_change: u64,
    /// When blocks were replaced (Unix time in milliseconds), and from which number on.
    reorganisations: Vec<(u64, u64)>,
}

impl Chain {
    pub(crate) fn choose(random: &mut Random, faults: &Faults) -> Self {
        let mut pick = || {
            let index = usize::try_from(random.next() % u64::try_from(EPOCHS.len()).unwrap_or(1)).unwrap_or(0);
            EPOCHS[index].clone()
        };
        let ((mut first, mut signers), (second, others)) = (pick(), pick());
        let mut epochs = Vec::new();
        let start = START_MILLIS / 1000;
        let mut epoch_change = u64::MAX;
        if faults.epoch_change {
            epoch_change = start + random.between(1, 8);
            // The first is valid for a while longer.
            first.valid_until = U48::from(epoch_change + random.between(0, 10));
            epochs.push(Epoch { number: EpochId(2), ..second });
            if others.len() > signers.len() {
                signers = others;
            }
        }
        epochs.insert(0, first);
        let policy_change = if faults.policy_change { start + random.between(1, 8) } else { u64::MAX };
        let count = if faults.reorganisations { random.between(1, 3) } else { 0 };
        let reorganisations = (0..count).map(|_| {
            let at = START_MILLIS + random.between(500, 12_000);
            (at, latest(at).0.saturating_sub(random.below(3)))
        });
        Self { epochs, signers, epoch_change, policy_change, reorganisations: reorganisations.collect() }
    }

    /// Returns the epochs of the history, also those that no one knows yet.
    pub(crate) fn all_epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// Returns when the second epoch begins, if there is one (Unix time in milliseconds).
    pub(crate) fn epoch_change_millis(&self) -> Option<u64> {
        (self.epochs.len() > 1).then(|| self.epoch_change * 1000)
    }

    /// Returns the epochs that the TaskManager knows at a time.
    pub(crate) fn epochs(&self, timestamp: u64) -> &[Epoch] {
        let count = if timestamp >= self.epoch_change { self.epochs.len() } else { 1 };
        &self.epochs[..count]
    }

    /// Returns a handover as a final block shows it to a node that lags behind, with the epoch that signs it.
    pub(crate) fn handover(
        &self,
        name: HandoverName,
        now_millis: u64,
        lag_millis: u64,
    ) -> Option<(EpochHandover, Epoch)> {
        let [signing, next] = self.epochs.as_slice() else { return None };
        let final_at = self.epoch_change.saturating_add(FINALITY_SECONDS) * 1000;
        let is_final = now_millis.saturating_sub(lag_millis) >= final_at;
        let handover = EpochHandover {
            home_chain: domain().chain_id,
            home_registry: Address::repeat_byte(0x99),
            operator_set: next.operator_set,
            signed_by: signing.number,
            epoch: next.number,
            committed_at: U48::from(START_MILLIS / 1000),
            expires_at: next.valid_until,
            content_hash: next.operators.content_hash(),
        };
        let is_this = name == HandoverName { epoch: next.number, signed_by: signing.number };
        (is_final && is_this).then(|| (handover, signing.clone()))
    }

    /// Returns the hash of the block with a number, as a node sees it at a time.
    fn block_hash(&self, number: u64, now_millis: u64) -> B256 {
        let replaced = |&&(at, first): &&(u64, u64)| at <= now_millis && number >= first;
        let times = u64::try_from(self.reorganisations.iter().filter(replaced).count()).unwrap_or(u64::MAX);
        keccak256([number.to_be_bytes(), times.to_be_bytes()].concat())
    }

    fn client_policy(&self, has_source: bool, timestamp: u64) -> Policy {
        let policy_id = policy_with(has_source, timestamp >= self.policy_change).id();
        Policy { policyId: policy_id, operatorSet: 1, quorum: 6667, maxLifetime: U48::from(3600) }
    }

    /// Returns the task that a submission becomes at a time.
    pub(crate) fn accepted(&self, submission: &Submission, now_millis: u64) -> Accepted {
        let has_source = submission.policy_client == client(true);
        let (block_number, block_timestamp) = latest(now_millis);
        let client_policy = self.client_policy(has_source, block_timestamp);
        let newest = self.epochs(block_timestamp).last();
        let sources = sources_of(client_policy.policyId);
        Accepted {
            task: Task {
                policy_client: submission.policy_client,
                policy_id: client_policy.policyId,
                nonce: submission.nonce.unwrap_or_default(),
                intent: submission.intent.clone(),
                expiration: submission.expiration.unwrap_or(block_timestamp.saturating_add(600)),
                epoch: newest.map_or(EpochId(1), |epoch| epoch.number),
                block_number,
                block_hash: self.block_hash(block_number, now_millis),
                block_timestamp,
            },
            client_policy,
            issuance_floor: U48::ZERO,
            sources,
        }
    }

    /// Returns what an operator's node says of a task, at a time that lags behind by `lag_millis`.
    pub(crate) fn examination(&self, task: &Task, now_millis: u64, lag_millis: u64) -> Examination {
        let now_millis = now_millis.saturating_sub(lag_millis).max(START_MILLIS);
        let (number, latest_timestamp) = latest(now_millis);
        let has_source = task.policy_client == client(true);
        let is_canonical =
            task.block_number <= number && task.block_hash == self.block_hash(task.block_number, now_millis);
        let at = timestamp_of(task.block_number);
        Examination {
            block_timestamp: is_canonical.then_some(at),
            latest_timestamp,
            task_manager: domain().task_manager,
            client_policy: Some(self.client_policy(has_source, at)),
            issuance_floor: U48::ZERO,
            is_spent: false,
            epoch: self.epochs(at).iter().find(|epoch| epoch.number == task.epoch).cloned(),
            is_trusted_forwarder: false,
            is_delegated: false,
            is_newcomer: false,
            policy: policy_of(task.policy_id),
        }
    }
}

pub(crate) const fn client(has_source: bool) -> Address {
    Address::repeat_byte(if has_source { 0xc2 } else { 0xc1 })
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
        expiration: Some(expiration),
    }
}
