//! Roots that are recorded before they are used.

use crate::{Attested, Deployment, SignedRoot, signing::recorded_roots};
use alloy::{primitives::B256, sol_types::SolCall};
use assent_chain::Message;
use assent_contracts::TaskManager;
use assent_verifier::{EpochId, RecordedRoot};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The signers of a root that is recorded before it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Recording {
    /// The root is not recorded.
    None,
    /// The operators that sign the attestation.
    Signers,
    /// As few as possible: fewer than the client's quorum, where weights allow it.
    BareMajority,
    /// Both, in one call.
    Both,
}

impl Recording {
    pub(crate) fn of(self, attested: &Attested, deployment: &Deployment) -> Vec<SignedRoot> {
        let [signers, bare_majority] = attested.to_record(deployment).clone();
        let chosen = match self {
            Self::None => vec![],
            Self::Signers => vec![signers],
            Self::BareMajority => vec![bare_majority],
            Self::Both => vec![bare_majority, signers],
        };
        chosen.into_iter().flatten().collect()
    }
}

impl Arbitrary for Recording {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        prop_oneof![
            1 => Just(Self::None),
            5 => Just(Self::Signers),
            2 => Just(Self::BareMajority),
            1 => Just(Self::Both),
        ]
        .boxed()
    }
}

/// Records the roots, with one call for each epoch.
pub(crate) fn record(deployment: &Deployment, roots: &[SignedRoot]) {
    let mut epochs = BTreeMap::<EpochId, Vec<_>>::new();
    for signed in roots {
        epochs.entry(signed.epoch).or_default().push(TaskManager::SignedRoot {
            root: signed.root,
            signature: signed.signature.0.into(),
            nonSigners: signed.non_signers.as_bytes().to_vec().into(),
        });
    }
    for (epoch, roots) in epochs {
        let call = Message::new(deployment.agent, deployment.task_manager, encode(epoch, roots));
        let outcome = deployment.chain.transact(call).expect("the chain takes the call");
        assert!(outcome.is_success(), "roots that are signed were not recorded: {}", outcome.output);
    }
}

/// Whether the chain has recorded what [`recorded_roots`] says.
///
/// # Errors
///
/// Both sides, where they differ.
pub(crate) fn require_recorded(deployment: &Deployment, roots: &[SignedRoot]) -> Result<(), String> {
    for (number, root, expected) in recorded_roots(roots).iter() {
        let recorded = recorded_on_chain(deployment, number, root);
        if recorded != expected {
            return Err(format!("recorded under epoch {number}: {recorded:?}, expected {expected:?}"));
        }
    }
    Ok(())
}

/// The calldata that records the roots.
pub(crate) fn encode(number: EpochId, mut roots: Vec<TaskManager::SignedRoot>) -> Vec<u8> {
    if roots.len() == 1 {
        let signed_root = roots.remove(0);
        return TaskManager::recordRootCall { number: number.into(), signedRoot: signed_root }.abi_encode();
    }
    TaskManager::recordRootsCall { number: number.into(), signedRoots: roots }.abi_encode()
}

/// What the chain has recorded with a root.
pub(crate) fn recorded_on_chain(deployment: &Deployment, number: EpochId, root: B256) -> RecordedRoot {
    let query = TaskManager::recordedRootsCall { number: number.into(), root };
    let answer = deployment.chain.call(Message::new(deployment.owner, deployment.task_manager, query.abi_encode()));
    let output = answer.expect("a view answers").output;
    let recorded = TaskManager::recordedRootsCall::abi_decode_returns(&output).expect("two weights and a time");
    RecordedRoot {
        signed_weight: recorded.signedWeight,
        total_weight: recorded.totalWeight,
        epoch_end: recorded.epochEnd,
    }
}
