//! `assent revoke`: an epoch's operators revoke it, at home and on other chains, with one signature.

mod away;
mod outcome;

use self::outcome::{Outcome, Revoked};
use crate::{
    ExitStatus,
    account::OptionalAccount,
    arguments::{self, Partials},
    connection::{self, RegistryNode},
    handover::mirrors::Chains,
    input,
    output::{self, Output},
    partials,
    stake::keeper::registry_of,
    transaction::send,
};
use alloy::{
    primitives::{Address, Bytes, U256},
    providers::DynProvider,
};
use anyhow::{Context as _, Result, bail};
use assent_client::{AssentClient, gateway::GatewayHandover};
use assent_contracts::EpochKeeper;
use assent_signer::{Aggregate, PartialSignature, aggregate_epoch_revocation};
use assent_verifier::{Epoch, EpochId, EpochRevocation, MirrorState, verify_revocation};
use clap::{Args, ValueHint};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// What to do about signatures that are not enough.
const TOO_FEW: &str = "nothing was sent; have more operators sign with --sign-only if too few have";

/// The options of `assent revoke`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent revoke --registry $REGISTRY --epoch 4 --key operator.json --sign-only >> partials.txt
  assent revoke --registry $REGISTRY --epoch 4 --partial @partials.txt --keeper $KEEPER --chains chains.json \\
      --private-key-file account.key
  assent handover request --gateway https://gateway.example --epoch 4 --signed-by 3 --out handover.json
  assent revoke --registry $REGISTRY --epoch 4 --partial @partials.txt --chains chains.json --handover handover.json \\
      --private-key-file account.key

The epoch's own operators sign; the halt quorum of the keeper, and of each mirror, says how much of their weight it
takes. Any account can send it. It is immediate, cannot be undone, and the signature is valid on every chain for ever.
A revocation at home reaches no other chain by itself: name all mirrors. Exit status 1 means that a chain refused it.
If an owner and no keeper owns the registry, it revokes with `assent epoch revoke`.

A mirror that is behind does not have the epoch yet, but who has stolen its keys can bring it there with a handover that
was signed. With --handover such a mirror is told before, and never accepts the epoch. It takes the handover from the
mirror's latest epoch (`assent handover status`). Ask for it before the epoch is revoked at home: operators sign no
handover to a revoked epoch. If none was signed, no one can bring the epoch there.")]
pub struct Arguments {
    #[command(flatten)]
    at: RegistryNode,
    /// The epoch.
    #[arg(long, value_name = "NUMBER", value_parser = arguments::epoch_id())]
    epoch: EpochId,
    /// An operator's key file, encrypted or not; repeat it for each operator that signs.
    #[arg(long = "key", value_name = "FILE", value_hint = ValueHint::FilePath, required_unless_present = "partials")]
    keys: Vec<PathBuf>,
    /// Read the key files' password from a file instead of asking for each.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    password_file: Option<PathBuf>,
    /// An operator's signature, or @FILE with one on each line, as --sign-only prints them; repeatable.
    #[arg(long = "partial", value_name = "ADDRESS=SIGNATURE|@FILE", value_parser = arguments::partials)]
    partials: Vec<Partials>,
    /// Send nothing: print the signatures of the keys.
    #[arg(long, conflicts_with_all = ["keeper", "chains", "partials", "handovers"])]
    sign_only: bool,
    /// Revoke it at home, through the EpochKeeper that owns the registry.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    keeper: Option<Address>,
    /// Revoke it on these mirrors: a JSON file, as of `assent handover status`.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    chains: Option<PathBuf>,
    /// A signed handover to the epoch, as `assent handover request` writes it, for mirrors that do not have the epoch
    /// yet. Repeat it for mirrors with other latest epochs.
    #[arg(long = "handover", value_name = "FILE", value_hint = ValueHint::FilePath, requires = "chains")]
    handovers: Vec<PathBuf>,
    #[command(flatten)]
    payer: OptionalAccount,
}

