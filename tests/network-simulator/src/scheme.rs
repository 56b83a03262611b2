//! Signatures: BLS, and a test scheme that costs nothing.

use alloy_primitives::{Address, B256, Keccak256, U256};
use assent_network::{Bls, Domain, Scheme};
use assent_signer::{Aggregate, AggregationError, PartialSignature, RejectedPartial, Rejection, SecretKey};
use assent_types::{
    Authorization, Connection, Decision, EpochHandover, Intent, NonSigners, Observation, PublicKey, QuorumProof,
    Signature,
    digest::{CONNECTION_TAG, EPOCH_HANDOVER_TAG, OBSERVATION_TAG, SIGNATURE_TAG},
};
use assent_verifier::{Context, Epoch, Refusal, SignedObservation, verify};

/// A scheme that signs for operators, too.
pub(crate) trait Keys: Scheme + Clone {
    /// Signs a root as the operator with an address, whose key is made of a seed.
    fn sign_root(&self, operator: &Signer, root: B256) -> Signature;
    /// Signs an observation.
    fn sign_observation(&self, operator: &Signer, observation: &Observation, domain: Domain) -> Signature;
    /// Signs a challenge.
    fn sign_connection(&self, operator: &Signer, connection: &Connection, domain: Domain) -> Signature;
    /// Signs a handover.
    fn sign_handover(&self, operator: &Signer, handover: &EpochHandover) -> Signature;
}

/// Who signs.
#[derive(Debug, Clone)]
pub(crate) struct Signer {
    pub(crate) address: Address,
    pub(crate) public_key: PublicKey,
    /// The byte that the secret key is made of.
    pub(crate) seed: u8,
}

/// Signatures for simulations: a hash of the public key and what is signed, which anyone could make.
///
/// Only who runs the simulation can use it: liars in it sign with their own keys by agreement. Verification makes the
/// contract's checks 1 to 9 with the real verifier, and those of the signature here.
#[derive(Debug, Clone, Copy, Default)]
pub struct TestScheme;

fn test_signature(key: &PublicKey, tag: &[u8], message: B256) -> Signature {
    let mut hasher = Keccak256::new();
    hasher.update(key);
    hasher.update(tag);
    hasher.update(message);
    repeated(hasher.finalize())
}

/// Returns a signature's bytes: a hash, repeated.
fn repeated(hash: B256) -> Signature {
    let mut signature = [0; Signature::LENGTH];
    signature.chunks_exact_mut(32).for_each(|chunk| chunk.copy_from_slice(hash.as_slice()));
    Signature(signature)
}

/// Returns the test scheme's aggregate of all operators of an epoch but some.
fn test_aggregate(epoch: &Epoch, non_signers: &NonSigners, root: B256) -> Signature {
    let absent: Vec<u16> = non_signers.indices().collect();
    let mut hasher = Keccak256::new();
    for (operator, index) in epoch.operators.operators().iter().zip(0_u16..) {
        if !absent.contains(&index) {
            hasher.update(test_signature(&operator.public_key, SIGNATURE_TAG, root));
        }
    }
    let Signature(mut signature) = repeated(hasher.finalize());
    // No point of the curve: the real verifier stops at the signature's encoding, after all checks before it.
    if let Some(first) = signature.first_mut() {
        *first = 0xff;
    }
    Signature(signature)
}

/// Aggregates signatures of the test scheme under a tag.
fn test_aggregation(
    tag: &[u8],
    epoch: &Epoch,
    root: B256,
    partials: &[PartialSignature],
) -> Result<Aggregate, AggregationError> {
    let mut rejected = Vec::new();
    let mut signed = Vec::new();
    let mut signed_weight = alloy_primitives::aliases::U96::ZERO;
    let operators = epoch.operators.operators();
    for (index, partial) in partials.iter().enumerate() {
        let mut reject = |reason| rejected.push(RejectedPartial { index, operator: partial.operator, reason });
        let Some(position) = operators.iter().position(|operator| operator.address == partial.operator) else {
            reject(Rejection::UnknownOperator);
            continue;
        };
        let expected = test_signature(&operators[position].public_key, tag, root);
        if expected.as_ref() != partial.signature.as_ref() {
            reject(Rejection::WrongSignature);
        } else if signed.contains(&position) {
            reject(Rejection::Duplicate);
        } else {
            signed.push(position);
            signed_weight += operators[position].weight;
        }
    }
    if signed.is_empty() {
        return Err(AggregationError::NothingToAggregate(rejected));
    }
    let absent = (0..operators.len()).filter(|index| !signed.contains(index));
    let non_signers = NonSigners::from_indices(absent.filter_map(|index| u16::try_from(index).ok()))?;
    let signature = test_aggregate(epoch, &non_signers, root);
    Ok(Aggregate { root, epoch: epoch.number, signature, non_signers, signed_weight, rejected })
}

