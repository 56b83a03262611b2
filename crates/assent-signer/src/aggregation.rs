//! Aggregation of the operators' signatures into one.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, Bytes, U256, aliases::U96};
use assent_verifier::backend::{Backend, blst::Blst};
use assent_verifier::digest::{EPOCH_APPROVAL_TAG, EPOCH_HANDOVER_TAG, SIGNATURE_TAG};
use assent_verifier::{
    AttestationDocument, Epoch, EpochApproval, EpochHandover, EpochId, EpochRevocation, NonSigners, NonSignersError,
    OperatorSet, Signature,
};
use blst::min_sig;

use crate::AttestationBatch;

/// One operator's signature over a root, not verified.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/epoch.rs")); }
/// # use example::{OPERATORS, attestation, batch, chain_id, epoch, TASK_MANAGER};
/// # let ((keys, epoch), batch) = (epoch(), batch());
/// use assent_signer::PartialSignature;
///
/// // What an operator sends to an aggregator. Bytes of any length are taken, and validated later.
/// let partial = PartialSignature::new(OPERATORS[0], keys[0].sign_batch(&batch));
/// assert_eq!(partial.signature.len(), 96);
/// ```
// Complete: an operator sends its address and its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartialSignature {
    /// The operator said to have signed.
    pub operator: Address,
    /// The signature: 96 bytes if it is valid.
    pub signature: Bytes,
}

/// A partial signature that is not in the aggregate.
// Complete: it names the partial signature and the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RejectedPartial {
    /// Its index in the given partial signatures.
    pub index: usize,
    /// The operator said to have signed.
    pub operator: Address,
    /// Why it was left out.
    pub reason: Rejection,
}

/// The reason why a partial signature is not in the aggregate.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/epoch.rs")); }
/// # use example::{OPERATORS, attestation, batch, chain_id, epoch, TASK_MANAGER};
/// # let ((keys, epoch), batch) = (epoch(), batch());
/// use assent_signer::{AggregationError, PartialSignature, Rejection, aggregate};
///
/// let stranger = PartialSignature::new([0xee; 20].into(), keys[0].sign_batch(&batch));
/// let short = PartialSignature::new(OPERATORS[0], [1, 2, 3]);
/// let Err(AggregationError::NothingToAggregate(rejected)) = aggregate(&epoch, batch.root(), &[stranger, short]) else {
///     panic!("neither is valid")
/// };
/// assert_eq!(rejected[0].reason, Rejection::UnknownOperator);
/// assert_eq!(rejected[1].reason, Rejection::Malformed);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// No operator with this address is in the operator set.
    #[error("not an operator of this epoch")]
    UnknownOperator,
    /// The bytes are not the 96 bytes of a point of the prime-order subgroup of G1 other than infinity.
    #[error("malformed signature")]
    Malformed,
    /// The signature is not this operator's over this root.
    #[error("not this operator's signature over this root")]
    WrongSignature,
    /// Another partial signature of the same operator is in the aggregate.
    #[error("the operator's signature is already counted")]
    Duplicate,
}

/// A root with the aggregate signature of the operators whose partial signatures are valid.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/epoch.rs")); }
/// # use example::{OPERATORS, attestation, batch, chain_id, epoch, TASK_MANAGER};
/// # let ((keys, epoch), batch) = (epoch(), batch());
/// use assent_signer::{PartialSignature, aggregate};
/// use assent_verifier::NonSigners;
///
/// let partials = [PartialSignature::new(OPERATORS[1], keys[1].sign_batch(&batch))];
/// let aggregate = aggregate(&epoch, batch.root(), &partials)?;
/// assert_eq!(aggregate.root, batch.root());
/// assert_eq!(aggregate.non_signers, NonSigners::from_indices([0])?);
/// // The policy decides whether the weight is a quorum.
/// assert_eq!(aggregate.signed_weight, alloy_primitives::aliases::U96::from(100_u64));
///
/// // One signature serves every attestation of the batch.
/// let document = aggregate.document(&batch, 1)?;
/// assert_eq!(document.root(), batch.root());
/// assert!(document.authorization()?.encode().len() > 212);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
// Complete: a document is made of these, and callers match on all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregate {
    /// The signed root.
    pub root: B256,
    /// The epoch whose operators signed.
    pub epoch: EpochId,
    /// The aggregate signature, which is never infinity. It verifies, unless [`aggregate_unverified`] made it.
    pub signature: Signature,
    /// The operators of the set that are not in the aggregate.
    pub non_signers: NonSigners,
    /// The weight of the operators that are in the aggregate.
    pub signed_weight: U96,
    /// The partial signatures left out, in the order in which they were given.
    pub rejected: Vec<RejectedPartial>,
}

