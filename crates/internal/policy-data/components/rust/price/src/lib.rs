//! A price: what a feed on the chain has, and what a web service has.

use assent_json::{Object, Value};

wit_bindgen::generate!({ path: "../../../wit", world: "policy-data" });

use assent::policy_data::{
    chain,
    http::{self, Header, Method, Request},
};

/// `latestRoundData()`, whose second word is the price.
const LATEST_ROUND_DATA: &str = "0xfeaf968c";

struct Price;

export!(Price);

impl Guest for Price {
    fn observe(request: String) -> Result<String, String> {
        let request = assent_json::parse(request.as_bytes()).map_err(|error| error.to_string())?;
        let parameter = |name| request.get("params").and_then(|parameters| parameters.get(name)?.as_str());
        let mut output = Object::default();
        if let Some(feed) = parameter("feed") {
            output.insert("chain", Value::String(on_chain(feed)?));
        }
        if let Some(url) = parameter("url") {
            output.insert("web", Value::String(on_web(url)?));
        }
        Ok(Value::Object(output).to_canonical())
    }
}

fn on_chain(feed: &str) -> Result<String, String> {
    let data = chain::call(feed, LATEST_ROUND_DATA).map_err(|data| format!("the feed reverts: {data}"))?;
    let price = data.get(66..130).ok_or("the feed's answer is too short")?;
    let price = u128::from_str_radix(price, 16).map_err(|_| "the feed's price is out of range")?;
    Ok(price.to_string())
}

fn on_web(url: &str) -> Result<String, String> {
    let authorization = Header { name: "authorization".into(), value: "Bearer {{secret:PRICE_KEY}}".into() };
    let request = Request { method: Method::Get, url: url.into(), headers: vec![authorization], body: None };
    let response = http::send(&request).map_err(|failure| format!("no answer: {}", failure.name()))?;
    if response.status != 200 {
        return Err(format!("status {}", response.status));
    }
    let body = assent_json::parse(response.body.as_bytes()).map_err(|error| error.to_string())?;
    let price = body.get("price").and_then(Value::as_str).ok_or("the answer has no price")?;
    Ok(price.to_owned())
}
