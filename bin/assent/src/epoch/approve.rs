//! `assent epoch approve` and `assent epoch sign`.

use super::transaction;
use crate::{
    ExitStatus,
    account::Account,
    arguments::{self, Partials},
    connection::{self, Node, RegistryNode},
    output::{self, Output},
    partials,
};
use alloy::{providers::DynProvider, signers::local::PrivateKeySigner};
use alloy_primitives::{U256, aliases::U48};
use anyhow::{Context, Result, bail};
use assent_client::AssentClient;
use assent_signer::{PartialSignature, aggregate_epoch_approval};
use assent_verifier::{Epoch, EpochApproval, EpochId};
use clap::Args;
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// How long an approval is valid if no deadline is given.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// The options of `assent epoch approve`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent epoch approve --registry $REGISTRY --epoch 4 --key one.json --key two.json --private-key-file account.key
  assent epoch approve --registry $REGISTRY --epoch 4 --deadline 1800000000 --partial @partials.txt --account $ANYONE

Operators of the set's current epoch approve the pending one: look at its operators first, with `assent epoch show`.
It takes two thirds of the current epoch's weight. Any account can send this. Operators on several machines sign with
`assent epoch sign` and one deadline.")]
pub struct Arguments {
    #[command(flatten)]
    approved: Approved,
    /// An operator's key file, encrypted or not; repeat it for each operator that signs.
    #[arg(long = "key", value_name = "FILE", required_unless_present = "partials")]
    keys: Vec<PathBuf>,
    /// Read the key files' password from a file instead of asking for each.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// An operator's signature, or @FILE with one on each line, as `assent epoch sign` prints them; repeatable.
    #[arg(
        long = "partial",
        value_name = "ADDRESS=SIGNATURE|@FILE",
        value_parser = arguments::partials,
        requires = "deadline"
    )]
    partials: Vec<Partials>,
    /// The first second at which the approval is no longer valid (Unix time); in an hour by default.
    #[arg(long, value_name = "UNIX_SECONDS")]
    deadline: Option<U48>,
    #[command(flatten)]
    payer: Account,
}

/// The options of `assent epoch sign`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent epoch sign --registry $REGISTRY --epoch 4 --deadline 1800000000 --key operator.json >> partials.txt

Look at the epoch's operators first, with `assent epoch show`: two thirds of the current epoch's weight decide with
this who signs for the set's clients, without notice. All operators sign the same deadline.")]
pub struct SignArguments {
    #[command(flatten)]
    approved: Approved,
    /// An operator's key file, encrypted or not; repeat it for each operator that signs.
    #[arg(long = "key", value_name = "FILE", required = true)]
    keys: Vec<PathBuf>,
    /// Read the key files' password from a file instead of asking for each.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The first second at which the approval is no longer valid (Unix time).
    #[arg(long, value_name = "UNIX_SECONDS")]
    deadline: U48,
}

/// The epoch to approve.
#[derive(Args)]
struct Approved {
    #[command(flatten)]
    at: RegistryNode,
    /// The pending epoch's number.
    #[arg(long, value_name = "NUMBER", value_parser = arguments::epoch_id())]
    epoch: EpochId,
}

/// What operators sign, and who they are.
struct Request {
    approval: EpochApproval,
    signing: Epoch,
    chain_id: U256,
}

/// Runs `assent epoch approve`.
pub fn run(arguments: Arguments, output: Output) -> Result<ExitStatus> {
    let Arguments { approved, keys, password_file, partials: elsewhere, deadline, payer } = arguments;
    let (from, signer) = payer.open()?;
    let deadline = deadline.map_or_else(default_deadline, Ok)?;
    let request = approved.request(deadline)?;
    let mut signatures = request.sign(&keys, password_file.as_deref())?;
    signatures.extend(partials::read_all(&elsewhere)?);
    let Request { approval, signing, chain_id } = &request;
    let aggregate = aggregate_epoch_approval(signing, approval, *chain_id, &signatures)?;
    partials::warn_of_rejected(&aggregate);
    let required = signing.operators.required_weight(EpochApproval::QUORUM);
    if U256::from(aggregate.signed_weight) < required {
        bail!(
            "operators with weight {} of epoch {} approve, and {required} is required; nothing was sent",
            aggregate.signed_weight,
            signing.number
        );
    }
    let Approved { at: RegistryNode { node, registry }, epoch } = &approved;
    let receipt = connection::block_on(async {
        let client = connect(node, signer)?;
        let _spinner = output::spinner("Approving the epoch");
        let (signature, non_signers) = (&aggregate.signature, &aggregate.non_signers);
        let approve = client.approve_epoch(*registry, from, *epoch, deadline, signature, non_signers);
        approve.await.with_context(|| node.asking())
    })?;
    let gas = receipt.gas_used;
    output.result(
        format_args!("epoch {epoch} is approved by epoch {} and in force, {gas} gas", signing.number),
        &json!({
            "epoch": epoch,
            "signedBy": signing.number,
            "signedWeight": aggregate.signed_weight.to_string(),
            "transaction": transaction(&receipt),
            "gas": gas,
        }),
    )?;
    Ok(ExitStatus::Success)
}

/// Runs `assent epoch sign`.
pub fn sign(arguments: &SignArguments, output: Output) -> Result<ExitStatus> {
    let SignArguments { approved, keys, password_file, deadline } = arguments;
    let request = approved.request(*deadline)?;
    let signatures = request.sign(keys, password_file.as_deref())?;
    let approval = request.approval;
    output.result(
        partials::lines(&signatures),
        &json!({
            "epoch": approved.epoch,
            "signedBy": approval.signed_by,
            "setHash": approval.set_hash,
            "deadline": deadline.to::<u64>(),
            "partials": partials::to_json(&signatures),
        }),
    )?;
    Ok(ExitStatus::Success)
}

impl Approved {
    fn request(&self, deadline: U48) -> Result<Request> {
        let Self { at: RegistryNode { node, registry }, epoch } = self;
        connection::block_on(async {
            let client = connect(node, None)?;
            let _spinner = output::spinner("Reading the epochs");
            let record = client.read_epoch_record(*registry, *epoch).await.with_context(|| node.asking())?;
            if record.pending_until().is_none() {
                bail!("epoch {epoch} is {}; only a pending epoch is approved", super::status(&record));
            }
            let operator_set = record.epoch.operator_set;
            let signing = client.latest_epoch(*registry, operator_set).await.with_context(|| node.asking())?;
            let signing =
                signing.with_context(|| format!("operator set {operator_set} has no epoch that could approve"))?;
            let approval = EpochApproval {
                registry: *registry,
                operator_set,
                signed_by: signing.number,
                set_hash: record.epoch.operators.set_hash(),
                deadline,
            };
            let chain_id = U256::from(client.chain_id().await.with_context(|| node.asking())?);
            Ok(Request { approval, signing, chain_id })
        })
    }
}

impl Request {
    fn sign(&self, keys: &[PathBuf], password_file: Option<&Path>) -> Result<Vec<PartialSignature>> {
        let hint = "approves; give the keys of its operators";
        partials::sign(keys, password_file, &self.signing, hint, |key| key.approve_epoch(&self.approval, self.chain_id))
    }
}

fn connect(node: &Node, signer: Option<PrivateKeySigner>) -> Result<AssentClient<DynProvider>> {
    Ok(AssentClient::new(node.connect(signer)?))
}

fn default_deadline() -> Result<U48> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970; set it")?;
    let deadline = now.saturating_add(LIFETIME).as_secs();
    U48::checked_from_limbs_slice(&[deadline]).context("the clock is out of range; set it")
}
