//! Batches: under load, operators decide first and sign many tasks together.
//!
//! At most one batch of an epoch is being signed. What a quorum decides meanwhile is in the next one, so that batches
//! grow with the load and no timer is needed. A batch holds only statements on which operators agree whose weight is a
//! quorum of each client. It is sent to every operator that agrees on all of them, and to those that do later.
//! A batch that a quorum does not sign in time ends, and its tasks are signed one by one. An operator that agreed and
//! did not sign gets no batches for a while: no batch waits for its decisions then, nor counts them.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, U256};
use assent_signer::{Aggregate, AttestationBatch, PartialSignature};
use assent_types::Signature;
use assent_verifier::{Epoch, EpochId, Refusal};

use super::{
    Action, Gateway, TaskOutcome,
    pending::{Pending, StatementKey, rejected},
    send,
};
use crate::{
    Scheme,
    message::{GatewayMessage, MAX_BATCH, RefusalCode, Refused},
    task::{required_weight, weight},
};

/// A batch that operators are signing.
#[derive(Debug)]
pub(super) struct Batch {
    attestations: AttestationBatch,
    /// The tasks and what operators decided, in the order of the leaves.
    leaves: Vec<(B256, StatementKey)>,
    /// The greatest weight that a client demands.
    required: U256,
    /// Who was asked to sign.
    asked: BTreeSet<Address>,
    signatures: BTreeMap<Address, Signature>,
    /// Who had forgotten a task, and was asked to decide it again.
    forgetful: BTreeSet<Address>,
    /// Who refused, or signed something else.
    out: BTreeSet<Address>,
    /// When the batch ends without a quorum (Unix time in milliseconds).
    deadline: u64,
}

impl Batch {
    fn has(&self, task_id: B256) -> bool {
        self.leaves.iter().any(|(leaf, _)| *leaf == task_id)
    }
}

impl<S: Scheme> Gateway<S> {
    /// Returns the number of batches that are being signed.
    pub fn batch_count(&self) -> usize {
        self.batches.len()
    }

    /// Returns whether a task is to be signed with a batch: under load, if operators that can are a quorum.
    pub(super) fn is_for_batch(&self, task_id: B256) -> bool {
        let Some(pending) = self.tasks.get(&task_id) else { return false };
        let open = self.tasks.values().filter(|pending| pending.is_open());
        if open.take(self.settings.batch_from).count() < self.settings.batch_from {
            return false;
        }
        self.can_batch(pending)
    }

    /// Goes on after an operator's answer to a task.
    pub(super) fn advance_batches(&mut self, task_id: B256, operator: Address, actions: &mut Vec<Action>) {
        let Some(pending) = self.tasks.get(&task_id).filter(|pending| pending.waits_for_batch()) else { return };
        let epoch_id = pending.accepted.task.epoch;
        let Some(epoch) = self.epochs.get(&epoch_id) else { return };
        if self.batches.get(&epoch_id).is_some_and(|batch| batch.has(task_id)) {
            return self.ask(epoch_id, operator, actions);
        }
        // Operators that sign batches are some of all: what is ready is decided, too.
        if pending.decided_since.is_none() && pending.quorums_statement(epoch, |_| true).is_none() {
            return;
        }
        let is_ready = pending.quorums_statement(epoch, |operator| self.is_able(epoch_id, operator)).is_some();
        let since = pending.since;
        if let Some(pending) = self.tasks.get_mut(&task_id) {
            pending.decided_since.get_or_insert(self.now_millis);
        }
        if is_ready {
            self.ready.insert((epoch_id, since, task_id));
            self.form(epoch_id, actions);
        } else if self.tasks.get(&task_id).is_some_and(|pending| self.is_left(task_id, pending)) {
            self.sign_by_itself(task_id, actions);
        }
    }

    /// Asks an operator that connected again for the signatures that it owes.
    pub(super) fn ask_again(&mut self, operator: Address, actions: &mut Vec<Action>) {
        let epoch_ids: Vec<EpochId> = self.batches.keys().copied().collect();
        for epoch_id in epoch_ids {
            if let Some(batch) = self.batches.get_mut(&epoch_id) {
                batch.asked.remove(&operator);
            }
            self.ask(epoch_id, operator, actions);
        }
    }

