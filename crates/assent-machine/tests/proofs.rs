//! Hashes and proofs: they say what the memory holds, and a wrong one does not verify.

mod assembler;

use alloy_primitives::{B256, keccak256};
use assembler::*;
use assent_machine::{
    HALTED, Image, Machine, Region, StepProof, StepProofError, Stop, TRAPPED, TREE_HEIGHT, content_root, hash_state,
    initial_state_hash,
};
use proptest::prelude::*;

fn machine(program: &[u32]) -> Machine {
    Machine::new(&Image::new(&bytes(program)).unwrap())
}

/// The root over 64 MiB of which `parts` are not zero, worked out leaf by leaf and without the crate's tree.
fn naive_root(parts: &[(u32, Vec<u8>)]) -> B256 {
    let mut leaves = std::collections::BTreeMap::<u32, [u8; 32]>::new();
    for (address, content) in parts {
        for (offset, byte) in content.iter().enumerate() {
            let at = address + u32::try_from(offset).unwrap();
            leaves.entry(at / 32).or_default()[usize::try_from(at % 32).unwrap()] = *byte;
        }
    }
    let mut level: std::collections::BTreeMap<u32, B256> =
        leaves.into_iter().map(|(index, leaf)| (index, B256::from(leaf))).collect();
    let mut zero = B256::ZERO;
    for _ in 0..TREE_HEIGHT {
        let mut above = std::collections::BTreeMap::new();
        for index in level.keys().map(|index| index / 2).collect::<std::collections::BTreeSet<_>>() {
            let child = |side: u32| level.get(&(2 * index + side)).copied().unwrap_or(zero);
            above.insert(index, keccak256([child(0), child(1)].concat()));
        }
        zero = keccak256([zero, zero].concat());
        level = above;
    }
    level.get(&0).copied().unwrap_or(zero)
}

#[test]
fn the_memory_root_is_that_of_a_tree_over_every_byte() {
    let program = [lui(1, 0x0123_4000), addi(2, 0, -2), store(2, 1, 2, 0x124), ECALL];
    let mut machine = machine(&program);
    machine.load(Region::Data, b"some data, longer than one leaf of thirty-two bytes").unwrap();
    let mut parts = vec![
        (0, bytes(&program)),
        (Region::Data.start(), 51_u32.to_le_bytes().to_vec()),
        (Region::Data.start() + 4, b"some data, longer than one leaf of thirty-two bytes".to_vec()),
    ];
    assert_eq!(machine.memory_root(), naive_root(&parts));
    assert_eq!(machine.run(10), Stop::Halted);
    parts.push((0x0123_4124, (-2_i32).to_le_bytes().to_vec()));
    assert_eq!(machine.memory_root(), naive_root(&parts));
}

#[test]
fn a_regions_root_depends_on_its_content_alone() {
    let mut machine = machine(&[ECALL]);
    for (region, content) in [
        (Region::Rules, &b"rules"[..]),
        (Region::Parameters, b"parameters"),
        (Region::Input, &[7; 1000]),
        (Region::Data, b""),
    ] {
        machine.load(region, content).unwrap();
        assert_eq!(Some(machine.region_root(region)), content_root(region, content), "{region:?}");
        assert_eq!(machine.content(region).as_deref(), Some(content), "{region:?}");
    }
    let image = bytes(&[ECALL]);
    assert_eq!(Some(machine.region_root(Region::Image)), content_root(Region::Image, &image));
    assert_eq!(machine.region_root(Region::Image), Image::new(&image).unwrap().root());
}

/// An earlier content must not decide the state's hash, nor be read by a program.
#[test]
fn loading_a_shorter_content_leaves_nothing_of_a_longer_one() {
    for region in [Region::Rules, Region::Parameters, Region::Input, Region::Data, Region::Result] {
        for (longer, shorter) in [(1_000, 3), (1_000, 0), (1_000, 999), (8, 5), (8, 4), (8, 8), (3, 1_000)] {
            let mut again = machine(&[ECALL]);
            again.load(region, &vec![0xff; longer]).unwrap();
            again.state_hash();
            again.load(region, &vec![0xaa; shorter]).unwrap();

            let mut once = machine(&[ECALL]);
            once.load(region, &vec![0xaa; shorter]).unwrap();
            assert_eq!(again.content(region), once.content(region), "{region:?}: {shorter} after {longer}");
            assert_eq!(again.state_hash(), once.state_hash(), "{region:?}: {shorter} after {longer}");
        }
    }
}

