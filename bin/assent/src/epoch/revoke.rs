//! `assent epoch revoke`.

use super::{list::holds, transaction};
use crate::{
    ExitStatus,
    account::Account,
    arguments::{self, KeySource},
    connection::{self, RegistryNode},
    output::{self, Output},
};
use anyhow::{Context, Result, bail};
use assent_client::AssentClient;
use assent_verifier::{EpochId, OperatorSetId};
use clap::Args;
use serde_json::json;

/// The options of `assent epoch revoke`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent epoch revoke --rpc-url http://127.0.0.1:8545 --registry $REGISTRY --operator-set 1 \\
      --private-key-file owner.key
  assent epoch revoke --registry $REGISTRY --holding stolen.json --private-key-file owner.key
  assent epoch revoke --registry $REGISTRY 3 4 --private-key-file owner.key

The registry's owner sends this. It is immediate and cannot be undone. Afterwards the set needs a new epoch, which is
pending for the registry's activation delay if no epoch of the set is left in force to approve it. To keep the set in
force, have the next epoch approved first: see docs/security.md.")]
pub struct Arguments {
    #[command(flatten)]
    at: RegistryNode,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    owner: Account,
}

/// The options that select epochs.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// Revoke every epoch of this operator set, the pending one included.
    #[arg(long, value_name = "NUMBER", value_parser = arguments::operator_set_id())]
    operator_set: Option<OperatorSetId>,
    /// Revoke every epoch of every set that holds this key: a public key in hex, or a key file.
    #[arg(long, value_name = "KEY", value_parser = arguments::key_source)]
    holding: Option<KeySource>,
    /// The epochs' numbers.
    #[arg(value_name = "EPOCH", value_parser = arguments::epoch_id())]
    epochs: Vec<EpochId>,
}

/// Runs `assent epoch revoke`.
pub fn run(arguments: Arguments, output: Output) -> Result<ExitStatus> {
    let Arguments { at: RegistryNode { node, registry }, which, owner } = arguments;
    let (owner, signer) = owner.open()?;
    let holding = which.holding.as_ref().map(KeySource::read).transpose()?;
    let (revoked, receipt) = connection::block_on(async {
        let client = AssentClient::new(node.connect(signer)?);
        let _spinner = output::spinner("Revoking");
        let live = client.list_epochs(registry).await.with_context(|| node.asking())?;
        let selected = live.iter().filter(|record| match (which.operator_set, &holding) {
            (Some(set), _) => record.epoch.operator_set == set,
            (_, Some(key)) => holds(record, key),
            _ => false,
        });
        let mut revoked: Vec<EpochId> = selected.map(|record| record.epoch.number).collect();
        revoked.extend(&which.epochs);
        if revoked.is_empty() {
            bail!("no epoch is pending or in use that this selects; `assent epoch list` shows those that are");
        }
        let receipt = match which.operator_set {
            Some(set) => client.revoke_operator_set(registry, owner, set).await,
            None => client.revoke_epochs(registry, owner, &revoked).await,
        };
        Ok((revoked, receipt.with_context(|| node.asking())?))
    })?;
    let names = revoked.iter().map(EpochId::to_string).collect::<Vec<_>>().join(", ");
    let gas = receipt.gas_used;
    output.result(
        format_args!("revoked: {names}. Nothing that these epochs signed is valid any more, {gas} gas"),
        &json!({ "epochs": revoked, "transaction": transaction(&receipt), "gas": gas }),
    )?;
    Ok(ExitStatus::Success)
}