    /// Takes an operator's signature of a batch.
    pub(super) fn batch_signed(
        &mut self,
        operator: Address,
        root: B256,
        signature: Signature,
        actions: &mut Vec<Action>,
    ) {
        let Some((epoch_id, batch)) = self.batch_of(root) else { return };
        if batch.asked.contains(&operator) && !batch.out.contains(&operator) {
            batch.signatures.entry(operator).or_insert(signature);
            self.conclude(epoch_id, actions);
        }
    }

    /// Takes an operator's refusal to sign a batch.
    pub(super) fn batch_refused(
        &mut self,
        operator: Address,
        root: B256,
        refusal: &Refused,
        actions: &mut Vec<Action>,
    ) {
        let Some((epoch_id, batch)) = self.batch_of(root) else { return };
        if !batch.asked.contains(&operator) || batch.signatures.contains_key(&operator) {
            return;
        }
        let task_ids: Vec<B256> = batch.leaves.iter().map(|(task_id, _)| *task_id).collect();
        // It may have restarted since it decided: once, it is asked to decide again.
        if refusal.code == RefusalCode::Undecided && batch.forgetful.insert(operator) {
            batch.asked.remove(&operator);
            for task_id in &task_ids {
                if let Some(pending) = self.tasks.get_mut(task_id) {
                    pending.forget_decided(operator);
                }
            }
            if let Some((link, version)) = self.link_in(epoch_id, operator) {
                for task_id in &task_ids {
                    if let Some(pending) = self.tasks.get_mut(task_id) {
                        pending.send_to(operator, link, version, self.now_millis, actions);
                    }
                }
            }
            return;
        }
        batch.out.insert(operator);
        self.standings.withhold_batches(operator, self.now_millis);
        self.end_if_hopeless(epoch_id, actions);
    }

    /// Drops an operator's part in all batches.
    pub(super) fn drop_from_batches(&mut self, operator: Address, actions: &mut Vec<Action>) {
        let epoch_ids: Vec<EpochId> = self.batches.keys().copied().collect();
        for epoch_id in epoch_ids {
            if let Some(batch) = self.batches.get_mut(&epoch_id) {
                batch.out.insert(operator);
            }
            self.end_if_hopeless(epoch_id, actions);
        }
    }

    /// Has tasks signed one by one that a quorum decided, and of which no batch is made.
    pub(super) fn sign_the_rest(&mut self, actions: &mut Vec<Action>) {
        let left = self.tasks.iter().filter(|(task_id, pending)| self.is_left(**task_id, pending));
        let left: Vec<B256> = left.map(|(task_id, _)| *task_id).collect();
        for task_id in left {
            self.sign_by_itself(task_id, actions);
        }
    }

    /// Returns whether a quorum decided a task, but operators that sign batches cannot, or have not for too long.
    fn is_left(&self, task_id: B256, pending: &Pending) -> bool {
        let Some(since) = pending.decided_since.filter(|_| pending.waits_for_batch()) else { return false };
        let epoch_id = pending.accepted.task.epoch;
        let is_leaf = self.batches.get(&epoch_id).is_some_and(|batch| batch.has(task_id));
        if is_leaf || self.ready.contains(&(epoch_id, pending.since, task_id)) {
            return false;
        }
        since.saturating_add(self.settings.batch_millis) <= self.now_millis || !self.can_batch(pending)
    }

    /// Returns whether the operators that sign batches are a quorum for a task.
    fn can_batch(&self, pending: &Pending) -> bool {
        let epoch_id = pending.accepted.task.epoch;
        let Some(epoch) = self.epochs.get(&epoch_id) else { return false };
        let able = self.operators.keys().copied().filter(|operator| self.is_able(epoch_id, *operator));
        weight(epoch, able) >= required_weight(epoch, &pending.accepted.client_policy)
    }

    /// Ends the batches that a quorum did not sign in time.
    pub(super) fn end_late_batches(&mut self, actions: &mut Vec<Action>) {
        let late = self.batches.iter().filter(|(_, batch)| self.now_millis >= batch.deadline);
        let late: Vec<EpochId> = late.map(|(epoch_id, _)| *epoch_id).collect();
        for epoch_id in late {
            self.fail(epoch_id, actions);
        }
    }

