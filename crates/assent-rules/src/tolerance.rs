//! Tolerances: how far an operator's own observation may be from the value that all observations become.

use crate::{
    error::{SourceKeyError, invalid},
    integer::integer,
    reduction::{Reduction, ReductionRule, field_schema},
};
use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString as _},
};
use assent_json::{Object, Value};
use core::fmt;
use num_bigint::BigInt;

/// The basis points of a whole.
const WHOLE: u16 = 10_000;

/// A share of 1 to 10,000 basis points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BasisPoints(u16);

impl BasisPoints {
    /// Returns a share. Nothing if it is 0 or more than 10,000 basis points.
    pub const fn new(basis_points: u16) -> Option<Self> {
        if basis_points == 0 || basis_points > WHOLE { None } else { Some(Self(basis_points)) }
    }

    /// Returns the number of basis points.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Returns whether a value is at most this share of the other further off it. Only zero is near zero.
    ///
    /// ```
    /// use assent_rules::BasisPoints;
    ///
    /// let half_a_percent = BasisPoints::new(50).expect("1 to 10,000");
    /// assert!(half_a_percent.allow(&1_005.into(), &1_000.into()));
    /// assert!(!half_a_percent.allow(&1_006.into(), &1_000.into()));
    /// ```
    #[allow(clippy::arithmetic_side_effects, reason = "integers of any size do not overflow")]
    pub fn allow(self, own: &BigInt, reduced: &BigInt) -> bool {
        let distance = own - reduced;
        distance.magnitude() * WHOLE <= reduced.magnitude() * self.0
    }
}

/// Writes the number with its unit.
impl fmt::Display for BasisPoints {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => out.write_str("1 basis point"),
            number => write!(out, "{number} basis points"),
        }
    }
}

/// How far an operator's own observation may be from the reduced value: the key `within` of a source. An operator whose
/// own is further off refuses to sign.
///
/// It has the form of the source's [`Reduction`], and only rules of integers can have one.
// Complete: another form would be another evaluator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tolerance {
    /// Of the whole output.
    Whole(BasisPoints),
    /// Of fields. Others may be anything.
    Fields(BTreeMap<String, BasisPoints>),
}

/// An operator's own observation is not near the reduced value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ToleranceError {
    /// It is further off than the tolerance.
    #[error("{}the operator's own {own} is more than {within} off the reduced {reduced}", of_field(field.as_ref()))]
    TooFarOff {
        /// The field; nothing for the whole output.
        field: Option<String>,
        /// The operator's own value.
        own: String,
        /// The reduced value.
        reduced: String,
        /// How far off it may be.
        within: BasisPoints,
    },
    /// One of the values is missing, or no integer.
    #[error("{}{value} is not an integer, so it is not near any value", of_field(field.as_ref()))]
    NotInteger {
        /// The field; nothing for the whole output.
        field: Option<String>,
        /// The value; `nothing` if it is missing.
        value: String,
    },
}

impl Tolerance {
    /// Reads the key `within` of a source with a reduction: basis points, or an object of them by field.
    ///
    /// # Errors
    ///
    /// [`SourceKeyError`] if it does not have the reduction's form, is not between 1 and 10,000, or is of what no rule
    /// of integers reduces.
    pub fn from_value(value: &Value, reduction: &Reduction) -> Result<Self, SourceKeyError> {
        match (value, reduction) {
            (Value::Integer(_), Reduction::Whole(rule)) => read(None, value, Some(*rule)).map(Self::Whole),
            (Value::Object(fields), Reduction::Fields(rules)) if !fields.is_empty() => fields
                .iter()
                .map(|(field, value)| Ok((field.into(), read(Some(field), value, rules.get(field).copied())?)))
                .collect::<Result<_, _>>()
                .map(Self::Fields),
            (Value::Integer(_), Reduction::Fields(_)) => {
                let reason = "is of the whole answer, but `reduce` has a rule for each field; write {\"field\": 50}";
                Err(invalid(None, &value.to_canonical(), reason))
            }
            (Value::Object(fields), Reduction::Fields(_)) if fields.is_empty() => {
                Err(invalid(None, "{}", "names no field; leave `within` out"))
            }
            (Value::Object(_), Reduction::Whole(_)) => {
                let reason =
                    "is of fields, but `reduce` has one rule for the whole answer; write basis points, as in 50";
                Err(invalid(None, &value.to_canonical(), reason))
            }
            _ => Err(SourceKeyError::wrong_type(None, "basis points, or an object of them by field", value)),
        }
    }

