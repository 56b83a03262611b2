//! Aggregation: sound partial signatures of any operators make a signature that verifies, and each bad one is named.

use std::sync::LazyLock;

use alloy_primitives::{
    Address, B256, U256,
    aliases::{U48, U96},
    keccak256, uint,
};
use assent_signer::{
    Aggregate, AggregationError, AttestationBatch, DocumentError, PartialSignature, RejectedPartial, Rejection,
    SecretKey, aggregate,
};
use assent_verifier::backend::{Backend, arkworks::Arkworks, blst::Blst};
use assent_verifier::digest::{SIGNATURE_TAG, intent_hash, task_id};
use assent_verifier::{
    Attestation, AttestationDocument, Call, Context, Epoch, EpochId, Intent, NonSigners, Operator, OperatorSet,
    OperatorSetId, Policy, RecordedRoots, Refusal, SpentNonces, verify_with_report_using,
};
use blst::min_sig;
use proptest::prelude::*;

const ORDER: U256 = uint!(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001_U256);
const CHAIN: U256 = uint!(1_U256);
const TASK_MANAGER: Address = Address::repeat_byte(0x77);
const CLIENT: Address = Address::repeat_byte(0x55);
const POLICY: B256 = B256::repeat_byte(0x66);
const EPOCH: EpochId = EpochId(3);
const NOW: u64 = 1_800_000_000;
const MOST_OPERATORS: usize = 20;

static KEYS: LazyLock<Vec<SecretKey>> =
    LazyLock::new(|| (1..=20).map(|seed| SecretKey::from_key_material(&[seed; 32]).unwrap()).collect());

fn address(index: usize) -> Address {
    Address::with_last_byte(u8::try_from(index + 1).unwrap())
}

/// Operator `i` has the weight 100 + i, so that two sets of signers of one size differ in weight.
fn weight(index: usize) -> U96 {
    U96::from(100 + index)
}

fn epoch_of<'a>(keys: impl IntoIterator<Item = &'a SecretKey>) -> Epoch {
    let operators = keys
        .into_iter()
        .enumerate()
        .map(|(index, key)| Operator { address: address(index), public_key: key.public_key(), weight: weight(index) })
        .collect();
    let operators = OperatorSet::new(operators).unwrap();
    Epoch { number: EPOCH, operator_set: OperatorSetId(1), valid_until: U48::MAX, operators }
}

fn epoch(size: usize) -> Epoch {
    epoch_of(&KEYS[..size])
}

fn partial(index: usize, root: B256) -> PartialSignature {
    PartialSignature::new(address(index), KEYS[index].sign_root(root))
}

fn rejected(index: usize, operator: Address, reason: Rejection) -> RejectedPartial {
    RejectedPartial { index, operator, reason }
}

fn root() -> B256 {
    keccak256("root")
}

/// Whether the aggregate verifies under the keys of those who signed, in both backends.
fn verifies(epoch: &Epoch, aggregate: &Aggregate) -> bool {
    fn verifies_in<B: Backend>(epoch: &Epoch, aggregate: &Aggregate) -> bool {
        let absent = aggregate.non_signers.indices().map(|index| &epoch.operators.operators()[usize::from(index)]);
        let key = B::without(epoch.operators.aggregate_key(), absent.map(|operator| &operator.public_key)).unwrap();
        let signature = B::decode_signature(&aggregate.signature).unwrap();
        B::verify(aggregate.root.as_slice(), SIGNATURE_TAG, &signature, &key)
    }
    let by_blst = verifies_in::<Blst>(epoch, aggregate);
    assert_eq!(by_blst, verifies_in::<Arkworks>(epoch, aggregate));
    by_blst
}

fn batch(size: u64) -> AttestationBatch {
    let attestations = (0..size).map(|nonce| {
        let intent =
            Intent { from: TASK_MANAGER, to: CLIENT, value: U256::ZERO, data: vec![7; 68].into(), chainId: CHAIN };
        let nonce = U256::from(nonce);
        Attestation {
            taskId: task_id(CHAIN, TASK_MANAGER, CLIENT, POLICY, intent_hash(&intent), nonce),
            policyId: POLICY,
            policyClient: CLIENT,
            nonce,
            issuedAt: U48::from(NOW),
            expiration: U48::from(NOW + 60),
            decision: 1,
            evidence: keccak256("evidence"),
            intent,
        }
    });
    AttestationBatch::new(attestations.collect(), CHAIN, TASK_MANAGER).unwrap()
}

