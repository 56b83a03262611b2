//! How both sides answer.

use alloy::sol_types::SolInterface;
use assent_contracts::OperatorRegistry::OperatorRegistryErrors;
use assent_verifier::Refusal;

/// The answer that both sides gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The call succeeds, the root is recorded, or the key is registered.
    Accepted,
    /// An authorization or a root is refused.
    Refused(Refusal),
    /// A key is refused.
    NotRegistered(RegistrationError),
}

impl Answer {
    /// The error's name.
    pub(crate) fn error(self) -> Option<&'static str> {
        match self {
            Self::Accepted => None,
            Self::Refused(refusal) => Some(refusal.name()),
            Self::NotRegistered(error) => Some(error.name()),
        }
    }
}

impl From<Result<(), Refusal>> for Answer {
    fn from(result: Result<(), Refusal>) -> Self {
        result.map_or_else(Self::Refused, |()| Self::Accepted)
    }
}

/// The registry's errors about keys. They are more specific than the verifier's, which are only "malformed".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistrationError {
    /// The proof is invalid.
    InvalidProofOfPossession,
    /// A coordinate is not below the modulus.
    FieldElementNotCanonical,
    /// Not a point of the curve.
    PointNotOnCurve,
    /// Not of the prime order.
    PointNotInSubgroup,
    /// Infinity.
    PointAtInfinity,
    /// No bytes.
    EmptyInput,
    /// Too few or too many bytes.
    WrongPointLength,
}

impl RegistrationError {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::InvalidProofOfPossession,
        Self::FieldElementNotCanonical,
        Self::PointNotOnCurve,
        Self::PointNotInSubgroup,
        Self::PointAtInfinity,
        Self::EmptyInput,
        Self::WrongPointLength,
    ];

    /// The error's name in Solidity.
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidProofOfPossession => "InvalidProofOfPossession",
            Self::FieldElementNotCanonical => "FieldElementNotCanonical",
            Self::PointNotOnCurve => "PointNotOnCurve",
            Self::PointNotInSubgroup => "PointNotInSubgroup",
            Self::PointAtInfinity => "PointAtInfinity",
            Self::EmptyInput => "EmptyInput",
            Self::WrongPointLength => "WrongPointLength",
        }
    }

    pub(crate) fn is_malformed(self) -> bool {
        self != Self::InvalidProofOfPossession
    }

    pub(crate) fn decode(revert_data: &[u8]) -> Option<Self> {
        Some(match OperatorRegistryErrors::abi_decode_validate(revert_data).ok()? {
            OperatorRegistryErrors::InvalidProofOfPossession(_) => Self::InvalidProofOfPossession,
            OperatorRegistryErrors::FieldElementNotCanonical(_) => Self::FieldElementNotCanonical,
            OperatorRegistryErrors::PointNotOnCurve(_) => Self::PointNotOnCurve,
            OperatorRegistryErrors::PointNotInSubgroup(_) => Self::PointNotInSubgroup,
            OperatorRegistryErrors::PointAtInfinity(_) => Self::PointAtInfinity,
            OperatorRegistryErrors::EmptyInput(_) => Self::EmptyInput,
            OperatorRegistryErrors::WrongPointLength(_) => Self::WrongPointLength,
            _ => return None,
        })
    }
}
