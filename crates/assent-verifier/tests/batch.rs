//! A batch gives for each call what verification by itself gives, in every backend and on any number of threads.

mod fixture;

use alloy_primitives::{
    B256, U256,
    aliases::{U48, U96, U384},
};
use assent_verifier::{
    Authorization, Call, Context, Decision, Epoch, EpochId, OperatorSet, OperatorSetId, QuorumProof, RecordedRoot,
    Refusal, Signature, VerifiedAttestation, append_trailing,
    backend::{self, Backend},
    verify_batch, verify_batch_using, verify_each_using, verify_with_report_using,
};
#[cfg(feature = "rayon")]
use assent_verifier::{par_verify_batch, par_verify_batch_using};
use blst::min_sig::{AggregatePublicKey, AggregateSignature};
use fixture::{EPOCH_END, Fixture, NOW, encode_key, operators, secret, signature, with_absent, with_signature};
use proptest::prelude::*;
use std::sync::LazyLock;

type Results = Vec<Result<VerifiedAttestation, Refusal>>;

/// The results of the batch, which are those of each call by itself.
#[track_caller]
fn verified(context: &Context, calls: &[Call<'_>]) -> Results {
    let results = verify_batch(context, calls);
    #[cfg(feature = "arkworks")]
    assert_same::<backend::arkworks::Arkworks>(context, calls, &results);
    #[cfg(feature = "blst")]
    assert_same::<backend::blst::Blst>(context, calls, &results);
    results
}

#[track_caller]
fn assert_same<B: Backend>(context: &Context, calls: &[Call<'_>], results: &Results) {
    let one_by_one: Results =
        calls.iter().map(|call| verify_with_report_using::<B, _>(context, *call).into_result()).collect();
    assert_eq!(*results, one_by_one, "{}", B::NAME);
    assert_eq!(verify_batch_using::<B, _>(context, calls), one_by_one, "{}", B::NAME);
    let each = calls.iter().map(|call| (context, *call));
    assert_eq!(verify_each_using::<B, _>(each), one_by_one, "{}", B::NAME);
    #[cfg(feature = "rayon")]
    assert_eq!(par_verify_batch_using::<B, _>(context, calls), one_by_one, "{}", B::NAME);
}

/// A context with two epochs, and authorizations of one intent, all valid in it: of both epochs, by different signers,
/// single and in a tree.
struct World {
    fixture: Fixture,
    valid: Vec<Authorization>,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let mut fixture = Fixture::with_operators(7);
    let newer = Fixture { secrets: (50..56).map(secret).collect(), epoch: EpochId(10), ..fixture.clone() };
    fixture.context.epochs.push(Epoch {
        number: EpochId(10),
        operator_set: OperatorSetId(5),
        valid_until: U48::MAX,
        operators: OperatorSet::new(operators(&newer.secrets)).unwrap(),
    });
    let absent = [vec![], vec![1], vec![2, 6], vec![0], vec![], vec![3, 4]];
    let documents = (0u64..24).zip(absent.iter().cycle()).map(|(nonce, absent)| {
        let signers = if nonce % 3 == 2 { &newer } else { &fixture };
        let absent = absent.iter().copied().filter(|_| nonce % 3 != 2).collect();
        let signers = Fixture { nonce: U256::from(nonce), absent, ..signers.clone() };
        let others = [B256::with_last_byte(1), B256::with_last_byte(2)];
        signers.document_in_batch(&others[..usize::from(nonce % 4 == 0)], 0)
    });
    let documents: Vec<_> = documents.collect();
    for (place, document) in documents.iter().enumerate().filter(|(place, _)| place % 6 != 5) {
        // 47 of 70, and 41 of 60, are required.
        let (signed, total) =
            if document.epoch == EpochId(10) { (41, 60) } else { (47 - u64::from(place % 6 == 4), 70) };
        let recorded = RecordedRoot {
            signed_weight: U96::from(signed),
            total_weight: U96::from(total),
            epoch_end: U48::from(EPOCH_END),
        };
        fixture.context.recorded_roots.record(document.epoch, document.root(), recorded);
    }
    World { valid: documents.iter().map(|document| document.authorization().unwrap()).collect(), fixture }
});

impl World {
    /// Calls with some of the valid authorizations, changed.
    fn verify(&self, authorizations: &[Authorization]) -> Results {
        let encoded: Vec<_> = authorizations.iter().map(Authorization::encode).collect();
        verified(&self.fixture.context, &self.calls(&encoded))
    }

    fn calls<'a>(&'a self, encoded: &'a [Vec<u8>]) -> Vec<Call<'a>> {
        let intent = &self.fixture.intent;
        encoded.iter().map(|authorization| Call::Explicit { intent, authorization }).collect()
    }

    /// Refuses those named with this refusal, and nothing else.
    #[track_caller]
    fn assert_refused(&self, authorizations: &[Authorization], places: &[usize], refusal: Refusal) {
        for (place, result) in self.verify(authorizations).into_iter().enumerate() {
            assert_eq!(result.err(), places.contains(&place).then_some(refusal), "{place}");
        }
    }
}

/// The same authorization, said to be under a recorded root.
fn recorded(authorization: &Authorization) -> Authorization {
    Authorization { quorum_proof: QuorumProof::Recorded, ..authorization.clone() }
}

/// A signature that is a point of the subgroup, but of something else.
fn other_signature(seed: u8) -> Signature {
    Signature(secret(99).sign(&[seed], b"another tag", &[]).serialize())
}

/// Adds a point to an authorization's signature.
fn add(authorization: &mut Authorization, shift: &Signature) {
    let signature = signature(authorization);
    let mut shifted = point(signature);
    shifted.add_aggregate(&point(shift));
    *signature = Signature(shifted.to_signature().serialize());
}

fn point(signature: &Signature) -> AggregateSignature {
    AggregateSignature::from_signature(&blst::min_sig::Signature::deserialize(&signature.0).unwrap())
}

/// The same x, and y subtracted from the field's modulus (draft-irtf-cfrg-pairing-friendly-curves, section 4.2.1).
fn negated(signature: &Signature) -> Signature {
    let modulus = "0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab";
    let y = modulus.parse::<U384>().unwrap() - U384::from_be_slice(&signature.0[48..]);
    let mut bytes = signature.0;
    bytes[48..].copy_from_slice(&y.to_be_bytes::<48>());
    Signature(bytes)
}

/// A point of the curve outside the subgroup: blst decompresses without looking.
fn outside_the_subgroup() -> Signature {
    let compressed = |x| {
        let mut bytes = [0; 48];
        (bytes[0], bytes[47]) = (0x80, x);
        bytes
    };
    let points = (1..40).filter_map(|x| blst::min_sig::Signature::uncompress(&compressed(x)).ok());
    let outside = |point: &blst::min_sig::Signature| point.validate(true).is_err();
    Signature(points.into_iter().find(outside).expect("most points are outside").serialize())
}

#[test]
fn an_empty_batch_has_no_results() {
    assert_eq!(WORLD.verify(&[]), []);
}

#[test]
fn accepts_valid_calls_of_several_epochs_and_signers_and_says_what_they_were() {
    let results = WORLD.verify(&WORLD.valid);
    assert_eq!(results.len(), 24);
    for (result, authorization) in results.iter().zip(&WORLD.valid) {
        let verified = result.as_ref().unwrap();
        assert_eq!((verified.nonce(), verified.epoch()), (authorization.nonce, authorization.epoch));
    }
}

/// Enough calls that several threads share a sum.
#[cfg(feature = "rayon")]
#[test]
fn gives_the_same_on_any_number_of_threads() {
    let fixture = Fixture::with_operators(1);
    let numbered = |nonce| Fixture { nonce: U256::from(nonce), ..fixture.clone() }.authorization();
    let mut authorizations: Vec<_> = (0u64..100).map(numbered).collect();
    *signature(&mut authorizations[80]) = other_signature(6);
    let encoded: Vec<_> = authorizations.iter().map(Authorization::encode).collect();
    let world = World { fixture, valid: vec![] };
    let (context, calls) = (&world.fixture.context, world.calls(&encoded));
    let results = verify_batch(context, &calls);
    assert!(results.iter().enumerate().all(|(place, result)| result.is_err() == (place == 80)));
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            #[cfg(feature = "arkworks")]
            assert_eq!(par_verify_batch_using::<backend::arkworks::Arkworks, _>(context, &calls), results, "{threads}");
            #[cfg(feature = "blst")]
            assert_eq!(par_verify_batch_using::<backend::blst::Blst, _>(context, &calls), results, "{threads}");
            assert_eq!(par_verify_batch(context, &calls), results, "{threads}");
        });
    }
}

