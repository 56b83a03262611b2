//! What gateways answer.

use alloy::primitives::{Address, B256, Bytes, U256};
use assent_verifier::{
    AttestationDocument, Authorization, Decision, EpochHandover, Intent, NonSigners, Signature,
    digest::{intent_hash, task_id},
};
use serde::{Deserialize, Serialize};

/// A task that operators decided.
///
/// It is about what was asked, which the client has compared. Nothing here says that the signature is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecidedTask {
    /// The task.
    pub task_id: B256,
    /// The decision.
    pub decision: Decision,
    /// Why the call is denied, as an operator gave it. The evidence has the signed reasons.
    pub reasons: Vec<String>,
    /// The authorization for the call.
    pub authorization: Authorization,
    /// The attestation in full.
    pub document: AttestationDocument,
    /// The operators that signed, if the gateway still knows the epoch.
    pub signers: Option<Vec<Address>>,
    /// The operators that did not sign, if the gateway still knows the epoch.
    pub non_signers: Option<Vec<Address>>,
    /// When each operator answered, until the gateway forgets it.
    pub timings: Option<TaskTimings>,
}

/// A task, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GatewayTask {
    /// The task.
    pub task_id: B256,
    /// The contract that checks the authorization.
    pub policy_client: Address,
    /// Its policy.
    pub policy_id: B256,
    /// The nonce.
    pub nonce: U256,
    /// The first second at which the attestation is no longer valid.
    pub expiration: u64,
    /// The call.
    pub intent: Intent,
    /// How far it is.
    pub state: GatewayTaskState,
    /// When each operator answered, until the gateway forgets it.
    pub timings: Option<TaskTimings>,
}

/// How far a task is. Complete: `docs/gateway.md` has these three.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayTaskState {
    /// It is not decided yet.
    Pending,
    /// Operators decided it.
    Decided(Box<DecidedTask>),
    /// It ended without an attestation.
    Failed(TaskFailure),
}

/// Why a task ended without an attestation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct TaskFailure {
    /// The kind of the reason.
    pub code: String,
    /// The reason.
    pub message: String,
    /// Whether the same request may succeed later.
    #[serde(rename = "retryable")]
    pub is_retryable: bool,
    /// What to do.
    #[serde(rename = "next")]
    pub next_step: String,
}

/// Times by the gateway's clock, in milliseconds since the Unix epoch. They are not signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TaskTimings {
    /// When the gateway received the task.
    pub received_at: u64,
    /// When it was durably recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<u64>,
    /// When observations were agreed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreed_at: Option<u64>,
    /// When a quorum had signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<u64>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<u64>,
    /// Each operator's last answer.
    pub operators: Vec<OperatorProgress>,
}

/// An operator's last answer to a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OperatorProgress {
    /// The operator.
    pub operator: Address,
    /// What it did: `observed`, `signed`, `refused` or `invalid`.
    pub answer: String,
    /// When, in milliseconds since the Unix epoch.
    pub at: u64,
    /// What it decided, if it signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// Why it refused, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<OperatorRefusal>,
}

/// Why an operator refused a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OperatorRefusal {
    /// The kind of the reason, as in `docs/network.md`.
    pub code: String,
    /// The reason.
    pub message: String,
    /// Whether the operator may accept it later.
    pub retryable: bool,
}

/// A handover that a quorum of an epoch's operators signed, as a file and a gateway's answer have it.
///
/// Nothing here says that the signature is valid: `assent_verifier::verify_handover` does, and the mirror.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "HandoverAnswer", into = "HandoverAnswer")]
#[non_exhaustive]
pub struct GatewayHandover {
    /// The handover.
    pub handover: EpochHandover,
    /// The operators of the epoch that signs whose signatures are not in the aggregate.
    pub non_signers: NonSigners,
    /// The aggregate signature.
    pub signature: Signature,
    /// The operators that signed.
    pub signers: Vec<Address>,
    /// Why each other operator did not sign.
    pub absent: Vec<AbsentOperator>,
}

/// An operator that did not sign a handover.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AbsentOperator {
    /// The operator.
    pub operator: Address,
    /// The kind of the reason, as in `docs/network.md`, or `notConnected`, `olderVersion`, `silent`, `differs`,
    /// `invalid`.
    pub code: String,
    /// The reason.
    pub message: String,
    /// Whether the operator may sign later.
    #[serde(rename = "retryable")]
    pub is_retryable: bool,
}

