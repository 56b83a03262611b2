//! Errors of gateways, with what to do next.

use alloy::primitives::B256;
use serde::Deserialize;
use serde_json::Value;
use std::fmt;

/// The reason why a gateway gave no authorization.
///
/// ```
/// use assent_client::gateway::{GatewayClient, GatewayError};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert!(matches!(GatewayClient::new(["gateway.example"]), Err(GatewayError::InvalidUrl)));
///
/// // No one listens on the discard port.
/// let client = GatewayClient::new(["http://127.0.0.1:9"]).unwrap().with_patience(Default::default());
/// let error = client.health().await.unwrap_err();
/// assert!(error.is_retryable());
/// assert!(error.next_step().contains("check the URL"));
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayError {
    /// No gateway is given.
    #[error("no gateway is given")]
    NoGateway,
    /// A text is not the URL of a gateway. The text is not shown: it can contain a secret.
    #[error("a gateway's URL is not an http:// or https:// URL")]
    InvalidUrl,
    /// The token cannot be sent.
    #[error("the gateway's token has characters that a header cannot have")]
    InvalidToken,
    /// The HTTP client cannot start.
    #[error("the HTTP client cannot start: {0}")]
    HttpClient(String),
    /// This machine gives no random number, from which nonces are chosen.
    #[error("this machine gives no random number for the nonce")]
    NoRandomness,
    /// No gateway gave an answer that can be used.
    #[error("no gateway answers: {}", list(.0))]
    Unreachable(Vec<GatewayFailure>),
    /// A gateway refused the call.
    #[error("the gateway {} refused: {}", .0.gateway, .0.message)]
    Refused(Box<GatewayRefusal>),
}

/// A gateway that gave no answer that can be used. Complete: nothing else is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayFailure {
    /// The gateway: scheme, host and port of its URL.
    pub gateway: String,
    /// What happened.
    pub reason: String,
}

impl fmt::Display for GatewayFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.gateway, self.reason)
    }
}

/// An error that a gateway answered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GatewayRefusal {
    /// The gateway: scheme, host and port of its URL.
    pub gateway: String,
    /// The code of JSON-RPC, as in EIP-1474.
    pub rpc_code: i64,
    /// The kind of the reason, such as `noQuorum`.
    pub code: String,
    /// The reason.
    pub message: String,
    /// Whether the same request may succeed later.
    pub is_retryable: bool,
    /// What to do.
    pub next_step: String,
    /// The task, if there is one.
    pub task_id: Option<B256>,
}

impl GatewayError {
    /// Returns what to do.
    pub fn next_step(&self) -> &str {
        match self {
            Self::NoGateway => "give the URL of at least one gateway",
            Self::InvalidUrl => "give a URL such as https://gateway.example",
            Self::InvalidToken => "give the token as its gateway printed it, without spaces",
            Self::HttpClient(_) => "check the certificates of this machine's system",
            Self::NoRandomness => "give a nonce",
            Self::Unreachable(_) => "check the URL, and that the gateway is running; or ask another gateway",
            Self::Refused(refusal) => &refusal.next_step,
        }
    }

    /// Returns whether the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Refused(refusal) => refusal.is_retryable,
            _ => false,
        }
    }

    /// Returns the task of the request, if a gateway accepted it.
    pub fn task_id(&self) -> Option<B256> {
        match self {
            Self::Refused(refusal) => refusal.task_id,
            _ => None,
        }
    }

    /// Returns the kind of a gateway's refusal, such as `noQuorum`.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => Some(&refusal.code),
            _ => None,
        }
    }
}

fn list(failures: &[GatewayFailure]) -> String {
    failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// An error of JSON-RPC.
#[derive(Deserialize)]
pub(super) struct RpcErrorAnswer {
    code: i64,
    message: String,
    /// Another server says anything here, or nothing.
    #[serde(default)]
    data: Value,
}

/// What a gateway says besides the message.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RpcErrorData {
    code: String,
    retryable: bool,
    next: String,
    task_id: Option<B256>,
}

impl RpcErrorAnswer {
    pub(super) fn into_refusal(self, gateway: &str) -> GatewayRefusal {
        let Self { code, message, data } = self;
        let data: RpcErrorData = serde_json::from_value(data).unwrap_or_default();
        let next_step = if data.next.is_empty() { "check that the URL is a gateway's".to_owned() } else { data.next };
        GatewayRefusal {
            gateway: gateway.to_owned(),
            rpc_code: code,
            code: data.code,
            message,
            is_retryable: data.retryable,
            next_step,
            task_id: data.task_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_server_answers_is_a_refusal_that_says_so() {
        for data in ["null", "\"text\"", "[]", "{\"code\": 1}"] {
            let text = format!(r#"{{"code": -32601, "message": "method not found", "data": {data}}}"#);
            let refusal = serde_json::from_str::<RpcErrorAnswer>(&text).unwrap().into_refusal("http://127.0.0.1:8545");
            assert_eq!((refusal.rpc_code, refusal.message.as_str()), (-32601, "method not found"));
            assert_eq!(refusal.next_step, "check that the URL is a gateway's", "{data}");
        }
    }
}