#[test]
fn takes_explicit_and_trailing_calls_together() {
    let mut fixture = Fixture::new();
    fixture.intent.to = fixture.context.policy_client;
    let authorization = fixture.authorization();
    let calldata = append_trailing(&fixture.intent.data, &authorization).unwrap();
    let (explicit, value) = (authorization.encode(), fixture.intent.value);
    let calls = [
        Call::Explicit { intent: &fixture.intent, authorization: &explicit },
        Call::Trailing { value, calldata: &calldata },
        Call::Trailing { value, calldata: &calldata[..3] },
    ];
    let results = verified(&fixture.context, &calls);
    assert!(results[0].is_ok() && results[0] == results[1]);
    assert_eq!(results[2], Err(Refusal::MalformedAuthorization));
}

#[test]
fn passes_the_same_call_twice_since_nothing_is_spent() {
    let results = WORLD.verify(&[WORLD.valid[3].clone(), WORLD.valid[4].clone(), WORLD.valid[3].clone()]);
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(results[0], results[2]);
}

#[test]
fn names_every_call_under_one_root_whose_signature_is_bad() {
    let forged = |place: usize| with_signature(WORLD.valid[place].clone(), other_signature(1));
    let authorizations = [forged(0), WORLD.valid[0].clone(), forged(0), forged(1), WORLD.valid[1].clone()];
    WORLD.assert_refused(&authorizations, &[0, 2, 3], Refusal::InvalidSignature);
}

