//! RV32IM: decoding, and what one instruction does.
//!
//! Source: The RISC-V Instruction Set Manual, Volume I: Unprivileged Architecture (version 20240411), chapters 2
//! (RV32I) and 13 (M), and its chapter of instruction listings.

use crate::state::Trap;

/// An instruction, decoded: what the interpreter needs at hand, in eight bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instruction {
    operation: Operation,
    destination: u8,
    first: u8,
    second: u8,
    immediate: u32,
}

/// What an instruction does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    LoadUpperImmediate,
    AddUpperImmediateToPc,
    JumpAndLink,
    JumpAndLinkRegister,
    BranchEqual,
    BranchNotEqual,
    BranchLess,
    BranchGreaterOrEqual,
    BranchLessUnsigned,
    BranchGreaterOrEqualUnsigned,
    LoadByte,
    LoadHalf,
    LoadWord,
    LoadByteUnsigned,
    LoadHalfUnsigned,
    StoreByte,
    StoreHalf,
    StoreWord,
    AddImmediate,
    SetLessImmediate,
    SetLessImmediateUnsigned,
    XorImmediate,
    OrImmediate,
    AndImmediate,
    ShiftLeftImmediate,
    ShiftRightImmediate,
    ShiftRightArithmeticImmediate,
    Add,
    Subtract,
    ShiftLeft,
    SetLess,
    SetLessUnsigned,
    Xor,
    ShiftRight,
    ShiftRightArithmetic,
    Or,
    And,
    Multiply,
    MultiplyHigh,
    MultiplyHighSignedUnsigned,
    MultiplyHighUnsigned,
    Divide,
    DivideUnsigned,
    Remainder,
    RemainderUnsigned,
    Fence,
    EnvironmentCall,
    EnvironmentBreak,
    Illegal,
}

/// Where execution goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// At the next instruction.
    Next,
    /// At an aligned address.
    Jump(u32),
    /// Nowhere: the program is done.
    Halt,
}

/// The integer registers. Register 0 reads as zero; what is written to it goes into a slot that is never read.
///
/// Every `u8` has a slot, so that no index is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registers([u32; 256]);

/// Memory, as one instruction sees it.
pub(crate) trait Memory {
    /// Returns the word at an aligned address below `MEMORY_END`.
    fn load(&mut self, address: u32) -> Result<u32, Trap>;
    /// Replaces the word at an aligned address that is writable.
    fn store(&mut self, address: u32, word: u32) -> Result<(), Trap>;
}

/// Where writes to register 0 go.
const SINK: u8 = 32;

impl Registers {
    pub(crate) const fn new() -> Self {
        Self([0; 256])
    }

    /// Returns registers with the values of x0 to x31; that of x0 is not used.
    pub(crate) fn from_values(values: &[u32; 32]) -> Self {
        let mut registers = Self::new();
        for (register, value) in registers.0.iter_mut().zip(values).skip(1) {
            *register = *value;
        }
        registers
    }

    /// Returns x0 to x31.
    pub(crate) fn values(&self) -> [u32; 32] {
        core::array::from_fn(|register| self.0.get(register).copied().unwrap_or_default())
    }

    #[inline(always)]
    fn read(&self, register: u8) -> u32 {
        self.0[usize::from(register)]
    }

    #[inline(always)]
    fn write(&mut self, register: u8, value: u32) {
        self.0[usize::from(register)] = value;
    }
}

impl Instruction {
    /// Decodes one word. A word that is no instruction of RV32IM becomes one that traps.
    pub(crate) fn decode(word: u32) -> Self {
        let destination = match bits(word, 7, 5) {
            0 => SINK,
            register => register,
        };
        let (operation, immediate) = operation_and_immediate(word);
        Self { operation, destination, first: bits(word, 15, 5), second: bits(word, 20, 5), immediate }
    }

