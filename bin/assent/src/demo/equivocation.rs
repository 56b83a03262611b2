//! `assent demo equivocation`: an operator signs two decisions of one task, and loses half of its stake.

use super::{
    node::Node,
    signing::{OPERATORS, SIGNERS, demo_keys},
    thousands,
};
use crate::{
    ExitStatus,
    network::{self, LocalChain},
    offence::record,
    output::{self, Output, short_address},
    setup::Setup,
    stake::{
        eigenlayer::Artifacts,
        example::{STAKE, StakedNetwork},
        keeper,
    },
};
use alloy::{
    primitives::{Address, B256, U256, utils::format_ether},
    sol_types::SolCall,
};
use anyhow::{Context as _, Result, bail};
use assent_client::PreparedCall;
use assent_contracts::{EigenLayerSlasher, offences::equivocation_proof};
use assent_signer::{AttestationBatch, PartialSignature, aggregate};
use assent_verifier::{Attestation, AttestationDocument, Decision, Epoch};
use clap::Args;
use serde_json::{Value, json};

/// The options of `assent demo equivocation`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent demo equivocation
  assent demo equivocation --json | jq '.stakeBefore, .stakeAfter, .nonSignerUntouched'
  assent demo equivocation --eigenlayer ~/assent/cache/eigenlayer --rpc-url http://127.0.0.1:8545

