//! Operators' observations, one or many.

use crate::{
    Epoch, EpochId, NonSigners, Observation, PublicKey, Signature,
    backend::{Backend, DefaultBackend, SignatureError, verify_signature},
    batch::{all_true, are_true},
    claim::SignatureClaim,
    digest::OBSERVATION_TAG,
    threads::CallingThread,
};
use alloc::vec::Vec;
use alloy_primitives::{Address, U256};

/// An observation with its operator's signature, not verified.
// Complete: an operator sends these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedObservation {
    /// The operator said to have observed.
    pub operator: Address,
    /// What it observed.
    pub observation: Observation,
    /// The signature of the observation's digest.
    pub signature: Signature,
}

/// The reason why a signed observation is not its operator's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObservationError {
    /// No operator with this address is in the operator set.
    #[error("{operator} is not an operator of epoch {epoch}")]
    UnknownOperator {
        /// The operator said to have observed.
        operator: Address,
        /// The epoch.
        epoch: EpochId,
    },
    /// The signature is malformed, or not the operator's over this observation.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

/// Verifies one observation by one key.
///
/// # Errors
///
/// [`SignatureError`] if the key or the signature is not a valid point, or the signature is over other values.
pub fn verify_observation(
    observation: &Observation,
    public_key: &PublicKey,
    signature: &Signature,
    chain_id: U256,
    task_manager: Address,
) -> Result<(), SignatureError> {
    let digest = observation.digest(chain_id, task_manager);
    verify_signature::<DefaultBackend>(digest.as_slice(), OBSERVATION_TAG, signature, public_key)
}

/// Verifies many observations of an epoch's operators in a fraction of the time, each as [`verify_observation`].
///
/// One equation decides all of them, as [`verify_batch`](crate::verify_batch) explains, with one pairing for each
/// operator and one more. If it does not hold, halving finds the invalid ones.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # use alloy_primitives::{Address, B256};
/// # use assent_verifier::{Observation, SignedObservation, Signature, digest::OBSERVATION_TAG};
/// # let context = attested::context();
/// # let (epoch, chain_id, task_manager) = (&context.epochs[0], context.chain_id, context.task_manager);
/// # let signed = |index: u8, output: &[u8]| {
/// #     let observation = Observation::new(B256::repeat_byte(1), "price", B256::repeat_byte(2), output);
/// #     let digest = observation.digest(chain_id, task_manager);
/// #     let signature = attested::secrets()[usize::from(index)].sign(digest.as_slice(), OBSERVATION_TAG, &[]);
/// #     let operator = Address::repeat_byte(index + 1);
/// #     SignedObservation { operator, observation, signature: Signature(signature.serialize()) }
/// # };
/// use assent_verifier::verify_observations;
///
/// let observations = [signed(0, br#"{"usd":"1"}"#), signed(1, br#"{"usd":"2"}"#)];
/// assert!(verify_observations(epoch, &observations, chain_id, task_manager).iter().all(Result::is_ok));
///
/// let [valid, other] = observations;
/// let forged = SignedObservation { observation: other.observation, ..valid };
/// let results = verify_observations(epoch, &[forged, other], chain_id, task_manager);
/// assert!(results[0].is_err() && results[1].is_ok());
/// ```
pub fn verify_observations(
    epoch: &Epoch,
    observations: &[SignedObservation],
    chain_id: U256,
    task_manager: Address,
) -> Vec<Result<(), ObservationError>> {
    verify_observations_using::<DefaultBackend>(epoch, observations, chain_id, task_manager)
}

/// Verifies many observations by a named backend, as [`verify_observations`].
pub fn verify_observations_using<B: Backend>(
    epoch: &Epoch,
    observations: &[SignedObservation],
    chain_id: U256,
    task_manager: Address,
) -> Vec<Result<(), ObservationError>> {
    let others: Vec<_> = observations.iter().map(|signed| others(epoch, signed.operator)).collect();
    let claims = claims::<B>(epoch, observations, &others, chain_id, task_manager).collect::<Vec<_>>();
    let are_true = are_true::<B, CallingThread>(&claims.iter().map(|claim| claim.as_ref().ok()).collect::<Vec<_>>());
    let results = claims.into_iter().zip(are_true).map(|(claim, is_true)| match claim {
        Err(error) => Err(error),
        Ok(_) if is_true => Ok(()),
        Ok(_) => Err(SignatureError::InvalidSignature.into()),
    });
    results.collect()
}

/// Returns whether all of many observations are their operators', by a named backend.
///
/// It is as fast as [`verify_observations_using`] if they are. If not, it costs at most one equation: it does not look
/// for the invalid ones.
pub fn are_observations_valid_using<B: Backend>(
    epoch: &Epoch,
    observations: &[SignedObservation],
    chain_id: U256,
    task_manager: Address,
) -> bool {
    let others: Vec<_> = observations.iter().map(|signed| others(epoch, signed.operator)).collect();
    let claims = claims::<B>(epoch, observations, &others, chain_id, task_manager).collect::<Result<Vec<_>, _>>();
    claims.is_ok_and(|claims| all_true::<B, CallingThread>(&claims))
}

/// Returns what each observation claims, if its operator is known and its signature is a point.
fn claims<'a, B: Backend>(
    epoch: &'a Epoch,
    observations: &'a [SignedObservation],
    others: &'a [Result<NonSigners, ObservationError>],
    chain_id: U256,
    task_manager: Address,
) -> impl Iterator<Item = Result<SignatureClaim<'a, B>, ObservationError>> {
    observations.iter().zip(others).map(move |(signed, others)| {
        let others = others.as_ref().map_err(|error| *error)?;
        let signature = B::decode_signature(&signed.signature).map_err(|_| SignatureError::MalformedSignature)?;
        Ok(SignatureClaim::<B> {
            tag: OBSERVATION_TAG,
            epoch,
            non_signers: others.into(),
            root: signed.observation.digest(chain_id, task_manager),
            signature,
            signature_bytes: signed.signature,
        })
    })
}

/// Returns the epoch's other operators: an observation is signed by all of them but these.
fn others(epoch: &Epoch, operator: Address) -> Result<NonSigners, ObservationError> {
    let unknown = ObservationError::UnknownOperator { operator, epoch: epoch.number };
    let operators = epoch.operators.operators();
    if operators.binary_search_by_key(&operator, |known| known.address).is_err() {
        return Err(unknown);
    }
    let others = (0_u16..).zip(operators).filter(|(_, known)| known.address != operator).map(|(index, _)| index);
    // Every index of a set fits a bitmap.
    NonSigners::from_indices(others).map_err(|_| unknown)
}