    /// Executes the instruction.
    ///
    /// # Errors
    ///
    /// A [`Trap`], and then neither registers nor memory have changed.
    #[inline(always)]
    pub(crate) fn execute(&self, pc: u32, registers: &mut Registers, memory: &mut impl Memory) -> Result<Flow, Trap> {
        use Operation::*;
        let first = registers.read(self.first);
        let second = registers.read(self.second);
        let immediate = self.immediate;
        let value = match self.operation {
            LoadUpperImmediate => immediate,
            AddUpperImmediateToPc => pc.wrapping_add(immediate),
            JumpAndLink => return self.jump(pc, pc.wrapping_add(immediate), registers),
            JumpAndLinkRegister => return self.jump(pc, first.wrapping_add(immediate) & !1, registers),
            BranchEqual => return self.branch(pc, first == second),
            BranchNotEqual => return self.branch(pc, first != second),
            BranchLess => return self.branch(pc, first.cast_signed() < second.cast_signed()),
            BranchGreaterOrEqual => return self.branch(pc, first.cast_signed() >= second.cast_signed()),
            BranchLessUnsigned => return self.branch(pc, first < second),
            BranchGreaterOrEqualUnsigned => return self.branch(pc, first >= second),
            LoadByte => sign_extend(load_part::<1>(memory, first.wrapping_add(immediate))?, 8),
            LoadHalf => sign_extend(load_part::<2>(memory, first.wrapping_add(immediate))?, 16),
            LoadWord => load_part::<4>(memory, first.wrapping_add(immediate))?,
            LoadByteUnsigned => load_part::<1>(memory, first.wrapping_add(immediate))?,
            LoadHalfUnsigned => load_part::<2>(memory, first.wrapping_add(immediate))?,
            StoreByte => return store_part::<1>(memory, first.wrapping_add(immediate), second),
            StoreHalf => return store_part::<2>(memory, first.wrapping_add(immediate), second),
            StoreWord => return store_part::<4>(memory, first.wrapping_add(immediate), second),
            AddImmediate => first.wrapping_add(immediate),
            SetLessImmediate => u32::from(first.cast_signed() < immediate.cast_signed()),
            SetLessImmediateUnsigned => u32::from(first < immediate),
            XorImmediate => first ^ immediate,
            OrImmediate => first | immediate,
            AndImmediate => first & immediate,
            ShiftLeftImmediate => first.wrapping_shl(immediate),
            ShiftRightImmediate => first.wrapping_shr(immediate),
            ShiftRightArithmeticImmediate => first.cast_signed().wrapping_shr(immediate).cast_unsigned(),
            Add => first.wrapping_add(second),
            Subtract => first.wrapping_sub(second),
            ShiftLeft => first.wrapping_shl(second),
            SetLess => u32::from(first.cast_signed() < second.cast_signed()),
            SetLessUnsigned => u32::from(first < second),
            Xor => first ^ second,
            ShiftRight => first.wrapping_shr(second),
            ShiftRightArithmetic => first.cast_signed().wrapping_shr(second).cast_unsigned(),
            Or => first | second,
            And => first & second,
            Multiply => first.wrapping_mul(second),
            MultiplyHigh => high_word(i64::from(first.cast_signed()) * i64::from(second.cast_signed())),
            MultiplyHighSignedUnsigned => high_word(i64::from(first.cast_signed()) * i64::from(second)),
            MultiplyHighUnsigned => high_word((u64::from(first) * u64::from(second)).cast_signed()),
            // By zero: all ones. The only overflow, of the least number by -1: the least number.
            Divide if second == 0 => u32::MAX,
            Divide => first.cast_signed().wrapping_div(second.cast_signed()).cast_unsigned(),
            DivideUnsigned => first.checked_div(second).unwrap_or(u32::MAX),
            // By zero: the dividend. At the only overflow: zero.
            Remainder if second == 0 => first,
            Remainder => first.cast_signed().wrapping_rem(second.cast_signed()).cast_unsigned(),
            RemainderUnsigned => first.checked_rem(second).unwrap_or(first),
            Fence => return Ok(Flow::Next),
            EnvironmentCall => return Ok(Flow::Halt),
            EnvironmentBreak => return Err(Trap::Breakpoint),
            Illegal => return Err(Trap::IllegalInstruction),
        };
        registers.write(self.destination, value);
        Ok(Flow::Next)
    }

