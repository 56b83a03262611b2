//! JSON that people can read and write (feature `serde`).
//!
//! A [`Context`] is written by the rules of `assent_types::json`; weights, words and masks are decimal strings.
//! The operators of an [`Epoch`] are validated as they are read. A context without `recordedRoots` has none.
//!
//! ```
//! # let public_key = attested::operators()[0].public_key.to_string();
//! # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
//! let context: assent_verifier::Context = serde_json::from_value(serde_json::json!({
//!     "chainId": "31337",
//!     "taskManager": "0x1111111111111111111111111111111111111111",
//!     "policyClient": "0x2222222222222222222222222222222222222222",
//!     "policy": null, // Or an object.
//!     "issuanceFloor": 0, // Nothing is void.
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
//!     // Operators with 70 of the total weight 100 signed this root, and it is recorded.
//!     "recordedRoots": [{
//!         "epoch": 1,
//!         "root": "0x5555555555555555555555555555555555555555555555555555555555555555",
//!         "signedWeight": "70",
//!         "totalWeight": "100",
//!         "epochEnd": 1700600000,
//!     }],
//!     // Nonces 0 and 1 of this client are spent: word 0, bits 0 and 1.
//!     "spent": [{ "policyClient": "0x2222222222222222222222222222222222222222", "word": "0", "mask": "0x3" }],
//! }))?;
//! assert_eq!(context.epochs[0].operators.operators().len(), 1);
//! # Ok::<(), serde_json::Error>(())
//! ```

use crate::{
    Context, Epoch, EpochId, Operator, OperatorSet, OperatorSetId, Policy, PublicKey, RecordedRoot, RecordedRoots,
    SpentNonces,
};
use alloc::vec::Vec;
use alloy_primitives::{
    Address, B256, U256,
    aliases::{U48, U96},
};
pub use assent_types::json::{ObjectOnly, hex, integer, wide};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

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
    OperatorFields: Operator,
    EpochFields: Epoch,
    ContextFields: Context,
    RecordedEntry: RecordedEntry,
    SpentWord: SpentWord,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Operator", rename_all = "camelCase", deny_unknown_fields)]
struct OperatorFields {
    #[serde(with = "hex")]
    address: Address,
    public_key: PublicKey,
    #[serde(with = "wide")]
    weight: U96,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Epoch", rename_all = "camelCase", deny_unknown_fields)]
struct EpochFields {
    number: EpochId,
    operator_set: OperatorSetId,
    #[serde(with = "integer")]
    valid_until: U48,
    operators: OperatorSet,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Context", rename_all = "camelCase", deny_unknown_fields)]
struct ContextFields {
    #[serde(with = "wide")]
    chain_id: U256,
    #[serde(with = "hex")]
    task_manager: Address,
    #[serde(with = "hex")]
    policy_client: Address,
    policy: Option<Policy>,
    #[serde(with = "integer")]
    issuance_floor: U48,
    #[serde(with = "hex")]
    caller: Address,
    #[serde(with = "integer")]
    timestamp: u64,
    epochs: Vec<Epoch>,
    #[serde(default)]
    recorded_roots: RecordedRoots,
    spent: SpentNonces,
}

impl Serialize for OperatorSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.operators().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for OperatorSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Vec::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Serialize for RecordedRoots {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(RecordedEntry::from))
    }
}

impl<'de> Deserialize<'de> for RecordedRoots {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut roots = Self::default();
        for RecordedEntry { epoch, root, signed_weight, total_weight, epoch_end } in Vec::deserialize(deserializer)? {
            roots.record(epoch, root, RecordedRoot { signed_weight, total_weight, epoch_end });
        }
        Ok(roots)
    }
}

impl Serialize for SpentNonces {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.words().map(SpentWord::from))
    }
}

impl<'de> Deserialize<'de> for SpentNonces {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut spent = Self::default();
        for SpentWord { policy_client, word, mask } in Vec::deserialize(deserializer)? {
            spent.burn(policy_client, word, mask);
        }
        Ok(spent)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase", deny_unknown_fields)]
struct RecordedEntry {
    epoch: EpochId,
    #[serde(with = "hex")]
    root: B256,
    #[serde(with = "wide")]
    signed_weight: U96,
    #[serde(with = "wide")]
    total_weight: U96,
    #[serde(with = "integer")]
    epoch_end: U48,
}

impl From<(EpochId, B256, RecordedRoot)> for RecordedEntry {
    fn from((epoch, root, recorded): (EpochId, B256, RecordedRoot)) -> Self {
        let RecordedRoot { signed_weight, total_weight, epoch_end } = recorded;
        Self { epoch, root, signed_weight, total_weight, epoch_end }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase", deny_unknown_fields)]
struct SpentWord {
    #[serde(with = "hex")]
    policy_client: Address,
    #[serde(with = "wide")]
    word: U256,
    #[serde(with = "wide")]
    mask: U256,
}

impl From<(Address, U256, U256)> for SpentWord {
    fn from((policy_client, word, mask): (Address, U256, U256)) -> Self {
        Self { policy_client, word, mask }
    }
}