/// The reason why there is no aggregate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AggregationError {
    /// No partial signature is valid.
    #[error("no partial signature is valid{}", list(.0))]
    NothingToAggregate(Vec<RejectedPartial>),
    /// The valid signatures cancel out: their signers chose keys whose sum is zero. No contract accepts infinity.
    #[error("the signatures cancel out to infinity: their signers' keys add up to zero")]
    Infinity,
    /// A non-signer cannot be named in an authorization. No set of up to [`OperatorSet::MAX_OPERATORS`] has one.
    #[error(transparent)]
    NonSigners(#[from] NonSignersError),
}

/// The reason why an aggregate gives no attestation document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// The aggregate signs another root than the batch's.
    #[error("the operators signed the root {signed}, but the batch's is {root}")]
    WrongRoot {
        /// The root that the operators signed.
        signed: B256,
        /// The batch's root.
        root: B256,
    },
    /// The batch has no attestation at this index.
    #[error("the batch has no attestation at index {0}")]
    NoSuchAttestation(usize),
}

/// Aggregates partial signatures of an epoch's operators over a root. Invalid ones are left out, each with the reason.
///
/// An invalid partial signature never excludes a valid one of the same operator.
///
/// Well-formed signatures, one for each operator, are summed and verified by one pairing check.
/// If it succeeds, the sum is a valid aggregate signature of those operators, which is all that a contract checks.
/// If it fails, each partial signature is verified separately.
/// (Two signers can submit partial signatures that are invalid separately and valid in sum. That takes both secret
/// keys, so it proves exactly what two valid partial signatures prove.)
///
/// The time grows with the number of partial signatures: limit it where they arrive.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/epoch.rs")); }
/// # use example::{OPERATORS, attestation, batch, chain_id, epoch, TASK_MANAGER};
/// # let ((keys, epoch), batch) = (epoch(), batch());
/// use assent_signer::{PartialSignature, aggregate};
///
/// let [one, other] = keys.each_ref().map(|key| key.sign_batch(&batch));
/// let partials = [PartialSignature::new(OPERATORS[0], one), PartialSignature::new(OPERATORS[1], other)];
/// let aggregate = aggregate(&epoch, batch.root(), &partials)?;
/// assert!(aggregate.rejected.is_empty());
/// assert!(aggregate.non_signers.is_empty());
/// # Ok::<(), assent_signer::AggregationError>(())
/// ```
///
/// # Errors
/// Every variant of [`AggregationError`].
pub fn aggregate(epoch: &Epoch, root: B256, partials: &[PartialSignature]) -> Result<Aggregate, AggregationError> {
    aggregate_under(SIGNATURE_TAG, epoch, root, partials)
}

