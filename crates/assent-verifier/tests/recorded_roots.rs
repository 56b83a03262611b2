//! Calls under recorded roots: what carries no signature, and is refused all the same.

mod fixture;

use alloy_primitives::{
    B256, U256,
    aliases::{U48, U96},
};
use assent_verifier::{
    Authorization, Call, Check, CheckResult, Decision, EpochId, OperatorSetId, RecordedRoot, RecordedRoots, Refusal,
    offset, verify,
};
use fixture::{EPOCH_END, Fixture, NOW, assert_refused, outcome};

/// A valid use of a recorded root, which carries no signature.
#[track_caller]
fn valid_recorded() -> (Fixture, Vec<u8>) {
    let mut fixture = Fixture::new();
    let document = fixture.document_in_batch(&[B256::with_last_byte(1), B256::with_last_byte(2)], 1);
    fixture.record(&document, 47);
    let authorization = document.recorded_authorization().unwrap().encode();
    assert_eq!(outcome(&fixture.context, &fixture.intent, &authorization), Ok(()));
    (fixture, authorization)
}

#[test]
fn accepts_a_call_under_a_recorded_root_and_says_what_weight_signed_it() {
    let (fixture, authorization) = valid_recorded();
    let verified = verify(&fixture.context, &fixture.intent, &authorization).unwrap();
    assert_eq!(*verified.attestation(), fixture.attestation());
    assert_eq!((verified.signed_weight(), verified.total_weight()), (U96::from(47), U96::from(70)));
    assert_eq!(verified.epoch(), EpochId(9));

    let call = Call::Explicit { intent: &fixture.intent, authorization: &authorization };
    let examination = assent_verifier::verify_with_report(&fixture.context, call);
    assert!(examination.checks().all(|(_, outcome)| outcome == CheckResult::Passed));
}

#[test]
fn a_context_tells_which_root_must_be_recorded() {
    let (mut fixture, authorization) = valid_recorded();
    let (_, root, _) = fixture.context.recorded_roots.iter().next().unwrap();
    let authorization = Authorization::parse(&authorization).unwrap();
    assert_eq!(fixture.context.root(&fixture.intent, &authorization), Some(root));
    fixture.context.policy = None;
    assert_eq!(fixture.context.root(&fixture.intent, &authorization), None);
}

#[test]
fn refuses_a_root_that_is_not_recorded_under_the_epoch() {
    let (fixture, authorization) = valid_recorded();
    let recorded = fixture.context.recorded_roots.iter().next().unwrap();
    let refusal = Refusal::RootNotRecorded { epoch: EpochId(9), root: recorded.1 };

    let mut nothing = fixture.clone();
    nothing.context.recorded_roots = RecordedRoots::default();
    assert_refused(&nothing, &authorization, Check::Quorum, refusal);
    // Recorded, but under another epoch of the same set.
    nothing.context.recorded_roots.record(EpochId(10), recorded.1, recorded.2);
    assert_refused(&nothing, &authorization, Check::Quorum, refusal);
    // No weight signed it.
    let no_weight = RecordedRoot { signed_weight: U96::ZERO, ..recorded.2 };
    nothing.context.recorded_roots.record(EpochId(9), recorded.1, no_weight);
    assert_refused(&nothing, &authorization, Check::Quorum, refusal);
}

#[test]
fn a_recorded_root_covers_no_attestation_but_its_own() {
    let (fixture, authorization) = valid_recorded();
    // Time of issuance, expiration, decision, evidence, and the Merkle proof.
    let last_of_issued_at = offset::EXPIRATION - 1;
    let last_of_expiration = offset::DECISION - 1;
    let proof = offset::RECORDED_PROOF_LENGTH + 1;
    for index in [last_of_issued_at, last_of_expiration, offset::DECISION, offset::EVIDENCE, proof] {
        let mut altered = authorization.clone();
        altered[index] ^= 1;
        let refusal = outcome(&fixture.context, &fixture.intent, &altered).unwrap_err();
        assert!(
            matches!(refusal, (Check::Quorum, Refusal::RootNotRecorded { epoch: EpochId(9), .. })),
            "{index}: {refusal:?}"
        );
    }
}

