//! Calls that operators have attested, before anything is tampered with.

use crate::{Client, SignedRoot, Way, World, place, recording::sign_to_record, world_plan::LATEST};
use alloy::{
    primitives::{Address, B256, U256, aliases::U48},
    sol_types::SolCall,
};
use assent_contracts::{ExampleToken, TreasuryVault};
use assent_signer::{AttestationBatch, PartialSignature, aggregate};
use assent_verifier::{
    Attestation, Authorization, Epoch, Intent, NonSigners, QuorumProof, Signature,
    digest::{intent_hash, task_id},
};
use proptest::{collection::vec, prelude::*};
use serde::{Deserialize, Serialize};
use std::cell::OnceCell;

/// A call, alone or in a batch with others, and who signs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AttestedPlan {
    /// Which of the world's clients.
    pub client: u16,
    /// By which of its entrances.
    pub way: Way,
    /// The epoch, by its place.
    pub epoch: u16,
    /// What is paid, in units of the token or in 256 wei.
    pub amount: u64,
    /// Whether `execute` sends ether and not tokens.
    pub ether: bool,
    /// The nonce.
    pub nonce: U256,
    /// Seconds until the attestation is no longer good; reduced to what the policy allows.
    pub lifetime: u32,
    /// The decision.
    pub allow: bool,
    /// The evidence.
    pub evidence: B256,
    /// Who does not sign.
    pub absent: Absent,
    /// How many attestations stand under the root.
    pub batch: u16,
    /// Which of them this is.
    pub place: u16,
}

/// Operators who do not sign.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Absent {
    /// These, by their places in the epoch; nobody if there are none.
    These(Vec<u16>),
    /// As many as can be while the others are a bare majority.
    AllButABareMajority,
    /// Everybody: the signature is no more than a well-formed point.
    Everybody,
}

/// What operators have attested.
#[derive(Debug)]
pub struct Attested {
    /// The call.
    pub intent: Intent,
    /// Good, if the plan's operators and decision suffice.
    pub authorization: Authorization,
    /// What it stands under.
    pub root: B256,
    /// Who did not sign, by their places in the epoch.
    absent: Vec<usize>,
    to_record: OnceCell<[Option<SignedRoot>; 2]>,
}

impl AttestedPlan {
    /// Random plans. Most would be accepted.
    pub fn strategy() -> impl Strategy<Value = Self> {
        let epoch = prop_oneof![12 => Just(2u16), 4 => Just(1), 1 => Just(0), 3 => Just(3)];
        let absent = prop_oneof![
            5 => Just(Absent::These(Vec::new())),
            4 => vec(any::<u16>(), 1..4).prop_map(Absent::These),
            1 => Just(Absent::AllButABareMajority),
            1 => Just(Absent::Everybody),
        ];
        let call = (any::<u16>(), any::<Way>(), any::<u64>(), any::<bool>(), nonce());
        let statement = (any::<u32>(), prop::bool::weighted(0.9), any::<[u8; 32]>());
        let batch = (prop_oneof![3 => Just(1u16), 2 => 2..9u16, 1 => 9..70u16], any::<u16>());
        (call, statement, epoch, absent, batch).prop_map(|(call, statement, epoch, absent, (batch, place))| {
            let (client, way, amount, ether, nonce) = call;
            let (lifetime, allow, evidence) = statement;
            let evidence = B256::from(evidence);
            Self { client, way, epoch, amount, ether, nonce, lifetime, allow, evidence, absent, batch, place }
        })
    }

