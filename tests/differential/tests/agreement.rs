//! The contracts and the verifier agree on random authorizations.

use assent_differential::{Agreement, Plan, World, compare};
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestRunner},
};
use std::{cell::RefCell, collections::BTreeMap, env};

/// Every outcome that a run must have reached: all refusals, and acceptance.
const OUTCOMES: [&str; 16] = [
    "accepted",
    "PolicyNotSet",
    "MalformedAuthorization",
    "WrongChain",
    "WrongSender",
    "WrongTask",
    "AttestationExpired",
    "LifetimeTooLong",
    "AttestationAlreadySpent",
    "UnknownEpoch",
    "EpochRetired",
    "RootNotRecorded",
    "QuorumNotReached",
    "MalformedSignature",
    "InvalidSignature",
    "PolicyDenied",
];

/// `ASSENT_DIFFERENTIAL_CASES` and `ASSENT_DIFFERENTIAL_SEED` run more cases, or other ones.
#[test]
fn contracts_and_verifier_agree_on_random_authorizations() {
    let cases = setting("ASSENT_DIFFERENTIAL_CASES").unwrap_or(2_000);
    let seed = setting("ASSENT_DIFFERENTIAL_SEED").unwrap_or(2537);
    let worlds: Vec<_> = [1, 4, 11, 130].into_iter().map(World::new).collect();
    let tally = RefCell::new(BTreeMap::<&str, u32>::new());

    let config = Config {
        cases: u32::try_from(cases).expect("fewer than 2^32 cases"),
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: 512,
        ..Config::default()
    };
    let world = prop_oneof![4 => Just(0usize), 12 => Just(1), 12 => Just(2), 1 => Just(3)];
    let result = TestRunner::new(config).run(&(world, Plan::strategy()), |(world, plan)| {
        let world = &worlds[world];
        let attempt = plan.carry_out(world);
        let Agreement { verdict } = compare(world, &attempt)
            .map_err(|difference| TestCaseError::fail(format!("{difference}\n{attempt:#?}")))?;
        let outcome = verdict.map_or_else(|refusal| refusal.name(), |_| "accepted");
        *tally.borrow_mut().entry(outcome).or_default() += 1;
        Ok(())
    });

    let tally = tally.into_inner();
    println!("{cases} cases with seed {seed}:");
    for (outcome, count) in &tally {
        println!("{count:>8} {outcome}");
    }
    if let Err(failure) = result {
        panic!("contracts and verifier differ: {failure}");
    }
    let unreached: Vec<_> = OUTCOMES.into_iter().filter(|outcome| !tally.contains_key(outcome)).collect();
    assert!(unreached.is_empty(), "the generator never reached {unreached:?}");
}

fn setting(name: &str) -> Option<u64> {
    env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} must be a number, not {value:?}")))
}
