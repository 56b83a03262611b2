//! `assent send`: simulates and sends an attested call.

use crate::{
    ExitStatus,
    account::Account,
    arguments,
    connection::{self, Node},
    input,
    inspect::LONGEST_AUTHORIZATION,
    output::{self, Output},
    refused,
};
use alloy::{providers::DynProvider, rpc::types::TransactionReceipt};
use alloy_primitives::Address;
use anyhow::{Context, Result, bail};
use assent_client::{AssentClient, ClientError, PreparedCall};
use assent_examples::execute_call;
use assent_verifier::{AttestationDocument, Authorization, Difference, Intent, QuorumProof, Refusal};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// The options of `assent send`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent send --rpc-url http://127.0.0.1:8545 --document attestation.json --private-key-file agent.key
  assent send --rpc-url http://127.0.0.1:8545 --intent intent.json --authorization @authorization.hex --account $AGENT
  assent send --rpc-url http://127.0.0.1:8545 --document attestation.json --explicit $VAULT --account $AGENT
  assent send --rpc-url http://127.0.0.1:8545 --document attestation.json --recorded --account $AGENT

The authorization is appended to the calldata, or with --explicit passed with the intent to execute(Intent,bytes).
The call is simulated first: a call that would be refused costs no gas. With --recorded the signature is not sent:
`assent record` must have recorded the attestation's root before, and the call costs a fraction of the gas.")]
pub struct Arguments {
    #[command(flatten)]
    node: Node,
    /// The call, as JSON. Default: the call in --document.
    #[arg(long, value_name = "FILE", required_unless_present = "document", requires = "authorization")]
    intent: Option<PathBuf>,
    /// The authorization as hex, @FILE for a file that contains hex, or - for standard input.
    #[arg(long, value_name = "HEX|@FILE|-", required_unless_present = "document", requires = "intent")]
    authorization: Option<String>,
    /// The attestation document, as JSON, instead of --intent and --authorization.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["intent", "authorization"])]
    document: Option<PathBuf>,
    /// Pass the intent to this contract, which executes it.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    explicit: Option<Address>,
    /// Send no signature: the attestation's root is recorded.
    #[arg(long)]
    recorded: bool,
    #[command(flatten)]
    sender: Account,
}

/// Runs `assent send`.
pub fn run(arguments: Arguments, output: Output) -> Result<ExitStatus> {
    let (intent, mut authorization, document) = arguments.read()?;
    if arguments.recorded {
        authorization.quorum_proof = QuorumProof::Recorded;
    }
    let (from, signer) = arguments.sender.open()?;
    let call = arguments.call(from, &intent, &authorization)?;
    let sent = connection::block_on(async {
        let client = AssentClient::new(arguments.node.connect(signer)?);
        let _spinner = output::spinner("Sending");
        let chain_id = client.chain_id().await.with_context(|| arguments.node.asking())?;
        if arguments.explicit.is_none() {
            arguments.node.require_chain("the call is", intent.chainId, chain_id)?;
        }
        client.require_contract(call.to).await.with_context(|| arguments.node.asking())?;
        let sent = match client.simulate(&call).await {
            Ok(_) => client.send(&call).await,
            Err(error) => Err(error),
        };
        let differences = match (&sent, &document) {
            (Err(error), Some(document)) => {
                let policy_client = arguments.explicit.unwrap_or(intent.to);
                differences(&client, policy_client, from, document, &authorization, error).await
            }
            _ => Vec::new(),
        };
        Ok((sent, differences))
    })?;
    match sent {
        (Ok(receipt), _) => report_success(&receipt, output),
        (Err(error), differences) => refused::report_with(error, &differences, output),
    }
}

/// Returns the fields in which the chain differs from what was attested, if that is why it refused the call.
async fn differences(
    client: &AssentClient<DynProvider>,
    policy_client: Address,
    caller: Address,
    document: &AttestationDocument,
    authorization: &Authorization,
    error: &ClientError,
) -> Vec<Difference> {
    let Some(Refusal::WrongTask { .. }) = error.refusal() else { return Vec::new() };
    let intent = &document.attestation.intent;
    let context = client.read_context_for(policy_client, caller, intent, authorization).await;
    // A node that does not answer again leaves the refusal without an explanation.
    context.map_or_else(|_| Vec::new(), |context| context.differences(document, intent, authorization))
}

impl Arguments {
    fn read(&self) -> Result<(Intent, Authorization, Option<AttestationDocument>)> {
        if let Some(path) = &self.document {
            let document: AttestationDocument = input::read_json("document", path)?;
            let authorization = document.authorization()?;
            return Ok((document.attestation.intent.clone(), authorization, Some(document)));
        }
        // The command line's rules require both.
        let (Some(intent), Some(authorization)) = (&self.intent, &self.authorization) else {
            bail!("give --document, or --intent and --authorization");
        };
        let bytes = input::read_hex("authorization", authorization, LONGEST_AUTHORIZATION)?;
        let authorization = Authorization::parse(&bytes).context("cannot parse the authorization")?;
        Ok((input::read_json("intent file", intent)?, authorization, None))
    }

    /// Returns the call from this account. The contract checks that it is the attested one.
    fn call(&self, from: Address, intent: &Intent, authorization: &Authorization) -> Result<PreparedCall> {
        if let Some(contract) = self.explicit {
            return Ok(PreparedCall { from, ..execute_call(contract, intent, authorization) });
        }
        let call = PreparedCall::new(from, intent.to, intent.data.clone()).with_value(intent.value);
        Ok(call.attested(authorization)?)
    }
}

fn report_success(receipt: &TransactionReceipt, output: Output) -> Result<ExitStatus> {
    let (transaction, gas, block) = (receipt.transaction_hash, receipt.gas_used, receipt.block_number);
    output.result(
        format_args!("the call succeeded: transaction {transaction}, {gas} gas"),
        &json!({ "sent": true, "transaction": transaction, "gas": gas, "block": block }),
    )?;
    Ok(ExitStatus::Success)
}
