//! Reductions: how the observations of a source become one value.

use crate::{
    error::{SourceKeyError, invalid},
    integer::integer,
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
    vec::Vec,
};
use assent_json::{Object, Value};
use core::fmt;
use num_bigint::{BigInt, BigUint};

/// How the operators' answers become one: by one rule, or by a rule for each field of the output.
// Complete: another way would be another evaluator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reduction {
    /// The whole output, by one rule.
    Whole(ReductionRule),
    /// Each field, by its rule. Fields without a rule must be the same.
    Fields(BTreeMap<String, ReductionRule>),
}

/// How values become one.
///
/// The list is complete: another rule would be another evaluator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReductionRule {
    /// The value that observers of the required weight saw identically.
    #[default]
    Same,
    /// The weighted lower median: the least value that half of the weight does not exceed.
    Median,
    /// The least value that observers of the required weight do not exceed.
    Quorum,
    /// The least value.
    Min,
    /// The greatest value.
    Max,
    /// The elements of all arrays.
    Union,
}

/// An output of a source, with the weight of the operators that observed it.
// Complete: nothing else is reduced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightedOutput {
    /// The output.
    pub output: Value,
    /// The weight of all its observers.
    pub weight: BigUint,
}

/// Outputs do not become one value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ReductionError(String);

impl Reduction {
    /// Reads the key `reduce` of a source: the name of a rule, or an object of them by field.
    ///
    /// # Errors
    ///
    /// [`SourceKeyError`] if it is neither, or a rule is unknown.
    pub fn from_value(value: &Value) -> Result<Self, SourceKeyError> {
        match value {
            Value::String(name) => ReductionRule::read(None, name).map(Self::Whole),
            Value::Object(fields) => fields
                .iter()
                .map(|(field, rule)| {
                    let name =
                        rule.as_str().ok_or_else(|| SourceKeyError::wrong_type(Some(field), "a string", rule))?;
                    Ok((field.into(), ReductionRule::read(Some(field), name)?))
                })
                .collect::<Result<_, _>>()
                .map(Self::Fields),
            _ => Err(SourceKeyError::wrong_type(None, "a string or an object", value)),
        }
    }

    /// Returns what [`from_value`](Self::from_value) reads.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Whole(rule) => Value::from(rule.name()),
            Self::Fields(fields) => {
                Value::from(fields.iter().map(|(field, rule)| (field.as_str(), rule.name())).collect::<Object>())
            }
        }
    }

    /// Returns the value that outputs of a source become. Their order matters only to `same` with a required weight of
    /// at most half of all: the first value that has it is taken.
    ///
    /// # Errors
    ///
    /// [`ReductionError`] if all observers have less than the required weight, or the outputs do not fit the rules.
    pub fn reduce(
        &self,
        outputs: &[WeightedOutput],
        required: &BigUint,
        schema: Option<&Value>,
    ) -> Result<Value, ReductionError> {
        let weight = total(outputs.iter().map(|output| &output.weight));
        if weight < *required {
            return Err(error(format!("the observers have the weight {weight}, of {required} that are required")));
        }
        match self {
            Self::Whole(rule) => {
                let values: Vec<_> = outputs.iter().map(|output| (Some(&output.output), &output.weight)).collect();
                rule.reduce(&values, required, schema)?.ok_or_else(|| error("the output is missing"))
            }
            Self::Fields(rules) => reduce_fields(outputs, rules, required, schema),
        }
    }
}

impl ReductionRule {
    /// Every rule.
    pub const ALL: [Self; 6] = [Self::Same, Self::Median, Self::Quorum, Self::Min, Self::Max, Self::Union];

    /// Returns the name, as manifests and rules have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Median => "median",
            Self::Quorum => "quorum",
            Self::Min => "min",
            Self::Max => "max",
            Self::Union => "union",
        }
    }

    /// Returns the rule with a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }

    /// Returns whether the rule is of integers, which have an order.
    pub const fn is_of_integers(self) -> bool {
        match self {
            Self::Median | Self::Quorum | Self::Min | Self::Max => true,
            Self::Same | Self::Union => false,
        }
    }

    fn read(field: Option<&str>, name: &str) -> Result<Self, SourceKeyError> {
        Self::from_name(name).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            invalid(field, name, format!("is not one of {known}"))
        })
    }

    /// Returns one value for those that were observed, each with its weight; nothing if it is agreed to be missing.
    fn reduce(
        self,
        values: &[Observed<'_>],
        required: &BigUint,
        schema: Option<&Value>,
    ) -> Result<Option<Value>, ReductionError> {
        let ascending = || ascending(values, schema);
        let chosen = match self {
            Self::Same => return same(values, required),
            Self::Union => return union(&present(values)?).map(Some),
            Self::Min => ascending()?.first().map(|(_, value, _)| *value),
            Self::Max => ascending()?.last().map(|(_, value, _)| *value),
            Self::Quorum => least(&ascending()?, |weight| weight >= required),
            Self::Median => {
                let all = total(values.iter().map(|(_, weight)| *weight));
                least(&ascending()?, |weight| total([weight, weight].into_iter()) >= all)
            }
        };
        Ok(chosen.cloned())
    }
}

