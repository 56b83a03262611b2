//! A policy of recorded calls: the narrowest lists and limits that allow them, with tests.
//!
//! Calls are grouped by target and function. In each group the chain, the caller, the value and every argument are
//! limited by themselves: to the recorded values, or to the recorded maximum. What is not recorded is denied, and what
//! is not limited is said.

mod group;
mod limits;
mod misses;
mod rego;
mod values;

use crate::{
    check::{Finding, check},
    evaluation::{EvaluationError, Reason, evaluate},
    folder::{BuildError, FolderError, PolicyFolder},
    input::{PolicyInput, ReferenceBlock},
    policy::ExecutablePolicy,
    testing::{TestError, TestOptions, TestOutcome, run_tests},
};
use alloy_primitives::{Address, B256, U256};
use assent_json::{Object, Value};
use assent_machine::Image;
use assent_rules::{AbiType, Function, Parameter};
use assent_types::{Decision, Intent};
use group::{Group, Target, groups};
use limits::{Limit, object_of, schemas_of, string, values_of};
use misses::misses;
use std::collections::{BTreeMap, BTreeSet};
use values::text;

/// The most tests of recorded calls in the folder; the machine decides about all recorded calls in any case.
const MAX_RECORDED_TESTS: usize = 200;
/// The most tests of near misses in the folder.
const MAX_MISS_TESTS: usize = 200;

/// How narrow a suggested policy is.
// Complete: each option has a default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuggestionOptions {
    /// The most values that are listed. An argument of which more were recorded is not limited.
    pub max_list: usize,
    /// Integer arguments whose values are listed rather than limited by their maximum, as in `buy.item` or
    /// `fill.orders[].market`. Integers of less than 64 bits always are, if they are few.
    pub exact: Vec<String>,
}

impl Default for SuggestionOptions {
    fn default() -> Self {
        Self { max_list: 16, exact: Vec::new() }
    }
}

/// A suggested policy.
#[derive(Debug, Clone)]
pub struct Suggestion {
    files: BTreeMap<String, String>,
    recorded: Vec<Intent>,
    tested: usize,
    near_misses: Vec<NearMiss>,
    limits: Vec<SuggestedLimit>,
}

/// A call that differs from a recorded one in one thing, and must be denied.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NearMiss {
    /// What differs.
    pub change: String,
    /// The call.
    pub intent: Intent,
}

/// One limit of a suggested policy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SuggestedLimit {
    /// The target.
    pub target: Address,
    /// The function's signature.
    pub signature: String,
    /// What is limited: `chain`, `caller`, `value`, or an argument.
    pub what: String,
    /// The limit, for people.
    pub limit: String,
    /// Whether it is not limited at all.
    pub is_free: bool,
}

/// No policy can be suggested.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SuggestionError {
    /// There is no call.
    #[error("there is no recorded call; a policy of none would deny everything")]
    NoCalls,
    /// A call is of a function that was not given.
    #[error(
        "call {number} {}; give the function that it calls, or remove the call",
        describe_selector(selector.as_deref())
    )]
    UnknownFunction {
        /// The call's number, from 1.
        number: usize,
        /// The first four bytes of its data, if it has them.
        selector: Option<String>,
    },
    /// Calldata is not exactly what `abi.encode` writes, so that every policy denies it.
    #[error(
        "call {number} does not decode in exactly one way as `{function}`, and every policy would deny it; check the \
         function, or remove the call"
    )]
    Undecodable {
        /// The call's number, from 1.
        number: usize,
        /// The function.
        function: String,
    },
    /// An option names no argument of a recorded function.
    #[error("{0} is no integer argument of a recorded function; name one as in `buy.item` or `fill.orders[].market`")]
    UnknownArgument(String),
    /// Two functions have one selector.
    #[error("`{0}` and `{1}` have the same selector; give the one that is called")]
    SameSelector(String, String),
    /// The policy cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The check refuses the policy.
    #[error("the policy does not pass the check: {}", joined(.0))]
    Refused(Vec<Finding>),
    /// The tests cannot run.
    #[error(transparent)]
    Tests(#[from] TestError),
    /// Tests fail.
    #[error("tests of the policy fail: {}", .0.join(", "))]
    TestsFailed(Vec<String>),
    /// A call cannot be evaluated.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    /// The policy denies a recorded call.
    #[error("the policy denies recorded call {number}: {}", joined(reasons.iter().map(|reason| &reason.message)))]
    Denied {
        /// The call's number, from 1.
        number: usize,
        /// Why.
        reasons: Vec<Reason>,
    },
    /// The policy allows a near miss.
    #[error("the policy allows a call with {0}, which was not recorded")]
    Allowed(String),
}

