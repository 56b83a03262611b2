//! Signatures behind a trait, so that a simulator can run many histories.

use alloy_primitives::B256;
use assent_signer::{Aggregate, AggregationError, PartialSignature, aggregate};
use assent_types::{Connection, Intent, PublicKey, Signature};
use assent_verifier::{
    Call, Context, Epoch, Refusal, SignedObservation,
    backend::{blst::Blst, verify_signature},
    digest::CONNECTION_TAG,
    verify_observations_using, verify_with_report_using,
};

use crate::Domain;

/// What the state machines ask of signatures. [`Bls`] is the only implementation that programs use.
pub trait Scheme {
    /// Returns whether an operator's answer to a challenge is its key's.
    fn verify_connection(&self, connection: &Connection, key: &PublicKey, proof: &Signature, domain: Domain) -> bool;

    /// Returns whether each observation is its operator's.
    fn verify_observations(&self, epoch: &Epoch, observations: &[SignedObservation], domain: Domain) -> Vec<bool>;

    /// Aggregates partial signatures over a root, and names those that are invalid.
    ///
    /// # Errors
    ///
    /// As [`assent_signer::aggregate`].
    fn aggregate(
        &self,
        epoch: &Epoch,
        root: B256,
        partials: &[PartialSignature],
    ) -> Result<Aggregate, AggregationError>;

    /// Makes every check that the client's contract makes.
    ///
    /// # Errors
    ///
    /// The contract's [`Refusal`].
    fn verify(&self, context: &Context, intent: &Intent, authorization: &[u8]) -> Result<(), Refusal>;
}

/// BLS12-381 signatures, as contracts verify them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bls;

impl Scheme for Bls {
    fn verify_connection(&self, connection: &Connection, key: &PublicKey, proof: &Signature, domain: Domain) -> bool {
        let digest = connection.digest(domain.chain_id, domain.task_manager);
        verify_signature::<Blst>(digest.as_slice(), CONNECTION_TAG, proof, key).is_ok()
    }

    fn verify_observations(&self, epoch: &Epoch, observations: &[SignedObservation], domain: Domain) -> Vec<bool> {
        let results = verify_observations_using::<Blst>(epoch, observations, domain.chain_id, domain.task_manager);
        results.iter().map(Result::is_ok).collect()
    }

    fn aggregate(
        &self,
        epoch: &Epoch,
        root: B256,
        partials: &[PartialSignature],
    ) -> Result<Aggregate, AggregationError> {
        aggregate(epoch, root, partials)
    }

    fn verify(&self, context: &Context, intent: &Intent, authorization: &[u8]) -> Result<(), Refusal> {
        let report = verify_with_report_using::<Blst, _>(context, Call::Explicit { intent, authorization });
        report.into_result().map(|_| ())
    }
}
