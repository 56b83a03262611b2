//! An in-process Ethereum chain on [`revm`]: no socket, no child process, no clock.
//!
//! One state machine has two interfaces:
//!
//! - [`EmbeddedChain`] itself is synchronous and fast, for tests and differential fuzzing: thousands of refused calls
//!   a second on one core.
//! - [`EmbeddedChain::provider`] is an alloy provider to it: code that talks to a node over JSON-RPC runs unchanged.
//!
//! ```
//! use alloy::{primitives::bytes, providers::Provider, rpc::types::TransactionRequest};
//! use assent_chain::{Message, DEVELOPMENT_ACCOUNTS, EmbeddedChain};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let chain = EmbeddedChain::new(31_337);
//! let sender = DEVELOPMENT_ACCOUNTS[0];
//!
//! // A contract whose code is REVERT with the four bytes 0xdeadbeef; the first twelve bytes return the rest.
//! let creation = bytes!("600d600c600039600d6000f3" "63deadbeef6000526004601cfd");
//! let contract = chain.deploy(sender, creation)?;
//!
//! let refused = chain.call(Message::new(sender, contract, bytes!("")))?;
//! assert_eq!(refused.revert_data(), Some(&bytes!("deadbeef")));
//!
//! // The same through JSON-RPC.
//! let provider = chain.provider();
//! let request = TransactionRequest::default().from(sender).to(contract);
//! let error = provider.call(request).await.unwrap_err();
//! assert_eq!(error.as_error_resp().and_then(|answer| answer.as_revert_data()), Some(bytes!("deadbeef")));
//! # Ok(())
//! # }
//! ```
//!
//! # The rules
//!
//! - Osaka: EIP-2537 precompiles at `0x0b` to `0x11`, MODEXP priced by EIP-7883, transactions of at most 2^24 gas
//!   (EIP-7825), code of at most 24,576 bytes. The block gas limit is 60 million.
//! - [`EmbeddedChain::set_price`] makes a precompile dearer, as a later hardfork might.
//! - Every transaction is mined at once, in its own block.
//! - Time does not pass between blocks. The next block is one second after the latest unless a later time was set;
//!   every block is later than its parent.
//! - At `latest`, `eth_call` sees the latest block's number and time; at `pending`, the next block's. Gas estimates are
//!   made for the next block, whichever block they name. So does anvil. To see a call at a new time, mine a block after
//!   moving the clock.
//! - A transaction that reverts is mined with status 0. `eth_estimateGas` fails with the revert data, and so does
//!   sending through alloy's gas filler without a gas limit.
//!
//! # Where it differs from anvil
//!
//! - Only the latest state is kept, and those of a few blocks before it after [`EmbeddedChain::keep_past_states`].
//!   State or calls at an older block get an error, never newer data.
//! - anvil allows a block the same time as its parent, and checks EIP-7825 only when told to.
//! - After `evm_revert` the base fee follows from the block returned to; anvil 1.7 goes on from the discarded ones.
//! - A transaction has its receipt when its hash is answered; anvil mines a moment later.
//! - A transaction with a nonce ahead of the account's is refused, not queued.
//! - There is no state trie (headers carry the empty trie's root), no blob transactions and no system contracts
//!   (EIP-2935, EIP-4788).
//! - Transactions of unlocked accounts carry a placeholder for a signature.

mod block;
mod chain;
mod execution;
mod genesis;
mod machine;
mod precompiles;
mod rpc;
mod state;
mod transport;

pub use chain::{EmbeddedChain, SnapshotId};
pub use execution::{ChainError, Execution, ExecutionStatus, Message};
pub use genesis::{DEPLOYMENT_PROXY, DEPLOYMENT_PROXY_CODE, DEVELOPMENT_ACCOUNTS, DEVELOPMENT_CHAIN_ID, Genesis};
pub use revm::context::result::{HaltReason, InvalidTransaction};
pub use transport::EmbeddedTransport;

/// Gas limit of every block, as on mainnet since November 2025.
///
/// ```
/// use assent_chain::{BLOCK_GAS_LIMIT, TRANSACTION_GAS_CAP};
///
/// // A block holds three of the largest transactions.
/// assert_eq!(BLOCK_GAS_LIMIT / TRANSACTION_GAS_CAP, 3);
/// ```
pub const BLOCK_GAS_LIMIT: u64 = 60_000_000;

/// The maximum gas limit of a transaction (EIP-7825).
///
/// ```
/// use alloy::primitives::bytes;
/// use assent_chain::{Message, DEVELOPMENT_ACCOUNTS, EmbeddedChain, TRANSACTION_GAS_CAP};
///
/// let [sender, receiver, ..] = DEVELOPMENT_ACCOUNTS;
/// let call = Message::new(sender, receiver, bytes!(""));
/// assert!(EmbeddedChain::new(1).call(call.clone().with_gas_limit(TRANSACTION_GAS_CAP)).is_ok());
/// assert!(EmbeddedChain::new(1).call(call.with_gas_limit(TRANSACTION_GAS_CAP + 1)).is_err());
/// ```
pub const TRANSACTION_GAS_CAP: u64 = 1 << 24;

/// The README's example is tested like all others.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
