//! The log in a file of the gateway's process.

use core::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use alloy_primitives::{B256, Bytes};
use futures_channel::oneshot;
use redb::{Database, Durability, ReadableDatabase, ReadableTable, Table, TableDefinition, WriteTransaction};

use crate::error::{OpenError, TaskLogError};
use crate::subscription::{Change, Subscribers, Subscription};
use crate::task::{Appended, AppendedClaimed, Claimed, EncodedOutcome, Lease, Limits, State, Task, TaskRecord};
use crate::{BoxFuture, TaskLog};

/// Task id: the record, as JSON.
const TASKS: TableDefinition<&[u8; 32], &[u8]> = TableDefinition::new("tasks");
/// The number of an open task, in the order of arrival: its id.
const OPEN: TableDefinition<u64, &[u8; 32]> = TableDefinition::new("open");
/// Caller and number: the task id.
const CALLERS: TableDefinition<(&str, u64), &[u8; 32]> = TableDefinition::new("callers");
/// Task id: its number.
const NUMBERS: TableDefinition<&[u8; 32], u64> = TableDefinition::new("numbers");
/// The next number.
const NEXT: TableDefinition<(), u64> = TableDefinition::new("next");

const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// How many operations one transaction has at most.
const LONGEST_GROUP: usize = 1024;

/// How long the log waits before it opens its file again after a failure.
const REOPENING: Duration = Duration::from_secs(1);

/// A log in one file, which one process opens. One `fsync` serves all operations that wait.
///
/// After a write that failed, for example on a full disk, what is on disk is unknown. The log closes the file, and
/// opens it again once a second until that works. What it acknowledged before is there.
///
/// One phase of redb's commit finds a half-written page by its checksum. A gateway is not trusted, and operators have
/// their own journals: who could defeat the checksum gains nothing but a lost task.
pub struct RedbTaskLog {
    limits: Limits,
    /// `None` only while the log is dropped.
    queue: Option<SyncSender<Operation>>,
    thread: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
}

/// An operation on the tables, which returns its answer for after the commit.
type Operation = Box<dyn FnOnce(&mut Tables<'_>) -> Result<Answer, redb::Error> + Send>;
type Answer = Box<dyn FnOnce(Option<TaskLogError>) + Send>;

struct Shared {
    subscribers: Mutex<Subscribers>,
    database: Mutex<Result<Arc<Database>, TaskLogError>>,
}

impl Shared {
    /// Returns the open file, or why it is closed.
    fn database(&self) -> Result<Arc<Database>, TaskLogError> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_database(&self, database: Result<Arc<Database>, TaskLogError>) {
        let before = core::mem::replace(&mut *self.database.lock().unwrap_or_else(PoisonError::into_inner), database);
        // The last one closes the file, which can find that its pages contradict each other.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(before)));
    }
}

impl RedbTaskLog {
    /// Opens or creates a log, and verifies the checksum of each of its pages.
    ///
    /// # Errors
    /// Every variant of [`OpenError`].
    pub fn open(path: &Path, limits: Limits) -> Result<Self, OpenError> {
        let database = create(path).map_err(|error| match error {
            redb::Error::DatabaseAlreadyOpen => OpenError::InUse(path.to_owned()),
            error => OpenError::Storage { path: path.to_owned(), error: error.into() },
        })?;
        let shared = Arc::new(Shared { subscribers: Mutex::default(), database: Mutex::new(Ok(database)) });
        let (sender, queue) = sync_channel(limits.waiting.max(1));
        let writer = Writer { path: path.to_owned(), shared: Arc::clone(&shared), queue };
        let thread = thread::Builder::new().name("task log".to_owned()).spawn(move || writer.run())?;
        Ok(Self { limits, queue: Some(sender), thread: Some(thread), shared })
    }

    /// Hands an operation to the thread that writes.
    fn ask<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut Tables<'_>) -> Result<Result<T, TaskLogError>, redb::Error> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, TaskLogError>> {
        let (sender, answer) = oneshot::channel();
        let operation: Operation = Box::new(move |tables| {
            let value = operation(tables)?;
            // A caller that no longer waits needs no answer.
            Ok(Box::new(move |failure| drop(sender.send(failure.map_or(value, Err)))))
        });
        let closed = || TaskLogError::Failed("it is closed".into());
        let queued = match self.queue.as_ref().map(|queue| queue.try_send(operation)) {
            Some(Ok(())) => Ok(()),
            Some(Err(TrySendError::Full(_))) => Err(TaskLogError::Busy),
            Some(Err(TrySendError::Disconnected(_))) | None => Err(closed()),
        };
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            queued?;
            answer.await.unwrap_or_else(|_| Err(shared.database().err().unwrap_or_else(closed)))
        })
    }

    fn read(&self, id: B256) -> Result<Option<TaskRecord>, TaskLogError> {
        let database = self.shared.database()?;
        let transaction = database.begin_read().map_err(redb::Error::from)?;
        let tasks = transaction.open_table(TASKS).map_err(redb::Error::from)?;
        let row = tasks.get(&id.0).map_err(redb::Error::from)?;
        Ok(row.map(|row| decode(row.value())).transpose()?)
    }

    fn read_by_caller(&self, caller: &str, limit: usize) -> Result<Vec<TaskRecord>, TaskLogError> {
        let database = self.shared.database()?;
        let transaction = database.begin_read().map_err(redb::Error::from)?;
        let callers = transaction.open_table(CALLERS).map_err(redb::Error::from)?;
        let tasks = transaction.open_table(TASKS).map_err(redb::Error::from)?;
        let mut records = Vec::new();
        let range = callers.range((caller, 0)..=(caller, u64::MAX)).map_err(redb::Error::from)?;
        for row in range.rev().take(limit) {
            let (_, id) = row.map_err(redb::Error::from)?;
            if let Some(row) = tasks.get(id.value()).map_err(redb::Error::from)? {
                records.push(decode(row.value())?);
            }
        }
        Ok(records)
    }
}

