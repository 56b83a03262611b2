//! What is verified: calls that 100 operators attested.

#![allow(dead_code, reason = "each benchmark uses its part")]

use crate::fixture::Fixture;
use alloy_primitives::{U256, keccak256};
use assent_verifier::{Attestation, Call, Context, Intent, NonSigners, Signature, digest::attestation_digest};

pub const OPERATORS: u16 = 100;
/// The greatest is the number of calls in a [`Batch`].
pub const SIZES: [usize; 5] = [1, 16, 64, 256, 1024];

/// Attested calls that differ in their nonces.
pub struct Batch {
    pub context: Context,
    pub intent: Intent,
    pub attestations: Vec<Attestation>,
    pub authorizations: Vec<Vec<u8>>,
    pub signatures: Vec<Signature>,
}

impl Batch {
    /// All operators sign each call.
    pub fn of_all() -> Self {
        Self::new(|_| vec![])
    }

    /// Up to three operators are absent from each call, as its nonce's hash has it.
    pub fn of_some() -> Self {
        Self::new(|nonce| {
            let hash = keccak256(nonce.to_be_bytes());
            hash[..3].iter().map(|byte| u16::from(*byte) % OPERATORS).collect()
        })
    }

    fn new(absent_of: impl Fn(u64) -> Vec<u16>) -> Self {
        let fixture = Fixture::with_operators(OPERATORS);
        let size = u64::try_from(SIZES[SIZES.len() - 1]).unwrap();
        let documents = (0..size).map(|nonce| {
            let absent = absent_of(nonce);
            let nonce = U256::from(nonce);
            // One signature by the sum of the secret keys is the sum of the operators' signatures.
            let signers = Fixture { secrets: vec![sum_of_secrets(&fixture, &absent)], nonce, ..fixture.clone() };
            let mut document = signers.document();
            document.non_signers = NonSigners::from_indices(absent).unwrap();
            document
        });
        let documents: Vec<_> = documents.collect();
        Self {
            attestations: documents.iter().map(|document| document.attestation.clone()).collect(),
            authorizations: documents.iter().map(|document| document.authorization().unwrap().encode()).collect(),
            signatures: documents.iter().map(|document| document.signature).collect(),
            context: fixture.context,
            intent: fixture.intent,
        }
    }

    pub fn calls(&self) -> Vec<Call<'_>> {
        let authorizations = self.authorizations.iter();
        authorizations.map(|authorization| Call::Explicit { intent: &self.intent, authorization }).collect()
    }

    pub fn roots(&self) -> Vec<[u8; 32]> {
        let Context { chain_id, task_manager, .. } = self.context;
        self.attestations.iter().map(|attestation| attestation_digest(attestation, chain_id, task_manager).0).collect()
    }
}

fn sum_of_secrets(fixture: &Fixture, absent: &[u16]) -> blst::min_sig::SecretKey {
    let mut sum = blst::blst_scalar::default();
    for (secret, _) in fixture.secrets.iter().zip(0..).filter(|(_, index)| !absent.contains(index)) {
        let secret: &blst::blst_scalar = secret.into();
        // SAFETY: all pointers come from references.
        unsafe { blst::blst_sk_add_n_check(&mut sum, &sum, secret) };
    }
    <&blst::min_sig::SecretKey>::try_from(&sum).unwrap().clone()
}
