//! Observations: what operators saw, and how it becomes one value.

use crate::{
    exact::{self, Format},
    rules::Source,
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::{String, ToString},
    vec::Vec,
};
use assent_json::{Object, Value as Json};
use assent_rules::{Reduction, ReductionRule};
use core::cmp::Ordering;
use num_bigint::BigUint;
use regorus::Value;

/// An output, with the weight of the operators that observed it.
struct Observation {
    output: Json,
    weight: BigUint,
}

/// Returns what the rules see as `data.wasm`: each source's value.
///
/// # Errors
///
/// What is wrong, if the data is not that of these sources, or the observations do not agree.
pub(crate) fn reduce(data: Option<Json>, sources: &BTreeMap<String, Source>) -> Result<Value, String> {
    let Some(data) = data else {
        if let Some(missing) = sources.keys().next() {
            return Err(format!("the data is empty, but the rules have the source `{missing}`"));
        }
        return Ok(Value::new_object());
    };
    if sources.is_empty() {
        return Err("the rules have no source, but there is data".to_string());
    }
    let mut data = members(data, "the data", &["requiredWeight", "sources"])?;
    let required = weight(data.get("requiredWeight"), "requiredWeight")?;
    let observed = data.remove("sources").unwrap_or_default();
    let names: Vec<&str> = sources.keys().map(String::as_str).collect();
    let observed = members(observed, "sources", &names)?;
    let mut values = BTreeMap::new();
    for (name, entries) in observed {
        let source = sources.get(&name).ok_or_else(|| format!("source `{name}`: unknown"))?;
        let value = value(entries, source, &required).map_err(|error| format!("source `{name}`: {error}"))?;
        values.insert(Value::from(name), value);
    }
    Ok(values.into())
}

/// Returns the members of an object that has exactly these keys.
fn members(value: Json, what: &str, keys: &[&str]) -> Result<Object, String> {
    let Json::Object(object) = value else {
        return Err(format!("{what} must be an object, not {}", value.kind()));
    };
    if let Some(missing) = keys.iter().find(|key| object.get(key).is_none()) {
        return Err(format!("{what} must have `{missing}`"));
    }
    if let Some(unknown) = object.keys().find(|key| !keys.contains(key)) {
        return Err(format!("{what} has the unknown key `{unknown}`"));
    }
    Ok(object)
}

fn value(entries: Json, source: &Source, required: &BigUint) -> Result<Value, String> {
    let observations = observations(entries)?;
    let total = total(observations.iter().map(|observation| &observation.weight));
    if total < *required {
        return Err(format!("the observers have the weight {total}, of {required} that are required"));
    }
    let schema = source.schema.as_ref();
    let reduced = match &source.reduce {
        Reduction::Whole(rule) => {
            let values = observations.iter().map(|observation| (Some(&observation.output), &observation.weight));
            reduce_values(&values.collect::<Vec<_>>(), *rule, required, schema)?
        }
        Reduction::Fields(rules) => Some(fields(&observations, rules, required, schema)?),
    };
    exact::value(reduced.ok_or("the output is missing")?, schema)
}

fn observations(entries: Json) -> Result<Vec<Observation>, String> {
    let Json::Array(entries) = entries else {
        return Err(format!("the observations must be an array, not {}", entries.kind()));
    };
    let several = entries.len() > 1;
    let mut seen = BTreeSet::new();
    let mut previous: Option<String> = None;
    let mut observations = Vec::new();
    for entry in entries {
        let mut entry = members(entry, "an observation", &["observers", "output"])?;
        let output = entry.remove("output").unwrap_or_default();
        let Some(Json::Object(observers)) = entry.remove("observers") else {
            return Err("the observers must be an object".to_string());
        };
        if observers.is_empty() {
            return Err("an output has no observer".to_string());
        }
        let mut weights = Vec::new();
        for (operator, weight) in observers {
            let is_address = operator.len() == 42 && exact::is_lower_hex(&operator);
            if !is_address {
                return Err(format!("the observer {operator:?} is not an address in lower case"));
            }
            weights.push(self::weight(Some(&weight), &operator)?);
            if several && !seen.insert(operator.clone()) {
                return Err(format!("{operator} observed twice"));
            }
        }
        if several {
            let canonical = output.to_canonical();
            if previous.is_some_and(|previous| previous.as_bytes() >= canonical.as_bytes()) {
                return Err("the outputs are not in ascending order, or one occurs twice".to_string());
            }
            previous = Some(canonical);
        }
        observations.push(Observation { output, weight: total(weights.iter()) });
    }
    Ok(observations)
}

fn weight(value: Option<&Json>, what: &str) -> Result<BigUint, String> {
    let weight = value.and_then(Json::as_str).and_then(exact::parse_magnitude);
    weight.ok_or_else(|| format!("the weight of `{what}` must be a decimal integer of at most 256 bits"))
}

