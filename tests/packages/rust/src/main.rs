//! A project that depends on the packed crates: reads an intent, makes a key, and is refused without a policy.

use assent_signer::{KeyDerivation, Keystore, SecretKey};
use assent_verifier::{Context, Intent, Refusal, SpentNonces, verify};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let intent: Intent = serde_json::from_str(
        r#"{
            "from": "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
            "to": "0x00000000000000000000000000000000000c11e7",
            "value": "0",
            "data": "0x12345678",
            "chainId": 1
        }"#,
    )?;
    let key = SecretKey::generate()?;
    let keystore = Keystore::encrypt(&key, "a password", KeyDerivation::Pbkdf2 { iterations: 1 })?;
    assert_eq!(keystore.decrypt("a password")?.public_key(), key.public_key());

    let context = Context::builder(SpentNonces::default()).build();
    assert_eq!(verify(&context, &intent, &[]).unwrap_err(), Refusal::PolicyNotSet);
    println!("refused as expected");
    Ok(())
}
