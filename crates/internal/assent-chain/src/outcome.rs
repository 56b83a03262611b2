//! What goes into an execution and what comes out of it.

use alloy::primitives::{Address, Bytes, Log, TxKind, U256};
use revm::context::result::{ExecutionResult, HaltReason, InvalidTransaction};

/// A call or a contract creation, for [`EmbeddedChain::call`](crate::EmbeddedChain::call) and
/// [`EmbeddedChain::transact`](crate::EmbeddedChain::transact).
///
/// ```
/// use alloy::primitives::{TxKind, U256, bytes};
/// use assent_chain::{Call, DEVELOPMENT_ACCOUNTS, EmbeddedChain, TRANSACTION_GAS_CAP};
///
/// let [sender, receiver, ..] = DEVELOPMENT_ACCOUNTS;
/// let call = Call::new(sender, receiver, bytes!("")).with_value(U256::from(1)).with_gas_limit(21_000);
/// assert_eq!(EmbeddedChain::new(1).call(call)?.gas_used, 21_000);
///
/// let creation = Call::create(sender, bytes!("6001600c60003960016000f3" "00"));
/// assert_eq!((creation.to, creation.gas_limit), (TxKind::Create, TRANSACTION_GAS_CAP));
/// assert!(EmbeddedChain::new(1).call(creation)?.created.is_some());
/// # Ok::<(), assent_chain::ChainError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Who calls. Any address: no signature is asked for, and no fee is taken.
    pub from: Address,
    /// The called account, or creation.
    pub to: TxKind,
    /// Value sent, in wei; `from` must own it.
    pub value: U256,
    /// Calldata, or creation code with its constructor's arguments.
    pub data: Bytes,
    /// Gas for the whole transaction, the intrinsic cost included. [`TRANSACTION_GAS_CAP`](crate::TRANSACTION_GAS_CAP)
    /// unless told otherwise, and never more.
    pub gas_limit: u64,
}

impl Call {
    /// A call from `from` to `to` with no value.
    pub fn new(from: Address, to: Address, data: impl Into<Bytes>) -> Self {
        Self { to: TxKind::Call(to), ..Self::create(from, data) }
    }

    /// A contract creation by `from`.
    pub fn create(from: Address, creation_code: impl Into<Bytes>) -> Self {
        Self {
            from,
            to: TxKind::Create,
            value: U256::ZERO,
            data: creation_code.into(),
            gas_limit: crate::TRANSACTION_GAS_CAP,
        }
    }

    /// Sends `value` wei along.
    pub fn with_value(mut self, value: U256) -> Self {
        self.value = value;
        self
    }

    /// Allows the transaction `gas_limit` gas in all.
    pub fn with_gas_limit(mut self, gas_limit: u64) -> Self {
        self.gas_limit = gas_limit;
        self
    }
}

/// How an execution ended.
///
/// ```
/// use alloy::primitives::{Address, bytes};
/// use assent_chain::{Call, DEVELOPMENT_ACCOUNTS, EmbeddedChain, Ending};
///
/// let chain = EmbeddedChain::new(1);
/// let contract = Address::repeat_byte(0xcc);
/// let call = Call::new(DEVELOPMENT_ACCOUNTS[0], contract, bytes!(""));
///
/// chain.set_code(contract, bytes!("60aa5f526001601ffd"))?; // Reverts with the byte 0xaa.
/// let outcome = chain.call(call.clone())?;
/// assert_eq!(outcome.ending, Ending::Revert);
/// assert_eq!(outcome.revert_data(), Some(&bytes!("aa")));
///
/// chain.set_code(contract, bytes!("fe"))?; // INVALID takes all gas.
/// let outcome = chain.call(call.clone())?;
/// assert!(matches!(outcome.ending, Ending::Halt(_)));
/// assert_eq!((outcome.gas_used, outcome.revert_data()), (call.gas_limit, None));
///
/// chain.set_code(contract, bytes!("00"))?; // Stops.
/// assert!(chain.call(call)?.is_success());
/// # Ok::<(), assent_chain::ChainError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It returned.
    Success,
    /// REVERT: the output is the revert data.
    Revert,
    /// Out of gas, an invalid instruction and the like: all gas is gone and there is no output.
    Halt(HaltReason),
}

