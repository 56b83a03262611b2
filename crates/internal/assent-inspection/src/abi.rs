//! Calldata, decoded by an ABI.

use alloy_dyn_abi::{DynSolType, DynSolValue, JsonAbiExt, Specifier};
use alloy_json_abi::{Function, JsonAbi, Param};
use alloy_primitives::hex;
use serde::Deserialize;
use std::{fmt, str::FromStr};

/// Longest ABI, in bytes: that of a contract of the largest size has less.
pub const LONGEST_ABI: usize = 1024 * 1024;

/// Longest signature and longest type, in bytes: reading a type takes a call for each level of it.
const LONGEST_SIGNATURE: usize = 1024;

/// The functions by which calldata is decoded.
///
/// ```
/// use assent_inspection::{Abi, AbiError};
///
/// let abi: Abi = "transfer(address to, uint256 amount)".parse()?;
/// assert_eq!(abi.functions().count(), 1);
/// assert!(matches!("transfer(address".parse::<Abi>(), Err(AbiError::Signature { .. })));
/// # Ok::<(), AbiError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Abi(Vec<Function>);

/// The reason why a text is not an ABI.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AbiError {
    /// The text is longer than [`LONGEST_ABI`].
    #[error("the ABI has {length} bytes; the maximum is {LONGEST_ABI}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// The text starts like JSON, and is neither a JSON ABI nor a compiler's artifact.
    #[error("cannot parse the JSON ABI: {0}")]
    Json(#[from] serde_json::Error),
    /// A line is not a function signature.
    #[error("cannot parse function signature {signature:?}: {reason}")]
    Signature {
        /// The line.
        signature: String,
        /// What the parser says.
        reason: String,
    },
    /// There is no function in it.
    #[error("the ABI has no function")]
    Empty,
}

/// A call's function and arguments.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DecodedCall<'a> {
    pub(crate) function: &'a Function,
    pub(crate) arguments: Vec<DynSolValue>,
}

impl Abi {
    /// Returns the functions, in the order of their names.
    pub fn functions(&self) -> impl Iterator<Item = &Function> {
        self.0.iter()
    }

    /// Decodes calldata by the function with its selector; `None` without such a function, or when the arguments do not
    /// decode.
    pub(crate) fn decode(&self, calldata: &[u8]) -> Option<DecodedCall<'_>> {
        let (selector, arguments) = calldata.split_at_checked(4)?;
        let function = self.0.iter().find(|function| function.selector() == selector)?;
        let mut words = arguments.len() / 32;
        for parameter in &function.inputs {
            words = words.checked_sub(head_words(&parsed_type(parameter)?))?;
        }
        let arguments = function.abi_decode_input(arguments).ok()?;
        Some(DecodedCall { function, arguments })
    }
}

impl fmt::Display for DecodedCall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments = self.function.inputs.iter().zip(&self.arguments).map(|(parameter, value)| {
            let value = text(value);
            if parameter.name.is_empty() { value } else { format!("{}: {value}", parameter.name) }
        });
        write!(f, "{}({})", self.function.name, arguments.collect::<Vec<_>>().join(", "))
    }
}

impl FromStr for Abi {
    type Err = AbiError;

    /// Reads a JSON ABI, a compiler's artifact with a field `abi`, or function signatures, one a line.
    fn from_str(text: &str) -> Result<Self, AbiError> {
        #[derive(Deserialize)]
        struct Artifact {
            abi: JsonAbi,
        }
        if text.len() > LONGEST_ABI {
            return Err(AbiError::TooLong { length: text.len() });
        }
        let text = text.trim();
        let functions = match text.chars().next() {
            Some('[') => serde_json::from_str::<JsonAbi>(text)?.functions().cloned().collect(),
            Some('{') => serde_json::from_str::<Artifact>(text)?.abi.functions().cloned().collect(),
            _ => text.lines().filter(|line| !line.trim().is_empty()).map(signature).collect::<Result<Vec<_>, _>>()?,
        };
        if functions.is_empty() {
            return Err(AbiError::Empty);
        }
        Ok(Self(functions))
    }
}

fn signature(line: &str) -> Result<Function, AbiError> {
    let error = |reason: String| {
        let signature = line.chars().take(80).collect();
        AbiError::Signature { signature, reason }
    };
    if line.len() > LONGEST_SIGNATURE {
        return Err(error(format!("it has {} bytes; the maximum is {LONGEST_SIGNATURE}", line.len())));
    }
    Function::parse(line.trim().trim_end_matches(';')).map_err(|reason| {
        // The parser marks the position on separate lines.
        let reason = reason.to_string();
        let reason = reason.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>();
        error(format!("{}; write it as transfer(address to, uint256 amount)", reason.join(" ")))
    })
}

/// Returns a parameter's type; `None` for a type of a library, and for one that is too long.
fn parsed_type(parameter: &Param) -> Option<DynSolType> {
    fn short(parameter: &Param) -> bool {
        parameter.ty.len() <= LONGEST_SIGNATURE && parameter.components.iter().all(short)
    }
    short(parameter).then(|| parameter.resolve().ok()).flatten()
}

