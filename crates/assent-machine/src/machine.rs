//! The machine: an image, memory and registers, run step by step.

use crate::{
    instruction::{Flow, Instruction, Registers},
    layout::Region,
    memory::{HostMemory, ImageNodes, index, words_of},
    proof::{MemoryAccess, Recorder, StepProof, hash_state, step},
    state::{HALTED, Stop, TRAPPED, Trap},
};
use alloc::{sync::Arc, vec::Vec};
use alloy_primitives::B256;

/// A program: the bytes at address 0, where execution begins.
///
/// Instructions are decoded and the image is hashed once, for every machine that runs it.
#[derive(Debug, Clone)]
pub struct Image {
    bytes: Arc<[u8]>,
    /// The bytes as memory holds them, so that a new machine copies them at once.
    words: Arc<[u32]>,
    instructions: Arc<[Instruction]>,
    root: B256,
    nodes: ImageNodes,
}

/// The program cannot be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// It is larger than its region.
    #[error("the image has {0} bytes, more than {max}", max = Region::Image.size())]
    TooLong(usize),
    /// It has no bytes.
    #[error("the image is empty")]
    Empty,
}

/// The content is larger than its region.
// Complete: it has one cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{length} bytes do not fit into {region:?}, which holds {max}", max = region.capacity())]
pub struct ContentTooLong {
    /// The region.
    pub region: Region,
    /// Bytes of the content.
    pub length: usize,
}

/// A machine in some state.
///
/// ```
/// use assent_machine::{Image, Machine, Region, Stop};
///
/// // lui a0, 0x3ff0; addi a1, zero, 42; sw a1, 4(a0); addi a1, zero, 4; sw a1, 0(a0); ecall
/// let program = [0x03ff_0537, 0x02a0_0593, 0x00b5_2223, 0x0040_0593, 0x00b5_2023, 0x0000_0073_u32];
/// let bytes: Vec<u8> = program.iter().flat_map(|word| word.to_le_bytes()).collect();
///
/// let mut machine = Machine::new(&Image::new(&bytes)?);
/// assert_eq!(machine.run(1_000), Stop::Halted);
/// assert_eq!(machine.steps(), 6);
/// assert_eq!(machine.content(Region::Result), Some(vec![42, 0, 0, 0]));
/// # Ok::<(), assent_machine::ImageError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Machine {
    image: Image,
    memory: HostMemory,
    registers: Registers,
    pc: u32,
    steps: u64,
    /// How the program ended, once it has.
    end: Option<Stop>,
}

impl Image {
    /// Decodes a program.
    ///
    /// # Errors
    ///
    /// [`ImageError`] if it is empty or larger than 4 MiB.
    pub fn new(bytes: &[u8]) -> Result<Self, ImageError> {
        if bytes.is_empty() {
            return Err(ImageError::Empty);
        }
        if bytes.len() > index(Region::Image.size()) {
            return Err(ImageError::TooLong(bytes.len()));
        }
        let (nodes, root) = ImageNodes::new(bytes);
        let words: Arc<[u32]> = words_of(bytes).collect();
        let instructions = words.iter().map(|word| Instruction::decode(*word)).collect();
        Ok(Self { bytes: bytes.into(), words, instructions, root, nodes })
    }

    /// Returns the root of the image's region, which names the image.
    pub const fn root(&self) -> B256 {
        self.root
    }

    /// Returns the program's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Machine {
    /// Creates a machine that is about to execute the first instruction of an image, with every register and all other
    /// memory zero.
    pub fn new(image: &Image) -> Self {
        let memory = HostMemory::with_image(Arc::clone(&image.words), image.nodes.clone());
        Self { image: image.clone(), memory, registers: Registers::new(), pc: 0, steps: 0, end: None }
    }

    /// Replaces the content of a region, its length first. Nothing of the previous content remains. Meant for a machine
    /// that has not run yet.
    ///
    /// # Errors
    ///
    /// [`ContentTooLong`] if it does not fit, and always for the image, which cannot be replaced.
    pub fn load(&mut self, region: Region, content: &[u8]) -> Result<(), ContentTooLong> {
        let too_long = ContentTooLong { region, length: content.len() };
        let length = u32::try_from(content.len()).map_err(|_| too_long)?;
        if length > region.capacity() || region == Region::Image {
            return Err(too_long);
        }
        self.memory.replace_content(region, length, content);
        Ok(())
    }