    /// Starts the next batch of an epoch, if none is being signed.
    fn form(&mut self, epoch_id: EpochId, actions: &mut Vec<Action>) {
        if self.batches.contains_key(&epoch_id) {
            return;
        }
        let Some(epoch) = self.epochs.get(&epoch_id) else { return };
        let able: BTreeSet<Address> =
            self.operators.keys().copied().filter(|operator| self.is_able(epoch_id, *operator)).collect();
        let mut leaves = Vec::new();
        let mut attestations = Vec::new();
        let mut signers = able.clone();
        let mut required = U256::ZERO;
        let mut is_done = Vec::new();
        let mut one_by_one = Vec::new();
        let ready = self.ready.range((epoch_id, 0, B256::ZERO)..=(epoch_id, u64::MAX, B256::repeat_byte(0xff)));
        for key @ (_, _, task_id) in ready {
            if leaves.len() >= self.settings.batch_tasks.clamp(1, MAX_BATCH) {
                break;
            }
            let pending = self.tasks.get(task_id).filter(|pending| pending.waits_for_batch());
            let statement = pending.and_then(|pending| {
                Some((pending, pending.quorums_statement(epoch, |operator| able.contains(&operator))?))
            });
            let Some((pending, statement)) = statement else {
                is_done.push(*key);
                continue;
            };
            let needed = required.max(required_weight(epoch, &pending.accepted.client_policy));
            let agreeing: BTreeSet<Address> =
                signers.iter().copied().filter(|operator| pending.agrees(*operator, statement)).collect();
            if weight(epoch, agreeing.iter().copied()) < needed {
                // The oldest waits no longer; another one is in the next batch.
                if leaves.is_empty() {
                    is_done.push(*key);
                    one_by_one.push(*task_id);
                }
                continue;
            }
            let Some(attestation) = pending.attestation(statement, self.settings.domain) else { continue };
            is_done.push(*key);
            attestations.push(attestation);
            leaves.push((*task_id, statement));
            (signers, required) = (agreeing, needed);
        }
        for key in is_done {
            self.ready.remove(&key);
        }
        let domain = self.settings.domain;
        if let Ok(attestations) = AttestationBatch::new(attestations, domain.chain_id, domain.task_manager) {
            let batch = Batch {
                attestations,
                leaves,
                required,
                asked: BTreeSet::new(),
                signatures: BTreeMap::new(),
                forgetful: BTreeSet::new(),
                out: BTreeSet::new(),
                deadline: self.now_millis.saturating_add(self.settings.batch_millis),
            };
            self.batches.insert(epoch_id, batch);
            for operator in signers {
                self.ask(epoch_id, operator, actions);
            }
        }
        for task_id in one_by_one {
            self.sign_by_itself(task_id, actions);
        }
    }

    /// Asks an operator to sign a batch, if it agrees on every leaf and was not asked.
    fn ask(&mut self, epoch_id: EpochId, operator: Address, actions: &mut Vec<Action>) {
        let Some((link, _)) = self.link_in(epoch_id, operator).filter(|_| self.is_able(epoch_id, operator)) else {
            return;
        };
        let Some(batch) = self.batches.get_mut(&epoch_id) else { return };
        if batch.out.contains(&operator) || batch.signatures.contains_key(&operator) {
            return;
        }
        let agrees = |(task_id, statement): &(B256, StatementKey)| {
            self.tasks.get(task_id).is_some_and(|pending| pending.agrees(operator, *statement))
        };
        if batch.leaves.iter().all(agrees) && batch.asked.insert(operator) {
            let task_ids = batch.leaves.iter().map(|(task_id, _)| *task_id).collect();
            send(link, &GatewayMessage::SignBatch { root: batch.attestations.root(), task_ids }, actions);
        }
    }

    /// Ends a batch that a quorum signed.
    fn conclude(&mut self, epoch_id: EpochId, actions: &mut Vec<Action>) {
        let (Some(epoch), Some(batch)) = (self.epochs.get(&epoch_id), self.batches.get(&epoch_id)) else { return };
        let valid = batch.signatures.iter().filter(|(operator, _)| !batch.out.contains(*operator));
        let partials: Vec<_> = valid.map(|(operator, signature)| PartialSignature::new(*operator, signature)).collect();
        if weight(epoch, partials.iter().map(|partial| partial.operator)) < batch.required {
            return;
        }
        // With valid signatures, the check that the contracts make is the only one that costs anything.
        let sum = self.scheme.sum(epoch, batch.attestations.root(), &partials).ok();
        let sum = sum.filter(|sum| sum.rejected.is_empty());
        let outcomes = sum.and_then(|sum| self.outcomes(epoch, batch, &sum));
        if let Some(outcomes) = outcomes {
            return self.finish_batch(epoch_id, outcomes, actions);
        }
        let aggregate = self.scheme.aggregate(epoch, batch.attestations.root(), &partials).ok();
        let liars = rejected(&partials, aggregate.as_ref());
        let aggregate = aggregate.filter(|aggregate| U256::from(aggregate.signed_weight) >= batch.required);
        let outcomes = aggregate.and_then(|aggregate| self.outcomes(epoch, batch, &aggregate));
        if let Some(batch) = self.batches.get_mut(&epoch_id) {
            batch.out.extend(liars.iter().copied());
        }
        self.strike(liars, actions);
        match outcomes {
            Some(outcomes) => self.finish_batch(epoch_id, outcomes, actions),
            None => self.end_if_hopeless(epoch_id, actions),
        }
    }

