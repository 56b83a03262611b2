//! Inspection of texts that a user pasted or dropped, whether they are valid or not.

use crate::{Abi, AbiError, Inspection, InspectionError, Payload, Submission, inspect as inspect_submission};
use alloy_primitives::{U256, hex};
use assent_verifier::{Authorization, Context, Epoch, parse_address, split_trailing};
use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};
use std::collections::BTreeMap;

/// The maximum length of a text, in bytes: five operator sets of 2,000 operators, or calldata too long for a block.
///
/// ```
/// use assent_inspection::text::{LONGEST_TEXT, Texts, inspect};
///
/// let document = " ".repeat(LONGEST_TEXT) + "{}";
/// let error = inspect(&Texts { document, ..Texts::default() }).unwrap_err();
/// assert_eq!(error.message, "the text has 8388610 bytes; the maximum is 8388608");
/// ```
pub const LONGEST_TEXT: usize = 8 * 1024 * 1024;

/// The maximum length of an authorization, in bytes: with the longest bitmap and the longest Merkle proof.
///
/// ```
/// use assent_inspection::text::{LONGEST_AUTHORIZATION, Texts, inspect};
///
/// let authorization = "0x".to_owned() + &"00".repeat(LONGEST_AUTHORIZATION + 1);
/// let error = inspect(&Texts { authorization, ..Texts::default() }).unwrap_err();
/// assert_eq!(error.message, "1492 bytes; the maximum is 1491");
/// ```
pub const LONGEST_AUTHORIZATION: usize = Authorization::MAX_LENGTH;

/// The maximum number of epochs. Each takes 250 kB and some milliseconds, even if its text is short.
///
/// ```
/// use assent_inspection::text::{MOST_EPOCHS, Texts, inspect};
///
/// let epochs = format!("[{}]", ["{}"; MOST_EPOCHS + 1].join(","));
/// let error = inspect(&Texts { epochs, ..Texts::default() }).unwrap_err();
/// assert!(error.message.starts_with("17 epochs are more than 16"));
/// ```
pub const MOST_EPOCHS: usize = 16;

/// The maximum length of a text that is repeated in an error.
const LONGEST_QUOTATION: usize = 300;

/// The pasted texts; a missing text is empty.
///
/// Complete: callers build it with `..Default::default()`.
///
/// ```
/// use assent_inspection::text::Texts;
///
/// // Programs in other languages pass them as JSON; missing texts are empty.
/// let texts: Texts = serde_json::from_str(r#"{"authorization": "0x00", "timestamp": "1800000000"}"#)?;
/// assert_eq!(texts.timestamp, "1800000000");
/// assert!(texts.context.is_empty() && !texts.recorded);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Texts {
    /// The authorization, in hex.
    pub authorization: String,
    /// A whole call in trailing form, in hex, instead of the authorization.
    pub calldata: String,
    /// The value in wei, with the calldata.
    pub value: String,
    /// The attestation document, in JSON.
    pub document: String,
    /// Derive the document's authorization without its signature.
    pub recorded: bool,
    /// The call, in JSON.
    pub intent: String,
    /// The chain state that verification takes as input, in JSON.
    pub context: String,
    /// An epoch, or a list of them, in JSON.
    pub epochs: String,
    /// The caller, instead of the context's.
    pub caller: String,
    /// The current time in Unix seconds, instead of the context's.
    pub timestamp: String,
    /// The ABI of the called contract: a JSON ABI, a compiler's artifact, or function signatures, one a line.
    pub abi: String,
    /// An evidence file, in JSON. It is for [`EvidenceReplay`](crate::EvidenceReplay), which compares it with the
    /// document; [`inspect`] does not read it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub evidence: String,
}

/// An example, with its expected result. Complete: `inspector/examples.json` has these fields.
///
/// ```
/// use assent_inspection::text::{Example, inspect};
///
/// let examples: Vec<Example> = serde_json::from_str(include_str!("../../../../inspector/examples.json"))?;
/// for Example { name, refused, texts } in &examples {
///     assert_eq!(inspect(texts)?.verdict.error.is_some(), refused.is_some(), "{name}");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Example {
    /// The name.
    pub name: String,
    /// The check that fails, and the error's name; `None` when all pass.
    pub refused: Option<(usize, String)>,
    /// The pasted texts.
    pub texts: Texts,
}

/// An error in a text.
///
/// ```
/// use assent_inspection::text::{Texts, inspect};
///
/// let error = inspect(&Texts { timestamp: "noon".to_owned(), ..Texts::default() }).unwrap_err();
/// assert_eq!(error.to_string(), "timestamp: noon is not a whole number; use decimal, or hex with 0x");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{input}: {message}")]
pub struct TextError {
    /// The field of [`Texts`], by its name in JSON.
    pub input: &'static str,
    /// The error, its location, and what to do.
    pub message: String,
}

