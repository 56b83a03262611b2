//! The chain as a node shows it.

use std::{fmt, sync::Arc};

use alloy::{
    eips::BlockNumberOrTag,
    primitives::Address,
    providers::{DynProvider, Provider},
};
use assent_client::AssentClient;
use assent_contracts::TaskManager;

use crate::{
    at_block::BlockView,
    error::ChainViewError,
    shared::{Shared, TASK_MANAGER, ViewedBlock, read_block},
};

/// A chain behind a node, with the TaskManager whose epochs count.
///
/// A clone shows the same, and shares what is remembered.
#[derive(Clone)]
pub struct ChainView(Arc<Shared>);

impl ChainView {
    /// Returns the view of a node. Nothing is asked yet.
    ///
    /// Bound the time of the provider's requests: a read waits as long as they do.
    pub fn new(provider: DynProvider, task_manager: Address) -> Self {
        Self(Arc::new(Shared::new(provider, task_manager)))
    }

    /// Returns the TaskManager.
    pub fn task_manager(&self) -> Address {
        self.0.task_manager
    }

    /// Returns the provider.
    pub fn provider(&self) -> &DynProvider {
        self.0.client.provider()
    }

    pub(crate) fn client(&self) -> &AssentClient<DynProvider> {
        &self.0.client
    }

    /// Reads the chain's id.
    ///
    /// # Errors
    /// [`ChainViewError::Node`].
    pub async fn chain_id(&self) -> Result<u64, ChainViewError> {
        Ok(self.provider().get_chain_id().await?)
    }

    /// Reads the OperatorRegistry of the TaskManager, which shows that it is one.
    ///
    /// # Errors
    /// [`ChainViewError::WrongContract`], [`ChainViewError::Node`].
    pub async fn operator_registry(&self) -> Result<Address, ChainViewError> {
        let task_manager = self.0.task_manager;
        let registry = TaskManager::new(task_manager, self.provider()).OPERATOR_REGISTRY().call().await;
        registry.map_err(|error| ChainViewError::of_call(task_manager, TASK_MANAGER, &error))
    }

    /// Reads the node's latest block.
    ///
    /// # Errors
    /// [`ChainViewError::NoBlock`], [`ChainViewError::Node`].
    pub async fn latest_block(&self) -> Result<ViewedBlock, ChainViewError> {
        self.block(None).await?.ok_or(ChainViewError::NoBlock)
    }

    /// Reads the canonical block with a number; `None` if the chain has none yet.
    ///
    /// # Errors
    /// [`ChainViewError::Node`].
    pub async fn canonical_block(&self, number: u64) -> Result<Option<ViewedBlock>, ChainViewError> {
        self.block(Some(number)).await
    }

    /// Returns the view at a block. Its reads fail with [`ChainViewError::Node`] when the block is not canonical.
    ///
    /// A read that was made before is not made again, even if the block is canonical no longer. Ask
    /// [`canonical_block`](Self::canonical_block) whether it is.
    pub fn at(&self, block: ViewedBlock) -> BlockView {
        BlockView::new(Arc::clone(&self.0), block, self.0.answers(block.hash))
    }

    /// Reads a header, with others who read it now.
    async fn block(&self, number: Option<u64>) -> Result<Option<ViewedBlock>, ChainViewError> {
        self.0.headers.get(number, self.ask_block(number)).await
    }

    async fn ask_block(&self, number: Option<u64>) -> Result<Option<ViewedBlock>, ChainViewError> {
        let block = number.map_or(BlockNumberOrTag::Latest, BlockNumberOrTag::Number);
        read_block(self.provider(), block).await
    }
}

impl fmt::Debug for ChainView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A provider's URL can contain a key.
        f.debug_struct("ChainView").field("task_manager", &self.0.task_manager).finish_non_exhaustive()
    }
}
