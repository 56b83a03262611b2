//! The synchronous interface.

use std::{fmt, sync::MutexGuard, time::Duration};

use alloy::{
    primitives::{Address, Bytes, U256},
    providers::{DynProvider, Provider, ProviderBuilder},
    rpc::client::RpcClient,
};

use crate::{
    ChainError, EmbeddedTransport, Execution, Genesis, Message,
    machine::{ExecutionBlock, Machine, Rules, SharedMachine},
};

/// How often alloy asks for new blocks while it waits for confirmations. An answer takes microseconds.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// A chain in memory. Clones are handles on the same chain.
///
/// The direct methods take no fee and require no signature: any address can send. Transactions that come through
/// [`provider`](Self::provider) must follow all of the chain's rules.
///
/// ```
/// use alloy::primitives::{Address, U256, bytes};
/// use assent_chain::{Message, DEVELOPMENT_ACCOUNTS, EmbeddedChain};
///
/// let chain = EmbeddedChain::new(31_337);
/// assert_eq!((chain.chain_id(), chain.block_number()), (31_337, 0));
/// let [sender, receiver, ..] = DEVELOPMENT_ACCOUNTS;
///
/// // A transaction is mined at once, in its own block.
/// let (before, snapshot) = (chain.balance(receiver), chain.snapshot());
/// let sent = chain.transact(Message::new(sender, receiver, bytes!("")).with_value(U256::from(5)))?;
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
/// let answer = chain.call(Message::new(sender, contract, bytes!("")))?;
/// assert_eq!(U256::from_be_slice(&answer.output), U256::from(42));
/// # Ok::<(), assent_chain::ChainError>(())
/// ```
#[derive(Clone)]
pub struct EmbeddedChain {
    machine: SharedMachine,
}

/// The id of a snapshot. It can be used only once, and is invalid after a return to an earlier snapshot.
///
/// ```
/// use assent_chain::EmbeddedChain;
///
/// let chain = EmbeddedChain::new(31_337);
/// let snapshot = chain.snapshot();
/// chain.mine()?;
/// assert!(chain.revert(snapshot));
/// assert!(!chain.revert(snapshot)); // It can be used only once.
/// # Ok::<(), assent_chain::ChainError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SnapshotId(u64);

impl EmbeddedChain {
    /// Returns a chain with [`Genesis::development`]: ten funded accounts, at a fixed time.
    pub fn new(chain_id: u64) -> Self {
        Self::with_genesis(Genesis::development(chain_id))
    }

