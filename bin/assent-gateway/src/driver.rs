//! The thread that owns the state machine: events in, actions out.
//!
//! Aggregation takes milliseconds of CPU time, so it runs on a thread and not among the runtime's tasks.
//! Everything that waits (chain, policy store, task log) is a task whose result comes back as an event.
//!
//! The queue has no bound, because what it holds is bounded where it comes from. A connection has a limited number of
//! messages that are not handled. A request is admitted before it is queued, and every other event answers an action.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use alloy_primitives::{Address, B256};
use assent_network::{
    Bls, Domain, LinkId,
    gateway::{
        AbsentSigner, Accepted, Action, Answer, Event, Failure, FailureCode, Gateway, HandoverSubmission, LoggedTask,
        Record, RequestId, Settings, Submission, TaskOutcome, TaskProgress, agreed_from_stored, agreed_to_stored,
    },
};
use assent_program::Tracer;
use assent_signer::Aggregate;
use assent_task_log::{AppendedClaimed, Claimed, Lease, State, Task, TaskLog, TaskLogError, TaskRecord};
use assent_verifier::Epoch;
use futures_util::StreamExt;
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, broadcast, mpsc, oneshot},
};

use crate::{
    link_handle::LinkHandle,
    metrics::GatewayMetrics,
    preparing::Preparer,
    recent::{RecentTasks, TaskSummary},
    traces,
};

/// How long a lease outlasts its task: the gateway that holds it records the end.
const LEASE_GRACE: u64 = 60;
/// How many leases are renewed at the same time.
const RENEWED_AT_ONCE: usize = 32;
/// How many events a subscriber may be behind.
const LONGEST_BACKLOG: usize = 1024;

/// What the gateway knows at a moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    pub(crate) epochs: Vec<Epoch>,
    pub(crate) connected: Vec<Address>,
    /// When each operator's last message came (Unix time in milliseconds).
    pub(crate) activity: BTreeMap<Address, u64>,
    pub(crate) tasks: usize,
    /// The tasks that have not ended.
    pub(crate) open_tasks: usize,
}

/// What happens to a task, as subscribers learn it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TaskEvent {
    /// It is durably recorded.
    Accepted(B256),
    /// It ended.
    Ended(B256),
}

pub(crate) enum Input {
    Event(Event),
    LinkOpened {
        link: LinkId,
        challenge: B256,
        handle: LinkHandle,
    },
    Received {
        link: LinkId,
        message: Vec<u8>,
        permit: OwnedSemaphorePermit,
    },
    Requested {
        request: RequestId,
        submission: Submission,
        caller: String,
        answers: mpsc::Sender<Answer>,
    },
    HandoverRequested {
        request: RequestId,
        submission: Box<HandoverSubmission>,
        answer: oneshot::Sender<HandoverCollected>,
    },
    Prepared {
        request: RequestId,
        result: Result<Box<Accepted>, Failure>,
    },
    Appended {
        task_id: B256,
        accepted: Box<Accepted>,
        result: Result<AppendedClaimed, TaskLogError>,
    },
    /// The answer of the task log to a record that needs a lease, with the end that it has if the lease is lost.
    Kept {
        task_id: B256,
        result: Result<(), TaskLogError>,
        logged: Option<Box<LoggedTask>>,
    },
    Claimed(Vec<Claimed>),
    /// The log has a task's end, which a gateway or its caller recorded.
    LogEnded {
        task_id: B256,
        is_completed: bool,
    },
    Logged {
        task_id: B256,
        logged: Box<LoggedTask>,
    },
    Progress {
        task_id: B256,
        reply: oneshot::Sender<(Option<TaskProgress>, Vec<Epoch>)>,
    },
    Snapshot {
        reply: oneshot::Sender<Snapshot>,
    },
    Recent {
        reply: oneshot::Sender<RecentTasks>,
    },
    /// Extends the leases, so that no other gateway takes the tasks over.
    Renew,
    LeaseLost {
        task_id: B256,
    },
    Ping,
    Stop,
}

/// A handle to the thread.
#[derive(Clone)]
pub(crate) struct DriverHandle {
    inputs: mpsc::UnboundedSender<Input>,
    events: broadcast::Sender<TaskEvent>,
    next: Arc<AtomicU64>,
}

