//! JSON-RPC methods.

mod execution;
mod failure;
mod parameters;
mod queries;

use alloy::primitives::{Address, B256, Bytes, U64, U256};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::machine::{ExecutionBlock, Machine};
use failure::Failure;
use parameters::{Parameters, Timestamp};

/// Anvil's suggestion for the fee above the base fee, in wei per gas.
const PRIORITY_FEE: u64 = 1_000_000_000;

/// Answers one request; the answer is JSON.
pub(crate) fn answer(
    machine: &mut Machine,
    method: &str,
    parameters: Option<&RawValue>,
) -> Result<Box<RawValue>, Failure> {
    let given = Parameters::parse(parameters)?;
    match method {
        "web3_clientVersion" => json(concat!("assent-chain/v", env!("CARGO_PKG_VERSION"))),
        "net_version" => json(machine.chain_id().to_string()),
        "eth_chainId" => json(U64::from(machine.chain_id())),
        "eth_accounts" => json(machine.unlocked()),
        "eth_blockNumber" => json(U64::from(machine.latest().header.number)),
        "eth_gasPrice" => json(U64::from(machine.next_base_fee().saturating_add(PRIORITY_FEE))),
        "eth_maxPriorityFeePerGas" => json(U64::from(PRIORITY_FEE)),

        "eth_getBlockByNumber" | "eth_getBlockByHash" => {
            let block = queries::find_block(machine, given.required(0, "block")?);
            let full = given.optional(1, "full")?.unwrap_or(false);
            json(block.map(|block| block.to_rpc(full)))
        }
        "eth_getTransactionByHash" => {
            let found = machine.transaction(&given.required(0, "hash")?);
            json(found.map(|(block, transaction)| transaction.to_rpc(block)))
        }
        "eth_getTransactionReceipt" => {
            let found = machine.transaction(&given.required(0, "hash")?);
            json(found.map(|(block, transaction)| transaction.receipt(block)))
        }
        "eth_getLogs" => json(queries::logs(machine, &given.required(0, "filter")?)?),
        "eth_feeHistory" => json(queries::fee_history(
            machine,
            given.required::<U64>(0, "blockCount")?.to(),
            given.required(1, "newestBlock")?,
            given.optional::<Vec<f64>>(2, "rewardPercentiles")?,
        )?),

        "eth_getBalance" => {
            json(queries::state(machine, given.optional(1, "block")?)?.balance(given.required(0, "address")?))
        }
        "eth_getTransactionCount" => {
            let state = queries::state(machine, given.optional(1, "block")?)?;
            json(U64::from(state.nonce(given.required(0, "address")?)))
        }
        "eth_getCode" => {
            json(queries::state(machine, given.optional(1, "block")?)?.code(given.required(0, "address")?))
        }
        "eth_getStorageAt" => {
            let state = queries::state(machine, given.optional(2, "block")?)?;
            let (address, slot) = (given.required(0, "address")?, given.required::<U256>(1, "slot")?);
            json(B256::from(state.storage(address, slot)))
        }

        "eth_call" => {
            given.refuse_from(2, "state and block overrides are not supported")?;
            let block = queries::require_kept(machine, given.optional(1, "block")?)?;
            json(execution::call(machine, given.required(0, "transaction")?, block)?)
        }
        "eth_estimateGas" => {
            given.refuse_from(2, "state and block overrides are not supported")?;
            let block = match queries::require_kept(machine, given.optional(1, "block")?)? {
                past @ ExecutionBlock::Past(_) => past,
                // Where it would be mined.
                _ => ExecutionBlock::Next,
            };
            json(U64::from(execution::estimate_gas(machine, given.required(0, "transaction")?, block)?))
        }
        "eth_sendTransaction" => json(execution::send(machine, given.required(0, "transaction")?)?),
        "eth_sendRawTransaction" => json(execution::send_raw(machine, &given.required::<Bytes>(0, "transaction")?)?),

        "evm_increaseTime" => {
            machine.increase_time(given.required::<Timestamp>(0, "seconds")?.0)?;
            json(machine.next_timestamp() - machine.latest().header.timestamp)
        }
        "evm_setNextBlockTimestamp" => {
            machine.set_next_timestamp(given.required::<Timestamp>(0, "timestamp")?.0)?;
            json(())
        }
        "evm_mine" => {
            if let Some(timestamp) = given.optional::<Timestamp>(0, "timestamp")? {
                machine.set_next_timestamp(timestamp.0)?;
            }
            machine.mine_empty()?;
            json("0x0")
        }
        "evm_snapshot" => json(U64::from(machine.snapshot())),
        "evm_revert" => json(machine.revert(given.required::<U64>(0, "snapshot")?.to())),
        "anvil_impersonateAccount" => {
            machine.unlock(given.required(0, "address")?);
            json(())
        }
        "anvil_setBalance" => {
            let (address, balance) = (given.required::<Address>(0, "address")?, given.required(1, "balance")?);
            machine.state_mut().set_balance(address, balance);
            json(())
        }
        _ => Err(Failure::method_not_found(method)),
    }
}

fn json(value: impl Serialize) -> Result<Box<RawValue>, Failure> {
    to_raw_value(&value).map_err(|error| Failure::internal(error.to_string()))
}
