//! Numbers that name epochs and operator sets.

use core::fmt;

/// The number of an epoch, by which authorizations name it. Epochs of all operator sets are numbered together from 1.
///
/// ```
/// use assent_types::EpochId;
///
/// let epoch = EpochId(4);
/// assert_eq!(epoch.to_string(), "4");
/// assert_eq!(u32::from(epoch), 4);
/// assert!(epoch < EpochId(5), "a later epoch has a higher number");
/// ```
// Complete: Solidity's `EpochId` is a uint32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EpochId(pub u32);

/// The number of an operator set, which the registry's owner chooses.
// Complete: Solidity's `OperatorSetId` is a uint32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct OperatorSetId(pub u32);

macro_rules! number {
    ($name:ident) => {
        impl From<u32> for $name {
            fn from(number: u32) -> Self {
                Self(number)
            }
        }

        impl From<$name> for u32 {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

number!(EpochId);
number!(OperatorSetId);
