//! `assent request`: asks a gateway for an authorization, and waits for the operators' decision.

use crate::{
    ExitStatus, arguments, connection,
    gateways::{Gateways, error_to_json},
    input,
    inspect::LONGEST_CALLDATA,
    output::{self, Output, short_address},
    output_file::{OutputFile, Overwrite, require_distinct},
};
use alloy_primitives::{Address, B256, U256, hex};
use anyhow::{Result, bail};
use assent_client::gateway::{
    AuthorizationRequest, DecidedTask, GatewayClient, GatewayError, GatewayTask, GatewayTaskState, OperatorProgress,
    TaskTimings,
};
use assent_verifier::{Decision, Intent};
use clap::{Args, ValueHint};
use core::fmt;
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// How often the task's progress is shown.
const POLL: Duration = Duration::from_millis(300);

/// The options of `assent request`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent request --gateway http://127.0.0.1:8787 --from $AGENT --to $VAULT --chain-id 31337 --data 0x12345678
  assent request --gateway http://127.0.0.1:8787 --intent intent.json --document-out attestation.json
  assent intent --from $AGENT --to $VAULT --chain-id 1 --data 0x12345678 | assent request --intent - --client $VAULT \\
      --gateway https://a.example --gateway https://b.example --json

The gateways are asked in turn until one answers. The document is the input of `assent verify --document` and `assent
send --document`; the authorization, that of `--authorization`.
A gateway is not trusted: `assent send` simulates the call, and the contract verifies the signature.
Exit status 0 means that the operators allow the call; 1, that they deny it, or that there is no decision. Then --json
prints an `error` with its code, whether the same request may succeed later, and what to do.")]
pub struct Arguments {
    #[command(flatten)]
    gateways: Gateways,
    /// The contract that checks the authorization. Default: the contract that is called.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    client: Option<Address>,
    /// The call, as JSON that `assent intent` prints, or - for standard input; instead of the five options below.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "to", "value", "data", "chain_id"])]
    intent: Option<PathBuf>,
    /// The account that will call.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address, required_unless_present = "intent")]
    from: Option<Address>,
    /// The contract that will be called.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address, required_unless_present = "intent")]
    to: Option<Address>,
    /// The value in wei.
    #[arg(long, value_name = "WEI", value_parser = arguments::whole_number)]
    value: Option<U256>,
    /// The calldata as hex, @FILE for a file that contains hex, or - for standard input.
    #[arg(long, value_name = "HEX|@FILE|-", required_unless_present = "intent")]
    data: Option<String>,
    /// The chain on which it will be called.
    #[arg(long, value_name = "NUMBER", value_parser = arguments::whole_number, required_unless_present = "intent")]
    chain_id: Option<U256>,
    /// The nonce. Default: a new one. Repeat a request with its nonce to get the same authorization.
    #[arg(long, value_name = "NUMBER", value_parser = arguments::whole_number)]
    nonce: Option<U256>,
    /// The Unix time at which the authorization expires. Default: the gateway chooses.
    #[arg(long, value_name = "SECONDS")]
    expiration: Option<u64>,
    /// The longest wait for the decision, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "60")]
    wait: u64,
    /// Write the attestation document to this file.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    document_out: Option<PathBuf>,
    #[command(flatten)]
    overwrite: Overwrite,
}

/// Runs `assent request`.
pub fn run(arguments: Arguments, output: Output) -> Result<ExitStatus> {
    let request = arguments.request()?;
    let document_file = arguments.document_file()?;
    let client = arguments.gateways.client()?;
    let patience = Duration::from_secs(arguments.wait);
    let decided = match connection::block_on(ask(&client, request, patience)) {
        Ok(decided) => decided,
        Err(error) => return without_decision(error, output),
    };
    if let Some(file) = document_file {
        file.write(format!("{}\n", serde_json::to_string_pretty(&decided.document)?))?;
    }
    output.result(text(&decided), &report(&decided))?;
    let is_allowed = decided.decision == Decision::Allow;
    if !output.is_json() {
        output::remark(format_args!("next: {}", next_step(&decided, arguments.document_out.as_deref())));
    }
    Ok(if is_allowed { ExitStatus::Success } else { ExitStatus::Refused })
}

