//! Reads what a decision depends on from a chain, pinned to one block.
//!
//! Operators examine a task with it, and gateways prepare one. It reads the client's terms, its spent nonces, the
//! epochs that its TaskManager knows, and what kind of account calls. Every read of a [`BlockView`] is by the block's
//! hash, and only while the block is canonical (EIP-1898), so that all honest nodes answer alike.
//!
//! It decides nothing, and reads no clock. A contract that answers anything, or reverts, gives a value. An error says
//! that the node gave no answer, and the same read may succeed later. Calls that end otherwise (an invalid instruction,
//! no gas left) are errors too, since nodes have no common answer for them.
//!
//! ```
//! use alloy::primitives::Address;
//! use assent_chain::{DEVELOPMENT_ACCOUNTS, EmbeddedChain};
//! use assent_chain_view::ChainView;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let chain = EmbeddedChain::new(31_337);
//! let task_manager = Address::repeat_byte(1); // Only reads of epochs and nonces need a real one.
//! let view = ChainView::new(chain.provider(), task_manager);
//!
//! let latest = view.latest_block().await?;
//! assert_eq!(view.canonical_block(latest.number).await?, Some(latest));
//!
//! let at_latest = view.at(latest);
//! assert!(!at_latest.is_delegated(DEVELOPMENT_ACCOUNTS[0]).await?);
//! assert!(at_latest.client_terms(DEVELOPMENT_ACCOUNTS[0]).await?.is_none()); // Not a client.
//! # Ok(())
//! # }
//! ```

#![cfg_attr(
    not(test),
    deny(clippy::as_conversions, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)
)]

mod answers;
mod at_block;
mod declarations;
mod error;
mod handovers;
mod shared;
mod view;

pub use at_block::BlockView;
pub use declarations::OperatorDeclaration;
pub use error::ChainViewError;
pub use handovers::{FinalHandover, HandoverFault, offer_tables, read_final_handover};
pub use shared::{ClientTerms, ViewedBlock};
pub use view::ChainView;
