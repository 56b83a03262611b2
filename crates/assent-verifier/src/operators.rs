//! Operators, validated operator sets, and epochs.

use crate::{
    EpochId, OperatorSetId, PublicKey,
    backend::{Backend, DefaultBackend, PreparedKeys},
};
use alloc::{sync::Arc, vec::Vec};
use alloy_primitives::{
    Address, B256, Keccak256, U256,
    aliases::{U48, U96},
};
use core::{
    fmt,
    hash::{Hash, Hasher},
};

/// One operator of a set.
// Complete: docs/protocol.md stores these fields for an operator, and no others.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Operator {
    /// The operator's address. Sets are sorted by it.
    pub address: Address,
    /// The public key that verifies its signatures.
    pub public_key: PublicKey,
    /// The operator's weight in a quorum, at least 1.
    pub weight: U96,
}

/// A validated operator set: at least one operator, ascending by address, and every key a valid point.
///
/// The set holds its total weight and aggregate key, and prepares its keys for each backend that verifies under it.
/// Clones share everything. Two sets are equal if their operators are.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let operators = attested::operators();
/// use alloy_primitives::aliases::U96;
/// use assent_verifier::{OperatorSet, PublicKey};
///
/// // Three operators of weight 100.
/// let set = OperatorSet::new(operators.clone())?;
/// assert_eq!(set.operators(), operators);
/// assert_eq!(set.total_weight(), U96::from(300));
/// assert_ne!(set.aggregate_key(), set.negated_aggregate_key());
/// assert!(set.operators().len() <= OperatorSet::MAX_OPERATORS);
/// # Ok::<(), assent_verifier::OperatorSetError>(())
/// ```
#[derive(Clone)]
pub struct OperatorSet(Arc<Frozen>);

struct Frozen {
    operators: Vec<Operator>,
    aggregate_key: PublicKey,
    negated_aggregate_key: PublicKey,
    total_weight: U96,
    public_keys_hash: B256,
    prepared_keys: PreparedKeys,
}

/// The reason why operators are not a valid set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OperatorSetError {
    /// There is no operator.
    #[error("the operator set is empty")]
    Empty,
    /// There are more operators than the tables of an epoch hold.
    #[error("the operator set has {0} operators, more than 2000")]
    TooMany(usize),
    /// Two operators are in the wrong order, or have one address.
    #[error("operator {address} is not in ascending order of addresses")]
    NotAscending {
        /// The second operator's address.
        address: Address,
    },
    /// A key is not a valid point, or is infinity.
    #[error("the public key of operator {address} is not the encoding of a point of G2's subgroup other than infinity")]
    MalformedPublicKey {
        /// The operator's address.
        address: Address,
    },
    /// An operator has no weight.
    #[error("operator {address} has no weight")]
    WithoutWeight {
        /// The operator's address.
        address: Address,
    },
    /// The total weight does not fit 96 bits.
    #[error("the operators' total weight does not fit 96 bits")]
    WeightTooLarge,
}

/// Operators that one table holds.
pub(crate) const TABLE_CAPACITY: usize = 100;

impl OperatorSet {
    /// The largest number of operators that an epoch's tables hold: 20 tables of 100.
    pub const MAX_OPERATORS: usize = 2000;

    /// Validates operators, and sums their keys and weights.
    ///
    /// ```
    /// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
    /// # let operators = attested::operators();
    /// use assent_verifier::{OperatorSet, OperatorSetError};
    ///
    /// let mut reversed = operators.clone();
    /// reversed.reverse();
    /// let second = operators[1].address;
    /// assert_eq!(OperatorSet::new(reversed), Err(OperatorSetError::NotAscending { address: second }));
    /// assert!(OperatorSet::new(operators).is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// Every [`OperatorSetError`].
    pub fn new(operators: Vec<Operator>) -> Result<Self, OperatorSetError> {
        if operators.is_empty() {
            return Err(OperatorSetError::Empty);
        }
        if operators.len() > Self::MAX_OPERATORS {
            return Err(OperatorSetError::TooMany(operators.len()));
        }
        let mut previous = None;
        let mut total_weight = U96::ZERO;
        let mut public_keys = Vec::with_capacity(operators.len());
        for &Operator { address, ref public_key, weight } in &operators {
            if previous >= Some(address) {
                return Err(OperatorSetError::NotAscending { address });
            }
            previous = Some(address);
            if weight.is_zero() {
                return Err(OperatorSetError::WithoutWeight { address });
            }
            total_weight = total_weight.checked_add(weight).ok_or(OperatorSetError::WeightTooLarge)?;
            let public_key = DefaultBackend::decode_public_key(public_key);
            public_keys.push(public_key.map_err(|_| OperatorSetError::MalformedPublicKey { address })?);
        }
        let [aggregate_key, negated_aggregate_key] = DefaultBackend::aggregate(public_keys);
        let mut hasher = Keccak256::new();
        operators.iter().for_each(|operator| hasher.update(operator.public_key));
        Ok(Self(Arc::new(Frozen {
            prepared_keys: PreparedKeys::default(),
            operators,
            aggregate_key,
            negated_aggregate_key,
            total_weight,
            public_keys_hash: hasher.finalize(),
        })))
    }

