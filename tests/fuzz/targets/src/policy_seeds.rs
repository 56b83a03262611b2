//! Seeds of the targets that read policies.

use crate::{
    evidence_file::IMAGE,
    manifest::{FILES, SEPARATOR},
};
use alloy_primitives::{Address, B256, U256};
use assent_policy::{EvidenceFile, PolicyFolder, PolicyInput, ReferenceBlock, evaluate};
use assent_types::Intent;

/// A seed: its target, its name and its bytes.
pub(crate) type Parts = (&'static str, &'static str, Vec<u8>);

const MANIFEST: &str = r#"{"name":"limit","version":"1","entrypoint":"limit","limits":{"steps":1000},
"functions":["function pay(address to, uint256 amount)","receive()"]}"#;
const WITH_SOURCE: &str = r#"{"name":"limit","version":"1","entrypoint":"limit",
"functions":["function f((int8[2] a)[] x)"],"sources":{"s":{"hosts":["a.example"],"reduce":{"usd":"median"},
"schema":{"properties":{"usd":{"type":"string"}}}}}}"#;
const SCHEMA: &str = r#"{"type":"object","properties":{"limit":{"type":"string","format":"uint256"}}}"#;
const PARAMETERS: &str = r#"{"limit":"5"}"#;
const RULES: &str = "package limit\n\nallow if input.call.args.amount <= data.params.limit\n\n\
    deny contains sprintf(\"%v\", [x]) if { some x in [1, 2]; not x == input.task.nonce }\n";
const TEST: &str = "package limit_test\n\ntest_allow if data.limit.allow with input as {\"call\": {}}\n";

/// Returns the seeds.
pub(crate) fn policy_seeds() -> Vec<Parts> {
    let folder = |manifest: &str| [manifest, SCHEMA, PARAMETERS, RULES, TEST].map(str::as_bytes).join(&SEPARATOR);
    let read = files(&folder(MANIFEST));
    let bundle = read.build(IMAGE.root()).expect("the folder is whole");
    vec![
        ("manifest", "folder", folder(MANIFEST)),
        ("manifest", "source", folder(WITH_SOURCE)),
        ("bundle", "policy", bundle.to_bytes()),
        ("evidence_file", "follows", evidence()),
        ("canonical_json", "object", br#"{"\u0000":[true,null],"a":-9007199254740991,"\ud83d\ude00":"\"\\"}"#.to_vec()),
        ("canonical_json", "array", br#"[ 1 , "\/\b\f" , {} , -0, false ]"#.to_vec()),
        ("machine", "stores", program(&[0, 3, 6], b"input", STORES)),
        ("machine", "arithmetic", program(&[1, 2, 4, 5, 7], b"", ARITHMETIC)),
    ]
}

fn files(parts: &[u8]) -> PolicyFolder {
    let parts = parts.split(|byte| *byte == SEPARATOR).map(<[u8]>::to_vec);
    PolicyFolder::read(&FILES.iter().map(ToString::to_string).zip(parts).collect()).expect("the folder is whole")
}

/// Writes a table into the heap, sums it with the input, and halts. It has lui, addi, lw, a loop of sw, lbu, sb, add
/// and bne, jal, ecall.
const STORES: &[u32] = &[
    0x0110_0537,
    0x0400_0593,
    0x0060_0637,
    0x0046_2683,
    0x00d5_2023,
    0x0006_4703,
    0x00e5_00a3,
    0x00d7_06b3,
    0x0045_0513,
    0xffc5_8593,
    0xfe05_94e3,
    0x0080_00ef,
    0x0010_0073,
    0x0000_0073,
];

/// Multiplies, divides and shifts, and jumps outside the image: addi, mul, mulhsu, divu, rem, sll, srai, slt, jalr.
const ARITHMETIC: &[u32] = &[
    0xfff0_0093,
    0x0070_0113,
    0x0220_81b3,
    0x0220_a233,
    0x0220_d2b3,
    0x0220_e333,
    0x0020_93b3,
    0x4051_d413,
    0x0020_a4b3,
    0x4000_00e7,
];

/// An input of the target `machine`: each number of `changes` changes the proof in one way.
fn program(changes: &[u8], input: &[u8], words: &[u32]) -> Vec<u8> {
    let changes: Vec<u8> = changes.iter().flat_map(|change| [*change, 1, 1]).collect();
    let length = |bytes: &[u8]| u8::try_from(bytes.len()).expect("it is short");
    let image = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    [vec![length(&changes)], changes, vec![length(input)], input.to_vec(), image].concat()
}

fn evidence() -> Vec<u8> {
    let seed = [MANIFEST, SCHEMA, PARAMETERS, RULES, TEST].map(str::as_bytes).join(&SEPARATOR);
    let policy = files(&seed).policy(IMAGE.root()).expect("the folder is whole");
    let input = PolicyInput {
        intent: Intent {
            from: Address::repeat_byte(1),
            to: Address::repeat_byte(2),
            value: U256::from(3),
            data: vec![4; 5].into(),
            chainId: U256::ONE,
        },
        policy_client: Address::repeat_byte(2),
        nonce: U256::from(5),
        block: ReferenceBlock { number: U256::from(6), hash: B256::repeat_byte(7), timestamp: U256::from(8) },
    };
    let evaluation = evaluate(&IMAGE, &policy, &input, "").expect("the image is the policy's");
    EvidenceFile::new(policy, &input, String::new(), &evaluation).to_json().into_bytes()
}
