//! Observations that a gateway holds until it has chosen those to decide on.
//!
//! Operators send what they like, for every task. Each has the same share of the bytes that the gateway holds, so that
//! no one takes the room of another.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use alloy_primitives::Address;
use assent_policy::{KeyedSource, MAX_OUTPUT};
use assent_verifier::{Epoch, EpochId};

use super::AcceptedSources;
use crate::message::SourceObservation;

/// What an observation takes besides its texts, with room for what the allocator adds.
const OBSERVATION_BYTES: usize = 256;

/// Whether operators decide on an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// With it, the policy's rules decide.
    Fits,
    /// With it, the evaluator denies for its form.
    Misfit,
    /// With it, operators refuse.
    Unusable,
}

/// What one operator observed for a task, of each source in order.
#[derive(Debug)]
pub(super) struct HeldObservations {
    pub(super) observations: Vec<(SourceObservation, Fit)>,
    bytes: usize,
    /// The bytes that the gateway holds of the operator.
    held: Option<Arc<AtomicUsize>>,
}

impl HeldObservations {
    /// Forgets the observations; that there were some stays known.
    pub(super) fn clear(&mut self) {
        self.observations = Vec::new();
        if let Some(held) = self.held.take() {
            held.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}

impl Drop for HeldObservations {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The bytes that the gateway holds, by operator.
#[derive(Debug)]
pub(super) struct Shares {
    /// The most bytes of all operators.
    max_bytes: usize,
    held: BTreeMap<Address, Arc<AtomicUsize>>,
}

impl Shares {
    pub(super) const fn new(max_bytes: usize) -> Self {
        Self { max_bytes, held: BTreeMap::new() }
    }

    /// Gives each operator of the epochs a share.
    pub(super) fn divide(&mut self, epochs: &BTreeMap<EpochId, Epoch>) {
        let operators = epochs.values().flat_map(|epoch| epoch.operators.operators());
        let operators: BTreeSet<Address> = operators.map(|operator| operator.address).collect();
        self.held.retain(|operator, _| operators.contains(operator));
        for operator in operators {
            self.held.entry(operator).or_default();
        }
    }

    /// Returns the bytes that are held of all operators.
    pub(super) fn held_bytes(&self) -> usize {
        self.held.values().map(|held| held.load(Ordering::Relaxed)).sum()
    }

    /// Returns an operator's observations, to hold them; nothing if its share has no room for them.
    pub(super) fn hold(
        &self,
        operator: Address,
        observations: Vec<SourceObservation>,
        sources: &AcceptedSources,
    ) -> Option<HeldObservations> {
        let held = self.held.get(&operator)?;
        let bytes = observations.iter().map(|SourceObservation { source, output, .. }| {
            OBSERVATION_BYTES.saturating_add(source.len()).saturating_add(output.len())
        });
        let bytes = bytes.sum::<usize>();
        let share = self.max_bytes.checked_div(self.held.len()).unwrap_or_default();
        if held.load(Ordering::Relaxed).saturating_add(bytes) > share {
            return None;
        }
        held.fetch_add(bytes, Ordering::Relaxed);
        let fits = fits(&observations, sources);
        let observations = observations.into_iter().zip(fits).collect();
        Some(HeldObservations { observations, bytes, held: Some(Arc::clone(held)) })
    }
}

/// Returns whether each output fits its source. The observations are of each source, in order.
fn fits(observations: &[SourceObservation], sources: &AcceptedSources) -> Vec<Fit> {
    let keyed: BTreeMap<String, KeyedSource<'_>> = match sources {
        AcceptedSources::Rules(rules) => rules.sources().map(|keyed| (keyed.key.clone(), keyed)).collect(),
        AcceptedSources::Identity(_) => BTreeMap::new(),
    };
    let fit = |SourceObservation { source, output, .. }: &SourceObservation| {
        let Ok(value) = assent_json::parse_canonical(output.as_bytes()) else { return Fit::Unusable };
        if output.len() > MAX_OUTPUT {
            return Fit::Unusable;
        }
        // Of a task of an earlier version it is not known.
        let fits = keyed.get(source).is_none_or(|keyed| keyed.require_fit(value).is_ok());
        if fits { Fit::Fits } else { Fit::Misfit }
    };
    observations.iter().map(fit).collect()
}
