//! The policies of the histories, and what the evaluator decided, each input once.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    sync::{Arc, LazyLock},
};

use alloy_primitives::{B256, U256, keccak256};
use assent_json::Value;
use assent_network::gateway::AcceptedSources;
use assent_policy::{
    Evaluation, EvidenceFile, ExecutablePolicy, MAX_OUTPUT, Observer, PolicyInput, Reduction, ReductionRule, Replay,
    Rules, SingleRules, Source, evaluate, evaluator,
};
use assent_types::Decision;

use crate::random::Random;

/// The rules of the policies: calls with a value of 5 or more are denied, and with a source those above its limit.
/// After the clients changed them, one less is permitted.
const WITHOUT_SOURCE: &str = "package p\nimport rego.v1\nallow if input.intent.value < 5\n";
const WITH_SOURCE: &str = "package p\nimport rego.v1\nallow if data.wasm.limit.value > input.intent.value\n";
const WITHOUT_SOURCE_CHANGED: &str = "package p\nimport rego.v1\nallow if input.intent.value < 4\n";
const WITH_SOURCE_CHANGED: &str =
    "package p\nimport rego.v1\nallow if data.wasm.limit.value > input.intent.value + 1\n";

/// The source's value that every honest operator sees. A call whose value is not below it is denied.
pub(crate) const HONEST_LIMIT: u64 = 4;

static POLICIES: LazyLock<[Arc<ExecutablePolicy>; 4]> = LazyLock::new(|| {
    let limit = Source {
        observer: Observer::Component(B256::repeat_byte(0xcc)),
        hosts: Vec::new(),
        // The chain must be the same.
        reduce: Reduction::Fields(BTreeMap::from([("value".to_owned(), ReductionRule::Median)])),
        within: None,
        schema: assent_json::parse(br#"{"properties":{"value":{"format":"uint256","type":"string"}}}"#).expect("JSON"),
    };
    let limit = BTreeMap::from([("limit".to_owned(), limit)]);
    [
        policy(WITHOUT_SOURCE, BTreeMap::new()),
        policy(WITH_SOURCE, limit.clone()),
        policy(WITHOUT_SOURCE_CHANGED, BTreeMap::new()),
        policy(WITH_SOURCE_CHANGED, limit),
    ]
});

fn policy(text: &str, sources: BTreeMap<String, Source>) -> Arc<ExecutablePolicy> {
    let rules = Rules::Single(SingleRules {
        entrypoint: "p".into(),
        functions: vec!["receive()".parse().expect("a function")],
        modules: BTreeMap::from([("p".to_owned(), text.to_owned())]),
        parameters_schema: assent_json::parse(br#"{"type":"object"}"#).expect("JSON"),
        sources,
    });
    let image = evaluator().expect("the committed image").root();
    let parameters = assent_json::parse(b"{}").expect("JSON");
    Arc::new(ExecutablePolicy::new(image, &rules, 1 << 24, &parameters).expect("a policy"))
}

/// Returns the policy without sources, or that with one, before or after the client changed it.
pub(crate) fn policy_with(has_source: bool, is_changed: bool) -> Arc<ExecutablePolicy> {
    POLICIES[usize::from(has_source) + 2 * usize::from(is_changed)].clone()
}

/// Returns the policy with an id.
pub(crate) fn policy_of(id: B256) -> Option<Arc<ExecutablePolicy>> {
    POLICIES.iter().find(|policy| policy.id() == id).cloned()
}

/// Returns what a gateway knows of the sources of the policy with an id.
pub(crate) fn sources_of(id: B256) -> AcceptedSources {
    let policy = policy_of(id).expect("a policy of the histories");
    AcceptedSources::of(&Rules::parse(policy.rules()).expect("its rules"))
}

/// Returns what a source says.
pub(crate) fn output(limit: u64) -> Value {
    assent_json::parse(format!(r#"{{"chain":1,"value":"{limit}"}}"#).as_bytes()).expect("JSON")
}

/// Returns an output that does not fit the policy, or is as long as one may be.
pub(crate) fn misfit(random: &mut Random) -> Value {
    let nested = format!(r#"{{"chain":1,"value":"4","x":{}{}}}"#, "[".repeat(62), "]".repeat(62));
    let long = format!(r#"{{"chain":1,"value":"4","x":"{}"}}"#, "\\\"".repeat(MAX_OUTPUT / 2 - 32));
    let others =
        [r#""four""#, "null", "{}", r#"{"chain":1}"#, r#"{"chain":1,"value":4}"#, r#"{"chain":2,"value":"4"}"#];
    let kinds: Vec<&str> = others.into_iter().chain([nested.as_str(), long.as_str()]).collect();
    assent_json::parse(random.pick(&kinds).copied().unwrap_or("null").as_bytes()).expect("JSON")
}

/// Returns what is decided on a call, if all operators see what the honest ones do and no client changed its policy.
pub(crate) fn honest_decision(has_source: bool, value: U256) -> Decision {
    let limit = if has_source { HONEST_LIMIT } else { 5 };
    if value < U256::from(limit) { Decision::Allow } else { Decision::Deny }
}

thread_local! {
    static EVALUATED: RefCell<HashMap<B256, Evaluation>> = RefCell::default();
    static REPLAYED: RefCell<HashMap<B256, Option<Decision>>> = RefCell::default();
}

/// Returns what the evaluator decides: a real run, or the result of an earlier one with the very input.
pub(crate) fn evaluated(policy: &ExecutablePolicy, input: &PolicyInput, data: &str) -> Evaluation {
    let key = keccak256([policy.id().as_slice(), &input.encode(), data.as_bytes()].concat());
    EVALUATED.with_borrow_mut(|evaluated| {
        let run = || evaluate(evaluator().expect("the image"), policy, input, data).expect("it fits");
        evaluated.entry(key).or_insert_with(run).clone()
    })
}

/// Returns the decision that follows from an evidence file, if what the file claims follows from it.
pub(crate) fn replayed(file: &EvidenceFile) -> Option<Decision> {
    let text = file.to_json();
    let key = keccak256(&text);
    REPLAYED.with_borrow_mut(|replayed| {
        *replayed.entry(key).or_insert_with(|| {
            // As a reader years later: from the bytes.
            let file = EvidenceFile::parse(text.as_bytes()).ok()?;
            match file.replay(evaluator().expect("the image")) {
                Ok(Replay::Follows(evaluation)) => Some(evaluation.decision),
                _ => None,
            }
        })
    })
}
