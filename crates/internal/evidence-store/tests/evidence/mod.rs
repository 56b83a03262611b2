//! Evidence to store.

use alloy_primitives::{Address, B256, U256};
use assent_machine::Image;
use assent_policy::{EvidenceFile, PolicyFolder, PolicyInput, ReferenceBlock, evaluate};
use assent_types::Intent;

/// The evidence of a denial, by a program of six instructions that denies everything: `lui a0, 0x3ff0; addi a1, zero,
/// 0; sb a1, 4(a0); addi a1, zero, 1; sw a1, 0(a0); ecall`.
pub fn evidence(nonce: u64) -> (B256, Vec<u8>) {
    let words = [0x03ff_0537, 0x0000_0593, 0x00b5_0223, 0x0010_0593, 0x00b5_2023, 0x0000_0073_u32];
    let image = Image::new(&words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>()).unwrap();
    let files = [
        ("policy.json", r#"{"name": "a", "version": "1", "entrypoint": "a", "functions": ["receive()"]}"#),
        ("a.rego", "package a\n\nallow if input.intent.value <= 5\n"),
    ];
    let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
    let policy = PolicyFolder::read(&files.into()).unwrap().policy(image.root()).unwrap();
    let (from, to) = (Address::repeat_byte(1), Address::repeat_byte(2));
    let input = PolicyInput {
        intent: Intent { from, to, value: U256::from(5), data: Default::default(), chainId: U256::ONE },
        policy_client: to,
        nonce: U256::from(nonce),
        block: ReferenceBlock { number: U256::from(9), hash: B256::repeat_byte(3), timestamp: U256::from(8) },
    };
    let evaluation = evaluate(&image, &policy, &input, "").unwrap();
    let file = EvidenceFile::new(policy, &input, String::new(), &evaluation);
    (file.evidence, file.to_json().into_bytes())
}
