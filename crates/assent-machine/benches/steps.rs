//! How fast the machine runs: a loop of the instructions that compiled code consists of.

#[path = "../tests/assembler/mod.rs"]
mod assembler;

use assembler::*;
use assent_machine::{Image, Machine, Stop};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const STEPS: u64 = 10_000_000;

/// Sums and mixes 16 KiB, again and again: loads, stores, shifts, additions, a multiplication and a branch.
fn program() -> Vec<u8> {
    bytes(&[
        lui(10, 0x0110_0000),
        lui(12, 0x0110_4000),
        addi(11, 10, 0),
        // From here on until x11 = x12:
        load(2, 13, 11, 0),
        register(0, 0, 14, 15, 13),
        immediate(1, 15, 14, 1),
        immediate(5, 16, 14, 5),
        register(0, 4, 15, 15, 16),
        register(1, 0, 15, 15, 13),
        load(4, 17, 11, 1),
        register(0, 0, 15, 15, 17),
        store(2, 11, 15, 0),
        addi(11, 11, 4),
        branch(1, 11, 12, -40),
        jal(0, -48),
    ])
}

fn steps(criterion: &mut Criterion) {
    let image = Image::new(&program()).expect("the program fits");
    let mut group = criterion.benchmark_group("machine");
    group.sample_size(10).throughput(Throughput::Elements(STEPS));
    group.bench_function("steps", |bencher| {
        bencher.iter_batched_ref(
            || Machine::new(&image),
            |machine| assert_eq!(machine.run(STEPS), Stop::StepLimit),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, steps);
criterion_main!(benches);
