//! `assent policy explain`: a policy in sentences, and what other parameters change.

use super::{
    files::{LocalPolicy, PolicyArguments, read_parameters},
    parameters::require_valid,
    test::tests_of,
    test_report::percent,
};
use crate::{
    ExitStatus,
    output::{self, Output},
};
use anyhow::{Result, bail};
use assent_json::Value;
use assent_policy::{
    BasisPoints, Builtin, Denial, ExecutablePolicy, Observer, Reduction, Rules, SingleRules, Source, TestOptions,
    TestOutcome, Tolerance, denials,
};
use clap::Args;
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// The options of `assent policy explain`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent policy explain treasury
  assent policy explain treasury.policy
  assent policy explain treasury --against stricter.json

With --against, it shows which parameters differ, and which of the policy's tests have another result with them. Tests
that replace the parameters have the same result.")]
pub struct Arguments {
    #[command(flatten)]
    policy: PolicyArguments,
    /// Compare with these parameters.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
}

/// Runs `assent policy explain`.
pub fn run(arguments: &Arguments, output: Output) -> Result<ExitStatus> {
    let source = arguments.policy.local()?;
    let policy = source.policy(arguments.policy.parameters.as_deref())?;
    match &arguments.against {
        None => explain(&policy, output)?,
        Some(path) => {
            if matches!(source, LocalPolicy::Bundle(_)) {
                bail!("--against runs the policy's tests, which a built policy does not have; give its folder");
            }
            let other = read_parameters(path)?;
            require_valid(&policy.with_parameters(&other)?)?;
            compare(&source, &parse(policy.parameters())?, &other, output)?;
        }
    }
    Ok(ExitStatus::Success)
}

fn explain(policy: &ExecutablePolicy, output: Output) -> Result<()> {
    let rules = Rules::parse(policy.rules())?;
    let parameters = parse(policy.parameters())?;
    let members = rules.members().iter().enumerate().map(|(index, member)| {
        let own = parameters.as_array().and_then(|array| array.get(index)).unwrap_or(&parameters);
        (member, own)
    });
    let members = members.collect::<Vec<_>>();
    let text = || {
        let mut lines = vec![format!("policy {}", policy.id())];
        if members.len() > 1 {
            lines.push(format!("A call is allowed if all of {} policies allow it.", members.len()));
        }
        for (index, (member, parameters)) in members.iter().enumerate() {
            if members.len() > 1 {
                lines.push(format!("Policy {index}:"));
            }
            lines.extend(sentences(member, parameters));
        }
        lines.push(format!("A decision takes at most {} steps.", policy.step_limit()));
        lines.join("\n")
    };
    let value = || {
        let members = members.iter().map(|(member, parameters)| member_json(member, parameters)).collect::<Vec<_>>();
        json!({ "policyId": policy.id(), "stepLimit": policy.step_limit(), "policies": members })
    };
    output.result_of(text, value)
}

fn sentences(rules: &SingleRules, parameters: &Value) -> Vec<String> {
    let mut lines = vec![format!("The package {} decides about calls of:", rules.entrypoint)];
    lines.extend(
        rules.functions.iter().map(|function| format!("  {}", function.to_string().trim_start_matches("function "))),
    );
    lines.push("Calls of other functions are denied.".into());
    if rules.sources.is_empty() {
        lines.push("It looks at nothing but the call, the task and its parameters.".into());
    }
    for (name, source) in &rules.sources {
        let within = source.within.as_ref().map(tolerance).unwrap_or_default();
        lines.push(format!("It looks at {name}: {}; {}{within}.", observer(source), reduction(&source.reduce)));
    }
    if let Some(object) = parameters.as_object().filter(|object| !object.is_empty()) {
        lines.push("Its parameters:".into());
        for (name, value) in object.iter() {
            let described = description(&rules.parameters_schema, name).map(|text| format!(": {text}"));
            lines.push(format!("  {name} = {value}{}", described.unwrap_or_default()));
        }
    }
    let denials = denials(&rules.entrypoint, &rules.modules);
    if denials.is_empty() {
        lines.push("It gives no reasons when it denies.".into());
    } else {
        lines.push("It denies with these reasons:".into());
    }
    for Denial { file, line, message, rule, .. } in &denials {
        lines.push(format!("  {message} ({file}:{line})"));
        lines.extend(rule.lines().map(|line| format!("    {}", line.replace('\t', "  "))));
    }
    lines
}

