//! Why there is no answer.

use alloy_primitives::U256;
use assent_verifier::{EpochId, MerkleProofTooLong, OperatorTableError};

/// Why a request has no answer. A forge test that gets one fails.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Failure {
    /// The request is not the calldata of a function of the interface, or an argument is not the struct it is named
    /// after.
    #[error("the request does not decode: {0}")]
    Undecodable(#[from] alloy_sol_types::Error),
    /// An argument has the wrong length.
    #[error("`{argument}` has {length} bytes, not {expected}")]
    Length {
        /// Its name in the interface.
        argument: &'static str,
        /// How long it is.
        length: usize,
        /// How long it must be.
        expected: usize,
    },
    /// The Merkle proof cannot be part of an authorization.
    #[error(transparent)]
    MerkleProof(#[from] MerkleProofTooLong),
    /// The operator tables are not those of an epoch.
    #[error("operator tables {index}: {error}")]
    OperatorTables {
        /// Which of the request's.
        index: usize,
        /// What is wrong with them.
        error: OperatorTableError,
    },
    /// An epoch names operator tables that were not handed over.
    #[error("epoch {epoch} has operator tables {tables}, which were not handed over")]
    NoSuchTables {
        /// The epoch's number.
        epoch: EpochId,
        /// What it names.
        tables: U256,
    },
    /// The verifier's two curve backends differ, which must never be.
    #[error("the backends differ: arkworks: {arkworks}; blst: {blst}")]
    BackendsDiffer {
        /// The answer of one.
        arkworks: String,
        /// And of the other.
        blst: String,
    },
}

/// The one answer of both backends.
pub(crate) fn agreed<T: PartialEq + std::fmt::Debug>(arkworks: T, blst: T) -> Result<T, Failure> {
    if arkworks == blst {
        return Ok(arkworks);
    }
    Err(Failure::BackendsDiffer { arkworks: format!("{arkworks:?}"), blst: format!("{blst:?}") })
}