/// A request that waits. Dropped, it waits no longer; its task goes on.
pub(crate) struct Waiting {
    request: RequestId,
    answers: mpsc::Receiver<Answer>,
    inputs: mpsc::UnboundedSender<Input>,
}

/// What became of a request for a handover.
pub(crate) struct HandoverCollected {
    /// The signature of a quorum, or why it is missing.
    pub(crate) result: Result<Box<Aggregate>, Failure>,
    /// The operators of the epoch whose signatures are missing.
    pub(crate) absent: Vec<AbsentSigner>,
}

/// What the thread works with.
pub(crate) struct DriverParts {
    pub(crate) settings: Settings,
    pub(crate) name: String,
    pub(crate) log: Arc<dyn TaskLog>,
    /// How long a lease is; without it, as long as the task.
    pub(crate) lease: Option<Duration>,
    pub(crate) preparer: Arc<Preparer>,
    pub(crate) metrics: Arc<GatewayMetrics>,
    pub(crate) tracer: Tracer,
}

struct Driver {
    gateway: Gateway<Bls>,
    domain: Domain,
    name: Arc<str>,
    log: Arc<dyn TaskLog>,
    lease: Option<Duration>,
    preparer: Arc<Preparer>,
    metrics: Arc<GatewayMetrics>,
    tracer: Tracer,
    runtime: Handle,
    inputs: mpsc::UnboundedSender<Input>,
    events: broadcast::Sender<TaskEvent>,
    links: HashMap<LinkId, LinkHandle>,
    requests: HashMap<RequestId, Request>,
    /// Who waits for a handover.
    handovers: HashMap<RequestId, oneshot::Sender<HandoverCollected>>,
    /// Who asked for the task that was prepared last.
    caller: String,
    /// The tasks that this gateway holds in the log.
    leases: HashMap<B256, Lease>,
    activity: BTreeMap<Address, u64>,
    recent: RecentTasks,
    pings: u64,
}

struct Request {
    caller: String,
    answers: mpsc::Sender<Answer>,
}

impl DriverHandle {
    pub(crate) fn send(&self, input: Input) {
        // After the end there is no one to tell.
        let _ = self.inputs.send(input);
    }

    pub(crate) fn event(&self, event: Event) {
        self.send(Input::Event(event));
    }

    /// Returns a number that no connection or request has had.
    pub(crate) fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn request(&self, submission: Submission, caller: String) -> Waiting {
        let request = self.number();
        // It is accepted, then finished: two answers at most.
        let (sender, answers) = mpsc::channel(2);
        self.send(Input::Requested { request, submission, caller, answers: sender });
        Waiting { request, answers, inputs: self.inputs.clone() }
    }

    /// Asks operators for a handover, and waits until a quorum signed it or the gateway gives up.
    pub(crate) async fn request_handover(&self, submission: HandoverSubmission) -> HandoverCollected {
        let request = self.number();
        let (answer, collected) = oneshot::channel();
        let waiting = Abandoning { request, inputs: self.inputs.clone() };
        self.send(Input::HandoverRequested { request, submission: Box::new(submission), answer });
        let collected = collected.await;
        drop(waiting);
        collected.unwrap_or_else(|_stopped| {
            let failure = Failure::new(FailureCode::Unavailable, "the gateway stops; ask another one", true);
            HandoverCollected { result: Err(failure), absent: Vec::new() }
        })
    }

    /// Returns how far a task is, if the gateway remembers it, and the epochs that are known.
    pub(crate) async fn progress(&self, task_id: B256) -> (Option<TaskProgress>, Vec<Epoch>) {
        let (reply, answer) = oneshot::channel();
        self.send(Input::Progress { task_id, reply });
        answer.await.unwrap_or_default()
    }

    pub(crate) async fn snapshot(&self) -> Option<Snapshot> {
        let (reply, answer) = oneshot::channel();
        self.send(Input::Snapshot { reply });
        answer.await.ok()
    }

