//! What an identity registry (ERC-3643) knows of the addresses of a call.

use assent_json::{Object, Value};
use std::collections::BTreeSet;

wit_bindgen::generate!({ path: "../../../../crates/internal/policy-data/wit", world: "policy-data" });

use assent::policy_data::chain;

/// `isVerified(address)`.
const IS_VERIFIED: &str = "0xb9209e33";
/// `investorCountry(address)`, an ISO 3166-1 numeric code.
const INVESTOR_COUNTRY: &str = "0x7e42683b";
/// The most addresses of a call, of which each takes two reads.
const MAX_SUBJECTS: usize = 24;

struct Identity;

export!(Identity);

impl Guest for Identity {
    fn observe(request: String) -> Result<String, String> {
        let request = assent_json::parse(request.as_bytes()).map_err(|error| error.to_string())?;
        let text = |object: &str, key: &str| {
            let value = request.get(object).and_then(|object| object.get(key)).and_then(Value::as_str);
            value.map(str::to_ascii_lowercase).ok_or(format!("the request has no {key}"))
        };
        let registry = text("params", "registry")?;
        let data = text("intent", "data")?;
        let mut subjects = BTreeSet::from([text("intent", "from")?]);
        // 0x and a selector, then words of 64 digits: every one that can be an address.
        let words = data.get(10..).unwrap_or_default().as_bytes().chunks_exact(64);
        let addresses = words.filter(|word| word.iter().take(24).all(|digit| *digit == b'0'));
        subjects.extend(addresses.map(|word| format!("0x{}", String::from_utf8_lossy(&word[24..]))));
        if subjects.len() > MAX_SUBJECTS {
            return Err(format!("the call has {} addresses, more than {MAX_SUBJECTS}", subjects.len()));
        }
        let mut output = Object::default();
        for subject in subjects {
            let mut identity = Object::default();
            let is_verified = read(&registry, IS_VERIFIED, &subject)? == 1;
            identity.insert("verified", Value::Bool(is_verified));
            if is_verified {
                let country = i64::try_from(read(&registry, INVESTOR_COUNTRY, &subject)?);
                let country = country.ok().and_then(|country| Value::try_from(country).ok());
                identity.insert("country", country.ok_or("a country is out of range")?);
            }
            output.insert(subject, Value::Object(identity));
        }
        Ok(Value::Object(output).to_canonical())
    }
}

/// Calls a function of an address that returns one small integer.
fn read(registry: &str, selector: &str, subject: &str) -> Result<u64, String> {
    let digits = subject.trim_start_matches("0x");
    let data = format!("{selector}{digits:0>64}");
    let word = chain::call(registry, &data).map_err(|data| format!("the registry reverts: {data}"))?;
    let digits =
        word.strip_prefix("0x").filter(|digits| digits.len() == 64).ok_or("the registry's answer is not a word")?;
    u64::from_str_radix(digits, 16).map_err(|_| "the registry's answer is out of range".to_owned())
}
