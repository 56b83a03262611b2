//! Every refusal, each from a fixture in which nothing else is wrong, in every backend.

mod fixture;

use alloy_primitives::{
    Address, B256, U256,
    aliases::{U48, U96},
};
use assent_verifier::{
    Call, Check, CheckResult, Decision, EpochId, OperatorSetId, PublicKey, Refusal, Signature, append_trailing, verify,
    verify_trailing,
};
use fixture::{
    Fixture, NOW, assert_refused, encode_key, operators, outcome, public_key, secret, with_absent, with_signature,
};

#[track_caller]
fn valid() -> (Fixture, Vec<u8>) {
    let fixture = Fixture::new();
    let authorization = fixture.authorization().encode();
    assert_eq!(outcome(&fixture.context, &fixture.intent, &authorization), Ok(()));
    (fixture, authorization)
}

#[test]
fn accepts_what_a_quorum_signed_and_says_what_it_was() {
    let fixture = Fixture::new();
    let document = fixture.document();
    let verified = verify(&fixture.context, &fixture.intent, &fixture.authorization().encode()).unwrap();
    assert_eq!(*verified.attestation(), document.attestation);
    assert_eq!((verified.root(), verified.policy_client()), (document.digest(), fixture.context.policy_client));
    assert_eq!((verified.signed_weight(), verified.total_weight()), (U96::from(50), U96::from(70)));
    assert_eq!((verified.epoch(), verified.nonce()), (EpochId(9), U256::from(260)));
}

#[test]
fn accepts_every_attestation_of_a_batch() {
    let fixture = Fixture::new();
    let others = [1, 2, 3, 4].map(B256::with_last_byte);
    for size in 0..=others.len() {
        for place in 0..=size {
            let document = fixture.document_in_batch(&others[..size], place);
            let authorization = document.authorization().unwrap().encode();
            assert_eq!(outcome(&fixture.context, &fixture.intent, &authorization), Ok(()), "{place} of {size}");
        }
    }
}

#[test]
fn refuses_everything_before_a_policy_is_set() {
    let changes: [fn(&mut Fixture); 3] = [
        |fixture| fixture.context.policy = None,
        |fixture| fixture.policy().policyId = B256::ZERO,
        |fixture| fixture.context.task_manager = Address::ZERO,
    ];
    for change in changes {
        let (mut fixture, authorization) = valid();
        change(&mut fixture);
        assert_refused(&fixture, &authorization, Check::PolicySet, Refusal::PolicyNotSet);
        // Before parsing: the client that has no policy refuses anything alike.
        assert_refused(&fixture, &[], Check::PolicySet, Refusal::PolicyNotSet);
        assert_eq!(verify_trailing(&fixture.context, U256::ZERO, &[]), Err(Refusal::PolicyNotSet));
    }
}

#[test]
fn refuses_bytes_that_are_not_an_authorization() {
    let (fixture, authorization) = valid();
    for length in 0..authorization.len() {
        let cut = &authorization[..length];
        assert_refused(&fixture, cut, Check::WellFormed, Refusal::MalformedAuthorization);
    }
    let longer = [authorization.as_slice(), &[0]].concat();
    assert_refused(&fixture, &longer, Check::WellFormed, Refusal::MalformedAuthorization);
}

#[test]
fn refuses_a_non_signer_beyond_the_epoch_when_the_number_is_known() {
    let (fixture, _) = valid();
    let authorization = with_absent(fixture.authorization(), [1, 4, 7]);
    assert_refused(&fixture, &authorization.encode(), Check::Quorum, Refusal::NonSignerOutOfRange);
    // It is found before the weights are compared.
    let authorization = with_absent(authorization, 0..8);
    assert_refused(&fixture, &authorization.encode(), Check::Quorum, Refusal::NonSignerOutOfRange);
}

#[test]
fn refuses_an_intent_for_another_chain() {
    let (mut fixture, _) = valid();
    fixture.intent.chainId = U256::from(1);
    let authorization = fixture.authorization().encode();
    let refusal = Refusal::WrongChain { expected: U256::from(31337), actual: U256::from(1) };
    assert_refused(&fixture, &authorization, Check::ChainAndSender, refusal);
}

#[test]
fn refuses_another_caller() {
    let (mut fixture, authorization) = valid();
    fixture.context.caller = Address::repeat_byte(0xee);
    let refusal = Refusal::WrongSender { expected: Address::repeat_byte(0xee), actual: Address::repeat_byte(0x44) };
    assert_refused(&fixture, &authorization, Check::ChainAndSender, refusal);
}

