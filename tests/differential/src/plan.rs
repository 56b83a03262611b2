//! What a random case is made of, before anything is signed.

use crate::{Attempt, Mutation, Recording, SignedRoot, Way, World};
use alloy::{
    primitives::{Address, B256, U256, aliases::U48},
    sol_types::SolCall,
};
use assent_contracts::{ExampleToken, TreasuryVault};
use assent_signer::{AttestationBatch, PartialSignature, aggregate};
use assent_verifier::{
    Attestation, Authorization, Epoch, Intent, NonSigners, QuorumProof,
    digest::{intent_hash, task_id},
};
use proptest::{collection::vec, prelude::*, sample::Index};

/// A call that operators attest, alone or in a batch, and what is done to it afterwards.
#[derive(Debug, Clone)]
pub struct Plan {
    way: Way,
    epoch: usize,
    amount: u64,
    ether: bool,
    nonce: U256,
    lifetime: u64,
    allow: bool,
    evidence: B256,
    absent: Vec<Index>,
    batch: usize,
    place: Index,
    /// How the root is recorded, when the authorization says that it is.
    recording: Option<Recording>,
    retire: bool,
    mutations: Vec<Mutation>,
}

impl Plan {
    /// Random plans. About a third is not tampered with.
    pub fn strategy() -> impl Strategy<Value = Self> {
        let call = (any::<Way>(), any::<u64>(), any::<bool>(), nonce());
        let statement = (1..=1_800u64, prop::bool::weighted(0.9), any::<[u8; 32]>());
        let signers =
            (prop_oneof![6 => Just(2usize), 2 => Just(1), 1 => Just(0), 1 => Just(3)], vec(any::<Index>(), 0..4));
        let batch = (prop_oneof![3 => Just(1usize), 2 => 2..9usize], any::<Index>());
        let mutations = prop_oneof![1 => Just(Vec::new()), 2 => vec(any::<Mutation>(), 1..3)];
        let afterwards = (proptest::option::weighted(0.35, recording()), prop::bool::weighted(0.05), mutations);
        (call, statement, signers, batch, afterwards).prop_map(|(call, statement, signers, batch, afterwards)| {
            let (way, amount, ether, nonce) = call;
            let (lifetime, allow, evidence) = statement;
            let (epoch, absent) = signers;
            let (batch, place) = batch;
            let (recording, retire, mutations) = afterwards;
            let evidence = B256::from(evidence);
            Self {
                way,
                epoch,
                amount,
                ether,
                nonce,
                lifetime,
                allow,
                evidence,
                absent,
                batch,
                place,
                recording,
                retire,
                mutations,
            }
        })
    }

    /// Lets the operators sign, and then tampers with the outcome.
    pub fn carry_out(&self, world: &World) -> Attempt {
        let now = world.earliest();
        let intent = self.intent(world);
        let attestation = self.attestation(world, intent.clone(), now);
        let (authorization, recorded) = self.authorize(world, &attestation);
        let mut attempt = Attempt {
            way: self.way,
            caller: intent.from,
            intent,
            authorization: authorization.encode(),
            timestamp: now,
            policy: world.policy.clone(),
            burned: None,
            recorded,
            retired: self.retire.then_some(world.epochs[self.epoch].number),
        };
        for mutation in &self.mutations {
            mutation.apply(&mut attempt, world);
        }
        attempt
    }

    fn intent(&self, world: &World) -> Intent {
        let (token, recipient, amount) = (world.token, Address::repeat_byte(0x77), U256::from(self.amount));
        let (to, value, data) = match self.way {
            Way::Trailing => {
                let call = TreasuryVault::payCall { token, recipient, amount };
                (world.vault, U256::ZERO, call.abi_encode())
            }
            _ if self.ether => (recipient, amount >> 8, Vec::new()),
            _ => (token, U256::ZERO, ExampleToken::transferCall { to: recipient, value: amount }.abi_encode()),
        };
        Intent { from: world.agent, to, value, data: data.into(), chainId: U256::from(world.chain.chain_id()) }
    }

    fn attestation(&self, world: &World, intent: Intent, now: u64) -> Attestation {
        let Intent { chainId: chain_id, .. } = intent;
        let (client, policy_id) = (world.vault, world.policy.policyId);
        Attestation {
            taskId: task_id(chain_id, world.task_manager, client, policy_id, intent_hash(&intent), self.nonce),
            policyId: policy_id,
            policyClient: client,
            nonce: self.nonce,
            expiration: U48::from(now + self.lifetime),
            decision: self.allow.into(),
            evidence: self.evidence,
            intent,
        }
    }

    /// The attestation among others that differ from it in evidence, and what is recorded of their root.
    fn authorize(&self, world: &World, attestation: &Attestation) -> (Authorization, Vec<SignedRoot>) {
        let place = self.place.index(self.batch);
        let attestations = (0..self.batch).map(|other| Attestation {
            evidence: if other == place { attestation.evidence } else { B256::with_last_byte(other as u8) },
            ..attestation.clone()
        });
        let batch = AttestationBatch::new(attestations.collect(), attestation.intent.chainId, world.task_manager)
            .expect("a sound batch");
        let epoch = &world.epochs[self.epoch];
        let absent: Vec<_> = self.absent.iter().map(|index| index.index(world.keys.len())).collect();
        let (quorum_proof, recorded) = match self.recording {
            None => (sign(world, epoch, batch.root(), &absent), Vec::new()),
            Some(recording) => (QuorumProof::Recorded, recording.carry_out(world, epoch, batch.root(), &absent)),
        };
        let authorization = Authorization {
            task_id: attestation.taskId,
            nonce: attestation.nonce,
            expiration: attestation.expiration,
            decision: attestation.decision.try_into().expect("0 or 1"),
            evidence: attestation.evidence,
            epoch: epoch.number,
            quorum_proof,
            merkle_proof: batch.merkle_proof(place).expect("the attestation's place"),
        };
        (authorization, recorded)
    }
}

fn sign(world: &World, epoch: &Epoch, root: B256, absent: &[usize]) -> QuorumProof {
    let signers = world.keys.iter().enumerate().filter(|(index, _)| !absent.contains(index));
    let partials: Vec<_> =
        signers.map(|(_, (operator, key))| PartialSignature::new(*operator, key.sign_root(root).0)).collect();
    match aggregate(epoch, root, &partials) {
        Ok(aggregate) => QuorumProof::Direct { signature: aggregate.signature, non_signers: aggregate.non_signers },
        // Nobody signed: the signature is no more than a well-formed point.
        Err(_) => QuorumProof::Direct {
            signature: world.keys[0].1.sign_root(B256::ZERO),
            non_signers: NonSigners::from_indices(0..world.keys.len() as u16).expect("at most 2,000"),
        },
    }
}

fn recording() -> impl Strategy<Value = Recording> {
    prop_oneof![
        1 => Just(Recording::Nobody),
        5 => Just(Recording::Signers),
        2 => Just(Recording::BareMajority),
        1 => Just(Recording::Both),
    ]
}

/// Neighbours in a word, edges of words, and anything.
fn nonce() -> impl Strategy<Value = U256> {
    prop_oneof![(0..600u64).prop_map(U256::from), Just(U256::MAX), any::<[u8; 32]>().prop_map(U256::from_be_bytes),]
}
