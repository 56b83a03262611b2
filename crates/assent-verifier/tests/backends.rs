//! The curve arithmetic against what others made: RFC 9380's and EIP-2537's vectors, blst, and each other.

mod fixture;

use assent_verifier::{
    PublicKey, Signature,
    backend::{Backend, DefaultBackend, MalformedPoint, SignatureError, verify_signature},
    digest,
};
use blst::min_sig::{AggregatePublicKey, SecretKey};
use fixture::{encode_key, public_key, secret};
use serde_json::Value;

/// Runs a test in every backend that is compiled in.
macro_rules! in_every_backend {
    ($($(#[$attribute:meta])* $name:ident,)*) => {
        #[cfg(feature = "arkworks")]
        mod arkworks {
            $(#[test] $(#[$attribute])* fn $name() { super::$name::<assent_verifier::backend::arkworks::Arkworks>(); })*
        }
        #[cfg(feature = "blst")]
        mod blst_backend {
            $(#[test] $(#[$attribute])* fn $name() { super::$name::<assent_verifier::backend::blst::Blst>(); })*
        }
    };
}

in_every_backend! {
    hashes_to_the_points_of_rfc_9380,
    hashes_messages_and_tags_of_any_length_as_blst_does,
    verifies_what_blst_signed_and_nothing_else,
    nothing_verifies_under_an_infinite_key,
    takes_keys_out_of_an_aggregate,
    sums_keys_as_blst_does,
    refuses_the_g1_points_that_eip_2537_refuses,
    refuses_the_pairs_that_eip_2537_refuses_and_takes_the_others,
    adds_keys_as_eip_2537_does,
    refuses_bad_public_keys,
    verifies_known_signatures_under_each_tag_of_the_protocol,
    verifies_rounds_of_drand,
}

/// Another crate of the program may enable blst for itself.
#[test]
fn enabling_blst_does_not_change_the_default_backend() {
    let expected = if cfg!(feature = "arkworks") { "arkworks" } else { "blst" };
    assert_eq!(DefaultBackend::NAME, expected);
}

fn vectors(path: &str) -> Value {
    let path = format!("{}/../../tests/vectors/{path}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))).unwrap()
}

fn bytes(hex: &Value) -> Vec<u8> {
    alloy_primitives::hex::decode(hex.as_str().unwrap()).unwrap()
}

fn hashes_to_the_points_of_rfc_9380<B: Backend>() {
    let file = vectors("rfc9380-g1.json");
    let tag = file["dst"].as_str().unwrap().as_bytes();
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 5);
    for vector in vectors {
        let expected = [bytes(&vector["x"]), bytes(&vector["y"])].concat();
        let hashed = B::hash_to_curve(vector["message"].as_str().unwrap().as_bytes(), tag);
        assert_eq!(hashed.as_slice(), expected, "{}", vector["message"]);
    }
}

/// By an implementation that shares no code with this one: signer and verifier here have the tags from one constant.
fn verifies_known_signatures_under_each_tag_of_the_protocol<B: Backend>() {
    let known = &vectors("known-signatures.json")["noble"];
    let key = PublicKey::try_from(bytes(&known["publicKey"]).as_slice()).unwrap();
    let message = bytes(&known["message"]);
    let tags = [
        ("SIGNATURE_TAG", digest::SIGNATURE_TAG),
        ("PROOF_OF_POSSESSION_TAG", digest::PROOF_OF_POSSESSION_TAG),
        ("EPOCH_APPROVAL_TAG", digest::EPOCH_APPROVAL_TAG),
        ("OBSERVATION_TAG", digest::OBSERVATION_TAG),
        ("CONNECTION_TAG", digest::CONNECTION_TAG),
        ("EPOCH_HANDOVER_TAG", digest::EPOCH_HANDOVER_TAG),
    ];
    assert_eq!(known["signatures"].as_array().unwrap().len(), tags.len());
    for (vector, (name, tag)) in known["signatures"].as_array().unwrap().iter().zip(tags) {
        assert_eq!(vector["name"], name);
        let signature = Signature::try_from(bytes(&vector["signature"]).as_slice()).unwrap();
        assert_eq!(verify_signature::<B>(&message, tag, &signature, &key), Ok(()), "{name}");
        for (other, tag) in tags.into_iter().filter(|(other, _)| *other != name) {
            let refused = verify_signature::<B>(&message, tag, &signature, &key);
            assert_eq!(refused, Err(SignatureError::InvalidSignature), "{name} under {other}");
        }
    }
}

/// drand's network signs a round every three seconds, with a ciphersuite that differs only in the tag's end.
fn verifies_rounds_of_drand<B: Backend>() {
    let known = &vectors("known-signatures.json")["quicknet"];
    let tag = known["tag"].as_str().unwrap().as_bytes();
    let key = PublicKey::try_from(bytes(&known["publicKey"]).as_slice()).unwrap();
    let rounds = known["rounds"].as_array().unwrap();
    assert_eq!(rounds.len(), 2);
    for (round, other) in rounds.iter().zip(rounds.iter().rev()) {
        let (message, signature) = (bytes(&round["message"]), bytes(&round["signature"]));
        let signature = Signature::try_from(signature.as_slice()).unwrap();
        assert_eq!(verify_signature::<B>(&message, tag, &signature, &key), Ok(()));
        let refused = Err(SignatureError::InvalidSignature);
        assert_eq!(verify_signature::<B>(&bytes(&other["message"]), tag, &signature, &key), refused);
        assert_eq!(verify_signature::<B>(&message, digest::SIGNATURE_TAG, &signature, &key), refused);
    }
    let suite = tag.strip_suffix(b"NUL_").unwrap();
    assert_eq!(digest::SIGNATURE_TAG, [suite, b"POP_"].concat());
}

fn hashes_messages_and_tags_of_any_length_as_blst_does<B: Backend>() {
    // The signature by the key 1 is the hash.
    let mut one = [0; 32];
    one[31] = 1;
    let one = SecretKey::from_bytes(&one).unwrap();
    for message_length in [0, 1, 31, 32, 55, 56, 64, 1000] {
        for tag_length in [1, 43, 254, 255, 256, 257, 1000] {
            let (message, tag) = (vec![0xa5; message_length], vec![0x5a; tag_length]);
            let expected = one.sign(&message, &tag, &[]).serialize();
            assert_eq!(B::hash_to_curve(&message, &tag), expected, "{message_length} and {tag_length} bytes");
        }
    }
}

fn verifies_what_blst_signed_and_nothing_else<B: Backend>() {
    let (secret, other) = (secret(1), secret(2));
    let signature = Signature(secret.sign(b"message", b"tag", &[]).serialize());
    let verify =
        |message, tag, signature, key: &SecretKey| verify_signature::<B>(message, tag, signature, &public_key(key));
    assert_eq!(verify(b"message", b"tag", &signature, &secret), Ok(()));
    let invalid = Err(SignatureError::InvalidSignature);
    assert_eq!(verify(b"massage", b"tag", &signature, &secret), invalid);
    assert_eq!(verify(b"message", b"gat", &signature, &secret), invalid);
    assert_eq!(verify(b"message", b"tag", &signature, &other), invalid);
    let malformed = Err(SignatureError::MalformedSignature);
    assert_eq!(verify(b"message", b"tag", &Signature([0; 96]), &secret), malformed);
    // Infinity as key and signature satisfies the pairing equation, whatever the message.
    let infinite = verify_signature::<B>(b"message", b"tag", &Signature([0; 96]), &PublicKey::INFINITY);
    assert_eq!(infinite, Err(SignatureError::MalformedPublicKey));
}

fn nothing_verifies_under_an_infinite_key<B: Backend<PublicKeyPoint: Default>>() {
    let signature = Signature(secret(1).sign(b"message", b"tag", &[]).serialize());
    let signature = B::decode_signature(&signature).unwrap_or_else(|error| panic!("{error}"));
    assert!(!B::verify(b"message", b"tag", &signature, &B::PublicKeyPoint::default()));
}

fn takes_keys_out_of_an_aggregate<B: Backend>() {
    let secrets: Vec<_> = (0..4).map(secret).collect();
    let keys: Vec<_> = secrets.iter().map(public_key).collect();
    let [aggregate, _] = B::aggregate(keys.iter().map(|key| B::decode_public_key(key).unwrap()));
    let signature = Signature(secrets[2].sign(b"message", b"tag", &[]).serialize());
    let signature = B::decode_signature(&signature).unwrap_or_else(|error| panic!("{error}"));

    let third = B::without(&aggregate, [&keys[0], &keys[1], &keys[3]]).unwrap();
    assert!(B::verify(b"message", b"tag", &signature, &third));
    let third_and_fourth = B::without(&aggregate, [&keys[0], &keys[1]]).unwrap();
    assert!(!B::verify(b"message", b"tag", &signature, &third_and_fourth));
    assert!(B::without(&aggregate, &keys).is_none(), "no operator remains");
    assert!(B::without(&PublicKey::INFINITY, []).is_none());
    assert!(B::without(&aggregate, [&PublicKey([1; 192])]).is_none(), "not a point");
    // Infinity as blst itself would write it.
    let mut flagged = PublicKey::INFINITY;
    flagged.0[48] = 0x40;
    assert!(B::without(&aggregate, [&flagged]).is_none(), "a second encoding of infinity");
}

fn sums_keys_as_blst_does<B: Backend>() {
    let secrets: Vec<_> = (0..5).map(secret).collect();
    let keys: Vec<_> = secrets.iter().map(SecretKey::sk_to_pk).collect();
    let expected = AggregatePublicKey::aggregate(&keys.iter().collect::<Vec<_>>(), true).unwrap();
    let mut negated = AggregatePublicKey::from_public_key(&Default::default());
    negated.sub_aggregate(&expected);
    let decoded = keys.iter().map(|key| B::decode_public_key(&encode_key(*key)).unwrap());
    let [sum, negated_sum] = B::aggregate(decoded);
    assert_eq!(sum, encode_key(expected.to_public_key()));
    assert_eq!(negated_sum, encode_key(negated.to_public_key()));

    let opposite = [sum, negated_sum].map(|key| B::decode_public_key(&key).unwrap());
    assert_eq!(B::aggregate(opposite), [PublicKey::INFINITY; 2]);
    assert_eq!(B::aggregate([]), [PublicKey::INFINITY; 2]);
}

/// EIP-2537's field elements of 64 bytes as 48; `None` when they do not start with 16 zeros.
fn without_padding(elements: &[u8]) -> Option<Vec<u8>> {
    let elements = elements.chunks(64).map(|element| element.strip_prefix(&[0; 16]));
    elements.collect::<Option<Vec<_>>>().map(|elements| elements.concat())
}

/// An EIP-2537 G1 point at the beginning of some bytes.
fn unpadded(bytes: &[u8]) -> Option<Signature> {
    without_padding(bytes.get(..128)?).map(|point| Signature(point.try_into().unwrap()))
}

/// An EIP-2537 G2 point at the beginning of some bytes.
fn unpadded_key(bytes: &[u8]) -> Option<PublicKey> {
    without_padding(bytes.get(..256)?).map(|point| PublicKey(point.try_into().unwrap()))
}

fn refuses_the_g1_points_that_eip_2537_refuses<B: Backend>() {
    let mut refused = 0;
    for (file, stride) in [("eip2537/fail-msm_G1_bls.json", 160), ("eip2537/fail-add_G1_bls.json", 128)] {
        for case in vectors(file).as_array().unwrap() {
            let error = case["ExpectedError"].as_str().unwrap();
            if ["not on curve", "subgroup", "fp.Element"].iter().any(|reason| error.contains(reason)) {
                let mut points =
                    bytes(&case["Input"]).chunks(stride).filter_map(unpadded).collect::<Vec<_>>().into_iter();
                assert!(points.any(|point| B::decode_signature(&point).is_err()), "{}", case["Name"]);
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 7);
    let mut sound = 0;
    for case in vectors("eip2537/msm_G1_bls.json").as_array().unwrap() {
        for point in bytes(&case["Input"]).chunks(160).filter_map(unpadded).filter(|point| point.0 != [0; 96]) {
            assert!(B::decode_signature(&point).is_ok(), "{}", case["Name"]);
            sound += 1;
        }
    }
    assert!(sound >= 4, "only {sound} points");
}

fn refuses_the_pairs_that_eip_2537_refuses_and_takes_the_others<B: Backend>() {
    // Infinity is no signature and no key, though the precompile takes it.
    let is_bad = |pair: &[u8]| {
        let (signature, key) = (unpadded(pair).unwrap(), unpadded_key(&pair[128..]).unwrap());
        let bad_signature = signature.0 != [0; 96] && B::decode_signature(&signature).is_err();
        bad_signature || (key != PublicKey::INFINITY && B::decode_public_key(&key).is_err())
    };
    let mut refused = 0;
    for case in vectors("eip2537/fail-pairing_check_bls.json").as_array().unwrap() {
        let error = case["ExpectedError"].as_str().unwrap();
        if ["not on curve", "subgroup", "fp.Element"].iter().any(|reason| error.contains(reason)) {
            assert!(bytes(&case["Input"]).chunks(384).any(is_bad), "{}", case["Name"]);
            refused += 1;
        }
    }
    assert_eq!(refused, 19);
    for case in vectors("eip2537/pairing_check_bls.json").as_array().unwrap() {
        assert!(!bytes(&case["Input"]).chunks(384).any(is_bad), "{}", case["Name"]);
    }
}

fn adds_keys_as_eip_2537_does<B: Backend>() {
    let mut added = 0;
    for case in vectors("eip2537/add_G2_bls.json").as_array().unwrap() {
        let keys: Vec<_> = bytes(&case["Input"]).chunks(256).map(|key| unpadded_key(key).unwrap()).collect();
        let keys = keys.iter().filter(|key| **key != PublicKey::INFINITY).map(B::decode_public_key);
        // The precompile adds points outside the subgroup as well; no key is one.
        let Ok(keys) = keys.collect::<Result<Vec<_>, _>>() else {
            assert!(case["Name"].as_str().unwrap().contains("wrong_order"), "{}", case["Name"]);
            continue;
        };
        let [sum, _] = B::aggregate(keys);
        assert_eq!(sum, unpadded_key(&bytes(&case["Expected"])).unwrap(), "{}", case["Name"]);
        added += 1;
    }
    assert_eq!(added, 8);
}

fn refuses_bad_public_keys<B: Backend>() {
    let valid = public_key(&secret(1));
    assert!(B::decode_public_key(&valid).is_ok());
    let mut bad = vec![PublicKey::INFINITY, PublicKey([0xff; 192])];
    for component in 0..4 {
        for flag in [0x80, 0x40, 0x20] {
            let mut flagged = valid;
            flagged.0[48 * component] |= flag;
            bad.push(flagged);
        }
        let mut off_curve = valid;
        off_curve.0[48 * component + 47] ^= 1;
        bad.push(off_curve);
    }
    for key in bad {
        assert_eq!(B::decode_public_key(&key).err(), Some(MalformedPoint), "{key}");
    }
}

#[cfg(all(feature = "arkworks", feature = "blst"))]
mod agreement {
    use super::*;
    use assent_verifier::backend::{arkworks::Arkworks, blst::Blst};
    use proptest::prelude::*;

    fn agree_on_signature(signature: &Signature) -> bool {
        let accepted = Blst::decode_signature(signature).is_ok();
        assert_eq!(Arkworks::decode_signature(signature).is_ok(), accepted, "{signature}");
        accepted
    }

    fn agree_on_key(key: &PublicKey) -> bool {
        let accepted = Blst::decode_public_key(key).is_ok();
        assert_eq!(Arkworks::decode_public_key(key).is_ok(), accepted, "{key}");
        let without = |key: &PublicKey| (Blst::without(key, []).is_some(), Arkworks::without(key, []).is_some());
        assert_eq!(without(key).0, without(key).1, "{key}");
        accepted
    }

    #[test]
    fn both_refuse_curve_points_outside_the_subgroups() {
        let mut g1 = 0;
        let mut g2 = 0;
        for x in 1..=40u8 {
            let mut compressed = [0; 96];
            compressed[0] = 0x80;
            // blst decompresses without looking at the subgroup.
            compressed[47] = x;
            if let Ok(point) = blst::min_sig::Signature::uncompress(&compressed[..48]) {
                assert!(!agree_on_signature(&Signature(point.serialize())));
                g1 += 1;
            }
            compressed[47] = 0;
            compressed[95] = x;
            if let Ok(point) = blst::min_sig::PublicKey::uncompress(&compressed) {
                assert!(!agree_on_key(&encode_key(point)));
                g2 += 1;
            }
        }
        assert!(g1 > 5 && g2 > 5, "{g1} and {g2} points tried");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn both_decide_alike_on_altered_points(
            seed: u16,
            byte in 0..96usize,
            mask in 0..=255u8,
            key_byte in 0..192usize,
        ) {
            let mut signature = secret(seed).sign(b"message", b"tag", &[]).serialize();
            signature[byte] ^= mask;
            prop_assert_eq!(agree_on_signature(&Signature(signature)), mask == 0);
            let mut key = public_key(&secret(seed));
            key.0[key_byte] ^= mask;
            prop_assert_eq!(agree_on_key(&key), mask == 0);
        }

        #[test]
        fn both_decide_alike_on_random_bytes(signature: [[u8; 32]; 3], key: [[u8; 32]; 6]) {
            agree_on_signature(&Signature(signature.concat().try_into().unwrap()));
            agree_on_key(&PublicKey(key.concat().try_into().unwrap()));
        }

        #[test]
        fn both_hash_alike(message: Vec<u8>, tag: Vec<u8>) {
            prop_assert_eq!(Arkworks::hash_to_curve(&message, &tag), Blst::hash_to_curve(&message, &tag));
        }
    }
}
