//! A contract assembled by hand, so that these tests need no compiler.

#![allow(dead_code, reason = "each test file is its own crate, and not every one needs everything")]

use alloy::primitives::{Address, B256, Bytes, U256, b256, bytes};

/// With empty calldata: reverts with the four bytes [`REFUSAL`]. Otherwise stores the first word of calldata in slot 0,
/// emits it under [`TOPIC`] and returns `abi.encode(block.timestamp, block.number)`.
///
/// ```text
/// CALLDATASIZE PUSH1 11 JUMPI  PUSH4 deadbeef PUSH1 0 MSTORE PUSH1 4 PUSH1 1c REVERT
/// 11: JUMPDEST PUSH1 0 CALLDATALOAD  DUP1 PUSH1 0 SSTORE  PUSH1 0 MSTORE  PUSH1 2a PUSH1 20 PUSH1 0 LOG1
///     TIMESTAMP PUSH1 0 MSTORE  NUMBER PUSH1 20 MSTORE  PUSH1 40 PUSH1 0 RETURN
/// ```
pub const RUNTIME: Bytes = bytes!(
    "36601157" "63deadbeef6000526004601cfd"
    "5b600035" "80600055" "600052" "602a60206000a1" "42600052" "43602052" "60406000f3"
);

/// CODECOPY of [`RUNTIME`] (48 bytes, from byte 12 on) and RETURN.
pub const CREATION: Bytes = bytes!(
    "6030600c60003960306000f3"
    "36601157" "63deadbeef6000526004601cfd"
    "5b600035" "80600055" "600052" "602a60206000a1" "42600052" "43602052" "60406000f3"
);

pub const REFUSAL: Bytes = bytes!("deadbeef");

pub const TOPIC: B256 = b256!("000000000000000000000000000000000000000000000000000000000000002a");

/// Calldata of one word.
pub fn word(value: u64) -> Bytes {
    U256::from(value).to_be_bytes_vec().into()
}

/// What the contract returns.
pub fn returned(output: &[u8]) -> (u64, u64) {
    (U256::from_be_slice(&output[..32]).to(), U256::from_be_slice(&output[32..]).to())
}

/// An account that no one uses.
pub const STRANGER: Address = Address::repeat_byte(0x51);
