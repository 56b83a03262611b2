//! The OpenRPC document, made of the table that dispatches and of the schemas.

use std::sync::LazyLock;

use assent_json::{Object, Value};

use super::methods::{METHODS, MethodSpec, ParameterSpec};

/// The schemas of parameters and results, by name.
const SCHEMAS: &str = include_str!("schemas.json");

static DOCUMENT: LazyLock<String> = LazyLock::new(|| build().to_canonical());

/// Returns the document: canonical JSON.
pub fn document() -> &'static str {
    &DOCUMENT
}

fn build() -> Value {
    // A test parses them.
    let schemas = assent_json::parse(SCHEMAS.as_bytes()).unwrap_or_default();
    let methods: Vec<Value> = METHODS.iter().map(method).collect();
    object([
        ("components", object([("schemas", schemas)])),
        (
            "info",
            object([
                ("title", Value::from("Assent gateway")),
                ("version", Value::from(env!("CARGO_PKG_VERSION"))),
                ("license", object([("name", Value::from(env!("CARGO_PKG_LICENSE")))])),
            ]),
        ),
        ("methods", Value::from(methods)),
        ("openrpc", Value::from("1.3.2")),
    ])
}

fn method(spec: &MethodSpec) -> Value {
    let parameters: Vec<Value> = spec.parameters.iter().map(parameter).collect();
    object([
        ("name", Value::from(spec.name)),
        ("paramStructure", Value::from("either")),
        ("params", Value::from(parameters)),
        ("result", object([("name", Value::from("result")), ("schema", reference(spec.result))])),
        ("summary", Value::from(spec.summary)),
    ])
}

fn parameter(spec: &ParameterSpec) -> Value {
    object([
        ("name", Value::from(spec.name)),
        ("required", Value::from(spec.required)),
        ("schema", reference(spec.schema)),
        ("summary", Value::from(spec.summary)),
    ])
}

fn reference(schema: &str) -> Value {
    object([("$ref", Value::from(format!("#/components/schemas/{schema}")))])
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::from(Object::from_iter(members))
}