fn describe_selector(selector: Option<&str>) -> String {
    selector.map_or_else(
        || "has no selector; a call without data is one of `receive()`".into(),
        |selector| format!("has the selector {selector} of no given function"),
    )
}

fn joined(parts: impl IntoIterator<Item = impl ToString>) -> String {
    parts.into_iter().map(|part| part.to_string()).collect::<Vec<_>>().join("; ")
}

impl From<FolderError> for SuggestionError {
    fn from(error: FolderError) -> Self {
        Self::Build(error.into())
    }
}

impl Suggestion {
    /// Suggests the narrowest policy that allows recorded calls.
    ///
    /// `name` is the policy's name, as in its manifest. The same calls give the same policy, in any order.
    ///
    /// ```
    /// use assent_policy::{Function, Suggestion, SuggestionOptions, evaluator};
    /// # use alloy_primitives::{Address, U256};
    /// # use assent_types::Intent;
    ///
    /// let stop: Function = "function stop()".parse()?;
    /// # let data = stop.zero_calldata().unwrap_or_default().into();
    /// # let from = Address::repeat_byte(1);
    /// # let intent = Intent { from, to: from, value: U256::ZERO, data, chainId: U256::ONE };
    /// let suggestion = Suggestion::new("stops", &[stop], &[intent], &SuggestionOptions::default())?;
    /// suggestion.verify(evaluator()?, || {})?;
    /// assert!(suggestion.files().contains_key("stops.rego"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SuggestionError`] if a call is of no given function or does not decode.
    pub fn new(
        name: &str,
        functions: &[Function],
        intents: &[Intent],
        options: &SuggestionOptions,
    ) -> Result<Self, SuggestionError> {
        require_distinct(functions)?;
        let mut recorded = Vec::<Intent>::new();
        let mut seen = BTreeSet::new();
        for intent in intents {
            let key = (intent.to, intent.data.clone(), intent.from, intent.value, intent.chainId);
            if seen.insert(key) {
                recorded.push(intent.clone());
            }
        }
        if recorded.is_empty() {
            return Err(SuggestionError::NoCalls);
        }
        // Errors name the calls as they were given; what is suggested does not depend on their order.
        groups(functions, intents, options)?;
        recorded.sort_by(|one, other| order(one).cmp(&order(other)));
        let groups = groups(functions, &recorded, options)?;
        require_arguments(&groups, options)?;

        let package = name.replace('-', "_");
        let misses = misses(&groups);
        let tested = tested(&groups);
        let missed = misses.get(..misses.len().min(MAX_MISS_TESTS)).unwrap_or(&misses);
        let files = [
            ("policy.json".to_owned(), pretty(&manifest(name, &package, &groups))),
            ("parameters.json".to_owned(), pretty(&parameters(&groups))),
            ("parameters.schema.json".to_owned(), pretty(&schema(&groups))),
            (format!("{package}.rego"), rego::rules(&package, &groups)),
            (format!("{package}_test.rego"), rego::tests(&package, &tested, missed)),
        ];
        Ok(Self {
            files: files.into(),
            tested: tested.len(),
            recorded,
            near_misses: misses
                .into_iter()
                .map(|miss| NearMiss {
                    change: format!("{} of {}", miss.change, miss.function.name),
                    intent: miss.call.intent,
                })
                .collect(),
            limits: groups.iter().flat_map(suggested).collect(),
        })
    }

    /// Returns the files of the policy's folder, by name.
    pub const fn files(&self) -> &BTreeMap<String, String> {
        &self.files
    }

    /// Returns the recorded calls, each once.
    pub fn recorded(&self) -> &[Intent] {
        &self.recorded
    }

    /// Returns how many of the recorded calls are tests in the folder: all, unless there are more than 200. Then they
    /// are those that show each listed value and each maximum, and others up to that number.
    pub const fn tested(&self) -> usize {
        self.tested
    }

    /// Returns calls that must be denied, each with one change of a recorded call.
    pub fn near_misses(&self) -> &[NearMiss] {
        &self.near_misses
    }

    /// Returns what each call is limited to.
    pub fn limits(&self) -> &[SuggestedLimit] {
        &self.limits
    }

    /// Returns how many decisions [`verify`](Self::verify) takes.
    pub fn decisions(&self) -> usize {
        self.recorded.len().saturating_add(self.near_misses.len())
    }

