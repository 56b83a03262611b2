//! Offline verification of Assent authorizations: the contracts' checks, in their order, with their errors.
//!
//! A protected contract refuses every call that a quorum of operators has not attested.
//! This crate makes the same decision without a chain, for services that act before a contract, or instead of one.
//! Its inputs are the authorization, the call, and a [`Context`] that holds the chain state.
//!
//! ```
//! # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
//! # let (mut context, intent, document) = attested::example();
//! # let authorization = document.authorization()?.encode();
//! let verified = assent_verifier::spend(&mut context, &intent, &authorization)?;
//! assert_eq!(*verified.intent(), intent); // Make this call now.
//!
//! // An authorization can be used only once.
//! let refusal = assent_verifier::spend(&mut context, &intent, &authorization).unwrap_err();
//! assert_eq!(refusal.name(), "AttestationAlreadySpent");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - [`spend`] verifies and spends the nonce. [`verify`] only verifies.
//! - [`verify_batch`] verifies many calls in a fraction of the time.
//! - [`verify_with_report`] reports the result of each check.
//! - A [`VerifiedAttestation`] is constructed only by verification. A [`Refusal`] is the contracts' error, to the byte.
//!
//! The crate reads no clock, no network and no file, needs no `std`, and panics on no input.
//! Formats and checks are those of `docs/protocol.md`. The protocol's types are re-exported from `assent-types`.
//!
//! # Features
//!
//! - `arkworks` (default): curve arithmetic in pure Rust, for every target.
//! - `blst`: curve arithmetic by blst, about twice as fast. Functions whose names end in `_using` take it; it is the
//!   default only without `arkworks` (see [`backend`]). The results are the same on all inputs.
//! - `rayon`: `par_verify_batch`, in all threads. Uses `std`.
//! - `serde`: the JSON of module `json`.
//!
//! At least one of the first two must be enabled. A feature only adds: none changes what another crate uses.
//!
//! # Time and memory
//!
//! The first verification under an [`OperatorSet`] prepares its keys, once for each backend that verifies.
//! The prepared keys take about 40 kB and 200 bytes for each operator, and clones share them.
//! With blst a later verification allocates nothing except what its result holds.
//! arkworks copies those 40 kB for the time of a pairing.
//!
//! Allocations are bounded, including memory that is freed before the call returns. They are at most 16 bytes for each
//! byte of input and 256 kB for each verified call. Each operator set or operator table that is read may take another
//! 256 kB. A batch may allocate that again each time it is halved to find an invalid signature: ten times for a
//! thousand calls. The input is every byte passed in: calldata, authorizations, tables, JSON. An epoch takes at least
//! about 500 bytes of JSON. If a whole [`Context`] comes from an untrusted source, limit the number of its epochs; an
//! authorization, a call or a document has none.
//!
//! # Unsafe code
//!
//! Without the feature `blst`, unsafe code is forbidden. With it, only the module `backend::blst::raw` has unsafe code:
//! the few calls into the library for which its Rust crate has no safe interface.

#![no_std]
#![cfg_attr(not(feature = "blst"), forbid(unsafe_code))]
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
#[cfg(feature = "rayon")]
extern crate std;

#[cfg(not(any(feature = "arkworks", feature = "blst")))]
compile_error!(
    "assent-verifier needs curve arithmetic: enable the feature `arkworks` (pure Rust, the default) or `blst`"
);

pub mod backend;
mod batch;
mod call;
mod checks;
mod claim;
mod coefficients;
mod combination;
mod connection;
mod context;
mod difference;
mod epoch_signature;
mod handover;
mod handover_error;
#[cfg(feature = "serde")]
pub mod json;
mod mirror_state;
mod observation;
mod operator_table;
mod operators;
mod possession;
mod recorded;
mod refusal;
mod report;
mod revocation;
mod spent;
mod threads;
mod verified;
mod verify;

pub use assent_types::{
    Attestation, AttestationDocument, Authorization, AuthorizationError, AuthorizationRef, Connection, Decision,
    EpochApproval, EpochHandover, EpochId, EpochRevocation, Intent, InvalidAddress, MAX_EPOCH_LIFETIME, MerkleProof,
    MerkleProofRef, MerkleProofTooLong, MerkleTree, NonSigners, NonSignersError, NonSignersRef, Observation,
    OperatorSetId, Policy, PublicKey, QuorumProof, QuorumProofRef, Signature, UnknownDecision, append_trailing, digest,
    offset, parse_address, protocol, split_trailing,
};
#[cfg(feature = "rayon")]
pub use batch::{par_verify_batch, par_verify_batch_using};
pub use batch::{verify_batch, verify_batch_using, verify_each_using};
pub use call::Call;
pub use connection::verify_connection;
pub use context::{Context, ContextBuilder};
pub use difference::Difference;
pub use epoch_signature::SignedByOperators;
pub use handover::{VerifiedHandover, verify_handover, verify_handover_using};
pub use handover_error::{EpochSignatureError, HandoverError, RevocationError};
pub use mirror_state::MirrorState;
pub use observation::{
    ObservationError, SignedObservation, are_observations_valid_using, verify_observation, verify_observations,
    verify_observations_using,
};
pub use operator_table::OperatorTableError;
pub use operators::{Epoch, Operator, OperatorSet, OperatorSetError};
pub use possession::verify_proof_of_possession;
pub use recorded::{RecordedRoot, RecordedRoots};
pub use refusal::Refusal;
pub use report::{Check, CheckResult, VerificationReport};
pub use revocation::{
    VerifiedRevocation, verify_revocation, verify_revocation_ahead, verify_revocation_ahead_using,
    verify_revocation_using,
};
pub use spent::{SpendLedger, SpentLedger, SpentNonces};
pub use verified::VerifiedAttestation;
pub use verify::{spend, spend_trailing, verify, verify_trailing, verify_with_report, verify_with_report_using};

/// Tests the README's example like all others.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