/// Prints for programs why there is no decision. People read it as they read every error.
fn without_decision(error: anyhow::Error, output: Output) -> Result<ExitStatus> {
    if !output.is_json() {
        return Err(error);
    }
    let value = if let Some(cause) = error.downcast_ref::<GatewayError>() {
        error_to_json(cause)
    } else if let Some(cause) = error.downcast_ref::<NotDecided>() {
        json!({
            "code": "pending",
            "message": cause.to_string(),
            "retryable": true,
            "next": cause.next_step(),
            "taskId": cause.task_id,
        })
    } else {
        return Err(error);
    };
    output.result("", &json!({ "error": value }))?;
    Ok(ExitStatus::Refused)
}

fn next_step(decided: &DecidedTask, document: Option<&Path>) -> String {
    match (decided.decision, document) {
        (Decision::Deny, _) => "change the call so that the policy allows it, and ask again".to_owned(),
        (Decision::Allow, Some(path)) => format!("`assent send --document {}` sends the call", path.display()),
        (Decision::Allow, None) => format!(
            "the same command with --nonce {} --document-out FILE keeps the attestation, and `assent send --document \
             FILE` sends the call",
            decided.document.attestation.nonce
        ),
    }
}

/// Submits the request, and shows how many operators answered until the decision is there.
async fn ask(client: &GatewayClient, request: AuthorizationRequest, patience: Duration) -> Result<DecidedTask> {
    let spinner = output::Waiting::new("Asking the gateway");
    let task = client.submit(&request).await?;
    let task_id = task.task_id;
    // With its nonce, the same request waits for the same task.
    let request = request.with_nonce(task.nonce);
    let decided = client.request_authorization(&request);
    let progress = async {
        loop {
            // What cannot be shown is not missed: the decision does not depend on it.
            if let Ok(GatewayTask { timings: Some(timings), state: GatewayTaskState::Pending, .. }) =
                client.task(task_id).await
            {
                spinner.say(progress_text(&timings));
            }
            tokio::time::sleep(POLL).await;
        }
    };
    let waited = async {
        tokio::select! {
            decided = decided => decided,
            never = progress => never,
        }
    };
    let outcome = tokio::time::timeout(patience, waited).await;
    match outcome {
        Ok(Ok(decided)) => Ok(decided),
        Ok(Err(error)) => {
            drop(spinner);
            show_answers(client, task_id).await;
            Err(error.into())
        }
        Err(_) => {
            drop(spinner);
            show_answers(client, task_id).await;
            let health = client.health().await.ok();
            let connected = health.map(|health| (health.connected, health.operators));
            Err(NotDecided { task_id, nonce: task.nonce, seconds: patience.as_secs(), connected }.into())
        }
    }
}

/// Shows what each operator has answered: it says why there is no decision.
async fn show_answers(client: &GatewayClient, task_id: B256) {
    if let Ok(GatewayTask { timings: Some(timings), .. }) = client.task(task_id).await
        && !timings.operators.is_empty()
    {
        output::remark(operators(&timings));
    }
}

/// A task is not decided in time. It goes on.
#[derive(Debug)]
struct NotDecided {
    task_id: B256,
    nonce: U256,
    seconds: u64,
    /// How many operators are connected to the gateway, of how many.
    connected: Option<(u64, u64)>,
}

impl NotDecided {
    fn next_step(&self) -> String {
        format!("ask again with --nonce {}, or with a longer --wait", self.nonce)
    }
}

impl fmt::Display for NotDecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the task {} is not decided after {} s", self.task_id, self.seconds)?;
        if let Some((connected, operators)) = self.connected {
            write!(f, ", {connected} of {operators} operators are connected to the gateway")?;
        }
        write!(f, "; it goes on until it expires: {}", self.next_step())
    }
}

impl core::error::Error for NotDecided {}

fn progress_text(timings: &TaskTimings) -> String {
    let signed = timings.operators.iter().filter(|operator| operator.answer == "signed").count();
    let answered = output::counted(timings.operators.len(), "operator has", "operators have");
    format!("Waiting for the operators: {answered} answered, {signed} signed")
}

impl Arguments {
    fn request(&self) -> Result<AuthorizationRequest> {
        let intent = self.read_intent()?;
        let mut request = AuthorizationRequest::new(self.client.unwrap_or(intent.to), intent);
        request.nonce = self.nonce;
        request.expiration = self.expiration;
        Ok(request)
    }