/// Where a program wrote, with a length that says otherwise.
#[test]
fn loading_a_result_leaves_nothing_of_what_a_program_wrote() {
    // x1 = the result's start; the word at its offset 1024 becomes x1 itself, and the length stays 0.
    let mut again = machine(&[lui(1, 0x03ff_0000), store(2, 1, 1, 1024), ECALL]);
    assert_eq!(again.run(10), Stop::Halted);
    assert_eq!(again.content(Region::Result), Some(vec![]));
    again.load(Region::Result, b"").unwrap();
    let root = again.region_root(Region::Result);
    assert_eq!(root, content_root(Region::Result, b"").unwrap());
}

#[test]
fn content_that_does_not_fit_is_refused() {
    let mut machine = machine(&[ECALL]);
    let capacity = usize::try_from(Region::Input.capacity()).unwrap();
    assert!(machine.load(Region::Input, &vec![1; capacity]).is_ok());
    assert!(machine.load(Region::Input, &vec![1; capacity + 1]).is_err());
    assert!(machine.load(Region::Image, b"").is_err());
    assert_eq!(content_root(Region::Input, &vec![1; capacity + 1]), None);
    assert!(Image::new(&[]).is_err());
    assert!(Image::new(&vec![0; 0x0040_0001]).is_err());
    assert!(Image::new(&vec![0; 0x0040_0000]).is_ok());
}

#[test]
fn a_length_beyond_the_region_is_no_content() {
    let mut machine = machine(&[lui(1, 0x03ff_0000), addi(2, 0, -1), store(2, 1, 2, 0), ECALL]);
    assert_eq!(machine.run(10), Stop::Halted);
    assert_eq!(machine.content(Region::Result), None);
}

#[test]
fn the_first_states_hash_follows_from_the_regions() {
    let mut machine = machine(&[ECALL]);
    let contents = [
        (Region::Rules, vec![1; 70]),
        (Region::Parameters, vec![2; 3]),
        (Region::Input, vec![3; 4096]),
        (Region::Data, vec![4; 100_000]),
    ];
    for (region, content) in &contents {
        machine.load(*region, content).unwrap();
    }
    let [rules, parameters, input, data] = contents.map(|(region, content)| content_root(region, &content).unwrap());
    let image = machine.region_root(Region::Image);
    assert_eq!(initial_state_hash(image, rules, parameters, input, data), machine.state_hash());
}

#[test]
fn a_terminal_state_proves_that_nothing_happens() {
    for (program, pc) in [([ECALL], HALTED), ([EBREAK], TRAPPED)] {
        let mut machine = machine(&program);
        machine.run(1);
        assert_eq!(machine.pc(), pc);
        let proof = machine.prove_step();
        assert!(proof.accesses.is_empty());
        assert_eq!(proof.verify(), Ok((machine.state_hash(), machine.state_hash())));
    }
}

/// A program that reaches every kind of step: arithmetic, loads and stores of each width, jumps, branches.
fn varied_program() -> Vec<u32> {
    let mut program = Vec::new();
    program.extend(load_constant(1, 0x0110_0000));
    program.extend(load_constant(2, 0xdead_beef));
    program.extend([
        store(2, 1, 2, 0),
        store(1, 1, 2, 4),
        store(0, 1, 2, 7),
        load(0, 3, 1, 1),
        load(5, 4, 1, 2),
        load(2, 5, 1, 4),
        load(2, 6, 0, 0),
        register(1, 0, 7, 2, 5),
        register(1, 4, 8, 2, 5),
        branch(0, 0, 0, 8),
        EBREAK,
        branch(1, 0, 0, 8),
        jal(9, 8),
        EBREAK,
        auipc(10, 0),
        FENCE,
        ECALL,
    ]);
    program
}

