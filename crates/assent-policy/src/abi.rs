//! Functions in Solidity's human-readable ABI, as a manifest names them.

use alloy_primitives::{FixedBytes, keccak256};
use core::fmt;

/// How deep tuples and arrays may nest.
const MAX_DEPTH: usize = 8;
const WORD: usize = 32;
/// The longest array of which zeros are encoded.
const MAX_ZERO_ELEMENTS: u32 = 1024;
/// The words that may follow a function's parameters.
const ATTRIBUTES: [&str; 6] = ["external", "public", "view", "pure", "payable", "nonpayable"];

/// A function that a policy decides about.
///
/// ```
/// use assent_policy::Function;
///
/// let function: Function = "function pay(address to, uint amount) external payable returns (bool)".parse()?;
/// assert_eq!(function.signature(), "pay(address,uint256)");
/// assert_eq!(function.to_string(), "function pay(address to, uint256 amount)");
/// # Ok::<(), assent_policy::FunctionError>(())
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

/// The text is not a function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FunctionError {
    /// Something else must be here.
    #[error("expected {expected} at {rest:?}; write a function as in \"function pay(address to, uint256 amount)\"")]
    Expected {
        /// What must be here.
        expected: &'static str,
        /// What is here, and all that follows.
        rest: String,
    },
    /// There is no such type.
    #[error(
        "{0:?} is not a type of the ABI; enums are written as uint8, contracts as address, structs as (type name, …)"
    )]
    UnknownType(String),
    /// Two parameters have the same name.
    #[error("two parameters are named {0:?}; give each its own name")]
    DuplicateParameter(String),
    /// Tuples and arrays nest too deep.
    #[error("types are nested more than {MAX_DEPTH} deep")]
    TooDeep,
}

impl Function {
    /// Returns the name with the parameters' types, as it is hashed to the selector.
    pub fn signature(&self) -> String {
        let types = self.parameters.iter().map(|parameter| parameter.ty.canonical(false)).collect::<Vec<_>>();
        format!("{}({})", self.name, types.join(","))
    }

    /// Returns the first four bytes of the calldata. Nothing for `receive()`, whose calldata is empty.
    pub fn selector(&self) -> Option<FixedBytes<4>> {
        if self.is_receive() {
            return None;
        }
        let hash = keccak256(self.signature());
        FixedBytes::try_from(hash.get(..4)?).ok()
    }

    /// Returns calldata of the function in which every argument is zero or empty.
    pub fn zero_calldata(&self) -> Vec<u8> {
        let selector = self.selector().map(|selector| selector.to_vec()).unwrap_or_default();
        let types = self.parameters.iter().map(|parameter| &parameter.ty).collect::<Vec<_>>();
        [selector, zero_sequence(&types)].concat()
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
        write!(out, "function {}({})", self.name, list(&self.parameters))
    }
}

impl core::str::FromStr for Function {
    type Err = FunctionError;

    fn from_str(text: &str) -> Result<Self, FunctionError> {
        if text.trim() == "receive()" {
            return Ok(Self { name: "receive".into(), parameters: Vec::new() });
        }
        let mut parser = Parser { rest: text.trim() };
        if parser.word() != "function" {
            return Err(FunctionError::Expected { expected: "`function` or `receive()`", rest: text.into() });
        }
        let name = parser.name("a name")?;
        parser.require('(', "an opening parenthesis")?;
        let parameters = parser.parameters(MAX_DEPTH)?;
        parser.attributes()?;
        Ok(Self { name, parameters })
    }
}

impl AbiType {
    /// Returns the type's name; tuples with or without the names of their members.
    fn canonical(&self, with_names: bool) -> String {
        match self {
            Self::Uint(bits) => format!("uint{bits}"),
            Self::Int(bits) => format!("int{bits}"),
            Self::Address => "address".into(),
            Self::Bool => "bool".into(),
            Self::Bytes => "bytes".into(),
            Self::FixedBytes(length) => format!("bytes{length}"),
            Self::String => "string".into(),
            Self::Array(element) => format!("{}[]", element.canonical(with_names)),
            Self::FixedArray(element, length) => format!("{}[{length}]", element.canonical(with_names)),
            Self::Tuple(members) if with_names => format!("({})", list(members)),
            Self::Tuple(members) => {
                let types = members.iter().map(|member| member.ty.canonical(false)).collect::<Vec<_>>();
                format!("({})", types.join(","))
            }
        }
    }