    pub(crate) async fn recent(&self) -> Option<RecentTasks> {
        let (reply, answer) = oneshot::channel();
        self.send(Input::Recent { reply });
        answer.await.ok()
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<TaskEvent> {
        self.events.subscribe()
    }
}

impl Waiting {
    /// Waits for the next answer. After the gateway has stopped, it is an error.
    pub(crate) async fn next(&mut self) -> Answer {
        self.answers.recv().await.unwrap_or_else(|| {
            Answer::Failed(Failure::new(FailureCode::Unavailable, "the gateway stops; ask another one", true))
        })
    }
}

/// A request for a handover that waits. Dropped, it is given up.
struct Abandoning {
    request: RequestId,
    inputs: mpsc::UnboundedSender<Input>,
}

impl Drop for Abandoning {
    fn drop(&mut self) {
        let _ = self.inputs.send(Input::Event(Event::Abandoned { request: self.request }));
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.inputs.send(Input::Event(Event::Abandoned { request: self.request }));
    }
}

/// Starts the thread. It ends with [`Input::Stop`].
pub(crate) fn start(parts: DriverParts) -> std::io::Result<(DriverHandle, std::thread::JoinHandle<()>)> {
    let (inputs, receiver) = mpsc::unbounded_channel();
    let (events, _) = broadcast::channel(LONGEST_BACKLOG);
    let handle = DriverHandle { inputs: inputs.clone(), events: events.clone(), next: Arc::new(AtomicU64::new(1)) };
    let DriverParts { settings, name, log, lease, preparer, metrics, tracer } = parts;
    let driver = Driver {
        domain: settings.domain,
        gateway: Gateway::new(settings, Bls),
        name: name.into(),
        log,
        lease,
        preparer,
        metrics,
        tracer,
        runtime: Handle::current(),
        inputs,
        events,
        links: HashMap::new(),
        requests: HashMap::new(),
        handovers: HashMap::new(),
        caller: String::new(),
        leases: HashMap::new(),
        activity: BTreeMap::new(),
        recent: RecentTasks::default(),
        pings: 0,
    };
    let thread = std::thread::Builder::new().name("gateway".to_owned()).spawn(move || driver.run(receiver))?;
    Ok((handle, thread))
}

impl Driver {
    fn run(mut self, mut inputs: mpsc::UnboundedReceiver<Input>) {
        while let Some(input) = inputs.blocking_recv() {
            match input {
                Input::Stop => break,
                input => self.take(input),
            }
        }
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Event(Event::LinkClosed { link }) => {
                self.links.remove(&link);
                self.handle(Event::LinkClosed { link });
            }
            Input::Event(Event::Abandoned { request }) => {
                let is_known = self.requests.remove(&request).is_some();
                if self.handovers.remove(&request).is_some() || is_known {
                    self.handle(Event::Abandoned { request });
                }
            }
            Input::Event(event) => self.handle(event),
            Input::LinkOpened { link, challenge, handle } => {
                self.links.insert(link, handle);
                self.handle(Event::LinkOpened { link, challenge });
            }
            Input::Received { link, message, permit } => {
                self.handle(Event::Received { link, message });
                drop(permit);
                if let Some(operator) = self.gateway.operator_of(link) {
                    self.activity.insert(operator, self.preparer.clock.uncorrected_millis());
                    if let Some(handle) = self.links.get(&link) {
                        handle.set_proven();
                    }
                }
            }
            Input::Requested { request, submission, caller, answers } => {
                self.requests.insert(request, Request { caller, answers });
                self.handle(Event::Requested { request, submission });
            }
            Input::HandoverRequested { request, submission, answer } => {
                self.handovers.insert(request, answer);
                self.handle(Event::HandoverRequested { request, submission });
            }
            Input::Prepared { request, result } => {
                // A record that it leads to is the caller's.
                self.caller = self.requests.get(&request).map(|request| request.caller.clone()).unwrap_or_default();
                self.handle(Event::Prepared { request, result });
            }
            Input::Appended { task_id, accepted, result } => self.appended(task_id, &accepted, result),
            Input::Kept { task_id, result, logged } => self.kept(task_id, result, logged),
            Input::Claimed(claimed) => claimed.into_iter().for_each(|claimed| self.claimed(claimed)),
            Input::LogEnded { task_id, is_completed } => {
                // Of what it completes itself it learns by the answer to its record.
                if !(is_completed && self.leases.contains_key(&task_id)) {
                    self.look_for_end(task_id);
                }
            }
            Input::Logged { task_id, logged } => self.adopt(task_id, logged),
            Input::Progress { task_id, reply } => {
                let epochs = self.gateway.epochs().cloned().collect();
                let _ = reply.send((self.gateway.progress(task_id), epochs));
            }
            Input::Snapshot { reply } => {
                let _ = reply.send(Snapshot {
                    epochs: self.gateway.epochs().cloned().collect(),
                    connected: self.gateway.operators().collect(),
                    activity: self.activity.clone(),
                    tasks: self.gateway.task_count(),
                    open_tasks: self.gateway.open_task_count(),
                });
            }
            Input::Recent { reply } => {
                self.recent.refresh(|task_id| self.gateway.decision_times(task_id));
                let _ = reply.send(self.recent.clone());
            }
            Input::Renew => self.renew(),
            Input::LeaseLost { task_id } => {
                self.leases.remove(&task_id);
                self.look_for_end(task_id);
            }
            Input::Ping => self.ping(),
            Input::Stop => {}
        }
    }

