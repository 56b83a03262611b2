//! Runs operators and gateways in virtual time, with faults and liars, and checks what must always hold.
//!
//! A history is made of a seed: the same seed is the same history, event by event. The state machines are those of
//! `assent-network`, the policies are evaluated by the evaluator's image, and evidence is replayed by it.
//! Most histories replace BLS by [`TestScheme`], some run with BLS itself.

mod chain;
mod evaluations;
mod faults;
mod history;
mod node;
mod options;
mod random;
mod rogue_gateway;
mod scheme;

pub use history::{Summary, Violation};
pub use options::{Options, Sabotage};
pub use scheme::TestScheme;

use assent_network::Bls;

/// Runs histories with consecutive seeds, and returns the sum, or the first violation with its seed.
///
/// Of each thousand histories, one runs with BLS.
///
/// # Errors
///
/// The first seed whose history violates an invariant.
pub fn run_many(first_seed: u64, histories: u64, sabotage: Option<Sabotage>) -> Result<Summary, (u64, Violation)> {
    let mut sum = Summary::default();
    for seed in first_seed..first_seed.saturating_add(histories) {
        let options = Options { seed, sabotage };
        sum.add(&run_one(options).map_err(|violation| (seed, violation))?);
    }
    Ok(sum)
}

/// Runs the history of a seed.
///
/// # Errors
///
/// What the history violates.
pub fn run_one(options: Options) -> Result<Summary, Violation> {
    if options.seed.is_multiple_of(1000) { history::run(options, Bls) } else { history::run(options, TestScheme) }
}
