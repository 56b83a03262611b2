//! Roots whose signatures were verified before the calls under them.

use crate::EpochId;
use alloc::collections::BTreeMap;
use alloy_primitives::{
    B256,
    aliases::{U48, U96},
};

/// The weights that were verified when a root was recorded, and the epoch's end.
// Complete: contracts store these three numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecordedRoot {
    /// The weight of the operators that signed the root.
    pub signed_weight: U96,
    /// The total weight of the epoch.
    pub total_weight: U96,
    /// The first second at which the epoch is no longer valid, whatever happens: `expiresAt` in the OperatorRegistry.
    /// No attestation under the root is valid for longer.
    pub epoch_end: U48,
}

/// The recorded roots, each under the epoch whose operators signed it.
///
/// Warning: the contents are trusted. No signature is verified under a recorded root.
///
/// ```
/// use assent_verifier::{EpochId, RecordedRoot, RecordedRoots};
/// use alloy_primitives::{B256, aliases::{U48, U96}};
///
/// let root = B256::repeat_byte(1);
/// let mut recorded = RecordedRoots::default();
/// let (signed_weight, total_weight) = (U96::from(60), U96::from(100));
/// let epoch_end = U48::from(1_700_600_000);
/// recorded.record(EpochId(3), root, RecordedRoot { signed_weight, total_weight, epoch_end });
/// assert_eq!(recorded.get(EpochId(3), root).map(|root| root.signed_weight), Some(U96::from(60)));
/// assert_eq!(recorded.get(EpochId(4), root), None, "another epoch did not sign it");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordedRoots {
    roots: BTreeMap<(EpochId, B256), RecordedRoot>,
}

impl RecordedRoots {
    /// Records a root. If it is already recorded under the epoch, the greater signed weight counts, as on chain. The
    /// epoch's end stays the one that was recorded first.
    ///
    /// A root with a signed weight of zero is not recorded.
    pub fn record(&mut self, epoch: EpochId, root: B256, recorded: RecordedRoot) {
        let before = self.get(epoch, root);
        if before.map_or(U96::ZERO, |before| before.signed_weight) < recorded.signed_weight {
            let epoch_end = before.map_or(recorded.epoch_end, |before| before.epoch_end);
            self.roots.insert((epoch, root), RecordedRoot { epoch_end, ..recorded });
        }
    }

    /// Returns what is recorded with a root, or `None` if it is not recorded under this epoch.
    pub fn get(&self, epoch: EpochId, root: B256) -> Option<RecordedRoot> {
        self.roots.get(&(epoch, root)).copied()
    }

    /// Returns all roots with their epochs, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (EpochId, B256, RecordedRoot)> + '_ {
        self.roots.iter().map(|(&(epoch, root), &recorded)| (epoch, root, recorded))
    }
}
