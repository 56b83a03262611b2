//! The policies that are measured: those of the report's section `policy`.

use std::collections::BTreeMap;

use alloy::{
    primitives::{Address, Bytes, U256},
    sol,
    sol_types::SolCall,
};
use anyhow::{Context as _, Result, ensure};
use assent_network::Task;
use assent_policy::{Bundle, PolicyFolder, evaluate, evaluator};
use assent_types::Intent;
use assent_verifier::EpochId;
use serde_json::{Value, json};

use super::benchmark_file;
use crate::world::World;

/// The host of the source's request, which is answered on this machine.
pub(super) const HOST: &str = "prices.example";
/// The secret that the component sends.
pub(super) const SECRET: &str = "PRICE_KEY";

sol! {
    function pay(address to, uint256 amount);
}

/// Returns the calldata of a payment that the small policy allows.
pub(crate) fn payment() -> Bytes {
    pay_to(0xa1)
}

fn pay_to(last: u8) -> Bytes {
    payCall { to: Address::with_last_byte(last), amount: U256::from(1_000) }.abi_encode().into()
}

/// Returns the small policy: 4 conditions, 5 addresses.
pub(crate) fn small() -> Result<Bundle> {
    build(read("small")?)
}

/// Returns the treasury policy: 8 rules, two lists of 100.
///
/// What its three sources would answer is among its parameters, so that its own evaluation is what is measured.
pub(super) fn treasury() -> Result<Bundle> {
    let mut files = read("treasury")?;
    let rules = files.get_mut("treasury.rego").context("rules")?;
    *rules = String::from_utf8(rules.clone())?.replace("data.wasm.", "data.params.").into_bytes();
    let mut manifest: Value = parse(&files, "policy.json")?;
    let mut parameters: Value = parse(&files, "parameters.json")?;
    let mut schema: Value = parse(&files, "parameters.schema.json")?;
    let observations: Value = serde_json::from_slice(&benchmark_file("treasury/observations.json")?)?;
    let sources = manifest.as_object_mut().and_then(|manifest| manifest.remove("sources")).context("sources")?;
    for (source, declared) in sources.as_object().context("sources")? {
        parameters[source] = observations[source].clone();
        schema["properties"][source] = declared["schema"].clone();
    }
    // The recipient of the payment is on the list, and the price is never old.
    parameters["recipients"][1] = json!(Address::with_last_byte(0xa1).to_string().to_lowercase());
    parameters["price"]["at"] = json!(4_000_000_000_u64);
    for (name, value) in
        [("policy.json", manifest), ("parameters.json", parameters), ("parameters.schema.json", schema)]
    {
        files.insert(name.to_owned(), value.to_string().into_bytes());
    }
    build(files)
}

/// Returns the small policy with a source that makes an HTTP request.
pub(super) fn with_source() -> Result<Bundle> {
    let mut files = read("small")?;
    let rules = files.get_mut("small.rego").context("rules")?;
    let price = "\tto_number(data.wasm.price.web) > 0\n\tnot denied\n";
    *rules = String::from_utf8(rules.clone())?.replace("\tnot denied\n", price).into_bytes();
    let mut manifest: Value = parse(&files, "policy.json")?;
    manifest["sources"] = json!({ "price": { "hosts": [HOST], "reduce": "same", "schema": { "type": "object" } } });
    let mut parameters: Value = parse(&files, "parameters.json")?;
    parameters["url"] = json!(format!("https://{HOST}/price"));
    let mut schema: Value = parse(&files, "parameters.schema.json")?;
    schema["properties"]["url"] = json!({ "type": "string" });
    for (name, value) in
        [("policy.json", manifest), ("parameters.json", parameters), ("parameters.schema.json", schema)]
    {
        files.insert(name.to_owned(), value.to_string().into_bytes());
    }
    let component = concat!(env!("CARGO_MANIFEST_DIR"), "/../../crates/internal/policy-data/fixtures/price.wasm");
    files.insert("sources/price.wasm".to_owned(), std::fs::read(component)?);
    build(files)
}

/// Returns how many steps of the machine a decision takes, which must be to allow.
pub(super) fn steps(bundle: &Bundle, world: &World, vault: Address) -> Result<u64> {
    let intent = Intent {
        from: world.agent,
        to: vault,
        value: U256::ZERO,
        data: payment(),
        chainId: U256::from(world.chain_id),
    };
    let task = Task {
        policy_client: vault,
        policy_id: bundle.policy().id(),
        nonce: U256::from(1),
        intent,
        expiration: 1_800_000_300,
        epoch: EpochId(1),
        block_number: 20,
        block_hash: bundle.policy().id(),
        block_timestamp: 1_800_000_000,
    };
    let evaluation = evaluate(evaluator()?, bundle.policy(), &task.input(), "")?;
    ensure!(evaluation.decision.as_str() == "allow", "the measured call is denied: {:?}", evaluation.reasons);
    Ok(evaluation.steps)
}

fn read(name: &str) -> Result<BTreeMap<String, Vec<u8>>> {
    let files = ["policy.json", "parameters.json", "parameters.schema.json", &format!("{name}.rego")]
        .map(|file| Ok((file.to_owned(), benchmark_file(&format!("{name}/{file}"))?)));
    files.into_iter().collect()
}

fn parse(files: &BTreeMap<String, Vec<u8>>, name: &str) -> Result<Value> {
    Ok(serde_json::from_slice(files.get(name).with_context(|| name.to_owned())?)?)
}

fn build(files: BTreeMap<String, Vec<u8>>) -> Result<Bundle> {
    Ok(PolicyFolder::read(&files)?.build(evaluator()?.root())?)
}
