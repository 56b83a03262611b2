//! What the stream holds of a task, and under which subjects.

use alloy_primitives::{B256, keccak256};
use async_nats::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::task::{EncodedOutcome, State};

/// The header of a task's message, whose payload is the task's body.
const TASK: &str = "Assent-Task";
/// The header of a state's message, whose payload is the outcome, if the task has one.
const STATE: &str = "Assent-State";

/// The subjects of a log: those of a stream's name.
#[derive(Debug, Clone)]
pub(super) struct Subjects(pub(super) String);

/// What a message of the stream is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    /// A task, whose number is the message's sequence.
    Task { id: B256, header: TaskHeader },
    /// A task's state.
    State { id: B256, header: StateHeader },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TaskHeader {
    pub(super) caller: String,
    pub(super) deadline: u64,
    /// The gateway that claimed the task when it was appended, and until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) lease: Option<(String, u64)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StateHeader {
    /// The task's number: after a task was forgotten, another may have its id.
    pub(super) number: u64,
    pub(super) claims: u64,
    pub(super) state: StateKind,
}

/// A state without its outcome. A task without a state is as it was appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum StateKind {
    Leased { gateway: String, until: u64 },
    Completed,
    Expired,
    Cancelled,
}

impl Subjects {
    pub(super) fn all(&self) -> String {
        format!("{}.>", self.0)
    }

    /// Tasks and states.
    pub(super) fn tasks(&self) -> String {
        format!("{}.task.>", self.0)
    }

    pub(super) fn task(&self, id: B256) -> String {
        format!("{}.task.{id:x}.task", self.0)
    }

    pub(super) fn state(&self, id: B256) -> String {
        format!("{}.task.{id:x}.state", self.0)
    }

    /// The note of the task with an id and a number.
    pub(super) fn note(&self, id: B256, number: u64) -> String {
        format!("{}.task.{id:x}.{number}.note", self.0)
    }

    /// All that is written of the tasks with an id.
    pub(super) fn of_task(&self, id: B256) -> String {
        format!("{}.task.{id:x}.>", self.0)
    }

    /// The tasks of a caller. Its name is hashed, since a subject cannot hold every character.
    pub(super) fn caller(&self, caller: &str) -> String {
        format!("{}.caller.{:x}", self.0, keccak256(caller))
    }

    pub(super) fn task_of_caller(&self, caller: &str, id: B256) -> String {
        format!("{}.{id:x}", self.caller(caller))
    }

    /// Reads a message of the stream. What others wrote there is nothing.
    pub(super) fn entry(&self, subject: &str, headers: &HeaderMap) -> Option<Entry> {
        let rest = subject.strip_prefix(&self.0)?.strip_prefix(".task.")?;
        let (id, kind) = rest.split_once('.')?;
        let id = id.parse().ok()?;
        match kind {
            "task" => Some(Entry::Task { id, header: read(headers, TASK)? }),
            "state" => Some(Entry::State { id, header: read(headers, STATE)? }),
            _ => None,
        }
    }

    /// Returns the task that a message under a caller's subject names.
    pub(super) fn id_of_caller(subject: &str) -> Option<B256> {
        subject.rsplit_once('.')?.1.parse().ok()
    }
}

impl TaskHeader {
    pub(super) fn header(&self) -> (&'static str, String) {
        (TASK, write(self))
    }

    /// Returns the state in which the task was appended, and how often it was claimed then.
    pub(super) fn state(&self) -> (State, u64) {
        match &self.lease {
            Some((gateway, until)) => (State::Leased { gateway: gateway.clone(), until: *until }, 1),
            None => (State::Pending, 0),
        }
    }
}

impl StateHeader {
    pub(super) fn header(&self) -> (&'static str, String) {
        (STATE, write(self))
    }

    pub(super) fn state(&self, payload: &[u8]) -> State {
        match &self.state {
            StateKind::Leased { gateway, until } => State::Leased { gateway: gateway.clone(), until: *until },
            StateKind::Completed => State::Completed { outcome: EncodedOutcome(payload.to_vec().into()) },
            StateKind::Expired => State::Expired,
            StateKind::Cancelled => State::Cancelled,
        }
    }
}

impl StateKind {
    pub(super) fn is_final(&self) -> bool {
        !matches!(self, Self::Leased { .. })
    }
}

fn read<T: for<'a> Deserialize<'a>>(headers: &HeaderMap, name: &str) -> Option<T> {
    serde_json::from_str(headers.get(name)?.as_str()).ok()
}

/// Returns JSON of ASCII characters: a header is one line, and not every server passes others on.
fn write(header: &impl Serialize) -> String {
    let text = serde_json::to_value(header).as_ref().map(Value::to_string).unwrap_or_default();
    let mut ascii = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, ' '..='~') {
            ascii.push(character);
        } else {
            let mut units = [0; 2];
            ascii.extend(character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    ascii
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_hold_every_name() {
        let subjects = Subjects("tasks".into());
        let id = B256::repeat_byte(7);
        for caller in ["", "alice", "a\r\nNats-Msg-Id: b", "ä\u{1f980}\0\"\\ \u{7f}"] {
            let lease = Some((caller.to_owned(), 7));
            let header = TaskHeader { caller: caller.to_owned(), deadline: u64::MAX, lease };
            let (name, value) = header.header();
            assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{value}");
            let mut headers = HeaderMap::new();
            headers.insert(name, value.as_str());
            assert_eq!(subjects.entry(&subjects.task(id), &headers), Some(Entry::Task { id, header }));
            assert_eq!(subjects.entry(&subjects.state(id), &headers), None);
            assert_eq!(Subjects::id_of_caller(&subjects.task_of_caller(caller, id)), Some(id));
        }
    }
}
