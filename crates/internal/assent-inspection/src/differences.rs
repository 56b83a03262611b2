//! The fields in which a call differs from what was attested, down to the argument.

use crate::{
    Abi,
    abi::{DecodedCall, text},
};
use alloy_dyn_abi::DynSolValue;
use alloy_json_abi::Param;
use alloy_primitives::{U256, hex};
use assent_verifier::Difference;
use serde::Serialize;
use std::fmt;

/// Most parts of one field that are listed.
const MOST_PARTS: usize = 16;

/// Longest value that is repeated in a sentence: an address.
const LONGEST_VALUE: usize = 42;

/// A field in which a call differs from what was attested.
///
/// ```
/// # mod pasted { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/pasted.rs")); }
/// # use pasted::{submission, texts};
/// use assent_inspection::text::{self, Texts};
///
/// let abi = "transfer(address to, uint256 amount)".to_owned();
/// let inspection = text::inspect(&Texts { abi, ..texts("another amount in the calldata") })?;
/// let difference = &inspection.differences[0];
/// assert_eq!(difference.field, "intent.data");
/// assert_eq!(difference.sentence, "amount: 100 attested, 101 in the call");
/// assert_eq!(difference.parts[0].r#type.as_deref(), Some("uint256"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DifferenceReport {
    /// The field, as docs/protocol.md names it.
    pub field: &'static str,
    /// What the operators attested.
    pub attested: String,
    /// What the call has.
    pub actual: String,
    /// The difference in a sentence; long values are shortened.
    pub sentence: String,
    /// The arguments or words of calldata that differ; empty for every other field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartReport>,
    /// How many more parts differ than are listed.
    pub omitted: usize,
}

/// A part of calldata that differs from what was attested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PartReport {
    /// What kind of part it is.
    pub kind: PartKind,
    /// The argument's name, such as `order.amount`, or `argument 2`, `calldata word 2`, `selector`.
    pub label: String,
    /// The argument's Solidity type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// The offset in the calldata of a word or of the selector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<usize>,
    /// What the operators attested.
    pub attested: String,
    /// What the call has.
    pub actual: String,
}

/// The kind of a part of calldata. Complete: calldata has no other parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PartKind {
    /// An argument, decoded by the ABI.
    Argument,
    /// 32 bytes after the selector, or less at the end.
    Word,
    /// The first four bytes.
    Selector,
    /// The number of bytes.
    Length,
}

impl DifferenceReport {
    /// Reports a difference, in the arguments of the calldata where an ABI decodes them.
    pub(crate) fn new(difference: &Difference, calldata: (&[u8], &[u8]), abi: Option<&Abi>) -> Self {
        let Difference { field, attested, actual } = difference.clone();
        let mut parts = if field == "intent.data" { differing_parts(calldata, abi) } else { Vec::new() };
        let omitted = parts.len().saturating_sub(MOST_PARTS);
        parts.truncate(MOST_PARTS);
        let mut sentence = match parts.as_slice() {
            [] => compared(field.strip_prefix("intent.").unwrap_or(field), &attested, &actual),
            parts => parts.iter().take(3).map(ToString::to_string).collect::<Vec<_>>().join("; "),
        };
        let more = omitted + parts.len().saturating_sub(3);
        if more > 0 {
            sentence = format!("{sentence}; and {more} more");
        }
        Self { field, attested, actual, sentence, parts, omitted }
    }
}

impl fmt::Display for PartReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&compared(&self.label, &self.attested, &self.actual))
    }
}

/// Returns "label: 1 attested, 2 in the call", with long values shortened unless they then look the same.
fn compared(label: &str, attested: &str, actual: &str) -> String {
    let (short_attested, short_actual) = (shortened(attested), shortened(actual));
    if short_attested == short_actual {
        return format!("{label}: {attested} attested, {actual} in the call");
    }
    format!("{label}: {short_attested} attested, {short_actual} in the call")
}

