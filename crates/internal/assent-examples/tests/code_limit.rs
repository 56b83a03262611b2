//! The examples can be deployed to every chain.

use assent_examples::{ExampleToken, TreasuryVault};

/// EIP-170.
const CODE_LIMIT: usize = 24_576;

#[test]
fn every_example_is_within_the_code_limit() {
    for (name, code) in
        [("TreasuryVault", &TreasuryVault::DEPLOYED_BYTECODE), ("ExampleToken", &ExampleToken::DEPLOYED_BYTECODE)]
    {
        assert!((1..=CODE_LIMIT).contains(&code.len()), "{name} has {} bytes", code.len());
    }
}
