//! The call that emitted an event, and the authorization in it.

use alloy::{
    consensus::Transaction as _,
    network::TransactionResponse as _,
    primitives::{Address, B256, Bytes, U256, keccak256},
    providers::Provider,
    sol_types::SolCall,
};
use anyhow::{Context as _, Result};
use assent_contracts::TaskManager::{AttestationSpent, spendCall};
use assent_examples::TreasuryVault;
use assent_verifier::{Authorization, EpochId, Intent, split_trailing};
use serde::Deserialize;
use serde_json::json;

/// A call with its authorization.
#[derive(Debug, Clone)]
pub struct Visible {
    /// The client's caller.
    pub caller: Address,
    /// The call.
    pub intent: Intent,
    /// The authorization.
    pub authorization: Authorization,
    /// The authorization's bytes.
    pub encoded: Vec<u8>,
}

/// A call within a transaction, from `callTracer`.
#[derive(Debug, Deserialize)]
struct Frame {
    #[serde(default)]
    to: Option<Address>,
    #[serde(default)]
    input: Bytes,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    calls: Vec<Frame>,
}

/// Finds the call that emitted an event. The inner error is the reason why it is not visible.
///
/// # Errors
///
/// When the node does not answer, or does not have the transaction.
pub async fn find_call<P: Provider>(
    provider: &P,
    transaction: B256,
    chain_id: U256,
    task_manager: Address,
    event: &AttestationSpent,
) -> Result<Result<Visible, String>> {
    let found = provider.get_transaction_by_hash(transaction).await.context("asking for a transaction")?;
    let found = found.with_context(|| format!("the node does not have transaction {transaction}"))?;
    if found.to() == Some(event.policyClient) {
        let (caller, value, input) = (found.from(), found.value(), found.input());
        let visible = trailing(caller, value, input, chain_id, event).or_else(|| explicit(caller, input, event));
        if let Some(visible) = visible {
            return Ok(Ok(visible));
        }
    }
    let tracer = json!({ "tracer": "callTracer" });
    let trace = provider.raw_request::<_, Frame>("debug_traceTransaction".into(), (transaction, tracer)).await;
    Ok(match trace {
        Ok(trace) => spending(&trace, task_manager, event)
            .ok_or_else(|| "the transaction's trace shows no call from which it can be read".to_owned()),
        Err(error) => Err(format!(
            "it is not in the transaction's own calldata, and the node gives no trace of inner calls: {error}"
        )),
    })
}

/// Reads an authorization that is appended to the calldata.
fn trailing(caller: Address, value: U256, input: &[u8], chain_id: U256, event: &AttestationSpent) -> Option<Visible> {
    let (data, encoded) = split_trailing(input).ok()?;
    let data = Bytes::copy_from_slice(data);
    let intent = Intent { from: caller, to: event.policyClient, value, data, chainId: chain_id };
    visible(caller, intent, encoded, event)
}

/// Reads an authorization that is an argument, as in TreasuryVault.
fn explicit(caller: Address, input: &[u8], event: &AttestationSpent) -> Option<Visible> {
    let TreasuryVault::executeCall { intent, authorization } =
        TreasuryVault::executeCall::abi_decode_validate(input).ok()?;
    visible(caller, intent.into(), &authorization, event)
}

/// Reads an authorization from the client's call of the TaskManager, which has only the hash of the intent's data.
/// The data is in the client's own calldata.
fn spending(frame: &Frame, task_manager: Address, event: &AttestationSpent) -> Option<Visible> {
    if frame.error.is_some() {
        return None;
    }
    let of_inner = frame.calls.iter().find_map(|inner| spending(inner, task_manager, event));
    of_inner.or_else(|| {
        let inner = frame.calls.iter().filter(|inner| inner.to == Some(task_manager) && inner.error.is_none());
        inner.filter_map(|inner| spendCall::abi_decode_validate(&inner.input).ok()).find_map(|spend| {
            let call = &spend.attestedCall;
            let intent = Intent {
                from: call.from,
                to: call.to,
                value: call.value,
                data: with_hash(&frame.input, call.dataHash)?,
                chainId: call.chainId,
            };
            visible(call.caller, intent, &spend.authorization, event)
        })
    })
}

/// Finds the bytes with this hash in calldata. They are those before a trailing authorization, or an argument of any
/// function, whose length the ABI puts before it.
fn with_hash(input: &Bytes, hash: B256) -> Option<Bytes> {
    if let Ok((data, _)) = split_trailing(input)
        && keccak256(data) == hash
    {
        return Some(Bytes::copy_from_slice(data));
    }
    (4..input.len()).step_by(32).find_map(|place| {
        let (word, rest) = input.get(place..)?.split_at_checked(32)?;
        let length = usize::try_from(U256::from_be_slice(word)).ok()?;
        rest.get(..length).filter(|data| keccak256(data) == hash).map(Bytes::copy_from_slice)
    })
}

/// If it is the one that the event speaks of.
fn visible(caller: Address, intent: Intent, encoded: &[u8], event: &AttestationSpent) -> Option<Visible> {
    let authorization = Authorization::parse(encoded).ok()?;
    let AttestationSpent { taskId, nonce, epoch, evidence, .. } = *event;
    let attested = (authorization.task_id, authorization.nonce, authorization.epoch, authorization.evidence);
    let same = attested == (taskId, nonce, EpochId(epoch), evidence);
    same.then(|| Visible { caller, intent, authorization, encoded: encoded.to_vec() })
}
