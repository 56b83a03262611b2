//! The machine's 64 MiB, and which of it changed since it was hashed last.

use crate::{
    instruction::Memory,
    layout::{MEMORY_END, Region, WRITABLE_START},
    merkle::{LEAF_SIZE, TREE_HEIGHT, Tree, leaves_of, subtree_root},
    state::Trap,
};
use alloc::{boxed::Box, sync::Arc, vec, vec::Vec};
use alloy_primitives::B256;

/// Bytes whose change is noted together.
const GRANULE_SIZE: u32 = 256;
/// Levels of the tree within a granule of eight leaves.
const GRANULE_HEIGHT: usize = 3;
const WORDS: usize = index(MEMORY_END / 4);
const GRANULES: usize = index(MEMORY_END / GRANULE_SIZE);
const GRANULES_OF_BLOCK: usize = 512;
const WORDS_OF_GRANULE: usize = index(GRANULE_SIZE / 4);
const WORDS_OF_LEAF: usize = index(LEAF_SIZE / 4);

/// All of memory. The system hands out zeroed pages as they are touched, so that an unused part costs nothing.
#[derive(Debug, Clone)]
pub(crate) struct HostMemory {
    /// The image's words, which a program cannot change: shared by all machines instead of copied for each.
    image: Arc<[u32]>,
    /// All words behind the image.
    words: Box<[u32; WORDS]>,
    /// 1 for each granule that was written since the tree was brought up to date. A byte each: a write need not read it
    /// first.
    changed: Box<[u8; GRANULES]>,
    /// Made when a hash is asked for.
    tree: Option<Tree>,
    image_nodes: ImageNodes,
}

/// The nodes above an image in a memory that is zero otherwise: hashed once, for every machine that runs the image.
#[derive(Debug, Clone, Default)]
pub(crate) struct ImageNodes(Arc<[(usize, B256)]>);

impl HostMemory {
    /// Returns memory that holds an image at address 0, and zeros elsewhere.
    pub(crate) fn with_image(image: Arc<[u32]>, image_nodes: ImageNodes) -> Self {
        Self { image, words: zeroed(), changed: zeroed(), tree: None, image_nodes }
    }

    /// Writes bytes, whatever the region permits the program.
    pub(crate) fn write(&mut self, address: u32, bytes: &[u8]) {
        let mut at = address;
        for word in words_of(bytes) {
            self.set(at, word);
            at = at.wrapping_add(4);
        }
    }

    /// Replaces the content of a region that has a length. Nothing of the previous content remains.
    pub(crate) fn replace_content(&mut self, region: Region, length: u32, content: &[u8]) {
        let first = region.start() + 4;
        // A program writes anywhere in a writable region; elsewhere only contents are written, within their length.
        let is_writable = region.start() >= WRITABLE_START;
        let previous = self.word(region.start()).min(region.capacity());
        let previous = if is_writable { region.capacity() } else { previous };
        let mut at = first + length.next_multiple_of(4);
        while at < first + previous {
            if self.word(at) != 0 {
                self.set(at, 0);
            }
            at += 4;
        }
        self.set(region.start(), length);
        self.write(first, content);
    }

    /// Returns the content of a region that has a length, or nothing if the length is more than fits.
    pub(crate) fn content(&self, region: Region) -> Option<Vec<u8>> {
        let length = self.word(region.start());
        if length > region.capacity() {
            return None;
        }
        let first = index(region.start() / 4) + 1;
        let words = self.words(first, index(length.div_ceil(4)));
        let mut bytes: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
        bytes.truncate(index(length));
        Some(bytes)
    }

    /// Returns the root over all of memory.
    pub(crate) fn root(&mut self) -> B256 {
        self.up_to_date().root()
    }

    /// Returns the root over a region.
    pub(crate) fn region_root(&mut self, region: Region) -> B256 {
        let level = index(region.height()) - GRANULE_HEIGHT;
        self.up_to_date().node(level, index(region.start() / region.size()))
    }

    /// Returns the leaf that an address is in.
    pub(crate) fn leaf(&self, address: u32) -> B256 {
        leaf_of(self.words(index(address / LEAF_SIZE) * WORDS_OF_LEAF, WORDS_OF_LEAF))
    }

    /// Returns the siblings on the way from the leaf that an address is in up to the root.
    pub(crate) fn siblings(&mut self, address: u32) -> Vec<B256> {
        let granule = index(address / GRANULE_SIZE);
        let leaves = self.leaves_of(granule);
        let leaf = index(address / LEAF_SIZE);
        let tree = self.up_to_date();
        let within = (0..GRANULE_HEIGHT).map(|height| {
            let sibling = ((leaf % (1 << GRANULE_HEIGHT)) >> height) ^ 1;
            let first = sibling << height;
            let covered = leaves.get(first..first + (1 << height)).unwrap_or_default();
            subtree_root(covered.to_vec(), height, tree.zeros())
        });
        let above = (0..TREE_HEIGHT - GRANULE_HEIGHT).map(|level| tree.node(level, (granule >> level) ^ 1));
        within.chain(above).collect()
    }

    #[inline(always)]
    fn word(&self, address: u32) -> u32 {
        self.word_at(index(address / 4))
    }

    #[inline(always)]
    fn word_at(&self, position: usize) -> u32 {
        match self.image.get(position) {
            Some(word) => *word,
            None => self.words[position % WORDS],
        }
    }

