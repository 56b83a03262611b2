//! The operators whose signatures of a handover are missing, in answers and in errors.

use alloy_primitives::Address;
use assent_network::gateway::AbsentSigner;
use serde::Serialize;

/// An operator whose signature of a handover is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct AbsentAnswer {
    operator: Address,
    code: &'static str,
    message: String,
    retryable: bool,
}

impl From<AbsentSigner> for AbsentAnswer {
    fn from(AbsentSigner { operator, code, message, retryable }: AbsentSigner) -> Self {
        Self { operator, code, message, retryable }
    }
}
