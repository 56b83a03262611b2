//! From the operators' signatures to one.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, Bytes, aliases::U96};
use assent_verifier::backend::{Backend, blst::Blst};
use assent_verifier::digest::SIGNATURE_TAG;
use assent_verifier::{AttestationDocument, Epoch, NonSigners, NonSignersError, OperatorSet, Signature};
use blst::min_sig;

use crate::AttestationBatch;

/// One operator's signature over a root, as it arrived: nothing about it is known to be true.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/epoch.rs")); }
/// # use example::{OPERATORS, attestation, batch, chain_id, epoch, TASK_MANAGER};
/// # let ((keys, epoch), batch) = (epoch(), batch());
/// use assent_signer::PartialSignature;
///
/// // What an operator sends to an aggregator; bytes of any length are taken, and judged later.
/// let partial = PartialSignature::new(OPERATORS[0], keys[0].sign_batch(&batch));
/// assert_eq!(partial.signature.len(), 96);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartialSignature {
    /// Who is said to have signed.
    pub operator: Address,
    /// The signature: 96 bytes if it is valid.
    pub signature: Bytes,
}

/// A partial signature that is not in the aggregate.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/epoch.rs")); }
/// # use example::{OPERATORS, attestation, batch, chain_id, epoch, TASK_MANAGER};
/// # let ((keys, epoch), batch) = (epoch(), batch());
/// use assent_signer::{PartialSignature, Rejection, aggregate};
///
/// let partials = [
///     PartialSignature::new(OPERATORS[0], keys[0].sign_batch(&batch)),
///     PartialSignature::new(OPERATORS[1], keys[0].sign_batch(&batch)), // Not with its own key.
/// ];
/// let aggregate = aggregate(&epoch, batch.root(), &partials)?;
/// let [rejected] = aggregate.rejected[..] else { panic!("one is rejected") };
/// assert_eq!((rejected.place, rejected.operator), (1, OPERATORS[1]));
/// assert_eq!(rejected.reason, Rejection::WrongSignature);
/// assert_eq!(rejected.reason.to_string(), "not this operator's signature over this root");
/// # Ok::<(), assent_signer::AggregationError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RejectedPartial {
    /// Its place among the partial signatures given, from 0.
    pub place: usize,
    /// Who was said to have signed.
    pub operator: Address,
    /// What was wrong.
    pub reason: Rejection,
}

/// Why a partial signature is not in the aggregate.
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
pub enum Rejection {
    /// No operator with this address is in the operator set.
    #[error("not an operator of this epoch")]
    UnknownOperator,
    /// The bytes are not the 96 of a point of the prime-order subgroup of G1 other than infinity.
    #[error("malformed signature")]
    Malformed,
    /// The signature is not this operator's over this root.
    #[error("not this operator's signature over this root")]
    WrongSignature,
    /// Another partial signature of the same operator is in the aggregate.
    #[error("the operator's signature is already counted")]
    Duplicate,
}

/// A root with the one signature of those operators whose partial signatures were sound.
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
/// // Whether the weight is a quorum is the policy's to say.
/// assert_eq!(aggregate.signed_weight, alloy_primitives::aliases::U96::from(100_u64));
///
/// // One signature serves every attestation of the batch.
/// let document = aggregate.document(&batch, 1)?;
/// assert_eq!(document.root(), batch.root());
/// assert!(document.authorization()?.encode().len() > 206);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregate {
    /// What was signed.
    pub root: B256,
    /// The epoch whose operators signed.
    pub epoch: u32,
    /// The aggregate signature. It verifies, and it is never infinity.
    pub signature: Signature,
    /// The operators of the set that are not in the aggregate.
    pub non_signers: NonSigners,
    /// Weight of the operators that are in the aggregate.
    pub signed_weight: U96,
    /// The partial signatures left out, in the order in which they were given.
    pub rejected: Vec<RejectedPartial>,
}

