//! The structs and errors of `contracts/interfaces/Protocol.sol`, generated from that very file, so that type strings,
//! selectors and encodings cannot drift from what the contracts use.

// The items carry the Solidity file's documentation; what the macro adds of its own has none.
#![allow(missing_docs)]
#![allow(clippy::all, clippy::as_conversions, clippy::indexing_slicing, clippy::unwrap_used)]

alloy_sol_types::sol!(
    #![sol(all_derives)]
    "Protocol.sol"
);
