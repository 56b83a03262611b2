//! The input and the result of an execution.

use alloy::primitives::{Address, Bytes, Log, TxKind, U256};
use revm::context::result::{ExecutionResult, HaltReason, InvalidTransaction};

/// A call or a contract creation: the input of [`EmbeddedChain::call`](crate::EmbeddedChain::call) and
/// [`EmbeddedChain::transact`](crate::EmbeddedChain::transact).
///
/// Complete: these are all inputs of a message.
///
/// ```
/// use alloy::primitives::{TxKind, U256, bytes};
/// use assent_chain::{Message, DEVELOPMENT_ACCOUNTS, EmbeddedChain, TRANSACTION_GAS_CAP};
///
/// let [sender, receiver, ..] = DEVELOPMENT_ACCOUNTS;
/// let call = Message::new(sender, receiver, bytes!("")).with_value(U256::from(1)).with_gas_limit(21_000);
/// assert_eq!(EmbeddedChain::new(1).call(call)?.gas_used, 21_000);
///
/// let creation = Message::create(sender, bytes!("6001600c60003960016000f3" "00"));
/// assert_eq!((creation.to, creation.gas_limit), (TxKind::Create, TRANSACTION_GAS_CAP));
/// assert!(EmbeddedChain::new(1).call(creation)?.created.is_some());
/// # Ok::<(), assent_chain::ChainError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The caller. Any address may call: no signature is required, and no fee is taken.
    pub from: Address,
    /// The called account, or creation.
    pub to: TxKind,
    /// The value in wei; `from` must own it.
    pub value: U256,
    /// The calldata, or the creation code with its constructor's arguments.
    pub data: Bytes,
    /// The gas for the whole transaction, including the intrinsic cost. Default and maximum:
    /// [`TRANSACTION_GAS_CAP`](crate::TRANSACTION_GAS_CAP).
    pub gas_limit: u64,
}

impl Message {
    /// Returns a call from `from` to `to` without value.
    pub fn new(from: Address, to: Address, data: impl Into<Bytes>) -> Self {
        Self { to: TxKind::Call(to), ..Self::create(from, data) }
    }

    /// Returns a contract creation by `from`.
    pub fn create(from: Address, creation_code: impl Into<Bytes>) -> Self {
        Self {
            from,
            to: TxKind::Create,
            value: U256::ZERO,
            data: creation_code.into(),
            gas_limit: crate::TRANSACTION_GAS_CAP,
        }
    }

    /// Sets the value, in wei.
    pub fn with_value(mut self, value: U256) -> Self {
        self.value = value;
        self
    }

    /// Sets the gas limit of the whole transaction.
    pub fn with_gas_limit(mut self, gas_limit: u64) -> Self {
        self.gas_limit = gas_limit;
        self
    }
}

/// The way an execution ended. Complete: the EVM has no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExecutionStatus {
    /// It returned.
    Success,
    /// REVERT: the output is the revert data.
    Revert,
    /// Out of gas, an invalid instruction and the like: all gas is spent and there is no output.
    Halt(HaltReason),
}

/// The result of an execution.
///
/// ```
/// use alloy::primitives::{Address, bytes};
/// use assent_chain::{Message, DEVELOPMENT_ACCOUNTS, EmbeddedChain, ExecutionStatus};
///
/// let chain = EmbeddedChain::new(1);
/// let contract = Address::repeat_byte(0xcc);
/// let call = Message::new(DEVELOPMENT_ACCOUNTS[0], contract, bytes!(""));
///
/// chain.set_code(contract, bytes!("60aa5f526001601ffd"))?; // Reverts with the byte 0xaa.
/// let execution = chain.call(call.clone())?;
/// assert_eq!(execution.status, ExecutionStatus::Revert);
/// assert_eq!(execution.revert_data(), Some(&bytes!("aa")));
///
/// chain.set_code(contract, bytes!("fe"))?; // INVALID takes all gas.
/// let execution = chain.call(call.clone())?;
/// assert!(matches!(execution.status, ExecutionStatus::Halt(_)));
/// assert_eq!((execution.gas_used, execution.revert_data()), (call.gas_limit, None));
///
/// chain.set_code(contract, bytes!("00"))?; // Stops.
/// assert!(chain.call(call)?.is_success());
/// # Ok::<(), assent_chain::ChainError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Execution {
    /// The way it ended.
    pub status: ExecutionStatus,
    /// The returned bytes, the revert data, or the runtime code of a created contract.
    pub output: Bytes,
    /// The gas that the transaction pays for: with the intrinsic cost and the EIP-7623 floor, less refunds.
    pub gas_used: u64,
    /// The events, in order. Empty unless the execution succeeded.
    pub logs: Vec<Log>,
    /// The contract created by this transaction itself.
    pub created: Option<Address>,
    /// The gas spent before refunds, from which gas estimation starts.
    pub(crate) gas_spent: u64,
}

