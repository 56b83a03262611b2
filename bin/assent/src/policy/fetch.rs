//! `assent policy fetch`: downloads a built policy, and verifies it before it is written.

use crate::{
    ExitStatus, arguments,
    connection::{self, OptionalNode},
    output::{self, Output},
    output_file::{OutputFile, Overwrite},
};
use alloy_primitives::{Address, B256};
use anyhow::{Result, anyhow, bail};
use assent_contracts::deployment;
use assent_policy_store::{Cid, FetchedPolicy, PolicyStore, StoreError, fetch_published};
use clap::Args;
use serde_json::json;
use std::{fmt::Display, future::Future, path::PathBuf};

/// The options of `assent policy fetch`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent policy fetch $POLICY --rpc-url http://127.0.0.1:8545
  assent policy fetch $POLICY --rpc-url http://127.0.0.1:8545 --store https://mirror.example.com/
  assent policy fetch $POLICY --store ./policies
  assent policy fetch bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy --store ./policies
  assent policy fetch https://policies.example.com/treasury.policy --policy-id $POLICY --out treasury.policy

A policy's id is looked up in the store, or else in the PolicyRegistry, and the newest publication whose policy has that
id is taken. What is downloaded is compared with its address, opened, and compared with the id, before anything is
written.")]
pub struct Arguments {
    /// The policy: its id, its address (a CID), or a URI.
    policy: String,
    /// The id that the policy must have.
    #[arg(long, value_name = "HASH", value_parser = arguments::policy_id)]
    policy_id: Option<B256>,
    /// Where built policies are: a folder, a URL, or a bucket of S3 as s3://bucket/prefix.
    #[arg(long, value_name = "FOLDER|URI")]
    store: Option<String>,
    #[command(flatten)]
    node: OptionalNode,
    /// The PolicyRegistry. Default: the one that `assent deploy --policy-registry` deploys.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    registry: Option<Address>,
    /// The first block to search for publications.
    #[arg(long, value_name = "NUMBER", default_value = "0")]
    from_block: u64,
    /// The file to write; by default the policy's name with .policy, in the current directory.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    overwrite: Overwrite,
}

/// Runs `assent policy fetch`.
pub fn run(arguments: &Arguments, output: Output) -> Result<ExitStatus> {
    if let Some(out) = &arguments.out {
        // Before anything is downloaded.
        OutputFile::new("policy", out, arguments.overwrite.force)?;
    }
    let FetchedPolicy { bundle, bytes, uri, .. } = arguments.fetch()?;
    let path = arguments.out.clone().unwrap_or_else(|| format!("{}.policy", bundle.name()).into());
    OutputFile::new("policy", &path, arguments.overwrite.force)?.write(&bytes)?;
    let (policy_id, cid) = (bundle.policy().id(), bundle.cid());
    let text = || {
        let mut table = output::table(["fact", "value"]);
        table
            .add_row(["file", &path.display().to_string()])
            .add_row(["policy id", &policy_id.to_string()])
            .add_row(["address", &cid])
            .add_row(["from", &uri]);
        format!("{table}\nnext: assent policy explain {}", path.display())
    };
    let value = || json!({ "file": path, "policyId": policy_id, "cid": cid, "uri": uri, "bytes": bytes.len() });
    output.result_of(text, value)?;
    Ok(ExitStatus::Success)
}

impl Arguments {
    fn fetch(&self) -> Result<FetchedPolicy> {
        let store = self.store.as_deref().map(PolicyStore::parse).transpose()?;
        if self.policy.starts_with("0x") {
            let policy_id = arguments::policy_id(&self.policy).map_err(|error| anyhow!("{}: {error}", self.policy))?;
            if let Some(other) = self.policy_id.filter(|other| *other != policy_id) {
                bail!("{policy_id} and --policy-id {other} are two policies; give one");
            }
            return self.fetch_by_id(policy_id, store.as_ref());
        }
        let Some(cid) = Cid::parse(&self.policy) else {
            return fetched(&self.policy, assent_policy_store::fetch(&self.policy, self.policy_id));
        };
        let Some(store) = store else {
            bail!(
                "an address says what the policy is, not where; give --store with a folder, a URL or s3://bucket/prefix"
            );
        };
        fetched(&store, store.fetch_address(&cid, self.policy_id))
    }

    /// Fetches from the store that has the id, or else the newest publication that is the policy.
    fn fetch_by_id(&self, policy_id: B256, store: Option<&PolicyStore>) -> Result<FetchedPolicy> {
        let node = self.node.find();
        if let Some(store) = store {
            match (connection::block_on(async { Ok(store.fetch(policy_id).await) })?, &node) {
                (Ok(policy), _) => return Ok(policy),
                // By its address it may be there.
                (Err(StoreError::UnknownPolicy { .. } | StoreError::Status { .. }), Some(_)) => {}
                (Err(error), _) => return Err(error.into()),
            }
        }
        let node = node.ok_or_else(|| {
            anyhow!(
                "the PolicyRegistry knows where {policy_id} is; give --rpc-url of a node, --store of a store that has \
                 it, or a URI instead of the id"
            )
        })?;
        let registry = self.registry.unwrap_or_else(|| deployment::policy_registry().address);
        let mut published = node.ask("Looking for the policy", None, async |client| {
            client.list_published(registry, policy_id, self.from_block).await
        })?;
        if published.is_empty() {
            bail!("{policy_id} was not published to {registry} since block {}; give a URI", self.from_block);
        }
        published.reverse();
        published.dedup_by(|one, other| one.uri == other.uri);
        let uris = published.into_iter().map(|publication| publication.uri).collect::<Vec<_>>();
        fetched("the publications", fetch_published(&uris, policy_id, store))
    }
}

/// Waits for a policy.
fn fetched<E: std::error::Error + Send + Sync + 'static>(
    from: impl Display,
    fetching: impl Future<Output = Result<FetchedPolicy, E>>,
) -> Result<FetchedPolicy> {
    let _spinner = output::spinner(format!("Fetching from {from}"));
    connection::block_on(async { Ok(fetching.await?) })
}
