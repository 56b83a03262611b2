//! Roots that were verified once, ahead of the calls under them.

use alloc::collections::BTreeMap;
use alloy_primitives::{B256, aliases::U96};

/// What was verified when a root was recorded.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (mut context, intent, document) = attested::example();
/// use alloy_primitives::aliases::U96;
/// use assent_verifier::{RecordedRoot, Refusal, verify};
///
/// let recorded = RecordedRoot { signed_weight: U96::from(200), total_weight: U96::from(300) };
/// context.recorded_roots.record(document.epoch, document.root(), recorded);
///
/// let verified = verify(&context, &intent, &document.recorded_authorization()?.encode())?;
/// assert_eq!(verified.signed_weight(), recorded.signed_weight);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecordedRoot {
    /// Weight of the operators that signed it.
    pub signed_weight: U96,
    /// Weight of the whole epoch.
    pub total_weight: U96,
}

/// The roots that are recorded, each under the epoch whose operators signed it.
///
/// The caller vouches for its contents, as the chain does for what it has recorded: no signature is verified again.
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
    /// Records a root. Of several records of one root in one epoch the greatest weight stays, as on chain, where a
    /// weight of zero means that nothing is recorded.
    pub fn record(&mut self, epoch: u32, root: B256, recorded: RecordedRoot) {
        let before = self.get(epoch, root).map_or(U96::ZERO, |before| before.signed_weight);
        if before < recorded.signed_weight {
            self.roots.insert((epoch, root), recorded);
        }
    }

    /// What was verified of a root; `None` if it is not recorded under this epoch.
    pub fn get(&self, epoch: u32, root: B256) -> Option<RecordedRoot> {
        self.roots.get(&(epoch, root)).copied()
    }

    /// All of them, with their epochs; ascending.
    ///
    /// ```
    /// use alloy_primitives::{B256, aliases::U96};
    /// use assent_verifier::{RecordedRoot, RecordedRoots};
    ///
    /// let recorded = RecordedRoot { signed_weight: U96::from(60), total_weight: U96::from(100) };
    /// let mut roots = RecordedRoots::default();
    /// roots.record(3, B256::repeat_byte(2), recorded);
    /// roots.record(1, B256::repeat_byte(1), recorded);
    /// assert!(roots.iter().map(|(epoch, ..)| epoch).eq([1, 3]));
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (u32, B256, RecordedRoot)> + '_ {
        self.roots.iter().map(|(&(epoch, root), &recorded)| (epoch, root, recorded))
    }
}
