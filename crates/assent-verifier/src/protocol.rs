//! The structs and errors of `contracts/interfaces/Protocol.sol`, generated from that very file, so that type strings,
//! selectors and encodings cannot drift from what the contracts use.
//!
//! ```
//! use alloy_primitives::{B256, U256, address, aliases::U48, bytes};
//! use alloy_sol_types::{SolError, SolStruct, SolValue};
//! use assent_verifier::protocol::{Attestation, IRefusals, Intent, Policy};
//!
//! let intent = Intent {
//!     from: address!("0x1111111111111111111111111111111111111111"),
//!     to: address!("0x2222222222222222222222222222222222222222"),
//!     value: U256::ZERO,
//!     data: bytes!("0xa9059cbb"),
//!     chainId: U256::from(1),
//! };
//! // The type that is signed, and the encoding in which contracts take it.
//! assert_eq!(Intent::eip712_root_type(), "Intent(address from,address to,uint256 value,bytes data,uint256 chainId)");
//! assert!(Attestation::eip712_encode_type().ends_with(&*Intent::eip712_root_type()));
//! assert_eq!(Intent::abi_decode(&intent.abi_encode())?, intent);
//!
//! let policy =
//!     Policy { policyId: B256::repeat_byte(1), operatorSet: 1, quorum: 6700, maxLifetime: U48::from(3600) };
//! assert_eq!(policy.abi_encode().len(), 4 * 32);
//!
//! // `Refusal` says the same with fields that a person can read.
//! assert_eq!(IRefusals::UnknownEpoch::SIGNATURE, "UnknownEpoch(uint32)");
//! # Ok::<(), alloy_sol_types::Error>(())
//! ```

// The items carry the Solidity file's documentation; what the macro adds of its own has none.
#![allow(missing_docs)]
#![allow(clippy::all, clippy::as_conversions, clippy::indexing_slicing, clippy::unwrap_used)]

alloy_sol_types::sol!(
    #![sol(all_derives)]
    "Protocol.sol"
);
