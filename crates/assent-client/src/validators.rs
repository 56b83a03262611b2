//! The TaskManagers to which an operator registry publishes epochs.

use crate::{AssentClient, ClientError, RegistryChange, RegistryChangeStatus, ValidatorState};
use alloy::{primitives::Address, providers::Provider, rpc::types::TransactionReceipt};
use assent_contracts::OperatorRegistry;
use assent_verifier::EpochId;

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

    /// Adds a TaskManager to a registry, and publishes the live epochs to it. `owner` owns the registry.
    ///
    /// Once an epoch was committed, the change needs notice: the first call proposes it, and one after the registry's
    /// activation delay adds the TaskManager. Nothing is sent when the registry already has the TaskManager, or when
    /// the delay is not over.
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
    ) -> Result<ValidatorState, ClientError> {
        if self.is_validator(registry, task_manager).await? {
            return Ok(ValidatorState::WasAdded);
        }
        let add = RegistryChange::AddValidator(task_manager);
        match self.read_change(registry, &add).await? {
            RegistryChangeStatus::NeedsNoNotice | RegistryChangeStatus::Applicable { .. } => {}
            RegistryChangeStatus::Proposed { applies_from, .. } => {
                return Ok(ValidatorState::Proposed { applies_from });
            }
            RegistryChangeStatus::NotProposed => {
                let (applies_from, _) = self.propose_change(registry, owner, &add).await?;
                return Ok(ValidatorState::Proposed { applies_from });
            }
        }
        let mut receipts = vec![self.apply_change(registry, owner, &add).await?];
        receipts.extend(self.publish_live_epochs(registry, owner).await?);
        Ok(ValidatorState::Added(receipts))
    }

    /// Publishes the state of every live epoch to a registry's TaskManagers again. Permissionless: `from` pays.
    ///
    /// # Errors
    ///
    /// As [`publish_epoch`](Self::publish_epoch).
    pub async fn publish_live_epochs(
        &self,
        registry: Address,
        from: Address,
    ) -> Result<Vec<TransactionReceipt>, ClientError> {
        let mut receipts = Vec::new();
        for record in self.list_epochs(registry).await? {
            if record.pending_until().is_none() {
                receipts.push(self.publish_epoch(registry, from, record.epoch.number).await?);
            }
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
        epoch: EpochId,
    ) -> Result<TransactionReceipt, ClientError> {
        self.send_call(from, registry, &OperatorRegistry::publishEpochCall { epoch: epoch.into() }).await
    }
}
