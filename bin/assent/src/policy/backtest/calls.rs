//! Calls that were made to a contract, read from a node.

use super::node::Patience;
use alloy::{
    consensus::Transaction as _,
    eips::BlockNumberOrTag,
    network::TransactionResponse as _,
    providers::{DynProvider, Provider},
    rpc::types::{Block, Filter, Log, Transaction},
    sol_types::SolEvent,
};
use alloy_primitives::{Address, B256, U256};
use anyhow::{Context as _, Result, anyhow, bail};
use assent_client::{AssentClient, ClientError};
use assent_contracts::TaskManager::AttestationSpent;
use assent_policy::{PolicyInput, ReferenceBlock};
use assent_verifier::{Authorization, Intent, split_trailing};
use attestation_indexer::find_call;

/// The number of blocks in one request for events, below the limit of most nodes. Where it is not, the range is halved.
const BLOCKS_AT_ONCE: u64 = 1000;

/// A call that was made.
#[derive(Debug, Clone)]
pub struct PastCall {
    /// The transaction.
    pub transaction: B256,
    /// The block.
    pub block: u64,
    /// The call, as operators would have seen it.
    pub input: PolicyInput,
}

/// What a transaction is about.
#[derive(Debug, Clone)]
pub enum Found {
    /// A call.
    Call(Box<PastCall>),
    /// A call that reverted, and changed nothing.
    Reverted,
    /// A spent attestation whose call cannot be read.
    Hidden {
        /// The transaction.
        transaction: B256,
        /// The block.
        block: u64,
        /// Why not.
        reason: String,
    },
}

/// The calls in one block.
#[derive(Debug, Clone)]
pub struct BlockCalls {
    /// The block's number.
    pub number: u64,
    /// The block's hash.
    pub hash: B256,
    /// The hash of the block before.
    pub parent: B256,
    /// What the block has, in order.
    pub found: Vec<Found>,
}

/// The calls in the next blocks.
#[derive(Debug, Clone)]
pub struct NextCalls {
    /// What the blocks have, in order.
    pub found: Vec<Found>,
    /// The last of the blocks.
    pub last: u64,
    /// Its hash.
    pub hash: B256,
}

/// Which calls are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Those that spent an attestation under this TaskManager.
    Spends(Address),
    /// The transactions to the contract.
    Transactions,
}

/// Reads the calls to one contract.
pub struct CallReader {
    client: AssentClient<DynProvider>,
    contract: Address,
    chain_id: U256,
    is_policy_client: bool,
    kind: Kind,
    with_reverted: bool,
    /// The number of blocks in the next request for events.
    at_once: u64,
    /// A header that is asked for again and again.
    header: Option<alloy::rpc::types::Header>,
}

impl CallReader {
    /// Looks at the contract. What spends attestations is read by its events, unless all transactions are asked for.
    pub async fn new(
        provider: DynProvider,
        contract: Address,
        all_transactions: bool,
        with_reverted: bool,
    ) -> Result<Self> {
        let client = AssentClient::new(provider);
        let chain_id = U256::from(client.chain_id().await?);
        client.require_contract(contract).await?;
        let task_manager = match client.read_task_manager(contract).await {
            Ok(task_manager) => Some(task_manager).filter(|task_manager| !task_manager.is_zero()),
            Err(error @ ClientError::Transport(_)) => return Err(error.into()),
            Err(_) => None,
        };
        let kind = match task_manager {
            Some(task_manager) if !all_transactions => Kind::Spends(task_manager),
            _ => Kind::Transactions,
        };
        let is_policy_client = task_manager.is_some();
        Ok(Self {
            client,
            contract,
            chain_id,
            is_policy_client,
            kind,
            with_reverted,
            at_once: BLOCKS_AT_ONCE,
            header: None,
        })
    }

    /// Returns which calls are read.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the latest block's number.
    pub async fn head(&self) -> Result<u64> {
        self.client.provider().get_block_number().await.context("asking for the latest block")
    }

    /// Returns the hash of a block. Nothing if there is no such block.
    pub async fn hash(&self, number: u64) -> Result<Option<B256>> {
        Ok(self.block(number).await?.map(|block| block.header.hash))
    }

