//! JSON that a person can read and write (feature `serde`).
//!
//! - Names are in camelCase; a field that is unknown, missing or named twice is an error.
//! - Hashes, addresses, points and calldata are hex strings with `0x`.
//! - Numbers are read as JSON integers, as decimal strings, or as hex strings with `0x`. Those whose type is wider than 64
//!   bits (`chainId`, `value`, `nonce`, `weight`, `word`, `mask`) are written as decimal strings, since many JSON readers
//!   lose digits above 2^53; all others (times, epochs, basis points) are written as JSON integers.
//! - A decision is `"allow"` or `"deny"`; non-signers are a list of operators' places.
//! - An authorization under a recorded root has neither `signature` nor `nonSigners`. A context without `recordedRoots` has
//!   none.
//!
//! ```
//! use assent_verifier::{Authorization, Intent, NonSigners, Policy, QuorumProof, Signature};
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
//!
//! let policy: Policy = serde_json::from_str(r#"{
//!     "policyId": "0x3333333333333333333333333333333333333333333333333333333333333333",
//!     "operatorSet": 1,
//!     "quorum": 6700,
//!     "maxLifetime": 3600
//! }"#)?;
//! assert_eq!(policy.quorum, 6700);
//!
//! let authorization: Authorization = serde_json::from_value(serde_json::json!({
//!     "taskId": "0x4444444444444444444444444444444444444444444444444444444444444444",
//!     "nonce": "7",
//!     "expiration": 1700000000,
//!     "decision": "allow",
//!     "evidence": "0x5555555555555555555555555555555555555555555555555555555555555555",
//!     "epoch": 1,
//!     "signature": format!("0x{}", "17".repeat(96)),
//!     "nonSigners": [2, 5],
//!     "merkleProof": [],
//! }))?;
//! let non_signers = NonSigners::from_indices([2, 5])?;
//! assert_eq!(authorization.quorum_proof, QuorumProof::Direct { signature: Signature([0x17; 96]), non_signers });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! An [`Epoch`], whose operators are validated as they are read, within a [`Context`]:
//!
//! ```
//! # let mut key = blst::min_sig::SecretKey::key_gen(&[1; 32], &[]).unwrap().sk_to_pk().serialize();
//! # key.chunks_exact_mut(96).for_each(|coordinate| coordinate.rotate_left(48));
//! # let public_key = assent_verifier::PublicKey(key).to_string();
//! let context: assent_verifier::Context = serde_json::from_value(serde_json::json!({
//!     "chainId": "31337",
//!     "taskManager": "0x1111111111111111111111111111111111111111",
//!     "policyClient": "0x2222222222222222222222222222222222222222",
//!     "policy": null, // Or an object as above.
//!     "caller": "0x3333333333333333333333333333333333333333",
//!     "timestamp": 1700000000,
//!     "epochs": [{
//!         "number": 1,
//!         "operatorSet": 1,
//!         "validUntil": 281474976710655u64,
//!         "operators": [{
//!             "address": "0x4444444444444444444444444444444444444444",
//!             "publicKey": public_key, // "0x" and 384 digits.
//!             "weight": "100",
//!         }],
//!     }],
//!     // The operators with 70 of the weight of 100 signed this root, and it was recorded.
//!     "recordedRoots": [{
//!         "epoch": 1,
//!         "root": "0x5555555555555555555555555555555555555555555555555555555555555555",
//!         "signedWeight": "70",
//!         "totalWeight": "100",
//!     }],
//!     // Nonces 0 and 1 of this client are spent: word 0, bits 0 and 1.
//!     "spent": [{ "policyClient": "0x2222222222222222222222222222222222222222", "word": "0", "mask": "0x3" }],
//! }))?;
//! assert_eq!(context.epochs[0].operators.operators().len(), 1);
//! # Ok::<(), serde_json::Error>(())
//! ```

