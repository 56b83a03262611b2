//! What a gateway remembers of operators, by address: a new connection changes none of it.
//!
//! Under load, a task is offered first to the operators that answer, fastest first, as many as a quorum needs and a few
//! more. The others get it if it is not decided soon. An operator that sends invalid signatures costs the gateway
//! verifications, so that after a few it is barred for a while.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, U256};
use assent_verifier::{Epoch, EpochId};

use super::{Action, Gateway};
use crate::{
    LinkId, Scheme,
    message::BATCHES,
    task::{required_weight, weight_of},
};

/// How long an operator gets no batches after one that it did not sign, or an invalid signature, in milliseconds.
const PENALTY_MILLIS: u64 = 10_000;
/// The invalid signatures after which an operator is barred, and how long they count, in milliseconds.
const MAX_INVALID: u32 = 4;
const INVALID_MILLIS: u64 = 600_000;
/// How long an operator is barred, in milliseconds.
const BAR_MILLIS: u64 = 600_000;
/// The most offers without an answer that count.
const MAX_MISSED: u32 = 8;
/// From how many offers without an answer on no task waits for the operator's observations.
const NOT_AWAITED: u32 = 2;
/// How long operators that are equally fast keep their order, in milliseconds.
const ROTATION_MILLIS: u64 = 60_000;
/// One of so many tasks is offered to all operators at once, so that the others can show that they are fast, too.
const PROBE: u64 = 16;

/// What is remembered of an operator. Times are Unix times in milliseconds.
#[derive(Debug, Default)]
pub(super) struct Standing {
    no_batches_until: u64,
    barred_until: u64,
    /// The invalid signatures that count, and when the last one came.
    invalid: u32,
    last_invalid: u64,
    /// The last offers that it did not answer in time.
    missed: u32,
    /// How long it takes to answer, as a moving mean of milliseconds.
    latency: u64,
}

impl Standing {
    /// Returns how late an operator is to be asked. Operators that differ little are equal.
    fn rank(&self) -> (u32, u32) {
        (self.missed, u64::BITS.saturating_sub(self.latency.leading_zeros()))
    }
}

/// What is remembered of all operators.
#[derive(Debug, Default)]
pub(super) struct Standings {
    operators: BTreeMap<Address, Standing>,
    /// The tasks that were offered under load.
    offers: u64,
}

impl Standings {
    /// Forgets operators that are in no known epoch, unless they are barred.
    pub(super) fn retain(&mut self, epochs: &BTreeMap<EpochId, Epoch>, now_millis: u64) {
        self.operators.retain(|operator, standing| {
            standing.barred_until > now_millis || epochs.values().any(|epoch| weight_of(epoch, *operator).is_some())
        });
    }

    /// Takes note of an answer after some milliseconds.
    pub(super) fn answered(&mut self, operator: Address, millis: u64) {
        let standing = self.operators.entry(operator).or_default();
        standing.missed = 0;
        standing.latency = match standing.latency {
            0 => millis,
            latency => latency.saturating_mul(7).saturating_add(millis) / 8,
        };
    }

    /// Takes note of an offer that was not answered in time.
    pub(super) fn missed(&mut self, operator: Address) {
        let standing = self.operators.entry(operator).or_default();
        standing.missed = standing.missed.saturating_add(1).min(MAX_MISSED);
    }

    /// Returns whether a task may wait for the operator's observations.
    pub(super) fn is_awaited(&self, operator: Address) -> bool {
        self.operators.get(&operator).is_none_or(|standing| standing.missed < NOT_AWAITED)
    }

    /// Returns for how many milliseconds an operator is barred.
    fn barred_for(&self, operator: Address, now_millis: u64) -> Option<u64> {
        let until = self.operators.get(&operator)?.barred_until;
        until.checked_sub(now_millis).filter(|millis| *millis > 0)
    }

    /// Gives an operator no batches for a while.
    pub(super) fn withhold_batches(&mut self, operator: Address, now_millis: u64) {
        let standing = self.operators.entry(operator).or_default();
        standing.no_batches_until = now_millis.saturating_add(PENALTY_MILLIS);
    }

