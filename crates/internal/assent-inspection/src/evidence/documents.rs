//! The documents of an evidence file, as people read them.

use super::{Document, DocumentField};
use crate::{Abi, abi::text, moment::moment};
use alloy_primitives::{Bytes, hex};
use assent_json::Value;
use assent_policy::{EvidenceFile, Observer, PolicyInput, Rules, SingleRules, Source};

/// Returns the file's documents.
pub(super) fn of(file: &EvidenceFile) -> Vec<Document> {
    let rules = Rules::parse(file.policy.rules()).ok();
    let members = rules.as_ref().map(Rules::members).unwrap_or_default();
    let mut documents: Vec<Document> = members
        .iter()
        .enumerate()
        .map(|(index, member)| {
            let title = if members.len() == 1 { "Rules".to_owned() } else { format!("Rules of policy {index}") };
            document(title, rules_of(member))
        })
        .collect();
    documents.push(document("Parameters", vec![json("parameters", file.policy.parameters())]));
    documents.push(document("Input", input(file, members)));
    documents.push(document("Observations", observations(&file.data)));
    documents.push(document("Result", result(&file.result)));
    if let Some(signatures) = &file.observations {
        documents.push(document("Signatures of observations", vec![json("observations", &signatures.to_canonical())]));
    }
    if let Some(attestation) = &file.attestation {
        documents.push(document("Attestation", vec![json("attestation", &attestation.to_canonical())]));
    }
    documents.push(document("Hashes", hashes(file)));
    documents
}

fn document(title: impl Into<String>, fields: Vec<DocumentField>) -> Document {
    Document { title: title.into(), fields }
}

fn field(name: impl Into<String>, value: impl ToString) -> DocumentField {
    DocumentField { name: name.into(), value: value.to_string(), note: None, is_text: false }
}

fn lines(name: impl Into<String>, value: impl ToString) -> DocumentField {
    DocumentField { is_text: true, ..field(name, value) }
}

fn noted(field: DocumentField, note: impl Into<String>) -> DocumentField {
    DocumentField { note: Some(note.into()), ..field }
}

/// Returns a text in JSON, indented; one that is no JSON stays as it is.
fn json(name: &str, text: &str) -> DocumentField {
    let value = serde_json::from_str::<serde_json::Value>(text);
    lines(name, value.and_then(|value| serde_json::to_string_pretty(&value)).unwrap_or_else(|_| text.to_owned()))
}

fn rules_of(rules: &SingleRules) -> Vec<DocumentField> {
    let functions = rules.functions.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut fields = vec![field("entrypoint", &rules.entrypoint), lines("functions", functions.join("\n"))];
    fields.extend(rules.modules.iter().map(|(name, text)| lines(name, text)));
    fields.push(json("parametersSchema", &rules.parameters_schema.to_canonical()));
    fields.extend(rules.sources.iter().map(|(name, source)| of_source(name, source)));
    fields
}

fn of_source(name: &str, source: &Source) -> DocumentField {
    let Source { observer, hosts, schema, .. } = source;
    let note = match observer {
        Observer::Component(component) => {
            let hosts = if hosts.is_empty() { "no host".to_owned() } else { hosts.join(", ") };
            format!("component {component}, may ask {hosts}")
        }
        Observer::Builtin(builtin) => format!("built in: {} {}", builtin.name(), builtin.query().to_canonical()),
    };
    noted(json(&format!("source {name}"), &schema.to_canonical()), note)
}

fn input(file: &EvidenceFile, members: &[SingleRules]) -> Vec<DocumentField> {
    let PolicyInput { intent, policy_client, nonce, block, .. } = match file.policy_input() {
        Ok(input) => input,
        Err(error) => return vec![noted(field("input", hex::encode_prefixed(&file.input)), error.to_string())],
    };
    let mut fields = vec![
        field("from", intent.from),
        field("to", intent.to),
        field("value", intent.value),
        field("chainId", intent.chainId),
        field("data", &intent.data),
    ];
    fields.extend(call(&intent.data, members));
    let time = u64::try_from(block.timestamp).map_or_else(|_| block.timestamp.to_string(), moment);
    fields.extend([
        field("policyClient", policy_client),
        field("nonce", nonce),
        field("blockNumber", block.number),
        field("blockHash", block.hash),
        field("blockTimestamp", time),
    ]);
    fields
}

