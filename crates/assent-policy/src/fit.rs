//! Whether observations fit a policy's sources: whether the evaluator makes a value of them, or denies for their form.

use crate::{
    data::{DataError, Observations},
    json,
    rules::{KeyedSource, Rules},
};
use alloy_primitives::{Address, U256};
use assent_json::Value;
use assent_rules::{IntegerFormat, ReductionError, string_format};
use std::collections::BTreeMap;

/// Observations do not fit: the evaluator denies on them, whatever the rules say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// They are no content of a data region.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The evaluator cannot read them, as when they nest too deep.
    #[error("the observations cannot be read: {0}")]
    Unreadable(String),
    /// A source has no observations.
    #[error("no one observed the source {source_key:?}")]
    Missing {
        /// The source's key, as [`Rules::sources`] has it.
        source_key: String,
    },
    /// The outputs of a source do not become one value.
    #[error("source {source_key:?}: {error}")]
    Reduction {
        /// The source's key, as [`Rules::sources`] has it.
        source_key: String,
        /// Why not.
        error: ReductionError,
    },
    /// The value is not exact: a string in it does not have the format that the source's schema gives it.
    #[error("source {source_key:?}: {value} does not have its format")]
    Inexact {
        /// The source's key, as [`Rules::sources`] has it.
        source_key: String,
        /// What does not.
        value: String,
    },
}

impl Observations {
    /// Checks that the evaluator makes a value of each source's observations, and so decides by the policy's rules.
    ///
    /// The observations are those of each policy, as for [`of_members`](Self::of_members).
    ///
    /// # Errors
    ///
    /// [`FitError`] with the first reason why it denies instead.
    pub fn require_fit(members: &BTreeMap<Option<usize>, Self>, rules: &Rules) -> Result<(), FitError> {
        require_readable(members)?;
        rules.sources().try_for_each(|keyed| {
            let observations = members.get(&keyed.member);
            observations.ok_or_else(|| FitError::Missing { source_key: keyed.key.clone() })?.require_value(&keyed)
        })
    }

    fn require_value(&self, keyed: &KeyedSource<'_>) -> Result<(), FitError> {
        let source_key = || keyed.key.clone();
        let reduced = self.reduce(keyed.name, keyed.source);
        let reduced = reduced.map_err(|error| FitError::Reduction { source_key: source_key(), error })?;
        match inexact(&reduced, Some(&keyed.source.schema)) {
            Some(value) => Err(FitError::Inexact { source_key: source_key(), value: value.to_canonical() }),
            None => Ok(()),
        }
    }
}

impl KeyedSource<'_> {
    /// Checks that an output fits the source, if all operators observe it.
    ///
    /// Outputs that fit one by one fit together, too, unless `same` demands that they are identical.
    ///
    /// ```
    /// use alloy_primitives::B256;
    /// use assent_policy::Rules;
    ///
    /// # let component = B256::ZERO;
    /// # let source = format!(r#"{{"component":"{component}","hosts":[],"reduce":"median","schema":{{}}}}"#);
    /// # let rules = format!(
    /// #     r#"{{"entrypoint": "p", "functions": ["receive()"], "modules": [], "parametersSchema": {{}},
    /// #     "sources": {{"price": {source}}}, "version": 1}}"#
    /// # );
    /// // The rules of a policy whose source `price` has `"reduce": "median"`.
    /// let rules = Rules::parse(&assent_json::parse(rules.as_bytes())?.to_canonical())?;
    /// let price = rules.sources().next().expect("a source");
    /// assert!(price.require_fit(assent_json::parse(b"1000")?).is_ok());
    /// assert!(price.require_fit(assent_json::parse(br#""a thousand""#)?).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`FitError`] if the evaluator would deny.
    pub fn require_fit(&self, output: Value) -> Result<(), FitError> {
        let mut one = Observations::new(U256::ONE);
        one.add(self.name, Address::ZERO, U256::ONE, output)?;
        one.require_value(self)?;
        require_readable(&BTreeMap::from([(self.member, one)]))
    }
}

/// Checks that the evaluator reads the data region, in which outputs nest deeper than by themselves.
fn require_readable(members: &BTreeMap<Option<usize>, Observations>) -> Result<(), FitError> {
    let data = Observations::of_members(members)?;
    if data.is_empty() {
        return Ok(());
    }
    json::parse_canonical(data.as_bytes()).map(drop).map_err(|error| FitError::Unreadable(error.to_string()))
}

/// Returns the first part of a value that does not have the format that a schema gives it.
///
/// As in the evaluator, the schema is followed by `properties`, `additionalProperties`, `items` and `prefixItems`.
fn inexact<'a>(value: &'a Value, schema: Option<&Value>) -> Option<&'a Value> {
    let keyword = |name: &str| schema.and_then(|schema| schema.get(name));
    let is_exact = match string_format(schema) {
        Some("address") => Some(value.as_str().is_some_and(|text| text.len() == 42 && is_hex(text))),
        Some("bytes") => Some(value.as_str().is_some_and(is_hex)),
        Some(name) => {
            IntegerFormat::from_name(name).map(|format| value.as_str().is_some_and(|text| format.parse(text).is_some()))
        }
        None => None,
    };
    match (is_exact, value) {
        (Some(is_exact), _) => (!is_exact).then_some(value),
        (_, Value::Array(elements)) => {
            let first = keyword("prefixItems").and_then(Value::as_array).unwrap_or_default();
            let mut elements = elements.iter().enumerate();
            elements.find_map(|(index, element)| inexact(element, first.get(index).or_else(|| keyword("items"))))
        }
        (_, Value::Object(members)) => members.iter().find_map(|(key, member)| {
            let named = keyword("properties").and_then(|named| named.get(key));
            inexact(member, named.or_else(|| keyword("additionalProperties")))
        }),
        _ => None,
    }
}

/// Returns whether a text is 0x and whole bytes in hexadecimal.
fn is_hex(text: &str) -> bool {
    text.strip_prefix("0x")
        .is_some_and(|digits| digits.len().is_multiple_of(2) && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}
