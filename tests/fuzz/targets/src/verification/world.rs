//! The chain around the calls.

use crate::fixture::{Fixture, NOW};
use alloy_primitives::{Address, B256, U256, aliases::U48};
use arbitrary::Arbitrary;
use assent_verifier::{Context, Epoch, EpochId, OperatorSetId, RecordedRoot};
use std::sync::LazyLock;

/// A set of operators, and what changes between attesting and calling.
#[derive(Debug, Arbitrary)]
pub struct WorldPlan {
    operators: u8,
    changes: [Change; 2],
}

#[derive(Debug, Arbitrary)]
enum Change {
    None,
    /// Seconds after the fixture's present; the attestations expire after 600.
    Time(u16),
    Quorum(u16),
    MaxLifetime(u16),
    OperatorSet,
    PolicyId(u8),
    NoPolicy,
    NoTaskManager,
    Chain(u8),
    Client,
    Caller,
    /// The epoch's end, in seconds after the fixture's present.
    ValidUntil(u16),
    Revoked,
    Forgotten,
    /// Nonces of the attestations' word.
    Burned(u16),
    /// The client's issuance floor, in seconds before or after the fixture's present.
    Floor(i16),
    /// Seconds before the fixture's present.
    Earlier(u16),
    /// The end of the epochs that signed recorded roots, in seconds after the fixture's present.
    EpochEnd(u16),
}

/// Three sizes: one operator, a bitmap of one byte, and one of two.
static FIXTURES: LazyLock<[Fixture; 3]> = LazyLock::new(|| [7, 1, 10].map(fixture));

fn fixture(operators: u16) -> Fixture {
    let mut fixture = Fixture::with_operators(operators);
    // A second epoch of the same operators, and one of another set.
    let Epoch { operators, .. } = fixture.context.epochs[0].clone();
    let epoch =
        |number, operator_set| Epoch { number, operator_set, valid_until: U48::MAX, operators: operators.clone() };
    fixture.context.epochs.extend([epoch(EpochId(10), OperatorSetId(5)), epoch(EpochId(11), OperatorSetId(6))]);
    fixture
}

impl WorldPlan {
    pub(super) fn fixture(&self) -> Fixture {
        FIXTURES[usize::from(self.operators) % FIXTURES.len()].clone()
    }

    pub(super) fn change(&self, context: &mut Context) {
        self.changes.iter().for_each(|change| change.apply(context));
    }
}

impl Change {
    fn apply(&self, context: &mut Context) {
        let Context { policy, epochs, .. } = context;
        match *self {
            Self::None => {}
            Self::Time(seconds) => context.timestamp = NOW + u64::from(seconds),
            Self::Quorum(quorum) => policy.iter_mut().for_each(|policy| policy.quorum = quorum),
            Self::MaxLifetime(seconds) => policy.iter_mut().for_each(|policy| policy.maxLifetime = U48::from(seconds)),
            Self::OperatorSet => policy.iter_mut().for_each(|policy| policy.operatorSet ^= 3),
            Self::PolicyId(byte) => policy.iter_mut().for_each(|policy| policy.policyId = B256::repeat_byte(byte)),
            Self::NoPolicy => *policy = None,
            Self::NoTaskManager => context.task_manager = Address::ZERO,
            Self::Chain(chain) => context.chain_id = U256::from(chain),
            Self::Client => context.policy_client = Address::repeat_byte(1),
            Self::Caller => context.caller = Address::repeat_byte(2),
            Self::ValidUntil(seconds) => {
                epochs.iter_mut().for_each(|epoch| epoch.valid_until = U48::from(NOW + u64::from(seconds)));
            }
            Self::Revoked => epochs.iter_mut().for_each(|epoch| epoch.valid_until = U48::ZERO),
            Self::Forgotten => epochs.retain(|epoch| epoch.number != EpochId(9)),
            Self::Burned(mask) => context.spent.burn(context.policy_client, U256::ONE, U256::from(mask)),
            Self::Floor(seconds) => context.issuance_floor = U48::from(NOW.saturating_add_signed(seconds.into())),
            Self::Earlier(seconds) => context.timestamp = NOW - u64::from(seconds),
            Self::EpochEnd(seconds) => {
                let epoch_end = U48::from(NOW + u64::from(seconds));
                let before = std::mem::take(&mut context.recorded_roots);
                for (epoch, root, recorded) in before.iter() {
                    context.recorded_roots.record(epoch, root, RecordedRoot { epoch_end, ..recorded });
                }
            }
        }
    }
}