    /// Verifies the policy on the machine: it passes the check and its tests, every recorded call is allowed, and every
    /// near miss is denied. `decided` is called after each decision.
    ///
    /// # Errors
    ///
    /// [`SuggestionError`] with the first that does not hold.
    pub fn verify(&self, image: &Image, mut decided: impl FnMut()) -> Result<ExecutablePolicy, SuggestionError> {
        let files = self.files.iter().map(|(name, text)| (name.clone(), text.clone().into_bytes())).collect();
        let folder = PolicyFolder::read(&files)?;
        let findings = check(&folder);
        if !findings.is_empty() {
            return Err(SuggestionError::Refused(findings));
        }
        let policy = folder.policy(image.root())?;
        let report = run_tests(image, &folder, &TestOptions::default())?;
        let failed = report.tests.iter().filter(|test| test.outcome != TestOutcome::Pass);
        let failed = failed.map(|test| test.name.clone()).collect::<Vec<_>>();
        if !failed.is_empty() || report.tests.is_empty() {
            return Err(SuggestionError::TestsFailed(failed));
        }
        for (index, intent) in self.recorded.iter().enumerate() {
            let evaluation = evaluate(image, &policy, &input(intent), "")?;
            if evaluation.decision != Decision::Allow {
                let number = index.saturating_add(1);
                return Err(SuggestionError::Denied { number, reasons: evaluation.reasons });
            }
            decided();
        }
        for miss in &self.near_misses {
            if evaluate(image, &policy, &input(&miss.intent), "")?.decision != Decision::Deny {
                return Err(SuggestionError::Allowed(miss.change.clone()));
            }
            decided();
        }
        Ok(policy)
    }
}

fn require_distinct(functions: &[Function]) -> Result<(), SuggestionError> {
    let mut selectors = BTreeMap::new();
    for function in functions {
        if let Some(earlier) = selectors.insert(function.selector(), function.to_string()) {
            return Err(SuggestionError::SameSelector(earlier, function.to_string()));
        }
    }
    Ok(())
}

fn require_arguments(groups: &[Group<'_>], options: &SuggestionOptions) -> Result<(), SuggestionError> {
    let mut known = BTreeSet::new();
    for group in groups {
        integer_paths(&group.function.parameters, &group.function.name, &mut known);
    }
    match options.exact.iter().find(|path| !known.contains(*path)) {
        None => Ok(()),
        Some(path) => Err(SuggestionError::UnknownArgument(path.clone())),
    }
}

fn integer_paths(parameters: &[Parameter], path: &str, paths: &mut BTreeSet<String>) {
    for (index, parameter) in parameters.iter().enumerate() {
        let mut path = format!("{path}.{}", name_of(parameter, index));
        let mut ty = &parameter.ty;
        while let AbiType::Array(element) | AbiType::FixedArray(element, _) = ty {
            (path, ty) = (path + "[]", element);
        }
        match ty {
            AbiType::Uint(_) | AbiType::Int(_) => {
                paths.insert(path);
            }
            AbiType::Tuple(members) => integer_paths(members, &path, paths),
            _ => {}
        }
    }
}

fn order(intent: &Intent) -> impl Ord + '_ {
    (intent.to, &intent.data, intent.from, intent.value, intent.chainId)
}

/// Returns the recorded calls that become tests: all, or first those that show something that no earlier one does.
fn tested<'a>(groups: &'a [Group<'_>]) -> Vec<(&'a Function, &'a group::Call)> {
    let mut telling = Vec::new();
    let mut others = Vec::new();
    for group in groups {
        for target in group.targets.values() {
            let mut seen = BTreeSet::new();
            for call in &target.calls {
                let mut is_telling = false;
                for fact in target.facts(group.function, call) {
                    is_telling |= seen.insert(fact);
                }
                if is_telling { &mut telling } else { &mut others }.push((group.function, call));
            }
        }
    }
    telling.into_iter().chain(others).take(MAX_RECORDED_TESTS).collect()
}

