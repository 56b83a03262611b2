//! Many calls, verified together.

use crate::{Answer, Attempt, AttestedPlan, Client, EntryPoint, UsePlan, Verification, World, compare};
use assent_verifier::{
    Call,
    backend::{Backend, arkworks::Arkworks, blst::Blst},
    verify_batch_using,
};
use proptest::{collection::vec, prelude::*};
use serde::{Deserialize, Serialize};

/// Calls of one client at one time. The batch must decide about each as a separate verification does, and as the
/// contracts do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchPlan {
    /// The calls. All are made of the first one's client.
    pub uses: Vec<UsePlan>,
}

impl BatchPlan {
    /// Two to seven uses of these attestations.
    pub fn strategy(attested: Vec<AttestedPlan>) -> impl Strategy<Value = Self> {
        vec(UsePlan::strategy(attested), 2..8).prop_map(|uses| Self { uses })
    }

    pub(crate) fn run(&self, world: &World) -> Result<Vec<Answer>, String> {
        let attempts = self.attempts(world);
        let separately: Result<Vec<Verification>, String> =
            attempts.iter().map(|attempt| compare(world, attempt)).collect();
        let separately = separately?;
        for together in [together::<Arkworks>(world, &attempts), together::<Blst>(world, &attempts)] {
            if together != separately {
                return Err(format!("together: {together:?}; separately: {separately:?}"));
            }
        }
        Ok(separately.into_iter().map(|result| result.map(|_| ()).into()).collect())
    }

    fn attempts(&self, world: &World) -> Vec<Attempt> {
        let mut attempts: Vec<_> = self.uses.iter().map(|plan| plan.attempt(world)).collect();
        let recorded: Vec<_> = attempts.iter().flat_map(|attempt| attempt.recorded.clone()).collect();
        let client = attempts[0].client;
        let Client { policy, issuance_floor, .. } = world.clients[client].clone();
        for attempt in &mut attempts {
            *attempt = Attempt {
                client,
                entry_point: EntryPoint::ClientView,
                caller: world.agent,
                length_error: 0,
                timestamp: world.earliest(),
                policy: policy.clone(),
                issuance_floor,
                burned: None,
                recorded: recorded.clone(),
                revoked: None,
                ..attempt.clone()
            };
        }
        attempts
    }
}

fn together<B: Backend>(world: &World, attempts: &[Attempt]) -> Vec<Verification> {
    let context = attempts[0].context(world);
    let calls: Vec<_> =
        attempts.iter().map(|Attempt { intent, authorization, .. }| Call::Explicit { intent, authorization }).collect();
    let results = verify_batch_using::<B, _>(&context, &calls);
    results.into_iter().map(|result| result.map(|verified| verified.nonce())).collect()
}
