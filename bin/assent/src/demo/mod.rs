//! `assent demo`: a payment that operators allow, one that they deny, and the calls that must be refused.

mod asked;
mod equivocation;
mod node;
mod refusals;
mod signing;
mod vault_call;

use crate::{
    ExitStatus,
    network::{self, Folder, LocalChain, LocalNetwork},
    output::{self, Output, short_address},
    setup::Setup,
};
use alloy::primitives::utils::format_ether;
use anyhow::{Result, bail};
use asked::AskedPayment;
use clap::{Args, Subcommand};
use comfy_table::{Cell, CellAlignment, Color, Table};
use node::Node;
use serde_json::{Value, json};
use signing::{OPERATORS, demo_keys};
use std::time::Duration;
use vault_call::{CallForm, Comparison, VaultCall};

/// The options of `assent demo`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent demo
  assent demo --json
  assent demo equivocation
  anvil --hardfork osaka &
  assent demo --rpc-url http://127.0.0.1:8545

Runs operators and a gateway in this process, as `assent network up` does, and asks the gateway for two payments. Then
it sends the calls that must be refused, and verifies each offline.
Without --rpc-url the demo runs on its own in-process chain. A node must be a development node such as anvil, with ten
unlocked accounts; the demo restores its state at the end.
Exit status 0 means that the chain and the offline verifier agreed on every call, to the last byte of the error.")]
pub struct Arguments {
    /// Run on this development node.
    #[arg(long, value_name = "URL")]
    rpc_url: Option<String>,
    #[command(subcommand)]
    part: Option<Part>,
}

/// Demos of one part of Assent.
#[derive(Subcommand)]
enum Part {
    /// Slash an operator that signed two decisions of one task, on EigenLayer's contracts.
    Equivocation(equivocation::Arguments),
}

/// The longest time that the demo waits for a node that does not mine.
const LONGEST_WAIT: Duration = Duration::from_secs(180);

/// Runs `assent demo`.
pub fn run(arguments: Arguments, output: Output) -> Result<ExitStatus> {
    if let Some(Part::Equivocation(part)) = arguments.part {
        return equivocation::run(&part, output);
    }
    network::block_on(async {
        let (node, chain) = Node::start(arguments.rpc_url.as_deref()).await?;
        let presented = tokio::time::timeout(LONGEST_WAIT, present(&node, chain, output)).await;
        let presented = presented.unwrap_or_else(|_| {
            bail!("the node took too long; the demo needs a node that mines every transaction at once")
        });
        let restored = node.restore().await;
        let outcome = presented?;
        restored?;
        Ok(outcome)
    })
}

async fn present(node: &Node, chain: LocalChain, output: Output) -> Result<ExitStatus> {
    output.line("Assent demo: an AI agent can spend from a treasury only what a quorum of operators authorized.\n")?;
    let spinner = output::spinner("Deploying contracts, registering operators, starting them and a gateway");
    let network = LocalNetwork::start(chain, Folder::new(None)?, &[network::local(0)], demo_keys()?, None).await?;
    drop(spinner);
    introduce(&network, node, output)?;

    output.line("\n3. The agent asks the gateway for a payment of 250 EXT. The policy allows 500 EXT at once:")?;
    let allowed = AskedPayment::ask(&network, "250").await?;
    allowed.print(&network.setup, output)?;
    let (payment, balances) = pay(&network.setup, &allowed, output).await?;
    output.line("\n5. The agent asks for 900 EXT:")?;
    let denied = AskedPayment::ask(&network, "900").await?;
    denied.print(&network.setup, output)?;

    let gateways = network.gateway_urls.clone();
    // What follows moves the chain's clock and revokes the epoch.
    let mut setup = network.stop().await?;
    output.line(
        "\n6. Now the calls that must be refused, each with its error on chain and from the offline verifier.\n   \
         Their attestations are signed here, with the operators' keys: the operators do not sign most of them.",
    )?;
    let mut comparisons = vec![payment];
    comparisons.extend(refusals::run(&mut setup, node, &allowed, &denied, output).await?);

    let disagreements = comparisons.iter().filter(|comparison| !comparison.agrees()).count();
    let decisions = [allowed.to_json(), denied.to_json()];
    let report = report(&setup, node, &gateways, &decisions, &comparisons, &balances);
    output
        .result(format_args!("\n{}\n{}", table(&comparisons), conclusion(comparisons.len(), disagreements)), &report)?;
    for comparison in comparisons.iter().filter(|comparison| !comparison.agrees()) {
        output::remark(format_args!(
            "disagreement in \"{}\": expected {:?}, on chain {:?}, offline {:?}",
            comparison.check, comparison.expected, comparison.on_chain, comparison.offline
        ));
    }
    Ok(if disagreements == 0 { ExitStatus::Success } else { ExitStatus::Refused })
}

