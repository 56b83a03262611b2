//! `assent stake status`.

use super::contract::{Declaration, OnEigenLayer, OnSymbiotic, StakeContract, StakeNode, StakeSystem};
use crate::{
    ExitStatus, connection,
    output::{self, Output, short_address},
};
use alloy::{
    primitives::{
        Address, U256,
        aliases::{U48, U96},
    },
    providers::DynProvider,
};
use anyhow::{Context as _, Result};
use assent_client::AssentClient;
use assent_contracts::{EigenLayerStake, SymbioticStake};
use clap::Args;
use comfy_table::{Cell, CellAlignment};
use serde_json::{Map, Value, json};

/// The options of `assent stake status`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent stake status --rpc-url http://127.0.0.1:8545 --stake $STAKE --operator-set 1
  assent stake status --stake $STAKE --operator-set 1 --json | jq '.members[] | select(.weight == \"0\")'

A weight is what EigenLayer or Symbiotic can slash of an operator for as long as an epoch with it lasts, and the
challenge window after it. A member without weight or without a key is not in the next epoch. Regions and providers are
what operators declared when they were admitted; nothing verifies them.")]
pub struct Arguments {
    #[command(flatten)]
    at: StakeNode,
}

/// A member of the set.
struct Member {
    operator: Address,
    weight: U96,
    has_key: bool,
    in_epoch: bool,
    declaration: Option<Declaration>,
    /// The vault that backs it, on Symbiotic.
    vault: Option<Address>,
}

/// Runs `assent stake status`.
pub fn run(arguments: Arguments, output: Output) -> Result<ExitStatus> {
    let Arguments { at } = arguments;
    let (contract, epoch, members) = connection::block_on(async {
        let (client, contract) = at.read().await?;
        let _spinner = output::spinner("Reading the members");
        let read = read_members(&client, &contract, &at).await;
        let (epoch, members) = read.with_context(|| at.node.asking())?;
        Ok((contract, epoch, members))
    })?;
    let total = members.iter().map(|member| U256::from(member.weight)).sum::<U256>();
    let mut report = json!({
        "stake": contract.address,
        "system": contract.system.name(),
        "operatorSet": at.operator_set,
        "registry": contract.registry,
        "admission": (!contract.admission.is_zero()).then_some(contract.admission),
        "minWeight": contract.min_weight.to_string(),
        "maxWeight": contract.max_weight.to_string(),
        "maxMembers": contract.max_members,
        "maxShare": contract.max_share,
        "slashableFor": contract.slashable_for.to::<u64>(),
        "challengeWindow": contract.challenge_window.to::<u64>(),
        "epoch": epoch,
        "totalWeight": total.to_string(),
        "members": members.iter().map(|member| to_json(member, total)).collect::<Vec<_>>(),
    });
    if let Some(report) = report.as_object_mut() {
        report.extend(of_system(&contract.system));
    }
    output.result(describe(&contract, &at, epoch, &members, total), &report)?;
    Ok(ExitStatus::Success)
}

/// Returns what only stake on this system has.
fn of_system(system: &StakeSystem) -> Map<String, Value> {
    let settings = match system {
        StakeSystem::EigenLayer(OnEigenLayer { allocation_manager, avs, lookahead, strategies }) => json!({
            "allocationManager": allocation_manager,
            "avs": avs,
            "lookaheadBlocks": lookahead,
            "strategies": strategies,
        }),
        StakeSystem::Symbiotic(OnSymbiotic { vault_factory, network, burner, vault_duration }) => json!({
            "vaultFactory": vault_factory,
            "network": network,
            "burner": burner,
            "vaultDuration": vault_duration.to::<u64>(),
        }),
    };
    match settings {
        Value::Object(settings) => settings,
        _ => Map::new(),
    }
}

