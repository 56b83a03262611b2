//! Deployed contracts with operators and epochs.

use crate::{EpochPlan, PolicyPlan, WorldPlan};
use alloy::{
    primitives::{Address, Bytes, U256, aliases::U48},
    sol_types::SolCall,
};
use assent_chain::{DEVELOPMENT_ACCOUNTS, EmbeddedChain, Message, SnapshotId};
use assent_contracts::{OperatorRegistry, OwnerStakeSource, TaskManager, deployment::MAX_EPOCH_LIFETIME};
use assent_examples::{ExampleToken, TreasuryVault};
use assent_signer::SecretKey;
use assent_verifier::{Epoch, Operator, OperatorSet, Policy};

/// The operator set of epochs 1 to 3.
const OPERATOR_SET: u32 = 7;
/// That of epoch 4.
const OTHER_OPERATOR_SET: u32 = 8;
/// Operators that one table holds.
const TABLE_CAPACITY: usize = 100;

/// Contracts, operators, and two clients with one agent, on a separate chain.
///
/// Epochs: 1 is revoked, 2 superseded and in its grace period, 3 in force, 4 in force for another operator set.
pub struct Deployment {
    /// The chain.
    pub chain: EmbeddedChain,
    /// Owns the contracts and the vaults.
    pub owner: Address,
    /// May spend from the vaults.
    pub agent: Address,
    /// The deployed TaskManager.
    pub task_manager: Address,
    /// The deployed registry.
    pub registry: Address,
    /// The protected contracts.
    pub clients: [Client; 2],
    /// A token of which the vaults have plenty.
    pub token: Address,
    /// Operators' keys, in the order of their addresses.
    pub keys: Vec<(Address, SecretKey)>,
    /// The epochs as the registry must hold them, by number from 1.
    pub epochs: Vec<Epoch>,
    owner_stake_source: Address,
}

/// A protected contract.
pub struct Client {
    /// A `TreasuryVault`.
    pub vault: Address,
    /// What it demands.
    pub policy: Policy,
}

impl Deployment {
    /// Deploys everything.
    pub fn new(plan: &WorldPlan) -> Self {
        let chain = EmbeddedChain::new(plan.chain_id);
        let [owner, agent, ..] = DEVELOPMENT_ACCOUNTS;
        let deploy = |code: &Bytes, arguments: Vec<u8>| {
            chain.deploy(owner, [code.as_ref(), &arguments].concat()).expect("the contract deploys")
        };
        let owner_stake_source =
            deploy(&OwnerStakeSource::BYTECODE, encode(&OwnerStakeSource::constructorCall { owner }));
        let registry = deploy(
            &OperatorRegistry::BYTECODE,
            encode(&OperatorRegistry::constructorCall {
                owner,
                initialStakeSource: owner_stake_source,
                initialEpochLifetime: MAX_EPOCH_LIFETIME,
                initialActivationDelay: U48::ZERO, // Each epoch counts at once.
                initialGracePeriod: U48::from(plan.grace_period),
            }),
        );
        let task_manager =
            deploy(&TaskManager::BYTECODE, encode(&TaskManager::constructorCall { operatorRegistry: registry }));
        let supply = U256::from(u128::MAX);
        let token = deploy(&ExampleToken::BYTECODE, encode(&ExampleToken::constructorCall { supply }));
        let clients = plan.policies.each_ref().map(|plan| {
            let policy = policy(plan);
            let constructor = TreasuryVault::constructorCall {
                owner,
                initialAgent: agent,
                taskManager: task_manager,
                policy: policy.clone().into(),
            };
            let vault = deploy(&TreasuryVault::BYTECODE, encode(&constructor));
            chain.set_balance(vault, U256::from(u64::MAX));
            Client { vault, policy }
        });

        let mut deployment = Self {
            chain,
            owner,
            agent,
            task_manager,
            registry,
            clients,
            token,
            keys: Vec::new(),
            epochs: Vec::new(),
            owner_stake_source,
        };
        deployment.transact(owner, registry, &OperatorRegistry::addValidatorCall { validator: task_manager });
        for client in &deployment.clients {
            let share = supply / U256::from(2);
            deployment.transact(owner, token, &ExampleToken::transferCall { to: client.vault, value: share });
        }
        deployment.register(plan.operators.into());
        deployment.commit_epochs(plan);
        deployment
    }