fn introduce(network: &LocalNetwork, node: &Node, output: Output) -> Result<()> {
    let LocalNetwork { setup, gateway_urls, .. } = network;
    let Setup { deployment, chain_id, vault, token, agent, epoch, .. } = setup;
    output.line(format_args!("Chain: {}, id {chain_id}.", node.description))?;
    output.line("All keys are throw-away keys, derived from published text. Never use them anywhere else.\n")?;

    output.line("1. The contracts are deployed:")?;
    for contract in deployment.in_order() {
        output.line(format_args!("   {:<16} {}", contract.name, short_address(contract.address)))?;
    }
    output.line(format_args!("   {:<16} {}   holds 1,000 EXT", "TreasuryVault", short_address(*vault)))?;
    output.line(format_args!("   {:<16} {}", "ExampleToken", short_address(*token)))?;
    output.line(format_args!("   {:<16} {}   spends from it", "the agent", short_address(*agent)))?;

    let (number, total) = (epoch.number, epoch.operators.total_weight());
    let required = epoch.operators.required_weight(setup.policy.quorum);
    output.line(format_args!(
        "\n2. {OPERATORS} operators register with proofs of possession of their keys; epoch {number} has them all:"
    ))?;
    for operator in epoch.operators.operators() {
        let key = output::shortened(operator.public_key);
        output.line(format_args!("   {}   key {key}   weight {}", short_address(operator.address), operator.weight))?;
    }
    output.line(format_args!("   total weight {total}; the vault's policy requires {required}"))?;
    output.line(format_args!(
        "   each runs with its own key and journal, and is connected to {}",
        gateway_urls.join(", ")
    ))?;
    Ok(())
}

/// Verifies the payment that operators allow, and sends it. Returns the balances, too.
async fn pay(setup: &Setup, allowed: &AskedPayment, output: Output) -> Result<(Comparison, Value)> {
    let (form, authorization) = (CallForm::Trailing(allowed.data.clone()), allowed.decided.authorization.clone());
    let length = authorization.encode().len();
    let call = VaultCall { caller: setup.agent, form, authorization };
    let (refusal, time) = call.verify_offline(setup).await?;
    if let Some(refusal) = refusal {
        bail!("the offline verifier refuses the payment: {}: {refusal}", refusal.name());
    }
    output.line(format_args!(
        "\n4. Verified offline in {}. The agent sends the call, with the {length} bytes of its authorization:",
        duration(time)
    ))?;

    let before = (setup.balance(setup.vault).await?, setup.balance(setup.recipient).await?);
    let (gas, on_chain) = call.send(setup).await?;
    let after = (setup.balance(setup.vault).await?, setup.balance(setup.recipient).await?);
    output.line(format_args!("   treasury     {} → {} EXT", format_amount(before.0), format_amount(after.0)))?;
    output.line(format_args!("   recipient    {} → {} EXT", format_amount(before.1), format_amount(after.1)))?;
    output.line(format_args!("   gas          {}", thousands(gas)))?;

    let comparison = Comparison {
        check: "a quorum signed",
        story: "The agent pays what was attested.",
        expected: None,
        on_chain,
        offline: None,
        gas,
        time,
        reasons: allowed.decided.reasons.clone(),
    };
    let balances = json!({
        "treasury": { "before": before.0.to_string(), "after": after.0.to_string() },
        "recipient": { "before": before.1.to_string(), "after": after.1.to_string() },
    });
    Ok((comparison, balances))
}

fn table(comparisons: &[Comparison]) -> Table {
    let mut table = output::table(["check", "on chain", "offline", "agree", "gas", "time"]);
    for comparison in comparisons {
        let agree =
            if comparison.agrees() { Cell::new("yes").fg(Color::Green) } else { Cell::new("NO").fg(Color::Red) };
        table.add_row([
            Cell::new(comparison.check_with_reasons()),
            Cell::new(vault_call::name(&comparison.on_chain)),
            Cell::new(vault_call::name(&comparison.offline)),
            agree,
            Cell::new(thousands(comparison.gas)).set_alignment(CellAlignment::Right),
            Cell::new(duration(comparison.time)).set_alignment(CellAlignment::Right),
        ]);
    }
    table
}

fn conclusion(calls: usize, disagreements: usize) -> String {
    match disagreements {
        0 => format!(
            "The chain and the offline verifier agree on all {calls} calls, to the last byte of the revert data.\n\
             gas: the whole transaction; time: one offline verification.\n\
             `assent network up` runs such a network until you stop it, and prints what to ask it."
        ),
        some => format!("The chain and the offline verifier do NOT agree on {some} of {calls} calls."),
    }
}

fn report(
    setup: &Setup,
    node: &Node,
    gateways: &[String],
    decisions: &[Value],
    comparisons: &[Comparison],
    balances: &Value,
) -> Value {
    let contracts = setup.deployment.in_order();
    let mut addresses = contracts.iter().map(|contract| (contract.name, contract.address)).collect::<Vec<_>>();
    addresses.extend([("TreasuryVault", setup.vault), ("ExampleToken", setup.token)]);
    let addresses = addresses.into_iter().map(|(name, address)| json!({ "name": name, "address": address }));
    let addresses = addresses.collect::<Vec<_>>();
    json!({
        "chain": { "description": node.description, "chainId": setup.chain_id.to_string() },
        "contracts": addresses,
        "gateways": gateways,
        "decisions": decisions,
        "balances": balances,
        "checks": comparisons.iter().map(Comparison::to_json).collect::<Vec<_>>(),
        "agree": comparisons.iter().all(Comparison::agrees),
    })
}

fn format_amount(amount: alloy::primitives::U256) -> String {
    format_ether(amount).trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn duration(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1_000.0)
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect::<Vec<_>>();
    groups.join(",")
}
