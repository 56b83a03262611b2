//! What happens to a gateway, and what it does.

use alloy_primitives::{Address, B256, U256, aliases::U48};
use assent_signer::Aggregate;
use assent_types::{AttestationDocument, Decision, EpochHandover, Intent};
use assent_verifier::{Epoch, Policy};

use super::AcceptedSources;
use crate::{
    LinkId, Task,
    message::{AgreedOutput, Refused},
};

/// The number of a request, which the program that holds it chooses and never uses again.
pub type RequestId = u64;

/// What a caller asks for.
// Complete: the task's other fields are the client's and the chain's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The contract that the decision is for.
    pub policy_client: Address,
    /// The call.
    pub intent: Intent,
    /// The nonce; without one, the gateway chooses.
    pub nonce: Option<U256>,
    /// The first second at which the attestation is no longer valid, which is the request's deadline (Unix time).
    /// Without one, the gateway chooses.
    pub expiration: Option<u64>,
}

/// A task as the task log keeps it, with what the gateway read from the chain for it.
// Complete: the gateway resumes a task from these after a crash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The task.
    pub task: Task,
    /// The client's policy.
    pub client_policy: Policy,
    /// The client's issuance floor.
    pub issuance_floor: U48,
    /// The policy's sources.
    pub sources: AcceptedSources,
}

/// All that the task log keeps of a task.
// Complete: the gateway resumes a task from these after a crash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedTask {
    /// The task.
    pub accepted: Accepted,
    /// The observations on which the operators decide, if they were chosen.
    pub agreed: Option<Vec<AgreedOutput>>,
    /// The task's end, if it ended.
    pub outcome: Option<TaskOutcome>,
}

/// The end of a task.
// Complete: a task is decided, or it is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskOutcome {
    /// A quorum signed, be it to allow or to deny.
    Attested {
        /// The attestation, which the client's contract accepts, or refuses only because it denies.
        document: Box<AttestationDocument>,
        /// Why the call is denied, as an operator gave it.
        reasons: Vec<String>,
    },
    /// No quorum signed.
    Failed(Failure),
}

/// Why a request has no attestation.
// Complete: a failure has these fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The kind of the reason.
    pub code: FailureCode,
    /// The reason, for people.
    pub message: String,
    /// Whether the same request may succeed later.
    pub retryable: bool,
}

macro_rules! failure_codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The kind of reason for which a request has no attestation.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum FailureCode {
            $($(#[$doc])* $name,)*
        }

        impl FailureCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Returns the code as callers and the task log see it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

failure_codes! {
    /// Chain, policy store or task log gave no answer.
    Unavailable = "unavailable",
    /// The gateway has too many tasks or requests.
    Busy = "busy",
    /// The request cannot be made a task.
    Invalid = "invalid",
    /// The task's expiration came before a quorum signed.
    Expired = "expired",
    /// The operators that can still sign are no quorum, or a quorum does not agree.
    NoQuorum = "noQuorum",
    /// The caller cancelled the task.
    Cancelled = "cancelled",
    /// A quorum signed what the client's contract would refuse.
    Refused = "refused",
}

/// What the task log keeps of a task, in this order.
// Complete: the gateway resumes a task from these after a crash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// The task was accepted. It is recorded before the caller learns that it was.
    Accepted(Box<Accepted>),
    /// The observations on which the operators decide. They are recorded before any operator gets them: operators that
    /// got one set sign nothing under another.
    Agreed(Vec<AgreedOutput>),
    /// The task ended. The end is recorded before the caller learns it.
    Finished(TaskOutcome),
}

/// How far a task is, as the gateway remembers it.
// Complete: it is what callers are shown of a task that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskProgress {
    /// The task.
    pub accepted: Accepted,
    /// When the gateway got it (Unix time in milliseconds).
    pub since: u64,
    /// When it was durable, if this gateway accepted it.
    pub accepted_at: Option<u64>,
    /// When the observations to decide on were durable, if they are.
    pub agreed_at: Option<u64>,
    /// When a quorum had signed one statement, if it has.
    pub decided_at: Option<u64>,
    /// When its end was durable, if it is.
    pub ended_at: Option<u64>,
    /// Its end, if it is durable.
    pub outcome: Option<TaskOutcome>,
    /// The last answer of each operator that answered.
    pub answers: Vec<OperatorAnswer>,
}

/// An operator's last answer to a task.
// Complete: it is what callers are shown of an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorAnswer {
    /// The operator.
    pub operator: Address,
    /// What it answered.
    pub kind: OperatorAnswerKind,
    /// When it did (Unix time in milliseconds).
    pub at: u64,
}

/// What an operator answered to a task.
// Complete: an operator has no other answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperatorAnswerKind {
    /// Its sources' outputs.
    Observed,
    /// This decision, which it signs with a batch.
    Decided(Decision),
    /// A signature, of this decision.
    Signed(Decision),
    /// That it does not sign.
    Refused(Refused),
    /// An invalid signature.
    Invalid,
}

impl OperatorAnswerKind {
    /// Returns the answer in a word, as callers see it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Decided(_) => "decided",
            Self::Signed(_) => "signed",
            Self::Refused(_) => "refused",
            Self::Invalid => "invalid",
        }
    }
}

