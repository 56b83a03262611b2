//! Epochs and policies on deployed contracts.

use crate::{EpochPlan, Foundation, PolicyPlan, WorldPlan};
use alloy::{
    primitives::{Address, aliases::U48},
    sol_types::SolCall,
};
use assent_chain::{EmbeddedChain, Message, SnapshotId};
use assent_contracts::{IPolicyClient, OperatorRegistry, OwnerStakeSource};
use assent_signer::SecretKey;
use assent_verifier::{Epoch, EpochId, Operator, OperatorSet, OperatorSetId, Policy};
use std::{ops::Deref, rc::Rc};

/// The operator set of epochs 1 to 3.
const OPERATOR_SET: OperatorSetId = OperatorSetId(7);
/// That of epoch 4.
const OTHER_OPERATOR_SET: OperatorSetId = OperatorSetId(8);
/// Operators that one table holds.
const TABLE_CAPACITY: usize = 100;

/// A [`Foundation`] with epochs, and with the clients' policies. At its end the foundation is as it was.
///
/// Epochs: 1 is revoked, 2 superseded and in its grace period, 3 in force, 4 in force for another operator set.
pub struct Deployment {
    /// The vaults, each with its policy.
    pub clients: [Client; 2],
    /// The epochs as the registry must hold them, by number from 1.
    pub epochs: Vec<Epoch>,
    /// When each of them ends, whatever happens.
    epoch_ends: Vec<U48>,
    epoch_lifetime: U48,
    foundation: Rc<Foundation>,
    before: SnapshotId,
}

/// A protected contract.
#[derive(Debug, Clone)]
pub struct Client {
    /// A `TreasuryVault`.
    pub vault: Address,
    /// What it demands.
    pub policy: Policy,
    /// What it has voided.
    pub issuance_floor: U48,
}

impl Deployment {
    /// Commits epochs and sets policies.
    pub fn new(plan: &WorldPlan, foundation: Rc<Foundation>) -> Self {
        let before = foundation.chain.snapshot();
        let clients = [0, 1].map(|client| Client {
            vault: foundation.vaults[client],
            policy: policy(&plan.policies[client]),
            issuance_floor: U48::ZERO,
        });
        let mut deployment = Self {
            clients,
            epochs: Vec::new(),
            epoch_ends: Vec::new(),
            epoch_lifetime: U48::from(plan.epoch_lifetime),
            foundation,
            before,
        };
        deployment.set_delays(plan);
        deployment.set_policies();
        deployment.commit_epochs(plan);
        deployment.raise_floors(plan);
        deployment
    }

    /// When an epoch ends, whatever happens.
    pub fn epoch_end(&self, number: EpochId) -> U48 {
        self.epoch_ends[u32::from(number) as usize - 1]
    }

