//! Errors, as callers get them: a code of JSON-RPC, and what a program and a person can do.

use alloy_primitives::B256;
use assent_chain_view::HandoverFault;
use assent_network::gateway::{Failure, FailureCode};
use serde::Serialize;

use super::absent::AbsentAnswer;

/// The text is not JSON.
pub(crate) const PARSE_ERROR: i32 = -32700;
/// The JSON is not a request.
pub(crate) const INVALID_REQUEST: i32 = -32600;
/// There is no such method.
pub(crate) const METHOD_NOT_FOUND: i32 = -32601;
/// The parameters are not the method's, or cannot become a task.
pub(crate) const INVALID_PARAMS: i32 = -32602;
/// EIP-1474: what was asked for does not exist.
pub(crate) const NOT_FOUND: i32 = -32001;
/// EIP-1474: it exists, and is not available now.
pub(crate) const UNAVAILABLE: i32 = -32002;
/// EIP-1474: the task ended without an attestation.
pub(crate) const REJECTED: i32 = -32003;
/// EIP-1474: a limit is reached.
pub(crate) const LIMIT_EXCEEDED: i32 = -32005;

/// An error of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct RpcError {
    pub(crate) code: i32,
    pub(crate) message: String,
    pub(crate) data: ErrorData,
}

/// What a program needs to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ErrorData {
    /// The kind of the reason.
    pub(crate) code: &'static str,
    /// Whether the same call may succeed later.
    pub(crate) retryable: bool,
    /// What to do.
    pub(crate) next: &'static str,
    /// The task, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) task_id: Option<B256>,
    /// The operators whose signatures of a handover are missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) absent: Option<Box<[AbsentAnswer]>>,
}

impl RpcError {
    fn new(code: i32, message: impl Into<String>, kind: &'static str, retryable: bool, next: &'static str) -> Self {
        let data = ErrorData { code: kind, retryable, next, task_id: None, absent: None };
        Self { code, message: message.into(), data }
    }

