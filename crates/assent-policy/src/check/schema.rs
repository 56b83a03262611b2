//! Types of a JSON Schema, and the refusal of exact formats that the evaluator does not reach.

use super::types::{Text, Type};
use assent_json::Value;

/// The formats that make another value of a string.
pub(super) const EXACT_FORMATS: [&str; 4] = ["uint256", "int256", "address", "bytes"];
/// The keys below which the evaluator finds formats.
const WALKED: [&str; 4] = ["properties", "additionalProperties", "items", "prefixItems"];
/// The keys that choose or refer to other schemas.
const COMPOSED: [&str; 7] = ["$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "not", "if"];

/// Returns the type of the values of a schema.
pub(super) fn type_of(schema: &Value) -> Type {
    let get = |key| schema.get(key);
    if COMPOSED.iter().any(|key| get(key).is_some()) {
        return Type::Unknown;
    }
    match get("type").and_then(Value::as_str) {
        Some("string") => match get("format").and_then(Value::as_str) {
            Some("uint256" | "int256") => Type::Number,
            Some("address") => Type::Text(Text::Address),
            Some("bytes") => Type::Text(Text::Bytes),
            _ => Type::Text(Text::Plain),
        },
        Some("integer" | "number") => Type::Number,
        Some("boolean") => Type::Boolean,
        Some("null") => Type::Null,
        Some("array") => {
            let element = match (get("items"), get("prefixItems")) {
                (Some(items), None) => type_of(items),
                _ => Type::Unknown,
            };
            Type::Array(Box::new(element))
        }
        Some("object") => object_type(schema),
        _ => Type::Unknown,
    }
}

/// Returns the type of an object, with the fields that the schema names. Others are only those that
/// `additionalProperties` describes.
pub(super) fn object_type(schema: &Value) -> Type {
    let properties = schema.get("properties").and_then(Value::as_object);
    let fields = properties.into_iter().flat_map(|properties| properties.iter());
    let others = schema.get("additionalProperties").and_then(|others| match others {
        Value::Bool(false) => None,
        others => Some(Box::new(type_of(others))),
    });
    Type::Object(fields.map(|(name, schema)| (name.to_owned(), type_of(schema))).collect(), others)
}

/// Returns where a schema has an exact format that the evaluator does not reach, with the key that hides it.
pub(super) fn unreachable_formats(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(schema, "", None, &mut found);
    found
}

fn collect(value: &Value, path: &str, hidden_by: Option<&str>, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            let format = object.get("format").and_then(Value::as_str).filter(|format| EXACT_FORMATS.contains(format));
            if let (Some(format), Some(key)) = (format, hidden_by) {
                found.push(format!(
                    "the format {format:?} at `{}` is below `{key}`, where the evaluator does not look for it; \
                     write the schema out under properties, additionalProperties, items or prefixItems",
                    path.trim_start_matches('.')
                ));
            }
            if format.is_some() && object.get("type").and_then(Value::as_str) != Some("string") {
                found.push(format!(
                    "the format at `{}` needs \"type\": \"string\" beside it",
                    path.trim_start_matches('.')
                ));
            }
            for (key, value) in object.iter() {
                let path = format!("{path}.{key}");
                match (key, value) {
                    ("const" | "enum" | "default" | "examples", _) => {}
                    // Names of properties, not keys of a schema.
                    ("properties", Value::Object(properties)) => {
                        for (name, schema) in properties.iter() {
                            collect(schema, &format!("{path}.{name}"), hidden_by, found);
                        }
                    }
                    _ => collect(
                        value,
                        &path,
                        if WALKED.contains(&key) { hidden_by } else { hidden_by.or(Some(key)) },
                        found,
                    ),
                }
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                collect(element, &format!("{path}[{index}]"), hidden_by, found);
            }
        }
        _ => {}
    }
}
