//! How often each operator signs.

use crate::Finding;
use alloy::primitives::Address;
use assent_verifier::EpochId;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt};

/// The number of epochs whose operators are counted: the newest ones.
const MOST_EPOCHS: usize = 32;

/// How many attestations of an epoch each of its operators signed, of those that were spent.
///
/// An operator need not sign: a quorum is enough, and who was slow is left out. So a low number is a question.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Participation {
    epochs: BTreeMap<EpochId, OfEpoch>,
}

/// The counts of one epoch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct OfEpoch {
    attestations: u64,
    signed: BTreeMap<Address, u64>,
}

impl Participation {
    /// Counts a finding, if its attestation was verified and it is known who signed.
    pub fn count(&mut self, finding: &Finding) {
        let Some(signers) = &finding.signers else { return };
        let counted = self.epochs.entry(signers.epoch).or_default();
        counted.attestations += 1;
        for (operator, signed) in &signers.operators {
            *counted.signed.entry(*operator).or_default() += u64::from(*signed);
        }
        while self.epochs.len() > MOST_EPOCHS {
            self.epochs.pop_first();
        }
    }

    /// Returns how many attestations of an epoch an operator signed, of how many.
    pub fn of(&self, epoch: EpochId, operator: Address) -> Option<(u64, u64)> {
        let counted = self.epochs.get(&epoch)?;
        counted.signed.get(&operator).map(|signed| (*signed, counted.attestations))
    }

    /// Returns the counts as JSON.
    pub fn to_json(&self) -> Value {
        let epochs = self.epochs.iter().map(|(epoch, counted)| {
            let operators =
                counted.signed.iter().map(|(operator, signed)| json!({ "operator": operator, "signed": signed }));
            json!({
                "epoch": epoch,
                "attestations": counted.attestations,
                "operators": operators.collect::<Vec<_>>(),
            })
        });
        json!({ "participation": epochs.collect::<Vec<_>>() })
    }
}

impl fmt::Display for Participation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (epoch, OfEpoch { attestations, signed }) in &self.epochs {
            writeln!(f, "epoch {epoch}: {attestations} attestations")?;
            for (operator, signed) in signed {
                writeln!(f, "  {operator} signed {signed}")?;
            }
        }
        Ok(())
    }
}
