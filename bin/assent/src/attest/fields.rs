//! The fields of each attestation.

use super::entries::{Entry, Source};
use super::policy_context::PolicyContext;
use crate::{arguments, output};
use alloy_primitives::{B256, U256, aliases::U48};
use anyhow::{Context as _, Result, anyhow, bail};
use assent_verifier::{
    Attestation, Decision, SpentLedger,
    digest::{intent_hash, task_id},
};
use clap::Args;
use std::{collections::HashMap, time::SystemTime};

/// The fields of every call whose entry does not have its own.
#[derive(Args)]
pub struct FieldArguments {
    /// The client's nonce that the call will spend. In a batch, the first entry without a nonce has it, the next one
    /// the next. By default, one is chosen in a random word of 256 nonces.
    #[arg(long, value_name = "NUMBER", value_parser = arguments::whole_number)]
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
        nonces: Vec<U256>,
        context: &PolicyContext,
    ) -> Result<Vec<Attestation>> {
        let expiration = self.until.expiration(context)?;
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

    /// Returns each entry's nonce: its own, or the next one from --nonce, or from one that is chosen. Two entries with
    /// one nonce are refused: only one of the attestations could be used.
    pub fn nonces(
        &self,
        source: &Source,
        entries: &[Entry],
        context: &PolicyContext,
        signers_are_elsewhere: bool,
    ) -> Result<Vec<U256>> {
        let mut next = self.nonce;
        if let Some(index) = entries.iter().position(|entry| entry.nonce.is_none() && next.is_none()) {
            if signers_are_elsewhere {
                bail!(
                    "{} has no nonce, and operators on several machines must sign the same one; give the same --nonce \
                     on each",
                    source.entry(index)
                );
            }
            let chosen = choose_nonce(context)?;
            output::remark(format_args!("chose the nonce {chosen}, the first of a random word"));
            next = Some(chosen);
        }
        let mut holders = HashMap::new();
        let mut nonces = Vec::with_capacity(entries.len());
        for (index, entry) in entries.iter().enumerate() {
            let nonce = match (entry.nonce, next) {
                (Some(own), _) => own,
                (None, Some(counted)) => {
                    next = counted.checked_add(U256::ONE);
                    counted
                }
                (None, None) => {
                    bail!("{}: there is no nonce after the last one; give a lower --nonce", source.entry(index))
                }
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

/// Returns the first nonce of a random word, so that it differs from those of attestations that are not used yet.
fn choose_nonce(context: &PolicyContext) -> Result<U256> {
    loop {
        let mut word = [0; 7];
        getrandom::fill(&mut word).map_err(|error| anyhow!("the system's random generator failed: {error}"))?;
        let nonce = U256::from_be_slice(&word) << 8;
        let is_spent = context.state.as_ref().is_some_and(|state| state.spent.is_spent(context.policy_client, nonce));
        if !is_spent {
            return Ok(nonce);
        }
    }
}

impl Until {
    /// Returns the expiration, if one was given. A lifetime counts from the later of this machine's time and the
    /// context's.
    fn expiration(&self, context: &PolicyContext) -> Result<Option<U48>> {
        let Some(lifetime) = self.lifetime else {
            return Ok(self.expiration);
        };
        let now =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).context("this machine's clock is before 1970")?;
        let now = context.state.as_ref().map_or(0, |state| state.timestamp).max(now.as_secs());
        let expiration = U48::try_from(now.saturating_add(lifetime.into()));
        Ok(Some(expiration.context("this machine's clock is millions of years ahead")?))
    }
}
