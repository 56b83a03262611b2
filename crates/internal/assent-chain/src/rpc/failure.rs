//! Errors as JSON-RPC gives them, with anvil's codes.

use alloy::{
    hex,
    primitives::Bytes,
    rpc::json_rpc::ErrorPayload,
    sol_types::{Revert, SolError},
};
use revm::context::result::InvalidTransaction;
use serde_json::value::to_raw_value;

use crate::{ChainError, Execution, ExecutionStatus};

/// JSON-RPC 2.0, section 5.1.
const METHOD_NOT_FOUND: i64 = -32601;
const INVALID_PARAMETERS: i64 = -32602;
const INTERNAL_ERROR: i64 = -32603;
/// EIP-1474: invalid input, transaction rejected.
const INVALID_INPUT: i64 = -32000;
const TRANSACTION_REJECTED: i64 = -32003;
/// geth's code for a revert.
const EXECUTION_REVERTED: i64 = 3;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: i64,
    message: String,
    data: Option<Bytes>,
}

impl Failure {
    pub(crate) fn method_not_found(method: &str) -> Self {
        Self::new(METHOD_NOT_FOUND, format!("Method not found: {method}"))
    }

    pub(crate) fn invalid_parameters(message: impl Into<String>) -> Self {
        Self::new(INVALID_PARAMETERS, message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(INTERNAL_ERROR, message)
    }

    fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    /// What an execution returned, or why it did not return.
    pub(crate) fn unless_success(execution: Execution) -> Result<Execution, Self> {
        match &execution.status {
            ExecutionStatus::Success => Ok(execution),
            ExecutionStatus::Halt(reason) => Err(Self::internal(format!("EVM error {reason:?}"))),
            ExecutionStatus::Revert => Err(Self {
                code: EXECUTION_REVERTED,
                message: revert_message(&execution.output),
                data: Some(execution.output),
            }),
        }
    }
}

/// `Error(string)` by its text, any other error by its selector.
fn revert_message(data: &[u8]) -> String {
    match (Revert::abi_decode(data), data.get(..4)) {
        (Ok(revert), _) => format!("execution reverted: {}", revert.reason()),
        (Err(_), Some(selector)) => format!("execution reverted: custom error 0x{}", hex::encode(selector)),
        (Err(_), None) => "execution reverted".to_owned(),
    }
}

impl From<ChainError> for Failure {
    fn from(error: ChainError) -> Self {
        match &error {
            ChainError::InvalidTransaction(reason) => match reason {
                InvalidTransaction::NonceTooLow { .. } => Self::new(TRANSACTION_REJECTED, "nonce too low"),
                InvalidTransaction::NonceTooHigh { .. } => Self::new(TRANSACTION_REJECTED, "nonce too high"),
                InvalidTransaction::LackOfFundForMaxFee { .. } => {
                    Self::new(TRANSACTION_REJECTED, "Insufficient funds for gas * price + value")
                }
                InvalidTransaction::CallGasCostMoreThanGasLimit { .. }
                | InvalidTransaction::GasFloorMoreThanGasLimit { .. } => {
                    Self::new(INVALID_INPUT, "intrinsic gas too low")
                }
                _ => Self::new(TRANSACTION_REJECTED, error.to_string()),
            },
            ChainError::Execution(_) => Self::internal(error.to_string()),
            _ => Self::invalid_parameters(error.to_string()),
        }
    }
}

impl From<Failure> for ErrorPayload {
    fn from(failure: Failure) -> Self {
        let data = failure.data.and_then(|data| to_raw_value(&data).ok());
        Self { code: failure.code, message: failure.message.into(), data }
    }
}