    fn words(&self, first: usize, count: usize) -> impl Iterator<Item = u32> {
        (first..first + count).map(|position| self.word_at(position))
    }

    #[inline(always)]
    fn set(&mut self, address: u32, word: u32) {
        self.words[index(address / 4) % WORDS] = word;
        self.changed[index(address / GRANULE_SIZE) % GRANULES] = 1;
    }

    fn up_to_date(&mut self) -> &Tree {
        let mut tree = self.tree.take().unwrap_or_else(|| self.image_nodes.tree());
        let mut changes = Vec::new();
        // Most of memory is as it was: whole blocks of granules are skipped.
        for block in (0..GRANULES).step_by(GRANULES_OF_BLOCK) {
            let granules = block..block + GRANULES_OF_BLOCK;
            if !self.changed[granules.clone()].contains(&1) {
                continue;
            }
            for granule in granules {
                if core::mem::take(&mut self.changed[granule]) == 1 {
                    changes.push((granule, subtree_root(self.leaves_of(granule), GRANULE_HEIGHT, tree.zeros())));
                }
            }
        }
        tree.replace(&changes);
        self.tree.insert(tree)
    }

    fn leaves_of(&self, granule: usize) -> Vec<B256> {
        let first = granule * WORDS_OF_GRANULE;
        let leaves = (first..first + WORDS_OF_GRANULE).step_by(WORDS_OF_LEAF);
        leaves.map(|first| leaf_of(self.words(first, WORDS_OF_LEAF))).collect()
    }
}

impl ImageNodes {
    /// Hashes an image. Returns also the root of its region.
    pub(crate) fn new(image: &[u8]) -> (Self, B256) {
        let mut tree = Tree::new(GRANULE_HEIGHT);
        let granules = image.chunks(index(GRANULE_SIZE)).map(leaves_of).enumerate();
        let changes: Vec<_> =
            granules.map(|(granule, leaves)| (granule, subtree_root(leaves, GRANULE_HEIGHT, tree.zeros()))).collect();
        tree.replace(&changes);
        let root = tree.node(index(Region::Image.height()) - GRANULE_HEIGHT, 0);
        (Self(tree.first_nodes(changes.len()).into()), root)
    }

    /// Returns the tree over a memory that holds only the image.
    fn tree(&self) -> Tree {
        let mut tree = Tree::new(GRANULE_HEIGHT);
        for (position, node) in self.0.iter() {
            tree.set(*position, *node);
        }
        tree
    }
}

impl Memory for HostMemory {
    #[inline(always)]
    fn load(&mut self, address: u32) -> Result<u32, Trap> {
        if address >= MEMORY_END {
            return Err(Trap::OutsideMemory(address));
        }
        Ok(self.word(address))
    }

    #[inline(always)]
    fn store(&mut self, address: u32, word: u32) -> Result<(), Trap> {
        require_writable(address)?;
        self.set(address, word);
        Ok(())
    }
}

/// Checks that the program may write at an address.
#[inline(always)]
pub(crate) fn require_writable(address: u32) -> Result<(), Trap> {
    if address.wrapping_sub(WRITABLE_START) < MEMORY_END - WRITABLE_START {
        Ok(())
    } else if address < WRITABLE_START {
        Err(Trap::ReadOnly(address))
    } else {
        Err(Trap::OutsideMemory(address))
    }
}

/// Returns an address, count or offset as an index. A `usize` has 32 bits or more wherever 64 MiB can be addressed.
#[inline(always)]
#[allow(clippy::as_conversions, reason = "a const fn cannot use TryFrom; it widens")]
pub(crate) const fn index(value: u32) -> usize {
    const { assert!(usize::BITS >= 32) };
    value as usize
}

/// Returns bytes as words, little-endian, the last filled up with zeros.
pub(crate) fn words_of(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.chunks(4).map(|chunk| {
        let mut word = [0; 4];
        word.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
        u32::from_le_bytes(word)
    })
}

fn leaf_of(words: impl Iterator<Item = u32>) -> B256 {
    let mut leaf = B256::ZERO;
    for (bytes, word) in leaf.chunks_exact_mut(4).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    leaf
}

/// Allocates without a copy on the stack.
fn zeroed<T: Clone + Default, const N: usize>() -> Box<[T; N]> {
    match vec![T::default(); N].into_boxed_slice().try_into() {
        Ok(array) => array,
        Err(_) => unreachable!("the slice has N elements"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_hashed_once_for_all_machines() {
        for length in [1, 31, 32, 255, 256, 257, 10_000, index(Region::Image.size())] {
            let image: Vec<u8> = (0..length).map(|byte| (byte % 251 + 1).to_le_bytes()[0]).collect();
            let (nodes, root) = ImageNodes::new(&image);
            let words: Vec<u32> = words_of(&image).collect();
            let mut memory = HostMemory::with_image(words.into(), nodes);
            assert!(!memory.changed.contains(&1), "a new machine has nothing to hash");

            let mut written = HostMemory::with_image(Arc::default(), ImageNodes::default());
            written.write(0, &image);
            assert_eq!(memory.root(), written.root(), "{length} bytes");
            assert_eq!(memory.region_root(Region::Image), root, "{length} bytes");
            assert_eq!(written.region_root(Region::Image), root, "{length} bytes");
            assert_eq!(memory.siblings(0), written.siblings(0), "{length} bytes");
        }
    }
}
