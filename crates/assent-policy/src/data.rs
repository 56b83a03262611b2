//! Observations: what operators' sources answered, as the data region holds it.

use crate::{
    MAX_DATA, MAX_OUTPUT,
    rules::{KeyedSource, Rules, Source},
};
use alloy_primitives::{Address, U256, hex};
use assent_json::{Object, Value};
use assent_rules::{ReductionError, Tolerance, ToleranceError, WeightedOutput};
use num_bigint::BigUint;
use std::collections::BTreeMap;

/// What operators observed, with their weights. The evaluator makes one answer of the observations of each source.
///
/// ```
/// use alloy_primitives::{U256, address};
/// use assent_policy::Observations;
///
/// let mut observations = Observations::new(U256::from(100));
/// let operator = address!("0x00000000000000000000000000000000000000a1");
/// observations.add("price", operator, U256::from(150), assent_json::parse(br#"{"usd": "1"}"#)?)?;
/// assert!(observations.to_canonical()?.starts_with(r#"{"requiredWeight":"100","sources":{"price":[{"observers""#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observations {
    required_weight: U256,
    /// By source, then by the canonical form of the output.
    sources: BTreeMap<String, BTreeMap<String, Observed>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Observed {
    output: Value,
    observers: BTreeMap<Address, U256>,
}

/// An observation cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The output is too long.
    #[error("the output of the source {source_name:?} has {length} bytes in canonical form, more than {MAX_OUTPUT}")]
    OutputTooLong {
        /// The source.
        source_name: String,
        /// The length.
        length: usize,
    },
    /// The operator has observed this source already.
    #[error("the operator {operator} observed the source {source_name:?} twice")]
    DuplicateObserver {
        /// The source.
        source_name: String,
        /// The operator.
        operator: Address,
    },
    /// All observations together are too long.
    #[error("the observations have {0} bytes in canonical form, more than {MAX_DATA}")]
    TooLong(usize),
}

/// An operator must not sign: one of its own observations is not near the reduced one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WithinError {
    /// The operator has not observed a source that has `within`.
    #[error("the operator has no observation of the source {source_key:?} to compare")]
    MissingObservation {
        /// The source's key, as [`Rules::sources`] has it.
        source_key: String,
    },
    /// Its own observation is too far off.
    #[error("source {source_key:?}: {error}")]
    NotNear {
        /// The source's key, as [`Rules::sources`] has it.
        source_key: String,
        /// Which value, and how far it may be.
        error: ToleranceError,
    },
}

/// The values of a policy's sources that have `within`, as observations are reduced.
///
/// [`Observations::reduced`] makes them.
#[derive(Debug, Clone)]
pub struct ReducedSources<'a>(Vec<(KeyedSource<'a>, &'a Tolerance, Value)>);

impl ReducedSources<'_> {
    /// Checks that an operator's own outputs are near, as [`Observations::require_within`] does.
    ///
    /// # Errors
    ///
    /// [`WithinError`] with the first source of which the operator's own observation is missing or not near.
    pub fn require_near(&self, own: &BTreeMap<String, Value>) -> Result<(), WithinError> {
        self.0.iter().try_for_each(|(keyed, within, reduced)| {
            let source_key = || keyed.key.clone();
            let own = own.get(&keyed.key);
            let own = own.ok_or_else(|| WithinError::MissingObservation { source_key: source_key() })?;
            let near = within.check(own, reduced, Some(&keyed.source.schema));
            near.map_err(|error| WithinError::NotNear { source_key: source_key(), error })
        })
    }
}

impl Observations {
    /// Creates a set without observations.
    ///
    /// `required_weight` is the weight that the observations of each source must reach.
    pub const fn new(required_weight: U256) -> Self {
        Self { required_weight, sources: BTreeMap::new() }
    }

    /// Returns observations of one observer, whose weight suffices. For evaluation without operators.
    ///
    /// # Errors
    ///
    /// [`DataError::OutputTooLong`] if an output is more than 16 KiB.
    pub fn of_one(outputs: impl IntoIterator<Item = (String, Value)>) -> Result<Self, DataError> {
        let mut observations = Self::new(U256::ONE);
        for (source, output) in outputs {
            observations.add(&source, Address::ZERO, U256::ONE, output)?;
        }
        Ok(observations)
    }

    /// Adds what an operator observed.
    ///
    /// # Errors
    ///
    /// [`DataError`] if the output is more than 16 KiB, or the operator has observed the source already.
    pub fn add(&mut self, source: &str, operator: Address, weight: U256, output: Value) -> Result<(), DataError> {
        let canonical = output.to_canonical();
        if canonical.len() > MAX_OUTPUT {
            return Err(DataError::OutputTooLong { source_name: source.into(), length: canonical.len() });
        }
        let outputs = self.sources.entry(source.into()).or_default();
        if outputs.values().any(|observed| observed.observers.contains_key(&operator)) {
            return Err(DataError::DuplicateObserver { source_name: source.into(), operator });
        }
        let observed = outputs.entry(canonical).or_insert_with(|| Observed { output, observers: BTreeMap::new() });
        observed.observers.insert(operator, weight);
        Ok(())
    }

    /// Returns the content of the data region: empty without observations, otherwise canonical JSON.
    ///
    /// # Errors
    ///
    /// [`DataError::TooLong`] if it is more than 128 KiB.
    pub fn to_canonical(&self) -> Result<String, DataError> {
        if self.sources.is_empty() {
            return Ok(String::new());
        }
        bounded(self.to_value())
    }

