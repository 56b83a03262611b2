//! The chain's state at one block.

use std::{fmt, sync::Arc};

use alloy::{
    eips::BlockId,
    primitives::{Address, U256},
    providers::DynProvider,
};
use assent_client::ClientError;
use assent_contracts::{OperatorRegistry, TaskManager, deployment::MAX_EPOCH_LIFETIME};
use assent_verifier::{Epoch, EpochId};
use futures_util::try_join;

use crate::{
    error::ChainViewError,
    shared::{BlockAnswers, ClientTerms, Shared, TASK_MANAGER, ViewedBlock},
};

const OPERATOR_REGISTRY: &str = "OperatorRegistry";

/// The chain's state at one block. Each read is by the block's hash.
#[derive(Clone)]
pub struct BlockView {
    shared: Arc<Shared>,
    block: ViewedBlock,
    answers: Arc<BlockAnswers>,
}

impl BlockView {
    pub(crate) fn new(shared: Arc<Shared>, block: ViewedBlock, answers: Arc<BlockAnswers>) -> Self {
        Self { shared, block, answers }
    }

    /// Returns the block.
    pub fn block(&self) -> ViewedBlock {
        self.block
    }

    /// Reads what a client demands; `None` if the contract does not answer as a PolicyClient does.
    ///
    /// # Errors
    /// [`ChainViewError::Node`].
    pub async fn client_terms(&self, policy_client: Address) -> Result<Option<ClientTerms>, ChainViewError> {
        self.answers.clients.get(policy_client, self.ask_terms(policy_client)).await
    }

    async fn ask_terms(&self, policy_client: Address) -> Result<Option<ClientTerms>, ChainViewError> {
        let (client, block) = (&self.shared.client, self.id());
        let terms = try_join!(
            client.read_task_manager_at(policy_client, block),
            client.read_policy_at(policy_client, block),
            client.read_issuance_floor_at(policy_client, block),
        );
        match terms {
            Ok((task_manager, policy, issuance_floor)) => {
                Ok(Some(ClientTerms { task_manager, policy, issuance_floor }))
            }
            Err(ClientError::Transport(error)) => Err(error.into()),
            Err(_not_a_client) => Ok(None),
        }
    }

    /// Reads an epoch as the TaskManager knows it, with its operators; `None` if it does not know it.
    ///
    /// # Errors
    /// [`ChainViewError::WrongContract`], [`ChainViewError::Node`].
    pub async fn epoch(&self, number: EpochId) -> Result<Option<Epoch>, ChainViewError> {
        self.answers.epochs.get(number, self.ask_epoch(number)).await
    }

    async fn ask_epoch(&self, number: EpochId) -> Result<Option<Epoch>, ChainViewError> {
        let task_manager = self.shared.task_manager;
        let epoch = self.shared.client.read_known_epoch_at(task_manager, number, self.id()).await;
        epoch.map_err(|error| ChainViewError::of_read(task_manager, TASK_MANAGER, error))
    }

    /// Reads the epochs of all operator sets that the TaskManager accepts at the block's time, newest first.
    ///
    /// In a grace period an operator set has two.
    ///
    /// # Errors
    /// [`ChainViewError::WrongContract`], [`ChainViewError::Node`].
    pub async fn epochs_in_force(&self) -> Result<Vec<Epoch>, ChainViewError> {
        let (provider, block) = (self.shared.client.provider(), self.id());
        let registry = self.operator_registry().await?;
        let unexpected = |error| ChainViewError::of_call(registry, OPERATOR_REGISTRY, &error);
        let contract = OperatorRegistry::new(registry, provider);
        let count = contract.epochCount().block(block).call().await.map_err(unexpected)?;

        let mut in_force = Vec::new();
        for number in (1..=count).rev() {
            let expires_at = contract.epochs(number).block(block).call().await.map_err(unexpected)?.expiresAt;
            if expires_at.to::<u64>() > self.block.timestamp {
                let epoch = self.epoch(EpochId(number)).await?;
                in_force.extend(epoch.filter(|epoch| epoch.is_in_force(self.block.timestamp)));
            } else if expires_at.saturating_add(MAX_EPOCH_LIFETIME).to::<u64>() < self.block.timestamp {
                // It was committed before it expired, and each earlier one before that.
                break;
            }
        }
        Ok(in_force)
    }

    /// Reads whether an operator of an epoch was missing in an earlier epoch of the same operator set.
    ///
    /// Only epochs that were in force after `since` (Unix time) count: what was attested in them may be valid still.
    ///
    /// # Errors
    /// [`ChainViewError::WrongContract`], [`ChainViewError::Node`].
    pub async fn is_newcomer(&self, operator: Address, epoch: &Epoch, since: u64) -> Result<bool, ChainViewError> {
        let key = (epoch.number, operator, since);
        self.answers.newcomers.get(key, self.ask_newcomer(operator, epoch, since)).await
    }

