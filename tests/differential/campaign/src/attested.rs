//! Calls that operators have attested, before anything is tampered with.

use crate::{
    Client, Deployment, EntryPoint, SignedRoot, index,
    signing::{sign, sign_to_record},
};
use alloy::{
    primitives::{Address, B256, U256, aliases::U48},
    sol_types::SolCall,
};
use assent_examples::{ExampleToken, TreasuryVault};
use assent_signer::AttestationBatch;
use assent_verifier::{
    Attestation, Authorization, Epoch, Intent, QuorumProof,
    digest::{intent_hash, task_id},
};
use proptest::{collection::vec, prelude::*};
use serde::{Deserialize, Serialize};
use std::cell::OnceCell;

/// A call, attested separately or in a batch with others, and its signers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AttestedPlan {
    /// Which of the deployment's clients.
    pub client: u16,
    /// The entry point.
    pub entry_point: EntryPoint,
    /// The epoch's index, reduced to the number of epochs.
    pub epoch: u16,
    /// The amount, in units of the token or of 256 wei.
    pub amount: u64,
    /// Whether `execute` sends ether and not tokens.
    pub ether: bool,
    /// The nonce.
    pub nonce: U256,
    /// Seconds from the time of issuance to the expiration, reduced to what the policy allows.
    pub lifetime: u32,
    /// When it is issued, and so when it expires.
    pub issued: Issued,
    /// The decision.
    pub allow: bool,
    /// The evidence.
    pub evidence: B256,
    /// The operators that do not sign.
    pub absent: Absent,
    /// The number of attestations under the root.
    pub batch: u16,
    /// The index of this attestation among them, reduced to their number.
    pub index: u16,
}

/// The time of issuance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Issued {
    /// So many seconds before the earliest time of an attempt, reduced to less than the lifetime.
    Before(u32),
    /// So many seconds after it.
    After(u16),
    /// So that the expiration differs by this from the time at which the epoch ends, whatever happens.
    ForTheEpochsEnd(i8),
}

/// Operators who do not sign.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Absent {
    /// These, by their indices in the epoch.
    These(Vec<u16>),
    /// As many as possible while the others are a bare majority.
    AllButABareMajority,
    /// All: the signature is only a well-formed point.
    All,
}

