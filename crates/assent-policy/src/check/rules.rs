//! What a policy as a whole must have.

use super::{
    Finding,
    parse::parse,
    program::Program,
    schema,
    syntax::{RuleKind, Span},
    types::{Text, Type},
    walk::{Environment, Walker},
};
use crate::{folder::PolicyFolder, manifest::SourceManifest};
use assent_json::Value;
use assent_rules::{AbiType, Function, Parameter, Tolerance};
use std::collections::BTreeMap;

/// Checks a policy.
pub(super) fn check(folder: &PolicyFolder) -> Vec<Finding> {
    let mut findings = schema_findings(folder);
    for (file, text) in &folder.tests {
        findings.extend(parse(file, text).err());
    }
    let mut modules = Vec::new();
    for (file, text) in &folder.modules {
        match parse(file, text) {
            Ok(module) => modules.push((file.clone(), module)),
            Err(finding) => findings.push(finding),
        }
    }
    // Names of a module that does not parse would be unknown.
    if modules.len() < folder.modules.len() {
        return findings;
    }
    let program = Program::new(modules);
    findings.extend(entrypoint_findings(folder, &program));
    findings.extend(test_findings(&program));
    let environment = environment(folder);
    let mut walker = Walker::new(&program, &environment);
    walker.walk();
    findings.extend(walker.into_findings());
    findings
}

fn schema_findings(folder: &PolicyFolder) -> Vec<Finding> {
    let at_start = |file: &str| {
        let file = file.to_owned();
        move |message| Finding { file: file.clone(), line: 1, column: 1, message }
    };
    let mut findings = schema::unreachable_formats(&folder.parameters_schema);
    let mut findings = findings.drain(..).map(at_start("parameters.schema.json")).collect::<Vec<_>>();
    for (name, source) in &folder.manifest.sources {
        let below = |message| format!("sources.{name}.schema: {message}");
        let found = schema::unreachable_formats(&source.schema).into_iter().map(below);
        findings.extend(found.map(at_start("policy.json")));
        findings.extend(tolerance_findings(name, source).into_iter().map(at_start("policy.json")));
    }
    findings
}

/// Returns what has a tolerance, but is no integer by the schema: it is never reduced, and every call is denied.
fn tolerance_findings(name: &str, source: &SourceManifest) -> Vec<String> {
    let finding = |key: &str, schema: Option<&Value>| {
        let ty = schema.map_or(Type::Unknown, schema::type_of);
        let expected = "the schema must make an integer of it: \"type\": \"string\" with \"format\": \"uint256\" or \
                        \"int256\", or \"type\": \"integer\"";
        (!matches!(ty, Type::Number | Type::Unknown)).then(|| format!("sources.{name}.{key}: {expected}"))
    };
    match &source.within {
        None => Vec::new(),
        Some(Tolerance::Whole(_)) => finding("within", Some(&source.schema)).into_iter().collect(),
        Some(Tolerance::Fields(fields)) => {
            let properties = source.schema.get("properties");
            let of_field = |field: &String| {
                finding(&format!("within.{field}"), properties.and_then(|properties| properties.get(field)))
            };
            fields.keys().filter_map(of_field).collect()
        }
    }
}

fn entrypoint_findings(folder: &PolicyFolder, program: &Program) -> Vec<Finding> {
    let entrypoint = &folder.manifest.entrypoint;
    let in_manifest = |message: String| Finding { file: "policy.json".into(), line: 1, column: 1, message };
    let Some(rules) = program.packages.get(entrypoint) else {
        let packages = program.packages.keys().map(|package| format!("{package:?}")).collect::<Vec<_>>().join(", ");
        return vec![in_manifest(format!(
            "no module has the package {entrypoint:?} of `entrypoint`; there is {packages}"
        ))];
    };
    let mut findings = Vec::new();
    match rules.get("allow") {
        None => findings.push(in_manifest(format!(
            "the package {entrypoint:?} has no rule `allow`, so that every call is denied; write `default allow := \
             false` and `allow if …`"
        ))),
        Some(allow) if !matches!(allow.kind(), RuleKind::Value | RuleKind::Default) => {
            findings.extend(allow.definitions.iter().map(|(module, rule)| {
                finding(program, *module, &rule.span, "`allow` must be true or false; write `allow if …`".into())
            }));
        }
        Some(_) => {}
    }
    for (module, rule) in rules.get("deny").map(|deny| deny.definitions.as_slice()).unwrap_or_default() {
        if rule.kind != RuleKind::Set {
            let message = "`deny` must be a set of messages; write `deny contains \"…\" if …`".into();
            findings.push(finding(program, *module, &rule.span, message));
        }
    }
    findings
}

