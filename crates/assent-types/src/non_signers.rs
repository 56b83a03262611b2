//! The bitmap of the operators that did not sign.

use alloc::vec::Vec;

/// The operators of an epoch that did not sign, by their index in the epoch's table.
///
/// The bitmap has at most 255 bytes, and its last byte is not zero: each set of operators has exactly one encoding.
/// Operator `i` is bit `i % 8` (least significant first) of byte `i / 8`.
///
/// ```
/// use assent_types::NonSigners;
///
/// let absent = NonSigners::from_indices([0, 9])?;
/// assert_eq!(absent.as_bytes(), [0b0000_0001, 0b0000_0010]);
/// assert!(absent.indices().eq([0, 9]));
/// assert!(NonSigners::NONE.as_bytes().is_empty());
/// # Ok::<(), assent_types::NonSignersError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct NonSigners(Vec<u8>);

/// The reason why operators cannot be named in a bitmap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NonSignersError {
    /// The bitmap's last byte is zero, so the same operators have a shorter bitmap.
    #[error("the bitmap of non-signers ends in a zero byte")]
    TrailingZero,
    /// The bitmap is longer than 255 bytes.
    #[error("the bitmap of non-signers has {0} bytes, more than 255")]
    TooLong(usize),
    /// The operator's index does not fit a bitmap of 255 bytes.
    #[error("operator {0} cannot be named as a non-signer: the highest index is 2039")]
    IndexTooHigh(u16),
}

impl NonSigners {
    /// The empty bitmap: every operator signed.
    pub const NONE: Self = Self(Vec::new());

    /// The length of the longest bitmap in bytes: room for every operator of the largest set.
    pub const MAX_BYTES: usize = 255;

    /// Returns the bitmap of operators, which may come in any order and more than once.
    ///
    /// # Errors
    ///
    /// [`NonSignersError::IndexTooHigh`] for 2040 and above.
    pub fn from_indices(indices: impl IntoIterator<Item = u16>) -> Result<Self, NonSignersError> {
        let mut bytes = Vec::new();
        for index in indices {
            let byte = usize::from(index >> 3);
            if byte >= Self::MAX_BYTES {
                return Err(NonSignersError::IndexTooHigh(index));
            }
            if byte >= bytes.len() {
                bytes.resize(byte.saturating_add(1), 0);
            }
            if let Some(byte) = bytes.get_mut(byte) {
                *byte |= 1 << (index & 7);
            }
        }
        Ok(Self(bytes))
    }

    /// Parses the bitmap of an authorization.
    ///
    /// # Errors
    ///
    /// [`NonSignersError::TooLong`] above 255 bytes, [`NonSignersError::TrailingZero`] if the last byte is zero.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NonSignersError> {
        NonSignersRef::from_bytes(bytes).map(Self::from)
    }

    /// Returns the bitmap that an authorization carries.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the operators' indices, ascending.
    pub fn indices(&self) -> impl Iterator<Item = u16> + '_ {
        NonSignersRef(&self.0).indices()
    }

    /// Returns how many operators did not sign.
    pub fn count(&self) -> usize {
        self.indices().count()
    }

    /// Returns whether every operator signed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// [`NonSigners`] that borrow an authorization's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct NonSignersRef<'a>(&'a [u8]);

impl<'a> NonSignersRef<'a> {
    /// Parses the bitmap of an authorization.
    ///
    /// # Errors
    ///
    /// As [`NonSigners::from_bytes`].
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, NonSignersError> {
        if bytes.len() > NonSigners::MAX_BYTES {
            return Err(NonSignersError::TooLong(bytes.len()));
        }
        if bytes.last() == Some(&0) {
            return Err(NonSignersError::TrailingZero);
        }
        Ok(Self(bytes))
    }

    /// Returns the bitmap.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Returns the operators' indices, ascending.
    pub fn indices(self) -> impl Iterator<Item = u16> + Clone + 'a {
        (0u16..)
            .step_by(8)
            .zip(self.0)
            .flat_map(|(first, byte)| (0u16..8).filter(move |bit| byte >> bit & 1 == 1).map(move |bit| first | bit))
    }

    /// Returns whether every operator signed.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

impl From<NonSignersRef<'_>> for NonSigners {
    fn from(bitmap: NonSignersRef<'_>) -> Self {
        Self(bitmap.0.to_vec())
    }
}

impl<'a> From<&'a NonSigners> for NonSignersRef<'a> {
    fn from(bitmap: &'a NonSigners) -> Self {
        Self(&bitmap.0)
    }
}
