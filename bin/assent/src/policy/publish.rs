//! `assent policy publish`: uploads a built policy, and tells the chain where it is.

use super::build::BundleArguments;
use crate::{
    ExitStatus,
    account::Account,
    arguments,
    connection::{self, Node},
    output::{self, Output},
};
use alloy_primitives::Address;
use anyhow::{Result, bail};
use assent_contracts::deployment;
use assent_policy_store::PolicyStore;
use clap::Args;
use serde_json::json;

/// The options of `assent policy publish`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent policy publish treasury --store ./policies --rpc-url http://127.0.0.1:8545 --account $OWNER
  assent policy publish treasury.policy --parameters mine.json --store https://policies.example.com/ \\
      --private-key-file account.key --rpc-url http://127.0.0.1:8545
  assent policy publish treasury --store s3://my-bucket/policies --account $OWNER
  assent policy publish treasury --store ./policies --uri https://policies.example.com/treasury.policy --account $OWNER

The policy is uploaded under its address (its CID), with PUT to a web server, or into a folder or bucket; a file by its
id has the address. For a bucket, the environment has what the AWS tools take: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
AWS_REGION, AWS_ENDPOINT_URL and so on.
Then PolicyRegistry emits its id and where it is. No contract reads that: it lets people see what a client is bound to.
`assent deploy --policy-registry` deploys the registry; it has one address on every chain.")]
pub struct Arguments {
    #[command(flatten)]
    policy: BundleArguments,
    /// Where the built policy is uploaded: a folder, the URL below which a server takes files with PUT, or a bucket of
    /// S3 as s3://bucket/prefix.
    #[arg(long, value_name = "FOLDER|URI")]
    store: String,
    /// Where others fetch it, if that is not where it was uploaded.
    #[arg(long, value_name = "URI")]
    uri: Option<String>,
    #[command(flatten)]
    node: Node,
    /// The PolicyRegistry. Default: the one that `assent deploy --policy-registry` deploys.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    registry: Option<Address>,
    #[command(flatten)]
    payer: Account,
}

/// Runs `assent policy publish`.
pub fn run(arguments: &Arguments, output: Output) -> Result<ExitStatus> {
    let bundle = arguments.policy.bundle()?;
    let store = PolicyStore::parse(&arguments.store)?;
    let (policy, cid) = (bundle.policy(), bundle.cid());
    let (from, signer) = arguments.payer.open()?;
    let registry = arguments.registry.unwrap_or_else(|| deployment::policy_registry().address);
    // Before anything is uploaded: the transaction would fail.
    arguments
        .node
        .ask("Looking for the PolicyRegistry", None, async |client| client.require_contract(registry).await)?;
    let stored = {
        let _spinner = output::spinner(format!("Uploading to {store}"));
        connection::block_on(async { Ok(store.put(&bundle).await?) })?
    };
    let uri = arguments.uri.clone().unwrap_or(stored);
    let (policy_id, receipt) = arguments.node.ask("Publishing", signer, async |client| {
        client.publish_policy(registry, from, policy.rules_hash(), policy.parameters_root(), &uri).await
    })?;
    if policy_id != policy.id() {
        bail!("{registry} published the id {policy_id}, but the policy is {}; it is not a PolicyRegistry", policy.id());
    }
    let text = || {
        let mut table = output::table(["fact", "value"]);
        table
            .add_row(["policy id", &policy_id.to_string()])
            .add_row(["address", &cid])
            .add_row(["URI", &uri])
            .add_row(["transaction", &receipt.transaction_hash.to_string()])
            .add_row(["gas", &receipt.gas_used.to_string()]);
        format!("{table}\nnext: assent policy fetch {policy_id} --out {}.policy", bundle.name())
    };
    let value = || {
        json!({
            "policyId": policy_id, "cid": cid, "uri": uri, "registry": registry, "rules": policy.rules_hash(),
            "parameters": policy.parameters_root(), "transaction": receipt.transaction_hash, "gas": receipt.gas_used,
        })
    };
    output.result_of(text, value)?;
    Ok(ExitStatus::Success)
}
