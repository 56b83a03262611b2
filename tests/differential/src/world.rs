//! A deployed Assent with operators and epochs.

use alloy::{
    primitives::{Address, Bytes, U256, aliases::U48, aliases::U96},
    sol_types::SolCall,
};
use assent_chain::{Call, DEVELOPMENT_ACCOUNTS, EmbeddedChain};
use assent_contracts::{ExampleToken, OperatorRegistry, StakeTable, TaskManager, TreasuryVault};
use assent_signer::SecretKey;
use assent_verifier::{Epoch, Operator, OperatorSet, Policy};

/// The operator set whose epochs the vault trusts.
pub const OPERATOR_SET: u32 = 7;
const OTHER_OPERATOR_SET: u32 = 8;
/// Operators that one table holds.
const TABLE_CAPACITY: usize = 100;
const GRACE_PERIOD: u64 = 3_600;

/// Contracts, operators, and a vault with an agent, on a chain of their own.
///
/// Epochs: 1 is retired, 2 superseded and in its grace period, 3 in force, 4 in force for another operator set. Weights
/// differ between operators and between epochs.
pub struct World {
    /// The chain.
    pub chain: EmbeddedChain,
    /// Owns the contracts and the vault.
    pub owner: Address,
    /// May spend from the vault.
    pub agent: Address,
    /// The deployed TaskManager.
    pub task_manager: Address,
    /// The protected contract.
    pub vault: Address,
    /// A token of which the vault has plenty.
    pub token: Address,
    /// What the vault demands.
    pub policy: Policy,
    /// Operators' keys, in the order of their addresses.
    pub keys: Vec<(Address, SecretKey)>,
    /// The epochs as the registry must hold them, by number from 1.
    pub epochs: Vec<Epoch>,
    registry: Address,
    stake_table: Address,
}

impl World {
    /// Deploys everything with this many operators.
    pub fn new(operators: usize) -> Self {
        let chain = EmbeddedChain::new(31_337);
        let [owner, agent, ..] = DEVELOPMENT_ACCOUNTS;
        let deploy = |code: &Bytes, arguments: Vec<u8>| {
            chain.deploy(owner, [code.as_ref(), &arguments].concat()).expect("the contract deploys")
        };
        let stake_table = deploy(&StakeTable::BYTECODE, encode(&StakeTable::constructorCall { owner }));
        let registry = deploy(
            &OperatorRegistry::BYTECODE,
            encode(&OperatorRegistry::constructorCall {
                owner,
                initialStakeSource: stake_table,
                initialGracePeriod: U48::from(GRACE_PERIOD),
            }),
        );
        let task_manager =
            deploy(&TaskManager::BYTECODE, encode(&TaskManager::constructorCall { operatorRegistry: registry }));
        let policy = Policy {
            policyId: [9; 32].into(),
            operatorSet: OPERATOR_SET,
            quorum: 6_700,
            maxLifetime: U48::from(1_800),
        };
        let vault = deploy(
            &TreasuryVault::BYTECODE,
            encode(&TreasuryVault::constructorCall {
                owner,
                initialAgent: agent,
                taskManager: task_manager,
                policy: policy.clone().into(),
            }),
        );
        let supply = U256::from(u128::MAX);
        let token = deploy(&ExampleToken::BYTECODE, encode(&ExampleToken::constructorCall { supply }));
        chain.set_balance(vault, U256::from(u64::MAX));

        let mut world = Self {
            chain,
            owner,
            agent,
            task_manager,
            vault,
            token,
            policy,
            keys: Vec::new(),
            epochs: Vec::new(),
            registry,
            stake_table,
        };
        world.transact(owner, registry, &OperatorRegistry::addValidatorCall { validator: task_manager });
        world.transact(owner, token, &ExampleToken::transferCall { to: vault, value: supply });
        world.register(operators);
        world.commit_epochs();
        world
    }

    /// The earliest time at which an attempt can be made: what prepares one takes a block, and so a second, at a time.
    pub fn earliest(&self) -> u64 {
        self.chain.timestamp() + 8
    }

    /// Retires an epoch for cause.
    pub fn retire(&self, epoch: u32) {
        self.transact(self.owner, self.registry, &OperatorRegistry::retireEpochCall { epoch });
    }

    /// Makes a call that must succeed.
    pub fn transact(&self, from: Address, to: Address, call: &impl SolCall) {
        let outcome = self.chain.transact(Call::new(from, to, call.abi_encode())).expect("the chain takes the call");
        assert!(outcome.is_success(), "a call that must succeed ended with {:?} {}", outcome.ending, outcome.output);
    }

    fn register(&mut self, operators: usize) {
        for index in 0..operators {
            let operator = operator_address(index);
            let key = SecretKey::from_key_material(&[index.to_be_bytes(), [0x5a; 8], [0; 8], [0; 8]].concat())
                .expect("32 bytes are enough key material");
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

    fn commit_epochs(&mut self) {
        self.commit_epoch(OPERATOR_SET, 1);
        self.retire(1);
        self.epochs[0].valid_until = U48::ZERO;

        self.commit_epoch(OPERATOR_SET, 2);
        self.commit_epoch(OPERATOR_SET, 3);
        self.epochs[1].valid_until = U48::from(self.chain.timestamp() + GRACE_PERIOD);

        self.commit_epoch(OTHER_OPERATOR_SET, 4);
    }

    fn commit_epoch(&mut self, operator_set: u32, number: u32) {
        let operators = self.keys.iter().enumerate().map(|(index, (address, key))| Operator {
            address: *address,
            public_key: key.public_key(),
            weight: U96::from(1 + (index as u64 * 37 + u64::from(number) * 11) % 101),
        });
        let operators: Vec<_> = operators.collect();
        let addresses: Vec<_> = operators.iter().map(|operator| operator.address).collect();
        let weights = operators.iter().map(|operator| operator.weight).collect();
        self.transact(
            self.owner,
            self.stake_table,
            &StakeTable::setWeightsCall { operatorSet: operator_set, operators: addresses.clone(), weights },
        );

        let mut rest = addresses.as_slice();
        while rest.len() > TABLE_CAPACITY {
            let (table, after) = rest.split_at(TABLE_CAPACITY);
            let stage = OperatorRegistry::stageOperatorsCall { operatorSet: operator_set, operators: table.into() };
            self.transact(self.owner, self.registry, &stage);
            rest = after;
        }
        let commit = OperatorRegistry::commitEpochCall { operatorSet: operator_set, operators: rest.into() };
        self.transact(self.owner, self.registry, &commit);

        let operators = OperatorSet::new(operators).expect("the operators are a valid set");
        assert_eq!(operators, self.read_operators(number), "the registry froze other operators than it was given");
        self.epochs.push(Epoch { number, operator_set, valid_until: U48::MAX, operators });
    }

    /// The operator set as it stands in contract code.
    fn read_operators(&self, epoch: u32) -> OperatorSet {
        let query = OperatorRegistry::epochsCall { epoch };
        let outcome =
            self.chain.call(Call::new(self.owner, self.registry, query.abi_encode())).expect("a view answers");
        let head = OperatorRegistry::epochsCall::abi_decode_returns(&outcome.output).expect("an epoch").table;
        let head = self.chain.code_at(head);
        let earlier = OperatorSet::earlier_tables(&head).expect("the head of a table");
        let earlier: Vec<_> = earlier.into_iter().map(|table| self.chain.code_at(table)).collect();
        OperatorSet::from_tables(&head, &earlier).expect("valid tables")
    }
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