use crate::{
    Attestation, AttestationDocument, Authorization, Context, Decision, Epoch, Intent, MerkleProof, NonSigners,
    Operator, OperatorSet, Policy, PublicKey, QuorumProof, RecordedRoot, RecordedRoots, Signature, SpentNonces,
};
use alloc::{string::ToString, vec::Vec};
use alloy_primitives::{
    Address, B256, Bytes, FixedBytes, U256,
    aliases::{U48, U96},
};
use number::{integer, wide};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

mod number;

/// Implements `Serialize` and `Deserialize` through a shadow struct that names the fields.
macro_rules! through {
    ($($shadow:ident: $name:ty,)*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $shadow::serialize(self, serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $shadow::deserialize(deserializer)
            }
        }
    )*};
}

through! {
    IntentFields: Intent,
    PolicyFields: Policy,
    AttestationFields: Attestation,
    OperatorFields: Operator,
    EpochFields: Epoch,
    ContextFields: Context,
    DocumentFields: AttestationDocument,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Intent", deny_unknown_fields)]
#[allow(non_snake_case, reason = "named as in Solidity")]
struct IntentFields {
    from: Address,
    to: Address,
    #[serde(with = "wide")]
    value: U256,
    data: Bytes,
    #[serde(with = "wide")]
    chainId: U256,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Policy", deny_unknown_fields)]
#[allow(non_snake_case, reason = "named as in Solidity")]
struct PolicyFields {
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
    taskId: B256,
    policyId: B256,
    policyClient: Address,
    #[serde(with = "wide")]
    nonce: U256,
    #[serde(with = "integer")]
    expiration: U48,
    #[serde(with = "decision")]
    decision: u8,
    evidence: B256,
    intent: Intent,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AuthorizationFields {
    task_id: B256,
    #[serde(with = "wide")]
    nonce: U256,
    #[serde(with = "integer")]
    expiration: U48,
    decision: Decision,
    evidence: B256,
    #[serde(with = "integer")]
    epoch: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<Signature>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    non_signers: Option<NonSigners>,
    merkle_proof: MerkleProof,
}

impl From<&Authorization> for AuthorizationFields {
    fn from(authorization: &Authorization) -> Self {
        let Authorization { task_id, nonce, expiration, decision, evidence, epoch, quorum_proof, merkle_proof } =
            authorization.clone();
        let (signature, non_signers) = match quorum_proof {
            QuorumProof::Direct { signature, non_signers } => (Some(signature), Some(non_signers)),
            QuorumProof::Recorded => (None, None),
        };
        Self { task_id, nonce, expiration, decision, evidence, epoch, signature, non_signers, merkle_proof }
    }
}

impl TryFrom<AuthorizationFields> for Authorization {
    type Error = &'static str;

    fn try_from(fields: AuthorizationFields) -> Result<Self, Self::Error> {
        let AuthorizationFields { task_id, nonce, expiration, decision, evidence, epoch, merkle_proof, .. } = fields;
        let quorum_proof = match (fields.signature, fields.non_signers) {
            (Some(signature), Some(non_signers)) => QuorumProof::Direct { signature, non_signers },
            (None, None) => QuorumProof::Recorded,
            (None, Some(_)) => return Err("missing field `signature` beside `nonSigners`"),
            (Some(_), None) => return Err("missing field `nonSigners` beside `signature`"),
        };
        Ok(Self { task_id, nonce, expiration, decision, evidence, epoch, quorum_proof, merkle_proof })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Operator", rename_all = "camelCase", deny_unknown_fields)]
struct OperatorFields {
    address: Address,
    public_key: PublicKey,
    #[serde(with = "wide")]
    weight: U96,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Epoch", rename_all = "camelCase", deny_unknown_fields)]
struct EpochFields {
    #[serde(with = "integer")]
    number: u32,
    #[serde(with = "integer")]
    operator_set: u32,
    #[serde(with = "integer")]
    valid_until: U48,
    operators: OperatorSet,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Context", rename_all = "camelCase", deny_unknown_fields)]
struct ContextFields {
    #[serde(with = "wide")]
    chain_id: U256,
    task_manager: Address,
    policy_client: Address,
    policy: Option<Policy>,
    caller: Address,
    #[serde(with = "integer")]
    timestamp: u64,
    epochs: Vec<Epoch>,
    #[serde(default)]
    recorded_roots: RecordedRoots,
    spent: SpentNonces,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "AttestationDocument", rename_all = "camelCase", deny_unknown_fields)]
struct DocumentFields {
    #[serde(with = "wide")]
    chain_id: U256,
    task_manager: Address,
    attestation: Attestation,
    #[serde(with = "integer")]
    epoch: u32,
    signature: Signature,
    non_signers: NonSigners,
    merkle_proof: MerkleProof,
}

/// Implements `Serialize` and `Deserialize` through a type that has them.
macro_rules! by_way_of {
    ($($name:ty => $other:ty: $write:expr, $read:expr;)*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let write: fn(&Self) -> $other = $write;
                write(self).serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $read(<$other>::deserialize(deserializer)?).map_err(D::Error::custom)
            }
        }
    )*};
}

by_way_of! {
    Authorization => AuthorizationFields: |authorization| authorization.into(), Authorization::try_from;
    Signature => FixedBytes<96>: |signature| (*signature).into(), ok;
    PublicKey => FixedBytes<192>: |public_key| (*public_key).into(), ok;
    NonSigners => Vec<u16>: |non_signers| non_signers.indices().collect(), NonSigners::from_indices;
    MerkleProof => Vec<B256>: |proof| proof.as_slice().to_vec(), MerkleProof::try_from;
    OperatorSet => Vec<Operator>: |set| set.operators().to_vec(), OperatorSet::new;
    RecordedRoots => Vec<RecordedEntry>: recorded_entries, |entries| ok(from_recorded_entries(entries));
    SpentNonces => Vec<SpentWord>: spent_words, |words| ok(from_spent_words(words));
}

fn ok<T, U: From<T>>(value: T) -> Result<U, core::convert::Infallible> {
    Ok(value.into())
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RecordedEntry {
    #[serde(with = "integer")]
    epoch: u32,
    root: B256,
    #[serde(with = "wide")]
    signed_weight: U96,
    #[serde(with = "wide")]
    total_weight: U96,
}

fn recorded_entries(roots: &RecordedRoots) -> Vec<RecordedEntry> {
    roots
        .iter()
        .map(|(epoch, root, RecordedRoot { signed_weight, total_weight })| RecordedEntry {
            epoch,
            root,
            signed_weight,
            total_weight,
        })
        .collect()
}

fn from_recorded_entries(entries: Vec<RecordedEntry>) -> RecordedRoots {
    let mut roots = RecordedRoots::default();
    for RecordedEntry { epoch, root, signed_weight, total_weight } in entries {
        roots.record(epoch, root, RecordedRoot { signed_weight, total_weight });
    }
    roots
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SpentWord {
    policy_client: Address,
    #[serde(with = "wide")]
    word: U256,
    #[serde(with = "wide")]
    mask: U256,
}

fn spent_words(spent: &SpentNonces) -> Vec<SpentWord> {
    spent.words().map(|(policy_client, word, mask)| SpentWord { policy_client, word, mask }).collect()
}

fn from_spent_words(words: Vec<SpentWord>) -> SpentNonces {
    let mut spent = SpentNonces::default();
    words.iter().for_each(|word| spent.burn(word.policy_client, word.word, word.mask));
    spent
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

/// A decision in the byte that the Solidity struct has.
mod decision {
    use super::*;

    pub(super) fn serialize<S: Serializer>(byte: &u8, serializer: S) -> Result<S::Ok, S::Error> {
        Decision::try_from(*byte).map_err(|error| serde::ser::Error::custom(error.to_string()))?.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
        Decision::deserialize(deserializer).map(u8::from)
    }
}
