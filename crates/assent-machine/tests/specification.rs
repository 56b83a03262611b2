//! What the unprivileged specification says of each instruction, as a table of cases.

mod assembler;

use assembler::*;
use assent_machine::{Image, MEMORY_END, Machine, Stop, Trap, WRITABLE_START};

const MIN: u32 = 0x8000_0000;
const MAX: u32 = 0x7fff_ffff;
const ALL: u32 = u32::MAX;

/// Values of x1, x2 and then x3.
type Case = (u32, u32, u32);
type Comparison = fn(u32, u32) -> bool;

/// Runs `instruction` with x1 = `first` and x2 = `second`, and returns x3.
fn result_of(instruction: u32, first: u32, second: u32) -> u32 {
    let mut program = Vec::new();
    program.extend(load_constant(1, first));
    program.extend(load_constant(2, second));
    program.extend([instruction, ECALL]);
    let mut machine = machine(&program);
    assert_eq!(machine.run(100), Stop::Halted);
    machine.registers()[3]
}

fn machine(program: &[u32]) -> Machine {
    Machine::new(&Image::new(&bytes(program)).unwrap())
}

fn stop_of(program: &[u32]) -> Stop {
    machine(program).run(100)
}

#[test]
fn register_operations_compute_what_the_specification_says() {
    let table: &[(&str, u32, u32, &[Case])] = &[
        ("add", 0, 0, &[(1, 2, 3), (ALL, 1, 0), (MAX, 1, MIN)]),
        ("sub", 0x20, 0, &[(3, 2, 1), (0, 1, ALL), (MIN, 1, MAX)]),
        ("sll", 0, 1, &[(1, 31, MIN), (1, 32, 1), (1, 33, 2), (ALL, ALL, MIN)]),
        ("slt", 0, 2, &[(MIN, MAX, 1), (MAX, MIN, 0), (5, 5, 0), (ALL, 0, 1)]),
        ("sltu", 0, 3, &[(MIN, MAX, 0), (MAX, MIN, 1), (0, 1, 1), (0, 0, 0)]),
        ("xor", 0, 4, &[(0b1100, 0b1010, 0b0110)]),
        ("srl", 0, 5, &[(MIN, 31, 1), (MIN, 32, MIN), (ALL, 4, 0x0fff_ffff)]),
        ("sra", 0x20, 5, &[(MIN, 31, ALL), (MIN, 32, MIN), (MAX, 30, 1)]),
        ("or", 0, 6, &[(0b1100, 0b1010, 0b1110)]),
        ("and", 0, 7, &[(0b1100, 0b1010, 0b1000)]),
        ("mul", 1, 0, &[(7, 6, 42), (ALL, ALL, 1), (MIN, 2, 0), (0x1_0001, 0x1_0001, 0x2_0001)]),
        ("mulh", 1, 1, &[(ALL, ALL, 0), (MIN, MIN, 0x4000_0000), (MIN, 1, ALL), (MAX, MAX, 0x3fff_ffff)]),
        ("mulhsu", 1, 2, &[(ALL, ALL, ALL), (MIN, ALL, MIN), (1, ALL, 0), (MAX, MIN, 0x3fff_ffff)]),
        ("mulhu", 1, 3, &[(ALL, ALL, ALL - 1), (MIN, 2, 1), (MIN, MIN, 0x4000_0000)]),
        ("div", 1, 4, &[(7, 2, 3), (7_u32.wrapping_neg(), 2, 3_u32.wrapping_neg()), (5, 0, ALL), (MIN, ALL, MIN)]),
        ("divu", 1, 5, &[(7, 2, 3), (MIN, ALL, 0), (5, 0, ALL), (ALL, 1, ALL)]),
        (
            "rem",
            1,
            6,
            &[(7, 2, 1), (7_u32.wrapping_neg(), 2, ALL), (7, 2_u32.wrapping_neg(), 1), (5, 0, 5), (MIN, ALL, 0)],
        ),
        ("remu", 1, 7, &[(7, 2, 1), (MIN, ALL, MIN), (5, 0, 5), (ALL, ALL, 0)]),
    ];
    for (name, funct7, funct3, cases) in table {
        for (first, second, expected) in *cases {
            let actual = result_of(register(*funct7, *funct3, 3, 1, 2), *first, *second);
            assert_eq!(actual, *expected, "{name} {first:#x}, {second:#x}");
        }
    }
}

