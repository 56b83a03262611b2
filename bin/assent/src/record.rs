//! `assent record`: records roots, which are verified once on chain for all calls under them.

use crate::{
    ExitStatus,
    account::Account,
    connection::{self, Node},
    input,
    output::{self, Output, shortened},
    refused,
    transaction::hashes,
};
use alloy::{providers::DynProvider, rpc::types::TransactionReceipt};
use alloy_primitives::{Address, B256, U256};
use anyhow::{Context, Result, bail};
use assent_client::{AssentClient, ClientError, SignedRoot};
use assent_verifier::{AttestationDocument, EpochId, RecordedRoot};
use clap::Args;
use comfy_table::Table;
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::PathBuf};

/// The options of `assent record`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent record --rpc-url http://127.0.0.1:8545 --private-key-file account.key attestation.json
  assent record --rpc-url http://127.0.0.1:8545 --account $ACCOUNT attestations/*.json

Any account can record a root. The documents of one batch have one root, so one document is enough. Roots that are
already recorded with as much weight are left unchanged; the others of one epoch are verified together. Afterwards
`assent send --recorded` sends each call without its signature.")]
pub struct Arguments {
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    payer: Account,
    /// Attestation documents, as JSON.
    #[arg(value_name = "DOCUMENT", required = true)]
    documents: Vec<PathBuf>,
}

/// The roots of one TaskManager and epoch, each once.
type Roots = BTreeMap<(Address, EpochId), BTreeMap<B256, SignedRoot>>;

/// The result for a root.
struct Recorded {
    task_manager: Address,
    epoch: EpochId,
    root: B256,
    weight: RecordedRoot,
    before: bool,
}

/// Runs `assent record`.
pub fn run(arguments: Arguments, output: Output) -> Result<ExitStatus> {
    let (from, signer) = arguments.payer.open()?;
    let (chain_id, roots) = read(&arguments.documents)?;
    let done = connection::block_on(async {
        let client = AssentClient::new(arguments.node.connect(signer)?);
        let _spinner = output::spinner("Recording");
        let actual = client.chain_id().await.with_context(|| arguments.node.asking())?;
        arguments.node.require_chain("the attestations are", chain_id, actual)?;
        let (mut recorded, mut receipts) = (Vec::new(), Vec::new());
        for ((task_manager, epoch), roots) in roots {
            match record(&client, from, task_manager, epoch, roots, &mut receipts).await {
                Ok(more) => recorded.extend(more),
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok((recorded, receipts)))
    })?;
    match done {
        Ok((recorded, receipts)) => {
            output.result(describe(&recorded, &receipts), &to_json(&recorded, &receipts))?;
            Ok(ExitStatus::Success)
        }
        Err(error) => refused::report(error, output),
    }
}

fn read(paths: &[PathBuf]) -> Result<(U256, Roots)> {
    let (mut chain, mut roots) = (None, Roots::new());
    for path in paths {
        let document: AttestationDocument = input::read_json("document", path)?;
        let chain_id = *chain.get_or_insert(document.chain_id);
        if chain_id != document.chain_id {
            bail!(
                "document {} is for chain {}, the first one for chain {chain_id}; record one chain's documents at a \
                 time",
                path.display(),
                document.chain_id
            );
        }
        let of_epoch = roots.entry((document.task_manager, document.epoch)).or_default();
        of_epoch.insert(document.root(), SignedRoot::from(&document));
    }
    Ok((chain.unwrap_or_default(), roots))
}

async fn record(
    client: &AssentClient<DynProvider>,
    from: Address,
    task_manager: Address,
    epoch: EpochId,
    mut roots: BTreeMap<B256, SignedRoot>,
    receipts: &mut Vec<TransactionReceipt>,
) -> Result<Vec<Recorded>, ClientError> {
    let names = roots.keys().map(|&root| (epoch, root)).collect::<Vec<_>>();
    let before = client.read_recorded_roots(task_manager, &names).await?;
    // Without the epoch the weights are unknown; the chain then returns the error.
    if let Some(known) = client.read_known_epoch(task_manager, epoch).await? {
        let operators = known.operators.operators();
        let adds = |signed: &SignedRoot| {
            let absent = signed.non_signers.indices().filter_map(|index| operators.get(usize::from(index)));
            let absent = absent.map(|operator| U256::from(operator.weight)).sum::<U256>();
            let recorded = before.get(epoch, signed.root);
            recorded.is_none_or(|recorded| {
                U256::from(recorded.signed_weight) + absent < U256::from(known.operators.total_weight())
            })
        };
        roots.retain(|_, signed| adds(signed));
    }
    let new = roots.into_values().collect::<Vec<_>>();
    receipts.extend(client.record_roots(from, task_manager, epoch, &new).await?);

    let after = client.read_recorded_roots(task_manager, &names).await?;
    let recorded = after.iter().map(|(epoch, root, weight)| {
        let before = !new.iter().any(|signed| signed.root == root);
        Recorded { task_manager, epoch, root, weight, before }
    });
    Ok(recorded.collect())
}

fn describe(recorded: &[Recorded], receipts: &[TransactionReceipt]) -> String {
    let mut table: Table = output::table(["epoch", "root", "signed weight", "result"]);
    for Recorded { epoch, root, weight, before, .. } in recorded {
        let RecordedRoot { signed_weight, total_weight, .. } = weight;
        let result = if *before { "was already recorded" } else { "recorded" };
        table.add_row([
            epoch.to_string(),
            shortened(root),
            format!("{signed_weight} of {total_weight}"),
            result.to_owned(),
        ]);
    }
    format!("{table}\n{} gas, transactions: {}", gas(receipts), receipts.len())
}

fn to_json(recorded: &[Recorded], receipts: &[TransactionReceipt]) -> Value {
    let roots = recorded.iter().map(|recorded| {
        json!({
            "taskManager": recorded.task_manager,
            "epoch": recorded.epoch,
            "root": recorded.root,
            "signedWeight": recorded.weight.signed_weight.to_string(),
            "totalWeight": recorded.weight.total_weight.to_string(),
            "epochEnd": recorded.weight.epoch_end.to::<u64>(),
            "recordedBefore": recorded.before,
        })
    });
    json!({
        "roots": roots.collect::<Vec<_>>(),
        "transactions": hashes(receipts),
        "gas": gas(receipts),
    })
}

fn gas(receipts: &[TransactionReceipt]) -> u64 {
    receipts.iter().map(|receipt| receipt.gas_used).sum()
}
