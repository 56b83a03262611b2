//! The contracts' addresses. They depend only on bytecode and constructor arguments: one owner and the same delays
//! give the same addresses on every chain, from every deployer.
//!
//! `script/Deploy.s.sol` deploys the same bytes to the same addresses.

use crate::{OperatorRegistry, OwnerStakeSource, PolicyRegistry, TaskManager};
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

pub use assent_verifier::MAX_EPOCH_LIFETIME;

const DAY: u64 = 24 * 60 * 60;

/// The delays of an OperatorRegistry, in seconds. Complete: its constructor takes them.
///
/// ```
/// use alloy::primitives::aliases::U48;
/// use assent_contracts::deployment::Delays;
///
/// // A registry whose epochs count at once, as a local network has it.
/// let local = Delays { activation_delay: U48::ZERO, ..Delays::default() };
/// assert_eq!(local.grace_period, U48::from(86_400));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Delays {
    /// How long an epoch is valid at most, from the time at which its weights are read. Seven days by default.
    pub epoch_lifetime: U48,
    /// How long an epoch is pending, and how long before a change it must be proposed. One day by default.
    pub activation_delay: U48,
    /// How long a superseded epoch stays valid. One day by default.
    pub grace_period: U48,
}

impl Default for Delays {
    fn default() -> Self {
        Self { epoch_lifetime: seconds(7 * DAY), activation_delay: seconds(DAY), grace_period: seconds(DAY) }
    }
}

const fn seconds(seconds: u64) -> U48 {
    U48::from_limbs([seconds])
}

/// One owner's contracts, with their addresses.
///
/// ```
/// use alloy::primitives::address;
/// use assent_contracts::deployment::{DEPLOYMENT_PROXY, Delays, Deployment, DeterministicContract, SALT};
///
/// let owner = address!("0x00000000000000000000000000000000000A55e7");
/// let deployment = Deployment::new(owner, Delays::default())?;
/// for DeterministicContract { name, address, init_code } in deployment.in_order() {
///     println!("{name} will be at {address}");
///     assert_eq!(*address, DEPLOYMENT_PROXY.create2_from_code(SALT, init_code));
/// }
/// // Another owner has other contracts.
/// let other = Deployment::new(DEPLOYMENT_PROXY, Delays::default())?;
/// assert_ne!(other.task_manager.address, deployment.task_manager.address);
/// # Ok::<(), assent_contracts::deployment::InvalidDeployment>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deployment {
    /// The account that sets weights, and commits and revokes epochs.
    pub owner: Address,
    /// The delays of the OperatorRegistry.
    pub delays: Delays,
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
/// use assent_contracts::deployment::{Delays, Deployment, InvalidDeployment, MAX_EPOCH_LIFETIME};
///
/// let delays = Delays::default();
/// assert_eq!(Deployment::new(Address::ZERO, delays), Err(InvalidDeployment::ZeroOwner));
///
/// let owner = Address::repeat_byte(1);
/// let longest = Delays { epoch_lifetime: MAX_EPOCH_LIFETIME, ..delays };
/// assert!(Deployment::new(owner, longest).is_ok());
/// let no_end = Delays { grace_period: MAX_EPOCH_LIFETIME, ..longest };
/// assert_eq!(Deployment::new(owner, no_end), Err(InvalidDeployment::DelaysTooLong(no_end)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidDeployment {
    /// No account could commit an epoch.
    #[error("the owner is the zero address: no account could set weights or commit epochs")]
    ZeroOwner,
    /// The OperatorRegistry's constructor would revert: no epoch may live that long.
    #[error("an epoch lifetime of {epoch_lifetime} seconds is longer than the maximum of {longest} seconds")]
    EpochLifetimeTooLong {
        /// The requested lifetime, in seconds.
        epoch_lifetime: U48,
        /// [`MAX_EPOCH_LIFETIME`].
        longest: U48,
    },
    /// The OperatorRegistry's constructor would revert: a set could stay without an epoch in force.
    #[error(
        "an activation delay of {} seconds and a grace period of {} seconds do not end before an epoch of {} does",
        .0.activation_delay, .0.grace_period, .0.epoch_lifetime
    )]
    DelaysTooLong(Delays),
}

impl Deployment {
    /// Returns the contracts of `owner` with these delays.
    ///
    /// # Errors
    ///
    /// [`InvalidDeployment`] when a constructor would revert.
    pub fn new(owner: Address, delays: Delays) -> Result<Self, InvalidDeployment> {
        Self::with_addresses(owner, delays, |_| None)
    }

