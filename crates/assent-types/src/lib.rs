//! Protocol types of Assent: intents, policies, attestations, authorizations and their digests.
//!
//! A protected contract executes a call only if a quorum of operators has attested it.
//! This crate has the types of that protocol, their encodings and their hashes, as `docs/protocol.md` specifies them.
//! The structs and errors are generated from the contracts' own `Protocol.sol`.
//! The crate needs no `std` and does no curve arithmetic: `assent-verifier` verifies, `assent-signer` signs.
//!
//! ```
//! use alloy_primitives::{U256, address, bytes};
//! use assent_types::{Authorization, Intent, append_trailing, digest, split_trailing};
//! # let authorization = { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/authorization.rs")) };
//!
//! let intent = Intent {
//!     from: address!("0x1111111111111111111111111111111111111111"),
//!     to: address!("0x2222222222222222222222222222222222222222"),
//!     value: U256::ZERO,
//!     data: bytes!("0xa9059cbb"),
//!     chainId: U256::from(1),
//! };
//! println!("{}", digest::intent_hash(&intent));
//! let calldata = append_trailing(&intent.data, &authorization)?; // What the transaction carries.
//! let (data, bytes) = split_trailing(&calldata)?;
//! assert_eq!((data, Authorization::parse(bytes)?), (&intent.data[..], authorization));
//! # Ok::<(), assent_types::AuthorizationError>(())
//! ```
//!
//! # Features
//!
//! - `serde`: the JSON of module `json`.

#![no_std]
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

mod address;
mod authorization;
mod authorization_ref;
mod connection;
pub mod digest;
mod document;
mod encoding;
mod epoch_approval;
mod epoch_handover;
mod ids;
#[cfg(feature = "serde")]
pub mod json;
mod merkle;
mod non_signers;
mod observation;
pub mod offset;
pub mod protocol;
mod trailing;

pub use address::{InvalidAddress, parse_address};
pub use authorization::{Authorization, QuorumProof};
pub use authorization_ref::{AuthorizationError, AuthorizationRef, QuorumProofRef};
pub use connection::Connection;
pub use document::AttestationDocument;
pub use encoding::{Decision, PublicKey, Signature, UnknownDecision};
pub use epoch_approval::EpochApproval;
pub use epoch_handover::{EpochHandover, EpochRevocation};
pub use ids::{EpochId, OperatorSetId};
pub use merkle::{MerkleProof, MerkleProofRef, MerkleProofTooLong, MerkleTree};
pub use non_signers::{NonSigners, NonSignersError, NonSignersRef};
pub use observation::Observation;
pub use protocol::{Attestation, Intent, MAX_EPOCH_LIFETIME, Policy};
pub use trailing::{append_trailing, split_trailing};

/// Tests the README's example like all others.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