EigenLayer's contracts are the real ones. Their bytecode is no part of this program: `cargo xtask test --only
EigenLayer` fetches it in a clone of the repository. Without --rpc-url the demo runs on its own in-process chain.
Exit status 0 means that the operator lost stake, that no one else did, and that the next epoch lacks the operator.")]
pub struct Arguments {
    /// Run on this development node.
    #[arg(long, value_name = "URL")]
    rpc_url: Option<String>,
    #[command(flatten)]
    eigenlayer: Artifacts,
}

/// The index of the operator that signs twice.
const OFFENDER: usize = 0;

/// Runs `assent demo equivocation`.
pub fn run(arguments: &Arguments, output: Output) -> Result<ExitStatus> {
    arguments.eigenlayer.require()?;
    network::block_on(async {
        let (node, chain) = Node::start(arguments.rpc_url.as_deref()).await?;
        let presenting = present(&node, &chain, &arguments.eigenlayer, output);
        let presented = tokio::time::timeout(super::LONGEST_WAIT, presenting).await;
        let presented = presented.unwrap_or_else(|_| {
            bail!("the node took too long; the demo needs a node that mines every transaction at once")
        });
        let restored = node.restore().await;
        let outcome = presented?;
        restored?;
        Ok(outcome)
    })
}

/// The operators' stakes: the offender's, of one that signed nothing, and of one that signed one decision.
struct Stakes {
    offender: U256,
    non_signer: U256,
    signer_of_one: U256,
}

/// What was reported.
struct Report {
    record: B256,
    reporter: Address,
    record_gas: u64,
    punish_gas: u64,
    /// Whether the contract refuses to punish the others.
    others_refused: bool,
}

async fn present(node: &Node, chain: &LocalChain, artifacts: &Artifacts, output: Output) -> Result<ExitStatus> {
    output.line("Assent demo: an operator that signs two decisions of one task loses stake on EigenLayer.\n")?;
    let spinner = output::spinner("Deploying EigenLayer and Assent, and staking");
    let setup = Setup::build(chain.provider.clone(), demo_keys()?, Some(artifacts)).await?;
    drop(spinner);
    let staked = setup.stake.context("the set-up has no stake")?;
    let [offender, non_signer] = [OFFENDER, OPERATORS - 1].map(|index| setup.operators.get(index));
    let (offender, non_signer) = offender.zip(non_signer).context("the set-up has too few operators")?;
    let (offender, non_signer) = (offender.address, non_signer.address);
    introduce(&setup, node, output)?;

    let documents = sign_twice(&setup, output).await?;
    let before = Stakes::read(&setup, &staked).await?;
    let report = punish(&setup, &staked, &documents, output).await?;
    let after = Stakes::read(&setup, &staked).await?;
    let untouched = report.others_refused
        && before.non_signer == after.non_signer
        && before.signer_of_one == after.signer_of_one
        && !after.non_signer.is_zero();
    output.line(format_args!(
        "   {}   {} → {} of stake",
        short_address(offender),
        of(before.offender),
        of(after.offender)
    ))?;
    output.line(format_args!(
        "   {}   {} → {}: it signed nothing",
        short_address(non_signer),
        of(before.non_signer),
        of(after.non_signer)
    ))?;

    let next = commit_next(&setup, &staked, node, output).await?;
    let lacks = next.operators.operators().iter().all(|operator| operator.address != offender);
    let complete = next.operators.operators().len() + 1 == setup.epoch.operators.operators().len();
    let holds = after.offender < before.offender && untouched && lacks && complete;
    let conclusion = if holds {
        "The operator lost half of its stake, no other operator lost any, and the next epoch lacks it."
    } else {
        "This is NOT what the contracts promise."
    };
    let [first, second] = &documents;
    output.result(
        format_args!("\n{conclusion}"),
        &json!({
            "chain": { "description": node.description, "chainId": setup.chain_id.to_string() },
            "contracts": contracts(&setup, &staked),
            "operator": offender,
            "taskId": first.attestation.taskId,
            "decisions": [first, second],
            "reporter": report.reporter,
            "record": report.record,
            "stakeBefore": before.offender.to_string(),
            "stakeAfter": after.offender.to_string(),
            "nonSigner": non_signer,
            "nonSignerStakeBefore": before.non_signer.to_string(),
            "nonSignerStakeAfter": after.non_signer.to_string(),
            "nonSignerUntouched": untouched,
            "gas": { "recordOffence": report.record_gas, "punish": report.punish_gas },
            "epoch": setup.epoch.number,
            "nextEpoch": {
                "number": next.number,
                "operators": next.operators.operators().iter().map(|operator| operator.address).collect::<Vec<_>>(),
                "lacksOperator": lacks,
            },
        }),
    )?;
    Ok(if holds { ExitStatus::Success } else { ExitStatus::Refused })
}

fn introduce(setup: &Setup, node: &Node, output: Output) -> Result<()> {
    output.line(format_args!("Chain: {}, id {}.", node.description, setup.chain_id))?;
    output.line("All keys are throw-away keys, derived from published text. Never use them anywhere else.\n")?;
    output.line(format_args!(
        "1. {OPERATORS} operators deposit {STAKE} tokens each, allocate them to the operator set and join it.\n   \
         Anyone commits all members: epoch {} has them, and each weighs its stake.",
        setup.epoch.number
    ))?;
    Ok(())
}

/// A quorum allows a payment, and one of them denies the same payment, too.
async fn sign_twice(setup: &Setup, output: Output) -> Result<[AttestationDocument; 2]> {
    let answer = setup.attest(setup.question(setup.intent(setup.payment("250")?), 0)).await?;
    let allowed = answer.document;
    let denied = Attestation { decision: Decision::Deny.into(), ..allowed.attestation.clone() };
    let batch = AttestationBatch::new(vec![denied], allowed.chain_id, allowed.task_manager)?;
    let offender = setup.operators.get(OFFENDER).context("the set-up has no operator")?;
    let partial = PartialSignature::new(offender.address, offender.key.sign_batch(&batch));
    let denied = aggregate(&setup.epoch, batch.root(), &[partial])?.document(&batch, 0)?;
    output.line(format_args!(
        "\n2. {SIGNERS} of them allow a payment: task {}.\n   One of these, {}, also denies it. Its journal would have \
         refused.",
        output::shortened(allowed.attestation.taskId),
        short_address(offender.address)
    ))?;
    Ok([allowed, denied])
}

/// Anyone reports both, and has the operator punished.
async fn punish(
    setup: &Setup,
    staked: &StakedNetwork,
    [first, second]: &[AttestationDocument; 2],
    output: Output,
) -> Result<Report> {
    let reporter = setup.other_agent;
    let proof = equivocation_proof(first, second);
    let made = record::make(&setup.client, reporter, staked.slasher, staked.equivocation, proof).await;
    let (record, recorded) = made.context("recording the offence")?;
    output.line(format_args!(
        "\n3. Anyone, here {}, reports both signatures: the offence is recorded for {} gas, and punished:",
        short_address(reporter),
        thousands(recorded.gas_used)
    ))?;

    let call = |index: usize| EigenLayerSlasher::punishCall { record, indices: vec![U256::from(index)] };
    let mut others_refused = true;
    for index in (0..setup.epoch.operators.operators().len()).filter(|index| *index != OFFENDER) {
        let call = PreparedCall::new(reporter, staked.slasher, call(index).abi_encode());
        others_refused &= setup.client.simulate(&call).await.is_err();
    }
    let punished = record::punish(&setup.client, reporter, staked.slasher, record, [OFFENDER]).await;
    let punished = punished.context("punishing")?;
    Ok(Report { record, reporter, record_gas: recorded.gas_used, punish_gas: punished.gas_used, others_refused })
}

/// Anyone commits the next epoch early, because an operator of the current one lost its weight.
async fn commit_next(setup: &Setup, staked: &StakedNetwork, node: &Node, output: Output) -> Result<Epoch> {
    let registry = setup.deployment.operator_registry.address;
    let delays = setup.deployment.delays;
    // At most 32 epochs in a lifetime.
    node.advance_clock(delays.epoch_lifetime.to::<u64>() / 32 + 1).await?;
    let (from, keeper, lost) = (setup.other_agent, staked.keeper, Some(U256::from(OFFENDER)));
    let committed = keeper::commit(&setup.client, from, keeper, staked.operator_set, lost).await;
    let (number, _) = committed.context("committing early")?;
    node.advance_clock(delays.activation_delay.to::<u64>() + 1).await?;
    setup.client.activate_epoch(registry, setup.other_agent, number).await?;
    let next = setup.client.read_epoch(registry, number).await?;
    output.line(format_args!(
        "\n4. It has less than the least stake of a member, so anyone commits the next epoch early.\n   Epoch {number} \
         has {} operators.",
        next.operators.operators().len()
    ))?;
    Ok(next)
}

impl Stakes {
    async fn read(setup: &Setup, staked: &StakedNetwork) -> Result<Self> {
        let of = async |index: usize| {
            let operator = setup.operators.get(index).context("the set-up has too few operators")?;
            staked.slashable(&setup.client, operator.address).await
        };
        Ok(Self { offender: of(OFFENDER).await?, non_signer: of(OPERATORS - 1).await?, signer_of_one: of(1).await? })
    }
}

fn contracts(setup: &Setup, staked: &StakedNetwork) -> Value {
    let mut contracts =
        setup.deployment.in_order().map(|contract| (contract.name.to_owned(), json!(contract.address))).to_vec();
    contracts.extend(staked.contracts().map(|(name, address)| (name.to_owned(), json!(address))));
    contracts.into_iter().collect::<serde_json::Map<_, _>>().into()
}

fn of(shares: U256) -> String {
    format_ether(shares).trim_end_matches('0').trim_end_matches('.').to_owned()
}
