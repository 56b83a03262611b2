//! Parameters against their JSON Schema.
//!
//! The evaluator makes exact values of formats such as `uint256`, and looks at nothing else of a schema. The rest is
//! validated here, whenever parameters are given.

use anyhow::{Result, anyhow, bail};
use assent_json::{Object, Value};
use assent_policy::{ExecutablePolicy, Rules};
use jsonschema::PatternOptions;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// The most schemas that the references of a schema may lead to, counted as often as they are reached.
const MAX_SCHEMAS: usize = 10_000;
/// The most bytes of a compiled pattern.
const MAX_PATTERN: usize = 1024 * 1024;
/// How many violations are reported.
const MAX_VIOLATIONS: usize = 10;
/// The longest message of a violation, in characters.
const MAX_MESSAGE: usize = 300;
/// The versions of JSON Schema that are understood.
const DIALECTS: [&str; 3] = [
    "https://json-schema.org/draft/2020-12/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "http://json-schema.org/draft-07/schema",
];
/// Keywords that change what a reference means.
const REFUSED: [&str; 7] =
    ["$anchor", "$dynamicAnchor", "$dynamicRef", "$id", "$recursiveAnchor", "$recursiveRef", "$vocabulary"];
/// Keywords whose value has a schema under each name.
const NAMED: [&str; 6] =
    ["$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"];
/// Keywords whose value is data.
const DATA: [&str; 5] = ["const", "default", "enum", "examples", "required"];

/// What is wrong with parameters, or with their schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// The schema cannot be used.
    Schema(String),
    /// A value is not what the schema says.
    Value {
        /// The JSON pointer of the value.
        pointer: String,
        /// What it must be.
        message: String,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema(message) => write!(out, "the schema cannot be used: {message}"),
            Self::Value { pointer, message } => write!(out, "`{pointer}`: {message}"),
        }
    }
}

/// Returns what is wrong with the parameters of a policy. The pointers of a conjunction begin with the policy's index.
pub fn violations(policy: &ExecutablePolicy) -> Result<Vec<Violation>> {
    let parameters = assent_json::parse(policy.parameters().as_bytes())?;
    let mut all = Vec::new();
    match Rules::parse(policy.rules())? {
        Rules::Single(rules) => all.extend(validate(&rules.parameters_schema, &parameters, "")),
        Rules::All(members) => {
            let values = parameters.as_array().unwrap_or_default();
            for (index, (rules, value)) in members.iter().zip(values).enumerate() {
                all.extend(validate(&rules.parameters_schema, value, &format!("/{index}")));
            }
        }
    }
    Ok(all)
}

/// Refuses a policy whose parameters are not what their schema says.
pub fn require_valid(policy: &ExecutablePolicy) -> Result<()> {
    let violations = violations(policy)?;
    if violations.is_empty() {
        return Ok(());
    }
    let lines = violations.iter().map(|violation| format!("\n  {violation}")).collect::<String>();
    bail!("the parameters do not fit the policy:{lines}")
}

/// Validates a value. Work is bounded, whatever the schema is.
fn validate(schema: &Value, value: &Value, prefix: &str) -> Vec<Violation> {
    match validator(schema) {
        Err(error) => vec![Violation::Schema(error.to_string())],
        Ok(validator) => {
            let value = to_serde(value);
            let errors = validator.iter_errors(&value).take(MAX_VIOLATIONS);
            let violation = |error: jsonschema::ValidationError<'_>| Violation::Value {
                pointer: format!("{prefix}{}", error.instance_path()),
                message: error.to_string().chars().take(MAX_MESSAGE).collect(),
            };
            errors.map(violation).collect()
        }
    }
}

fn validator(schema: &Value) -> Result<jsonschema::Validator> {
    require_bounded(schema)?;
    // Patterns by an engine whose time is linear, and formats by the evaluator.
    let patterns = PatternOptions::regex().size_limit(MAX_PATTERN).dfa_size_limit(MAX_PATTERN);
    let options = jsonschema::options().with_pattern_options(patterns).should_validate_formats(false);
    options.build(&to_serde(schema)).map_err(|error| {
        let message = error.to_string().chars().take(MAX_MESSAGE).collect::<String>();
        anyhow!("`{}`: {message}", error.instance_path())
    })
}

