mod call;
mod world;

use crate::fixture::Fixture;
use alloy_primitives::{B256, U256};
use arbitrary::{Arbitrary, Unstructured};
use assent_verifier::{
    Authorization, Call, Context, Decision, OperatorSetId, QuorumProof, Refusal, VerifiedAttestation,
    backend::{arkworks::Arkworks, blst::Blst},
    split_trailing, verify, verify_batch_using, verify_trailing, verify_with_report_using,
};
use call::{CallPlan, Carried};
use world::WorldPlan;

/// Calls under one context. Zero bytes, which follow where an input ends, change nothing: they are a valid
/// authorization, so that the fuzzer starts after all checks.
#[derive(Debug, Arbitrary)]
struct Scenario {
    world: WorldPlan,
    first: CallPlan,
    more: Vec<CallPlan>,
}

/// Verification: arkworks and blst give the same answer, and a batch gives what separate calls give. Nothing is
/// accepted that was not signed, and revert data decodes to the refusal that it was made of.
pub fn verification(input: &[u8]) {
    outcomes(input);
}

/// As [`verification`]; what each call's outcome was: the refusal's name, or nothing when it was accepted.
pub fn outcomes(input: &[u8]) -> Vec<Option<&'static str>> {
    let Ok(Scenario { world, first, mut more }) = Scenario::arbitrary_take_rest(Unstructured::new(input)) else {
        return vec![];
    };
    more.truncate(2);
    let mut fixture = world.fixture();
    // What operators attest to is fixed first, then the world goes on, and then the calls are made.
    let carried: Vec<_> = [first].iter().chain(&more).map(|plan| plan.carry(&mut fixture)).collect();
    world.change(&mut fixture.context);

    let calls: Vec<_> = carried.iter().map(Carried::call).collect();
    let results: Vec<_> = calls.iter().map(|call| separately(&fixture.context, *call)).collect();
    assert_eq!(verify_batch_using::<Arkworks, _>(&fixture.context, &calls), results);
    assert_eq!(verify_batch_using::<Blst, _>(&fixture.context, &calls), results);
    for (carried, result) in carried.iter().zip(&results) {
        if let Ok(verified) = result {
            assert_sound(&fixture, carried, verified);
        }
    }
    results.into_iter().map(|result| result.err().map(|refusal| refusal.name())).collect()
}

/// The result of both backends.
fn separately(context: &Context, call: Call<'_>) -> Result<VerifiedAttestation, Refusal> {
    let report = verify_with_report_using::<Arkworks, _>(context, call);
    assert_eq!(report, verify_with_report_using::<Blst, _>(context, call), "the backends disagree");
    let result = report.into_result();
    let convenient = match call {
        Call::Explicit { intent, authorization } => verify(context, intent, authorization),
        Call::Trailing { value, calldata } => verify_trailing(context, value, calldata),
    };
    assert_eq!(convenient, result);
    if let Err(refusal) = result {
        assert_eq!(Refusal::decode(&refusal.revert_data()), Some(refusal));
    }
    result
}

/// Looked at from behind: everything that must be so when a call is accepted.
fn assert_sound(fixture: &Fixture, carried: &Carried, verified: &VerifiedAttestation) {
    let bytes = match carried.call() {
        Call::Explicit { intent, authorization } => {
            assert_eq!(verified.intent(), intent);
            authorization
        }
        Call::Trailing { value, calldata } => {
            let (data, authorization) = split_trailing(calldata).expect("it was accepted");
            assert_eq!(*verified.intent(), fixture.context.trailing_intent(value, data.to_vec().into()));
            authorization
        }
    };
    let authorization = Authorization::parse(bytes).expect("it was accepted");
    assert_eq!(authorization.encode(), bytes, "a second spelling was accepted");
    assert_eq!(authorization.decision, Decision::Allow);
    assert_eq!(authorization.task_id, verified.attestation().taskId);

    let policy = fixture.context.policy.as_ref().expect("nothing is accepted without a policy");
    let epoch = fixture.context.epoch(verified.epoch()).expect("nothing is accepted under an unknown epoch");
    assert_eq!(epoch.operator_set, OperatorSetId(policy.operatorSet));
    let timestamp = fixture.context.timestamp;
    let [issued_at, expiration] =
        [verified.attestation().issuedAt, verified.attestation().expiration].map(|time| time.to::<u64>());
    assert!(issued_at <= timestamp && timestamp < expiration);
    assert!(expiration - issued_at <= policy.maxLifetime.to());
    assert!(issued_at >= fixture.context.issuance_floor.to());
    match authorization.quorum_proof {
        QuorumProof::Direct { non_signers, .. } => {
            assert!(epoch.is_in_force(timestamp));
            assert!(verified.signed_weight() <= verified.total_weight());
            assert!(U256::from(verified.signed_weight()) >= epoch.operators.required_weight(policy.quorum));
            let absent: Vec<u16> = non_signers.indices().collect();
            assert!(carried.signed.contains(&(verified.root(), absent)), "no operators signed this root");
        }
        QuorumProof::Recorded => {
            assert!(!epoch.is_revoked());
            let recorded = fixture.context.recorded_roots.get(verified.epoch(), verified.root());
            assert!(recorded.is_some_and(|recorded| expiration <= recorded.epoch_end.to()));
        }
    }
    let mut later = fixture.context.clone();
    assert!(later.spent.spend(verified.policy_client(), verified.nonce()));
    let spent = Refusal::AttestationAlreadySpent { policyClient: verified.policy_client(), nonce: verified.nonce() };
    assert_eq!(separately(&later, carried.call()), Err(spent));
}

/// A root that was signed, and who of the operators did not sign it.
type Signed = (B256, Vec<u16>);
