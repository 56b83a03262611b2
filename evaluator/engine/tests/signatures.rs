//! Hashes and signatures, as alloy and k256 make them.

mod support;

use alloy_dyn_abi::TypedData;
use alloy_primitives::{Address, B256, U256, hex, keccak256};
use k256::ecdsa::SigningKey;
use support::allow_if;

const TYPED: &str = r#"{
    "types": {
        "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "version", "type": "string"},
            {"name": "chainId", "type": "uint256"}, {"name": "verifyingContract", "type": "address"}],
        "Person": [{"name": "name", "type": "string"}, {"name": "wallets", "type": "address[]"}],
        "Mail": [{"name": "from", "type": "Person"}, {"name": "to", "type": "Person[]"},
            {"name": "contents", "type": "string"},
            {"name": "id", "type": "bytes8"}, {"name": "raw", "type": "bytes"}, {"name": "amount", "type": "uint256"},
            {"name": "delta", "type": "int64"}, {"name": "pair", "type": "uint8[2]"}, {"name": "ok", "type": "bool"}]
    },
    "primaryType": "Mail",
    "domain": {"name": "Ether Mail", "version": "1", "chainId": 1,
        "verifyingContract": "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"},
    "message": {
        "from": {"name": "Cow", "wallets": ["0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"]},
        "to": [{"name": "Bob", "wallets": []},
            {"name": "Bób \"x\"", "wallets": ["0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"]}],
        "contents": "Hello, Bob!", "id": "0x0102030405060708", "raw": "0xabcd",
        "amount": "115792089237316195423570985008687907853269984665640564039457584007913129639935",
        "delta": -5, "pair": [1, 255], "ok": true
    }
}"#;

#[test]
fn typed_data_has_the_hash_that_a_wallet_signs() {
    let typed: TypedData = serde_json::from_str(TYPED).expect("typed data");
    let expected = typed.eip712_signing_hash().expect("hashes");
    assert!(allow_if(&format!("assent.eip712_hash({TYPED}) == \"{expected}\"")).allows());
    // Without its type, the domain's type follows from its members.
    let (start, rest) = TYPED.split_once("\"EIP712Domain\"").expect("the domain's type");
    let (_, rest) = rest.split_once("],").expect("its end");
    assert!(allow_if(&format!("assent.eip712_hash({start}{rest}) == \"{expected}\"")).allows());
    let domain = TYPED.replace("\"Mail\",\n    \"domain\"", "\"EIP712Domain\",\n    \"domain\"");
    let typed: TypedData = serde_json::from_str(&domain).expect("typed data");
    let expected = typed.eip712_signing_hash().expect("hashes");
    assert!(allow_if(&format!("assent.eip712_hash({domain}) == \"{expected}\"")).allows());
}

#[test]
fn typed_data_that_does_not_fit_its_types_ends_the_evaluation() {
    for (valid, broken) in [
        (r#""pair": [1, 255]"#, r#""pair": [1, 256]"#),
        (r#""pair": [1, 255]"#, r#""pair": [1]"#),
        (r#""pair": [1, 255]"#, r#""pair": [1, -1]"#),
        (r#""delta": -5"#, r#""delta": 9223372036854775808"#),
        (r#""delta": -5"#, r#""delta": -9223372036854775809"#),
        (r#""delta": -5"#, r#""delta": 0.5"#),
        (r#""ok": true"#, r#""ok": 1"#),
        (r#""ok": true"#, r#""ok": true, "extra": 1"#),
        (r#", "ok": true"#, ""),
        ("0x0102030405060708", "0x01020304050607"),
        (r#""raw": "0xabcd""#, r#""raw": "abcd""#),
        ("639935", "639936"),
        (r#""Hello, Bob!""#, "5"),
        (r#""type": "bytes8""#, r#""type": "bytes33""#),
        (r#""type": "bytes8""#, r#""type": "Nothing""#),
        ("0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826", "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD8"),
    ] {
        let typed = TYPED.replacen(valid, broken, 1);
        assert_ne!(typed, TYPED, "{valid}");
        let reasons = allow_if(&format!("assent.eip712_hash({typed})")).reasons();
        assert!(reasons.len() == 1 && reasons[0].contains("assent.eip712_hash: "), "{broken}: {reasons:?}");
    }
}

#[test]
fn a_signature_leads_to_its_signer_and_no_other_form_of_it_does() {
    let key = SigningKey::from_slice(&[7; 32]).expect("a key");
    let signer = Address::from_raw_public_key(&key.verifying_key().to_encoded_point(false).as_bytes()[1..]);
    let hash = keccak256(b"approval");
    let (signature, id) = key.sign_prehash_recoverable(hash.as_slice()).expect("signs");
    let valid = [&signature.to_bytes()[..], &[27 + id.to_byte()]].concat();
    let recovers = |signature: &[u8], condition: &str| {
        let text = hex::encode_prefixed(signature);
        allow_if(&format!("{condition} assent.ecdsa_recover(\"{hash}\", \"{text}\")")).reasons()
    };
    let signer = format!("\"0x{}\" ==", hex::encode(signer));
    assert_eq!(recovers(&valid, &signer), [""; 0]);

    let order =
        U256::from_str_radix("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16).expect("n");
    let s = U256::from_be_slice(&valid[32..64]);
    let high: Vec<u8> = [&valid[..32], &(order - s).to_be_bytes::<32>()[..], &[27 + (1 - id.to_byte())]].concat();
    for invalid in [
        &high[..],
        &valid[..64],
        &[&valid[..], &[0]].concat(),
        &[&valid[..64], &[id.to_byte()]].concat(),
        &[0; 65],
        &[],
    ] {
        assert_eq!(recovers(invalid, "not"), [""; 0], "{}", hex::encode(invalid));
    }
    let other = [&valid[..64], &[27 + (1 - id.to_byte())]].concat();
    assert_ne!(recovers(&other, &signer), [""; 0]);
    let reasons = allow_if(&format!("assent.ecdsa_recover(\"{}\", \"0x\")", hex::encode(B256::ZERO))).reasons();
    assert!(reasons[0].contains("assent.ecdsa_recover: "), "{reasons:?}");
}

#[test]
fn hashes_and_addresses_are_in_lower_case() {
    let hash = keccak256([0xab, 0xcd]);
    assert!(allow_if(&format!("assent.keccak256(\"0xABcd\") == \"{hash}\"")).allows());
    assert!(
        allow_if(&format!(
            "assent.keccak256(concat(\"\", [\"0x\", hex.encode(\"abc\")])) == \"{}\"",
            keccak256(b"abc")
        ))
        .allows()
    );
    let mixed = "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826";
    assert!(allow_if(&format!("assent.address(\"{mixed}\") == \"{}\"", mixed.to_ascii_lowercase())).allows());
    for invalid in ["\"0xCD2a\"", "\"CD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826\"", "5", "\"\""] {
        assert!(allow_if(&format!("assent.address({invalid})")).reasons()[0].starts_with("evaluation: "), "{invalid}");
    }
}
