use alloy_primitives::hex;
use serde_json::{Value, json};

use super::{KeyDerivation, Keystore, KeystoreError};
use crate::SecretKey;

/// EIP-2335, test cases: one password and one secret under both key derivations. The `pubkey` of both is in G1.
const PASSWORD: &str = "𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑";
const SECRET: [u8; 32] = hex!("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f");

fn scrypt_vector() -> Value {
    vector(
        "scrypt",
        json!({ "dklen": 32, "n": 262144, "p": 1, "r": 8, "salt": SALT }),
        "d2217fe5f3e9a1e34581ef8a78f7c9928e436d36dacc5e846690a5581e8ea484",
        "06ae90d55fe0a6e9c5c3bc5b170827b2e5cce3929ed3f116c2811e6366dfe20f",
        "m/12381/60/3141592653/589793238",
        "1d85ae20-35c5-4611-98e8-aa14a633906f",
    )
}

fn pbkdf2_vector() -> Value {
    vector(
        "pbkdf2",
        json!({ "dklen": 32, "c": 262144, "prf": "hmac-sha256", "salt": SALT }),
        "8a9f5d9912ed7e75ea794bc5a89bca5f193721d30868ade6f73043c6ea6febf1",
        "cee03fde2af33149775b7223e7845e4fb2c8ae1792e5f99fe9ecf474cc8c16ad",
        "m/12381/60/0/0",
        "64625def-3331-4eea-ab6f-782f3ed16a83",
    )
}

const SALT: &str = "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3";

fn vector(kdf: &str, params: Value, checksum: &str, ciphertext: &str, path: &str, uuid: &str) -> Value {
    json!({
        "crypto": {
            "kdf": { "function": kdf, "params": params, "message": "" },
            "checksum": { "function": "sha256", "params": {}, "message": checksum },
            "cipher": {
                "function": "aes-128-ctr",
                "params": { "iv": "264daa3f303d7259501c93d997d84fe6" },
                "message": ciphertext,
            },
        },
        "description": "a field that this crate does not read",
        "pubkey": "9612d7a727c9d0a22e185a1c768478dfe919cada9266988cb32359c11f2b7b27f4ae4040902382ae2910c15e2b420d07",
        "path": path,
        "uuid": uuid,
        "version": 4,
    })
}

/// The vector with the public key in G2 that belongs to its secret.
fn with_key_in_g2(mut vector: Value) -> Value {
    let key = SecretKey::from_bytes(&SECRET).unwrap();
    vector["pubkey"] = json!(hex::encode(key.public_key_point().compress()));
    vector
}

fn parse(vector: &Value) -> Result<Keystore, KeystoreError> {
    Keystore::from_json(&vector.to_string())
}

fn altered(pointer: &str, value: Value) -> Result<Keystore, KeystoreError> {
    let mut vector = with_key_in_g2(pbkdf2_vector());
    *vector.pointer_mut(pointer).unwrap() = value;
    parse(&vector)
}

#[test]
fn decrypts_the_vectors_of_eip_2335() {
    for vector in [scrypt_vector(), pbkdf2_vector()] {
        let keystore = parse(&with_key_in_g2(vector)).unwrap();
        assert_eq!(keystore.decrypt(PASSWORD).unwrap().to_bytes().as_ref(), &SECRET);
        assert_eq!(keystore.decrypt("testpassword🔑").unwrap().to_bytes().as_ref(), &SECRET);
        assert!(matches!(keystore.decrypt("testpassword"), Err(KeystoreError::WrongPassword)));
    }
}

#[test]
fn refuses_keys_of_the_other_group() {
    for vector in [scrypt_vector(), pbkdf2_vector()] {
        assert!(matches!(parse(&vector), Err(KeystoreError::KeyOfAnotherScheme)));
    }
}

