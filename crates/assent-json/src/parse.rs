//! The parser.

use crate::{
    error::{ErrorKind, MAX_DEPTH, ParseError},
    value::{MAX_INTEGER, Object, Value},
};
use alloc::{string::String, vec::Vec};

/// Parses one JSON value, with white space around it or none.
///
/// # Errors
///
/// [`ParseError`] with the reason and its offset, if the text is not JSON, or is JSON that two readers could understand
/// differently. Lists of the reasons: [`ErrorKind`].
pub fn parse(text: &[u8]) -> Result<Value, ParseError> {
    read(text).map(|(value, _)| value)
}

/// Parses one value, and tells whether the text is its canonical form.
fn read(text: &[u8]) -> Result<(Value, bool), ParseError> {
    let text =
        core::str::from_utf8(text).map_err(|error| ParseError::new(ErrorKind::InvalidUtf8, error.valid_up_to()))?;
    let mut parser = Parser { text, offset: 0, is_canonical: true };
    parser.skip_space();
    let value = parser.value(MAX_DEPTH)?;
    parser.skip_space();
    match parser.peek() {
        None => Ok((value, parser.is_canonical)),
        Some(_) => Err(parser.error(ErrorKind::TrailingData)),
    }
}

/// Parses one JSON value in its canonical form (RFC 8785), so that each value has exactly one accepted text.
///
/// # Errors
///
/// As [`parse`], and [`ErrorKind::NotCanonical`] at the first byte that differs from the canonical form.
pub fn parse_canonical(text: &[u8]) -> Result<Value, ParseError> {
    let (value, is_canonical) = read(text)?;
    if is_canonical {
        return Ok(value);
    }
    let canonical = value.to_canonical();
    let equal = canonical.bytes().zip(text).take_while(|(canonical, found)| canonical == *found).count();
    Err(ParseError::new(ErrorKind::NotCanonical, equal))
}

struct Parser<'a> {
    text: &'a str,
    offset: usize,
    /// Whether what was parsed is in its canonical form: no white space, keys in order, no other escapes than needed.
    is_canonical: bool,
}

