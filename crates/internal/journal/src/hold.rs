//! What attestations that allow a call add up to, until they are spent or expire.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, U256};

/// The most holds of one client and policy. Further attestations of them wait until holds are released.
pub const MAX_HOLDS: usize = 1024;

/// What an attestation that allows a call holds of its client's limits, until its nonce is spent or it expires.
///
/// The journal records it in the transaction that records the attestation: no crash parts the two.
// Complete: it is the journal's format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The task.
    pub task_id: B256,
    /// The contract that the decision is for.
    pub policy_client: Address,
    /// The policy.
    pub policy_id: B256,
    /// The nonce that the call spends.
    pub nonce: U256,
    /// The first second at which the attestation is no longer valid (Unix time).
    pub expiration: u64,
    /// What the call adds, by keccak256 of the source's name. A source that counts another function is not there.
    pub amounts: BTreeMap<B256, U256>,
}

/// A hold to record, and what the client's other holds may come to.
// Complete: the journal compares all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldRequest {
    /// The hold.
    pub hold: Hold,
    /// The timestamp of the task's reference block. Holds that expired by then do not count.
    pub time: u64,
    /// The tasks whose nonces are spent at the reference block. Their holds do not count.
    pub spent: BTreeSet<B256>,
    /// The most that other holds may come to, by keccak256 of the source's name.
    pub agreed: BTreeMap<B256, HoldTotal>,
}

/// What holds come to.
// Complete: it is what the source `outstanding` answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HoldTotal {
    /// The number of holds.
    pub count: U256,
    /// The sum of their amounts, at most 2^256 − 1.
    pub sum: U256,
}

/// Holds that come to more than was agreed.
// Complete: it names everything that was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excess {
    /// The task that is not signed.
    pub task_id: B256,
    /// keccak256 of the source's name.
    pub source: B256,
    /// What the journal's other holds come to.
    pub recorded: HoldTotal,
    /// The most that was agreed.
    pub agreed: HoldTotal,
}

impl HoldTotal {
    /// Returns what some holds come to at a time, for a source.
    ///
    /// What expired by then, and the tasks in `spent`, do not count.
    pub fn of<'a>(
        holds: impl IntoIterator<Item = &'a Hold>,
        source: B256,
        time: u64,
        spent: &BTreeSet<B256>,
    ) -> HoldTotal {
        let counted = holds.into_iter().filter(|hold| hold.expiration > time && !spent.contains(&hold.task_id));
        let amounts = counted.filter_map(|hold| hold.amounts.get(&source));
        amounts.fold(Self::default(), |total, amount| Self {
            count: total.count.saturating_add(U256::ONE),
            sum: total.sum.saturating_add(*amount),
        })
    }
}

impl HoldRequest {
    /// Returns what other holds exceed, if they do.
    pub(crate) fn excess(&self, others: &[Hold]) -> Option<Excess> {
        let others = || others.iter().filter(|other| other.task_id != self.hold.task_id);
        self.agreed.iter().find_map(|(source, agreed)| {
            let recorded = HoldTotal::of(others(), *source, self.time, &self.spent);
            let exceeds = recorded.count > agreed.count || recorded.sum > agreed.sum;
            exceeds.then_some(Excess { task_id: self.hold.task_id, source: *source, recorded, agreed: *agreed })
        })
    }
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { task_id, recorded, agreed, .. } = self;
        write!(
            f,
            "task {task_id}: {} other attestations with the sum {} are outstanding; {} with the sum {} were agreed",
            recorded.count, recorded.sum, agreed.count, agreed.sum
        )
    }
}

/// The bytes before the amounts: nonce and expiration.
const FIXED_BYTES: usize = 32 + 8;

impl Hold {
    /// Returns what the keys of a client's holds under a policy begin with. Domains have numbers.
    pub(crate) fn prefix(domain: u32, policy_client: Address, policy_id: B256) -> Vec<u8> {
        [&domain.to_be_bytes(), policy_client.as_slice(), policy_id.as_slice()].concat()
    }

    pub(crate) fn key(&self, domain: u32) -> Vec<u8> {
        let mut key = Self::prefix(domain, self.policy_client, self.policy_id);
        key.extend_from_slice(self.task_id.as_slice());
        key
    }

    /// Returns the nonce, the expiration, and each source with its amount; integers are big-endian.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.nonce.to_be_bytes_vec();
        bytes.extend_from_slice(&self.expiration.to_be_bytes());
        for (source, amount) in &self.amounts {
            bytes.extend_from_slice(source.as_slice());
            bytes.extend_from_slice(&amount.to_be_bytes::<32>());
        }
        bytes
    }

    /// Parses a key and its bytes. `None` for other bytes.
    pub(crate) fn parse(key: &[u8], bytes: &[u8]) -> Option<Self> {
        let (_domain, ids) = key.split_at_checked(4)?;
        let (policy_client, ids) = ids.split_at_checked(20)?;
        let (policy_id, task_id) = ids.split_at_checked(32)?;
        let (fixed, amounts) = bytes.split_at_checked(FIXED_BYTES)?;
        let (nonce, expiration) = fixed.split_at_checked(32)?;
        let amounts = amounts.chunks(64).map(|pair| {
            let (source, amount) = pair.split_at_checked(32)?;
            let amount = (amount.len() == 32).then(|| U256::from_be_slice(amount))?;
            Some((B256::from_slice(source), amount))
        });
        Some(Self {
            task_id: B256::try_from(task_id).ok()?,
            policy_client: Address::from_slice(policy_client),
            policy_id: B256::from_slice(policy_id),
            nonce: U256::from_be_slice(nonce),
            expiration: u64::from_be_bytes(expiration.try_into().ok()?),
            amounts: amounts.collect::<Option<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_is_parsed_from_its_bytes_and_from_no_others() {
        let amounts = [(B256::repeat_byte(1), U256::MAX), (B256::repeat_byte(2), U256::ONE)];
        for amounts in [&amounts[..], &amounts[..1], &[]] {
            let hold = Hold {
                task_id: B256::repeat_byte(3),
                policy_client: Address::repeat_byte(4),
                policy_id: B256::repeat_byte(5),
                nonce: U256::from(6),
                expiration: 7,
                amounts: amounts.iter().copied().collect(),
            };
            let (key, bytes) = (hold.key(8), hold.to_bytes());
            assert_eq!(Hold::parse(&key, &bytes), Some(hold));
            for cut in 1..key.len() {
                assert_eq!(Hold::parse(&key[..cut], &bytes), None, "{cut}");
            }
            assert_eq!(Hold::parse(&key, &bytes[..bytes.len() - 1]), None);
            assert_eq!(Hold::parse(&key, &[&bytes[..], &[0]].concat()), None);
        }
    }
}
