//! The fuzzer's target holds on what is committed, and on what the fuzzer found to fail on this machine.

mod contents;

use alloy_primitives::keccak256;
use contents::{SEPARATOR, contents};
use std::{fs, path::Path};

/// Inputs that pass, from which the fuzzer starts.
fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let join = |parts: [&[u8]; 5]| parts.join(&SEPARATOR);
    let call = |signature: &str, words: &[[u8; 32]]| [&keccak256(signature)[..4], &words.concat()].concat();
    let number = |value: u8| {
        let mut word = [0; 32];
        word[31] = value;
        word
    };
    let schema = br#"{"properties":{"x":{"type":"string","format":"uint256"}},"type":"string","format":"int256"}"#;
    let data =
        format!(r#"{{"requiredWeight":"1","sources":{{"s":[{{"observers":{{"0x{:040x}":"1"}},"output":"-5"}}]}}}}"#, 1);
    // Outputs that several operators observed, reduced by the rule with a number.
    let reduced = |number: usize, schema: &str, outputs: &[&str]| {
        let entries = outputs.iter().enumerate().map(|(index, output)| {
            format!(r#"{{"observers":{{"0x{index:040x}":"{}"}},"output":{output}}}"#, 30 + index)
        });
        let entries = entries.collect::<Vec<_>>().join(",");
        let data = format!(r#"{{"requiredWeight":"61","sources":{{"s":[{entries}]}}}}"#);
        let blanks = (8 + number - schema.len() % 8) % 8;
        let schema = format!("{schema}{}", " ".repeat(blanks));
        join([b"function f()", schema.as_bytes(), b"{}", data.as_bytes(), &call("f()", &[])])
    };
    let fields = r#"{"properties":{"a":{"format":"int256","type":"string"},"c":{"format":"uint256","type":"string"}}}"#;
    let nested = "function h((address[2] a, int24 b)[] l, bytes c)";
    let words = [64, 224, 1, 1, 2, 3, 0].map(number);
    vec![
        ("seed-median", reduced(0, "{}", &["-1", "3", "7"])),
        ("seed-same", reduced(1, "{}", &["{\"a\":[null,true]}", "{}"])),
        ("seed-quorum", reduced(2, r#"{"format":"uint256","type":"string"}"#, &["\"10\"", "\"9\""])),
        ("seed-min", reduced(3, r#"{"format":"int256","type":"string"}"#, &["\"-10\"", "\"-9\""])),
        ("seed-max", reduced(4, "{}", &["0", "9007199254740991"])),
        ("seed-union", reduced(5, r#"{"items":{"format":"address","type":"string"}}"#, &["[\"a\",\"b\"]", "[]"])),
        ("seed-fields", reduced(6, fields, &[r#"{"a":"-1","b":[1],"c":"2"}"#, r#"{"a":"1","b":[],"c":"2","d":"x"}"#])),
        ("seed-nested", join([nested.as_bytes(), b"", b"{}", b"", &call("h((address[2],int24)[],bytes)", &words)])),
        (
            "seed-formats",
            join([
                b"receive()",
                br#"{"additionalProperties":{"prefixItems":[{"format":"bytes","type":"string"},{"items":{}}]}}"#,
                br#"{"l":["0xAb",[1]],"m":[]}"#,
                b"",
                b"",
            ]),
        ),
        ("seed-receive", join([b"receive()", b"", b"{}", b"", b""])),
        (
            "seed-uint",
            join([
                b"function f(uint256 ab)",
                schema,
                br#"{"x":"5"}"#,
                data.as_bytes(),
                &call("f(uint256)", &[number(5)]),
            ]),
        ),
        (
            "seed-dynamic",
            join([
                b"function g(string s, (bool, bytes2)[] l)",
                b"",
                b"{}",
                data.as_bytes(),
                &call(
                    "g(string,(bool,bytes2)[])",
                    &[
                        number(64),
                        number(128),
                        number(1),
                        [[b'a'; 1].as_slice(), &[0; 31]].concat().try_into().expect("a word"),
                        number(1),
                        number(1),
                        number(0),
                    ],
                ),
            ]),
        ),
    ]
}

#[test]
fn the_fuzzers_target_holds_on_its_corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    if std::env::var_os("WRITE_SEEDS").is_some() {
        for (name, input) in seeds() {
            fs::write(folder.join("corpus/contents").join(name), input).expect("written");
        }
    }
    for (name, input) in seeds() {
        assert_eq!(
            fs::read(folder.join("corpus/contents").join(name)).ok(),
            Some(input),
            "{name}: run with WRITE_SEEDS=1"
        );
    }
    for kind in ["corpus", "artifacts"] {
        let entries = fs::read_dir(folder.join(kind).join("contents"));
        for path in entries.into_iter().flatten().map(|entry| entry.expect("an entry").path()) {
            println!("{}", path.display());
            contents(&fs::read(path).expect("readable"));
        }
    }
}