    async fn ask_newcomer(&self, operator: Address, epoch: &Epoch, since: u64) -> Result<bool, ChainViewError> {
        let block = self.id();
        let registry = self.operator_registry().await?;
        let contract = OperatorRegistry::new(registry, self.shared.client.provider());
        for number in (1..epoch.number.0).rev() {
            let entry = contract.epochs(number).block(block).call().await;
            let entry = entry.map_err(|error| ChainViewError::of_call(registry, OPERATOR_REGISTRY, &error))?;
            // It was committed before it expired, and each earlier one before that.
            if entry.expiresAt.saturating_add(MAX_EPOCH_LIFETIME).to::<u64>() <= since {
                break;
            }
            if entry.operatorSet != u32::from(epoch.operator_set) || entry.expiresAt.to::<u64>() <= since {
                continue;
            }
            // What was revoked is valid nowhere.
            let earlier = self.epoch(EpochId(number)).await?;
            let earlier = earlier.filter(|earlier| !earlier.is_revoked() && earlier.valid_until.to::<u64>() > since);
            let has = |earlier: &Epoch| earlier.operators.operators().iter().any(|known| known.address == operator);
            if earlier.is_some_and(|earlier| !has(&earlier)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads the OperatorRegistry of the TaskManager, once.
    pub(crate) async fn operator_registry(&self) -> Result<Address, ChainViewError> {
        if let Some(registry) = self.shared.operator_registry.get() {
            return Ok(*registry);
        }
        let task_manager = self.shared.task_manager;
        let contract = TaskManager::new(task_manager, self.shared.client.provider());
        let registry = contract.OPERATOR_REGISTRY().block(self.id()).call().await;
        let registry = registry.map_err(|error| ChainViewError::of_call(task_manager, TASK_MANAGER, &error))?;
        Ok(*self.shared.operator_registry.get_or_init(|| registry))
    }

    /// Reads whether a nonce of a client is spent at the TaskManager.
    ///
    /// # Errors
    /// [`ChainViewError::WrongContract`], [`ChainViewError::Node`].
    pub async fn is_spent(&self, policy_client: Address, nonce: U256) -> Result<bool, ChainViewError> {
        let mask = self.spent_nonces(policy_client, nonce >> 8).await?;
        Ok(mask.bit(usize::from(nonce.byte(0))))
    }

    /// Reads which of 256 nonces of a client are spent: bit `i` is that of the nonce `256 * word + i`.
    ///
    /// # Errors
    /// As [`is_spent`](Self::is_spent).
    pub async fn spent_nonces(&self, policy_client: Address, word: U256) -> Result<U256, ChainViewError> {
        self.answers.nonces.get((policy_client, word), self.ask_nonces(policy_client, word)).await
    }

    async fn ask_nonces(&self, policy_client: Address, word: U256) -> Result<U256, ChainViewError> {
        let task_manager = self.shared.task_manager;
        let contract = TaskManager::new(task_manager, self.shared.client.provider());
        let mask = contract.spentNonces(policy_client, word).block(self.id()).call().await;
        mask.map_err(|error| ChainViewError::of_call(task_manager, TASK_MANAGER, &error))
    }

    /// Reads whether a client trusts an account as an ERC-2771 forwarder.
    ///
    /// # Errors
    /// [`ChainViewError::Node`].
    pub async fn is_trusted_forwarder(&self, policy_client: Address, account: Address) -> Result<bool, ChainViewError> {
        let ask = async {
            let trusted = self.shared.client.is_trusted_forwarder_at(policy_client, account, self.id()).await;
            trusted.map_err(ChainViewError::of_node)
        };
        self.answers.forwarders.get((policy_client, account), ask).await
    }

    /// Reads whether an account has delegated its code (EIP-7702).
    ///
    /// # Errors
    /// [`ChainViewError::Node`].
    pub async fn is_delegated(&self, account: Address) -> Result<bool, ChainViewError> {
        let ask =
            async { self.shared.client.is_delegated_at(account, self.id()).await.map_err(ChainViewError::of_node) };
        self.answers.delegations.get(account, ask).await
    }

    /// EIP-1898: by hash, and only if the block is canonical.
    pub(crate) fn id(&self) -> BlockId {
        BlockId::hash_canonical(self.block.hash)
    }

    pub(crate) fn provider(&self) -> &DynProvider {
        self.shared.client.provider()
    }
}

impl fmt::Debug for BlockView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockView").field("block", &self.block).finish_non_exhaustive()
    }
}
