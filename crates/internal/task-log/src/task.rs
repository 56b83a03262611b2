//! Tasks, and what becomes of them.

use alloy_primitives::{B256, Bytes};
use serde::{Deserialize, Serialize};

use crate::error::TaskLogError;

/// A task as a caller submitted it.
// Complete: the body holds everything else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// The task's id, by which it is appended once.
    pub id: B256,
    /// Who submitted it.
    pub caller: String,
    /// The first second at which it has expired, in Unix seconds.
    pub deadline: u64,
    /// What the gateway needs to work on it.
    pub body: Bytes,
}

/// A task's result, as the gateway encodes it: an authorization, or reasons.
// Complete: the bytes are the gateway's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncodedOutcome(pub Bytes);

/// The state of a task. The last three are final.
// Complete: gateways match on all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum State {
    /// No gateway has claimed it.
    Pending,
    /// A gateway works on it until a time, after which it can be claimed again.
    Leased {
        /// The gateway.
        gateway: String,
        /// The first second at which the lease has ended.
        until: u64,
    },
    /// It has an outcome.
    Completed {
        /// The outcome.
        outcome: EncodedOutcome,
    },
    /// Its deadline passed first.
    Expired,
    /// Its caller cancelled it first.
    Cancelled,
}

impl State {
    /// Returns whether the state no longer changes.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Pending | Self::Leased { .. } => false,
            Self::Completed { .. } | Self::Expired | Self::Cancelled => true,
        }
    }
}

/// A task with its state.
// Complete: it is what is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskRecord {
    /// The task.
    pub task: Task,
    /// Its state.
    pub state: State,
    /// How often it was claimed: more than once if a gateway did not finish it in time.
    pub claims: u64,
    /// What a gateway noted about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Bytes>,
}

/// The result of an append.
// Complete: a task is new or known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It is in the log now.
    New,
    /// It was in the log before, as it is there.
    Known(Box<TaskRecord>),
}

/// The result of an append that claims.
// Complete: a task is new or known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppendedClaimed {
    /// It is in the log now, and the lease is the gateway's.
    New(Lease),
    /// It was in the log before, as it is there.
    Known(Box<TaskRecord>),
}

/// A gateway's right to complete a task.
// Complete: it names one claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The task.
    pub task_id: B256,
    /// The gateway.
    pub gateway: String,
    /// The number of the claim: a later claim has a greater one.
    pub claim: u64,
}

/// A task that was claimed.
// Complete: a task and its lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The task.
    pub task: Task,
    /// The lease.
    pub lease: Lease,
    /// What a gateway noted about it.
    pub note: Option<Bytes>,
}

/// What a log takes.
// Complete: each is a field that an operator of a gateway sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many tasks may be open at once.
    pub open_tasks: u64,
    /// How many bytes a body or an outcome may have.
    pub bytes: usize,
    /// How many operations may wait for the disk.
    pub waiting: usize,
}

impl Limits {
    /// Refuses bytes that are too many.
    pub(crate) const fn require(&self, bytes: usize) -> Result<(), TaskLogError> {
        let limit = self.bytes;
        if bytes > limit { Err(TaskLogError::TooLarge { bytes, limit }) } else { Ok(()) }
    }

    /// Refuses a task that is too large.
    pub(crate) fn require_task(&self, task: &Task) -> Result<(), TaskLogError> {
        self.require(task.body.len())?;
        self.require(task.caller.len())
    }
}

impl Default for Limits {
    /// 10,000 open tasks, 256 KiB, 1,024 waiting operations.
    fn default() -> Self {
        Self { open_tasks: 10_000, bytes: 256 * 1024, waiting: 1024 }
    }
}
