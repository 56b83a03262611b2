//! `assent attest`: an intent, signed by operators.

use crate::{
    Outcome, arguments, input,
    key_file::KeyFile,
    output::{self, Output},
};
use alloy_primitives::{
    Address, B256, U256,
    aliases::{U48, U96},
    hex,
};
use anyhow::{Context as _, Result, bail};
use assent_signer::{Aggregate, AttestationBatch, PartialSignature, SecretKey, aggregate};
use assent_verifier::{
    Attestation, AttestationDocument, Context, Epoch, Intent, PublicKey,
    digest::{intent_hash, task_id},
};
use clap::Args;
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

/// The options of `assent attest`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent attest --intent intent.json --context context.json --nonce 7 --lifetime 600 --decision allow \\
      --evidence 0x… --key operator-1.json --key operator-2.json --password-file password.txt

  assent attest --intent intent.json --epoch epoch.json --chain-id 1 --task-manager 0x… --client 0x… --policy-id 0x… \\
      --nonce 7 --expiration 1800000000 --decision allow --evidence 0x… --key operator-1.json \\
      --partial 0x00000000000000000000000000000000000000A1=0x1f3a… --document-out attestation.json

An intent: {\"from\": \"0x…\", \"to\": \"0x…\", \"value\": \"0\", \"data\": \"0x…\", \"chainId\": 1}
An epoch is what `assent epoch show --json` prints, a context what `assent context --json` prints.
A signature that is not sound is left out, and named.")]
pub struct Arguments {
    /// The call to attest, as JSON.
    #[arg(long, value_name = "FILE")]
    intent: PathBuf,
    /// An operator's key file, encrypted or not; repeat it for each operator that signs.
    #[arg(long = "key", value_name = "FILE")]
    keys: Vec<PathBuf>,
    /// Take the key files' password from a file instead of asking for each.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// An operator's signature made elsewhere, as `partialSignatures` of `assent attest --json` gives it; repeatable.
    #[arg(long = "partial", value_name = "ADDRESS=SIGNATURE", value_parser = arguments::partial_signature)]
    partials: Vec<PartialSignature>,
    #[command(flatten)]
    place: Place,
    /// The client's nonce that the call will spend.
    #[arg(long)]
    nonce: U256,
    #[command(flatten)]
    until: Until,
    /// What the operators found.
    #[arg(long)]
    decision: arguments::Decision,
    /// The hash that commits to all that the operators evaluated.
    #[arg(long, value_name = "HASH")]
    evidence: B256,
    /// Write the authorization, as hex, to a file.
    #[arg(long, value_name = "FILE")]
    authorization_out: Option<PathBuf>,
    /// Write the attestation document, as JSON, to a file.
    #[arg(long, value_name = "FILE")]
    document_out: Option<PathBuf>,
}

/// Where and under which policy the call will be made.
#[derive(Args)]
struct Place {
    /// Take chain, TaskManager, client, policy and the policy's newest epoch from a context, as JSON.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["chain_id", "task_manager", "client", "policy_id"])]
    context: Option<PathBuf>,
    /// The operators' epoch, as JSON.
    #[arg(long, value_name = "FILE", required_unless_present = "context")]
    epoch: Option<PathBuf>,
    /// The chain.
    #[arg(long, required_unless_present = "context")]
    chain_id: Option<U256>,
    /// The client's TaskManager.
    #[arg(long, value_name = "ADDRESS", required_unless_present = "context")]
    task_manager: Option<Address>,
    /// The protected contract.
    #[arg(long, value_name = "ADDRESS", required_unless_present = "context")]
    client: Option<Address>,
    /// The client's policy.
    #[arg(long, value_name = "HASH", required_unless_present = "context", value_parser = arguments::policy_id)]
    policy_id: Option<B256>,
}

/// How long the attestation will be good.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Until {
    /// First second at which it is no longer good (Unix time).
    #[arg(long, value_name = "UNIX_SECONDS")]
    expiration: Option<U48>,
    /// Seconds from now for which it is good.
    #[arg(long, value_name = "SECONDS")]
    lifetime: Option<u32>,
}

/// A [`Place`], read.
struct Setting {
    chain_id: U256,
    task_manager: Address,
    policy_client: Address,
    policy_id: B256,
    epoch: Epoch,
}

/// Runs `assent attest`.
pub fn run(arguments: Arguments, output: Output) -> Result<Outcome> {
    if arguments.keys.is_empty() && arguments.partials.is_empty() {
        bail!("nobody signs: give at least one --key FILE or --partial ADDRESS=SIGNATURE");
    }
    let intent: Intent = input::read_json("intent file", &arguments.intent)?;
    let setting = arguments.place.read()?;
    let attestation = attestation(&arguments, &setting, intent)?;
    let batch = AttestationBatch::new(vec![attestation], setting.chain_id, setting.task_manager)?;

    let mut partials = sign(&arguments, &setting.epoch, &batch)?;
    partials.extend(arguments.partials);
    let aggregate = aggregate(&setting.epoch, batch.root(), &partials)?;
    for rejected in &aggregate.rejected {
        output::remark(format_args!("warning: left out {rejected}"));
    }

    let document = aggregate.document(&batch, 0)?;
    let authorization = hex::encode_prefixed(document.authorization()?.encode());
    if let Some(path) = &arguments.authorization_out {
        input::write_file("authorization", path, &format!("{authorization}\n"))?;
    }
    if let Some(path) = &arguments.document_out {
        input::write_file("document", path, &(serde_json::to_string_pretty(&document)? + "\n"))?;
    }
    let total = setting.epoch.operators.total_weight();
    output::remark(signed_remark(&aggregate, total));
    output.result(&authorization, &summary(&authorization, &document, &aggregate, total, &partials))?;
    Ok(Outcome::Success)
}

