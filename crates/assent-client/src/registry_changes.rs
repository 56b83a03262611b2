//! Changes of a registry's settings and validators, which need notice.

use crate::{AssentClient, ClientError, operators::event};
use alloy::{
    primitives::{Address, Bytes, aliases::U48, keccak256},
    providers::Provider,
    rpc::types::TransactionReceipt,
    sol_types::SolCall,
};
use assent_contracts::{OperatorRegistry, deployment::Delays};

/// A change that a registry's owner proposes, and applies after the activation delay.
///
/// ```
/// # mod fixture { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/fixture.rs")); }
/// # use fixture::{OWNER, Fixture};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), fixture::Failure> {
/// # let fixture = Fixture::new().await?;
/// # let client = &fixture.client;
/// use alloy::primitives::aliases::U48;
/// use assent_client::{RegistryChange, RegistryChangeStatus};
///
/// let registry = fixture.deployment.operator_registry.address;
/// let change = RegistryChange::GracePeriod(U48::from(3600));
/// assert_eq!(client.read_change(registry, &change).await?, RegistryChangeStatus::NotProposed);
/// client.propose_change(registry, OWNER, &change).await?;
/// let status = client.read_change(registry, &change).await?;
/// assert!(matches!(status, RegistryChangeStatus::Proposed { .. }));
/// assert!(client.apply_change(registry, OWNER, &change).await.is_err()); // Its delay is not over.
///
/// client.cancel_change(registry, OWNER, &change).await?;
/// assert_eq!(client.read_change(registry, &change).await?, RegistryChangeStatus::NotProposed);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistryChange {
    /// Read operators' weights from another stake source.
    StakeSource(Address),
    /// Publish epochs to a TaskManager.
    AddValidator(Address),
    /// Publish no more epochs to a TaskManager.
    RemoveValidator(Address),
    /// How long an epoch is valid at most, in seconds. A shorter lifetime needs no notice.
    EpochLifetime(U48),
    /// How long an epoch or a change is pending, in seconds.
    ActivationDelay(U48),
    /// How long a superseded epoch stays valid, in seconds.
    GracePeriod(U48),
}

/// The status of a [`RegistryChange`]. Complete: these are the cases of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistryChangeStatus {
    /// It needs no notice: no epoch was committed, there is no activation delay, or it only shortens the lifetime.
    NeedsNoNotice,
    /// It is not proposed, or was not applied in time.
    NotProposed,
    /// It can be applied later.
    Proposed {
        /// When it can be applied (Unix time).
        applies_from: u64,
        /// When it can no longer be applied (Unix time).
        lapses_at: u64,
    },
    /// It can be applied now.
    Applicable {
        /// When it can no longer be applied (Unix time).
        lapses_at: u64,
    },
}

/// The settings of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistrySettings {
    /// The account that commits and revokes epochs and proposes changes.
    pub owner: Address,
    /// The account that can accept the ownership; zero without one.
    pub pending_owner: Address,
    /// The contract from which operators' weights are read.
    pub stake_source: Address,
    /// The delays.
    pub delays: Delays,
    /// The TaskManagers to which epochs are published.
    pub validators: Vec<Address>,
    /// The number of committed epochs, of all operator sets.
    pub epoch_count: u32,
}

impl RegistryChange {
    /// Returns the calldata that applies the change, which is also what is proposed.
    pub fn calldata(&self) -> Bytes {
        let calldata = match *self {
            Self::StakeSource(source) => OperatorRegistry::setStakeSourceCall { newStakeSource: source }.abi_encode(),
            Self::AddValidator(validator) => OperatorRegistry::addValidatorCall { validator }.abi_encode(),
            Self::RemoveValidator(validator) => OperatorRegistry::removeValidatorCall { validator }.abi_encode(),
            Self::EpochLifetime(lifetime) => {
                OperatorRegistry::setEpochLifetimeCall { newEpochLifetime: lifetime }.abi_encode()
            }
            Self::ActivationDelay(delay) => {
                OperatorRegistry::setActivationDelayCall { newActivationDelay: delay }.abi_encode()
            }
            Self::GracePeriod(period) => OperatorRegistry::setGracePeriodCall { newGracePeriod: period }.abi_encode(),
        };
        calldata.into()
    }

    /// Returns the calldata that proposes the change, for an owner that is a contract.
    pub fn proposal(&self) -> Bytes {
        OperatorRegistry::proposeChangeCall { change: self.calldata() }.abi_encode().into()
    }
}

