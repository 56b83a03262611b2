//! How much longer verification takes than the bare library, exactly enough to tell 1.01 from 1.10 on a busy machine.
//!
//! What is compared runs in turns, a few milliseconds apart, so that whatever slows the machine down slows down both.
//! Times are the thread's CPU time. A round gives the median of each side, and of their quotients the median over all
//! rounds is the ratio. (The quotient of two medians of the whole run would do for a quiet machine. On one that is slow
//! half of the time, one side's median may be a slow one and the other's not.)
//!
//! A table; with `--json` the same for a program.

#![allow(unsafe_code, reason = "raw blst has no other interface")]
#![allow(missing_docs)]

mod attested;
#[path = "../tests/fixture/mod.rs"]
mod fixture;
mod raw;
mod thread_time;

use assent_verifier::{backend::Backend, verify_batch_using, verify_with_report_using};
use attested::Batch;
use raw::Raw;
use serde_json::{Value, json};
use std::hint::black_box;

/// Odd, so that there is a median.
const ROUNDS: usize = 41;
/// Turns in a round, of what takes about a millisecond.
const TURNS: usize = 15;
/// Calls verified one by one beside a whole batch.
const ONE_BY_ONE: usize = 64;

/// Two pieces of work beside each other.
struct Comparison {
    name: String,
    /// Median time of the one, in microseconds for each call.
    one: f64,
    /// Median time of the other, likewise.
    other: f64,
    /// One over other.
    ratio: f64,
    /// The quarter of the rounds with the lowest ratio is below the first, that with the highest above the second.
    quartiles: [f64; 2],
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Without it, cargo only wants to see that this runs.
    let rounds = if arguments.iter().any(|argument| argument == "--bench") { ROUNDS } else { 1 };
    let batch = Batch::of_all();
    let mut comparisons = vec![];
    #[cfg(feature = "blst")]
    comparisons.extend(compare::<assent_verifier::backend::blst::Blst, raw::blst::RawBlst>(&batch, rounds));
    #[cfg(feature = "arkworks")]
    comparisons
        .extend(compare::<assent_verifier::backend::arkworks::Arkworks, raw::arkworks::RawArkworks>(&batch, rounds));
    if arguments.iter().any(|argument| argument == "--json") {
        print_json(&comparisons);
    } else {
        print_table(&comparisons);
    }
}

fn compare<B: Backend, R: Raw>(batch: &Batch, rounds: usize) -> Vec<Comparison> {
    let mut raw = R::new(batch.context.epochs[0].operators.aggregate_key());
    let (roots, calls) = (batch.roots(), batch.calls());
    let signatures: Vec<_> = batch.signatures.iter().map(R::decode).collect();
    // Any will do: what a multiplication costs does not depend on the number.
    let coefficients: Vec<_> = roots.iter().map(|root| root[..raw::COEFFICIENT].try_into().unwrap()).collect();
    let verify =
        |call| assert!(verify_with_report_using::<B, _>(&batch.context, black_box(call)).into_result().is_ok());
    let verify_all =
        || assert!(verify_batch_using::<B, _>(&batch.context, black_box(&calls)).iter().all(Result::is_ok));
    let verify_one_by_one = || calls[..ONE_BY_ONE].iter().for_each(|call| verify(*call));

    let comparison =
        |what: &str| Schedule { name: format!("{what}-{}", B::NAME), rounds, turns: 1, calls: [calls.len(); 2] };
    let verification = Schedule { turns: TURNS, calls: [1; 2], ..comparison("verify") };
    let one_by_one = Schedule { calls: [ONE_BY_ONE, calls.len()], ..comparison("one-by-one") };
    vec![
        verification.run(|| verify(calls[0]), || assert!(raw.verify(black_box(&roots[0]), black_box(&signatures[0])))),
        comparison("batch").run(verify_all, || assert!(raw.verify_batch(&roots, &signatures, &coefficients))),
        one_by_one.run(verify_one_by_one, verify_all),
    ]
}

struct Schedule {
    name: String,
    rounds: usize,
    /// How often each is done in a round.
    turns: usize,
    /// How many calls each verifies when it is done once.
    calls: [usize; 2],
}

impl Schedule {
    fn run(self, mut one: impl FnMut(), mut other: impl FnMut()) -> Comparison {
        let calls = self.calls.map(|calls| calls as f64);
        let rounds = (0..=self.rounds).map(|round| {
            let turns = (0..self.turns).map(|turn| {
                // Each goes first as often as the other, in case that matters.
                if (round + turn) % 2 == 0 {
                    let one = time(&mut one);
                    (one / calls[0], time(&mut other) / calls[1])
                } else {
                    let other = time(&mut other);
                    (time(&mut one) / calls[0], other / calls[1])
                }
            });
            let (ones, others) = turns.unzip();
            [quantile(ones, 0.5), quantile(others, 0.5)]
        });
        // The first round warms up.
        let rounds: Vec<[f64; 2]> = rounds.skip(1).collect();
        let ratio = |part| quantile(rounds.iter().map(|[one, other]| one / other).collect(), part);
        Comparison {
            name: self.name,
            one: quantile(rounds.iter().map(|round| round[0]).collect(), 0.5),
            other: quantile(rounds.iter().map(|round| round[1]).collect(), 0.5),
            ratio: ratio(0.5),
            quartiles: [0.25, 0.75].map(ratio),
        }
    }
}

/// In microseconds.
fn time(work: &mut impl FnMut()) -> f64 {
    let start = thread_time::now();
    work();
    (thread_time::now() - start).as_secs_f64() * 1e6
}

/// Half of the values are below the quantile 0.5.
fn quantile(mut values: Vec<f64>, part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * part).round() as usize]
}

fn print_table(comparisons: &[Comparison]) {
    println!("{:20} {:>9} {:>9} {:>7}   half of the rounds between", "", "one, µs", "other, µs", "ratio");
    for Comparison { name, one, other, ratio, quartiles: [low, high] } in comparisons {
        println!("{name:20} {one:9.1} {other:9.1} {ratio:7.3}   {low:.3} and {high:.3}");
    }
    println!(
        "\nverify, batch: ours over the bare library; one-by-one: verify over verify_batch. Times are for each call."
    );
}

fn print_json(comparisons: &[Comparison]) {
    // More digits than these are noise.
    let rounded = |number: f64| (number * 1000.0).round() / 1000.0;
    let comparisons = comparisons.iter().map(|Comparison { name, one, other, ratio, quartiles }| {
        let [one, other, ratio] = [*one, *other, *ratio].map(rounded);
        (name.clone(), json!({"one": one, "other": other, "ratio": ratio, "quartiles": quartiles.map(rounded)}))
    });
    println!("{:#}", Value::Object(comparisons.collect()));
}