/// What operators have attested.
#[derive(Debug)]
pub struct Attested {
    /// The call.
    pub intent: Intent,
    /// Valid if the plan's operators and decision suffice.
    pub authorization: Authorization,
    /// The root that it is under.
    pub root: B256,
    /// The indices in the epoch of the operators that did not sign.
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
            1 => Just(Absent::All),
        ];
        let call = (any::<u16>(), any::<EntryPoint>(), any::<u64>(), any::<bool>(), nonce());
        let statement = (any::<u32>(), any::<Issued>(), prop::bool::weighted(0.9), any::<[u8; 32]>());
        let batch = (prop_oneof![3 => Just(1u16), 2 => 2..9u16, 1 => 9..70u16], any::<u16>());
        (call, statement, epoch, absent, batch).prop_map(|(call, statement, epoch, absent, (batch, index))| {
            let (client, entry_point, amount, ether, nonce) = call;
            let (lifetime, issued, allow, evidence) = statement;
            let evidence = B256::from(evidence);
            Self {
                client,
                entry_point,
                epoch,
                amount,
                ether,
                nonce,
                lifetime,
                issued,
                allow,
                evidence,
                absent,
                batch,
                index,
            }
        })
    }

    /// The client.
    pub fn client<'a>(&self, deployment: &'a Deployment) -> &'a Client {
        &deployment.clients[index(self.client, deployment.clients.len())]
    }

    /// The epoch.
    pub fn epoch<'a>(&self, deployment: &'a Deployment) -> &'a Epoch {
        &deployment.epochs[index(self.epoch, deployment.epochs.len())]
    }

    pub(crate) fn carry_out(&self, deployment: &Deployment) -> Attested {
        let intent = self.intent(deployment);
        let attestation = self.attestation(deployment, intent.clone());
        let epoch = self.epoch(deployment);
        let index = index(self.index, self.batch.into());
        let attestations = (0..usize::from(self.batch)).map(|other| Attestation {
            evidence: if other == index { self.evidence } else { B256::with_last_byte(other as u8) },
            ..attestation.clone()
        });
        let batch = AttestationBatch::new(attestations.collect(), attestation.intent.chainId, deployment.task_manager)
            .expect("a valid batch");
        let root = batch.root();
        let absent = self.absent.indices(epoch);
        let (signature, non_signers) = sign(deployment, epoch, root, &absent);
        let authorization = Authorization {
            task_id: attestation.taskId,
            nonce: attestation.nonce,
            issued_at: attestation.issuedAt,
            expiration: attestation.expiration,
            decision: attestation.decision.try_into().expect("0 or 1"),
            evidence: attestation.evidence,
            epoch: epoch.number,
            quorum_proof: QuorumProof::Direct { signature, non_signers },
            merkle_proof: batch.merkle_proof(index).expect("below the number of attestations"),
        };
        Attested { intent, authorization, root, absent, to_record: OnceCell::new() }
    }

    fn intent(&self, deployment: &Deployment) -> Intent {
        let (token, recipient, amount) = (deployment.token, Address::repeat_byte(0x77), U256::from(self.amount));
        let (to, value, data) = match self.entry_point {
            EntryPoint::Trailing => {
                let call = TreasuryVault::payCall { token, recipient, amount };
                (self.client(deployment).vault, U256::ZERO, call.abi_encode())
            }
            _ if self.ether => (recipient, amount >> 8, Vec::new()),
            _ => (token, U256::ZERO, ExampleToken::transferCall { to: recipient, value: amount }.abi_encode()),
        };
        Intent {
            from: deployment.agent,
            to,
            value,
            data: data.into(),
            chainId: U256::from(deployment.chain.chain_id()),
        }
    }

    fn attestation(&self, deployment: &Deployment, intent: Intent) -> Attestation {
        let Intent { chainId: chain_id, .. } = intent;
        let Client { vault, policy, .. } = self.client(deployment);
        let longest = u64::try_from(policy.maxLifetime).expect("48 bits");
        let lifetime = 1 + u64::from(self.lifetime) % longest;
        let issued_at = self.issued_at(deployment, lifetime);
        Attestation {
            taskId: task_id(
                chain_id,
                deployment.task_manager,
                *vault,
                policy.policyId,
                intent_hash(&intent),
                self.nonce,
            ),
            policyId: policy.policyId,
            policyClient: *vault,
            nonce: self.nonce,
            issuedAt: U48::from(issued_at),
            expiration: U48::from(issued_at + lifetime),
            decision: self.allow.into(),
            evidence: self.evidence,
            intent,
        }
    }

    fn issued_at(&self, deployment: &Deployment, lifetime: u64) -> u64 {
        match self.issued {
            Issued::Before(age) => deployment.earliest() - u64::from(age) % lifetime,
            Issued::After(wait) => deployment.earliest() + u64::from(wait),
            Issued::ForTheEpochsEnd(step) => {
                let end: u64 = deployment.epoch_end(self.epoch(deployment).number).to();
                end.saturating_add_signed(step.into()) - lifetime
            }
        }
    }
}

impl Issued {
    /// When an attestation is issued that can be used at once and for a while.
    pub(crate) const AT_ONCE: Self = Self::Before(0);
}

impl Arbitrary for Issued {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        prop_oneof![
            1 => Just(Self::AT_ONCE),
            5 => any::<u32>().prop_map(Self::Before),
            1 => prop_oneof![Just(1), any::<u16>()].prop_map(Self::After),
            2 => (-1..=1i8).prop_map(Self::ForTheEpochsEnd),
        ]
        .boxed()
    }
}

impl Attested {
    /// The root to be recorded, signed by the same operators and by a bare majority. `None` if they or their epoch do
    /// not suffice.
    pub(crate) fn to_record(&self, deployment: &Deployment) -> &[Option<SignedRoot>; 2] {
        let sign = |epoch, absent: &[usize]| sign_to_record(deployment, epoch, self.root, absent);
        self.to_record.get_or_init(|| {
            let epoch =
                deployment.epochs.iter().find(|epoch| epoch.number == self.authorization.epoch).expect("its epoch");
            [sign(epoch, &self.absent), sign(epoch, &Absent::AllButABareMajority.indices(epoch))]
        })
    }
}

impl Absent {
    pub(crate) fn indices(&self, epoch: &Epoch) -> Vec<usize> {
        let operators = epoch.operators.operators();
        match self {
            Self::These(numbers) => numbers.iter().map(|&number| index(number, operators.len())).collect(),
            Self::All => (0..operators.len()).collect(),
            Self::AllButABareMajority => {
                let required = epoch.operators.required_weight(0);
                let mut weight = U256::from(epoch.operators.total_weight());
                let mut absent = Vec::new();
                for (index, operator) in operators.iter().enumerate() {
                    let without = weight - U256::from(operator.weight);
                    if without >= required {
                        weight = without;
                        absent.push(index);
                    }
                }
                absent
            }
        }
    }
}

/// Neighbours in a word, edges of words, and any number.
fn nonce() -> impl Strategy<Value = U256> {
    prop_oneof![(0..600u64).prop_map(U256::from), Just(U256::MAX), any::<[u8; 32]>().prop_map(U256::from_be_bytes),]
}
