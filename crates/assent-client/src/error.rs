//! Errors, and what a contract reverted with.

use crate::node_answer::{self, RevertAnswer};
use alloy::{
    primitives::{Address, B256, Bytes},
    providers::PendingTransactionError,
    transports::TransportError,
};
use assent_contracts::{deployment::InvalidDeployment, errors};
use assent_verifier::{AuthorizationError, EpochId, OperatorTableError, Refusal};
use std::{error::Error, fmt};

/// The reason why a call of this crate failed.
///
/// ```
/// # mod fixture { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/fixture.rs")); }
/// # use fixture::{AGENT, OPERATOR, OWNER, Fixture};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), fixture::Failure> {
/// # let fixture = Fixture::new().await?;
/// # let (client, vault, token) = (&fixture.client, fixture.vault, fixture.token);
/// use alloy::primitives::U256;
/// use assent_client::{PreparedCall, ClientError, Revert};
///
/// // An address without a contract, and a caller that the vault does not know.
/// let stranger = alloy::primitives::Address::repeat_byte(9);
/// let error = client.read_policy(stranger).await.unwrap_err();
/// assert!(matches!(error, ClientError::UnexpectedAnswer { contract, .. } if contract == stranger));
///
/// let error = client.simulate(&PreparedCall::new(stranger, vault, [0x12, 0x34, 0x56, 0x78])).await.unwrap_err();
/// assert_eq!((error.refusal(), error.gas_used()), (None, None)); // Not a refusal, and not mined.
/// assert!(matches!(error, ClientError::Reverted { reason: Revert::Other { .. }, .. }));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The call reverted. [`refusal`](Self::refusal) returns the protocol's refusal, if it is one.
    #[error("the contract at {contract} reverted: {reason}")]
    Reverted {
        /// The contract that was called; zero for a contract creation.
        contract: Address,
        /// The error with which it reverted.
        reason: Revert,
        /// The gas used, when the transaction was mined; `None` when it was not sent, or only simulated.
        gas_used: Option<u64>,
    },
    /// The transaction was mined and failed, and repeating the call gives no reason.
    #[error("transaction {transaction} failed after {gas_used} gas and the node gives no reason")]
    Failed {
        /// Its hash.
        transaction: B256,
        /// The gas used.
        gas_used: u64,
    },
    /// The node could not be reached, or refused the request.
    #[error("the request to the node failed")]
    Transport(#[source] TransportError),
    /// The node accepted the transaction, but returned no receipt.
    #[error("the transaction was sent, but the node returned no receipt")]
    Receipt(#[source] PendingTransactionError),
    /// The answer is not what the contract would return: usually another contract is at the address, or none.
    #[error("the contract at {contract} does not answer as a contract {expected} does")]
    UnexpectedAnswer {
        /// The contract that was called.
        contract: Address,
        /// The contract it should be.
        expected: &'static str,
        /// The binding's error.
        #[source]
        source: Box<alloy::contract::Error>,
    },
    /// There is no contract at an address that should be called.
    #[error("there is no contract at {address}")]
    NoContract {
        /// The address.
        address: Address,
    },
    /// A transaction succeeded without the effect that it must have.
    #[error("transaction {transaction} succeeded without {missing}")]
    MissingEffect {
        /// Its hash.
        transaction: B256,
        /// The effect that is missing.
        missing: &'static str,
    },
    /// The node has no latest block.
    #[error("the node has no latest block")]
    NoBlock,
    /// The node has no such block.
    #[error("the node has no block {block}")]
    NoSuchBlock {
        /// The block's number.
        block: u64,
    },
    /// The registry has not committed such an epoch.
    #[error("the registry at {registry} has no epoch {epoch}")]
    NoSuchEpoch {
        /// The OperatorRegistry.
        registry: Address,
        /// The epoch's number.
        epoch: EpochId,
    },
    /// The code at an epoch's table address is not an operator table.
    #[error("epoch {epoch}'s operator table cannot be read")]
    OperatorTable {
        /// The epoch's number.
        epoch: EpochId,
        /// What is wrong with it.
        #[source]
        source: OperatorTableError,
    },
    /// The call's data cannot carry an authorization.
    #[error("the call cannot carry an authorization")]
    Authorization(#[from] AuthorizationError),
    /// The contracts cannot be deployed with these arguments.
    #[error("the contracts cannot be deployed like this")]
    InvalidDeployment(#[from] InvalidDeployment),
    /// The chain lacks the deterministic deployment proxy.
    #[error(
        "chain {chain_id} has no deterministic deployment proxy at {proxy}: send the presigned transaction of \
         github.com/Arachnid/deterministic-deployment-proxy first, or deploy without the proxy"
    )]
    DeploymentProxyMissing {
        /// The chain.
        chain_id: u64,
        /// Where it should be.
        proxy: Address,
    },
    /// The chain lacks a precompile or an instruction that the contracts use.
    #[error("chain {chain_id} lacks {missing}, which Assent needs; nothing was sent")]
    ChainNotSupported {
        /// The chain.
        chain_id: u64,
        /// The precompile or instruction, with its EIP and upgrade.
        missing: &'static str,
    },
}

/// The error with which a contract reverted. Complete: an error either is a refusal or is not.
///
/// ```
/// use alloy::sol_types::SolError;
/// use assent_client::Revert;
/// use assent_contracts::OperatorRegistry;
/// use assent_verifier::{EpochId, Refusal};
///
/// let refusal = Refusal::UnknownEpoch { epoch: EpochId(3) };
/// assert_eq!(Revert::from(alloy::primitives::Bytes::from(refusal.revert_data())), Revert::Refused(refusal));
///
/// let other = OperatorRegistry::OperatorNotRegistered { operator: alloy::primitives::Address::ZERO }.abi_encode();
/// let Revert::Other { description, .. } = Revert::from(alloy::primitives::Bytes::from(other)) else { panic!() };
/// assert!(description.is_some_and(|text| text.starts_with("OperatorNotRegistered(")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revert {
    /// A refusal of the protocol.
    Refused(Refusal),
    /// Any other error, or none.
    Other {
        /// The error with its arguments, if one of the contracts declares it, or the reason that the node gives.
        description: Option<String>,
        /// The revert data.
        data: Bytes,
    },
}