    /// The client.
    pub fn client<'a>(&self, world: &'a World) -> &'a Client {
        &world.clients[place(self.client, world.clients.len())]
    }

    /// The epoch.
    pub fn epoch<'a>(&self, world: &'a World) -> &'a Epoch {
        &world.epochs[place(self.epoch, world.epochs.len())]
    }

    pub(crate) fn carry_out(&self, world: &World) -> Attested {
        let intent = self.intent(world);
        let attestation = self.attestation(world, intent.clone());
        let epoch = self.epoch(world);
        let place = place(self.place, self.batch.into());
        let attestations = (0..usize::from(self.batch)).map(|other| Attestation {
            evidence: if other == place { self.evidence } else { B256::with_last_byte(other as u8) },
            ..attestation.clone()
        });
        let batch = AttestationBatch::new(attestations.collect(), attestation.intent.chainId, world.task_manager)
            .expect("a sound batch");
        let root = batch.root();
        let absent = self.absent.places(epoch);
        let (signature, non_signers) = sign(world, epoch, root, &absent);
        let authorization = Authorization {
            task_id: attestation.taskId,
            nonce: attestation.nonce,
            expiration: attestation.expiration,
            decision: attestation.decision.try_into().expect("0 or 1"),
            evidence: attestation.evidence,
            epoch: epoch.number,
            quorum_proof: QuorumProof::Direct { signature, non_signers },
            merkle_proof: batch.merkle_proof(place).expect("the attestation's place"),
        };
        Attested { intent, authorization, root, absent, to_record: OnceCell::new() }
    }

    fn intent(&self, world: &World) -> Intent {
        let (token, recipient, amount) = (world.token, Address::repeat_byte(0x77), U256::from(self.amount));
        let (to, value, data) = match self.way {
            Way::Trailing => {
                let call = TreasuryVault::payCall { token, recipient, amount };
                (self.client(world).vault, U256::ZERO, call.abi_encode())
            }
            _ if self.ether => (recipient, amount >> 8, Vec::new()),
            _ => (token, U256::ZERO, ExampleToken::transferCall { to: recipient, value: amount }.abi_encode()),
        };
        Intent { from: world.agent, to, value, data: data.into(), chainId: U256::from(world.chain.chain_id()) }
    }

    fn attestation(&self, world: &World, intent: Intent) -> Attestation {
        let Intent { chainId: chain_id, .. } = intent;
        let Client { vault, policy } = self.client(world);
        let longest = u64::try_from(policy.maxLifetime).expect("48 bits");
        let lifetime = 1 + u64::from(self.lifetime) % longest;
        Attestation {
            taskId: task_id(chain_id, world.task_manager, *vault, policy.policyId, intent_hash(&intent), self.nonce),
            policyId: policy.policyId,
            policyClient: *vault,
            nonce: self.nonce,
            expiration: U48::from((world.earliest() + lifetime).min(LATEST)),
            decision: self.allow.into(),
            evidence: self.evidence,
            intent,
        }
    }
}

impl Attested {
    /// What can be recorded of the root, signed by the same operators and by a bare majority; nothing if they or their epoch do
    /// not suffice.
    pub(crate) fn to_record(&self, world: &World) -> &[Option<SignedRoot>; 2] {
        let sign = |epoch, absent: &[usize]| sign_to_record(world, epoch, self.root, absent);
        self.to_record.get_or_init(|| {
            let epoch = world.epochs.iter().find(|epoch| epoch.number == self.authorization.epoch).expect("its epoch");
            [sign(epoch, &self.absent), sign(epoch, &Absent::AllButABareMajority.places(epoch))]
        })
    }
}

impl Absent {
    pub(crate) fn places(&self, epoch: &Epoch) -> Vec<usize> {
        let operators = epoch.operators.operators();
        match self {
            Self::These(places) => places.iter().map(|&number| place(number, operators.len())).collect(),
            Self::Everybody => (0..operators.len()).collect(),
            Self::AllButABareMajority => {
                let required = epoch.operators.required_weight(0);
                let mut weight = U256::from(epoch.operators.total_weight());
                let mut absent = Vec::new();
                for (place, operator) in operators.iter().enumerate() {
                    let without = weight - U256::from(operator.weight);
                    if without >= required {
                        weight = without;
                        absent.push(place);
                    }
                }
                absent
            }
        }
    }
}

/// The aggregate of all who are not absent.
pub(crate) fn sign(world: &World, epoch: &Epoch, root: B256, absent: &[usize]) -> (Signature, NonSigners) {
    let signers = world.signers(epoch).enumerate().filter(|(place, _)| !absent.contains(place));
    let partials: Vec<_> =
        signers.map(|(_, (operator, key))| PartialSignature::new(*operator, key.sign_root(root).0)).collect();
    match aggregate(epoch, root, &partials) {
        Ok(aggregate) => (aggregate.signature, aggregate.non_signers),
        // Nobody signed.
        Err(_) => (
            world.keys[0].1.sign_root(B256::ZERO),
            NonSigners::from_indices((0..epoch.operators.operators().len()).map(|place| place as u16))
                .expect("at most 2,000"),
        ),
    }
}

/// Neighbours in a word, edges of words, and anything.
fn nonce() -> impl Strategy<Value = U256> {
    prop_oneof![(0..600u64).prop_map(U256::from), Just(U256::MAX), any::<[u8; 32]>().prop_map(U256::from_be_bytes),]
}