impl TaskLog for RedbTaskLog {
    fn append(&self, task: Task) -> BoxFuture<'_, Result<Appended, TaskLogError>> {
        if let Err(error) = self.limits.require_task(&task) {
            return Box::pin(async { Err(error) });
        }
        let limit = self.limits.open_tasks;
        self.ask(move |tables| {
            Ok(tables.append_new(task, None, limit)?.map(|appended| match appended {
                AppendedClaimed::New(_) => Appended::New,
                AppendedClaimed::Known(record) => Appended::Known(record),
            }))
        })
    }

    fn append_claimed(
        &self,
        task: Task,
        gateway: &str,
        until: u64,
    ) -> BoxFuture<'_, Result<AppendedClaimed, TaskLogError>> {
        if let Err(error) = self.limits.require_task(&task) {
            return Box::pin(async { Err(error) });
        }
        let limit = self.limits.open_tasks;
        let lease = Some((gateway.to_owned(), until));
        self.ask(move |tables| tables.append_new(task, lease, limit))
    }

    fn claim(
        &self,
        gateway: &str,
        now: u64,
        until: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Claimed>, TaskLogError>> {
        let gateway = gateway.to_owned();
        self.ask(move |tables| {
            let claimed = tables.claim(&gateway, until, limit, |record| {
                let is_free = match &record.state {
                    State::Leased { until, .. } => *until <= now,
                    state => *state == State::Pending,
                };
                is_free && record.task.deadline > now
            })?;
            Ok(Ok(claimed))
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
        self.ask(move |tables| {
            let claimed = tables.claim(&gateway, until, limit, |record| {
                let is_held = matches!(&record.state, State::Leased { gateway: holder, .. } if *holder == gateway);
                is_held && record.task.deadline > now
            })?;
            Ok(Ok(claimed))
        })
    }

    fn renew(&self, lease: &Lease, until: u64) -> BoxFuture<'_, Result<(), TaskLogError>> {
        let lease = lease.clone();
        self.ask(move |tables| {
            let Some(mut record) = tables.leased(&lease)? else {
                return Ok(Err(TaskLogError::LeaseLost(lease.task_id)));
            };
            record.state = State::Leased { gateway: lease.gateway, until };
            tables.put(&record)?;
            Ok(Ok(()))
        })
    }

    fn note(&self, lease: &Lease, note: Bytes) -> BoxFuture<'_, Result<Bytes, TaskLogError>> {
        if let Err(error) = self.limits.require(note.len()) {
            return Box::pin(async { Err(error) });
        }
        let lease = lease.clone();
        self.ask(move |tables| {
            let Some(mut record) = tables.leased(&lease)? else {
                return Ok(Err(TaskLogError::LeaseLost(lease.task_id)));
            };
            if let Some(first) = record.note {
                return Ok(Ok(first));
            }
            record.note = Some(note.clone());
            tables.put(&record)?;
            Ok(Ok(note))
        })
    }

    fn complete(&self, lease: &Lease, outcome: EncodedOutcome) -> BoxFuture<'_, Result<(), TaskLogError>> {
        if let Err(error) = self.limits.require(outcome.0.len()) {
            return Box::pin(async { Err(error) });
        }
        let lease = lease.clone();
        self.ask(move |tables| {
            let completed = State::Completed { outcome };
            if let Some(mut record) = tables.leased(&lease)? {
                record.state = completed;
                tables.put(&record)?;
                return Ok(Ok(()));
            }
            let record = tables.get(lease.task_id)?;
            let is_same = record.is_some_and(|record| record.claims == lease.claim && record.state == completed);
            Ok(if is_same { Ok(()) } else { Err(TaskLogError::LeaseLost(lease.task_id)) })
        })
    }

    fn cancel(&self, id: B256) -> BoxFuture<'_, Result<Option<State>, TaskLogError>> {
        self.ask(move |tables| {
            let Some(mut record) = tables.get(id)? else { return Ok(Ok(None)) };
            if !record.state.is_final() {
                record.state = State::Cancelled;
                tables.put(&record)?;
            }
            Ok(Ok(Some(record.state)))
        })
    }

    fn expire(&self, now: u64) -> BoxFuture<'_, Result<Vec<B256>, TaskLogError>> {
        self.ask(move |tables| {
            let mut expired = Vec::new();
            for mut record in tables.select(usize::MAX, |record| record.task.deadline <= now)? {
                record.state = State::Expired;
                tables.put(&record)?;
                expired.push(record.task.id);
            }
            Ok(Ok(expired))
        })
    }

    fn forget(&self, before: u64) -> BoxFuture<'_, Result<u64, TaskLogError>> {
        self.ask(move |tables| Ok(Ok(tables.forget(before)?)))
    }

    fn get(&self, id: B256) -> BoxFuture<'_, Result<Option<TaskRecord>, TaskLogError>> {
        let record = self.read(id);
        Box::pin(async { record })
    }

    fn by_caller(&self, caller: &str, limit: usize) -> BoxFuture<'_, Result<Vec<TaskRecord>, TaskLogError>> {
        let records = self.read_by_caller(caller, limit);
        Box::pin(async { records })
    }

    fn subscribe(&self) -> Subscription {
        self.shared.subscribers.lock().unwrap_or_else(PoisonError::into_inner).subscribe_after(0)
    }

    fn failure(&self) -> Option<TaskLogError> {
        self.shared.database().err()
    }
}

