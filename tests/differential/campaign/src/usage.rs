//! One call with an authorization.

use crate::{Attempt, AttestedPlan, Mutation, Recording, World};
use assent_verifier::QuorumProof;
use proptest::{collection::vec, prelude::*};
use serde::{Deserialize, Serialize};

/// What is attested, in which form it is used, and what is done to it before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsePlan {
    /// What operators attest.
    pub attested: AttestedPlan,
    /// How the root is recorded, when the authorization says that it is.
    pub recording: Option<Recording>,
    /// Whether the epoch is revoked afterwards.
    pub revoke: bool,
    /// Applied one after the other.
    pub mutations: Vec<Mutation>,
}

impl UsePlan {
    /// Uses of these attestations. About a third is not tampered with.
    pub fn strategy(attested: Vec<AttestedPlan>) -> impl Strategy<Value = Self> {
        let recording = proptest::option::weighted(0.35, any::<Recording>());
        let mutations = prop_oneof![1 => Just(Vec::new()), 2 => vec(any::<Mutation>(), 1..3)];
        (prop::sample::select(attested), recording, prop::bool::weighted(0.05), mutations)
            .prop_map(|(attested, recording, revoke, mutations)| Self { attested, recording, revoke, mutations })
    }

    /// The call as it is tried.
    pub fn attempt(&self, world: &World) -> Attempt {
        let attested = world.attested(&self.attested);
        let mut authorization = attested.authorization.clone();
        let mut recorded = Vec::new();
        if let Some(recording) = self.recording {
            authorization.quorum_proof = QuorumProof::Recorded;
            recorded = recording.of(&attested, world);
        }
        let client = self.attested.client(world);
        let mut attempt = Attempt {
            client: crate::index(self.attested.client, world.clients.len()),
            entry_point: self.attested.entry_point,
            caller: attested.intent.from,
            intent: attested.intent.clone(),
            authorization: authorization.encode(),
            length_error: 0,
            root: attested.root,
            timestamp: world.earliest().max(attested.authorization.issued_at.to()),
            policy: client.policy.clone(),
            issuance_floor: client.issuance_floor,
            burned: None,
            recorded,
            revoked: self.revoke.then_some(self.attested.epoch(world).number),
        };
        self.mutations.iter().for_each(|mutation| mutation.apply(&mut attempt, world));
        attempt
    }
}