#[test]
fn refuses_a_call_that_differs_from_what_was_attested() {
    type Change = fn(&mut Fixture);
    let changes: [(&str, Change); 7] = [
        ("intent.to", |fixture| fixture.intent.to = Address::repeat_byte(0xee)),
        ("intent.value", |fixture| fixture.intent.value = U256::from(251)),
        ("intent.data", |fixture| {
            let mut data = fixture.intent.data.to_vec();
            data[67] ^= 1;
            fixture.intent.data = data.into();
        }),
        ("taskManager", |fixture| fixture.context.task_manager = Address::repeat_byte(0xee)),
        ("policyClient", |fixture| fixture.context.policy_client = Address::repeat_byte(0xee)),
        ("policyId", |fixture| fixture.policy().policyId = B256::repeat_byte(0xee)),
        ("intent.from", |fixture| {
            fixture.intent.from = Address::repeat_byte(0xee);
            fixture.context.caller = Address::repeat_byte(0xee);
        }),
    ];
    for (field, change) in changes {
        let (mut fixture, authorization) = valid();
        let document = fixture.document();
        change(&mut fixture);
        let expected = fixture.attestation().taskId;
        let refusal = Refusal::WrongTask { expected, actual: document.attestation.taskId };
        assert_refused(&fixture, &authorization, Check::Task, refusal);

        let explanation = fixture.context.differences(&document, &fixture.intent, &document.authorization().unwrap());
        assert_eq!(explanation.iter().map(|difference| difference.field).collect::<Vec<_>>(), [field, "taskId"]);
    }
}

#[test]
fn refuses_an_authorization_made_on_another_chain_with_the_same_addresses() {
    let (mut fixture, authorization) = valid();
    let actual = fixture.attestation().taskId;
    fixture.context.chain_id = U256::from(1);
    fixture.intent.chainId = U256::from(1);
    let refusal = Refusal::WrongTask { expected: fixture.attestation().taskId, actual };
    assert_refused(&fixture, &authorization, Check::Task, refusal);
}

#[test]
fn refuses_from_the_second_of_expiration_on() {
    let (mut fixture, authorization) = valid();
    fixture.context.timestamp = NOW + 599;
    assert_eq!(outcome(&fixture.context, &fixture.intent, &authorization), Ok(()));
    fixture.context.timestamp = NOW + 600;
    let refusal = Refusal::AttestationExpired { expiration: U48::from(NOW + 600), timestamp: U256::from(NOW + 600) };
    assert_refused(&fixture, &authorization, Check::ValidityPeriod, refusal);
}

#[test]
fn refuses_until_the_second_of_issuance() {
    let mut fixture = Fixture::new();
    (fixture.issued_at, fixture.context.timestamp) = (NOW, NOW);
    let authorization = fixture.authorization().encode();
    assert_eq!(outcome(&fixture.context, &fixture.intent, &authorization), Ok(()));
    fixture.context.timestamp = NOW - 1;
    let refusal = Refusal::AttestationNotYetValid { issuedAt: U48::from(NOW), timestamp: U256::from(NOW - 1) };
    assert_refused(&fixture, &authorization, Check::ValidityPeriod, refusal);
    // It is found before the expiration, which has passed too.
    fixture.expiration = NOW - 2;
    let authorization = fixture.authorization().encode();
    assert_refused(&fixture, &authorization, Check::ValidityPeriod, refusal);
}

#[test]
fn refuses_an_expiration_beyond_the_longest_lifetime() {
    let mut fixture = Fixture { issued_at: NOW - 30, expiration: NOW - 30 + 3600, ..Fixture::new() };
    let authorization = fixture.authorization().encode();
    assert_eq!(outcome(&fixture.context, &fixture.intent, &authorization), Ok(()));
    fixture.expiration += 1;
    let authorization = fixture.authorization().encode();
    let latest = U256::from(NOW - 30 + 3600);
    let refusal = Refusal::LifetimeTooLong { expiration: U48::from(NOW - 30 + 3601), latest };
    assert_refused(&fixture, &authorization, Check::Lifetime, refusal);
}