impl Drop for RedbTaskLog {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // It catches its panics.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for RedbTaskLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbTaskLog").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// The thread that writes.
struct Writer {
    path: PathBuf,
    shared: Arc<Shared>,
    queue: Receiver<Operation>,
}

impl Writer {
    /// Carries out what waits, in one transaction after another, until the log is dropped.
    fn run(self) {
        // When the file is opened again, after a failure.
        let mut reopening: Option<Instant> = None;
        loop {
            let first = match reopening {
                None => self.queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(at) => self.queue.recv_timeout(at.saturating_duration_since(Instant::now())),
            };
            if matches!(first, Err(RecvTimeoutError::Disconnected)) {
                return;
            }
            if reopening.is_some_and(|at| at <= Instant::now()) {
                self.shared.set_database(create(&self.path).map_err(TaskLogError::from));
            }
            // Dropping an operation tells its caller to look for the failure.
            let database = self.shared.database();
            reopening = database.is_err().then(|| match reopening {
                Some(at) if at > Instant::now() => at,
                _ => Instant::now() + REOPENING,
            });
            let (Ok(first), Ok(database)) = (first, database) else { continue };
            let group: Vec<_> = std::iter::once(first).chain(self.queue.try_iter().take(LONGEST_GROUP - 1)).collect();
            let mut answers = Vec::with_capacity(group.len());
            let committed = guarded(|| Self::commit(&database, group, &mut answers));
            drop(database);
            let failure = match committed {
                Ok(changes) => {
                    let mut subscribers = self.shared.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
                    // A subscriber is there before the change, or not at all: the numbers need not differ.
                    changes.iter().for_each(|change| subscribers.publish(1, change));
                    None
                }
                Err(error) => {
                    let failure = TaskLogError::from(error);
                    self.shared.set_database(Err(failure.clone()));
                    reopening = Some(Instant::now() + REOPENING);
                    Some(failure)
                }
            };
            answers.into_iter().for_each(|answer| answer(failure.clone()));
        }
    }

