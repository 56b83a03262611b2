//! Byte encodings of curve points and of the decision.

use alloy_primitives::FixedBytes;
use core::fmt;

/// A signature: a G1 point as `x ‖ y`, 48 bytes each, big-endian, uncompressed, without flag bits.
///
/// Any 96 bytes can be held; whether they are a signature's is decided where they are used (check 10).
///
/// ```
/// use assent_verifier::Signature;
///
/// let bytes = vec![0x0a; Signature::LENGTH];
/// let signature = Signature::try_from(bytes.as_slice())?;
/// assert_eq!(signature.as_ref(), bytes);
/// assert!(signature.to_string().starts_with("0x0a0a"));
/// assert!(Signature::try_from(&bytes[1..]).is_err());
/// # Ok::<(), std::array::TryFromSliceError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signature(pub [u8; Self::LENGTH]);

/// A public key: a G2 point as `x.c0 ‖ x.c1 ‖ y.c0 ‖ y.c1` (the order of EIP-2537), 48 bytes each, big-endian,
/// uncompressed, without flag bits.
///
/// Any 192 bytes can be held; [`OperatorSet`](crate::OperatorSet) admits only valid keys. All zero is infinity, which is
/// legal only as an aggregate.
///
/// ```
/// use assent_verifier::{Operator, OperatorSet, OperatorSetError, PublicKey};
/// use alloy_primitives::{Address, aliases::U96};
///
/// let public_key = PublicKey::try_from([0; PublicKey::LENGTH].as_slice())?;
/// assert_eq!(public_key, PublicKey::INFINITY);
///
/// // Infinity is nobody's key.
/// let (address, weight) = (Address::repeat_byte(1), U96::from(1));
/// let refused = OperatorSet::new(vec![Operator { address, public_key, weight }]);
/// assert_eq!(refused.unwrap_err(), OperatorSetError::MalformedPublicKey { address });
/// # Ok::<(), std::array::TryFromSliceError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey(pub [u8; Self::LENGTH]);

impl Signature {
    /// Length of the encoding in bytes.
    pub const LENGTH: usize = 96;
}

impl PublicKey {
    /// Length of the encoding in bytes.
    pub const LENGTH: usize = 192;
    /// The neutral element, which is nobody's key.
    pub const INFINITY: Self = Self([0; Self::LENGTH]);
}

macro_rules! point_bytes {
    ($name:ident) => {
        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        impl From<FixedBytes<{ $name::LENGTH }>> for $name {
            fn from(bytes: FixedBytes<{ $name::LENGTH }>) -> Self {
                Self(bytes.0)
            }
        }

        impl From<$name> for FixedBytes<{ $name::LENGTH }> {
            fn from(point: $name) -> Self {
                Self(point.0)
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = core::array::TryFromSliceError;

            fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
                bytes.try_into().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&FixedBytes::from(*self), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), FixedBytes::from(*self))
            }
        }
    };
}

point_bytes!(Signature);
point_bytes!(PublicKey);

/// What the operators found.
///
/// ```
/// use assent_verifier::Decision;
///
/// assert_eq!(Decision::try_from(1)?, Decision::Allow);
/// assert_eq!(u8::from(Decision::Deny), 0);
/// assert_eq!(Decision::Allow.to_string(), "allow");
/// # Ok::<(), assent_verifier::UnknownDecision>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    /// The policy forbids the call (byte 0).
    Deny,
    /// The policy allows the call (byte 1).
    Allow,
}

impl From<Decision> for u8 {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Deny => 0,
            Decision::Allow => 1,
        }
    }
}

/// The byte is neither 0 (deny) nor 1 (allow).
///
/// ```
/// use assent_verifier::{Decision, UnknownDecision};
///
/// let error = Decision::try_from(2).unwrap_err();
/// assert_eq!(error, UnknownDecision(2));
/// assert_eq!(error.to_string(), "decision 2 is neither 0 (deny) nor 1 (allow)");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("decision {0} is neither 0 (deny) nor 1 (allow)")]
pub struct UnknownDecision(pub u8);

impl TryFrom<u8> for Decision {
    type Error = UnknownDecision;

    fn try_from(byte: u8) -> Result<Self, UnknownDecision> {
        match byte {
            0 => Ok(Self::Deny),
            1 => Ok(Self::Allow),
            other => Err(UnknownDecision(other)),
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deny => "deny",
            Self::Allow => "allow",
        })
    }
}
