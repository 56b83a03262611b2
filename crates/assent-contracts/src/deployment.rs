//! Where the contracts stand. The address of each follows from its bytecode and constructor arguments alone, so one owner
//! and one grace period give the same addresses on every chain, whoever deploys.
//!
//! `script/Deploy.s.sol` deploys the same bytes to the same addresses.

use crate::{OperatorRegistry, OwnerStakeSource, TaskManager};
use alloy::{
    primitives::{Address, B256, Bytes, address, aliases::U48},
    sol_types::SolConstructor,
};

/// The deterministic deployment proxy, at the same address on every chain that has it: given a salt (32 bytes) and init
/// code as calldata, it deploys with CREATE2 and answers with the new contract's address in 20 bytes.
/// Source: <https://github.com/Arachnid/deterministic-deployment-proxy>.
///
/// ```
/// use alloy::primitives::{address, aliases::U48};
/// use assent_contracts::deployment::{DEPLOYMENT_PROXY, Deployment, DeterministicContract, SALT};
///
/// let owner = address!("0x00000000000000000000000000000000000A55e7");
/// let deployment = Deployment::new(owner, U48::from(86_400))?;
/// for DeterministicContract { name, address, init_code } in deployment.in_order() {
///     println!("{name} will stand at {address}");
///     assert_eq!(*address, DEPLOYMENT_PROXY.create2_from_code(SALT, init_code));
/// }
/// // Another owner has contracts of its own.
/// let other = Deployment::new(DEPLOYMENT_PROXY, U48::from(86_400))?;
/// assert_ne!(other.task_manager.address, deployment.task_manager.address);
/// # Ok::<(), assent_contracts::deployment::InvalidDeployment>(())
/// ```
pub const DEPLOYMENT_PROXY: Address = address!("0x4e59b44847b379578588920cA78FbF26c0B4956C");

/// The salt of every contract. The bytecode and the arguments tell deployments apart already.
///
/// ```
/// use alloy::primitives::{address, aliases::U48};
/// use assent_contracts::deployment::{DEPLOYMENT_PROXY, Deployment, DeterministicContract, SALT};
///
/// let owner = address!("0x00000000000000000000000000000000000A55e7");
/// let deployment = Deployment::new(owner, U48::from(86_400))?;
/// for DeterministicContract { name, address, init_code } in deployment.in_order() {
///     println!("{name} will stand at {address}");
///     assert_eq!(*address, DEPLOYMENT_PROXY.create2_from_code(SALT, init_code));
/// }
/// // Another owner has contracts of its own.
/// let other = Deployment::new(DEPLOYMENT_PROXY, U48::from(86_400))?;
/// assert_ne!(other.task_manager.address, deployment.task_manager.address);
/// # Ok::<(), assent_contracts::deployment::InvalidDeployment>(())
/// ```
pub const SALT: B256 = B256::ZERO;

/// The longest grace period that the OperatorRegistry takes, in seconds: 30 days.
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
pub const MAX_GRACE_PERIOD: U48 = U48::from_limbs([30 * 24 * 60 * 60]);

/// Assent's contracts as one owner deploys them, in the order in which they must be.
///
/// ```
/// use alloy::primitives::{address, aliases::U48};
/// use assent_contracts::deployment::{DEPLOYMENT_PROXY, Deployment, DeterministicContract, SALT};
///
/// let owner = address!("0x00000000000000000000000000000000000A55e7");
/// let deployment = Deployment::new(owner, U48::from(86_400))?;
/// for DeterministicContract { name, address, init_code } in deployment.in_order() {
///     println!("{name} will stand at {address}");
///     assert_eq!(*address, DEPLOYMENT_PROXY.create2_from_code(SALT, init_code));
/// }
/// // Another owner has contracts of its own.
/// let other = Deployment::new(DEPLOYMENT_PROXY, U48::from(86_400))?;
/// assert_ne!(other.task_manager.address, deployment.task_manager.address);
/// # Ok::<(), assent_contracts::deployment::InvalidDeployment>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// Who sets weights and commits and revokes epochs.
    pub owner: Address,
    /// For how long a superseded epoch stays good, in seconds.
    pub grace_period: U48,
    /// The operators' weights, set by the owner.
    pub owner_stake_source: DeterministicContract,
    /// Operators, keys and epochs.
    pub operator_registry: DeterministicContract,
    /// What clients ask.
    pub task_manager: DeterministicContract,
}

/// A contract whose address is known before it is deployed.
///
/// ```
/// use alloy::primitives::U256;
/// use assent_contracts::{ExampleToken, deployment::{DeterministicContract, SALT}};
///
/// let constructor = ExampleToken::constructorCall { supply: U256::from(1_000_000) };
/// let token = DeterministicContract::new("ExampleToken", &ExampleToken::BYTECODE, &constructor);
/// println!("send {} bytes to the proxy, and the token stands at {}", token.proxy_calldata().len(), token.address);
/// assert!(token.proxy_calldata().starts_with(SALT.as_slice()));
/// assert!(token.init_code.starts_with(&ExampleToken::BYTECODE));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeterministicContract {
    /// Its name in Solidity.
    pub name: &'static str,
    /// Where it stands once it is deployed.
    pub address: Address,
    /// Creation bytecode followed by the ABI-encoded constructor arguments.
    pub init_code: Bytes,
}

/// Why contracts with these arguments could not be deployed.
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
pub enum InvalidDeployment {
    /// Nobody could commit an epoch.
    #[error("the owner is the zero address: nobody could set weights or commit epochs")]
    ZeroOwner,
    /// The OperatorRegistry's constructor would revert.
    #[error("a grace period of {grace_period} seconds is longer than the longest, {longest} seconds")]
    GracePeriodTooLong {
        /// What was asked for, in seconds.
        grace_period: U48,
        /// [`MAX_GRACE_PERIOD`].
        longest: U48,
    },
}

impl Deployment {
    /// Plans the contracts of `owner`, where a superseded epoch stays good for `grace_period` seconds.
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

    /// The contracts, each after those that its constructor needs.
    pub fn in_order(&self) -> [&DeterministicContract; 3] {
        [&self.owner_stake_source, &self.operator_registry, &self.task_manager]
    }
}

impl DeterministicContract {
    /// Plans the contract with this creation bytecode and constructor.
    pub fn new(name: &'static str, bytecode: &Bytes, constructor: &impl SolConstructor) -> Self {
        let init_code = Bytes::from([bytecode.as_ref(), &constructor.abi_encode()].concat());
        Self { name, address: DEPLOYMENT_PROXY.create2_from_code(SALT, &init_code), init_code }
    }

    /// The calldata with which [`DEPLOYMENT_PROXY`] deploys the contract.
    pub fn proxy_calldata(&self) -> Bytes {
        Bytes::from([SALT.as_slice(), &self.init_code].concat())
    }
}
