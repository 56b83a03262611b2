//! Rego: an engine with the rules of a policy, and what it answers.

use crate::{
    builtins,
    reason::{Kind, Reason, Reasons},
    rules::{self, Rules, SYNTHETIC_PACKAGE},
    scan,
};
use alloc::{
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};
use core::num::NonZero;
use regorus::{Engine, PolicyLengthConfig, Value};

/// Returns an engine with the modules of these rules. With `strict`, as a decision is made: an error of a builtin ends
/// the evaluation. Calls of builtins that are refused are found before it. Otherwise as OPA does.
///
/// # Errors
///
/// What is wrong with the rules.
pub(crate) fn engine(rules: &Rules, strict: bool) -> Result<Engine, String> {
    let mut engine = Engine::new();
    engine.set_strict_builtin_errors(strict);
    // The rules region bounds the length of a line too.
    engine
        .set_policy_length_config(PolicyLengthConfig { max_col: NonZero::<u32>::MAX, ..PolicyLengthConfig::default() });
    builtins::add(&mut engine, strict).map_err(describe)?;
    for module in &rules.modules {
        if strict {
            scan::require_no_refused_call(&module.name, &module.text)?;
        }
        engine.add_policy(module.name.clone(), module.text.clone()).map_err(describe)?;
    }
    for (module, package) in rules.modules.iter().zip(packages(&engine)?) {
        let root = package.first().map(String::as_str).unwrap_or_default();
        if rules::is_reserved(root) {
            return Err(format!("{}: a package cannot begin with `{root}`: `data.{root}` is reserved", module.name));
        }
    }
    Ok(engine)
}

/// Returns the parts of each module's package, in the order of the modules.
pub(crate) fn packages(engine: &Engine) -> Result<Vec<Vec<String>>, String> {
    let packages = engine.get_policy_package_components().map_err(describe)?;
    Ok(packages.into_iter().map(|package| package.components).collect())
}

/// Returns why the rules deny; nothing if they allow.
///
/// One rule asks for both, so that what they share is evaluated once.
pub(crate) fn decide(mut engine: Engine, entrypoint: &str, input: Value, data: Value) -> Reasons {
    let text = format!(
        "package {SYNTHETIC_PACKAGE}\nanswer := [[x | x := data.{entrypoint}.allow], [x | x := data.{entrypoint}.deny]]"
    );
    let evaluation = |error| vec![Reason::new(Kind::Evaluation, describe(error))];
    if let Err(error) = engine.add_policy("the decision".to_string(), text) {
        return vec![Reason::new(Kind::Rules, describe(error))];
    }
    if let Err(error) = engine.add_data(data) {
        return evaluation(error);
    }
    engine.set_input(input);
    let reasons = match engine.eval_rule(format!("data.{SYNTHETIC_PACKAGE}.answer")) {
        Ok(answer) => reasons(&answer, entrypoint),
        Err(error) => evaluation(error),
    };
    leave(engine);
    reasons
}

/// Drops an engine. On the machine it is left as it is: a tenth of a small decision is saved, and the memory ends with
/// the program.
fn leave(engine: Engine) {
    if cfg!(target_os = "none") {
        core::mem::forget(engine);
    }
}

/// Reads the answer: `allow` and `deny`, each in an array that is empty if it is undefined.
fn reasons(answer: &Value, entrypoint: &str) -> Reasons {
    let defined = |index: usize| {
        let values =
            answer.as_array().ok().and_then(|answer| answer.get(index)).and_then(|values| values.as_array().ok());
        values.and_then(|values| values.first())
    };
    let denied = match defined(1) {
        None => Reasons::new(),
        Some(Value::Set(messages)) => {
            messages.iter().map(|message| Reason::new(Kind::Denied, shown(message))).collect()
        }
        Some(other) => {
            let message = format!("`data.{entrypoint}.deny` must be a set of strings, not {other}");
            vec![Reason::new(Kind::Evaluation, message)]
        }
    };
    if !denied.is_empty() {
        return denied;
    }
    match defined(0) {
        Some(Value::Bool(true)) => Reasons::new(),
        Some(other) => vec![Reason::new(Kind::NotAllowed, format!("`data.{entrypoint}.allow` is {other}, not true"))],
        None => vec![Reason::new(Kind::NotAllowed, format!("`data.{entrypoint}.allow` is undefined"))],
    }
}

/// Returns a message of the rules: a string as it is, anything else as JSON.
fn shown(message: &Value) -> String {
    match message {
        Value::String(text) => text.to_string(),
        _ => message.to_string(),
    }
}

/// Returns an error of regorus on one line: file, line and column, and what is wrong.
pub(crate) fn describe(error: impl ToString) -> String {
    let text = error.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let position = lines.iter().find_map(|line| line.strip_prefix("--> "));
    let message = lines.iter().rev().find_map(|line| line.strip_prefix("error: "));
    match (position, message) {
        (Some(position), Some(message)) => format!("{position}: {message}"),
        _ => lines.join(" "),
    }
}