/// Refuses a schema that takes long: one that refers to itself, to a file or to the network, or to too much.
fn require_bounded(schema: &Value) -> Result<()> {
    if let Some(dialect) = schema.get("$schema") {
        let dialect = dialect.as_str().unwrap_or_default();
        if !DIALECTS.contains(&dialect.trim_end_matches('#')) {
            bail!("`$schema` is {dialect:?}; use {:?} or leave it out", DIALECTS[0]);
        }
    }
    let mut sizes = Sizes { root: schema, known: BTreeMap::new(), open: BTreeSet::new() };
    let schemas = sizes.of(schema)?;
    if schemas > MAX_SCHEMAS {
        bail!("its references lead to more than {MAX_SCHEMAS} schemas; write it shorter");
    }
    Ok(())
}

/// The number of schemas in a schema, with those that it refers to.
struct Sizes<'a> {
    root: &'a Value,
    /// By the pointer of a reference.
    known: BTreeMap<&'a str, usize>,
    /// The references that are being followed.
    open: BTreeSet<&'a str>,
}

impl<'a> Sizes<'a> {
    fn of(&mut self, schema: &'a Value) -> Result<usize> {
        let Some(object) = schema.as_object() else { return Ok(1) };
        let mut schemas = 1_usize;
        for (key, value) in object.iter() {
            let more = match (key, value) {
                ("$ref", Value::String(pointer)) => self.of_reference(pointer)?,
                ("$ref", _) => bail!("`$ref` must be a string"),
                _ if REFUSED.contains(&key) => bail!("`{key}` is refused; refer to `#/$defs/…`"),
                _ if DATA.contains(&key) => 0,
                (_, Value::Object(schemas)) if NAMED.contains(&key) => self.of_all(schemas)?,
                (_, Value::Object(_)) => self.of(value)?,
                (_, Value::Array(elements)) => elements
                    .iter()
                    .try_fold(0, |sum: usize, one| Ok::<_, anyhow::Error>(sum.saturating_add(self.of(one)?)))?,
                _ => 0,
            };
            schemas = schemas.saturating_add(more);
        }
        Ok(schemas)
    }

    fn of_all(&mut self, schemas: &'a Object) -> Result<usize> {
        schemas.iter().try_fold(0_usize, |sum, (_, schema)| Ok(sum.saturating_add(self.of(schema)?)))
    }

    fn of_reference(&mut self, pointer: &'a str) -> Result<usize> {
        if let Some(known) = self.known.get(pointer) {
            return Ok(*known);
        }
        if !self.open.insert(pointer) {
            bail!("`$ref` {pointer:?} leads back to itself; write out how deep parameters nest");
        }
        let target = pointer.strip_prefix('#').and_then(|path| resolve(self.root, path));
        let target = target.ok_or_else(|| {
            anyhow!("`$ref` {pointer:?} is not in the schema; refer to a schema below `$defs`, as in `#/$defs/limit`")
        })?;
        let size = self.of(target)?;
        self.open.remove(pointer);
        self.known.insert(pointer, size);
        Ok(size)
    }
}

/// Follows a JSON pointer. Percent-encoding is not understood.
fn resolve<'a>(root: &'a Value, pointer: &str) -> Option<&'a Value> {
    let Some(path) = pointer.strip_prefix('/') else { return pointer.is_empty().then_some(root) };
    if path.contains('%') {
        return None;
    }
    path.split('/').try_fold(root, |value, part| {
        let part = part.replace("~1", "/").replace("~0", "~");
        match value {
            Value::Object(object) => object.get(&part),
            Value::Array(elements) => elements.get(part.parse::<usize>().ok()?),
            _ => None,
        }
    })
}

