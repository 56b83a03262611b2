//! The reasons why statements of an epoch's operators about epochs are refused.

use crate::EpochId;
use alloy_primitives::{
    Address, B256, U256,
    aliases::{U48, U96},
};

/// The reason why operators of an epoch did not sign a statement about epochs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EpochSignatureError {
    /// The bitmap names an operator that is not in the epoch. On chain: `NonSignerOutOfRange`.
    #[error("the bitmap of non-signers names an operator that is not in the epoch")]
    NonSignerOutOfRange,
    /// Those that signed have too little weight. On chain: `EpochQuorumNotReached`.
    #[error("operators of weight {signed} signed, and {required} is required")]
    QuorumNotReached {
        /// The weight that signed.
        signed: U96,
        /// The least weight.
        required: U256,
    },
    /// The signature is not a valid point. On chain: `MalformedEpochSignature`.
    #[error("the signature is not the encoding of a point of G1's subgroup other than infinity")]
    MalformedSignature,
    /// The operators that are said to have signed did not. On chain: `InvalidEpochSignature`.
    #[error("the signature is not these operators' over this statement")]
    InvalidSignature,
}

/// The reason why a handover is refused, in the order of the checks. On chain each has the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandoverError {
    /// The handover is of another chain's or another registry's epochs.
    #[error("the handover is of the registry {home_registry} on chain {home_chain}, not of the one that is mirrored")]
    WrongHome {
        /// The chain that the handover names.
        home_chain: U256,
        /// The registry that the handover names.
        home_registry: Address,
    },
    /// It is not signed by the set's latest epoch.
    #[error("epoch {signed_by} signed, but the set's latest epoch is {latest}")]
    WrongSigner {
        /// The epoch that signed.
        signed_by: EpochId,
        /// The set's latest epoch; 0 if it has none.
        latest: EpochId,
    },
    /// The epoch that signed has expired, or was revoked.
    #[error("epoch {signed_by}, which signed, ended at {valid_until}")]
    SignerExpired {
        /// The epoch that signed.
        signed_by: EpochId,
        /// When it ended; 0 if it was revoked.
        valid_until: U48,
    },
    /// The epoch is not later than the set's latest, or is known.
    #[error("epoch {epoch} is not later than the set's latest epoch, {latest}, or is known")]
    NotLater {
        /// The epoch.
        epoch: EpochId,
        /// The set's latest epoch.
        latest: EpochId,
    },
    /// The epoch was revoked before it could be accepted.
    #[error("epoch {epoch} was revoked before it was accepted")]
    EpochWasRevoked {
        /// The epoch.
        epoch: EpochId,
    },
    /// The epoch was committed after the current time.
    #[error("epoch {epoch} was committed at {committed_at}, which is to come")]
    CommittedLater {
        /// The epoch.
        epoch: EpochId,
        /// When it was committed.
        committed_at: U48,
    },
    /// The epoch has expired, or ends later than any epoch can.
    #[error("epoch {epoch} ends at {expires_at}, which is past or later than any epoch ends")]
    InvalidExpiry {
        /// The epoch.
        epoch: EpochId,
        /// Its end.
        expires_at: U48,
    },
    /// The operators did not sign, or too few did.
    #[error(transparent)]
    Signature(#[from] EpochSignatureError),
    /// The bytes are not an operator table.
    #[error("the bytes are not an operator table")]
    MalformedTable,
    /// An earlier table was not stored.
    #[error("the earlier table {table} was not stored here")]
    UnknownTable {
        /// Its address.
        table: Address,
    },
    /// The table's content is not what was signed.
    #[error("the table's content hash is {actual}, but {expected} was signed")]
    WrongContent {
        /// The hash that was signed.
        expected: B256,
        /// The table's.
        actual: B256,
    },
}

/// The reason why a revocation is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RevocationError {
    /// The epoch is unknown. On chain: `NoSuchEpoch`.
    #[error("epoch {0} is unknown")]
    NoSuchEpoch(EpochId),
    /// The epoch could not be accepted by the handover, which is to prove whose epoch it is. Only of a revocation
    /// ahead.
    #[error("the handover to the epoch is refused")]
    Handover(#[from] HandoverError),
    /// The operators did not sign, or too few did.
    #[error(transparent)]
    Signature(#[from] EpochSignatureError),
}
