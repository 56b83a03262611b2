//! Roots that are recorded ahead of their use.

use crate::{
    Attempt, Attested, AttestedPlan, Mutation, Outcome, Spelling, UsePlan, Way, World,
    attested::sign,
    authorization_bytes::{BITMAP, BITMAP_LENGTH, EPOCH, SIGNATURE, bitmap_end, overwrite, trim_bitmap},
    comparison::verdict,
    mutation::Field,
    world_plan::LATEST,
};
use alloy::{
    primitives::{B256, Bytes, U256, aliases::U48},
    sol_types::SolCall,
};
use assent_chain::{Call, Ending};
use assent_contracts::TaskManager;
use assent_verifier::{Epoch, NonSigners, Policy, RecordedRoot, RecordedRoots, Refusal, Signature};
use proptest::{collection::vec, prelude::*};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Who signs a root that is recorded before it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Recording {
    /// It is not recorded.
    Nobody,
    /// Those who sign what is attested.
    Signers,
    /// As few as can: fewer than the client demands, where weights allow it.
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
    pub(crate) fn of(self, attested: &Attested, world: &World) -> Vec<SignedRoot> {
        let [signers, bare_majority] = attested.to_record(world).clone();
        let chosen = match self {
            Self::Nobody => vec![],
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
            1 => Just(Self::Nobody),
            5 => Just(Self::Signers),
            2 => Just(Self::BareMajority),
            1 => Just(Self::Both),
        ]
        .boxed()
    }
}

/// What must be known offline of roots recorded by [`record`].
pub(crate) fn recorded_roots(roots: &[SignedRoot]) -> RecordedRoots {
    let mut recorded = RecordedRoots::default();
    roots.iter().for_each(|signed| recorded.record(signed.epoch, signed.root, signed.weight));
    recorded
}

/// Records the roots, with one call for each epoch.
pub(crate) fn record(world: &World, roots: &[SignedRoot]) {
    let mut epochs = BTreeMap::<u32, Vec<_>>::new();
    for signed in roots {
        epochs.entry(signed.epoch).or_default().push(TaskManager::SignedRoot {
            root: signed.root,
            signature: signed.signature.0.into(),
            nonSigners: signed.non_signers.as_bytes().to_vec().into(),
        });
    }
    for (epoch, roots) in epochs {
        let call = Call::new(world.agent, world.task_manager, encode(epoch, roots));
        let outcome = world.chain.transact(call).expect("the chain takes the call");
        assert!(outcome.is_success(), "roots that are signed were not recorded: {}", outcome.output);
    }
}

/// Whether the chain has recorded what [`recorded_roots`] says.
///
/// # Errors
///
/// Both sides, where they differ.
pub(crate) fn require_recorded(world: &World, roots: &[SignedRoot]) -> Result<(), String> {
    for (number, root, expected) in recorded_roots(roots).iter() {
        let recorded = recorded_on_chain(world, number, root);
        if recorded != expected {
            return Err(format!("recorded under epoch {number}: {recorded:?}, expected {expected:?}"));
        }
    }
    Ok(())
}

pub(crate) fn sign_to_record(world: &World, epoch: &Epoch, root: B256, absent: &[usize]) -> Option<SignedRoot> {
    let operators = &epoch.operators;
    let weight_of = |place: &usize| U256::from(operators.operators()[*place].weight);
    let present = (0..operators.operators().len()).filter(|place| !absent.contains(place));
    let signed_weight: U256 = present.map(|place| weight_of(&place)).sum();
    if signed_weight < operators.required_weight(0) || !epoch.is_in_force(world.earliest()) {
        return None;
    }
    let (signature, non_signers) = sign(world, epoch, root, absent);
    let weight = RecordedRoot { signed_weight: signed_weight.to(), total_weight: operators.total_weight() };
    Some(SignedRoot { epoch: epoch.number, root, signature, non_signers, weight })
}

