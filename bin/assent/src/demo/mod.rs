//! `assent demo`: a payment that operators allow, and all that is refused.

mod attempt;
mod node;
mod refusals;
mod signing;
mod stage;

use crate::{
    Outcome,
    output::{self, Output, short_address},
};
use alloy::primitives::utils::format_ether;
use anyhow::{Result, bail};
use attempt::{Attempt, Carried, Comparison};
use clap::Args;
use comfy_table::{Cell, CellAlignment, Color, Table};
use node::Node;
use serde_json::{Value, json};
use signing::LIFETIME;
use stage::{OPERATORS, SIGNERS, Stage};
use std::time::Duration;

/// The options of `assent demo`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent demo
  assent demo --json
  anvil --hardfork osaka &
  assent demo --rpc-url http://127.0.0.1:8545

Without --rpc-url the demo runs on a chain of its own in this process. A node must be a development node such as anvil, with
ten unlocked accounts; the demo returns it to the state in which it found it.
Exit status 0 means that the chain and the offline verifier agreed on every call, to the last byte of the error.")]
pub struct Arguments {
    /// Run on this development node instead.
    #[arg(long, value_name = "URL")]
    rpc_url: Option<String>,
}

/// The longest that the demo waits for a node that does not mine.
const LONGEST_WAIT: Duration = Duration::from_secs(180);

/// Runs `assent demo`.
pub fn run(arguments: Arguments, output: Output) -> Result<Outcome> {
    crate::connection::block_on(async {
        let node = Node::start(arguments.rpc_url.as_deref()).await?;
        let told = tokio::time::timeout(LONGEST_WAIT, tell(&node, output)).await;
        let told = told.unwrap_or_else(|_| {
            bail!("the node took too long; the demo needs one that mines every transaction at once")
        });
        let restored = node.restore().await;
        let outcome = told?;
        restored?;
        Ok(outcome)
    })
}

async fn tell(node: &Node, output: Output) -> Result<Outcome> {
    output
        .line("Assent demo: an AI agent may spend from a treasury only what a quorum of operators has authorised.\n")?;
    let spinner = output::spinner("Deploying contracts, registering operators, committing an epoch");
    let mut stage = Stage::build(node).await?;
    drop(spinner);
    introduce(&stage, node, output)?;

    let (payment, balances) = pay(&stage, output).await?;
    output.line(
        "\n5. What must be refused is sent all the same. Each call's error on chain, and the offline verifier's:",
    )?;
    let mut comparisons = vec![payment.comparison];
    comparisons.extend(refusals::run(&mut stage, node, &payment.authorization, output).await?);

    let disagreements = comparisons.iter().filter(|comparison| !comparison.agrees()).count();
    let report = report(&stage, node, &comparisons, &balances);
    output.result(format_args!("\n{}\n{}", table(&comparisons), verdict(comparisons.len(), disagreements)), &report)?;
    for comparison in comparisons.iter().filter(|comparison| !comparison.agrees()) {
        output::remark(format_args!(
            "disagreement in \"{}\": expected {:?}, on chain {:?}, offline {:?}",
            comparison.check, comparison.expected, comparison.on_chain, comparison.offline
        ));
    }
    Ok(if disagreements == 0 { Outcome::Success } else { Outcome::Refused })
}

fn introduce(stage: &Stage, node: &Node, output: Output) -> Result<()> {
    let Stage { deployment, chain_id, vault, token, agent, recipient, epoch, .. } = stage;
    output.line(format_args!("Chain: {}, id {chain_id}.", node.description))?;
    output.line("All keys are throw-away: they follow from published text. Never use them anywhere else.\n")?;

    output.line("1. The contracts are deployed:")?;
    for contract in deployment.in_order() {
        output.line(format_args!("   {:<16} {}", contract.name, short_address(contract.address)))?;
    }
    output.line(format_args!("   {:<16} {}   holds 1,000 EXT", "TreasuryVault", short_address(*vault)))?;
    output.line(format_args!("   {:<16} {}", "ExampleToken", short_address(*token)))?;

    let (number, total) = (epoch.number, epoch.operators.total_weight());
    let required = epoch.operators.required_weight(stage.policy.quorum);
    output.line(format_args!(
        "\n2. {OPERATORS} operators register with proofs of possession of their keys; epoch {number} freezes them:"
    ))?;
    for operator in epoch.operators.operators() {
        let key = output::shortened(operator.public_key);
        output.line(format_args!("   {}   key {key}   weight {}", short_address(operator.address), operator.weight))?;
    }
    output.line(format_args!("   weight in all {total}; the vault's policy demands {required}"))?;
    output.line(format_args!(
        "\n3. The agent {} asks to pay 250 EXT to {}. {SIGNERS} of {OPERATORS} operators allow it for {} minutes.",
        short_address(*agent),
        short_address(*recipient),
        LIFETIME / 60
    ))?;
    Ok(())
}

