//! Functions, their parameters and types.

use crate::{WORD, encode::encode_sequence};
use alloc::{boxed::Box, string::String, vec, vec::Vec};
use core::fmt;
use sha3::{Digest, Keccak256};

/// The most bytes of zeros that are encoded for a function. Fixed arrays nest: a short text can ask for more bytes than
/// there are.
const MAX_ZEROS: usize = 64 * 1024;

/// A function that a policy decides about.
///
/// ```
/// use assent_rules::Function;
///
/// let function: Function = "function pay(address to, uint amount) external payable returns (bool)".parse()?;
/// assert_eq!(function.signature(), "pay(address,uint256)");
/// assert_eq!(function.to_string(), "function pay(address to, uint256 amount)");
/// # Ok::<(), assent_rules::FunctionError>(())
/// ```
// Complete: this is all that identifies a function and names its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// The name; `receive` for empty calldata.
    pub name: String,
    /// The parameters, in order.
    pub parameters: Vec<Parameter>,
}

/// A parameter of a function, or a member of a tuple.
// Complete, as Function is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The name; empty if it has none.
    pub name: String,
    /// The type.
    pub ty: AbiType,
}

/// A type of the ABI.
///
/// The list is complete: Solidity's ABI has no other types that a call can carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AbiType {
    /// An unsigned integer of so many bits.
    Uint(u16),
    /// A signed integer of so many bits.
    Int(u16),
    /// An address.
    Address,
    /// A boolean.
    Bool,
    /// Bytes of any length.
    Bytes,
    /// So many bytes.
    FixedBytes(u8),
    /// A string.
    String,
    /// An array of any length.
    Array(Box<AbiType>),
    /// An array of so many elements.
    FixedArray(Box<AbiType>, u32),
    /// A tuple.
    Tuple(Vec<Parameter>),
}

impl Function {
    /// Returns the name with the parameters' types, as it is hashed to the selector.
    pub fn signature(&self) -> String {
        let mut signature = self.name.clone();
        // Writing to a string cannot fail.
        let _ = write_types(&self.parameters, &mut signature);
        signature
    }

    /// Returns the first four bytes of the calldata. Nothing for `receive()`, whose calldata is empty.
    pub fn selector(&self) -> Option<[u8; 4]> {
        if self.is_receive() {
            return None;
        }
        Keccak256::digest(self.signature().as_bytes()).first_chunk().copied()
    }

    /// Returns calldata of the function in which every argument is zero or empty. Nothing if its arguments exceed
    /// 64 KiB.
    ///
    /// ```
    /// use assent_rules::Function;
    ///
    /// let function: Function = "function f(bool[2] a)".parse()?;
    /// assert_eq!(function.zero_calldata().map(|calldata| calldata.len()), Some(4 + 2 * 32));
    /// let function: Function = "function f(bool[65536][65536] a)".parse()?;
    /// assert_eq!(function.zero_calldata(), None);
    /// # Ok::<(), assent_rules::FunctionError>(())
    /// ```
    pub fn zero_calldata(&self) -> Option<Vec<u8>> {
        if size_of_zeros(&self.parameters) > MAX_ZEROS {
            return None;
        }
        let mut calldata = self.selector().map(Vec::from).unwrap_or_default();
        calldata.extend(encode_sequence(self.parameters.iter().map(|parameter| parameter.ty.zero())));
        Some(calldata)
    }

    /// Returns whether this is the call with empty calldata.
    pub fn is_receive(&self) -> bool {
        self.name == "receive" && self.parameters.is_empty()
    }
}

/// Writes the function as rules contain it: with full type names, and without what the calldata does not depend on.
impl fmt::Display for Function {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_receive() {
            return out.write_str("receive()");
        }
        write!(out, "function {}(", self.name)?;
        write_parameters(&self.parameters, out)?;
        out.write_str(")")
    }
}