impl Scheme for TestScheme {
    fn verify_connection(&self, connection: &Connection, key: &PublicKey, proof: &Signature, domain: Domain) -> bool {
        test_signature(key, CONNECTION_TAG, connection.digest(domain.chain_id, domain.task_manager)) == *proof
    }

    fn verify_observations(&self, epoch: &Epoch, observations: &[SignedObservation], domain: Domain) -> Vec<bool> {
        let is_valid = |signed: &SignedObservation| {
            let digest = signed.observation.digest(domain.chain_id, domain.task_manager);
            let mut operators = epoch.operators.operators().iter();
            let operator = operators.find(|operator| operator.address == signed.operator);
            let key = operator.map(|operator| operator.public_key);
            key.is_some_and(|key| test_signature(&key, OBSERVATION_TAG, digest) == signed.signature)
        };
        observations.iter().map(is_valid).collect()
    }

    fn aggregate(
        &self,
        epoch: &Epoch,
        root: B256,
        partials: &[PartialSignature],
    ) -> Result<Aggregate, AggregationError> {
        test_aggregation(SIGNATURE_TAG, epoch, root, partials)
    }

    fn aggregate_handover(
        &self,
        signing: &Epoch,
        handover: &EpochHandover,
        partials: &[PartialSignature],
    ) -> Result<Aggregate, AggregationError> {
        test_aggregation(EPOCH_HANDOVER_TAG, signing, handover.digest(), partials)
    }

    fn verify(&self, context: &Context, intent: &Intent, authorization: &[u8]) -> Result<(), Refusal> {
        match verify(context, intent, authorization) {
            Err(Refusal::MalformedSignature) => {}
            Err(refusal) => return Err(refusal),
            Ok(_) => return Err(Refusal::InvalidSignature),
        }
        let authorization = Authorization::parse(authorization).map_err(|_| Refusal::MalformedAuthorization)?;
        let root = context.root(intent, &authorization).ok_or(Refusal::PolicyNotSet)?;
        let epoch = context.epoch(authorization.epoch).ok_or(Refusal::UnknownEpoch { epoch: authorization.epoch })?;
        let QuorumProof::Direct { signature, non_signers } = &authorization.quorum_proof else {
            return Err(Refusal::InvalidSignature);
        };
        if test_aggregate(epoch, non_signers, root) != *signature {
            return Err(Refusal::InvalidSignature);
        }
        match authorization.decision {
            Decision::Allow => Ok(()),
            Decision::Deny => Err(Refusal::PolicyDenied { taskId: authorization.task_id }),
        }
    }
}

impl Keys for TestScheme {
    fn sign_handover(&self, operator: &Signer, handover: &EpochHandover) -> Signature {
        test_signature(&operator.public_key, EPOCH_HANDOVER_TAG, handover.digest())
    }

    fn sign_root(&self, operator: &Signer, root: B256) -> Signature {
        test_signature(&operator.public_key, SIGNATURE_TAG, root)
    }

    fn sign_observation(&self, operator: &Signer, observation: &Observation, domain: Domain) -> Signature {
        let digest = observation.digest(domain.chain_id, domain.task_manager);
        test_signature(&operator.public_key, OBSERVATION_TAG, digest)
    }

    fn sign_connection(&self, operator: &Signer, connection: &Connection, domain: Domain) -> Signature {
        let digest = connection.digest(domain.chain_id, domain.task_manager);
        test_signature(&operator.public_key, CONNECTION_TAG, digest)
    }
}

impl Keys for Bls {
    fn sign_handover(&self, operator: &Signer, handover: &EpochHandover) -> Signature {
        secret_key(operator.seed).hand_over_epoch(handover)
    }

    fn sign_root(&self, operator: &Signer, root: B256) -> Signature {
        secret_key(operator.seed).sign_root(root)
    }

    fn sign_observation(&self, operator: &Signer, observation: &Observation, domain: Domain) -> Signature {
        secret_key(operator.seed).sign_observation(observation, domain.chain_id, domain.task_manager)
    }

    fn sign_connection(&self, operator: &Signer, connection: &Connection, domain: Domain) -> Signature {
        secret_key(operator.seed).prove_connection(connection, domain.chain_id, domain.task_manager)
    }
}

/// Returns the secret key that is made of a byte.
pub(crate) fn secret_key(seed: u8) -> SecretKey {
    SecretKey::from_key_material(&[seed; 32]).expect("32 bytes are enough")
}

/// Returns the domain of every history.
pub(crate) fn domain() -> Domain {
    Domain { chain_id: U256::from(31337), task_manager: Address::repeat_byte(0x11) }
}
