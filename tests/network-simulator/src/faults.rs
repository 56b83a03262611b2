//! What goes wrong in a history.

use assent_types::Decision;
use assent_verifier::Epoch;

use crate::{random::Random, scheme::Signer};

/// What goes wrong, and how often. Each history has its own mixture; one in eight has none, one in fourteen a flood.
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
    /// Whether a second gateway floods operators, which must hurt no other.
    pub(crate) flood: bool,
    /// The number of open tasks from which the gateways batch.
    pub(crate) batch_from: usize,
    /// How many honest gateways share the task log.
    pub(crate) gateways: usize,
    /// Whether the log is out of reach of a gateway for a while, so that another takes its tasks over.
    pub(crate) lost_leases: bool,
    /// Whether blocks are replaced, a second epoch begins, and clients change their policies.
    pub(crate) reorganisations: bool,
    pub(crate) epoch_change: bool,
    pub(crate) policy_change: bool,
}

impl Faults {
    pub(crate) const fn choose(random: &mut Random) -> Self {
        let batch_from = if random.percent(60) { usize::MIN } else { usize::MAX };
        let gateways = if random.percent(40) { 2 } else { 1 };
        if random.percent(12) {
            return Self { delay: 20, batch_from, gateways, ..Self::none() };
        }
        if random.percent(8) {
            return Self { delay: 20, batch_from, gateways, flood: true, ..Self::none() };
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
            flood: false,
            batch_from,
            gateways,
            lost_leases: random.percent(30),
            reorganisations: random.percent(25),
            epoch_change: random.percent(25),
            policy_change: random.percent(25),
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
            flood: false,
            batch_from: usize::MAX,
            gateways: 1,
            lost_leases: false,
            reorganisations: false,
            epoch_change: false,
            policy_change: false,
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
            && !self.lost_leases
            && !self.reorganisations
            && !self.epoch_change
            && !self.policy_change
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
    /// Its observations do not fit the policy, or are as long as they may be.
    Misfit,
    /// It decides, and signs no batch.
    NoBatches,
}

/// Chooses liars with less than a third of each epoch's weight.
pub(crate) fn liars(random: &mut Random, epochs: &[Epoch], signers: &[Signer]) -> Vec<Option<Lie>> {
    let kinds = [Lie::Silence, Lie::Garbage, Lie::TwoSignatures, Lie::FalseObservation, Lie::Misfit, Lie::NoBatches];
    let mut lies: Vec<Option<Lie>> = vec![None; signers.len()];
    if random.percent(40) {
        return lies;
    }
    for _ in 0..signers.len() {
        let index = usize::try_from(random.below(u64::try_from(signers.len()).unwrap_or(1))).unwrap_or(0);
        if lies[index].is_some() {
            continue;
        }
        lies[index] = random.pick(&kinds).copied();
        let is_too_much = epochs.iter().any(|epoch| {
            let weight_of = |signer: &Signer| {
                let known = epoch.operators.operators().iter().find(|operator| operator.address == signer.address);
                known.map_or(0, |operator| operator.weight.to::<u64>())
            };
            let lying = signers.iter().zip(&lies).filter(|(_, lie)| lie.is_some());
            let weight: u64 = lying.map(|(signer, _)| weight_of(signer)).sum();
            3 * weight >= epoch.operators.total_weight().to::<u64>()
        });
        if is_too_much {
            lies[index] = None;
        }
    }
    lies
}

/// Returns the other decision.
pub(crate) const fn opposite(decision: Decision) -> Decision {
    match decision {
        Decision::Allow => Decision::Deny,
        Decision::Deny => Decision::Allow,
    }
}
