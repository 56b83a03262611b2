//! A case that both sides decide about.

use crate::{Answer, AttestedPlan, BatchPlan, RecordPlan, Registration, UsePlan, World, compare};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

/// An action in a world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Case {
    /// One call with an authorization.
    Use(UsePlan),
    /// Many, verified together.
    Batch(BatchPlan),
    /// Roots that are recorded.
    Record(RecordPlan),
    /// A key that is registered.
    Register(Registration),
}

impl Case {
    /// Cases with these attestations.
    pub fn strategy(attested: Vec<AttestedPlan>) -> impl Strategy<Value = Self> {
        prop_oneof![
            24 => UsePlan::strategy(attested.clone()).prop_map(Self::Use),
            1 => BatchPlan::strategy(attested.clone()).prop_map(Self::Batch),
            2 => RecordPlan::strategy(attested).prop_map(Self::Record),
            1 => Registration::strategy().prop_map(Self::Register),
        ]
    }

    /// Compares the decisions of both sides. The world's state is restored afterwards.
    ///
    /// # Errors
    ///
    /// What they disagree on.
    pub fn run(&self, world: &World) -> Result<Vec<Answer>, String> {
        match self {
            Self::Use(plan) => Ok(vec![compare(world, &plan.attempt(world))?.map(|_| ()).into()]),
            Self::Batch(plan) => plan.run(world),
            Self::Record(plan) => plan.run(world),
            Self::Register(registration) => registration.run(world),
        }
    }
}