/// Returns the minimum words of a value, or of its first element: the decoder allocates them before it reads.
fn head_words(kind: &DynSolType) -> usize {
    match kind {
        DynSolType::FixedArray(element, length) => head_words(element).max(1).saturating_mul(*length),
        DynSolType::Array(element) => head_words(element),
        DynSolType::Tuple(elements) => elements.iter().map(head_words).fold(0, usize::saturating_add),
        _ => 1,
    }
}

/// Writes a value as people write it in Solidity.
pub(crate) fn text(value: &DynSolValue) -> String {
    let list = |values: &[DynSolValue]| values.iter().map(text).collect::<Vec<_>>().join(", ");
    match value {
        DynSolValue::Bool(value) => value.to_string(),
        DynSolValue::Int(value, _) => value.to_string(),
        DynSolValue::Uint(value, _) => value.to_string(),
        DynSolValue::FixedBytes(word, length) => hex::encode_prefixed(word.get(..*length).unwrap_or_default()),
        DynSolValue::Address(address) => address.to_string(),
        DynSolValue::Function(function) => hex::encode_prefixed(function),
        DynSolValue::Bytes(bytes) => hex::encode_prefixed(bytes),
        DynSolValue::String(text) => format!("{text:?}"),
        DynSolValue::Array(values) | DynSolValue::FixedArray(values) => format!("[{}]", list(values)),
        DynSolValue::Tuple(values) => format!("({})", list(values)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn abi(text: &str) -> Abi {
        text.parse().expect("an ABI")
    }

    fn calldata(abi: &Abi, words: &[u8]) -> Vec<u8> {
        let mut calldata = abi.0[0].selector().to_vec();
        for word in words {
            calldata.extend([0; 31]);
            calldata.push(*word);
        }
        calldata
    }

    #[test]
    fn an_abi_is_read_from_signatures_json_and_artifacts() {
        let json = r#"[{"type": "function", "name": "f", "inputs": [{"name": "a", "type": "uint256"}],
            "outputs": [], "stateMutability": "view"}]"#;
        for text in ["f(uint256 a)", "function f(uint256 a) external;\n\n", json, &format!("{{\"abi\": {json}}}")] {
            let abi = abi(text);
            let decoded = abi.decode(&calldata(&abi, &[7])).expect("decoded");
            assert_eq!((decoded.function.inputs[0].name.as_str(), text_of(&decoded)), ("a", "7".to_owned()), "{text}");
        }
    }

    #[test]
    fn values_are_written_as_in_solidity() {
        let abi = abi("f(bool, int8, bytes2, string, uint256[], (address, bytes))");
        let values = [
            DynSolValue::Bool(true),
            DynSolValue::Int((-3).try_into().expect("small"), 8),
            DynSolValue::FixedBytes(alloy_primitives::B256::repeat_byte(0xab), 2),
            DynSolValue::String("a\"b".to_owned()),
            DynSolValue::Array(vec![DynSolValue::Uint(alloy_primitives::U256::from(5), 256)]),
            DynSolValue::Tuple(vec![DynSolValue::Address(Default::default()), DynSolValue::Bytes(vec![1])]),
        ];
        let data = abi.0[0].abi_encode_input(&values[..2]).is_err();
        assert!(data, "too few values");
        let text = values.iter().map(text).collect::<Vec<_>>().join(" ");
        assert_eq!(text, "true -3 0xabab \"a\\\"b\" [5] (0x0000000000000000000000000000000000000000, 0x01)");
    }

    #[test]
    fn calldata_that_does_not_fit_the_abi_is_not_decoded() {
        let abi = abi("f(uint256 a)");
        assert!(abi.decode(&[]).is_none());
        assert!(abi.decode(&calldata(&abi, &[])).is_none());
        assert!(abi.decode(&[0; 36]).is_none(), "another selector");
    }

    #[test]
    fn types_without_end_are_refused_at_once() {
        for signature in ["f(uint256[4000000000])", "f(uint256[60000][60000][])", "f(()[4000000000] a)"] {
            let Ok(abi) = signature.parse::<Abi>() else { continue };
            assert!(abi.decode(&calldata(&abi, &[32, 0, 0])).is_none(), "{signature}");
        }
        for text in [
            format!("f({}", "(".repeat(100_000)),
            format!("f({}uint{})", "(".repeat(300), ")".repeat(300)),
            format!("[{{\"type\": \"function\", \"name\": \"f\", \"inputs\": {}", "[{\"components\":".repeat(100_000)),
            " ".repeat(LONGEST_ABI + 1),
            String::new(),
            "[]".to_owned(),
        ] {
            assert!(text.parse::<Abi>().is_err(), "{}", &text[..text.len().min(40)]);
        }
        let long = format!(
            r#"[{{"type": "function", "name": "f", "inputs": [{{"name": "a", "type": "uint256{}"}}], "outputs": [],
                "stateMutability": "view"}}]"#,
            "[]".repeat(100_000)
        );
        if let Ok(abi) = long.parse::<Abi>() {
            assert!(abi.decode(&calldata(&abi, &[32, 0, 0])).is_none());
        }
    }

    fn text_of(call: &DecodedCall<'_>) -> String {
        call.arguments.iter().map(text).collect::<Vec<_>>().join(", ")
    }
}
