//! Assent's contracts for Rust programs: [bindings] made from the Solidity sources, with the bytecode, the
//! [addresses](deployment) at which they stand on every chain, and their [errors] in words.
//!
//! The build compiles the sources with forge and needs `npm ci` to have been run in the repository; without it, the build
//! says so.
//!
//! ```
//! use assent_contracts::{TaskManager, deployment::Deployment};
//! use alloy::primitives::{address, aliases::U48};
//!
//! let owner = address!("0x00000000000000000000000000000000000A55e7");
//! let deployment = Deployment::new(owner, U48::from(86_400))?;
//! println!("the TaskManager will stand at {}", deployment.task_manager.address);
//! assert!(!TaskManager::DEPLOYED_BYTECODE.is_empty());
//! # Ok::<(), assent_contracts::deployment::InvalidDeployment>(())
//! ```

pub mod bindings;
mod conversions;
pub mod deployment;
pub mod errors;

pub use bindings::{
    ExampleToken::{self, ExampleTokenInstance},
    IPolicyClient::{self, IPolicyClientInstance},
    OperatorRegistry::{self, OperatorRegistryInstance},
    OwnerStakeSource::{self, OwnerStakeSourceInstance},
    TaskManager::{self, TaskManagerInstance},
    TreasuryVault::{self, TreasuryVaultInstance},
};

/// The README's example is tested like all others.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
