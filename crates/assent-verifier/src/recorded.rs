//! Roots whose signatures were verified before the calls under them.

use alloc::collections::BTreeMap;
use alloy_primitives::{B256, aliases::U96};

/// The weights that were verified when a root was recorded.
// Complete: contracts store these two weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecordedRoot {
    /// The weight of the operators that signed the root.
    pub signed_weight: U96,
    /// The total weight of the epoch.
    pub total_weight: U96,
}

/// The recorded roots, each under the epoch whose operators signed it.
///
/// Warning: the contents are trusted. No signature is verified under a recorded root.
///
/// ```
/// use assent_verifier::{RecordedRoot, RecordedRoots};
/// use alloy_primitives::{B256, aliases::U96};
///
/// let root = B256::repeat_byte(1);
/// let mut recorded = RecordedRoots::default();
/// recorded.record(3, root, RecordedRoot { signed_weight: U96::from(60), total_weight: U96::from(100) });
/// assert_eq!(recorded.get(3, root).map(|root| root.signed_weight), Some(U96::from(60)));
/// assert_eq!(recorded.get(4, root), None, "another epoch did not sign it");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordedRoots {
    roots: BTreeMap<(u32, B256), RecordedRoot>,
}

impl RecordedRoots {
    /// Records a root. If it is already recorded under the epoch, the greater signed weight counts, as on chain.
    ///
    /// A root with a signed weight of zero is not recorded.
    pub fn record(&mut self, epoch: u32, root: B256, recorded: RecordedRoot) {
        let before = self.get(epoch, root).map_or(U96::ZERO, |before| before.signed_weight);
        if before < recorded.signed_weight {
            self.roots.insert((epoch, root), recorded);
        }
    }

    /// Returns the weights of a root, or `None` if it is not recorded under this epoch.
    pub fn get(&self, epoch: u32, root: B256) -> Option<RecordedRoot> {
        self.roots.get(&(epoch, root)).copied()
    }

    /// Returns all roots with their epochs, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u32, B256, RecordedRoot)> + '_ {
        self.roots.iter().map(|(&(epoch, root), &recorded)| (epoch, root, recorded))
    }
}