/// Parses the texts and inspects them.
///
/// ```
/// # mod pasted { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/pasted.rs")); }
/// # use pasted::{submission, texts};
/// use assent_inspection::{VerdictOutcome, text};
///
/// let mut texts = texts("valid: 2 of 3 operators signed");
/// assert_eq!(text::inspect(&texts)?.verdict.outcome, VerdictOutcome::Valid);
///
/// texts.authorization.push('0');
/// let error = text::inspect(&texts).unwrap_err();
/// assert!(error.to_string().starts_with("authorization: not hex"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`TextError`] for an invalid text.
pub fn inspect(texts: &Texts) -> Result<Inspection, TextError> {
    inspect_submission(&submission(texts)?).map_err(|error| {
        let (input, next_step) = match error {
            InspectionError::Nothing => ("authorization", ""),
            InspectionError::NoAuthorization(_) => {
                ("authorization", "\nput a call's whole calldata into the field for calldata")
            }
            InspectionError::NoneAppended(_) => {
                ("calldata", "\nput an authorization into the field for authorizations")
            }
            InspectionError::Decision(_) => ("document", ""),
        };
        TextError { input, message: format!("{error}{next_step}") }
    })
}

/// Returns which field of [`Texts`] a text is for, by its content.
///
/// ```
/// # mod pasted { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/pasted.rs")); }
/// # use pasted::{submission, texts};
/// use assent_inspection::text::recognise;
///
/// let dropped = texts("valid: 2 of 3 operators signed");
/// assert_eq!(recognise(&dropped.document)?, "document");
/// assert_eq!(recognise(&dropped.authorization)?, "authorization");
/// assert_eq!(recognise("[]")?, "epochs");
/// assert_eq!(recognise("transfer(address to, uint256 amount)")?, "abi");
/// assert!(recognise("{}").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`TextError`] when it is for none.
pub fn recognise(text: &str) -> Result<&'static str, TextError> {
    let unknown = |message: &str| TextError { input: "file", message: message.to_owned() };
    bounded("file", text)?;
    let text = text.trim();
    if text.is_empty() {
        return Err(unknown("it is empty"));
    }
    if text.starts_with('[') {
        return Ok(if is_abi(text) { "abi" } else { "epochs" });
    }
    if text.starts_with('{') {
        let fields: BTreeMap<String, IgnoredAny> = json("file", text, "a JSON object")?;
        let has = |name| fields.contains_key(name);
        let kinds = [
            ("evidence", has("rules") && has("evidence")),
            ("document", has("attestation")),
            ("context", has("policyClient") && has("epochs")),
            ("epochs", has("operators")),
            ("intent", has("from") && has("to")),
            ("abi", has("abi")),
        ];
        return kinds.into_iter().find_map(|(kind, is)| is.then_some(kind)).ok_or_else(|| {
            unknown(
                "this JSON is not an attestation document, evidence file, context, epoch, intent or ABI; see \
                 docs/protocol.md",
            )
        });
    }
    if text.contains('(') {
        let abi = text.parse::<Abi>().map(|_| "abi");
        return abi.map_err(|error| unknown(&error.to_string()));
    }
    let bytes = bytes("file", text, LONGEST_TEXT)?;
    let is_appended = || split_trailing(&bytes).is_ok_and(|(_, tail)| Authorization::parse(tail).is_ok());
    Ok(if Authorization::parse(&bytes).is_err() && is_appended() { "calldata" } else { "authorization" })
}

/// Whether a JSON list is an ABI: each item of an ABI has a type, and no epoch does.
fn is_abi(list: &str) -> bool {
    let items: Result<Vec<BTreeMap<String, IgnoredAny>>, _> = serde_json::from_str(list);
    items.is_ok_and(|items| items.first().is_some_and(|item| item.contains_key("type")))
}

fn submission(texts: &Texts) -> Result<Submission, TextError> {
    let Texts { authorization, calldata, value, document, recorded, intent, context, epochs, .. } = texts;
    let Texts { caller, timestamp, abi, .. } = texts;
    consistent(texts)?;
    let payload = match (given(authorization), given(calldata)) {
        (_, Some(text)) => {
            let value = given(value).map(|text| whole_number("value", text)).transpose()?.unwrap_or_default();
            Some(Payload::Calldata { bytes: bytes("calldata", text, LONGEST_TEXT)?, value })
        }
        (Some(text), None) => Some(Payload::Authorization(bytes("authorization", text, LONGEST_AUTHORIZATION)?)),
        (None, None) => None,
    };
    let timestamp = given(timestamp).map(|text| whole_number("timestamp", text)).transpose()?;
    let timestamp = timestamp.map(u64::try_from).transpose().map_err(|_| TextError {
        input: "timestamp",
        message: "the time does not fit 64 bits; use Unix seconds".to_owned(),
    })?;
    let caller = given(caller).map(|text| {
        parse_address(text.trim()).map_err(|error| TextError {
            input: "caller",
            message: format!("{} is not an address: {error}", quotation(text)),
        })
    });
    Ok(Submission {
        payload,
        document: given(document)
            .map(|text| json("document", text, "a document is what `assent attest --document-out` writes"))
            .transpose()?,
        recorded: *recorded,
        intent: given(intent)
            .map(|text| {
                let shape = "an intent is {\"from\": address, \"to\": address, \"value\": wei, \"data\": calldata, \
                             \"chainId\": number}";
                json("intent", text, shape)
            })
            .transpose()?,
        context: given(context).map(read_context).transpose()?,
        epochs: given(epochs).map(read_epochs).transpose()?.unwrap_or_default(),
        caller: caller.transpose()?,
        timestamp,
        abi: given(abi)
            .map(|text| text.parse().map_err(|error: AbiError| TextError { input: "abi", message: error.to_string() }))
            .transpose()?,
    })
}