impl fmt::Display for ReductionRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// Returns the schema of a field, by the schema of the output.
pub(crate) fn field_schema<'a>(schema: Option<&'a Value>, field: &str) -> Option<&'a Value> {
    schema?.get("properties")?.get(field)
}

/// A value, or nothing if an output lacks it, with the weight of its observers.
type Observed<'a> = (Option<&'a Value>, &'a BigUint);

/// An integer, the value that has it, and the weight of its observers.
type Ordered<'a> = (BigInt, &'a Value, &'a BigUint);

fn reduce_fields(
    outputs: &[WeightedOutput],
    rules: &BTreeMap<String, ReductionRule>,
    required: &BigUint,
    schema: Option<&Value>,
) -> Result<Value, ReductionError> {
    if let Some(other) = outputs.iter().find(|output| output.output.as_object().is_none()) {
        return Err(error(format!("an output must be an object, not {}", other.output.kind())));
    }
    let objects = outputs.iter().filter_map(|output| output.output.as_object());
    let names: BTreeSet<&str> = objects.flat_map(Object::keys).chain(rules.keys().map(String::as_str)).collect();
    let mut reduced = Object::new();
    for name in names {
        let rule = rules.get(name).copied().unwrap_or_default();
        let values: Vec<_> = outputs.iter().map(|output| (output.output.get(name), &output.weight)).collect();
        let value = rule.reduce(&values, required, field_schema(schema, name));
        // A field that a quorum agrees is missing is missing.
        if let Some(value) = value.map_err(|ReductionError(reason)| error(format!("`{name}`: {reason}")))? {
            reduced.insert(name, value);
        }
    }
    Ok(reduced.into())
}

/// Returns the values, if every output has one.
fn present<'a>(values: &[Observed<'a>]) -> Result<Vec<(&'a Value, &'a BigUint)>, ReductionError> {
    let present = values.iter().map(|(value, weight)| Some(((*value)?, *weight))).collect::<Option<Vec<_>>>();
    present.filter(|present| !present.is_empty()).ok_or_else(|| error("an output does not have it"))
}

/// Returns the values in the order of their integers.
fn ascending<'a>(values: &[Observed<'a>], schema: Option<&Value>) -> Result<Vec<Ordered<'a>>, ReductionError> {
    let mut integers = Vec::new();
    for (value, weight) in present(values)? {
        let not_integer = || error(format!("{value} is not an integer, so it has no order"));
        integers.push((integer(value, schema).ok_or_else(not_integer)?, value, weight));
    }
    integers.sort_by(|(left, ..), (right, ..)| left.cmp(right));
    Ok(integers)
}

/// Returns the least value that observers of enough weight do not exceed.
fn least<'a>(ascending: &[Ordered<'a>], is_enough: impl Fn(&BigUint) -> bool) -> Option<&'a Value> {
    let mut weight = BigUint::ZERO;
    let found = ascending.iter().find(|(.., observers)| {
        weight = total([&weight, *observers].into_iter());
        is_enough(&weight)
    });
    found.map(|(_, value, _)| *value)
}

/// Returns the value that a required weight observed identically.
fn same(values: &[Observed<'_>], required: &BigUint) -> Result<Option<Value>, ReductionError> {
    for (value, _) in values {
        let alike = values.iter().filter(|(other, _)| other == value).map(|(_, weight)| *weight);
        if total(alike) >= *required {
            return Ok(value.cloned());
        }
    }
    Err(error(format!("no value was observed identically by the weight {required}")))
}

/// Returns the elements of all arrays, each once, in the order of their canonical forms.
fn union(values: &[(&Value, &BigUint)]) -> Result<Value, ReductionError> {
    let mut elements = Vec::new();
    for (value, _) in values {
        let array = value.as_array().ok_or_else(|| error(format!("a union is of arrays, not of {}", value.kind())))?;
        elements.extend(array.iter().map(|element| (element.to_canonical(), element)));
    }
    // Most lists are in order.
    if !elements.is_sorted_by(|(left, _), (right, _)| left.as_bytes() < right.as_bytes()) {
        elements.sort_by(|(left, _), (right, _)| left.as_bytes().cmp(right.as_bytes()));
        elements.dedup_by(|(left, _), (right, _)| left == right);
    }
    Ok(Value::Array(elements.into_iter().map(|(_, element)| element.clone()).collect()))
}

fn total<'a>(weights: impl Iterator<Item = &'a BigUint>) -> BigUint {
    weights.sum()
}

fn error(reason: impl Into<String>) -> ReductionError {
    ReductionError(reason.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_found_by_its_name_and_no_other_name_is_one() {
        for rule in ReductionRule::ALL {
            assert_eq!(ReductionRule::from_name(rule.name()), Some(rule));
        }
        for name in ["", "Same", "mean", "quorum "] {
            assert_eq!(ReductionRule::from_name(name), None, "{name}");
        }
    }
}
