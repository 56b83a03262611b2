//! What an `EpochMirror` knows.

use crate::{Epoch, EpochId, OperatorSetId};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use alloy_primitives::{Address, B256, U256};

/// What an `EpochMirror` knows of the epochs of a registry on another chain.
///
/// Every field is trusted: a handover is only as valid as the state is true. The home chain's `EpochKeeper` knows the
/// same of the registry's epochs, for revocations.
// Complete: a new field would be an input of a check, which every caller must then give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorState {
    /// The chain of the registry.
    pub home_chain: U256,
    /// The registry.
    pub home_registry: Address,
    /// The share of an epoch's weight that hands over to another, in basis points; below 5001 counts as 5001.
    pub quorum: u16,
    /// The share of an epoch's weight that revokes it, in basis points; 0 counts as 1.
    pub halt_quorum: u16,
    /// The current time in Unix seconds (`block.timestamp`).
    pub timestamp: u64,
    /// The epochs of all sets that were accepted, expired and revoked ones as well.
    pub epochs: Vec<Epoch>,
    /// Epochs that were revoked before they were accepted, and so never will be.
    pub revoked_ahead: BTreeSet<EpochId>,
    /// Full tables that were stored for epochs of more than 100 operators: keccak256 of the entries at each address.
    pub stored_tables: BTreeMap<Address, B256>,
}

impl MirrorState {
    /// Returns the epoch of a set that was accepted last.
    pub fn latest_epoch(&self, operator_set: OperatorSetId) -> Option<&Epoch> {
        let of_set = self.epochs.iter().filter(|epoch| epoch.operator_set == operator_set);
        of_set.max_by_key(|epoch| epoch.number)
    }

    /// Returns an epoch that was accepted, expired and revoked ones as well.
    pub fn epoch(&self, number: EpochId) -> Option<&Epoch> {
        self.epochs.iter().find(|epoch| epoch.number == number)
    }
}
