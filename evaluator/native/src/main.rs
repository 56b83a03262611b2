//! Evaluates the contents of regions natively, for comparison with the machine: the same code, everything new each
//! time.
//!
//! Arguments: files with the contents of rules, parameters, input and data. Each line of standard input is a number of
//! evaluations; each line of the output is the nanoseconds that they took together. Not for foreign rules, which could
//! take the process down.

use assent_evaluator::{Regions, evaluate};
use std::{
    env, fs, hint,
    io::{self, BufRead as _},
    time::Instant,
};

fn main() {
    let contents: Vec<Vec<u8>> = env::args().skip(1).map(|path| fs::read(&path).expect(&path)).collect();
    let [rules, parameters, input, data] = contents.as_slice() else { panic!("four files are needed") };
    let regions = Regions { rules, parameters, input, data };
    assert_eq!(evaluate(&regions).first(), Some(&1), "the call is allowed");
    for line in io::stdin().lock().lines() {
        let evaluations: u32 = line.expect("a line").trim().parse().expect("a number");
        let started = Instant::now();
        for _ in 0..evaluations {
            hint::black_box(evaluate(hint::black_box(&regions)));
        }
        println!("{}", started.elapsed().as_nanos());
    }
}
