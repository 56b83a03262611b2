//! Assent's contracts for Rust programs: [bindings] with the bytecode, the [addresses](deployment), and the
//! [errors] as text.
//!
//! The build compiles the Solidity sources with forge, and needs `npm ci` to have run in the repository.
//!
//! ```
//! use assent_contracts::{TaskManager, deployment::{Delays, Deployment}};
//! use alloy::primitives::address;
//!
//! let owner = address!("0x00000000000000000000000000000000000A55e7");
//! let deployment = Deployment::new(owner, Delays::default())?;
//! println!("the TaskManager will be at {}", deployment.task_manager.address);
//! assert!(!TaskManager::DEPLOYED_BYTECODE.is_empty());
//! # Ok::<(), assent_contracts::deployment::InvalidDeployment>(())
//! ```

pub mod bindings;
mod conversions;
pub mod deployment;
pub mod errors;
pub mod offences;

pub use bindings::{
    EigenLayerSlasher::{self, EigenLayerSlasherInstance},
    EigenLayerStake::{self, EigenLayerStakeInstance},
    EpochKeeper::{self, EpochKeeperInstance},
    EpochMirror::{self, EpochMirrorInstance},
    Equivocation::{self, EquivocationInstance},
    FalseHandover::{self, FalseHandoverInstance},
    IPolicyClient::{self, IPolicyClientInstance},
    OperatorAllowlist::{self, OperatorAllowlistInstance},
    OperatorRegistry::{self, OperatorRegistryInstance},
    OwnerStakeSource::{self, OwnerStakeSourceInstance},
    PolicyRegistry::{self, PolicyRegistryInstance},
    ReporterReward::{self, ReporterRewardInstance},
    SymbioticStake::{self, SymbioticStakeInstance},
    TaskManager::{self, TaskManagerInstance},
};

/// The README's example, which is tested like all others.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
