//! Every contract's bindings have their own types for the protocol's structs. They convert into the verifier's and back.

use crate::{IPolicyClient, TaskManager, TreasuryVault};
use assent_verifier::protocol;

macro_rules! convert {
    ($($contract:ident: $name:ident { $($field:ident),+ })+) => {
        $(
            impl From<protocol::$name> for $contract::$name {
                fn from(value: protocol::$name) -> Self {
                    Self { $($field: value.$field.into()),+ }
                }
            }

            impl From<$contract::$name> for protocol::$name {
                fn from(value: $contract::$name) -> Self {
                    Self { $($field: value.$field.into()),+ }
                }
            }
        )+
    };
}

convert! {
    IPolicyClient: Intent { from, to, value, data, chainId }
    IPolicyClient: Policy { policyId, operatorSet, quorum, maxLifetime }
    TreasuryVault: Intent { from, to, value, data, chainId }
    TreasuryVault: Policy { policyId, operatorSet, quorum, maxLifetime }
    TaskManager: Intent { from, to, value, data, chainId }
    TaskManager: Policy { policyId, operatorSet, quorum, maxLifetime }
    TaskManager: Attestation { taskId, policyId, policyClient, nonce, expiration, decision, evidence, intent }
}
