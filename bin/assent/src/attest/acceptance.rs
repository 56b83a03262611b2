//! Attestations that the contracts would refuse with any signature, found before anything is signed.

use super::{entries::CallsFile, policy_context::PolicyContext};
use crate::output;
use anyhow::{Result, bail};
use assent_inspection::remedy;
use assent_signer::AttestationBatch;
use assent_verifier::{AttestationDocument, Context, NonSigners, Refusal, Signature, verify};
use std::{fmt::Write, time::SystemTime};

/// The maximum number of attestations that are named.
const MOST_NAMED: usize = 8;

/// Refuses attestations that cannot be used, or warns of them with `force`. Without a context nothing is known.
pub fn check(source: &CallsFile, batch: &AttestationBatch, context: &PolicyContext, force: bool) -> Result<()> {
    let Some(state) = &context.state else { return Ok(()) };
    let mut refused = Vec::new();
    for index in 0..batch.attestations().len() {
        if let Some(refusal) = refusal(batch, index, context, state)? {
            refused.push((index, refusal));
        }
    }
    let Some((_, first)) = refused.first() else { return Ok(()) };
    let mut text = String::new();
    for (index, refusal) in refused.iter().take(MOST_NAMED) {
        writeln!(text, "{}: would be refused with {}: {refusal}", source.entry(*index), refusal.name())?;
    }
    if let Some(more) = refused.len().checked_sub(MOST_NAMED).filter(|more| *more > 0) {
        writeln!(text, "and {more} more would be refused")?;
    }
    if force {
        output::remark(format_args!("warning: {}", text.trim_end()));
        return Ok(());
    }
    bail!("{text}nothing was signed: {}; or sign nonetheless with --force", remedy(first));
}

/// Returns the refusal of an attestation that all operators sign. A refusal of the signature, which is made later, or
/// of the decision, which is deliberate, does not count.
fn refusal(
    batch: &AttestationBatch,
    index: usize,
    context: &PolicyContext,
    state: &Context,
) -> Result<Option<Refusal>> {
    let Some(attestation) = batch.attestations().get(index) else { return Ok(None) };
    let document = AttestationDocument {
        chain_id: context.chain_id,
        task_manager: context.task_manager,
        attestation: attestation.clone(),
        epoch: context.epoch.number,
        signature: Signature([0; 96]),
        non_signers: NonSigners::default(),
        merkle_proof: batch.merkle_proof(index).unwrap_or_default(),
    };
    let authorization = document.authorization()?.encode();
    let mut context = state.clone();
    context.caller = attestation.intent.from;
    let examine = |context: &Context| match verify(context, &attestation.intent, &authorization) {
        Ok(_) | Err(Refusal::MalformedSignature | Refusal::InvalidSignature | Refusal::PolicyDenied { .. }) => None,
        Err(refusal) => Some(refusal),
    };
    let refused = examine(&context);
    if refused.is_none() {
        return Ok(None);
    }
    // The context can be old: what is too early for it can be in time now.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.as_secs());
    if now <= context.timestamp {
        return Ok(refused);
    }
    context.timestamp = now;
    Ok(examine(&context).and(refused))
}
