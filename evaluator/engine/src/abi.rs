//! The ABI: functions, and calldata that decodes in exactly one way.

use crate::exact::{hex, int, uint};
use alloc::{boxed::Box, collections::BTreeMap, format, string::String, vec::Vec};
use regorus::Value;
use sha3::{Digest, Keccak256};

/// How deep types may nest.
const MAX_DEPTH: usize = 32;
const WORD: usize = 32;

/// A function that a policy decides about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Function {
    /// The name.
    pub(crate) name: String,
    /// Name and types of the parameters, as they are hashed to the selector.
    pub(crate) signature: String,
    parameters: Vec<Parameter>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parameter {
    /// The name, or the index if it has none.
    name: String,
    ty: Type,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Type {
    Address,
    Bool,
    Uint(usize),
    Int(usize),
    FixedBytes(usize),
    Bytes,
    String,
    Array(Box<Type>),
    FixedArray(Box<Type>, usize),
    Tuple(Vec<Parameter>),
}

impl Function {
    /// Parses a function as rules contain it: `function pay(address to, uint256 amount)`, or `receive()`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text == "receive()" {
            return Some(Self { name: "receive".into(), signature: text.into(), parameters: Vec::new() });
        }
        let mut parser = Parser { rest: text };
        parser.require("function ")?;
        let name = parser.name()?;
        parser.require("(")?;
        let parameters = if parser.take(")") { Vec::new() } else { parser.parameters(MAX_DEPTH)? };
        if !parser.rest.is_empty() {
            return None;
        }
        let mut signature = name.clone();
        write_types(&mut signature, &parameters);
        Some(Self { name, signature, parameters })
    }

    /// Returns whether the calldata calls this function.
    pub(crate) fn is_called_by(&self, calldata: &[u8]) -> bool {
        match calldata.split_first_chunk::<4>() {
            Some((selector, _)) => {
                self.signature != "receive()" && keccak256(self.signature.as_bytes()).starts_with(selector)
            }
            None => self.signature == "receive()" && calldata.is_empty(),
        }
    }

    /// Returns the arguments by their names.
    ///
    /// # Errors
    ///
    /// What is wrong, if the arguments are not exactly what `abi.encode` writes for them.
    pub(crate) fn decode(&self, calldata: &[u8]) -> Result<Value, String> {
        let arguments = calldata.get(4..).unwrap_or_default();
        let decoder = Decoder { bytes: arguments };
        let (value, end) = decoder.tuple(&self.parameters, 0)?;
        if end != arguments.len() {
            return Err(format!("{} bytes follow the arguments", arguments.len().saturating_sub(end)));
        }
        Ok(value)
    }
}

/// Returns the hash of bytes.
pub(crate) fn keccak256(bytes: &[u8]) -> [u8; 32] {
    Keccak256::digest(bytes).into()
}

impl Type {
    /// Returns the bytes of the type in the head of a sequence. Returns nothing if the type is dynamic.
    fn static_size(&self) -> Option<usize> {
        match self {
            Self::Bytes | Self::String | Self::Array(_) => None,
            Self::FixedArray(element, length) => Some(element.static_size()?.saturating_mul(*length)),
            Self::Tuple(members) => {
                members.iter().try_fold(0_usize, |size, member| Some(size.saturating_add(member.ty.static_size()?)))
            }
            _ => Some(WORD),
        }
    }

    fn head_size(&self) -> usize {
        self.static_size().unwrap_or(WORD)
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Address => out.push_str("address"),
            Self::Bool => out.push_str("bool"),
            Self::Uint(bits) => out.push_str(&format!("uint{bits}")),
            Self::Int(bits) => out.push_str(&format!("int{bits}")),
            Self::FixedBytes(length) => out.push_str(&format!("bytes{length}")),
            Self::Bytes => out.push_str("bytes"),
            Self::String => out.push_str("string"),
            Self::Array(element) => {
                element.write(out);
                out.push_str("[]");
            }
            Self::FixedArray(element, length) => {
                element.write(out);
                out.push_str(&format!("[{length}]"));
            }
            Self::Tuple(members) => write_types(out, members),
        }
    }
}

