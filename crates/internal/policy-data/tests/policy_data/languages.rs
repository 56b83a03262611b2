//! Components in Rust, JavaScript and Python do the same, live and recorded.
//!
//! `cargo xtask components` builds those in JavaScript and Python, whose tools and code are too large for every run.

use crate::world::{CONTRACT, PRICE, host, request, world};
use assent_policy_data::ObserveError;
use std::{env, fs, path::PathBuf};

/// The directory of the components that are not committed.
const DIRECTORY: &str = "POLICY_DATA_COMPONENTS";

fn component(file: &str) -> Option<Vec<u8>> {
    // Not optimised, the host compiles megabytes of WebAssembly for many minutes.
    if cfg!(debug_assertions) {
        println!("SKIPPED: {file} takes minutes without optimisation; run `cargo xtask components`");
        return None;
    }
    let default = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../target/policy-data"));
    let path = env::var_os(DIRECTORY).map_or_else(default, PathBuf::from).join(file);
    let bytes = fs::read(&path).ok();
    if bytes.is_none() {
        println!("SKIPPED: {} is missing; build it: `cargo xtask components`", path.display());
    }
    bytes
}

fn observes_a_price(bytes: &[u8]) {
    let component = host().load(bytes).expect("it has the world");
    let idle = host().observe(&component, &request("{}"), &world()).expect("it observes");
    assert_eq!(idle.output.to_canonical(), "{}");

    let parameters = format!(r#"{{"feed":"{CONTRACT:#x}","url":"https://api.example/price"}}"#);
    let observation = host().observe(&component, &request(&parameters), &world()).expect("it observes");
    assert_eq!(observation.output.to_canonical(), r#"{"chain":"312345000000","web":"3123.45"}"#);
    println!("fuel: {} without input and output, {} with", idle.fuel, observation.fuel);

    // The questions are the same in each language, so a recording of one is a recording of the other.
    let price = host().load(PRICE).expect("it has the world");
    let of_rust = host().observe(&price, &request(&parameters), &world()).expect("it observes");
    assert_eq!(observation.recording.exchanges, of_rust.recording.exchanges);
    let repeated = host().replay(&component, &observation.recording).expect("it repeats");
    assert_eq!(repeated, observation);

    let missing = request(r#"{"url":"https://api.example/nothing"}"#);
    let refusal = host().observe(&component, &missing, &world()).expect_err("there is no price");
    assert_eq!(refusal, ObserveError::Component { reason: "status 404".to_owned() });
}

#[test]
fn rust_observes_a_price() {
    observes_a_price(PRICE);
}

#[test]
fn javascript_observes_a_price() {
    if let Some(bytes) = component("price-javascript.wasm") {
        observes_a_price(&bytes);
    }
}

#[test]
fn python_observes_a_price() {
    if let Some(bytes) = component("price-python.wasm") {
        observes_a_price(&bytes);
    }
}
