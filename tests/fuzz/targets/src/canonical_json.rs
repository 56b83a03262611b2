use assent_json::{Value, parse, parse_canonical};

/// Strict JSON: what is read has one canonical form, which is read as the same value, and only it is canonical. An
/// ordinary parser reads the same value.
pub fn canonical_json(input: &[u8]) {
    let canonical = parse_canonical(input);
    let Ok(value) = parse(input) else {
        assert!(canonical.is_err(), "canonical, and yet not JSON");
        return;
    };
    let text = value.to_canonical();
    assert_eq!(parse_canonical(text.as_bytes()).as_ref(), Ok(&value));
    assert_eq!(canonical.ok(), (text.as_bytes() == input).then(|| value.clone()));
    let read: serde_json::Value = serde_json::from_slice(input).expect("strict JSON is JSON");
    assert!(is_same(&value, &read), "{read} is read as {text}");
}

fn is_same(value: &Value, other: &serde_json::Value) -> bool {
    match (value, other) {
        (Value::Null, serde_json::Value::Null) => true,
        (Value::Bool(value), serde_json::Value::Bool(other)) => value == other,
        // serde_json reads -0 as a double.
        (Value::Integer(_), serde_json::Value::Number(other)) => {
            value.to_canonical() == other.to_string().replace("-0.0", "0")
        }
        (Value::String(value), serde_json::Value::String(other)) => value == other,
        (Value::Array(values), serde_json::Value::Array(others)) => {
            values.len() == others.len() && values.iter().zip(others).all(|(value, other)| is_same(value, other))
        }
        (Value::Object(members), serde_json::Value::Object(others)) => {
            let is_same = |(key, value)| others.get(key).is_some_and(|other| is_same(value, other));
            members.iter().len() == others.len() && members.iter().all(is_same)
        }
        _ => false,
    }
}
