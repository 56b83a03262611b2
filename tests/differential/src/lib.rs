//! Two implementations, one verification: the contracts' bytecode in an embedded EVM, and `assent-verifier` with both of
//! its backends. A [`World`] is a deployed Assent with its operators, an [`Attempt`] is a call with an authorization that
//! may have been tampered with, and [`compare`] lets each side decide about it.

mod attempt;
mod comparison;
mod mutation;
mod plan;
mod recording;
mod world;

pub use attempt::{Attempt, Way};
pub use comparison::{Agreement, Verdict, compare};
pub use mutation::Mutation;
pub use plan::Plan;
pub use recording::{Recording, SignedRoot};
pub use world::World;
