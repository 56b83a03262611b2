//! Merkle trees over attestation digests: sorted pairs, keccak256.
//!
//! A leaf's preimage (an EIP-712 digest's) is 66 bytes and a node's 64, so neither passes for the other.

use alloc::vec::Vec;
use alloy_primitives::{B256, Keccak256};

/// The hashes that lead from a leaf up to the root, at most 32.
///
/// ```
/// use assent_verifier::{MerkleProof, MerkleTree};
/// use alloy_primitives::B256;
///
/// let leaves = [1, 2, 3].map(B256::with_last_byte);
/// let tree = MerkleTree::new(leaves.to_vec()).unwrap();
/// let proof = tree.proof(2).unwrap();
/// assert_eq!(proof.root(leaves[2]), tree.root());
/// // A lone leaf is its own root.
/// assert_eq!(MerkleProof::EMPTY.root(leaves[0]), leaves[0]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct MerkleProof(Vec<B256>);

/// The proof has more hashes than an authorization may carry.
///
/// ```
/// use alloy_primitives::B256;
/// use assent_verifier::{MerkleProof, MerkleProofTooLong};
///
/// let hashes = vec![B256::ZERO; MerkleProof::MAX_LENGTH + 1];
/// assert_eq!(MerkleProof::try_from(hashes), Err(MerkleProofTooLong(33)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the Merkle proof has {0} hashes, more than 32")]
pub struct MerkleProofTooLong(pub usize);

impl MerkleProof {
    /// The proof of a leaf that is its own root.
    pub const EMPTY: Self = Self(Vec::new());

    /// The most hashes in a proof.
    ///
    /// ```
    /// use alloy_primitives::B256;
    /// use assent_verifier::MerkleProof;
    ///
    /// assert!(MerkleProof::try_from(vec![B256::ZERO; MerkleProof::MAX_LENGTH]).is_ok());
    /// assert!(MerkleProof::try_from(vec![B256::ZERO; MerkleProof::MAX_LENGTH + 1]).is_err());
    /// ```
    pub const MAX_LENGTH: usize = 32;

    /// The root to which the proof leads from a leaf.
    pub fn root(&self, leaf: B256) -> B256 {
        fold(leaf, self.0.iter().copied())
    }

    /// The hashes, from the leaf up.
    ///
    /// ```
    /// use alloy_primitives::B256;
    /// use assent_verifier::MerkleTree;
    ///
    /// let (one, other) = (B256::with_last_byte(1), B256::with_last_byte(2));
    /// let tree = MerkleTree::new(vec![one, other]).unwrap();
    /// assert_eq!(tree.proof(0).unwrap().as_slice(), [other]);
    /// ```
    pub fn as_slice(&self) -> &[B256] {
        &self.0
    }
}

impl TryFrom<Vec<B256>> for MerkleProof {
    type Error = MerkleProofTooLong;

    fn try_from(hashes: Vec<B256>) -> Result<Self, MerkleProofTooLong> {
        if hashes.len() > Self::MAX_LENGTH {
            return Err(MerkleProofTooLong(hashes.len()));
        }
        Ok(Self(hashes))
    }
}

/// A [`MerkleProof`] where it stands in an authorization.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Siblings<'a>(&'a [[u8; 32]]);

impl<'a> Siblings<'a> {
    /// Of at most [`MerkleProof::MAX_LENGTH`] hashes.
    pub(crate) fn new(hashes: &'a [[u8; 32]]) -> Self {
        Self(hashes)
    }

    pub(crate) fn root(self, leaf: B256) -> B256 {
        fold(leaf, self.0.iter().map(B256::from))
    }
}

impl From<Siblings<'_>> for MerkleProof {
    fn from(siblings: Siblings<'_>) -> Self {
        Self(siblings.0.iter().map(B256::from).collect())
    }
}

/// A tree over the digests of a batch of attestations, for those who have the batch signed.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (context, intent, _) = attested::example();
/// use alloy_primitives::U256;
/// use assent_verifier::{AttestationDocument, MerkleTree, verify};
///
/// // Two attestations, which one signature serves.
/// let attestations = [7, 8].map(|nonce| attested::attestation(&context, &intent, U256::from(nonce)));
/// # use assent_verifier::{NonSigners, digest::attestation_digest};
/// # let (chain_id, task_manager) = (context.chain_id, context.task_manager);
/// let digests = attestations.iter().map(|attestation| attestation_digest(attestation, chain_id, task_manager));
/// let tree = MerkleTree::new(digests.collect()).unwrap();
/// let signature = attested::sign(tree.root()); // By the operators.
/// for (place, attestation) in attestations.into_iter().enumerate() {
///     let merkle_proof = tree.proof(place).unwrap();
/// #     let non_signers = NonSigners::from_indices([1])?;
///     let document =
///         AttestationDocument { chain_id, task_manager, attestation, epoch: 1, signature, non_signers, merkle_proof };
///     assert!(verify(&context, &intent, &document.authorization()?.encode()).is_ok());
/// }
/// assert!(MerkleTree::new(vec![]).is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct MerkleTree {
    leaves: Vec<B256>,
    /// The levels above the leaves, the root's last; empty when there is one leaf.
    levels: Vec<Vec<B256>>,
    root: B256,
}

impl MerkleTree {
    /// Builds the tree; an unpaired last node of a level goes up unchanged. `None` without leaves.
    pub fn new(leaves: Vec<B256>) -> Option<Self> {
        let mut levels: Vec<Vec<B256>> = Vec::new();
        let root = loop {
            let below = match levels.last().unwrap_or(&leaves).as_slice() {
                [] => return None,
                [root] => break *root,
                below => below,
            };
            let above = below
                .chunks(2)
                .filter_map(|pair| {
                    let (left, right) = (pair.first()?, pair.get(1));
                    Some(right.map_or(*left, |right| hash_pair(*left, *right)))
                })
                .collect();
            levels.push(above);
        };
        Some(Self { leaves, levels, root })
    }

    /// The hash that the operators sign.
    pub fn root(&self) -> B256 {
        self.root
    }

    /// The proof of the leaf at a place; `None` when there is no such leaf.
    pub fn proof(&self, index: usize) -> Option<MerkleProof> {
        self.leaves.get(index)?;
        let levels = core::iter::once(&self.leaves).chain(&self.levels);
        let hashes = levels
            .enumerate()
            .filter_map(|(height, level)| level.get((index >> height) ^ 1).copied())
            .collect::<Vec<_>>();
        MerkleProof::try_from(hashes).ok()
    }
}

fn fold(leaf: B256, siblings: impl Iterator<Item = B256>) -> B256 {
    siblings.fold(leaf, hash_pair)
}

/// keccak256 of two nodes, the smaller first.
fn hash_pair(one: B256, other: B256) -> B256 {
    let mut hasher = Keccak256::new();
    hasher.update(one.min(other));
    hasher.update(one.max(other));
    hasher.finalize()
}