impl Place {
    fn read(&self) -> Result<Setting> {
        let epoch = self.epoch.as_deref().map(|path| input::read_json::<Epoch>("epoch file", path)).transpose()?;
        if let Some(path) = &self.context {
            return Setting::from_context(input::read_json("context file", path)?, epoch, path);
        }
        // The command line's rules leave none of them out.
        let (Some(chain_id), Some(task_manager), Some(policy_client), Some(policy_id), Some(epoch)) =
            (self.chain_id, self.task_manager, self.client, self.policy_id, epoch)
        else {
            bail!("give --context, or all of --epoch, --chain-id, --task-manager, --client and --policy-id");
        };
        Ok(Setting { chain_id, task_manager, policy_client, policy_id, epoch })
    }
}

impl Setting {
    fn from_context(context: Context, epoch: Option<Epoch>, path: &Path) -> Result<Self> {
        let Context { chain_id, task_manager, policy_client, policy, epochs, .. } = context;
        let policy = policy.with_context(|| format!("context file {}: the client has no policy", path.display()))?;
        let newest = || {
            epochs.into_iter().filter(|epoch| epoch.operator_set == policy.operatorSet).max_by_key(|epoch| epoch.number)
        };
        let epoch = epoch.or_else(newest).with_context(|| {
            format!(
                "context file {} has no epoch of operator set {}; give one with --epoch",
                path.display(),
                policy.operatorSet
            )
        })?;
        Ok(Self { chain_id, task_manager, policy_client, policy_id: policy.policyId, epoch })
    }
}

fn attestation(arguments: &Arguments, setting: &Setting, intent: Intent) -> Result<Attestation> {
    let Setting { chain_id, task_manager, policy_client, policy_id, .. } = *setting;
    Ok(Attestation {
        taskId: task_id(chain_id, task_manager, policy_client, policy_id, intent_hash(&intent), arguments.nonce),
        policyId: policy_id,
        policyClient: policy_client,
        nonce: arguments.nonce,
        expiration: arguments.until.expiration()?,
        decision: assent_verifier::Decision::from(arguments.decision).into(),
        evidence: arguments.evidence,
        intent,
    })
}

impl Until {
    fn expiration(&self) -> Result<U48> {
        if let Some(expiration) = self.expiration {
            return Ok(expiration);
        }
        let now =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).context("this machine's clock is before 1970")?;
        U48::try_from(now.as_secs() + u64::from(self.lifetime.unwrap_or_default()))
            .context("this machine's clock is millions of years ahead")
    }
}

/// Signs with each key file. All are read and found in the epoch before the first is decrypted.
fn sign(arguments: &Arguments, epoch: &Epoch, batch: &AttestationBatch) -> Result<Vec<PartialSignature>> {
    let mut found = Vec::new();
    for path in &arguments.keys {
        let file = KeyFile::read(path)?;
        match operator_of(epoch, &file.public_key()) {
            Some(operator) => found.push((path, operator, file)),
            None => output::remark(format_args!(
                "warning: left out {}: its public key is no operator's in epoch {}",
                path.display(),
                epoch.number
            )),
        }
    }
    if found.is_empty() && arguments.partials.is_empty() {
        bail!("none of the keys is an operator's in epoch {}", epoch.number);
    }
    found
        .into_iter()
        .map(|(path, operator, file)| {
            let key: SecretKey = file.open(path, arguments.password_file.as_deref())?;
            Ok(PartialSignature::new(operator, key.sign_batch(batch)))
        })
        .collect()
}

fn operator_of(epoch: &Epoch, public_key: &PublicKey) -> Option<Address> {
    let operators = epoch.operators.operators();
    operators.iter().find(|operator| operator.public_key == *public_key).map(|operator| operator.address)
}

fn signed_remark(aggregate: &Aggregate, total: U96) -> String {
    let Aggregate { signed_weight, non_signers, .. } = aggregate;
    format!("signed: weight {signed_weight} of {total}; operators that did not sign: {}", non_signers.count())
}

fn summary(
    authorization: &str,
    document: &AttestationDocument,
    aggregate: &Aggregate,
    total: U96,
    partials: &[PartialSignature],
) -> Value {
    let rejected = |partial: &assent_signer::RejectedPartial| json!({ "place": partial.place, "operator": partial.operator, "reason": partial.reason.to_string() });
    let partial = |partial: &PartialSignature| json!({ "operator": partial.operator, "signature": hex::encode_prefixed(&partial.signature) });
    json!({
        "authorization": authorization,
        "document": document,
        "signedWeight": aggregate.signed_weight.to_string(),
        "totalWeight": total.to_string(),
        "partialSignatures": partials.iter().map(partial).collect::<Vec<_>>(),
        "rejected": aggregate.rejected.iter().map(rejected).collect::<Vec<_>>(),
    })
}
