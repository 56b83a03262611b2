//! Secret keys: made as the IETF draft says, refused out of range, and never shown.

use alloy_primitives::{U256, hex, uint};
use assent_signer::{SecretKey, SecretKeyError};
use blst::min_sig;
use sha2::{Digest, Sha256};

/// EIP-2333, test cases 0 to 3: seed and `master_SK`, which is the IETF draft's `KeyGen`.
const KEYS_OF_EIP_2333: [(&[u8], U256); 4] = uint!([
    (
        &hex!(
            "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e5349553"
            "1f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04"
        ),
        6083874454709270928345386274498605044986640685124978867557563392430687146096_U256
    ),
    (
        &hex!("3141592653589793238462643383279502884197169399375105820974944592"),
        29757020647961307431480504535336562678282505419141012933316116377660817309383_U256
    ),
    (
        &hex!("0099FF991111002299DD7744EE3355BBDD8844115566CC55663355668888CC00"),
        27580842291869792442942448775674722299803720648445448686099262467207037398656_U256
    ),
    (
        &hex!("d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"),
        19022158461524446591288038168518313374041767046816487870552872741050760015818_U256
    ),
]);

/// The order of the groups (draft-irtf-cfrg-pairing-friendly-curves-11, section 4.2.1).
const ORDER: U256 = uint!(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001_U256);

#[test]
fn makes_the_keys_of_eip_2333() {
    for (seed, expected) in KEYS_OF_EIP_2333 {
        let key = SecretKey::from_key_material(seed).unwrap();
        assert_eq!(U256::from_be_bytes(*key.to_bytes()), expected);
    }
}

#[test]
fn makes_the_keys_of_the_fifth_draft_with_the_salt_it_names() {
    let salt = Sha256::digest(b"BLS-SIG-KEYGEN-SALT-");
    for (seed, _) in KEYS_OF_EIP_2333 {
        let fifth_draft = min_sig::SecretKey::key_gen_v5(seed, &salt, &[]).unwrap();
        assert_eq!(*SecretKey::from_key_material(seed).unwrap().to_bytes(), fifth_draft.to_bytes());
    }
}

#[test]
fn refuses_short_key_material() {
    assert_eq!(SecretKey::from_key_material(&[1; 31]).unwrap_err(), SecretKeyError::KeyMaterialTooShort(31));
    assert_eq!(SecretKey::from_key_material(&[]).unwrap_err(), SecretKeyError::KeyMaterialTooShort(0));
    assert!(SecretKey::from_key_material(&[1; 32]).is_ok());
}

#[test]
fn takes_every_number_below_the_order_but_zero() {
    for sound in [U256::ONE, ORDER - U256::ONE] {
        let key = SecretKey::from_bytes(&sound.to_be_bytes()).unwrap();
        assert_eq!(U256::from_be_bytes(*key.to_bytes()), sound);
    }
    for unsound in [U256::ZERO, ORDER, ORDER + U256::ONE, U256::MAX] {
        assert_eq!(SecretKey::from_bytes(&unsound.to_be_bytes()).unwrap_err(), SecretKeyError::OutOfRange);
    }
}

#[test]
fn makes_another_key_each_time() {
    let [one, other] = [(), ()].map(|()| SecretKey::generate().unwrap());
    assert_ne!(one.to_bytes(), other.to_bytes());
}

#[test]
fn shows_nothing_of_itself() {
    let shown =
        format!("{:?} {:#?}", SecretKey::from_bytes(&[1; 32]).unwrap(), SecretKey::from_bytes(&[1; 32]).unwrap());
    assert_eq!(shown, "SecretKey(redacted) SecretKey(redacted)");
}

#[test]
fn writes_public_keys_with_c0_before_c1() {
    // The key 1 is the generator of G2 (draft-irtf-cfrg-pairing-friendly-curves-11, section 4.2.1: x'_0, x'_1, y'_0,
    // y'_1).
    let generator = hex!(
        "024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8"
        "13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e"
        "0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801"
        "0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be"
    );
    let one = SecretKey::from_bytes(&U256::ONE.to_be_bytes()).unwrap();
    assert_eq!(one.public_key().0, generator);
}