impl AbiType {
    /// Returns whether an encoding has an offset in the head, which leads to the value.
    pub fn is_dynamic(&self) -> bool {
        self.static_size().is_none()
    }

    /// Returns the bytes of an encoding in the head. Nothing if the type is dynamic.
    pub fn static_size(&self) -> Option<usize> {
        match self {
            Self::Bytes | Self::String | Self::Array(_) => None,
            Self::FixedArray(element, length) => {
                Some(element.static_size()?.saturating_mul(usize::try_from(*length).unwrap_or(usize::MAX)))
            }
            Self::Tuple(members) => {
                members.iter().try_fold(0_usize, |size, member| Some(size.saturating_add(member.ty.static_size()?)))
            }
            _ => Some(WORD),
        }
    }

    /// Returns the bytes of what [`zero`](Self::zero) encodes, with the offset of what is dynamic.
    fn size_of_zero(&self) -> usize {
        let size = match self {
            Self::FixedArray(element, length) => {
                element.size_of_zero().saturating_mul(usize::try_from(*length).unwrap_or(usize::MAX))
            }
            Self::Tuple(members) => size_of_zeros(members),
            _ => WORD,
        };
        if self.is_dynamic() { size.saturating_add(WORD) } else { size }
    }

    /// Returns whether the type is dynamic, and the encoding of zero or of an empty value. Its size must be bounded.
    fn zero(&self) -> (bool, Vec<u8>) {
        let zero = match self {
            Self::FixedArray(element, length) => {
                encode_sequence(core::iter::repeat_n(element.zero(), usize::try_from(*length).unwrap_or(0)))
            }
            Self::Tuple(members) => encode_sequence(members.iter().map(|member| member.ty.zero())),
            // For what is dynamic, a length of zero.
            _ => vec![0; WORD],
        };
        (self.is_dynamic(), zero)
    }

    /// Writes the type's name; tuples with or without the names of their members.
    fn write(&self, with_names: bool, out: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Self::Uint(bits) => write!(out, "uint{bits}"),
            Self::Int(bits) => write!(out, "int{bits}"),
            Self::Address => out.write_str("address"),
            Self::Bool => out.write_str("bool"),
            Self::Bytes => out.write_str("bytes"),
            Self::FixedBytes(length) => write!(out, "bytes{length}"),
            Self::String => out.write_str("string"),
            Self::Array(element) => {
                element.write(with_names, out)?;
                out.write_str("[]")
            }
            Self::FixedArray(element, length) => {
                element.write(with_names, out)?;
                write!(out, "[{length}]")
            }
            Self::Tuple(members) if with_names => {
                out.write_str("(")?;
                write_parameters(members, out)?;
                out.write_str(")")
            }
            Self::Tuple(members) => write_types(members, out),
        }
    }
}

impl fmt::Display for AbiType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(true, out)
    }
}

/// Returns the bytes of the encoding of zeros.
fn size_of_zeros(parameters: &[Parameter]) -> usize {
    parameters.iter().map(|parameter| parameter.ty.size_of_zero()).fold(0, usize::saturating_add)
}

/// Writes the types in parentheses, as they are hashed.
fn write_types(parameters: &[Parameter], out: &mut dyn fmt::Write) -> fmt::Result {
    out.write_str("(")?;
    for (index, parameter) in parameters.iter().enumerate() {
        if index > 0 {
            out.write_str(",")?;
        }
        parameter.ty.write(false, out)?;
    }
    out.write_str(")")
}

/// Writes types with names, separated by commas.
fn write_parameters(parameters: &[Parameter], out: &mut dyn fmt::Write) -> fmt::Result {
    for (index, Parameter { name, ty }) in parameters.iter().enumerate() {
        if index > 0 {
            out.write_str(", ")?;
        }
        ty.write(true, out)?;
        if !name.is_empty() {
            out.write_str(" ")?;
            out.write_str(name)?;
        }
    }
    Ok(())
}