/// Adds partial signatures up as [`aggregate`] does, but does not verify the sum.
///
/// Warning: verify what is made of it. If the sum is invalid, [`aggregate`] names the invalid partial signatures.
/// Someone who verifies every authorization needs one pairing check with this function, and two with [`aggregate`].
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/epoch.rs")); }
/// # use example::{OPERATORS, attestation, batch, chain_id, epoch, TASK_MANAGER};
/// # let ((keys, epoch), batch) = (epoch(), batch());
/// use assent_signer::{PartialSignature, aggregate, aggregate_unverified};
///
/// let sign = |index: usize| PartialSignature::new(OPERATORS[index], keys[index].sign_batch(&batch));
/// let mut partials = [0, 1].map(sign);
/// assert_eq!(aggregate_unverified(&epoch, batch.root(), &partials)?, aggregate(&epoch, batch.root(), &partials)?);
///
/// // A signature of another operator is a point, and is not noticed.
/// partials[1].signature = partials[0].signature.clone();
/// assert!(aggregate_unverified(&epoch, batch.root(), &partials)?.rejected.is_empty());
/// assert_eq!(aggregate(&epoch, batch.root(), &partials)?.rejected.len(), 1);
/// # Ok::<(), assent_signer::AggregationError>(())
/// ```
///
/// # Errors
/// Every variant of [`AggregationError`].
pub fn aggregate_unverified(
    epoch: &Epoch,
    root: B256,
    partials: &[PartialSignature],
) -> Result<Aggregate, AggregationError> {
    let mut rejected = Vec::new();
    let candidates = well_formed(&epoch.operators, partials, &mut rejected);
    let signers = candidates.values().filter_map(|of_one| of_one.first()).collect();
    conclude(epoch, root, &candidates, signers, rejected)
}

/// Aggregates partial signatures of an approval, as [`aggregate`] does those of a root: the aggregate's `root` is the
/// approval's digest. `epoch` is the one that signs, `approval.signed_by`.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/epoch.rs")); }
/// # use example::{OPERATORS, attestation, batch, chain_id, epoch, TASK_MANAGER};
/// # let (keys, epoch) = epoch();
/// use alloy_primitives::{Address, aliases::U48};
/// use assent_signer::{PartialSignature, aggregate_epoch_approval};
/// use assent_verifier::EpochApproval;
///
/// let approval = EpochApproval {
///     registry: Address::repeat_byte(7),
///     operator_set: epoch.operator_set,
///     signed_by: epoch.number,
///     set_hash: epoch.operators.set_hash(), // The same operators again.
///     deadline: U48::from(1_800_000_000),
/// };
/// let partials = [PartialSignature::new(OPERATORS[0], keys[0].approve_epoch(&approval, chain_id()))];
/// let aggregate = aggregate_epoch_approval(&epoch, &approval, chain_id(), &partials)?;
/// assert_eq!(aggregate.root, approval.digest(chain_id()));
/// # Ok::<(), assent_signer::AggregationError>(())
/// ```
///
/// # Errors
/// Every variant of [`AggregationError`].
pub fn aggregate_epoch_approval(
    epoch: &Epoch,
    approval: &EpochApproval,
    chain_id: U256,
    partials: &[PartialSignature],
) -> Result<Aggregate, AggregationError> {
    aggregate_under(EPOCH_APPROVAL_TAG, epoch, approval.digest(chain_id), partials)
}

/// Aggregates partial signatures of a handover, as [`aggregate`] does those of a root. `epoch` is the one that signs,
/// `handover.signed_by`.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/epoch.rs")); }
/// # use example::{OPERATORS, attestation, batch, chain_id, epoch, TASK_MANAGER};
/// # let (keys, epoch) = epoch();
/// use alloy_primitives::{Address, aliases::U48};
/// use assent_signer::{PartialSignature, aggregate_epoch_handover};
/// use assent_verifier::{EpochHandover, EpochId};
///
/// let handover = EpochHandover {
///     home_chain: chain_id(),
///     home_registry: Address::repeat_byte(7),
///     operator_set: epoch.operator_set,
///     signed_by: epoch.number,
///     epoch: EpochId(9),
///     committed_at: U48::from(1_799_400_000),
///     expires_at: U48::from(1_800_000_000),
///     content_hash: epoch.operators.content_hash(), // The same operators again.
/// };
/// let partials = [PartialSignature::new(OPERATORS[0], keys[0].hand_over_epoch(&handover))];
/// let aggregate = aggregate_epoch_handover(&epoch, &handover, &partials)?;
/// assert_eq!(aggregate.root, handover.digest());
/// # Ok::<(), assent_signer::AggregationError>(())
/// ```
///
/// # Errors
/// Every variant of [`AggregationError`].
pub fn aggregate_epoch_handover(
    epoch: &Epoch,
    handover: &EpochHandover,
    partials: &[PartialSignature],
) -> Result<Aggregate, AggregationError> {
    aggregate_under(EPOCH_HANDOVER_TAG, epoch, handover.digest(), partials)
}