    /// Reads the next calls from a block on, and not past `last`. Nothing if the block before has not this hash, or is
    /// replaced meanwhile. Only the question that the node does not answer is asked again, not those of the whole
    /// range.
    pub async fn next(
        &mut self,
        from: u64,
        last: u64,
        before: Option<B256>,
        patience: &mut Patience,
    ) -> Result<Option<NextCalls>> {
        let missing = |block: u64| format!("the node has no block {block}");
        let Kind::Spends(task_manager) = self.kind else {
            let block = patience.retry(async || self.of_block(from).await).await?;
            let block = block.with_context(|| missing(from))?;
            let follows = before.is_none_or(|before| before == block.parent);
            return Ok(follows.then_some(NextCalls { found: block.found, last: from, hash: block.hash }));
        };
        if !patience.retry(async || self.follows(from, before).await).await? {
            return Ok(None);
        }
        let (logs, to) = patience.retry(async || self.logs(task_manager, from, last).await).await?;
        let mut found = Vec::new();
        for log in &logs {
            found.push(patience.retry(async || self.spend(task_manager, log).await).await?);
        }
        let hash = patience.retry(async || self.hash(to).await).await?.with_context(|| missing(to))?;
        // What was read in between may have been of another chain.
        let is_same = patience.retry(async || self.follows(from, before).await).await?;
        Ok(is_same.then_some(NextCalls { found, last: to, hash }))
    }

    /// Returns whether the block before one has this hash.
    pub async fn follows(&self, block: u64, before: Option<B256>) -> Result<bool> {
        let (Some(expected), Some(before)) = (before, block.checked_sub(1)) else { return Ok(true) };
        Ok(self.hash(before).await? == Some(expected))
    }

    /// Reads the calls of one block. Nothing if there is no such block.
    pub async fn of_block(&mut self, number: u64) -> Result<Option<BlockCalls>> {
        if let Kind::Spends(task_manager) = self.kind {
            let Some(block) = self.block(number).await? else { return Ok(None) };
            let (hash, parent) = (block.header.hash, block.header.parent_hash);
            self.header = Some(block.header);
            // Of this very block: another one of the same number has other events.
            let filter = self.filter(task_manager).at_block_hash(hash);
            let logs = self.client.provider().get_logs(&filter).await.context("asking for events")?;
            let mut found = Vec::new();
            for log in &logs {
                found.push(self.spend(task_manager, log).await?);
            }
            return Ok(Some(BlockCalls { number, hash, parent, found }));
        }
        let request = self.client.provider().get_block_by_number(BlockNumberOrTag::Number(number)).full();
        let block = request.await.with_context(|| format!("asking for block {number}"))?;
        let Some(block) = block else { return Ok(None) };
        let found = self.transactions(&block).await?;
        let (hash, parent) = (block.header.hash, block.header.parent_hash);
        self.header = Some(block.header);
        Ok(Some(BlockCalls { number, hash, parent, found }))
    }

