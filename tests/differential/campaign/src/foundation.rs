//! Deployed contracts with registered operators, on which many worlds are built one after the other.

use crate::FoundationPlan;
use alloy::{
    primitives::{Address, B256, Bytes, U256, aliases::U48},
    sol_types::{SolCall, SolConstructor},
};
use assent_chain::{DEVELOPMENT_ACCOUNTS, EmbeddedChain, Message};
use assent_contracts::{OperatorRegistry, OwnerStakeSource, TaskManager};
use assent_examples::{ExampleToken, TreasuryVault};
use assent_signer::SecretKey;
use assent_verifier::{MAX_EPOCH_LIFETIME, Policy};

/// Contracts, operators, and two vaults with one agent, on a separate chain. There is no epoch yet.
///
/// To deploy and to register takes far longer than to commit epochs, so worlds share it: each restores it at its end.
pub struct Foundation {
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
    pub vaults: [Address; 2],
    /// A token of which the vaults have plenty.
    pub token: Address,
    /// Operators' keys, in the order of their addresses.
    pub keys: Vec<(Address, SecretKey)>,
    /// The operators' weights, which the owner sets.
    pub owner_stake_source: Address,
}

impl Foundation {
    /// Deploys the contracts and registers the operators.
    pub fn new(plan: FoundationPlan) -> Self {
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
                initialGracePeriod: U48::ZERO,
            }),
        );
        let task_manager =
            deploy(&TaskManager::BYTECODE, encode(&TaskManager::constructorCall { operatorRegistry: registry }));
        let supply = U256::from(u128::MAX);
        let token = deploy(&ExampleToken::BYTECODE, encode(&ExampleToken::constructorCall { supply }));
        // Each world sets its own policies.
        let policy =
            Policy { policyId: B256::with_last_byte(1), operatorSet: 1, quorum: 10_000, maxLifetime: U48::from(1) };
        let vaults = [(); 2].map(|()| {
            let constructor = TreasuryVault::constructorCall {
                owner,
                initialAgent: agent,
                taskManager: task_manager,
                policy: policy.clone().into(),
            };
            let vault = deploy(&TreasuryVault::BYTECODE, encode(&constructor));
            chain.set_balance(vault, U256::from(u64::MAX));
            vault
        });

        let mut foundation =
            Self { chain, owner, agent, task_manager, registry, vaults, token, keys: Vec::new(), owner_stake_source };
        foundation.transact(owner, registry, &OperatorRegistry::addValidatorCall { validator: task_manager });
        for vault in foundation.vaults {
            let share = supply / U256::from(2);
            foundation.transact(owner, token, &ExampleToken::transferCall { to: vault, value: share });
        }
        foundation.register(plan.operators.into());
        foundation
    }

    /// The earliest time at which an attempt can be made: what prepares one takes a block, and so a second, at a time.
    pub fn earliest(&self) -> u64 {
        self.chain.timestamp() + 10
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

fn encode(constructor: &impl SolConstructor) -> Vec<u8> {
    constructor.abi_encode()
}
