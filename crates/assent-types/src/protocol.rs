//! Structs and errors generated from `contracts/interfaces/Protocol.sol`.
//!
//! Type strings, selectors and encodings are those that the contracts use.
//!
//! ```
//! use alloy_primitives::{B256, aliases::U48};
//! use alloy_sol_types::{SolError, SolStruct, SolValue};
//! use assent_types::protocol::{IRefusals, Intent, Policy};
//!
//! // The signed type, and the encoding in which contracts take a struct.
//! assert_eq!(Intent::eip712_root_type(), "Intent(address from,address to,uint256 value,bytes data,uint256 chainId)");
//! let policy =
//!     Policy { policyId: B256::repeat_byte(1), operatorSet: 1, quorum: 6700, maxLifetime: U48::from(3600) };
//! assert_eq!(Policy::abi_decode(&policy.abi_encode())?, policy);
//! assert_eq!(IRefusals::UnknownEpoch::SIGNATURE, "UnknownEpoch(uint32)");
//! # Ok::<(), alloy_sol_types::Error>(())
//! ```

// The items carry the Solidity file's documentation; what the macro adds has none.
#![allow(missing_docs)]
#![allow(clippy::all, clippy::as_conversions, clippy::indexing_slicing, clippy::unwrap_used)]

use alloy_primitives::aliases::U48;

pub use generated::{Attestation, IRefusals, Intent, Policy};

/// Holds what `sol!` generates, apart from the public names: its `EpochId` and `OperatorSetId` only encode.
mod generated {
    alloy_sol_types::sol!(
        #![sol(all_derives)]
        "Protocol.sol"
    );
}

/// The longest lifetime of an epoch, in seconds: 30 days, as in the Solidity file.
///
/// Nothing is signed for longer. A policy's `maxLifetime` is at most this, and no client's issuance floor is further
/// ahead.
pub const MAX_EPOCH_LIFETIME: U48 = U48::from_limbs([30 * 24 * 60 * 60]);
