//! The OpenRPC document describes what the gateway answers.

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::world::{TestGateway, run};

/// Returns the document with which answers are compared.
pub fn document() -> Value {
    serde_json::from_str(assent_gateway::openrpc_document()).unwrap()
}

/// Returns a validator of a schema of the document.
pub fn validator(schema: &str) -> Validator {
    let mut root = document();
    root["$ref"] = json!(format!("#/components/schemas/{schema}"));
    jsonschema::validator_for(&root).unwrap()
}

/// Requires that a value is as a schema says.
pub fn require(schema: &str, value: &Value) {
    let errors: Vec<_> = validator(schema).iter_errors(value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{schema}: {errors:?}: {value}");
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_used() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let text = document.to_string();
    for part in text.split("#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name}");
    }
    for name in schemas.keys() {
        assert!(text.contains(&format!("#/components/schemas/{name}\"")), "{name} is not used");
    }
}

#[test]
fn the_committed_document_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openrpc.json");
    let text = serde_json::to_string_pretty(&document()).unwrap() + "\n";
    if std::env::var_os("WRITE_OPENRPC").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(committed == text, "openrpc.json is out of date: run this with WRITE_OPENRPC=1, then `npm run generate`");
}

#[test]
fn the_document_is_served_and_names_every_method() {
    run(async {
        let gateway = TestGateway::start().await;
        let served = gateway.http.get(format!("{}/openrpc.json", gateway.url)).send().await.unwrap();
        let served: Value = serde_json::from_slice(&served.bytes().await.unwrap()).unwrap();
        assert_eq!(served, document());
        assert_eq!(gateway.call("rpc.discover", json!([])).await, Ok(document()));
        let methods = served["methods"].as_array().unwrap();
        for method in methods {
            let name = method["name"].as_str().unwrap();
            let answer = gateway.call(name, json!({})).await;
            // Each is there: without parameters it answers, or says which is missing.
            let required = method["params"].as_array().unwrap().iter().find(|parameter| parameter["required"] == true);
            match (answer, required) {
                (Ok(result), None) => {
                    let schema = method["result"]["schema"]["$ref"].as_str().unwrap();
                    require(schema.rsplit('/').next().unwrap(), &result);
                }
                (Err(error), Some(parameter)) => {
                    let message = format!("the parameter {} is missing", parameter["name"].as_str().unwrap());
                    assert_eq!(error["message"], message, "{name}");
                }
                (answer, _) if name == "assent_subscribe" => assert_eq!(answer.unwrap_err()["code"], -32602),
                (answer, _) => panic!("{name}: {answer:?}"),
            }
        }
        assert!(methods.len() >= 11);
    });
}
