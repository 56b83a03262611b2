//! What the operators say of each call.

use super::entry::{Entry, Source};
use super::place::Setting;
use crate::arguments;
use alloy_primitives::{B256, U256, aliases::U48};
use anyhow::{Context as _, Result, anyhow, bail};
use assent_verifier::{
    Attestation, Decision,
    digest::{intent_hash, task_id},
};
use clap::Args;
use std::{collections::HashMap, time::SystemTime};

/// What they say of every call that does not say it itself.
#[derive(Args)]
pub struct Terms {
    /// The client's nonce that the call will spend. The entries of a batch without a nonce count upward from it.
    #[arg(long, value_name = "NUMBER", required_unless_present = "batch", value_parser = arguments::whole_number)]
    nonce: Option<U256>,
    #[command(flatten)]
    until: Until,
    /// What the operators found.
    #[arg(long, required_unless_present = "batch")]
    decision: Option<arguments::Decision>,
    /// The hash that commits to all that the operators evaluated.
    #[arg(long, value_name = "HASH", required_unless_present = "batch", value_parser = arguments::hash)]
    evidence: Option<B256>,
}

/// How long the attestation will be good.
#[derive(Args)]
#[group(multiple = false)]
struct Until {
    /// First second at which it is no longer good (Unix time).
    #[arg(long, value_name = "UNIX_SECONDS", required_unless_present_any = ["lifetime", "batch"])]
    expiration: Option<U48>,
    /// Seconds from now for which it is good. With operators on several machines, give --expiration.
    #[arg(long, value_name = "SECONDS")]
    lifetime: Option<u32>,
}

impl Terms {
    /// Whether this machine's clock decides what is signed.
    pub fn read_the_clock(&self) -> bool {
        self.until.lifetime.is_some()
    }

    /// What is to be signed, in the order of the entries.
    pub fn attestations(&self, source: &Source, entries: Vec<Entry>, setting: &Setting) -> Result<Vec<Attestation>> {
        let expiration = self.until.expiration()?;
        let nonces = self.nonces(source, &entries)?;
        let missing = |place, field, option| {
            anyhow!("{} has no `{field}`; give it one there, or {option} for all that have none", source.entry(place))
        };
        let attestation = |(place, (entry, nonce)): (usize, (Entry, U256))| {
            let Entry { intent, expiration: own_expiration, decision, evidence, .. } = entry;
            let decision = decision.or(self.decision.map(Decision::from));
            Ok(Attestation {
                taskId: task_id(
                    setting.chain_id,
                    setting.task_manager,
                    setting.policy_client,
                    setting.policy_id,
                    intent_hash(&intent),
                    nonce,
                ),
                policyId: setting.policy_id,
                policyClient: setting.policy_client,
                nonce,
                expiration: own_expiration
                    .or(expiration)
                    .ok_or_else(|| missing(place, "expiration", "--expiration or --lifetime"))?,
                decision: decision.ok_or_else(|| missing(place, "decision", "--decision"))?.into(),
                evidence: evidence.or(self.evidence).ok_or_else(|| missing(place, "evidence", "--evidence"))?,
                intent,
            })
        };
        entries.into_iter().zip(nonces).enumerate().map(attestation).collect()
    }

    /// Each entry's nonce: its own, or the next one from --nonce. Two attestations with one nonce are refused: the first
    /// that is used would spend the other.
    fn nonces(&self, source: &Source, entries: &[Entry]) -> Result<Vec<U256>> {
        let mut next = self.nonce;
        let mut holders = HashMap::new();
        let mut nonces = Vec::with_capacity(entries.len());
        for (place, entry) in entries.iter().enumerate() {
            let nonce = match (entry.nonce, next) {
                (Some(own), _) => own,
                (None, Some(counted)) => {
                    next = counted.checked_add(U256::ONE);
                    counted
                }
                (None, None) if self.nonce.is_some() => {
                    bail!("{}: --nonce has been counted to its end; start lower", source.entry(place))
                }
                (None, None) => bail!(
                    "{} has no `nonce`; give it one there, or --nonce to count upward from for all that have none",
                    source.entry(place)
                ),
            };
            if let Some(earlier) = holders.insert(nonce, place) {
                let counted =
                    |place: usize| if entries[place].nonce.is_none() { " (counted from --nonce)" } else { "" };
                bail!(
                    "{} and entry {place} both have the nonce {nonce}{}{}, and only one of them could be used; give each \
                     its own",
                    source.entry(earlier),
                    counted(earlier),
                    counted(place)
                );
            }
            nonces.push(nonce);
        }
        Ok(nonces)
    }
}

impl Until {
    /// The moment, if one was given.
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