fn total<'a>(weights: impl Iterator<Item = &'a BigUint>) -> BigUint {
    weights.sum()
}

/// A value, or nothing if an output lacks it, with the weight of its observers.
type Observed<'a> = (Option<&'a Json>, &'a BigUint);

fn fields(
    observations: &[Observation],
    rules: &BTreeMap<String, ReductionRule>,
    required: &BigUint,
    schema: Option<&Json>,
) -> Result<Json, String> {
    if let Some(other) = observations.iter().find(|observation| observation.output.as_object().is_none()) {
        return Err(format!("an output must be an object, not {}", other.output.kind()));
    }
    let observed = observations.iter().filter_map(|observation| observation.output.as_object());
    let names: BTreeSet<&str> = observed.flat_map(Object::keys).chain(rules.keys().map(String::as_str)).collect();
    let mut reduced = Object::new();
    for name in names {
        let rule = rules.get(name).copied().unwrap_or_default();
        let schema = schema.and_then(|schema| schema.get("properties")).and_then(|fields| fields.get(name));
        let values = observations.iter().map(|observation| (observation.output.get(name), &observation.weight));
        let value = reduce_values(&values.collect::<Vec<_>>(), rule, required, schema);
        // A field that a quorum agrees is missing is missing.
        if let Some(value) = value.map_err(|error| format!("`{name}`: {error}"))? {
            reduced.insert(name, value);
        }
    }
    Ok(reduced.into())
}

/// Returns one value for those that were observed, each with its weight; nothing if it is agreed to be missing.
fn reduce_values(
    values: &[Observed<'_>],
    rule: ReductionRule,
    required: &BigUint,
    schema: Option<&Json>,
) -> Result<Option<Json>, String> {
    if rule == ReductionRule::Same {
        return same(values, required);
    }
    let present = values.iter().map(|(value, weight)| Some(((*value)?, *weight))).collect::<Option<Vec<_>>>();
    let present = present.filter(|present| !present.is_empty()).ok_or("an output does not have it")?;
    if rule == ReductionRule::Union {
        return union(&present).map(Some);
    }
    let mut integers = Vec::new();
    for (value, weight) in present {
        let integer = integer(value, schema).ok_or_else(|| format!("{value} is not an integer, so it has no order"))?;
        integers.push((integer, value, weight));
    }
    integers.sort_by(|(left, ..), (right, ..)| left.partial_cmp(right).unwrap_or(Ordering::Equal));
    let chosen = match rule {
        ReductionRule::Min => integers.first(),
        ReductionRule::Max => integers.last(),
        ReductionRule::Quorum => least(&integers, |weight| weight >= required),
        _ => {
            let all = total(integers.iter().map(|(.., weight)| *weight));
            least(&integers, |weight| total([weight, weight].into_iter()) >= all)
        }
    };
    Ok(chosen.map(|(_, value, _)| (*value).clone()))
}

/// An integer, the output that has it, and the weight of its observers.
type Ordered<'a> = (Value, &'a Json, &'a BigUint);

/// Returns the least value that observers of enough weight do not exceed.
fn least<'a, 'b>(ascending: &'a [Ordered<'b>], is_enough: impl Fn(&BigUint) -> bool) -> Option<&'a Ordered<'b>> {
    let mut weight = BigUint::ZERO;
    ascending.iter().find(|(.., observers)| {
        weight = total([&weight, *observers].into_iter());
        is_enough(&weight)
    })
}

/// Returns the value that a required weight observed identically.
fn same(values: &[Observed<'_>], required: &BigUint) -> Result<Option<Json>, String> {
    for (value, _) in values {
        let alike = values.iter().filter(|(other, _)| other == value).map(|(_, weight)| *weight);
        if total(alike) >= *required {
            return Ok(value.cloned());
        }
    }
    Err(format!("no value was observed identically by the weight {required}"))
}

/// Returns the elements of all arrays, each once, in the order of their canonical forms.
fn union(values: &[(&Json, &BigUint)]) -> Result<Json, String> {
    let mut elements = Vec::new();
    for (value, _) in values {
        let array = value.as_array().ok_or_else(|| format!("a union is of arrays, not of {}", value.kind()))?;
        elements.extend(array.iter().map(|element| (element.to_canonical(), element)));
    }
    // Most lists are in order.
    if !elements.is_sorted_by(|(left, _), (right, _)| left.as_bytes() < right.as_bytes()) {
        elements.sort_by(|(left, _), (right, _)| left.as_bytes().cmp(right.as_bytes()));
        elements.dedup_by(|(left, _), (right, _)| left == right);
    }
    Ok(Json::Array(elements.into_iter().map(|(_, element)| element.clone()).collect()))
}

fn integer(value: &Json, schema: Option<&Json>) -> Option<Value> {
    match Format::of(schema) {
        Some(format @ (Format::Uint256 | Format::Int256)) => format.value(value.as_str()?),
        _ => value.as_i64().map(Value::from),
    }
}
