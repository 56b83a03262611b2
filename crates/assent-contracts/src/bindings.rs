//! One module a contract, generated from what the compiler made of `contracts/`: calls, events, errors, structs, an
//! `Instance` over any alloy provider, and the bytecode. The documentation of each item is the Solidity source's NatSpec.
//!
//! ```
//! use alloy::{primitives::{Address, U256}, sol_types::{SolCall, SolConstructor, SolError}};
//! use assent_contracts::bindings::{ExampleToken, OperatorRegistry, TaskManager};
//!
//! // Calldata, as any client sends it.
//! let transfer = ExampleToken::transferCall { to: Address::repeat_byte(1), value: U256::from(5) };
//! assert_eq!(transfer.abi_encode()[..4], ExampleToken::transferCall::SELECTOR);
//!
//! // Init code: the creation bytecode and the constructor's arguments.
//! let arguments = TaskManager::constructorCall { operatorRegistry: Address::repeat_byte(2) }.abi_encode();
//! let init_code = [TaskManager::BYTECODE.as_ref(), &arguments].concat();
//! assert_eq!(init_code.len(), TaskManager::BYTECODE.len() + 32);
//!
//! // Errors, from revert data.
//! let revert_data = OperatorRegistry::OperatorNotRegistered { operator: Address::ZERO }.abi_encode();
//! assert!(OperatorRegistry::OperatorNotRegistered::abi_decode(&revert_data).is_ok());
//!
//! // Over a provider, `TaskManager::new(address, provider).isSpent(client, nonce).call().await` asks the chain.
//! ```

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
    OwnerStakeSource,
    concat!(env!("OUT_DIR"), "/artifacts/OwnerStakeSource.sol/OwnerStakeSource.json")
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
