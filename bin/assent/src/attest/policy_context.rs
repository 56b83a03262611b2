//! The chain, contracts, policy and epoch for which calls are attested.

use crate::{arguments, input};
use alloy_primitives::{Address, B256, U256};
use anyhow::{Context as _, Result, bail};
use assent_verifier::{Context, Epoch, OperatorSetId};
use clap::Args;
use std::path::{Path, PathBuf};

/// The options for chain, contracts, policy and epoch.
#[derive(Args)]
pub struct ContextArguments {
    /// Read chain, TaskManager, client, policy and the policy's newest epoch from a context, as JSON.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["chain_id", "task_manager", "client", "policy_id"])]
    context: Option<PathBuf>,
    /// The operators' epoch, as JSON.
    #[arg(long, value_name = "FILE", required_unless_present = "context")]
    epoch: Option<PathBuf>,
    /// The chain.
    #[arg(long, value_name = "NUMBER", required_unless_present = "context", value_parser = arguments::whole_number)]
    chain_id: Option<U256>,
    /// The client's TaskManager.
    #[arg(long, value_name = "ADDRESS", required_unless_present = "context", value_parser = arguments::address)]
    task_manager: Option<Address>,
    /// The protected contract.
    #[arg(long, value_name = "ADDRESS", required_unless_present = "context", value_parser = arguments::address)]
    client: Option<Address>,
    /// The client's policy.
    #[arg(long, value_name = "HASH", required_unless_present = "context", value_parser = arguments::policy_id)]
    policy_id: Option<B256>,
}

/// The values of [`ContextArguments`].
pub struct PolicyContext {
    pub chain_id: U256,
    pub task_manager: Address,
    pub policy_client: Address,
    pub policy_id: B256,
    /// The time of the context, which is a recent block's.
    pub timestamp: Option<u64>,
    pub epoch: Epoch,
    /// The chain state, with the epoch; `None` without a context.
    pub state: Option<Context>,
    /// The minimum weight that must sign; `None` without a context.
    pub required_weight: Option<U256>,
}

impl ContextArguments {
    /// Returns the files that are read.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.context.iter().chain(&self.epoch).map(PathBuf::as_path)
    }

    /// Reads the files.
    pub fn read(&self) -> Result<PolicyContext> {
        let epoch = self.epoch.as_deref().map(|path| input::read_json::<Epoch>("epoch file", path)).transpose()?;
        if let Some(path) = &self.context {
            return PolicyContext::from_context(input::read_json("context file", path)?, epoch, path);
        }
        // The command line's rules require all of them.
        let (Some(chain_id), Some(task_manager), Some(policy_client), Some(policy_id), Some(epoch)) =
            (self.chain_id, self.task_manager, self.client, self.policy_id, epoch)
        else {
            bail!("give --context, or all of --epoch, --chain-id, --task-manager, --client and --policy-id");
        };
        Ok(PolicyContext {
            chain_id,
            task_manager,
            policy_client,
            policy_id,
            timestamp: None,
            epoch,
            state: None,
            required_weight: None,
        })
    }
}

impl PolicyContext {
    fn from_context(context: Context, epoch: Option<Epoch>, path: &Path) -> Result<Self> {
        let mut state = context.clone();
        let Context { chain_id, task_manager, policy_client, policy, timestamp, epochs, .. } = context;
        let policy = policy.with_context(|| {
            format!(
                "context file {}: the client has no policy; its owner sets one with setAssentPolicy",
                path.display()
            )
        })?;
        let newest = || {
            epochs
                .into_iter()
                .filter(|epoch| epoch.operator_set == OperatorSetId(policy.operatorSet))
                .max_by_key(|epoch| epoch.number)
        };
        let epoch = epoch.or_else(newest).with_context(|| {
            format!(
                "context file {} has no epoch of operator set {}; give one with --epoch",
                path.display(),
                policy.operatorSet
            )
        })?;
        let required_weight = Some(epoch.operators.required_weight(policy.quorum));
        state.epochs.retain(|other| other.number != epoch.number);
        state.epochs.push(epoch.clone());
        Ok(Self {
            chain_id,
            task_manager,
            policy_client,
            policy_id: policy.policyId,
            timestamp: Some(timestamp),
            epoch,
            state: Some(state),
            required_weight,
        })
    }
}
