//! The direct interface.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use alloy::{
    primitives::{Address, Bytes, U256},
    providers::{DynProvider, Provider, ProviderBuilder},
    rpc::client::RpcClient,
};

use crate::{
    Call, ChainError, EmbeddedTransport, Genesis, Outcome,
    machine::{Machine, Moment, Rules},
};

/// How often alloy asks for new blocks while it waits for confirmations. An answer takes microseconds.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// A chain in memory. Clones are handles on the same chain.
///
/// The direct methods take no fee and ask for no signature: any address may send. Transactions that come through
/// [`provider`](Self::provider) are held to all of the chain's rules.
///
/// ```
/// use alloy::primitives::{Address, U256, bytes};
/// use assent_chain::{Call, DEVELOPMENT_ACCOUNTS, EmbeddedChain};
///
/// let chain = EmbeddedChain::new(31_337);
/// assert_eq!((chain.chain_id(), chain.block_number()), (31_337, 0));
/// let [sender, receiver, ..] = DEVELOPMENT_ACCOUNTS;
///
/// // A transaction is mined at once, in a block of its own.
/// let (before, snapshot) = (chain.balance(receiver), chain.snapshot());
/// let sent = chain.transact(Call::new(sender, receiver, bytes!("")).with_value(U256::from(5)))?;
/// assert!(sent.is_success());
/// assert_eq!(chain.balance(receiver), before + U256::from(5));
/// assert_eq!((chain.block_number(), chain.nonce(sender)), (1, 1));
///
/// // Back to where it was.
/// assert!(chain.revert(snapshot));
/// assert_eq!((chain.block_number(), chain.balance(receiver)), (0, before));
///
/// // Any state can be laid out: here code that returns its slot 0.
/// let contract = Address::repeat_byte(0xcc);
/// chain.set_code(contract, bytes!("5f545f5260205ff3"))?;
/// chain.set_storage(contract, U256::ZERO, U256::from(42));
/// chain.set_balance(contract, U256::from(7));
/// assert_eq!(chain.code_at(contract).len(), 8);
/// assert_eq!(chain.storage_at(contract, U256::ZERO), U256::from(42));
/// let answer = chain.call(Call::new(sender, contract, bytes!("")))?;
/// assert_eq!(U256::from_be_slice(&answer.output), U256::from(42));
/// # Ok::<(), assent_chain::ChainError>(())
/// ```
#[derive(Clone)]
pub struct EmbeddedChain {
    machine: Arc<Mutex<Machine>>,
}

/// Names a state to return to. It can be used once, and is void once an earlier snapshot is returned to.
///
/// ```
/// use assent_chain::EmbeddedChain;
///
/// let chain = EmbeddedChain::new(31_337);
/// let snapshot = chain.snapshot();
/// chain.mine()?;
/// assert!(chain.revert(snapshot));
/// assert!(!chain.revert(snapshot)); // It is used up.
/// # Ok::<(), assent_chain::ChainError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SnapshotId(u64);

impl EmbeddedChain {
    /// A chain with [`Genesis::development`]: ten funded accounts, at a fixed time.
    pub fn new(chain_id: u64) -> Self {
        Self::with_genesis(Genesis::development(chain_id))
    }

    /// A chain that starts from `genesis`.
    ///
    /// ```
    /// use alloy::primitives::{Address, U256};
    /// use assent_chain::{EmbeddedChain, Genesis};
    ///
    /// let rich = Address::repeat_byte(1);
    /// let genesis = Genesis { chain_id: 1, timestamp: 1_800_000_000, accounts: vec![(rich, U256::from(100))] };
    /// let chain = EmbeddedChain::with_genesis(genesis);
    /// assert_eq!((chain.timestamp(), chain.balance(rich)), (1_800_000_000, U256::from(100)));
    /// ```
    pub fn with_genesis(genesis: Genesis) -> Self {
        Self { machine: Arc::new(Mutex::new(Machine::new(genesis))) }
    }

    /// An alloy provider over this chain that fills in chain id, nonce, gas and fees. The accounts of the genesis block
    /// are unlocked: a request with one of them as `from` needs no signature.
    ///
    /// The nonce is asked for each time. alloy's default remembers nonces, and is wrong after a transaction that was
    /// not accepted and after a return to a snapshot.
    ///
    /// Waiting for a receipt needs a tokio runtime.
    ///
    /// ```
    /// use alloy::{primitives::U256, providers::Provider, rpc::types::TransactionRequest};
    /// use assent_chain::{DEVELOPMENT_ACCOUNTS, EmbeddedChain};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let chain = EmbeddedChain::new(31_337);
    /// let [sender, receiver, ..] = DEVELOPMENT_ACCOUNTS;
    /// let request = TransactionRequest::default().from(sender).to(receiver).value(U256::from(5));
    /// let receipt = chain.provider().send_transaction(request).await?.get_receipt().await?;
    /// assert_eq!((receipt.gas_used, chain.block_number()), (21_000, 1));
    /// # Ok(())
    /// # }
    /// ```
    pub fn provider(&self) -> DynProvider {
        let builder = ProviderBuilder::new().disable_recommended_fillers().with_gas_estimation();
        let builder = builder.with_simple_nonce_management().fetch_chain_id();
        builder.connect_client(self.client()).erased()
    }