/// Roots that somebody tries to record, in one call.
///
/// The contracts must decide about them as about uses of attestations under them: of a client that trusts the epoch's
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

    pub(crate) fn run(&self, world: &World) -> Result<Vec<Outcome>, String> {
        let number = self.epoch.unwrap_or_else(|| self.roots[0].0.epoch(world).number);
        let attempts: Vec<_> = self.roots.iter().map(|root| attempt(world, number, root)).collect();
        let verdicts: Result<Vec<_>, String> = attempts.iter().map(|attempt| recordable(world, attempt)).collect();
        let verdicts = verdicts?;
        let expected = of_all(&attempts, &verdicts);

        world.undone(|| {
            let roots = attempts.iter().map(signed_root).collect();
            let call = Call::new(world.agent, world.task_manager, encode(number, roots));
            world.chain.set_next_timestamp(world.earliest()).expect("time moves forward");
            let outcome = world.chain.transact(call).expect("the chain takes the call");
            let agrees = match &expected {
                Ok(()) => outcome.ending == Ending::Success,
                Err(refusal) => outcome.revert_data() == Some(&Bytes::from(refusal.revert_data())),
            };
            if !agrees {
                let on_chain = Refusal::decode(&outcome.output);
                return Err(format!("{expected:?} expected; contracts: {:?} {on_chain:?}", outcome.ending));
            }
            attempts.iter().try_for_each(|attempt| require_present(world, number, attempt, expected.is_ok()))
        })?;
        Ok(vec![expected.into()])
    }
}

/// The use of an attestation under the root, by a client that demands the least.
fn attempt(world: &World, number: u32, (attested, mutation): &(AttestedPlan, Option<Mutation>)) -> Attempt {
    let operator_set = world.epochs.iter().find(|epoch| epoch.number == number).map_or(0, |epoch| epoch.operator_set);
    let plan = UsePlan { attested: attested.clone(), recording: None, revoke: false, mutations: Vec::new() };
    let mut attempt = plan.attempt(world);
    attempt.way = Way::TaskManagerView;
    attempt.policy = Policy {
        policyId: attempt.policy.policyId,
        operatorSet: operator_set,
        quorum: 0,
        maxLifetime: U48::from(LATEST),
    };
    overwrite(&mut attempt, EPOCH, &number.to_be_bytes());
    if let Some(mutation) = mutation {
        mutation.apply(&mut attempt, world);
    }
    attempt
}

/// Whether signature, weight and epoch are good: what an attestation's decision is does not matter, nor do zeros at a bitmap's
/// end, which only an authorization must not have, lest it have two spellings.
fn recordable(world: &World, attempt: &Attempt) -> Result<Result<(), Refusal>, String> {
    let mut attempt = attempt.clone();
    trim_bitmap(&mut attempt);
    Ok(match verdict(world, &attempt)? {
        Ok(_) | Err(Refusal::PolicyDenied { .. }) => Ok(()),
        Err(refusal) => Err(refusal),
    })
}

/// What the call ends with. Epoch, bitmaps, weights, and signatures that are infinity or longer than the field are looked at one after the other;
/// then all signatures together, first for being points of the group at all.
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
fn require_present(world: &World, number: u32, attempt: &Attempt, expected: bool) -> Result<(), String> {
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

fn encode(number: u32, mut roots: Vec<TaskManager::SignedRoot>) -> Vec<u8> {
    if roots.len() == 1 {
        let signed_root = roots.remove(0);
        return TaskManager::recordRootCall { number, signedRoot: signed_root }.abi_encode();
    }
    TaskManager::recordRootsCall { number, signedRoots: roots }.abi_encode()
}

fn recorded_on_chain(world: &World, number: u32, root: B256) -> RecordedRoot {
    let query = TaskManager::recordedRootsCall { number, root };
    let answer = world.chain.call(Call::new(world.owner, world.task_manager, query.abi_encode()));
    let output = answer.expect("a view answers").output;
    let recorded = TaskManager::recordedRootsCall::abi_decode_returns(&output).expect("two weights");
    RecordedRoot { signed_weight: recorded.signedWeight, total_weight: recorded.totalWeight }
}