/// What a caller is told.
// Complete: a request is accepted, then finished, or it fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The task is durably recorded, and will be decided or expire.
    Accepted {
        /// The task.
        task_id: B256,
    },
    /// The task ended. Nothing follows.
    Finished {
        /// The task.
        task_id: B256,
        /// Its end.
        outcome: TaskOutcome,
    },
    /// The request did not become a task. Nothing follows.
    Failed(Failure),
}

/// A handover that a caller asks for.
// Complete: the program reads all of it from the chain, but the quorum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandoverSubmission {
    /// The handover, as the gateway's node has it.
    pub handover: EpochHandover,
    /// The epoch whose operators sign.
    pub signing: Epoch,
    /// The share of its weight that must sign, in basis points.
    pub quorum: u16,
}

/// Why an operator's signature is not in a handover.
// Complete: a reason has these fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbsentSigner {
    /// The operator.
    pub operator: Address,
    /// The kind of the reason: that of a refusal, or `notConnected`, `olderVersion`, `silent`, `differs`, `invalid`.
    pub code: &'static str,
    /// The reason, for people.
    pub message: String,
    /// Whether it may sign later.
    pub retryable: bool,
}

/// What happens to a gateway.
// Complete: each is the result of an action, or comes from outside.
#[derive(Debug, Clone)]
pub enum Event {
    /// The epochs that the TaskManager knows, instead of those before.
    Epochs(Vec<Epoch>),
    /// By how many seconds the chain's time is ahead of the time that comes with events, from now on.
    ///
    /// Tasks expire by the chain's time.
    ClockCorrected {
        /// The seconds. Negative if the chain's time is behind.
        seconds: i64,
    },
    /// An operator opened a connection.
    LinkOpened {
        /// The connection.
        link: LinkId,
        /// 32 random bytes, for this connection only.
        challenge: B256,
    },
    /// A connection was closed.
    LinkClosed {
        /// The connection.
        link: LinkId,
    },
    /// A message came from an operator.
    Received {
        /// The connection.
        link: LinkId,
        /// The message.
        message: Vec<u8>,
    },
    /// A caller asks for an authorization.
    Requested {
        /// The request.
        request: RequestId,
        /// What it asks for.
        submission: Submission,
    },
    /// A caller asks for a handover, which the program has read from the chain.
    HandoverRequested {
        /// The request.
        request: RequestId,
        /// What operators are asked for.
        submission: Box<HandoverSubmission>,
    },
    /// A caller does not wait any longer. Its task goes on.
    Abandoned {
        /// The request.
        request: RequestId,
    },
    /// Chain and policy store were read for a request.
    Prepared {
        /// The request.
        request: RequestId,
        /// The task that it becomes.
        result: Result<Box<Accepted>, Failure>,
    },
    /// The task log made a record durable, or could not.
    Recorded {
        /// The task.
        task_id: B256,
        /// Whether it did. If not, the record is made again, or the request fails.
        result: Result<(), String>,
    },
    /// The task log has more of a task than this gateway: it was asked for long ago, or another gateway works on it.
    AlreadyRecorded {
        /// The task.
        task_id: B256,
        /// What the log has.
        logged: Box<LoggedTask>,
    },
    /// A task that the task log had when the gateway started.
    Recovered(Box<LoggedTask>),
    /// The caller needs no decision any more.
    Cancelled {
        /// The task.
        task_id: B256,
    },
    /// Time passes. Due a few times a second.
    Tick,
}

/// What a gateway does. Each task has at most one record that is not answered.
// Complete: the program that carries them out must not miss one.
#[derive(Debug, Clone)]
pub enum Action {
    /// Sends a message.
    Send {
        /// The connection.
        link: LinkId,
        /// The message.
        message: String,
    },
    /// Closes a connection, whose end is no further event.
    Close {
        /// The connection.
        link: LinkId,
        /// Why, for the log.
        reason: String,
    },
    /// Reads chain and policy store, chooses nonce and expiration if the caller did not, and answers with
    /// [`Event::Prepared`].
    Prepare {
        /// The request.
        request: RequestId,
        /// What it asks for.
        submission: Submission,
    },
    /// Makes a record durable, and answers with [`Event::Recorded`].
    ///
    /// The task log keeps the first record of each kind. If it has another, the answer is [`Event::AlreadyRecorded`].
    Record {
        /// The task.
        task_id: B256,
        /// What to keep.
        record: Record,
    },
    /// Answers a caller.
    Answer {
        /// The request.
        request: RequestId,
        /// The answer.
        answer: Answer,
    },
    /// Answers a caller that asked for a handover. Nothing follows.
    AnswerHandover {
        /// The request.
        request: RequestId,
        /// The signature of a quorum, which is verified, or why it is missing.
        result: Result<Box<Aggregate>, Failure>,
        /// The operators of the epoch whose signatures are missing.
        absent: Vec<AbsentSigner>,
    },
}

impl Failure {
    /// Creates a failure.
    pub fn new(code: FailureCode, message: impl Into<String>, retryable: bool) -> Self {
        Self { code, message: message.into(), retryable }
    }
}
