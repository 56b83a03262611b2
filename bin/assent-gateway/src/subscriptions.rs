//! What the caller of a WebSocket follows.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use alloy_primitives::B256;

use crate::driver::TaskEvent;

/// The most subscriptions of a connection.
const MAX_SUBSCRIPTIONS: usize = 64;

/// What a subscription is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    /// Each change of a task.
    Task(B256),
    /// Each task that ends.
    Decisions,
}

/// The subscriptions of a connection.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    topics: BTreeMap<u64, Topic>,
    /// Subscriptions whose task's state is not sent yet.
    fresh: Vec<(String, B256)>,
}

impl Subscriptions {
    /// Adds a subscription, and returns its id. Returns nothing if there are too many.
    pub(crate) fn add(&self, topic: Topic) -> Option<String> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.topics.len() >= MAX_SUBSCRIPTIONS {
            return None;
        }
        inner.next = inner.next.saturating_add(1);
        let number = inner.next;
        inner.topics.insert(number, topic);
        if let Topic::Task(task_id) = topic {
            inner.fresh.push((id(number), task_id));
        }
        Some(id(number))
    }

    /// Ends a subscription. Returns whether there was one.
    pub(crate) fn remove(&self, subscription: &str) -> bool {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = inner.topics.keys().copied().find(|number| id(*number) == subscription);
        number.is_some_and(|number| inner.topics.remove(&number).is_some())
    }

    /// Returns the new subscriptions with their tasks, once: each begins with its task's state.
    pub(crate) fn take_fresh(&self) -> Vec<(String, B256)> {
        core::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).fresh)
    }

    /// Returns the task of an event and the subscriptions that it concerns. A task that ended is followed no longer.
    pub(crate) fn concerned(&self, event: TaskEvent) -> (B256, Vec<String>) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (task_id, has_ended) = match event {
            TaskEvent::Accepted(task_id) => (task_id, false),
            TaskEvent::Ended(task_id) => (task_id, true),
        };
        let is_concerned = |topic: &Topic| match topic {
            Topic::Task(followed) => *followed == task_id,
            Topic::Decisions => has_ended,
        };
        let concerned = inner.topics.iter().filter(|(_, topic)| is_concerned(topic));
        let ids = concerned.map(|(number, _)| id(*number)).collect();
        if has_ended {
            inner.topics.retain(|_, topic| *topic != Topic::Task(task_id));
        }
        (task_id, ids)
    }
}

fn id(number: u64) -> String {
    format!("{number:#x}")
}
