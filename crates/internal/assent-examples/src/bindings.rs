//! One module for each contract, generated from the compiler's artifact. The items are documented in Solidity.

#![allow(missing_docs)]
#![allow(clippy::all)]

use alloy::sol;
use assent_verifier::protocol;

sol!(
    #[sol(rpc)]
    #[derive(Debug, PartialEq, Eq)]
    TreasuryVault,
    concat!(env!("ASSENT_ARTIFACTS"), "/TreasuryVault.sol/TreasuryVault.json")
);
sol!(
    #[sol(rpc)]
    #[derive(Debug, PartialEq, Eq)]
    ExampleToken,
    concat!(env!("ASSENT_ARTIFACTS"), "/ExampleToken.sol/ExampleToken.json")
);

assent_contracts::convert_structs! {
    protocol;
    TreasuryVault: Intent { from, to, value, data, chainId }
    TreasuryVault: Policy { policyId, operatorSet, quorum, maxLifetime }
}
