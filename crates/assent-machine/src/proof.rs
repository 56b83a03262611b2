//! One step, proved: the state before, the parts of memory that the step touches, and so the state after.

use crate::{
    instruction::{Flow, Instruction, Memory, Registers},
    layout::{MEMORY_END, Region},
    memory::{HostMemory, index, require_writable, words_of},
    merkle::{LEAF_SIZE, TREE_HEIGHT, ZeroSubtrees, fold, leaves_of, parent, subtree_root},
    state::{HALTED, TRAPPED, Trap},
};
use alloc::vec::Vec;
use alloy_primitives::{B256, Keccak256};

/// The proof of one step: from it and the hash of the state before, a verifier computes the hash of the state after.
///
/// ```
/// use assent_machine::{Image, Machine};
///
/// let mut machine = Machine::new(&Image::new(&0x0010_0093_u32.to_le_bytes())?); // addi ra, zero, 1
/// let proof = machine.prove_step();
/// let before = machine.state_hash();
/// machine.run(1);
/// assert_eq!(proof.verify(), Ok((before, machine.state_hash())));
/// # Ok::<(), assent_machine::ImageError>(())
/// ```
// Complete: a verifier needs these to repeat the step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepProof {
    /// The root of memory before the step.
    pub memory_root: B256,
    /// Registers x0 to x31 before the step. x0 is zero.
    pub registers: [u32; 32],
    /// The program counter before the step.
    pub pc: u32,
    /// The leaves that the step touches, in this order. The instruction's is there if the program counter is in the
    /// image; that of a load or store, if the address is in memory.
    pub accesses: Vec<MemoryAccess>,
}

/// A leaf of memory with its Merkle proof.
// Complete: a leaf and its Merkle proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryAccess {
    /// The 32 bytes.
    pub leaf: B256,
    /// The siblings from the leaf up to the root: 21.
    pub siblings: Vec<B256>,
}

/// The proof does not prove a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StepProofError {
    /// The step touches a leaf that the proof lacks.
    #[error("the step touches {0:#010x}, which the proof does not contain")]
    MissingAccess(u32),
    /// The proof contains a leaf that the step does not touch.
    #[error("the proof contains {0} accesses more than the step makes")]
    UnusedAccesses(usize),
    /// The leaf's Merkle proof does not lead to the memory root.
    #[error("the leaf at {0:#010x} is not in memory")]
    WrongLeaf(u32),
    /// Register x0 is not zero.
    #[error("register x0 is {0}, not zero")]
    NonZeroRegister(u32),
}

impl StepProof {
    /// Verifies the Merkle proofs, repeats the step and returns the state's hash before and after it.
    ///
    /// A state that has halted or trapped stays as it is.
    ///
    /// # Errors
    ///
    /// [`StepProofError`] if the proof is not exactly what the step needs.
    pub fn verify(&self) -> Result<(B256, B256), StepProofError> {
        if self.registers[0] != 0 {
            return Err(StepProofError::NonZeroRegister(self.registers[0]));
        }
        let mut registers = Registers::from_values(&self.registers);
        let mut memory = ProvedMemory { root: self.memory_root, accesses: &self.accesses, current: None, fault: None };
        let pc = step(self.pc, &mut registers, &mut memory);
        if let Some(fault) = memory.fault {
            return Err(fault);
        }
        if !memory.accesses.is_empty() {
            return Err(StepProofError::UnusedAccesses(memory.accesses.len()));
        }
        let before = hash_state(self.memory_root, &self.registers, self.pc);
        Ok((before, hash_state(memory.root, &registers.values(), pc)))
    }
}

/// Returns the hash of a state: `keccak256(memoryRoot ‖ x0 ‖ … ‖ x31 ‖ pc)`, registers and program counter in four
/// bytes each, big-endian.
pub fn hash_state(memory_root: B256, registers: &[u32; 32], pc: u32) -> B256 {
    let mut hasher = Keccak256::new();
    hasher.update(memory_root);
    for register in registers {
        hasher.update(register.to_be_bytes());
    }
    hasher.update(pc.to_be_bytes());
    hasher.finalize()
}

/// Returns the root of a region with some content, without a machine. For the image, the content is the program;
/// elsewhere its length precedes it. Returns nothing if it does not fit.
pub fn content_root(region: Region, content: &[u8]) -> Option<B256> {
    let length = u32::try_from(content.len()).ok().filter(|length| *length <= region.capacity())?;
    let leaves = if region == Region::Image {
        leaves_of(content)
    } else {
        leaves_of(&[&length.to_le_bytes(), content].concat())
    };
    Some(subtree_root(leaves, index(region.height()), &ZeroSubtrees::new()))
}