/// Aggregates partial signatures of a revocation, as [`aggregate`] does those of a root. `epoch` is the one that is
/// revoked: its own operators sign.
///
/// # Errors
/// Every variant of [`AggregationError`].
pub fn aggregate_epoch_revocation(
    epoch: &Epoch,
    revocation: &EpochRevocation,
    partials: &[PartialSignature],
) -> Result<Aggregate, AggregationError> {
    aggregate_under(EPOCH_HANDOVER_TAG, epoch, revocation.digest(), partials)
}

fn aggregate_under(
    tag: &[u8],
    epoch: &Epoch,
    root: B256,
    partials: &[PartialSignature],
) -> Result<Aggregate, AggregationError> {
    let mut rejected = Vec::new();
    let candidates = well_formed(&epoch.operators, partials, &mut rejected);

    let firsts: Vec<&Candidate> = candidates.values().filter_map(|of_one| of_one.first()).collect();
    let signers = if sum_verifies(&firsts, tag, root) {
        firsts
    } else {
        first_valid_of_each(&candidates, tag, root, &mut rejected)
    };
    conclude(epoch, root, &candidates, signers, rejected)
}

/// Adds the signers' signatures up.
fn conclude(
    epoch: &Epoch,
    root: B256,
    candidates: &Candidates,
    signers: Vec<&Candidate>,
    mut rejected: Vec<RejectedPartial>,
) -> Result<Aggregate, AggregationError> {
    name_duplicates(candidates, &signers, &mut rejected);
    rejected.sort_by_key(|partial| partial.index);

    let Some(signature) = sum_of_signatures(&signers) else {
        return Err(AggregationError::NothingToAggregate(rejected));
    };
    if signature.validate(true).is_err() {
        return Err(AggregationError::Infinity);
    }
    Ok(Aggregate {
        root,
        epoch: epoch.number,
        signature: Signature(signature.serialize()),
        non_signers: non_signers(&epoch.operators, &signers)?,
        signed_weight: signers.iter().map(|signer| signer.weight).sum(),
        rejected,
    })
}

impl PartialSignature {
    /// Returns a partial signature of any bytes.
    pub fn new(operator: Address, signature: impl AsRef<[u8]>) -> Self {
        Self { operator, signature: Bytes::copy_from_slice(signature.as_ref()) }
    }
}

impl Aggregate {
    /// Returns the document of the attestation at an index of the signed batch.
    ///
    /// [`AttestationDocument::authorization`] derives the authorization.
    ///
    /// # Errors
    /// Every variant of [`DocumentError`].
    pub fn document(&self, batch: &AttestationBatch, index: usize) -> Result<AttestationDocument, DocumentError> {
        if batch.root() != self.root {
            return Err(DocumentError::WrongRoot { signed: self.root, root: batch.root() });
        }
        let attestation = batch.attestations().get(index).ok_or(DocumentError::NoSuchAttestation(index))?;
        let merkle_proof = batch.merkle_proof(index).ok_or(DocumentError::NoSuchAttestation(index))?;
        Ok(AttestationDocument {
            chain_id: batch.chain_id(),
            task_manager: batch.task_manager(),
            attestation: attestation.clone(),
            epoch: self.epoch,
            signature: self.signature,
            non_signers: self.non_signers.clone(),
            merkle_proof,
        })
    }
}

impl fmt::Display for RejectedPartial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "partial signature {} of {}: {}", self.index, self.operator, self.reason)
    }
}

/// A well-formed partial signature of an operator of the epoch.
struct Candidate {
    /// The index of the partial signature.
    partial: usize,
    operator: Address,
    /// The operator's index in the set.
    index: u16,
    weight: U96,
    key: min_sig::PublicKey,
    signature: min_sig::Signature,
}

impl Candidate {
    fn rejected(&self, reason: Rejection) -> RejectedPartial {
        RejectedPartial { index: self.partial, operator: self.operator, reason }
    }
}

/// The candidates by their operator's index. An operator may have several, since anyone can submit one in its name.
type Candidates = BTreeMap<u16, Vec<Candidate>>;

