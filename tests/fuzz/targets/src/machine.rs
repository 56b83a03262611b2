use alloy_primitives::B256;
use assent_machine::{Image, Machine, Region, StepProof, Stop};

/// The most steps of a run.
const STEPS: u64 = 1_000;

/// How many steps of a run are proved.
const PROOFS: u64 = 3;

/// The most changes of a proof: each is verified, which is slower than the run.
const CHANGES: usize = 8;

/// A program: the first byte is the length of the proof's changes, which follow; then comes the input region's length,
/// the input, and the image.
///
/// A run in parts ends as a run at once. The proof of a step leads from the state before to the state after. No changed
/// proof leads from the same state to another one.
pub fn machine(input: &[u8]) {
    let (changes, rest) = part(input);
    let (content, program) = part(rest);
    let Ok(image) = Image::new(program) else { return };
    let start = || {
        let mut machine = Machine::new(&image);
        machine.load(Region::Input, content).expect("255 bytes fit");
        machine
    };
    let mut whole = start();
    let stop = whole.run(STEPS);
    assert!(whole.steps() == STEPS || (whole.steps() < STEPS && stop != Stop::StepLimit));

    let mut parts = start();
    for part in 1..=PROOFS {
        // The last proof is of the last step, which halts or traps if one does.
        parts.run((whole.steps() * part / PROOFS).saturating_sub(1));
        prove(&mut parts, changes);
    }
    assert_eq!(parts.run(STEPS), stop);
    assert_eq!((parts.steps(), parts.pc(), parts.registers()), (whole.steps(), whole.pc(), whole.registers()));
    assert_eq!(parts.state_hash(), whole.state_hash());
    assert_eq!(parts.region_root(Region::Image), image.root());
}

/// Splits a part off whose length is its first byte.
fn part(input: &[u8]) -> (&[u8], &[u8]) {
    let Some((length, rest)) = input.split_first() else { return (&[], &[]) };
    rest.split_at(usize::from(*length).min(rest.len()))
}

/// Proves the next step, and makes it.
fn prove(machine: &mut Machine, changes: &[u8]) {
    let proof = machine.prove_step();
    let before = machine.state_hash();
    machine.run(machine.steps() + 1);
    let after = machine.state_hash();
    assert_eq!(proof.verify(), Ok((before, after)));
    for change in changes.chunks_exact(3).take(CHANGES) {
        let changed = changed(&proof, [change[0], change[1], change[2]]);
        if changed != proof
            && let Ok((from, to)) = changed.verify()
        {
            assert!(from != before || to == after, "another proof leads from the same state to another");
        }
    }
}

/// Returns a proof that differs in one place.
fn changed(proof: &StepProof, [what, at, value]: [u8; 3]) -> StepProof {
    let mut changed = proof.clone();
    let access = usize::from(what / 8) % changed.accesses.len().max(1);
    let byte = usize::from(at) % 32;
    match what % 8 {
        0 => changed.memory_root.0[byte] ^= value,
        1 => changed.registers[byte] ^= u32::from(value),
        2 => changed.pc ^= u32::from(value) << (at % 25),
        3 => drop(changed.accesses.pop()),
        4 => changed.accesses.reverse(),
        5 => changed.accesses.extend(proof.accesses.get(access).cloned()),
        6 => {
            if let Some(access) = changed.accesses.get_mut(access) {
                access.leaf.0[byte] ^= value;
            }
        }
        _ => {
            if let Some(access) = changed.accesses.get_mut(access) {
                match access.siblings.get_mut(usize::from(at)) {
                    Some(sibling) => sibling.0[byte] ^= value,
                    None => access.siblings.push(B256::repeat_byte(value)),
                }
            }
        }
    }
    changed
}
