//! How often each outcome was reached.

use crate::RegistrationError;
use assent_verifier::Refusal;
use serde::Serialize;
use std::collections::BTreeMap;

/// How both sides decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The call goes through, the root is recorded, the key registered.
    Accepted,
    /// An authorization or a root is refused.
    Refused(Refusal),
    /// A key is refused.
    NotRegistered(RegistrationError),
}

/// Counts outcomes, under their names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// How many calls, roots and keys were accepted.
    pub accepted: u64,
    /// How many fell to each error of the protocol; every error stands here.
    pub by_error: BTreeMap<&'static str, u64>,
}

impl Outcome {
    /// The error's name.
    fn error(self) -> Option<&'static str> {
        match self {
            Self::Accepted => None,
            Self::Refused(refusal) => Some(refusal.name()),
            Self::NotRegistered(error) => Some(error.name()),
        }
    }
}

impl From<Result<(), Refusal>> for Outcome {
    fn from(result: Result<(), Refusal>) -> Self {
        result.map_or_else(Self::Refused, |()| Self::Accepted)
    }
}

impl Tally {
    /// Nothing counted, and every error known.
    pub fn new() -> Self {
        Self { accepted: 0, by_error: Self::errors().map(|error| (error, 0)).collect() }
    }

    /// Every error: those of authorizations in the order of the checks, then those of registration.
    pub fn errors() -> impl Iterator<Item = &'static str> {
        Refusal::NAMES.iter().copied().chain(RegistrationError::ALL.map(RegistrationError::name))
    }

    /// What nothing fell to. A generator that reaches everything leaves nothing here.
    pub fn unreached(&self) -> Vec<&'static str> {
        let accepted = (self.accepted == 0).then_some("accepted");
        accepted.into_iter().chain(Self::errors().filter(|error| self.by_error.get(error) == Some(&0))).collect()
    }

    pub(crate) fn count(&mut self, outcome: Outcome) {
        match outcome.error() {
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