    /// Returns the contracts of `owner` that `deployer` creates itself in its transactions from `nonce` on, for a chain
    /// without [`DEPLOYMENT_PROXY`].
    ///
    /// ```
    /// use alloy::primitives::Address;
    /// use assent_contracts::deployment::{Delays, Deployment};
    ///
    /// let (owner, deployer) = (Address::repeat_byte(1), Address::repeat_byte(2));
    /// let deployment = Deployment::created_by(owner, Delays::default(), deployer, 5)?;
    /// assert_eq!(deployment.task_manager.address, deployer.create(7));
    /// # Ok::<(), assent_contracts::deployment::InvalidDeployment>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn created_by(
        owner: Address,
        delays: Delays,
        deployer: Address,
        nonce: u64,
    ) -> Result<Self, InvalidDeployment> {
        Self::with_addresses(owner, delays, |index| Some(deployer.create(nonce.saturating_add(index))))
    }

    /// Returns the contracts at these addresses, by their index in order, or at those that the proxy gives them.
    fn with_addresses(
        owner: Address,
        delays: Delays,
        addresses: impl Fn(u64) -> Option<Address>,
    ) -> Result<Self, InvalidDeployment> {
        if owner.is_zero() {
            return Err(InvalidDeployment::ZeroOwner);
        }
        let Delays { epoch_lifetime, activation_delay, grace_period } = delays;
        if epoch_lifetime > MAX_EPOCH_LIFETIME {
            return Err(InvalidDeployment::EpochLifetimeTooLong { epoch_lifetime, longest: MAX_EPOCH_LIFETIME });
        }
        let total = activation_delay.checked_add(grace_period);
        if total.is_none_or(|total| total >= epoch_lifetime) {
            return Err(InvalidDeployment::DelaysTooLong(delays));
        }
        let owner_stake_source = DeterministicContract::at(
            addresses(0),
            "OwnerStakeSource",
            &OwnerStakeSource::BYTECODE,
            &OwnerStakeSource::constructorCall { owner },
        );
        let operator_registry = DeterministicContract::at(
            addresses(1),
            "OperatorRegistry",
            &OperatorRegistry::BYTECODE,
            &OperatorRegistry::constructorCall {
                owner,
                initialStakeSource: owner_stake_source.address,
                initialEpochLifetime: epoch_lifetime,
                initialActivationDelay: activation_delay,
                initialGracePeriod: grace_period,
            },
        );
        let task_manager = DeterministicContract::at(
            addresses(2),
            "TaskManager",
            &TaskManager::BYTECODE,
            &TaskManager::constructorCall { operatorRegistry: operator_registry.address },
        );
        Ok(Self { owner, delays, owner_stake_source, operator_registry, task_manager })
    }

    /// Returns the contracts, each after those that its constructor needs.
    pub fn in_order(&self) -> [&DeterministicContract; 3] {
        [&self.owner_stake_source, &self.operator_registry, &self.task_manager]
    }
}

/// Returns the PolicyRegistry. It has no owner and no arguments, and so one address on every chain.
///
/// ```
/// use assent_contracts::{PolicyRegistry, deployment};
///
/// assert_eq!(deployment::policy_registry().init_code, PolicyRegistry::BYTECODE);
/// ```
pub fn policy_registry() -> DeterministicContract {
    let init_code = PolicyRegistry::BYTECODE.clone();
    let address = DEPLOYMENT_PROXY.create2_from_code(SALT, &init_code);
    DeterministicContract { name: "PolicyRegistry", address, init_code }
}

impl DeterministicContract {
    /// Returns the contract with this creation bytecode and constructor.
    pub fn new(name: &'static str, bytecode: &Bytes, constructor: &impl SolConstructor) -> Self {
        let init_code = Bytes::from([bytecode.as_ref(), &constructor.abi_encode()].concat());
        Self { name, address: DEPLOYMENT_PROXY.create2_from_code(SALT, &init_code), init_code }
    }

    fn at(address: Option<Address>, name: &'static str, bytecode: &Bytes, constructor: &impl SolConstructor) -> Self {
        let by_proxy = Self::new(name, bytecode, constructor);
        Self { address: address.unwrap_or(by_proxy.address), ..by_proxy }
    }

    /// Returns the calldata with which [`DEPLOYMENT_PROXY`] deploys the contract.
    pub fn proxy_calldata(&self) -> Bytes {
        Bytes::from([SALT.as_slice(), &self.init_code].concat())
    }
}