    /// Returns the content of the data region, of the observations of each policy as [`Rules::sources`] names it. That
    /// is its index in a conjunction, and otherwise `None`.
    ///
    /// [`Rules::sources`]: crate::Rules::sources
    ///
    /// # Errors
    ///
    /// As [`to_canonical`](Self::to_canonical).
    pub fn of_members(members: &BTreeMap<Option<usize>, Self>) -> Result<String, DataError> {
        if let Some(single) = members.get(&None) {
            return single.to_canonical();
        }
        let observed = members.iter().filter(|(_, observations)| !observations.sources.is_empty());
        let observed =
            observed.filter_map(|(index, observations)| Some(((*index)?.to_string(), observations.to_value())));
        let observed = observed.collect::<Object>();
        if observed.is_empty() { Ok(String::new()) } else { bounded(Value::from(observed)) }
    }

    /// Returns the value that the observations of a source become, as the evaluator reduces them.
    ///
    /// # Errors
    ///
    /// [`ReductionError`] if they do not: the evaluator then denies.
    pub fn reduce(&self, name: &str, source: &Source) -> Result<Value, ReductionError> {
        let outputs = self.sources.get(name).into_iter().flat_map(BTreeMap::values);
        let outputs = outputs.map(|Observed { output, observers }| WeightedOutput {
            output: output.clone(),
            weight: observers.values().map(to_big).sum(),
        });
        source.reduce.reduce(&outputs.collect::<Vec<_>>(), &to_big(&self.required_weight), Some(&source.schema))
    }

    /// Checks that an operator may sign what follows from observations. Its own outputs, by the keys of
    /// [`Rules::sources`], must be `within` what the manifest allows of the reduced values.
    ///
    /// The observations are those of each policy, as for [`of_members`](Self::of_members).
    /// Sources without `within` are not compared. Observations that do not become one value are a denial, which an
    /// operator may sign.
    ///
    /// ```
    /// use alloy_primitives::{Address, B256, U256};
    /// use assent_policy::{Observations, Rules};
    /// use std::collections::BTreeMap;
    ///
    /// # let component = B256::ZERO;
    /// # let source = format!(r#"{{"component":"{component}","hosts":[],"reduce":"median",
    /// #     "schema":{{}},"within":50}}"#);
    /// # let rules = format!(
    /// #     r#"{{"entrypoint": "p", "functions": ["receive()"], "modules": [], "parametersSchema": {{}},
    /// #     "sources": {{"price": {source}}}, "version": 1}}"#
    /// # );
    /// // The rules of a policy whose source `price` has `"reduce": "median", "within": 50`.
    /// let rules = Rules::parse(&assent_json::parse(rules.as_bytes())?.to_canonical())?;
    /// let mut observations = Observations::new(U256::from(3));
    /// for (operator, price) in [(0xa1_u8, "1000"), (0xa2, "1004"), (0xa3, "2000")] {
    ///     let price = assent_json::parse(price.as_bytes())?;
    ///     observations.add("price", Address::with_last_byte(operator), U256::ONE, price)?;
    /// }
    /// let members = BTreeMap::from([(None, observations)]);
    /// let own = |price: i32| BTreeMap::from([("price".to_owned(), assent_json::Value::from(price))]);
    /// assert!(Observations::require_within(&members, &rules, &own(1000)).is_ok());
    /// assert!(Observations::require_within(&members, &rules, &own(2000)).is_err());
    /// assert!(Observations::require_within(&members, &rules, &BTreeMap::new()).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`WithinError`] with the first source of which the operator's own observation is missing or not near.
    pub fn require_within(
        members: &BTreeMap<Option<usize>, Self>,
        rules: &Rules,
        own: &BTreeMap<String, Value>,
    ) -> Result<(), WithinError> {
        Self::reduced(members, rules).require_near(own)
    }

    /// Returns the values to which [`require_within`](Self::require_within) compares an operator's own outputs, to
    /// compare those of many operators.
    pub fn reduced<'a>(members: &BTreeMap<Option<usize>, Self>, rules: &'a Rules) -> ReducedSources<'a> {
        let reduced = rules.sources().filter_map(|keyed| {
            let (Some(within), Some(observations)) = (&keyed.source.within, members.get(&keyed.member)) else {
                return None;
            };
            let value = observations.reduce(keyed.name, keyed.source).ok()?;
            Some((keyed, within, value))
        });
        ReducedSources(reduced.collect())
    }

    fn to_value(&self) -> Value {
        let source = |(name, outputs): (&String, &BTreeMap<String, Observed>)| {
            (name.clone(), Value::from(outputs.values().map(Observed::to_value).collect::<Vec<_>>()))
        };
        Value::from(Object::from_iter([
            ("requiredWeight", Value::from(self.required_weight.to_string())),
            ("sources", Value::from(self.sources.iter().map(source).collect::<Object>())),
        ]))
    }
}

fn to_big(weight: &U256) -> BigUint {
    BigUint::from_bytes_be(&weight.to_be_bytes::<32>())
}

fn bounded(content: Value) -> Result<String, DataError> {
    let content = content.to_canonical();
    if content.len() > MAX_DATA { Err(DataError::TooLong(content.len())) } else { Ok(content) }
}

impl Observed {
    fn to_value(&self) -> Value {
        let observers = self.observers.iter();
        let observers = observers.map(|(operator, weight)| (hex::encode_prefixed(operator), weight.to_string()));
        Value::from(Object::from_iter([
            ("observers", Value::from(observers.collect::<Object>())),
            ("output", self.output.clone()),
        ]))
    }
}