async fn read_members(
    client: &AssentClient<DynProvider>,
    contract: &StakeContract,
    at: &StakeNode,
) -> Result<(Option<u32>, Vec<Member>)> {
    let stake = EigenLayerStake::new(contract.address, client.provider());
    let set = at.operator_set;
    let operators = stake.membersOf(set.into()).call().await?;
    let weights = stake.weightsOf(set.into(), operators.clone()).call().await?;
    let epoch = client.latest_epoch(contract.registry, set).await?;
    let mut members = Vec::new();
    for (operator, weight) in operators.into_iter().zip(weights) {
        let in_epoch = epoch.as_ref().is_some_and(|epoch| {
            epoch.operators.operators().binary_search_by_key(&operator, |known| known.address).is_ok()
        });
        let has_key = client.read_key(contract.registry, operator).await?.is_some();
        let declaration = contract.declaration(client, set, operator).await;
        let vault = match contract.system {
            StakeSystem::EigenLayer(_) => None,
            StakeSystem::Symbiotic(_) => {
                let stake = SymbioticStake::new(contract.address, client.provider());
                Some(stake.vaultOf(set.into(), operator).call().await?)
            }
        };
        members.push(Member { operator, weight, has_key, in_epoch, declaration, vault });
    }
    Ok((epoch.map(|epoch| epoch.number.into()), members))
}

fn describe(contract: &StakeContract, at: &StakeNode, epoch: Option<u32>, members: &[Member], total: U256) -> String {
    let mut table = output::table(["operator", "weight", "share", "key", "in the epoch", "region", "provider"]);
    for member in members {
        let yes_or_no = |is: bool| if is { "yes" } else { "NO" };
        let declared = member.declaration.clone().unwrap_or_default();
        table.add_row([
            Cell::new(short_address(member.operator)),
            Cell::new(member.weight).set_alignment(CellAlignment::Right),
            Cell::new(percent(share(member.weight, total))).set_alignment(CellAlignment::Right),
            Cell::new(yes_or_no(member.has_key)),
            Cell::new(yes_or_no(member.in_epoch)),
            Cell::new(declared.region),
            Cell::new(declared.provider),
        ]);
    }
    let seconds = |time: U48| output::counted(time.to::<u64>(), "second", "seconds");
    let epoch = epoch.map_or_else(|| "no epoch yet".to_owned(), |number| format!("epoch {number}"));
    let admission = if contract.admission.is_zero() {
        "open to any operator with enough stake".to_owned()
    } else {
        format!("open to whom {} admits", contract.admission)
    };
    format!(
        "operator set {} on {}: {}, total weight {total}, {epoch}; {admission}\nweights from {} to {}, at most {} of \
         an epoch's weight and {} members; a weight stays slashable for {} and the challenge window of {}\n{table}",
        at.operator_set,
        contract.system.name(),
        output::counted(members.len(), "member", "members"),
        contract.min_weight,
        contract.max_weight,
        percent(contract.max_share.into()),
        contract.max_members,
        seconds(contract.slashable_for),
        seconds(contract.challenge_window),
    )
}

fn to_json(member: &Member, total: U256) -> Value {
    let Member { operator, weight, has_key, in_epoch, declaration, vault } = member;
    let mut report = json!({
        "operator": operator,
        "weight": weight.to_string(),
        "share": share(*weight, total),
        "hasKey": has_key,
        "inEpoch": in_epoch,
        "region": declaration.as_ref().map(|declared| &declared.region),
        "provider": declaration.as_ref().map(|declared| &declared.provider),
    });
    if let Some((vault, report)) = vault.zip(report.as_object_mut()) {
        report.insert("vault".to_owned(), json!(vault));
    }
    report
}

/// Returns a share of the total weight, in basis points.
fn share(weight: U96, total: U256) -> u64 {
    let share = (U256::from(weight) * U256::from(10_000)).checked_div(total).unwrap_or_default();
    share.saturating_to()
}

fn percent(basis_points: u64) -> String {
    format!("{}.{:02} %", basis_points / 100, basis_points % 100)
}
