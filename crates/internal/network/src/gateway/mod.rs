//! What a gateway does with callers' requests.
//!
//! A request becomes a task, which is recorded before the caller learns that it was accepted. The task is offered to
//! the operators of its epoch. If the policy has sources, the gateway chooses the observations of a quorum, records
//! them, and sends them to all. As soon as a quorum signed one statement, the signatures are aggregated. The result is
//! verified as the client's contract would, recorded, and handed out. Under load, operators decide first, and sign many
//! tasks together: see `batch.rs`. It never waits for the slowest: operators beyond the quorum are not needed.
//!
//! A gateway is not trusted, and needs no secret. It can delay, stay silent, and choose among valid observations.

mod batch;
mod choosing;
mod event;
mod handovers;
mod held;
mod pending;
mod sources;
mod standing;
mod stored;

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};
use assent_types::{Connection, PublicKey, Signature};
use assent_verifier::{Epoch, EpochId, Operator};

use batch::Batch;
pub use event::{
    AbsentSigner, Accepted, Action, Answer, Event, Failure, FailureCode, HandoverSubmission, LoggedTask,
    OperatorAnswer, OperatorAnswerKind, Record, RequestId, Submission, TaskOutcome, TaskProgress,
};
use handovers::PendingHandover;
use held::Shares;
use pending::{Pending, Stage};
pub use sources::AcceptedSources;
use standing::Standings;
pub use stored::{agreed_from_stored, agreed_to_stored};

use crate::{
    Domain, LinkId, Scheme,
    message::{GatewayMessage, MAX_BATCH, MAX_CALLDATA, OperatorMessage, Versions},
    task::find,
};

/// What a gateway is and allows.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// The TaskManager that it serves.
    pub domain: Domain,
    /// The `host:port` under which operators dial it.
    pub names: BTreeSet<String>,
    /// The versions of the messages that it speaks.
    pub versions: Versions,
    /// The most tasks that it works on or remembers, and the most requests that are not yet tasks.
    pub max_tasks: usize,
    /// The most connections.
    pub max_links: usize,
    /// The most callers that wait for one task.
    pub max_waiters: usize,
    /// How long it waits for identical observations of a quorum, in milliseconds.
    pub observation_millis: u64,
    /// How long it waits for observations that fit, and that are near enough for a quorum to sign, in milliseconds.
    pub all_observations_millis: u64,
    /// The most bytes of observations that it holds, in equal shares for all operators.
    pub max_observation_bytes: usize,
    /// How long it waits before it offers a task again to operators that did not answer, in milliseconds.
    pub offer_millis: u64,
    /// The number of open tasks from which further ones are signed in batches. `usize::MAX`: none is.
    pub batch_from: usize,
    /// The most tasks of a batch.
    pub batch_tasks: usize,
    /// How long it waits for a quorum to sign a batch, in milliseconds.
    pub batch_millis: u64,
    /// How long it waits for a quorum to sign a handover, in milliseconds.
    pub handover_millis: u64,
}

/// A gateway's state, which a crash may lose: all that must outlast it is in the task log.
#[derive(Debug)]
pub struct Gateway<S> {
    settings: Settings,
    scheme: S,
    epochs: BTreeMap<EpochId, Epoch>,
    links: BTreeMap<LinkId, Link>,
    /// The open connection of each operator.
    operators: BTreeMap<Address, LinkId>,
    /// Requests that are not yet tasks.
    preparing: BTreeSet<RequestId>,
    tasks: BTreeMap<B256, Pending>,
    shares: Shares,
    standings: Standings,
    /// The batch of each epoch that operators are signing.
    batches: BTreeMap<EpochId, Batch>,
    /// The tasks that a quorum decided and no one signed, by epoch and age.
    ready: BTreeSet<(EpochId, u64, B256)>,
    /// The ends of the task log that were not valid.
    invalid_ends: u64,
    /// The handovers for which operators are asked.
    handovers: BTreeMap<RequestId, PendingHandover>,
    now_millis: u64,
    /// By how many seconds the chain's time is ahead of it.
    clock_correction: i64,
}

