//! The evaluator's image on the machine, for tests: contents of regions in, result out.

#![forbid(unsafe_code)]

use std::{env, fs, path::PathBuf};

use alloy_primitives::{Address, U256, keccak256};
use alloy_sol_types::SolValue;
use assent_json::{Object, Value};
use assent_machine::{Image, MAX_STEPS, Machine, Region, Stop};
use assent_policy::{Observations, PolicyInput, ReferenceBlock};
use assent_types::Intent;
use solidity::Pay;

/// The contents of the regions.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    /// The rules.
    pub rules: String,
    /// The parameters.
    pub parameters: String,
    /// The input.
    pub input: Vec<u8>,
    /// The data.
    pub data: String,
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRun {
    /// How the program ended.
    pub stop: Stop,
    /// The steps that it made.
    pub steps: u64,
    /// The content of the result region; empty if the program did not end by itself.
    pub result: Vec<u8>,
}

/// The repository's root.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Returns the committed image, or the one that the variable `ASSENT_EVALUATOR_IMAGE` names.
///
/// # Panics
///
/// If it cannot be read.
pub fn image() -> Image {
    let committed = || root().join("crates/assent-policy/image/evaluator.bin");
    let path = env::var_os("ASSENT_EVALUATOR_IMAGE").map_or_else(committed, PathBuf::from);
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    Image::new(&bytes).expect("the image is valid")
}

/// Returns the folder of data that is not part of the repository: the variable `ASSENT_SHARED_DATA`, or else
/// `../shared/data`.
pub fn shared_data() -> PathBuf {
    env::var_os("ASSENT_SHARED_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from)
}

impl Contents {
    /// Runs the image until it ends, or has made as many steps as a run may.
    pub fn run(&self, image: &Image) -> ImageRun {
        self.run_at_most(image, MAX_STEPS)
    }

    /// Runs the image until it ends, or has made so many steps.
    ///
    /// # Panics
    ///
    /// If a content does not fit its region.
    pub fn run_at_most(&self, image: &Image, steps: u64) -> ImageRun {
        let mut machine = self.machine(image);
        let stop = machine.run(steps);
        let result = if stop == Stop::Halted { machine.content(Region::Result) } else { None };
        ImageRun { stop, steps: machine.steps(), result: result.unwrap_or_default() }
    }

    /// Returns a machine that is about to run the image.
    ///
    /// # Panics
    ///
    /// If a content does not fit its region.
    pub fn machine(&self, image: &Image) -> Machine {
        let mut machine = Machine::new(image);
        for (region, content) in [
            (Region::Rules, self.rules.as_bytes()),
            (Region::Parameters, self.parameters.as_bytes()),
            (Region::Input, &self.input),
            (Region::Data, self.data.as_bytes()),
        ] {
            machine.load(region, content).expect("the content fits");
        }
        machine
    }
}

impl ImageRun {
    /// Returns the JSON behind the decision byte; empty if there is no result.
    pub fn answer(&self) -> &str {
        self.result.get(1..).and_then(|answer| str::from_utf8(answer).ok()).unwrap_or_default()
    }

    /// Returns whether the decision is to allow.
    pub fn allows(&self) -> bool {
        self.stop == Stop::Halted && self.result.first() == Some(&1)
    }

    /// Returns each reason as `kind: message`. An end without a result is the reason that a host would give.
    pub fn reasons(&self) -> Vec<String> {
        match self.stop {
            Stop::Trapped(trap) => return vec![format!("trap: {trap}")],
            Stop::StepLimit => return vec!["limit".to_owned()],
            Stop::Halted => {}
        }
        let answer = assent_json::parse_canonical(self.answer().as_bytes()).unwrap_or_default();
        let reasons = answer.get("reasons").and_then(Value::as_array).unwrap_or_default();
        let text = |reason: &Value, key| reason.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        reasons.iter().map(|reason| format!("{}: {}", text(reason, "kind"), text(reason, "message"))).collect()
    }
}

/// Returns the content of the rules region for a policy with the package `policy` and these modules.
///
/// `more` has further keys, or replaces some.
///
/// # Panics
///
/// If `more` is not an object.
pub fn rules<'a>(modules: impl IntoIterator<Item = (&'a str, &'a str)>, more: &str) -> String {
    let module = |(name, text)| Value::from(Object::from_iter([("name", name), ("text", text)]));
    let mut rules = Object::new();
    rules.insert("entrypoint", "policy");
    rules.insert("functions", vec!["receive()"]);
    rules.insert("modules", Value::Array(modules.into_iter().map(module).collect()));
    rules.insert("version", 1);
    let Ok(Value::Object(more)) = assent_json::parse(more.as_bytes()) else { panic!("{more} is not an object") };
    more.into_iter().for_each(|(key, value)| drop(rules.insert(key, value)));
    Value::from(rules).to_canonical()
}

/// Returns the contents for a call of a reference policy, `treasury` or `small`, that it allows.
///
/// # Panics
///
/// If there is no such policy.
pub fn reference(name: &str) -> Contents {
    let folder = root().join("benchmarks/policies").join(name);
    let read = |file: String| fs::read_to_string(folder.join(&file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    let json = |file: &str| assent_json::parse(read(file.to_owned()).as_bytes()).expect("JSON");
    let manifest = json("policy.json");
    let mut more = Object::new();
    more.insert("parametersSchema", json("parameters.schema.json"));
    for key in ["entrypoint", "functions", "sources"] {
        if let Some(value) = manifest.get(key) {
            more.insert(key, value.clone());
        }
    }
    let module = (&*format!("{name}.rego"), &*read(format!("{name}.rego")));
    Contents {
        rules: rules([module], &Value::from(more).to_canonical()),
        parameters: json("parameters.json").to_canonical(),
        input: payment(name),
        data: if manifest.get("sources").is_some() { observed(&json("observations.json")) } else { String::new() },
    }
}

/// Returns the content of the data region for outputs of sources that one operator observed.
fn observed(outputs: &Value) -> String {
    let mut observations = Observations::new(U256::from(67));
    for (name, output) in outputs.as_object().into_iter().flat_map(Object::iter) {
        let added = observations.add(name, Address::repeat_byte(0xa1), U256::from(100), output.clone());
        added.expect("an output within the limits");
    }
    observations.to_canonical().expect("data within the limits")
}

/// Returns the input for `pay(to, 1000)`.
fn payment(name: &str) -> Vec<u8> {
    let (to, time) = if name == "treasury" { (0x4d, 1_767_261_660) } else { (0xa1, 1_767_261_660) };
    let call = Pay { to: Address::with_last_byte(to), amount: U256::from(1_000) };
    let number = U256::from(22_000_000);
    PolicyInput {
        intent: Intent {
            from: Address::repeat_byte(0xf0),
            to: Address::repeat_byte(0xee),
            value: U256::ZERO,
            data: [&keccak256("pay(address,uint256)")[..4], &call.abi_encode()].concat().into(),
            chainId: U256::ONE,
        },
        policy_client: Address::repeat_byte(0xcc),
        nonce: U256::from(7),
        block: ReferenceBlock { number, hash: keccak256("block"), timestamp: U256::from(time) },
    }
    .encode()
}

mod solidity {
    #![allow(missing_docs)]
    alloy_sol_types::sol! {
        struct Pay {
            address to;
            uint256 amount;
        }
    } // sol!
}