    async fn transactions(&self, block: &Block) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        let mut reference = None;
        for transaction in block.transactions.txns() {
            if transaction.to() != Some(self.contract) {
                continue;
            }
            let hash = transaction.tx_hash();
            if !self.with_reverted && !self.succeeded(hash).await? {
                found.push(Found::Reverted);
                continue;
            }
            let before = match reference {
                Some(before) => before,
                None => *reference.insert(self.before(&block.header).await?),
            };
            found.push(Found::Call(Box::new(self.transaction(transaction, hash, block.header.number, before))));
        }
        Ok(found)
    }

    /// Returns a transaction as a call. What is behind the authorization's start is no part of what operators decide.
    fn transaction(&self, transaction: &Transaction, hash: B256, block: u64, reference: ReferenceBlock) -> PastCall {
        let input = transaction.input();
        let attested = self.is_policy_client.then(|| split_trailing(input).ok()).flatten();
        let attested = attested.and_then(|(data, encoded)| Some((data, Authorization::parse(encoded).ok()?.nonce)));
        let (data, nonce) = attested.unwrap_or((input.as_ref(), U256::ZERO));
        let intent = Intent {
            from: transaction.from(),
            to: self.contract,
            value: transaction.value(),
            data: data.to_vec().into(),
            chainId: self.chain_id,
        };
        self.past_call(hash, block, intent, nonce, reference)
    }

    async fn spend(&mut self, task_manager: Address, log: &Log) -> Result<Found> {
        let event = log.log_decode_validate::<AttestationSpent>().context("an event AttestationSpent")?;
        let (Some(transaction), Some(block), Some(block_hash)) =
            (log.transaction_hash, log.block_number, log.block_hash)
        else {
            bail!("an event of the node has no transaction or block");
        };
        let provider = self.client.provider();
        let visible = find_call(provider, transaction, self.chain_id, task_manager, event.data()).await?;
        let visible = match visible {
            Ok(visible) => visible,
            Err(reason) => return Ok(Found::Hidden { transaction, block, reason }),
        };
        if self.header.as_ref().is_none_or(|header| header.hash != block_hash) {
            self.header = Some(self.block_of(block_hash).await?.header);
        }
        let header = self.header.clone().context("the header of a block")?;
        let reference = self.before(&header).await?;
        let call = self.past_call(transaction, block, visible.intent, event.data().nonce, reference);
        Ok(Found::Call(Box::new(call)))
    }

    fn past_call(
        &self,
        transaction: B256,
        block: u64,
        intent: Intent,
        nonce: U256,
        reference: ReferenceBlock,
    ) -> PastCall {
        let input = PolicyInput { intent, policy_client: self.contract, nonce, block: reference };
        PastCall { transaction, block, input }
    }

    /// Returns the block before, which is the latest that operators could have decided at.
    async fn before(&self, header: &alloy::rpc::types::Header) -> Result<ReferenceBlock> {
        let parent = self.block_of(header.parent_hash).await?.header;
        Ok(ReferenceBlock {
            number: U256::from(parent.number),
            hash: parent.hash,
            timestamp: U256::from(parent.timestamp),
        })
    }

    async fn succeeded(&self, transaction: B256) -> Result<bool> {
        let receipt = self.client.provider().get_transaction_receipt(transaction).await;
        let receipt = receipt.with_context(|| format!("asking for the receipt of {transaction}"))?;
        Ok(receipt.with_context(|| format!("the node has no receipt of {transaction}"))?.status())
    }

    async fn block(&self, number: u64) -> Result<Option<Block>> {
        let block = self.client.provider().get_block_by_number(BlockNumberOrTag::Number(number)).await;
        block.with_context(|| format!("asking for block {number}"))
    }

    async fn block_of(&self, hash: B256) -> Result<Block> {
        let block = self.client.provider().get_block_by_hash(hash).await;
        let block = block.with_context(|| format!("asking for block {hash}"))?;
        block.with_context(|| format!("the node has no block {hash}"))
    }

    /// Asks for the events of a range, and of ever fewer blocks while the node refuses.
    async fn logs(&mut self, task_manager: Address, from: u64, last: u64) -> Result<(Vec<Log>, u64)> {
        loop {
            let to = last.min(from.saturating_add(self.at_once - 1));
            let filter = self.filter(task_manager).from_block(from).to_block(to);
            match self.client.provider().get_logs(&filter).await {
                Ok(mut logs) => {
                    logs.sort_by_key(|log| (log.block_number, log.log_index));
                    self.at_once = self.at_once.saturating_mul(2).min(BLOCKS_AT_ONCE);
                    return Ok((logs, to));
                }
                // A limit of the node: it answered, and would not give that much.
                Err(error) if error.as_error_resp().is_some() && to > from => {
                    self.at_once = (to - from).div_ceil(2).max(1);
                }
                Err(error) => return Err(anyhow!(error).context(format!("asking for events of blocks {from} to {to}"))),
            }
        }
    }

    fn filter(&self, task_manager: Address) -> Filter {
        let filter = Filter::new().address(task_manager).event_signature(AttestationSpent::SIGNATURE_HASH);
        filter.topic1(self.contract.into_word())
    }
}