/// What was signed for ten years is no better in its last hour, and an old decision does not become valid by waiting.
#[test]
fn an_attestation_that_was_signed_for_too_long_is_refused_until_it_expires() {
    let ten_years = 10 * 365 * 86_400;
    let mut fixture = Fixture { expiration: NOW + ten_years, ..Fixture::new() };
    let authorization = fixture.authorization().encode();
    let (expiration, latest) = (U48::from(fixture.expiration), U256::from(fixture.issued_at + 3600));
    for left in [ten_years, 3600, 3599, 1] {
        fixture.context.timestamp = fixture.expiration - left;
        let refusal = Refusal::LifetimeTooLong { expiration, latest };
        assert_refused(&fixture, &authorization, Check::Lifetime, refusal);
    }
}

#[test]
fn refuses_what_was_issued_before_the_clients_floor() {
    let (mut fixture, authorization) = valid();
    let issued_at = U48::from(fixture.issued_at);
    fixture.context.issuance_floor = issued_at;
    assert_eq!(outcome(&fixture.context, &fixture.intent, &authorization), Ok(()));
    for later in [1, 600, 30 * 86_400].map(U48::from) {
        let floor = issued_at + later;
        fixture.context.issuance_floor = floor;
        let refusal = Refusal::AttestationVoided { issuedAt: issued_at, floor };
        assert_refused(&fixture, &authorization, Check::Lifetime, refusal);
    }
    // The lifetime is compared first.
    fixture.policy().maxLifetime = U48::from(1);
    let refusal = Refusal::LifetimeTooLong {
        expiration: U48::from(fixture.expiration),
        latest: U256::from(fixture.issued_at + 1),
    };
    assert_refused(&fixture, &authorization, Check::Lifetime, refusal);
}

#[test]
fn times_of_48_bits_are_compared_without_overflow() {
    let latest = (1 << 48) - 1;
    let mut fixture = Fixture { issued_at: latest - 1, expiration: latest, ..Fixture::new() };
    fixture.policy().maxLifetime = U48::MAX;
    fixture.context.issuance_floor = U48::from(latest - 1);
    fixture.context.timestamp = latest - 1;
    let authorization = fixture.authorization().encode();
    assert_eq!(outcome(&fixture.context, &fixture.intent, &authorization), Ok(()));
    fixture.context.timestamp = u64::MAX;
    let refusal = Refusal::AttestationExpired { expiration: U48::MAX, timestamp: U256::from(u64::MAX) };
    assert_refused(&fixture, &authorization, Check::ValidityPeriod, refusal);
}

#[test]
fn refuses_a_nonce_that_was_used_or_burned() {
    let (mut fixture, authorization) = valid();
    let client = fixture.context.policy_client;
    assert!(fixture.context.spent.spend(Address::repeat_byte(0xee), fixture.nonce), "another client's nonce");
    assert!(fixture.context.spent.spend(client, U256::from(4)), "the same bit of another word");
    assert_eq!(outcome(&fixture.context, &fixture.intent, &authorization), Ok(()));

    let refusal = Refusal::AttestationAlreadySpent { policyClient: client, nonce: U256::from(260) };
    let mut burned = fixture.clone();
    burned.context.spent.burn(client, U256::from(1), U256::from(0x10));
    assert_refused(&burned, &authorization, Check::SingleUse, refusal);
    assert!(fixture.context.spent.spend(client, fixture.nonce));
    assert_refused(&fixture, &authorization, Check::SingleUse, refusal);
}

#[test]
fn refuses_an_epoch_that_is_unknown_or_of_another_set() {
    let (mut fixture, authorization) = valid();
    fixture.context.epochs[0].operator_set = OperatorSetId(6);
    assert_refused(&fixture, &authorization, Check::Epoch, Refusal::UnknownEpoch { epoch: EpochId(9) });
    fixture.context.epochs.clear();
    assert_refused(&fixture, &authorization, Check::Epoch, Refusal::UnknownEpoch { epoch: EpochId(9) });
}

#[test]
fn refuses_an_epoch_from_the_end_of_its_grace_period_on() {
    let (mut fixture, authorization) = valid();
    fixture.context.epochs[0].valid_until = U48::from(NOW + 1);
    assert_eq!(outcome(&fixture.context, &fixture.intent, &authorization), Ok(()));
    for valid_until in [NOW, NOW - 1, 1].map(U48::from) {
        fixture.context.epochs[0].valid_until = valid_until;
        let refusal = Refusal::EpochExpired { epoch: EpochId(9), validUntil: valid_until };
        assert_refused(&fixture, &authorization, Check::Epoch, refusal);
    }
}

#[test]
fn refuses_a_revoked_epoch_by_its_own_name() {
    let (mut fixture, authorization) = valid();
    fixture.context.epochs[0].valid_until = U48::ZERO;
    assert_refused(&fixture, &authorization, Check::Epoch, Refusal::EpochRevoked { epoch: EpochId(9) });
}

