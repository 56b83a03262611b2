//! What an operator signs.

use alloy_primitives::{Address, B256, U256};
use assent_signer::AttestationBatch;
use assent_verifier::digest::attestation_digest;
use assent_verifier::{EpochHandover, Observation};

use crate::entry::{Domain, Slot};
use crate::hold::HoldRequest;

/// A statement that an operator signs at most once for each of its slots.
///
/// What is signed is computed from it: no caller of the journal names a digest.
// Complete: another kind of statement is another format of the journal.
#[derive(Debug, Clone, Copy)]
pub enum Statement<'a> {
    /// Attestations, signed by one signature over their root. All of them are recorded, or none.
    Attestations(&'a AttestationBatch),
    /// An observation of a source.
    Observation {
        /// The observation.
        observation: &'a Observation,
        /// The chain of the task.
        chain_id: U256,
        /// The TaskManager of the task.
        task_manager: Address,
        /// The timestamp of the reference block. It is not signed, and decides only when the entry may be pruned.
        time: u64,
    },
    /// A handover to a later epoch. It is recorded what it says of that epoch: several epochs may hand over to one.
    ///
    /// Warning: the journal reads no chain. The caller has read the epoch in a final block of the home chain.
    Handover(&'a EpochHandover),
}

/// A slot of a statement with what the statement says for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claim {
    pub slot: Slot,
    pub digest: B256,
    pub time: u64,
}

/// A statement without what it is about: what the journal compares and records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claims {
    pub domain: Domain,
    pub claims: Vec<Claim>,
    /// What attestations among them hold.
    pub holds: Vec<HoldRequest>,
}

impl Statement<'_> {
    /// Returns the chain and the TaskManager for which the statement is signed; for a handover, chain and registry.
    pub fn domain(&self) -> Domain {
        match *self {
            Self::Attestations(batch) => Domain { chain_id: batch.chain_id(), task_manager: batch.task_manager() },
            Self::Observation { chain_id, task_manager, .. } => Domain { chain_id, task_manager },
            Self::Handover(handover) => Domain { chain_id: handover.home_chain, task_manager: handover.home_registry },
        }
    }

    pub(crate) fn claims(&self) -> Claims {
        let domain = self.domain();
        let claims = match *self {
            Self::Attestations(batch) => batch
                .attestations()
                .iter()
                .map(|attestation| Claim {
                    slot: Slot::Attestation { task_id: attestation.taskId },
                    digest: attestation_digest(attestation, domain.chain_id, domain.task_manager),
                    time: attestation.issuedAt.to(),
                })
                .collect(),
            Self::Observation { observation, time, .. } => vec![Claim {
                slot: Slot::Observation { task_id: observation.task_id, source: observation.source },
                digest: observation.digest(domain.chain_id, domain.task_manager),
                time,
            }],
            Self::Handover(handover) => {
                let EpochHandover { home_chain, home_registry, epoch, expires_at, .. } = *handover;
                vec![Claim {
                    slot: Slot::Handover { home_chain, home_registry, epoch },
                    digest: handover.content_digest(),
                    time: expires_at.to(),
                }]
            }
        };
        Claims { domain, claims, holds: Vec::new() }
    }
}
