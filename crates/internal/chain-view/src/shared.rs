//! What views share: the node, and what was read of its blocks.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use alloy::{
    eips::BlockNumberOrTag,
    primitives::{Address, B256, U256, aliases::U48},
    providers::{DynProvider, Provider},
};
use assent_client::AssentClient;
use assent_verifier::{Epoch, EpochId, Policy};

use crate::{
    answers::{Answers, Flights},
    error::ChainViewError,
};

pub(crate) const TASK_MANAGER: &str = "TaskManager";

/// Blocks whose answers are remembered.
const REMEMBERED_BLOCKS: usize = 16;

/// The most clients of a block that are remembered.
const REMEMBERED_CLIENTS: usize = 1024;
/// The most epochs of a block that are remembered. An epoch has up to thousands of keys.
const REMEMBERED_EPOCHS: usize = 4;
/// The most words of spent nonces of a block that are remembered.
const REMEMBERED_NONCES: usize = 8192;
/// The most callers of a block that are remembered.
const REMEMBERED_CALLERS: usize = 8192;
/// The most operators of a block of which it is remembered whether they are new.
const REMEMBERED_NEWCOMERS: usize = 64;

/// A block, as others name it.
// Complete: it is what a task has of its reference block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ViewedBlock {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// Its timestamp (Unix time).
    pub timestamp: u64,
}

/// What a client demands of attestations.
// Complete: it is what a PolicyClient says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientTerms {
    /// Its TaskManager.
    pub task_manager: Address,
    /// Its policy with quorum, operator set and maximum lifetime, if it is set.
    pub policy: Option<Policy>,
    /// The first issuance time that it accepts.
    pub issuance_floor: U48,
}

pub(crate) struct Shared {
    pub(crate) client: AssentClient<DynProvider>,
    pub(crate) task_manager: Address,
    /// Its OperatorRegistry, once it was read: it never changes.
    pub(crate) operator_registry: OnceLock<Address>,
    /// Headers that are being read, by number; `None` is the latest.
    pub(crate) headers: Flights<Option<u64>, Option<ViewedBlock>>,
    /// What was read of the blocks that were asked about last. It follows from a block's hash.
    remembered: Mutex<VecDeque<(B256, Arc<BlockAnswers>)>>,
}

/// What is remembered of a block.
pub(crate) struct BlockAnswers {
    pub(crate) clients: Answers<Address, Option<ClientTerms>>,
    pub(crate) epochs: Answers<EpochId, Option<Epoch>>,
    pub(crate) nonces: Answers<(Address, U256), U256>,
    pub(crate) forwarders: Answers<(Address, Address), bool>,
    pub(crate) delegations: Answers<Address, bool>,
    pub(crate) newcomers: Answers<(EpochId, Address, u64), bool>,
}

impl Default for BlockAnswers {
    fn default() -> Self {
        Self {
            clients: Answers::new(REMEMBERED_CLIENTS),
            epochs: Answers::new(REMEMBERED_EPOCHS),
            nonces: Answers::new(REMEMBERED_NONCES),
            forwarders: Answers::new(REMEMBERED_CALLERS),
            delegations: Answers::new(REMEMBERED_CALLERS),
            newcomers: Answers::new(REMEMBERED_NEWCOMERS),
        }
    }
}

impl Shared {
    pub(crate) fn new(provider: DynProvider, task_manager: Address) -> Self {
        Self {
            client: AssentClient::new(provider),
            task_manager,
            operator_registry: OnceLock::new(),
            headers: Flights::default(),
            remembered: Mutex::default(),
        }
    }

    pub(crate) fn answers(&self, hash: B256) -> Arc<BlockAnswers> {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, answers)) = remembered.iter().find(|(known, _)| *known == hash) {
            return Arc::clone(answers);
        }
        if remembered.len() >= REMEMBERED_BLOCKS {
            remembered.pop_front();
        }
        let answers = Arc::new(BlockAnswers::default());
        remembered.push_back((hash, Arc::clone(&answers)));
        answers
    }
}

/// Reads a block's header; `None` if the node has no such block.
pub(crate) async fn read_block(
    provider: &DynProvider,
    block: BlockNumberOrTag,
) -> Result<Option<ViewedBlock>, ChainViewError> {
    let found = provider.get_block_by_number(block).await?;
    Ok(found.map(|block| {
        let header = block.header;
        ViewedBlock { number: header.number, hash: header.hash, timestamp: header.timestamp }
    }))
}