fn shortened(value: &str) -> String {
    let length = value.chars().count();
    if length <= LONGEST_VALUE {
        return value.to_owned();
    }
    let first = value.chars().take(10).collect::<String>();
    let last = value.chars().skip(length - 8).collect::<String>();
    format!("{first}…{last}")
}

fn differing_parts((attested, actual): (&[u8], &[u8]), abi: Option<&Abi>) -> Vec<PartReport> {
    let decoded = abi.and_then(|abi| Some((abi.decode(attested)?, abi.decode(actual)?)));
    if let Some((attested, actual)) = decoded
        && attested.function == actual.function
    {
        let parts = differing_arguments(&attested, &actual);
        // Bytes that no argument decodes to can differ too.
        if !parts.is_empty() {
            return parts;
        }
    }
    differing_words(attested, actual)
}

fn differing_arguments(attested: &DecodedCall<'_>, actual: &DecodedCall<'_>) -> Vec<PartReport> {
    let mut parts = Vec::new();
    let values = attested.arguments.iter().zip(&actual.arguments);
    for (index, (parameter, (attested, actual))) in attested.function.inputs.iter().zip(values).enumerate() {
        let label = match parameter.name.as_str() {
            "" => format!("argument {}", index + 1),
            name => name.to_owned(),
        };
        compare(&label, parameter, &parameter.ty, attested, actual, &mut parts);
    }
    parts
}

/// Adds the innermost values that differ.
fn compare(
    label: &str,
    parameter: &Param,
    kind: &str,
    attested: &DynSolValue,
    actual: &DynSolValue,
    parts: &mut Vec<PartReport>,
) {
    use DynSolValue::{Array, FixedArray, Tuple};
    if attested == actual {
        return;
    }
    match (attested, actual) {
        (Tuple(attested), Tuple(actual)) if attested.len() == parameter.components.len() => {
            for (index, (component, (attested, actual))) in
                parameter.components.iter().zip(attested.iter().zip(actual)).enumerate()
            {
                let name = if component.name.is_empty() { (index + 1).to_string() } else { component.name.clone() };
                compare(&format!("{label}.{name}"), component, &component.ty, attested, actual, parts);
            }
        }
        (Array(attested), Array(actual)) | (FixedArray(attested), FixedArray(actual))
            if attested.len() == actual.len() =>
        {
            let kind = kind.rsplit_once('[').map_or(kind, |(element, _)| element);
            for (index, (attested, actual)) in attested.iter().zip(actual).enumerate() {
                compare(&format!("{label}[{index}]"), parameter, kind, attested, actual, parts);
            }
        }
        _ => parts.push(PartReport {
            kind: PartKind::Argument,
            label: label.to_owned(),
            r#type: Some(kind.to_owned()),
            offset: None,
            attested: text(attested),
            actual: text(actual),
        }),
    }
}

fn differing_words(attested: &[u8], actual: &[u8]) -> Vec<PartReport> {
    let part = |kind, label: String, offset, attested, actual| PartReport {
        kind,
        label,
        r#type: None,
        offset,
        attested,
        actual,
    };
    let mut parts = Vec::new();
    if attested.len() != actual.len() {
        let bytes = |data: &[u8]| format!("{} bytes", data.len());
        parts.push(part(PartKind::Length, "calldata length".to_owned(), None, bytes(attested), bytes(actual)));
    }
    let (attested_selector, attested) = attested.split_at(attested.len().min(4));
    let (actual_selector, actual) = actual.split_at(actual.len().min(4));
    if attested_selector != actual_selector {
        let [attested, actual] = [attested_selector, actual_selector].map(hex::encode_prefixed);
        parts.push(part(PartKind::Selector, "selector".to_owned(), Some(0), attested, actual));
    }
    for (index, (attested, actual)) in attested.chunks(32).zip(actual.chunks(32)).enumerate() {
        let length = attested.len().min(actual.len());
        if attested.get(..length) != actual.get(..length) {
            let label = format!("calldata word {}", index + 1);
            parts.push(part(PartKind::Word, label, Some(4 + 32 * index), word(attested), word(actual)));
        }
    }
    parts
}