#[derive(Debug)]
enum Link {
    Connected {
        challenge: B256,
    },
    Challenged {
        challenge: B256,
        operator: Address,
        version: u16,
    },
    Open {
        operator: Address,
        version: u16,
        /// The key of which the operator proved that it has it. In an epoch with another one its answers do not count.
        key: Box<PublicKey>,
    },
}

impl Settings {
    /// Creates the settings of a gateway, with the limits of docs/network.md.
    pub fn new(domain: Domain, names: impl IntoIterator<Item = String>) -> Self {
        Self {
            domain,
            names: names.into_iter().collect(),
            versions: crate::message::VERSIONS,
            max_tasks: 10_000,
            max_links: 1024,
            max_waiters: 64,
            observation_millis: 1000,
            all_observations_millis: 4000,
            max_observation_bytes: 256 << 20,
            offer_millis: 1000,
            batch_from: 16,
            batch_tasks: MAX_BATCH,
            batch_millis: 1000,
            handover_millis: 15_000,
        }
    }
}

impl<S: Scheme> Gateway<S> {
    /// Creates a gateway without connections and tasks.
    pub fn new(settings: Settings, scheme: S) -> Self {
        let shares = Shares::new(settings.max_observation_bytes);
        Self {
            settings,
            scheme,
            epochs: BTreeMap::new(),
            links: BTreeMap::new(),
            operators: BTreeMap::new(),
            preparing: BTreeSet::new(),
            tasks: BTreeMap::new(),
            shares,
            standings: Standings::default(),
            batches: BTreeMap::new(),
            ready: BTreeSet::new(),
            invalid_ends: 0,
            handovers: BTreeMap::new(),
            now_millis: 0,
            clock_correction: 0,
        }
    }

    /// Returns the number of tasks that it works on or remembers.
    pub fn task_count(&self) -> usize {
        self.tasks.len()
    }

    /// Returns the number of requests that are not yet tasks.
    pub fn request_count(&self) -> usize {
        self.preparing.len()
    }

