//! The JSON of EIP-2335. Hex has no `0x` before it, as in the EIP's test cases; with it, it is read too.

use alloy_primitives::hex;
use assent_verifier::json::ObjectOnly;
use blst::min_sig;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{KeyDerivation, Keystore, KeystoreError};

const VERSION: u64 = 4;
const HMAC_SHA256: &str = "hmac-sha256";

/// Length of a public key in G1, compressed.
const G1_PUBLIC_KEY_BYTES: usize = 48;

/// Implements `Deserialize` from JSON objects only.
macro_rules! objects {
    ($($name:ident),*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::deserialize(ObjectOnly(deserializer))
            }
        }
    )*};
}

objects!(File, Version, Crypto, Module, ScryptParameters, Pbkdf2Parameters, CipherParameters);

#[derive(Deserialize)]
#[serde(remote = "Self")]
struct File {
    crypto: Crypto,
    #[serde(default)]
    pubkey: Option<String>,
    path: String,
    uuid: Uuid,
}

#[derive(Deserialize)]
#[serde(remote = "Self")]
struct Version {
    version: u64,
}

#[derive(Deserialize)]
#[serde(remote = "Self")]
struct Crypto {
    kdf: Module,
    checksum: Module,
    cipher: Module,
}

#[derive(Deserialize)]
#[serde(remote = "Self")]
struct Module {
    function: String,
    params: Value,
    message: String,
}

#[derive(Deserialize)]
#[serde(remote = "Self")]
struct ScryptParameters {
    dklen: u64,
    n: u64,
    r: u32,
    p: u32,
    salt: String,
}

#[derive(Deserialize)]
#[serde(remote = "Self")]
struct Pbkdf2Parameters {
    dklen: u64,
    c: u32,
    prf: String,
    salt: String,
}

#[derive(Deserialize)]
#[serde(remote = "Self")]
struct CipherParameters {
    iv: String,
}

pub(super) fn parse(json: &[u8]) -> Result<Keystore, KeystoreError> {
    // The version comes first: another version may lack any of the other fields.
    let Version { version } = serde_json::from_slice(json)?;
    if version != VERSION {
        return Err(unsupported("version", &version.to_string(), "4"));
    }
    let File { crypto, pubkey, path, uuid } = serde_json::from_slice(json)?;
    require("crypto.checksum.function", &crypto.checksum.function, "sha256")?;
    require("crypto.cipher.function", &crypto.cipher.function, "aes-128-ctr")?;
    let (key_derivation, salt) = parse_key_derivation(crypto.kdf)?;
    key_derivation.check_bounds()?;
    let cipher: CipherParameters = serde_json::from_value(crypto.cipher.params)?;
    Ok(Keystore {
        key_derivation,
        salt,
        checksum: parse_hex("crypto.checksum.message", &crypto.checksum.message, "32 bytes in hex")?,
        initialisation_vector: parse_hex("crypto.cipher.params.iv", &cipher.iv, "16 bytes in hex")?,
        ciphertext: parse_hex("crypto.cipher.message", &crypto.cipher.message, "32 bytes in hex")?,
        public_key: pubkey.as_deref().map(parse_public_key).transpose()?,
        path,
        uuid,
    })
}

pub(super) fn write(keystore: &Keystore) -> String {
    let salt = hex::encode(&keystore.salt);
    let (function, params) = match keystore.key_derivation {
        KeyDerivation::Scrypt { log_n, r, p } => {
            ("scrypt", json!({ "dklen": 32, "n": 1_u64 << log_n, "r": r, "p": p, "salt": salt }))
        }
        KeyDerivation::Pbkdf2 { iterations } => {
            ("pbkdf2", json!({ "dklen": 32, "c": iterations, "prf": HMAC_SHA256, "salt": salt }))
        }
    };
    let pubkey = keystore.public_key.map(|public_key| ("pubkey".to_owned(), hex::encode(public_key.compress()).into()));
    let file = json!({
        "crypto": {
            "kdf": module(function, &params, ""),
            "checksum": module("sha256", &json!({}), &hex::encode(keystore.checksum)),
            "cipher": module(
                "aes-128-ctr",
                &json!({ "iv": hex::encode(keystore.initialisation_vector) }),
                &hex::encode(keystore.ciphertext),
            ),
        },
        "path": keystore.path,
        "uuid": keystore.uuid,
        "version": VERSION,
    });
    let fields = file.as_object().cloned().unwrap_or_default();
    format!("{:#}", Value::Object(fields.into_iter().chain(pubkey).collect()))
}

fn module(function: &str, params: &Value, message: &str) -> Value {
    json!({ "function": function, "params": params, "message": message })
}

fn parse_key_derivation(module: Module) -> Result<(KeyDerivation, Vec<u8>), KeystoreError> {
    let (parameters, dklen, salt) = match module.function.as_str() {
        "scrypt" => {
            let ScryptParameters { dklen, n, r, p, salt } = serde_json::from_value(module.params)?;
            if !n.is_power_of_two() {
                return Err(malformed("crypto.kdf.params.n", "a power of two"));
            }
            // A 64-bit number has at most 63 trailing zeros.
            let log_n = n.trailing_zeros().try_into().unwrap_or(u8::MAX);
            (KeyDerivation::Scrypt { log_n, r, p }, dklen, salt)
        }
        "pbkdf2" => {
            let Pbkdf2Parameters { dklen, c, prf, salt } = serde_json::from_value(module.params)?;
            require("crypto.kdf.params.prf", &prf, HMAC_SHA256)?;
            (KeyDerivation::Pbkdf2 { iterations: c }, dklen, salt)
        }
        other => return Err(unsupported("crypto.kdf.function", other, "scrypt, pbkdf2")),
    };
    if dklen != 32 {
        return Err(unsupported("crypto.kdf.params.dklen", &dklen.to_string(), "32"));
    }
    let salt = hex::decode(salt).map_err(|_| malformed("crypto.kdf.params.salt", "bytes in hex"))?;
    Ok((parameters, salt))
}

fn parse_public_key(pubkey: &str) -> Result<min_sig::PublicKey, KeystoreError> {
    const EXPECTED: &str = "the compressed public key in G2, 96 bytes in hex";
    let bytes = hex::decode(pubkey).map_err(|_| malformed("pubkey", EXPECTED))?;
    if bytes.len() == G1_PUBLIC_KEY_BYTES {
        return Err(KeystoreError::KeyOfAnotherScheme);
    }
    // blst would take the uncompressed form as well, which is not what the field is defined to hold.
    if bytes.len() != 96 {
        return Err(malformed("pubkey", EXPECTED));
    }
    min_sig::PublicKey::key_validate(&bytes).map_err(|_| malformed("pubkey", EXPECTED))
}

fn parse_hex<const N: usize>(
    field: &'static str,
    digits: &str,
    expected: &'static str,
) -> Result<[u8; N], KeystoreError> {
    hex::decode_to_array(digits).map_err(|_| malformed(field, expected))
}

fn require(field: &'static str, found: &str, supported: &'static str) -> Result<(), KeystoreError> {
    if found == supported { Ok(()) } else { Err(unsupported(field, found, supported)) }
}

fn unsupported(field: &'static str, found: &str, supported: &'static str) -> KeystoreError {
    // A hostile file shall not fill the terminal.
    KeystoreError::Unsupported { field, found: found.chars().take(40).collect(), supported }
}

fn malformed(field: &'static str, expected: &'static str) -> KeystoreError {
    KeystoreError::Malformed { field, expected }
}
