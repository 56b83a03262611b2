//! Signatures behind a trait, so that a simulator can run many histories.

use alloy_primitives::B256;
use assent_signer::{
    Aggregate, AggregationError, PartialSignature, aggregate, aggregate_epoch_handover, aggregate_unverified,
};
use assent_types::{Connection, EpochHandover, Intent, PublicKey, Signature};
use assent_verifier::{
    Call, Context, Epoch, Refusal, SignedObservation, are_observations_valid_using,
    backend::{blst::Blst, verify_signature},
    digest::CONNECTION_TAG,
    verify_each_using, verify_observations_using, verify_with_report_using,
};

use crate::Domain;

/// What the state machines ask of signatures. [`Bls`] is the only implementation that programs use.
pub trait Scheme {
    /// Returns whether an operator's answer to a challenge is its key's.
    fn verify_connection(&self, connection: &Connection, key: &PublicKey, proof: &Signature, domain: Domain) -> bool;

    /// Returns whether each observation is its operator's.
    fn verify_observations(&self, epoch: &Epoch, observations: &[SignedObservation], domain: Domain) -> Vec<bool>;

    /// Returns whether all observations are their operators'.
    ///
    /// It does not look for the invalid ones: who sends some makes no more work than one who sends valid ones.
    fn are_observations_valid(&self, epoch: &Epoch, observations: &[SignedObservation], domain: Domain) -> bool {
        let valid = self.verify_observations(epoch, observations, domain);
        valid.len() == observations.len() && !valid.contains(&false)
    }

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

    /// Adds partial signatures over a root up, without verifying the sum if that costs anything.
    ///
    /// # Errors
    ///
    /// As [`aggregate`](Self::aggregate).
    fn sum(&self, epoch: &Epoch, root: B256, partials: &[PartialSignature]) -> Result<Aggregate, AggregationError> {
        self.aggregate(epoch, root, partials)
    }

    /// Aggregates partial signatures of a handover, and names those that are invalid.
    ///
    /// # Errors
    ///
    /// As [`aggregate`](Self::aggregate).
    fn aggregate_handover(
        &self,
        signing: &Epoch,
        handover: &EpochHandover,
        partials: &[PartialSignature],
    ) -> Result<Aggregate, AggregationError>;

    /// Makes every check that the client's contract makes.
    ///
    /// # Errors
    ///
    /// The contract's [`Refusal`].
    fn verify(&self, context: &Context, intent: &Intent, authorization: &[u8]) -> Result<(), Refusal>;

    /// Makes every check that the clients' contracts make of calls, as [`verify`](Self::verify) does of one.
    fn verify_all(&self, calls: &[ContractCall]) -> Vec<Result<(), Refusal>> {
        calls.iter().map(|call| self.verify(&call.context, &call.intent, &call.authorization)).collect()
    }
}

/// A call with its authorization, and what the client's contract compares them with.
// Complete: the verifier's inputs.
#[derive(Debug)]
pub struct ContractCall {
    /// What the contract knows.
    pub context: Context,
    /// The call.
    pub intent: Intent,
    /// The authorization's bytes.
    pub authorization: Vec<u8>,
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

    fn are_observations_valid(&self, epoch: &Epoch, observations: &[SignedObservation], domain: Domain) -> bool {
        are_observations_valid_using::<Blst>(epoch, observations, domain.chain_id, domain.task_manager)
    }

    fn aggregate(
        &self,
        epoch: &Epoch,
        root: B256,
        partials: &[PartialSignature],
    ) -> Result<Aggregate, AggregationError> {
        aggregate(epoch, root, partials)
    }

    fn sum(&self, epoch: &Epoch, root: B256, partials: &[PartialSignature]) -> Result<Aggregate, AggregationError> {
        aggregate_unverified(epoch, root, partials)
    }

    fn aggregate_handover(
        &self,
        signing: &Epoch,
        handover: &EpochHandover,
        partials: &[PartialSignature],
    ) -> Result<Aggregate, AggregationError> {
        aggregate_epoch_handover(signing, handover, partials)
    }

    fn verify(&self, context: &Context, intent: &Intent, authorization: &[u8]) -> Result<(), Refusal> {
        let report = verify_with_report_using::<Blst, _>(context, Call::Explicit { intent, authorization });
        report.into_result().map(|_| ())
    }

    fn verify_all(&self, calls: &[ContractCall]) -> Vec<Result<(), Refusal>> {
        let calls = calls
            .iter()
            .map(|ContractCall { context, intent, authorization }| (context, Call::Explicit { intent, authorization }));
        verify_each_using::<Blst, _>(calls).into_iter().map(|result| result.map(|_| ())).collect()
    }
}
