//! The contracts and the verifier agree on random cases, and on those they once differed about.

use assent_differential::{Campaign, regressions};
use std::{num::NonZero, thread};

#[test]
fn contracts_and_verifier_agree_on_random_cases() {
    let threads = thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let summary = Campaign { cases: 10_000, seed: 2_537, threads }.run(|_| {});
    println!("{:#?}\n{:?}", summary.tally, summary.time);
    assert!(summary.divergences.is_empty(), "contracts and verifier differ: {:#?}", summary.divergences);
    assert_eq!(summary.cases, 10_000);
    assert_eq!(summary.tally.unreached(), [""; 0], "the generator never reached these");
}

#[test]
fn contracts_and_verifier_agree_on_what_they_once_differed_about() {
    for (file, divergence) in regressions::read(&regressions::directory()).unwrap() {
        divergence.replay().unwrap_or_else(|difference| panic!("{}: {difference}", file.display()));
    }
}
