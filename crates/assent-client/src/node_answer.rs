//! Nodes' answers to calls that revert. There is no standard for where the revert data is.

use alloy::{
    primitives::{Bytes, hex},
    rpc::json_rpc::ErrorPayload,
};
use serde_json::Value;

/// The code with which Geth, and many nodes after it, mark a revert.
const EXECUTION_REVERTED: i64 = 3;

/// The fields of an error object that hold revert data, or another object that does.
const FIELDS: [&str; 9] =
    ["data", "result", "return", "returnData", "output", "revertData", "originalError", "error", "cause"];

/// What a node says about a revert.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RevertAnswer {
    /// The revert data; empty if the node gives none.
    pub(crate) data: Bytes,
    /// The reason in the node's words, if it gives one beside the data.
    pub(crate) reason: Option<String>,
}

impl RevertAnswer {
    /// Returns whether there is neither revert data nor a reason.
    pub(crate) fn is_empty(&self) -> bool {
        self.data.is_empty() && self.reason.is_none()
    }
}

/// Returns what a node says about a revert; `None` if the answer is about anything else.
pub(crate) fn revert(answer: &ErrorPayload) -> Option<RevertAnswer> {
    let data = answer.data.as_ref().and_then(|data| serde_json::from_str::<Value>(data.get()).ok()).unwrap_or_default();
    let says = |text: &str| text.to_lowercase().contains("revert");
    if answer.code != EXECUTION_REVERTED && !says(&answer.message) && !says(&data.to_string()) {
        return None;
    }
    let found = in_value(&data).or_else(|| in_text(&answer.message));
    Some(RevertAnswer { data: found.unwrap_or_default(), reason: reason(&answer.message) })
}

fn in_value(value: &Value) -> Option<Bytes> {
    match value {
        Value::String(text) => text.parse().ok().filter(|_| text.starts_with("0x")).or_else(|| in_text(text)),
        Value::Object(fields) => {
            let by_name = FIELDS.iter().find_map(|field| in_value(fields.get(*field)?));
            // Ganache: by the transaction's hash. Texts of other fields can be hashes.
            let nested = || fields.values().filter(|value| value.is_object()).find_map(in_value);
            let message = || in_text(fields.get("message")?.as_str()?);
            by_name.or_else(nested).or_else(message)
        }
        _ => None,
    }
}

/// Returns the revert data in a text such as `Reverted 0x…`.
fn in_text(text: &str) -> Option<Bytes> {
    let after = text.get(text.to_lowercase().find("revert")?..)?;
    after.match_indices("0x").find_map(|(index, _)| {
        let digits = after.get(index + 2..)?;
        let end = digits.find(|character: char| !character.is_ascii_hexdigit()).unwrap_or(digits.len());
        let (digits, rest) = digits.split_at_checked(end)?;
        // Anvil and Reth: the selector, a colon, and the arguments.
        let arguments = rest.strip_prefix(": ").or_else(|| rest.strip_prefix(':')).unwrap_or_default();
        let end = arguments.find(|character: char| !character.is_ascii_hexdigit()).unwrap_or(arguments.len());
        let bytes = [digits, arguments.get(..end)?].concat();
        let bytes = hex::decode(&bytes).or_else(|_| hex::decode(digits)).ok()?;
        // A selector and words. Addresses and hashes are shown as well.
        (bytes.len() % 32 == 4).then(|| bytes.into())
    })
}

