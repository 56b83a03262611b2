//! Reading epochs and their operator tables.

use crate::{AssentClient, ClientError};
use alloy::{
    eips::BlockId,
    primitives::{Address, aliases::U48},
    providers::Provider,
};
use assent_contracts::{OperatorRegistry, TaskManager};
use assent_verifier::{Epoch, OperatorSet};

impl<P: Provider> AssentClient<P> {
    /// Reads an epoch of a registry with its operators, validated by `OperatorSet::from_tables`.
    ///
    /// Revoked and superseded epochs are read too; see their `valid_until`.
    ///
    /// # Errors
    ///
    /// [`ClientError::NoSuchEpoch`]; [`ClientError::OperatorTable`] when the epoch's code is not an operator
    /// table; [`ClientError::UnexpectedAnswer`] when `registry` is not an OperatorRegistry; [`ClientError::Transport`].
    pub async fn read_epoch(&self, registry: Address, number: u32) -> Result<Epoch, ClientError> {
        self.epoch_at(registry, number, BlockId::latest()).await
    }

    /// Reads the newest epoch of an operator set; `None` before the first.
    ///
    /// # Errors
    ///
    /// As [`read_epoch`](Self::read_epoch).
    pub async fn latest_epoch(&self, registry: Address, operator_set: u32) -> Result<Option<Epoch>, ClientError> {
        let number = OperatorRegistry::new(registry, &self.provider)
            .latestEpoch(operator_set)
            .call()
            .await
            .map_err(|error| ClientError::from_contract(registry, "OperatorRegistry", error))?;
        match number {
            0 => Ok(None),
            number => self.read_epoch(registry, number).await.map(Some),
        }
    }

    /// Reads an epoch as a TaskManager knows it, which decides on chain; `None` when it does not know it.
    ///
    /// # Errors
    ///
    /// As [`read_epoch`](Self::read_epoch); [`ClientError::UnexpectedAnswer`] when `task_manager` is not a TaskManager.
    pub async fn read_known_epoch(&self, task_manager: Address, number: u32) -> Result<Option<Epoch>, ClientError> {
        self.known_epoch_at(task_manager, number, BlockId::latest()).await
    }

    pub(crate) async fn known_epoch_at(
        &self,
        task_manager: Address,
        number: u32,
        block: BlockId,
    ) -> Result<Option<Epoch>, ClientError> {
        let epoch = TaskManager::new(task_manager, &self.provider)
            .epochs(number)
            .block(block)
            .call()
            .await
            .map_err(|error| ClientError::from_contract(task_manager, "TaskManager", error))?;
        self.epoch_of_record(number, epoch.table, epoch.operatorSet, epoch.validUntil, block).await
    }

    async fn epoch_at(&self, registry: Address, number: u32, block: BlockId) -> Result<Epoch, ClientError> {
        let epoch = OperatorRegistry::new(registry, &self.provider)
            .epochs(number)
            .block(block)
            .call()
            .await
            .map_err(|error| ClientError::from_contract(registry, "OperatorRegistry", error))?;
        self.epoch_of_record(number, epoch.table, epoch.operatorSet, epoch.validUntil, block)
            .await?
            .ok_or(ClientError::NoSuchEpoch { registry, epoch: number })
    }

    /// Reads the operators of an epoch's record; `None` when the record is empty.
    async fn epoch_of_record(
        &self,
        number: u32,
        table: Address,
        operator_set: u32,
        valid_until: U48,
        block: BlockId,
    ) -> Result<Option<Epoch>, ClientError> {
        if table.is_zero() {
            return Ok(None);
        }
        let operators = self.operators(number, table, block).await?;
        Ok(Some(Epoch { number, operator_set, valid_until, operators }))
    }

    async fn operators(&self, epoch: u32, head: Address, block: BlockId) -> Result<OperatorSet, ClientError> {
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
