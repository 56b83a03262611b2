//! The example contracts of `contracts/examples` for Rust programs: bindings with the bytecode, and their calls.
//!
//! ```
//! use alloy::{primitives::{Address, Bytes}, sol_types::SolError};
//! use assent_examples::{TreasuryVault, describe};
//!
//! let revert_data = TreasuryVault::NotAgent { caller: Address::ZERO }.abi_encode();
//! assert_eq!(describe(&revert_data).as_deref(), Some("NotAgent(0x0000000000000000000000000000000000000000)"));
//! ```

mod bindings;
mod vault;

pub use bindings::{
    ExampleToken::{self, ExampleTokenInstance},
    TreasuryVault::{self, TreasuryVaultInstance},
};
pub use vault::{deploy_token, deploy_vault, execute_call};

use assent_contracts::errors;

/// The folder with what forge made of all contracts, on the machine that built this crate.
pub const ARTIFACTS: &str = env!("ASSENT_ARTIFACTS");

/// Returns revert data as an error with its arguments; `None` when neither the contracts nor the examples declare it.
pub fn describe(revert_data: &[u8]) -> Option<String> {
    let selector = *revert_data.first_chunk::<4>()?;
    let signature = TreasuryVault::TreasuryVaultErrors::signature_by_selector(selector)
        .or_else(|| ExampleToken::ExampleTokenErrors::signature_by_selector(selector));
    match signature {
        Some(signature) => errors::describe_as(signature, revert_data),
        None => errors::describe(revert_data),
    }
}