    #[inline(always)]
    fn jump(&self, pc: u32, target: u32, registers: &mut Registers) -> Result<Flow, Trap> {
        let flow = aligned(target)?;
        registers.write(self.destination, pc.wrapping_add(4));
        Ok(flow)
    }

    #[inline(always)]
    fn branch(&self, pc: u32, is_taken: bool) -> Result<Flow, Trap> {
        if is_taken { aligned(pc.wrapping_add(self.immediate)) } else { Ok(Flow::Next) }
    }
}

fn operation_and_immediate(word: u32) -> (Operation, u32) {
    use Operation::*;
    let upper = word & 0xffff_f000;
    let funct3 = bits(word, 12, 3);
    let funct7 = bits(word, 25, 7);
    match (bits(word, 0, 7), funct3) {
        (0x37, _) => (LoadUpperImmediate, upper),
        (0x17, _) => (AddUpperImmediateToPc, upper),
        (0x6f, _) => (JumpAndLink, jump_immediate(word)),
        (0x67, 0) => (JumpAndLinkRegister, load_immediate(word)),
        (0x63, 0) => (BranchEqual, branch_immediate(word)),
        (0x63, 1) => (BranchNotEqual, branch_immediate(word)),
        (0x63, 4) => (BranchLess, branch_immediate(word)),
        (0x63, 5) => (BranchGreaterOrEqual, branch_immediate(word)),
        (0x63, 6) => (BranchLessUnsigned, branch_immediate(word)),
        (0x63, 7) => (BranchGreaterOrEqualUnsigned, branch_immediate(word)),
        (0x03, 0) => (LoadByte, load_immediate(word)),
        (0x03, 1) => (LoadHalf, load_immediate(word)),
        (0x03, 2) => (LoadWord, load_immediate(word)),
        (0x03, 4) => (LoadByteUnsigned, load_immediate(word)),
        (0x03, 5) => (LoadHalfUnsigned, load_immediate(word)),
        (0x23, 0) => (StoreByte, store_immediate(word)),
        (0x23, 1) => (StoreHalf, store_immediate(word)),
        (0x23, 2) => (StoreWord, store_immediate(word)),
        (0x13, 0) => (AddImmediate, load_immediate(word)),
        (0x13, 2) => (SetLessImmediate, load_immediate(word)),
        (0x13, 3) => (SetLessImmediateUnsigned, load_immediate(word)),
        (0x13, 4) => (XorImmediate, load_immediate(word)),
        (0x13, 6) => (OrImmediate, load_immediate(word)),
        (0x13, 7) => (AndImmediate, load_immediate(word)),
        (0x13, 1) if funct7 == 0 => (ShiftLeftImmediate, shift_amount(word)),
        (0x13, 5) if funct7 == 0 => (ShiftRightImmediate, shift_amount(word)),
        (0x13, 5) if funct7 == 0x20 => (ShiftRightArithmeticImmediate, shift_amount(word)),
        (0x33, _) => (register_operation(funct7, funct3), 0),
        // The fields of FENCE name orderings, which a machine with one thread keeps anyway; none of them is reserved.
        (0x0f, 0) => (Fence, 0),
        (0x73, 0) if word == 0x0000_0073 => (EnvironmentCall, 0),
        (0x73, 0) if word == 0x0010_0073 => (EnvironmentBreak, 0),
        _ => (Illegal, 0),
    }
}

