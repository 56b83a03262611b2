//! Carries out what the state machine asks for, with bounds. Every action has one event as its result.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, SystemTime},
};

use alloy_primitives::B256;
use assent_chain_view::{FinalHandover, HandoverFault};
use assent_evidence_store::EvidenceStore;
use assent_journal::{Journal, SignError, Statement};
use assent_network::{
    Domain, LinkId,
    message::{HandoverName, RefusalCode, Refused},
    operator::{Action, Event, HeldTask, JournalError, SignedHandover, Ticket, Unavailable},
};
use assent_policy::{
    Evaluation, EvaluationError, EvidenceFile, ExecutablePolicy, PolicyInput, evaluate, evaluator_with_root,
    known_images,
};
use assent_signer::AttestationBatch;
use assent_types::{Attestation, Connection, Observation, Signature};
use futures_util::future::try_join_all;
use tokio::time::timeout;

use crate::{
    capacity::{NotDone, Slots, Threads, part},
    examination::Examiner,
    fair_queue::Share,
    inputs::DriverHandle,
    log_function::LogFunction,
    metrics::{OperatorMetrics, TimedStep},
    observing::Observer,
    outstanding::OutstandingHolds,
    pending_actions::PendingActions,
    traces::Traces,
};

/// How long the chain and the policy stores may take for a task.
const EXAMINATION: Duration = Duration::from_secs(10);
/// How long all sources of a policy may take for a task, with their compilation.
const OBSERVATION: Duration = Duration::from_secs(60);
/// The most statements that wait to be signed at one time. Those that wait share an `fsync`.
const SIGNING: usize = 64;
/// The most evidence files that are written at one time.
const WRITING: usize = 32;
/// The most tasks that are examined at one time.
const EXAMINING: usize = 128;

/// Carries out actions.
#[derive(Clone)]
pub(crate) struct Worker(Arc<Shared>);

/// What a worker needs.
pub(crate) struct WorkerParts {
    pub domain: Domain,
    pub examiner: Examiner,
    pub observer: Observer,
    pub holds: Arc<OutstandingHolds>,
    pub journal: Arc<Journal>,
    pub evidence: EvidenceStore,
    pub evaluations: usize,
    pub max_tasks: usize,
    /// The gateways that share the operator.
    pub gateways: usize,
    pub metrics: Arc<OperatorMetrics>,
    pub traces: Traces,
    pub log: LogFunction,
}

struct Shared {
    domain: Domain,
    examiner: Examiner,
    observer: Observer,
    holds: Arc<OutstandingHolds>,
    journal: Arc<Journal>,
    evidence: EvidenceStore,
    metrics: Arc<OperatorMetrics>,
    traces: Traces,
    log: LogFunction,
    pending: PendingActions,
    examining: Slots,
    evaluating: Threads,
    signing: Threads,
    writing: Threads,
}

impl Worker {
    /// Returns a worker on the current runtime.
    pub(crate) fn new(parts: WorkerParts) -> Self {
        let most_pending = parts.max_tasks.saturating_mul(4).saturating_add(64);
        let (metrics, log) = (Arc::clone(&parts.metrics), Arc::clone(&parts.log));
        let panics = parts.metrics.panics.clone();
        Self(Arc::new(Shared {
            domain: parts.domain,
            examiner: parts.examiner,
            observer: parts.observer,
            holds: parts.holds,
            journal: parts.journal,
            evidence: parts.evidence,
            metrics: parts.metrics,
            traces: parts.traces,
            log: parts.log,
            pending: PendingActions::new(most_pending, parts.gateways, metrics, log),
            // What waits for the node: one gateway takes no more than its part.
            examining: Slots::new(EXAMINING, part(EXAMINING, parts.gateways)),
            evaluating: Threads::new(parts.evaluations, &panics),
            signing: Threads::new(SIGNING, &panics),
            writing: Threads::new(WRITING, &panics),
        }))
    }