/// Runs `assent revoke`.
pub fn run(arguments: &Arguments, output: Output) -> Result<ExitStatus> {
    let Arguments { at: RegistryNode { node, registry }, epoch: number, keeper, payer, .. } = arguments;
    let chains = arguments.chains.as_deref().map(Chains::read).transpose()?;
    let handovers = arguments.handovers.iter().map(|path| read_handover(path, *number)).collect::<Result<Vec<_>>>()?;
    let (epoch, revocation) = connection::block_on(async {
        let client = AssentClient::new(node.connect(None)?);
        let _spinner = output::spinner("Reading the epoch");
        let epoch = client.read_epoch(*registry, *number).await.with_context(|| node.asking())?;
        let home_chain = U256::from(client.chain_id().await.with_context(|| node.asking())?);
        Ok((epoch, EpochRevocation { home_chain, home_registry: *registry, epoch: *number }))
    })?;
    let (keys, password_file) = (&arguments.keys, arguments.password_file.as_deref());
    let hint = "its own operators revoke";
    let mut signatures = partials::sign(keys, password_file, &epoch, hint, |key| key.revoke_epoch(&revocation))?;
    if arguments.sign_only {
        return print(&signatures, &revocation, output);
    }
    signatures.extend(partials::read_all(&arguments.partials)?);
    let mirrors = chains.map_or_else(Vec::new, |Chains { mirrors }| mirrors);
    if keeper.is_none() && mirrors.is_empty() {
        bail!("give --keeper, --chains or both: where to revoke the epoch; or --sign-only");
    }
    let (from, signer) = payer.open()?;
    let signed = aggregate_epoch_revocation(&epoch, &revocation, &signatures)?;
    partials::warn_of_rejected(&signed);
    let revocation = Revocation { statement: revocation, epoch, signed, handovers };
    let outcomes = connection::block_on(async {
        let _spinner = output::spinner("Revoking");
        let mut outcomes = Vec::new();
        if let Some(keeper) = keeper {
            let client = AssentClient::new(node.connect(signer.clone())?);
            let sent = at_home(&client, *keeper, &revocation, from).await;
            outcomes.push(Outcome::new("home", *keeper, sent));
        }
        for mirror in &mirrors {
            let sent = away::revoke(mirror, &revocation, from, signer.clone()).await;
            outcomes.push(Outcome::new(&mirror.name, mirror.mirror, sent));
        }
        Ok(outcomes)
    })?;
    let failed = outcomes.iter().any(Outcome::is_refused);
    let text = outcomes.iter().map(|outcome| outcome.describe(*number)).collect::<Vec<_>>();
    let json = outcomes.iter().map(Outcome::to_json).collect::<Vec<_>>();
    output.result(
        text.join("\n"),
        &json!({ "epoch": number, "signedWeight": revocation.signed.signed_weight.to_string(), "chains": json }),
    )?;
    Ok(if failed { ExitStatus::Refused } else { ExitStatus::Success })
}

/// A revocation that operators signed, and what proves it where the epoch is not known.
struct Revocation {
    statement: EpochRevocation,
    epoch: Epoch,
    signed: Aggregate,
    handovers: Vec<GatewayHandover>,
}

fn read_handover(path: &Path, epoch: EpochId) -> Result<GatewayHandover> {
    let signed: GatewayHandover = input::read_json("signed handover", path)?;
    if signed.handover.epoch != epoch {
        bail!("signed handover {} is to epoch {}; give one to epoch {epoch}", path.display(), signed.handover.epoch);
    }
    Ok(signed)
}

fn print(signatures: &[PartialSignature], revocation: &EpochRevocation, output: Output) -> Result<ExitStatus> {
    output.result(
        partials::lines(signatures),
        &json!({
            "homeChain": revocation.home_chain.to_string(),
            "homeRegistry": revocation.home_registry,
            "epoch": revocation.epoch,
            "partials": partials::to_json(signatures),
        }),
    )?;
    Ok(ExitStatus::Success)
}

async fn at_home(
    client: &AssentClient<DynProvider>,
    keeper: Address,
    revocation: &Revocation,
    from: Address,
) -> Result<Revoked> {
    let Revocation { statement, epoch, signed, .. } = revocation;
    let registry = registry_of(client, keeper).await?;
    if registry != statement.home_registry {
        bail!("the keeper {keeper} owns the registry {registry}, not {}", statement.home_registry);
    }
    let halt_quorum = EpochKeeper::new(keeper, client.provider()).HALT_QUORUM().call().await?;
    let state = MirrorState {
        home_chain: statement.home_chain,
        home_registry: registry,
        quorum: 10_000,
        halt_quorum,
        timestamp: 0,
        epochs: vec![epoch.clone()],
        revoked_ahead: BTreeSet::new(),
        stored_tables: BTreeMap::new(),
    };
    require_valid(&state, epoch, signed)?;
    let (non_signers, signature) = encoded(signed);
    let revoke = EpochKeeper::revokeCall { epoch: epoch.number.into(), nonSigners: non_signers, signature };
    Ok(Revoked::Here(Box::new(send(client, from, keeper, &revoke).await?)))
}

fn require_valid(state: &MirrorState, epoch: &Epoch, signed: &Aggregate) -> Result<()> {
    let verified = verify_revocation(state, epoch.number, signed.non_signers.as_bytes(), &signed.signature.0);
    verified.map(drop).context(TOO_FEW)
}

fn encoded(signed: &Aggregate) -> (Bytes, Bytes) {
    (Bytes::copy_from_slice(signed.non_signers.as_bytes()), signed.signature.0.into())
}
