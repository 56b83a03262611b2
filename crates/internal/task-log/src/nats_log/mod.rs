//! The log in a stream of NATS JetStream, which several gateways share.
//!
//! A task is one message, written once. Each of its states is a message under another subject, written only if the
//! state before is still the last. The subject's last sequence tells, as in JetStream's key-value store. Of two
//! gateways that change a task at once, one wins. Each gateway follows the stream with a pull consumer, without
//! payloads, and keeps the open tasks in memory. An operation returns when the gateway has seen what it wrote.
//!
//! Each write has a separate message id, so that one whose answer was lost can be repeated: the server carries it out
//! once.

mod credentials;
mod feed;
mod index;
mod options;
mod record;
mod store;

use core::fmt;
use std::collections::HashSet;
use std::sync::{Arc, PoisonError};

use alloy_primitives::{B256, Bytes};
use futures_util::future::join;
use futures_util::stream::{self, StreamExt};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Semaphore;

use crate::error::{OpenError, TaskLogError};
use crate::subscription::Subscription;
use crate::task::{Appended, AppendedClaimed, Claimed, EncodedOutcome, Lease, Limits, State, Task, TaskRecord};
use crate::{BoxFuture, TaskLog};

pub use credentials::check_credentials;
use feed::Feed;
use index::Open;
pub use options::NatsOptions;
use record::{Entry, StateHeader, StateKind, TaskHeader};
use store::{Current, Put, Store};

/// How often an operation begins anew after another gateway changed the task at the same time.
const TRIES: usize = 16;

/// How many messages an operation on many tasks writes or reads at once.
const AT_ONCE: usize = 64;

/// A log in a stream of NATS JetStream, for several gateways side by side. It works with `nats-server` from 2.9.
///
/// What returned is written by the stream's servers, and as safe as they are configured: see
/// `docs/operators/task-log.md`. An operation that finds the servers gone is tried again for ten seconds, and then is
/// [`TaskLogError::Unavailable`]. `open_tasks` is exact for one gateway; of several, each may exceed it by what the
/// others append at the same moment.
pub struct NatsTaskLog {
    shared: Arc<Shared>,
    handle: Handle,
    _runtime: RuntimeGuard,
}

struct Shared {
    store: Store,
    feed: Feed,
    limits: Limits,
    waiting: Arc<Semaphore>,
}

impl NatsTaskLog {
    /// Connects to the servers, creates the stream unless it is there, and reads the open tasks.
    ///
    /// # Errors
    /// [`OpenError::Unreachable`], [`OpenError::OtherStream`], [`OpenError::Thread`].
    pub async fn connect(options: NatsOptions, limits: Limits) -> Result<Self, OpenError> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("task log").enable_all().build()?;
        let handle = runtime.handle().clone();
        // Its destructor would block, which an asynchronous caller must not, also one that gives up here.
        let runtime = RuntimeGuard(Some(runtime));
        let connecting = handle.spawn(async move {
            let store = Store::connect(options).await?;
            let feed = Feed::start(store.clone()).await?;
            let waiting = Arc::new(Semaphore::new(limits.waiting.clamp(1, Semaphore::MAX_PERMITS)));
            Ok(Arc::new(Shared { store, feed, limits, waiting }))
        });
        let shared = connecting.await.unwrap_or_else(|error| Err(OpenError::Unreachable(error.to_string())))?;
        Ok(Self { shared, handle, _runtime: runtime })
    }

    /// Carries out an operation, also if no one waits for it.
    fn run<T: Send + 'static>(
        &self,
        operation: impl FnOnce(Arc<Shared>) -> BoxFuture<'static, Result<T, TaskLogError>>,
    ) -> BoxFuture<'_, Result<T, TaskLogError>> {
        let closed = || TaskLogError::Failed("it is closed".into());
        let Ok(permit) = Arc::clone(&self.shared.waiting).try_acquire_owned() else {
            return Box::pin(async { Err(TaskLogError::Busy) });
        };
        let operation = operation(Arc::clone(&self.shared));
        let task = self.handle.spawn(async move {
            let _permit = permit;
            operation.await
        });
        Box::pin(async move { task.await.unwrap_or_else(|_| Err(closed())) })
    }
}

