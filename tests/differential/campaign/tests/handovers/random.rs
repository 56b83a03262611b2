//! The mirror's bytecode and the verifier with both of its backends, on random handovers and revocations.

use assent_differential::{MirrorPlan, MirrorWorld, Request, Statement};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngSeed, TestCaseError, TestRunner},
};
use std::{cell::RefCell, collections::BTreeMap};

const WORLDS: u64 = 25;
const CASES_PER_WORLD: u32 = 200;

/// Every error of the mirror about them.
const ERRORS: [&str; 15] = [
    "CommittedLater",
    "EpochQuorumNotReached",
    "EpochWasRevoked",
    "InvalidEpochSignature",
    "InvalidExpiry",
    "MalformedEpochSignature",
    "MalformedTable",
    "NoSuchEpoch",
    "NonSignerOutOfRange",
    "NotLater",
    "SignerExpired",
    "UnknownTable",
    "WrongContent",
    "WrongHome",
    "WrongSigner",
];

#[test]
fn the_mirror_and_the_verifier_agree_on_random_handovers_and_revocations() {
    let tally = RefCell::new(BTreeMap::<String, u64>::new());
    for world in 0..WORLDS {
        let mut runner = TestRunner::new(Config {
            cases: CASES_PER_WORLD,
            rng_seed: RngSeed::Fixed(2_537 + world),
            failure_persistence: None,
            ..Config::default()
        });
        let plan = MirrorPlan::strategy().new_tree(&mut runner).expect("nothing is filtered out").current();
        let mirror = MirrorWorld::new(&plan);
        let result = runner.run(&Statement::strategy(), |statement| {
            let error = mirror.compare(&statement).map_err(TestCaseError::fail)?;
            let success = match statement.request {
                Request::Accept => "accepted",
                Request::Revoke => "revoked",
                Request::RevokeAhead => "revoked ahead",
            };
            let outcome = error.unwrap_or_else(|| success.to_owned());
            *tally.borrow_mut().entry(outcome).or_default() += 1;
            Ok(())
        });
        result.unwrap_or_else(|difference| panic!("world {world}, {plan:?}: {difference}"));
    }
    let tally = tally.into_inner();
    println!("{} cases: {tally:#?}", tally.values().sum::<u64>());
    assert_eq!(tally.values().sum::<u64>(), WORLDS * u64::from(CASES_PER_WORLD));
    for outcome in ["accepted", "revoked", "revoked ahead"].iter().chain(&ERRORS) {
        assert!(tally.contains_key(*outcome), "the generator never reached {outcome}");
    }
    assert_eq!(tally.len(), ERRORS.len() + 3, "an error that is not listed: {tally:#?}");
}
