//! Offline verification of Assent authorizations.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

extern crate alloc;

#[cfg(not(any(feature = "arkworks", feature = "blst")))]
compile_error!(
    "assent-verifier needs curve arithmetic: enable the feature `arkworks` (pure Rust, the default) or `blst`"
);

mod authorization;
pub mod backend;
pub mod digest;
mod encoding;
mod merkle;
mod non_signers;
pub mod protocol;
mod refusal;

pub use authorization::{Authorization, AuthorizationError, append_trailing, split_trailing};
pub use encoding::{Decision, PublicKey, Signature, UnknownDecision};
pub use merkle::{MerkleProof, MerkleProofTooLong, MerkleTree};
pub use non_signers::{NonSigners, NonSignersError};
pub use protocol::{Attestation, Intent, Policy};
pub use refusal::Refusal;
