//! The TaskManagers to which an operator registry publishes epochs.

use crate::{AssentClient, ClientError, ValidatorState};
use alloy::{
    primitives::{Address, keccak256},
    providers::Provider,
    rpc::types::TransactionReceipt,
    sol_types::SolCall,
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
        let add = OperatorRegistry::addValidatorCall { validator: task_manager };
        if let Some(applies_from) = self.notice(registry, owner, &add).await? {
            return Ok(ValidatorState::Proposed { applies_from });
        }
        let mut receipts = vec![self.send_call(owner, registry, &add).await?];
        for record in self.list_epochs(registry).await? {
            if record.pending_until().is_none() {
                receipts.push(self.publish_epoch(registry, owner, record.epoch.number).await?);
            }
        }
        Ok(ValidatorState::Added(receipts))
    }

    /// Proposes a change that needs notice, once. Returns when it can be applied (Unix time); `None` if it can be now.
    async fn notice(
        &self,
        registry: Address,
        owner: Address,
        change: &impl SolCall,
    ) -> Result<Option<u64>, ClientError> {
        let unexpected = |error| ClientError::from_contract(registry, "OperatorRegistry", error);
        let contract = OperatorRegistry::new(registry, &self.provider);
        let header = self.latest_header().await?;
        let committed = contract.epochCount().call().await.map_err(unexpected)?;
        let delay = contract.activationDelay().call().await.map_err(unexpected)?;
        if committed == 0 || delay.is_zero() {
            return Ok(None);
        }
        let window = contract.CHANGE_WINDOW().call().await.map_err(unexpected)?;
        let hash = keccak256(change.abi_encode());
        let proposed = contract.proposedChanges(hash).call().await.map_err(unexpected)?.to::<u64>();
        if proposed != 0 && header.timestamp < proposed.saturating_add(window.to::<u64>()) {
            return Ok((header.timestamp < proposed).then_some(proposed));
        }
        self.propose_change(registry, owner, change).await?;
        let proposed = contract.proposedChanges(hash).call().await.map_err(unexpected)?.to::<u64>();
        Ok(Some(proposed))
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
}