    /// Begins to carry out an action that uses a gateway's share. Its result goes to the driver.
    pub(crate) fn carry_out(&self, action: Action, share: Share, driver: &DriverHandle) {
        let shared = Arc::clone(&self.0);
        match action {
            // The driver's own.
            Action::Send { .. } | Action::Close { .. } => {}
            Action::SignConnection { link, connection } => self.sign_connection(link, connection, share, driver),
            Action::Examine { ticket, task } => {
                let own = Arc::clone(&share);
                self.spawn(ticket, TimedStep::Examine, share, driver, async move {
                    let _timed = shared.metrics.time(TimedStep::Examine);
                    let examined = async {
                        let _slot = shared.examining.acquire(&own).await;
                        shared.examiner.examine(&task).await.map(Box::new)
                    };
                    let result = timeout(EXAMINATION, examined).await;
                    let late = || Err(Unavailable("the operator's node did not answer in time".into()));
                    Event::Examined { ticket, result: result.unwrap_or_else(|_elapsed| late()) }
                });
            }
            Action::Observe { ticket, input, policy } => {
                let own = Arc::clone(&share);
                self.spawn(ticket, TimedStep::Observe, share, driver, async move {
                    let _timed = shared.metrics.time(TimedStep::Observe);
                    let observed = shared.observer.observe(&own, &input, policy.id(), ticket.task_id);
                    let result = timeout(OBSERVATION, observed).await;
                    let late = || Err(Unavailable("the policy's sources did not answer in time".into()));
                    Event::Observed { ticket, result: result.unwrap_or_else(|_elapsed| late()) }
                });
            }
            Action::SignObservations { ticket, observations, time } => {
                let work = shared.sign_observations(Arc::clone(&share), ticket, observations, time);
                self.spawn(ticket, TimedStep::Sign, share, driver, work);
            }
            Action::Evaluate { ticket, input, policy, data } => {
                let work = shared.evaluate(Arc::clone(&share), ticket, input, policy, data);
                self.spawn(ticket, TimedStep::Evaluate, share, driver, work);
            }
            Action::StoreEvidence { ticket, file } => {
                let work = shared.store_evidence(Arc::clone(&share), ticket, file);
                self.spawn(ticket, TimedStep::StoreEvidence, share, driver, work);
            }
            Action::SignAttestation { ticket, attestation, hold } => {
                let work = shared.sign_attestation(Arc::clone(&share), ticket, attestation, hold);
                self.spawn(ticket, TimedStep::Sign, share, driver, work);
            }
            Action::SignBatch { link, batch, holds } => self.sign_batch(link, *batch, holds, share, driver),
            Action::SignHandover { link, handover } => self.sign_handover(link, handover, share, driver),
        }
    }

    /// Waits until no action is pending, or some time has passed.
    pub(crate) async fn finish(&self, patience: Duration) {
        let _ = timeout(patience, self.0.pending.finish()).await;
    }

    /// Begins a step of an attempt at a task, whose event is its result.
    fn spawn(
        &self,
        ticket: Ticket,
        step: TimedStep,
        share: Share,
        driver: &DriverHandle,
        work: impl Future<Output = Event> + Send + 'static,
    ) {
        let (start, shared) = (SystemTime::now(), Arc::clone(&self.0));
        let ended = move |event: &Event, traces: &Traces| traces.ended(ticket, step, start, event);
        let traces = self.0.traces.clone();
        let failed = move |reason: &str| {
            let event = Event::Failed { ticket, reason: Unavailable(reason.to_owned()) };
            ended(&event, &traces);
            event
        };
        let work = async move {
            let event = work.await;
            ended(&event, &shared.traces);
            event
        };
        let name = format!("an action for task {}", ticket.task_id);
        self.0.pending.begin(&share, driver, name, failed, work);
    }

    fn sign_batch(
        &self,
        link: LinkId,
        batch: AttestationBatch,
        holds: Vec<HeldTask>,
        share: Share,
        driver: &DriverHandle,
    ) {
        let (root, start, shared) = (batch.root(), SystemTime::now(), Arc::clone(&self.0));
        let failed = move |reason: &str| {
            let result = Err(JournalError::Unavailable(reason.to_owned()));
            Event::BatchSigned { link, root, result }
        };
        let own = Arc::clone(&share);
        let work = async move {
            let _timed = shared.metrics.time(TimedStep::Sign);
            let signed = batch.attestations().iter().map(|attestation| (attestation.taskId, attestation.decision));
            let (task_ids, decisions): (Vec<B256>, Vec<u8>) = signed.unzip();
            let result = shared.sign_attestations(&own, batch, holds).await;
            if result.is_ok() {
                let decisions = decisions.into_iter().filter_map(|decision| decision.try_into().ok());
                decisions.for_each(|decision| shared.metrics.count_decision(decision));
            }
            let event = Event::BatchSigned { link, root, result };
            shared.traces.batch_signed(&task_ids, root, start, &event);
            event
        };
        self.0.pending.begin(&share, driver, format!("the batch {root}"), failed, work);
    }

    fn sign_handover(&self, link: LinkId, handover: HandoverName, share: Share, driver: &DriverHandle) {
        let shared = Arc::clone(&self.0);
        let failed = move |reason: &str| {
            let refusal = unavailable(reason);
            Event::HandoverSigned { link, handover, result: Err(refusal) }
        };
        let own = Arc::clone(&share);
        let work = async move {
            let result = shared.sign_handover(&own, handover).await;
            if result.is_ok() {
                shared.metrics.handovers.inc();
            }
            Event::HandoverSigned { link, handover, result }
        };
        let HandoverName { epoch, signed_by } = handover;
        let name = format!("the handover from epoch {signed_by} to {epoch}");
        self.0.pending.begin(&share, driver, name, failed, work);
    }