/// Returns the function that the calldata names, with its arguments.
fn call(data: &Bytes, members: &[SingleRules]) -> Vec<DocumentField> {
    let mut functions = members.iter().flat_map(|member| &member.functions);
    let function = functions.find(|function| match function.selector() {
        Some(selector) => data.starts_with(selector.as_slice()),
        None => data.is_empty(),
    });
    let Some(function) = function else {
        return vec![noted(field("function", "unknown"), "the rules do not name it")];
    };
    let named = field("function", function.signature());
    if function.is_receive() {
        return vec![named];
    }
    let abi = function.to_string().parse::<Abi>().ok();
    let Some(decoded) = abi.as_ref().and_then(|abi| abi.decode(data)) else {
        return vec![noted(named, "the calldata does not decode")];
    };
    let arguments = decoded.function.inputs.iter().zip(&decoded.arguments).enumerate();
    let arguments = arguments.map(|(index, (parameter, value))| {
        let name = if parameter.name.is_empty() { index.to_string() } else { parameter.name.clone() };
        noted(field(format!("argument {name}"), text(value)), parameter.ty.clone())
    });
    core::iter::once(named).chain(arguments).collect()
}

fn observations(data: &str) -> Vec<DocumentField> {
    if data.is_empty() {
        return vec![field("sources", "none")];
    }
    let Ok(value) = assent_json::parse(data.as_bytes()) else {
        return vec![noted(lines("data", data), "not what observations are")];
    };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_canonical(), str::to_owned);
    let mut fields: Vec<_> =
        value.get("requiredWeight").map(|weight| field("requiredWeight", text(weight))).into_iter().collect();
    let sources = value.get("sources").and_then(Value::as_object);
    for (name, outputs) in sources.into_iter().flat_map(|sources| sources.iter()) {
        for output in outputs.as_array().unwrap_or_default() {
            let observed = output.get("output").map(Value::to_canonical).unwrap_or_default();
            let observers = output.get("observers").and_then(Value::as_object);
            let observers = observers.into_iter().flat_map(|observers| observers.iter());
            let observers = observers.map(|(operator, weight)| format!("{operator} (weight {})", text(weight)));
            let observers = observers.collect::<Vec<_>>().join(", ");
            fields.push(noted(json(&format!("data.wasm.{name}"), &observed), format!("observed by {observers}")));
        }
    }
    if fields.is_empty() { vec![json("data", data)] } else { fields }
}

fn result(result: &[u8]) -> Vec<DocumentField> {
    let Some((decision, answer)) = result.split_first() else {
        return vec![noted(field("result", "empty"), "the evaluator trapped, or reached the step limit")];
    };
    let decision = noted(field("decision byte", decision), if *decision == 1 { "allow" } else { "deny" });
    let answer = match str::from_utf8(answer) {
        Ok(answer) => json("answer", answer),
        Err(_) => noted(field("answer", hex::encode_prefixed(answer)), "not text"),
    };
    vec![decision, answer]
}

fn hashes(file: &EvidenceFile) -> Vec<DocumentField> {
    let mut fields = vec![
        noted(field("policyId", file.policy_id), "as the file claims"),
        noted(field("evidence", file.evidence), "as the file claims"),
        field("image", file.policy.image()),
        field("stepLimit", file.policy.step_limit()),
    ];
    if let Some(roots) = file.roots() {
        fields.extend([
            noted(field("rules", roots.rules_hash()), "image, content and step limit"),
            field("rules content", roots.rules),
            field("parameters", roots.parameters),
            field("input", roots.input),
            field("data", roots.data),
            noted(field("result", roots.result), "as the file claims"),
        ]);
    }
    fields
}
