//! The contracts' addresses. They depend only on bytecode and constructor arguments: one owner and one grace period
//! give the same addresses on every chain, from every deployer.
//!
//! `script/Deploy.s.sol` deploys the same bytes to the same addresses.

use crate::{OperatorRegistry, OwnerStakeSource, TaskManager};
use alloy::{
    primitives::{Address, B256, Bytes, address, aliases::U48},
    sol_types::SolConstructor,
};

/// The deterministic deployment proxy, which is at the same address on every chain that has it.
///
/// Given a salt (32 bytes) and init code as calldata, it deploys with CREATE2 and returns the contract's address in 20
/// bytes. Source: <https://github.com/Arachnid/deterministic-deployment-proxy>.
pub const DEPLOYMENT_PROXY: Address = address!("0x4e59b44847b379578588920cA78FbF26c0B4956C");

/// The salt of every contract. Bytecode and arguments already distinguish deployments.
pub const SALT: B256 = B256::ZERO;

/// The longest grace period that the OperatorRegistry accepts, in seconds: 30 days.
pub const MAX_GRACE_PERIOD: U48 = U48::from_limbs([30 * 24 * 60 * 60]);

/// One owner's contracts, with their addresses.
///
/// ```
/// use alloy::primitives::{address, aliases::U48};
/// use assent_contracts::deployment::{DEPLOYMENT_PROXY, Deployment, DeterministicContract, SALT};
///
/// let owner = address!("0x00000000000000000000000000000000000A55e7");
/// let deployment = Deployment::new(owner, U48::from(86_400))?;
/// for DeterministicContract { name, address, init_code } in deployment.in_order() {
///     println!("{name} will be at {address}");
///     assert_eq!(*address, DEPLOYMENT_PROXY.create2_from_code(SALT, init_code));
/// }
/// // Another owner has other contracts.
/// let other = Deployment::new(DEPLOYMENT_PROXY, U48::from(86_400))?;
/// assert_ne!(other.task_manager.address, deployment.task_manager.address);
/// # Ok::<(), assent_contracts::deployment::InvalidDeployment>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deployment {
    /// The account that sets weights, and commits and revokes epochs.
    pub owner: Address,
    /// How long a superseded epoch stays valid, in seconds.
    pub grace_period: U48,
    /// The operators' weights, set by the owner.
    pub owner_stake_source: DeterministicContract,
    /// Operators, keys and epochs.
    pub operator_registry: DeterministicContract,
    /// The contract that clients call.
    pub task_manager: DeterministicContract,
}

/// A contract whose address is known before it is deployed. Complete: it is all that a deployment needs.
///
/// ```
/// use alloy::primitives::Address;
/// use assent_contracts::{OwnerStakeSource, deployment::{DeterministicContract, SALT}};
///
/// let constructor = OwnerStakeSource::constructorCall { owner: Address::repeat_byte(1) };
/// let contract = DeterministicContract::new("OwnerStakeSource", &OwnerStakeSource::BYTECODE, &constructor);
/// println!("send {} bytes to the proxy; the address is {}", contract.proxy_calldata().len(), contract.address);
/// assert!(contract.proxy_calldata().starts_with(SALT.as_slice()));
/// assert!(contract.init_code.starts_with(&OwnerStakeSource::BYTECODE));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeterministicContract {
    /// Its name in Solidity.
    pub name: &'static str,
    /// Its address.
    pub address: Address,
    /// The creation bytecode followed by the ABI-encoded constructor arguments.
    pub init_code: Bytes,
}

/// The reason why contracts with these arguments cannot be deployed.
///
/// ```
/// use alloy::primitives::{Address, aliases::U48};
/// use assent_contracts::deployment::{Deployment, InvalidDeployment, MAX_GRACE_PERIOD};
///
/// assert_eq!(Deployment::new(Address::ZERO, U48::from(1)), Err(InvalidDeployment::ZeroOwner));
///
/// let owner = Address::repeat_byte(1);
/// assert!(Deployment::new(owner, MAX_GRACE_PERIOD).is_ok());
/// let error = Deployment::new(owner, MAX_GRACE_PERIOD + U48::from(1)).unwrap_err();
/// assert!(matches!(error, InvalidDeployment::GracePeriodTooLong { .. }));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidDeployment {
    /// No account could commit an epoch.
    #[error("the owner is the zero address: no account could set weights or commit epochs")]
    ZeroOwner,
    /// The OperatorRegistry's constructor would revert.
    #[error("a grace period of {grace_period} seconds is longer than the maximum of {longest} seconds")]
    GracePeriodTooLong {
        /// The requested grace period, in seconds.
        grace_period: U48,
        /// [`MAX_GRACE_PERIOD`].
        longest: U48,
    },
}

impl Deployment {
    /// Returns the contracts of `owner`, where a superseded epoch stays valid for `grace_period` seconds.
    ///
    /// # Errors
    ///
    /// [`InvalidDeployment`] when a constructor would revert.
    pub fn new(owner: Address, grace_period: U48) -> Result<Self, InvalidDeployment> {
        if owner.is_zero() {
            return Err(InvalidDeployment::ZeroOwner);
        }
        if grace_period > MAX_GRACE_PERIOD {
            return Err(InvalidDeployment::GracePeriodTooLong { grace_period, longest: MAX_GRACE_PERIOD });
        }
        let owner_stake_source = DeterministicContract::new(
            "OwnerStakeSource",
            &OwnerStakeSource::BYTECODE,
            &OwnerStakeSource::constructorCall { owner },
        );
        let operator_registry = DeterministicContract::new(
            "OperatorRegistry",
            &OperatorRegistry::BYTECODE,
            &OperatorRegistry::constructorCall {
                owner,
                initialStakeSource: owner_stake_source.address,
                initialGracePeriod: grace_period,
            },
        );
        let task_manager = DeterministicContract::new(
            "TaskManager",
            &TaskManager::BYTECODE,
            &TaskManager::constructorCall { operatorRegistry: operator_registry.address },
        );
        Ok(Self { owner, grace_period, owner_stake_source, operator_registry, task_manager })
    }

    /// Returns the contracts, each after those that its constructor needs.
    pub fn in_order(&self) -> [&DeterministicContract; 3] {
        [&self.owner_stake_source, &self.operator_registry, &self.task_manager]
    }
}

impl DeterministicContract {
    /// Returns the contract with this creation bytecode and constructor.
    pub fn new(name: &'static str, bytecode: &Bytes, constructor: &impl SolConstructor) -> Self {
        let init_code = Bytes::from([bytecode.as_ref(), &constructor.abi_encode()].concat());
        Self { name, address: DEPLOYMENT_PROXY.create2_from_code(SALT, &init_code), init_code }
    }

    /// Returns the calldata with which [`DEPLOYMENT_PROXY`] deploys the contract.
    pub fn proxy_calldata(&self) -> Bytes {
        Bytes::from([SALT.as_slice(), &self.init_code].concat())
    }
}
