//! Observations that a gateway chose, as both sides read them: operators before they decide, and the gateway before.

use std::collections::BTreeMap;

use alloy_primitives::{B256, U256};
use assent_policy::Observations;
use assent_types::Observation;
use assent_verifier::{Epoch, SignedObservation};

use crate::{message::AgreedOutput, task::weight_of};

/// The observations of each policy: by its index in a conjunction, and otherwise `None`.
pub(crate) type Members = BTreeMap<Option<usize>, Observations>;

/// Returns the observations of each policy, if they are of its sources, and of the weight that is required.
///
/// The sources are by key, each with its policy's index and its name. Signatures are not verified.
///
/// # Errors
///
/// Why operators would not decide on them.
pub(crate) fn members(
    sources: &BTreeMap<String, (Option<usize>, String)>,
    outputs: &[AgreedOutput],
    epoch: &Epoch,
    required: U256,
) -> Result<Members, String> {
    let mut members = Members::new();
    let mut weights: BTreeMap<&str, U256> = BTreeMap::new();
    for AgreedOutput { source, output, observers } in outputs {
        let value = assent_json::parse_canonical(output.as_bytes())
            .map_err(|error| format!("an output of {source} is not canonical: {error}"))?;
        let (member, name) = sources.get(source).ok_or_else(|| format!("the policy has no source {source}"))?;
        let observations = members.entry(*member).or_insert_with(|| Observations::new(required));
        for &(operator, _) in observers {
            let weight = weight_of(epoch, operator);
            let weight = weight.ok_or_else(|| format!("{operator} is not an operator of the epoch"))?;
            observations.add(name, operator, U256::from(weight), value.clone()).map_err(|error| error.to_string())?;
            // Each operator counts once for a source, so that the sum is at most the epoch's weight.
            let sum = weights.entry(source).or_default();
            *sum = sum.saturating_add(U256::from(weight));
        }
    }
    if !weights.keys().copied().eq(sources.keys().map(String::as_str)) {
        return Err("the observations are not of the policy's sources".into());
    }
    if let Some((source, weight)) = weights.iter().find(|(_, weight)| **weight < required) {
        return Err(format!("observers of {source} have the weight {weight}, less than {required}"));
    }
    Ok(members)
}

/// Returns what each observer signed of a task.
pub(crate) fn signed(task_id: B256, block_hash: B256, outputs: &[AgreedOutput]) -> Vec<SignedObservation> {
    let signed = outputs.iter().flat_map(|AgreedOutput { source, output, observers }| {
        let observation = Observation::new(task_id, source, block_hash, output.as_bytes());
        let signed = observers.iter();
        signed.map(move |&(operator, signature)| SignedObservation { operator, observation, signature })
    });
    signed.collect()
}