    fn read_intent(&self) -> Result<Intent> {
        if let Some(path) = &self.intent {
            return input::read_json("intent file", path);
        }
        // The command line's rules require all four.
        let (Some(from), Some(to), Some(data), Some(chain_id)) = (self.from, self.to, &self.data, self.chain_id) else {
            bail!("give --intent, or --from, --to, --data and --chain-id");
        };
        let data = input::read_hex("calldata", data, LONGEST_CALLDATA)?.into();
        Ok(Intent { from, to, value: self.value.unwrap_or_default(), data, chainId: chain_id })
    }

    /// Returns the document's file. It is checked before the gateway is asked.
    fn document_file(&self) -> Result<Option<OutputFile<'_>>> {
        let Some(path) = &self.document_out else { return Ok(None) };
        let inputs: Vec<&Path> = self.intent.iter().chain(self.gateways.token_file()).map(PathBuf::as_path).collect();
        require_distinct(&[("--document-out", path)], &inputs)?;
        OutputFile::new("document", path, self.overwrite.force).map(Some)
    }
}

/// Returns the decision for people.
fn text(decided: &DecidedTask) -> String {
    let attestation = &decided.document.attestation;
    let authorization = hex::encode_prefixed(decided.authorization.encode());
    let mut table = output::table(["decision", &decided.decision.to_string()]);
    for reason in &decided.reasons {
        table.add_row(["reason", reason]);
    }
    table
        .add_row(["task", &attestation.taskId.to_string()])
        .add_row(["policy", &attestation.policyId.to_string()])
        .add_row(["nonce", &attestation.nonce.to_string()])
        .add_row(["issued", &output::time(attestation.issuedAt.to())])
        .add_row(["expires", &output::time(attestation.expiration.to())])
        .add_row(["evidence", &attestation.evidence.to_string()])
        .add_row(["signers", &list(decided.signers.as_deref())])
        .add_row(["non-signers", &list(decided.non_signers.as_deref())]);
    let mut text = table.to_string();
    if let Some(timings) = &decided.timings {
        text.push_str(&format!("\n{}", operators(timings)));
    }
    match decided.decision {
        Decision::Allow => format!("{text}\nauthorization: {authorization}"),
        Decision::Deny => format!("{text}\nThe operators deny the call: no contract accepts it."),
    }
}

/// Returns when each operator answered, after the gateway received the task.
fn operators(timings: &TaskTimings) -> comfy_table::Table {
    let mut table = output::table(["operator", "answer", "after"]);
    for operator in &timings.operators {
        let after = format!("{} ms", operator.at.saturating_sub(timings.received_at));
        table.add_row([&short_address(operator.operator), &answer(operator), &after]);
    }
    table
}

/// Returns what an operator answered, in words.
pub fn answer(operator: &OperatorProgress) -> String {
    match (&operator.decision, &operator.refusal) {
        (Some(decision), _) => format!("{}: {decision}", operator.answer),
        (None, Some(refusal)) => format!("{}: {} ({})", operator.answer, refusal.message, refusal.code),
        (None, None) => operator.answer.clone(),
    }
}

fn list(operators: Option<&[Address]>) -> String {
    match operators {
        None => "not known: the epoch is no longer in force".to_owned(),
        Some([]) => "none".to_owned(),
        Some(operators) => {
            let listed = operators.iter().map(|&operator| short_address(operator)).collect::<Vec<_>>();
            format!("{}: {}", operators.len(), listed.join(", "))
        }
    }
}

/// Returns the decision for programs.
pub fn report(decided: &DecidedTask) -> Value {
    let attestation = &decided.document.attestation;
    json!({
        "taskId": attestation.taskId,
        "policyClient": attestation.policyClient,
        "policyId": attestation.policyId,
        "nonce": attestation.nonce.to_string(),
        "decision": decided.decision,
        "reasons": decided.reasons,
        "evidence": attestation.evidence,
        "signers": decided.signers,
        "nonSigners": decided.non_signers,
        "timings": decided.timings,
        "authorization": hex::encode_prefixed(decided.authorization.encode()),
        "document": decided.document,
    })
}
