//! What a remote signer is asked, and what it answers.

use alloy_primitives::{Address, B256, U256, aliases::U48};
use assent_verifier::{
    Attestation, Connection, EpochHandover, EpochId, Observation, OperatorSetId, PublicKey, Signature,
};
use serde::{Deserialize, Serialize};

use super::{CONNECTION_TAG, EPOCH_HANDOVER_TAG, OBSERVATION_TAG, SIGNATURE_TAG};
use crate::statement::Statement;

/// The keys that a signer holds: the answer to `GET /v1/keys`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Keys {
    pub keys: Vec<PublicKey>,
}

/// The answer to `POST /v1/sign/{publicKey}` with status 200.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Signed {
    pub signature: Signature,
}

/// The answer with another status.
#[derive(Serialize, Deserialize)]
pub(super) struct Failed {
    pub error: String,
}

/// The body of `POST /v1/sign/{publicKey}`: everything from which the digest follows, and the digest to compare.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub(super) enum Request {
    Attestations {
        #[serde(with = "decimal")]
        chain_id: U256,
        task_manager: Address,
        attestations: Vec<Attestation>,
        root: B256,
    },
    Observation {
        #[serde(with = "decimal")]
        chain_id: U256,
        task_manager: Address,
        task_id: B256,
        source: B256,
        reference_block: B256,
        output: B256,
        time: u64,
        digest: B256,
    },
    Handover {
        #[serde(with = "decimal")]
        home_chain: U256,
        home_registry: Address,
        operator_set: u32,
        signed_by: u32,
        epoch: u32,
        committed_at: u64,
        expires_at: u64,
        content_hash: B256,
        digest: B256,
    },
    Connection {
        #[serde(with = "decimal")]
        chain_id: U256,
        task_manager: Address,
        challenge: B256,
        operator: Address,
        gateway: String,
        digest: B256,
    },
}

impl Request {
    pub fn of(statement: Statement<'_>) -> Self {
        match statement {
            Statement::Attestations(batch) => Self::Attestations {
                chain_id: batch.chain_id(),
                task_manager: batch.task_manager(),
                attestations: batch.attestations().to_vec(),
                root: batch.root(),
            },
            Statement::Observation { observation, chain_id, task_manager, time } => {
                let Observation { task_id, source, reference_block, output } = *observation;
                let digest = observation.digest(chain_id, task_manager);
                Self::Observation { chain_id, task_manager, task_id, source, reference_block, output, time, digest }
            }
            Statement::Handover(handover) => {
                let EpochHandover {
                    home_chain,
                    home_registry,
                    operator_set,
                    signed_by,
                    epoch,
                    committed_at,
                    expires_at,
                    content_hash,
                } = *handover;
                Self::Handover {
                    home_chain,
                    home_registry,
                    operator_set: operator_set.into(),
                    signed_by: signed_by.into(),
                    epoch: epoch.into(),
                    committed_at: committed_at.to(),
                    expires_at: expires_at.to(),
                    content_hash,
                    digest: handover.digest(),
                }
            }
        }
    }

    pub fn connection(connection: &Connection, chain_id: U256, task_manager: Address) -> Self {
        let digest = connection.digest(chain_id, task_manager);
        let Connection { challenge, operator, gateway } = connection.clone();
        Self::Connection { chain_id, task_manager, challenge, operator, gateway, digest }
    }

    /// Returns the handover of these fields; `None` if they are another request's, or a time has more than 48 bits.
    pub fn handover(&self) -> Option<EpochHandover> {
        let Self::Handover {
            home_chain,
            home_registry,
            operator_set,
            signed_by,
            epoch,
            committed_at,
            expires_at,
            content_hash,
            ..
        } = *self
        else {
            return None;
        };
        Some(EpochHandover {
            home_chain,
            home_registry,
            operator_set: OperatorSetId(operator_set),
            signed_by: EpochId(signed_by),
            epoch: EpochId(epoch),
            committed_at: U48::checked_from_limbs_slice(&[committed_at])?,
            expires_at: U48::checked_from_limbs_slice(&[expires_at])?,
            content_hash,
        })
    }

    /// Returns what is signed, and its domain separation tag.
    pub fn signed_message(&self) -> (B256, &'static [u8]) {
        match *self {
            Self::Attestations { root, .. } => (root, SIGNATURE_TAG),
            Self::Observation { digest, .. } => (digest, OBSERVATION_TAG),
            Self::Handover { digest, .. } => (digest, EPOCH_HANDOVER_TAG),
            Self::Connection { digest, .. } => (digest, CONNECTION_TAG),
        }
    }
}

/// Numbers of more than 64 bits are decimal strings, as in the protocol's JSON.
mod decimal {
    use alloy_primitives::U256;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(number: &U256, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<U256, D::Error> {
        let text = String::deserialize(deserializer)?;
        U256::from_str_radix(&text, 10).map_err(|_| D::Error::custom("not a decimal number"))
    }
}