#[test]
fn immediate_operations_compute_what_the_specification_says() {
    let table = [
        ("addi", immediate(0, 3, 1, -1), 0, ALL),
        ("slti sign-extends", immediate(2, 3, 1, -1), MIN, 1),
        ("slti", immediate(2, 3, 1, -1), 0, 0),
        ("sltiu compares with the sign-extended immediate, unsigned", immediate(3, 3, 1, -1), 5, 1),
        ("sltiu", immediate(3, 3, 1, 1), 0, 1),
        ("xori with -1 inverts", immediate(4, 3, 1, -1), 0x0f0f_0f0f, 0xf0f0_f0f0),
        ("ori", immediate(6, 3, 1, 0x70), 0x0f, 0x7f),
        ("andi", immediate(7, 3, 1, -16), ALL, 0xffff_fff0),
        ("slli", immediate(1, 3, 1, 31), 3, MIN),
        ("srli", immediate(5, 3, 1, 31), MIN, 1),
        ("srai", immediate(5, 3, 1, 0x400 | 31), MIN, ALL),
        ("lui", lui(3, 0xffff_f000), 0, 0xffff_f000),
        // The fifth instruction is at 16.
        ("auipc", auipc(3, 0x1000), 0, 0x1010),
    ];
    for (name, instruction, first, expected) in table {
        assert_eq!(result_of(instruction, first, 0), expected, "{name}");
    }
}

#[test]
fn loads_extend_and_stores_replace_only_their_bytes() {
    let mut program = Vec::new();
    program.extend(load_constant(1, WRITABLE_START));
    program.extend(load_constant(2, 0x80f0_ff7f));
    program.push(store(2, 1, 2, 0)); // sw
    program.push(load(0, 3, 1, 1)); // lb: 0xff
    program.push(load(4, 4, 1, 1)); // lbu
    program.push(load(1, 5, 1, 2)); // lh: 0x80f0
    program.push(load(5, 6, 1, 2)); // lhu
    program.push(load(2, 7, 1, 0)); // lw
    program.push(store(0, 1, 0, 3)); // sb zero
    program.push(load(2, 8, 1, 0));
    program.push(store(1, 1, 4, 0)); // sh 0x00ff
    program.push(load(2, 9, 1, 0));
    program.push(ECALL);
    let mut machine = machine(&program);
    assert_eq!(machine.run(100), Stop::Halted);
    let registers = machine.registers();
    assert_eq!(registers[3..10], [ALL, 0xff, 0xffff_80f0, 0x80f0, 0x80f0_ff7f, 0x00f0_ff7f, 0x00f0_00ff]);
}

#[test]
fn branches_are_taken_exactly_when_the_comparison_holds() {
    let table: [(&str, u32, Comparison); 6] = [
        ("beq", 0, |a, b| a == b),
        ("bne", 1, |a, b| a != b),
        ("blt", 4, |a, b| a.cast_signed() < b.cast_signed()),
        ("bge", 5, |a, b| a.cast_signed() >= b.cast_signed()),
        ("bltu", 6, |a, b| a < b),
        ("bgeu", 7, |a, b| a >= b),
    ];
    let values = [0, 1, MAX, MIN, ALL];
    for (name, funct3, holds) in table {
        for (first, second) in values.iter().flat_map(|a| values.iter().map(move |b| (*a, *b))) {
            let mut program = Vec::new();
            program.extend(load_constant(1, first));
            program.extend(load_constant(2, second));
            program.extend([branch(funct3, 1, 2, 8), addi(3, 0, 1), ECALL]);
            let mut machine = machine(&program);
            assert_eq!(machine.run(100), Stop::Halted);
            assert_eq!(machine.registers()[3] == 0, holds(first, second), "{name} {first:#x}, {second:#x}");
        }
    }
}

#[test]
fn jumps_link_and_reach_both_ways() {
    let program = [
        jal(1, 12),      // 0: to 12
        addi(2, 0, 7),   // 4
        jal(0, 12),      // 8: to 20
        jalr(3, 0, 4),   // 12: to 4
        EBREAK,          // 16
        auipc(4, 0),     // 20
        jalr(5, 4, 0xd), // 24: to 20 + 13 with the lowest bit cleared: 32
        EBREAK,          // 28
        jalr(0, 0, 40),  // 32: links nowhere
        EBREAK,          // 36
        ECALL,           // 40
    ];
    let mut machine = machine(&program);
    assert_eq!(machine.run(100), Stop::Halted);
    assert_eq!(machine.registers()[..6], [0, 4, 7, 16, 20, 28]);
    assert_eq!(machine.steps(), 8);
}

#[test]
fn register_zero_stays_zero() {
    let program = [addi(0, 0, 5), lui(0, 0x1000), jal(0, 4), register(0, 0, 3, 0, 0), FENCE, ECALL];
    let mut machine = machine(&program);
    assert_eq!(machine.run(100), Stop::Halted);
    assert_eq!((machine.registers()[0], machine.registers()[3]), (0, 0));
}

#[test]
fn what_is_no_instruction_traps() {
    let words = [
        0,
        ALL,
        register(2, 0, 1, 2, 3),    // unknown funct7
        register(0x20, 1, 1, 2, 3), // SLL has no variant
        register(0x21, 0, 1, 2, 3),
        immediate(1, 1, 1, 0x400), // SLLI has no variant
        immediate(5, 1, 1, 0x800),
        immediate(1, 1, 1, 0x20), // a shift by 32
        load(3, 1, 0, 0),         // LD
        load(6, 1, 0, 0),         // LWU
        store(3, 0, 0, 0),        // SD
        branch(2, 0, 0, 4),
        0x0000_100f, // FENCE.I
        0x3000_1073, // a CSR
        0x0020_0073, // URET
        0x0000_00f3, // ECALL with a destination
        0x1000_202f, // LR.W
        0x0000_0053, // FADD.S
        0x0000_4501, // compressed
    ];
    for word in words {
        assert_eq!(stop_of(&[word]), Stop::Trapped(Trap::IllegalInstruction), "{word:#010x}");
    }
    assert_eq!(stop_of(&[EBREAK]), Stop::Trapped(Trap::Breakpoint));
}