/// What an execution did.
///
/// ```
/// use alloy::primitives::{Address, bytes};
/// use assent_chain::{Call, DEVELOPMENT_ACCOUNTS, EmbeddedChain, Ending};
///
/// let chain = EmbeddedChain::new(1);
/// let contract = Address::repeat_byte(0xcc);
/// let call = Call::new(DEVELOPMENT_ACCOUNTS[0], contract, bytes!(""));
///
/// chain.set_code(contract, bytes!("60aa5f526001601ffd"))?; // Reverts with the byte 0xaa.
/// let outcome = chain.call(call.clone())?;
/// assert_eq!(outcome.ending, Ending::Revert);
/// assert_eq!(outcome.revert_data(), Some(&bytes!("aa")));
///
/// chain.set_code(contract, bytes!("fe"))?; // INVALID takes all gas.
/// let outcome = chain.call(call.clone())?;
/// assert!(matches!(outcome.ending, Ending::Halt(_)));
/// assert_eq!((outcome.gas_used, outcome.revert_data()), (call.gas_limit, None));
///
/// chain.set_code(contract, bytes!("00"))?; // Stops.
/// assert!(chain.call(call)?.is_success());
/// # Ok::<(), assent_chain::ChainError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub ending: Ending,
    /// Returned bytes, revert data (to the byte), or the runtime code of a created contract.
    pub output: Bytes,
    /// Gas the transaction pays for: intrinsic cost included, refunds deducted, EIP-7623 floor applied.
    pub gas_used: u64,
    /// Events, in order. Empty unless the execution succeeded.
    pub logs: Vec<Log>,
    /// The contract created by this transaction itself.
    pub created: Option<Address>,
    /// Gas spent before refunds, from which gas estimation starts.
    pub(crate) gas_spent: u64,
}

impl Outcome {
    /// Whether it returned.
    pub fn is_success(&self) -> bool {
        self.ending == Ending::Success
    }

    /// The revert data, if it reverted.
    pub fn revert_data(&self) -> Option<&Bytes> {
        (self.ending == Ending::Revert).then_some(&self.output)
    }
}

impl From<ExecutionResult> for Outcome {
    fn from(result: ExecutionResult) -> Self {
        let gas = *result.gas();
        let created = result.created_address();
        // revm also hands out the events emitted before a revert; the chain does not keep those.
        let (ending, output, logs) = match result {
            ExecutionResult::Success { logs, output, .. } => (Ending::Success, output.into_data(), logs),
            ExecutionResult::Revert { output, .. } => (Ending::Revert, output, Vec::new()),
            ExecutionResult::Halt { reason, .. } => (Ending::Halt(reason), Bytes::new(), Vec::new()),
        };
        Self { ending, output, gas_used: gas.tx_gas_used(), logs, created, gas_spent: gas.total_gas_spent() }
    }
}

/// Why the chain did not do what it was asked. A call that reverts is no error: see [`Outcome`].
///
/// ```
/// use alloy::primitives::{U256, bytes};
/// use assent_chain::{Call, ChainError, DEVELOPMENT_ACCOUNTS, EmbeddedChain};
///
/// let chain = EmbeddedChain::new(1);
/// let [sender, receiver, ..] = DEVELOPMENT_ACCOUNTS;
/// let call = Call::new(sender, receiver, bytes!("")).with_value(U256::MAX);
/// assert!(matches!(chain.call(call), Err(ChainError::InvalidTransaction(_))));
/// assert!(matches!(chain.set_timestamp(0), Err(ChainError::TimestampNotLater { .. })));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The transaction may not be part of a block (nonce, funds, gas limit, fee, chain id, …).
    #[error("invalid transaction: {0}")]
    InvalidTransaction(InvalidTransaction),
    /// The EVM itself could not run, for a reason that lies in neither the transaction nor the contract.
    #[error("execution failed: {0}")]
    Execution(String),
    /// Blob transactions (EIP-4844) are not executed by this chain.
    #[error("blob transactions (EIP-4844) are not supported")]
    BlobTransaction,
    /// [`EmbeddedChain::deploy`](crate::EmbeddedChain::deploy): the creation reverted or halted.
    #[error("the contract's creation failed ({ending:?}) with data {data}")]
    DeploymentFailed {
        /// How it ended.
        ending: Ending,
        /// The revert data, if it reverted.
        data: Bytes,
    },
    /// Time on a chain only moves forward: the next block must be later than the latest.
    #[error("timestamp {requested} is not later than the latest block's, {latest}")]
    TimestampNotLater {
        /// The time asked for, in seconds since the Unix epoch.
        requested: u64,
        /// The latest block's time.
        latest: u64,
    },
    /// The time asked for is beyond what 64 bits of seconds can say.
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
