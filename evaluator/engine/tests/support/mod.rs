//! Regions for tests.

#![allow(dead_code, reason = "each test uses a part")]

use alloy_primitives::{Address, B256, Bytes, U256, address};
use alloy_sol_types::SolValue;
use assent_evaluator::{Regions, evaluate};
use assent_json::{Object, Value};

#[path = "../../../../crates/assent-policy/src/input/solidity.rs"]
mod solidity;

use solidity::{Intent, PolicyInput};

/// A policy with its documents.
#[derive(Clone)]
pub struct Case {
    pub functions: Vec<String>,
    pub modules: Vec<(String, String)>,
    pub schema: String,
    pub sources: String,
    pub extra: String,
    pub parameters: String,
    pub data: String,
    pub input: Vec<u8>,
}

impl Case {
    /// A policy with this module, for calls without calldata.
    pub fn new(module: &str) -> Self {
        Self {
            functions: vec!["receive()".to_owned()],
            modules: vec![("policy.rego".to_owned(), module.to_owned())],
            schema: "{}".to_owned(),
            sources: "{}".to_owned(),
            extra: String::new(),
            parameters: "{}".to_owned(),
            data: String::new(),
            input: input(&[], U256::ZERO),
        }
    }

    pub fn rules(&self) -> String {
        let parse = |text: &str| assent_json::parse(text.as_bytes()).expect(text);
        let modules = self
            .modules
            .iter()
            .map(|(name, text)| Value::from(Object::from_iter([("name", name.as_str()), ("text", text.as_str())])));
        let mut rules = Object::new();
        rules.insert("entrypoint", "policy");
        rules.insert("functions", self.functions.clone());
        rules.insert("modules", Value::Array(modules.collect()));
        rules.insert("parametersSchema", parse(&self.schema));
        rules.insert("sources", parse(&self.sources));
        rules.insert("version", 1);
        if !self.extra.is_empty() {
            let Value::Object(extra) = parse(&self.extra) else { panic!("an object") };
            extra.into_iter().for_each(|(key, value)| drop(rules.insert(key, value)));
        }
        Value::from(rules).to_canonical()
    }

    pub fn result(&self) -> (u8, String) {
        let canonical = |text: &str| assent_json::parse(text.as_bytes()).expect(text).to_canonical();
        let data = if self.data.is_empty() { String::new() } else { canonical(&self.data) };
        let result = evaluate(&Regions {
            rules: self.rules().as_bytes(),
            parameters: canonical(&self.parameters).as_bytes(),
            input: &self.input,
            data: data.as_bytes(),
        });
        (result[0], String::from_utf8(result[1..].to_vec()).expect("text"))
    }

    /// The reasons, each as `kind: message`; none if the decision is to allow.
    pub fn reasons(&self) -> Vec<String> {
        let (decision, json) = self.result();
        let json = assent_json::parse_canonical(json.as_bytes()).expect(&json);
        let text = |reason: &Value, key| reason.get(key).and_then(Value::as_str).expect(key).to_owned();
        let reasons = json.get("reasons").and_then(Value::as_array).expect("reasons");
        let reasons: Vec<String> = reasons
            .iter()
            .map(|reason| {
                let policy = reason.get("policy").and_then(Value::as_str).map(|index| format!("{index} "));
                format!("{}{}: {}", policy.unwrap_or_default(), text(reason, "kind"), text(reason, "message"))
            })
            .collect();
        assert_eq!(decision == 1, reasons.is_empty(), "{reasons:?}");
        reasons
    }

    pub fn allows(&self) -> bool {
        self.reasons().is_empty()
    }

    pub fn calling(&self, function: &str, calldata: &[u8]) -> Self {
        Self { functions: vec![function.to_owned()], input: input(calldata, U256::ZERO), ..self.clone() }
    }
}

pub const FROM: Address = address!("0xAaaaaAaAAaaAaaAAAaaAaaaAaAAaaaAaaaaAaA11");

/// The input of a call.
pub fn input(calldata: &[u8], value: U256) -> Vec<u8> {
    PolicyInput {
        intent: Intent {
            from: FROM,
            to: Address::repeat_byte(0xbb),
            value,
            data: Bytes::copy_from_slice(calldata),
            chainId: U256::from(31_337),
        },
        policyClient: Address::repeat_byte(0xcc),
        nonce: U256::from(7),
        blockNumber: U256::from(1_000),
        blockHash: B256::repeat_byte(0xdd),
        blockTimestamp: U256::from(1_800_000_000_u64),
    }
    .abi_encode()
}

/// A policy that allows if a condition holds.
pub fn allow_if(condition: &str) -> Case {
    Case::new(&format!("package policy\n\nallow if {{\n{condition}\n}}\n"))
}
