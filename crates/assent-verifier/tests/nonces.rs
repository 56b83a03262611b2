//! Single use: what is spent stays spent.

use alloy_primitives::{Address, U256};
use assent_verifier::{SpentLedger, SpentNonces};

const CLIENT: Address = Address::repeat_byte(1);
const OTHER: Address = Address::repeat_byte(2);

#[test]
fn a_nonce_stays_spent_however_often_it_is_spent_or_burned_again() {
    let mut spent = SpentNonces::default();
    let nonce = U256::from(7);
    assert!(spent.spend(CLIENT, nonce));
    for _ in 0..3 {
        assert!(!spent.spend(CLIENT, nonce));
        assert!(spent.is_spent(CLIENT, nonce));
        spent.burn(CLIENT, U256::ZERO, U256::from(0x80));
        assert!(spent.is_spent(CLIENT, nonce));
    }
}

#[test]
fn burning_a_word_spends_exactly_its_mask_and_leaves_what_was_spent_before() {
    let mut spent = SpentNonces::default();
    assert!(spent.spend(CLIENT, U256::from(256)));
    spent.burn(CLIENT, U256::ONE, U256::from(0b110));
    let spent_of = |client| (0..768u32).filter(|nonce| spent.is_spent(client, U256::from(*nonce))).collect::<Vec<_>>();
    assert_eq!(spent_of(CLIENT), [256, 257, 258]);
    assert_eq!(spent_of(OTHER), []);
    assert!(spent.words().eq([(CLIENT, U256::ONE, U256::from(0b111))]));
}

#[test]
fn nonces_of_one_clients_words_are_those_of_256_bits() {
    let mut spent = SpentNonces::default();
    let last = U256::MAX;
    assert!(spent.spend(CLIENT, last));
    assert!(spent.words().eq([(CLIENT, U256::MAX >> 8, U256::ONE << 255)]));
    assert!(!spent.is_spent(CLIENT, last - U256::ONE) && !spent.is_spent(CLIENT, U256::from(255)));
    assert!(spent.spend(OTHER, last), "another client's nonce");
}
