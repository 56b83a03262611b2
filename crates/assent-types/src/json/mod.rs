//! JSON that people can read and write (feature `serde`).
//!
//! - Names are in camelCase. An unknown, missing or repeated field is an error.
//! - Objects are read only from objects, never from arrays of their fields.
//! - Hashes, addresses, points and calldata are hex strings with `0x`. An address with letters of both cases must match
//!   its checksum (EIP-55).
//! - Numbers are read as JSON integers, decimal strings, or hex strings with `0x`.
//!   Numbers of more than 64 bits (`chainId`, `homeChain`, `value`, `nonce`) are written as decimal strings, since many
//!   JSON readers lose digits above 2^53. All others (times, epochs, basis points) are written as JSON integers.
//! - A decision is `"allow"` or `"deny"`. Non-signers are a list of the operators' indices.
//! - An authorization under a recorded root has neither `signature` nor `nonSigners`.
//!
//! ```
//! use assent_types::Intent;
//!
//! let intent: Intent = serde_json::from_str(r#"{
//!     "from": "0x1111111111111111111111111111111111111111",
//!     "to": "0x2222222222222222222222222222222222222222",
//!     "value": "0x0de0b6b3a7640000",
//!     "data": "0xa9059cbb",
//!     "chainId": 31337
//! }"#)?;
//! let written = serde_json::to_value(&intent)?;
//! assert_eq!(written["value"], "1000000000000000000");
//! assert_eq!(written["chainId"], "31337");
//! # Ok::<(), serde_json::Error>(())
//! ```

use crate::{
    Attestation, AttestationDocument, Authorization, Decision, EpochHandover, EpochId, Intent, MerkleProof,
    MerkleProofTooLong, NonSigners, OperatorSetId, Policy, PublicKey, QuorumProof, Signature,
};
use alloc::{string::ToString, vec::Vec};
use alloy_primitives::{Address, B256, Bytes, FixedBytes, U256, aliases::U48};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

pub mod hex;
mod number;
mod object;

pub use number::{Number, integer, wide};
pub use object::ObjectOnly;

/// Implements `Serialize` and `Deserialize` through a shadow struct that names the fields.
macro_rules! serde_with_fields {
    ($($shadow:ident: $name:ty,)*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $shadow::serialize(self, serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $shadow::deserialize(ObjectOnly(deserializer))
            }
        }
    )*};
}

