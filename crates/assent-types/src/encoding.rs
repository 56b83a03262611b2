//! Byte encodings of curve points and of the decision.

use alloy_primitives::FixedBytes;
use core::fmt;

/// A signature: a G1 point as `x ‖ y`, 48 bytes each, big-endian, uncompressed, without flag bits.
///
/// The type holds any 96 bytes. Verification decides whether they are a valid point (check 10).
///
/// ```
/// use assent_types::Signature;
///
/// let bytes = vec![0x0a; Signature::LENGTH];
/// let signature = Signature::try_from(bytes.as_slice())?;
/// assert_eq!(signature.as_ref(), bytes);
/// assert!(Signature::try_from(&bytes[1..]).is_err());
/// # Ok::<(), std::array::TryFromSliceError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signature(pub [u8; Self::LENGTH]);

/// A public key: a G2 point as `x.c0 ‖ x.c1 ‖ y.c0 ‖ y.c1`, the order of EIP-2537.
///
/// Each coordinate has 48 bytes, big-endian, uncompressed, without flag bits.
/// The type holds any 192 bytes; an operator set accepts only valid keys.
/// All zero is infinity, which is valid only as an aggregate.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey(pub [u8; Self::LENGTH]);

impl Signature {
    /// The length of the encoding in bytes.
    pub const LENGTH: usize = 96;
}

impl PublicKey {
    /// The length of the encoding in bytes.
    pub const LENGTH: usize = 192;
    /// The point at infinity, which is no operator's key.
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

/// The operators' decision.
///
/// ```
/// use assent_types::Decision;
///
/// assert_eq!(Decision::try_from(1)?, Decision::Allow);
/// assert_eq!(u8::from(Decision::Deny), 0);
/// assert_eq!(Decision::Allow.to_string(), "allow");
/// # Ok::<(), assent_types::UnknownDecision>(())
/// ```
// Complete: contracts know these two bytes and refuse any other.
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

/// The error for a byte that is neither 0 (deny) nor 1 (allow).
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

impl Decision {
    /// Returns `allow` or `deny`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Allow => "allow",
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
