//! The canonical form: RFC 8785.

use crate::value::{Object, Value};
use alloc::{format, string::String};

impl Value {
    /// Returns the canonical form (RFC 8785): no spaces, keys in order, the shortest escapes.
    ///
    /// Equal values have equal forms, and different values different ones.
    pub fn to_canonical(&self) -> String {
        let mut out = String::new();
        write_value(&mut out, self);
        out
    }
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Integer(integer) => out.push_str(&format!("{integer}")),
        Value::String(text) => write_string(out, text),
        Value::Array(values) => write_array(out, values),
        Value::Object(object) => write_object(out, object),
    }
}

fn write_array(out: &mut String, values: &[Value]) {
    out.push('[');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_value(out, value);
    }
    out.push(']');
}

fn write_object(out: &mut String, object: &Object) {
    out.push('{');
    for (index, (key, value)) in object.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_string(out, key);
        out.push(':');
        write_value(out, value);
    }
    out.push('}');
}

fn write_string(out: &mut String, text: &str) {
    out.reserve(text.len() + 2);
    out.push('"');
    let mut rest = text;
    // What is escaped is one byte in UTF-8, and no byte of another character.
    while let Some(length) = rest.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        let (plain, escaped) = rest.split_at(length);
        out.push_str(plain);
        let mut characters = escaped.chars();
        if let Some(character) = characters.next() {
            write_escape(out, character);
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

/// Returns whether an escape is how the canonical form writes a character.
pub(crate) fn is_escape(escape: &str, character: char) -> bool {
    if character >= ' ' && character != '"' && character != '\\' {
        return false;
    }
    let mut canonical = String::new();
    write_escape(&mut canonical, character);
    canonical == escape
}

fn write_escape(out: &mut String, character: char) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\u{8}' => out.push_str("\\b"),
        '\t' => out.push_str("\\t"),
        '\n' => out.push_str("\\n"),
        '\u{c}' => out.push_str("\\f"),
        '\r' => out.push_str("\\r"),
        _ => out.push_str(&format!("\\u{:04x}", u32::from(character))),
    }
}
