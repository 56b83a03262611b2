//! How the evidence files of `cases/` are made.

use alloy_primitives::{Address, B256, U256, keccak256};
use assent_json::{Object, Value, parse};
use assent_policy::{
    BasisPoints, EvidenceFile, ExecutablePolicy, Observations, Observer, PolicyInput, Reduction, ReductionRule,
    ReferenceBlock, Rules, SingleRules, Source, Tolerance, evaluate, evaluator,
};
use assent_types::Intent;
use std::collections::BTreeMap;

const PAY: &str = "function pay(address to, uint256 amount)";
const LIMIT_SCHEMA: &str = r#"{"properties":{"limit":{"format":"uint256","type":"string"}},"type":"object"}"#;
const LIMIT: &str = "package policy

allow if input.call.args.amount <= data.params.limit

deny contains sprintf(\"%v is more than %v\", [input.call.args.amount, data.params.limit]) if {
\tinput.call.args.amount > data.params.limit
}
";
/// A limit of 2^256 − 2.
const ALMOST_ALL: &str =
    r#"{"limit":"115792089237316195423570985008687907853269984665640564039457584007913129639934"}"#;

/// A decision that is to be made.
struct Case {
    name: &'static str,
    rules: Rules,
    parameters: &'static str,
    step_limit: u64,
    amount: U256,
    data: String,
}

/// Makes every decision. Returns each with its name.
///
/// # Panics
///
/// If a case is not what a policy can be.
pub fn evidence_files() -> Vec<(&'static str, EvidenceFile)> {
    cases().into_iter().map(|case| (case.name, case.evidence_file())).collect()
}

