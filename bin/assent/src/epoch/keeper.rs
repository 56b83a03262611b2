//! Epochs that anyone commits: `assent epoch commit --keeper` and `assent epoch status`.

use super::{status as in_words, transaction};
use crate::{
    ExitStatus,
    account::Account,
    arguments,
    connection::{self, Node},
    output::{self, Output, short_address},
    stake::{
        contract::{Declaration, declarations},
        keeper::{self, registry_of},
    },
};
use alloy::{
    primitives::{Address, U256},
    providers::{DynProvider, Provider},
    rpc::types::BlockNumberOrTag,
};
use anyhow::{Context as _, Result, bail};
use assent_client::{AssentClient, EpochRecord};
use assent_contracts::{EigenLayerStake, EpochKeeper, OperatorRegistry};
use assent_verifier::{Epoch, OperatorSetId};
use clap::Args;
use serde_json::{Value, json};

/// The options of `assent epoch status`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent epoch status --rpc-url http://127.0.0.1:8545 --keeper $KEEPER --operator-set 1
  assent epoch status --keeper $KEEPER --operator-set 1 --json | jq .nextCommit

Shows the set's current and pending epoch, when anyone may commit the next, and operators of the current one that lost
their weight or no longer use its key. With such an operator, the next epoch can be committed early.")]
pub struct StatusArguments {
    #[command(flatten)]
    node: Node,
    /// The EpochKeeper.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    keeper: Address,
    /// The operator set.
    #[arg(long, value_name = "NUMBER", value_parser = arguments::operator_set_id())]
    operator_set: OperatorSetId,
}

/// What a keeper says of a set.
struct KeptSet {
    current: Option<EpochRecord>,
    pending: Option<EpochRecord>,
    next_commit: u64,
    next_early_commit: u64,
    now: u64,
    lost: Vec<LostOperator>,
}

/// An operator of the current epoch that the keeper counts as lost: without weight, or no longer with its key.
struct LostOperator {
    index: usize,
    operator: Address,
    declaration: Option<Declaration>,
}

/// Commits all members of a set through a keeper. Returns the epoch.
pub fn commit(
    node: &Node,
    keeper: Address,
    operator_set: OperatorSetId,
    lost: Option<Address>,
    payer: &Account,
    output: Output,
) -> Result<ExitStatus> {
    let (from, signer) = payer.open()?;
    let (record, receipt) = connection::block_on(async {
        let client = AssentClient::new(node.connect(signer)?);
        let _spinner = output::spinner("Committing the members");
        let registry = registry_of(&client, keeper).await.with_context(|| node.asking())?;
        let lost = match lost {
            None => None,
            Some(operator) => Some(index_of(&client, registry, operator_set, operator).await?),
        };
        let committed = keeper::commit(&client, from, keeper, operator_set, lost).await;
        let (number, receipt) =
            committed.context("committing; `assent epoch status --keeper` says from when it is possible")?;
        let record = client.read_epoch_record(registry, number).await;
        Ok((record.with_context(|| node.asking())?, receipt))
    })?;
    let Epoch { number, operators, .. } = &record.epoch;
    let (count, gas) = (operators.operators().len(), receipt.gas_used);
    output.result(
        format_args!(
            "epoch {number} of operator set {operator_set} is {}: {count} operators, {gas} gas",
            in_words(&record)
        ),
        &json!({
            "epoch": number,
            "operatorSet": operator_set,
            "operators": count,
            "activatesAt": record.pending_until().map(|time| time.to::<u64>()),
            "transactions": [transaction(&receipt)],
            "gas": gas,
        }),
    )?;
    Ok(ExitStatus::Success)
}

/// Runs `assent epoch status`.
pub fn status(arguments: StatusArguments, output: Output) -> Result<ExitStatus> {
    let StatusArguments { node, keeper, operator_set } = arguments;
    let kept = connection::block_on(async {
        let client = AssentClient::new(node.connect(None)?);
        let _spinner = output::spinner("Reading the keeper");
        read(&client, keeper, operator_set).await.with_context(|| node.asking())
    })?;
    let number = |record: &Option<EpochRecord>| record.as_ref().map(|record| record.epoch.number);
    output.result(
        describe(&kept, operator_set),
        &json!({
            "operatorSet": operator_set,
            "epoch": number(&kept.current),
            "validUntil": kept.current.as_ref().map(|record| record.epoch.valid_until.to::<u64>()),
            "pendingEpoch": number(&kept.pending),
            "activatesAt": kept.pending.as_ref().and_then(EpochRecord::pending_until).map(|time| time.to::<u64>()),
            "nextCommit": kept.next_commit,
            "nextEarlyCommit": kept.next_early_commit,
            "time": kept.now,
            "lost": kept.lost.iter().map(LostOperator::to_json).collect::<Vec<_>>(),
        }),
    )?;
    Ok(ExitStatus::Success)
}

