//! Revert data in words: every custom error of the contracts, and Solidity's own `Error(string)` and `Panic(uint256)`.

use crate::bindings::{
    ExampleToken::ExampleTokenErrors, OperatorRegistry::OperatorRegistryErrors,
    OwnerStakeSource::OwnerStakeSourceErrors, TaskManager::TaskManagerErrors, TreasuryVault::TreasuryVaultErrors,
};
use alloy::{
    dyn_abi::{DynSolValue, ErrorExt},
    json_abi,
    sol_types::{Panic, Revert, SolError},
};

/// The Solidity signature of the contracts' error with this selector, such as `NotAgent(address)`.
///
/// ```
/// use alloy::sol_types::SolError;
/// use assent_contracts::{TreasuryVault, errors};
///
/// assert_eq!(errors::signature(TreasuryVault::NotAgent::SELECTOR), Some("NotAgent(address)"));
/// assert_eq!(errors::signature([0; 4]), None);
/// ```
pub fn signature(selector: [u8; 4]) -> Option<&'static str> {
    TaskManagerErrors::signature_by_selector(selector)
        .or_else(|| TreasuryVaultErrors::signature_by_selector(selector))
        .or_else(|| OperatorRegistryErrors::signature_by_selector(selector))
        .or_else(|| OwnerStakeSourceErrors::signature_by_selector(selector))
        .or_else(|| ExampleTokenErrors::signature_by_selector(selector))
}

/// Revert data as an error with its arguments, such as `NotAgent(0x…)`; `None` when it is none that is known here.
///
/// ```
/// use assent_contracts::{TreasuryVault, errors};
/// use alloy::{primitives::Address, sol_types::SolError};
///
/// let data = TreasuryVault::NotAgent { caller: Address::ZERO }.abi_encode();
/// assert_eq!(
///     errors::describe(&data).as_deref(),
///     Some("NotAgent(0x0000000000000000000000000000000000000000)")
/// );
/// assert_eq!(errors::describe(&[1, 2, 3, 4]), None);
///
/// let data = alloy::sol_types::Revert::from("too late").abi_encode();
/// assert_eq!(errors::describe(&data).as_deref(), Some("Error(\"too late\")"));
/// ```
pub fn describe(revert_data: &[u8]) -> Option<String> {
    let selector = revert_data.first_chunk::<4>()?;
    let Some(signature) = signature(*selector) else {
        return built_in(revert_data);
    };
    let error = json_abi::Error::parse(signature).ok()?;
    let arguments = error.decode_error(revert_data).ok()?.body;
    let arguments: Vec<_> = arguments.iter().map(argument).collect();
    Some(format!("{}({})", error.name, arguments.join(", ")))
}

/// The errors of the language itself. Both decoders insist on their selector.
fn built_in(revert_data: &[u8]) -> Option<String> {
    let revert = Revert::abi_decode(revert_data).map(|revert| format!("Error({:?})", revert.reason));
    revert.or_else(|_| Panic::abi_decode(revert_data).map(|panic| format!("Panic({:#04x})", panic.code))).ok()
}

/// The contracts' errors carry only these types; another would show in Rust's own notation.
fn argument(value: &DynSolValue) -> String {
    match value {
        DynSolValue::Address(address) => address.to_string(),
        DynSolValue::Uint(number, _) => number.to_string(),
        DynSolValue::FixedBytes(word, size) => {
            alloy::hex::encode_prefixed(word.get(..*size).unwrap_or(word.as_slice()))
        }
        DynSolValue::Bytes(bytes) => alloy::hex::encode_prefixed(bytes),
        other => format!("{other:?}"),
    }
}