const fn register_operation(funct7: u8, funct3: u8) -> Operation {
    use Operation::*;
    match (funct7, funct3) {
        (0x00, 0) => Add,
        (0x20, 0) => Subtract,
        (0x00, 1) => ShiftLeft,
        (0x00, 2) => SetLess,
        (0x00, 3) => SetLessUnsigned,
        (0x00, 4) => Xor,
        (0x00, 5) => ShiftRight,
        (0x20, 5) => ShiftRightArithmetic,
        (0x00, 6) => Or,
        (0x00, 7) => And,
        (0x01, 0) => Multiply,
        (0x01, 1) => MultiplyHigh,
        (0x01, 2) => MultiplyHighSignedUnsigned,
        (0x01, 3) => MultiplyHighUnsigned,
        (0x01, 4) => Divide,
        (0x01, 5) => DivideUnsigned,
        (0x01, 6) => Remainder,
        (0x01, 7) => RemainderUnsigned,
        _ => Illegal,
    }
}

/// Returns `count` bits, at most eight, from bit `offset` on.
fn bits(word: u32, offset: u32, count: u32) -> u8 {
    let [low, ..] = ((word >> offset) & ((1 << count) - 1)).to_le_bytes();
    low
}

/// The I-type immediate.
fn load_immediate(word: u32) -> u32 {
    (word.cast_signed() >> 20).cast_unsigned()
}

/// The S-type immediate.
fn store_immediate(word: u32) -> u32 {
    (load_immediate(word) & !0x1f) | ((word >> 7) & 0x1f)
}

/// The B-type immediate.
fn branch_immediate(word: u32) -> u32 {
    let sign = ((word & 0x8000_0000).cast_signed() >> 19).cast_unsigned();
    sign | ((word << 4) & 0x800) | ((word >> 20) & 0x7e0) | ((word >> 7) & 0x1e)
}

/// The J-type immediate.
fn jump_immediate(word: u32) -> u32 {
    let sign = ((word & 0x8000_0000).cast_signed() >> 11).cast_unsigned();
    sign | (word & 0xf_f000) | ((word >> 9) & 0x800) | ((word >> 20) & 0x7fe)
}

/// The amount of a shift by an immediate.
const fn shift_amount(word: u32) -> u32 {
    (word >> 20) & 0x1f
}

/// Returns the low `width` bits, sign-extended.
const fn sign_extend(value: u32, width: u32) -> u32 {
    let shift = 32 - width;
    ((value << shift).cast_signed() >> shift).cast_unsigned()
}

fn high_word(product: i64) -> u32 {
    let [.., a, b, c, d] = product.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

#[inline(always)]
fn aligned(target: u32) -> Result<Flow, Trap> {
    if target.is_multiple_of(4) { Ok(Flow::Jump(target)) } else { Err(Trap::MisalignedJump(target)) }
}

#[inline(always)]
fn load_part<const BYTES: u32>(memory: &mut impl Memory, address: u32) -> Result<u32, Trap> {
    let word = memory.load(word_address::<BYTES>(address)?)?;
    Ok((word >> (8 * (address % 4))) & mask::<BYTES>())
}

#[inline(always)]
fn store_part<const BYTES: u32>(memory: &mut impl Memory, address: u32, value: u32) -> Result<Flow, Trap> {
    let word = word_address::<BYTES>(address)?;
    if BYTES == 4 {
        memory.store(word, value)?;
    } else {
        let shift = 8 * (address % 4);
        let kept = memory.load(word)? & !(mask::<BYTES>() << shift);
        memory.store(word, kept | ((value & mask::<BYTES>()) << shift))?;
    }
    Ok(Flow::Next)
}

/// Returns the address of the word that a naturally aligned access is in.
#[inline(always)]
fn word_address<const BYTES: u32>(address: u32) -> Result<u32, Trap> {
    if address.is_multiple_of(BYTES) { Ok(address & !3) } else { Err(Trap::MisalignedAccess(address)) }
}

const fn mask<const BYTES: u32>() -> u32 {
    u32::MAX >> (32 - 8 * BYTES)
}
