//! The position of a client in a lending pool (Aave v3), and the price of the asset that a call is about.

use assent_json::{Object, Value};

wit_bindgen::generate!({ path: "../../../../crates/internal/policy-data/wit", world: "policy-data" });

use assent::policy_data::chain;

/// `getUserAccountData(address)`.
const ACCOUNT_DATA: &str = "0xbf92857c";
/// `getAssetPrice(address)`.
const ASSET_PRICE: &str = "0xb3596f07";
/// `decimals()`.
const DECIMALS: &str = "0x313ce567";
/// The most decimals of an asset.
const MAX_DECIMALS: usize = 36;

struct Position;

export!(Position);

impl Guest for Position {
    fn observe(request: String) -> Result<String, String> {
        let request = assent_json::parse(request.as_bytes()).map_err(|error| error.to_string())?;
        let text = |object: &str, key: &str| {
            let value = request.get(object).and_then(|object| object.get(key)).and_then(Value::as_str);
            value.map(str::to_ascii_lowercase).ok_or(format!("the request has no {key}"))
        };
        let account = call(&text("params", "pool")?, ACCOUNT_DATA, Some(&text("task", "client")?), 6)?;
        // The asset is the first argument of all functions that the policy names.
        let data = text("intent", "data")?;
        let asset = data.get(34..74).map(|digits| format!("0x{digits}")).ok_or("the call has no argument")?;
        let price = call(&text("params", "oracle")?, ASSET_PRICE, Some(&asset), 1)?;
        let decimals = call(&asset, DECIMALS, None, 1)?;
        let decimals = decimals.first().and_then(|word| usize::from_str_radix(word, 16).ok());
        let decimals =
            decimals.filter(|decimals| *decimals <= MAX_DECIMALS).ok_or("the asset's decimals are out of range")?;
        let mut output = Object::default();
        for (name, words, index) in
            [("collateral", &account, 0), ("debt", &account, 1), ("threshold", &account, 3), ("price", &price, 0)]
        {
            output.insert(name, Value::String(decimal(words.get(index).ok_or("an answer is too short")?)?));
        }
        output.insert("unit", Value::String(format!("1{}", "0".repeat(decimals))));
        Ok(Value::Object(output).to_canonical())
    }
}

/// Calls a function, with one address or without arguments. Returns the words of its answer.
fn call(to: &str, selector: &str, argument: Option<&str>, words: usize) -> Result<Vec<String>, String> {
    let argument = argument.map(|address| format!("{:0>64}", address.trim_start_matches("0x"))).unwrap_or_default();
    let answer = chain::call(to, &format!("{selector}{argument}")).map_err(|data| format!("{to} reverts: {data}"))?;
    let digits = answer.strip_prefix("0x").filter(|digits| digits.len() == words * 64 && digits.is_ascii());
    let digits = digits.ok_or_else(|| format!("{to} answers with something else than {words} words"))?;
    Ok(digits.as_bytes().chunks(64).map(|word| String::from_utf8_lossy(word).into_owned()).collect())
}

/// Returns a word in decimal.
fn decimal(word: &str) -> Result<String, String> {
    // Decimal digits, the last first.
    let mut decimal = vec![0_u8];
    for digit in word.chars() {
        let mut carry = digit.to_digit(16).ok_or("an answer is not hexadecimal")?;
        for place in &mut decimal {
            let value = u32::from(*place) * 16 + carry;
            *place = (value % 10) as u8;
            carry = value / 10;
        }
        while carry > 0 {
            decimal.push((carry % 10) as u8);
            carry /= 10;
        }
    }
    Ok(decimal.iter().rev().map(|digit| char::from(b'0' + digit)).collect())
}
