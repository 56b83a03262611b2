//! Answers what forge tests ask the Rust verifier through FFI, so that auditors who work in forge can compare the
//! contracts with it. It covers hash to curve, hashes, parsing and verification.
//!
//! A request is the calldata of a function of `IVerifierOracle.sol`, and the answer its ABI-encoded return values. Both
//! curve backends work out every answer. No input makes it panic: what it cannot answer is a [`Failure`].

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

mod curve;
mod digests;
mod failure;
mod interface;
mod parsing;
mod verification;

pub use failure::Failure;
pub use interface::IVerifierOracle;

use alloy_sol_types::{SolCall, SolInterface};
use interface::IVerifierOracle::{
    IVerifierOracleCalls, connectionDigestCall, hashToCurveCall, hashesCall, observationDigestCall, parseCall,
    proofOfPossessionDigestCall, verifyCall,
};

/// Answers one request.
///
/// # Errors
///
/// Every [`Failure`].
pub fn answer(request: &[u8]) -> Result<Vec<u8>, Failure> {
    Ok(match IVerifierOracleCalls::abi_decode_validate(request)? {
        IVerifierOracleCalls::hashToCurve(call) => hashToCurveCall::abi_encode_returns(&curve::hash_to_curve(&call)?),
        IVerifierOracleCalls::hashes(call) => hashesCall::abi_encode_returns(&digests::hashes(&call)?),
        IVerifierOracleCalls::proofOfPossessionDigest(call) => {
            proofOfPossessionDigestCall::abi_encode_returns(&digests::proof_of_possession(&call)?)
        }
        IVerifierOracleCalls::observationDigest(call) => {
            observationDigestCall::abi_encode_returns(&digests::observation(&call))
        }
        IVerifierOracleCalls::connectionDigest(call) => {
            connectionDigestCall::abi_encode_returns(&digests::connection(&call))
        }
        IVerifierOracleCalls::parse(call) => parseCall::abi_encode_returns(&parsing::parse(&call)?),
        IVerifierOracleCalls::verify(call) => verifyCall::abi_encode_returns(&verification::verify(&call)?),
    })
}
