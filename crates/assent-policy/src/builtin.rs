//! Sources that are built in: they need no component.

use crate::json::{self, JsonError, Reader, invalid};
use assent_json::{Object, Value};
use assent_rules::{Reduction, ReductionRule};
use std::collections::BTreeMap;

/// A source that is built in, with its query: the value of the manifest's key `builtin`.
///
/// ```
/// use assent_policy::{Builtin, Manifest};
///
/// let manifest = Manifest::parse(
///     br#"{"name": "limit", "version": "1.0.0", "entrypoint": "limit",
///          "functions": ["function pay(address to, uint256 amount)"],
///          "sources": {"spent": {"builtin": {"history": {
///              "event": "event Paid(address indexed to, uint256 amount)",
///              "address": "task.client", "window": {"seconds": 86400}, "sum": "amount"}}}}}"#,
/// )?;
/// let builtin = manifest.sources["spent"].builtin.as_ref();
/// assert_eq!(builtin.map(Builtin::name), Some("history"));
/// # Ok::<(), assent_policy::JsonError>(())
/// ```
///
/// The list is complete: another source would be another format of the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Builtin {
    /// Events in a window that ends with the reference block.
    History(Value),
    /// What the operator's own journal has allowed, and what is neither spent nor expired.
    Outstanding(Value),
}

impl Builtin {
    /// Returns the name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::History(_) => "history",
            Self::Outstanding(_) => "outstanding",
        }
    }

    /// Returns the query: an object, as the manifest has it.
    pub const fn query(&self) -> &Value {
        match self {
            Self::History(query) | Self::Outstanding(query) => query,
        }
    }

    /// Reads an object with one key, the name, and its query.
    pub(crate) fn from_value(value: &Value, key: &str) -> Result<Self, JsonError> {
        let reader = Reader::new(value, key, &["history", "outstanding"])?;
        match (reader.optional("history"), reader.optional("outstanding")) {
            (Some(query), None) => history(query, &reader.key("history")).map(Self::History),
            (None, Some(query)) => outstanding(query, &reader.key("outstanding")).map(Self::Outstanding),
            _ => Err(invalid(key, &value.to_canonical(), "must name one of `history` and `outstanding`")),
        }
    }

    pub(crate) fn to_value(&self) -> Value {
        Value::from(Object::from_iter([(self.name(), self.query().clone())]))
    }

    /// Returns how answers are reduced, unless the manifest says otherwise. `history` is the same for every operator.
    /// `outstanding` differs, and operators that saw less must not lower it.
    pub(crate) fn reduction(&self) -> Reduction {
        match self {
            Self::History(_) => Reduction::Whole(ReductionRule::Same),
            Self::Outstanding(_) => {
                Reduction::Fields(["count", "sum"].map(|field| (field.to_owned(), ReductionRule::Quorum)).into())
            }
        }
    }

    /// Returns the schema of the output: numbers are exact integers.
    pub(crate) fn schema(&self) -> Value {
        let integer = || object([("format", Value::from("uint256")), ("type", Value::from("string"))]);
        let mut properties = BTreeMap::from([("count", integer()), ("sum", integer())]);
        if let Self::History(_) = self {
            let event =
                [("args", object([("type", Value::from("object"))])), ("block", integer()), ("time", integer())];
            let events = [("items", object_schema(event)), ("type", Value::from("array"))];
            properties.extend([("events", object(events)), ("from_block", integer())]);
        }
        object_schema(properties)
    }
}

fn history(query: &Value, key: &str) -> Result<Value, JsonError> {
    let reader = Reader::new(query, key, &["address", "event", "events", "sum", "where", "window"])?;
    reader.string("event")?;
    reader.string("address")?;
    if let Some(arguments) = reader.optional("where") {
        let key = reader.key("where");
        let arguments = arguments.as_object().ok_or_else(|| json::wrong_type(&key, "an object", arguments))?;
        for (name, value) in arguments.iter() {
            json::text(&format!("{key}.{name}"), value)?;
        }
    }
    if reader.optional("sum").is_some() {
        reader.string("sum")?;
    }
    if let Some(events) = reader.optional("events")
        && !matches!(events, Value::Bool(_))
    {
        return Err(json::wrong_type(&reader.key("events"), "true or false", events));
    }
    window(reader.required("window")?, &reader.key("window"))?;
    Ok(query.clone())
}

