//! The bitmap of the operators that did not sign.

use alloc::vec::Vec;

/// The operators of an epoch that did not sign, by their place in the epoch's table.
///
/// A bitmap of at most 255 bytes whose last byte is not zero, so that one set of operators has one encoding. Operator `i`
/// is bit `i % 8` (least significant first) of byte `i / 8`.
///
/// ```
/// use assent_verifier::NonSigners;
///
/// let absent = NonSigners::from_indices([0, 9])?;
/// assert_eq!(absent.as_bytes(), [0b0000_0001, 0b0000_0010]);
/// assert!(absent.indices().eq([0, 9]));
/// assert!(NonSigners::NONE.as_bytes().is_empty());
/// # Ok::<(), assent_verifier::NonSignersError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct NonSigners(Vec<u8>);

/// Why operators cannot be named in a bitmap.
///
/// ```
/// use assent_verifier::{NonSigners, NonSignersError};
///
/// assert_eq!(NonSigners::from_bytes(&[1, 0]), Err(NonSignersError::TrailingZero));
/// assert_eq!(NonSigners::from_bytes(&[1; NonSigners::MAX_BYTES + 1]), Err(NonSignersError::TooLong(256)));
/// assert_eq!(NonSigners::from_indices([2040]), Err(NonSignersError::IndexTooHigh(2040)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NonSignersError {
    /// The bitmap's last byte is zero: the same operators have a shorter bitmap.
    #[error("the bitmap of non-signers ends in a zero byte")]
    TrailingZero,
    /// The bitmap is longer than 255 bytes.
    #[error("the bitmap of non-signers takes {0} bytes, more than 255")]
    TooLong(usize),
    /// The operator's place does not fit a bitmap of 255 bytes.
    #[error("operator {0} cannot be named as a non-signer: the highest that can is 2039")]
    IndexTooHigh(u16),
}

impl NonSigners {
    /// Everybody signed.
    pub const NONE: Self = Self(Vec::new());

    /// The longest bitmap, in bytes.
    ///
    /// ```
    /// use assent_verifier::{NonSigners, OperatorSet};
    ///
    /// // Room for every operator of the largest set.
    /// assert!(NonSigners::MAX_BYTES * 8 >= OperatorSet::MAX_OPERATORS);
    /// ```
    pub const MAX_BYTES: usize = 255;

    /// The set of the operators named, in any order, repetitions allowed.
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

    /// Takes the bitmap as it stands in an authorization.
    ///
    /// ```
    /// use assent_verifier::NonSigners;
    ///
    /// let absent = NonSigners::from_bytes(&[0b0000_0101])?;
    /// assert!(absent.indices().eq([0, 2]));
    /// # Ok::<(), assent_verifier::NonSignersError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`NonSignersError::TooLong`] above 255 bytes, [`NonSignersError::TrailingZero`] when the last byte is zero.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NonSignersError> {
        Bitmap::from_bytes(bytes).map(Self::from)
    }

    /// The bitmap as it stands in an authorization.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The operators' places, ascending.
    pub fn indices(&self) -> impl Iterator<Item = u16> + '_ {
        Bitmap(&self.0).indices()
    }

    /// How many operators did not sign.
    ///
    /// ```
    /// use assent_verifier::NonSigners;
    ///
    /// assert_eq!(NonSigners::from_indices([3, 3, 70])?.count(), 2);
    /// # Ok::<(), assent_verifier::NonSignersError>(())
    /// ```
    pub fn count(&self) -> usize {
        self.indices().count()
    }

    /// Whether everybody signed.
    ///
    /// ```
    /// use assent_verifier::NonSigners;
    ///
    /// assert!(NonSigners::NONE.is_empty());
    /// assert!(!NonSigners::from_indices([0])?.is_empty());
    /// # Ok::<(), assent_verifier::NonSignersError>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// [`NonSigners`] where they stand in an authorization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Bitmap<'a>(&'a [u8]);

impl<'a> Bitmap<'a> {
    pub(crate) fn from_bytes(bytes: &'a [u8]) -> Result<Self, NonSignersError> {
        if bytes.len() > NonSigners::MAX_BYTES {
            return Err(NonSignersError::TooLong(bytes.len()));
        }
        if bytes.last() == Some(&0) {
            return Err(NonSignersError::TrailingZero);
        }
        Ok(Self(bytes))
    }

    pub(crate) fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    pub(crate) fn indices(self) -> impl Iterator<Item = u16> + Clone + 'a {
        (0u16..)
            .step_by(8)
            .zip(self.0)
            .flat_map(|(first, byte)| (0u16..8).filter(move |bit| byte >> bit & 1 == 1).map(move |bit| first | bit))
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

impl From<Bitmap<'_>> for NonSigners {
    fn from(bitmap: Bitmap<'_>) -> Self {
        Self(bitmap.0.to_vec())
    }
}