    /// Returns what [`from_value`](Self::from_value) reads.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Whole(within) => Value::from(i32::from(within.get())),
            Self::Fields(fields) => {
                let fields = fields.iter().map(|(field, within)| (field.as_str(), i32::from(within.get())));
                Value::from(fields.collect::<Object>())
            }
        }
    }

    /// Checks that an operator's own output is near the reduced one.
    ///
    /// # Errors
    ///
    /// [`ToleranceError`] with the first field that is not.
    pub fn check(&self, own: &Value, reduced: &Value, schema: Option<&Value>) -> Result<(), ToleranceError> {
        match self {
            Self::Whole(within) => near(*within, None, Some(own), Some(reduced), schema),
            Self::Fields(fields) => fields.iter().try_for_each(|(field, within)| {
                near(*within, Some(field), own.get(field), reduced.get(field), field_schema(schema, field))
            }),
        }
    }
}

fn read(field: Option<&str>, value: &Value, rule: Option<ReductionRule>) -> Result<BasisPoints, SourceKeyError> {
    let number = value.as_i64().ok_or_else(|| SourceKeyError::wrong_type(field, "basis points", value))?;
    let within = u16::try_from(number).ok().and_then(BasisPoints::new);
    let within =
        within.ok_or_else(|| invalid(field, &number.to_string(), "is not between 1 and 10000 basis points"))?;
    match rule.unwrap_or_default() {
        rule if rule.is_of_integers() => Ok(within),
        rule => {
            let known = ReductionRule::ALL.into_iter().filter(|rule| rule.is_of_integers()).map(ReductionRule::name);
            let known = known.collect::<alloc::vec::Vec<_>>().join(", ");
            let reason = format!("needs `reduce` to be one of {known}; {rule} has no distance");
            Err(invalid(field, &number.to_string(), reason))
        }
    }
}

fn near(
    within: BasisPoints,
    field: Option<&String>,
    own: Option<&Value>,
    reduced: Option<&Value>,
    schema: Option<&Value>,
) -> Result<(), ToleranceError> {
    let field = field.cloned();
    let of = |value: Option<&Value>| {
        value.and_then(|value| integer(value, schema)).ok_or_else(|| ToleranceError::NotInteger {
            field: field.clone(),
            value: value.map_or_else(|| "nothing".to_string(), Value::to_canonical),
        })
    };
    let (own, reduced) = (of(own)?, of(reduced)?);
    if within.allow(&own, &reduced) {
        return Ok(());
    }
    Err(ToleranceError::TooFarOff { field, own: own.to_string(), reduced: reduced.to_string(), within })
}

