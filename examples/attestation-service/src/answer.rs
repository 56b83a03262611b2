//! The answers to requests.

use crate::ledger::Entry;
use alloy_primitives::hex;
use assent_verifier::{AuthorizationError, Difference, Refusal};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// The result of a submission.
pub enum SubmissionResult {
    /// The attestation was verified, its nonce is spent, and its record is on disk.
    Accepted(Entry),
    /// It was refused.
    Refused {
        refusal: Refusal,
        /// The fields in which the document differs from the call or from the context.
        differences: Vec<Difference>,
        /// The record that spent the nonce.
        spent_by: Option<u64>,
    },
    /// The signed fields are valid, but other fields of the document contradict them.
    Contradicted(Vec<Difference>),
}

impl SubmissionResult {
    /// Returns the outcome for metrics.
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Accepted(_) => "accepted",
            Self::Refused { refusal, .. } => refusal.name(),
            Self::Contradicted(_) => Problem::CONTRADICTORY_DOCUMENT,
        }
    }
}

impl IntoResponse for SubmissionResult {
    fn into_response(self) -> Response {
        match self {
            Self::Accepted(entry) => json_response(StatusCode::OK, entry.record),
            Self::Refused { refusal, differences, spent_by } => {
                let mut problem = Problem::from(refusal);
                if !differences.is_empty() {
                    problem.error["differences"] = describe(&differences);
                }
                if let Some(sequence) = spent_by {
                    problem.error["record"] = sequence.into();
                }
                problem.into_response()
            }
            Self::Contradicted(differences) => {
                let message = "the document contradicts what was signed: only its authorization and intent are valid";
                let mut problem =
                    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, Problem::CONTRADICTORY_DOCUMENT, message.to_owned());
                problem.error["differences"] = describe(&differences);
                problem.into_response()
            }
        }
    }
}

/// Anything but an acceptance.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    name: &'static str,
    error: Value,
}

impl Problem {
    /// The name where a document says something else than what was signed.
    pub const CONTRADICTORY_DOCUMENT: &'static str = "ContradictoryDocument";
    /// The name where JSON is not what it should be.
    pub const MALFORMED_REQUEST: &'static str = "MalformedRequest";

    /// Returns a problem with a name.
    pub fn new(status: StatusCode, name: &'static str, message: String) -> Self {
        Self { status, name, error: json!({ "name": name, "message": message }) }
    }

    /// The JSON is not what it should be.
    pub fn malformed_request(message: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Self::MALFORMED_REQUEST, message)
    }

    /// The authorization's bytes do not parse.
    pub fn malformed_authorization(detail: AuthorizationError) -> Self {
        let mut problem = Self::from(Refusal::MalformedAuthorization);
        problem.error["detail"] = detail.to_string().into();
        problem
    }

    /// The service cannot take it now.
    pub fn unavailable(message: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Unavailable", message.to_owned())
    }

    /// Returns the outcome for metrics.
    pub fn name(&self) -> &'static str {
        self.name
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let error = json!({
            "name": refusal.name(),
            "signature": refusal.signature(),
            "arguments": arguments(&refusal),
            "message": refusal.to_string(),
            "revertData": hex::encode_prefixed(refusal.revert_data()),
        });
        Self { status: status(&refusal), name: refusal.name(), error }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&json!({ "error": self.error })).unwrap_or_default();
        let mut response = json_response(self.status, body);
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// An answer of JSON.
pub fn json_response(status: StatusCode, body: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::MalformedAuthorization | Refusal::MalformedSignature => StatusCode::BAD_REQUEST,
        Refusal::PolicyDenied { .. } => StatusCode::FORBIDDEN,
        Refusal::AttestationAlreadySpent { .. } => StatusCode::CONFLICT,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// Named as in Solidity. Times and epochs are numbers; what may be wider than 64 bits is a decimal string.
fn arguments(refusal: &Refusal) -> Value {
    match *refusal {
        Refusal::PolicyNotSet
        | Refusal::MalformedAuthorization
        | Refusal::NonSignerOutOfRange
        | Refusal::MalformedSignature
        | Refusal::InvalidSignature => json!({}),
        Refusal::WrongChain { expected, actual } => {
            json!({ "expected": expected.to_string(), "actual": actual.to_string() })
        }
        Refusal::WrongSender { expected, actual } => json!({ "expected": expected, "actual": actual }),
        Refusal::WrongTask { expected, actual } => json!({ "expected": expected, "actual": actual }),
        Refusal::AttestationNotYetValid { issuedAt, timestamp } => {
            json!({ "issuedAt": issuedAt.to::<u64>(), "timestamp": timestamp.saturating_to::<u64>() })
        }
        Refusal::AttestationExpired { expiration, timestamp } => {
            json!({ "expiration": expiration.to::<u64>(), "timestamp": timestamp.saturating_to::<u64>() })
        }
        Refusal::LifetimeTooLong { expiration, latest } => {
            json!({ "expiration": expiration.to::<u64>(), "latest": latest.saturating_to::<u64>() })
        }
        Refusal::AttestationVoided { issuedAt, floor } => {
            json!({ "issuedAt": issuedAt.to::<u64>(), "floor": floor.to::<u64>() })
        }
        Refusal::AttestationAlreadySpent { policyClient, nonce } => {
            json!({ "policyClient": policyClient, "nonce": nonce.to_string() })
        }
        Refusal::EpochExpired { epoch, validUntil } => {
            json!({ "epoch": epoch, "validUntil": validUntil.to::<u64>() })
        }
        Refusal::UnknownEpoch { epoch } | Refusal::EpochRevoked { epoch } => json!({ "epoch": epoch }),
        Refusal::RootNotRecorded { epoch, root } => json!({ "epoch": epoch, "root": root }),
        Refusal::ExpirationBeyondEpoch { expiration, epochEnd } => {
            json!({ "expiration": expiration.to::<u64>(), "epochEnd": epochEnd.to::<u64>() })
        }
        Refusal::QuorumNotReached { signed, required } => {
            json!({ "signed": signed.to_string(), "required": required.to_string() })
        }
        Refusal::PolicyDenied { taskId } => json!({ "taskId": taskId }),
    }
}

fn describe(differences: &[Difference]) -> Value {
    let describe = |difference: &Difference| {
        let Difference { field, attested, actual } = difference;
        json!({ "field": field, "attested": attested, "actual": actual })
    };
    differences.iter().map(describe).collect()
}
