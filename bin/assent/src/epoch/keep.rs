//! `assent epoch keep`.

use super::transaction;
use crate::{
    ExitStatus,
    account::Account,
    arguments,
    connection::{self, RegistryNode},
    output::{self, Output},
    transaction::hashes,
};
use alloy::providers::{DynProvider, Provider};
use alloy_primitives::Address;
use anyhow::{Context, Result};
use assent_client::{AssentClient, ClientError, EpochRecord, EpochStatus, with_causes};
use assent_verifier::{EpochId, OperatorSetId};
use clap::Args;
use serde_json::json;
use std::time::Duration;

/// The options of `assent epoch keep`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent epoch keep --rpc-url http://127.0.0.1:8545 --registry $REGISTRY --operator-set 1 --private-key-file owner.key
  assent epoch keep --registry $REGISTRY --operator-set 1 --once --account $OWNER

The registry's owner runs this. It activates the pending epoch once its delay is over. It commits the next one so early
that it can be activated --margin seconds before the current one expires, or as soon as an operator of the current
epoch has no valid key. Without --once it goes on until it is stopped, and reports errors without ending.")]
pub struct Arguments {
    #[command(flatten)]
    at: RegistryNode,
    /// The operator set.
    #[arg(long, value_name = "NUMBER", value_parser = arguments::operator_set_id())]
    operator_set: OperatorSetId,
    /// The operators, in any order; by default those of the current epoch.
    #[arg(value_name = "OPERATOR", value_parser = arguments::address)]
    operators: Vec<Address>,
    /// How long before the current epoch expires the next one can be activated, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "86400")]
    margin: u64,
    /// Do only what is due now.
    #[arg(long)]
    once: bool,
    /// How long to wait between two looks at the registry, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "60", conflicts_with = "once")]
    interval: u64,
    #[command(flatten)]
    owner: Account,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Activate(EpochId),
    /// The pending epoch holds a key that is no longer valid.
    Replace(EpochId),
    Commit,
    Nothing,
}

/// The state of a set that decides what is due.
struct SetState {
    timestamp: u64,
    activation_delay: u64,
    current: Option<EpochRecord>,
    pending: Option<EpochRecord>,
    /// The operators of both that have no valid key.
    without_key: Vec<Address>,
}

/// Runs `assent epoch keep`.
pub fn run(arguments: Arguments, output: Output) -> Result<ExitStatus> {
    let (owner, signer) = arguments.owner.open()?;
    connection::block_on(async {
        let client = AssentClient::new(arguments.at.node.connect(signer)?);
        loop {
            let kept = arguments.keep(&client, owner, output).await.with_context(|| arguments.at.node.asking());
            if arguments.once {
                return kept.map(|()| ExitStatus::Success);
            }
            if let Err(error) = kept {
                output::remark(format_args!("warning: {}; it is tried again", with_causes(error.as_ref())));
            }
            tokio::time::sleep(Duration::from_secs(arguments.interval)).await;
        }
    })
}

impl Arguments {
    /// Does what is due, one step after the other.
    async fn keep(&self, client: &AssentClient<DynProvider>, owner: Address, output: Output) -> Result<()> {
        let (registry, set) = (self.at.registry, self.operator_set);
        let mut report_nothing = self.once;
        loop {
            let state = self.read(client).await?;
            match state.due(self.margin) {
                Step::Nothing => {
                    if report_nothing {
                        output.result("nothing is due", &json!({ "step": "nothing" }))?;
                    }
                    return Ok(());
                }
                Step::Activate(epoch) => {
                    let receipt = client.activate_epoch(registry, owner, epoch).await?;
                    output.result(
                        format_args!("epoch {epoch} of operator set {set} is in force"),
                        &json!({ "step": "activate", "epoch": epoch, "transaction": transaction(&receipt) }),
                    )?;
                }
                Step::Replace(epoch) => {
                    let receipt = client.revoke_epochs(registry, owner, &[epoch]).await?;
                    output.result(
                        format_args!("pending epoch {epoch} is revoked: one of its operators has no valid key"),
                        &json!({ "step": "revoke", "epoch": epoch, "transaction": transaction(&receipt) }),
                    )?;
                }
                Step::Commit => {
                    let operators = self.next_operators(&state);
                    let committed = client.commit_epoch(registry, owner, set, &operators).await?;
                    output.result(
                        format_args!("epoch {} of operator set {set} is committed", committed.number),
                        &json!({
                            "step": "commit",
                            "epoch": committed.number,
                            "skipped": committed.skipped,
                            "transactions": hashes(&committed.receipts),
                        }),
                    )?;
                }
            }
            report_nothing = false;
        }
    }

    fn next_operators(&self, state: &SetState) -> Vec<Address> {
        if !self.operators.is_empty() {
            return self.operators.clone();
        }
        let current = state.current.iter().flat_map(|record| record.epoch.operators.operators());
        current.map(|operator| operator.address).collect()
    }

    async fn read(&self, client: &AssentClient<DynProvider>) -> Result<SetState, ClientError> {
        let (registry, set) = (self.at.registry, self.operator_set);
        let block = client.provider().get_block(alloy::eips::BlockId::latest()).await;
        let block = block.map_err(ClientError::Transport)?.ok_or(ClientError::NoBlock)?;
        let current = client.latest_epoch_record(registry, set).await?;
        let pending = client.pending_epoch(registry, set).await?.filter(EpochRecord::is_live);
        let mut without_key = Vec::new();
        for operator in current.iter().chain(&pending).flat_map(|record| record.epoch.operators.operators()) {
            if client.read_key(registry, operator.address).await?.is_none() {
                without_key.push(operator.address);
            }
        }
        let activation_delay = client.read_delays(registry).await?.activation_delay.to::<u64>();
        Ok(SetState { timestamp: block.header.timestamp, activation_delay, current, pending, without_key })
    }
}

impl SetState {
    fn due(&self, margin: u64) -> Step {
        if let Some(pending) = &self.pending {
            return match pending.status {
                _ if self.has_lost_a_key(pending) => Step::Replace(pending.epoch.number),
                EpochStatus::Pending { activates_at } if self.timestamp >= activates_at.to::<u64>() => {
                    Step::Activate(pending.epoch.number)
                }
                _ => Step::Nothing,
            };
        }
        let Some(current) = &self.current else { return Step::Commit };
        let until = current.epoch.valid_until.to::<u64>();
        let latest = until.saturating_sub(self.activation_delay).saturating_sub(margin);
        if self.timestamp >= latest || self.has_lost_a_key(current) { Step::Commit } else { Step::Nothing }
    }

    fn has_lost_a_key(&self, record: &EpochRecord) -> bool {
        record.epoch.operators.operators().iter().any(|operator| self.without_key.contains(&operator.address))
    }
}
