//! Merkle trees over attestation digests: sorted pairs, keccak256.
//!
//! A leaf's preimage (an EIP-712 digest's) has 66 bytes and a node's 64, so neither is valid as the other.

use alloc::vec::Vec;
use alloy_primitives::{B256, Keccak256};

/// The hashes that lead from a leaf to the root, at most 32.
///
/// ```
/// use alloy_primitives::B256;
/// use assent_types::{MerkleProof, MerkleTree};
///
/// let leaves = [1, 2, 3].map(B256::with_last_byte);
/// let tree = MerkleTree::new(leaves.to_vec()).unwrap();
/// let proof = tree.proof(2).unwrap();
/// assert_eq!(proof.root(leaves[2]), tree.root());
/// // The only leaf of a tree is the root.
/// assert_eq!(MerkleProof::EMPTY.root(leaves[0]), leaves[0]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct MerkleProof(Vec<B256>);

/// The error for a proof with more hashes than an authorization may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the Merkle proof has {0} hashes, more than 32")]
pub struct MerkleProofTooLong(pub usize);

impl MerkleProof {
    /// The proof of a leaf that is its own root.
    pub const EMPTY: Self = Self(Vec::new());

    /// The largest number of hashes in a proof.
    pub const MAX_LENGTH: usize = 32;

    /// Returns the root to which the proof leads from a leaf.
    pub fn root(&self, leaf: B256) -> B256 {
        fold(leaf, self.0.iter().copied())
    }

    /// Returns the hashes, from the leaf up.
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

/// A [`MerkleProof`] that borrows an authorization's bytes.
#[derive(Debug, Clone, Copy)]
pub struct MerkleProofRef<'a>(&'a [[u8; 32]]);

impl<'a> MerkleProofRef<'a> {
    /// Takes at most [`MerkleProof::MAX_LENGTH`] hashes.
    pub(crate) fn new(hashes: &'a [[u8; 32]]) -> Self {
        Self(hashes)
    }

    /// Returns the root to which the proof leads from a leaf.
    pub fn root(self, leaf: B256) -> B256 {
        fold(leaf, self.0.iter().map(B256::from))
    }
}

impl From<MerkleProofRef<'_>> for MerkleProof {
    fn from(siblings: MerkleProofRef<'_>) -> Self {
        Self(siblings.0.iter().map(B256::from).collect())
    }
}

/// A Merkle tree over the digests of a batch of attestations, for those who have the batch signed.
///
/// ```
/// use alloy_primitives::B256;
/// use assent_types::MerkleTree;
///
/// let digests: Vec<_> = (0..5).map(B256::with_last_byte).collect();
/// let tree = MerkleTree::new(digests.clone()).unwrap();
/// // The operators sign `tree.root()`, and each attestation gets its proof.
/// for (index, digest) in digests.into_iter().enumerate() {
///     assert_eq!(tree.proof(index).unwrap().root(digest), tree.root());
/// }
/// ```
#[derive(Debug, Clone)]
pub struct MerkleTree {
    leaves: Vec<B256>,
    /// The levels above the leaves, the root's last; empty when there is one leaf.
    levels: Vec<Vec<B256>>,
    root: B256,
}

impl MerkleTree {
    /// Builds the tree, or returns `None` without leaves. An unpaired last node of a level moves up unchanged.
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

    /// Returns the hash that the operators sign.
    pub fn root(&self) -> B256 {
        self.root
    }

    /// Returns the proof of the leaf at an index, or `None` if there is no such leaf.
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

/// Returns keccak256 of two nodes, the smaller first.
fn hash_pair(one: B256, other: B256) -> B256 {
    let mut hasher = Keccak256::new();
    hasher.update(one.min(other));
    hasher.update(one.max(other));
    hasher.finalize()
}
