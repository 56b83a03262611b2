//! Spent nonces, as read from a chain.

use alloy::primitives::{Address, U256};
use assent_verifier::{SpentLedger, SpentNonces};
use std::collections::BTreeMap;

/// A snapshot of one client's spent nonces, limited to the words that were read.
///
/// A nonce in a word that was not read counts as spent.
///
/// ```
/// use alloy::primitives::{Address, U256};
/// use assent_client::SpentSnapshot;
/// use assent_verifier::SpentLedger;
///
/// // One word was read, in which nonce 1 is spent.
/// let client = Address::repeat_byte(1);
/// let snapshot = SpentSnapshot::new(client, [(U256::ZERO, U256::from(0b10))]);
/// assert_eq!(snapshot.policy_client(), client);
/// assert!(snapshot.words().eq([(U256::ZERO, U256::from(0b10))]));
/// assert!(snapshot.is_spent(client, U256::from(1)));
/// assert!(!snapshot.is_spent(client, U256::from(2)));
/// assert!(snapshot.is_spent(client, U256::from(256))); // Not read.
///
/// let ledger = snapshot.to_spent_nonces();
/// assert!(ledger.is_spent(client, U256::from(1)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpentSnapshot {
    policy_client: Address,
    words: BTreeMap<U256, U256>,
}

impl SpentSnapshot {
    /// Returns a snapshot of a client's words (nonces without the last 8 bits), with a mask bit for each spent nonce.
    pub fn new(policy_client: Address, words: impl IntoIterator<Item = (U256, U256)>) -> Self {
        Self { policy_client, words: words.into_iter().collect() }
    }

    /// Returns the client.
    pub fn policy_client(&self) -> Address {
        self.policy_client
    }

    /// Returns the words that were read, ascending, with their masks.
    pub fn words(&self) -> impl Iterator<Item = (U256, U256)> + '_ {
        self.words.iter().map(|(&word, &mask)| (word, mask))
    }

    /// Returns a mutable ledger.
    ///
    /// Warning: in it, nonces in words that were not read count as unspent.
    pub fn to_spent_nonces(&self) -> SpentNonces {
        let mut spent = SpentNonces::default();
        for (word, mask) in self.words() {
            spent.burn(self.policy_client, word, mask);
        }
        spent
    }
}

impl SpentLedger for SpentSnapshot {
    fn is_spent(&self, policy_client: Address, nonce: U256) -> bool {
        let mask = (policy_client == self.policy_client).then(|| self.words.get(&word_of(nonce))).flatten();
        mask.is_none_or(|mask| mask.bit(usize::from(nonce.byte(0))))
    }
}

/// Returns the word that holds a nonce's bit.
pub(crate) fn word_of(nonce: U256) -> U256 {
    nonce >> 8
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: Address = Address::repeat_byte(1);

    #[test]
    fn what_was_not_read_counts_as_spent() {
        let snapshot = SpentSnapshot::new(CLIENT, [(U256::ONE, U256::from(0b10))]);

        assert!(!snapshot.is_spent(CLIENT, U256::from(256)));
        assert!(snapshot.is_spent(CLIENT, U256::from(257)));
        assert!(snapshot.is_spent(CLIENT, U256::ZERO), "word 0 was not read");
        assert!(snapshot.is_spent(Address::ZERO, U256::from(256)), "another client was not read");
    }

    #[test]
    fn a_ledger_made_of_it_has_the_same_spent_nonces() {
        let snapshot = SpentSnapshot::new(CLIENT, [(U256::ZERO, U256::from(0b101))]);
        let ledger = snapshot.to_spent_nonces();

        for nonce in 0..256 {
            let nonce = U256::from(nonce);
            assert_eq!(ledger.is_spent(CLIENT, nonce), snapshot.is_spent(CLIENT, nonce));
        }
    }
}