async fn read(client: &AssentClient<DynProvider>, keeper: Address, operator_set: OperatorSetId) -> Result<KeptSet> {
    let registry = registry_of(client, keeper).await?;
    let contract = EpochKeeper::new(keeper, client.provider());
    let current = client.latest_epoch_record(registry, operator_set).await?;
    let lost = match &current {
        Some(record) => lost_operators(client, registry, &record.epoch).await?,
        None => Vec::new(),
    };
    let latest = client.provider().get_block_by_number(BlockNumberOrTag::Latest).await?;
    Ok(KeptSet {
        pending: client.pending_epoch(registry, operator_set).await?,
        next_commit: contract.nextCommit(operator_set.into()).call().await?.saturating_to(),
        next_early_commit: contract.nextEarlyCommit(operator_set.into()).call().await?.saturating_to(),
        now: latest.context("the node has no latest block")?.header.timestamp,
        current,
        lost,
    })
}

/// Returns the operators of an epoch that the keeper counts as lost.
async fn lost_operators(
    client: &AssentClient<DynProvider>,
    registry: Address,
    epoch: &Epoch,
) -> Result<Vec<LostOperator>> {
    let source = OperatorRegistry::new(registry, client.provider()).stakeSource().call().await?;
    let operators = epoch.operators.operators();
    let addresses = operators.iter().map(|operator| operator.address).collect();
    // Any stake source has this function.
    let source = EigenLayerStake::new(source, client.provider());
    let weights = source.weightsOf(epoch.operator_set.into(), addresses).call().await?;
    let mut lost = Vec::new();
    for ((index, operator), weight) in operators.iter().enumerate().zip(weights) {
        let key = client.read_key(registry, operator.address).await?;
        if weight.is_zero() || key != Some(operator.public_key) {
            lost.push((index, operator.address));
        }
    }
    let addresses = lost.iter().map(|(_, operator)| *operator);
    let declared = declarations(client, registry, epoch.operator_set, addresses).await;
    let lost = lost.into_iter().zip(declared);
    Ok(lost.map(|((index, operator), declaration)| LostOperator { index, operator, declaration }).collect())
}

impl LostOperator {
    fn to_json(&self) -> Value {
        let Self { index, operator, declaration } = self;
        json!({
            "index": index,
            "operator": operator,
            "region": declaration.as_ref().map(|declared| &declared.region),
            "provider": declaration.as_ref().map(|declared| &declared.provider),
        })
    }

    fn describe(&self) -> String {
        let operator = short_address(self.operator);
        match &self.declaration {
            Some(Declaration { region, provider }) => format!("{operator} ({region}, {provider})"),
            None => operator,
        }
    }
}

fn describe(kept: &KeptSet, operator_set: OperatorSetId) -> String {
    let epoch = |record: &Option<EpochRecord>, none: &str| match record {
        Some(record) => format!("epoch {}, {}", record.epoch.number, in_words(record)),
        None => none.to_owned(),
    };
    let from = |time: u64| match time <= kept.now {
        true => "now".to_owned(),
        false => format!("from {}", output::time(time)),
    };
    let mut table = output::table(["operator set", &operator_set.to_string()]);
    table
        .add_row(["current", &epoch(&kept.current, "none")])
        .add_row(["pending", &epoch(&kept.pending, "none")])
        .add_row(["next commit", &from(kept.next_commit)])
        .add_row(["early commit", &from(kept.next_early_commit)]);
    for lost in &kept.lost {
        table.add_row(["lost", &lost.describe()]);
    }
    let next = match (kept.pending.is_some(), kept.lost.first()) {
        (true, _) => "the pending epoch must be activated first: `assent epoch activate`".to_owned(),
        (false, Some(LostOperator { operator, .. })) if kept.next_early_commit <= kept.now => {
            format!("anyone can commit early: `assent epoch commit --keeper ADDRESS --lost {operator}`")
        }
        _ if kept.next_commit <= kept.now => "anyone can commit: `assent epoch commit --keeper ADDRESS`".to_owned(),
        _ => format!("the next commit is possible {}", from(kept.next_commit)),
    };
    format!("{table}\n{next}")
}

/// Returns an operator's index in the set's current epoch.
async fn index_of(
    client: &AssentClient<DynProvider>,
    registry: Address,
    operator_set: OperatorSetId,
    operator: Address,
) -> Result<U256> {
    let Some(epoch) = client.latest_epoch(registry, operator_set).await? else {
        bail!("operator set {operator_set} has no epoch yet; commit its first without --lost");
    };
    let operators = epoch.operators.operators();
    let index = operators.iter().position(|known| known.address == operator);
    index.map(U256::from).with_context(|| {
        format!("{operator} is not in epoch {}; `assent epoch status --keeper` lists those that are lost", epoch.number)
    })
}
