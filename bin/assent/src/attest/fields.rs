//! The fields of each attestation.

use super::entries::{Entry, Source};
use super::policy_context::PolicyContext;
use crate::arguments;
use alloy_primitives::{B256, U256, aliases::U48};
use anyhow::{Context as _, Result, anyhow, bail};
use assent_verifier::{
    Attestation, Decision,
    digest::{intent_hash, task_id},
};
use clap::Args;
use std::{collections::HashMap, time::SystemTime};

/// The fields of every call whose entry does not have its own.
#[derive(Args)]
pub struct FieldArguments {
    /// The client's nonce that the call will spend. In a batch, the first entry without a nonce has it, the next one
    /// the next.
    #[arg(long, value_name = "NUMBER", required_unless_present = "batch", value_parser = arguments::whole_number)]
    nonce: Option<U256>,
    #[command(flatten)]
    until: Until,
    /// The operators' decision.
    #[arg(long, required_unless_present = "batch")]
    decision: Option<arguments::Decision>,
    /// The hash that commits to everything that the operators evaluated.
    #[arg(long, value_name = "HASH", required_unless_present = "batch", value_parser = arguments::hash)]
    evidence: Option<B256>,
}

/// How long the attestation is valid.
#[derive(Args)]
#[group(multiple = false)]
struct Until {
    /// The first second at which the attestation is no longer valid (Unix time).
    #[arg(long, value_name = "UNIX_SECONDS", required_unless_present_any = ["lifetime", "batch"])]
    expiration: Option<U48>,
    /// The seconds from now for which the attestation is valid. With operators on several machines, give --expiration.
    #[arg(long, value_name = "SECONDS")]
    lifetime: Option<u32>,
}

impl FieldArguments {
    /// Returns whether the expiration depends on this machine's clock.
    pub fn use_the_clock(&self) -> bool {
        self.until.lifetime.is_some()
    }

    /// Returns the attestations to sign, in the order of the entries.
    pub fn attestations(
        &self,
        source: &Source,
        entries: Vec<Entry>,
        context: &PolicyContext,
    ) -> Result<Vec<Attestation>> {
        let expiration = self.until.expiration()?;
        let nonces = self.nonces(source, &entries)?;
        let missing = |index, field, option| {
            anyhow!("{} has no `{field}`; add it, or give {option} for all entries without one", source.entry(index))
        };
        let attestation = |(index, (entry, nonce)): (usize, (Entry, U256))| {
            let Entry { intent, expiration: own_expiration, decision, evidence, .. } = entry;
            let decision = decision.or(self.decision.map(Decision::from));
            Ok(Attestation {
                taskId: task_id(
                    context.chain_id,
                    context.task_manager,
                    context.policy_client,
                    context.policy_id,
                    intent_hash(&intent),
                    nonce,
                ),
                policyId: context.policy_id,
                policyClient: context.policy_client,
                nonce,
                expiration: own_expiration
                    .or(expiration)
                    .ok_or_else(|| missing(index, "expiration", "--expiration or --lifetime"))?,
                decision: decision.ok_or_else(|| missing(index, "decision", "--decision"))?.into(),
                evidence: evidence.or(self.evidence).ok_or_else(|| missing(index, "evidence", "--evidence"))?,
                intent,
            })
        };
        entries.into_iter().zip(nonces).enumerate().map(attestation).collect()
    }

    /// Returns each entry's nonce: its own, or the next one from --nonce. Two entries with one nonce are refused:
    /// only one of the attestations could be used.
    fn nonces(&self, source: &Source, entries: &[Entry]) -> Result<Vec<U256>> {
        let mut next = self.nonce;
        let mut holders = HashMap::new();
        let mut nonces = Vec::with_capacity(entries.len());
        for (index, entry) in entries.iter().enumerate() {
            let nonce = match (entry.nonce, next) {
                (Some(own), _) => own,
                (None, Some(counted)) => {
                    next = counted.checked_add(U256::ONE);
                    counted
                }
                (None, None) if self.nonce.is_some() => {
                    bail!("{}: there is no nonce after the last one; give a lower --nonce", source.entry(index))
                }
                (None, None) => bail!(
                    "{} has no `nonce`; add it, or give --nonce, the first nonce of all entries without one",
                    source.entry(index)
                ),
            };
            if let Some(earlier) = holders.insert(nonce, index) {
                let counted =
                    |index: usize| if entries[index].nonce.is_none() { " (counted from --nonce)" } else { "" };
                bail!(
                    "{} and entry {index} both have the nonce {nonce}{}{}, and only one of them could be used; give \
                     each its own",
                    source.entry(earlier),
                    counted(earlier),
                    counted(index)
                );
            }
            nonces.push(nonce);
        }
        Ok(nonces)
    }
}

impl Until {
    /// Returns the expiration, if one was given.
    fn expiration(&self) -> Result<Option<U48>> {
        let Some(lifetime) = self.lifetime else {
            return Ok(self.expiration);
        };
        let now =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).context("this machine's clock is before 1970")?;
        let expiration = U48::try_from(now.as_secs() + u64::from(lifetime));
        Ok(Some(expiration.context("this machine's clock is millions of years ahead")?))
    }
}
