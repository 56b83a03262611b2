//! Differential fuzzing against `qemu-riscv32`: random programs end with the same registers and memory on both.
//!
//! `MACHINE_PROGRAMS` sets how many programs (default 60), `MACHINE_SEED` the first seed. A failure prints its seed.

mod assembler;

use assembler::*;
use assent_machine::{Image, Machine, Region, Stop};
use std::{
    fs,
    io::ErrorKind,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

/// Where programs begin, in both: qemu-user cannot map address 0.
const CODE: u32 = 0x0001_0000;
/// Where programs load and store, and then leave their registers: behind the length of the result region.
const MEMORY: u32 = 0x03ff_0004;
/// Bytes of it that random loads and stores reach; the registers follow.
const SCRATCH: u32 = 2_044;
const DUMPED: u32 = SCRATCH + 4 * 31;
/// Holds `MEMORY` throughout.
const BASE: u32 = 31;
const INSTRUCTIONS: usize = 3_000;

/// Values at which instructions behave differently from their neighbours.
const EDGES: [u32; 14] =
    [0, 1, 2, 4, 31, 32, 33, 0x7ff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff];

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap()
    }

    fn below(&mut self, bound: u32) -> u32 {
        self.next() % bound
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(u32::try_from(choices.len()).unwrap())).unwrap()]
    }

    fn twelve_bits(&mut self) -> i32 {
        i32::try_from(self.below(4096)).unwrap() - 2048
    }
}

#[test]
fn random_programs_end_as_on_qemu() {
    if let Err(error) = Command::new("qemu-riscv32").arg("--version").stdout(Stdio::null()).status() {
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        assert!(std::env::var_os("CI").is_none(), "qemu-riscv32 is missing: apt-get install qemu-user");
        eprintln!("SKIPPED: qemu-riscv32 is missing (Debian's qemu-user)");
        return;
    }
    let number = |name, default| std::env::var(name).map_or(default, |text| text.parse().expect("a number"));
    let (programs, seed) = (number("MACHINE_PROGRAMS", 60), number("MACHINE_SEED", 1));
    let directory = tempfile::tempdir().unwrap();
    let mut reached = std::collections::BTreeMap::new();
    for seed in seed..seed + programs {
        let program = random_program(&mut Random(seed), &mut reached);
        let expected = on_qemu(&program, &directory.path().join("program"));
        assert_eq!(on_machine(&program), expected, "seed {seed}");
    }
    assert_eq!(reached.len(), 46, "every instruction is reached: {:?}", reached.keys());
    println!("{programs} programs of {INSTRUCTIONS} instructions from seed {seed} end alike; reached: {reached:?}");
}

fn random_program(random: &mut Random, reached: &mut std::collections::BTreeMap<String, u64>) -> Vec<u32> {
    let mut program = load_constant(BASE, MEMORY).to_vec();
    for register in 1..BASE {
        let value = if random.below(2) == 0 { random.pick(&EDGES) } else { random.next() };
        program.extend(load_constant(register, value));
    }
    while program.len() < INSTRUCTIONS {
        let (name, instruction) = random_instruction(random);
        *reached.entry(name).or_default() += 1;
        program.push(instruction);
        if random.below(16) == 0 {
            *reached.entry("jalr".to_owned()).or_default() += 1;
            let (target, link) = (1 + random.below(BASE - 1), random.below(BASE));
            // A jump over up to two instructions may not lead between these.
            program.extend([addi(0, 0, 0); 3]);
            let bit = i32::try_from(random.below(2)).unwrap();
            program.extend([auipc(target, 0), jalr(link, target, 12 + bit), EBREAK]);
        }
        // Otherwise shifts and multiplications soon leave nothing but zeros.
        if random.below(8) == 0 {
            program.extend(load_constant(1 + random.below(BASE - 1), random.pick(&EDGES)));
        }
    }
    // What the last jumps may skip.
    program.extend([addi(0, 0, 0); 4]);
    // Too far for the offset of a store from the base: the dump has its own. x30 is dumped first.
    let offset = |register: u32| i32::try_from(SCRATCH + 4 * (register - 1)).unwrap() - 2_040;
    program.push(store(2, BASE, 30, 2_040));
    program.push(addi(30, BASE, 2_040));
    program.extend((1..30).map(|register| store(2, 30, register, offset(register))));
    // For qemu: write(1, MEMORY, DUMPED); exit(0). The machine halts at the first call.
    program.extend([addi(10, 0, 1), addi(11, BASE, 0)]);
    program.extend(load_constant(12, DUMPED));
    program.extend([addi(17, 0, 64), ECALL, addi(10, 0, 0), addi(17, 0, 93), ECALL]);
    program
}

