//! For Assent's operators: BLS keys, encrypted keystores, proofs of possession, signing, and aggregation.
//!
//! An operator keeps a [`SecretKey`] in a [`Keystore`], registers with its proof of possession, and signs the
//! [`AttestationBatch`] it evaluated. The aggregator, which need not be trusted, makes one [`Aggregate`] of
//! them and cuts the authorizations from it.
//!
//! ```
//! use alloy_primitives::{Address, B256, U256, aliases::{U48, U96}};
//! use assent_signer::{AttestationBatch, PartialSignature, Rejection, SecretKey, aggregate};
//! use assent_verifier::digest::{intent_hash, task_id};
//! use assent_verifier::{Attestation, Epoch, Intent, Operator, OperatorSet};
//!
//! // Three operators in an epoch.
//! let addresses = [1, 2, 3].map(Address::repeat_byte);
//! let keys = [SecretKey::generate()?, SecretKey::generate()?, SecretKey::generate()?];
//! let operators = addresses.iter().zip(&keys).map(|(&address, key)| Operator {
//!     address,
//!     public_key: key.public_key(),
//!     weight: U96::from(100_u64),
//! });
//! let epoch = Epoch {
//!     number: 1,
//!     operator_set: 1,
//!     valid_until: U48::MAX,
//!     operators: OperatorSet::new(operators.collect())?,
//! };
//!
//! // What they attest: a call of a client, allowed until a point in time.
//! let (chain, task_manager, client) = (U256::from(1), Address::repeat_byte(7), Address::repeat_byte(8));
//! let (policy, nonce) = (B256::repeat_byte(9), U256::ZERO);
//! let intent = Intent {
//!     from: Address::repeat_byte(10),
//!     to: client,
//!     value: U256::ZERO,
//!     data: vec![0x12, 0x34, 0x56, 0x78].into(),
//!     chainId: chain,
//! };
//! let attestation = Attestation {
//!     taskId: task_id(chain, task_manager, client, policy, intent_hash(&intent), nonce),
//!     policyId: policy,
//!     policyClient: client,
//!     nonce,
//!     expiration: U48::from(1_900_000_000_u64),
//!     decision: 1,
//!     evidence: B256::repeat_byte(11),
//!     intent,
//! };
//! let batch = AttestationBatch::new(vec![attestation], chain, task_manager)?;
//!
//! // Two sign; an attacker sends rubbish in the name of the third.
//! let partials = [
//!     PartialSignature::new(addresses[0], keys[0].sign_batch(&batch)),
//!     PartialSignature::new(addresses[1], keys[1].sign_batch(&batch)),
//!     PartialSignature::new(addresses[2], [0xff; 96]),
//! ];
//! let aggregate = aggregate(&epoch, batch.root(), &partials)?;
//! assert_eq!(aggregate.signed_weight, U96::from(200_u64));
//! assert_eq!(aggregate.rejected[0].operator, addresses[2]);
//! assert_eq!(aggregate.rejected[0].reason, Rejection::Malformed);
//!
//! // The bytes that travel with the call.
//! let authorization = aggregate.document(&batch, 0)?.authorization()?.encode();
//! assert_eq!(authorization.len(), 206 + 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![cfg_attr(not(test), deny(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used))]

mod aggregation;
mod attestation_batch;
mod encoding;
mod key_file;
mod keystore;
mod secret_key;
mod signing;

pub use aggregation::{
    Aggregate, AggregationError, DocumentError, PartialSignature, RejectedPartial, Rejection, aggregate,
};
pub use attestation_batch::{AttestationBatch, AttestationBatchError};
pub use key_file::KeyFileError;
pub use keystore::{KeyDerivation, Keystore, KeystoreError};
pub use secret_key::{MIN_KEY_MATERIAL_BYTES, SECRET_KEY_BYTES, SecretKey, SecretKeyError};

/// The README's example is tested like all others.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