impl<'a> Parser<'a> {
    /// Parses the value at the offset, which may contain `depth` levels of arrays and objects.
    fn value(&mut self, depth: usize) -> Result<Value, ParseError> {
        match self.peek() {
            Some(b'"') => Ok(Value::String(self.string()?)),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'-' | b'0'..=b'9') => self.integer(),
            Some(b't') => self.literal("true", Value::Bool(true)),
            Some(b'f') => self.literal("false", Value::Bool(false)),
            Some(b'n') => self.literal("null", Value::Null),
            _ => Err(self.expected("a value")),
        }
    }

    fn literal(&mut self, literal: &'static str, value: Value) -> Result<Value, ParseError> {
        if !self.rest().starts_with(literal.as_bytes()) {
            return Err(self.error(ErrorKind::Expected("true, false or null")));
        }
        self.offset += literal.len();
        Ok(value)
    }

    fn array(&mut self, depth: usize) -> Result<Value, ParseError> {
        let depth = depth.checked_sub(1).ok_or_else(|| self.error(ErrorKind::TooDeep))?;
        self.offset += 1;
        self.skip_space();
        let mut values = Vec::new();
        if self.take(b']') {
            return Ok(Value::Array(values));
        }
        loop {
            values.push(self.value(depth)?);
            self.skip_space();
            if self.take(b']') {
                return Ok(Value::Array(values));
            }
            self.require(b',', "a comma or the end of the array")?;
            self.skip_space();
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, ParseError> {
        let depth = depth.checked_sub(1).ok_or_else(|| self.error(ErrorKind::TooDeep))?;
        let start = self.offset;
        self.offset += 1;
        self.skip_space();
        let mut members = Vec::new();
        if self.take(b'}') {
            return Ok(Value::Object(Object::new()));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.expected("a key in quotes"));
            }
            let key = self.string()?;
            self.skip_space();
            self.require(b':', "a colon")?;
            self.skip_space();
            members.push((key, self.value(depth)?));
            self.skip_space();
            if self.take(b'}') {
                break;
            }
            self.require(b',', "a comma or the end of the object")?;
            self.skip_space();
        }
        match Object::from_members(members) {
            Ok((object, were_in_order)) => {
                self.is_canonical &= were_in_order;
                Ok(Value::Object(object))
            }
            Err(index) => Err(self.duplicate(start, index)),
        }
    }

    /// Returns the error for the key of a member, whose object at `start` was parsed before.
    #[cold]
    fn duplicate(&self, start: usize, index: usize) -> ParseError {
        let mut again = Parser { text: self.text, offset: start + 1, is_canonical: false };
        let mut key = (start, String::new());
        // Parsing succeeded before, and so it does now.
        for _ in 0..=index {
            again.skip_space();
            again.take(b',');
            again.skip_space();
            key = (again.offset, again.string().unwrap_or_default());
            again.skip_space();
            again.take(b':');
            again.skip_space();
            drop(again.value(MAX_DEPTH));
        }
        ParseError::new(ErrorKind::DuplicateKey(key.1), key.0)
    }

    /// Parses the string whose opening quote is at the offset.
    fn string(&mut self) -> Result<String, ParseError> {
        self.offset += 1;
        let mut string = String::new();
        loop {
            let rest = self.rest();
            let Some(length) = rest.iter().position(|byte| *byte < 0x20 || *byte == b'"' || *byte == b'\\') else {
                self.offset = self.text.len();
                return Err(self.error(ErrorKind::UnexpectedEnd));
            };
            let end = self.offset + length;
            // What ends the part is one byte in UTF-8, and no byte of another character.
            let plain = self.text.get(self.offset..end).unwrap_or_default();
            self.offset = end;
            match rest.get(length) {
                Some(b'"') => {
                    self.offset += 1;
                    if string.is_empty() {
                        return Ok(plain.into());
                    }
                    string.push_str(plain);
                    return Ok(string);
                }
                Some(b'\\') => {
                    string.push_str(plain);
                    let start = self.offset;
                    let character = self.escape()?;
                    let escape = self.text.get(start..self.offset).unwrap_or_default();
                    self.is_canonical &= crate::write::is_escape(escape, character);
                    string.push(character);
                }
                _ => return Err(self.error(ErrorKind::ControlCharacter)),
            }
        }
    }

    /// Parses the escape whose backslash is at the offset.
    fn escape(&mut self) -> Result<char, ParseError> {
        let start = self.offset;
        let character = match self.rest().get(1) {
            None => return Err(ParseError::new(ErrorKind::UnexpectedEnd, self.text.len())),
            Some(b'u') => return self.unicode_escape(),
            Some(b'b') => '\u{8}',
            Some(b't') => '\t',
            Some(b'n') => '\n',
            Some(b'f') => '\u{c}',
            Some(b'r') => '\r',
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(_) => return Err(ParseError::new(ErrorKind::InvalidEscape, start)),
        };
        self.offset += 2;
        Ok(character)
    }

    fn unicode_escape(&mut self) -> Result<char, ParseError> {
        let start = self.offset;
        let lone = || ParseError::new(ErrorKind::LoneSurrogate, start);
        let unit = self.code_unit()?;
        if !(0xd800..0xdc00).contains(&unit) {
            return char::from_u32(unit).ok_or_else(lone);
        }
        if !self.rest().starts_with(b"\\u") {
            return Err(lone());
        }
        let low = self.code_unit()?;
        if !(0xdc00..0xe000).contains(&low) {
            return Err(lone());
        }
        char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00)).ok_or_else(lone)
    }

    /// Parses `\uXXXX`, whose first two bytes are at the offset.
    fn code_unit(&mut self) -> Result<u32, ParseError> {
        let invalid = ParseError::new(ErrorKind::InvalidEscape, self.offset);
        let digits = self.text.get(self.offset + 2..self.offset + 6).ok_or_else(|| invalid.clone())?;
        // `from_str_radix` accepts a sign.
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(invalid);
        }
        self.offset += 6;
        u32::from_str_radix(digits, 16).map_err(|_| invalid)
    }

    fn integer(&mut self) -> Result<Value, ParseError> {
        let start = self.offset;
        let is_negative = self.take(b'-');
        let digits = self.rest().iter().take_while(|byte| byte.is_ascii_digit());
        let (mut length, mut magnitude) = (0, Some(0_i64));
        for digit in digits {
            length += 1;
            magnitude = magnitude
                .map(|magnitude| magnitude * 10 + i64::from(digit - b'0'))
                .filter(|magnitude| *magnitude <= MAX_INTEGER);
        }
        if length == 0 {
            return Err(self.expected("a digit"));
        }
        let has_leading_zero = length > 1 && self.peek() == Some(b'0');
        self.offset += length;
        // −0 is written as 0.
        self.is_canonical &= !(is_negative && magnitude == Some(0));
        let kind = match self.peek() {
            _ if has_leading_zero => ErrorKind::LeadingZero,
            Some(b'.') => ErrorKind::Fraction,
            Some(b'e' | b'E') => ErrorKind::Exponent,
            _ => ErrorKind::IntegerOutOfRange,
        };
        let magnitude = magnitude.filter(|_| matches!(kind, ErrorKind::IntegerOutOfRange));
        let integer = magnitude.map(|magnitude| if is_negative { -magnitude } else { magnitude });
        integer.and_then(|integer| integer.try_into().ok()).ok_or(ParseError::new(kind, start))
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.offset..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.offset).copied()
    }

    /// Skips a byte, if it is this one.
    fn take(&mut self, byte: u8) -> bool {
        let is_found = self.peek() == Some(byte);
        self.offset += usize::from(is_found);
        is_found
    }

    fn require(&mut self, byte: u8, what: &'static str) -> Result<(), ParseError> {
        if self.take(byte) { Ok(()) } else { Err(self.expected(what)) }
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.offset += 1;
            self.is_canonical = false;
        }
    }

    fn expected(&self, what: &'static str) -> ParseError {
        self.error(if self.peek().is_none() { ErrorKind::UnexpectedEnd } else { ErrorKind::Expected(what) })
    }

    const fn error(&self, kind: ErrorKind) -> ParseError {
        ParseError::new(kind, self.offset)
    }
}
