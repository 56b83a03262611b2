//! What a backtest and a shadow print: a line for a call, and a table of counts.

use super::{
    calls::{Kind, PastCall},
    tally::{Judged, PastDecision, Tally},
};
use crate::output::{self, Output, counted};
use alloy_primitives::{Address, B256};
use anyhow::Result;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{self, Write as _},
};

/// Says which calls are read, and which cannot be.
pub fn remark_visibility(contract: Address, kind: Kind) {
    match kind {
        Kind::Spends(task_manager) => output::remark(format_args!(
            "reading the calls of {contract} that spent an attestation under the TaskManager {task_manager}"
        )),
        Kind::Transactions => output::remark(format_args!(
            "reading the transactions to {contract}; calls that other contracts make are not seen"
        )),
    }
}

/// Prints one line of JSON.
pub fn write_json_line(value: &Value) -> Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{value}")?;
    stdout.flush()?;
    Ok(())
}

/// Prints what would have been decided about a call, or that it cannot be read. Nothing of one that reverted.
pub fn write(output: Output, judged: &Judged) -> Result<()> {
    match judged {
        Judged::Call(call, outcome) => write_call(output, call, outcome),
        Judged::Reverted => Ok(()),
        Judged::Hidden { transaction, block, reason } => write_hidden(output, *transaction, *block, reason),
    }
}

fn write_call(output: Output, call: &PastCall, outcome: &PastDecision) -> Result<()> {
    if output.is_json() {
        return write_json_line(&call_json(call, outcome));
    }
    output.line(call_text(call, outcome))?;
    Ok(())
}

fn write_hidden(output: Output, transaction: B256, block: u64, reason: &str) -> Result<()> {
    if output.is_json() {
        let value = json!({ "type": "hidden", "block": block, "transaction": transaction, "reason": reason });
        return write_json_line(&value);
    }
    output.line(format_args!("NOT VISIBLE {transaction} (block {block}): {reason}"))?;
    Ok(())
}

/// Prints the counts of a range of blocks.
pub fn write_summary(output: Output, blocks: Option<(u64, u64)>, tally: &Tally, more: Value) -> Result<()> {
    if output.is_json() {
        let mut value = json!({ "type": "summary" });
        let facts = [tally.to_json(), more];
        let facts = facts.iter().filter_map(Value::as_object).flatten();
        let mut members = facts.map(|(key, value)| (key.clone(), value.clone())).collect::<BTreeMap<_, _>>();
        if let Some((from, to)) = blocks {
            members.extend([("fromBlock".to_owned(), json!(from)), ("toBlock".to_owned(), json!(to))]);
        }
        if let Some(object) = value.as_object_mut() {
            object.extend(members);
        }
        return write_json_line(&value);
    }
    let mut table = output::table(["decision and rule", "calls", "share"]);
    for (what, count, share) in tally.rows() {
        table.add_row([what, count.to_string(), format!("{}.{:02} %", share / 100, share % 100)]);
    }
    let blocks = match blocks {
        Some((from, to)) if from == to => format!("block {from}"),
        Some((from, to)) => format!("blocks {from} to {to}"),
        None => "no block".to_owned(),
    };
    let calls = counted(tally.calls(), "call", "calls");
    let mut lines = vec![table.to_string(), format!("{calls} in {blocks}; a call can be denied by several rules")];
    if tally.undecided > 0 {
        lines.push(counted(
            tally.undecided,
            "call is undecided: a source has no answer for it",
            "calls are undecided: a source has no answer for them",
        ));
    }
    if tally.reverted > 0 {
        lines.push(counted(
            tally.reverted,
            "transaction reverted, and is not counted",
            "transactions reverted, and are not counted",
        ));
    }
    if tally.hidden > 0 {
        lines.push(counted(
            tally.hidden,
            "spent attestation is of a call that cannot be read, and is not counted",
            "spent attestations are of calls that cannot be read, and are not counted",
        ));
    }
    output.line(lines.join("\n"))?;
    Ok(())
}

fn call_text(call: &PastCall, outcome: &PastDecision) -> String {
    let PastCall { transaction, block, .. } = call;
    let (what, why) = match outcome {
        PastDecision::Allowed => return format!("ALLOW {transaction} (block {block})"),
        PastDecision::Denied(reasons) => {
            let reasons = reasons.iter().map(|reason| format!("{}: {}", reason.kind, reason.message));
            ("DENY", reasons.collect::<Vec<_>>().join("; "))
        }
        PastDecision::Undecided(reason) => ("UNDECIDED", reason.replace('\n', "; ")),
    };
    format!("{what} {transaction} (block {block}): {why}")
}

fn call_json(call: &PastCall, outcome: &PastDecision) -> Value {
    let (decision, reasons) = match outcome {
        PastDecision::Allowed => (json!("allow"), Vec::new()),
        PastDecision::Denied(reasons) => {
            let reasons = reasons.iter();
            let reasons =
                reasons.map(|reason| json!({ "kind": reason.kind, "message": reason.message, "rule": reason.rule }));
            (json!("deny"), reasons.collect())
        }
        PastDecision::Undecided(reason) => (Value::Null, vec![json!({ "kind": "source", "message": reason })]),
    };
    json!({
        "type": "call",
        "decision": decision,
        "transaction": call.transaction,
        "block": call.block,
        "intent": call.input.intent,
        "nonce": call.input.nonce.to_string(),
        "referenceBlock": {
            "number": call.input.block.number.to_string(),
            "hash": call.input.block.hash,
            "time": call.input.block.timestamp.to_string(),
        },
        "reasons": reasons,
    })
}