#[test]
fn a_recorded_root_must_still_reach_the_clients_own_quorum() {
    let (mut fixture, authorization) = valid_recorded();
    fixture.policy().quorum = 6715;
    let refusal = Refusal::QuorumNotReached { signed: U256::from(47), required: U256::from(48) };
    assert_refused(&fixture, &authorization, Check::Quorum, refusal);
    // The greatest weight recorded counts.
    let (epoch, root, recorded) = fixture.context.recorded_roots.iter().next().unwrap();
    for signed_weight in [U96::from(48), U96::from(40)] {
        fixture.context.recorded_roots.record(epoch, root, RecordedRoot { signed_weight, ..recorded });
        assert_eq!(outcome(&fixture.context, &fixture.intent, &authorization), Ok(()));
    }
}

#[test]
fn a_recorded_root_outlives_the_grace_period_but_not_revocation() {
    let (mut fixture, authorization) = valid_recorded();
    fixture.context.epochs[0].valid_until = U48::from(1);
    assert_eq!(outcome(&fixture.context, &fixture.intent, &authorization), Ok(()));
    fixture.context.epochs[0].valid_until = U48::ZERO;
    assert_refused(&fixture, &authorization, Check::Epoch, Refusal::EpochRevoked { epoch: EpochId(9) });
    fixture.context.epochs[0].operator_set = OperatorSetId(6);
    assert_refused(&fixture, &authorization, Check::Epoch, Refusal::UnknownEpoch { epoch: EpochId(9) });
}

#[test]
fn an_attestation_under_a_recorded_root_does_not_outlive_the_epoch_that_signed_it() {
    let mut fixture = Fixture { issued_at: EPOCH_END - 3600, expiration: EPOCH_END, ..Fixture::new() };
    let document = fixture.document();
    fixture.record(&document, 47);
    // The end of the grace period does not matter, but the epoch's own end does.
    fixture.context.epochs[0].valid_until = U48::from(NOW);
    fixture.context.timestamp = EPOCH_END - 1;
    let authorization = document.recorded_authorization().unwrap().encode();
    assert_eq!(outcome(&fixture.context, &fixture.intent, &authorization), Ok(()));

    (fixture.issued_at, fixture.expiration) = (EPOCH_END - 3599, EPOCH_END + 1);
    let document = fixture.document();
    fixture.record(&document, 47);
    let authorization = document.recorded_authorization().unwrap().encode();
    let refusal =
        Refusal::ExpirationBeyondEpoch { expiration: U48::from(EPOCH_END + 1), epochEnd: U48::from(EPOCH_END) };
    for timestamp in [EPOCH_END - 3599, EPOCH_END - 1, EPOCH_END] {
        fixture.context.timestamp = timestamp;
        assert_refused(&fixture, &authorization, Check::Quorum, refusal);
    }
    // It is found before the weight is compared, and after the root was found to be recorded.
    fixture.policy().quorum = 10_000;
    assert_refused(&fixture, &authorization, Check::Quorum, refusal);
    fixture.context.recorded_roots = RecordedRoots::default();
    let refusal = Refusal::RootNotRecorded { epoch: EpochId(9), root: document.root() };
    assert_refused(&fixture, &authorization, Check::Quorum, refusal);
}

#[test]
fn refuses_what_the_operators_deny_under_a_recorded_root_too() {
    let mut fixture = Fixture { decision: Decision::Deny, ..Fixture::new() };
    let document = fixture.document();
    fixture.record(&document, 70);
    let refusal = Refusal::PolicyDenied { taskId: document.attestation.taskId };
    let authorization = document.recorded_authorization().unwrap().encode();
    assert_refused(&fixture, &authorization, Check::Decision, refusal);
}

#[test]
fn of_several_records_the_first_of_the_greatest_weight_stays_and_the_first_epoch_end() {
    let root = B256::repeat_byte(1);
    let record = |signed, total, end| RecordedRoot {
        signed_weight: U96::from(signed),
        total_weight: U96::from(total),
        epoch_end: U48::from(end),
    };
    let mut recorded = RecordedRoots::default();
    for (next, stays) in [
        (record(0, 70, 5), None),
        (record(50, 70, 6), Some(record(50, 70, 6))),
        (record(50, 60, 7), Some(record(50, 70, 6))),
        (record(40, 60, 7), Some(record(50, 70, 6))),
        (record(51, 60, 7), Some(record(51, 60, 6))),
    ] {
        recorded.record(EpochId(9), root, next);
        assert_eq!(recorded.get(EpochId(9), root), stays);
    }
}