fn well_formed(
    operators: &OperatorSet,
    partials: &[PartialSignature],
    rejected: &mut Vec<RejectedPartial>,
) -> Candidates {
    let mut candidates = Candidates::new();
    for (index, partial) in partials.iter().enumerate() {
        match candidate(operators, index, partial) {
            Ok(candidate) => candidates.entry(candidate.index).or_default().push(candidate),
            Err(reason) => rejected.push(RejectedPartial { index, operator: partial.operator, reason }),
        }
    }
    candidates
}

fn candidate(
    operators: &OperatorSet,
    partial_index: usize,
    partial: &PartialSignature,
) -> Result<Candidate, Rejection> {
    let operators = operators.operators();
    let position = operators
        .binary_search_by_key(&partial.operator, |operator| operator.address)
        .map_err(|_| Rejection::UnknownOperator)?;
    let (operator, index) =
        operators.get(position).zip(u16::try_from(position).ok()).ok_or(Rejection::UnknownOperator)?;
    let signature = Signature::try_from(partial.signature.as_ref()).map_err(|_| Rejection::Malformed)?;
    Ok(Candidate {
        partial: partial_index,
        operator: operator.address,
        index,
        weight: operator.weight,
        key: Blst::decode_public_key(&operator.public_key).map_err(|_| Rejection::UnknownOperator)?,
        signature: Blst::decode_signature(&signature).map_err(|_| Rejection::Malformed)?,
    })
}

fn sum_verifies(signers: &[&Candidate], tag: &[u8], root: B256) -> bool {
    let keys: Vec<&min_sig::PublicKey> = signers.iter().map(|signer| &signer.key).collect();
    let Ok(key) = min_sig::AggregatePublicKey::aggregate(&keys, false) else {
        return false;
    };
    // Infinity on both sides would satisfy the pairing equation for any message.
    let key = key.to_public_key();
    let (Some(signature), Ok(())) = (sum_of_signatures(signers), key.validate()) else {
        return false;
    };
    signature.validate(true).is_ok() && Blst::verify(root.as_slice(), tag, &signature, &key)
}

fn first_valid_of_each<'a>(
    candidates: &'a Candidates,
    tag: &[u8],
    root: B256,
    rejected: &mut Vec<RejectedPartial>,
) -> Vec<&'a Candidate> {
    let mut is_valid = |candidate: &&Candidate| {
        let valid = Blst::verify(root.as_slice(), tag, &candidate.signature, &candidate.key);
        if !valid {
            rejected.push(candidate.rejected(Rejection::WrongSignature));
        }
        valid
    };
    candidates.values().filter_map(|of_one| of_one.iter().find(&mut is_valid)).collect()
}

/// Rejects partial signatures of operators whose other partial signature is in the sum.
fn name_duplicates(candidates: &Candidates, signers: &[&Candidate], rejected: &mut Vec<RejectedPartial>) {
    for signer in signers {
        let later = candidates.get(&signer.index).into_iter().flatten().filter(|other| other.partial > signer.partial);
        rejected.extend(later.map(|other| other.rejected(Rejection::Duplicate)));
    }
}

fn sum_of_signatures(signers: &[&Candidate]) -> Option<min_sig::Signature> {
    let signatures: Vec<&min_sig::Signature> = signers.iter().map(|signer| &signer.signature).collect();
    // Each was found to be in the subgroup when it was read.
    let sum = min_sig::AggregateSignature::aggregate(&signatures, false).ok()?;
    Some(sum.to_signature())
}

fn non_signers(operators: &OperatorSet, signers: &[&Candidate]) -> Result<NonSigners, NonSignersError> {
    let signed: BTreeSet<u16> = signers.iter().map(|signer| signer.index).collect();
    let all = (0_u16..).take(operators.operators().len());
    NonSigners::from_indices(all.filter(|index| !signed.contains(index)))
}

fn list(rejected: &[RejectedPartial]) -> impl fmt::Display {
    fmt::from_fn(move |f| {
        let mut separator = ": ";
        for partial in rejected {
            write!(f, "{separator}{partial}")?;
            separator = "; ";
        }
        Ok(())
    })
}