/// Returns a word without its leading zeros, as numbers and addresses are compared.
fn word(bytes: &[u8]) -> String {
    match U256::try_from_be_slice(bytes) {
        Some(number) if bytes.len() == 32 => format!("{number:#x}"),
        _ => hex::encode_prefixed(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(attested: &[u8], actual: &[u8], abi: Option<&str>) -> String {
        let abi = abi.map(|abi| abi.parse().expect("an ABI"));
        let difference = Difference { field: "intent.data", attested: String::new(), actual: String::new() };
        DifferenceReport::new(&difference, (attested, actual), abi.as_ref()).sentence
    }

    fn call(abi: &str, words: &[u8]) -> Vec<u8> {
        let abi: Abi = abi.parse().expect("an ABI");
        let mut calldata = abi.functions().next().expect("a function").selector().to_vec();
        for word in words {
            calldata.extend([0; 31]);
            calldata.push(*word);
        }
        calldata
    }

    #[test]
    fn the_innermost_argument_that_differs_is_named() {
        for (abi, attested, actual, expected) in [
            ("f(uint256 a, uint256 b)", &[1, 2][..], &[1, 3][..], "b: 2 attested, 3 in the call"),
            ("f(uint256, bool)", &[1, 0], &[1, 1], "argument 2: false attested, true in the call"),
            ("f((uint8, uint8) point)", &[1, 2], &[1, 3], "point.2: 2 attested, 3 in the call"),
            ("f(uint8[] list)", &[32, 2, 7, 8], &[32, 2, 7, 9], "list[1]: 8 attested, 9 in the call"),
            ("f(uint8[] list)", &[32, 1, 7], &[32, 2, 7, 9], "list: [7] attested, [7, 9] in the call"),
            (
                "f(uint8 a, uint8 b, uint8 c, uint8 d)",
                &[1, 2, 3, 4],
                &[2, 3, 4, 5],
                "a: 1 attested, 2 in the call; b: 2 attested, 3 in the call; c: 3 attested, 4 in the call; and 1 more",
            ),
        ] {
            assert_eq!(sentence(&call(abi, attested), &call(abi, actual), Some(abi)), expected);
        }
    }

    #[test]
    fn without_an_abi_the_word_is_named() {
        let abi = "f(uint256 a, uint256 b)";
        let (attested, actual) = (call(abi, &[1, 2]), call(abi, &[1, 3]));
        assert_eq!(sentence(&attested, &actual, None), "calldata word 2: 0x2 attested, 0x3 in the call");
        assert_eq!(
            sentence(&attested, &actual, Some("g(uint256 a)")),
            "calldata word 2: 0x2 attested, 0x3 in the call"
        );
        assert_eq!(
            sentence(&attested, &attested[..36], None),
            "calldata length: 68 bytes attested, 36 bytes in the call"
        );
        let other = call("g(uint256 a, uint256 b)", &[1, 2]);
        assert!(sentence(&attested, &other, Some(abi)).starts_with("selector: 0x"), "{}", other.len());
    }

    #[test]
    fn bytes_that_no_argument_decodes_to_are_named_by_word() {
        let abi = "f(uint256 a)";
        let sentence = sentence(&call(abi, &[1, 2]), &call(abi, &[1, 3]), Some(abi));
        assert_eq!(sentence, "calldata word 2: 0x2 attested, 0x3 in the call");
    }

    #[test]
    fn shortened_values_still_differ() {
        let word = |middle: u8| {
            let mut calldata = vec![0xff; 36];
            calldata[20] = middle;
            calldata
        };
        let sentence = sentence(&word(1), &word(2), None);
        assert!(sentence.contains("01") && sentence.contains("02") && !sentence.contains('…'), "{sentence}");
    }
}
