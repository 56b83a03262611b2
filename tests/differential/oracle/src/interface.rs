//! The types of `IVerifierOracle.sol`, generated from that very file, which the forge tests import too.

// The items carry the Solidity file's documentation; what the macro adds has none.
#![allow(missing_docs)]
#![allow(clippy::all, clippy::as_conversions, clippy::indexing_slicing, clippy::unwrap_used)]

alloy_sol_types::sol!(
    #![sol(all_derives)]
    "IVerifierOracle.sol"
);