fn window(value: &Value, key: &str) -> Result<(), JsonError> {
    let reader = Reader::new(value, key, &["blocks", "seconds"])?;
    let unit = match (reader.optional("blocks"), reader.optional("seconds")) {
        (Some(_), None) => "blocks",
        (None, Some(_)) => "seconds",
        _ => return Err(invalid(key, &value.to_canonical(), "must have one of `blocks` and `seconds`")),
    };
    match reader.integer(unit)? {
        0 => Err(invalid(reader.key(unit), "0", "is an empty window; give at least 1")),
        _ => Ok(()),
    }
}

fn outstanding(query: &Value, key: &str) -> Result<Value, JsonError> {
    let reader = Reader::new(query, key, &["function", "sum"])?;
    reader.string("function")?;
    reader.string("sum")?;
    Ok(query.clone())
}

fn object<'a>(members: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::from(members.into_iter().collect::<Object>())
}

fn object_schema<'a>(properties: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    object([("properties", object(properties)), ("type", Value::from("object"))])
}

#[cfg(test)]
mod tests {
    use super::*;

    const HISTORY: &str = r#"{"history": {"event": "event Paid(address to, uint256 amount)", "address": "task.client",
        "where": {"to": "params.to"}, "window": {"seconds": 86400}, "sum": "amount", "events": true}}"#;

    fn read(text: &str) -> Result<Builtin, JsonError> {
        Builtin::from_value(&json::parse(text.as_bytes())?, "builtin")
    }

    #[test]
    fn each_source_is_read_and_written() {
        for (text, name) in
            [(HISTORY, "history"), (r#"{"outstanding": {"function": "pay", "sum": "amount"}}"#, "outstanding")]
        {
            let builtin = read(text).unwrap();
            assert_eq!(builtin.name(), name);
            assert_eq!(builtin.to_value(), json::parse(text.as_bytes()).unwrap());
        }
    }

    #[test]
    fn a_query_that_cannot_be_answered_is_refused_with_its_key() {
        let cases = [
            (r#""history""#, r#""events""#, "`builtin.events` is unknown; the keys here are `history`, `outstanding`"),
            (r#""where": {"to": "params.to"}"#, r#""where": {"to": 1}"#, "`builtin.history.where.to` must be a string"),
            (r#""where": {"to": "params.to"}"#, r#""where": []"#, "`builtin.history.where` must be an object"),
            (r#"{"seconds": 86400}"#, r#"{"seconds": 0}"#, "is an empty window"),
            (r#"{"seconds": 86400}"#, r#"{"seconds": 1, "blocks": 1}"#, "one of `blocks` and `seconds`"),
            (r#"{"seconds": 86400}"#, r#"{"hours": 1}"#, "`builtin.history.window.hours` is unknown"),
            (r#""events": true"#, r#""events": "yes""#, "`builtin.history.events` must be true or false"),
            (r#""sum": "amount""#, r#""sum": 1"#, "`builtin.history.sum` must be a string"),
            (r#""address": "task.client","#, "", "`builtin.history.address` is missing"),
        ];
        assert!(read(HISTORY).is_ok());
        for (valid, broken, expected) in cases {
            let error = read(&HISTORY.replacen(valid, broken, 1)).expect_err(broken).to_string();
            assert!(error.contains(expected), "{broken}: {error}");
        }
        assert!(
            read(r#"{"outstanding": {"function": "pay"}}"#)
                .unwrap_err()
                .to_string()
                .contains("`builtin.outstanding.sum`")
        );
        assert!(read("{}").unwrap_err().to_string().contains("must name one of"));
    }
}
