//! Garbage gets an error that names the text and says what is wrong with it; nothing panics.

mod world;

use assent_inspection::text::{self, LONGEST_TEXT, Texts, inspect, recognise};
use assent_verifier::Decision;
use proptest::prelude::*;
use world::World;

#[track_caller]
fn refused(texts: &Texts, input: &str, words: &[&str]) {
    let error = inspect(texts).expect_err("garbage");
    assert_eq!(error.input, input, "{error}");
    for word in words {
        assert!(error.message.contains(word), "{word:?} is not in {error}");
    }
    assert!(error.message.chars().count() < 1000, "{} characters", error.message.len());
}

fn texts() -> Texts {
    World::new(Decision::Allow).texts()
}

#[test]
fn nothing_is_said_to_be_nothing() {
    refused(&Texts::default(), "authorization", &["nothing to inspect"]);
    refused(&Texts { authorization: " \n".to_owned(), ..Texts::default() }, "authorization", &["nothing to inspect"]);
}

#[test]
fn what_is_no_hex_is_refused_with_the_place() {
    let authorization = |text: &str| Texts { authorization: text.to_owned(), ..Texts::default() };
    refused(&authorization("0xzz"), "authorization", &["not hex", "'z'"]);
    refused(&authorization("0x123"), "authorization", &["not hex"]);
    refused(&authorization("0x1234"), "authorization", &["ends within `taskId`", "calldata"]);
    refused(&authorization("1234"), "authorization", &["not hex", "does not begin with 0x"]);
    let long = format!("0x{}", "00".repeat(1492));
    refused(&authorization(&long), "authorization", &["1492 bytes; the maximum is 1491"]);
    let calldata = Texts { calldata: "0x12345678".to_owned(), ..Texts::default() };
    refused(&calldata, "calldata", &["no authorization", "selector"]);
}

#[test]
fn what_is_no_json_is_refused_with_the_place_and_the_shape() {
    refused(&Texts { document: "{".to_owned(), ..texts() }, "document", &["line 1", "assent attest"]);
    refused(&Texts { intent: "[]".to_owned(), ..texts() }, "intent", &["an intent is {"]);
    refused(&Texts { context: "null".to_owned(), ..texts() }, "context", &["assent context --json"]);
    refused(&Texts { epochs: "[{}]".to_owned(), ..texts() }, "epochs", &["missing field", "assent epoch show"]);
    let unknown = texts().context.replace("\"caller\"", "\"callers\"");
    refused(&Texts { context: unknown, ..texts() }, "context", &["unknown field `callers`"]);
}

#[test]
fn numbers_and_addresses_are_refused_by_name() {
    refused(&Texts { timestamp: "soon".to_owned(), ..texts() }, "timestamp", &["soon", "whole number"]);
    refused(&Texts { timestamp: "0x10000000000000000".to_owned(), ..texts() }, "timestamp", &["64 bits"]);
    refused(&Texts { caller: "0x12".to_owned(), ..texts() }, "caller", &["0x12", "not an address"]);
    let trailing = Texts { calldata: "0x00".to_owned(), authorization: String::new(), ..Texts::default() };
    refused(&Texts { value: "9".repeat(80), ..trailing.clone() }, "value", &["256 bits"]);
    refused(&Texts { value: "-1".to_owned(), ..trailing }, "value", &["whole number"]);
}

#[test]
fn what_is_not_an_abi_is_refused() {
    for (abi, words) in [("[{}]", "cannot parse the JSON ABI"), ("transfer(", "write it as"), ("[]", "no function")] {
        refused(&Texts { abi: abi.to_owned(), ..texts() }, "abi", &[words]);
    }
    for deep in ["(".repeat(1_000_000), "[".repeat(1_000_000), "f(uint".to_owned() + &"[]".repeat(500_000)] {
        refused(&Texts { abi: deep, ..texts() }, "abi", &[]);
    }
}

#[test]
fn what_contradicts_itself_is_refused() {
    refused(&Texts { calldata: "0x00".to_owned(), ..texts() }, "calldata", &["not both"]);
    let trailing = Texts { authorization: String::new(), calldata: "0x00".to_owned(), ..texts() };
    refused(&trailing, "intent", &["calldata"]);
    refused(&Texts { value: "1".to_owned(), ..texts() }, "value", &["calldata"]);
    refused(&Texts { recorded: true, ..texts() }, "document", &["authorization"]);
}

