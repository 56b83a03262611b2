//! What a gateway knows of a policy's sources.

use std::{collections::BTreeMap, sync::Arc};

use assent_policy::Rules;

/// What a gateway knows of the sources of an accepted task's policy.
// Complete: the first is what the task log keeps, the second what it kept before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AcceptedSources {
    /// Rules that have the sources, and nothing else. They say how observations are reduced.
    Rules(Arc<Rules>),
    /// The sources by key, each with whether the outputs of a quorum must be identical. Only a task that a gateway of
    /// an earlier version accepted has them.
    Identity(BTreeMap<String, bool>),
}

impl AcceptedSources {
    /// Returns the sources of rules.
    pub fn of(rules: &Rules) -> Self {
        Self::Rules(Arc::new(rules.only_sources()))
    }

    /// Returns the keys of the sources, in order.
    pub fn keys(&self) -> Vec<String> {
        match self {
            Self::Rules(rules) => rules.source_keys().into_keys().collect(),
            Self::Identity(sources) => sources.keys().cloned().collect(),
        }
    }

    /// Returns whether the policy has no sources.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Rules(rules) => rules.sources().next().is_none(),
            Self::Identity(sources) => sources.is_empty(),
        }
    }
}
