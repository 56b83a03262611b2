//! How often each answer was given.

use crate::{Answer, RegistrationError};
use assent_verifier::Refusal;
use serde::Serialize;
use std::collections::BTreeMap;

/// Counts answers by their names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// How many calls, roots and keys were accepted.
    pub accepted: u64,
    /// How many ended with each error of the protocol. Every error has an entry.
    pub by_error: BTreeMap<&'static str, u64>,
}

impl Tally {
    /// Creates a tally in which every error has a count of 0.
    pub fn new() -> Self {
        Self { accepted: 0, by_error: Self::errors().map(|error| (error, 0)).collect() }
    }

    /// Every error: those of authorizations in the order of the checks, then those of registration.
    pub fn errors() -> impl Iterator<Item = &'static str> {
        Refusal::NAMES.iter().copied().chain(RegistrationError::ALL.map(RegistrationError::name))
    }

    /// Returns the answers that were never given.
    pub fn unreached(&self) -> Vec<&'static str> {
        let accepted = (self.accepted == 0).then_some("accepted");
        accepted.into_iter().chain(Self::errors().filter(|error| self.by_error.get(error) == Some(&0))).collect()
    }

    pub(crate) fn count(&mut self, answer: Answer) {
        match answer.error() {
            None => self.accepted += 1,
            Some(error) => *self.by_error.entry(error).or_default() += 1,
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.accepted += other.accepted;
        for (error, count) in &other.by_error {
            *self.by_error.entry(error).or_default() += count;
        }
    }
}