impl Execution {
    /// Returns whether the execution returned.
    pub fn is_success(&self) -> bool {
        self.status == ExecutionStatus::Success
    }

    /// Returns the revert data, if the execution reverted.
    pub fn revert_data(&self) -> Option<&Bytes> {
        (self.status == ExecutionStatus::Revert).then_some(&self.output)
    }
}

impl From<ExecutionResult> for Execution {
    fn from(result: ExecutionResult) -> Self {
        let gas = *result.gas();
        let created = result.created_address();
        // revm also hands out the events emitted before a revert; the chain does not keep those.
        let (status, output, logs) = match result {
            ExecutionResult::Success { logs, output, .. } => (ExecutionStatus::Success, output.into_data(), logs),
            ExecutionResult::Revert { output, .. } => (ExecutionStatus::Revert, output, Vec::new()),
            ExecutionResult::Halt { reason, .. } => (ExecutionStatus::Halt(reason), Bytes::new(), Vec::new()),
        };
        Self { status, output, gas_used: gas.tx_gas_used(), logs, created, gas_spent: gas.total_gas_spent() }
    }
}

/// The reason why the chain did not execute a request. A call that reverts is not an error: see [`Execution`].
///
/// ```
/// use alloy::primitives::{U256, bytes};
/// use assent_chain::{Message, ChainError, DEVELOPMENT_ACCOUNTS, EmbeddedChain};
///
/// let chain = EmbeddedChain::new(1);
/// let [sender, receiver, ..] = DEVELOPMENT_ACCOUNTS;
/// let call = Message::new(sender, receiver, bytes!("")).with_value(U256::MAX);
/// assert!(matches!(chain.call(call), Err(ChainError::InvalidTransaction(_))));
/// assert!(matches!(chain.set_timestamp(0), Err(ChainError::TimestampNotLater { .. })));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The transaction cannot be part of a block (nonce, funds, gas limit, fee, chain id, …).
    #[error("invalid transaction: {0}")]
    InvalidTransaction(InvalidTransaction),
    /// The EVM itself failed, for a reason that is in neither the transaction nor the contract.
    #[error("execution failed: {0}")]
    Execution(String),
    /// Blob transactions (EIP-4844) are not executed by this chain.
    #[error("blob transactions (EIP-4844) are not supported")]
    BlobTransaction,
    /// [`EmbeddedChain::deploy`](crate::EmbeddedChain::deploy): the creation reverted or halted.
    #[error("the contract's creation failed ({status:?}) with data {data}")]
    DeploymentFailed {
        /// The way it ended.
        status: ExecutionStatus,
        /// The revert data, if it reverted.
        data: Bytes,
    },
    /// The time on a chain only increases: the next block must be later than the latest.
    #[error("timestamp {requested} is not later than the latest block's, {latest}")]
    TimestampNotLater {
        /// The requested time, in seconds since the Unix epoch.
        requested: u64,
        /// The latest block's time.
        latest: u64,
    },
    /// The requested time does not fit 64 bits of seconds.
    #[error("the chain's clock would pass 2^64 seconds")]
    TimestampOverflow,
    /// The bytes cannot be an account's code (they begin like an EIP-7702 designator but are not one).
    #[error("not valid code: {0}")]
    InvalidCode(String),
}

impl From<InvalidTransaction> for ChainError {
    fn from(reason: InvalidTransaction) -> Self {
        Self::InvalidTransaction(reason)
    }
}