    pub(crate) fn parse(message: impl Into<String>) -> Self {
        Self::new(PARSE_ERROR, message, "parse", false, "send one JSON object, or an array of them, in UTF-8")
    }

    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        let next = "send jsonrpc \"2.0\", method, params (an array or an object) and id, and nothing else";
        Self::new(INVALID_REQUEST, message, "invalidRequest", false, next)
    }

    pub(crate) fn method_not_found(method: &str) -> Self {
        let message = format!("there is no method {:?}", crate::text::bounded(method, 64));
        Self::new(METHOD_NOT_FOUND, message, "methodNotFound", false, "call rpc.discover, which lists the methods")
    }

    pub(crate) fn invalid_params(message: impl Into<String>) -> Self {
        let next = "compare the parameters with rpc.discover";
        Self::new(INVALID_PARAMS, message, "invalid", false, next)
    }

    pub(crate) fn not_found(message: impl Into<String>, next: &'static str) -> Self {
        Self::new(NOT_FOUND, message, "notFound", false, next)
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(UNAVAILABLE, message, "unavailable", true, "ask again in a few seconds, or ask another gateway")
    }

    /// Returns the error of a task that is not decided yet.
    pub(crate) fn pending(task_id: B256) -> Self {
        let next = "the task goes on: ask with assent_getTask, or with the same request and the task's nonce";
        Self::new(UNAVAILABLE, "the task is not decided yet", "pending", true, next).of_task(Some(task_id))
    }

    pub(crate) fn busy(message: impl Into<String>) -> Self {
        Self::new(
            LIMIT_EXCEEDED,
            message,
            FailureCode::Busy.as_str(),
            true,
            "ask again in a second, or ask another gateway",
        )
    }

    /// Returns whether the gateway has too much to do.
    pub(crate) fn is_busy(&self) -> bool {
        self.data.code == FailureCode::Busy.as_str()
    }

    pub(crate) fn rate_limited(seconds: u64) -> Self {
        let message = format!("too many calls: the next is taken in {seconds} s");
        Self::new(LIMIT_EXCEEDED, message, "rateLimited", true, "wait as Retry-After says, and ask less often")
    }

    pub(crate) fn too_long(most: usize) -> Self {
        let next = "send fewer or shorter calls";
        Self::new(INVALID_REQUEST, format!("the body has more than {most} bytes"), "tooLong", false, next)
    }

    /// Returns the error of a call whose answer has no room in that of its batch.
    pub(crate) fn answers_too_long(most: usize) -> Self {
        let next = "send fewer calls in a batch";
        Self::new(
            LIMIT_EXCEEDED,
            format!("the answers of the batch have more than {most} bytes"),
            "tooLong",
            true,
            next,
        )
    }

    pub(crate) fn unauthorized() -> Self {
        let next = "send `Authorization: Bearer TOKEN` with a token of this gateway";
        Self::new(INVALID_REQUEST, "the token is missing or unknown", "unauthorized", false, next)
    }

    /// Returns the error of a request that has no attestation.
    pub(crate) fn failure(failure: Failure, task_id: Option<B256>) -> Self {
        let Failure { code, message, retryable } = failure;
        let number = match code {
            FailureCode::Busy => LIMIT_EXCEEDED,
            FailureCode::Invalid => INVALID_PARAMS,
            FailureCode::Unavailable => UNAVAILABLE,
            _ => REJECTED,
        };
        Self::new(number, message, code.as_str(), retryable, next_step(code)).of_task(task_id)
    }

    /// Returns the error of a handover that no quorum signed.
    pub(crate) fn no_handover(failure: Failure, absent: Vec<AbsentAnswer>) -> Self {
        let is_without_quorum = failure.code == FailureCode::NoQuorum;
        let mut error = Self::failure(failure, None);
        if is_without_quorum {
            error.data.next = "read why operators are absent, and ask again once it is gone";
        }
        error.data.absent = Some(absent.into());
        error
    }

    /// Returns the error of a handover that operators would not sign.
    pub(crate) fn handover_fault(fault: &HandoverFault) -> Self {
        let (kind, retryable, next) = match fault {
            HandoverFault::Unread(error) => {
                eprintln!("error: {error}");
                return Self::unavailable("the gateway's node of the chain gives no answer");
            }
            HandoverFault::NotFinal { .. } => {
                ("notFinal", true, "ask again when the epoch's activation is final, about 15 minutes on Ethereum")
            }
            HandoverFault::Revoked { .. } | HandoverFault::Expired { .. } => {
                ("refused", false, "hand over to a later epoch, or from another one with signedBy")
            }
            HandoverFault::First { .. } => ("refused", false, "have the mirror's owner set it with setGenesis"),
            HandoverFault::SignerExpired { .. } => {
                ("refused", false, "have the mirror's owner set an epoch with setGenesis, after notice")
            }
            HandoverFault::NotHome { .. } => ("refused", false, "ask a gateway of the registry's home chain"),
            _ => ("refused", false, "give as signedBy the mirror's latest epoch"),
        };
        Self::new(REJECTED, fault.to_string(), kind, retryable, next)
    }

    fn of_task(mut self, task_id: Option<B256>) -> Self {
        self.data.task_id = task_id;
        self
    }

    /// Returns the JSON of the error.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Returns what to do about a failure.
pub(crate) const fn next_step(code: FailureCode) -> &'static str {
    match code {
        FailureCode::Unavailable => "ask again in a few seconds, or ask another gateway",
        FailureCode::Busy => "ask again in a second, or ask another gateway",
        FailureCode::Invalid => "change the request as the message says",
        FailureCode::Expired => "ask again with a later expiration; assent_operators shows who is connected",
        FailureCode::NoQuorum => "read the operators' reasons; ask again with another nonce once they are gone",
        FailureCode::Cancelled => "ask again with another nonce if the call is needed after all",
        FailureCode::Refused => "compare the client's policy and epoch with the reason, and ask again",
        _ => "read the message",
    }
}
