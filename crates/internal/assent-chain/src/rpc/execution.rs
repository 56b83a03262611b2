//! Calls, estimates and transactions.

use alloy::{
    consensus::{TxEnvelope, transaction::SignerRecoverable},
    eips::eip2718::Decodable2718,
    primitives::{Bytes, TxHash, TxKind},
    rpc::types::TransactionRequest,
};
use revm::context::{TxEnv, either::Either};

use super::{PRIORITY_FEE, failure::Failure};
use crate::{
    Execution, ExecutionStatus, TRANSACTION_GAS_CAP,
    machine::{ExecutionBlock, Machine, Rules, unsigned},
};

/// Gas that a callee gets for nothing with a value transfer, but that the caller must have at hand.
const CALL_STIPEND: u64 = 2_300;

pub(super) fn call(machine: &Machine, request: TransactionRequest, block: ExecutionBlock) -> Result<Bytes, Failure> {
    let execution = machine.simulate(environment(machine, request)?, block)?;
    Ok(Failure::unless_success(execution)?.output)
}

/// The least gas limit with which the transaction succeeds in a block.
pub(super) fn estimate_gas(
    machine: &Machine,
    request: TransactionRequest,
    block: ExecutionBlock,
) -> Result<u64, Failure> {
    let transaction = environment(machine, request)?;
    let run = |gas_limit: u64| -> Result<Execution, Failure> {
        Ok(machine.simulate(TxEnv { gas_limit, ..transaction.clone() }, block)?)
    };
    let generous = Failure::unless_success(run(transaction.gas_limit)?)?;
    // `enough` always succeeds and `not_enough` never does.
    let mut enough = transaction.gas_limit;
    let mut not_enough = generous.gas_used.saturating_sub(1);
    // EIP-150: a call passes on all but one 64th.
    let guess = (generous.gas_spent + CALL_STIPEND).saturating_mul(64) / 63;
    let mut next = if guess < enough { guess } else { not_enough + (enough - not_enough) / 2 };
    while not_enough + 1 < enough {
        let succeeds = match run(next) {
            Ok(execution) => execution.status == ExecutionStatus::Success,
            // Below the intrinsic cost.
            Err(_) => false,
        };
        if succeeds {
            enough = next;
        } else {
            not_enough = next;
        }
        next = not_enough + (enough - not_enough) / 2;
    }
    Ok(enough)
}

/// Sends for an unlocked account. Without a gas limit and with no successful estimate, it is sent with the highest
/// limit and mined as failed, as anvil does.
pub(super) fn send(machine: &mut Machine, mut request: TransactionRequest) -> Result<TxHash, Failure> {
    let sender = request.from.ok_or_else(|| Failure::invalid_parameters("`from` is missing"))?;
    if !machine.unlocked().contains(&sender) {
        return Err(Failure::invalid_parameters(format!(
            "No Signer available: {sender} is neither a genesis account nor impersonated"
        )));
    }
    if request.chain_id.is_some_and(|chain_id| chain_id != machine.chain_id()) {
        return Err(Failure::invalid_parameters(format!("this chain's id is {}", machine.chain_id())));
    }
    if request.gas.is_none() {
        request.gas = Some(match estimate_gas(machine, request.clone(), ExecutionBlock::Next) {
            Ok(gas) => gas,
            Err(_) => TRANSACTION_GAS_CAP,
        });
    }
    request.chain_id = Some(machine.chain_id());
    request.nonce = request.nonce.or_else(|| Some(machine.state().nonce(sender)));
    request.to = request.to.or(Some(TxKind::Create));
    if request.gas_price.is_none() {
        let priority_fee = *request.max_priority_fee_per_gas.get_or_insert(PRIORITY_FEE.into());
        request.max_fee_per_gas.get_or_insert(u128::from(machine.next_base_fee()).saturating_add(priority_fee));
    }
    request.input = input(&request)?.into();
    let transaction = request
        .build_typed_tx()
        .map_err(|request| Failure::invalid_parameters(format!("incomplete transaction: {request:?}")))?;
    mine(machine, unsigned(transaction, sender))
}

/// Sends a signed transaction. The signature must be in its one canonical form (EIP-2) and nothing may follow it.
pub(super) fn send_raw(machine: &mut Machine, raw: &[u8]) -> Result<TxHash, Failure> {
    let transaction = TxEnvelope::decode_2718_exact(raw)
        .map_err(|error| Failure::invalid_parameters(format!("Failed to decode transaction: {error}")))?;
    let transaction = transaction
        .try_into_recovered()
        .map_err(|error| Failure::invalid_parameters(format!("the transaction's signature: {error}")))?;
    mine(machine, transaction)
}

fn mine(
    machine: &mut Machine,
    transaction: alloy::consensus::transaction::Recovered<TxEnvelope>,
) -> Result<TxHash, Failure> {
    let hash = *transaction.tx_hash();
    machine.transact(transaction, Rules::Transaction)?;
    Ok(hash)
}

fn environment(machine: &Machine, request: TransactionRequest) -> Result<TxEnv, Failure> {
    if request.blob_versioned_hashes.is_some() || request.max_fee_per_blob_gas.is_some() {
        return Err(crate::ChainError::BlobTransaction.into());
    }
    if request.gas_price.is_some() && request.max_fee_per_gas.is_some() {
        return Err(Failure::invalid_parameters("both `gasPrice` and `maxFeePerGas` are given"));
    }
    let authorizations = request.authorization_list.clone().unwrap_or_default();
    let tx_type = match &request {
        _ if !authorizations.is_empty() => 4,
        request if request.max_fee_per_gas.is_some() => 2,
        request if request.access_list.is_some() => 1,
        _ => 0,
    };
    Ok(TxEnv {
        tx_type,
        caller: request.from.unwrap_or_default(),
        gas_limit: request.gas.unwrap_or(TRANSACTION_GAS_CAP),
        gas_price: request.max_fee_per_gas.or(request.gas_price).unwrap_or_default(),
        gas_priority_fee: request.max_fee_per_gas.and(request.max_priority_fee_per_gas),
        kind: request.to.unwrap_or(TxKind::Create),
        value: request.value.unwrap_or_default(),
        data: input(&request)?,
        chain_id: request.chain_id.or(Some(machine.chain_id())),
        access_list: request.access_list.unwrap_or_default(),
        authorization_list: authorizations.into_iter().map(Either::Left).collect(),
        ..TxEnv::default()
    })
}

/// `input` and `data` name the same bytes; when both are there they must agree.
fn input(request: &TransactionRequest) -> Result<Bytes, Failure> {
    let input = request.input.unique_input().map_err(|error| Failure::invalid_parameters(error.to_string()))?;
    Ok(input.cloned().unwrap_or_default())
}
