//! No input panics, and none makes the crate allocate more than its documentation says: proportionally to the input's
//! length. What is counted is every byte asked for, also what was given back since.

mod allocator;
mod fixture;

use allocator::allocations;
use alloy_primitives::{Address, B256, U256};
use assent_verifier::{
    Authorization, Call, NonSigners, OperatorSet, Refusal, backend, split_trailing, verify_batch_using,
    verify_proof_of_possession, verify_with_report_using,
};
use fixture::{Fixture, operators, secret, write_tables};
use proptest::{collection::vec, prelude::*, sample::Index};
use std::sync::LazyLock;

/// Of the crate's documentation, "Time and memory": bytes for each byte of input, and for each call or operator set.
const FOR_EACH_BYTE: usize = 16;
const FOR_EACH_UNIT: usize = 256 * 1024;

#[track_caller]
fn assert_bounded<T>(units: usize, input_length: usize, work: impl FnOnce() -> T) {
    let (_, bytes) = allocations(work);
    let bound = FOR_EACH_BYTE * input_length + FOR_EACH_UNIT * units;
    assert!(bytes <= bound, "{bytes} bytes were allocated for {units} units and an input of {input_length}");
}

/// One way to make other bytes out of valid ones.
#[derive(Debug, Clone)]
enum Change {
    Flip(Index, u8),
    Truncate(Index),
    /// A piece, many times over.
    Repeat(Index, Vec<u8>, u16),
    /// A part of the input, put elsewhere as well.
    Copy(Index, Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    let pieces: Vec<&[u8]> = vec![
        b"0",
        b"1,",
        b"[",
        b"{\"",
        b"\\u0041",
        b"\"",
        b"{},",
        b"0x",
        b"-",
        b"1e9,",
        b"\\\"",
        b"[],",
        b"null,",
        b"\xff",
        b" ",
        b"\"0x00\",",
    ];
    let piece = prop_oneof![prop::sample::select(pieces).prop_map(<[u8]>::to_vec), vec(any::<u8>(), 1..8)];
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(place, bits)| Change::Flip(place, bits)),
        any::<Index>().prop_map(Change::Truncate),
        (any::<Index>(), piece, 1..2000u16).prop_map(|(place, piece, times)| Change::Repeat(place, piece, times)),
        any::<[Index; 3]>().prop_map(|[from, to, place]| Change::Copy(from, to, place)),
    ]
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let within = |index: &Index, bytes: &[u8]| index.index(bytes.len() + 1);
        match self {
            Self::Flip(place, bits) => {
                let place = within(place, bytes);
                bytes.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= bits);
            }
            Self::Truncate(length) => bytes.truncate(within(length, bytes)),
            Self::Repeat(place, piece, times) => {
                let place = within(place, bytes);
                bytes.splice(place..place, piece.repeat(usize::from(*times)));
            }
            Self::Copy(from, to, place) => {
                let (from, to, place) = (within(from, bytes), within(to, bytes), within(place, bytes));
                let part = bytes[from.min(to)..from.max(to)].to_vec();
                bytes.splice(place..place, part);
            }
        }
    }
}