    /// Returns the encoding of zero, or of an empty value.
    fn zero(&self) -> Vec<u8> {
        match self {
            Self::FixedArray(element, length) => {
                zero_sequence(&vec![&**element; usize::try_from((*length).min(MAX_ZERO_ELEMENTS)).unwrap_or(0)])
            }
            Self::Tuple(members) => zero_sequence(&members.iter().map(|member| &member.ty).collect::<Vec<_>>()),
            // For what is dynamic, a length of zero.
            _ => vec![0; WORD],
        }
    }

    pub(crate) fn is_dynamic(&self) -> bool {
        match self {
            Self::Bytes | Self::String | Self::Array(_) => true,
            Self::FixedArray(element, _) => element.is_dynamic(),
            Self::Tuple(members) => members.iter().any(|member| member.ty.is_dynamic()),
            _ => false,
        }
    }

    fn elementary(word: &str) -> Option<Self> {
        let ty = match word {
            "address" => Self::Address,
            "bool" => Self::Bool,
            "bytes" => Self::Bytes,
            "string" => Self::String,
            "uint" => Self::Uint(256),
            "int" => Self::Int(256),
            _ => {
                let digits = word.trim_start_matches(|letter: char| letter.is_ascii_lowercase());
                let number: u16 = digits.parse().ok().filter(|number: &u16| number.to_string() == digits)?;
                let is_width = number.is_multiple_of(8) && (8..=256).contains(&number);
                match word.strip_suffix(digits)? {
                    "uint" if is_width => Self::Uint(number),
                    "int" if is_width => Self::Int(number),
                    "bytes" => Self::FixedBytes(u8::try_from(number).ok().filter(|length| (1..=32).contains(length))?),
                    _ => return None,
                }
            }
        };
        Some(ty)
    }
}

impl fmt::Display for AbiType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.canonical(true))
    }
}

/// Returns the encoding of a sequence of zeros and empty values: heads, then tails.
fn zero_sequence(types: &[&AbiType]) -> Vec<u8> {
    let zeros = types.iter().map(|ty| (ty.is_dynamic(), ty.zero())).collect::<Vec<_>>();
    let mut offset = zeros
        .iter()
        .fold(0_usize, |sum, (is_dynamic, zero)| sum.saturating_add(if *is_dynamic { WORD } else { zero.len() }));
    let (mut heads, mut tails) = (Vec::new(), Vec::new());
    for (is_dynamic, zero) in zeros {
        if is_dynamic {
            let word = alloy_primitives::U256::try_from(offset).unwrap_or_default().to_be_bytes::<WORD>();
            heads.extend(word);
            offset = offset.saturating_add(zero.len());
            tails.extend(zero);
        } else {
            heads.extend(zero);
        }
    }
    heads.extend(tails);
    heads
}

