//! Follows the attestations that are spent on a chain, and verifies each once more: with the authorization that was in
//! the transaction, under what the chain knew in that block. See `main.rs` for how to run it.
//!
//! # What it can and cannot see
//!
//! `AttestationSpent` names client, task and nonce; the authorization is in the calldata of the call to the client.
//!
//! - A transaction that calls the client itself, with the authorization behind its calldata or as the argument of
//!   `execute(Intent,bytes)`, is read as it is.
//! - Any other, such as a call by way of a smart account, a multicall or a relay, is looked up in the transaction's
//!   trace (`debug_traceTransaction`), in the call that the client made to the TaskManager. Where the node gives no
//!   trace, the attestation is reported as not visible. Nothing is guessed.
//!
//! Chain state is that of the end of the block in which it was spent and, where the verifier refuses under that, of the
//! end of the block before: a policy or an epoch may have changed within the block, before the call or after it. Nodes
//! that have not kept that state make the finding undecided. Whether a nonce had been spent is known from the events
//! since the first block that was followed, not from state, which at the end of the block says that it is.

mod following;
mod judging;
mod visible;

pub use following::{Indexer, Settings};
pub use judging::{Finding, Verdict};