#[test]
fn execution_does_not_leave_the_image() {
    let behind = [addi(1, 0, 1)];
    assert_eq!(stop_of(&behind), Stop::Trapped(Trap::IllegalInstruction));
    let away = [lui(1, 0x0040_0000), jalr(0, 1, 0)];
    assert_eq!(stop_of(&away), Stop::Trapped(Trap::OutsideImage(0x0040_0000)));
    let far = [addi(1, 0, -4), jalr(0, 1, 0)];
    assert_eq!(stop_of(&far), Stop::Trapped(Trap::OutsideImage(0xffff_fffc)));
    // The program counter that means "halted" cannot be reached by a jump.
    let halted = [addi(1, 0, -2), jalr(0, 1, 0)];
    assert_eq!(stop_of(&halted), Stop::Trapped(Trap::MisalignedJump(0xffff_fffe)));
}

#[test]
fn misaligned_jumps_and_accesses_trap_and_change_nothing() {
    let jumps = [[jal(1, 6), ECALL], [jalr(1, 0, 6), ECALL], [branch(0, 0, 0, 6), ECALL]];
    for program in jumps {
        let mut machine = machine(&program);
        assert_eq!(machine.run(100), Stop::Trapped(Trap::MisalignedJump(6)));
        assert_eq!(machine.registers()[1], 0, "the link register is not written");
    }
    // A branch that is not taken may point anywhere.
    assert_eq!(stop_of(&[branch(1, 0, 0, 6), ECALL]), Stop::Halted);
    for (instruction, offset) in [
        (load(2, 3, 1, 2), 2),
        (load(1, 3, 1, 1), 1),
        (load(5, 3, 1, 3), 3),
        (store(2, 1, 1, 1), 1),
        (store(1, 1, 1, 1), 1),
    ] {
        let stop = stop_of(&[lui(1, WRITABLE_START), instruction, ECALL]);
        assert_eq!(stop, Stop::Trapped(Trap::MisalignedAccess(WRITABLE_START + offset)));
    }
}

#[test]
fn memory_ends_and_its_lower_part_is_read_only() {
    let last = MEMORY_END - 4;
    for (address, instruction, expected) in [
        (last, load(2, 3, 1, 0), Stop::Halted),
        (last, store(2, 1, 1, 0), Stop::Halted),
        (last, load(2, 3, 1, 4), Stop::Trapped(Trap::OutsideMemory(MEMORY_END))),
        (last, store(2, 1, 1, 4), Stop::Trapped(Trap::OutsideMemory(MEMORY_END))),
        (last, store(0, 1, 1, 4), Stop::Trapped(Trap::OutsideMemory(MEMORY_END))),
        (0, load(2, 3, 1, -4), Stop::Trapped(Trap::OutsideMemory(0xffff_fffc))),
        (0, load(2, 3, 1, 0), Stop::Halted),
        (0, store(2, 1, 1, 0), Stop::Trapped(Trap::ReadOnly(0))),
        (WRITABLE_START, store(0, 1, 1, -1), Stop::Trapped(Trap::ReadOnly(WRITABLE_START - 4))),
        (WRITABLE_START, store(1, 1, 1, 0), Stop::Halted),
    ] {
        let [upper, lower] = load_constant(1, address);
        assert_eq!(stop_of(&[upper, lower, instruction, ECALL]), expected, "{address:#x} {instruction:#x}");
    }
}

#[test]
fn a_run_stops_at_its_limit_and_goes_on_from_there() {
    let mut machine = machine(&[addi(1, 1, 1), jal(0, -4)]);
    assert_eq!(machine.run(0), Stop::StepLimit);
    assert_eq!((machine.steps(), machine.pc()), (0, 0));
    assert_eq!(machine.run(7), Stop::StepLimit);
    assert_eq!((machine.steps(), machine.pc(), machine.registers()[1]), (7, 4, 4));
    assert_eq!(machine.run(8), Stop::StepLimit);
    assert_eq!((machine.steps(), machine.pc()), (8, 0));
}

#[test]
fn a_program_that_ended_stays_ended() {
    for (program, expected) in [([ECALL], Stop::Halted), ([EBREAK], Stop::Trapped(Trap::Breakpoint))] {
        let mut machine = machine(&program);
        assert_eq!(machine.run(1), expected);
        let hash = machine.state_hash();
        assert_eq!(machine.run(100), expected);
        assert_eq!((machine.steps(), machine.state_hash()), (1, hash));
    }
}
