//! `assent context`: reads the chain state that offline verification takes as input.

use crate::{
    ExitStatus, arguments,
    connection::{self, Node},
    input,
    output::{self, Output, short_address},
};
use alloy_primitives::{Address, U256};
use anyhow::{Context as _, Result, bail};
use assent_client::AssentClient;
use assent_contracts::TaskManager;
use assent_verifier::{AttestationDocument, Context, EpochId, OperatorSetId, RecordedRoots};
use clap::Args;
use std::path::PathBuf;

/// The options of `assent context`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent context --rpc-url http://127.0.0.1:8545 --client $VAULT --caller $AGENT --nonce 7 --json > context.json
  assent context --rpc-url http://127.0.0.1:8545 --client $VAULT --caller $AGENT --document attestation.json --json \\
    > context.json

The JSON is the input of `assent attest --context` and `assent verify --context`. It is of the latest block, with
the newest epoch of the client's operator set unless --epoch is given. Warning: in `assent verify`, nonces whose
word of 256 nonces was not read (--nonce) count as unspent.")]
pub struct Arguments {
    #[command(flatten)]
    node: Node,
    /// The protected contract.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    client: Address,
    /// The account that will call.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    caller: Address,
    /// A nonce that the call can spend; repeatable. The whole word of 256 nonces is read.
    #[arg(
        long = "nonce",
        value_name = "NUMBER",
        value_parser = arguments::whole_number,
        required_unless_present = "documents"
    )]
    nonces: Vec<U256>,
    /// An epoch to include instead of the newest; repeatable.
    #[arg(long = "epoch", value_name = "NUMBER", value_parser = arguments::epoch_id())]
    epochs: Vec<EpochId>,
    /// Also read the nonce, the epoch and the recorded root of this attestation document; repeatable.
    #[arg(long = "document", value_name = "FILE")]
    documents: Vec<PathBuf>,
}

/// Runs `assent context`.
pub fn run(arguments: Arguments, output: Output) -> Result<ExitStatus> {
    let documents = arguments.documents.iter().map(|path| input::read_json("document", path));
    let documents = documents.collect::<Result<Vec<AttestationDocument>>>()?;
    let context = connection::block_on(async {
        let _spinner = output::spinner("Reading the client's context");
        read(&arguments, &documents).await.with_context(|| {
            format!("{} about the client {}, which must be a PolicyClient", arguments.node.asking(), arguments.client)
        })
    })?;
    output.result(describe(&context), &context)?;
    Ok(ExitStatus::Success)
}

async fn read(arguments: &Arguments, documents: &[AttestationDocument]) -> Result<Context> {
    let client = AssentClient::new(arguments.node.connect(None)?);
    let policy_client = arguments.client;
    let mut epochs = if arguments.epochs.is_empty() {
        let Some(policy) = client.read_policy(policy_client).await? else {
            bail!(
                "the client {policy_client} has no policy and refuses every call; its owner sets one with \
                 setAssentPolicy"
            );
        };
        let manager = TaskManager::new(client.read_task_manager(policy_client).await?, client.provider());
        let registry = manager.OPERATOR_REGISTRY().call().await?;
        client
            .latest_epoch(registry, OperatorSetId(policy.operatorSet))
            .await?
            .map(|epoch| epoch.number)
            .into_iter()
            .collect()
    } else {
        arguments.epochs.clone()
    };
    epochs.extend(documents.iter().map(|document| document.epoch));
    let mut nonces = arguments.nonces.clone();
    nonces.extend(documents.iter().map(|document| document.attestation.nonce));
    let context = client.read_context(policy_client, arguments.caller, &epochs, &nonces).await?;
    let roots = documents.iter().map(|document| (document.epoch, document.root())).collect::<Vec<_>>();
    let recorded_roots = if context.task_manager.is_zero() {
        RecordedRoots::default()
    } else {
        client.read_recorded_roots(context.task_manager, &roots).await?
    };
    Ok(Context { recorded_roots, ..context.map_ledger(|nonces| nonces.to_spent_nonces()) })
}

fn describe(context: &Context) -> String {
    let mut table = output::table(["fact", "value"]);
    let epochs = context.epochs.iter().map(|epoch| epoch.number.to_string()).collect::<Vec<_>>().join(", ");
    table
        .add_row(["chain", &context.chain_id.to_string()])
        .add_row(["TaskManager", &short_address(context.task_manager)])
        .add_row(["client", &short_address(context.policy_client)])
        .add_row(["caller", &short_address(context.caller)])
        .add_row(["time", &output::time(context.timestamp)])
        .add_row(["epochs", &epochs])
        .add_row(["recorded roots", &context.recorded_roots.iter().count().to_string()]);
    if !context.issuance_floor.is_zero() {
        table.add_row(["void if issued before", &output::time(context.issuance_floor.to())]);
    }
    if let Some(policy) = &context.policy {
        table
            .add_row(["policy", &policy.policyId.to_string()])
            .add_row(["quorum", &format!("{} basis points of operator set {}", policy.quorum, policy.operatorSet)])
            .add_row(["longest lifetime", &output::counted(policy.maxLifetime.to::<u64>(), "second", "seconds")]);
    }
    format!("{table}\n--json prints all of it, for `assent attest` and `assent verify`")
}
