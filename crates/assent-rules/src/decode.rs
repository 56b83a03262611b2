//! Calldata that decodes in exactly one way.

use crate::{
    WORD,
    function::{AbiType, Parameter},
};
use alloc::vec::Vec;

/// Makes values of decoded arguments.
pub trait ArgumentVisitor {
    /// A value.
    type Value;

    /// Returns the value of a big-endian unsigned integer, of as many bytes as its type has.
    fn uint(&self, bytes: &[u8]) -> Self::Value;
    /// Returns the value of a big-endian integer in two's complement, of as many bytes as its type has.
    fn int(&self, bytes: &[u8]) -> Self::Value;
    /// Returns the value of an address: 20 bytes.
    fn address(&self, bytes: &[u8]) -> Self::Value;
    /// Returns the value of a boolean.
    fn boolean(&self, value: bool) -> Self::Value;
    /// Returns the value of `bytes`, or of `bytes1` to `bytes32`.
    fn bytes(&self, bytes: &[u8]) -> Self::Value;
    /// Returns the value of a string.
    fn string(&self, text: &str) -> Self::Value;
    /// Returns the value of an array.
    fn array(&self, elements: Vec<Self::Value>) -> Self::Value;
    /// Returns the value of a tuple, or of a function's arguments.
    fn tuple(&self, members: &[Parameter], values: Vec<Self::Value>) -> Self::Value;
}

/// The arguments are not exactly what `abi.encode` writes for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// They end too early.
    #[error("the {0} bytes of the arguments are too few")]
    TooShort(usize),
    /// They end too late.
    #[error("{0} bytes follow the arguments")]
    TrailingBytes(usize),
    /// An offset does not lead to the next value.
    #[error("the offset at byte {start} must be {expected}")]
    WrongOffset {
        /// Where the offset is.
        start: usize,
        /// What it must be.
        expected: usize,
    },
    /// Bytes that the type does not have are not what they must be.
    #[error("the padding at byte {0} is not clean")]
    DirtyPadding(usize),
    /// A boolean is another number.
    #[error("the boolean at byte {0} is neither 0 nor 1")]
    NotBoolean(usize),
    /// A string is not UTF-8.
    #[error("the string at byte {0} is not UTF-8")]
    NotUtf8(usize),
}

/// Decodes arguments: calldata without the selector.
///
/// # Errors
///
/// [`DecodeError`] if they are not exactly what `abi.encode` writes for them.
pub fn decode<V: ArgumentVisitor>(
    visitor: &V,
    parameters: &[Parameter],
    arguments: &[u8],
) -> Result<V::Value, DecodeError> {
    let (value, end) = Decoder { visitor, bytes: arguments }.tuple(parameters, 0)?;
    if end != arguments.len() {
        return Err(DecodeError::TrailingBytes(arguments.len().saturating_sub(end)));
    }
    Ok(value)
}

/// Decodes values at offsets, and returns where each ends.
struct Decoder<'a, V> {
    visitor: &'a V,
    bytes: &'a [u8],
}

