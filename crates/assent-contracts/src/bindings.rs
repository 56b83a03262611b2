//! One module for each contract, generated from the compiler's artifact.
//!
//! Each has the calls, events, errors and structs, an `Instance` over any alloy provider, and the bytecode. The items
//! are documented by the Solidity source's NatSpec.
//!
//! ```
//! use alloy::{primitives::{Address, U256}, sol_types::{SolCall, SolConstructor, SolError}};
//! use assent_contracts::bindings::{OperatorRegistry, TaskManager};
//!
//! // Calldata.
//! let query = TaskManager::isSpentCall { policyClient: Address::repeat_byte(1), nonce: U256::from(5) };
//! assert_eq!(query.abi_encode()[..4], TaskManager::isSpentCall::SELECTOR);
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
//! // Over a provider: `TaskManager::new(address, provider).isSpent(client, nonce).call().await`.
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
    PolicyRegistry,
    concat!(env!("OUT_DIR"), "/artifacts/PolicyRegistry.sol/PolicyRegistry.json")
);
sol!(
    #[sol(rpc)]
    #[derive(Debug, PartialEq, Eq)]
    EigenLayerStake,
    concat!(env!("OUT_DIR"), "/artifacts/EigenLayerStake.sol/EigenLayerStake.json")
);
sol!(
    #[sol(rpc)]
    #[derive(Debug, PartialEq, Eq)]
    OperatorAllowlist,
    concat!(env!("OUT_DIR"), "/artifacts/OperatorAllowlist.sol/OperatorAllowlist.json")
);
sol!(
    #[sol(rpc)]
    #[derive(Debug, PartialEq, Eq)]
    EpochKeeper,
    concat!(env!("OUT_DIR"), "/artifacts/EpochKeeper.sol/EpochKeeper.json")
);
sol!(
    #[sol(rpc)]
    #[derive(Debug, PartialEq, Eq)]
    EigenLayerSlasher,
    concat!(env!("OUT_DIR"), "/artifacts/EigenLayerSlasher.sol/EigenLayerSlasher.json")
);
sol!(
    #[sol(rpc)]
    #[derive(Debug, PartialEq, Eq)]
    ReporterReward,
    concat!(env!("OUT_DIR"), "/artifacts/ReporterReward.sol/ReporterReward.json")
);
sol!(
    #[sol(rpc)]
    #[derive(Debug, PartialEq, Eq)]
    EpochMirror,
    concat!(env!("OUT_DIR"), "/artifacts/EpochMirror.sol/EpochMirror.json")
);
sol!(
    #[sol(rpc)]
    #[derive(Debug, PartialEq, Eq)]
    Equivocation,
    concat!(env!("OUT_DIR"), "/artifacts/Equivocation.sol/Equivocation.json")
);
sol!(
    #[sol(rpc)]
    #[derive(Debug, PartialEq, Eq)]
    FalseHandover,
    concat!(env!("OUT_DIR"), "/artifacts/FalseHandover.sol/FalseHandover.json")
);

sol!(
    #[sol(rpc)]
    #[derive(Debug, PartialEq, Eq)]
    SymbioticStake,
    concat!(env!("OUT_DIR"), "/artifacts/SymbioticStake.sol/SymbioticStake.json")
);

/// EigenLayer's core, as far as Assent and its operators use it: only functions that have not changed from version 1.4
/// to 1.12. There is no bytecode.
pub mod eigenlayer {
    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        IAllocationManagerCore,
        concat!(env!("OUT_DIR"), "/artifacts/IEigenLayerCore.sol/IAllocationManagerCore.json")
    );
    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        IDelegationManagerCore,
        concat!(env!("OUT_DIR"), "/artifacts/IEigenLayerCore.sol/IDelegationManagerCore.json")
    );
    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        IPermissionControllerCore,
        concat!(env!("OUT_DIR"), "/artifacts/IEigenLayerCore.sol/IPermissionControllerCore.json")
    );
    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        IProxyAdminCore,
        concat!(env!("OUT_DIR"), "/artifacts/IEigenLayerCore.sol/IProxyAdminCore.json")
    );
    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        IStrategyManagerCore,
        concat!(env!("OUT_DIR"), "/artifacts/IEigenLayerCore.sol/IStrategyManagerCore.json")
    );
}

/// Symbiotic's core, as far as Assent's operators use it, and what sets it up in tests.
pub mod symbiotic {
    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        IDelegatorCore,
        concat!(env!("OUT_DIR"), "/artifacts/ISymbioticCore.sol/IDelegatorCore.json")
    );
    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        IFactoryCore,
        concat!(env!("OUT_DIR"), "/artifacts/ISymbioticCore.sol/IFactoryCore.json")
    );
    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        INetworkRegistryCore,
        concat!(env!("OUT_DIR"), "/artifacts/ISymbioticCore.sol/INetworkRegistryCore.json")
    );
    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        IOperatorRegistryCore,
        concat!(env!("OUT_DIR"), "/artifacts/ISymbioticCore.sol/IOperatorRegistryCore.json")
    );
    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        IOptInServiceCore,
        concat!(env!("OUT_DIR"), "/artifacts/ISymbioticCore.sol/IOptInServiceCore.json")
    );
    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        IVaultConfiguratorCore,
        concat!(env!("OUT_DIR"), "/artifacts/ISymbioticCore.sol/IVaultConfiguratorCore.json")
    );
    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        IVaultCore,
        concat!(env!("OUT_DIR"), "/artifacts/ISymbioticCore.sol/IVaultCore.json")
    );
}
