//! Follows the stream: keeps the open tasks, and publishes changes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::jetstream::consumer::DeliverPolicy;
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use alloy_primitives::B256;

use super::index::{Index, Open};
use super::locked;
use super::record::{Entry, StateKind};
use super::store::{PATIENCE, Store, reading};
use crate::error::OpenError;
use crate::subscription::{Change, Subscribers, Subscription};

/// How long it waits before it follows again.
const PAUSE: Duration = Duration::from_millis(200);
/// How long the server may be silent.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// How many changes wait to be published.
const LONGEST_BACKLOG: usize = 1024;

/// What the stream's messages say so far.
pub(super) struct Feed(Arc<Inner>);

struct Inner {
    index: Mutex<Index>,
    subscribers: Mutex<Subscribers>,
    /// The sequence of the last message that was seen, and whether all that were there at the start were.
    seen: watch::Sender<(u64, bool)>,
}

/// Room for a task that is being appended.
pub(super) struct Room(Arc<Inner>);

impl Drop for Room {
    fn drop(&mut self) {
        locked(&self.0.index).release();
    }
}

impl Feed {
    /// Starts to follow a stream. Returns when every open task is known.
    pub(super) async fn start(store: Store) -> Result<Self, OpenError> {
        let inner = Arc::new(Inner {
            index: Mutex::default(),
            subscribers: Mutex::default(),
            seen: watch::Sender::new((0, false)),
        });
        let (sender, changes) = mpsc::channel(LONGEST_BACKLOG);
        tokio::spawn(follow(store.clone(), Arc::clone(&inner), sender));
        tokio::spawn(publish(store, Arc::clone(&inner), changes));
        let mut seen = inner.seen.subscribe();
        let is_known = seen.wait_for(|(_, is_known)| *is_known);
        match timeout(6 * PATIENCE, is_known).await {
            Ok(Ok(_)) => Ok(Self(Arc::clone(&inner))),
            _ => Err(OpenError::Unreachable("the stream cannot be read".to_owned())),
        }
    }

    /// Waits until a message was seen: what is written is then known here. A server that is gone ends the wait.
    pub(super) async fn wait_for(&self, sequence: u64) {
        let mut seen = self.0.seen.subscribe();
        let _ = timeout(PATIENCE, seen.wait_for(|(seen, _)| *seen >= sequence)).await;
    }

    pub(super) fn select(&self, limit: usize, passes: impl Fn(&Open) -> bool) -> Vec<Open> {
        locked(&self.0.index).select(limit, passes)
    }

    /// Reserves room for a task, until the result is dropped.
    pub(super) fn reserve(&self, limit: u64) -> Option<Room> {
        locked(&self.0.index).reserve(limit).then(|| Room(Arc::clone(&self.0)))
    }

    /// Drops the task with an id, if it has a number.
    pub(super) fn remove_number(&self, id: B256, number: u64) {
        locked(&self.0.index).remove_number(id, number);
    }

    pub(super) fn subscribe(&self) -> Subscription {
        let mut subscribers = locked(&self.0.subscribers);
        subscribers.subscribe_after(self.0.seen.borrow().0)
    }
}

/// Follows the stream as long as the log is open.
async fn follow(store: Store, inner: Arc<Inner>, changes: mpsc::Sender<(u64, Entry)>) {
    loop {
        let (last, is_known) = *inner.seen.borrow();
        let deliver_policy = if is_known {
            DeliverPolicy::ByStartSequence { start_sequence: last.saturating_add(1) }
        } else {
            locked(&inner.index).clear();
            DeliverPolicy::LastPerSubject
        };
        follow_once(&store, &inner, &changes, deliver_policy).await;
        sleep(PAUSE).await;
    }
}

/// Follows the stream until its server is gone, a message is missing, or the client has connected again.
async fn follow_once(
    store: &Store,
    inner: &Inner,
    changes: &mpsc::Sender<(u64, Entry)>,
    deliver_policy: DeliverPolicy,
) {
    let config = reading(store.subjects.tasks(), deliver_policy);
    let mut connections = store.connections();
    connections.mark_unchanged();
    let Ok(consumer) = store.stream().create_consumer(config).await else { return };
    if consumer.cached_info().num_pending == 0 {
        inner.seen.send_modify(|(_, is_known)| *is_known = true);
    }
    let Ok(messages) = consumer.stream().heartbeat(HEARTBEAT).expires(2 * HEARTBEAT).messages().await else { return };
    let mut messages = Box::pin(messages);
    let mut delivered = 0;
    loop {
        let message = select(messages.next(), Box::pin(connections.changed())).await;
        let Either::Left((Some(Ok(message)), _)) = message else { return };
        let Ok(info) = message.info() else { return };
        if info.consumer_sequence != delivered + 1 {
            return;
        }
        delivered = info.consumer_sequence;
        let (sequence, is_last) = (info.stream_sequence, info.pending == 0);
        let headers = message.headers.as_ref();
        let entry = headers.and_then(|headers| store.subjects.entry(&message.subject, headers));
        if let Some(entry) = entry {
            locked(&inner.index).apply(sequence, entry.clone());
            // Nothing is subscribed to before all is known. A full queue drops the change: the subscribers are too far
            // behind then, and end.
            let (_, is_known) = *inner.seen.borrow();
            if is_known && changes.try_send((sequence, entry)).is_err() {
                *locked(&inner.subscribers) = Subscribers::default();
            }
        }
        inner.seen.send_modify(|(seen, is_known)| {
            *seen = sequence.max(*seen);
            *is_known |= is_last;
        });
    }
}

/// Publishes changes in their order.
async fn publish(store: Store, inner: Arc<Inner>, mut changes: mpsc::Receiver<(u64, Entry)>) {
    while let Some((sequence, entry)) = changes.recv().await {
        if locked(&inner.subscribers).is_empty() {
            continue;
        }
        let (task_id, state) = match entry {
            Entry::Task { id, header } => (id, header.state().0),
            Entry::State { id, header } if header.state == StateKind::Completed => {
                match store.message(sequence).await {
                    Ok(Some(message)) => (id, header.state(&message.payload)),
                    // It was forgotten already.
                    Ok(None) => continue,
                    Err(_) => {
                        *locked(&inner.subscribers) = Subscribers::default();
                        continue;
                    }
                }
            }
            Entry::State { id, header } => (id, header.state(&[])),
        };
        locked(&inner.subscribers).publish(sequence, &Change { task_id, state });
    }
}