#[test]
fn refuses_less_than_the_quorum() {
    let mut fixture = Fixture { absent: vec![1, 4, 6], ..Fixture::new() };
    let authorization = fixture.authorization().encode();
    // 70 · 67 % = 46.9, rounded up.
    let refusal = Refusal::QuorumNotReached { signed: U256::from(40), required: U256::from(47) };
    assert_refused(&fixture, &authorization, Check::Quorum, refusal);
    // Nothing but the quorum was in the way.
    fixture.policy().quorum = 5714;
    assert_eq!(outcome(&fixture.context, &fixture.intent, &authorization), Ok(()));
}

#[test]
fn no_policy_goes_below_half_of_the_weight() {
    let mut fixture = Fixture { absent: vec![0, 1, 2, 3], ..Fixture::new() };
    fixture.policy().quorum = 0;
    let authorization = fixture.authorization().encode();
    let refusal = Refusal::QuorumNotReached { signed: U256::from(30), required: U256::from(36) };
    assert_refused(&fixture, &authorization, Check::Quorum, refusal);
}

#[test]
fn a_quorum_above_the_whole_is_never_reached() {
    let mut fixture = Fixture::with_operators(7);
    fixture.policy().quorum = u16::MAX;
    let authorization = fixture.authorization().encode();
    let refusal = Refusal::QuorumNotReached { signed: U256::from(70), required: U256::from(459) };
    assert_refused(&fixture, &authorization, Check::Quorum, refusal);
}

#[test]
fn refuses_what_is_not_a_signature_point() {
    let (fixture, _) = valid();
    for malformed in malformed_signatures(fixture.document().signature) {
        let authorization = with_signature(fixture.authorization(), malformed).encode();
        assert_refused(&fixture, &authorization, Check::SignatureEncoding, Refusal::MalformedSignature);
    }
}

/// Infinity in both spellings, x + p, flag bits, a point off the curve, and one off the subgroup.
fn malformed_signatures(valid: Signature) -> Vec<Signature> {
    let flagged = [0x80, 0x40, 0x20].map(|flag| {
        let mut bytes = valid.0;
        bytes[0] |= flag;
        bytes
    });
    let mut marked_infinity = [0; 96];
    marked_infinity[0] = 0x40;
    let mut off_curve = valid.0;
    off_curve[95] ^= 1;
    // (0, 2) is on y² = x³ + 4 and of order 3.
    let mut off_subgroup = [0; 96];
    off_subgroup[95] = 2;
    // The modulus itself, as x beside y = 2: congruent to (0, 2).
    let mut not_reduced = off_subgroup;
    not_reduced[..48].copy_from_slice(&fixture_modulus());
    let mut y_not_reduced = [0; 96];
    y_not_reduced[48..].copy_from_slice(&fixture_modulus());
    let others = [[0; 96], [0xff; 96], marked_infinity, off_curve, off_subgroup, not_reduced, y_not_reduced];
    flagged.into_iter().chain(others).map(Signature).collect()
}

/// The base field's modulus (RFC 9380 section 8.8.1).
fn fixture_modulus() -> [u8; 48] {
    let modulus = "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab";
    alloy_primitives::hex::decode_to_array(modulus).unwrap()
}

#[test]
fn refuses_a_signature_of_others_or_of_something_else() {
    let (fixture, _) = valid();
    let someone_more = Fixture { absent: vec![1], ..fixture.clone() };
    let forgeries = [
        fixture.sign(B256::repeat_byte(0xee)),
        someone_more.sign(fixture.document().root()),
        Fixture { secrets: (100..107).map(secret).collect(), ..fixture.clone() }.sign(fixture.document().root()),
    ];
    for signature in forgeries {
        let authorization = with_signature(fixture.authorization(), signature).encode();
        assert_refused(&fixture, &authorization, Check::Signature, Refusal::InvalidSignature);
    }
}

#[test]
fn refuses_altered_attested_fields_that_travel_with_the_call() {
    let (fixture, _) = valid();
    let changes: [fn(&mut assent_verifier::Authorization); 6] = [
        |authorization| authorization.issued_at = U48::from(NOW - 31),
        |authorization| authorization.expiration = U48::from(NOW + 601),
        |authorization| authorization.decision = Decision::Deny,
        |authorization| authorization.evidence = B256::ZERO,
        |authorization| *authorization = with_absent(authorization.clone(), [1, 5]),
        |authorization| authorization.merkle_proof = vec![B256::ZERO].try_into().unwrap(),
    ];
    for change in changes {
        let mut authorization = fixture.authorization();
        change(&mut authorization);
        assert_refused(&fixture, &authorization.encode(), Check::Signature, Refusal::InvalidSignature);
    }
}