fn of_field(field: Option<&String>) -> String {
    field.map(|field| format!("`{field}`: ")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn parse(text: &str) -> Value {
        assent_json::parse(text.as_bytes()).expect(text)
    }

    fn tolerance(reduce: &str, within: &str) -> Result<Tolerance, SourceKeyError> {
        let reduction = Reduction::from_value(&parse(reduce)).expect(reduce);
        Tolerance::from_value(&parse(within), &reduction)
    }

    #[test]
    fn a_tolerance_has_the_form_of_its_reduction_and_is_written_as_it_is_read() {
        for (reduce, within) in [
            ("\"median\"", "1"),
            ("\"quorum\"", "10000"),
            ("\"min\"", "50"),
            (r#"{"name":"same","usd":"median"}"#, r#"{"usd":50}"#),
            (r#"{"a":"max","b":"min"}"#, r#"{"a":1,"b":10000}"#),
        ] {
            assert_eq!(tolerance(reduce, within).expect(within).to_value().to_canonical(), within);
        }
    }

    #[test]
    fn what_is_no_tolerance_is_refused_with_its_field_and_what_to_write() {
        let cases = [
            ("\"median\"", "0", None, "\"0\" is not between 1 and 10000"),
            ("\"median\"", "10001", None, "is not between"),
            ("\"median\"", "-1", None, "is not between"),
            ("\"median\"", "65537", None, "is not between"),
            ("\"median\"", "9007199254740991", None, "is not between"),
            ("\"median\"", "\"50\"", None, "must be basis points, or an object of them by field, not a string"),
            ("\"median\"", "null", None, "not null"),
            ("\"median\"", r#"{"usd":50}"#, None, "one rule for the whole answer"),
            ("\"median\"", "{}", None, "one rule for the whole answer"),
            ("\"same\"", "50", None, "one of median, quorum, min, max; same has no distance"),
            ("\"union\"", "50", None, "union has no distance"),
            (r#"{"usd":"median"}"#, "50", None, "a rule for each field"),
            (r#"{"usd":"median"}"#, "{}", None, "names no field"),
            (r#"{"usd":"median"}"#, r#"{"usd":0}"#, Some("usd"), "is not between"),
            (r#"{"usd":"median"}"#, r#"{"usd":"50"}"#, Some("usd"), "must be basis points, not a string"),
            (r#"{"usd":"median"}"#, r#"{"eur":50}"#, Some("eur"), "same has no distance"),
            (r#"{"usd":"same"}"#, r#"{"usd":50}"#, Some("usd"), "same has no distance"),
        ];
        for (reduce, within, field, expected) in cases {
            let error = tolerance(reduce, within).expect_err(within);
            assert_eq!(error.field(), field, "{within}");
            assert!(error.to_string().contains(expected), "{within}: {error}");
        }
    }

    fn is_near(basis_points: u16, own: &str, reduced: &str) -> bool {
        let integer = |text: &str| text.parse::<BigInt>().expect(text);
        BasisPoints::new(basis_points).expect("1 to 10,000").allow(&integer(own), &integer(reduced))
    }

    #[test]
    fn the_distance_is_exact_at_every_edge() {
        let max = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
        // 2^256 − 1 without its last basis point, rounded up and down.
        let above = "115780510028392463804028627910187039062484657667173999983053638249512338326972";
        let below = "115780510028392463804028627910187039062484657667173999983053638249512338326971";
        let (low, high) = (
            "-57896044618658097711785492504343953926634992332820282019728792003956564819968",
            "57896044618658097711785492504343953926634992332820282019728792003956564819967",
        );
        let cases = [
            (50, "1005", "1000", true),
            (50, "1006", "1000", false),
            (50, "995", "1000", true),
            (50, "994", "1000", false),
            // The share is of the reduced value, not of the own.
            (5_000, "3", "2", true),
            (5_000, "2", "3", true),
            (5_000, "1", "3", false),
            // A share that is no integer does not round up.
            (1, "10000", "9999", false),
            (1, "10001", "10000", true),
            // Only zero is near zero.
            (10_000, "0", "0", true),
            (10_000, "1", "0", false),
            (10_000, "-1", "0", false),
            (10_000, "0", "1", true),
            (9_999, "0", "1", false),
            (10_000, "2", "1", true),
            (10_000, "3", "1", false),
            (10_000, "-2", "-1", true),
            (10_000, "0", "-1", true),
            (10_000, "1", "-1", false),
            (10_000, low, high, false),
            (10_000, high, low, false),
            (1, max, max, true),
            (1, above, max, true),
            (1, below, max, false),
            (10_000, "0", max, true),
            (9_999, "0", max, false),
        ];
        for (within, own, reduced, expected) in cases {
            assert_eq!(is_near(within, own, reduced), expected, "{own} within {within} of {reduced}");
        }
    }

    #[test]
    fn fields_are_compared_by_the_schema_and_those_without_a_tolerance_are_not() {
        let schema = parse(r#"{"properties":{"usd":{"format":"uint256","type":"string"}}}"#);
        let tolerance = tolerance(r#"{"count":"max","usd":"median"}"#, r#"{"usd":100}"#).expect("a tolerance");
        let check = |own: &str| tolerance.check(&parse(own), &parse(r#"{"count":1,"usd":"1000"}"#), Some(&schema));
        assert_eq!(check(r#"{"count":9,"usd":"1010"}"#), Ok(()));
        assert_eq!(
            check(r#"{"count":1,"usd":"1011"}"#).expect_err("further").to_string(),
            "`usd`: the operator's own 1011 is more than 100 basis points off the reduced 1000"
        );
        let refused: Vec<_> = ["{}", r#"{"usd":1000}"#, r#"{"usd":"01000"}"#, "1000"].into_iter().map(check).collect();
        let not_integer =
            |value: &str| Err(ToleranceError::NotInteger { field: Some("usd".into()), value: value.into() });
        assert_eq!(
            refused,
            [not_integer("nothing"), not_integer("1000"), not_integer("\"01000\""), not_integer("nothing")]
        );
    }
}
