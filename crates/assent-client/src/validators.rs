//! The TaskManagers to which an operator registry publishes epochs.

use crate::{AssentClient, ClientError};
use alloy::{
    eips::BlockId,
    primitives::{Address, U256},
    providers::Provider,
    rpc::types::TransactionReceipt,
};
use assent_contracts::OperatorRegistry;

impl<P: Provider> AssentClient<P> {
    /// Reads whether a registry publishes epochs to a TaskManager.
    ///
    /// # Errors
    ///
    /// [`ClientError::UnexpectedAnswer`] when `registry` is not an OperatorRegistry; [`ClientError::Transport`].
    pub async fn is_validator(&self, registry: Address, task_manager: Address) -> Result<bool, ClientError> {
        let validators = OperatorRegistry::new(registry, &self.provider)
            .validators()
            .call()
            .await
            .map_err(|error| ClientError::from_contract(registry, "OperatorRegistry", error))?;
        Ok(validators.contains(&task_manager))
    }

    /// Adds a TaskManager to a registry, and publishes the epochs in force to it. `owner` owns the registry.
    ///
    /// Nothing is sent when the registry already has the TaskManager.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send): [`ClientError::Reverted`] when the TaskManager was made for another registry;
    /// [`ClientError::UnexpectedAnswer`] when `registry` is not an OperatorRegistry.
    pub async fn add_validator(
        &self,
        registry: Address,
        owner: Address,
        task_manager: Address,
    ) -> Result<Vec<TransactionReceipt>, ClientError> {
        if self.is_validator(registry, task_manager).await? {
            return Ok(Vec::new());
        }
        let add = OperatorRegistry::addValidatorCall { validator: task_manager };
        let mut receipts = vec![self.send_call(owner, registry, &add).await?];
        for epoch in self.epochs_in_force(registry).await? {
            receipts.push(self.publish_epoch(registry, owner, epoch).await?);
        }
        Ok(receipts)
    }

    /// Publishes the state of an epoch to a registry's TaskManagers again. Permissionless: `from` pays.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send): [`ClientError::Reverted`] when there is no such epoch.
    pub async fn publish_epoch(
        &self,
        registry: Address,
        from: Address,
        epoch: u32,
    ) -> Result<TransactionReceipt, ClientError> {
        self.send_call(from, registry, &OperatorRegistry::publishEpochCall { epoch }).await
    }

    async fn epochs_in_force(&self, registry: Address) -> Result<Vec<u32>, ClientError> {
        let unexpected = |error| ClientError::from_contract(registry, "OperatorRegistry", error);
        let contract = OperatorRegistry::new(registry, &self.provider);
        let header = self.latest_header().await?;
        let block = BlockId::number(header.number);
        let count = contract.epochCount().block(block).call().await.map_err(unexpected)?;
        let mut in_force = Vec::new();
        for number in 1..=count {
            let epoch = contract.epochs(number).block(block).call().await.map_err(unexpected)?;
            if U256::from(epoch.validUntil) > U256::from(header.timestamp) {
                in_force.push(number);
            }
        }
        Ok(in_force)
    }
}