/// Checks that no text would be ignored.
fn consistent(texts: &Texts) -> Result<(), TextError> {
    let has = |text: &String| given(text).is_some();
    let Texts { authorization, calldata, value, document, recorded, intent, .. } = texts;
    let (input, message) = if has(calldata) && has(authorization) {
        ("calldata", "give an authorization or a call's whole calldata, not both")
    } else if has(calldata) && has(intent) {
        ("intent", "the calldata is already the call; leave out one of the two")
    } else if has(value) && !has(calldata) {
        ("value", "the value is only for calldata; an intent has its own")
    } else if *recorded && (!has(document) || has(authorization) || has(calldata)) {
        ("document", "to leave the signature out, give a document and no authorization or calldata")
    } else {
        return Ok(());
    };
    Err(TextError { input, message: message.to_owned() })
}

fn given(text: &str) -> Option<&str> {
    (!text.trim().is_empty()).then_some(text)
}

fn read_context(text: &str) -> Result<Context, TextError> {
    const SHAPE: &str = "a context is what `assent context --json` prints";
    #[derive(Deserialize)]
    struct Counted {
        #[serde(default)]
        epochs: Vec<IgnoredAny>,
    }
    let counted: Counted = json("context", text, SHAPE)?;
    few_epochs("context", counted.epochs.len())?;
    json("context", text, SHAPE)
}

fn read_epochs(text: &str) -> Result<Vec<Epoch>, TextError> {
    const SHAPE: &str = "an epoch is what `assent epoch show --json` prints; several are a JSON array";
    if !text.trim_start().starts_with('[') {
        return Ok(vec![json("epochs", text, SHAPE)?]);
    }
    let counted: Vec<IgnoredAny> = json("epochs", text, SHAPE)?;
    few_epochs("epochs", counted.len())?;
    json("epochs", text, SHAPE)
}

fn few_epochs(input: &'static str, count: usize) -> Result<(), TextError> {
    if count <= MOST_EPOCHS {
        return Ok(());
    }
    let message = format!("{count} epochs are more than {MOST_EPOCHS}; give only the authorization's");
    Err(TextError { input, message })
}

fn json<T: DeserializeOwned>(input: &'static str, text: &str, shape: &str) -> Result<T, TextError> {
    bounded(input, text)?;
    serde_json::from_str(text).map_err(|error| TextError {
        input,
        message: format!("cannot parse it: {}\n{shape}", quotation(&error.to_string())),
    })
}

fn bytes(input: &'static str, text: &str, most: usize) -> Result<Vec<u8>, TextError> {
    bounded(input, text)?;
    let digits = text.trim().strip_prefix("0x").ok_or("it does not begin with 0x".to_owned());
    let bytes = digits.and_then(|digits| hex::decode(digits).map_err(|error| error.to_string()));
    let bytes = bytes.map_err(|error| TextError {
        input,
        message: format!("not hex: {error}\ngive pairs of hex digits after 0x"),
    })?;
    if bytes.len() > most {
        let message = format!("{} bytes; the maximum is {most}", bytes.len());
        return Err(TextError { input, message });
    }
    Ok(bytes)
}

fn whole_number(input: &'static str, text: &str) -> Result<U256, TextError> {
    let text = text.trim();
    let (digits, radix) = text.strip_prefix("0x").map_or((text, 10), |digits| (digits, 16));
    let number = (!digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix)))
        .then(|| U256::from_str_radix(digits, radix.into()));
    match number {
        Some(Ok(number)) => Ok(number),
        Some(Err(_)) => Err(TextError { input, message: format!("{} does not fit 256 bits", quotation(text)) }),
        None => {
            let message = format!("{} is not a whole number; use decimal, or hex with 0x", quotation(text));
            Err(TextError { input, message })
        }
    }
}

pub(crate) fn bounded(input: &'static str, text: &str) -> Result<(), TextError> {
    if text.len() <= LONGEST_TEXT {
        return Ok(());
    }
    Err(TextError { input, message: format!("the text has {} bytes; the maximum is {LONGEST_TEXT}", text.len()) })
}

/// Returns a text, shortened for an error.
fn quotation(text: &str) -> String {
    match text.char_indices().nth(LONGEST_QUOTATION) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
