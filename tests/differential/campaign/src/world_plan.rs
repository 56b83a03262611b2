//! What a random world is made of.

use alloy::primitives::{B256, aliases::U96};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

/// The longest lifetime of an epoch and of a policy, in seconds: `MAX_EPOCH_LIFETIME`.
const LONGEST: u32 = 30 * 86_400;

/// The latest time that 48 bits hold.
pub(crate) const LATEST: u64 = (1 << 48) - 1;

/// What worlds can share: a chain, and operators that are registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundationPlan {
    /// The chain's id.
    pub chain_id: u64,
    /// How many operators register.
    pub operators: u16,
}

/// Operators, epochs and policies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorldPlan {
    /// The chain's id.
    pub chain_id: u64,
    /// How many operators register.
    pub operators: u16,
    /// Epochs 1 to 4: revoked, superseded, in force, and in force for another operator set.
    pub epochs: [EpochPlan; 4],
    /// What each of the clients demands.
    pub policies: [PolicyPlan; 2],
    /// For how many seconds epoch 2 stays valid.
    pub grace_period: u32,
    /// For how many seconds an epoch is valid at most.
    pub epoch_lifetime: u32,
}

/// Who is in an epoch, with which weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochPlan {
    /// Operator i is left out if bit i % 64 is set; never all of them.
    pub left_out: u64,
    /// The operators' weights.
    pub weights: Weights,
}

/// How weight is spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Weights {
    /// One each.
    Equal,
    /// Between 1 and 100.
    Small(u32),
    /// As much as 96 bits hold together.
    Large(u32),
    /// One operator has as much as all others together, and one more.
    OneHeavy(u16),
}

/// A client's policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyPlan {
    /// Its id, not zero.
    pub policy_id: B256,
    /// Least share of the weight, in basis points.
    pub quorum: u16,
    /// In seconds, at most 30 days.
    pub max_lifetime: u32,
    /// The issuance floor: so many seconds before the earliest time of an attempt. `None` if nothing was voided.
    pub floor: Option<u16>,
    /// Whether it trusts the operator set of epoch 4 and not that of the others.
    pub trusts_other_set: bool,
}

impl FoundationPlan {
    /// Random foundations, most of them small: of those with more operators than one table holds, one in 24.
    pub fn strategy() -> impl Strategy<Value = Self> {
        let operators = prop_oneof![12 => 1..7u16, 11 => 7..25u16, 1 => 101..140u16];
        let chain_id = prop_oneof![3 => Just(31_337), 1 => 1..=u64::from(u32::MAX)];
        (chain_id, operators).prop_map(|(chain_id, operators)| Self { chain_id, operators })
    }
}

impl WorldPlan {
    /// Random worlds on a foundation.
    pub fn strategy(foundation: FoundationPlan) -> impl Strategy<Value = Self> {
        let FoundationPlan { chain_id, operators } = foundation;
        let grace_period = prop_oneof![1 => 0..20u32, 6 => Just(3_600)];
        // The registry demands that an epoch's lifetime is longer than the grace period.
        let epoch_lifetime = prop_oneof![2 => 3_700..10_000u32, 2 => Just(604_800), 1 => Just(LONGEST)];
        (any::<[EpochPlan; 4]>(), any::<[PolicyPlan; 2]>(), grace_period, epoch_lifetime).prop_map(
            move |(epochs, policies, grace_period, epoch_lifetime)| Self {
                chain_id,
                operators,
                epochs,
                policies,
                grace_period,
                epoch_lifetime,
            },
        )
    }

    /// What it is built on.
    pub fn foundation(&self) -> FoundationPlan {
        FoundationPlan { chain_id: self.chain_id, operators: self.operators }
    }
}

impl EpochPlan {
    /// The places of the epoch's operators among all.
    pub(crate) fn members(&self, operators: usize) -> Vec<usize> {
        let is_in = |index: &usize| self.left_out >> (index % 64) & 1 == 0;
        let members: Vec<_> = (0..operators).filter(is_in).collect();
        if members.is_empty() { vec![0] } else { members }
    }
}

impl Weights {
    /// The weight of each of `count` operators.
    pub(crate) fn spread(self, count: usize) -> Vec<U96> {
        // Numbers without a pattern: the multiplier is that of Knuth's multiplicative hash.
        let scattered = |seed: u32, index: usize| u64::from((seed ^ index as u32).wrapping_mul(2_654_435_761) >> 8);
        let weight = |index: usize| match self {
            Self::Equal => U96::from(1),
            Self::Small(seed) => U96::from(1 + scattered(seed, index) % 100),
            Self::Large(seed) => U96::MAX / U96::from(count) - U96::from(scattered(seed, index)),
            Self::OneHeavy(heavy) if index == usize::from(heavy) % count => U96::from(count),
            Self::OneHeavy(_) => U96::from(1),
        };
        (0..count).map(weight).collect()
    }
}

impl Arbitrary for EpochPlan {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        // Shifted together, few bits are set: most operators stay in.
        let few = (any::<u64>(), any::<u64>()).prop_map(|(one, other)| one & other);
        let left_out = prop_oneof![2 => Just(0), 3 => few, 1 => any::<u64>()];
        let weights = prop_oneof![
            1 => Just(Weights::Equal),
            4 => any::<u32>().prop_map(Weights::Small),
            1 => any::<u32>().prop_map(Weights::Large),
            1 => any::<u16>().prop_map(Weights::OneHeavy),
        ];
        (left_out, weights).prop_map(|(left_out, weights)| Self { left_out, weights }).boxed()
    }
}

impl Arbitrary for PolicyPlan {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        let policy_id = any::<[u8; 32]>().prop_map(|bytes| B256::from(bytes) | B256::with_last_byte(1));
        let quorum = prop_oneof![1 => Just(5_001u16), 4 => 5_001..=10_000u16, 1 => Just(10_000)];
        let max_lifetime = prop_oneof![6 => 60..=3_600u32, 1 => Just(1), 1 => Just(LONGEST)];
        let floor = proptest::option::weighted(0.3, prop_oneof![Just(0), 0..3_600u16]);
        (policy_id, quorum, max_lifetime, floor, prop::bool::weighted(0.15))
            .prop_map(|(policy_id, quorum, max_lifetime, floor, trusts_other_set)| Self {
                policy_id,
                quorum,
                max_lifetime,
                floor,
                trusts_other_set,
            })
            .boxed()
    }
}