fn observer(source: &Source) -> String {
    match &source.observer {
        Observer::Component(_) if source.hosts.is_empty() => "the component asks no host".into(),
        Observer::Component(_) => format!("the component asks {}", source.hosts.join(", ")),
        Observer::Builtin(Builtin::History(query)) => history(query),
        Observer::Builtin(Builtin::Outstanding(query)) => {
            let text = |key| query.get(key).and_then(Value::as_str).unwrap_or_default();
            format!(
                "the sum of {} over the calls of {} that are allowed and not yet made",
                text("sum"),
                text("function")
            )
        }
    }
}

/// Returns what the built-in source `history` answers.
fn history(query: &Value) -> String {
    let text = |key| query.get(key).and_then(Value::as_str);
    let sum = text("sum").map_or_else(|| "the number".to_owned(), |sum| format!("the sum of {sum}"));
    let window = query.get("window").and_then(Value::as_object).into_iter().flat_map(|window| window.iter());
    let window = window.map(|(unit, length)| format!("{length} {unit}")).collect::<String>();
    let filter = query.get("where").and_then(Value::as_object).into_iter().flat_map(|filter| filter.iter());
    let filter = filter.map(|(name, value)| format!(" where {name} is {}", value.as_str().unwrap_or_default()));
    let (event, address) = (text("event").unwrap_or_default(), text("address").unwrap_or_default());
    let event = event.trim_start_matches("event ").split('(').next().unwrap_or_default();
    format!("{sum} over the events {event} of {address}{} in the last {window}", filter.collect::<String>())
}

fn reduction(reduce: &Reduction) -> String {
    match reduce {
        Reduction::Whole(rule) => format!("the operators' answers are reduced by {rule}"),
        Reduction::Fields(fields) => {
            let fields = fields.iter().map(|(field, rule)| format!("{field} by {rule}")).collect::<Vec<_>>();
            format!("of the operators' answers are reduced {}", fields.join(", "))
        }
    }
}

/// Returns when an operator does not sign.
fn tolerance(within: &Tolerance) -> String {
    let off = |own: &str, within: &BasisPoints| format!("{own} is more than {} off", percent(within.get().into()));
    let off = match within {
        Tolerance::Whole(within) => off("answer", within),
        Tolerance::Fields(fields) => {
            fields.iter().map(|(field, within)| off(field, within)).collect::<Vec<_>>().join(" or ")
        }
    };
    format!("; an operator refuses to sign if its own {off}")
}

fn description<'a>(schema: &'a Value, name: &str) -> Option<&'a str> {
    schema.get("properties")?.get(name)?.get("description")?.as_str()
}

fn member_json(rules: &SingleRules, parameters: &Value) -> serde_json::Value {
    let denials = denials(&rules.entrypoint, &rules.modules);
    let denials = denials.iter().map(
        |denial| json!({ "file": denial.file, "line": denial.line, "message": denial.message, "rule": denial.rule }),
    );
    let sources = rules.sources.iter().map(|(name, source)| (name, source_json(source)));
    json!({
        "entrypoint": rules.entrypoint,
        "functions": rules.functions.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "sources": sources.collect::<BTreeMap<_, _>>(),
        "parameters": serde_json::from_str::<serde_json::Value>(&parameters.to_canonical()).unwrap_or_default(),
        "denials": denials.collect::<Vec<_>>(),
    })
}

fn source_json(source: &Source) -> serde_json::Value {
    let plain = |value: &Value| serde_json::from_str::<serde_json::Value>(&value.to_canonical()).unwrap_or_default();
    let mut json = match &source.observer {
        Observer::Component(hash) => json!({ "hosts": source.hosts, "component": hash }),
        Observer::Builtin(builtin) => json!({ "builtin": { builtin.name(): plain(builtin.query()) } }),
    };
    if let Some(within) = &source.within {
        json["within"] = plain(&within.to_value());
    }
    json
}