    /// Returns the operators, ascending by address. An operator's index is its bit in a bitmap of non-signers.
    pub fn operators(&self) -> &[Operator] {
        &self.0.operators
    }

    /// Returns the sum of all public keys, which is infinity if they cancel out.
    pub fn aggregate_key(&self) -> &PublicKey {
        &self.0.aggregate_key
    }

    /// Returns minus the sum of all public keys, as the epoch's table stores it.
    pub fn negated_aggregate_key(&self) -> &PublicKey {
        &self.0.negated_aggregate_key
    }

    /// Returns the sum of all weights, at least 1.
    pub fn total_weight(&self) -> U96 {
        self.0.total_weight
    }

    /// Returns the hash of the operators' addresses, keys and weights, as `OperatorRegistry.setHashOf` computes it. It
    /// is the keccak256 of the hashes of its tables of up to 100 operators.
    ///
    /// Equal sets have equal hashes, on every chain.
    pub fn set_hash(&self) -> B256 {
        let mut tables = Keccak256::new();
        self.table_hashes().for_each(|hash| tables.update(hash));
        tables.finalize()
    }

    /// Returns the hash of what the operator tables hold, wherever they are: what a handover states of an epoch.
    ///
    /// It is keccak256 of the head without addresses, and of the hashes of the tables' entries (docs/crosschain.md).
    ///
    /// ```
    /// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
    /// let set = assent_verifier::OperatorSet::new(attested::operators())?;
    /// // The set hash leaves out what is computed from the operators.
    /// assert_ne!(set.content_hash(), set.set_hash());
    /// # Ok::<(), assent_verifier::OperatorSetError>(())
    /// ```
    pub fn content_hash(&self) -> B256 {
        let mut content = Keccak256::new();
        content.update(self.table_head());
        self.table_hashes().for_each(|hash| content.update(hash));
        content.finalize()
    }

    /// Returns keccak256 of the entries of each table.
    fn table_hashes(&self) -> impl Iterator<Item = B256> + '_ {
        self.operators().chunks(TABLE_CAPACITY).map(|table| {
            let mut entries = Keccak256::new();
            for Operator { address, public_key, weight } in table {
                entries.update(public_key);
                entries.update(weight.to_be_bytes::<12>());
                entries.update(address);
            }
            entries.finalize()
        })
    }

    /// Returns the least weight that reaches a quorum: `ceil(total · max(quorum, 5001) / 10000)`.
    ///
    /// It exceeds the total weight if the quorum is above 10000.
    ///
    /// ```
    /// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
    /// # let set = assent_verifier::OperatorSet::new(attested::operators())?;
    /// use alloy_primitives::U256;
    ///
    /// // `set` has a total weight of 300.
    /// assert_eq!(set.required_weight(6700), U256::from(201));
    /// assert_eq!(set.required_weight(0), U256::from(151)); // The floor applies.
    /// # Ok::<(), assent_verifier::OperatorSetError>(())
    /// ```
    pub fn required_weight(&self, quorum: u16) -> U256 {
        required_weight(self.0.total_weight, quorum)
    }

    /// Prepares the keys for a backend, as its first verification under the set would.
    ///
    /// Call it to keep the preparation, a few milliseconds for a large set, out of the first verification.
    pub fn prepare<B: Backend>(&self) {
        self.prepared_keys::<B>();
    }

    pub(crate) fn prepared_keys<B: Backend>(&self) -> &B::Keys {
        self.0.prepared_keys.get_or_prepare::<B>(self.operators().iter().map(|operator| &operator.public_key))
    }

    /// Returns keccak256 of all public keys.
    pub(crate) fn public_keys_hash(&self) -> B256 {
        self.0.public_keys_hash
    }
}

