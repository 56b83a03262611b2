//! Encodes instructions of RV32IM, by the formats of the unprivileged specification.

#![allow(dead_code, reason = "each test uses its own part")]

pub const ECALL: u32 = 0x0000_0073;
pub const EBREAK: u32 = 0x0010_0073;
pub const FENCE: u32 = 0x0ff0_000f;

/// R-type: `funct7 rs2 rs1 funct3 rd opcode`.
pub fn register(funct7: u32, funct3: u32, rd: u32, rs1: u32, rs2: u32) -> u32 {
    funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x33
}

/// I-type with opcode OP-IMM.
pub fn immediate(funct3: u32, rd: u32, rs1: u32, value: i32) -> u32 {
    (value.cast_unsigned() & 0xfff) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x13
}

pub fn addi(rd: u32, rs1: u32, value: i32) -> u32 {
    immediate(0, rd, rs1, value)
}

/// I-type with opcode LOAD.
pub fn load(funct3: u32, rd: u32, rs1: u32, offset: i32) -> u32 {
    (offset.cast_unsigned() & 0xfff) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x03
}

/// S-type.
pub fn store(funct3: u32, rs1: u32, rs2: u32, offset: i32) -> u32 {
    let offset = offset.cast_unsigned();
    (offset >> 5 & 0x7f) << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | (offset & 0x1f) << 7 | 0x23
}

/// B-type.
pub fn branch(funct3: u32, rs1: u32, rs2: u32, offset: i32) -> u32 {
    let offset = offset.cast_unsigned();
    (offset >> 12 & 1) << 31
        | (offset >> 5 & 0x3f) << 25
        | rs2 << 20
        | rs1 << 15
        | funct3 << 12
        | (offset >> 1 & 0xf) << 8
        | (offset >> 11 & 1) << 7
        | 0x63
}

/// U-type: `value` is the upper 20 bits in place.
pub fn lui(rd: u32, value: u32) -> u32 {
    value & 0xffff_f000 | rd << 7 | 0x37
}

pub fn auipc(rd: u32, value: u32) -> u32 {
    value & 0xffff_f000 | rd << 7 | 0x17
}

/// J-type.
pub fn jal(rd: u32, offset: i32) -> u32 {
    let offset = offset.cast_unsigned();
    (offset >> 20 & 1) << 31
        | (offset >> 1 & 0x3ff) << 21
        | (offset >> 11 & 1) << 20
        | (offset >> 12 & 0xff) << 12
        | rd << 7
        | 0x6f
}

pub fn jalr(rd: u32, rs1: u32, offset: i32) -> u32 {
    (offset.cast_unsigned() & 0xfff) << 20 | rs1 << 15 | rd << 7 | 0x67
}

/// Loads any word: two instructions.
pub fn load_constant(rd: u32, value: u32) -> [u32; 2] {
    let low = (value << 20).cast_signed() >> 20;
    [lui(rd, value.wrapping_sub(low.cast_unsigned())), addi(rd, rd, low)]
}

pub fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