#[test]
fn reads_back_what_it_writes() {
    let key = SecretKey::generate().unwrap();
    for parameters in [KeyDerivation::Scrypt { log_n: 4, r: 8, p: 1 }, KeyDerivation::Pbkdf2 { iterations: 10 }] {
        let keystore = Keystore::encrypt(&key, "pass", parameters).unwrap();
        let read = Keystore::from_json(&keystore.to_json()).unwrap();
        assert_eq!(read, keystore);
        assert_eq!(read.decrypt("pass").unwrap().to_bytes(), key.to_bytes());
        assert_eq!(read.public_key(), Some(key.public_key()));
        assert!(!keystore.to_json().contains(&hex::encode(key.to_bytes().as_ref())));
    }
}

/// EIP-2335: `pubkey` is optional.
#[test]
fn a_keystore_without_pubkey_is_read() {
    for mut vector in [scrypt_vector(), pbkdf2_vector()] {
        vector.as_object_mut().unwrap().remove("pubkey");
        let keystore = parse(&vector).unwrap();
        assert_eq!(keystore.public_key(), None);
        assert_eq!(keystore.decrypt(PASSWORD).unwrap().to_bytes().as_ref(), &SECRET);
        assert!(matches!(keystore.decrypt("testpassword"), Err(KeystoreError::WrongPassword)));
        assert_eq!(parse(&serde_json::from_str(&keystore.to_json()).unwrap()).unwrap(), keystore);
    }
}

/// Each object of the format as an array of its fields, in the order in which this crate declares them.
#[test]
fn an_array_does_not_pass_for_an_object() {
    let order: [(&str, &[&str]); 7] = [
        ("", &["version"]),
        ("", &["crypto", "pubkey", "path", "uuid"]),
        ("/crypto", &["kdf", "checksum", "cipher"]),
        ("/crypto/checksum", &["function", "params", "message"]),
        ("/crypto/kdf", &["function", "params", "message"]),
        ("/crypto/kdf/params", &["dklen", "c", "prf", "salt"]),
        ("/crypto/cipher/params", &["iv"]),
    ];
    for (pointer, fields) in order {
        let object = with_key_in_g2(pbkdf2_vector());
        let object = object.pointer(pointer).unwrap();
        let array = Value::Array(fields.iter().map(|field| object[field].clone()).collect());
        let mut vector = with_key_in_g2(pbkdf2_vector());
        *vector.pointer_mut(pointer).unwrap() = array;
        match parse(&vector) {
            Err(KeystoreError::NotAKeystore(error)) => assert!(error.to_string().contains("an object"), "{error}"),
            other => panic!("{pointer}: {other:?}"),
        }
    }
    let scrypt = with_key_in_g2(scrypt_vector());
    let params = &scrypt["crypto"]["kdf"]["params"];
    let array = json!([params["dklen"], params["n"], params["r"], params["p"], params["salt"]]);
    let mut vector = scrypt.clone();
    vector["crypto"]["kdf"]["params"] = array;
    assert!(matches!(parse(&vector), Err(KeystoreError::NotAKeystore(_))));
}

#[test]
fn uses_no_salt_or_initialisation_vector_twice() {
    let key = SecretKey::generate().unwrap();
    let [one, other] =
        [(), ()].map(|()| Keystore::encrypt(&key, "pass", KeyDerivation::Pbkdf2 { iterations: 1 }).unwrap());
    assert_ne!(one.salt, other.salt);
    assert_ne!(one.initialisation_vector, other.initialisation_vector);
    assert_ne!(one.uuid(), other.uuid());
    assert_eq!(one.uuid().get_version_num(), 4);
}

#[test]
fn refuses_passwords_that_protect_nothing() {
    let key = SecretKey::generate().unwrap();
    for password in ["", "\n", "\u{7f}\u{9f}"] {
        let refused = Keystore::encrypt(&key, password, KeyDerivation::default());
        assert!(matches!(refused, Err(KeystoreError::EmptyPassword)), "{password:?}");
    }
}

