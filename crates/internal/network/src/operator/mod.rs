//! What an operator does with the tasks that gateways offer.
//!
//! Each step of a task waits for the result of an action. The first steps are: examine (chain and policy store),
//! observe, record and sign the observations, wait for a quorum's observations. Then: evaluate, store the evidence,
//! record and sign the attestation, by itself or with a batch. The first that fails ends in a refusal. What is signed
//! is recorded by the journal first: it refuses a second, different statement, whatever this state machine has
//! forgotten in a crash.

mod batch;
mod checks;
mod event;
mod handovers;
mod observation_set;
mod outstanding;
mod prepared;
mod shares;
mod work;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use alloy_primitives::{Address, B256};
use assent_types::{Connection, Signature};

pub use checks::{Examination, MAX_BLOCK_AGE, MINIMUM_QUORUM};
pub use event::{Action, Event, JournalError, SignedHandover, Ticket, Unavailable};
pub use outstanding::{HeldSource, HeldTask, OutstandingSource, OutstandingTotal};
use prepared::PreparedPolicies;
use work::Work;

use crate::{
    Domain, LinkId, Scheme, Task,
    message::{GatewayMessage, HandoverName, OperatorMessage, RefusalCode, Refused, Versions},
};

/// What an operator is and allows.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// The TaskManager that it signs for.
    pub domain: Domain,
    /// Its address.
    pub operator: Address,
    /// The versions of the messages that it speaks.
    pub versions: Versions,
    /// The most tasks that it works on or remembers.
    pub max_tasks: usize,
    /// The most seconds by which a reference block may be older than its node's latest.
    pub max_block_age: u64,
    /// Accounts that forward calls of others.
    pub forwarders: BTreeSet<Address>,
}

/// An operator's state, which a crash may lose: all that must outlast it is in the journal and the evidence store.
#[derive(Debug)]
pub struct Operator<S> {
    settings: Settings,
    scheme: S,
    links: BTreeMap<LinkId, Link>,
    tasks: BTreeMap<B256, Work>,
    /// The batches that are being signed, by connection and root, with their tasks.
    signing: BTreeMap<(LinkId, B256), Vec<B256>>,
    /// The handovers that are being signed, by connection.
    handovers: BTreeSet<(LinkId, HandoverName)>,
    prepared: PreparedPolicies,
    /// Counts offers, so that the task that is longest finished is forgotten first.
    offers: u64,
    /// Counts sets of observations whose signatures were invalid.
    invalid_sets: u64,
}

#[derive(Debug)]
struct Link {
    /// The `host:port` that was dialled.
    gateway: Arc<str>,
    state: LinkState,
    /// The version of the messages, once the gateway chose it.
    version: u16,
    /// The sets of observations with an invalid signature that came on it.
    strikes: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinkState {
    /// Waits for the challenge.
    Greeted,
    /// Waits for the signature of the challenge, and then for the welcome.
    Challenged,
    /// Takes tasks.
    Open,
}

impl Settings {
    /// Creates the settings of an operator, with the limits of docs/network.md.
    pub fn new(domain: Domain, operator: Address) -> Self {
        Self {
            domain,
            operator,
            versions: crate::message::VERSIONS,
            max_tasks: 1024,
            max_block_age: MAX_BLOCK_AGE,
            forwarders: BTreeSet::new(),
        }
    }
}

impl<S: Scheme> Operator<S> {
    /// Creates an operator that is connected to no gateway.
    pub fn new(settings: Settings, scheme: S) -> Self {
        Self {
            settings,
            scheme,
            links: BTreeMap::new(),
            tasks: BTreeMap::new(),
            signing: BTreeMap::new(),
            handovers: BTreeSet::new(),
            prepared: PreparedPolicies::default(),
            offers: 0,
            invalid_sets: 0,
        }
    }

    /// Returns the number of tasks that it works on or remembers.
    pub fn task_count(&self) -> usize {
        self.tasks.len()
    }

    /// Returns the connections on which gateways may offer tasks.
    pub fn open_links(&self) -> impl Iterator<Item = LinkId> + '_ {
        self.links.iter().filter(|(_, link)| link.state == LinkState::Open).map(|(link, _)| *link)
    }

