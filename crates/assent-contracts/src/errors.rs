//! Revert data as text: every custom error of the contracts, and Solidity's own `Error(string)` and `Panic(uint256)`.

use crate::bindings::{
    EigenLayerSlasher::EigenLayerSlasherErrors, EigenLayerStake::EigenLayerStakeErrors, EpochKeeper::EpochKeeperErrors,
    EpochMirror::EpochMirrorErrors, Equivocation::EquivocationErrors, FalseHandover::FalseHandoverErrors,
    OperatorAllowlist::OperatorAllowlistErrors, OperatorRegistry::OperatorRegistryErrors,
    OwnerStakeSource::OwnerStakeSourceErrors, ReporterReward::ReporterRewardErrors,
    SymbioticStake::SymbioticStakeErrors, TaskManager::TaskManagerErrors,
};
use alloy::{
    dyn_abi::{DynSolValue, ErrorExt},
    json_abi,
    sol_types::{Panic, Revert, SolError},
};

/// Returns the Solidity signature of the contracts' error with this selector, such as `NoSuchEpoch(uint32)`.
///
/// ```
/// use alloy::sol_types::SolError;
/// use assent_contracts::{OperatorRegistry, errors};
///
/// let selector = OperatorRegistry::OperatorNotRegistered::SELECTOR;
/// assert_eq!(errors::signature(selector), Some("OperatorNotRegistered(address)"));
/// assert_eq!(errors::signature([0; 4]), None);
/// ```
pub fn signature(selector: [u8; 4]) -> Option<&'static str> {
    TaskManagerErrors::signature_by_selector(selector)
        .or_else(|| OperatorRegistryErrors::signature_by_selector(selector))
        .or_else(|| OwnerStakeSourceErrors::signature_by_selector(selector))
        .or_else(|| EpochKeeperErrors::signature_by_selector(selector))
        .or_else(|| EigenLayerStakeErrors::signature_by_selector(selector))
        .or_else(|| SymbioticStakeErrors::signature_by_selector(selector))
        .or_else(|| EigenLayerSlasherErrors::signature_by_selector(selector))
        .or_else(|| ReporterRewardErrors::signature_by_selector(selector))
        .or_else(|| OperatorAllowlistErrors::signature_by_selector(selector))
        .or_else(|| EpochMirrorErrors::signature_by_selector(selector))
        .or_else(|| EquivocationErrors::signature_by_selector(selector))
        .or_else(|| FalseHandoverErrors::signature_by_selector(selector))
}

/// Returns revert data as an error with its arguments; `None` when the contracts declare no such error.
///
/// ```
/// use alloy::{primitives::Address, sol_types::SolError};
/// use assent_contracts::{OperatorRegistry, errors};
///
/// let data = OperatorRegistry::OperatorNotRegistered { operator: Address::ZERO }.abi_encode();
/// assert_eq!(
///     errors::describe(&data).as_deref(),
///     Some("OperatorNotRegistered(0x0000000000000000000000000000000000000000)")
/// );
/// assert_eq!(errors::describe(&[1, 2, 3, 4]), None);
///
/// let data = alloy::sol_types::Revert::from("too late").abi_encode();
/// assert_eq!(errors::describe(&data).as_deref(), Some("Error(\"too late\")"));
/// ```
pub fn describe(revert_data: &[u8]) -> Option<String> {
    match signature(*revert_data.first_chunk::<4>()?) {
        Some(signature) => describe_as(signature, revert_data),
        None => built_in(revert_data),
    }
}

/// Returns revert data as the error with this Solidity signature; `None` when it is another error's.
///
/// ```
/// use alloy::{primitives::Address, sol, sol_types::SolError};
/// use assent_contracts::errors;
///
/// sol! { error NotAgent(address caller); }
/// let data = NotAgent { caller: Address::ZERO }.abi_encode();
/// let described = errors::describe_as("NotAgent(address)", &data);
/// assert_eq!(described.as_deref(), Some("NotAgent(0x0000000000000000000000000000000000000000)"));
/// assert_eq!(errors::describe_as("NotOwner(address)", &data), None);
/// ```
pub fn describe_as(signature: &str, revert_data: &[u8]) -> Option<String> {
    let error = json_abi::Error::parse(signature).ok()?;
    if revert_data.first_chunk::<4>()? != &error.selector().0 {
        return None;
    }
    let decoded = error.decode_error(revert_data).ok()?;
    let arguments = decoded.body.iter().map(argument).collect::<Vec<_>>();
    Some(format!("{}({})", error.name, arguments.join(", ")))
}

/// Describes the errors of the language itself. Both decoders check their selector.
fn built_in(revert_data: &[u8]) -> Option<String> {
    let revert = Revert::abi_decode(revert_data).map(|revert| format!("Error({:?})", revert.reason));
    revert.or_else(|_| Panic::abi_decode(revert_data).map(|panic| format!("Panic({:#04x})", panic.code))).ok()
}

/// Writes an argument. The contracts' errors have only these types; others are written in Rust's notation.
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
