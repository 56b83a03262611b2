//! Reading epochs and their operator tables.

use crate::{AssentClient, ClientError};
use alloy::{
    eips::BlockId,
    primitives::{Address, aliases::U48},
    providers::Provider,
};
use assent_contracts::deployment::MAX_EPOCH_LIFETIME;
use assent_contracts::{OperatorRegistry, TaskManager};
use assent_verifier::{Epoch, EpochId, OperatorSet, OperatorSetId};

/// An epoch as its registry has it, at one block. Complete: these are the registry's facts about an epoch.
///
/// ```
/// # mod fixture { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/fixture.rs")); }
/// # use fixture::{AGENT, OPERATOR, OWNER, Fixture};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), fixture::Failure> {
/// # let fixture = Fixture::new().await?;
/// # let client = &fixture.client;
/// use assent_client::EpochStatus;
/// use assent_verifier::{EpochId, OperatorSetId};
///
/// let registry = fixture.deployment.operator_registry.address;
/// client.commit_epoch(registry, OWNER, OperatorSetId(1), &[OPERATOR]).await?;
/// // The newest first.
/// let [pending, first] = &client.list_epochs(registry).await?[..] else { panic!("two epochs") };
/// assert!(matches!(pending.status, EpochStatus::Pending { .. }));
/// assert_eq!((first.epoch.number, first.status), (EpochId(1), EpochStatus::InForce));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct EpochRecord {
    /// The epoch. Its `valid_until` is zero while it is pending.
    pub epoch: Epoch,
    /// The first second that nothing signed under it may outlive (Unix time).
    pub expires_at: U48,
    /// Whether its operators can sign.
    pub status: EpochStatus,
}

/// Whether an epoch's operators can sign. Complete: an epoch is in one of these states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpochStatus {
    /// Committed, and not activated.
    Pending {
        /// When it can be activated (Unix time).
        activates_at: U48,
    },
    /// In force, or in its grace period.
    InForce,
    /// Its grace period is over. Roots recorded under it can still be used until it expires.
    Superseded,
    /// Its lifetime is over.
    Expired,
    /// Revoked.
    Revoked,
}

impl EpochRecord {
    /// Returns when a pending epoch can be activated (Unix time); `None` if it is not pending.
    pub fn pending_until(&self) -> Option<U48> {
        match self.status {
            EpochStatus::Pending { activates_at } => Some(activates_at),
            _ => None,
        }
    }

    /// Returns whether something signed under it can be used, or will be once it is activated.
    pub fn is_live(&self) -> bool {
        matches!(self.status, EpochStatus::Pending { .. } | EpochStatus::InForce | EpochStatus::Superseded)
    }
}

impl<P: Provider> AssentClient<P> {
    /// Lists the epochs of all sets of a registry that are pending, or under which something can still be used, the
    /// newest first.
    ///
    /// # Errors
    ///
    /// As [`read_epoch`](Self::read_epoch).
    pub async fn list_epochs(&self, registry: Address) -> Result<Vec<EpochRecord>, ClientError> {
        let header = self.latest_header().await?;
        let block = BlockId::number(header.number);
        let count = OperatorRegistry::new(registry, &self.provider)
            .epochCount()
            .block(block)
            .call()
            .await
            .map_err(|error| ClientError::from_contract(registry, "OperatorRegistry", error))?;
        let mut live = Vec::new();
        for number in (1..=count).rev().map(EpochId) {
            let record = self.record_at(registry, number, block, header.timestamp).await?;
            // It was committed before it expired, and each earlier one before that.
            let all_earlier_expired =
                record.expires_at.saturating_add(MAX_EPOCH_LIFETIME).to::<u64>() < header.timestamp;
            if record.is_live() {
                live.push(record);
            } else if all_earlier_expired {
                break;
            }
        }
        Ok(live)
    }