fn write_types(out: &mut String, parameters: &[Parameter]) {
    out.push('(');
    for (index, parameter) in parameters.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        parameter.ty.write(out);
    }
    out.push(')');
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn take(&mut self, text: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(text) else { return false };
        self.rest = rest;
        true
    }

    fn require(&mut self, text: &str) -> Option<()> {
        self.take(text).then_some(())
    }

    fn word(&mut self) -> &'a str {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end).unwrap_or_default();
        self.rest = rest;
        word
    }

    fn name(&mut self) -> Option<String> {
        let word = self.word();
        let is_name = !word.is_empty() && !word.starts_with(|c: char| c.is_ascii_digit());
        is_name.then(|| word.into())
    }

    /// Parses parameters, one at least, and the closing parenthesis.
    fn parameters(&mut self, depth: usize) -> Option<Vec<Parameter>> {
        let depth = depth.checked_sub(1)?;
        let mut parameters: Vec<Parameter> = Vec::new();
        loop {
            let ty = self.ty(depth)?;
            let name = if self.take(" ") { self.name()? } else { format!("{}", parameters.len()) };
            if parameters.iter().any(|earlier| earlier.name == name) {
                return None;
            }
            parameters.push(Parameter { name, ty });
            if self.take(")") {
                return Some(parameters);
            }
            self.require(", ")?;
        }
    }

    fn ty(&mut self, mut depth: usize) -> Option<Type> {
        let mut ty = if self.take("(") { Type::Tuple(self.parameters(depth)?) } else { elementary(self.word())? };
        while self.take("[") {
            depth = depth.checked_sub(1)?;
            let length = self.word();
            self.require("]")?;
            ty = match length {
                "" => Type::Array(Box::new(ty)),
                _ => Type::FixedArray(Box::new(ty), number(length).filter(|length| *length > 0)?),
            };
        }
        Some(ty)
    }
}

fn elementary(word: &str) -> Option<Type> {
    Some(match word {
        "address" => Type::Address,
        "bool" => Type::Bool,
        "bytes" => Type::Bytes,
        "string" => Type::String,
        _ => {
            let width = |prefix| word.strip_prefix(prefix).and_then(number);
            let is_bits = |bits: &usize| (8..=256).contains(bits) && bits.is_multiple_of(8);
            if let Some(length) = width("bytes") {
                Type::FixedBytes(Some(length).filter(|length| (1..=32).contains(length))?)
            } else if let Some(bits) = width("uint") {
                Type::Uint(Some(bits).filter(is_bits)?)
            } else {
                Type::Int(width("int").filter(is_bits)?)
            }
        }
    })
}

fn number(text: &str) -> Option<usize> {
    let is_canonical = !text.starts_with(['0', '+']) && text.len() < 10;
    text.parse().ok().filter(|_| is_canonical)
}

/// Decodes values at offsets, and returns where each ends.
struct Decoder<'a> {
    bytes: &'a [u8],
}

