//! Two implementations, one verification: the contracts' bytecode in an embedded EVM, and `assent-verifier` with both of
//! its backends.
//!
//! A [`World`] is a deployed Assent with its operators, epochs and clients. A [`Case`] is something done in it that both
//! sides decide about: a call with an authorization, a batch of calls, roots to be recorded, a key to be registered. Most
//! cases are tampered with. A [`Campaign`] makes random worlds and random cases, any number of them, and counts how many
//! ended in which way. [`regressions`] keeps the cases that once made the two sides differ.

mod attempt;
mod attested;
mod authorization_bytes;
mod batch;
mod campaign;
mod case;
mod comparison;
mod mutation;
mod point_bytes;
mod recording;
mod registration;
pub mod regressions;
mod tally;
mod usage;
mod world;
mod world_plan;

pub use attempt::{Attempt, Way};
pub use attested::{Absent, Attested, AttestedPlan};
pub use batch::BatchPlan;
pub use campaign::{Campaign, Divergence, Summary};
pub use case::Case;
pub use comparison::{Verdict, compare};
pub use mutation::{Field, Mutation};
pub use point_bytes::Spelling;
pub use recording::{RecordPlan, Recording, SignedRoot};
pub use registration::{Registration, RegistrationError, Tampering};
pub use tally::{Outcome, Tally};
pub use usage::UsePlan;
pub use world::{Client, World};
pub use world_plan::{EpochPlan, PolicyPlan, Weights, WorldPlan};

/// One of `length` places. Cases hold plain numbers, which can be written down, and are reduced where they are used.
fn place(number: u16, length: usize) -> usize {
    usize::from(number) % length.max(1)
}
