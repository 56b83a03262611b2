//! The fields of each attestation.

use super::{
    decisions::{Decided, DecisionArguments},
    entries::{CallsFile, Entry},
    policy_context::PolicyContext,
};
use crate::{arguments, output};
use alloy_primitives::{U256, aliases::U48};
use anyhow::{Context as _, Result, anyhow, bail};
use assent_policy::{EvidenceFile, ReferenceBlock};
use assent_verifier::{
    Attestation, SpentLedger,
    digest::{intent_hash, task_id},
};
use clap::Args;
use std::{collections::HashMap, path::Path, time::SystemTime};

/// The fields of every call whose entry does not have its own.
#[derive(Args)]
pub struct FieldArguments {
    /// The client's nonce that the call will spend. In a batch, the first entry without a nonce has it, the next one
    /// the next. By default, one is chosen in a random word of 256 nonces.
    #[arg(long, value_name = "NUMBER", value_parser = arguments::whole_number)]
    nonce: Option<U256>,
    /// The time from which the attestation is valid: that of a recent block (Unix time). Default: the reference block's
    /// with --rpc-url, else the context's, else this machine's clock. With operators on several machines, give the same
    /// on each.
    #[arg(long, value_name = "UNIX_SECONDS")]
    issued_at: Option<U48>,
    #[command(flatten)]
    until: Until,
    #[command(flatten)]
    decision: DecisionArguments,
}

/// The attestations to sign, with what their decisions were computed from.
pub struct Prepared {
    pub attestations: Vec<Attestation>,
    /// The evidence of each; none without a policy.
    pub evidence: Vec<Option<EvidenceFile>>,
}

/// How long the attestation is valid.
#[derive(Args)]
#[group(multiple = false)]
struct Until {
    /// The first second at which the attestation is no longer valid (Unix time).
    #[arg(long, value_name = "UNIX_SECONDS", required_unless_present_any = ["lifetime", "batch"])]
    expiration: Option<U48>,
    /// The seconds from the time of issuance for which the attestation is valid; at most the policy's maximum lifetime.
    #[arg(long, value_name = "SECONDS")]
    lifetime: Option<u32>,
}

impl FieldArguments {
    /// Returns whether the times are the same on every machine that has the same options.
    pub fn are_signed_alike(&self) -> bool {
        self.issued_at.is_some()
    }

    /// Returns the files that are read and that are one file each.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.decision.files()
    }

    /// Decides about the entries, and returns the attestations to sign in their order.
    pub fn prepare(
        &self,
        source: &CallsFile,
        entries: Vec<Entry>,
        nonces: Vec<U256>,
        context: &PolicyContext,
    ) -> Result<Prepared> {
        let block = self.decision.block_of_node(context.chain_id)?;
        let issued_at = self.issued_at(&entries, context, block)?;
        let decider = self.decision.decider(context, block)?;
        let mut prepared = Prepared { attestations: Vec::new(), evidence: Vec::new() };
        for (index, (entry, nonce)) in entries.into_iter().zip(nonces).enumerate() {
            let issued_at = entry.issued_at.unwrap_or(issued_at);
            let Decided { decision, evidence, file } = decider.decide(source, index, &entry, nonce, issued_at)?;
            let expiration = match entry.expiration {
                Some(expiration) => Some(expiration),
                None => self.until.expiration(issued_at)?,
            };
            let expiration = expiration.ok_or_else(|| {
                anyhow!(
                    "{} has no `expiration`; add it, or give --expiration or --lifetime for all entries without one",
                    source.entry(index)
                )
            })?;
            let intent = entry.intent;
            prepared.evidence.push(file);
            prepared.attestations.push(Attestation {
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
                issuedAt: issued_at,
                expiration,
                decision: decision.into(),
                evidence,
                intent,
            });
        }
        Ok(prepared)
    }

    /// Returns the time of issuance of the entries without their own.
    fn issued_at(&self, entries: &[Entry], context: &PolicyContext, block: Option<ReferenceBlock>) -> Result<U48> {
        if let Some(issued_at) = self.issued_at {
            return Ok(issued_at);
        }
        if let Some(block) = block {
            let seconds = U48::checked_from_limbs_slice(block.timestamp.as_limbs());
            return seconds.context("the reference block's time does not fit 48 bits");
        }
        let from_the_clock = || -> Result<u64> {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            let now = now.context("this machine's clock is before 1970")?.as_secs();
            if entries.iter().any(|entry| entry.issued_at.is_none()) {
                output::remark(format_args!(
                    "issued at {now} by this machine's clock; a chain whose time is behind refuses it until then. Give \
                     --issued-at for another time"
                ));
            }
            Ok(now)
        };
        let issued_at = context.timestamp.map_or_else(from_the_clock, Ok)?;
        U48::try_from(issued_at).with_context(|| format!("the time {issued_at} does not fit 48 bits; give --issued-at"))
    }

    /// Returns each entry's nonce: its own, or the next one from --nonce, or from one that is chosen. Two entries with
    /// one nonce are refused: only one of the attestations could be used.
    pub fn nonces(
        &self,
        source: &CallsFile,
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
    /// Returns the expiration of what is issued at a time, if one was given.
    fn expiration(&self, issued_at: U48) -> Result<Option<U48>> {
        let Some(lifetime) = self.lifetime else {
            return Ok(self.expiration);
        };
        let expiration = issued_at.checked_add(U48::from(lifetime));
        Ok(Some(expiration.with_context(|| format!("{issued_at} plus {lifetime} seconds does not fit 48 bits"))?))
    }
}