fn random_instruction(random: &mut Random) -> (String, u32) {
    let destination = random.below(BASE);
    let (first, second) = (random.below(BASE), random.below(BASE));
    match random.below(10) {
        0..=3 => {
            let (funct7, funct3) = random.pick(&[
                (0, 0),
                (0x20, 0),
                (0, 1),
                (0, 2),
                (0, 3),
                (0, 4),
                (0, 5),
                (0x20, 5),
                (0, 6),
                (0, 7),
                (1, 0),
                (1, 1),
                (1, 2),
                (1, 3),
                (1, 4),
                (1, 5),
                (1, 6),
                (1, 7),
            ]);
            (format!("register {funct7:#x}/{funct3}"), register(funct7, funct3, destination, first, second))
        }
        4 => {
            let funct3 = random.pick(&[0, 2, 3, 4, 6, 7]);
            (format!("immediate {funct3}"), immediate(funct3, destination, first, random.twelve_bits()))
        }
        5 => {
            let (funct3, high) = random.pick(&[(1, 0), (5, 0), (5, 0x400)]);
            let amount = i32::try_from(random.below(32)).unwrap();
            (format!("shift {funct3}/{high:#x}"), immediate(funct3, destination, first, high | amount))
        }
        6 => {
            let (funct3, size) = random.pick(&[(0, 1), (1, 2), (2, 4), (4, 1), (5, 2)]);
            (format!("load {funct3}"), load(funct3, destination, BASE, scratch_offset(random, size)))
        }
        7 => {
            let (funct3, size) = random.pick(&[(0, 1), (1, 2), (2, 4)]);
            (format!("store {funct3}"), store(funct3, BASE, second, scratch_offset(random, size)))
        }
        8 => {
            // Forward only, so that every program ends.
            let offset = 4 * i32::try_from(1 + random.below(3)).unwrap();
            match random.below(4) {
                0 => ("jal".to_owned(), jal(destination, offset)),
                _ => {
                    let funct3 = random.pick(&[0, 1, 4, 5, 6, 7]);
                    (format!("branch {funct3}"), branch(funct3, first, second, offset))
                }
            }
        }
        _ => {
            let upper = random.next();
            let choices = [("lui", lui(destination, upper)), ("auipc", auipc(destination, upper)), ("fence", FENCE)];
            let (name, instruction) = random.pick(&choices);
            (name.to_owned(), instruction)
        }
    }
}

fn scratch_offset(random: &mut Random, size: u32) -> i32 {
    i32::try_from(random.below(SCRATCH / size) * size).unwrap()
}

fn on_machine(program: &[u32]) -> Vec<u8> {
    let mut image = bytes(&[jal(0, i32::try_from(CODE).unwrap())]);
    image.resize(usize::try_from(CODE).unwrap(), 0);
    image.extend(bytes(program));
    let mut machine = Machine::new(&Image::new(&image).unwrap());
    machine.load(Region::Result, &vec![0; usize::try_from(DUMPED).unwrap()]).unwrap();
    assert_eq!(machine.run(100_000), Stop::Halted);
    machine.content(Region::Result).unwrap()
}

fn on_qemu(program: &[u32], path: &Path) -> Vec<u8> {
    fs::write(path, executable(&bytes(program))).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    let output = Command::new("qemu-riscv32").arg(path).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

/// A static executable of two segments: the code, and zeros to write to (System V ABI, chapters 4 and 5).
fn executable(code: &[u8]) -> Vec<u8> {
    let code_offset = 0x1000;
    let code_size = u32::try_from(code.len()).unwrap();
    let page = MEMORY & !0xfff;
    let (read_execute, read_write) = (5, 6);
    let mut file = vec![0x7f, b'E', b'L', b'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    // An executable (2) for RISC-V (243), version 1.
    file.extend([2, 0, 243, 0, 1, 0, 0, 0]);
    // Entry, program headers behind this header, no sections, no flags; sizes and counts.
    file.extend([CODE, 52, 0, 0].iter().flat_map(|word| word.to_le_bytes()));
    file.extend([52_u16, 32, 2, 40, 0, 0].iter().flat_map(|half| half.to_le_bytes()));
    for [offset, address, in_file, in_memory, flags] in
        [[code_offset, CODE, code_size, code_size, read_execute], [0, page, 0, 0x2000, read_write]]
    {
        let header = [1, offset, address, address, in_file, in_memory, flags, 0x1000];
        file.extend(header.iter().flat_map(|word| word.to_le_bytes()));
    }
    file.resize(usize::try_from(code_offset).unwrap(), 0);
    file.extend(code);
    file
}