impl<P: Provider> AssentClient<P> {
    /// Reads a registry's settings.
    ///
    /// ```
    /// # mod fixture { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/fixture.rs")); }
    /// # use fixture::{OWNER, Fixture};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), fixture::Failure> {
    /// # let fixture = Fixture::new().await?;
    /// # let client = &fixture.client;
    /// let settings = client.read_settings(fixture.deployment.operator_registry.address).await?;
    /// assert_eq!(settings.owner, OWNER);
    /// assert_eq!(settings.validators, [fixture.deployment.task_manager.address]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ClientError::UnexpectedAnswer`] when `registry` is not an OperatorRegistry; [`ClientError::Transport`].
    pub async fn read_settings(&self, registry: Address) -> Result<RegistrySettings, ClientError> {
        let unexpected = |error| ClientError::from_contract(registry, "OperatorRegistry", error);
        let contract = OperatorRegistry::new(registry, &self.provider);
        Ok(RegistrySettings {
            owner: contract.owner().call().await.map_err(unexpected)?,
            pending_owner: contract.pendingOwner().call().await.map_err(unexpected)?,
            stake_source: contract.stakeSource().call().await.map_err(unexpected)?,
            delays: self.read_delays(registry).await?,
            validators: contract.validators().call().await.map_err(unexpected)?,
            epoch_count: contract.epochCount().call().await.map_err(unexpected)?,
        })
    }

    /// Reads whether a change is proposed, and when it can be applied.
    ///
    /// # Errors
    ///
    /// As [`read_settings`](Self::read_settings).
    pub async fn read_change(
        &self,
        registry: Address,
        change: &RegistryChange,
    ) -> Result<RegistryChangeStatus, ClientError> {
        let unexpected = |error| ClientError::from_contract(registry, "OperatorRegistry", error);
        let contract = OperatorRegistry::new(registry, &self.provider);
        let header = self.latest_header().await?;
        let settings = self.read_settings(registry).await?;
        let Delays { epoch_lifetime, activation_delay, .. } = settings.delays;
        let is_shorter = matches!(change, RegistryChange::EpochLifetime(lifetime) if *lifetime <= epoch_lifetime);
        if settings.epoch_count == 0 || activation_delay.is_zero() || is_shorter {
            return Ok(RegistryChangeStatus::NeedsNoNotice);
        }
        let window = contract.CHANGE_WINDOW().call().await.map_err(unexpected)?.to::<u64>();
        let hash = keccak256(change.calldata());
        let applies_from = contract.proposedChanges(hash).call().await.map_err(unexpected)?.to::<u64>();
        let lapses_at = applies_from.saturating_add(window);
        Ok(if applies_from == 0 || header.timestamp >= lapses_at {
            RegistryChangeStatus::NotProposed
        } else if header.timestamp < applies_from {
            RegistryChangeStatus::Proposed { applies_from, lapses_at }
        } else {
            RegistryChangeStatus::Applicable { lapses_at }
        })
    }

    /// Proposes a change, which can be applied after the registry's activation delay. `owner` owns the registry.
    ///
    /// Returns when it can be applied (Unix time).
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn propose_change(
        &self,
        registry: Address,
        owner: Address,
        change: &RegistryChange,
    ) -> Result<(u64, TransactionReceipt), ClientError> {
        let propose = OperatorRegistry::proposeChangeCall { change: change.calldata() };
        let receipt = self.send_call(owner, registry, &propose).await?;
        let proposed: OperatorRegistry::ChangeProposed = event(registry, &receipt, "the event ChangeProposed")?;
        Ok((proposed.appliesFrom.to(), receipt))
    }

    /// Applies a proposed change. `owner` owns the registry.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send): [`ClientError::Reverted`] when the change was not proposed, or its delay is not over.
    pub async fn apply_change(
        &self,
        registry: Address,
        owner: Address,
        change: &RegistryChange,
    ) -> Result<TransactionReceipt, ClientError> {
        self.send_calldata(owner, registry, change.calldata()).await
    }

    /// Cancels a proposed change. `owner` owns the registry.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send): [`ClientError::Reverted`] when the change was not proposed.
    pub async fn cancel_change(
        &self,
        registry: Address,
        owner: Address,
        change: &RegistryChange,
    ) -> Result<TransactionReceipt, ClientError> {
        let cancel = OperatorRegistry::cancelChangeCall { change: change.calldata() };
        self.send_call(owner, registry, &cancel).await
    }
}
