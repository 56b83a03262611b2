//! Prints what this processor finds: `states.json`, if all is well.

fn main() {
    print!("{}", assent_replay_tests::states());
}
