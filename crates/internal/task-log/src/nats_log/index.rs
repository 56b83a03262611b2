//! The open tasks, as the stream's messages tell.

use std::collections::{BTreeMap, HashMap};

use alloy_primitives::B256;

use super::record::{Entry, StateKind};

/// The open tasks, by number: in the order of arrival.
#[derive(Debug, Default)]
pub(super) struct Index {
    open: BTreeMap<u64, Open>,
    numbers: HashMap<B256, u64>,
    /// Tasks that are being appended.
    appending: u64,
}

/// An open task.
#[derive(Debug, Clone)]
pub(super) struct Open {
    pub(super) number: u64,
    pub(super) id: B256,
    pub(super) deadline: u64,
    /// The sequence of its state, or 0 if it has none.
    pub(super) revision: u64,
    pub(super) claims: u64,
    /// The gateway that holds it and when the lease ends, if it was claimed.
    lease: Option<(String, u64)>,
}

impl Open {
    /// Returns whether the task can be claimed.
    pub(super) fn is_free(&self, now: u64) -> bool {
        self.deadline > now && self.lease.as_ref().is_none_or(|(_, until)| *until <= now)
    }

    /// Returns whether a gateway holds the task, and can still work on it.
    pub(super) fn is_held_by(&self, gateway: &str, now: u64) -> bool {
        self.deadline > now && self.lease.as_ref().is_some_and(|(holder, _)| holder == gateway)
    }
}

impl Index {
    /// Takes a message of the stream, in its order.
    pub(super) fn apply(&mut self, sequence: u64, entry: Entry) {
        match entry {
            Entry::Task { id, header } => {
                self.remove(id);
                let open = Open {
                    number: sequence,
                    id,
                    deadline: header.deadline,
                    revision: 0,
                    claims: u64::from(header.lease.is_some()),
                    lease: header.lease,
                };
                self.open.insert(sequence, open);
                self.numbers.insert(id, sequence);
            }
            Entry::State { id, header } => {
                if self.numbers.get(&id) != Some(&header.number) {
                    return;
                }
                match (header.state, self.open.get_mut(&header.number)) {
                    (StateKind::Leased { gateway, until }, Some(open)) => {
                        open.revision = sequence;
                        open.claims = header.claims;
                        open.lease = Some((gateway, until));
                    }
                    _ => self.remove(id),
                }
            }
        }
    }

    pub(super) fn remove(&mut self, id: B256) {
        if let Some(number) = self.numbers.remove(&id) {
            self.open.remove(&number);
        }
    }

    pub(super) fn remove_number(&mut self, id: B256, number: u64) {
        if self.numbers.get(&id) == Some(&number) {
            self.remove(id);
        }
    }

    pub(super) fn clear(&mut self) {
        self.open.clear();
        self.numbers.clear();
    }

    /// Returns up to `limit` tasks that pass, the oldest first.
    pub(super) fn select(&self, limit: usize, passes: impl Fn(&Open) -> bool) -> Vec<Open> {
        self.open.values().filter(|open| passes(open)).take(limit).cloned().collect()
    }

    /// Reserves room for one more task, unless `limit` tasks are open.
    pub(super) fn reserve(&mut self, limit: u64) -> bool {
        let open = u64::try_from(self.open.len()).unwrap_or(u64::MAX);
        let has_room = open.saturating_add(self.appending) < limit;
        self.appending = self.appending.saturating_add(u64::from(has_room));
        has_room
    }

    pub(super) fn release(&mut self) {
        self.appending = self.appending.saturating_sub(1);
    }
}