impl ClientError {
    /// Returns the protocol's refusal, if the call reverted with one.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Reverted { reason: Revert::Refused(refusal), .. } => Some(*refusal),
            _ => None,
        }
    }

    /// Returns the gas used by a transaction that was mined and failed.
    pub fn gas_used(&self) -> Option<u64> {
        match self {
            Self::Reverted { gas_used, .. } => *gas_used,
            Self::Failed { gas_used, .. } => Some(*gas_used),
            _ => None,
        }
    }

    /// Returns the error for a node's answer to a call of `contract`.
    pub(crate) fn from_transport(contract: Address, error: TransportError) -> Self {
        match error.as_error_resp().and_then(node_answer::revert) {
            Some(answer) => Self::Reverted { contract, reason: answer.into(), gas_used: None },
            None => Self::Transport(error),
        }
    }

    /// Returns the error for a binding's answer to a call of `contract`, which should be an `expected`.
    pub(crate) fn from_contract(contract: Address, expected: &'static str, error: alloy::contract::Error) -> Self {
        match error {
            // Without data, it is usually a contract that lacks the function.
            alloy::contract::Error::TransportError(error)
                if error.as_error_resp().and_then(node_answer::revert).is_none_or(|answer| !answer.is_empty()) =>
            {
                Self::from_transport(contract, error)
            }
            source => Self::UnexpectedAnswer { contract, expected, source: Box::new(source) },
        }
    }
}

impl From<Bytes> for Revert {
    fn from(data: Bytes) -> Self {
        match Refusal::decode(&data) {
            Some(refusal) => Self::Refused(refusal),
            None => Self::Other { description: errors::describe(&data), data },
        }
    }
}

impl From<RevertAnswer> for Revert {
    fn from(answer: RevertAnswer) -> Self {
        match (Self::from(answer.data), answer.reason) {
            (Self::Other { description: None, data }, Some(reason)) if data.is_empty() => {
                Self::Other { description: Some(format!("Error({reason:?})")), data }
            }
            (revert, _) => revert,
        }
    }
}

impl fmt::Display for Revert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => write!(f, "{}: {refusal}", refusal.name()),
            Self::Other { description: Some(description), .. } => f.write_str(description),
            Self::Other { data, .. } if data.is_empty() => f.write_str("without a reason"),
            Self::Other { data, .. } => write!(f, "an unknown error, {data}"),
        }
    }
}

/// Returns an error with its causes, each once: the text of many errors already contains their cause.
///
/// ```
/// use assent_client::with_causes;
/// use std::io;
///
/// let cause = io::Error::from(io::ErrorKind::AlreadyExists);
/// let error = anyhow::Error::new(cause).context("cannot write the key");
/// assert_eq!(with_causes(error.as_ref()), "cannot write the key: entity already exists");
///
/// // An error that repeats its cause.
/// #[derive(Debug, thiserror::Error)]
/// #[error("key file: {0}")]
/// struct KeyFileError(#[source] io::Error);
/// let error = KeyFileError(io::ErrorKind::AlreadyExists.into());
/// assert_eq!(with_causes(&error), "key file: entity already exists");
/// ```
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut last = error.to_string();
    let mut text = last.clone();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !last.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
            last = cause_text;
        }
        next = cause.source();
    }
    text
}
