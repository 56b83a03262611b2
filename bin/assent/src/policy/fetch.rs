//! `assent policy fetch`: downloads a built policy, and verifies it before it is written.

use super::store::{self, Store};
use crate::{
    ExitStatus, arguments,
    connection::OptionalNode,
    output::{self, Output},
    output_file::{OutputFile, Overwrite},
};
use alloy_primitives::{Address, B256};
use anyhow::{Context as _, Result, anyhow, bail};
use assent_contracts::deployment;
use assent_policy::Bundle;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// The options of `assent policy fetch`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent policy fetch $POLICY --rpc-url http://127.0.0.1:8545
  assent policy fetch $POLICY --rpc-url http://127.0.0.1:8545 --store https://mirror.example.com/
  assent policy fetch bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy --store ./policies
  assent policy fetch https://policies.example.com/treasury.policy --policy-id $POLICY --out treasury.policy

A policy's id is looked up in the PolicyRegistry, and the newest publication whose policy has that id is taken. What is
downloaded is compared with its address, opened, and compared with the id, before anything is written.")]
pub struct Arguments {
    /// The policy: its id, its address (a CID), or a URI.
    policy: String,
    /// The id that the policy must have.
    #[arg(long, value_name = "HASH", value_parser = arguments::policy_id)]
    policy_id: Option<B256>,
    /// Where built policies are, by their address: a folder, or a URL.
    #[arg(long, value_name = "FOLDER|URL")]
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
    let Fetched { bundle, bytes, uri } = arguments.fetch()?;
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

/// A verified policy.
struct Fetched {
    bundle: Bundle,
    bytes: Vec<u8>,
    uri: String,
}

impl Arguments {
    fn fetch(&self) -> Result<Fetched> {
        if self.policy.starts_with("0x") {
            let policy_id = arguments::policy_id(&self.policy).map_err(|error| anyhow!("{}: {error}", self.policy))?;
            return self.fetch_published(policy_id);
        }
        if is_cid(&self.policy) {
            let Some(store) = &self.store else {
                bail!("an address says what the policy is, not where; give --store FOLDER or --store URL");
            };
            return self.verified(read_store(store, &self.policy)?, Some(&self.policy), self.policy_id, store);
        }
        self.verified(store::get(&self.policy)?, cid_of(&self.policy), self.policy_id, &self.policy)
    }

    /// Fetches the newest publication that is the policy.
    fn fetch_published(&self, policy_id: B256) -> Result<Fetched> {
        if let Some(other) = self.policy_id.filter(|other| *other != policy_id) {
            bail!("{policy_id} and --policy-id {other} are two policies; give one");
        }
        let node = self.node.find().ok_or_else(|| {
            anyhow!(
                "the PolicyRegistry knows where {policy_id} is; give --rpc-url of a node, or a URI instead of the id"
            )
        })?;
        let registry = self.registry.unwrap_or_else(|| deployment::policy_registry().address);
        let mut published = node.ask("Looking for the policy", None, async |client| {
            client.list_published(registry, policy_id, self.from_block).await
        })?;
        published.reverse();
        published.dedup_by(|one, other| one.uri == other.uri);
        let mut failures = Vec::new();
        for publication in &published {
            match self.fetch_publication(&publication.uri, policy_id) {
                Ok(fetched) => return Ok(fetched),
                Err(error) => failures.push(format!("{}: {error:#}", publication.uri)),
            }
        }
        if failures.is_empty() {
            bail!("{policy_id} was not published to {registry} since block {}; give a URI", self.from_block);
        }
        bail!("no publication of {policy_id} could be fetched:\n{}", failures.join("\n"))
    }

    fn fetch_publication(&self, uri: &str, policy_id: B256) -> Result<Fetched> {
        let cid = cid_of(uri);
        let bytes = match (&self.store, cid) {
            (Some(store), Some(cid)) => read_store(store, cid)?,
            (Some(_), None) => bail!("the publication does not name an address, by which --store has it"),
            // Anyone can publish any URI: none of them is a file of this machine.
            (None, _) if store::is_local(uri) => bail!("it is no URL of a web server; give --store FOLDER"),
            (None, _) => store::get(uri)?,
        };
        self.verified(bytes, cid, Some(policy_id), self.store.as_deref().unwrap_or(uri))
    }

    /// Verifies address, archive and id.
    fn verified(&self, bytes: Vec<u8>, cid: Option<&str>, policy_id: Option<B256>, uri: &str) -> Result<Fetched> {
        let actual = Bundle::cid_of(&bytes);
        if let Some(cid) = cid.filter(|cid| **cid != actual) {
            bail!("{uri} gives other bytes than asked for: their address is {actual}, not {cid}");
        }
        let bundle = Bundle::parse(&bytes).with_context(|| format!("{uri} gives no built policy"))?;
        let id = bundle.policy().id();
        if let Some(policy_id) = policy_id.filter(|policy_id| *policy_id != id) {
            bail!("{uri} gives the policy {id}, not {policy_id}");
        }
        Ok(Fetched { bundle, bytes, uri: uri.to_owned() })
    }
}

/// Reads the file with an address.
fn read_store(store: &str, cid: &str) -> Result<Vec<u8>> {
    Store::parse(store)?.get(&format!("{cid}.policy"))
}

/// Returns the address that a URI ends with, if it does.
fn cid_of(uri: &str) -> Option<&str> {
    let name = uri.rsplit('/').next()?;
    let name = name.strip_suffix(".policy").unwrap_or(name);
    is_cid(name).then_some(name)
}

/// Returns whether a text is a CID of version 1 of raw bytes by SHA-256, in base 32.
fn is_cid(text: &str) -> bool {
    text.len() == 59
        && text.starts_with("bafkrei")
        && text.chars().all(|letter| letter.is_ascii_lowercase() || ('2'..='7').contains(&letter))
}