/// What the verifier says of the document's authorization; the same in both backends.
fn verdict(epoch: &Epoch, document: &AttestationDocument) -> Result<U96, Refusal> {
    let context = Context {
        chain_id: CHAIN,
        task_manager: TASK_MANAGER,
        policy_client: CLIENT,
        policy: Some(Policy { policyId: POLICY, operatorSet: 1, quorum: 6_700, maxLifetime: U48::from(3_600) }),
        issuance_floor: U48::ZERO,
        caller: document.attestation.intent.from,
        timestamp: NOW,
        epochs: vec![epoch.clone()],
        recorded_roots: RecordedRoots::default(),
        spent: SpentNonces::default(),
    };
    let authorization = document.authorization().unwrap().encode();
    let call = Call::Explicit { intent: &document.attestation.intent, authorization: &authorization };
    let by_blst = verify_with_report_using::<Blst, _>(&context, call).into_result();
    assert_eq!(by_blst, verify_with_report_using::<Arkworks, _>(&context, call).into_result());
    by_blst.map(|verified| verified.signed_weight())
}

fn some_of(most: usize) -> impl Strategy<Value = (usize, Vec<usize>)> {
    (1..=most).prop_flat_map(|size| {
        let signers = proptest::sample::subsequence((0..size).collect::<Vec<_>>(), 1..=size);
        (Just(size), signers.prop_shuffle())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_operators_signatures_aggregate_to_one_that_verifies(
        (size, signers) in some_of(MOST_OPERATORS),
        batch_size in 1_u64..6,
    ) {
        let (epoch, batch) = (epoch(size), batch(batch_size));
        let partials: Vec<_> = signers.iter().map(|&signer| partial(signer, batch.root())).collect();
        let aggregate = aggregate(&epoch, batch.root(), &partials).unwrap();

        prop_assert!(verifies(&epoch, &aggregate));
        prop_assert!(aggregate.rejected.is_empty());
        let signed = signers.iter().map(|&signer| weight(signer)).sum();
        prop_assert_eq!(aggregate.signed_weight, signed);
        let absent: Vec<_> = (0..size).filter(|index| !signers.contains(index)).collect();
        prop_assert!(aggregate.non_signers.indices().map(usize::from).eq(absent));

        let required = epoch.operators.required_weight(6_700);
        let expected = if U256::from(signed) >= required {
            Ok(signed)
        } else {
            Err(Refusal::QuorumNotReached { signed: U256::from(signed), required })
        };
        for place in 0..batch.attestations().len() {
            prop_assert_eq!(verdict(&epoch, &aggregate.document(&batch, place).unwrap()), expected);
        }
    }

    #[test]
    fn one_bad_partial_among_many_is_named_and_left_out(
        (size, signers) in some_of(MOST_OPERATORS),
        bad in any::<prop::sample::Index>(),
        kind in 0_usize..BAD.len(),
    ) {
        let epoch = epoch(size);
        let mut partials: Vec<_> = signers.iter().map(|&signer| partial(signer, root())).collect();
        let place = bad.index(partials.len());
        let (make, reason) = BAD[kind];
        let operator = partials[place].operator;
        partials[place].signature = make(signers[place]).into();

        let expected = vec![rejected(place, operator, reason)];
        match aggregate(&epoch, root(), &partials) {
            Ok(aggregate) => {
                prop_assert_eq!(&aggregate.rejected, &expected);
                prop_assert_eq!(aggregate.non_signers.count(), size - signers.len() + 1);
                prop_assert!(verifies(&epoch, &aggregate));
            }
            Err(error) => {
                prop_assert_eq!(signers.len(), 1);
                prop_assert_eq!(error, AggregationError::NothingToAggregate(expected));
            }
        }
    }
}

type Spoil = fn(usize) -> Vec<u8>;

/// Ways to spoil the signature of operator `i`, and what each is found to be.
const BAD: [(Spoil, Rejection); 9] = [
    (|index| bytes(index, keccak256("another root")), Rejection::WrongSignature),
    (|index| bytes((index + 1) % MOST_OPERATORS, root()), Rejection::WrongSignature),
    (|_| vec![], Rejection::Malformed),
    (|index| [bytes(index, root()), vec![0]].concat(), Rejection::Malformed),
    (|_| vec![0; 96], Rejection::Malformed),
    // Infinity as blst would write it.
    (|_| [vec![0x40], vec![0; 95]].concat(), Rejection::Malformed),
    // (0, 2) is on the curve y² = x³ + 4 and has order 3: outside the prime-order subgroup.
    (|_| [vec![0; 95], vec![2]].concat(), Rejection::Malformed),
    // Off the curve.
    (|_| [vec![0; 95], vec![3]].concat(), Rejection::Malformed),
    // The right signature in the compressed form.
    (|index| min_sig::Signature::from_bytes(&bytes(index, root())).unwrap().compress().to_vec(), Rejection::Malformed),
];

fn bytes(index: usize, root: B256) -> Vec<u8> {
    KEYS[index].sign_root(root).as_ref().to_vec()
}

#[test]
fn names_every_bad_partial_at_once() {
    let stranger = Address::repeat_byte(0xee);
    let partials = [
        PartialSignature::new(stranger, KEYS[0].sign_root(root())),
        partial(0, root()),
        PartialSignature::new(address(1), [0xff; 96]),
        partial(2, root()),
        partial(2, root()),
        PartialSignature::new(address(3), KEYS[4].sign_root(root())),
    ];
    let aggregate = aggregate(&epoch(5), root(), &partials).unwrap();
    assert_eq!(
        aggregate.rejected,
        [
            rejected(0, stranger, Rejection::UnknownOperator),
            rejected(2, address(1), Rejection::Malformed),
            rejected(4, address(2), Rejection::Duplicate),
            rejected(5, address(3), Rejection::WrongSignature),
        ]
    );
    assert_eq!(aggregate.non_signers, NonSigners::from_indices([1, 3, 4]).unwrap());
    assert_eq!(aggregate.signed_weight, weight(0) + weight(2));
    assert!(verifies(&epoch(5), &aggregate));
}

#[test]
fn keeps_a_good_partial_behind_bad_ones_in_the_same_name() {
    let partials = [
        PartialSignature::new(address(1), [0xff; 96]),
        PartialSignature::new(address(1), KEYS[2].sign_root(root())),
        partial(0, root()),
        partial(1, root()),
        partial(1, root()),
    ];
    let aggregate = aggregate(&epoch(2), root(), &partials).unwrap();
    assert_eq!(aggregate.non_signers, NonSigners::NONE);
    assert_eq!(
        aggregate.rejected,
        [
            rejected(0, address(1), Rejection::Malformed),
            rejected(1, address(1), Rejection::WrongSignature),
            rejected(4, address(1), Rejection::Duplicate),
        ]
    );
    assert!(verifies(&epoch(2), &aggregate));
}

#[test]
fn accepts_partials_that_are_right_only_in_sum() {
    let shifted = |key: &SecretKey, by: U256| {
        let sum = U256::from_be_bytes(*key.to_bytes()).add_mod(by, ORDER);
        SecretKey::from_bytes(&sum.to_be_bytes()).unwrap()
    };
    let by = U256::from(12_345);
    let partials = [
        PartialSignature::new(address(0), shifted(&KEYS[0], by).sign_root(root())),
        PartialSignature::new(address(1), shifted(&KEYS[1], ORDER - by).sign_root(root())),
        partial(2, root()),
    ];
    let sum = aggregate(&epoch(3), root(), &partials).unwrap();
    assert!(sum.rejected.is_empty());
    assert!(verifies(&epoch(3), &sum));
    // One of the two by itself is worth nothing.
    let single = aggregate(&epoch(3), root(), &partials[1..]).unwrap();
    assert_eq!(single.rejected, [rejected(0, address(1), Rejection::WrongSignature)]);
}

#[test]
fn never_gives_out_infinity() {
    let opposite = SecretKey::from_bytes(&(ORDER - U256::from_be_bytes(*KEYS[0].to_bytes())).to_be_bytes()).unwrap();
    let epoch = epoch_of([&KEYS[0], &opposite, &KEYS[2]]);
    let partials =
        [partial(0, root()), PartialSignature::new(address(1), opposite.sign_root(root())), partial(2, root())];
    assert_eq!(aggregate(&epoch, root(), &partials[..2]), Err(AggregationError::Infinity));
    // Two who sign different roots with opposite keys do not cancel out, and are found.
    let other_root = PartialSignature::new(address(1), opposite.sign_root(keccak256("another root")));
    let found = aggregate(&epoch, root(), &[partials[0].clone(), other_root]).unwrap();
    assert_eq!(found.rejected, [rejected(1, address(1), Rejection::WrongSignature)]);
    // With a third signer the sum is a signature again.
    assert!(verifies(&epoch, &aggregate(&epoch, root(), &partials).unwrap()));
}

#[test]
fn refuses_to_make_something_of_nothing() {
    assert_eq!(aggregate(&epoch(3), root(), &[]), Err(AggregationError::NothingToAggregate(vec![])));
    let error = aggregate(&epoch(3), root(), &[PartialSignature::new(address(0), [])]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no partial signature is valid: \
         partial signature 0 of 0x0000000000000000000000000000000000000001: malformed signature"
    );
}

#[test]
fn gives_documents_only_for_what_was_signed() {
    let (signed, other) = (batch(2), batch(3));
    let aggregate = aggregate(&epoch(1), signed.root(), &[partial(0, signed.root())]).unwrap();
    assert!(aggregate.document(&signed, 1).is_ok());
    assert_eq!(aggregate.document(&signed, 2), Err(DocumentError::NoSuchAttestation(2)));
    assert_eq!(
        aggregate.document(&other, 0),
        Err(DocumentError::WrongRoot { signed: signed.root(), root: other.root() })
    );
}
