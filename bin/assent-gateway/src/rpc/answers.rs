//! What callers are shown.

use alloy_primitives::{Address, B256, Bytes, U256};
use assent_chain_view::FinalHandover;
use assent_network::{
    gateway::{Accepted, Failure, OperatorAnswer, OperatorAnswerKind, TaskOutcome, TaskProgress},
    message::Refused,
};
use assent_signer::Aggregate;
use assent_types::{AttestationDocument, EpochHandover, Intent, Signature};
use assent_verifier::Epoch;
use serde::{Serialize, Serializer};

use super::{absent::AbsentAnswer, error::next_step};

/// A task.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TaskAnswer {
    task_id: B256,
    status: &'static str,
    policy_client: Address,
    policy_id: B256,
    #[serde(serialize_with = "decimal")]
    nonce: U256,
    expiration: u64,
    epoch: u32,
    block: BlockAnswer,
    intent: Intent,
    #[serde(flatten)]
    attested: Option<AttestedAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timings: Option<TimingsAnswer>,
}

#[derive(Debug, Serialize)]
struct BlockAnswer {
    number: u64,
    hash: B256,
    timestamp: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AttestedAnswer {
    decision: &'static str,
    reasons: Vec<String>,
    evidence: B256,
    /// The bytes for the call.
    authorization: Bytes,
    document: AttestationDocument,
    #[serde(skip_serializing_if = "Option::is_none")]
    signers: Option<Vec<Address>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    non_signers: Option<Vec<Address>>,
}

#[derive(Debug, Serialize)]
struct FailureAnswer {
    code: &'static str,
    message: String,
    retryable: bool,
    next: &'static str,
}

/// Times of this gateway (Unix time in milliseconds).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TimingsAnswer {
    received_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agreed_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<u64>,
    operators: Vec<OperatorTiming>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OperatorTiming {
    operator: Address,
    answer: &'static str,
    at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<RefusalAnswer>,
}

#[derive(Debug, Serialize)]
struct RefusalAnswer {
    code: &'static str,
    message: String,
    retryable: bool,
}

impl TaskAnswer {
    /// Returns the answer about a task, with what the gateway remembers of its way.
    pub(crate) fn new(
        task_id: B256,
        accepted: Accepted,
        outcome: Option<TaskOutcome>,
        progress: Option<&TaskProgress>,
        epochs: &[Epoch],
    ) -> Self {
        let task = accepted.task;
        let (status, attested, failure) = match outcome {
            None => ("pending", None, None),
            Some(TaskOutcome::Attested { document, reasons }) => {
                let epoch = epochs.iter().find(|epoch| epoch.number == task.epoch);
                ("attested", AttestedAnswer::new(*document, reasons, epoch), None)
            }
            Some(TaskOutcome::Failed(failure)) => ("failed", None, Some(failure.into())),
        };
        Self {
            task_id,
            status,
            policy_client: task.policy_client,
            policy_id: task.policy_id,
            nonce: task.nonce,
            expiration: task.expiration,
            epoch: task.epoch.into(),
            block: BlockAnswer { number: task.block_number, hash: task.block_hash, timestamp: task.block_timestamp },
            intent: task.intent,
            attested,
            failure,
            timings: progress.map(TimingsAnswer::new),
        }
    }

    /// Returns the task's end as an error, if it ended without an attestation.
    pub(crate) fn to_json(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }
}

impl AttestedAnswer {
    fn new(document: AttestationDocument, reasons: Vec<String>, epoch: Option<&Epoch>) -> Option<Self> {
        let authorization = document.authorization().ok()?;
        let absent: Vec<usize> = document.non_signers.indices().map(usize::from).collect();
        let pick = |is_absent: bool| {
            let operators = epoch?.operators.operators().iter().enumerate();
            let picked = operators.filter(|(index, _)| absent.contains(index) == is_absent);
            Some(picked.map(|(_, operator)| operator.address).collect())
        };
        Some(Self {
            decision: authorization.decision.as_str(),
            reasons,
            evidence: authorization.evidence,
            authorization: authorization.encode().into(),
            signers: pick(false),
            non_signers: pick(true),
            document,
        })
    }
}

impl From<Failure> for FailureAnswer {
    fn from(Failure { code, message, retryable }: Failure) -> Self {
        Self { code: code.as_str(), message, retryable, next: next_step(code) }
    }
}

impl TimingsAnswer {
    fn new(progress: &TaskProgress) -> Self {
        Self {
            received_at: progress.since,
            accepted_at: progress.accepted_at,
            agreed_at: progress.agreed_at,
            decided_at: progress.decided_at,
            ended_at: progress.ended_at,
            operators: progress.answers.iter().map(OperatorTiming::new).collect(),
        }
    }
}

impl OperatorTiming {
    fn new(answer: &OperatorAnswer) -> Self {
        let OperatorAnswer { operator, kind, at } = answer;
        let mut timing = Self { operator: *operator, answer: kind.as_str(), at: *at, decision: None, refusal: None };
        match kind {
            OperatorAnswerKind::Decided(decision) | OperatorAnswerKind::Signed(decision) => {
                timing.decision = Some(decision.as_str());
            }
            OperatorAnswerKind::Refused(Refused { code, message, retryable }) => {
                let (code, message) = (code.as_str(), message.clone());
                timing.refusal = Some(RefusalAnswer { code, message, retryable: *retryable });
            }
            OperatorAnswerKind::Observed | OperatorAnswerKind::Invalid => {}
        }
        timing
    }
}

/// A handover that a quorum signed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignedHandoverAnswer {
    handover: EpochHandover,
    /// The bitmap, as `EpochMirror.accept` takes it.
    non_signers: Bytes,
    signature: Signature,
    signers: Vec<Address>,
    absent: Vec<AbsentAnswer>,
}

impl SignedHandoverAnswer {
    pub(crate) fn new(read: &FinalHandover, aggregate: &Aggregate, absent: Vec<AbsentAnswer>) -> Self {
        let out: Vec<usize> = aggregate.non_signers.indices().map(usize::from).collect();
        let operators = read.signing.operators.operators().iter().enumerate();
        Self {
            handover: read.handover,
            non_signers: Bytes::copy_from_slice(aggregate.non_signers.as_bytes()),
            signature: aggregate.signature,
            signers: operators.filter(|(index, _)| !out.contains(index)).map(|(_, known)| known.address).collect(),
            absent,
        }
    }
}

/// Writes a number of up to 256 bits as a decimal string.
pub(crate) fn decimal<S: Serializer>(number: &U256, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}