/// Returns the words after `reverted: ` or `reverted with reason string `.
fn reason(message: &str) -> Option<String> {
    let after = message.split_once("reverted")?.1;
    let reason = after.strip_prefix(": ").or_else(|| after.strip_prefix(" with reason string "))?.trim();
    let reason = reason.trim_matches(['\'', '"']);
    (!reason.is_empty() && !reason.contains("0x")).then(|| reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClientError, Revert};
    use alloy::{primitives::Address, transports::RpcError};
    use assent_verifier::{EpochId, Refusal};
    use serde_json::json;

    /// `UnknownEpoch(3)`.
    fn refusal() -> (Refusal, String) {
        let refusal = Refusal::UnknownEpoch { epoch: EpochId(3) };
        (refusal, hex::encode_prefixed(refusal.revert_data()))
    }

    fn error(answer: Value) -> ClientError {
        let payload = serde_json::from_value::<ErrorPayload>(answer).expect("an error object of JSON-RPC");
        ClientError::from_transport(Address::ZERO, RpcError::ErrorResp(payload))
    }

    /// Answers to one call that reverts with `UnknownEpoch(3)`.
    #[test]
    fn a_refusal_is_read_wherever_nodes_put_it() {
        let (refusal, data) = refusal();
        let (selector, arguments) = data.split_at(10);
        let hash = format!("0x{}", "ab".repeat(32));
        let answers = [
            ("Geth, Erigon, Reth", json!({ "code": 3, "message": "execution reverted", "data": data })),
            ("Geth before 1.9.15, Arbitrum", json!({ "code": -32000, "message": "execution reverted", "data": data })),
            (
                "anvil",
                json!({ "code": 3, "message": format!("execution reverted: custom error {selector}"), "data": data }),
            ),
            ("Besu", json!({ "code": -32000, "message": "Execution reverted", "data": data })),
            (
                "Nethermind",
                json!({ "code": -32015, "message": "VM execution error.", "data": format!("Reverted {data}") }),
            ),
            (
                "Nethermind, in its message",
                json!({ "code": -32015, "message": format!("VM execution error: Reverted {data}") }),
            ),
            (
                "OpenEthereum",
                json!({ "code": -32015, "message": "VM execution error.", "data": format!("Reverted {data}") }),
            ),
            (
                "Geth with a proxy that drops data",
                json!({ "code": -32000, "message": format!("execution reverted: {data}") }),
            ),
            (
                "Reth's message",
                json!({ "code": 3, "message": format!("execution reverted: custom error {selector}: {}", arguments) }),
            ),
            (
                "Hardhat 2",
                json!({
                    "code": -32603,
                    "message": format!(
                        "Error: VM Exception while processing transaction: reverted with an unrecognized custom error \
                         (return data: {data})"
                    ),
                    "data": { "message": "Error: VM Exception", "txHash": hash, "data": data },
                }),
            ),
            (
                "Hardhat 3",
                json!({ "code": 3, "message": "VM Exception: reverted", "data": { "hash": hash, "data": data } }),
            ),
            (
                "Ganache 7",
                json!({
                    "code": -32000,
                    "message": "VM Exception while processing transaction: revert",
                    "data": { "hash": hash, "programCounter": 5, "result": data, "reason": null, "message": "revert" },
                }),
            ),
            (
                "Ganache 2",
                json!({
                    "code": -32000,
                    "message": "VM Exception while processing transaction: revert",
                    "data": { hash: { "error": "revert", "program_counter": 5, "return": data }, "stack": "" },
                }),
            ),
            (
                "a wallet around Geth",
                json!({
                    "code": -32603,
                    "message": "Internal JSON-RPC error.",
                    "data": { "code": 3, "message": "execution reverted", "data": data },
                }),
            ),
            (
                "another wallet",
                json!({
                    "code": -32603,
                    "message": "execution reverted",
                    "data": { "originalError": { "code": 3, "data": data, "message": "execution reverted" } },
                }),
            ),
        ];
        for (node, answer) in answers {
            assert_eq!(error(answer).refusal(), Some(refusal), "{node}");
        }
    }

    #[test]
    fn a_revert_without_data_is_a_revert_with_the_nodes_reason() {
        let answers = [
            (json!({ "code": -32000, "message": "execution reverted" }), "without a reason"),
            (json!({ "code": 3, "message": "execution reverted", "data": "0x" }), "without a reason"),
            (json!({ "code": -32015, "message": "VM execution error.", "data": "Reverted 0x" }), "without a reason"),
            (json!({ "code": -32000, "message": "execution reverted: too late" }), "Error(\"too late\")"),
            (
                json!({
                    "code": -32603,
                    "message": "VM Exception while processing transaction: reverted with reason string 'too late'",
                }),
                "Error(\"too late\")",
            ),
            // A hash or an address in the message is not revert data.
            (
                json!({ "code": -32000, "message": format!("execution reverted by {}", Address::ZERO) }),
                "without a reason",
            ),
        ];
        for (answer, expected) in answers {
            match error(answer.clone()) {
                ClientError::Reverted { reason: reason @ Revert::Other { .. }, .. } => {
                    assert_eq!(reason.to_string(), expected, "{answer}");
                }
                other => panic!("{answer}: {other:?}"),
            }
        }
    }

    #[test]
    fn any_other_answer_is_no_revert() {
        for answer in [
            json!({ "code": -32603, "message": "EVM error NotActivated" }),
            json!({ "code": -32000, "message": "invalid opcode: opcode 0x1e not defined" }),
            json!({ "code": -32015, "message": "VM execution error.", "data": "Bad instruction 1e" }),
            json!({ "code": -32000, "message": "out of gas" }),
            json!({ "code": -32000, "message": "insufficient funds for gas * price + value" }),
            json!({ "code": -32601, "message": "the method eth_feeHistory does not exist/is not available" }),
            json!({ "code": -32000, "message": "unknown account", "data": "0x08c379a0" }),
        ] {
            assert!(matches!(error(answer.clone()), ClientError::Transport(_)), "{answer}");
        }
    }
}