impl<'a> Decoder<'a> {
    /// Decodes a sequence of values: their heads, and behind them what is dynamic, in order and without gaps.
    fn sequence<'t>(
        &self,
        types: impl Iterator<Item = &'t Type> + Clone,
        start: usize,
    ) -> Result<(Vec<Value>, usize), String> {
        let mut values = Vec::new();
        let mut head = start;
        let mut tail = types.clone().fold(start, |tail, ty| tail.saturating_add(ty.head_size()));
        if tail > self.bytes.len() {
            return Err(self.too_short());
        }
        for ty in types {
            let value = if ty.static_size().is_some() {
                let (value, end) = self.value(ty, head)?;
                head = end;
                value
            } else {
                let expected = tail.saturating_sub(start);
                if self.size(head)? != Some(expected) {
                    return Err(format!("the offset at byte {head} must be {expected}"));
                }
                head = head.saturating_add(WORD);
                let (value, end) = self.value(ty, tail)?;
                tail = end;
                value
            };
            values.push(value);
        }
        Ok((values, tail))
    }

    fn tuple(&self, members: &[Parameter], start: usize) -> Result<(Value, usize), String> {
        let (values, end) = self.sequence(members.iter().map(|member| &member.ty), start)?;
        let names = members.iter().map(|member| Value::from(member.name.as_str()));
        Ok((names.zip(values).collect::<BTreeMap<_, _>>().into(), end))
    }

    /// Decodes the value at an offset, which is not the head of a dynamic one but the value itself.
    fn value(&self, ty: &Type, start: usize) -> Result<(Value, usize), String> {
        let next = start.saturating_add(WORD);
        let value = match ty {
            Type::Array(element) => {
                let length = self.size(start)?.unwrap_or(usize::MAX);
                return self.elements(element, length, next);
            }
            Type::FixedArray(element, length) => return self.elements(element, *length, start),
            Type::Tuple(members) => return self.tuple(members, start),
            Type::Bytes => {
                let (bytes, end) = self.dynamic_bytes(start)?;
                return Ok((hex(bytes).into(), end));
            }
            Type::String => {
                let (bytes, end) = self.dynamic_bytes(start)?;
                let text =
                    core::str::from_utf8(bytes).map_err(|_| format!("the string at byte {start} is not UTF-8"))?;
                return Ok((text.into(), end));
            }
            Type::Address => hex(self.right(start, 20)?).into(),
            Type::Uint(bits) => uint(self.right(start, bits / 8)?),
            Type::Bool => match self.right(start, 1)? {
                [0] => false.into(),
                [1] => true.into(),
                _ => return Err(format!("the boolean at byte {start} is neither 0 nor 1")),
            },
            Type::Int(bits) => {
                let word = self.word(start)?;
                let (high, low) = word.split_at_checked(WORD.saturating_sub(bits / 8)).unwrap_or_default();
                let is_negative = low.first().is_some_and(|byte| byte & 0x80 != 0);
                if high.iter().any(|byte| *byte != if is_negative { 0xff } else { 0 }) {
                    return Err(padding(start));
                }
                int(low)
            }
            Type::FixedBytes(length) => {
                let (bytes, rest) = self.word(start)?.split_at_checked(*length).unwrap_or_default();
                if rest.iter().any(|byte| *byte != 0) {
                    return Err(padding(start));
                }
                hex(bytes).into()
            }
        };
        Ok((value, next))
    }

    fn elements(&self, element: &Type, length: usize, start: usize) -> Result<(Value, usize), String> {
        // Each has a head of a word at least, so that a length beyond the bytes allocates nothing.
        let available = self.bytes.len().saturating_sub(start);
        if length.saturating_mul(element.head_size()) > available {
            return Err(self.too_short());
        }
        let (values, end) = self.sequence(core::iter::repeat_n(element, length), start)?;
        Ok((values.into(), end))
    }

    fn dynamic_bytes(&self, start: usize) -> Result<(&'a [u8], usize), String> {
        let first = start.saturating_add(WORD);
        let length = self.size(start)?.ok_or_else(|| self.too_short())?;
        let end = first.saturating_add(length);
        let padded = first.saturating_add(length.checked_next_multiple_of(WORD).unwrap_or(usize::MAX));
        let (Some(bytes), Some(rest)) = (self.bytes.get(first..end), self.bytes.get(end..padded)) else {
            return Err(self.too_short());
        };
        if rest.iter().any(|byte| *byte != 0) {
            return Err(padding(end));
        }
        Ok((bytes, padded))
    }

    fn word(&self, start: usize) -> Result<&'a [u8; WORD], String> {
        self.bytes.get(start..).and_then(<[u8]>::first_chunk).ok_or_else(|| self.too_short())
    }

    /// Returns the last bytes of a word whose others are zero.
    fn right(&self, start: usize, length: usize) -> Result<&'a [u8], String> {
        let (zeros, bytes) = self.word(start)?.split_at_checked(WORD.saturating_sub(length)).unwrap_or_default();
        if zeros.iter().any(|byte| *byte != 0) {
            return Err(padding(start));
        }
        Ok(bytes)
    }

    /// Returns a word as a length or an offset, unless it is more than any.
    fn size(&self, start: usize) -> Result<Option<usize>, String> {
        let (high, low) = self.word(start)?.split_last_chunk::<4>().ok_or_else(|| self.too_short())?;
        let size = usize::try_from(u32::from_be_bytes(*low)).ok();
        Ok(size.filter(|_| high.iter().all(|byte| *byte == 0)))
    }

    fn too_short(&self) -> String {
        format!("the {} bytes of the arguments are too few", self.bytes.len())
    }
}

fn padding(start: usize) -> String {
    format!("the padding at byte {start} is not clean")
}