impl TaskLog for NatsTaskLog {
    fn append(&self, task: Task) -> BoxFuture<'_, Result<Appended, TaskLogError>> {
        if let Err(error) = self.shared.limits.require_task(&task) {
            return Box::pin(async { Err(error) });
        }
        self.run(|shared| {
            Box::pin(async move {
                Ok(match shared.append(task, None).await? {
                    AppendedClaimed::New(_) => Appended::New,
                    AppendedClaimed::Known(record) => Appended::Known(record),
                })
            })
        })
    }

    fn append_claimed(
        &self,
        task: Task,
        gateway: &str,
        until: u64,
    ) -> BoxFuture<'_, Result<AppendedClaimed, TaskLogError>> {
        if let Err(error) = self.shared.limits.require_task(&task) {
            return Box::pin(async { Err(error) });
        }
        let lease = Some((gateway.to_owned(), until));
        self.run(|shared| Box::pin(async move { shared.append(task, lease).await }))
    }

    fn claim(
        &self,
        gateway: &str,
        now: u64,
        until: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Claimed>, TaskLogError>> {
        let gateway = gateway.to_owned();
        self.run(move |shared| {
            Box::pin(async move { shared.claim(&gateway, until, limit, |open| open.is_free(now)).await })
        })
    }

    fn reclaim(
        &self,
        gateway: &str,
        now: u64,
        until: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Claimed>, TaskLogError>> {
        let gateway = gateway.to_owned();
        self.run(move |shared| {
            Box::pin(async move { shared.claim(&gateway, until, limit, |open| open.is_held_by(&gateway, now)).await })
        })
    }

    fn renew(&self, lease: &Lease, until: u64) -> BoxFuture<'_, Result<(), TaskLogError>> {
        let lease = lease.clone();
        let state = StateKind::Leased { gateway: lease.gateway.clone(), until };
        self.run(move |shared| Box::pin(async move { shared.change_leased(&lease, state, None).await }))
    }

    fn note(&self, lease: &Lease, note: Bytes) -> BoxFuture<'_, Result<Bytes, TaskLogError>> {
        if let Err(error) = self.shared.limits.require(note.len()) {
            return Box::pin(async { Err(error) });
        }
        let lease = lease.clone();
        self.run(move |shared| Box::pin(async move { shared.note(&lease, note).await }))
    }

    fn complete(&self, lease: &Lease, outcome: EncodedOutcome) -> BoxFuture<'_, Result<(), TaskLogError>> {
        if let Err(error) = self.shared.limits.require(outcome.0.len()) {
            return Box::pin(async { Err(error) });
        }
        let lease = lease.clone();
        self.run(move |shared| {
            Box::pin(async move { shared.change_leased(&lease, StateKind::Completed, Some(outcome)).await })
        })
    }

    fn cancel(&self, id: B256) -> BoxFuture<'_, Result<Option<State>, TaskLogError>> {
        self.run(move |shared| Box::pin(async move { shared.end(id, StateKind::Cancelled).await }))
    }

    fn expire(&self, now: u64) -> BoxFuture<'_, Result<Vec<B256>, TaskLogError>> {
        self.run(move |shared| Box::pin(async move { shared.expire(now).await }))
    }

    fn forget(&self, before: u64) -> BoxFuture<'_, Result<u64, TaskLogError>> {
        self.run(move |shared| Box::pin(async move { shared.forget(before).await }))
    }

    fn get(&self, id: B256) -> BoxFuture<'_, Result<Option<TaskRecord>, TaskLogError>> {
        self.run(move |shared| Box::pin(async move { shared.store.record(id).await }))
    }

    fn by_caller(&self, caller: &str, limit: usize) -> BoxFuture<'_, Result<Vec<TaskRecord>, TaskLogError>> {
        let caller = caller.to_owned();
        self.run(move |shared| Box::pin(async move { shared.by_caller(&caller, limit).await }))
    }

    fn subscribe(&self) -> Subscription {
        self.shared.feed.subscribe()
    }

    fn failure(&self) -> Option<TaskLogError> {
        self.shared.store.failure()
    }
}