    fn has_no_batches(&self, operator: Address, now_millis: u64) -> bool {
        self.operators.get(&operator).is_some_and(|standing| standing.no_batches_until > now_millis)
    }

    /// Counts an invalid signature. Returns whether the operator is barred from now on.
    fn strike(&mut self, operator: Address, now_millis: u64) -> bool {
        self.withhold_batches(operator, now_millis);
        let standing = self.operators.entry(operator).or_default();
        if standing.last_invalid.saturating_add(INVALID_MILLIS) <= now_millis {
            standing.invalid = 0;
        }
        standing.last_invalid = now_millis;
        standing.invalid = standing.invalid.saturating_add(1);
        let is_barred = standing.invalid >= MAX_INVALID && standing.barred_until <= now_millis;
        if is_barred {
            standing.barred_until = now_millis.saturating_add(BAR_MILLIS);
            standing.invalid = 0;
        }
        is_barred
    }

    fn rank(&self, operator: Address) -> (u32, u32) {
        self.operators.get(&operator).map_or((0, 0), Standing::rank)
    }
}

impl<S: Scheme> Gateway<S> {
    /// Returns whether an operator of an epoch is connected and signs batches.
    pub(super) fn is_able(&self, epoch_id: EpochId, operator: Address) -> bool {
        self.link_in(epoch_id, operator).is_some_and(|(_, version)| version >= BATCHES)
            && !self.standings.has_no_batches(operator, self.now_millis)
    }

    /// Returns the operators that are offered a task first, under load; `None` if all are.
    pub(super) fn asked_first(&mut self, task_id: B256) -> Option<BTreeSet<Address>> {
        self.standings.offers = self.standings.offers.wrapping_add(1);
        if self.standings.offers.is_multiple_of(PROBE) {
            return None;
        }
        let accepted = &self.tasks.get(&task_id)?.accepted;
        let epoch = self.epochs.get(&accepted.task.epoch)?;
        let required = required_weight(epoch, &accepted.client_policy);
        let operators = epoch.operators.operators();
        let rotation = usize::try_from(self.now_millis / ROTATION_MILLIS).unwrap_or_default();
        let mut able: Vec<_> = operators
            .iter()
            .enumerate()
            .filter(|(_, operator)| self.is_able(epoch.number, operator.address))
            .map(|(index, operator)| {
                let turn = index.wrapping_add(rotation).checked_rem(operators.len()).unwrap_or_default();
                ((self.standings.rank(operator.address), turn), operator)
            })
            .collect();
        able.sort_unstable_by_key(|(order, _)| *order);
        let mut weight = U256::ZERO;
        let mut needed: usize = 0;
        for (_, operator) in &able {
            if weight >= required {
                break;
            }
            weight = weight.saturating_add(U256::from(operator.weight));
            needed = needed.saturating_add(1);
        }
        let asked = needed.saturating_add((needed / 8).max(1));
        if weight < required || asked >= able.len() {
            return None;
        }
        Some(able.iter().take(asked).map(|(_, operator)| operator.address).collect())
    }

    /// Counts the invalid signatures of operators, and bars those that sent too many.
    pub(super) fn strike(&mut self, operators: impl IntoIterator<Item = Address>, actions: &mut Vec<Action>) {
        for operator in operators {
            if self.standings.strike(operator, self.now_millis) {
                self.bar(operator, actions);
            }
        }
    }

    /// Closes a connection if its operator is barred. Returns whether it is not.
    pub(super) fn require_unbarred(&mut self, link: LinkId, operator: Address, actions: &mut Vec<Action>) -> bool {
        let Some(millis) = self.standings.barred_for(operator, self.now_millis) else { return true };
        let reason = format!("{operator} sent invalid signatures, and is barred for {} s", millis.div_ceil(1000));
        self.close(link, reason, actions);
        false
    }

    /// Closes an operator's connection, and drops what it answered: nothing more of it is verified.
    fn bar(&mut self, operator: Address, actions: &mut Vec<Action>) {
        if let Some(link) = self.operators.get(&operator).copied() {
            self.close(link, format!("{operator} sent {MAX_INVALID} invalid signatures"), actions);
        }
        self.tasks.values_mut().for_each(|pending| pending.exclude(operator));
        self.drop_from_batches(operator, actions);
    }
}
