//! What the operator has attested and is neither spent nor expired: the source `outstanding`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use alloy_primitives::{Address, B256, U256};
use assent_chain_view::{BlockView, ChainView, ChainViewError, ViewedBlock};
use assent_journal::{Domain, Hold, HoldRequest, HoldTotal, Journal, JournalError};
use assent_json::Value;
use assent_network::operator::{self, OutstandingSource, OutstandingTotal, Unavailable};
use assent_policy::PolicyInput;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::{capacity::Threads, fair_queue::Share, log_function::LogFunction};

/// The words of spent nonces that are read at one time.
const READING: usize = 16;
/// How many blocks of the chain must follow a block in which a nonce is spent before its hold is released: two epochs
/// of Ethereum.
const SETTLED: u64 = 64;

/// The holds in the journal, and the chain on which their nonces are spent.
pub(crate) struct OutstandingHolds {
    pub view: ChainView,
    pub journal: Arc<Journal>,
    pub domain: Domain,
    pub reading: Threads,
    pub log: LogFunction,
}

impl OutstandingHolds {
    /// Returns what a source answers at a task's reference block. The task's own hold does not count.
    ///
    /// # Errors
    ///
    /// Node or journal gave no answer.
    pub(crate) async fn observe(
        &self,
        share: &Share,
        source: &OutstandingSource,
        input: &PolicyInput,
        policy_id: B256,
        task_id: B256,
    ) -> Result<Value, Unavailable> {
        let narrow = |value: U256| u64::try_from(value).map_err(|_| Unavailable("the block is not one".to_owned()));
        let block = ViewedBlock {
            number: narrow(input.block.number)?,
            hash: input.block.hash,
            timestamp: narrow(input.block.timestamp)?,
        };
        let mut holds = self.holds(share, input.policy_client, policy_id).await?;
        holds.retain(|hold| hold.task_id != task_id && hold.expiration > block.timestamp);
        let spent = self.spent(&holds, &self.view.at(block)).await.map_err(|error| self.no_answer(&error))?;
        let HoldTotal { count, sum } = HoldTotal::of(&holds, source.id(), block.timestamp, &spent);
        Ok(OutstandingSource::output(OutstandingTotal { count, sum }))
    }

    /// Returns what the journal compares when it records a hold.
    ///
    /// # Errors
    ///
    /// Node or journal gave no answer.
    pub(crate) async fn request(&self, share: &Share, hold: operator::HeldTask) -> Result<HoldRequest, Unavailable> {
        let operator::HeldTask { task_id, task, sources } = hold;
        let (number, hash, timestamp) = (task.block_number, task.block_hash, task.block_timestamp);
        let mut others = self.holds(share, task.policy_client, task.policy_id).await?;
        others.retain(|other| other.expiration > timestamp);
        let block = self.view.at(ViewedBlock { number, hash, timestamp });
        let spent = self.spent(&others, &block).await.map_err(|error| self.no_answer(&error))?;
        let amounts = sources.iter().filter_map(|held| Some((held.source, held.amount?)));
        let agreed = sources.iter().map(|held| {
            let OutstandingTotal { count, sum } = held.agreed;
            (held.source, HoldTotal { count, sum })
        });
        let (amounts, agreed) = (amounts.collect(), agreed.collect());
        let hold = Hold {
            task_id,
            policy_client: task.policy_client,
            policy_id: task.policy_id,
            nonce: task.nonce,
            expiration: task.expiration,
            amounts,
        };
        Ok(HoldRequest { hold, time: timestamp, spent, agreed })
    }

    /// Deletes the holds of attestations that can no longer be spent. Returns how many remain.
    ///
    /// `max_block_age` is the age of a reference block that is still accepted, in seconds.
    ///
    /// # Errors
    ///
    /// Node or journal gave no answer.
    pub(crate) async fn release(&self, max_block_age: u64) -> Result<usize, Unavailable> {
        let (journal, domain, own) = (Arc::clone(&self.journal), self.domain, Share::default());
        let holds = self.read(&own, move || journal.all_holds(&domain)).await?;
        let total = holds.len();
        let latest = self.view.latest_block().await.map_err(|error| self.no_answer(&error))?;
        let Some(number) = latest.number.checked_sub(SETTLED).filter(|_| !holds.is_empty()) else { return Ok(total) };
        let settled = self.view.canonical_block(number).await.map_err(|error| self.no_answer(&error))?;
        let is_old = |block: &ViewedBlock| block.timestamp.saturating_add(max_block_age) < latest.timestamp;
        let Some(settled) = settled.filter(is_old) else { return Ok(total) };
        let spent = self.spent(&holds, &self.view.at(settled)).await.map_err(|error| self.no_answer(&error))?;
        let is_over = |hold: &Hold| hold.expiration <= settled.timestamp || spent.contains(&hold.task_id);
        let over: Vec<_> = holds.into_iter().filter(is_over).collect();
        let remaining = total.saturating_sub(over.len());
        if !over.is_empty() {
            let journal = Arc::clone(&self.journal);
            self.read(&own, move || journal.release(&domain, over)).await?;
        }
        Ok(remaining)
    }

    async fn holds(&self, share: &Share, policy_client: Address, policy_id: B256) -> Result<Vec<Hold>, Unavailable> {
        let (journal, domain) = (Arc::clone(&self.journal), self.domain);
        self.read(share, move || journal.holds(&domain, policy_client, policy_id)).await
    }

    async fn read<T: Send + 'static>(
        &self,
        share: &Share,
        read: impl FnOnce() -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, Unavailable> {
        let read = self.reading.run(share, read).await.map_err(|error| Unavailable(error.to_string()))?;
        read.map_err(|error| {
            (self.log)(&format!("cannot read what is outstanding: {error}"));
            Unavailable("the operator's journal failed".to_owned())
        })
    }

    /// Returns the tasks of holds whose nonces are spent at a block.
    async fn spent(&self, holds: &[Hold], block: &BlockView) -> Result<BTreeSet<B256>, ChainViewError> {
        let word_of = |hold: &Hold| (hold.policy_client, hold.nonce >> 8_usize);
        let words: BTreeSet<(Address, U256)> = holds.iter().map(word_of).collect();
        let read = words.into_iter().map(|(client, word)| async move {
            Ok::<_, ChainViewError>(((client, word), block.spent_nonces(client, word).await?))
        });
        let masks: BTreeMap<_, U256> = stream::iter(read).buffer_unordered(READING).try_collect().await?;
        let is_spent = |hold: &&Hold| {
            let mask = masks.get(&word_of(hold)).copied().unwrap_or_default();
            mask.bit(usize::from(hold.nonce.byte(0)))
        };
        Ok(holds.iter().filter(is_spent).map(|hold| hold.task_id).collect())
    }

    fn no_answer(&self, error: &ChainViewError) -> Unavailable {
        (self.log)(&format!("cannot read which nonces are spent: {error}"));
        Unavailable("the operator's node did not answer".to_owned())
    }
}