/// Refuses rules of tests in modules that are built.
fn test_findings(program: &Program) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, info) in program.modules.iter().enumerate() {
        for rule in &info.rules {
            let name = rule.name();
            if name.starts_with("test_") || name.starts_with("todo_test_") {
                let message =
                    format!("`{name}` is a test, which would be built into the policy; move it to a file …_test.rego");
                findings.push(finding(program, index, &rule.span, message));
            }
        }
    }
    findings
}

fn finding(program: &Program, module: usize, span: &Span, message: String) -> Finding {
    let file = program.modules.get(module).map(|info| info.file.clone()).unwrap_or_default();
    Finding { file, line: span.line, column: span.column, message }
}

/// Returns what the rules can refer to, with its types.
fn environment(folder: &PolicyFolder) -> Environment {
    let functions = &folder.manifest.functions;
    let object = |fields: &[(&str, Type)]| {
        Type::Object(fields.iter().map(|(name, ty)| ((*name).to_owned(), ty.clone())).collect(), None)
    };
    let (address, bytes) = (Type::Text(Text::Address), Type::Text(Text::Bytes));
    let intent = object(&[
        ("from", address.clone()),
        ("to", address.clone()),
        ("value", Type::Number),
        ("data", bytes.clone()),
        ("chain_id", Type::Number),
    ]);
    let call = object(&[
        ("function", Type::Text(Text::Function)),
        ("signature", Type::Text(Text::Signature)),
        ("args", arguments(functions)),
    ]);
    let task = object(&[
        ("client", address),
        ("nonce", Type::Number),
        ("time", Type::Number),
        ("block", Type::Number),
        ("block_hash", bytes),
    ]);
    let sources = folder.manifest.sources.iter();
    Environment {
        input: object(&[("intent", intent), ("call", call), ("task", task)]),
        parameters: schema::object_type(&folder.parameters_schema),
        sources: sources.map(|(name, source)| (name.clone(), schema::type_of(&source.schema))).collect(),
        functions: functions.iter().map(|function| function.name.clone()).collect(),
        signatures: functions.iter().map(Function::signature).collect(),
    }
}

/// Returns the type of the arguments of any of the functions.
fn arguments(functions: &[Function]) -> Type {
    let mut fields = BTreeMap::<String, Type>::new();
    for (name, ty) in functions.iter().flat_map(|function| parameter_types(&function.parameters)) {
        let joined = match fields.remove(&name) {
            Some(other) => other.join(ty),
            None => ty,
        };
        fields.insert(name, joined);
    }
    Type::Object(fields, None)
}

fn parameter_types(parameters: &[Parameter]) -> Vec<(String, Type)> {
    let named = parameters.iter().enumerate().map(|(index, parameter)| {
        let name = if parameter.name.is_empty() { index.to_string() } else { parameter.name.clone() };
        (name, abi_type(&parameter.ty))
    });
    named.collect()
}

fn abi_type(ty: &AbiType) -> Type {
    match ty {
        AbiType::Uint(_) | AbiType::Int(_) => Type::Number,
        AbiType::Address => Type::Text(Text::Address),
        AbiType::Bool => Type::Boolean,
        AbiType::Bytes | AbiType::FixedBytes(_) => Type::Text(Text::Bytes),
        AbiType::String => Type::Text(Text::Any),
        AbiType::Array(element) | AbiType::FixedArray(element, _) => Type::Array(Box::new(abi_type(element))),
        AbiType::Tuple(members) => Type::Object(parameter_types(members).into_iter().collect(), None),
    }
}
