//! Tests and queries: what rules answer when nothing is decided.
//!
//! The decision byte is always 0, so that a trial is never taken for a decision.

use crate::{
    documents::{Regions, data_document, input_document, parse},
    reason::{Kind, Reason, result_of},
    rego,
    rules::{Query, Rules, Trial},
    scan,
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use assent_json::{Object, Value as Json};
use regex::Regex;
use regorus::{Engine, Value};

/// The most bytes of the result region's content.
const CAPACITY: usize = 64 * 1024 - 4;

/// Returns the content of the result region for tests or a query.
pub(crate) fn run(rules: &Rules, trial: &Trial, regions: &Regions<'_>) -> Vec<u8> {
    let answer = match &trial.query {
        Some(query) => answer(rules, query),
        None => test(rules, trial, regions),
    };
    let content = match answer {
        Ok(answer) => [&[0], answer.to_canonical().as_bytes()].concat(),
        Err(reason) => return result_of([reason].into()),
    };
    if content.len() <= CAPACITY {
        return content;
    }
    result_of([Reason::new(Kind::Result, "the results are longer than 64 KiB")].into())
}

/// Runs the rules that are named as tests.
fn test(rules: &Rules, trial: &Trial, regions: &Regions<'_>) -> Result<Json, Reason> {
    let mut engine = rego::engine(rules, true).map_err(|error| Reason::new(Kind::Rules, error))?;
    let selected = selected(rules, trial, &engine)?;
    let parameters = parse(regions.parameters, Kind::Parameters)?;
    if parameters.is_some() {
        let data = parse(regions.data, Kind::Data)?;
        engine.add_data(data_document(rules, parameters, data)?).map_err(evaluation)?;
    }
    if !regions.input.is_empty() {
        engine.set_input(input_document(rules, regions.input)?);
    }
    engine.set_enable_coverage(trial.coverage);
    let tests: Vec<Json> = selected.into_iter().map(|test| test.run(&mut engine)).collect();
    let mut answer = Object::new();
    answer.insert("tests", tests);
    if trial.coverage {
        answer.insert("coverage", coverage(&engine)?);
    }
    Ok(answer.into())
}

struct Test<'a> {
    module: &'a str,
    /// The rule, from `data` on.
    path: String,
    is_todo: bool,
}

/// Returns the tests that are to run: all, or those whose path matches.
fn selected<'a>(rules: &'a Rules, trial: &Trial, engine: &Engine) -> Result<Vec<Test<'a>>, Reason> {
    let pattern = trial.run.as_deref().map(Regex::new).transpose();
    let pattern = pattern.map_err(|error| Reason::new(Kind::Rules, format!("`run` is not a pattern: {error}")))?;
    let packages = rego::packages(engine).map_err(|error| Reason::new(Kind::Rules, error))?;
    let mut selected: Vec<Test<'a>> = Vec::new();
    for (module, package) in rules.modules.iter().zip(packages) {
        for name in scan::tests(&module.text) {
            let path = format!("data.{}.{name}", package.join("."));
            let matches = pattern.as_ref().is_none_or(|pattern| pattern.is_match(&path));
            if matches && selected.iter().all(|test| test.path != path) {
                selected.push(Test { module: &module.name, path, is_todo: name.starts_with("todo_") });
            }
        }
    }
    Ok(selected)
}

impl Test<'_> {
    fn run(self, engine: &mut Engine) -> Json {
        let mut result = Object::new();
        let outcome = if self.is_todo { Ok("skip") } else { engine.eval_rule(self.path.clone()).map(verdict) };
        match outcome {
            Ok(outcome) => result.insert("result", outcome),
            Err(error) => {
                result.insert("message", rego::describe(error));
                result.insert("result", "error")
            }
        };
        result.insert("module", self.module);
        result.insert("name", self.path);
        result.into()
    }
}

/// A test passes if its value is neither undefined nor false.
fn verdict(value: Value) -> &'static str {
    match value {
        Value::Undefined | Value::Bool(false) => "fail",
        _ => "pass",
    }
}

/// Returns, for each module, the lines that were evaluated, and those that could have been.
fn coverage(engine: &Engine) -> Result<Vec<Json>, Reason> {
    let report = engine.get_coverage_report().map_err(evaluation)?;
    let lines = |lines: alloc::collections::BTreeSet<u32>| lines.into_iter().collect::<Vec<_>>();
    let files = report.files.into_iter().map(|file| {
        let mut covered = Object::new();
        covered.insert("covered", lines(file.covered));
        covered.insert("module", file.path);
        covered.insert("notCovered", lines(file.not_covered));
        covered.into()
    });
    Ok(files.collect())
}

/// Answers a query: its results, or its error.
fn answer(rules: &Rules, query: &Query) -> Result<Json, Reason> {
    let mut answer = Object::new();
    match results(rules, query) {
        // As text, since values of the rules need not be integers.
        Ok(results) => answer.insert("results", results),
        Err(error) => answer.insert("error", error),
    };
    Ok(answer.into())
}

/// Returns the variables of each result, or the value of the query if it has none.
fn results(rules: &Rules, query: &Query) -> Result<String, String> {
    let mut engine = rego::engine(rules, query.strict)?;
    if let Some(data) = &query.data {
        let data = Value::from_json_str(data).map_err(rego::describe)?;
        engine.add_data(data).map_err(rego::describe)?;
    }
    if let Some(input) = &query.input {
        let input = engine.eval_query(input.clone(), false).map_err(rego::describe)?;
        let value = input.result.into_iter().next_back().and_then(|mut result| result.expressions.pop());
        engine.set_input(value.ok_or("the input has no value")?.value);
    }
    let results = engine.eval_query(query.text.clone(), false).map_err(rego::describe)?;
    let values = results.result.into_iter().map(|mut result| match result.bindings.as_object() {
        Ok(bindings) if !bindings.is_empty() => result.bindings,
        _ => result.expressions.pop().map_or(Value::Undefined, |expression| expression.value),
    });
    Ok(Value::from(values.collect::<Vec<_>>()).to_string())
}

fn evaluation(error: impl core::fmt::Display) -> Reason {
    Reason::new(Kind::Evaluation, rego::describe(error.to_string()))
}