fn cases() -> Vec<Case> {
    let base = |name, module: &str| Case {
        name,
        rules: Rules::Single(rules(module)),
        parameters: r#"{"limit":"500"}"#,
        step_limit: 1 << 28,
        amount: U256::from(500),
        data: String::new(),
    };
    let limit = |name| base(name, LIMIT);
    let loops = "package policy\n\nr := numbers.range(1, 20000)\n\ndeny contains \"x\" if { some i in r; some j in r; \
                 i * j == 0 }\n";
    vec![
        limit("allow"),
        Case {
            rules: Rules::All(vec![rules(LIMIT), rules("package policy\n\nallow if input.task.time < 5\n")]),
            parameters: r#"[{"limit":"500"},{}]"#,
            ..limit("conjunction")
        },
        Case { amount: U256::from(501), ..limit("deny") },
        base("error", "package policy\n\nallow if to_number(\"1e100000000\") > 1\n"),
        Case { parameters: ALMOST_ALL, amount: U256::MAX, ..limit("exact") },
        Case { step_limit: 2_000_000, ..base("limit", loops) },
        Case {
            rules: Rules::Single(median()),
            data: observed(&[
                ("price", 34, r#"{"at":1,"usd":"104"}"#),
                ("price", 33, r#"{"at":1,"usd":"103"}"#),
                ("price", 33, r#"{"at":1,"usd":"-7"}"#),
            ]),
            ..limit("median")
        },
        Case {
            rules: Rules::Single(with_sources(
                rules("package policy\n\nallow if data.wasm.pending == {\"count\": 3, \"sum\": 50}\n"),
                &[("pending", quorum(), PENDING_SCHEMA)],
            )),
            data: observed(&[
                ("pending", 25, r#"{"count":"2","sum":"40"}"#),
                ("pending", 25, r#"{"count":"3","sum":"50"}"#),
                ("pending", 25, r#"{"count":"3","sum":"45"}"#),
                ("pending", 25, r#"{"count":"999","sum":"999"}"#),
            ]),
            ..limit("quorum")
        },
        base("trap", "package policy\n\nf(x) := f(x + 1)\n\nallow if f(1)\n"),
        treasury(),
    ]
}

const PRICE_SCHEMA: &str = r#"{"properties":{"usd":{"format":"int256","type":"string"}},"type":"object"}"#;

const PENDING_SCHEMA: &str = r#"{"properties":{"count":{"format":"uint256","type":"string"},
    "sum":{"format":"uint256","type":"string"}},"type":"object"}"#;

/// A price that is the median, and off which no operator's own may be by more than one percent.
fn median() -> SingleRules {
    let reduce = Reduction::Fields([("usd".to_owned(), ReductionRule::Median)].into());
    let policy = rules("package policy\n\nallow if data.wasm.price.usd == 103\n");
    let mut policy = with_sources(policy, &[("price", reduce, PRICE_SCHEMA)]);
    if let Some(price) = policy.sources.get_mut("price") {
        let one_percent = BasisPoints::new(100).expect("1 to 10,000");
        price.within = Some(Tolerance::Fields([("usd".to_owned(), one_percent)].into()));
    }
    policy
}

/// The reduction of `outstanding`.
fn quorum() -> Reduction {
    Reduction::Fields(["count", "sum"].map(|field| (field.to_owned(), ReductionRule::Quorum)).into())
}

/// The reference policy whose steps are measured.
fn treasury() -> Case {
    let schema = |text: &str| parse(text.as_bytes()).expect("a schema");
    let manifest = schema(include_str!("../../../benchmarks/policies/treasury/policy.json"));
    let source = |name: &str, reduce: ReductionRule| {
        let schema = manifest.get("sources").and_then(|sources| sources.get(name)?.get("schema").cloned());
        let reduce = Reduction::Whole(reduce);
        let source = Source {
            observer: Observer::Component(keccak256(name)),
            hosts: vec![],
            reduce,
            within: None,
            schema: schema.expect("a schema"),
        };
        (name.to_owned(), source)
    };
    let mut rules = rules(include_str!("../../../benchmarks/policies/treasury/treasury.rego"));
    rules.entrypoint = "treasury".to_owned();
    rules.parameters_schema = schema(include_str!("../../../benchmarks/policies/treasury/parameters.schema.json"));
    rules.sources = [
        source("price", ReductionRule::Same),
        source("sanctions", ReductionRule::Union),
        source("spent_today", ReductionRule::Max),
    ]
    .into();
    let outputs = schema(include_str!("../../../benchmarks/policies/treasury/observations.json"));
    let mut observations = Observations::new(U256::from(67));
    for (name, output) in outputs.as_object().into_iter().flat_map(Object::iter) {
        let added = observations.add(name, Address::repeat_byte(0xa1), U256::from(100), output.clone());
        added.expect("an output within the limits");
    }
    Case {
        name: "treasury",
        rules: Rules::Single(rules),
        parameters: include_str!("../../../benchmarks/policies/treasury/parameters.json"),
        step_limit: 1 << 28,
        amount: U256::from(1_000),
        data: observations.to_canonical().expect("data within the limits"),
    }
}

fn rules(module: &str) -> SingleRules {
    SingleRules {
        entrypoint: "policy".to_owned(),
        functions: vec![PAY.parse().expect("a function")],
        modules: BTreeMap::from([("policy.rego".to_owned(), module.to_owned())]),
        parameters_schema: parse(LIMIT_SCHEMA.as_bytes()).expect("a schema"),
        sources: BTreeMap::new(),
    }
}

fn with_sources(mut rules: SingleRules, sources: &[(&str, Reduction, &str)]) -> SingleRules {
    rules.sources = sources
        .iter()
        .map(|(name, reduce, schema)| {
            let schema = parse(schema.as_bytes()).expect("a schema");
            let hosts = vec!["prices.example".to_owned()];
            let (observer, reduce) = (Observer::Component(keccak256(name)), reduce.clone());
            ((*name).to_owned(), Source { observer, hosts, reduce, within: None, schema })
        })
        .collect();
    rules
}

/// The content of the data region for outputs, each of another operator with a weight.
fn observed(outputs: &[(&str, u64, &str)]) -> String {
    let mut observations = Observations::new(U256::from(67));
    for (byte, (source, weight, output)) in (0xa1..).zip(outputs) {
        let output: Value = parse(output.as_bytes()).expect("an output");
        let added = observations.add(source, Address::repeat_byte(byte), U256::from(*weight), output);
        added.expect("an output within the limits");
    }
    observations.to_canonical().expect("data within the limits")
}

impl Case {
    fn evidence_file(&self) -> EvidenceFile {
        let image = evaluator().expect("an image");
        let parameters = parse(self.parameters.as_bytes()).expect("parameters");
        let policy = ExecutablePolicy::new(image.root(), &self.rules, self.step_limit, &parameters).expect("a policy");
        let input = self.input();
        let evaluation = evaluate(image, &policy, &input, &self.data).expect("an evaluation");
        EvidenceFile::new(policy, &input, self.data.clone(), &evaluation)
    }

    fn input(&self) -> PolicyInput {
        let to = Address::with_last_byte(0x4d);
        let selector = keccak256("pay(address,uint256)");
        let data = [&selector[..4], to.into_word().as_slice(), &self.amount.to_be_bytes::<32>()].concat();
        PolicyInput {
            intent: Intent {
                from: Address::repeat_byte(0xf0),
                to: Address::repeat_byte(0xee),
                value: U256::ZERO,
                data: data.into(),
                chainId: U256::ONE,
            },
            policy_client: Address::repeat_byte(0xcc),
            nonce: U256::from(7),
            block: ReferenceBlock {
                number: U256::from(22_000_000),
                hash: B256::repeat_byte(0xb1),
                timestamp: U256::from(1_767_261_660),
            },
        }
    }
}