    fn handle(&mut self, event: Event) {
        let invalid_ends = self.gateway.invalid_end_count();
        let actions = self.gateway.handle(self.preparer.clock.uncorrected_millis(), event);
        self.metrics.invalid_ends.inc_by(self.gateway.invalid_end_count().saturating_sub(invalid_ends));
        for action in actions {
            self.act(action);
        }
        self.metrics.tasks.set(i64::try_from(self.gateway.task_count()).unwrap_or(i64::MAX));
        self.metrics.operators.set(i64::try_from(self.gateway.operators().count()).unwrap_or(i64::MAX));
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Send { link, message } => {
                let is_sent = self.links.get(&link).is_none_or(|handle| handle.send(message));
                if !is_sent {
                    // What it does not read would grow without end. It connects again, and is offered what is open.
                    self.metrics.slow_operators.inc();
                    if let Some(handle) = self.links.remove(&link) {
                        handle.close("the operator does not read what it is sent");
                    }
                    self.inputs.send(Input::Event(Event::LinkClosed { link })).unwrap_or_default();
                }
            }
            Action::Close { link, reason } => {
                if let Some(handle) = self.links.remove(&link) {
                    handle.close(&reason);
                }
            }
            Action::Prepare { request, submission } => {
                let (preparer, inputs) = (Arc::clone(&self.preparer), self.inputs.clone());
                self.runtime.spawn(async move {
                    let result = preparer.prepare(submission).await.map(Box::new);
                    let _ = inputs.send(Input::Prepared { request, result });
                });
            }
            Action::Record { task_id, record } => self.record(task_id, record),
            Action::Answer { request, answer } => self.answer(request, answer),
            Action::AnswerHandover { request, result, absent } => {
                if let Some(answer) = self.handovers.remove(&request) {
                    // A caller that left needs none.
                    let _ = answer.send(HandoverCollected { result, absent });
                }
            }
        }
    }

    fn answer(&mut self, request: RequestId, answer: Answer) {
        let is_last = !matches!(answer, Answer::Accepted { .. });
        if let Some(Request { answers, .. }) = self.requests.get(&request) {
            // It holds both answers that a request gets. A caller that left needs none.
            let _ = answers.try_send(answer);
        }
        if is_last {
            self.requests.remove(&request);
        }
    }

    fn record(&mut self, task_id: B256, record: Record) {
        let (log, inputs, domain) = (Arc::clone(&self.log), self.inputs.clone(), self.domain);
        let metrics = Arc::clone(&self.metrics);
        match record {
            Record::Accepted(accepted) => {
                let task = Task {
                    id: task_id,
                    caller: self.caller.clone(),
                    deadline: accepted.task.expiration,
                    body: accepted.to_stored().into_bytes().into(),
                };
                let until = match self.lease {
                    Some(lease) => self.preparer.clock.end_of(lease),
                    None => accepted.task.expiration.saturating_add(LEASE_GRACE),
                };
                let name = Arc::clone(&self.name);
                self.runtime.spawn(async move {
                    let result = log.append_claimed(task, &name, until).await;
                    metrics.log(result.as_ref().err());
                    let _ = inputs.send(Input::Appended { task_id, accepted, result });
                });
            }
            Record::Agreed(agreed) => {
                let lease = self.leases.get(&task_id).cloned();
                let note = agreed_to_stored(&agreed).into_bytes();
                self.runtime.spawn(async move {
                    let result = match lease {
                        Some(lease) => log.note(&lease, note.clone().into()).await,
                        None => Err(TaskLogError::LeaseLost(task_id)),
                    };
                    metrics.log(result.as_ref().err());
                    let input = match result {
                        // The first set counts: operators may have got it.
                        Ok(kept) if kept != note => kept_in_log(&*log, task_id, domain, Ok(())).await,
                        Ok(_) => Input::Kept { task_id, result: Ok(()), logged: None },
                        Err(error) => kept_in_log(&*log, task_id, domain, Err(error)).await,
                    };
                    let _ = inputs.send(input);
                });
            }
            Record::Finished(outcome) => {
                let lease = self.leases.get(&task_id).cloned();
                let stored = assent_task_log::EncodedOutcome(outcome.to_stored().into_bytes().into());
                self.runtime.spawn(async move {
                    let result = match lease {
                        Some(lease) => log.complete(&lease, stored).await,
                        // Another gateway works on it, and learns of the cancellation from the log.
                        None if is_cancelled(&outcome) => {
                            log.cancel(task_id).await.and(Err(TaskLogError::LeaseLost(task_id)))
                        }
                        None => Err(TaskLogError::LeaseLost(task_id)),
                    };
                    metrics.log(result.as_ref().err());
                    let input = match result {
                        Ok(()) => {
                            metrics.count_outcome(&outcome);
                            Input::Kept { task_id, result: Ok(()), logged: None }
                        }
                        Err(error) => kept_in_log(&*log, task_id, domain, Err(error)).await,
                    };
                    let _ = inputs.send(input);
                });
            }
        }
    }

    fn appended(&mut self, task_id: B256, accepted: &Accepted, result: Result<AppendedClaimed, TaskLogError>) {
        match result {
            Ok(AppendedClaimed::New(lease)) => {
                self.leases.insert(task_id, lease);
                self.metrics.accepted.inc();
                let _ = self.events.send(TaskEvent::Accepted(task_id));
                self.handle(Event::Recorded { task_id, result: Ok(()) });
            }
            Ok(AppendedClaimed::Known(record)) => {
                if let State::Leased { gateway, .. } = &record.state
                    && **gateway == *self.name
                {
                    let lease = Lease { task_id, gateway: gateway.clone(), claim: record.claims };
                    self.leases.insert(task_id, lease);
                }
                // A record that cannot be read is another program's: the task that was prepared now has the same id.
                let logged = decode(&record, self.domain).unwrap_or_else(|| LoggedTask {
                    accepted: accepted.clone(),
                    agreed: None,
                    outcome: None,
                });
                self.handle(Event::AlreadyRecorded { task_id, logged: Box::new(logged) });
            }
            Err(error) => self.handle(Event::Recorded { task_id, result: Err(error.to_string()) }),
        }
    }

    /// Takes a task over that the log had: from this gateway before it ended, or from another that is gone.
    fn claimed(&mut self, claimed: Claimed) {
        let Claimed { task, lease, note } = claimed;
        self.leases.insert(task.id, lease);
        let record = TaskRecord { task, state: State::Pending, claims: 0, note };
        match decode(&record, self.domain) {
            Some(logged) => self.handle(Event::Recovered(Box::new(logged))),
            None => {
                self.metrics.unreadable.inc();
            }
        }
    }

    /// A task ended that another gateway works on, or that was cancelled there: asks the log how, if it is open here.
    fn look_for_end(&mut self, task_id: B256) {
        if self.gateway.progress(task_id).is_some_and(|progress| progress.outcome.is_none()) {
            let (log, inputs, domain) = (Arc::clone(&self.log), self.inputs.clone(), self.domain);
            self.runtime.spawn(async move {
                if let Ok(Some(record)) = log.get(task_id).await
                    && let Some(logged) = decode(&record, domain).filter(|logged| logged.outcome.is_some())
                {
                    let _ = inputs.send(Input::Logged { task_id, logged: Box::new(logged) });
                }
            });
        }
    }

    /// Takes the task log's answer to a record of a task that is accepted.
    fn kept(&mut self, task_id: B256, result: Result<(), TaskLogError>, logged: Option<Box<LoggedTask>>) {
        if matches!(result, Err(TaskLogError::LeaseLost(_))) {
            self.leases.remove(&task_id);
        }
        match logged {
            Some(logged) => self.adopt(task_id, logged),
            None => {
                let result = result.map_err(|error| error.to_string());
                self.handle(Event::Recorded { task_id, result });
                if self.tracer.is_enabled()
                    && self.gateway.outcome(task_id).is_some()
                    && let Some(progress) = self.gateway.progress(task_id)
                {
                    traces::record(&self.tracer, task_id, &progress);
                }
                self.publish_end(task_id);
            }
        }
    }

    /// Goes on with a task as the log has it.
    fn adopt(&mut self, task_id: B256, logged: Box<LoggedTask>) {
        let is_open = self.gateway.outcome(task_id).is_none();
        self.handle(Event::AlreadyRecorded { task_id, logged });
        if is_open {
            self.publish_end(task_id);
        }
    }

    /// Tells subscribers that a task ended, if that is durable now.
    fn publish_end(&mut self, task_id: B256) {
        if let Some(outcome) = self.gateway.outcome(task_id)
            && let Some(progress) = self.gateway.progress(task_id)
        {
            let attested_in = match outcome {
                TaskOutcome::Attested { document, .. } => Some(document.epoch),
                TaskOutcome::Failed(_) => None,
            };
            self.recent.add(
                TaskSummary::new(task_id, &progress, outcome, self.preparer.clock.uncorrected_millis()),
                attested_in,
            );
            self.leases.remove(&task_id);
            let _ = self.events.send(TaskEvent::Ended(task_id));
        }
    }

    fn renew(&self) {
        let Some(lease) = self.lease else { return };
        let until = self.preparer.clock.end_of(lease);
        let leases: Vec<Lease> = self.leases.values().cloned().collect();
        let (log, inputs) = (Arc::clone(&self.log), self.inputs.clone());
        self.runtime.spawn(async move {
            let renewals = futures_util::stream::iter(leases);
            let renew = |lease: Lease| {
                let (log, inputs) = (Arc::clone(&log), inputs.clone());
                async move {
                    if let Err(TaskLogError::LeaseLost(task_id)) = log.renew(&lease, until).await {
                        let _ = inputs.send(Input::LeaseLost { task_id });
                    }
                }
            };
            renewals.for_each_concurrent(RENEWED_AT_ONCE, renew).await;
        });
    }

    fn ping(&mut self) {
        self.recent.refresh(|task_id| self.gateway.decision_times(task_id));
        self.pings = self.pings.saturating_add(1);
        let message = assent_network::message::GatewayMessage::Ping { number: self.pings }.to_json();
        let links: Vec<LinkId> = self.gateway.open_links().collect();
        for link in links {
            self.act(Action::Send { link, message: message.clone() });
        }
    }
}