/// Returns [`OperatorSet::required_weight`] of any total weight.
pub(crate) fn required_weight(total_weight: U96, quorum: u16) -> U256 {
    // Two disjoint groups of operators must never both be a quorum.
    const FLOOR: u16 = 5001;
    portion_of(total_weight, quorum.max(FLOOR))
}

/// Returns a share of a weight in basis points, rounded up.
pub(crate) fn portion_of(total_weight: U96, share: u16) -> U256 {
    const WHOLE: U256 = U256::from_limbs([10_000, 0, 0, 0]);
    // At most 96 + 16 bits: cannot wrap.
    let product = U256::from(total_weight).wrapping_mul(U256::from(share));
    product.div_ceil(WHOLE)
}

impl PartialEq for OperatorSet {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.operators() == other.operators()
    }
}

impl Eq for OperatorSet {}

impl Hash for OperatorSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.operators().hash(state);
    }
}

impl fmt::Debug for OperatorSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperatorSet")
            .field("operators", &self.operators())
            .field("aggregate_key", self.aggregate_key())
            .field("total_weight", &self.total_weight())
            .finish_non_exhaustive()
    }
}

/// An operator set under its number, which never changes once committed.
// Complete: a new field would be an input of a check, which every caller must then give.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let operators = assent_verifier::OperatorSet::new(attested::operators())?;
/// use alloy_primitives::aliases::U48;
/// use assent_verifier::{Epoch, EpochId, OperatorSetId};
///
/// let valid_until = U48::from(1_700_000_000);
/// let mut epoch = Epoch { number: EpochId(4), operator_set: OperatorSetId(1), valid_until, operators };
/// assert!(epoch.is_in_force(1_699_999_999));
/// assert!(!epoch.is_in_force(1_700_000_000));
/// assert!(!epoch.is_revoked()); // Roots recorded under it are still valid.
///
/// epoch.valid_until = U48::ZERO;
/// assert!(epoch.is_revoked());
/// # Ok::<(), assent_verifier::OperatorSetError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Epoch {
    /// The number by which authorizations name the epoch. Epochs of all sets are numbered together from 1.
    pub number: EpochId,
    /// The number of the operator set.
    pub operator_set: OperatorSetId,
    /// The first second at which the epoch is no longer in force, Unix time.
    ///
    /// At most `expiresAt` in the OperatorRegistry; lowered to the end of the grace period by the set's next epoch, and
    /// 0 once revoked.
    pub valid_until: U48,
    /// The operators that may sign.
    pub operators: OperatorSet,
}

impl Epoch {
    /// Returns whether the epoch is in force, or in its grace period, at a time in Unix seconds.
    pub fn is_in_force(&self, timestamp: u64) -> bool {
        U48::checked_from_limbs_slice(&[timestamp]).is_some_and(|timestamp| timestamp < self.valid_until)
    }

    /// Returns whether the epoch was revoked. Nothing that its operators signed is then valid, recorded or not.
    pub fn is_revoked(&self) -> bool {
        self.valid_until.is_zero()
    }
}

#[cfg(all(test, feature = "arkworks", feature = "blst"))]
mod tests {
    use super::*;
    use crate::backend::{arkworks::Arkworks, blst::Blst};
    use ::blst::min_sig::SecretKey;

    fn set() -> OperatorSet {
        let mut public_key = SecretKey::key_gen(&[1; 32], &[]).unwrap().sk_to_pk().serialize();
        public_key.chunks_exact_mut(96).for_each(|coordinate| coordinate.rotate_left(48));
        let operator = Operator { address: Address::ZERO, public_key: PublicKey(public_key), weight: U96::from(1) };
        OperatorSet::new(alloc::vec![operator]).unwrap()
    }

    fn prepared(set: &OperatorSet) -> (bool, bool) {
        let keys = &set.0.prepared_keys;
        (keys.are_prepared::<Arkworks>(), keys.are_prepared::<Blst>())
    }

    #[test]
    fn keys_are_prepared_only_for_the_backend_that_asks() {
        let set = set();
        assert_eq!(prepared(&set), (false, false));
        set.prepare::<Blst>();
        assert_eq!(prepared(&set), (false, true));

        let other = self::set();
        other.clone().prepare::<Arkworks>(); // A clone shares what it prepares.
        assert_eq!(prepared(&other), (true, false));
    }
}
