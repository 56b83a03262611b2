//! Two implementations, one verification: the contracts' bytecode in an embedded EVM, and `assent-verifier` with both
//! of its backends.
//!
//! A [`World`] is a deployment with operators, epochs and clients. A [`Case`] is an action in it that both sides decide
//! about. It is a call with an authorization, a batch of calls, roots to be recorded, a key to be registered. Most
//! cases are tampered with. A [`Campaign`] generates random worlds and cases, and counts the answers. [`regressions`]
//! keeps the cases about which the two sides once differed.

mod answer;
mod attempt;
mod attested;
mod authorization_bytes;
mod batch;
mod campaign;
mod case;
mod comparison;
mod deployment;
mod entry_point;
mod foundation;
mod handover;
mod mutation;
mod point_bytes;
mod record_plan;
mod recording;
mod registration;
pub mod regressions;
mod signing;
mod tally;
mod usage;
mod world;
mod world_plan;

pub use answer::{Answer, RegistrationError};
pub use attempt::Attempt;
pub use attested::{Absent, Attested, AttestedPlan, Issued};
pub use batch::BatchPlan;
pub use campaign::{Campaign, Divergence, Summary};
pub use case::Case;
pub use comparison::{Verification, compare};
pub use deployment::{Client, Deployment};
pub use entry_point::EntryPoint;
pub use foundation::Foundation;
pub use handover::{HandoverTampering, MirrorPlan, MirrorWorld, Moment, Request, Statement};
pub use mutation::{Field, Mutation};
pub use point_bytes::Spelling;
pub use record_plan::RecordPlan;
pub use recording::Recording;
pub use registration::{Registration, Tampering};
pub use signing::SignedRoot;
pub use tally::Tally;
pub use usage::UsePlan;
pub use world::World;
pub use world_plan::{EpochPlan, FoundationPlan, PolicyPlan, Weights, WorldPlan};

/// An index below `length`. Cases hold plain numbers, which can be written to a file, and are reduced where they are
/// used.
fn index(number: u16, length: usize) -> usize {
    usize::from(number) % length.max(1)
}