    /// Returns the end of every task of a batch, each after all checks that its client's contract would make.
    ///
    /// Returns `None` if the aggregate is not the signers' signature.
    fn outcomes(&self, epoch: &Epoch, batch: &Batch, aggregate: &Aggregate) -> Option<Vec<(B256, TaskOutcome)>> {
        let mut documents = Vec::with_capacity(batch.leaves.len());
        let mut calls = Vec::with_capacity(batch.leaves.len());
        let mut outcomes = Vec::with_capacity(batch.leaves.len());
        for (index, (task_id, statement)) in batch.leaves.iter().enumerate() {
            let Some(pending) = self.tasks.get(task_id) else { continue };
            match pending.authorized(&batch.attestations, aggregate, index, epoch) {
                Ok((document, call)) => {
                    documents.push((task_id, pending, *statement, document));
                    calls.push(call);
                }
                Err(outcome) => outcomes.push((*task_id, outcome)),
            }
        }
        for ((task_id, pending, statement, document), result) in
            documents.into_iter().zip(self.scheme.verify_all(&calls))
        {
            if matches!(result, Err(Refusal::InvalidSignature | Refusal::MalformedSignature)) {
                return None;
            }
            outcomes.push((*task_id, pending.outcome_of(statement, document, result, epoch)));
        }
        Some(outcomes)
    }

    /// Ends every task of a batch, and starts the next.
    fn finish_batch(&mut self, epoch_id: EpochId, outcomes: Vec<(B256, TaskOutcome)>, actions: &mut Vec<Action>) {
        self.batches.remove(&epoch_id);
        for (task_id, outcome) in outcomes {
            self.finish(task_id, outcome, actions);
        }
        self.form(epoch_id, actions);
    }

    /// Ends a batch if the operators that can still sign it are no quorum.
    fn end_if_hopeless(&mut self, epoch_id: EpochId, actions: &mut Vec<Action>) {
        let (Some(epoch), Some(batch)) = (self.epochs.get(&epoch_id), self.batches.get(&epoch_id)) else { return };
        let all = epoch.operators.operators().iter().map(|operator| operator.address);
        let open = all.filter(|operator| {
            let has_signed = batch.signatures.contains_key(operator);
            !batch.out.contains(operator) && (has_signed || self.is_able(epoch_id, *operator))
        });
        if weight(epoch, open) < batch.required {
            self.fail(epoch_id, actions);
        }
    }

    /// Ends a batch without a quorum. Its tasks are signed one by one.
    fn fail(&mut self, epoch_id: EpochId, actions: &mut Vec<Action>) {
        let Some(batch) = self.batches.remove(&epoch_id) else { return };
        for operator in batch.asked.iter().filter(|operator| !batch.signatures.contains_key(*operator)) {
            self.standings.withhold_batches(*operator, self.now_millis);
        }
        for (task_id, _) in batch.leaves {
            self.sign_by_itself(task_id, actions);
        }
        self.form(epoch_id, actions);
        // Without the operators that did not sign, others may have to be signed one by one, too.
        self.sign_the_rest(actions);
    }

    fn sign_by_itself(&mut self, task_id: B256, actions: &mut Vec<Action>) {
        if let Some(pending) = self.tasks.get_mut(&task_id) {
            pending.for_batch = Some(false);
            pending.ask_all();
            self.offer(task_id, actions);
        }
    }

    fn batch_of(&mut self, root: B256) -> Option<(EpochId, &mut Batch)> {
        let mut batches = self.batches.iter_mut();
        batches.find(|(_, batch)| batch.attestations.root() == root).map(|(epoch_id, batch)| (*epoch_id, batch))
    }
}