    /// Returns a chain that starts from `genesis`.
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
        Self { machine: SharedMachine::new(genesis) }
    }

    /// Returns an alloy provider to this chain, which fills in chain id, nonce, gas and fees. The genesis accounts
    /// are unlocked: a request with one of them as `from` needs no signature.
    ///
    /// The nonce is read each time. alloy's default caches nonces, and is wrong after a rejected transaction and after
    /// a return to a snapshot.
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

    /// Returns a JSON-RPC client of this chain, for a custom provider, for instance with a wallet:
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
        RpcClient::new(self.transport(), true).with_poll_interval(POLL_INTERVAL)
    }

    /// Returns an alloy transport to this chain, for layers and clients other than [`client`](Self::client)'s.
    pub fn transport(&self) -> EmbeddedTransport {
        EmbeddedTransport::new(self.machine.clone())
    }

    /// Executes a call on the latest state, at the latest block's number and time, without changing state.
    ///
    /// # Errors
    ///
    /// [`ChainError::InvalidTransaction`] when the call cannot start: `from` does not own the value, or the gas
    /// limit is below the intrinsic cost or above [`TRANSACTION_GAS_CAP`](crate::TRANSACTION_GAS_CAP).
    pub fn call(&self, message: Message) -> Result<Execution, ChainError> {
        self.machine().simulate(message.into(), ExecutionBlock::Latest)
    }

    /// Like [`call`](Self::call), as though the latest block's time were `timestamp` (seconds since the Unix epoch,
    /// past or future).
    ///
    /// ```
    /// use alloy::primitives::{Address, U256, bytes};
    /// use assent_chain::{Message, DEVELOPMENT_ACCOUNTS, EmbeddedChain};
    ///
    /// let chain = EmbeddedChain::new(31_337);
    /// // Code that returns the time it sees.
    /// let clock = Address::repeat_byte(0xcc);
    /// chain.set_code(clock, bytes!("425f5260205ff3"))?;
    /// let read = Message::new(DEVELOPMENT_ACCOUNTS[0], clock, bytes!(""));
    /// let time = |execution: assent_chain::Execution| U256::from_be_slice(&execution.output).to::<u64>();
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
    pub fn call_at(&self, message: Message, timestamp: u64) -> Result<Execution, ChainError> {
        self.machine().simulate(message.into(), ExecutionBlock::At(timestamp))
    }

    /// Executes a call as a transaction in its own block, also when it reverts. The sender's nonce increases; no fee is
    /// taken.
    ///
    /// # Errors
    ///
    /// [`ChainError::InvalidTransaction`] as for [`call`](Self::call), and when the sender's nonce is at its maximum;
    /// [`ChainError::TimestampOverflow`] when there is no later time. Nothing is mined then.
    pub fn transact(&self, message: Message) -> Result<Execution, ChainError> {
        let mut machine = self.machine();
        let transaction = machine.free_transaction(message);
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
        let execution = self.transact(Message::create(from, creation_code))?;
        execution.created.ok_or(ChainError::DeploymentFailed { status: execution.status, data: execution.output })
    }

    /// Returns the chain's id (EIP-155).
    pub fn chain_id(&self) -> u64 {
        self.machine().chain_id()
    }

    /// Returns the latest block's number; 0 before anything is mined.
    pub fn block_number(&self) -> u64 {
        self.machine().latest().header.number
    }

    /// Returns the latest block's time in seconds since the Unix epoch.
    pub fn timestamp(&self) -> u64 {
        self.machine().latest().header.timestamp
    }

    /// Mines an empty block at `timestamp` (seconds since the Unix epoch), so that calls see that time.
    ///
    /// ```
    /// use alloy::primitives::{Address, U256, bytes};
    /// use assent_chain::{Message, DEVELOPMENT_ACCOUNTS, EmbeddedChain};
    ///
    /// let chain = EmbeddedChain::new(31_337);
    /// // Code that returns the time it sees.
    /// let clock = Address::repeat_byte(0xcc);
    /// chain.set_code(clock, bytes!("425f5260205ff3"))?;
    /// let read = Message::new(DEVELOPMENT_ACCOUNTS[0], clock, bytes!(""));
    /// let time = |execution: assent_chain::Execution| U256::from_be_slice(&execution.output).to::<u64>();
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
    /// [`ChainError::TimestampOverflow`] for `u64::MAX`.
    pub fn set_timestamp(&self, timestamp: u64) -> Result<(), ChainError> {
        let mut machine = self.machine();
        machine.set_next_timestamp(timestamp)?;
        machine.mine_empty()
    }

    /// Returns the time of the block that would be mined now.
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
    /// [`ChainError::TimestampOverflow`] when there is no later time.
    pub fn mine(&self) -> Result<(), ChainError> {
        self.machine().mine_empty()
    }

    /// Sets the price of a precompile from now on, as a hardfork might: `price` makes it from today's, in gas, for each
    /// input. Returning to a snapshot does not change it.
    ///
    /// ```
    /// use alloy::primitives::{Address, bytes};
    /// use assent_chain::{DEVELOPMENT_ACCOUNTS, EmbeddedChain, Message};
    ///
    /// let chain = EmbeddedChain::new(31_337);
    /// let sha256 = Address::with_last_byte(2);
    /// let call = Message::new(DEVELOPMENT_ACCOUNTS[0], sha256, bytes!(""));
    /// let today = chain.call(call.clone())?.gas_used;
    ///
    /// chain.set_price(sha256, |today| today + 1_000);
    /// assert_eq!(chain.call(call.clone())?.gas_used, today + 1_000);
    /// // Gas for today's price does not suffice.
    /// assert!(!chain.call(call.with_gas_limit(today))?.is_success());
    /// # Ok::<(), assent_chain::ChainError>(())
    /// ```
    pub fn set_price(&self, precompile: Address, price: fn(u64) -> u64) {
        self.machine().set_price(precompile, price);
    }

    /// Returns an account's balance in wei.
    pub fn balance(&self, address: Address) -> U256 {
        self.machine().state().balance(address)
    }

    /// Returns an account's nonce: the number of transactions it sent or, for a contract, of contracts it created, plus
    /// one.
    pub fn nonce(&self, address: Address) -> u64 {
        self.machine().state().nonce(address)
    }

    /// Returns an account's runtime code; empty when it has none.
    pub fn code_at(&self, address: Address) -> Bytes {
        self.machine().state().code(address)
    }

    /// Returns the value of a contract's storage slot.
    pub fn storage_at(&self, address: Address, slot: U256) -> U256 {
        self.machine().state().storage(address, slot)
    }

    /// Sets an account's balance in wei, outside any block.
    pub fn set_balance(&self, address: Address, balance: U256) {
        self.machine().state_mut().set_balance(address, balance);
    }

    /// Sets an account's runtime code, outside any block. Its storage is unchanged.
    ///
    /// # Errors
    ///
    /// [`ChainError::InvalidCode`] for bytes that begin like an EIP-7702 designator but are not one.
    pub fn set_code(&self, address: Address, code: impl Into<Bytes>) -> Result<(), ChainError> {
        let result = self.machine().state_mut().set_code(address, code.into());
        result.map_err(|error| ChainError::InvalidCode(error.to_string()))
    }

    /// Sets a contract's storage slot, outside any block.
    pub fn set_storage(&self, address: Address, slot: U256, value: U256) {
        self.machine().state_mut().set_storage(address, slot, value);
    }

    /// Keeps the states of so many blocks before the latest from now on, so that they can be read and called by number
    /// or hash. Without it, none are kept.
    ///
    /// ```
    /// use alloy::{primitives::{Address, U256}, providers::Provider};
    /// use assent_chain::EmbeddedChain;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (chain, account) = (EmbeddedChain::new(31_337), Address::repeat_byte(1));
    /// chain.keep_past_states(2);
    /// for balance in 0..4 {
    ///     chain.set_balance(account, U256::from(balance));
    ///     chain.mine()?; // Blocks 1 to 4.
    /// }
    /// let provider = chain.provider();
    /// assert_eq!(provider.get_balance(account).number(3).await?, U256::from(3)); // As the next block was mined.
    /// assert_eq!(provider.get_balance(account).number(2).await?, U256::from(2));
    /// assert!(provider.get_balance(account).number(1).await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn keep_past_states(&self, count: usize) {
        self.machine().keep_past_states(count);
    }

    /// Takes a snapshot of the state, the blocks and the next block's time. It is cheap: accounts are copied on write.
    pub fn snapshot(&self) -> SnapshotId {
        SnapshotId(self.machine().snapshot())
    }

    /// Returns to a snapshot; `false` if it does not exist. It and all later ones become invalid.
    pub fn revert(&self, snapshot: SnapshotId) -> bool {
        self.machine().revert(snapshot.0)
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock()
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