/// Why there is no aggregate.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/epoch.rs")); }
/// # use example::{OPERATORS, attestation, batch, chain_id, epoch, TASK_MANAGER};
/// # let (_, epoch) = epoch();
/// use assent_signer::{AggregationError, aggregate};
///
/// let error = aggregate(&epoch, batch().root(), &[]).unwrap_err();
/// assert_eq!(error, AggregationError::NothingToAggregate(vec![]));
/// assert_eq!(error.to_string(), "no partial signature is valid");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AggregationError {
    /// No partial signature is valid.
    #[error("no partial signature is valid{}", list(.0))]
    NothingToAggregate(Vec<RejectedPartial>),
    /// The sound signatures cancel out: their signers chose keys whose sum is zero. Infinity is no signature, and no
    /// contract accepts it.
    #[error("the signatures cancel out to infinity: their signers' keys add up to zero")]
    Infinity,
    /// A non-signer cannot be named in an authorization. No set of up to [`OperatorSet::MAX_OPERATORS`] has one.
    #[error(transparent)]
    NonSigners(#[from] NonSignersError),
}

/// Why an aggregate gives no attestation document.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/epoch.rs")); }
/// # use example::{OPERATORS, attestation, batch, chain_id, epoch, TASK_MANAGER};
/// # let ((keys, epoch), batch) = (epoch(), batch());
/// use assent_signer::{DocumentError, PartialSignature, aggregate};
///
/// let partials = [PartialSignature::new(OPERATORS[0], keys[0].sign_batch(&batch))];
/// let aggregate = aggregate(&epoch, batch.root(), &partials)?;
/// assert_eq!(aggregate.document(&batch, 2), Err(DocumentError::NoSuchAttestation(2)));
/// # Ok::<(), assent_signer::AggregationError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// The aggregate signs another root than the batch's.
    #[error("the operators signed the root {signed}, but the batch's is {root}")]
    WrongRoot {
        /// The root that the operators signed.
        signed: B256,
        /// The batch's root.
        root: B256,
    },
    /// The batch has no attestation at this place.
    #[error("the batch has no attestation at index {0}")]
    NoSuchAttestation(usize),
}

/// Aggregates the partial signatures over `root` of operators of the epoch, leaving out those that are not sound and
/// naming each with the reason. A bad one never keeps out a good one of the same operator.
///
/// Well-formed signatures, one for each operator, are added up and verified at once, which costs one pairing check
/// whatever their number. If that succeeds, the sum is a valid aggregate signature of those operators, which is all a
/// contract asks. (Two signers acting together can submit partials that are wrong one by one and right in sum. That
/// needs both secret keys' signatures, so it proves no more and no less than two sound partials.) Only if it fails is
/// each partial verified by itself, to find the bad ones.
///
/// Partial signatures cost time in proportion to their number: bound it where they arrive.
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
    let mut rejected = Vec::new();
    let candidates = well_formed(&epoch.operators, partials, &mut rejected);

    let firsts: Vec<&Candidate> = candidates.values().filter_map(|of_one| of_one.first()).collect();
    let signers =
        if sum_verifies(&firsts, root) { firsts } else { first_valid_of_each(&candidates, root, &mut rejected) };
    name_duplicates(&candidates, &signers, &mut rejected);
    rejected.sort_by_key(|partial| partial.place);

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
    /// A partial signature from whatever bytes are said to be one.
    pub fn new(operator: Address, signature: impl AsRef<[u8]>) -> Self {
        Self { operator, signature: Bytes::copy_from_slice(signature.as_ref()) }
    }
}

impl Aggregate {
    /// The document of the attestation at `place` (from 0) in a batch whose root was signed. The authorization is
    /// derived from it by [`AttestationDocument::authorization`].
    ///
    /// # Errors
    /// Every variant of [`DocumentError`].
    pub fn document(&self, batch: &AttestationBatch, place: usize) -> Result<AttestationDocument, DocumentError> {
        if batch.root() != self.root {
            return Err(DocumentError::WrongRoot { signed: self.root, root: batch.root() });
        }
        let attestation = batch.attestations().get(place).ok_or(DocumentError::NoSuchAttestation(place))?;
        let merkle_proof = batch.merkle_proof(place).ok_or(DocumentError::NoSuchAttestation(place))?;
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
        write!(f, "partial signature {} of {}: {}", self.place, self.operator, self.reason)
    }
}

