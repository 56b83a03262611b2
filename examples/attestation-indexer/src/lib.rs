//! Follows the attestations that are spent on a chain, and verifies each again. It takes the authorization from the
//! transaction and the chain state of that block. See `main.rs` for how to run it.
//!
//! # Visibility
//!
//! `AttestationSpent` names client, task, nonce, epoch and evidence; the authorization is in the calldata of the call
//! to the client.
//!
//! - A transaction that calls the client itself, with the authorization appended to its calldata or as the argument of
//!   `execute(Intent,bytes)`, is read directly.
//! - Any other, such as a call through a smart account, a multicall or a relay, is looked up in the transaction's trace
//!   (`debug_traceTransaction`). It is in the call that the client made to the TaskManager. Where the node gives no
//!   trace, the attestation is reported as not visible.
//!
//! Chain state is that of the end of the block in which it was spent. Where the verifier refuses under that, it is of
//! the end of the block before. A policy or an epoch may have changed within the block, before the call or after it.
//! Nodes that have not kept that state make the finding undecided. Whether a nonce had been spent is known from the
//! events since the first block that was followed. It is not read from state, which at the end of the block says that
//! it is.
//!
//! Which operators signed is in the authorization, or, for a recorded root, in the transaction that recorded it.

mod following;
mod indexer;
mod participation;
mod recording;
mod signers;
mod verification;
mod visible;

pub use indexer::{BlocksReplaced, Indexer, Settings, is_temporary};
pub use participation::Participation;
pub use signers::Signers;
pub use verification::{Finding, FindingStatus};
pub use visible::{Visible, find_call};
