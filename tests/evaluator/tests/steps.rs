//! How many steps the reference policies take: the budget of a decision.

use assent_evaluator_tests::{image, reference};

#[test]
fn the_reference_policies_stay_within_their_steps() {
    let image = image();
    for (name, most) in [("treasury", 3_200_000), ("small", 500_000)] {
        let outcome = reference(name).run(&image);
        assert!(outcome.allows(), "{name}: {:?}", outcome.reasons());
        println!("{name}: {} steps", outcome.steps);
        assert!(outcome.steps <= most, "{name}: {} steps, more than {most}", outcome.steps);
    }
}