    /// Reads an epoch of a registry with its status.
    ///
    /// # Errors
    ///
    /// As [`read_epoch`](Self::read_epoch).
    pub async fn read_epoch_record(&self, registry: Address, number: EpochId) -> Result<EpochRecord, ClientError> {
        let header = self.latest_header().await?;
        self.record_at(registry, number, BlockId::number(header.number), header.timestamp).await
    }

    /// Reads the pending epoch of an operator set; `None` if none is pending.
    ///
    /// # Errors
    ///
    /// As [`read_epoch`](Self::read_epoch).
    pub async fn pending_epoch(
        &self,
        registry: Address,
        operator_set: OperatorSetId,
    ) -> Result<Option<EpochRecord>, ClientError> {
        let pending = OperatorRegistry::new(registry, &self.provider)
            .pendingEpoch(operator_set.into())
            .call()
            .await
            .map_err(|error| ClientError::from_contract(registry, "OperatorRegistry", error))?;
        match pending.epoch {
            0 => Ok(None),
            number => self.read_epoch_record(registry, number.into()).await.map(Some),
        }
    }

    async fn record_at(
        &self,
        registry: Address,
        number: EpochId,
        block: BlockId,
        timestamp: u64,
    ) -> Result<EpochRecord, ClientError> {
        let unexpected = |error| ClientError::from_contract(registry, "OperatorRegistry", error);
        let contract = OperatorRegistry::new(registry, &self.provider);
        let stored = contract.epochs(number.into()).block(block).call().await.map_err(unexpected)?;
        let epoch = self
            .epoch_of_record(number, stored.table, stored.operatorSet.into(), stored.validUntil, block)
            .await?
            .ok_or(ClientError::NoSuchEpoch { registry, epoch: number })?;
        let pending = contract.pendingEpoch(stored.operatorSet).block(block).call().await.map_err(unexpected)?;
        let status = if timestamp >= stored.expiresAt.to::<u64>() {
            EpochStatus::Expired
        } else if EpochId(pending.epoch) == number {
            EpochStatus::Pending { activates_at: pending.activatesAt }
        } else if stored.validUntil.is_zero() {
            EpochStatus::Revoked
        } else if timestamp < stored.validUntil.to::<u64>() {
            EpochStatus::InForce
        } else {
            EpochStatus::Superseded
        };
        Ok(EpochRecord { epoch, expires_at: stored.expiresAt, status })
    }

    /// Reads an epoch of a registry with its operators, validated by `OperatorSet::from_tables`.
    ///
    /// Revoked, superseded and pending epochs are read too: see [`read_epoch_record`](Self::read_epoch_record).
    ///
    /// # Errors
    ///
    /// [`ClientError::NoSuchEpoch`]; [`ClientError::OperatorTable`] when the epoch's code is not an operator
    /// table; [`ClientError::UnexpectedAnswer`] when `registry` is not an OperatorRegistry; [`ClientError::Transport`].
    pub async fn read_epoch(&self, registry: Address, number: EpochId) -> Result<Epoch, ClientError> {
        self.read_epoch_at(registry, number, BlockId::latest()).await
    }

    /// Reads an epoch of a registry with its operators, as it was at a block.
    ///
    /// # Errors
    ///
    /// As [`read_epoch`](Self::read_epoch).
    pub async fn read_epoch_at(
        &self,
        registry: Address,
        number: EpochId,
        block: BlockId,
    ) -> Result<Epoch, ClientError> {
        let epoch = OperatorRegistry::new(registry, &self.provider)
            .epochs(number.into())
            .block(block)
            .call()
            .await
            .map_err(|error| ClientError::from_contract(registry, "OperatorRegistry", error))?;
        self.epoch_of_record(number, epoch.table, epoch.operatorSet.into(), epoch.validUntil, block)
            .await?
            .ok_or(ClientError::NoSuchEpoch { registry, epoch: number })
    }

