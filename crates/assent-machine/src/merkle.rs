//! The Merkle tree over memory: leaves are 32 bytes in the order of their addresses, a node is keccak256 of its two
//! children.
//!
//! Depth is fixed, so that no node passes for a leaf.

use alloc::{boxed::Box, vec, vec::Vec};
use alloy_primitives::{B256, Keccak256};

/// Bytes of a leaf.
pub const LEAF_SIZE: u32 = 32;

/// Levels above the leaves of the whole memory: 2^21 leaves.
pub const TREE_HEIGHT: usize = 21;

/// The subtrees over zeros, by height. The leaf, height 0, is 32 zero bytes.
#[derive(Debug, Clone)]
pub(crate) struct ZeroSubtrees([B256; TREE_HEIGHT + 1]);

impl ZeroSubtrees {
    pub(crate) fn new() -> Self {
        let mut node = B256::ZERO;
        Self(core::array::from_fn(|height| {
            if height > 0 {
                node = parent(&node, &node);
            }
            node
        }))
    }

    pub(crate) fn root(&self, height: usize) -> B256 {
        self.0.get(height).copied().unwrap_or_default()
    }
}

/// Returns the node above two nodes.
pub(crate) fn parent(left: &B256, right: &B256) -> B256 {
    let mut hasher = Keccak256::new();
    hasher.update(left);
    hasher.update(right);
    hasher.finalize()
}

/// Returns the root of the subtree of `height` over `leaves`, with zeros for the leaves that are missing.
pub(crate) fn subtree_root(leaves: Vec<B256>, height: usize, zeros: &ZeroSubtrees) -> B256 {
    let mut level = leaves;
    for below in 0..height {
        let zero = zeros.root(below);
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] if *left != zero || *right != zero => parent(left, right),
                [left] if *left != zero => parent(left, &zero),
                _ => zeros.root(below + 1),
            })
            .collect();
    }
    level.first().copied().unwrap_or_else(|| zeros.root(height))
}

/// Returns the root that a leaf at `index` leads to along its siblings, from the leaf up.
pub(crate) fn fold(leaf: B256, index: u32, siblings: &[B256]) -> B256 {
    let mut node = leaf;
    for (level, sibling) in siblings.iter().enumerate() {
        let is_right = index.checked_shr(u32::try_from(level).unwrap_or(u32::MAX)).unwrap_or(0) & 1 == 1;
        node = if is_right { parent(sibling, &node) } else { parent(&node, sibling) };
    }
    node
}

/// Splits bytes into leaves, the last filled up with zeros.
pub(crate) fn leaves_of(bytes: &[u8]) -> Vec<B256> {
    bytes
        .chunks(B256::len_bytes())
        .map(|chunk| {
            let mut leaf = B256::ZERO;
            leaf.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
            leaf
        })
        .collect()
}

/// The nodes of a tree that changes leaf by leaf. A node that is not there (zero) is the root of zeros.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    /// Node 1 is the root, and the children of node `n` are `2n` and `2n + 1`. Bytes, so that the system
    /// hands out zeroed pages as they are touched: most of the 16 MiB is never written.
    nodes: Box<[[u8; 32]]>,
    height: usize,
    /// Levels of the whole tree that are below these nodes.
    below: usize,
    zeros: ZeroSubtrees,
}

impl Tree {
    /// Creates a tree of zeros whose lowest nodes are roots of subtrees of height `below`.
    pub(crate) fn new(below: usize) -> Self {
        let height = TREE_HEIGHT - below;
        Self { nodes: vec![[0; 32]; 2 << height].into_boxed_slice(), height, below, zeros: ZeroSubtrees::new() }
    }

    pub(crate) const fn zeros(&self) -> &ZeroSubtrees {
        &self.zeros
    }

    /// Returns a node: level 0 holds the roots of the subtrees.
    pub(crate) fn node(&self, level: usize, index: usize) -> B256 {
        let position = (1 << (self.height.saturating_sub(level))) + index;
        match self.nodes.get(position) {
            Some(node) if *node != [0; 32] => B256::new(*node),
            _ => self.zeros.root(self.below + level),
        }
    }

    pub(crate) fn root(&self) -> B256 {
        self.node(self.height, 0)
    }

    /// Replaces lowest nodes, in ascending order of their indices, and every node above them.
    pub(crate) fn replace(&mut self, changes: &[(usize, B256)]) {
        let mut positions = Vec::with_capacity(changes.len());
        for (index, root) in changes {
            let position = (1 << self.height) + index;
            self.set(position, *root);
            push_new(&mut positions, position >> 1);
        }
        for level in 1..=self.height {
            let mut above = Vec::with_capacity(positions.len());
            for position in positions {
                let index = position - (1 << (self.height - level));
                let node = parent(&self.node(level - 1, 2 * index), &self.node(level - 1, 2 * index + 1));
                self.set(position, node);
                push_new(&mut above, position >> 1);
            }
            positions = above;
        }
    }

    /// Returns the nodes above the first `count` lowest nodes, and these, with their positions.
    pub(crate) fn first_nodes(&self, count: usize) -> Vec<(usize, B256)> {
        let levels = (0..=self.height).flat_map(|level| {
            let first = 1 << (self.height - level);
            (first..first + count.div_ceil(1 << level))
                .filter_map(|position| Some((position, B256::new(*self.nodes.get(position)?))))
        });
        levels.collect()
    }

    pub(crate) fn set(&mut self, position: usize, node: B256) {
        if let Some(slot) = self.nodes.get_mut(position) {
            *slot = node.0;
        }
    }
}

/// Appends a position of an ascending list unless it is there.
fn push_new(positions: &mut Vec<usize>, position: usize) {
    if positions.last() != Some(&position) {
        positions.push(position);
    }
}
