//! Which addresses of a call are on published lists.
//!
//! Each URL of the parameter `lists` is a JSON array of addresses. All lists must answer.

use assent_json::{Object, Value};
use std::collections::BTreeSet;

wit_bindgen::generate!({ path: "../../../../crates/internal/policy-data/wit", world: "policy-data" });

use assent::policy_data::http::{self, Method, Request};

struct Listed;

export!(Listed);

impl Guest for Listed {
    fn observe(request: String) -> Result<String, String> {
        let request = assent_json::parse(request.as_bytes()).map_err(|error| error.to_string())?;
        let subjects = subjects(&request)?;
        let lists = request.get("params").and_then(|parameters| parameters.get("lists")).and_then(Value::as_array);
        let mut listed = BTreeSet::new();
        for url in lists.ok_or("the parameters have no lists")? {
            let list = list(url.as_str().ok_or("a list is not a URL")?)?;
            listed.extend(list.into_iter().filter(|address| subjects.contains(address)));
        }
        let listed = listed.into_iter().map(Value::String).collect::<Vec<_>>();
        let mut output = Object::default();
        output.insert("addresses", Value::Array(listed));
        Ok(Value::Object(output).to_canonical())
    }
}

/// Returns caller, client and target of a call, and every word of its calldata that can be an address.
fn subjects(request: &Value) -> Result<BTreeSet<String>, String> {
    let text = |object: &str, key: &str| {
        let value = request.get(object).and_then(|object| object.get(key)).and_then(Value::as_str);
        value.map(str::to_owned).ok_or(format!("the request has no {key}"))
    };
    let data = text("intent", "data")?;
    let mut subjects = BTreeSet::from([text("intent", "from")?, text("intent", "to")?, text("task", "client")?]);
    // 0x and a selector, then words of 64 digits.
    let words = data.get(10..).unwrap_or_default().as_bytes().chunks_exact(64);
    let addresses = words.filter(|word| word.iter().take(24).all(|digit| *digit == b'0'));
    subjects.extend(addresses.map(|word| format!("0x{}", String::from_utf8_lossy(&word[24..]))));
    Ok(subjects)
}

fn list(url: &str) -> Result<Vec<String>, String> {
    let request = Request { method: Method::Get, url: url.into(), headers: vec![], body: None };
    let response = http::send(&request).map_err(|failure| format!("{url} gives no answer: {}", failure.name()))?;
    if response.status != 200 {
        return Err(format!("{url} answers with status {}", response.status));
    }
    let list = assent_json::parse(response.body.as_bytes()).map_err(|error| format!("{url}: {error}"))?;
    let addresses = list.as_array().ok_or_else(|| format!("{url} has no array"))?.iter().map(|address| {
        let address = address.as_str().ok_or_else(|| format!("{url} has an element that is no string"))?;
        Ok(address.to_ascii_lowercase())
    });
    let addresses = addresses.collect::<Result<Vec<_>, String>>()?;
    // An empty list is more likely a fault of the server than a world without sanctions.
    if addresses.is_empty() { Err(format!("{url} has an empty list")) } else { Ok(addresses) }
}