#[test]
fn decides_calls_under_recorded_roots_among_calls_with_signatures() {
    let mut authorizations: Vec<_> = WORLD.valid[..6].iter().map(recorded).collect();
    authorizations.extend_from_slice(&WORLD.valid[..2]);
    *signature(&mut authorizations[6]) = other_signature(1);
    let results = WORLD.verify(&authorizations);
    assert!(results[..4].iter().all(Result::is_ok));
    assert_eq!(results[4], Err(Refusal::QuorumNotReached { signed: U256::from(46), required: U256::from(47) }));
    assert!(matches!(results[5], Err(Refusal::RootNotRecorded { epoch: EpochId(10), .. })));
    assert_eq!(results[6], Err(Refusal::InvalidSignature));
    assert!(results[7].is_ok());
}

#[test]
fn refuses_two_forgeries_that_cancel_out() {
    // The sum of both signatures is that of two valid ones; so is the sum of both equations.
    let forge = |one: usize, other: usize| {
        let mut authorizations = WORLD.valid.clone();
        add(&mut authorizations[one], &other_signature(2));
        add(&mut authorizations[other], &negated(&other_signature(2)));
        authorizations
    };
    // Of one set of signers, of two, of two epochs.
    for (one, other) in [(0, 4), (0, 1), (1, 2)] {
        WORLD.assert_refused(&forge(one, other), &[one, other], Refusal::InvalidSignature);
        let two = [one, other].map(|place| forge(one, other)[place].clone());
        WORLD.assert_refused(&two, &[0, 1], Refusal::InvalidSignature);
    }
}

#[test]
fn refuses_signatures_that_were_exchanged() {
    let mut authorizations = WORLD.valid.clone();
    let (one, rest) = authorizations.split_at_mut(12);
    std::mem::swap(signature(&mut one[0]), signature(&mut rest[0]));
    WORLD.assert_refused(&authorizations, &[0, 12], Refusal::InvalidSignature);
}

#[test]
fn refuses_signatures_outside_the_subgroup() {
    let mut authorizations = WORLD.valid.clone();
    *signature(&mut authorizations[5]) = outside_the_subgroup();
    // These two add up to the sum of the valid ones.
    for (place, shift) in [(8, outside_the_subgroup()), (9, negated(&outside_the_subgroup()))] {
        add(&mut authorizations[place], &shift);
    }
    *signature(&mut authorizations[11]) = Signature([0; 96]);
    WORLD.assert_refused(&authorizations, &[5, 8, 9, 11], Refusal::MalformedSignature);
}

#[test]
fn tells_a_bad_signature_before_a_denial() {
    let deny = |nonce, signature: Option<Signature>| {
        let fixture = WORLD.fixture.clone();
        let denial = Fixture { decision: Decision::Deny, nonce: U256::from(nonce), ..fixture }.authorization();
        signature.map_or(denial.clone(), |signature| with_signature(denial, signature))
    };
    let (denied, forged) = (deny(100u64, None), deny(101, Some(other_signature(3))));
    let results = WORLD.verify(&[WORLD.valid[0].clone(), denied.clone(), forged]);
    assert!(results[0].is_ok());
    assert_eq!(results[1], Err(Refusal::PolicyDenied { taskId: denied.task_id }));
    assert_eq!(results[2], Err(Refusal::InvalidSignature));
}

