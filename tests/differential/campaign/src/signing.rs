//! Aggregate signatures of an epoch's operators.

use crate::Deployment;
use alloy::primitives::{B256, U256};
use assent_signer::{PartialSignature, aggregate};
use assent_verifier::{Epoch, EpochId, NonSigners, RecordedRoot, RecordedRoots, Signature};

/// A root with its signature, and what is recorded with it.
#[derive(Debug, Clone)]
pub struct SignedRoot {
    /// The epoch whose operators signed.
    pub epoch: EpochId,
    /// The signed root.
    pub root: B256,
    /// The aggregate signature.
    pub signature: Signature,
    /// The operators that did not sign.
    pub non_signers: NonSigners,
    /// The weight of those that did, the epoch's total, and its end.
    pub recorded: RecordedRoot,
}

/// The aggregate signature of the operators that are not absent.
pub(crate) fn sign(deployment: &Deployment, epoch: &Epoch, root: B256, absent: &[usize]) -> (Signature, NonSigners) {
    let signers = deployment.signers(epoch).enumerate().filter(|(index, _)| !absent.contains(index));
    let partials: Vec<_> =
        signers.map(|(_, (operator, key))| PartialSignature::new(*operator, key.sign_root(root).0)).collect();
    match aggregate(epoch, root, &partials) {
        Ok(aggregate) => (aggregate.signature, aggregate.non_signers),
        // No operator signed.
        Err(_) => (
            deployment.keys[0].1.sign_root(B256::ZERO),
            NonSigners::from_indices((0..epoch.operators.operators().len()).map(|index| index as u16))
                .expect("at most 2,000"),
        ),
    }
}

/// Signs a root to be recorded. `None` if the signers or their epoch do not suffice.
pub(crate) fn sign_to_record(
    deployment: &Deployment,
    epoch: &Epoch,
    root: B256,
    absent: &[usize],
) -> Option<SignedRoot> {
    let operators = &epoch.operators;
    let weight_of = |index: &usize| U256::from(operators.operators()[*index].weight);
    let present = (0..operators.operators().len()).filter(|index| !absent.contains(index));
    let signed_weight: U256 = present.map(|index| weight_of(&index)).sum();
    if signed_weight < operators.required_weight(0) || !epoch.is_in_force(deployment.earliest()) {
        return None;
    }
    let (signature, non_signers) = sign(deployment, epoch, root, absent);
    let recorded = RecordedRoot {
        signed_weight: signed_weight.to(),
        total_weight: operators.total_weight(),
        epoch_end: deployment.epoch_end(epoch.number),
    };
    Some(SignedRoot { epoch: epoch.number, root, signature, non_signers, recorded })
}

/// The recorded roots as the verifier's context takes them.
pub(crate) fn recorded_roots(roots: &[SignedRoot]) -> RecordedRoots {
    let mut recorded = RecordedRoots::default();
    roots.iter().for_each(|signed| recorded.record(signed.epoch, signed.root, signed.recorded));
    recorded
}
