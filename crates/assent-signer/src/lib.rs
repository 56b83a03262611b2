//! For Assent's operators and aggregators: BLS keys, proofs of possession, signing and aggregation.
//!
//! An operator registers a [`SecretKey`] with its proof of possession, and signs the [`AttestationBatch`] it evaluated.
//! An aggregator, which need not be trusted, combines the partial signatures into one [`Aggregate`].
//! The authorizations are derived from it.
//!
//! ```
//! # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/epoch.rs")); }
//! # use example::{OPERATORS, batch, epoch};
//! # let ((keys, epoch), batch) = (epoch(), batch());
//! use assent_signer::{PartialSignature, Rejection, aggregate};
//!
//! let partials = [
//!     PartialSignature::new(OPERATORS[0], keys[0].sign_batch(&batch)),
//!     PartialSignature::new(OPERATORS[1], [0xff; 96]), // Left out.
//! ];
//! let aggregate = aggregate(&epoch, batch.root(), &partials)?;
//! assert_eq!(aggregate.rejected[0].reason, Rejection::Malformed);
//!
//! let authorization = aggregate.document(&batch, 0)?.authorization()?.encode(); // Travels with the call.
//! assert!(authorization.len() > 212);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! - `keystore`: encrypted key files (EIP-2335). An aggregator needs none, and then links no cipher and no key
//!   derivation.

#![cfg_attr(not(test), deny(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used))]

mod aggregation;
mod attestation_batch;
mod encoding;
mod key_file;
#[cfg(feature = "keystore")]
mod keystore;
mod secret_key;
mod signing;

pub use aggregation::{
    Aggregate, AggregationError, DocumentError, PartialSignature, RejectedPartial, Rejection, aggregate,
    aggregate_epoch_approval, aggregate_epoch_handover, aggregate_epoch_revocation, aggregate_unverified,
};
pub use attestation_batch::{AttestationBatch, AttestationBatchError};
pub use key_file::{KeyFileError, require_private};
#[cfg(feature = "keystore")]
pub use keystore::{KeyDerivation, Keystore, KeystoreError};
pub use secret_key::{MIN_KEY_MATERIAL_BYTES, SECRET_KEY_BYTES, SecretKey, SecretKeyError};

/// Tests the README's example like all others.
#[cfg(all(doctest, feature = "keystore"))]
#[doc = include_str!("../README.md")]
struct Readme;
