//! Changes as they happen.

use std::pin::Pin;
use std::task::{Context, Poll};

use alloy_primitives::B256;
use futures_channel::mpsc::{Receiver, Sender, channel};
use futures_core::Stream;

use crate::task::State;

/// How many changes a subscriber may be behind.
const LONGEST_BACKLOG: usize = 1024;

/// A task's new state.
// Complete: a task and its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The task.
    pub task_id: B256,
    /// The state.
    pub state: State,
}

/// A stream of changes. It ends if the subscriber is too far behind: subscribe again, and read the tasks anew.
#[derive(Debug)]
pub struct Subscription(Receiver<Change>);

impl Stream for Subscription {
    type Item = Change;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Change>> {
        Pin::new(&mut self.0).poll_next(context)
    }
}

/// The subscribers of a log, each with the number of the last change before its subscription.
#[derive(Debug, Default)]
pub(crate) struct Subscribers(Vec<(u64, Sender<Change>)>);

impl Subscribers {
    /// Adds a subscriber for the changes after one with a number.
    pub fn subscribe_after(&mut self, number: u64) -> Subscription {
        let (sender, receiver) = channel(LONGEST_BACKLOG);
        self.0.push((number, sender));
        Subscription(receiver)
    }

    #[cfg(feature = "nats")]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sends a change to each subscriber, and drops those that are gone or too far behind.
    pub fn publish(&mut self, number: u64, change: &Change) {
        self.0.retain_mut(|(after, sender)| number <= *after || sender.try_send(change.clone()).is_ok());
    }
}