impl Shared {
    async fn append(&self, task: Task, lease: Option<(String, u64)>) -> Result<AppendedClaimed, TaskLogError> {
        if let Some(record) = self.store.record(task.id).await? {
            return Ok(AppendedClaimed::Known(record.into()));
        }
        let limit = self.limits.open_tasks;
        let Some(_room) = self.feed.reserve(limit) else { return Err(TaskLogError::Full { limit }) };
        // First, so that each task is listed. One that is not there is not listed either.
        self.store.put_caller(&task).await?;
        let gateway = lease.as_ref().map(|(gateway, _)| gateway.clone()).unwrap_or_default();
        match self.store.put_task(&task, lease).await? {
            Put::Written(sequence) => {
                self.feed.wait_for(sequence).await;
                Ok(AppendedClaimed::New(Lease { task_id: task.id, gateway, claim: 1 }))
            }
            Put::Conflict => match self.store.record(task.id).await? {
                Some(record) => Ok(AppendedClaimed::Known(record.into())),
                // Forgotten in this moment.
                None => Err(TaskLogError::Busy),
            },
        }
    }

    async fn claim(
        &self,
        gateway: &str,
        until: u64,
        limit: usize,
        passes: impl Fn(&Open) -> bool,
    ) -> Result<Vec<Claimed>, TaskLogError> {
        let mut claimed = Vec::new();
        let mut tried = HashSet::new();
        while claimed.len() < limit {
            let wanted = limit.saturating_sub(claimed.len()).min(AT_ONCE);
            let chosen = self.feed.select(wanted, |open| passes(open) && !tried.contains(&open.number));
            if chosen.is_empty() {
                break;
            }
            tried.extend(chosen.iter().map(|open| open.number));
            let claims = chosen.into_iter().map(|open| self.claim_one(open, gateway, until));
            let mut claims = stream::iter(claims).buffered(AT_ONCE);
            while let Some(claim) = claims.next().await {
                match claim {
                    Ok(claim) => claimed.extend(claim),
                    // What was claimed is worked on.
                    Err(_) if !claimed.is_empty() => return Ok(claimed),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(claimed)
    }

    /// Claims a task, or returns nothing if another gateway was faster.
    async fn claim_one(&self, open: Open, gateway: &str, until: u64) -> Result<Option<Claimed>, TaskLogError> {
        let Open { number, id, revision, claims, .. } = open;
        let claim = claims.saturating_add(1);
        let state = StateKind::Leased { gateway: gateway.to_owned(), until };
        let header = StateHeader { number, claims: claim, state };
        let Put::Written(sequence) = self.store.put_state(id, &header, &[], revision).await? else {
            return self.recheck(open).await.map(|()| None);
        };
        let (task, note) = join(self.store.task(number), self.store.note(id, number)).await;
        let Some(task) = task?.filter(|task| task.id == id) else {
            // The task was forgotten while this gateway did not follow.
            self.store.purge(self.store.subjects.state(id), sequence).await?;
            self.feed.remove_number(id, number);
            return Ok(None);
        };
        self.feed.wait_for(sequence).await;
        let lease = Lease { task_id: id, gateway: gateway.to_owned(), claim };
        Ok(Some(Claimed { task, lease, note: note? }))
    }

    async fn note(&self, lease: &Lease, note: Bytes) -> Result<Bytes, TaskLogError> {
        let id = lease.task_id;
        let current = self.store.current(id).await?.filter(|current| is_held(&current.record, lease));
        let Some(Current { number, .. }) = current else { return Err(TaskLogError::LeaseLost(id)) };
        // If the lease ends in this moment, the next holder gets this note when it makes one.
        match self.store.put_note(id, number, &note).await? {
            Put::Written(_) => Ok(note),
            Put::Conflict => self.store.note(id, number).await?.ok_or(TaskLogError::LeaseLost(id)),
        }
    }

    /// Drops a task that is no longer open, in case that this gateway did not follow when it ended.
    async fn recheck(&self, open: Open) -> Result<(), TaskLogError> {
        let current = self.store.current(open.id).await?;
        if current.is_none_or(|current| current.number != open.number || current.record.state.is_final()) {
            self.feed.remove_number(open.id, open.number);
        }
        Ok(())
    }

    /// Changes the state of a leased task, if the lease is its latest.
    async fn change_leased(
        &self,
        lease: &Lease,
        state: StateKind,
        outcome: Option<EncodedOutcome>,
    ) -> Result<(), TaskLogError> {
        let id = lease.task_id;
        for _ in 0..TRIES {
            let Some(Current { record, number, revision }) = self.store.current(id).await? else { break };
            if !is_held(&record, lease) {
                // Completed by this lease before, with the same outcome.
                let is_same =
                    matches!(&record.state, State::Completed { outcome: last } if Some(last) == outcome.as_ref());
                return if is_same && record.claims == lease.claim { Ok(()) } else { Err(TaskLogError::LeaseLost(id)) };
            }
            let header = StateHeader { number, claims: record.claims, state: state.clone() };
            let payload = outcome.as_ref().map_or(&[][..], |outcome| &outcome.0);
            if let Put::Written(sequence) = self.store.put_state(id, &header, payload, revision).await? {
                self.feed.wait_for(sequence).await;
                return Ok(());
            }
        }
        Err(TaskLogError::LeaseLost(id))
    }

    /// Ends a task without an outcome, unless it has ended. Returns its state afterwards.
    async fn end(&self, id: B256, state: StateKind) -> Result<Option<State>, TaskLogError> {
        for _ in 0..TRIES {
            let Some(Current { record, number, revision }) = self.store.current(id).await? else { return Ok(None) };
            if record.state.is_final() {
                return Ok(Some(record.state));
            }
            let header = StateHeader { number, claims: record.claims, state: state.clone() };
            if let Put::Written(sequence) = self.store.put_state(id, &header, &[], revision).await? {
                self.feed.wait_for(sequence).await;
                return Ok(Some(header.state(&[])));
            }
        }
        Err(TaskLogError::Busy)
    }

    async fn expire(&self, now: u64) -> Result<Vec<B256>, TaskLogError> {
        let over = self.feed.select(usize::MAX, |open| open.deadline <= now);
        let ends = over.into_iter().map(|open| async move {
            let Open { number, id, revision, claims, .. } = open;
            let header = StateHeader { number, claims, state: StateKind::Expired };
            match self.store.put_state(id, &header, &[], revision).await? {
                Put::Written(sequence) => {
                    self.feed.wait_for(sequence).await;
                    Ok(Some(id))
                }
                // Another gateway ended it, or claimed it: then the next call ends it.
                Put::Conflict => self.recheck(open).await.map(|()| None),
            }
        });
        let ended: Vec<Result<_, TaskLogError>> = stream::iter(ends).buffered(AT_ONCE).collect().await;
        let ended: Vec<Option<B256>> = ended.into_iter().collect::<Result<_, _>>()?;
        Ok(ended.into_iter().flatten().collect())
    }

    async fn forget(&self, before: u64) -> Result<u64, TaskLogError> {
        let mut tasks = std::collections::BTreeMap::new();
        let mut old = Vec::new();
        for (sequence, entry) in self.store.entries().await? {
            match entry {
                Entry::Task { id, header } => {
                    tasks.insert((id, sequence), header);
                }
                // A task's message comes before those of its states.
                Entry::State { id, header: StateHeader { number, state, .. } } if state.is_final() => {
                    let task = tasks.remove(&(id, number)).filter(|task| task.deadline < before);
                    old.extend(task.map(|TaskHeader { caller, .. }| (id, number, sequence, caller)));
                }
                Entry::State { .. } => {}
            }
        }
        let removals = old.into_iter().map(|(id, number, last, caller)| self.store.remove(id, number, last, caller));
        let removed: Vec<Result<bool, TaskLogError>> = stream::iter(removals).buffered(AT_ONCE).collect().await;
        let removed: Vec<bool> = removed.into_iter().collect::<Result<_, _>>()?;
        Ok(u64::try_from(removed.into_iter().filter(|is_removed| *is_removed).count()).unwrap_or(u64::MAX))
    }

    async fn by_caller(&self, caller: &str, limit: usize) -> Result<Vec<TaskRecord>, TaskLogError> {
        let ids = self.store.ids_of_caller(caller).await?;
        let mut records = Vec::new();
        for id in ids.into_iter().rev() {
            if records.len() >= limit {
                break;
            }
            // A message without a task is of an append that another caller's overtook, or that a crash ended.
            let record = self.store.record(id).await?;
            records.extend(record.filter(|record| record.task.caller == caller));
        }
        Ok(records)
    }
}

/// Returns whether a lease is its task's latest, and the task has not ended.
fn is_held(record: &TaskRecord, lease: &Lease) -> bool {
    let is_leased = matches!(&record.state, State::Leased { gateway, .. } if *gateway == lease.gateway);
    is_leased && record.claims == lease.claim
}

/// A runtime that is not waited for when it is dropped.
struct RuntimeGuard(Option<Runtime>);

impl Drop for RuntimeGuard {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for NatsTaskLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsTaskLog").field("limits", &self.shared.limits).finish_non_exhaustive()
    }
}

/// Returns what a lock guards, also if a thread panicked that held it: no operation leaves it half changed.
fn locked<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
