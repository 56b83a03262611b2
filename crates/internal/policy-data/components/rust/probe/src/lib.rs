//! Does what its parameters say, step by step, for tests of the host. It returns the answer of each step.

use assent_json::{Object, Value};
use std::{cell::Cell, hint::black_box};

wit_bindgen::generate!({ path: "../../../wit", world: "policy-data" });

use assent::policy_data::{
    chain::{self, LogFilter},
    http::{self, Header, Method, Request},
};

struct Probe;

export!(Probe);

thread_local! {
    static CALLS: Cell<u32> = const { Cell::new(0) };
}

impl Guest for Probe {
    fn observe(request: String) -> Result<String, String> {
        let request = assent_json::parse(request.as_bytes()).map_err(|error| error.to_string())?;
        let steps = request.get("params").and_then(|params| params.get("steps")?.as_array()).unwrap_or_default();
        let mut output = Vec::new();
        for step in steps {
            match text(step, "do") {
                "output" => return Ok(text(step, "text").repeat(number(step, "times").max(1) as usize)),
                "fail" => return Err(text(step, "reason").repeat(number(step, "times").max(1) as usize)),
                "request" => output.push(request.clone()),
                _ => output.push(take(step)),
            }
        }
        Ok(Value::Array(output).to_canonical())
    }
}

fn take(step: &Value) -> Value {
    let account = text(step, "account");
    match text(step, "do") {
        "call" => match chain::call(text(step, "to"), text(step, "data")) {
            Ok(data) => object([("returned", Value::String(data))]),
            Err(data) => object([("reverted", Value::String(data))]),
        },
        "storage" => Value::String(chain::storage(account, text(step, "slot"))),
        "code" => Value::String(chain::code(account)),
        "balance" => Value::String(chain::balance(account)),
        "logs" => logs(step),
        "send" => send(step),
        "loop" => {
            let mut value = 1_u32;
            loop {
                value = black_box(value.wrapping_mul(3));
            }
        }
        "grow" => {
            let mut kept = Vec::new();
            loop {
                kept.push(vec![1_u8; 1 << 20]);
                black_box(&kept);
            }
        }
        "recurse" => Value::String(recurse(1).to_string()),
        "trap" => unreachable_instruction(),
        // Whether state is kept from one observation to the next.
        "count" => CALLS.with(|calls| {
            calls.set(calls.get() + 1);
            Value::from(calls.get())
        }),
        // The bits of a NaN, which processors choose differently.
        "nan" => {
            let nan = black_box(0.0_f64) / black_box(0.0_f64);
            let negative = black_box(-0.0_f64) / black_box(0.0_f64);
            Value::String(format!("{:016x} {:016x}", nan.to_bits(), negative.to_bits()))
        }
        other => Value::String(format!("unknown step {other}")),
    }
}

fn logs(step: &Value) -> Value {
    let filter = LogFilter {
        addresses: texts(step, "addresses"),
        topics: list(step, "topics").iter().map(strings).collect(),
        from_block: number(step, "from"),
        to_block: number(step, "to"),
    };
    let log = |log: chain::Log| {
        object([
            ("address", Value::String(log.address)),
            ("topics", Value::Array(log.topics.into_iter().map(Value::String).collect())),
            ("data", Value::String(log.data)),
            ("block", Value::String(log.block_number.to_string())),
            ("index", Value::from(log.log_index)),
            ("transaction", Value::String(log.transaction_hash)),
        ])
    };
    Value::Array(chain::logs(&filter).into_iter().map(log).collect())
}

fn send(step: &Value) -> Value {
    let header = |header: &Value| Header { name: text(header, "name").into(), value: text(header, "value").into() };
    let request = Request {
        method: if text(step, "method") == "POST" { Method::Post } else { Method::Get },
        url: text(step, "url").into(),
        headers: list(step, "headers").iter().map(header).collect(),
        body: step.get("body").and_then(Value::as_str).map(str::to_owned),
    };
    match http::send(&request) {
        Ok(response) => object([
            ("status", Value::from(u32::from(response.status))),
            ("headers", Value::from(response.headers.len() as u32)),
            ("body", Value::String(response.body)),
        ]),
        Err(failure) => object([("failure", Value::String(failure.name().into()))]),
    }
}

#[inline(never)]
fn recurse(depth: u64) -> u64 {
    if black_box(depth) == 0 { 0 } else { black_box(recurse(depth + 1)) + 1 }
}

fn unreachable_instruction() -> ! {
    core::arch::wasm32::unreachable()
}

fn object<const N: usize>(entries: [(&str, Value); N]) -> Value {
    let mut object = Object::default();
    for (key, value) in entries {
        object.insert(key, value);
    }
    Value::Object(object)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).unwrap_or_default()
}

fn texts(value: &Value, key: &str) -> Vec<String> {
    value.get(key).map(strings).unwrap_or_default()
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().unwrap_or_default().iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
