//! Keeps the tasks that a gateway has accepted until each is answered or expired.
//!
//! [`TaskLog::append`] returns when the task is on disk, so that what was acknowledged survives any crash. A gateway
//! claims tasks for a time ([`Lease`]), and completes each with an outcome. A task whose lease has ended is claimed by
//! another gateway, which finishes it; the late gateway's lease is lost.
//!
//! The futures need no runtime: a tokio program awaits them, and a synchronous one blocks on them. The log reads no
//! clock; times are arguments, in Unix seconds.
//!
//! ```
//! use alloy_primitives::B256;
//! use assent_task_log::{Limits, EncodedOutcome, RedbTaskLog, State, Task, TaskLog};
//! use futures_executor::block_on;
//!
//! # let directory = tempfile::tempdir()?;
//! let log = RedbTaskLog::open(&directory.path().join("tasks.redb"), Limits::default())?;
//! let id = B256::repeat_byte(1);
//! block_on(log.append(Task { id, caller: "alice".into(), deadline: 1_900_000_060, body: b"an intent".into() }))?;
//!
//! let claimed = block_on(log.claim("gateway 1", 1_900_000_000, 1_900_000_010, 10))?;
//! block_on(log.complete(&claimed[0].lease, EncodedOutcome(b"an authorization".into())))?;
//! let record = block_on(log.get(id))?.ok_or("it is there")?;
//! assert!(matches!(record.state, State::Completed { .. }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![cfg_attr(
    not(test),
    deny(clippy::as_conversions, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)
)]

mod error;
#[cfg(feature = "nats")]
mod nats_log;
mod redb_log;
mod subscription;
mod task;

use std::pin::Pin;

use alloy_primitives::{B256, Bytes};

pub use error::{OpenError, TaskLogError};
#[cfg(feature = "nats")]
pub use nats_log::{NatsOptions, NatsTaskLog, check_credentials};
pub use redb_log::RedbTaskLog;
pub use subscription::{Change, Subscription};
pub use task::{Appended, AppendedClaimed, Claimed, EncodedOutcome, Lease, Limits, State, Task, TaskRecord};

/// A future that needs no runtime.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A durable, bounded log of tasks, which several gateways may share.
pub trait TaskLog: Send + Sync {
    /// Appends a task, which is on disk when this returns. A task with a known id is not appended again.
    ///
    /// # Errors
    /// [`TaskLogError::Full`], [`TaskLogError::TooLarge`], [`TaskLogError::Busy`], [`TaskLogError::NoSpace`],
    /// [`TaskLogError::Failed`].
    fn append(&self, task: Task) -> BoxFuture<'_, Result<Appended, TaskLogError>>;

    /// Appends a task and claims it for a gateway until `until`, at once. A task with a known id is left as it is.
    ///
    /// The gateway that accepts a task works on it first: no other can claim it in between.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    fn append_claimed(
        &self,
        task: Task,
        gateway: &str,
        until: u64,
    ) -> BoxFuture<'_, Result<AppendedClaimed, TaskLogError>>;

    /// Claims up to `limit` open tasks for a gateway until `until`, the oldest first.
    ///
    /// Open are those that no gateway holds at `now`, and whose deadline is after `now`.
    ///
    /// # Errors
    /// [`TaskLogError::Busy`], [`TaskLogError::Failed`].
    fn claim(
        &self,
        gateway: &str,
        now: u64,
        until: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Claimed>, TaskLogError>>;

    /// Claims up to `limit` tasks that a gateway holds already, and whose deadline is after `now`, the oldest first.
    ///
    /// Its earlier leases are lost. A gateway that starts takes up with this what it did before it ended.
    ///
    /// # Errors
    /// [`TaskLogError::Busy`], [`TaskLogError::Failed`].
    fn reclaim(
        &self,
        gateway: &str,
        now: u64,
        until: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Claimed>, TaskLogError>>;

    /// Extends a lease to `until`.
    ///
    /// # Errors
    /// [`TaskLogError::LeaseLost`], also if the task has ended; [`TaskLogError::Busy`], [`TaskLogError::Failed`].
    fn renew(&self, lease: &Lease, until: u64) -> BoxFuture<'_, Result<(), TaskLogError>>;

    /// Keeps a note with a task, which is on disk when this returns. Returns the note that is kept: the first.
    ///
    /// The gateway that takes the task over finds it there ([`Claimed::note`]).
    ///
    /// # Errors
    /// [`TaskLogError::LeaseLost`], also if the task has ended; [`TaskLogError::TooLarge`], [`TaskLogError::Busy`],
    /// [`TaskLogError::Failed`].
    fn note(&self, lease: &Lease, note: Bytes) -> BoxFuture<'_, Result<Bytes, TaskLogError>>;

    /// Ends a task with its outcome, which is on disk when this returns. Completing it again changes nothing.
    ///
    /// # Errors
    /// [`TaskLogError::LeaseLost`] if another gateway has claimed the task, or it has ended otherwise;
    /// [`TaskLogError::TooLarge`], [`TaskLogError::Busy`], [`TaskLogError::Failed`].
    fn complete(&self, lease: &Lease, outcome: EncodedOutcome) -> BoxFuture<'_, Result<(), TaskLogError>>;

    /// Cancels a task that has not ended. Returns its state afterwards, or `None` if it is unknown.
    ///
    /// # Errors
    /// [`TaskLogError::Busy`], [`TaskLogError::Failed`].
    fn cancel(&self, id: B256) -> BoxFuture<'_, Result<Option<State>, TaskLogError>>;

    /// Ends the tasks whose deadline is at or before `now`. Returns their ids.
    ///
    /// # Errors
    /// [`TaskLogError::Busy`], [`TaskLogError::Failed`].
    fn expire(&self, now: u64) -> BoxFuture<'_, Result<Vec<B256>, TaskLogError>>;

    /// Forgets ended tasks whose deadline is before `before`. Returns how many.
    ///
    /// A forgotten task can be appended again: operators answer it from their journals.
    ///
    /// # Errors
    /// [`TaskLogError::Busy`], [`TaskLogError::Failed`].
    fn forget(&self, before: u64) -> BoxFuture<'_, Result<u64, TaskLogError>>;

    /// Returns a task.
    ///
    /// # Errors
    /// [`TaskLogError::Failed`].
    fn get(&self, id: B256) -> BoxFuture<'_, Result<Option<TaskRecord>, TaskLogError>>;

    /// Returns up to `limit` tasks of a caller, the latest first.
    ///
    /// # Errors
    /// [`TaskLogError::Failed`].
    fn by_caller(&self, caller: &str, limit: usize) -> BoxFuture<'_, Result<Vec<TaskRecord>, TaskLogError>>;

    /// Returns the changes from now on, each after it is on disk.
    fn subscribe(&self) -> Subscription;

    /// Returns why the log takes nothing now, as far as it knows. For a health check.
    fn failure(&self) -> Option<TaskLogError>;
}