    /// Reads the epoch of an operator set that was activated last; `None` before the first.
    ///
    /// # Errors
    ///
    /// As [`read_epoch`](Self::read_epoch).
    pub async fn latest_epoch(
        &self,
        registry: Address,
        operator_set: OperatorSetId,
    ) -> Result<Option<Epoch>, ClientError> {
        match self.latest_number(registry, operator_set).await? {
            Some(number) => self.read_epoch(registry, number).await.map(Some),
            None => Ok(None),
        }
    }

    /// Reads the epoch of an operator set that was activated last, with its status; `None` before the first.
    ///
    /// # Errors
    ///
    /// As [`read_epoch`](Self::read_epoch).
    pub async fn latest_epoch_record(
        &self,
        registry: Address,
        operator_set: OperatorSetId,
    ) -> Result<Option<EpochRecord>, ClientError> {
        match self.latest_number(registry, operator_set).await? {
            Some(number) => self.read_epoch_record(registry, number).await.map(Some),
            None => Ok(None),
        }
    }

    async fn latest_number(
        &self,
        registry: Address,
        operator_set: OperatorSetId,
    ) -> Result<Option<EpochId>, ClientError> {
        let number = OperatorRegistry::new(registry, &self.provider)
            .latestEpoch(operator_set.into())
            .call()
            .await
            .map_err(|error| ClientError::from_contract(registry, "OperatorRegistry", error))?;
        Ok((number != 0).then_some(EpochId(number)))
    }

    /// Reads an epoch as a TaskManager knows it, which decides on chain; `None` when it does not know it.
    ///
    /// # Errors
    ///
    /// As [`read_epoch`](Self::read_epoch); [`ClientError::UnexpectedAnswer`] when `task_manager` is not a TaskManager.
    pub async fn read_known_epoch(&self, task_manager: Address, number: EpochId) -> Result<Option<Epoch>, ClientError> {
        self.read_known_epoch_at(task_manager, number, BlockId::latest()).await
    }

    /// Reads an epoch as a TaskManager knew it at a block.
    ///
    /// # Errors
    ///
    /// As [`read_known_epoch`](Self::read_known_epoch).
    pub async fn read_known_epoch_at(
        &self,
        task_manager: Address,
        number: EpochId,
        block: BlockId,
    ) -> Result<Option<Epoch>, ClientError> {
        let epoch = TaskManager::new(task_manager, &self.provider)
            .epochs(number.into())
            .block(block)
            .call()
            .await
            .map_err(|error| ClientError::from_contract(task_manager, "TaskManager", error))?;
        self.epoch_of_record(number, epoch.table, epoch.operatorSet.into(), epoch.validUntil, block).await
    }

    /// Reads the operators of an epoch's record; `None` when the record is empty.
    async fn epoch_of_record(
        &self,
        number: EpochId,
        table: Address,
        operator_set: OperatorSetId,
        valid_until: U48,
        block: BlockId,
    ) -> Result<Option<Epoch>, ClientError> {
        if table.is_zero() {
            return Ok(None);
        }
        let operators = self.operators(number, table, block).await?;
        Ok(Some(Epoch { number, operator_set, valid_until, operators }))
    }

    async fn operators(&self, epoch: EpochId, head: Address, block: BlockId) -> Result<OperatorSet, ClientError> {
        let unreadable = |source| ClientError::OperatorTable { epoch, source };
        let head = self.code_at(head, block).await?;
        // At most 19.
        let mut earlier = Vec::new();
        for table in OperatorSet::earlier_tables(&head).map_err(unreadable)? {
            earlier.push(self.code_at(table, block).await?);
        }
        OperatorSet::from_tables(&head, &earlier).map_err(unreadable)
    }

    pub(crate) async fn code_at(
        &self,
        address: Address,
        block: BlockId,
    ) -> Result<alloy::primitives::Bytes, ClientError> {
        self.provider.get_code_at(address).block_id(block).await.map_err(ClientError::Transport)
    }
}
