//! What the parser accepts, and why it refuses the rest.

use assent_json::{ErrorKind, MAX_DEPTH, MAX_INTEGER, Value, parse};

/// 2^256 − 1.
const MAX_UINT256: &str = "115792089237316195423570985008687907853269984665640564039457584007913129639935";

fn refusal(text: &[u8]) -> (ErrorKind, usize) {
    let error = parse(text).expect_err(&String::from_utf8_lossy(text));
    (error.kind, error.offset)
}

#[test]
fn each_kind_of_value_is_parsed() {
    let text = r#" { "a" : [ null , true , false , 0 , -7 ] , "b" : { } , "c" : [ ] ,
        "d" : "\u0000é\ud83d\ude00\"\\\/\b\f\n\r\t" } "#;
    let value = parse(text.as_bytes()).expect("valid");
    let list = [Value::Null, true.into(), false.into(), 0.into(), (-7).into()];
    assert_eq!(value.get("a").and_then(Value::as_array), Some(&list[..]));
    assert!(value.get("b").and_then(Value::as_object).is_some_and(|object| object.is_empty()));
    assert_eq!(value.get("c").and_then(Value::as_array), Some(&[][..]));
    assert_eq!(value.get("d").and_then(Value::as_str), Some("\0é😀\"\\/\u{8}\u{c}\n\r\t"));
    assert_eq!(parse(b"\t\r\n 1"), Ok(1.into()));
    assert_eq!(parse(b"-0"), Ok(0.into()));
}