    /// Does something in the world, and leaves the world as it was, also when it panics.
    pub fn undone<T>(&self, work: impl FnOnce() -> T) -> T {
        struct Undo<'a>(&'a EmbeddedChain, SnapshotId);
        impl Drop for Undo<'_> {
            fn drop(&mut self) {
                assert!(self.0.revert(self.1), "the snapshot was taken");
            }
        }
        let _undo = Undo(&self.chain, self.chain.snapshot());
        work()
    }

    /// The operators of an epoch, with their keys.
    pub fn signers<'a>(&'a self, epoch: &'a Epoch) -> impl Iterator<Item = &'a (Address, SecretKey)> {
        let operators = epoch.operators.operators();
        self.keys.iter().filter(|(address, _)| operators.binary_search_by_key(address, |of| of.address).is_ok())
    }

    /// Revokes an epoch.
    pub fn revoke(&self, epoch: EpochId) {
        self.transact(self.owner, self.registry, &OperatorRegistry::revokeEpochsCall { revoked: vec![epoch.into()] });
    }

    /// Before the first epoch they change without notice.
    fn set_delays(&self, plan: &WorldPlan) {
        let grace_period = U48::from(plan.grace_period);
        let set_grace_period = OperatorRegistry::setGracePeriodCall { newGracePeriod: grace_period };
        self.transact(self.owner, self.registry, &set_grace_period);
        let set_lifetime = OperatorRegistry::setEpochLifetimeCall { newEpochLifetime: self.epoch_lifetime };
        self.transact(self.owner, self.registry, &set_lifetime);
    }

    fn set_policies(&self) {
        for Client { vault, policy, .. } in &self.clients {
            let set_policy = IPolicyClient::setAssentPolicyCall { newPolicy: policy.clone().into() };
            self.transact(self.owner, *vault, &set_policy);
        }
    }

    fn raise_floors(&mut self, plan: &WorldPlan) {
        for index in 0..self.clients.len() {
            let Some(before) = plan.policies[index].floor else { continue };
            let floor = U48::from(self.earliest() - u64::from(before));
            let void = IPolicyClient::voidAssentAttestationsCall { newFloor: floor };
            self.transact(self.owner, self.clients[index].vault, &void);
            self.clients[index].issuance_floor = floor;
        }
    }

    fn commit_epochs(&mut self, plan: &WorldPlan) {
        let [first, second, third, fourth] = &plan.epochs;
        self.commit_epoch(OPERATOR_SET, EpochId(1), first);
        self.revoke(EpochId(1));
        self.epochs[0].valid_until = U48::ZERO;

        self.commit_epoch(OPERATOR_SET, EpochId(2), second);
        self.commit_epoch(OPERATOR_SET, EpochId(3), third);
        let end_of_grace = U48::from(self.chain.timestamp() + u64::from(plan.grace_period));
        self.epochs[1].valid_until = end_of_grace.min(self.epoch_end(EpochId(2)));

        self.commit_epoch(OTHER_OPERATOR_SET, EpochId(4), fourth);
    }

    fn commit_epoch(&mut self, operator_set: OperatorSetId, number: EpochId, plan: &EpochPlan) {
        let members = plan.members(self.keys.len());
        let weights = plan.weights.spread(members.len());
        let operators = members.iter().zip(&weights).map(|(&index, &weight)| {
            let (address, key) = &self.keys[index];
            Operator { address: *address, public_key: key.public_key(), weight }
        });
        let operators: Vec<_> = operators.collect();
        let addresses: Vec<_> = operators.iter().map(|operator| operator.address).collect();
        self.transact(
            self.owner,
            self.owner_stake_source,
            &OwnerStakeSource::setWeightsCall {
                operatorSet: operator_set.into(),
                operators: addresses.clone(),
                weights,
            },
        );

        let mut rest = addresses.as_slice();
        let mut weights_read_at = None;
        while rest.len() > TABLE_CAPACITY {
            let (table, after) = rest.split_at(TABLE_CAPACITY);
            let stage =
                OperatorRegistry::stageOperatorsCall { operatorSet: operator_set.into(), operators: table.into() };
            self.transact(self.owner, self.registry, &stage);
            weights_read_at.get_or_insert(self.chain.timestamp());
            rest = after;
        }
        let commit = OperatorRegistry::commitEpochCall { operatorSet: operator_set.into(), operators: rest.into() };
        self.transact(self.owner, self.registry, &commit);

        let operators = OperatorSet::new(operators).expect("the operators are a valid set");
        assert_eq!(operators, self.read_operators(number), "the registry froze other operators than it was given");
        let weights_read_at = weights_read_at.unwrap_or_else(|| self.chain.timestamp());
        let valid_until = U48::from(weights_read_at) + self.epoch_lifetime;
        self.epochs.push(Epoch { number, operator_set, valid_until, operators });
        self.epoch_ends.push(valid_until);
    }

    /// Reads the operator set from contract code.
    fn read_operators(&self, epoch: EpochId) -> OperatorSet {
        let query = OperatorRegistry::epochsCall { epoch: epoch.into() };
        let outcome =
            self.chain.call(Message::new(self.owner, self.registry, query.abi_encode())).expect("a view answers");
        let head = OperatorRegistry::epochsCall::abi_decode_returns(&outcome.output).expect("an epoch").table;
        let head = self.chain.code_at(head);
        let earlier = OperatorSet::earlier_tables(&head).expect("the head of a table");
        let earlier: Vec<_> = earlier.into_iter().map(|table| self.chain.code_at(table)).collect();
        OperatorSet::from_tables(&head, &earlier).expect("valid tables")
    }
}

impl Deref for Deployment {
    type Target = Foundation;

    fn deref(&self) -> &Foundation {
        &self.foundation
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        // Without the snapshot the next world would be another, and its results with it.
        assert!(self.chain.revert(self.before) || std::thread::panicking(), "the snapshot was taken");
    }
}

fn policy(plan: &PolicyPlan) -> Policy {
    Policy {
        policyId: plan.policy_id,
        operatorSet: if plan.trusts_other_set { OTHER_OPERATOR_SET.into() } else { OPERATOR_SET.into() },
        quorum: plan.quorum,
        maxLifetime: U48::from(plan.max_lifetime),
    }
}