fn to_serde(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Integer(value) => value.get().into(),
        Value::String(value) => value.as_str().into(),
        Value::Array(elements) => elements.iter().map(to_serde).collect(),
        Value::Object(members) => members.iter().map(|(key, value)| (key.to_owned(), to_serde(value))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn parse(text: &str) -> Value {
        assent_json::parse(text.as_bytes()).expect("JSON")
    }

    fn messages(schema: &str, value: &str) -> Vec<String> {
        validate(&parse(schema), &parse(value), "").iter().map(Violation::to_string).collect()
    }

    #[test]
    fn a_value_that_the_schema_refuses_is_named_by_its_pointer() {
        let schema = r##"{"type": "object", "required": ["limit"], "additionalProperties": false, "$defs": {"day":
            {"type": "integer", "minimum": 0, "maximum": 6}}, "properties": {"limit": {"type": "string",
            "format": "uint256", "pattern": "^[0-9]+$"}, "days": {"type": "array", "uniqueItems": true,
            "items": {"$ref": "#/$defs/day"}}}}"##;
        assert_eq!(messages(schema, r#"{"limit": "5", "days": [0, 6]}"#), Vec::<String>::new());
        for (value, pointer, message) in [
            (r#"{"limit": 5}"#, "`/limit`", "is not of type \"string\""),
            (r#"{"limit": "x"}"#, "`/limit`", "does not match"),
            (r#"{"limit": "5", "days": [0, 7]}"#, "`/days/1`", "7 is greater than the maximum of 6"),
            (r#"{"limit": "5", "days": [1, 1]}"#, "`/days`", "non-unique"),
            (r#"{"days": []}"#, "``", "\"limit\" is a required property"),
            (r#"{"limit": "5", "more": 1}"#, "``", "'more' was unexpected"),
        ] {
            let found = messages(schema, value);
            assert_eq!(found.len(), 1, "{value}: {found:?}");
            assert!(found[0].starts_with(pointer) && found[0].contains(message), "{value}: {found:?}");
        }
    }

    #[test]
    fn an_exact_format_is_left_to_the_evaluator() {
        for format in ["uint256", "address", "date-time", "email", "regex"] {
            let schema = format!(r#"{{"type": "string", "format": "{format}"}}"#);
            assert_eq!(messages(&schema, r#""(""#), Vec::<String>::new(), "{format}");
        }
    }

    #[test]
    fn a_hostile_schema_is_refused_before_it_is_used() {
        let doubling = (0..60).map(|index| {
            let next = index + 1;
            format!(r##""d{index}": {{"allOf": [{{"$ref": "#/$defs/d{next}"}}, {{"$ref": "#/$defs/d{next}"}}]}}"##)
        });
        let doubling = doubling.collect::<Vec<_>>().join(",");
        let doubling = format!(r##"{{"$ref": "#/$defs/d0", "$defs": {{{doubling}, "d60": {{}}}}}}"##);
        let cases = [
            (r##"{"$ref": "#"}"##.to_owned(), "leads back to itself"),
            (
                r##"{"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}"##.into(),
                "itself",
            ),
            (r##"{"properties": {"a": {"items": {"$ref": "#"}}}}"##.into(), "leads back to itself"),
            (doubling, "more than 10000 schemas"),
            (r#"{"$ref": "https://example.com/schema.json"}"#.into(), "is not in the schema"),
            (r#"{"$ref": "file:///etc/passwd"}"#.into(), "is not in the schema"),
            (r#"{"$ref": "other.json"}"#.into(), "is not in the schema"),
            (r##"{"$ref": "#/$defs/a%62", "$defs": {"ab": {}}}"##.into(), "is not in the schema"),
            (r##"{"$ref": "#a", "$defs": {"a": {"$anchor": "a"}}}"##.into(), "`$anchor` is refused"),
            (r#"{"$defs": {"a": {"$id": "https://example.com/a"}}}"#.into(), "`$id` is refused"),
            (r##"{"$dynamicRef": "#a"}"##.into(), "`$dynamicRef` is refused"),
            (r#"{"$schema": "https://example.com/dialect"}"#.into(), "`$schema` is"),
            (r#"{"type": "strin"}"#.into(), "`/type`"),
            (r#"{"pattern": "("}"#.into(), "`/pattern`"),
            (r#"{"pattern": "(?=a)"}"#.into(), "`/pattern`"),
            (r#"{"pattern": "(((a{999}){999}){999}){999}"}"#.into(), "`/pattern`"),
        ];
        for (schema, expected) in cases {
            let found = messages(&schema, "{}");
            assert!(found[0].starts_with("the schema cannot be used: "), "{schema}: {found:?}");
            assert!(found[0].contains(expected), "{schema}: {found:?}");
        }
    }

    #[test]
    fn names_and_data_that_look_like_keywords_are_not_taken_for_them() {
        let schema = r#"{"properties": {"$id": {"type": "string"}, "$ref": {"const": {"$ref": "x"}}}}"#;
        assert_eq!(messages(schema, r#"{"$id": "a"}"#), Vec::<String>::new());
        assert_eq!(messages(schema, r#"{"$id": 1}"#).len(), 1);
    }

    #[test]
    fn patterns_and_long_values_end() {
        let begun = Instant::now();
        let text = "a".repeat(60_000);
        assert_eq!(messages(r#"{"pattern": "^(a+)+$"}"#, &format!("\"{text}b\"")).len(), 1);
        let numbers = (0..10_000).map(|number| number.to_string()).collect::<Vec<_>>().join(",");
        assert_eq!(messages(r#"{"uniqueItems": true, "items": {"maximum": -1}}"#, &format!("[{numbers}]")).len(), 10);
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    }
}
