//! One module a contract, generated from what the compiler made of `contracts/`: calls, events, errors, structs, an
//! `Instance` over any alloy provider, and the bytecode. The documentation of each item is the Solidity source's NatSpec.

// The generated items are documented in Solidity.
#![allow(missing_docs)]
#![allow(clippy::all)]

use alloy::sol;

sol!(
    #[sol(rpc)]
    #[derive(Debug, PartialEq, Eq)]
    TaskManager,
    concat!(env!("OUT_DIR"), "/artifacts/TaskManager.sol/TaskManager.json")
);
sol!(
    #[sol(rpc)]
    #[derive(Debug, PartialEq, Eq)]
    OperatorRegistry,
    concat!(env!("OUT_DIR"), "/artifacts/OperatorRegistry.sol/OperatorRegistry.json")
);
sol!(
    #[sol(rpc)]
    #[derive(Debug, PartialEq, Eq)]
    StakeTable,
    concat!(env!("OUT_DIR"), "/artifacts/StakeTable.sol/StakeTable.json")
);
sol!(
    #[sol(rpc)]
    #[derive(Debug, PartialEq, Eq)]
    IPolicyClient,
    concat!(env!("OUT_DIR"), "/artifacts/IPolicyClient.sol/IPolicyClient.json")
);
sol!(
    #[sol(rpc)]
    #[derive(Debug, PartialEq, Eq)]
    TreasuryVault,
    concat!(env!("OUT_DIR"), "/artifacts/TreasuryVault.sol/TreasuryVault.json")
);
sol!(
    #[sol(rpc)]
    #[derive(Debug, PartialEq, Eq)]
    ExampleToken,
    concat!(env!("OUT_DIR"), "/artifacts/ExampleToken.sol/ExampleToken.json")
);