#[test]
fn tells_a_wrong_password_from_an_altered_key() {
    let keystore = altered("/crypto/cipher/message", json!("00".repeat(32))).unwrap();
    assert!(matches!(keystore.decrypt(PASSWORD), Err(KeystoreError::WrongPassword)));
    // EIP-2335's checksum does not cover the initialisation vector: only the public key betrays this change.
    let keystore = altered("/crypto/cipher/params/iv", json!("264daa3f303d7259501c93d997d84fe7")).unwrap();
    let refused = keystore.decrypt(PASSWORD).unwrap_err();
    assert!(matches!(refused, KeystoreError::PublicKeyMismatch | KeystoreError::Key(_)), "{refused}");
    let another = SecretKey::from_key_material(&[7; 32]).unwrap();
    let keystore = altered("/pubkey", json!(hex::encode(another.public_key_point().compress()))).unwrap();
    assert!(matches!(keystore.decrypt(PASSWORD), Err(KeystoreError::PublicKeyMismatch)));
}

#[test]
fn names_the_field_that_is_unsupported() {
    let cases = [
        ("/version", json!(3), "version"),
        ("/crypto/kdf/function", json!("argon2id"), "crypto.kdf.function"),
        ("/crypto/kdf/params/prf", json!("hmac-sha512"), "crypto.kdf.params.prf"),
        ("/crypto/kdf/params/dklen", json!(64), "crypto.kdf.params.dklen"),
        ("/crypto/checksum/function", json!("keccak256"), "crypto.checksum.function"),
        ("/crypto/cipher/function", json!("xor-128-ctr"), "crypto.cipher.function"),
    ];
    for (pointer, value, expected) in cases {
        match altered(pointer, value) {
            Err(KeystoreError::Unsupported { field, .. }) => assert_eq!(field, expected),
            other => panic!("{pointer}: {other:?}"),
        }
    }
}

#[test]
fn names_the_field_that_is_damaged() {
    let cases = [
        ("/crypto/kdf/params/salt", json!("not hex"), "crypto.kdf.params.salt"),
        ("/crypto/checksum/message", json!("00".repeat(31)), "crypto.checksum.message"),
        ("/crypto/cipher/message", json!("00".repeat(33)), "crypto.cipher.message"),
        ("/crypto/cipher/params/iv", json!(""), "crypto.cipher.params.iv"),
        ("/pubkey", json!(""), "pubkey"),
        ("/pubkey", json!("00".repeat(96)), "pubkey"),
        // Infinity is a point of the subgroup but no public key.
        ("/pubkey", json!(format!("c0{}", "00".repeat(95))), "pubkey"),
        ("/pubkey", json!(hex::encode(SecretKey::from_bytes(&SECRET).unwrap().public_key())), "pubkey"),
    ];
    for (pointer, value, expected) in cases {
        match altered(pointer, value) {
            Err(KeystoreError::Malformed { field, .. }) => assert_eq!(field, expected),
            other => panic!("{pointer}: {other:?}"),
        }
    }
    let mut vector = with_key_in_g2(scrypt_vector());
    vector["crypto"]["kdf"]["params"]["n"] = json!(262_143);
    assert!(matches!(parse(&vector), Err(KeystoreError::Malformed { field: "crypto.kdf.params.n", .. })));
}

#[test]
fn refuses_costly_key_derivations_before_running_them() {
    assert!(matches!(
        altered("/crypto/kdf/params/c", json!(u32::MAX)),
        Err(KeystoreError::KeyDerivationOutOfBounds(_))
    ));
    for (parameter, value) in [("n", json!(1_u64 << 40)), ("r", json!(u32::MAX)), ("p", json!(u32::MAX))] {
        let mut vector = with_key_in_g2(scrypt_vector());
        vector["crypto"]["kdf"]["params"][parameter] = value;
        assert!(matches!(parse(&vector), Err(KeystoreError::KeyDerivationOutOfBounds(_))), "{parameter}");
    }
}

#[test]
fn refuses_what_is_no_keystore() {
    for text in ["", "{}", "[]", "null", "{\"version\": 4}", &"[".repeat(60_000)] {
        assert!(matches!(Keystore::from_json(text), Err(KeystoreError::NotAKeystore(_))), "{text:.20}");
    }
    assert!(matches!(Keystore::from_json(&" ".repeat(70_000)), Err(KeystoreError::TooLong)));
    assert!(matches!(altered("/crypto/kdf/params/c", json!(-1)), Err(KeystoreError::NotAKeystore(_))));
}
