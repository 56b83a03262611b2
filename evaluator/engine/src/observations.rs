//! Observations: what operators saw, and how it becomes one value.

use crate::{exact, rules::Source};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::{String, ToString},
    vec::Vec,
};
use assent_json::{Object, Value as Json};
use assent_rules::{WeightedOutput, parse_uint};
use num_bigint::BigUint;
use regorus::Value;

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
    let schema = source.schema.as_ref();
    let reduced = source.reduce.reduce(&observations(entries)?, required, schema);
    exact::value(reduced.map_err(|error| error.to_string())?, schema)
}

fn observations(entries: Json) -> Result<Vec<WeightedOutput>, String> {
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
        observations.push(WeightedOutput { output, weight: weights.iter().sum() });
    }
    Ok(observations)
}

fn weight(value: Option<&Json>, what: &str) -> Result<BigUint, String> {
    let weight = value.and_then(Json::as_str).and_then(parse_uint);
    weight.ok_or_else(|| format!("the weight of `{what}` must be a decimal integer of at most 256 bits"))
}