/// Returns the state's hash before the first step, worked out from the roots of the regions that were loaded.
///
/// ```
/// use assent_machine::{Image, Machine, Region, content_root, initial_state_hash};
///
/// let image = Image::new(&[0x73, 0, 0, 0])?;
/// let mut machine = Machine::new(&image);
/// machine.load(Region::Input, b"{}").unwrap();
///
/// let root = |region, content: &[u8]| content_root(region, content).unwrap();
/// let hash = initial_state_hash(
///     image.root(),
///     root(Region::Rules, b""),
///     root(Region::Parameters, b""),
///     root(Region::Input, b"{}"),
///     root(Region::Data, b""),
/// );
/// assert_eq!(hash, machine.state_hash());
/// # Ok::<(), assent_machine::ImageError>(())
/// ```
pub fn initial_state_hash(image: B256, rules: B256, parameters: B256, input: B256, data: B256) -> B256 {
    let zeros = ZeroSubtrees::new();
    // The heights: 15 for 1 MiB, 17 for the image's 4 MiB, 18 for the data's 8 MiB, 21 for all of memory.
    let contents = parent(&parent(&rules, &parameters), &parent(&input, &zeros.root(15)));
    let read_only = parent(&parent(&image, &contents), &data);
    let lower_half = parent(&read_only, &zeros.root(19));
    let memory_root = parent(&lower_half, &zeros.root(20));
    hash_state(memory_root, &[0; 32], 0)
}

/// Executes one step and returns the next program counter. Terminal states stay as they are.
pub(crate) fn step(pc: u32, registers: &mut Registers, memory: &mut impl Memory) -> u32 {
    if pc == HALTED || pc == TRAPPED {
        return pc;
    }
    if pc >= Region::Image.size() {
        return TRAPPED;
    }
    let flow = memory.load(pc).and_then(|word| Instruction::decode(word).execute(pc, registers, memory));
    match flow {
        Ok(Flow::Next) => pc.wrapping_add(4),
        Ok(Flow::Jump(target)) => target,
        Ok(Flow::Halt) => HALTED,
        Err(_) => TRAPPED,
    }
}

/// Notes which leaves a step touches, and writes nothing.
pub(crate) struct Recorder<'a> {
    memory: &'a HostMemory,
    addresses: Vec<u32>,
}

impl<'a> Recorder<'a> {
    pub(crate) const fn new(memory: &'a HostMemory) -> Self {
        Self { memory, addresses: Vec::new() }
    }

    pub(crate) fn into_addresses(self) -> Vec<u32> {
        self.addresses
    }
}

impl Memory for Recorder<'_> {
    fn load(&mut self, address: u32) -> Result<u32, Trap> {
        if address >= MEMORY_END {
            return Err(Trap::OutsideMemory(address));
        }
        self.addresses.push(address);
        let leaf = self.memory.leaf(address);
        Ok(word_in(&leaf, address))
    }

    fn store(&mut self, address: u32, _word: u32) -> Result<(), Trap> {
        require_writable(address)?;
        // A byte or half was loaded from the same word.
        if self.addresses.get(1) != Some(&address) {
            self.addresses.push(address);
        }
        Ok(())
    }
}

/// Memory of which only the proved leaves are known.
struct ProvedMemory<'a> {
    root: B256,
    accesses: &'a [MemoryAccess],
    /// The leaf that was opened last: its index, its bytes and its siblings.
    current: Option<(u32, B256, &'a [B256])>,
    /// The first thing that was wrong with the proof.
    fault: Option<StepProofError>,
}

impl ProvedMemory<'_> {
    /// Takes the next leaf of the proof as the one that an address is in, and verifies it.
    fn open(&mut self, address: u32) -> B256 {
        let leaf_index = address / LEAF_SIZE;
        let Some((access, rest)) = self.accesses.split_first() else {
            self.fail(StepProofError::MissingAccess(address));
            return B256::ZERO;
        };
        if access.siblings.len() != TREE_HEIGHT || fold(access.leaf, leaf_index, &access.siblings) != self.root {
            self.fail(StepProofError::WrongLeaf(address));
        }
        self.accesses = rest;
        self.current = Some((leaf_index, access.leaf, &access.siblings));
        access.leaf
    }

    fn fail(&mut self, fault: StepProofError) {
        self.fault.get_or_insert(fault);
    }
}

impl Memory for ProvedMemory<'_> {
    fn load(&mut self, address: u32) -> Result<u32, Trap> {
        if address >= MEMORY_END {
            return Err(Trap::OutsideMemory(address));
        }
        Ok(word_in(&self.open(address), address))
    }

    fn store(&mut self, address: u32, word: u32) -> Result<(), Trap> {
        require_writable(address)?;
        // Writable leaves are never the instruction's: if one is open, it is this word's, loaded for a byte or half of
        // it.
        let is_open = self.current.is_some_and(|(leaf_index, ..)| leaf_index == address / LEAF_SIZE);
        if !is_open {
            self.open(address);
        }
        if let Some((leaf_index, mut leaf, siblings)) = self.current {
            let first = index(address % LEAF_SIZE);
            if let Some(bytes) = leaf.get_mut(first..first + 4) {
                bytes.copy_from_slice(&word.to_le_bytes());
            }
            self.root = fold(leaf, leaf_index, siblings);
        }
        Ok(())
    }
}

/// Returns the word of a leaf that is at an aligned address.
fn word_in(leaf: &B256, address: u32) -> u32 {
    words_of(leaf.as_slice()).nth(index(address % LEAF_SIZE / 4)).unwrap_or_default()
}