/// Whether a gateway can serve requests.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct GatewayHealth {
    /// `ok` or `unavailable`.
    pub status: String,
    /// The gateway's version.
    pub version: String,
    /// The chain.
    pub chain_id: U256,
    /// The TaskManager.
    pub task_manager: Address,
    /// The latest block, if the gateway's node answers.
    pub block: Option<u64>,
    /// The operators of the epochs in force.
    pub operators: u64,
    /// The operators that are connected.
    pub connected: u64,
    /// The tasks that are open or remembered.
    pub tasks: u64,
}

impl GatewayHealth {
    /// Returns whether the gateway can serve requests.
    pub fn is_ok(&self) -> bool {
        self.status == "ok"
    }
}

/// The JSON of a handover.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HandoverAnswer {
    handover: EpochHandover,
    non_signers: Bytes,
    signature: Signature,
    signers: Vec<Address>,
    absent: Vec<AbsentOperator>,
}

impl TryFrom<HandoverAnswer> for GatewayHandover {
    type Error = &'static str;

    fn try_from(answer: HandoverAnswer) -> Result<Self, Self::Error> {
        let HandoverAnswer { handover, non_signers, signature, signers, absent } = answer;
        Ok(Self {
            handover,
            non_signers: NonSigners::from_bytes(&non_signers).map_err(|_| "nonSigners is not a bitmap")?,
            signature,
            signers,
            absent,
        })
    }
}

impl From<GatewayHandover> for HandoverAnswer {
    fn from(signed: GatewayHandover) -> Self {
        let GatewayHandover { handover, non_signers, signature, signers, absent } = signed;
        Self { handover, non_signers: Bytes::copy_from_slice(non_signers.as_bytes()), signature, signers, absent }
    }
}

/// The JSON of a task.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TaskAnswer {
    task_id: B256,
    policy_client: Address,
    policy_id: B256,
    nonce: U256,
    expiration: u64,
    intent: Intent,
    status: Status,
    document: Option<AttestationDocument>,
    decision: Option<Decision>,
    authorization: Option<Bytes>,
    reasons: Option<Vec<String>>,
    signers: Option<Vec<Address>>,
    non_signers: Option<Vec<Address>>,
    failure: Option<TaskFailure>,
    timings: Option<TaskTimings>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Status {
    Pending,
    Attested,
    Failed,
}

impl TaskAnswer {
    /// Returns the task, if its parts agree with each other.
    pub(super) fn into_task(self) -> Result<GatewayTask, &'static str> {
        let state = match (&self.status, &self.document, &self.failure) {
            (Status::Pending, None, None) => GatewayTaskState::Pending,
            (Status::Failed, None, Some(failure)) => GatewayTaskState::Failed(failure.clone()),
            (Status::Attested, Some(document), None) => GatewayTaskState::Decided(Box::new(self.decided(document)?)),
            _ => return Err("gave a task whose status and content differ"),
        };
        Ok(GatewayTask {
            task_id: self.task_id,
            policy_client: self.policy_client,
            policy_id: self.policy_id,
            nonce: self.nonce,
            expiration: self.expiration,
            intent: self.intent,
            state,
            timings: self.timings,
        })
    }

    fn decided(&self, document: &AttestationDocument) -> Result<DecidedTask, &'static str> {
        let attestation = &document.attestation;
        let authorization = document.authorization().map_err(|_| "gave an attestation with an unknown decision")?;
        let expected = task_id(
            document.chain_id,
            document.task_manager,
            self.policy_client,
            self.policy_id,
            intent_hash(&self.intent),
            self.nonce,
        );
        let is_of_task = self.task_id == expected
            && attestation.taskId == self.task_id
            && attestation.policyClient == self.policy_client
            && attestation.policyId == self.policy_id
            && attestation.nonce == self.nonce
            && attestation.intent == self.intent;
        if !is_of_task {
            return Err("gave an attestation of another task");
        }
        let same_bytes = self.authorization.as_ref().is_some_and(|bytes| **bytes == *authorization.encode());
        if self.decision != Some(authorization.decision) || !same_bytes {
            return Err("gave an authorization that differs from its attestation");
        }
        Ok(DecidedTask {
            task_id: self.task_id,
            decision: authorization.decision,
            reasons: self.reasons.clone().unwrap_or_default(),
            authorization,
            document: document.clone(),
            signers: self.signers.clone(),
            non_signers: self.non_signers.clone(),
            timings: self.timings.clone(),
        })
    }
}