fn manifest(name: &str, package: &str, groups: &[Group<'_>]) -> Value {
    let mut functions = groups.iter().map(|group| group.function.to_string()).collect::<Vec<_>>();
    functions.dedup();
    Object::from_iter([
        ("name", Value::from(name)),
        ("version", "0.1.0".into()),
        ("entrypoint", package.into()),
        ("functions", functions.into()),
    ])
    .into()
}

fn parameters(groups: &[Group<'_>]) -> Value {
    let groups = groups.iter().map(|group| {
        let targets = group.targets.iter().map(|(address, target)| {
            (text(&values::Argument::Address(*address)), target_value(group.function, target))
        });
        (group.name.clone(), targets.collect::<Object>())
    });
    groups.collect::<Object>().into()
}

fn target_value(function: &Function, target: &Target) -> Value {
    let mut object = Object::from_iter([
        ("chains", Value::from(target.chains.iter().map(U256::to_string).collect::<Vec<_>>())),
        ("value", target.value.to_string().into()),
        ("args", values_of(&function.parameters, &target.limits).into()),
    ]);
    if let Some(callers) = target.callers.value(&AbiType::Address) {
        object.insert("callers", callers);
    }
    object.into()
}

fn schema(groups: &[Group<'_>]) -> Value {
    let groups = groups.iter().filter_map(|group| {
        let target = group.targets.values().next()?;
        let callers = target.callers.schema(&AbiType::Address).map(|schema| ("callers", schema));
        let others = [
            ("chains", limits::array_of(string("uint256"))),
            ("value", string("uint256")),
            ("args", schemas_of(&group.function.parameters, &target.limits)),
        ];
        let limits = object_of(others.into_iter().chain(callers));
        let description = format!("for each target of {}, what its calls are limited to", group.function.signature());
        let targets = Object::from_iter([
            ("description", Value::from(description)),
            ("type", "object".into()),
            ("additionalProperties", limits),
        ]);
        Some((group.name.clone(), targets.into()))
    });
    object_of(groups)
}

/// Returns what a group limits, for people.
fn suggested(group: &Group<'_>) -> Vec<SuggestedLimit> {
    let mut found = Vec::new();
    for (address, target) in &group.targets {
        let mut add = |what: String, limit: String, is_free: bool| {
            let signature = group.function.signature();
            found.push(SuggestedLimit { target: *address, signature, what, limit, is_free });
        };
        add("chain".into(), target.chains.iter().map(U256::to_string).collect::<Vec<_>>().join(", "), false);
        describe(&AbiType::Address, &target.callers, "caller", &mut add);
        add("value".into(), format!("at most {}", target.value), false);
        for (index, (parameter, limit)) in group.function.parameters.iter().zip(&target.limits).enumerate() {
            describe(&parameter.ty, limit, &name_of(parameter, index), &mut add);
        }
    }
    found
}

fn describe(ty: &AbiType, limit: &Limit, what: &str, add: &mut impl FnMut(String, String, bool)) {
    match (limit, ty) {
        (Limit::OneOf(values), _) => add(what.into(), values.iter().map(text).collect::<Vec<_>>().join(", "), false),
        (Limit::AtMost(most), _) => add(what.into(), format!("at most {most}"), false),
        (Limit::Between(least, most), _) => add(what.into(), format!("from {least} to {most}"), false),
        (Limit::Free(values), _) => add(what.into(), format!("anything: {values} values were recorded"), true),
        (Limit::Elements(longest, element), AbiType::Array(inner) | AbiType::FixedArray(inner, _)) => {
            if let Some(longest) = longest {
                add(what.into(), format!("at most {longest} elements"), false);
            }
            describe(inner, element, &format!("{what}[]"), add);
        }
        (Limit::Members(limits), AbiType::Tuple(members)) => {
            for (index, (member, limit)) in members.iter().zip(limits).enumerate() {
                describe(&member.ty, limit, &format!("{what}.{}", name_of(member, index)), add);
            }
        }
        _ => {}
    }
}

/// Returns a call without a task: what is suggested looks at nothing else.
fn input(intent: &Intent) -> PolicyInput {
    PolicyInput {
        intent: intent.clone(),
        policy_client: intent.to,
        nonce: U256::ZERO,
        block: ReferenceBlock { number: U256::ZERO, hash: B256::ZERO, timestamp: U256::ZERO },
    }
}

/// Returns a parameter's name, or its index if it has none, as the evaluator does.
fn name_of(parameter: &Parameter, index: usize) -> String {
    if parameter.name.is_empty() { index.to_string() } else { parameter.name.clone() }
}

/// Returns JSON with an element or a member on each line, for people.
fn pretty(value: &Value) -> String {
    let mut text = String::new();
    write_pretty(value, 0, &mut text);
    text.push('\n');
    text
}

fn write_pretty(value: &Value, depth: usize, text: &mut String) {
    let inner = depth.saturating_add(1);
    let indent = |text: &mut String, depth: usize| text.push_str(&format!("\n{}", "  ".repeat(depth)));
    match value {
        Value::Object(object) if !object.is_empty() => {
            text.push('{');
            for (index, (key, value)) in object.iter().enumerate() {
                text.push_str(if index > 0 { "," } else { "" });
                indent(text, inner);
                text.push_str(&format!("{}: ", values::quoted(key)));
                write_pretty(value, inner, text);
            }
            indent(text, depth);
            text.push('}');
        }
        Value::Array(values) if values.len() > 1 => {
            text.push('[');
            for (index, value) in values.iter().enumerate() {
                text.push_str(if index > 0 { "," } else { "" });
                indent(text, inner);
                write_pretty(value, inner, text);
            }
            indent(text, depth);
            text.push(']');
        }
        other => text.push_str(&other.to_canonical()),
    }
}

#[cfg(test)]
mod tests;