fn list(parameters: &[Parameter]) -> String {
    let parameters = parameters.iter().map(
        |Parameter { name, ty }| {
            if name.is_empty() { ty.to_string() } else { format!("{ty} {name}") }
        },
    );
    parameters.collect::<Vec<_>>().join(", ")
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    /// Takes the word that is next; empty if none is.
    fn word(&mut self) -> &'a str {
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '$');
        let (word, rest) = self.rest.split_at_checked(end.unwrap_or(self.rest.len())).unwrap_or((self.rest, ""));
        self.rest = rest.trim_start();
        word
    }

    fn name(&mut self, expected: &'static str) -> Result<String, FunctionError> {
        let rest = self.rest;
        let word = self.word();
        if word.is_empty() || word.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(FunctionError::Expected { expected, rest: rest.into() });
        }
        Ok(word.into())
    }

    fn take(&mut self, wanted: char) -> bool {
        let Some(rest) = self.rest.strip_prefix(wanted) else { return false };
        self.rest = rest.trim_start();
        true
    }

    fn require(&mut self, wanted: char, expected: &'static str) -> Result<(), FunctionError> {
        if self.take(wanted) { Ok(()) } else { Err(FunctionError::Expected { expected, rest: self.rest.into() }) }
    }

    /// Reads parameters up to the closing parenthesis.
    fn parameters(&mut self, depth: usize) -> Result<Vec<Parameter>, FunctionError> {
        let mut parameters = Vec::<Parameter>::new();
        if self.take(')') {
            return Ok(parameters);
        }
        loop {
            let parameter = self.parameter(depth)?;
            if !parameter.name.is_empty() && parameters.iter().any(|earlier| earlier.name == parameter.name) {
                return Err(FunctionError::DuplicateParameter(parameter.name));
            }
            parameters.push(parameter);
            if self.take(')') {
                return Ok(parameters);
            }
            self.require(',', "a comma or a closing parenthesis")?;
        }
    }

    fn parameter(&mut self, depth: usize) -> Result<Parameter, FunctionError> {
        let mut depth = depth.checked_sub(1).ok_or(FunctionError::TooDeep)?;
        let mut ty = self.unsuffixed(depth)?;
        while self.take('[') {
            depth = depth.checked_sub(1).ok_or(FunctionError::TooDeep)?;
            let length = self.word();
            self.require(']', "a closing bracket")?;
            ty = if length.is_empty() {
                AbiType::Array(Box::new(ty))
            } else {
                let parsed = length.parse::<u32>().ok().filter(|number| *number > 0 && number.to_string() == length);
                let length = parsed.ok_or_else(|| FunctionError::UnknownType(format!("{ty}[{length}]")))?;
                AbiType::FixedArray(Box::new(ty), length)
            };
        }
        let mut name = self.word();
        if ["calldata", "memory"].contains(&name) {
            name = self.word();
        }
        Ok(Parameter { name: name.into(), ty })
    }

    fn unsuffixed(&mut self, depth: usize) -> Result<AbiType, FunctionError> {
        if self.take('(') {
            return self.parameters(depth).map(AbiType::Tuple);
        }
        let rest = self.rest;
        let word = self.word();
        if word.is_empty() {
            return Err(FunctionError::Expected { expected: "a type", rest: rest.into() });
        }
        if word == "tuple" && self.take('(') {
            return self.parameters(depth).map(AbiType::Tuple);
        }
        AbiType::elementary(word).ok_or_else(|| FunctionError::UnknownType(word.into()))
    }

    /// Reads what the calldata does not depend on, to the end.
    fn attributes(&mut self) -> Result<(), FunctionError> {
        loop {
            let rest = self.rest;
            match self.word() {
                "" if rest.is_empty() || rest == ";" => return Ok(()),
                "returns" => {
                    self.require('(', "an opening parenthesis")?;
                    self.parameters(MAX_DEPTH)?;
                }
                word if ATTRIBUTES.contains(&word) => {}
                _ => return Err(FunctionError::Expected { expected: "the end", rest: rest.into() }),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Function, FunctionError> {
        text.parse()
    }

    #[test]
    fn functions_have_the_signatures_of_the_solidity_compiler() {
        for (text, signature) in [
            ("function approve(address spender, uint256 value)", "approve(address,uint256)"),
            ("function f()", "f()"),
            (
                "function f(uint, int8 x, bytes32[] calldata y) external view returns (uint256 z);",
                "f(uint256,int8,bytes32[])",
            ),
            ("function f((address to, uint256 amount)[2][] payments, bool)", "f((address,uint256)[2][],bool)"),
            ("function f(tuple(string s, (bytes b) t) u)", "f((string,(bytes)))"),
            ("  function   a_$1 ( address  x )  ", "a_$1(address)"),
            ("receive()", "receive()"),
        ] {
            let function = parse(text).unwrap();
            assert_eq!(function.signature(), signature, "{text}");
            assert_eq!(parse(&function.to_string()).as_ref(), Ok(&function), "{text}");
        }
        let selector = parse("function transfer(address to, uint256 amount)").unwrap().selector().unwrap();
        assert_eq!(selector.to_string(), "0xa9059cbb");
        assert_eq!(parse("receive()").unwrap().selector(), None);
    }

    #[test]
    fn what_is_not_a_function_is_refused_with_its_reason() {
        let expected = |error: &FunctionError| matches!(error, FunctionError::Expected { .. });
        for text in [
            "",
            "pay(address)",
            "function",
            "function f",
            "function f(",
            "function f(address",
            "function f(,)",
            "function f() banana",
            "function f(address) returns",
            "function 1f()",
            "function f(address a b)",
            "event f()",
        ] {
            assert!(expected(&parse(text).unwrap_err()), "{text}: {:?}", parse(text));
        }
        for (text, ty) in [
            ("function f(uint7 a)", "uint7"),
            ("function f(uint08 a)", "uint08"),
            ("function f(bytes33 a)", "bytes33"),
            ("function f(IERC20 token)", "IERC20"),
            ("function f(uint264 a)", "uint264"),
            ("function f(bool[0] a)", "bool[0]"),
        ] {
            assert_eq!(parse(text), Err(FunctionError::UnknownType(ty.into())));
        }
        assert_eq!(parse("function f(bool a, bool a)"), Err(FunctionError::DuplicateParameter("a".into())));
        let deep = format!("function f({}bool{})", "(".repeat(100_000), ")".repeat(100_000));
        assert_eq!(parse(&deep), Err(FunctionError::TooDeep));
        let arrays = format!("function f(bool{} x)", "[]".repeat(100_000));
        assert_eq!(parse(&arrays), Err(FunctionError::TooDeep));
    }
}
