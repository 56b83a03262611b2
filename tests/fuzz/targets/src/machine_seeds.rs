//! Seeds of the target that runs programs.

use crate::policy_seeds::Parts;

/// Returns the seeds. Each changes the proofs of its steps in some of the ways that there are.
pub(crate) fn machine_seeds() -> Vec<Parts> {
    let seed = |name, changes: &[u8], input: &[u8], words| ("machine", name, program(changes, input, words));
    vec![
        seed("stores", &[0, 3, 6], b"input", STORES),
        seed("arithmetic", &[1, 2, 4, 5, 7], b"", ARITHMETIC),
        seed("operations", &[1], b"", OPERATIONS),
        seed("branches", &[2], b"", BRANCHES),
        seed("memory", &[6, 7, 14, 15], b"\x80\xff\x7f\x01\xfe\x80", MEMORY),
        seed("misaligned", &[3, 5], b"", MISALIGNED),
        seed("read_only", &[4], b"", READ_ONLY),
        seed("outside", &[0], b"", OUTSIDE),
        seed("jump_outside", &[2], b"", JUMP_OUTSIDE),
        seed("illegal", &[6], b"", ILLEGAL),
        seed("endless", &[7], b"", ENDLESS),
    ]
}

/// An input of the target `machine`: each number of `changes` changes the proof in one way.
fn program(changes: &[u8], input: &[u8], words: &[u32]) -> Vec<u8> {
    let changes: Vec<u8> = changes.iter().flat_map(|change| [*change, 1, 1]).collect();
    let length = |bytes: &[u8]| u8::try_from(bytes.len()).expect("it is short");
    let image = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    [vec![length(&changes)], changes, vec![length(input)], input.to_vec(), image].concat()
}

/// Writes a table into the heap, sums it with the input, and halts. It has lui, addi, lw, a loop of sw, lbu, sb, add
/// and bne, jal, ecall.
const STORES: &[u32] = &[
    0x0110_0537,
    0x0400_0593,
    0x0060_0637,
    0x0046_2683,
    0x00d5_2023,
    0x0006_4703,
    0x00e5_00a3,
    0x00d7_06b3,
    0x0045_0513,
    0xffc5_8593,
    0xfe05_94e3,
    0x0080_00ef,
    0x0010_0073,
    0x0000_0073,
];

/// Multiplies, divides and shifts, and jumps outside the image: addi, mul, mulhsu, divu, rem, sll, srai, slt, jalr.
const ARITHMETIC: &[u32] = &[
    0xfff0_0093,
    0x0070_0113,
    0x0220_81b3,
    0x0220_a233,
    0x0220_d2b3,
    0x0220_e333,
    0x0020_93b3,
    0x4051_d413,
    0x0020_a4b3,
    0x4000_00e7,
];

/// Every operation of two registers and of immediates, on the edges: the least integer, −1, zero, far shifts.
const OPERATIONS: &[u32] = &[
    0x8000_00b7,
    0xfff0_0113,
    0x0000_0193,
    0x0210_0213,
    0x0020_82b3,
    0x0020_92b3,
    0x0020_a2b3,
    0x0020_b2b3,
    0x0020_c2b3,
    0x0020_d2b3,
    0x0020_e2b3,
    0x0020_f2b3,
    0x4020_82b3,
    0x4040_d2b3,
    0x0220_8333,
    0x0220_9333,
    0x0220_a333,
    0x0220_b333,
    0x0220_c333,
    0x0220_d333,
    0x0220_e333,
    0x0220_f333,
    0x0231_43b3,
    0x0231_53b3,
    0x0231_63b3,
    0x0231_73b3,
    0x8000_8413,
    0x8000_a413,
    0x8000_b413,
    0x8000_c413,
    0x8000_e413,
    0x8000_f413,
    0x01f1_1413,
    0x01f0_d413,
    0x41f0_d413,
    0xffff_f497,
    0x0000_0073,
];

/// Every branch, taken and not, a loop, and a jump there and back.
const BRANCHES: &[u32] = &[
    0xfff0_0093,
    0x0010_0113,
    0x0020_8463,
    0x0011_8193,
    0x0011_0463,
    0x0011_8193,
    0x0010_8463,
    0x0011_8193,
    0x0020_9463,
    0x0011_8193,
    0x0011_1463,
    0x0011_8193,
    0x0010_9463,
    0x0011_8193,
    0x0020_c463,
    0x0011_8193,
    0x0011_4463,
    0x0011_8193,
    0x0010_c463,
    0x0011_8193,
    0x0020_d463,
    0x0011_8193,
    0x0011_5463,
    0x0011_8193,
    0x0010_d463,
    0x0011_8193,
    0x0020_e463,
    0x0011_8193,
    0x0011_6463,
    0x0011_8193,
    0x0010_e463,
    0x0011_8193,
    0x0020_f463,
    0x0011_8193,
    0x0011_7463,
    0x0011_8193,
    0x0010_f463,
    0x0011_8193,
    0x00a0_0213,
    0xfff2_0213,
    0xfe02_1ee3,
    0x0080_02ef,
    0x0010_0073,
    0x0082_8367,
    0x0090_0013,
    0x0000_0073,
];

/// Loads and stores of every width in the input and the heap, and a result of one byte.
const MEMORY: &[u32] = &[
    0x0110_00b7,
    0x0060_0137,
    0x0001_2183,
    0x0051_0203,
    0x0061_1203,
    0x0041_2203,
    0x0071_4203,
    0x0041_5203,
    0xfaa0_0293,
    0x0050_81a3,
    0x0000_a303,
    0x0050_9323,
    0x0040_a303,
    0x0050_a423,
    0x0080_a303,
    0x03ff_03b7,
    0x0010_0413,
    0x0083_a023,
    0x0083_8223,
    0x0000_0073,
];

/// Traps at a load of a half word that begins at an odd address.
const MISALIGNED: &[u32] = &[0x0110_00b7, 0x0040_a103, 0x0010_9103];

/// Traps at a store into the parameters.
const READ_ONLY: &[u32] = &[0x0050_00b7, 0x0010_a023];

/// Traps at a load behind the memory.
const OUTSIDE: &[u32] = &[0x0400_00b7, 0x0000_c103];

/// Traps at a jump behind the image.
const JUMP_OUTSIDE: &[u32] = &[0x0040_00b7, 0x0000_8067];

/// Traps at a word that is no instruction.
const ILLEGAL: &[u32] = &[0x0010_0093, 0xffff_ffff];

/// Fills the heap, granule by granule, until the last step.
const ENDLESS: &[u32] = &[0x0110_00b7, 0x0ff0_0113, 0x0020_a023, 0x0000_a183, 0x1000_8093, 0x0031_0133, 0xff1f_f06f];
