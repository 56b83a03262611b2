//! What people and programs read: names, numbers and sentences.

mod fixture;

use alloy_primitives::{Address, B256, FixedBytes, U256, aliases::U48, keccak256};
use assent_verifier::{Check, Difference, EpochId, PublicKey, Refusal, Signature};
use fixture::Fixture;

#[test]
fn every_check_has_its_name_and_the_protocols_number() {
    let names = Check::ALL.map(|check| check.to_string());
    let first =
        ["policy set", "authorization parses", "chain and sender", "task", "validity period", "lifetime, not voided"];
    let last = ["not spent", "epoch in force", "quorum", "signature encoding", "signature", "decision"];
    assert_eq!(names.as_slice(), [first, last].concat());
    assert!((1..=12).eq(Check::ALL.map(Check::number)));
}

#[test]
fn points_are_written_and_read_in_hex() {
    let (signature, key) = (Signature([0x0a; 96]), PublicKey([0x0b; 192]));
    assert_eq!(signature.to_string(), format!("0x{}", "0a".repeat(96)));
    assert_eq!(key.to_string(), format!("0x{}", "0b".repeat(192)));
    assert_eq!(format!("{signature:?}"), format!("Signature(0x{})", "0a".repeat(96)));
    assert_eq!(format!("{key:?}"), format!("PublicKey(0x{})", "0b".repeat(192)));
}

#[test]
fn points_are_their_bytes_and_take_no_other_number_of_them() {
    let (signature, key) = (Signature([0x0a; 96]), PublicKey([0x0b; 192]));
    assert_eq!((signature.as_ref(), key.as_ref()), (&[0x0a; 96][..], &[0x0b; 192][..]));
    assert_eq!(Signature::try_from(&[0x0a; 96][..]).ok(), Some(signature));
    assert_eq!(PublicKey::try_from(&[0x0b; 192][..]).ok(), Some(key));
    assert!(Signature::try_from(&[0x0a; 95][..]).is_err() && Signature::try_from(&[0x0a; 97][..]).is_err());
    assert!(PublicKey::try_from(&[0x0b; 191][..]).is_err() && PublicKey::try_from(&[0x0b; 193][..]).is_err());
    assert_eq!(Signature::from(FixedBytes::from(signature)), signature);
    assert_eq!(PublicKey::from(FixedBytes::from(key)), key);
}

#[test]
fn a_difference_says_what_was_attested_and_what_the_call_has() {
    let difference = Difference { field: "nonce", attested: "7".to_owned(), actual: "8".to_owned() };
    assert_eq!(difference.to_string(), "nonce: attested 7, but the call has 8");
}

#[test]
fn every_refusal_has_the_selector_of_its_signature_and_survives_revert_data() {
    let (number, word, address) = (U256::from(5), B256::repeat_byte(6), Address::repeat_byte(7));
    let refusals = [
        (Refusal::PolicyNotSet, "PolicyNotSet()"),
        (Refusal::MalformedAuthorization, "MalformedAuthorization()"),
        (Refusal::WrongChain { expected: number, actual: number }, "WrongChain(uint256,uint256)"),
        (Refusal::WrongSender { expected: address, actual: address }, "WrongSender(address,address)"),
        (Refusal::WrongTask { expected: word, actual: word }, "WrongTask(bytes32,bytes32)"),
        (
            Refusal::AttestationNotYetValid { issuedAt: U48::from(6), timestamp: number },
            "AttestationNotYetValid(uint48,uint256)",
        ),
        (
            Refusal::AttestationExpired { expiration: U48::from(1), timestamp: number },
            "AttestationExpired(uint48,uint256)",
        ),
        (Refusal::LifetimeTooLong { expiration: U48::from(1), latest: number }, "LifetimeTooLong(uint48,uint256)"),
        (
            Refusal::AttestationVoided { issuedAt: U48::from(1), floor: U48::from(2) },
            "AttestationVoided(uint48,uint48)",
        ),
        (
            Refusal::AttestationAlreadySpent { policyClient: address, nonce: number },
            "AttestationAlreadySpent(address,uint256)",
        ),
        (Refusal::UnknownEpoch { epoch: EpochId(1) }, "UnknownEpoch(uint32)"),
        (Refusal::EpochExpired { epoch: EpochId(1), validUntil: U48::from(1) }, "EpochExpired(uint32,uint48)"),
        (Refusal::EpochRevoked { epoch: EpochId(1) }, "EpochRevoked(uint32)"),
        (Refusal::RootNotRecorded { epoch: EpochId(1), root: word }, "RootNotRecorded(uint32,bytes32)"),
        (
            Refusal::ExpirationBeyondEpoch { expiration: U48::from(2), epochEnd: U48::from(1) },
            "ExpirationBeyondEpoch(uint48,uint48)",
        ),
        (Refusal::NonSignerOutOfRange, "NonSignerOutOfRange()"),
        (Refusal::QuorumNotReached { signed: number, required: number }, "QuorumNotReached(uint256,uint256)"),
        (Refusal::MalformedSignature, "MalformedSignature()"),
        (Refusal::InvalidSignature, "InvalidSignature()"),
        (Refusal::PolicyDenied { taskId: word }, "PolicyDenied(bytes32)"),
    ];
    assert!(refusals.iter().map(|(refusal, _)| refusal.name()).eq(Refusal::NAMES.iter().copied()));
    for (refusal, signature) in refusals {
        assert_eq!(refusal.signature(), signature);
        assert_eq!(Some((refusal.name(), "")), signature.split_once('(').map(|(name, _)| (name, "")));
        assert_eq!(refusal.revert_data()[..4], keccak256(signature)[..4]);
        assert_eq!(Refusal::decode(&refusal.revert_data()), Some(refusal));
        assert!(!refusal.to_string().is_empty());
        // It follows "next:".
        let remedy = refusal.remedy();
        assert!(remedy.starts_with(|first: char| first.is_ascii_lowercase()), "{remedy}");
        assert!(!remedy.ends_with('.'), "{remedy}");
    }
}

#[test]
fn an_operator_set_shows_what_it_was_made_of_and_not_what_was_computed_for_the_pairing() {
    let operators = &Fixture::with_operators(1).context.epochs[0].operators;
    let shown = format!("{operators:?}");
    let weight = operators.total_weight();
    let parts = [format!("{:?}", operators.operators()), format!("{:?}", operators.aggregate_key())];
    assert!(parts.iter().all(|part| shown.contains(part)), "{shown}");
    assert!(shown.contains(&format!("total_weight: {weight}")) && shown.ends_with(", .. }"), "{shown}");
}

#[test]
fn a_trailing_intent_is_the_callers_call_of_the_client_on_this_chain() {
    let fixture = Fixture::new();
    let (context, data) = (&fixture.context, fixture.intent.data.clone());
    let intent = context.trailing_intent(U256::from(250), data.clone());
    assert_eq!((intent.from, intent.to, intent.chainId), (context.caller, context.policy_client, context.chain_id));
    assert_eq!((intent.value, intent.data), (U256::from(250), data));
}