#[test]
fn refuses_calls_whose_signers_keys_cancel_out_and_no_others() {
    let mut fixture = Fixture::with_operators(3);
    let mut set = operators(&fixture.secrets);
    let mut negated = AggregatePublicKey::from_public_key(&Default::default());
    negated.sub_aggregate(&AggregatePublicKey::from_public_key(&fixture.secrets[1].sk_to_pk()));
    set[2].public_key = encode_key(negated.to_public_key());
    fixture.context.epochs[0].operators = OperatorSet::new(set).unwrap();
    fixture.context.policy.as_mut().unwrap().quorum = 5001;

    // What all sign together is what the first signs, since the others cancel out.
    let first_alone = Fixture { secrets: vec![fixture.secrets[0].clone()], ..fixture.clone() };
    let good = first_alone.authorization();
    let no_signer = with_absent(good.clone(), [0]);
    let encoded = [good.encode(), no_signer.encode(), good.encode()];
    let intent = &fixture.intent;
    let calls = encoded.each_ref().map(|authorization| Call::Explicit { intent, authorization });
    let refusals: Vec<_> = verified(&fixture.context, &calls).into_iter().map(Result::err).collect();
    assert_eq!(refusals, [None, Some(Refusal::InvalidSignature), None]);
    let refusals: Vec<_> = verified(&fixture.context, &[calls[1]; 3]).into_iter().map(Result::err).collect();
    assert_eq!(refusals, [Some(Refusal::InvalidSignature); 3]);
}

#[test]
fn decides_alike_by_sets_of_signers_and_by_absent_operators() {
    // Each operator but two signs, in every combination: more sets of signers than operators.
    let fixture = Fixture::with_operators(9);
    let pairs = (0u16..9).flat_map(|one| (0..one).map(move |other| vec![one, other]));
    let mut authorizations: Vec<_> = (0u64..)
        .zip(pairs)
        .map(|(nonce, absent)| Fixture { absent, nonce: U256::from(nonce), ..fixture.clone() }.authorization())
        .collect();
    let world = World { fixture, valid: vec![] };
    world.assert_refused(&authorizations, &[], Refusal::InvalidSignature);
    *signature(&mut authorizations[20]) = other_signature(4);
    authorizations[33] = with_absent(authorizations[33].clone(), [8, 6]);
    world.assert_refused(&authorizations, &[20, 33], Refusal::InvalidSignature);
}

/// What is done to a valid authorization.
#[derive(Debug, Clone, Copy)]
enum Change {
    OtherSignature,
    SignatureByte(usize),
    NegatedSignature,
    OutsideTheSubgroup,
    NonSigners(u16),
    Epoch(u32),
    Expiration(u64),
    Nonce,
    Decision,
    Evidence,
}

impl Change {
    fn apply(self, authorization: &mut Authorization) {
        match self {
            Self::OtherSignature => *signature(authorization) = other_signature(5),
            Self::SignatureByte(byte) => signature(authorization).0[byte] ^= 1,
            Self::NegatedSignature => *signature(authorization) = negated(signature(authorization)),
            Self::OutsideTheSubgroup => *signature(authorization) = outside_the_subgroup(),
            Self::NonSigners(place) => *authorization = with_absent(authorization.clone(), [place]),
            Self::Epoch(epoch) => authorization.epoch = EpochId(epoch),
            Self::Expiration(expiration) => authorization.expiration = U48::from(expiration),
            Self::Nonce => authorization.nonce += U256::from(1),
            Self::Decision => authorization.decision = Decision::Deny,
            Self::Evidence => authorization.evidence = B256::ZERO,
        }
    }
}

fn any_change() -> impl Strategy<Value = Option<Change>> {
    prop_oneof![
        6 => Just(None),
        2 => Just(Some(Change::OtherSignature)),
        1 => (0..96usize).prop_map(|byte| Some(Change::SignatureByte(byte))),
        1 => Just(Some(Change::NegatedSignature)),
        1 => Just(Some(Change::OutsideTheSubgroup)),
        1 => (0..9u16).prop_map(|place| Some(Change::NonSigners(place))),
        1 => (9..12u32).prop_map(|epoch| Some(Change::Epoch(epoch))),
        1 => (NOW - 1..NOW + 2).prop_map(|expiration| Some(Change::Expiration(expiration))),
        1 => Just(Some(Change::Nonce)),
        1 => Just(Some(Change::Decision)),
        1 => Just(Some(Change::Evidence)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_batch_gives_what_verification_of_each_gives(chosen in prop::collection::vec(
        (0..24usize, any_change(), prop::bool::weighted(0.25)), 0..14,
    )) {
        let authorizations: Vec<_> = chosen
            .into_iter()
            .map(|(place, change, recorded)| {
                let mut authorization = WORLD.valid[place].clone();
                change.into_iter().for_each(|change| change.apply(&mut authorization));
                if recorded { self::recorded(&authorization) } else { authorization }
            })
            .collect();
        WORLD.verify(&authorizations);
    }

    #[test]
    fn bisection_names_exactly_the_bad_ones(bad: [bool; 13]) {
        let mut authorizations = WORLD.valid[..bad.len()].to_vec();
        let places: Vec<_> = (0..bad.len()).filter(|place| bad[*place]).collect();
        places.iter().for_each(|place| Change::OtherSignature.apply(&mut authorizations[*place]));
        WORLD.assert_refused(&authorizations, &places, Refusal::InvalidSignature);
    }
}