#[test]
fn every_steps_proof_leads_from_its_state_to_the_next() {
    let mut machine = machine(&varied_program());
    let mut steps = 0;
    loop {
        let before = machine.state_hash();
        let proof = machine.prove_step();
        let stop = machine.run(steps + 1);
        assert_eq!(proof.verify(), Ok((before, machine.state_hash())), "step {steps}");
        steps += 1;
        if stop == Stop::Halted {
            break;
        }
    }
    assert_eq!(steps, 19);
}

#[test]
fn every_trap_is_proved() {
    for program in [
        vec![EBREAK],
        vec![0],
        vec![jal(0, 6)],
        vec![addi(1, 0, 2), load(2, 2, 1, 0)],
        vec![store(2, 0, 0, 0)],
        vec![store(0, 0, 0, 0)],
        vec![addi(1, 0, -4), load(2, 2, 1, 0)],
        vec![addi(1, 0, -4), store(2, 1, 1, 0)],
        vec![addi(1, 0, -4), store(0, 1, 1, 0)],
        vec![addi(1, 0, -4), jalr(0, 1, 0)],
        vec![lui(1, 0x0040_0000), jalr(0, 1, 0)],
    ] {
        let mut machine = machine(&program);
        while machine.pc() != TRAPPED {
            let before = machine.state_hash();
            let proof = machine.prove_step();
            machine.run(machine.steps() + 1);
            assert_eq!(proof.verify(), Ok((before, machine.state_hash())), "{program:x?}");
        }
    }
}

type Tampering = fn(&mut StepProof);

#[test]
fn a_proof_that_was_tampered_with_does_not_verify_or_proves_another_state() {
    let mut machine = machine(&varied_program());
    machine.run(5);
    let proof = machine.prove_step();
    let honest = proof.verify().unwrap();
    assert_eq!(proof.accesses.len(), 2);

    let tampered: [(&str, Tampering); 7] = [
        ("leaf", |proof| proof.accesses[1].leaf.0[3] ^= 1),
        ("sibling", |proof| proof.accesses[0].siblings[20].0[0] ^= 1),
        ("short", |proof| {
            proof.accesses[0].siblings.pop();
        }),
        ("missing", |proof| {
            proof.accesses.pop();
        }),
        ("unused", |proof| proof.accesses.push(proof.accesses[1].clone())),
        ("swapped", |proof| proof.accesses.swap(0, 1)),
        ("x0", |proof| proof.registers[0] = 1),
    ];
    for (name, tamper) in tampered {
        let mut other = proof.clone();
        tamper(&mut other);
        assert!(other.verify().is_err(), "{name}");
    }
    let mut other = proof.clone();
    other.registers[5] ^= 1;
    assert_ne!(other.verify().unwrap().0, honest.0, "another register is another state");
    other = proof;
    other.pc += 4;
    assert!(matches!(other.verify(), Err(StepProofError::WrongLeaf(_)) | Ok(_)));
    if let Ok((before, _)) = other.verify() {
        assert_ne!(before, honest.0, "another program counter is another state");
    }
}

#[test]
fn the_state_hash_commits_to_root_registers_and_program_counter() {
    let root = B256::repeat_byte(7);
    let mut registers = [0; 32];
    registers[31] = 0x0102_0304;
    let preimage = [root.as_slice(), &[0; 124], &[1, 2, 3, 4], &[0, 0, 0, 8]].concat();
    assert_eq!(hash_state(root, &registers, 8), keccak256(preimage));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Words of any kind, run as a program: nothing panics, and each step's proof leads to the next state.
    #[test]
    fn any_words_run_and_are_proved(words in prop::collection::vec(any::<u32>(), 1..40), steps in 1..20_u64) {
        let mut machine = machine(&words);
        for _ in 0..steps {
            let before = machine.state_hash();
            let proof = machine.prove_step();
            machine.run(machine.steps() + 1);
            prop_assert_eq!(proof.verify(), Ok((before, machine.state_hash())));
        }
    }
}