    fn commit(
        database: &Database,
        group: Vec<Operation>,
        answers: &mut Vec<Answer>,
    ) -> Result<Vec<Change>, redb::Error> {
        let mut transaction = database.begin_write()?;
        // The default, written down because everything rests on it.
        transaction.set_durability(Durability::Immediate)?;
        let (changes, is_written) = {
            let mut tables = Tables::open(&transaction)?;
            for operation in group {
                answers.push(operation(&mut tables)?);
            }
            (tables.changes, tables.is_written)
        };
        // A group that only looked has nothing to write.
        if is_written {
            transaction.commit()?
        } else {
            transaction.abort()?
        }
        Ok(changes)
    }
}

/// The tables of a write transaction.
struct Tables<'a> {
    tasks: Table<'a, &'static [u8; 32], &'static [u8]>,
    open: Table<'a, u64, &'static [u8; 32]>,
    callers: Table<'a, (&'static str, u64), &'static [u8; 32]>,
    numbers: Table<'a, &'static [u8; 32], u64>,
    next: Table<'a, (), u64>,
    changes: Vec<Change>,
    is_written: bool,
}

impl<'a> Tables<'a> {
    fn open(transaction: &'a WriteTransaction) -> Result<Self, redb::Error> {
        Ok(Self {
            tasks: transaction.open_table(TASKS)?,
            open: transaction.open_table(OPEN)?,
            callers: transaction.open_table(CALLERS)?,
            numbers: transaction.open_table(NUMBERS)?,
            next: transaction.open_table(NEXT)?,
            changes: Vec::new(),
            is_written: false,
        })
    }

    fn open_tasks(&self) -> Result<u64, redb::Error> {
        Ok(redb::ReadableTableMetadata::len(&self.open)?)
    }

    fn get(&self, id: B256) -> Result<Option<TaskRecord>, redb::Error> {
        self.tasks.get(&id.0)?.map(|row| decode(row.value())).transpose()
    }

    /// Appends a task that is not there, pending or leased, unless too many are open.
    fn append_new(
        &mut self,
        task: Task,
        lease: Option<(String, u64)>,
        limit: u64,
    ) -> Result<Result<AppendedClaimed, TaskLogError>, redb::Error> {
        if let Some(known) = self.get(task.id)? {
            return Ok(Ok(AppendedClaimed::Known(known.into())));
        }
        if self.open_tasks()? >= limit {
            return Ok(Err(TaskLogError::Full { limit }));
        }
        let gateway = lease.as_ref().map(|(gateway, _)| gateway.clone()).unwrap_or_default();
        let new = Lease { task_id: task.id, gateway, claim: 1 };
        match lease {
            None => self.append(task, State::Pending, 0)?,
            Some((gateway, until)) => self.append(task, State::Leased { gateway, until }, 1)?,
        }
        Ok(Ok(AppendedClaimed::New(new)))
    }

