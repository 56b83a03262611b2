//! Counts the steps of a reference policy by the address of the instruction, and prints `address count` by line.
//!
//! With the symbols of the program (`llvm-nm`), it shows where the steps of a decision go.

use std::{collections::BTreeMap, env};

use assent_evaluator_tests::{image, reference};
use assent_machine::{MAX_STEPS, Stop};

fn main() {
    let name = env::args().nth(1).unwrap_or_else(|| "treasury".to_owned());
    let mut machine = reference(&name).machine(&image());
    let mut counts = BTreeMap::<u32, u64>::new();
    loop {
        *counts.entry(machine.pc()).or_default() += 1;
        let next = machine.steps() + 1;
        if machine.run(next) != Stop::StepLimit || next == MAX_STEPS {
            break;
        }
    }
    for (address, count) in counts {
        println!("{address:#x} {count}");
    }
}
