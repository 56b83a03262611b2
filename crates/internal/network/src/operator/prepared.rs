//! What the operator needs to know of a policy's rules, read once.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use alloy_primitives::B256;
use assent_policy::{ExecutablePolicy, Rules};

use super::{OutstandingSource, refused};
use crate::message::{RefusalCode, Refused};

/// The most policies that are remembered.
const REMEMBERED: usize = 64;

/// What the operator needs to know of a policy's rules.
#[derive(Debug)]
pub(super) struct Prepared {
    /// The sources by their keys, each with its policy's index and its name.
    pub(super) sources: BTreeMap<String, (Option<usize>, String)>,
    pub(super) outstanding: Vec<OutstandingSource>,
    pub(super) rules: Rules,
    /// Whether the operator's own observation must be near what is agreed, for any source.
    pub(super) needs_own: bool,
}

/// The policies that were read last.
#[derive(Debug, Default)]
pub(super) struct PreparedPolicies(VecDeque<(B256, Arc<Prepared>)>);

impl PreparedPolicies {
    /// Returns what is needed of a policy, which is read unless it was before.
    pub(super) fn get(&mut self, policy: &ExecutablePolicy) -> Result<Arc<Prepared>, Refused> {
        let policy_id = policy.id();
        if let Some((_, prepared)) = self.0.iter().find(|(known, _)| *known == policy_id) {
            return Ok(Arc::clone(prepared));
        }
        let rules = Rules::parse(policy.rules());
        let rules = rules.map_err(|error| refused(RefusalCode::UnknownPolicy, error.to_string(), false))?;
        let outstanding = OutstandingSource::all(&rules);
        let outstanding = outstanding.map_err(|reason| refused(RefusalCode::Source, reason, false))?;
        let needs_own = rules.sources().any(|keyed| keyed.source.within.is_some());
        let prepared = Arc::new(Prepared { sources: rules.source_keys(), outstanding, rules, needs_own });
        if self.0.len() >= REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back((policy_id, Arc::clone(&prepared)));
        Ok(prepared)
    }
}
