//! What the journal keeps, and its bytes.

use core::fmt;

use alloy_primitives::{Address, B256, U256};
use assent_verifier::EpochId;

/// The kind of a signed statement: the first byte of a slot's key. 3 is reserved for approvals of epochs.
pub(crate) const ATTESTATION: u8 = 1;
pub(crate) const OBSERVATION: u8 = 2;
pub(crate) const HANDOVER: u8 = 4;

/// What an operator signs at most one digest for, ever.
///
/// ```
/// use alloy_primitives::B256;
/// use assent_journal::Slot;
///
/// let slot = Slot::Attestation { task_id: B256::repeat_byte(1) };
/// assert!(slot.to_string().starts_with("task 0x0101"));
/// ```
// Complete: another kind of statement is another format of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// The attestation of a task.
    Attestation {
        /// The task.
        task_id: B256,
    },
    /// The observation of a source for a task.
    Observation {
        /// The task.
        task_id: B256,
        /// keccak256 of the source's name.
        source: B256,
    },
    /// What is said of an epoch on other chains, whichever epoch signs it.
    Handover {
        /// The chain of the registry.
        home_chain: U256,
        /// The registry.
        home_registry: Address,
        /// The epoch that is handed over to.
        epoch: EpochId,
    },
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attestation { task_id } => write!(f, "task {task_id}"),
            Self::Observation { task_id, source } => write!(f, "task {task_id}, source {source}"),
            Self::Handover { home_chain, home_registry, epoch } => {
                write!(f, "handover to epoch {epoch} of {home_registry} on chain {home_chain}")
            }
        }
    }
}

impl Slot {
    /// Returns the slot's key: the kind, the task id and an observation's source; or a handover's home and epoch.
    pub(crate) fn key(&self) -> Vec<u8> {
        match self {
            Self::Attestation { task_id } => [&[ATTESTATION], task_id.as_slice()].concat(),
            Self::Observation { task_id, source } => [&[OBSERVATION], task_id.as_slice(), source.as_slice()].concat(),
            Self::Handover { home_chain, home_registry, epoch } => {
                let (chain, epoch) = (home_chain.to_be_bytes::<32>(), u32::from(*epoch).to_be_bytes());
                [&[HANDOVER], chain.as_slice(), home_registry.as_slice(), epoch.as_slice()].concat()
            }
        }
    }

    /// Parses a slot's key. `None` for other bytes.
    pub(crate) fn parse(key: &[u8]) -> Option<Self> {
        let (kind, ids) = key.split_first()?;
        match (*kind, ids.len()) {
            (ATTESTATION, 32) => Some(Self::Attestation { task_id: B256::from_slice(ids) }),
            (OBSERVATION, 64) => {
                let (task_id, source) = ids.split_at(32);
                Some(Self::Observation { task_id: B256::from_slice(task_id), source: B256::from_slice(source) })
            }
            (HANDOVER, 56) => {
                let (chain, rest) = ids.split_at(32);
                let (registry, epoch) = rest.split_at(20);
                let home_chain = U256::from_be_slice(chain);
                let home_registry = Address::from_slice(registry);
                Some(Self::Handover { home_chain, home_registry, epoch: EpochId(be_u32(epoch)) })
            }
            _ => None,
        }
    }
}

/// The EIP-712 domain of a digest: a TaskManager on a chain. For handovers, the registry on its home chain.
// Complete: it is the protocol's domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain {
    /// The chain.
    pub chain_id: U256,
    /// The TaskManager, or the registry of handovers.
    pub task_manager: Address,
}

/// What is recorded for a slot.
// Complete: it is the journal's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The digest that was signed, or was about to be when the process stopped. For a handover, its content digest.
    pub digest: B256,
    /// The time of the statement by the chain's clock, in Unix seconds: an attestation's `issuedAt`, and for an
    /// observation the timestamp of its reference block. For a handover, it is the end of the epoch that it names. It
    /// decides only when the entry may be pruned.
    pub time: u64,
    /// The digest's domain.
    pub domain: Domain,
}

/// An entry's bytes: the number of its domain, the time, the digest; integers are big-endian.
pub(crate) const VALUE_BYTES: usize = 4 + 8 + 32;

/// An entry as it is stored: its domain is a number in the table of domains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StoredEntry {
    pub domain: u32,
    pub time: u64,
    pub digest: B256,
}

impl StoredEntry {
    pub(crate) fn to_bytes(self) -> [u8; VALUE_BYTES] {
        let mut bytes = [0; VALUE_BYTES];
        let (domain, rest) = bytes.split_at_mut(4);
        let (time, digest) = rest.split_at_mut(8);
        domain.copy_from_slice(&self.domain.to_be_bytes());
        time.copy_from_slice(&self.time.to_be_bytes());
        digest.copy_from_slice(self.digest.as_slice());
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8; VALUE_BYTES]) -> Self {
        let (domain, rest) = bytes.split_at(4);
        let (time, digest) = rest.split_at(8);
        Self { domain: be_u32(domain), time: be_u64(time), digest: B256::from_slice(digest) }
    }
}

/// A domain's bytes: chain id, TaskManager, newest time, floor.
pub(crate) const DOMAIN_BYTES: usize = 32 + 20 + 8 + 8;

/// A domain with the times that pruning needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StoredDomain {
    pub domain: Domain,
    /// The greatest time of an entry.
    pub newest: u64,
    /// No statement with an earlier time is recorded: its task's entry may have been pruned.
    pub floor: u64,
}

impl StoredDomain {
    pub(crate) fn to_bytes(self) -> [u8; DOMAIN_BYTES] {
        let mut bytes = [0; DOMAIN_BYTES];
        let (chain_id, rest) = bytes.split_at_mut(32);
        let (task_manager, rest) = rest.split_at_mut(20);
        let (newest, floor) = rest.split_at_mut(8);
        chain_id.copy_from_slice(&self.domain.chain_id.to_be_bytes::<32>());
        task_manager.copy_from_slice(self.domain.task_manager.as_slice());
        newest.copy_from_slice(&self.newest.to_be_bytes());
        floor.copy_from_slice(&self.floor.to_be_bytes());
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8; DOMAIN_BYTES]) -> Self {
        let (chain_id, rest) = bytes.split_at(32);
        let (task_manager, rest) = rest.split_at(20);
        let (newest, floor) = rest.split_at(8);
        let chain_id = U256::from_be_slice(chain_id);
        let domain = Domain { chain_id, task_manager: Address::from_slice(task_manager) };
        Self { domain, newest: be_u64(newest), floor: be_u64(floor) }
    }
}

fn be_u32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn be_u64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
