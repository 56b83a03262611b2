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
"within":{"usd":50},"schema":{"properties":{"usd":{"type":"string"}}}}}}"#;
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
    ]
}

fn files(parts: &[u8]) -> PolicyFolder {
    let parts = parts.split(|byte| *byte == SEPARATOR).map(<[u8]>::to_vec);
    PolicyFolder::read(&FILES.iter().map(ToString::to_string).zip(parts).collect()).expect("the folder is whole")
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