    /// Returns the operators that are connected.
    pub fn operators(&self) -> impl Iterator<Item = Address> + '_ {
        self.operators.keys().copied()
    }

    /// Returns a task's end, if the gateway remembers it and it is recorded.
    pub fn outcome(&self, task_id: B256) -> Option<&TaskOutcome> {
        match &self.tasks.get(&task_id)?.stage {
            Stage::Finished(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// Returns how far a task is, if the gateway remembers it and it is recorded.
    pub fn progress(&self, task_id: B256) -> Option<TaskProgress> {
        self.tasks.get(&task_id)?.progress()
    }

    /// Returns the operators that decided a task, each with how long after the task it did, in milliseconds.
    ///
    /// Returns nothing if the gateway has forgotten the task.
    pub fn decision_times(&self, task_id: B256) -> Option<Vec<(Address, u64)>> {
        Some(self.tasks.get(&task_id)?.decision_times().collect())
    }

    /// Returns the number of tasks that have not ended.
    pub fn open_task_count(&self) -> usize {
        self.tasks.values().filter(|pending| !matches!(pending.stage, Stage::Finished(_))).count()
    }

    /// Returns the bytes of observations that it holds.
    pub fn observation_bytes(&self) -> usize {
        self.shares.held_bytes()
    }

    /// Returns how many ends that the task log has were refused, because they cannot be verified.
    pub fn invalid_end_count(&self) -> u64 {
        self.invalid_ends
    }

    /// Returns the operator of a connection, if it proved who it is.
    pub fn operator_of(&self, link: LinkId) -> Option<Address> {
        match self.links.get(&link)? {
            Link::Open { operator, .. } => Some(*operator),
            Link::Connected { .. } | Link::Challenged { .. } => None,
        }
    }

    /// Returns the connections whose operators proved who they are.
    pub fn open_links(&self) -> impl Iterator<Item = LinkId> + '_ {
        self.operators.values().copied()
    }

    /// Returns the epochs that are known.
    pub fn epochs(&self) -> impl Iterator<Item = &Epoch> {
        self.epochs.values()
    }

    /// Handles an event at a time (Unix time in milliseconds), and returns what to do.
    pub fn handle(&mut self, now_millis: u64, event: Event) -> Vec<Action> {
        self.now_millis = now_millis;
        let mut actions = Vec::new();
        match event {
            Event::Epochs(epochs) => {
                self.epochs = epochs.into_iter().map(|epoch| (epoch.number, epoch)).collect();
                self.standings.retain(&self.epochs, now_millis);
                self.shares.divide(&self.epochs);
            }
            Event::ClockCorrected { seconds } => self.clock_correction = seconds,
            Event::LinkOpened { link, challenge } => self.open(link, challenge, &mut actions),
            Event::LinkClosed { link } => self.forget_link(link),
            Event::Received { link, message } => self.receive(link, &message, &mut actions),
            Event::Requested { request, submission } => self.request(request, submission, &mut actions),
            Event::HandoverRequested { request, submission } => {
                self.request_handover(request, *submission, &mut actions);
            }
            Event::Abandoned { request } => {
                self.handovers.remove(&request);
                self.preparing.remove(&request);
                self.tasks.values_mut().for_each(|pending| pending.abandon(request));
            }
            Event::Prepared { request, result } => self.prepared(request, result, &mut actions),
            Event::Recorded { task_id, result } => self.recorded(task_id, result, &mut actions),
            Event::AlreadyRecorded { task_id, logged } => self.already_recorded(task_id, *logged, &mut actions),
            Event::Recovered(logged) => self.recovered(*logged, &mut actions),
            Event::Cancelled { task_id } => self.cancel(task_id, &mut actions),
            Event::Tick => self.tick(&mut actions),
        }
        actions
    }

    fn open(&mut self, link: LinkId, challenge: B256, actions: &mut Vec<Action>) {
        if self.links.len() >= self.settings.max_links {
            actions.push(Action::Close { link, reason: "too many connections".into() });
            return;
        }
        self.links.insert(link, Link::Connected { challenge });
    }

    fn forget_link(&mut self, link: LinkId) {
        if let Some(Link::Open { operator, .. }) = self.links.remove(&link)
            && self.operators.get(&operator) == Some(&link)
        {
            self.operators.remove(&operator);
        }
    }

    fn close(&mut self, link: LinkId, reason: String, actions: &mut Vec<Action>) {
        self.forget_link(link);
        actions.push(Action::Close { link, reason });
    }

    fn receive(&mut self, link: LinkId, message: &[u8], actions: &mut Vec<Action>) {
        let Some(state) = self.links.get(&link) else { return };
        let message = match OperatorMessage::parse(message) {
            Ok(message) => message,
            Err(error) => return self.close(link, error.to_string(), actions),
        };
        match (state, message) {
            (&Link::Connected { challenge }, OperatorMessage::Hello { versions, operator }) => {
                self.greet(link, challenge, versions, operator, actions);
            }
            (&Link::Challenged { challenge, operator, version }, OperatorMessage::Proof { gateway, signature }) => {
                let connection = Connection { challenge, operator, gateway };
                self.prove(link, version, &connection, &signature, actions);
            }
            (&Link::Open { version, .. }, message) if message.since() > version => {
                self.close(link, format!("the message is not of version {version}"), actions);
            }
            (&Link::Open { operator, .. }, message) => match message {
                OperatorMessage::Observed { task_id, observations } => {
                    self.answered(task_id, operator, actions, |pending, shares| {
                        pending.observed(operator, observations, shares);
                    });
                }
                OperatorMessage::Signed { task_id, decision, evidence, signature, reasons } => {
                    self.answered(task_id, operator, actions, |pending, _| {
                        pending.signed(operator, decision, evidence, signature, reasons);
                    });
                }
                OperatorMessage::Refused { task_id, refusal } => {
                    self.answered(task_id, operator, actions, |pending, _| pending.refused(operator, refusal));
                }
                OperatorMessage::Decided { task_id, decision, evidence, reasons } => {
                    self.answered(task_id, operator, actions, |pending, _| {
                        pending.decided(operator, decision, evidence, reasons);
                    });
                }
                OperatorMessage::BatchSigned { root, signature } => {
                    self.batch_signed(operator, root, signature, actions);
                }
                OperatorMessage::BatchRefused { root, refusal } => {
                    self.batch_refused(operator, root, &refusal, actions);
                }
                OperatorMessage::HandoverSigned { handover, digest, signature } => {
                    self.handover_signed(operator, handover, digest, signature, actions);
                }
                OperatorMessage::HandoverRefused { handover, refusal } => {
                    self.handover_refused(operator, handover, &refusal, actions);
                }
                OperatorMessage::Pong { .. } => {}
                OperatorMessage::Hello { .. } | OperatorMessage::Proof { .. } => {
                    self.close(link, "the operator sent a message out of order".into(), actions);
                }
            },
            _ => self.close(link, "the operator sent a message out of order".into(), actions),
        }
    }

    fn greet(
        &mut self,
        link: LinkId,
        challenge: B256,
        versions: Versions,
        operator: Address,
        actions: &mut Vec<Action>,
    ) {
        if !self.require_unbarred(link, operator, actions) {
            return;
        }
        let version = match self.settings.versions.negotiate(versions) {
            Ok(version) => version,
            Err(error) => {
                send(link, &GatewayMessage::Unsupported { versions: self.settings.versions }, actions);
                return self.close(link, error.to_string(), actions);
            }
        };
        self.links.insert(link, Link::Challenged { challenge, operator, version });
        send(link, &GatewayMessage::Challenge { version, challenge, domain: self.settings.domain }, actions);
    }

    fn prove(
        &mut self,
        link: LinkId,
        version: u16,
        connection: &Connection,
        proof: &Signature,
        actions: &mut Vec<Action>,
    ) {
        let operator = connection.operator;
        // It may have been barred since it was challenged, for what it sent over another connection.
        if !self.require_unbarred(link, operator, actions) {
            return;
        }
        if !self.settings.names.contains(&connection.gateway) {
            let reason = format!("the operator dialled {}, which is not this gateway", connection.gateway);
            return self.close(link, reason, actions);
        }
        let operators = self.epochs.values().flat_map(|epoch| epoch.operators.operators());
        let keys: BTreeSet<_> =
            operators.filter(|known| known.address == operator).map(|known| known.public_key).collect();
        let domain = self.settings.domain;
        let proven = keys.into_iter().find(|key| self.scheme.verify_connection(connection, key, proof, domain));
        let Some(key) = proven else {
            return self.close(link, format!("{operator} did not prove a key of a known epoch"), actions);
        };
        // The newest connection is the one that works: the operator may have lost the other.
        if let Some(older) = self.operators.insert(operator, link) {
            self.links.remove(&older);
            actions.push(Action::Close { link: older, reason: "the operator connected again".into() });
        }
        self.links.insert(link, Link::Open { operator, version, key: Box::new(key) });
        send(link, &GatewayMessage::Welcome, actions);
        for pending in self.tasks.values_mut() {
            let epoch = self.epochs.get(&pending.accepted.task.epoch);
            let known = epoch.and_then(|epoch| find(epoch, operator));
            if known.is_some_and(|known| known.public_key == key) {
                pending.send_to(operator, link, version, self.now_millis, actions);
            }
        }
        self.ask_again(operator, actions);
        self.ask_for_handovers(operator, link, actions);
    }

    fn request(&mut self, request: RequestId, submission: Submission, actions: &mut Vec<Action>) {
        let failure = if self.preparing.len() >= self.settings.max_tasks || !self.has_room() {
            Some(Failure::new(FailureCode::Busy, "the gateway has too many tasks", true))
        } else if submission.intent.data.len() > MAX_CALLDATA {
            Some(Failure::new(FailureCode::Invalid, format!("the calldata has more than {MAX_CALLDATA} bytes"), false))
        } else if submission.expiration.is_some_and(|expiration| !self.is_ahead(expiration)) {
            Some(Failure::new(FailureCode::Invalid, "the expiration is in the past, or beyond 48 bits", false))
        } else {
            None
        };
        if let Some(failure) = failure {
            actions.push(Action::Answer { request, answer: Answer::Failed(failure) });
            return;
        }
        self.preparing.insert(request);
        actions.push(Action::Prepare { request, submission });
    }

    fn prepared(&mut self, request: RequestId, result: Result<Box<Accepted>, Failure>, actions: &mut Vec<Action>) {
        if !self.preparing.remove(&request) {
            return;
        }
        let mut fail = |failure| actions.push(Action::Answer { request, answer: Answer::Failed(failure) });
        let accepted = match result {
            Ok(accepted) => *accepted,
            Err(failure) => return fail(failure),
        };
        if !self.epochs.contains_key(&accepted.task.epoch) {
            let reason = format!("epoch {} is not known yet", accepted.task.epoch);
            return fail(Failure::new(FailureCode::Unavailable, reason, true));
        }
        if !self.is_ahead(accepted.task.expiration) {
            let reason = "the chain's latest block is too old for an attestation that is still valid";
            return fail(Failure::new(FailureCode::Unavailable, reason, true));
        }
        let task_id = accepted.task.id(self.settings.domain);
        if let Some(pending) = self.tasks.get_mut(&task_id) {
            // The task is the same, however often it is asked for.
            return pending.join(request, task_id, self.settings.max_waiters, actions);
        }
        if !self.has_room() {
            return fail(Failure::new(FailureCode::Busy, "the gateway has too many tasks", true));
        }
        actions.push(Action::Record { task_id, record: Record::Accepted(Box::new(accepted.clone())) });
        self.tasks.insert(task_id, Pending::new(task_id, accepted, request, self.now_millis));
    }

    fn recovered(&mut self, logged: LoggedTask, actions: &mut Vec<Action>) {
        let task_id = logged.accepted.task.id(self.settings.domain);
        if self.tasks.contains_key(&task_id) || !self.takes_end(&logged) || !self.has_room() {
            return;
        }
        let pending = Pending::recovered(task_id, logged, self.deadlines(), self.now_millis);
        self.tasks.insert(task_id, pending);
        self.offer(task_id, actions);
        self.advance(task_id, actions);
    }

    /// Goes on with a task as the task log has it.
    fn already_recorded(&mut self, task_id: B256, logged: LoggedTask, actions: &mut Vec<Action>) {
        let (deadlines, now_millis) = (self.deadlines(), self.now_millis);
        let Some(pending) = self.tasks.get(&task_id) else { return };
        // Without a record that waits, only an end that another gateway recorded is news.
        let is_waiting = matches!(pending.stage, Stage::Accepting | Stage::Agreeing | Stage::Finishing(_));
        if matches!(pending.stage, Stage::Finished(_)) || (!is_waiting && logged.outcome.is_none()) {
            return;
        }
        if !self.takes_end(&logged) {
            let reason = "the task log has an end of the task that cannot be verified";
            let failure = Failure::new(FailureCode::Unavailable, reason, true);
            if let Some(mut pending) = self.tasks.remove(&task_id) {
                pending.answer_all(&Answer::Failed(failure), actions);
            }
            return;
        }
        let Some(pending) = self.tasks.get_mut(&task_id) else { return };
        let outcome = logged.outcome.clone();
        let is_new = matches!(pending.stage, Stage::Accepting);
        pending.record_again = false;
        pending.resume(logged, deadlines, now_millis);
        if is_new {
            pending.accept_all(task_id, actions);
        }
        match outcome {
            Some(outcome) => {
                pending.answer_all(&Answer::Finished { task_id, outcome }, actions);
                self.cancel_at_operators(task_id, actions);
            }
            None => {
                self.offer(task_id, actions);
                self.advance(task_id, actions);
            }
        }
    }

    /// Returns whether a task has no end in the log, or failed, or has an attestation that its client accepts.
    ///
    /// Any other end is counted.
    fn takes_end(&mut self, logged: &LoggedTask) -> bool {
        let Some(TaskOutcome::Attested { document, .. }) = &logged.outcome else { return true };
        let epoch = self.epochs.get(&logged.accepted.task.epoch);
        let is_valid = epoch.is_some_and(|epoch| logged.accepted.verify(document, epoch, &self.scheme).is_ok());
        if !is_valid {
            self.invalid_ends = self.invalid_ends.saturating_add(1);
        }
        is_valid
    }

    fn recorded(&mut self, task_id: B256, result: Result<(), String>, actions: &mut Vec<Action>) {
        let (deadlines, now_millis) = (self.deadlines(), self.now_millis);
        let Some(pending) = self.tasks.get_mut(&task_id) else { return };
        if let Err(reason) = result {
            if matches!(pending.stage, Stage::Accepting) {
                let failure = Failure::new(FailureCode::Unavailable, reason, true);
                pending.answer_all(&Answer::Failed(failure), actions);
                self.tasks.remove(&task_id);
            } else {
                // Nothing was told to anyone: the next tick records it again.
                pending.record_again = true;
            }
            return;
        }
        match core::mem::replace(&mut pending.stage, Stage::Deciding) {
            Stage::Accepting => {
                pending.accepted_at = Some(now_millis);
                pending.begin(deadlines);
                pending.accept_all(task_id, actions);
                self.offer(task_id, actions);
                self.advance(task_id, actions);
            }
            Stage::Agreeing => {
                pending.agreed_at = Some(now_millis);
                pending.drop_observations();
                self.offer(task_id, actions);
                self.advance(task_id, actions);
            }
            Stage::Finishing(outcome) => {
                pending.answer_all(&Answer::Finished { task_id, outcome: outcome.clone() }, actions);
                pending.stage = Stage::Finished(outcome);
                pending.drop_observations();
                pending.agreed = None;
                pending.ended_at = Some(now_millis);
                self.cancel_at_operators(task_id, actions);
            }
            // No record was pending.
            other => pending.stage = other,
        }
    }

    fn cancel(&mut self, task_id: B256, actions: &mut Vec<Action>) {
        let failure = Failure::new(FailureCode::Cancelled, "the caller cancelled the task", false);
        self.finish(task_id, TaskOutcome::Failed(failure), actions);
    }

    fn tick(&mut self, actions: &mut Vec<Action>) {
        let now = self.now_seconds();
        self.end_late_batches(actions);
        self.end_late_handovers(actions);
        self.sign_the_rest(actions);
        let task_ids: Vec<B256> = self.tasks.keys().copied().collect();
        for task_id in task_ids {
            let Some(pending) = self.tasks.get_mut(&task_id) else { continue };
            let is_over = now >= pending.accepted.task.expiration;
            if pending.record_again {
                pending.record_again = false;
                let record = pending.record();
                actions.extend(record.map(|record| Action::Record { task_id, record }));
            } else if matches!(pending.stage, Stage::Finished(_)) {
                if is_over {
                    self.tasks.remove(&task_id);
                }
            } else if is_over {
                let failure = Failure::new(FailureCode::Expired, "the task expired before a quorum signed", false);
                self.finish(task_id, TaskOutcome::Failed(failure), actions);
            } else {
                let is_due = pending.is_offer_due(self.now_millis, self.settings.offer_millis);
                let is_late = pending.is_late(self.now_millis, self.settings.offer_millis / 2);
                if is_due || is_late {
                    pending.silent().for_each(|operator| self.standings.missed(operator));
                }
                if is_due {
                    pending.ask_all();
                    self.offer(task_id, actions);
                } else if is_late {
                    self.offer_to_others(task_id, actions);
                }
                self.advance(task_id, actions);
            }
        }
    }

    /// Takes an operator's answer to a task.
    fn answered(
        &mut self,
        task_id: B256,
        operator: Address,
        actions: &mut Vec<Action>,
        answer: impl FnOnce(&mut Pending, &Shares),
    ) {
        let now_millis = self.now_millis;
        let Some(epoch_id) = self.tasks.get(&task_id).map(|pending| pending.accepted.task.epoch) else { return };
        if self.link_in(epoch_id, operator).is_none() {
            return;
        }
        let Some(pending) = self.tasks.get_mut(&task_id) else { return };
        if let Some(millis) = pending.first_answer_after(operator, now_millis) {
            self.standings.answered(operator, millis);
        }
        answer(pending, &self.shares);
        pending.answered_at(operator, now_millis);
        let epoch = self.epochs.get(&epoch_id);
        if epoch.is_some_and(|epoch| pending.asks_too_few(epoch)) {
            self.offer_to_others(task_id, actions);
        }
        self.advance(task_id, actions);
        self.advance_batches(task_id, operator, actions);
    }

    /// Takes the next step of a task, if the operators' answers suffice for one.
    fn advance(&mut self, task_id: B256, actions: &mut Vec<Action>) {
        let Some(pending) = self.tasks.get_mut(&task_id) else { return };
        let Some(epoch) = self.epochs.get(&pending.accepted.task.epoch) else { return };
        let domain = self.settings.domain;
        let mut liars = Vec::new();
        if let Some(outcome) = pending.outcome(epoch, &self.scheme, domain, &mut liars) {
            self.finish(task_id, outcome, actions);
            return self.strike(liars, actions);
        }
        let standings = &self.standings;
        let is_awaited = |operator| standings.is_awaited(operator);
        if let Some(agreed) = pending.agree(epoch, &self.scheme, domain, self.now_millis, is_awaited, &mut liars) {
            pending.stage = Stage::Agreeing;
            pending.agreed = Some(agreed.clone());
            actions.push(Action::Record { task_id, record: Record::Agreed(agreed) });
        } else if let Some(failure) = pending.hopeless(epoch) {
            self.finish(task_id, TaskOutcome::Failed(failure), actions);
        }
        self.strike(liars, actions);
    }

    fn finish(&mut self, task_id: B256, outcome: TaskOutcome, actions: &mut Vec<Action>) {
        let Some(pending) = self.tasks.get_mut(&task_id) else { return };
        // A record that is not answered yet is waited for: the next tick comes here again.
        if !matches!(pending.stage, Stage::Collecting | Stage::Deciding) {
            return;
        }
        if matches!(outcome, TaskOutcome::Attested { .. }) {
            pending.decided_at = Some(self.now_millis);
        }
        pending.stage = Stage::Finishing(outcome.clone());
        actions.push(Action::Record { task_id, record: Record::Finished(outcome) });
    }

    /// Sends a task to each connected operator of its epoch that has not answered.
    fn offer(&mut self, task_id: B256, actions: &mut Vec<Action>) {
        if self.tasks.get(&task_id).is_some_and(|pending| pending.for_batch.is_none()) {
            let for_batch = self.is_for_batch(task_id);
            let asked = if for_batch { self.asked_first(task_id) } else { None };
            if let Some(pending) = self.tasks.get_mut(&task_id) {
                pending.for_batch = Some(for_batch);
                pending.ask_first(asked);
            }
        }
        let Some(pending) = self.tasks.get(&task_id) else { return };
        let links = self.links_in(pending.accepted.task.epoch);
        let Some(pending) = self.tasks.get_mut(&task_id) else { return };
        for (operator, link, version) in links {
            pending.send_to(operator, link, version, self.now_millis, actions);
        }
    }

    /// Offers a task to the operators that were not asked first.
    fn offer_to_others(&mut self, task_id: B256, actions: &mut Vec<Action>) {
        let Some(pending) = self.tasks.get(&task_id) else { return };
        let links = self.links_in(pending.accepted.task.epoch);
        let Some(pending) = self.tasks.get_mut(&task_id) else { return };
        pending.ask_all();
        for (operator, link, version) in links {
            if !pending.is_offered_to(operator) {
                pending.send_to(operator, link, version, self.now_millis, actions);
            }
        }
    }

    /// Returns the operators of an epoch that are connected, with their connections and the versions of messages.
    fn links_in(&self, epoch_id: EpochId) -> Vec<(Address, LinkId, u16)> {
        let operators = self.epochs.get(&epoch_id).map(|epoch| epoch.operators.operators()).unwrap_or_default();
        let links = operators.iter().filter_map(|operator| {
            let (link, version) = self.link_of(operator)?;
            Some((operator.address, link, version))
        });
        links.collect()
    }

    /// Returns the open connection of an operator that proved its key of an epoch, and the version of its messages.
    fn link_in(&self, epoch_id: EpochId, operator: Address) -> Option<(LinkId, u16)> {
        self.link_of(find(self.epochs.get(&epoch_id)?, operator)?)
    }

    fn link_of(&self, operator: &Operator) -> Option<(LinkId, u16)> {
        let link = *self.operators.get(&operator.address)?;
        match self.links.get(&link)? {
            Link::Open { version, key, .. } => (operator.public_key == **key).then_some((link, *version)),
            Link::Connected { .. } | Link::Challenged { .. } => None,
        }
    }

    fn cancel_at_operators(&self, task_id: B256, actions: &mut Vec<Action>) {
        let Some(pending) = self.tasks.get(&task_id) else { return };
        for (operator, link) in &self.operators {
            if pending.is_offered_to(*operator) && !pending.has_decided(*operator) {
                send(*link, &GatewayMessage::Cancel { task_id }, actions);
            }
        }
    }

    /// Returns whether one more task has room, after a finished one was forgotten if need be.
    fn has_room(&mut self) -> bool {
        if self.tasks.len() < self.settings.max_tasks {
            return true;
        }
        let finished = self.tasks.iter().filter(|(_, pending)| matches!(pending.stage, Stage::Finished(_)));
        let Some((&oldest, _)) = finished.min_by_key(|(_, pending)| pending.accepted.task.expiration) else {
            return false;
        };
        self.tasks.remove(&oldest);
        true
    }

    fn deadlines(&self) -> pending::Deadlines {
        pending::Deadlines {
            observations: self.now_millis.saturating_add(self.settings.observation_millis),
            all_observations: self.now_millis.saturating_add(self.settings.all_observations_millis),
            next_offer: self.now_millis.saturating_add(self.settings.offer_millis),
        }
    }

    /// Returns whether a time is in the future, and no longer than an attestation has bits for.
    fn is_ahead(&self, expiration: u64) -> bool {
        expiration > self.now_seconds() && expiration >> 48 == 0
    }

    /// Returns the time by which tasks expire.
    fn now_seconds(&self) -> u64 {
        (self.now_millis / 1000).saturating_add_signed(self.clock_correction)
    }
}

fn send(link: LinkId, message: &GatewayMessage, actions: &mut Vec<Action>) {
    actions.push(Action::Send { link, message: message.to_json() });
}