impl<'a, V: ArgumentVisitor> Decoder<'a, V> {
    /// Decodes a sequence of values: their heads, and behind them what is dynamic, in order and without gaps.
    fn sequence<'t>(
        &self,
        types: impl Iterator<Item = &'t AbiType> + Clone,
        start: usize,
    ) -> Result<(Vec<V::Value>, usize), DecodeError> {
        let mut values = Vec::new();
        let mut head = start;
        let mut tail = types.clone().fold(start, |tail, ty| tail.saturating_add(ty.static_size().unwrap_or(WORD)));
        if tail > self.bytes.len() {
            return Err(self.too_short());
        }
        for ty in types {
            let value = if ty.is_dynamic() {
                let expected = tail.saturating_sub(start);
                if self.size(head)? != Some(expected) {
                    return Err(DecodeError::WrongOffset { start: head, expected });
                }
                head = head.saturating_add(WORD);
                let (value, end) = self.value(ty, tail)?;
                tail = end;
                value
            } else {
                let (value, end) = self.value(ty, head)?;
                head = end;
                value
            };
            values.push(value);
        }
        Ok((values, tail))
    }

    fn tuple(&self, members: &[Parameter], start: usize) -> Result<(V::Value, usize), DecodeError> {
        let (values, end) = self.sequence(members.iter().map(|member| &member.ty), start)?;
        Ok((self.visitor.tuple(members, values), end))
    }

    /// Decodes the value at an offset, which is not the head of a dynamic one but the value itself.
    fn value(&self, ty: &AbiType, start: usize) -> Result<(V::Value, usize), DecodeError> {
        let next = start.saturating_add(WORD);
        let value = match ty {
            AbiType::Array(element) => {
                let length = self.size(start)?.unwrap_or(usize::MAX);
                return self.elements(element, length, next);
            }
            AbiType::FixedArray(element, length) => {
                return self.elements(element, usize::try_from(*length).unwrap_or(usize::MAX), start);
            }
            AbiType::Tuple(members) => return self.tuple(members, start),
            AbiType::Bytes => {
                let (bytes, end) = self.dynamic_bytes(start)?;
                return Ok((self.visitor.bytes(bytes), end));
            }
            AbiType::String => {
                let (bytes, end) = self.dynamic_bytes(start)?;
                let text = core::str::from_utf8(bytes).map_err(|_| DecodeError::NotUtf8(start))?;
                return Ok((self.visitor.string(text), end));
            }
            AbiType::Address => self.visitor.address(self.right(start, 20)?),
            AbiType::Uint(bits) => self.visitor.uint(self.right(start, usize::from(bits / 8))?),
            AbiType::Bool => match self.right(start, 1)? {
                [0] => self.visitor.boolean(false),
                [1] => self.visitor.boolean(true),
                _ => return Err(DecodeError::NotBoolean(start)),
            },
            AbiType::Int(bits) => {
                let length = usize::from(bits / 8);
                let (high, low) = self.word(start)?.split_at_checked(WORD.saturating_sub(length)).unwrap_or_default();
                let is_negative = low.first().is_some_and(|byte| byte & 0x80 != 0);
                if high.iter().any(|byte| *byte != if is_negative { 0xff } else { 0 }) {
                    return Err(DecodeError::DirtyPadding(start));
                }
                self.visitor.int(low)
            }
            AbiType::FixedBytes(length) => {
                let (bytes, rest) = self.word(start)?.split_at_checked(usize::from(*length)).unwrap_or_default();
                if rest.iter().any(|byte| *byte != 0) {
                    return Err(DecodeError::DirtyPadding(start));
                }
                self.visitor.bytes(bytes)
            }
        };
        Ok((value, next))
    }

    fn elements(&self, element: &AbiType, length: usize, start: usize) -> Result<(V::Value, usize), DecodeError> {
        // Each has a head of a word at least, so that a length beyond the bytes allocates nothing.
        let size = element.static_size().unwrap_or(WORD).max(WORD);
        if length.saturating_mul(size) > self.bytes.len().saturating_sub(start) {
            return Err(self.too_short());
        }
        let (values, end) = self.sequence(core::iter::repeat_n(element, length), start)?;
        Ok((self.visitor.array(values), end))
    }

    fn dynamic_bytes(&self, start: usize) -> Result<(&'a [u8], usize), DecodeError> {
        let first = start.saturating_add(WORD);
        let length = self.size(start)?.ok_or_else(|| self.too_short())?;
        let end = first.saturating_add(length);
        let padded = first.saturating_add(length.checked_next_multiple_of(WORD).unwrap_or(usize::MAX));
        let (Some(bytes), Some(rest)) = (self.bytes.get(first..end), self.bytes.get(end..padded)) else {
            return Err(self.too_short());
        };
        if rest.iter().any(|byte| *byte != 0) {
            return Err(DecodeError::DirtyPadding(end));
        }
        Ok((bytes, padded))
    }

    fn word(&self, start: usize) -> Result<&'a [u8; WORD], DecodeError> {
        self.bytes.get(start..).and_then(<[u8]>::first_chunk).ok_or_else(|| self.too_short())
    }

    /// Returns the last bytes of a word whose others are zero.
    fn right(&self, start: usize, length: usize) -> Result<&'a [u8], DecodeError> {
        let (zeros, bytes) = self.word(start)?.split_at_checked(WORD.saturating_sub(length)).unwrap_or_default();
        if zeros.iter().any(|byte| *byte != 0) {
            return Err(DecodeError::DirtyPadding(start));
        }
        Ok(bytes)
    }

    /// Returns a word as a length or an offset, unless it is more than any.
    fn size(&self, start: usize) -> Result<Option<usize>, DecodeError> {
        let (high, low) = self.word(start)?.split_last_chunk::<4>().ok_or_else(|| self.too_short())?;
        let size = usize::try_from(u32::from_be_bytes(*low)).ok();
        Ok(size.filter(|_| high.iter().all(|byte| *byte == 0)))
    }

    fn too_short(&self) -> DecodeError {
        DecodeError::TooShort(self.bytes.len())
    }
}