/// A well-formed partial signature of an operator of the epoch.
struct Candidate {
    place: usize,
    operator: Address,
    index: u16,
    weight: U96,
    key: min_sig::PublicKey,
    signature: min_sig::Signature,
}

impl Candidate {
    fn rejected(&self, reason: Rejection) -> RejectedPartial {
        RejectedPartial { place: self.place, operator: self.operator, reason }
    }
}

/// Every candidate by its operator's index: an operator may have several, since anyone can submit one in its name.
type Candidates = BTreeMap<u16, Vec<Candidate>>;

fn well_formed(
    operators: &OperatorSet,
    partials: &[PartialSignature],
    rejected: &mut Vec<RejectedPartial>,
) -> Candidates {
    let mut candidates = Candidates::new();
    for (place, partial) in partials.iter().enumerate() {
        match candidate(operators, place, partial) {
            Ok(candidate) => candidates.entry(candidate.index).or_default().push(candidate),
            Err(reason) => rejected.push(RejectedPartial { place, operator: partial.operator, reason }),
        }
    }
    candidates
}

fn candidate(operators: &OperatorSet, place: usize, partial: &PartialSignature) -> Result<Candidate, Rejection> {
    let operators = operators.operators();
    let position = operators
        .binary_search_by_key(&partial.operator, |operator| operator.address)
        .map_err(|_| Rejection::UnknownOperator)?;
    let (operator, index) =
        operators.get(position).zip(u16::try_from(position).ok()).ok_or(Rejection::UnknownOperator)?;
    let signature = Signature::try_from(partial.signature.as_ref()).map_err(|_| Rejection::Malformed)?;
    Ok(Candidate {
        place,
        operator: operator.address,
        index,
        weight: operator.weight,
        key: Blst::decode_public_key(&operator.public_key).map_err(|_| Rejection::UnknownOperator)?,
        signature: Blst::decode_signature(&signature).map_err(|_| Rejection::Malformed)?,
    })
}

fn sum_verifies(signers: &[&Candidate], root: B256) -> bool {
    let keys: Vec<&min_sig::PublicKey> = signers.iter().map(|signer| &signer.key).collect();
    let Ok(key) = min_sig::AggregatePublicKey::aggregate(&keys, false) else {
        return false;
    };
    // Infinity on both sides would satisfy the pairing equation for any message.
    let key = key.to_public_key();
    let (Some(signature), Ok(())) = (sum_of_signatures(signers), key.validate()) else {
        return false;
    };
    signature.validate(true).is_ok() && Blst::verify(root.as_slice(), SIGNATURE_TAG, &signature, &key)
}

fn first_valid_of_each<'a>(
    candidates: &'a Candidates,
    root: B256,
    rejected: &mut Vec<RejectedPartial>,
) -> Vec<&'a Candidate> {
    let mut is_valid = |candidate: &&Candidate| {
        let valid = Blst::verify(root.as_slice(), SIGNATURE_TAG, &candidate.signature, &candidate.key);
        if !valid {
            rejected.push(candidate.rejected(Rejection::WrongSignature));
        }
        valid
    };
    candidates.values().filter_map(|of_one| of_one.iter().find(&mut is_valid)).collect()
}

/// Names what was left out because another partial signature of its operator is in the sum.
fn name_duplicates(candidates: &Candidates, signers: &[&Candidate], rejected: &mut Vec<RejectedPartial>) {
    for signer in signers {
        let later = candidates.get(&signer.index).into_iter().flatten().filter(|other| other.place > signer.place);
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
