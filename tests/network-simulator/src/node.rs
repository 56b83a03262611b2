//! An operator's computer: its state machine, which a crash loses, and its disk, which it does not.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use assent_network::operator::{Operator, Settings};
use assent_policy::EvidenceFile;
use assent_verifier::EpochId;

use crate::{
    faults::Lie,
    scheme::{Keys, Signer, domain},
};

/// The most tasks that an operator of a history remembers: few, so that it forgets some.
pub(crate) const MAX_TASKS: usize = 4;
/// The same beside a flood: as many tasks as callers ask for have room in each gateway's part.
pub(crate) const MAX_TASKS_BESIDE_FLOOD: usize = 12;

pub(crate) struct Node<K> {
    pub(crate) signer: Signer,
    pub(crate) lie: Option<Lie>,
    /// Nothing while it is down.
    pub(crate) operator: Option<Operator<K>>,
    /// Counts its starts: what an earlier start began does not reach a later one.
    pub(crate) generation: u64,
    pub(crate) disk: Disk,
    pub(crate) is_cut_off: bool,
    pub(crate) lag_millis: u64,
    pub(crate) max_tasks: usize,
}

/// What outlasts a crash.
#[derive(Default)]
pub(crate) struct Disk {
    /// The digest that was signed for a task.
    pub(crate) attestations: BTreeMap<B256, B256>,
    /// The digest that was signed for a task and a source.
    pub(crate) observations: BTreeMap<(B256, B256), B256>,
    /// The digest of what was signed about an epoch.
    pub(crate) handovers: BTreeMap<EpochId, B256>,
    pub(crate) evidence: BTreeMap<B256, EvidenceFile>,
}

impl<K: Keys> Node<K> {
    pub(crate) fn new(signer: Signer, lie: Option<Lie>, lag_millis: u64, max_tasks: usize) -> Self {
        let disk = Disk::default();
        Self { signer, lie, operator: None, generation: 0, disk, is_cut_off: false, lag_millis, max_tasks }
    }

    pub(crate) fn start(&mut self, scheme: K) {
        let mut settings = Settings::new(domain(), self.signer.address);
        settings.max_tasks = self.max_tasks;
        self.generation += 1;
        self.operator = Some(Operator::new(settings, scheme));
    }

    pub(crate) const fn is_honest(&self) -> bool {
        self.lie.is_none()
    }
}
