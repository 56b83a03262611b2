//! Offline verification of Assent authorizations: the same checks, in the same order, with the same errors as the contracts.
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
mod check;
mod context;
pub mod digest;
mod document;
mod encoding;
#[cfg(feature = "serde")]
pub mod json;
mod merkle;
mod non_signers;
mod operator_table;
mod operators;
mod possession;
pub mod protocol;
mod refusal;
mod spent;
mod verify;

pub use authorization::{Authorization, AuthorizationError, append_trailing, split_trailing};
pub use check::{Check, Examination, Outcome};
pub use context::Context;
pub use document::{AttestationDocument, Difference};
pub use encoding::{Decision, PublicKey, Signature, UnknownDecision};
pub use merkle::{MerkleProof, MerkleProofTooLong, MerkleTree};
pub use non_signers::{NonSigners, NonSignersError};
pub use operator_table::OperatorTableError;
pub use operators::{Epoch, Operator, OperatorSet, OperatorSetError};
pub use possession::verify_proof_of_possession;
pub use protocol::{Attestation, Intent, Policy};
pub use refusal::Refusal;
pub use spent::{SpentLedger, SpentNonces};
pub use verify::{Call, VerifiedAttestation, examine, examine_with, verify, verify_trailing};