    /// Runs until the program ends, or until the machine has done `limit` steps since it was created.
    pub fn run(&mut self, limit: u64) -> Stop {
        if let Some(stop) = self.end {
            return stop;
        }
        let instructions = &*self.image.instructions;
        let (mut pc, mut steps) = (self.pc, self.steps);
        let stop = loop {
            if steps >= limit {
                break Stop::StepLimit;
            }
            // Up to the next jump, neither the limit nor the program counter is looked at.
            let most = usize::try_from(limit - steps).unwrap_or(usize::MAX);
            let ahead = instructions.get(index(pc / 4)..).unwrap_or_default();
            let ahead = ahead.get(..most).unwrap_or(ahead);
            let mut made = 0_u32;
            let end = loop {
                let Some(instruction) = ahead.get(index(made)) else { break Ok(Flow::Next) };
                let at = pc.wrapping_add(4 * made);
                made += 1;
                match instruction.execute(at, &mut self.registers, &mut self.memory) {
                    Ok(Flow::Next) => {}
                    end => break end,
                }
            };
            steps += u64::from(made);
            match end {
                Ok(Flow::Jump(target)) => pc = target,
                Ok(Flow::Halt) => break Stop::Halted,
                Err(trap) => break Stop::Trapped(trap),
                Ok(Flow::Next) if made > 0 => pc = pc.wrapping_add(4 * made),
                Ok(Flow::Next) => {
                    steps += 1;
                    // Behind the program its region is zero, which is no instruction.
                    let is_in_image = pc < Region::Image.size();
                    break Stop::Trapped(if is_in_image { Trap::IllegalInstruction } else { Trap::OutsideImage(pc) });
                }
            }
        };
        self.steps = steps;
        (self.pc, self.end) = match stop {
            Stop::StepLimit => (pc, None),
            Stop::Halted => (HALTED, Some(stop)),
            Stop::Trapped(_) => (TRAPPED, Some(stop)),
        };
        stop
    }

    /// Returns how many steps were done. An instruction that halts or traps is a step too.
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// Returns the program counter: an address in the image, [`HALTED`] or [`TRAPPED`].
    pub const fn pc(&self) -> u32 {
        self.pc
    }

    /// Returns registers x0 to x31.
    pub fn registers(&self) -> [u32; 32] {
        self.registers.values()
    }

    /// Returns the content of a region, or nothing if its length is more than fits.
    pub fn content(&self, region: Region) -> Option<Vec<u8>> {
        self.memory.content(region)
    }

    /// Returns the root of a region's contents.
    pub fn region_root(&mut self, region: Region) -> B256 {
        self.memory.region_root(region)
    }

    /// Returns the root of all of memory.
    pub fn memory_root(&mut self) -> B256 {
        self.memory.root()
    }

    /// Returns the hash of the whole state: memory root, registers x0 to x31 and program counter.
    ///
    /// The first call hashes all memory that is in use except the image, and each further one what changed since.
    pub fn state_hash(&mut self) -> B256 {
        hash_state(self.memory.root(), &self.registers.values(), self.pc)
    }

    /// Returns the proof of the next step: all that another needs to repeat it, without the memory.
    pub fn prove_step(&mut self) -> StepProof {
        let accesses = self.accesses();
        let memory_root = self.memory.root();
        let accesses = accesses
            .into_iter()
            .map(|address| MemoryAccess { leaf: self.memory.leaf(address), siblings: self.memory.siblings(address) })
            .collect();
        StepProof { memory_root, registers: self.registers.values(), pc: self.pc, accesses }
    }

    /// Returns the addresses that the next step reads or writes, the instruction's first.
    fn accesses(&self) -> Vec<u32> {
        let mut recorded = Recorder::new(&self.memory);
        let mut registers = self.registers.clone();
        step(self.pc, &mut registers, &mut recorded);
        recorded.into_addresses()
    }
}