serde_with_fields! {
    IntentFields: Intent,
    PolicyFields: Policy,
    AttestationFields: Attestation,
    AuthorizationFields: AuthorizationFields,
    DocumentFields: AttestationDocument,
    HandoverFields: EpochHandover,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Intent", deny_unknown_fields)]
#[allow(non_snake_case, reason = "named as in Solidity")]
struct IntentFields {
    #[serde(with = "hex")]
    from: Address,
    #[serde(with = "hex")]
    to: Address,
    #[serde(with = "wide")]
    value: U256,
    #[serde(with = "hex")]
    data: Bytes,
    #[serde(with = "wide")]
    chainId: U256,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Policy", deny_unknown_fields)]
#[allow(non_snake_case, reason = "named as in Solidity")]
struct PolicyFields {
    #[serde(with = "hex")]
    policyId: B256,
    #[serde(with = "integer")]
    operatorSet: u32,
    #[serde(with = "integer")]
    quorum: u16,
    #[serde(with = "integer")]
    maxLifetime: U48,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Attestation", deny_unknown_fields)]
#[allow(non_snake_case, reason = "named as in Solidity")]
struct AttestationFields {
    #[serde(with = "hex")]
    taskId: B256,
    #[serde(with = "hex")]
    policyId: B256,
    #[serde(with = "hex")]
    policyClient: Address,
    #[serde(with = "wide")]
    nonce: U256,
    #[serde(with = "integer")]
    issuedAt: U48,
    #[serde(with = "integer")]
    expiration: U48,
    #[serde(with = "decision")]
    decision: u8,
    #[serde(with = "hex")]
    evidence: B256,
    intent: Intent,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase", deny_unknown_fields)]
struct AuthorizationFields {
    #[serde(with = "hex")]
    task_id: B256,
    #[serde(with = "wide")]
    nonce: U256,
    #[serde(with = "integer")]
    issued_at: U48,
    #[serde(with = "integer")]
    expiration: U48,
    decision: Decision,
    #[serde(with = "hex")]
    evidence: B256,
    epoch: EpochId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<Signature>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    non_signers: Option<NonSigners>,
    merkle_proof: MerkleProof,
}

impl From<&Authorization> for AuthorizationFields {
    fn from(authorization: &Authorization) -> Self {
        let Authorization {
            task_id,
            nonce,
            issued_at,
            expiration,
            decision,
            evidence,
            epoch,
            quorum_proof,
            merkle_proof,
        } = authorization.clone();
        let (signature, non_signers) = match quorum_proof {
            QuorumProof::Direct { signature, non_signers } => (Some(signature), Some(non_signers)),
            QuorumProof::Recorded => (None, None),
        };
        Self { task_id, nonce, issued_at, expiration, decision, evidence, epoch, signature, non_signers, merkle_proof }
    }
}

impl TryFrom<AuthorizationFields> for Authorization {
    type Error = &'static str;

    fn try_from(fields: AuthorizationFields) -> Result<Self, Self::Error> {
        let AuthorizationFields {
            task_id, nonce, issued_at, expiration, decision, evidence, epoch, merkle_proof, ..
        } = fields;
        let quorum_proof = match (fields.signature, fields.non_signers) {
            (Some(signature), Some(non_signers)) => QuorumProof::Direct { signature, non_signers },
            (None, None) => QuorumProof::Recorded,
            (None, Some(_)) => return Err("missing field `signature` beside `nonSigners`"),
            (Some(_), None) => return Err("missing field `nonSigners` beside `signature`"),
        };
        Ok(Self { task_id, nonce, issued_at, expiration, decision, evidence, epoch, quorum_proof, merkle_proof })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "AttestationDocument", rename_all = "camelCase", deny_unknown_fields)]
struct DocumentFields {
    #[serde(with = "wide")]
    chain_id: U256,
    #[serde(with = "hex")]
    task_manager: Address,
    attestation: Attestation,
    epoch: EpochId,
    signature: Signature,
    non_signers: NonSigners,
    merkle_proof: MerkleProof,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "EpochHandover", rename_all = "camelCase", deny_unknown_fields)]
struct HandoverFields {
    #[serde(with = "wide")]
    home_chain: U256,
    #[serde(with = "hex")]
    home_registry: Address,
    operator_set: OperatorSetId,
    signed_by: EpochId,
    epoch: EpochId,
    #[serde(with = "integer")]
    committed_at: U48,
    #[serde(with = "integer")]
    expires_at: U48,
    #[serde(with = "hex")]
    content_hash: B256,
}

/// Implements `Serialize` and `Deserialize` through another type that has them.
macro_rules! serde_as {
    ($($name:ty => $other:ty: $write:expr, $read:expr;)*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let write: fn(&Self) -> $other = $write;
                write(self).serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let other: $other = Deserialize::deserialize(deserializer)?;
                $read(other).map_err(D::Error::custom)
            }
        }
    )*};
}

serde_as! {
    Authorization => AuthorizationFields: |authorization| authorization.into(), Authorization::try_from;
    Signature => Point<96>: |signature| Point((*signature).into()), |Point(bytes)| ok(bytes);
    PublicKey => Point<192>: |public_key| Point((*public_key).into()), |Point(bytes)| ok(bytes);
    NonSigners => Vec<u16>: |non_signers| non_signers.indices().collect(), NonSigners::from_indices;
    MerkleProof => Vec<Hash>: |proof| proof.as_slice().iter().copied().map(Hash).collect(), merkle_proof;
}

/// The bytes of a point.
#[derive(Serialize, Deserialize)]
struct Point<const N: usize>(#[serde(with = "hex")] FixedBytes<N>);

/// A hash in a list.
#[derive(Serialize, Deserialize)]
struct Hash(#[serde(with = "hex")] B256);

fn merkle_proof(hashes: Vec<Hash>) -> Result<MerkleProof, MerkleProofTooLong> {
    hashes.into_iter().map(|Hash(hash)| hash).collect::<Vec<_>>().try_into()
}

fn ok<T, U: From<T>>(value: T) -> Result<U, core::convert::Infallible> {
    Ok(value.into())
}

impl Serialize for Decision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decision {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        enum Word {
            Allow,
            Deny,
        }
        Ok(match Word::deserialize(deserializer)? {
            Word::Allow => Self::Allow,
            Word::Deny => Self::Deny,
        })
    }
}

/// A decision as the byte in the Solidity struct.
mod decision {
    use super::*;

    pub(super) fn serialize<S: Serializer>(byte: &u8, serializer: S) -> Result<S::Ok, S::Error> {
        Decision::try_from(*byte).map_err(|error| serde::ser::Error::custom(error.to_string()))?.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
        Decision::deserialize(deserializer).map(u8::from)
    }
}
