//! Conversions between the verifier's structs and those of each contract's bindings.

use crate::{EpochMirror, IPolicyClient, TaskManager};
use assent_verifier::{EpochHandover, protocol};

/// Implements conversions between structs of the bindings and those of `assent_verifier::protocol`, in both directions.
///
/// ```
/// # // A doctest's main is no module, in which `super` would be the crate.
/// mod bindings {
///     use assent_verifier::protocol;
///
///     alloy::sol! {
///         #[derive(Debug, PartialEq, Eq)]
///         contract Vault {
///             struct Policy { bytes32 policyId; uint32 operatorSet; uint16 quorum; uint48 maxLifetime; }
///         }
///     }
///     assent_contracts::convert_structs! {
///         protocol;
///         Vault: Policy { policyId, operatorSet, quorum, maxLifetime }
///     }
/// }
/// # use assent_verifier::Policy;
/// # use alloy::primitives::{B256, aliases::U48};
/// let policy =
///     Policy { policyId: B256::repeat_byte(1), operatorSet: 1, quorum: 6700, maxLifetime: U48::from(3600) };
/// let converted = bindings::Vault::Policy::from(policy.clone());
/// assert_eq!(Policy::from(converted), policy);
/// ```
#[macro_export]
macro_rules! convert_structs {
    ($protocol:ident; $($contract:ident: $name:ident { $($field:ident),+ })+) => {
        $(
            impl From<$protocol::$name> for $contract::$name {
                fn from(value: $protocol::$name) -> Self {
                    Self { $($field: value.$field.into()),+ }
                }
            }

            impl From<$contract::$name> for $protocol::$name {
                fn from(value: $contract::$name) -> Self {
                    Self { $($field: value.$field.into()),+ }
                }
            }
        )+
    };
}

convert_structs! {
    protocol;
    IPolicyClient: Intent { from, to, value, data, chainId }
    IPolicyClient: Policy { policyId, operatorSet, quorum, maxLifetime }
    TaskManager: Intent { from, to, value, data, chainId }
    TaskManager: Policy { policyId, operatorSet, quorum, maxLifetime }
    TaskManager: Attestation { taskId, policyId, policyClient, nonce, issuedAt, expiration, decision, evidence, intent }
}

impl From<EpochHandover> for EpochMirror::Handover {
    fn from(handover: EpochHandover) -> Self {
        let EpochHandover {
            home_chain,
            home_registry,
            operator_set,
            signed_by,
            epoch,
            committed_at,
            expires_at,
            content_hash,
        } = handover;
        Self {
            homeChain: home_chain,
            homeRegistry: home_registry,
            operatorSet: operator_set.into(),
            signedBy: signed_by.into(),
            epoch: epoch.into(),
            committedAt: committed_at,
            expiresAt: expires_at,
            contentHash: content_hash,
        }
    }
}
