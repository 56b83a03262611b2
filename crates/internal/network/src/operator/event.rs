//! What happens to an operator, and what it does.

use std::{collections::BTreeMap, sync::Arc};

use alloy_primitives::B256;
use assent_json::Value;
use assent_policy::{Evaluation, EvaluationError, EvidenceFile, ExecutablePolicy, PolicyInput};
use assent_signer::AttestationBatch;
use assent_types::{Attestation, Connection, Observation, Signature};

use super::{Examination, HeldTask};
use crate::{
    LinkId, Task,
    message::{HandoverName, Refused},
};

/// An attempt at a task. Its result counts only while the operator makes this attempt.
///
/// A gateway can cancel a task and offer it again before the first result is there, and have it decided on other
/// observations. That result belongs to no later attempt.
// Complete: only the operator makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket {
    /// The task.
    pub task_id: B256,
    /// The number of the attempt, never used again.
    pub attempt: u64,
}

/// Something that the operator depends on gave no answer.
// Complete: people read the text, and the task can be offered again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(
    /// What happened.
    pub String,
);

/// Why the journal did not sign.
// Complete: the journal refuses, or gives no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// The journal has another statement about the task.
    #[error("the operator signed another statement about the task")]
    AlreadySigned,
    /// The client's other attestations come to more than was agreed when this one was decided.
    #[error("other attestations of the client are outstanding that the decision did not count; ask with a new nonce")]
    Exceeded,
    /// The journal or the signer gave no answer.
    #[error("{0}")]
    Unavailable(String),
}

/// A handover as the operator read it in a final block, signed.
// Complete: the gateway reads the same itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHandover {
    /// The digest of what was signed.
    pub digest: B256,
    /// The signature.
    pub signature: Signature,
}

/// What happens to an operator.
// Complete: each is the result of an action, or happens on a connection.
#[derive(Debug, Clone)]
pub enum Event {
    /// A connection to a gateway was opened.
    LinkOpened {
        /// The connection.
        link: LinkId,
        /// The `host:port` that was dialled.
        gateway: String,
    },
    /// A connection was closed.
    LinkClosed {
        /// The connection.
        link: LinkId,
    },
    /// A message came from a gateway.
    Received {
        /// The connection.
        link: LinkId,
        /// The message.
        message: Vec<u8>,
    },
    /// A challenge was signed, or could not be.
    ConnectionSigned {
        /// The connection.
        link: LinkId,
        /// The signature.
        result: Result<Signature, Unavailable>,
    },
    /// Chain and policy store were read.
    Examined {
        /// The attempt at a task.
        ticket: Ticket,
        /// What they say.
        result: Result<Box<Examination>, Unavailable>,
    },
    /// The policy's sources answered, or one failed.
    Observed {
        /// The attempt at a task.
        ticket: Ticket,
        /// The outputs, by source.
        result: Result<BTreeMap<String, Value>, Unavailable>,
    },
    /// The journal recorded and signed observations, or refused.
    ObservationsSigned {
        /// The attempt at a task.
        ticket: Ticket,
        /// The signatures, in the order of the observations.
        result: Result<Vec<Signature>, JournalError>,
    },
    /// The policy was evaluated.
    Evaluated {
        /// The attempt at a task.
        ticket: Ticket,
        /// The result.
        result: Box<Result<Evaluation, EvaluationError>>,
    },
    /// The evidence is durably stored.
    EvidenceStored {
        /// The attempt at a task.
        ticket: Ticket,
        /// Whether it is.
        result: Result<(), Unavailable>,
    },
    /// The journal recorded and signed an attestation, or refused.
    AttestationSigned {
        /// The attempt at a task.
        ticket: Ticket,
        /// The signature.
        result: Result<Signature, JournalError>,
    },
    /// The journal recorded and signed a batch, or refused.
    BatchSigned {
        /// The connection.
        link: LinkId,
        /// The batch's root.
        root: B256,
        /// The signature.
        result: Result<Signature, JournalError>,
    },
    /// The journal recorded and signed a handover, or it is not to be signed.
    HandoverSigned {
        /// The connection.
        link: LinkId,
        /// Which handover was asked for.
        handover: HandoverName,
        /// What was signed, or why nothing was.
        result: Result<SignedHandover, Refused>,
    },
    /// The program could not carry an action out: it has too much to do, or a part of it panicked.
    Failed {
        /// The attempt at a task.
        ticket: Ticket,
        /// What happened.
        reason: Unavailable,
    },
}

/// What an operator does.
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
        /// Whether the gateway sent what no honest one sends: it is to be dialled again only after a long pause.
        is_barred: bool,
    },
    /// Signs a gateway's challenge, and answers with [`Event::ConnectionSigned`].
    SignConnection {
        /// The connection.
        link: LinkId,
        /// What to sign.
        connection: Connection,
    },
    /// Reads the chain at the task's block and the policy store, and answers with [`Event::Examined`].
    Examine {
        /// The attempt at a task.
        ticket: Ticket,
        /// What is offered.
        task: Task,
    },
    /// Runs the policy's sources, and answers with [`Event::Observed`].
    Observe {
        /// The attempt at a task.
        ticket: Ticket,
        /// What they are asked about.
        input: PolicyInput,
        /// The policy.
        policy: Arc<ExecutablePolicy>,
    },
    /// Has the journal record and sign observations, and answers with [`Event::ObservationsSigned`].
    SignObservations {
        /// The attempt at a task.
        ticket: Ticket,
        /// What to sign.
        observations: Vec<Observation>,
        /// The reference block's timestamp. It is not signed: the journal keeps entries as long as it demands.
        time: u64,
    },
    /// Evaluates the policy, and answers with [`Event::Evaluated`].
    Evaluate {
        /// The attempt at a task.
        ticket: Ticket,
        /// What it decides about.
        input: PolicyInput,
        /// The policy.
        policy: Arc<ExecutablePolicy>,
        /// The content of the data region.
        data: String,
    },
    /// Stores evidence durably, and answers with [`Event::EvidenceStored`].
    StoreEvidence {
        /// The attempt at a task.
        ticket: Ticket,
        /// The file.
        file: Box<EvidenceFile>,
    },
    /// Has the journal record and sign an attestation, and answers with [`Event::AttestationSigned`].
    SignAttestation {
        /// The attempt at a task.
        ticket: Ticket,
        /// What to sign.
        attestation: Box<Attestation>,
        /// What it holds of the client's limits. The journal compares and records it in the same transaction.
        hold: Option<Box<HeldTask>>,
    },
    /// Has the journal record and sign a batch, and answers with [`Event::BatchSigned`].
    SignBatch {
        /// The connection.
        link: LinkId,
        /// What to sign: every attestation is one that this operator decided itself.
        batch: Box<AttestationBatch>,
        /// What some of its attestations hold, as in [`SignAttestation`](Self::SignAttestation).
        holds: Vec<HeldTask>,
    },
    /// Reads a handover in a final block, has the journal record and sign it, and answers with
    /// [`Event::HandoverSigned`].
    ///
    /// Warning: what is signed is only what the operator's own node says of the epochs. Another handover is an offence.
    SignHandover {
        /// The connection.
        link: LinkId,
        /// Which handover.
        handover: HandoverName,
    },
}