/// Shows which parameters differ, and which tests have another result.
fn compare(source: &LocalPolicy, one: &Value, other: &Value, output: Output) -> Result<()> {
    let differences = differences(one, other);
    let (before, after) = (outcomes(source, one)?, outcomes(source, other)?);
    let changed = before.iter().filter_map(|(name, outcome)| {
        let new = after.get(name).filter(|new| *new != outcome)?;
        Some((name, outcome.clone(), new.clone()))
    });
    let changed = changed.collect::<Vec<_>>();
    let text = || {
        let mut lines = Vec::new();
        match differences.as_slice() {
            [] => lines.push("the parameters are the same".to_owned()),
            differences => lines.extend(differences.iter().map(|(key, from, to)| format!("{key}: {from} → {to}"))),
        }
        lines.push({
            let tests = output::counted(before.len(), "test", "tests");
            format!("{} of {tests} {} another result", changed.len(), if changed.len() == 1 { "has" } else { "have" })
        });
        lines.extend(changed.iter().map(|(name, from, to)| format!("  {name}: {from} → {to}")));
        if changed.is_empty() && !differences.is_empty() {
            lines.push("tests that replace data.params do not see the difference".to_owned());
        }
        lines.join("\n")
    };
    let value = || {
        let differences = differences.iter().map(|(key, from, to)| json!({ "parameter": key, "from": from, "to": to }));
        let changed = changed.iter().map(|(name, from, to)| json!({ "test": name, "from": from, "to": to }));
        json!({ "parameters": differences.collect::<Vec<_>>(), "tests": changed.collect::<Vec<_>>() })
    };
    output.result_of(text, value)
}

/// Returns the keys whose values differ, with both values. Those of a conjunction's policies have its index first.
fn differences(one: &Value, other: &Value) -> Vec<(String, String, String)> {
    let (one, other) = (by_key(one), by_key(other));
    let shown =
        |values: &BTreeMap<String, String>, key: &str| values.get(key).cloned().unwrap_or_else(|| "nothing".to_owned());
    let keys = one.keys().chain(other.keys()).cloned().collect::<BTreeSet<_>>();
    let differences = keys.into_iter().map(|key| (shown(&one, &key), shown(&other, &key), key));
    differences.filter(|(one, other, _)| one != other).map(|(one, other, key)| (key, one, other)).collect()
}

fn by_key(parameters: &Value) -> BTreeMap<String, String> {
    let members = |prefix: String, value: &Value| {
        let object = value.as_object().into_iter().flat_map(|object| object.iter());
        object.map(|(key, value)| (format!("{prefix}{key}"), value.to_canonical())).collect::<Vec<_>>()
    };
    match parameters.as_array() {
        None => members(String::new(), parameters).into_iter().collect(),
        Some(all) => all.iter().enumerate().flat_map(|(index, value)| members(format!("{index}."), value)).collect(),
    }
}

/// Returns the result of each test with some parameters.
fn outcomes(source: &LocalPolicy, parameters: &Value) -> Result<BTreeMap<String, String>> {
    let source = match source {
        LocalPolicy::Folder(folder) => {
            let mut folder = folder.clone();
            folder.parameters = parameters.clone();
            LocalPolicy::Folder(folder)
        }
        LocalPolicy::Conjunction(conjunction) => {
            let mut conjunction = conjunction.clone();
            conjunction.parameters = Some(parameters.clone());
            LocalPolicy::Conjunction(conjunction)
        }
        LocalPolicy::Bundle(_) => bail!("a built policy has no tests"),
    };
    let report = tests_of(&source, &TestOptions::default())?;
    let outcome = |outcome: TestOutcome| match outcome {
        TestOutcome::Pass => "pass".to_owned(),
        TestOutcome::Fail => "fail".to_owned(),
        TestOutcome::Skip => "skipped".to_owned(),
        TestOutcome::Error(message) => format!("error: {message}"),
    };
    let named = |module: &str, name: String| match module.split_once('/') {
        Some((index, _)) => format!("{index}/{name}"),
        None => name,
    };
    let tests = report.tests.into_iter();
    Ok(tests.map(|test| (named(&test.module, test.name), outcome(test.outcome))).collect())
}

fn parse(parameters: &str) -> Result<Value> {
    Ok(assent_json::parse(parameters.as_bytes())?)
}