    fn sign_connection(&self, link: LinkId, connection: Connection, share: Share, driver: &DriverHandle) {
        let shared = Arc::clone(&self.0);
        let failed = move |reason: &str| {
            let result = Err(Unavailable(reason.to_owned()));
            Event::ConnectionSigned { link, result }
        };
        let own = Arc::clone(&share);
        let work = async move {
            let Domain { chain_id, task_manager } = shared.domain;
            let journal = Arc::clone(&shared.journal);
            let sign = move || journal.prove_connection(&connection, chain_id, task_manager);
            let result = match shared.signing.run(&own, sign).await {
                Ok(signed) => signed.map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            Event::ConnectionSigned { link, result: result.map_err(Unavailable) }
        };
        self.0.pending.begin(&share, driver, "the proof of the key".to_owned(), failed, work);
    }
}

impl Shared {
    async fn sign_observations(
        self: Arc<Self>,
        share: Share,
        ticket: Ticket,
        observations: Vec<Observation>,
        time: u64,
    ) -> Event {
        let _timed = self.metrics.time(TimedStep::Sign);
        let Domain { chain_id, task_manager } = self.domain;
        let journal = Arc::clone(&self.journal);
        let sign = move || {
            let statement = |observation| Statement::Observation { observation, chain_id, task_manager, time };
            journal.sign_all(&observations.iter().map(statement).collect::<Vec<_>>())
        };
        let result = match self.signing.run(&share, sign).await {
            Ok(signatures) => {
                signatures.into_iter().map(|signature| signature.map_err(|error| self.refused(&error))).collect()
            }
            Err(error) => Err(JournalError::Unavailable(error.to_string())),
        };
        Event::ObservationsSigned { ticket, result }
    }

    async fn evaluate(
        self: Arc<Self>,
        share: Share,
        ticket: Ticket,
        input: PolicyInput,
        policy: Arc<ExecutablePolicy>,
        data: String,
    ) -> Event {
        let metrics = Arc::clone(&self.metrics);
        let evaluate = move || {
            let _timed = metrics.time(TimedStep::Evaluate);
            evaluate_policy(&policy, &input, &data)
        };
        match self.evaluating.run(&share, evaluate).await {
            Ok(result) => {
                if let Ok(evaluation) = &result {
                    // A count of steps that f64 cannot hold exactly is no different in a histogram.
                    self.metrics.evaluation_steps.observe(steps(evaluation));
                }
                Event::Evaluated { ticket, result: Box::new(result) }
            }
            Err(error) => self.failed(ticket, error),
        }
    }

    async fn store_evidence(self: Arc<Self>, share: Share, ticket: Ticket, file: Box<EvidenceFile>) -> Event {
        let _timed = self.metrics.time(TimedStep::StoreEvidence);
        let store = self.evidence.clone();
        match self.writing.run(&share, move || store.put_file(&file)).await {
            Ok(Ok(_)) => Event::EvidenceStored { ticket, result: Ok(()) },
            Ok(Err(error)) => {
                (self.log)(&format!("cannot store evidence: {error}"));
                let reason = Unavailable("the operator cannot store evidence".to_owned());
                Event::EvidenceStored { ticket, result: Err(reason) }
            }
            Err(error) => self.failed(ticket, error),
        }
    }

    async fn sign_attestation(
        self: Arc<Self>,
        share: Share,
        ticket: Ticket,
        attestation: Box<Attestation>,
        hold: Option<Box<HeldTask>>,
    ) -> Event {
        let _timed = self.metrics.time(TimedStep::Sign);
        let Domain { chain_id, task_manager } = self.domain;
        let decision = attestation.decision.try_into();
        let result = match AttestationBatch::new(vec![*attestation], chain_id, task_manager) {
            Ok(batch) => self.sign_attestations(&share, batch, hold.into_iter().map(|hold| *hold).collect()).await,
            Err(error) => Err(JournalError::Unavailable(error.to_string())),
        };
        if let (Ok(_), Ok(decision)) = (&result, decision) {
            self.metrics.count_decision(decision);
        }
        Event::AttestationSigned { ticket, result }
    }