/// The payment that went through.
struct Payment {
    comparison: Comparison,
    authorization: assent_verifier::Authorization,
}

async fn pay(stage: &Stage, output: Output) -> Result<(Payment, Value)> {
    let data = stage.payment("250")?;
    let answer = stage.ask(stage.question(stage.intent(data.clone()), 0)).await?;
    output.line(format_args!("   task {}", output::shortened(answer.document.attestation.taskId)))?;
    output.line(format_args!("   authorization of {} bytes", answer.authorization.encode().len()))?;

    let authorization = answer.authorization;
    let attempt =
        Attempt { caller: stage.agent, carried: Carried::Trailing(data), authorization: authorization.clone() };
    let (refusal, time) = attempt.verify_offline(stage).await?;
    if let Some(refusal) = refusal {
        bail!("the offline verifier refuses the payment: {}: {refusal}", refusal.name());
    }
    output.line(format_args!("\n4. Verified offline in {}. The agent sends the call:", duration(time)))?;

    let before = (stage.balance(stage.vault).await?, stage.balance(stage.recipient).await?);
    let (gas, on_chain) = attempt.send(stage).await?;
    let after = (stage.balance(stage.vault).await?, stage.balance(stage.recipient).await?);
    output.line(format_args!("   treasury   {} → {} EXT", format_amount(before.0), format_amount(after.0)))?;
    output.line(format_args!("   recipient  {} → {} EXT", format_amount(before.1), format_amount(after.1)))?;
    output.line(format_args!("   gas        {}", thousands(gas)))?;

    let comparison = Comparison {
        check: "5 of 7 signed",
        story: "The agent pays what was attested.",
        expected: None,
        on_chain,
        offline: None,
        gas,
        time,
    };
    let balances = json!({
        "treasury": { "before": before.0.to_string(), "after": after.0.to_string() },
        "recipient": { "before": before.1.to_string(), "after": after.1.to_string() },
    });
    Ok((Payment { comparison, authorization }, balances))
}

fn table(comparisons: &[Comparison]) -> Table {
    let mut table = output::table(["check", "on chain", "offline", "agree", "gas", "time"]);
    for comparison in comparisons {
        let agree =
            if comparison.agrees() { Cell::new("yes").fg(Color::Green) } else { Cell::new("NO").fg(Color::Red) };
        table.add_row([
            Cell::new(comparison.check),
            Cell::new(attempt::name(&comparison.on_chain)),
            Cell::new(attempt::name(&comparison.offline)),
            agree,
            Cell::new(thousands(comparison.gas)).set_alignment(CellAlignment::Right),
            Cell::new(duration(comparison.time)).set_alignment(CellAlignment::Right),
        ]);
    }
    table
}

fn verdict(calls: usize, disagreements: usize) -> String {
    match disagreements {
        0 => format!(
            "The chain and the offline verifier agree on all {calls} calls, to the last byte of the revert data.\n\
             gas: the whole transaction; time: one offline verification."
        ),
        some => format!("The chain and the offline verifier do NOT agree on {some} of {calls} calls."),
    }
}

fn report(stage: &Stage, node: &Node, comparisons: &[Comparison], balances: &Value) -> Value {
    let contracts = stage.deployment.in_order();
    let mut addresses = contracts.iter().map(|contract| (contract.name, contract.address)).collect::<Vec<_>>();
    addresses.extend([("TreasuryVault", stage.vault), ("ExampleToken", stage.token)]);
    json!({
        "chain": { "description": node.description, "chainId": stage.chain_id.to_string() },
        "contracts": addresses.into_iter().map(|(name, address)| json!({ "name": name, "address": address })).collect::<Vec<_>>(),
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