    fn append(&mut self, task: Task, state: State, claims: u64) -> Result<(), redb::Error> {
        let number = self.next.get(())?.map_or(0, |next| next.value());
        self.next.insert((), number + 1)?;
        self.open.insert(number, &task.id.0)?;
        self.numbers.insert(&task.id.0, number)?;
        self.callers.insert((task.caller.as_str(), number), &task.id.0)?;
        self.put(&TaskRecord { task, state, claims, note: None })
    }

    /// Claims up to `limit` open tasks that pass, in the order of arrival.
    fn claim(
        &mut self,
        gateway: &str,
        until: u64,
        limit: usize,
        passes: impl Fn(&TaskRecord) -> bool,
    ) -> Result<Vec<Claimed>, redb::Error> {
        let selected = self.select(limit, passes)?;
        let mut claimed = Vec::with_capacity(selected.len());
        for mut record in selected {
            record.claims += 1;
            record.state = State::Leased { gateway: gateway.to_owned(), until };
            self.put(&record)?;
            let lease = Lease { task_id: record.task.id, gateway: gateway.to_owned(), claim: record.claims };
            claimed.push(Claimed { task: record.task, lease, note: record.note });
        }
        Ok(claimed)
    }

    /// Writes a record. One that has ended is no longer open.
    fn put(&mut self, record: &TaskRecord) -> Result<(), redb::Error> {
        let id = record.task.id;
        self.tasks.insert(&id.0, encode(record)?.as_slice())?;
        if record.state.is_final() {
            let number = self.numbers.get(&id.0)?.map(|number| number.value());
            if let Some(number) = number {
                self.open.remove(number)?;
            }
        }
        self.changes.push(Change { task_id: id, state: record.state.clone() });
        self.is_written = true;
        Ok(())
    }

    /// Returns up to `limit` open tasks that pass, in the order of arrival.
    fn select(&self, limit: usize, passes: impl Fn(&TaskRecord) -> bool) -> Result<Vec<TaskRecord>, redb::Error> {
        let mut selected = Vec::new();
        for row in self.open.iter()? {
            if selected.len() >= limit {
                break;
            }
            let (_, id) = row?;
            if let Some(record) = self.get(B256::from(id.value()))?
                && passes(&record)
            {
                selected.push(record);
            }
        }
        Ok(selected)
    }

    /// Returns the record of a lease's task if the lease is its latest.
    fn leased(&self, lease: &Lease) -> Result<Option<TaskRecord>, redb::Error> {
        let record = self.get(lease.task_id)?;
        Ok(record.filter(|record| {
            let is_held = matches!(&record.state, State::Leased { gateway, .. } if *gateway == lease.gateway);
            is_held && record.claims == lease.claim
        }))
    }

    fn forget(&mut self, before: u64) -> Result<u64, redb::Error> {
        let mut old = Vec::new();
        for row in self.tasks.iter()? {
            let record = decode(row?.1.value())?;
            if record.state.is_final() && record.task.deadline < before {
                old.push(record);
            }
        }
        for record in &old {
            let id = record.task.id;
            let number = self.numbers.remove(&id.0)?.map(|number| number.value());
            if let Some(number) = number {
                self.callers.remove((record.task.caller.as_str(), number))?;
            }
            self.tasks.remove(&id.0)?;
            self.is_written = true;
        }
        Ok(u64::try_from(old.len()).unwrap_or(u64::MAX))
    }
}

/// Opens the database with all of its tables.
fn create(path: &Path) -> Result<Arc<Database>, redb::Error> {
    guarded(|| {
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
        let database = builder.create(path)?;
        let transaction = database.begin_write()?;
        Tables::open(&transaction)?;
        transaction.commit()?;
        Ok(Arc::new(database))
    })
}

/// Works on the database, whose pages can contradict each other: then it panics.
fn guarded<T>(work: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, redb::Error> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(redb::Error::Corrupted("its pages contradict each other".to_owned())))
}

fn encode(record: &TaskRecord) -> Result<Vec<u8>, redb::Error> {
    serde_json::to_vec(record).map_err(|error| redb::Error::Corrupted(error.to_string()))
}

fn decode(bytes: &[u8]) -> Result<TaskRecord, redb::Error> {
    serde_json::from_slice(bytes).map_err(|error| redb::Error::Corrupted(format!("a task cannot be read: {error}")))
}