#[test]
fn no_signature_verifies_when_the_signers_keys_cancel_out() {
    let mut fixture = Fixture::with_operators(3);
    // The third operator's key is minus the second's, so without the first nothing remains.
    let mut operators = operators(&fixture.secrets);
    let mut negated = blst::min_sig::AggregatePublicKey::from_public_key(&Default::default());
    negated.sub_aggregate(&blst::min_sig::AggregatePublicKey::from_public_key(&fixture.secrets[1].sk_to_pk()));
    operators[2].public_key = encode_key(negated.to_public_key());
    fixture.context.epochs[0].operators = assent_verifier::OperatorSet::new(operators).unwrap();
    fixture.policy().quorum = 5001;

    let authorization = with_absent(fixture.authorization(), [0]);
    assert_refused(&fixture, &authorization.encode(), Check::Signature, Refusal::InvalidSignature);
    // The generator: a valid point, and not infinity.
    let mut one = [0; 32];
    one[31] = 1;
    let one = blst::min_sig::SecretKey::from_bytes(&one).unwrap();
    let signature = Signature(one.sign(b"message", b"tag", &[]).serialize());
    let authorization = with_signature(authorization, signature);
    assert_refused(&fixture, &authorization.encode(), Check::Signature, Refusal::InvalidSignature);
    assert_ne!(public_key(&one), PublicKey::INFINITY);
}

#[test]
fn refuses_what_the_operators_deny() {
    let fixture = Fixture { decision: Decision::Deny, ..Fixture::new() };
    let refusal = Refusal::PolicyDenied { taskId: fixture.attestation().taskId };
    assert_refused(&fixture, &fixture.authorization().encode(), Check::Decision, refusal);
}

#[test]
fn a_trailing_call_is_bound_to_caller_client_value_and_every_byte() {
    let mut fixture = Fixture::new();
    fixture.intent.to = fixture.context.policy_client;
    let calldata = append_trailing(&fixture.intent.data, &fixture.authorization()).unwrap();
    let value = fixture.intent.value;
    let verified = verify_trailing(&fixture.context, value, &calldata).unwrap();
    assert_eq!(*verified.intent(), fixture.intent);

    let actual = fixture.attestation().taskId;
    let is_wrong_task = |result: Result<_, Refusal>| {
        let other = |refusal| matches!(refusal, Refusal::WrongTask { actual: carried, .. } if carried == actual);
        result.err().is_some_and(other)
    };
    assert!(is_wrong_task(verify_trailing(&fixture.context, value + U256::ONE, &calldata)));
    for index in 0..fixture.intent.data.len() {
        let mut altered = calldata.clone();
        altered[index] ^= 1;
        assert!(is_wrong_task(verify_trailing(&fixture.context, value, &altered)), "byte {index}");
    }
    let mut other_caller = fixture.context.clone();
    other_caller.caller = Address::repeat_byte(0xee);
    assert!(is_wrong_task(verify_trailing(&other_caller, value, &calldata)));
    let no_authorization = verify_trailing(&fixture.context, value, &fixture.intent.data);
    assert_eq!(no_authorization, Err(Refusal::MalformedAuthorization));
}

#[test]
fn an_examination_tells_the_outcome_of_each_check_in_order() {
    let (mut fixture, authorization) = valid();
    let call = Call::Explicit { intent: &fixture.intent, authorization: &authorization };
    let examination = assent_verifier::verify_with_report(&fixture.context, call);
    assert!(examination.checks().all(|(_, outcome)| outcome == CheckResult::Passed));
    assert!(examination.checks().map(|(check, _)| check.number()).eq(1..=12));

    fixture.context.epochs.clear();
    let examination = assent_verifier::verify_with_report(&fixture.context, call);
    let outcomes: Vec<_> = examination.checks().map(|(_, outcome)| outcome).collect();
    assert!(outcomes[..7].iter().all(|outcome| *outcome == CheckResult::Passed));
    assert_eq!(outcomes[7], CheckResult::Failed(Refusal::UnknownEpoch { epoch: EpochId(9) }));
    assert!(outcomes[8..].iter().all(|outcome| *outcome == CheckResult::NotReached));
}