/// Random bytes, or one of some valid inputs with changes.
fn input(valid: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changed = (prop::sample::select(valid), vec(change(), 0..4)).prop_map(|(mut bytes, changes)| {
        changes.iter().for_each(|change| change.apply(&mut bytes));
        bytes
    });
    prop_oneof![1 => vec(any::<u8>(), 0..3000), 4 => changed]
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(Fixture::new);

fn authorizations() -> Vec<Vec<u8>> {
    let document = FIXTURE.document_in_batch(&[1, 2, 3].map(B256::with_last_byte), 2);
    let (direct, recorded) = (document.authorization().unwrap(), document.recorded_authorization().unwrap());
    vec![direct.encode(), recorded.encode(), FIXTURE.authorization().encode()]
}

fn tables() -> Vec<Vec<u8>> {
    let head = |count| write_tables(&operators(&(0..count).map(secret).collect::<Vec<_>>()), &[]).remove(0);
    [1, 3, 100].map(head).into()
}

fn verify_everywhere(context: &assent_verifier::Context, call: Call<'_>, length: usize) {
    #[cfg(feature = "arkworks")]
    {
        assert_bounded(1, length, || verify_with_report_using::<backend::arkworks::Arkworks, _>(context, call));
        assert_bounded(2, 2 * length, || verify_batch_using::<backend::arkworks::Arkworks, _>(context, &[call, call]));
    }
    #[cfg(feature = "blst")]
    {
        assert_bounded(1, length, || verify_with_report_using::<backend::blst::Blst, _>(context, call));
        assert_bounded(2, 2 * length, || verify_batch_using::<backend::blst::Blst, _>(context, &[call, call]));
    }
}

#[test]
fn the_valid_inputs_are_within_the_bound() {
    for head in tables() {
        assert_bounded(1, head.len(), || OperatorSet::from_tables::<&[u8]>(&head, &[]).unwrap());
    }
    let authorization = FIXTURE.authorization().encode();
    let call = Call::Explicit { intent: &FIXTURE.intent, authorization: &authorization };
    assert!(verify_with_report_using::<backend::DefaultBackend, _>(&FIXTURE.context, call).into_result().is_ok());
    verify_everywhere(&FIXTURE.context, call, authorization.len());
}

#[test]
fn a_batch_of_forgeries_is_refused_within_the_bound() {
    let fixtures: Vec<_> = (0..8u8)
        .map(|value| {
            let mut fixture = FIXTURE.clone();
            fixture.nonce = U256::from(value);
            let forged = fixture::with_signature(fixture.authorization(), FIXTURE.sign(B256::ZERO)).encode();
            (fixture, forged)
        })
        .collect();
    let calls: Vec<_> = fixtures
        .iter()
        .map(|(fixture, authorization)| Call::Explicit { intent: &fixture.intent, authorization })
        .collect();
    let length = fixtures.iter().map(|(fixture, forged)| fixture.intent.data.len() + forged.len()).sum();
    // Eight are halved three times until each is found.
    let units = calls.len() * (1 + 3);
    let all_forged = |results: &[Result<_, Refusal>]| {
        assert!(results.iter().all(|result| matches!(result, Err(Refusal::InvalidSignature))));
    };
    #[cfg(feature = "arkworks")]
    assert_bounded(units, length, || {
        all_forged(&verify_batch_using::<backend::arkworks::Arkworks, _>(&FIXTURE.context, &calls));
    });
    #[cfg(feature = "blst")]
    assert_bounded(units, length, || {
        all_forged(&verify_batch_using::<backend::blst::Blst, _>(&FIXTURE.context, &calls));
    });
}

#[test]
fn the_largest_set_is_read_within_the_bound() {
    let operators = operators(&(0..2000).map(secret).collect::<Vec<_>>());
    let mut tables = write_tables(&operators, &[Address::ZERO; 19]);
    let head = tables.pop().unwrap();
    let length = head.len() + tables.iter().map(Vec::len).sum::<usize>();
    assert_bounded(tables.len() + 1, length, || OperatorSet::from_tables(&head, &tables).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_parsed_within_the_bound(bytes in input(authorizations())) {
        prop_assert!(allocations(|| Authorization::parse(&bytes)).1 <= bytes.len());
        prop_assert!(allocations(|| NonSigners::from_bytes(&bytes)).1 <= bytes.len());
        assert_bounded(1, bytes.len(), || Refusal::decode(&bytes));
        prop_assert_eq!(allocations(|| split_trailing(&bytes).is_ok()), (0, 0));
    }

    #[test]
    fn any_operator_table_is_read_within_the_bound(head in input(tables())) {
        assert_bounded(1, head.len(), || OperatorSet::earlier_tables(&head));
        assert_bounded(1, head.len(), || OperatorSet::from_tables::<&[u8]>(&head, &[]));
        assert_bounded(3, 2 * head.len(), || OperatorSet::from_tables(&head, &[&head]));
    }

    #[test]
    fn any_authorization_is_verified_within_the_bound(authorization in input(authorizations())) {
        let intent = &FIXTURE.intent;
        let length = authorization.len() + intent.data.len();
        verify_everywhere(&FIXTURE.context, Call::Explicit { intent, authorization: &authorization }, length);
        let call = Call::Trailing { value: U256::ZERO, calldata: &authorization };
        verify_everywhere(&FIXTURE.context, call, authorization.len());
    }
}

#[test]
fn a_proof_of_possession_is_verified_within_the_bound() {
    let operator = &FIXTURE.context.epochs[0].operators.operators()[0];
    let signature = FIXTURE.document().signature;
    assert_bounded(1, 0, || {
        let (chain_id, registry) = (U256::from(1), FIXTURE.context.task_manager);
        verify_proof_of_possession(operator.address, &operator.public_key, &signature, chain_id, registry)
    });
}

#[cfg(feature = "serde")]
mod json {
    use super::*;
    use assent_verifier::{AttestationDocument, Context, Epoch, Intent, Policy};
    use serde::{Serialize, de::DeserializeOwned};

    fn documents() -> Vec<Vec<u8>> {
        let mut fixture = FIXTURE.clone();
        let document = fixture.document();
        fixture.record(&document, 50);
        assert!(fixture.context.spent.spend(fixture.context.policy_client, U256::from(1)));
        fn written(document: &impl Serialize) -> Vec<u8> {
            serde_json::to_vec(document).unwrap()
        }
        vec![
            written(&fixture.intent),
            written(&fixture.context.policy),
            written(&fixture.authorization()),
            written(&document),
            written(&fixture.context.epochs[0]),
            written(&fixture.context),
        ]
    }

    /// Of however many epochs the input may have.
    fn assert_bounded_as<T: DeserializeOwned>(input: &[u8]) {
        let key = b"\"operators\"";
        let sets = input.windows(key.len()).filter(|window| window == key).count();
        assert_bounded(sets.max(1), input.len(), || serde_json::from_slice::<T>(input));
    }

    fn assert_bounded_as_all(input: &[u8]) {
        assert_bounded_as::<Intent>(input);
        assert_bounded_as::<Policy>(input);
        assert_bounded_as::<Authorization>(input);
        assert_bounded_as::<AttestationDocument>(input);
        assert_bounded_as::<Epoch>(input);
        assert_bounded_as::<Context>(input);
    }

    #[test]
    fn a_context_of_many_epochs_is_read_within_the_bound() {
        let mut context = Fixture::with_operators(1).context;
        context.epochs = vec![context.epochs[0].clone(); 50];
        let written = serde_json::to_vec(&context).unwrap();
        assert!(serde_json::from_slice::<Context>(&written).is_ok());
        assert_bounded_as::<Context>(&written);
    }

    #[test]
    fn lists_of_the_shortest_elements_are_read_within_the_bound() {
        let with = |field: &str, value: &str| {
            let mut document = serde_json::to_value(FIXTURE.document()).unwrap();
            document[field] = serde_json::from_str(value).unwrap();
            serde_json::to_vec(&document).unwrap()
        };
        let list = |element: &str| format!("[{}{element}]", format!("{element},").repeat(100_000));
        for field in ["nonSigners", "merkleProof", "signature", "chainId", "attestation"] {
            for element in ["0", "\"\"", "[]", "{}", "null"] {
                assert_bounded_as_all(&with(field, &list(element)));
            }
        }
        let text = format!("\"0x{}\"", "0".repeat(1_000_000));
        for field in ["merkleProof", "signature", "chainId", "epoch"] {
            assert_bounded_as_all(&with(field, &text));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

        #[test]
        fn any_json_is_read_within_the_bound(input in input(documents())) {
            assert_bounded_as_all(&input);
        }
    }
}
