//! Reading functions, as people write them and as rules contain them.

use crate::function::{AbiType, Function, Parameter};
use alloc::{boxed::Box, format, string::String, vec::Vec};
use core::fmt::{self, Write as _};

/// How deep tuples and arrays may nest.
const MAX_DEPTH: usize = 8;
/// The words that may follow a function's parameters.
const ATTRIBUTES: [&str; 6] = ["external", "public", "view", "pure", "payable", "nonpayable"];

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
    /// Reads a function as rules contain it. Nothing if the text is not what [`Display`](fmt::Display) writes.
    pub fn from_canonical(text: &str) -> Option<Self> {
        let function = text.parse::<Self>().ok()?;
        let mut expected = Expected(text);
        (write!(expected, "{function}").is_ok() && expected.0.is_empty()).then_some(function)
    }
}

/// A text that is compared with what is written.
struct Expected<'a>(&'a str);

impl fmt::Write for Expected<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(text).ok_or(fmt::Error)?;
        Ok(())
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
                let parsed = length.parse::<u32>().ok().filter(|number| *number > 0 && !length.starts_with('0'));
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
        let rest = self.rest;
        let word = self.word();
        if matches!(word, "" | "tuple") && self.take('(') {
            let members = self.parameters(depth)?;
            // Solidity has no empty structs. A million of them would take no bytes.
            return if members.is_empty() {
                Err(FunctionError::UnknownType("()".into()))
            } else {
                Ok(AbiType::Tuple(members))
            };
        }
        if word.is_empty() {
            return Err(FunctionError::Expected { expected: "a type", rest: rest.into() });
        }
        elementary(word).ok_or_else(|| FunctionError::UnknownType(word.into()))
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

/// Returns the type that a word names.
fn elementary(word: &str) -> Option<AbiType> {
    Some(match word {
        "address" => AbiType::Address,
        "bool" => AbiType::Bool,
        "bytes" => AbiType::Bytes,
        "string" => AbiType::String,
        "uint" => AbiType::Uint(256),
        "int" => AbiType::Int(256),
        _ => {
            let digits = word.trim_start_matches(|letter: char| letter.is_ascii_lowercase());
            let number: u16 = digits.parse().ok().filter(|_| !digits.starts_with('0'))?;
            let is_width = number.is_multiple_of(8) && (8..=256).contains(&number);
            match word.strip_suffix(digits)? {
                "uint" if is_width => AbiType::Uint(number),
                "int" if is_width => AbiType::Int(number),
                "bytes" => AbiType::FixedBytes(u8::try_from(number).ok().filter(|length| (1..=32).contains(length))?),
                _ => return None,
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

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
            assert_eq!(Function::from_canonical(&function.to_string()).as_ref(), Some(&function), "{text}");
        }
        let selector = parse("function transfer(address to, uint256 amount)").unwrap().selector().unwrap();
        assert_eq!(selector, [0xa9, 0x05, 0x9c, 0xbb]);
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
            ("function f(() a)", "()"),
            ("function f(tuple()[] a)", "()"),
        ] {
            assert_eq!(parse(text), Err(FunctionError::UnknownType(ty.into())));
        }
        assert_eq!(parse("function f(bool a, bool a)"), Err(FunctionError::DuplicateParameter("a".into())));
        let deep = format!("function f({}bool{})", "(".repeat(100_000), ")".repeat(100_000));
        assert_eq!(parse(&deep), Err(FunctionError::TooDeep));
        let arrays = format!("function f(bool{} x)", "[]".repeat(100_000));
        assert_eq!(parse(&arrays), Err(FunctionError::TooDeep));
    }

    #[test]
    fn rules_contain_a_function_in_one_form() {
        assert!(Function::from_canonical("function f(uint256 a, (bool, bytes2)[] l)").is_some());
        for text in [
            "function f(uint a, (bool, bytes2)[] l)",
            "function f(uint256 a,(bool, bytes2)[] l)",
            "function f(uint256 a, (bool, bytes2)[] l) external",
            "function f(uint256 a, tuple(bool, bytes2)[] l)",
            "function f(uint256 a, (bool, bytes2)[] l) ",
            "function f(uint256 a, (bool, bytes2)[] l",
            "function f(uint256 calldata, (bool, bytes2)[] l)",
            "function receive()",
            "",
        ] {
            assert_eq!(Function::from_canonical(text), None, "{text}");
        }
        assert!(Function::from_canonical("receive()").is_some());
    }
}
