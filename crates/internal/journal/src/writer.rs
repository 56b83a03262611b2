//! The thread that writes: it records what waits, in one transaction after another.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::entry::Domain;
use crate::error::{JournalError, SignError};
use crate::hold::Hold;
use crate::marker::Marker;
use crate::statement::Claims;
use crate::store::{Merge, Merged, Store};

/// How long the marker's last write may stay in the memory of the operating system.
const MARKER_SYNC: Duration = Duration::from_secs(1);

/// A request to the thread, with the channel for its answer.
pub(crate) enum Request {
    Record(Vec<Claims>, Reply<Outcomes>),
    Merge(Merge, Reply<Merged>),
    RaiseFloor(Domain, u64, Reply<()>),
    Release(Domain, Vec<Hold>, Reply<u64>),
    Delete { keys: Vec<Vec<u8>>, domain: Domain, before: u64, reply: Reply<u64> },
}

pub(crate) type Reply<T> = SyncSender<Result<T, JournalError>>;

/// For each statement, whether it may be signed.
pub(crate) type Outcomes = Vec<Result<(), SignError>>;

/// The failure after which nothing more is signed.
#[derive(Clone, Default)]
pub(crate) struct Failure(Arc<Mutex<Option<JournalError>>>);

impl Failure {
    pub fn get(&self) -> Option<JournalError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, error: &JournalError) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| error.clone());
    }
}

/// The thread's state.
pub(crate) struct Writer {
    pub store: Arc<Store>,
    pub marker: Marker,
    pub queue: Receiver<Request>,
    pub failure: Failure,
    pub longest_group: usize,
}

impl Writer {
    /// Serves requests until every sender is dropped.
    pub fn run(mut self) {
        let mut unsynced: Option<Instant> = None;
        loop {
            let request = match unsynced {
                None => self.queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(since) => self.queue.recv_timeout(MARKER_SYNC.saturating_sub(since.elapsed())),
            };
            match request {
                Ok(request) => {
                    if self.serve(request) {
                        unsynced.get_or_insert_with(Instant::now);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if unsynced.is_some_and(|since| since.elapsed() >= MARKER_SYNC) {
                let _ = self.attempt(|writer| writer.marker.sync().map_err(JournalError::failed));
                unsynced = None;
            }
        }
        // Best effort: the process ends, and the operating system writes the rest.
        let _ = self.marker.sync();
    }

    /// Serves a request, and those that wait behind it. Returns whether the marker was written.
    fn serve(&mut self, request: Request) -> bool {
        let mut statements = Vec::new();
        let mut replies = Vec::new();
        let mut next = Some(request);
        // A group ends where its limit is reached, where nothing waits, and before a request of another kind.
        while let Some(request) = next.take() {
            match request {
                Request::Record(claims, reply) => {
                    replies.push((claims.len(), reply));
                    statements.extend(claims);
                    if statements.len() < self.longest_group {
                        next = self.queue.try_recv().ok();
                    }
                }
                other => {
                    let wrote = self.record(&statements, replies);
                    return self.administer(other) || wrote;
                }
            }
        }
        self.record(&statements, replies)
    }

    fn record(&mut self, statements: &[Claims], replies: Vec<(usize, Reply<Outcomes>)>) -> bool {
        if statements.is_empty() {
            return false;
        }
        let recorded = self.attempt(|writer| {
            let recording = writer.store.record(statements)?;
            // Before any signature: a journal that lacks what has left is then known to be old.
            writer.marker.record(recording.recorded).map_err(JournalError::failed)?;
            Ok(recording.outcomes)
        });
        // A caller that no longer waits needs no answer.
        match recorded {
            Ok(outcomes) => {
                let mut outcomes = outcomes.into_iter();
                for (length, reply) in replies {
                    let _ = reply.send(Ok(outcomes.by_ref().take(length).collect()));
                }
                true
            }
            Err(error) => {
                for (_, reply) in replies {
                    let _ = reply.send(Err(error.clone()));
                }
                false
            }
        }
    }

    fn administer(&mut self, request: Request) -> bool {
        match request {
            Request::Record(claims, reply) => {
                let length = claims.len();
                self.record(&claims, vec![(length, reply)])
            }
            Request::Merge(merge, reply) => {
                let merged = self.attempt(|writer| {
                    let merged = writer.store.merge(&merge)?;
                    writer.marker.record(merged.recorded).map_err(JournalError::failed)?;
                    Ok(merged)
                });
                let wrote = merged.is_ok();
                let _ = reply.send(merged);
                wrote
            }
            Request::RaiseFloor(domain, floor, reply) => {
                let _ = reply.send(self.attempt(|writer| Ok(writer.store.raise_floor(&domain, floor)?)));
                false
            }
            Request::Release(domain, holds, reply) => {
                let _ = reply.send(self.attempt(|writer| Ok(writer.store.release(&domain, &holds)?)));
                false
            }
            Request::Delete { keys, domain, before, reply } => {
                let _ = reply.send(self.attempt(|writer| Ok(writer.store.delete(&keys, &domain, before)?)));
                false
            }
        }
    }

    /// Runs `work` unless something failed before. After a failure what is on disk is unknown.
    fn attempt<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, JournalError>) -> Result<T, JournalError> {
        if let Some(failure) = self.failure.get() {
            return Err(failure);
        }
        let result = catch_unwind(AssertUnwindSafe(|| work(self)))
            .unwrap_or_else(|_| Err(JournalError::failed("its pages contradict each other")));
        if let Err(error) = &result {
            self.failure.set(error);
        }
        result
    }
}
