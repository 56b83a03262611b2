//! What goes wrong in a history.

use crate::{random::Random, scheme::Signer};
use assent_verifier::Epoch;

/// What goes wrong, and how often. Each history has its own mixture; one in eight has none.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    /// Whether processes crash and links break.
    pub(crate) crashes: bool,
    pub(crate) partitions: bool,
    /// Percent of messages that come twice, late, or never.
    pub(crate) duplicates: u64,
    pub(crate) reordering: u64,
    pub(crate) loss: u64,
    /// Percent of actions that fail: disks, nodes, sources.
    pub(crate) failures: u64,
    /// Whether nodes of the chain lag behind.
    pub(crate) lag: bool,
    /// The longest delay of a message in milliseconds.
    pub(crate) delay: u64,
    /// Whether a second gateway lies.
    pub(crate) rogue_gateway: bool,
    /// The number of open tasks from which the gateway batches.
    pub(crate) batch_from: usize,
}

impl Faults {
    pub(crate) const fn choose(random: &mut Random) -> Self {
        let batch_from = if random.percent(60) { usize::MIN } else { usize::MAX };
        if random.percent(12) {
            return Self { delay: 20, batch_from, ..Self::none() };
        }
        Self {
            crashes: random.percent(60),
            partitions: random.percent(40),
            duplicates: if random.percent(40) { random.between(1, 20) } else { 0 },
            reordering: if random.percent(40) { random.between(1, 20) } else { 0 },
            loss: if random.percent(30) { random.between(1, 10) } else { 0 },
            failures: if random.percent(30) { random.between(1, 15) } else { 0 },
            lag: random.percent(30),
            delay: if random.percent(20) { 1500 } else { 50 },
            rogue_gateway: random.percent(40),
            batch_from,
        }
    }

    const fn none() -> Self {
        Self {
            crashes: false,
            partitions: false,
            duplicates: 0,
            reordering: 0,
            loss: 0,
            failures: 0,
            lag: false,
            delay: 0,
            rogue_gateway: false,
            batch_from: usize::MAX,
        }
    }

    /// Returns whether a quorum must come about, whatever operators lie.
    pub(crate) const fn is_calm(&self) -> bool {
        !self.crashes
            && !self.partitions
            && self.loss == 0
            && self.failures == 0
            && !self.lag
            && !self.rogue_gateway
            && self.delay < 100
            && self.reordering == 0
    }
}

/// How an operator lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    /// It connects and answers nothing.
    Silence,
    /// Its signatures are random bytes, and so is a message now and then.
    Garbage,
    /// It signs the opposite decision, too, and forgets what it signed.
    TwoSignatures,
    /// Its sources see what is not there, and not each time the same.
    FalseObservation,
    /// It decides, and signs no batch.
    NoBatches,
}

/// Chooses liars with less than a third of the weight.
pub(crate) fn liars(random: &mut Random, epoch: &Epoch, signers: &[Signer]) -> Vec<Option<Lie>> {
    let kinds = [Lie::Silence, Lie::Garbage, Lie::TwoSignatures, Lie::FalseObservation, Lie::NoBatches];
    let total: u64 = epoch.operators.total_weight().to();
    let mut lying = 0;
    let mut lies = vec![None; signers.len()];
    if random.percent(40) {
        return lies;
    }
    for _ in 0..signers.len() {
        let index = usize::try_from(random.below(u64::try_from(signers.len()).unwrap_or(1))).unwrap_or(0);
        let weight: u64 = epoch.operators.operators()[index].weight.to();
        if lies[index].is_none() && 3 * (lying + weight) < total {
            lying += weight;
            lies[index] = random.pick(&kinds).copied();
        }
    }
    lies
}