fn is_cancelled(outcome: &TaskOutcome) -> bool {
    matches!(outcome, TaskOutcome::Failed(Failure { code: FailureCode::Cancelled, .. }))
}

/// Returns the log's answer to a record that it did not take: what it has instead, or the error.
async fn kept_in_log(log: &dyn TaskLog, task_id: B256, domain: Domain, result: Result<(), TaskLogError>) -> Input {
    let is_lost = matches!(&result, Ok(()) | Err(TaskLogError::LeaseLost(_)));
    let record = if is_lost { log.get(task_id).await.ok().flatten() } else { None };
    let logged = record.and_then(|record| decode(&record, domain));
    // Without an end, a lost lease is another gateway's work: this one asks again.
    let logged = logged.filter(|logged| logged.outcome.is_some() || result.is_ok()).map(Box::new);
    let result = match (result, &logged) {
        (Ok(()), None) => Err(TaskLogError::Failed("the note of the task cannot be read".into())),
        (result, _) => result,
    };
    Input::Kept { task_id, result, logged }
}

/// Returns what a record of the log says of a task, if this program can read it.
pub(crate) fn decode(record: &TaskRecord, domain: Domain) -> Option<LoggedTask> {
    let accepted = Accepted::from_stored(&record.task.body).ok()?;
    if accepted.task.id(domain) != record.task.id {
        return None;
    }
    let agreed = record.note.as_ref().map(|note| agreed_from_stored(note)).transpose().ok()?;
    let failed = |code, message: &str| Some(TaskOutcome::Failed(Failure::new(code, message, false)));
    let outcome = match &record.state {
        State::Pending | State::Leased { .. } => None,
        State::Completed { outcome } => Some(TaskOutcome::from_stored(&outcome.0, &accepted, domain).ok()?),
        State::Expired => failed(FailureCode::Expired, "the task expired before a quorum signed"),
        State::Cancelled => failed(FailureCode::Cancelled, "the caller cancelled the task"),
    };
    Some(LoggedTask { accepted, agreed, outcome })
}