#[test]
fn refusals_name_their_reason_and_their_offset() {
    use ErrorKind::*;
    let cases: &[(&[u8], ErrorKind, usize)] = &[
        (b"", UnexpectedEnd, 0),
        (b"  ", UnexpectedEnd, 2),
        (b"[", UnexpectedEnd, 1),
        (b"[1", UnexpectedEnd, 2),
        (b"[1,", UnexpectedEnd, 3),
        (b"{\"a\"", UnexpectedEnd, 4),
        (b"{\"a\":", UnexpectedEnd, 5),
        (b"\"abc", UnexpectedEnd, 4),
        (b"\"abc\\", UnexpectedEnd, 5),
        (b"-", UnexpectedEnd, 1),
        (b"[1 2]", Expected("a comma or the end of the array"), 3),
        (b"[1,]", Expected("a value"), 3),
        (b"[,1]", Expected("a value"), 1),
        (b"{,}", Expected("a key in quotes"), 1),
        (b"{\"a\":1,}", Expected("a key in quotes"), 7),
        (b"{a:1}", Expected("a key in quotes"), 1),
        (b"{\"a\" 1}", Expected("a colon"), 5),
        (b"{\"a\":1 \"b\":2}", Expected("a comma or the end of the object"), 7),
        (b"{\"a\":1]", Expected("a comma or the end of the object"), 6),
        (b"True", Expected("a value"), 0),
        (b"tru", Expected("true, false or null"), 0),
        (b"nul", Expected("true, false or null"), 0),
        (b"NaN", Expected("a value"), 0),
        (b"Infinity", Expected("a value"), 0),
        (b"-Infinity", Expected("a digit"), 1),
        (b"+1", Expected("a value"), 0),
        (b"--1", Expected("a digit"), 1),
        (b".5", Expected("a value"), 0),
        (b"'a'", Expected("a value"), 0),
        (b"// a\n1", Expected("a value"), 0),
        (b"\xef\xbb\xbf1", Expected("a value"), 0),
        (b"\x0b1", Expected("a value"), 0),
        (b"\xc2\xa01", Expected("a value"), 0),
        (b"1 1", TrailingData, 2),
        (b"nullnull", TrailingData, 4),
        (b"[]]", TrailingData, 2),
        (b"1\0", TrailingData, 1),
        (b"0x10", TrailingData, 1),
        (b"1_000", TrailingData, 1),
        (b"\"a\nb\"", ControlCharacter, 2),
        (b"\"\x00\"", ControlCharacter, 1),
        (b"\"\x1f\"", ControlCharacter, 1),
        (b"\"\\x41\"", InvalidEscape, 1),
        (b"\"\\\n\"", InvalidEscape, 1),
        (b"\"\\u12\"", InvalidEscape, 1),
        (b"\"\\u+123\"", InvalidEscape, 1),
        (b"\"\\U0041\"", InvalidEscape, 1),
        (b"\"\\u00\xc3\xa9\"", InvalidEscape, 1),
        (b"01", LeadingZero, 0),
        (b"-00", LeadingZero, 0),
        (b"[1,007]", LeadingZero, 3),
        (b"\xff", InvalidUtf8, 0),
        (b"\"ab\xc0\xaf\"", InvalidUtf8, 3),
        // A surrogate in UTF-8, as some encoders write it.
        (b"\"\xed\xa0\x80\"", InvalidUtf8, 1),
    ];
    for (text, kind, offset) in cases {
        assert_eq!(refusal(text), (kind.clone(), *offset), "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn keys_that_are_equal_after_their_escapes_are_refused() {
    let duplicate = |key: &str, offset| (ErrorKind::DuplicateKey(key.to_owned()), offset);
    assert_eq!(refusal(br#"{"a":1,"a":1}"#), duplicate("a", 7));
    assert_eq!(refusal(br#"{"a":1, "b":[{"x":{}}], "\u0061":2}"#), duplicate("a", 24));
    assert_eq!(refusal(br#"{"":1,"":2}"#), duplicate("", 6));
    assert_eq!(refusal(br#"{"z":1,"y":2,"x":3,"y":4,"z":5}"#), duplicate("y", 19));
    assert_eq!(refusal(br#"[{"q":{"\ud83d\ude00":1,"b":0,"\ud83d\uDE00":2}}]"#), duplicate("😀", 30));
    assert_eq!(refusal("{\"\u{e9}\":1,\"\\u00e9\":1}".as_bytes()), duplicate("é", 8));
    // Different characters that look alike are different keys: nothing is normalised.
    assert!(parse("{\"\u{e9}\":1,\"e\u{301}\":1}".as_bytes()).is_ok());
    assert!(parse(br#"{"a":1,"A":1}"#).is_ok());
}

#[test]
fn lone_surrogates_are_refused() {
    for text in [
        r#""\ud800""#,
        r#""\udfff""#,
        r#""\ud83d""#,
        r#""\ud83d\n""#,
        r#""\ud83dx""#,
        r#""\ud83d\ud83d""#,
        r#""\ude00\ud83d""#,
        r#""\ud83d\u0041""#,
        r#"{"\udc00":1}"#,
    ] {
        let (kind, offset) = refusal(text.as_bytes());
        assert_eq!((kind, offset), (ErrorKind::LoneSurrogate, text.find('\\').expect("an escape")), "{text}");
    }
    assert_eq!(refusal(br#""\ud83d\u00""#).0, ErrorKind::InvalidEscape);
    assert_eq!(parse(br#""\uD83D\uDE00\ue000""#), Ok("😀\u{e000}".into()));
}

#[test]
fn escaped_quotes_stay_in_their_string() {
    let value = parse(br#"{"a\"b":"c\\\"","d\\":"\\\\"}"#).expect("valid");
    assert_eq!(value.get("a\"b").and_then(Value::as_str), Some("c\\\""));
    assert_eq!(value.get("d\\").and_then(Value::as_str), Some("\\\\"));
    assert_eq!(refusal(br#"{"a\":1}"#).0, ErrorKind::UnexpectedEnd);
    assert_eq!(refusal(br#""a\\"b""#), (ErrorKind::TrailingData, 5));
}

#[test]
fn fractions_and_exponents_are_refused_even_if_the_value_is_an_integer() {
    for text in ["1.0", "0.1", "-0.0", "1.", "1.e5", "123456789012345678901234567890.5"] {
        assert_eq!(refusal(text.as_bytes()), (ErrorKind::Fraction, 0), "{text}");
    }
    for text in ["1e0", "1E3", "0e0", "1e100000000", "-1e-1", "1e", "10E+2", &format!("{MAX_UINT256}e0")] {
        assert_eq!(refusal(text.as_bytes()), (ErrorKind::Exponent, 0), "{text}");
    }
}

#[test]
fn integers_that_a_double_does_not_hold_are_refused() {
    assert_eq!(parse(b"9007199254740991"), Value::try_from(MAX_INTEGER).map_err(|_| unreachable!()));
    assert_eq!(parse(b"-9007199254740991"), Value::try_from(-MAX_INTEGER).map_err(|_| unreachable!()));
    assert_eq!(Value::try_from(MAX_INTEGER + 1).map_err(|error| error.0), Err(9_007_199_254_740_992));
    for text in [
        "9007199254740992",
        "-9007199254740992",
        "18446744073709551615",
        "99999999999999999999",
        &MAX_UINT256.replace("935", "934"),
        MAX_UINT256,
        &format!("-{MAX_UINT256}"),
        &"9".repeat(100_000),
    ] {
        assert_eq!(refusal(text.as_bytes()), (ErrorKind::IntegerOutOfRange, 0), "{text}");
    }
    assert_eq!(refusal(format!("0{MAX_UINT256}").as_bytes()), (ErrorKind::LeadingZero, 0));
    assert_eq!(refusal(format!("{MAX_UINT256}.0").as_bytes()), (ErrorKind::Fraction, 0));
    // As a decimal string it is exact.
    assert_eq!(parse(format!("\"{MAX_UINT256}\"").as_bytes()), Ok(MAX_UINT256.into()));
}

#[test]
fn more_than_64_levels_are_refused_and_100_000_do_no_harm() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
        let levels = open.matches(['[', '{']).count();
        let nested =
            |levels_of: usize| [open.repeat(levels_of / levels), "0".into(), close.repeat(levels_of / levels)].concat();
        assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
        let (kind, offset) = refusal(nested(MAX_DEPTH + levels).as_bytes());
        assert_eq!((kind, offset), (ErrorKind::TooDeep, open.len() * MAX_DEPTH / levels));
        assert_eq!(refusal(nested(100_000).as_bytes()).0, ErrorKind::TooDeep);
        assert_eq!(refusal(open.repeat(100_000).as_bytes()).0, ErrorKind::TooDeep);
    }
    let wide = format!("[{}0]", "[],".repeat(100_000));
    assert_eq!(parse(wide.as_bytes()).ok().and_then(|value| value.as_array().map(<[_]>::len)), Some(100_001));
}

#[test]
fn the_line_and_the_column_of_an_error_count_characters_from_one() {
    let position = |text: &str| parse(text.as_bytes()).expect_err(text).line_and_column(text.as_bytes());
    assert_eq!(position("x"), (1, 1));
    assert_eq!(position("{\n  \"é\": x"), (2, 8));
    assert_eq!(position("[\n\n"), (3, 1));
}