    /// A JSON-RPC client over this chain, to build a provider of one's own on, for instance with a wallet:
    /// `ProviderBuilder::new().wallet(wallet).connect_client(chain.client())`.
    ///
    /// ```
    /// use alloy::providers::{Provider, ProviderBuilder};
    /// use assent_chain::EmbeddedChain;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let provider = ProviderBuilder::new().connect_client(EmbeddedChain::new(10).client());
    /// assert_eq!(provider.get_chain_id().await?, 10);
    /// # Ok(())
    /// # }
    /// ```
    pub fn client(&self) -> RpcClient {
        RpcClient::new(EmbeddedTransport::new(self.clone()), true).with_poll_interval(POLL_INTERVAL)
    }

    /// Executes a call on the latest state, at the latest block's number and time, and changes nothing.
    ///
    /// # Errors
    ///
    /// [`ChainError::InvalidTransaction`] when the call cannot even begin: `from` does not own the value, or the gas
    /// limit is below the intrinsic cost or above [`TRANSACTION_GAS_CAP`](crate::TRANSACTION_GAS_CAP).
    pub fn call(&self, call: Call) -> Result<Outcome, ChainError> {
        self.machine().simulate(call.into(), Moment::Latest)
    }

    /// Like [`call`](Self::call), as though the latest block's time were `timestamp` (seconds since the Unix epoch,
    /// past or future).
    ///
    /// ```
    /// use alloy::primitives::{Address, U256, bytes};
    /// use assent_chain::{Call, DEVELOPMENT_ACCOUNTS, EmbeddedChain};
    ///
    /// let chain = EmbeddedChain::new(31_337);
    /// // Code that returns the time it sees.
    /// let clock = Address::repeat_byte(0xcc);
    /// chain.set_code(clock, bytes!("425f5260205ff3"))?;
    /// let read = Call::new(DEVELOPMENT_ACCOUNTS[0], clock, bytes!(""));
    /// let time = |outcome: assent_chain::Outcome| U256::from_be_slice(&outcome.output).to::<u64>();
    ///
    /// let yesterday = chain.timestamp() - 24 * 60 * 60;
    /// assert_eq!(time(chain.call_at(read.clone(), yesterday)?), yesterday);
    /// assert_eq!(time(chain.call(read)?), chain.timestamp());
    /// # Ok::<(), assent_chain::ChainError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub fn call_at(&self, call: Call, timestamp: u64) -> Result<Outcome, ChainError> {
        self.machine().simulate(call.into(), Moment::At(timestamp))
    }

    /// Executes a call as a transaction in a block of its own, also when it reverts. The sender's nonce goes up; no fee
    /// is taken.
    ///
    /// # Errors
    ///
    /// [`ChainError::InvalidTransaction`] as for [`call`](Self::call), and when the sender's nonce is used up;
    /// [`ChainError::TimestampOverflow`] at the end of time. Nothing is mined then.
    pub fn transact(&self, call: Call) -> Result<Outcome, ChainError> {
        let mut machine = self.machine();
        let transaction = machine.free_transaction(call);
        machine.transact(transaction, Rules::NoFee)
    }

    /// Deploys a contract and returns its address.
    ///
    /// ```
    /// use alloy::primitives::bytes;
    /// use assent_chain::{DEVELOPMENT_ACCOUNTS, EmbeddedChain};
    ///
    /// let chain = EmbeddedChain::new(31_337);
    /// // Twelve bytes that return the one after them, STOP.
    /// let contract = chain.deploy(DEVELOPMENT_ACCOUNTS[0], bytes!("6001600c60003960016000f3" "00"))?;
    /// assert_eq!(chain.code_at(contract), bytes!("00"));
    /// # Ok::<(), assent_chain::ChainError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ChainError::DeploymentFailed`] with the revert data when the creation failed, and the errors of
    /// [`transact`](Self::transact).
    pub fn deploy(&self, from: Address, creation_code: impl Into<Bytes>) -> Result<Address, ChainError> {
        let outcome = self.transact(Call::create(from, creation_code))?;
        outcome.created.ok_or(ChainError::DeploymentFailed { ending: outcome.ending, data: outcome.output })
    }

    /// The chain's id (EIP-155).
    pub fn chain_id(&self) -> u64 {
        self.machine().chain_id()
    }

    /// The latest block's number; 0 before anything is mined.
    pub fn block_number(&self) -> u64 {
        self.machine().latest().header.number
    }

    /// The latest block's time in seconds since the Unix epoch.
    pub fn timestamp(&self) -> u64 {
        self.machine().latest().header.timestamp
    }

    /// Mines an empty block at `timestamp` (seconds since the Unix epoch), so that calls see that time.
    ///
    /// ```
    /// use alloy::primitives::{Address, U256, bytes};
    /// use assent_chain::{Call, DEVELOPMENT_ACCOUNTS, EmbeddedChain};
    ///
    /// let chain = EmbeddedChain::new(31_337);
    /// // Code that returns the time it sees.
    /// let clock = Address::repeat_byte(0xcc);
    /// chain.set_code(clock, bytes!("425f5260205ff3"))?;
    /// let read = Call::new(DEVELOPMENT_ACCOUNTS[0], clock, bytes!(""));
    /// let time = |outcome: assent_chain::Outcome| U256::from_be_slice(&outcome.output).to::<u64>();
    ///
    /// let tomorrow = chain.timestamp() + 24 * 60 * 60;
    /// chain.set_timestamp(tomorrow)?;
    /// assert_eq!(time(chain.call(read)?), tomorrow);
    /// assert!(chain.set_timestamp(tomorrow).is_err()); // Time only moves forward.
    /// # Ok::<(), assent_chain::ChainError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ChainError::TimestampNotLater`] unless it is later than the latest block's;
    /// [`ChainError::TimestampOverflow`] for the largest number of all.
    pub fn set_timestamp(&self, timestamp: u64) -> Result<(), ChainError> {
        let mut machine = self.machine();
        machine.set_next_timestamp(timestamp)?;
        machine.mine_empty()
    }

    /// The time of the block that would be mined now.
    pub fn next_timestamp(&self) -> u64 {
        self.machine().next_timestamp()
    }

    /// Sets the time of the next block, in seconds since the Unix epoch. Calls see it once that block is mined.
    ///
    /// ```
    /// use assent_chain::EmbeddedChain;
    ///
    /// let chain = EmbeddedChain::new(31_337);
    /// let now = chain.timestamp();
    /// assert_eq!(chain.next_timestamp(), now + 1);
    ///
    /// chain.set_next_timestamp(now + 60)?;
    /// assert_eq!((chain.timestamp(), chain.next_timestamp()), (now, now + 60));
    /// chain.mine()?;
    /// assert_eq!((chain.timestamp(), chain.block_number()), (now + 60, 1));
    /// # Ok::<(), assent_chain::ChainError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`set_timestamp`](Self::set_timestamp).
    pub fn set_next_timestamp(&self, timestamp: u64) -> Result<(), ChainError> {
        self.machine().set_next_timestamp(timestamp)
    }

    /// Mines an empty block.
    ///
    /// # Errors
    ///
    /// [`ChainError::TimestampOverflow`] at the end of time.
    pub fn mine(&self) -> Result<(), ChainError> {
        self.machine().mine_empty()
    }

    /// An account's balance in wei.
    pub fn balance(&self, address: Address) -> U256 {
        self.machine().state().balance(address)
    }

    /// An account's nonce: the number of transactions it sent or, for a contract, of contracts it created plus one.
    pub fn nonce(&self, address: Address) -> u64 {
        self.machine().state().nonce(address)
    }

    /// An account's runtime code; empty for none.
    pub fn code_at(&self, address: Address) -> Bytes {
        self.machine().state().code(address)
    }

    /// The value of a contract's storage slot.
    pub fn storage_at(&self, address: Address, slot: U256) -> U256 {
        self.machine().state().storage(address, slot)
    }

    /// Gives an account `balance` wei, outside any block.
    pub fn set_balance(&self, address: Address, balance: U256) {
        self.machine().state_mut().set_balance(address, balance);
    }

    /// Gives an account runtime code, outside any block. Its storage stays.
    ///
    /// # Errors
    ///
    /// [`ChainError::InvalidCode`] for bytes that begin like an EIP-7702 designator but are not one.
    pub fn set_code(&self, address: Address, code: impl Into<Bytes>) -> Result<(), ChainError> {
        let result = self.machine().state_mut().set_code(address, code.into());
        result.map_err(|error| ChainError::InvalidCode(error.to_string()))
    }

    /// Writes a contract's storage slot, outside any block.
    pub fn set_storage(&self, address: Address, slot: U256, value: U256) {
        self.machine().state_mut().set_storage(address, slot, value);
    }

    /// Remembers state, blocks and the next block's time. Cheap: accounts are shared until they change.
    pub fn snapshot(&self) -> SnapshotId {
        SnapshotId(self.machine().snapshot())
    }

    /// Returns to a snapshot; whether there was one. It and all later ones are used up.
    pub fn revert(&self, snapshot: SnapshotId) -> bool {
        self.machine().revert(snapshot.0)
    }

    /// The machine holds no half-made change when a panic strikes: it changes only after an execution is complete.
    pub(crate) fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for EmbeddedChain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = self.machine();
        formatter
            .debug_struct("EmbeddedChain")
            .field("chain_id", &machine.chain_id())
            .field("block_number", &machine.latest().header.number)
            .finish_non_exhaustive()
    }
}
