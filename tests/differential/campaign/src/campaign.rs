//! Any number of random cases in random worlds.

use crate::{AttestedPlan, Case, Foundation, FoundationPlan, Tally, World, WorldPlan};
use proptest::{
    collection::vec,
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner},
};
use serde::{Deserialize, Serialize};
use std::{
    cell::RefCell,
    num::NonZero,
    rc::Rc,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Worlds on one foundation. To deploy one and to register operators takes as long as some hundred cases.
const WORLDS_PER_FOUNDATION: u64 = 10;
/// Cases in one world.
const CASES_PER_WORLD: u64 = 100;
/// Attestations that are signed in one world.
const ATTESTATIONS_PER_WORLD: usize = 8;
/// A campaign ends early with so many worlds in which the two sides differ.
const MOST_DIVERGENCES: usize = 10;

/// How many cases, and which.
#[derive(Debug, Clone, Copy)]
pub struct Campaign {
    /// How many.
    pub cases: u64,
    /// The same seed gives the same cases, whatever the number of threads.
    pub seed: u64,
    /// How many threads.
    pub threads: NonZero<usize>,
}

/// The result of a campaign.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Cases that were decided.
    pub cases: u64,
    /// Worlds they took place in.
    pub worlds: u64,
    /// How they were decided. A batch has as many answers as calls.
    pub tally: Tally,
    /// Where the two sides differ.
    pub divergences: Vec<Divergence>,
    /// How long it took.
    pub time: Duration,
}

/// A case about which the two sides differ, as small as it could be made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Divergence {
    /// What each side said.
    pub reason: String,
    /// Where.
    pub world: WorldPlan,
    /// What.
    pub case: Case,
}

impl Campaign {
    /// Runs the campaign. `progress` is told after every case how many more there are.
    pub fn run(self, progress: impl Fn(u64) + Sync) -> Summary {
        let started = Instant::now();
        let foundations = self.cases.div_ceil(CASES_PER_WORLD * WORLDS_PER_FOUNDATION);
        let next = AtomicU64::new(0);
        let summary = Mutex::new(Summary {
            cases: 0,
            worlds: 0,
            tally: Tally::new(),
            divergences: Vec::new(),
            time: Duration::ZERO,
        });
        let locked = || summary.lock().unwrap_or_else(PoisonError::into_inner);
        thread::scope(|scope| {
            for _ in 0..self.threads.get() {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= foundations || locked().divergences.len() >= MOST_DIVERGENCES {
                            return;
                        }
                        self.run_foundation(number, &progress, |tally, decided, divergence| {
                            let mut summary = locked();
                            summary.cases += decided;
                            summary.worlds += 1;
                            summary.tally.add(&tally);
                            summary.divergences.extend(divergence);
                        });
                    }
                });
            }
        });
        let summary = summary.into_inner().unwrap_or_else(PoisonError::into_inner);
        Summary { time: started.elapsed(), ..summary }
    }

    fn run_foundation(self, number: u64, progress: impl Fn(u64), add: impl Fn(Tally, u64, Option<Divergence>)) {
        let mut runner = TestRunner::new(Config {
            // The worlds have the seeds of their numbers.
            rng_seed: RngSeed::Fixed(!self.seed_of(number)),
            ..Config::default()
        });
        let plan = sample(&FoundationPlan::strategy(), &mut runner);
        let foundation = Rc::new(Foundation::new(plan));
        for world in number * WORLDS_PER_FOUNDATION..(number + 1) * WORLDS_PER_FOUNDATION {
            let cases = CASES_PER_WORLD.min(self.cases.saturating_sub(world * CASES_PER_WORLD));
            if cases > 0 {
                let (tally, decided, divergence) = self.run_world(world, cases, plan, &foundation, &progress);
                add(tally, decided, divergence);
            }
        }
    }

    fn run_world(
        self,
        number: u64,
        cases: u64,
        foundation_plan: FoundationPlan,
        foundation: &Rc<Foundation>,
        progress: impl Fn(u64),
    ) -> (Tally, u64, Option<Divergence>) {
        let mut runner = TestRunner::new(Config {
            cases: u32::try_from(cases).expect("few cases in one world"),
            rng_seed: RngSeed::Fixed(self.seed_of(number)),
            failure_persistence: None,
            max_shrink_iters: 512,
            ..Config::default()
        });
        let plan = sample(&WorldPlan::strategy(foundation_plan), &mut runner);
        let world = World::new(&plan, Rc::clone(foundation));
        // Each operator signs each attestation: large worlds make do with fewer.
        let attestations = (ATTESTATIONS_PER_WORLD * 8 / world.keys.len().max(8)).max(2);
        let attested = sample(&vec(AttestedPlan::strategy(), attestations), &mut runner);

        let counted = RefCell::new((Tally::new(), 0));
        let result = runner.run(&Case::strategy(attested), |case| {
            let answers = case.run(&world).map_err(TestCaseError::fail)?;
            let (tally, decided) = &mut *counted.borrow_mut();
            answers.into_iter().for_each(|answer| tally.count(answer));
            *decided += 1;
            progress(1);
            Ok(())
        });
        let divergence = match result {
            Ok(()) => None,
            Err(TestError::Fail(reason, case)) => Some(Divergence { reason: reason.to_string(), world: plan, case }),
            Err(TestError::Abort(reason)) => unreachable!("no case is rejected, and yet: {reason}"),
        };
        let (tally, decided) = counted.into_inner();
        (tally, decided, divergence)
    }

    /// Worlds of neighbouring numbers and seeds have nothing in common: the finaliser of SplitMix64.
    fn seed_of(self, world: u64) -> u64 {
        let mut mixed = self.seed.wrapping_add(world.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}

impl Divergence {
    /// Tries the case again.
    ///
    /// # Errors
    ///
    /// What the two sides differ on, if they still do.
    pub fn replay(&self) -> Result<(), String> {
        let foundation = Rc::new(Foundation::new(self.world.foundation()));
        self.case.run(&World::new(&self.world, foundation)).map(|_| ())
    }
}

fn sample<S: Strategy>(strategy: &S, runner: &mut TestRunner) -> S::Value {
    strategy.new_tree(runner).expect("nothing is filtered out").current()
}
