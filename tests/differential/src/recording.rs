//! Roots that are recorded before a call under them is tried.

use crate::World;
use alloy::{
    primitives::{B256, U256},
    sol_types::SolCall,
};
use assent_chain::Call;
use assent_contracts::TaskManager;
use assent_signer::{PartialSignature, aggregate};
use assent_verifier::{Epoch, NonSigners, RecordedRoot, RecordedRoots, Signature};

/// Who signs a root that is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recording {
    /// It is not recorded.
    Nobody,
    /// Those who sign what is attested.
    Signers,
    /// As few as can: fewer than the vault demands, where weights allow it.
    BareMajority,
    /// Both, in one call.
    Both,
}

/// A root with its signature, and the weight that is recorded with it.
#[derive(Debug, Clone)]
pub struct SignedRoot {
    /// The epoch whose operators signed.
    pub epoch: u32,
    /// What they signed.
    pub root: B256,
    /// The aggregate signature.
    pub signature: Signature,
    /// Who did not sign.
    pub non_signers: NonSigners,
    /// The weight of those who did.
    pub weight: RecordedRoot,
}

impl Recording {
    /// Has operators sign, and leaves out what the TaskManager would refuse to record.
    pub fn carry_out(self, world: &World, epoch: &Epoch, root: B256, absent: &[usize]) -> Vec<SignedRoot> {
        let bare_majority = || all_but_a_bare_majority(epoch);
        let signatures = match self {
            Self::Nobody => vec![],
            Self::Signers => vec![absent.to_vec()],
            Self::BareMajority => vec![bare_majority()],
            Self::Both => vec![bare_majority(), absent.to_vec()],
        };
        signatures.iter().filter_map(|absent| sign(world, epoch, root, absent)).collect()
    }
}

/// What must be known offline of roots recorded by [`record`].
pub fn recorded_roots(roots: &[SignedRoot]) -> RecordedRoots {
    let mut recorded = RecordedRoots::default();
    roots.iter().for_each(|signed| recorded.record(signed.epoch, signed.root, signed.weight));
    recorded
}

/// Records the roots, which are of one epoch.
pub fn record(world: &World, roots: &[SignedRoot]) {
    let encode = |signed: &SignedRoot| TaskManager::SignedRoot {
        root: signed.root,
        signature: signed.signature.0.into(),
        nonSigners: signed.non_signers.as_bytes().to_vec().into(),
    };
    match roots {
        [] => {}
        [signed] => {
            let call = TaskManager::recordRootCall { number: signed.epoch, signedRoot: encode(signed) };
            world.transact(world.agent, world.task_manager, &call);
        }
        [first, ..] => {
            let signed_roots = roots.iter().map(encode).collect();
            let call = TaskManager::recordRootsCall { number: first.epoch, signedRoots: signed_roots };
            world.transact(world.agent, world.task_manager, &call);
        }
    }
}

/// Whether the chain has recorded what [`recorded_roots`] says.
///
/// # Errors
///
/// Both sides, where they differ.
pub fn require_recorded(world: &World, roots: &[SignedRoot]) -> Result<(), String> {
    for (number, root, expected) in recorded_roots(roots).iter() {
        let query = TaskManager::recordedRootsCall { number, root };
        let answer = world.chain.call(Call::new(world.owner, world.task_manager, query.abi_encode()));
        let output = answer.expect("a view answers").output;
        let recorded = TaskManager::recordedRootsCall::abi_decode_returns(&output).expect("two weights");
        let recorded = RecordedRoot { signed_weight: recorded.signedWeight, total_weight: recorded.totalWeight };
        if recorded != expected {
            return Err(format!("recorded under epoch {number}: {recorded:?}, expected {expected:?}"));
        }
    }
    Ok(())
}

fn sign(world: &World, epoch: &Epoch, root: B256, absent: &[usize]) -> Option<SignedRoot> {
    let signers = world.keys.iter().enumerate().filter(|(index, _)| !absent.contains(index));
    let partials: Vec<_> =
        signers.map(|(_, (operator, key))| PartialSignature::new(*operator, key.sign_root(root).0)).collect();
    let aggregate = aggregate(epoch, root, &partials).ok()?;
    let weight = RecordedRoot { signed_weight: aggregate.signed_weight, total_weight: epoch.operators.total_weight() };
    let enough = U256::from(weight.signed_weight) >= epoch.operators.required_weight(0);
    (enough && epoch.is_in_force(world.earliest())).then_some(SignedRoot {
        epoch: epoch.number,
        root,
        signature: aggregate.signature,
        non_signers: aggregate.non_signers,
        weight,
    })
}

/// Operators who can stay away while the others are still a majority.
fn all_but_a_bare_majority(epoch: &Epoch) -> Vec<usize> {
    let mut weight = U256::from(epoch.operators.total_weight());
    let mut absent = Vec::new();
    for (index, operator) in epoch.operators.operators().iter().enumerate() {
        let without = weight - U256::from(operator.weight);
        if without >= epoch.operators.required_weight(0) {
            weight = without;
            absent.push(index);
        }
    }
    absent
}
