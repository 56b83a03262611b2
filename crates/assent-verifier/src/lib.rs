//! Offline verification of Assent authorizations: the same checks, in the same order, with the same errors as the
//! contracts.
//!
//! A protected contract refuses every call that a quorum of operators has not attested. This crate decides the same
//! without a chain: from the bytes that travel with the call, the call itself, and a [`Context`] that holds every other
//! fact. It reads no clock, no network and no file, needs no `std`, and panics on no input. [`verify`] returns a
//! [`VerifiedAttestation`], which nothing but verification can make, or the [`Refusal`] with which the contracts would
//! revert, to the byte. Formats and checks are those of `docs/protocol.md`.
//!
//! ```
//! use alloy_primitives::{Address, B256, U256, aliases::{U48, U96}};
//! use assent_verifier::*;
//!
//! // One operator signs here with blst, which writes the halves of a key's coordinates the other way round.
//! let secret = blst::min_sig::SecretKey::key_gen(&[1; 32], &[]).unwrap();
//! let mut key = secret.sk_to_pk().serialize();
//! key.chunks_exact_mut(96).for_each(|coordinate| coordinate.rotate_left(48));
//! let operators = OperatorSet::new(vec![Operator {
//!     address: Address::repeat_byte(1),
//!     public_key: PublicKey(key),
//!     weight: U96::from(100),
//! }])?;
//!
//! // What the chain would know.
//! let policy = Policy {
//!     policyId: B256::repeat_byte(2),
//!     operatorSet: 1,
//!     quorum: 6700,                 // 67 %, in basis points
//!     maxLifetime: U48::from(3600), // seconds
//! };
//! let mut context = Context {
//!     chain_id: U256::from(31337),
//!     task_manager: Address::repeat_byte(3),
//!     policy_client: Address::repeat_byte(4),
//!     policy: Some(policy.clone()),
//!     caller: Address::repeat_byte(5),
//!     timestamp: 1_700_000_000,
//!     epochs: vec![Epoch { number: 1, operator_set: 1, valid_until: U48::MAX, operators }],
//!     recorded_roots: RecordedRoots::default(),
//!     spent: SpentNonces::default(),
//! };
//!
//! // The call, and what the operators attest about it.
//! let intent = Intent {
//!     from: context.caller,
//!     to: Address::repeat_byte(6),
//!     value: U256::ZERO,
//!     data: vec![0xa9, 0x05, 0x9c, 0xbb].into(),
//!     chainId: context.chain_id,
//! };
//! let nonce = U256::from(7);
//! let attestation = Attestation {
//!     taskId: digest::task_id(
//!         context.chain_id,
//!         context.task_manager,
//!         context.policy_client,
//!         policy.policyId,
//!         digest::intent_hash(&intent),
//!         nonce,
//!     ),
//!     policyId: policy.policyId,
//!     policyClient: context.policy_client,
//!     nonce,
//!     expiration: U48::from(1_700_000_600),
//!     decision: Decision::Allow.into(),
//!     evidence: B256::repeat_byte(8),
//!     intent: intent.clone(),
//! };
//! let root = digest::attestation_digest(&attestation, context.chain_id, context.task_manager);
//! let document = AttestationDocument {
//!     chain_id: context.chain_id,
//!     task_manager: context.task_manager,
//!     attestation,
//!     epoch: 1,
//!     signature: Signature(secret.sign(root.as_slice(), digest::SIGNATURE_TAG, &[]).serialize()),
//!     non_signers: NonSigners::NONE,
//!     merkle_proof: MerkleProof::EMPTY,
//! };
//! let authorization = document.authorization()?.encode();
//!
//! let verified = verify(&context, &intent, &authorization)?;
//! assert_eq!(*verified.intent(), intent);
//!
//! // Once.
//! assert!(context.spent.spend(verified.policy_client(), verified.nonce()));
//! let refusal = verify(&context, &intent, &authorization).unwrap_err();
//! assert_eq!(refusal, Refusal::AttestationAlreadySpent { policyClient: context.policy_client, nonce });
//!
//! // And only this call.
//! let another = Intent { value: U256::from(1), ..intent };
//! let refusal = verify(&context, &another, &authorization).unwrap_err();
//! assert_eq!(refusal.name(), "WrongTask");
//! let differences = context.differences(&document, &another, &document.authorization()?);
//! assert_eq!(differences[0].to_string(), "intent.value: attested 0, but the call has 1");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! - `arkworks` (default): curve arithmetic in pure Rust, for every target.
//! - `blst`: curve arithmetic by blst, about twice as fast; used instead of arkworks when both are on. The results are the
//!   same on all inputs.
//! - `rayon`: [`par_verify_batch`], in all threads. Uses `std`.
//! - `serde`: JSON that a person can read (module `json`).
//!
//! At least one of the first two must be on.
//!
//! # Time and memory
//!
//! An [`OperatorSet`] prepares once what depends only on the operators, about 40 kB for each backend and 200 bytes for
//! each operator in it; clones share it. With blst a verification then allocates nothing but what its result holds;
//! arkworks copies those 40 kB for the time of a pairing. [`verify_batch`] verifies many calls in a fraction of the
//! time.
//!
//! No input makes the crate allocate more than 16 bytes for each byte of the input, 256 kB for each call that is
//! verified, and 256 kB for each operator set or operator table that is read, counting also what is given back before
//! the call returns. For a call in a batch it may be that much again each time the batch is halved to find who is to
//! blame: ten times of a thousand. The input is every byte handed in: calldata, authorizations, tables, JSON.
//! [`Authorization::parse`] allocates no more than the length of what it parses. An epoch takes about 500 bytes of JSON
//! at least, so a program that takes a whole [`Context`] from a stranger limits how many epochs it may have; an
//! authorization, a call or a document has none.
//!
//! # Unsafe code
//!
//! It does not exist without the feature `blst`. With it, only the module `backend::blst::raw` makes the few calls into
//! the library for which its Rust crate has no safe interface.

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

mod admission;
pub mod backend;
mod batch;
mod check;
mod coefficients;
mod combination;
mod context;
mod difference;
#[cfg(feature = "serde")]
pub mod json;
mod operator_table;
mod operators;
mod possession;
mod recorded;
mod refusal;
mod spent;
mod statement;
mod threads;
mod verify;

pub use assent_types::{
    Attestation, AttestationDocument, Authorization, AuthorizationError, AuthorizationRef, Decision, Intent,
    MerkleProof, MerkleProofRef, MerkleProofTooLong, MerkleTree, NonSigners, NonSignersError, NonSignersRef, Policy,
    PublicKey, QuorumProof, QuorumProofRef, Signature, UnknownDecision, append_trailing, digest, protocol,
    split_trailing,
};
#[cfg(feature = "rayon")]
pub use batch::{par_verify_batch, par_verify_batch_with};
pub use batch::{verify_batch, verify_batch_with};
pub use check::{Check, Examination, Outcome};
pub use context::Context;
pub use difference::Difference;
pub use operator_table::OperatorTableError;
pub use operators::{Epoch, Operator, OperatorSet, OperatorSetError};
pub use possession::verify_proof_of_possession;
pub use recorded::{RecordedRoot, RecordedRoots};
pub use refusal::Refusal;
pub use spent::{SpentLedger, SpentNonces};
pub use verify::{Call, VerifiedAttestation, examine, examine_with, verify, verify_trailing};

/// The README's example is tested like all others.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