#[test]
fn huge_and_deep_texts_are_refused_at_once() {
    let huge = "0".repeat(LONGEST_TEXT + 1);
    for (input, texts) in [
        ("authorization", Texts { authorization: huge.clone(), ..Texts::default() }),
        ("calldata", Texts { calldata: huge.clone(), ..Texts::default() }),
        ("document", Texts { document: huge.clone(), ..Texts::default() }),
        ("context", Texts { context: huge.clone(), ..texts() }),
    ] {
        refused(&texts, input, &["the maximum is 8388608"]);
    }
    for deep in ["[".repeat(1_000_000), "{\"a\":".repeat(1_000_000)] {
        refused(&Texts { epochs: deep.clone(), ..texts() }, "epochs", &[]);
        refused(&Texts { context: deep, ..texts() }, "context", &[]);
    }
    let long_name = format!("{{\"{}\": 1}}", "x".repeat(1_000_000));
    refused(&Texts { intent: long_name, ..texts() }, "intent", &["unknown field", "…"]);
}

#[test]
fn the_page_has_the_same_limit() {
    let page = include_str!("../../../../inspector/page/inspector.js");
    assert!(page.contains(&format!("const LONGEST_TEXT = {LONGEST_TEXT};")), "{LONGEST_TEXT}");
}

#[test]
fn more_epochs_than_are_read_are_refused_before_they_are_read() {
    let texts = texts();
    let mut context: serde_json::Value = serde_json::from_str(&texts.context).expect("JSON");
    let epoch = context["epochs"][0].clone();
    let many = vec![epoch; text::MOST_EPOCHS + 1];
    let epochs = serde_json::to_string(&many).expect("JSON");
    refused(&Texts { epochs, ..texts.clone() }, "epochs", &["17 epochs are more than 16"]);
    context["epochs"] = many.into();
    refused(&Texts { context: context.to_string(), ..texts }, "context", &["17 epochs are more than 16"]);
}

#[test]
fn files_are_recognised_by_what_is_in_them() {
    let texts = texts();
    let epoch = serde_json::from_str::<serde_json::Value>(&texts.context).expect("JSON")["epochs"][0].to_string();
    let trailing = world::examples().into_iter().find(|example| !example.texts.calldata.is_empty()).expect("one");
    for (text, kind) in [
        (&texts.authorization, "authorization"),
        (&trailing.texts.calldata, "calldata"),
        (&texts.document, "document"),
        (&texts.context, "context"),
        (&texts.intent, "intent"),
        (&epoch, "epochs"),
        (&format!("[{epoch}]"), "epochs"),
        (&format!("\n {} \n", texts.authorization), "authorization"),
        (&"transfer(address to, uint256 amount)".to_owned(), "abi"),
        (&"function f(uint256 a) external;\nfunction g()".to_owned(), "abi"),
        (
            &r#"[{"type": "function", "name": "f", "inputs": [], "outputs": [], "stateMutability": "view"}]"#
                .to_owned(),
            "abi",
        ),
        (&r#"{"abi": [], "bytecode": "0x"}"#.to_owned(), "abi"),
    ] {
        assert_eq!(recognise(text), Ok(kind));
    }
    for (text, word) in [
        (" ", "it is empty"),
        ("hello", "not hex"),
        ("transfer(address", "cannot parse function signature"),
        ("{}", "not an attestation document"),
        ("{", "cannot parse it"),
    ] {
        let error = recognise(text).expect_err("garbage");
        assert!(error.message.contains(word), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(which in 0..10_usize, garbage in ".{0,200}", cut in any::<prop::sample::Index>()) {
        let texts = texts();
        let mut garbled = texts.clone();
        // What was right up to a point, and garbage from there on.
        let spoil = |text: &mut String| {
            let place = cut.index(text.len() + 1);
            text.truncate(place);
            text.push_str(&garbage);
        };
        match which {
            0 => spoil(&mut garbled.authorization),
            1 => spoil(&mut garbled.document),
            2 => spoil(&mut garbled.intent),
            3 => spoil(&mut garbled.context),
            4 => spoil(&mut garbled.epochs),
            5 => spoil(&mut garbled.caller),
            6 => spoil(&mut garbled.timestamp),
            7 => spoil(&mut garbled.value),
            8 => spoil(&mut garbled.abi),
            _ => spoil(&mut garbled.calldata),
        }
        let _ = inspect(&garbled);
        let _ = recognise(&garbage);
    }

    #[test]
    fn no_bytes_make_it_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        place in any::<prop::sample::Index>(),
    ) {
        let texts = texts();
        let mut authorization = alloy_primitives::hex::decode(&texts.authorization).expect("hex");
        let place = place.index(authorization.len());
        authorization.truncate(place);
        authorization.extend(bytes);
        let authorization = alloy_primitives::hex::encode(authorization);
        let _ = inspect(&Texts { authorization, ..texts });
    }
}
