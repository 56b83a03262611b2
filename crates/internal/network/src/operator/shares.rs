//! What each gateway may use of the operator. A gateway that floods it delays and displaces only itself.

use std::{collections::BTreeMap, sync::Arc};

use alloy_primitives::B256;

use super::{Action, Operator, refused, send, work::Work};
use crate::{
    LinkId, Scheme,
    message::{AgreedOutput, OperatorMessage, RefusalCode},
};

use super::observation_set::ObservationSet;

/// The invalid sets of observations after which a connection is closed. A gateway verifies them before it sends them.
const MAX_STRIKES: u32 = 4;

impl<S: Scheme> Operator<S> {
    /// Returns the number of sets of observations whose signatures were invalid.
    pub const fn invalid_sets(&self) -> u64 {
        self.invalid_sets
    }

    /// Returns the gateway whose share of the operator's capacity an action uses.
    pub fn gateway_of(&self, action: &Action) -> Option<Arc<str>> {
        let of_task = |task_id: B256| self.tasks.get(&task_id).map(|work| Arc::clone(&work.owner));
        match action {
            Action::Send { link, .. }
            | Action::Close { link, .. }
            | Action::SignConnection { link, .. }
            | Action::SignBatch { link, .. }
            | Action::SignHandover { link, .. } => self.links.get(link).map(|link| Arc::clone(&link.gateway)),
            Action::Examine { ticket, .. }
            | Action::Observe { ticket, .. }
            | Action::SignObservations { ticket, .. }
            | Action::Evaluate { ticket, .. }
            | Action::StoreEvidence { ticket, .. }
            | Action::SignAttestation { ticket, .. } => of_task(ticket.task_id),
        }
    }

    /// Takes observations to decide on, from a gateway that offered the task.
    pub(super) fn decide(
        &mut self,
        link: LinkId,
        task_id: B256,
        outputs: Vec<AgreedOutput>,
        actions: &mut Vec<Action>,
    ) {
        let Some(gateway) = self.links.get(&link).map(|link| Arc::clone(&link.gateway)) else { return };
        let work = self.tasks.get(&task_id).filter(|work| work.links.contains(&link));
        if !work.is_some_and(Work::takes_observations) {
            return;
        }
        let set = ObservationSet::new(link, gateway, outputs);
        if !self.can_keep(&set) {
            // The gateway sends them again with its next offer.
            let refusal = refused(RefusalCode::Busy, "the operator has too many observations to decide on", true);
            return send(link, &OperatorMessage::Refused { task_id, refusal }, actions);
        }
        self.step(task_id, actions, |work, context, actions| work.decide(set, context, actions));
    }

    /// Counts observations with an invalid signature, and closes the connection after too many.
    pub(super) fn strike(&mut self, link: LinkId, actions: &mut Vec<Action>) {
        self.invalid_sets = self.invalid_sets.saturating_add(1);
        let Some(state) = self.links.get_mut(&link) else { return };
        state.strikes = state.strikes.saturating_add(1);
        if state.strikes >= MAX_STRIKES {
            self.forget_link(link);
            let reason = "the gateway sent observations with invalid signatures again and again".into();
            actions.push(Action::Close { link, reason, is_barred: true });
        }
    }

    /// Returns whether one more task of a gateway has room, after another was forgotten if need be.
    ///
    /// To forget a task is safe: if it is offered again, the journal repeats the signature or refuses another.
    pub(super) fn has_room(&mut self, gateway: &str, actions: &mut Vec<Action>) -> bool {
        if self.tasks.len() < self.settings.max_tasks {
            return true;
        }
        let Some(task_id) = self.displaced_by(gateway) else { return false };
        if let Some(work) = self.tasks.remove(&task_id)
            && !work.is_finished()
        {
            let refusal = refused(RefusalCode::Busy, "the operator has too many tasks", true);
            work.send_to_all(&OperatorMessage::Refused { task_id, refusal }, actions);
        }
        true
    }

    /// Returns the task that makes room for one of a gateway: a finished one if there is one.
    ///
    /// Otherwise it is one of the gateway that has the most open ones. Of these it is the oldest that waits for a
    /// gateway, and the newest if none does. A gateway that has the most open ones itself displaces no others'.
    fn displaced_by(&self, gateway: &str) -> Option<B256> {
        let finished = |work: &Work| work.is_finished();
        if let Some(owner) = self.owner_of_most(gateway, finished) {
            return self.of(&owner, finished).min().map(|(_, task_id)| task_id);
        }
        let most = self.owner_of_most(gateway, |_| true)?;
        if let Some((_, task_id)) = self.of(&most, Work::waits_for_gateway).min() {
            return Some(task_id);
        }
        let own = self.of(gateway, |_| true).count();
        // Otherwise both would only change places.
        if self.of(&most, |_| true).count() <= own.saturating_add(1) {
            return None;
        }
        self.of(&most, |_| true).max().map(|(_, task_id)| task_id)
    }

    /// Returns the gateway that brought the most tasks of a kind, the given one if others brought as many.
    fn owner_of_most(&self, gateway: &str, kind: impl Fn(&Work) -> bool) -> Option<Arc<str>> {
        let mut counts: BTreeMap<&Arc<str>, usize> = BTreeMap::new();
        for work in self.tasks.values().filter(|work| kind(work)) {
            let count = counts.entry(&work.owner).or_default();
            *count = count.saturating_add(1);
        }
        let most = counts.into_iter().max_by_key(|(owner, count)| (*count, ***owner == *gateway));
        most.map(|(owner, _)| Arc::clone(owner))
    }

    /// Returns the tasks of a kind that a gateway brought, each with the number of its offer.
    fn of(&self, gateway: &str, kind: impl Fn(&Work) -> bool) -> impl Iterator<Item = (u64, B256)> {
        let tasks = self.tasks.iter().filter(move |(_, work)| *work.owner == *gateway && kind(work));
        tasks.map(|(task_id, work)| (work.number, *task_id))
    }
}
