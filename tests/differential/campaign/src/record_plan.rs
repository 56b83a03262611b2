//! Roots that are to be recorded, some of them tampered with.

use crate::{
    Answer, Attempt, AttestedPlan, EntryPoint, Field, Issued, Mutation, Spelling, UsePlan, World,
    authorization_bytes::{bitmap_end, overwrite, trim_bitmap},
    comparison::verify,
    recording::{encode, recorded_on_chain},
    world_plan::LATEST,
};
use alloy::primitives::{Bytes, aliases::U48};
use assent_chain::{ExecutionStatus, Message};
use assent_contracts::TaskManager;
use assent_verifier::{
    EpochId, Policy, Refusal,
    offset::{BITMAP, BITMAP_LENGTH, EPOCH, SIGNATURE},
};
use proptest::{collection::vec, prelude::*};
use serde::{Deserialize, Serialize};

/// Roots to be recorded in one call.
///
/// The contracts must decide about them as about uses of attestations under them. The client trusts the epoch's
/// operators and demands no more than the floor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordPlan {
    /// The epoch that the call names; that of the first root's signers if none.
    pub epoch: Option<u32>,
    /// The attestations whose roots they are, and what is done to signature and bitmap.
    pub roots: Vec<(AttestedPlan, Option<Mutation>)>,
}

impl RecordPlan {
    /// One to four of these attestations' roots.
    pub fn strategy(attested: Vec<AttestedPlan>) -> impl Strategy<Value = Self> {
        let mutation = prop_oneof![
            4 => any::<Spelling>().prop_map(Mutation::Signature),
            1 => any::<u16>().prop_map(Mutation::SignatureOfOneOperator),
            1 => any::<u16>().prop_map(Mutation::SignatureOfEpoch),
            2 => (0..200u16).prop_map(Mutation::AbsentOperator),
            1 => any::<u16>().prop_map(|bit| Mutation::FlipBitOf(Field::Bitmap, bit)),
            1 => Just(Mutation::BitmapTail),
            1 => Just(Mutation::DropBitmap),
        ];
        let root = (prop::sample::select(attested), proptest::option::weighted(0.3, mutation));
        (proptest::option::weighted(0.1, 0..6u32), vec(root, 1..5)).prop_map(|(epoch, roots)| Self { epoch, roots })
    }

    pub(crate) fn run(&self, world: &World) -> Result<Vec<Answer>, String> {
        let number = self.epoch.map_or_else(|| self.roots[0].0.epoch(world).number, EpochId);
        let attempts: Vec<_> = self.roots.iter().map(|root| attempt(world, number, root)).collect();
        let verdicts: Result<Vec<_>, String> = attempts.iter().map(|attempt| recordable(world, attempt)).collect();
        let verdicts = verdicts?;
        let expected = of_all(&attempts, &verdicts);

        world.undone(|| {
            let roots = attempts.iter().map(signed_root).collect();
            let call = Message::new(world.agent, world.task_manager, encode(number, roots));
            world.chain.set_next_timestamp(world.earliest()).expect("time moves forward");
            let outcome = world.chain.transact(call).expect("the chain takes the call");
            let agrees = match &expected {
                Ok(()) => outcome.status == ExecutionStatus::Success,
                Err(refusal) => outcome.revert_data() == Some(&Bytes::from(refusal.revert_data())),
            };
            if !agrees {
                let on_chain = Refusal::decode(&outcome.output);
                return Err(format!("{expected:?} expected; contracts: {:?} {on_chain:?}", outcome.status));
            }
            attempts.iter().try_for_each(|attempt| require_present(world, number, attempt, expected.is_ok()))
        })?;
        Ok(vec![expected.into()])
    }
}

/// The use of an attestation under the root, by a client that demands the least.
fn attempt(world: &World, number: EpochId, (attested, mutation): &(AttestedPlan, Option<Mutation>)) -> Attempt {
    let operator_set =
        world.epochs.iter().find(|epoch| epoch.number == number).map_or(0, |epoch| epoch.operator_set.into());
    // Its times do not matter when the root is recorded. To make only the other checks, it is valid then.
    let attested = AttestedPlan { issued: Issued::AT_ONCE, ..attested.clone() };
    let plan = UsePlan { attested, recording: None, revoke: false, mutations: Vec::new() };
    let mut attempt = plan.attempt(world);
    attempt.entry_point = EntryPoint::TaskManagerView;
    attempt.policy = Policy {
        policyId: attempt.policy.policyId,
        operatorSet: operator_set,
        quorum: 0,
        maxLifetime: U48::from(LATEST),
    };
    attempt.issuance_floor = U48::ZERO;
    overwrite(&mut attempt, EPOCH, &u32::from(number).to_be_bytes());
    if let Some(mutation) = mutation {
        mutation.apply(&mut attempt, world);
    }
    attempt
}

/// Whether signature, weight and epoch are valid. The attestation's decision does not matter, nor do zeros at a
/// bitmap's end. Only an authorization must not have them, so that it has one encoding.
fn recordable(world: &World, attempt: &Attempt) -> Result<Result<(), Refusal>, String> {
    let mut attempt = attempt.clone();
    trim_bitmap(&mut attempt);
    Ok(match verify(world, &attempt)? {
        Ok(_) | Err(Refusal::PolicyDenied { .. }) => Ok(()),
        Err(refusal) => Err(refusal),
    })
}

/// The result of the call. Epoch, bitmaps, weights, and signatures that are infinity or not below the modulus are
/// checked one after the other. Then come all signatures together, first for being points of the group.
fn of_all(attempts: &[Attempt], verdicts: &[Result<(), Refusal>]) -> Result<(), Refusal> {
    let is_seen_at_once = |attempt: &Attempt, refusal: &Refusal| match refusal {
        Refusal::InvalidSignature => false,
        Refusal::MalformedSignature => attempt.authorization[SIGNATURE..BITMAP_LENGTH].iter().all(|byte| *byte == 0),
        _ => true,
    };
    let refusals = || attempts.iter().zip(verdicts).filter_map(|(attempt, verdict)| Some((attempt, verdict.err()?)));
    let at_once = refusals().find(|(attempt, refusal)| is_seen_at_once(attempt, refusal));
    let malformed = || refusals().find(|(_, refusal)| *refusal == Refusal::MalformedSignature);
    match at_once.or_else(malformed).or_else(|| refusals().next()) {
        Some((_, refusal)) => Err(refusal),
        None => Ok(()),
    }
}

/// All are recorded, or none.
fn require_present(world: &World, number: EpochId, attempt: &Attempt, expected: bool) -> Result<(), String> {
    let is_recorded = !recorded_on_chain(world, number, attempt.root).signed_weight.is_zero();
    if is_recorded == expected { Ok(()) } else { Err(format!("root {}: recorded is {is_recorded}", attempt.root)) }
}

fn signed_root(attempt: &Attempt) -> TaskManager::SignedRoot {
    let bytes = &attempt.authorization;
    let bitmap_end = bitmap_end(attempt).expect("the form stays");
    TaskManager::SignedRoot {
        root: attempt.root,
        signature: bytes[SIGNATURE..BITMAP_LENGTH].to_vec().into(),
        nonSigners: bytes[BITMAP..bitmap_end].to_vec().into(),
    }
}