    /// The earliest time at which an attempt can be made: what prepares one takes a block, and so a second, at a time.
    pub fn earliest(&self) -> u64 {
        self.chain.timestamp() + 8
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
    pub fn revoke(&self, epoch: u32) {
        self.transact(self.owner, self.registry, &OperatorRegistry::revokeEpochsCall { revoked: vec![epoch] });
    }

    /// Makes a call that must succeed.
    pub fn transact(&self, from: Address, to: Address, call: &impl SolCall) {
        let outcome = self.chain.transact(Message::new(from, to, call.abi_encode())).expect("the chain takes the call");
        assert!(outcome.is_success(), "a call that must succeed ended with {:?} {}", outcome.status, outcome.output);
    }

    fn register(&mut self, operators: usize) {
        for index in 0..operators {
            let operator = operator_address(index);
            let key = secret_key(index as u64);
            let proof = key.prove_possession(operator, U256::from(self.chain.chain_id()), self.registry);
            self.transact(
                operator,
                self.registry,
                &OperatorRegistry::registerOperatorCall {
                    publicKey: key.public_key().0.into(),
                    proofOfPossession: proof.0.into(),
                },
            );
            self.keys.push((operator, key));
        }
    }

    fn commit_epochs(&mut self, plan: &WorldPlan) {
        let [first, second, third, fourth] = &plan.epochs;
        self.commit_epoch(OPERATOR_SET, 1, first);
        self.revoke(1);
        self.epochs[0].valid_until = U48::ZERO;

        self.commit_epoch(OPERATOR_SET, 2, second);
        self.commit_epoch(OPERATOR_SET, 3, third);
        self.epochs[1].valid_until = U48::from(self.chain.timestamp() + u64::from(plan.grace_period));

        self.commit_epoch(OTHER_OPERATOR_SET, 4, fourth);
    }

    fn commit_epoch(&mut self, operator_set: u32, number: u32, plan: &EpochPlan) {
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
            &OwnerStakeSource::setWeightsCall { operatorSet: operator_set, operators: addresses.clone(), weights },
        );

        let mut rest = addresses.as_slice();
        let mut weights_read_at = None;
        while rest.len() > TABLE_CAPACITY {
            let (table, after) = rest.split_at(TABLE_CAPACITY);
            let stage = OperatorRegistry::stageOperatorsCall { operatorSet: operator_set, operators: table.into() };
            self.transact(self.owner, self.registry, &stage);
            weights_read_at.get_or_insert(self.chain.timestamp());
            rest = after;
        }
        let commit = OperatorRegistry::commitEpochCall { operatorSet: operator_set, operators: rest.into() };
        self.transact(self.owner, self.registry, &commit);

        let operators = OperatorSet::new(operators).expect("the operators are a valid set");
        assert_eq!(operators, self.read_operators(number), "the registry froze other operators than it was given");
        let weights_read_at = weights_read_at.unwrap_or_else(|| self.chain.timestamp());
        let valid_until = U48::from(weights_read_at) + MAX_EPOCH_LIFETIME;
        self.epochs.push(Epoch { number, operator_set, valid_until, operators });
    }

    /// Reads the operator set from contract code.
    fn read_operators(&self, epoch: u32) -> OperatorSet {
        let query = OperatorRegistry::epochsCall { epoch };
        let outcome =
            self.chain.call(Message::new(self.owner, self.registry, query.abi_encode())).expect("a view answers");
        let head = OperatorRegistry::epochsCall::abi_decode_returns(&outcome.output).expect("an epoch").table;
        let head = self.chain.code_at(head);
        let earlier = OperatorSet::earlier_tables(&head).expect("the head of a table");
        let earlier: Vec<_> = earlier.into_iter().map(|table| self.chain.code_at(table)).collect();
        OperatorSet::from_tables(&head, &earlier).expect("valid tables")
    }
}

fn policy(plan: &PolicyPlan) -> Policy {
    Policy {
        policyId: plan.policy_id,
        operatorSet: if plan.trusts_other_set { OTHER_OPERATOR_SET } else { OPERATOR_SET },
        quorum: plan.quorum,
        maxLifetime: U48::from(plan.max_lifetime),
    }
}

/// Derives a key from a number.
pub(crate) fn secret_key(number: u64) -> SecretKey {
    let material = [number.to_be_bytes(), [0x5a; 8], [0; 8], [0; 8]].concat();
    SecretKey::from_key_material(&material).expect("32 bytes are enough key material")
}

/// Ascending with the index, and not merely by counting.
fn operator_address(index: usize) -> Address {
    let mut bytes = [0x11; 20];
    bytes[2..10].copy_from_slice(&(index as u64 * 7 + 3).to_be_bytes());
    Address::from(bytes)
}

fn encode(constructor: &impl alloy::sol_types::SolConstructor) -> Vec<u8> {
    constructor.abi_encode()
}
