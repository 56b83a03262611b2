//! The canonical form, compared with what RFC 8785 says and with another implementation of it.

use assent_json::{ErrorKind, MAX_INTEGER, Object, Value, parse, parse_canonical};
use proptest::prelude::*;

#[test]
fn the_example_of_rfc_8785_section_3_2_2_is_written_as_there() {
    // Without its numbers, which are no integers.
    let text = r#"{ "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false] }"#;
    let canonical = r#"{"literals":[null,true,false],"string":"€$\u000f\nA'B\"\\\\\"/"}"#;
    assert_eq!(parse(text.as_bytes()).expect("valid").to_canonical(), canonical);
}

#[test]
fn the_keys_of_rfc_8785_section_3_2_3_are_in_its_order() {
    let text = r#"{
        "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
        "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"
    }"#;
    let value = parse(text.as_bytes()).expect("valid");
    let keys: Vec<_> = value.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["\r", "1", "\u{80}", "\u{f6}", "\u{20ac}", "\u{1f600}", "\u{fb33}"]);
}

#[test]
fn only_the_canonical_spelling_is_accepted() {
    for text in ["null", "-1", r#"{"a":[1,"\u001f\n\\"],"b":{}}"#, "\"\u{7f}\u{2028}/\"", "[]"] {
        assert!(parse_canonical(text.as_bytes()).is_ok(), "{text}");
    }
    for (text, offset) in [
        ("-0", 0),
        (" 1", 0),
        ("1 ", 1),
        ("[1, 2]", 3),
        (r#"{"b":1,"a":2}"#, 2),
        (r#""\u0041""#, 1),
        (r#""\/""#, 1),
        (r#""\u000a""#, 2),
        (r#""\u001F""#, 6),
        (r#""\u00e9""#, 1),
        ("{\"\u{1f600}\":0,\"\u{fb33}\":0,\"a\":0}", 2),
        ("{\"\u{fb33}\":0,\"\u{1f600}\":0}", 2),
    ] {
        assert!(parse(text.as_bytes()).is_ok(), "{text}");
        let error = parse_canonical(text.as_bytes()).expect_err(text);
        assert_eq!((error.kind, error.offset), (ErrorKind::NotCanonical, offset), "{text}");
    }
    assert_eq!(parse_canonical(b"1.5").expect_err("a fraction").kind, ErrorKind::Fraction);
}

#[test]
fn members_can_be_inserted_read_and_removed() {
    let mut object: Object = [("b", 1), ("a", 2), ("b", 3)].into_iter().collect();
    assert_eq!(Value::from(object.clone()).to_canonical(), r#"{"a":2,"b":3}"#);
    assert_eq!(object.insert("a", "x"), Some(2.into()));
    assert_eq!(object.get("a"), Some(&"x".into()));
    object.get_mut("b").into_iter().for_each(|value| *value = Value::Null);
    assert_eq!(object.remove("b"), Some(Value::Null));
    assert_eq!((object.remove("b"), object.len()), (None, 1));
}

/// Any value that the parser accepts.
fn values() -> impl Strategy<Value = Value> {
    let strings = || prop_oneof![any::<String>(), "[a-c\u{e000}\u{10000}\"\\\\\n]{0,3}"];
    let leaves = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-MAX_INTEGER..=MAX_INTEGER).prop_map(|integer| Value::try_from(integer).expect("in range")),
        strings().prop_map(Value::from),
    ];
    leaves.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((strings(), inner), 0..8)
                .prop_map(|members| Value::from(members.into_iter().collect::<Object>())),
        ]
    })
}

/// The same value for serde_json, whose numbers may be written as a double's shortest form.
fn judged(text: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(text).expect("valid for serde_json");
    serde_json_canonicalizer::to_string(&value).expect("canonical")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_canonical_form_leads_back_to_its_value_and_is_that_of_another_implementation(value in values()) {
        let canonical = value.to_canonical();
        prop_assert_eq!(parse_canonical(canonical.as_bytes()), Ok(value));
        prop_assert_eq!(judged(&canonical), canonical);
    }

    #[test]
    fn text_with_any_spelling_has_the_canonical_form_of_another_implementation(value in values()) {
        let canonical = value.to_canonical();
        let document: serde_json::Value = serde_json::from_str(&canonical).expect("valid for serde_json");
        let spaced = serde_json::to_string_pretty(&document).expect("valid");
        let parsed = parse(spaced.as_bytes()).expect("valid");
        prop_assert_eq!(parse_canonical(spaced.as_bytes()).is_ok(), spaced == canonical);
        prop_assert_eq!(parsed.to_canonical(), canonical);
    }

    /// What is accepted is accepted by serde_json too, with the same value.
    #[test]
    fn text_that_is_accepted_means_the_same_to_another_parser(text in r#"[\[\]{}":,0-9a\\u \-de.tru]{0,12}"#) {
        if let Ok(value) = parse(text.as_bytes()) {
            prop_assert_eq!(parse_canonical(text.as_bytes()).is_ok(), value.to_canonical() == text);
            prop_assert_eq!(value.to_canonical(), judged(&text));
        }
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        drop(parse(&bytes));
    }
}