    /// Has the journal record and sign attestations, with what they hold.
    async fn sign_attestations(
        &self,
        share: &Share,
        batch: AttestationBatch,
        holds: Vec<HeldTask>,
    ) -> Result<Signature, JournalError> {
        let requests = try_join_all(holds.into_iter().map(|hold| self.holds.request(share, hold)));
        let late = |_elapsed| JournalError::Unavailable("the operator's node did not answer in time".to_owned());
        let requests = timeout(EXAMINATION, requests).await.map_err(late)?;
        let requests = requests.map_err(|error| JournalError::Unavailable(error.to_string()))?;
        let journal = Arc::clone(&self.journal);
        match self.signing.run(share, move || journal.sign_holding(&batch, requests)).await {
            Ok(signature) => signature.map_err(|error| self.refused(&error)),
            Err(error) => Err(JournalError::Unavailable(error.to_string())),
        }
    }

    /// Reads a handover in a final block, and has the journal record and sign it.
    async fn sign_handover(&self, share: &Share, name: HandoverName) -> Result<SignedHandover, Refused> {
        let HandoverName { epoch, signed_by } = name;
        let read = timeout(EXAMINATION, self.examiner.view.final_handover(epoch, Some(signed_by))).await;
        let read = read.map_err(|_elapsed| unavailable("the operator's node did not answer in time"))?;
        let FinalHandover { handover, signing, .. } = read.map_err(|fault| self.handover_refused(&fault))?;
        let (operator, key) = (self.examiner.operator, self.journal.public_key());
        let mut members = signing.operators.operators().iter();
        if !members.any(|member| member.address == operator && member.public_key == *key) {
            let message = format!("the operator is not in epoch {signed_by} with its key");
            return Err(Refused::new(RefusalCode::WrongEpoch, message, false));
        }
        let journal = Arc::clone(&self.journal);
        let signed = self.signing.run(share, move || journal.sign(Statement::Handover(&handover))).await;
        let signature =
            signed.map_err(|error| unavailable(error.to_string()))?.map_err(|error| match self.refused(&error) {
                JournalError::AlreadySigned => {
                    let message = format!("the operator signed something else about epoch {epoch}");
                    Refused::new(RefusalCode::AlreadySigned, message, false)
                }
                error => unavailable(error.to_string()),
            })?;
        (self.log)(&format!("signed the handover from epoch {signed_by} to epoch {epoch}"));
        Ok(SignedHandover { digest: handover.digest(), signature })
    }

    /// Returns what gateways learn of a handover that is not signed: the node's own words can have its URL.
    fn handover_refused(&self, fault: &HandoverFault) -> Refused {
        let (code, retryable) = match fault {
            HandoverFault::NotFinal { .. } => (RefusalCode::NotFinal, true),
            HandoverFault::Revoked { .. } => (RefusalCode::RevokedEpoch, false),
            HandoverFault::NotHome { .. } => (RefusalCode::WrongChain, false),
            HandoverFault::Unread(error) => {
                self.metrics.node_errors.inc();
                (self.log)(&format!("cannot read a handover: {error}"));
                return unavailable("the operator's node did not answer");
            }
            _ => (RefusalCode::WrongEpoch, false),
        };
        Refused::new(code, fault.to_string(), retryable)
    }

    /// Returns what gateways learn of a failure of the journal, whose own words can name files.
    fn refused(&self, error: &SignError) -> JournalError {
        (self.log)(&format!("not signed: {error}"));
        match error {
            SignError::AlreadySigned(_) => JournalError::AlreadySigned,
            SignError::Exceeded(_) => JournalError::Exceeded,
            SignError::TooManyHolds(_) => {
                JournalError::Unavailable("too many attestations of the client may be outstanding".to_owned())
            }
            SignError::Pruned { .. } => {
                JournalError::Unavailable("the task is older than what the operator's journal still knows".to_owned())
            }
            SignError::Signer(_) => JournalError::Unavailable("the operator's signer does not answer".to_owned()),
            _ => {
                self.metrics.journal_failed.set(i64::from(self.journal.failure().is_some()));
                JournalError::Unavailable("the operator's journal failed".to_owned())
            }
        }
    }

    fn failed(&self, ticket: Ticket, error: NotDone) -> Event {
        if error == NotDone::Panicked {
            (self.log)(&format!("an action for task {} panicked", ticket.task_id));
        }
        Event::Failed { ticket, reason: Unavailable(error.to_string()) }
    }
}

fn unavailable(message: impl Into<String>) -> Refused {
    Refused::new(RefusalCode::Unavailable, message, true)
}

fn evaluate_policy(policy: &ExecutablePolicy, input: &PolicyInput, data: &str) -> Result<Evaluation, EvaluationError> {
    let Ok(image) = evaluator_with_root(policy.image()) else {
        let actual = known_images().next().unwrap_or_default();
        return Err(EvaluationError::WrongImage { expected: policy.image(), actual });
    };
    evaluate(image, policy, input, data)
}

fn steps(evaluation: &Evaluation) -> f64 {
    u32::try_from(evaluation.steps).unwrap_or(u32::MAX).into()
}
