//! What the operator's node and policy stores say of a task.

use std::sync::Arc;

use alloy_primitives::{Address, aliases::U48};
use assent_chain_view::{ChainView, ChainViewError, ClientTerms, ViewedBlock};
use assent_network::{
    Task,
    operator::{Examination, Unavailable},
};
use futures_util::try_join;

use crate::{log_function::LogFunction, metrics::OperatorMetrics, policies::Policies};

/// Reads what the state machine checks before any work.
pub(crate) struct Examiner {
    pub view: ChainView,
    /// The operator's address.
    pub operator: Address,
    pub policies: Arc<Policies>,
    pub metrics: Arc<OperatorMetrics>,
    pub log: LogFunction,
}

impl Examiner {
    /// Examines a task.
    ///
    /// # Errors
    ///
    /// The node or the policy stores gave no answer.
    pub(crate) async fn examine(&self, task: &Task) -> Result<Examination, Unavailable> {
        let read = try_join!(self.view.canonical_block(task.block_number), self.view.latest_block());
        let (canonical, latest) = read.map_err(|error| self.unavailable(&error))?;
        let block = canonical.filter(|block| block.hash == task.block_hash);
        let mut examination = Examination {
            block_timestamp: block.map(|block| block.timestamp),
            latest_timestamp: latest.timestamp,
            task_manager: Address::ZERO,
            client_policy: None,
            issuance_floor: U48::ZERO,
            is_spent: false,
            epoch: None,
            is_trusted_forwarder: false,
            is_delegated: false,
            is_newcomer: false,
            policy: None,
        };
        // Nothing is read for a block that is not canonical, or that another check refuses before.
        if let Some(block) = block.filter(|block| block.timestamp == task.block_timestamp) {
            self.examine_at(block, task, &mut examination).await?;
        }
        Ok(examination)
    }

    async fn examine_at(
        &self,
        block: ViewedBlock,
        task: &Task,
        examination: &mut Examination,
    ) -> Result<(), Unavailable> {
        let at = self.view.at(block);
        let (client, from) = (task.policy_client, task.intent.from);
        let terms = at.client_terms(client).await.map_err(|error| self.unavailable(&error))?;
        // Not a client: the state machine says so.
        let Some(ClientTerms { task_manager, policy, issuance_floor }) = terms else { return Ok(()) };
        let is_bound = policy.as_ref().is_some_and(|policy| policy.policyId == task.policy_id);
        examination.task_manager = task_manager;
        examination.client_policy = policy;
        examination.issuance_floor = issuance_floor;
        // The rest is only read for a client of this TaskManager with the task's policy.
        if task_manager != self.view.task_manager() || !is_bound {
            return Ok(());
        }
        let read = try_join!(
            at.is_spent(client, task.nonce),
            at.epoch(task.epoch),
            at.is_trusted_forwarder(client, from),
            at.is_delegated(from),
        );
        let (is_spent, epoch, is_trusted_forwarder, is_delegated) = read.map_err(|error| self.unavailable(&error))?;
        examination.is_spent = is_spent;
        examination.epoch = epoch;
        examination.is_trusted_forwarder = is_trusted_forwarder;
        examination.is_delegated = is_delegated;
        let policy = self.policies.get(task.policy_id).await?;
        let lifetime = examination.client_policy.as_ref().map_or(u64::MAX, |policy| policy.maxLifetime.to());
        let counts = policy.as_ref().is_some_and(|known| known.counts_outstanding);
        if let Some(epoch) = examination.epoch.as_ref().filter(|_| counts) {
            let newcomer = at.is_newcomer(self.operator, epoch, block.timestamp.saturating_sub(lifetime)).await;
            examination.is_newcomer = newcomer.map_err(|error| self.unavailable(&error))?;
        }
        examination.policy = policy.map(|known| Arc::clone(&known.policy));
        Ok(())
    }

    /// Returns what gateways learn of a read that failed: the node's own words can have its URL.
    fn unavailable(&self, error: &ChainViewError) -> Unavailable {
        self.metrics.node_errors.inc();
        (self.log)(&format!("cannot examine a task: {error}"));
        Unavailable("the operator's node did not answer".to_owned())
    }
}