    /// Handles an event, and returns what to do.
    pub fn handle(&mut self, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::LinkOpened { link, gateway } => self.open(link, gateway.into(), &mut actions),
            Event::LinkClosed { link } => self.forget_link(link),
            Event::Received { link, message } => self.receive(link, &message, &mut actions),
            Event::ConnectionSigned { link, result } => self.connection_signed(link, result, &mut actions),
            Event::Examined { ticket, result } => {
                let policy = result.as_ref().ok().and_then(|found| found.policy.as_deref());
                let prepared = policy.map(|policy| self.prepared.get(policy));
                self.result(ticket, &mut actions, |work, context, actions| {
                    work.examined(result, prepared, context, actions)
                });
            }
            Event::Observed { ticket, result } => {
                self.result(ticket, &mut actions, |work, context, actions| work.observed(result, context, actions));
            }
            Event::ObservationsSigned { ticket, result } => {
                self.result(ticket, &mut actions, |work, context, actions| {
                    work.observations_signed(result, context, actions)
                });
            }
            Event::Evaluated { ticket, result } => {
                self.result(ticket, &mut actions, |work, context, actions| work.evaluated(result, context, actions));
            }
            Event::EvidenceStored { ticket, result } => {
                self.result(ticket, &mut actions, |work, context, actions| {
                    work.evidence_stored(result, context, actions)
                });
            }
            Event::AttestationSigned { ticket, result } => {
                self.result(ticket, &mut actions, |work, context, actions| {
                    work.attestation_signed(result, context, actions)
                });
            }
            Event::BatchSigned { link, root, result } => self.batch_signed(link, root, result, &mut actions),
            Event::HandoverSigned { link, handover, result } => {
                self.handover_signed(link, handover, result, &mut actions);
            }
            Event::Failed { ticket, reason } => {
                self.result(ticket, &mut actions, |work, _context, _actions| work.failed(reason));
            }
        }
        actions
    }

    fn open(&mut self, link: LinkId, gateway: Arc<str>, actions: &mut Vec<Action>) {
        self.links.insert(link, Link { gateway, state: LinkState::Greeted, version: 1, strikes: 0 });
        let Settings { versions, operator, .. } = self.settings;
        send(link, &OperatorMessage::Hello { versions, operator }, actions);
    }

    fn forget_link(&mut self, link: LinkId) {
        self.links.remove(&link);
        self.signing.retain(|(of, _), _| *of != link);
        self.handovers.retain(|(of, _)| *of != link);
        for work in self.tasks.values_mut() {
            work.links.remove(&link);
        }
    }

    fn receive(&mut self, link: LinkId, message: &[u8], actions: &mut Vec<Action>) {
        let Some(&Link { state, version, .. }) = self.links.get(&link) else { return };
        let message = match GatewayMessage::parse(message) {
            Ok(message) if message.since() > version => {
                return self.close(link, format!("the message is not of version {version}"), actions);
            }
            Ok(message) => message,
            Err(error) => return self.close(link, error.to_string(), actions),
        };
        match (state, message) {
            (LinkState::Greeted, GatewayMessage::Challenge { version, challenge, domain }) => {
                self.answer_challenge(link, version, challenge, domain, actions);
            }
            (LinkState::Greeted, GatewayMessage::Unsupported { versions }) => {
                let ours = self.settings.versions;
                let error = crate::message::NoCommonVersion { ours, theirs: versions };
                self.close(link, error.to_string(), actions);
            }
            (LinkState::Challenged, GatewayMessage::Welcome) => {
                if let Some(link) = self.links.get_mut(&link) {
                    link.state = LinkState::Open;
                }
            }
            (LinkState::Open, GatewayMessage::Offer { task }) => self.offered(link, task, true, actions),
            (LinkState::Open, GatewayMessage::OfferForBatch { task }) => self.offered(link, task, false, actions),
            (LinkState::Open, GatewayMessage::SignBatch { root, task_ids }) => {
                self.sign_batch(link, root, task_ids, actions);
            }
            (LinkState::Open, GatewayMessage::SignHandover { handover }) => {
                self.sign_handover(link, handover, actions);
            }
            (LinkState::Open, GatewayMessage::Decide { task_id, observations }) => {
                self.decide(link, task_id, observations, actions);
            }
            (LinkState::Open, GatewayMessage::Cancel { task_id }) => self.cancel(link, task_id),
            (LinkState::Open, GatewayMessage::Ping { number }) => {
                send(link, &OperatorMessage::Pong { number }, actions);
            }
            _ => self.close(link, "the gateway sent a message out of order".into(), actions),
        }
    }

    fn answer_challenge(
        &mut self,
        link: LinkId,
        version: u16,
        challenge: B256,
        domain: Domain,
        actions: &mut Vec<Action>,
    ) {
        if !self.settings.versions.contains(version) {
            return self.close(link, format!("the gateway chose version {version} of the messages"), actions);
        }
        if domain != self.settings.domain {
            let Domain { chain_id, task_manager } = domain;
            let reason = format!("the gateway serves TaskManager {task_manager} on chain {chain_id}");
            return self.close(link, reason, actions);
        }
        let Some(state) = self.links.get_mut(&link) else { return };
        state.state = LinkState::Challenged;
        state.version = version;
        // The name is what this operator dialled, so that the gateway cannot pass the challenge of another on.
        let connection = Connection { challenge, operator: self.settings.operator, gateway: state.gateway.to_string() };
        actions.push(Action::SignConnection { link, connection });
    }

    fn connection_signed(&mut self, link: LinkId, result: Result<Signature, Unavailable>, actions: &mut Vec<Action>) {
        let Some(Link { gateway, state: LinkState::Challenged, .. }) = self.links.get(&link) else { return };
        match result {
            Ok(signature) => {
                send(link, &OperatorMessage::Proof { gateway: gateway.to_string(), signature }, actions);
            }
            Err(error) => self.close(link, format!("the operator cannot prove its key: {error}"), actions),
        }
    }

    fn close(&mut self, link: LinkId, reason: String, actions: &mut Vec<Action>) {
        self.forget_link(link);
        actions.push(Action::Close { link, reason, is_barred: false });
    }

    /// Takes a task, to sign it by itself or with a batch.
    fn offered(&mut self, link: LinkId, task: Task, by_itself: bool, actions: &mut Vec<Action>) {
        let task_id = task.id(self.settings.domain);
        self.offers = self.offers.saturating_add(1);
        if let Some(work) = self.tasks.get_mut(&task_id) {
            if work.task != task {
                let refusal = refused(RefusalCode::OtherOffer, "another task with this id was offered before", false);
                return send(link, &OperatorMessage::Refused { task_id, refusal }, actions);
            }
            work.links.insert(link);
            work.is_signed_by_itself |= by_itself;
            if by_itself && work.is_decided() {
                let context = Context { settings: &self.settings, scheme: &self.scheme, task_id };
                return work.sign(&context, actions);
            }
            if let Some(answer) = work.answer() {
                return send(link, &answer, actions);
            }
            if work.is_refused() {
                work.begin(self.offers, actions);
            }
            return;
        }
        let Some(gateway) = self.links.get(&link).map(|link| Arc::clone(&link.gateway)) else { return };
        if !self.has_room(&gateway, actions) {
            let refusal = refused(RefusalCode::Busy, "the operator has too many tasks", true);
            return send(link, &OperatorMessage::Refused { task_id, refusal }, actions);
        }
        let mut work = Work::new(task_id, task, gateway, link, self.offers);
        work.is_signed_by_itself = by_itself;
        work.begin(self.offers, actions);
        self.tasks.insert(task_id, work);
    }

    fn cancel(&mut self, link: LinkId, task_id: B256) {
        let Some(work) = self.tasks.get_mut(&task_id) else { return };
        work.links.remove(&link);
        // Pending steps report to a task that is gone; what the journal has recorded stays recorded.
        if work.links.is_empty() {
            self.tasks.remove(&task_id);
        }
    }

    /// Takes the result of an action, if the attempt that it belongs to is still made.
    fn result(
        &mut self,
        ticket: Ticket,
        actions: &mut Vec<Action>,
        step: impl FnOnce(&mut Work, &Context<'_, S>, &mut Vec<Action>) -> Result<(), Refused>,
    ) {
        if self.tasks.get(&ticket.task_id).is_some_and(|work| work.ticket == ticket) {
            self.step(ticket.task_id, actions, step);
        }
    }

    /// Takes a task's next step, if the task is still there.
    fn step(
        &mut self,
        task_id: B256,
        actions: &mut Vec<Action>,
        step: impl FnOnce(&mut Work, &Context<'_, S>, &mut Vec<Action>) -> Result<(), Refused>,
    ) {
        let Some(work) = self.tasks.get_mut(&task_id) else { return };
        let context = Context { settings: &self.settings, scheme: &self.scheme, task_id };
        if let Err(refusal) = step(work, &context, actions) {
            work.refuse(refusal.clone());
            work.send_to_all(&OperatorMessage::Refused { task_id, refusal }, actions);
        }
        if let Some(link) = work.misled_by.take() {
            self.strike(link, actions);
        }
    }
}

/// What a task's steps need of the operator.
struct Context<'a, S> {
    settings: &'a Settings,
    scheme: &'a S,
    task_id: B256,
}

fn refused(code: RefusalCode, message: impl Into<String>, retryable: bool) -> Refused {
    Refused::new(code, message, retryable)
}

fn send(link: LinkId, message: &OperatorMessage, actions: &mut Vec<Action>) {
    actions.push(Action::Send { link, message: message.to_json() });
}
