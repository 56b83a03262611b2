//! Ledgers of spent nonces.

use alloc::collections::BTreeMap;
use alloy_primitives::{Address, U256};

/// A ledger of spent nonces.
///
/// Warning: an implementation that cannot tell must return `true`, since a check that cannot be made is a refusal.
///
/// ```
/// use alloy_primitives::{Address, U256};
/// use assent_verifier::SpentLedger;
/// use std::{collections::HashSet, sync::RwLock};
///
/// /// One that several threads share.
/// struct Shared(RwLock<HashSet<(Address, U256)>>);
///
/// impl SpentLedger for Shared {
///     fn is_spent(&self, policy_client: Address, nonce: U256) -> bool {
///         // After a writer's panic it is unknown what is spent, so everything is.
///         self.0.read().map_or(true, |spent| spent.contains(&(policy_client, nonce)))
///     }
/// }
///
/// let client = Address::repeat_byte(1);
/// let ledger = Shared(RwLock::new(HashSet::from([(client, U256::from(7))])));
/// assert!(ledger.is_spent(client, U256::from(7)));
/// assert!(!ledger.is_spent(client, U256::from(8)));
/// ```
pub trait SpentLedger {
    /// Returns whether a client's nonce was used or burned.
    fn is_spent(&self, policy_client: Address, nonce: U256) -> bool;
}

/// A ledger that can spend nonces.
///
/// [`spend`](crate::spend) and [`Context::spend`](crate::Context::spend) take it. To make several spends durable
/// together, keep those of a batch in memory, and write them before any result is used.
///
/// ```
/// use alloy_primitives::{Address, U256};
/// use assent_verifier::{SpendLedger, SpentLedger};
/// use std::collections::HashSet;
///
/// #[derive(Default)]
/// struct Memory(HashSet<(Address, U256)>);
///
/// impl SpentLedger for Memory {
///     fn is_spent(&self, policy_client: Address, nonce: U256) -> bool {
///         self.0.contains(&(policy_client, nonce))
///     }
/// }
///
/// impl SpendLedger for Memory {
///     fn spend(&mut self, policy_client: Address, nonce: U256) -> bool {
///         self.0.insert((policy_client, nonce))
///     }
/// }
///
/// let (mut ledger, client) = (Memory::default(), Address::repeat_byte(1));
/// assert!(ledger.spend(client, U256::from(7)));
/// assert!(!ledger.spend(client, U256::from(7)), "a nonce is spent once");
/// ```
pub trait SpendLedger: SpentLedger {
    /// Spends a nonce. Returns `false` if it was already spent, or if that cannot be told: then the call must not be
    /// made.
    #[must_use = "`false` means that the nonce had been spent before"]
    fn spend(&mut self, policy_client: Address, nonce: U256) -> bool;
}

/// Spent nonces in memory, stored as on chain: bit `nonce & 0xff` of word `nonce >> 8`, for each client.
///
/// ```
/// use assent_verifier::{SpentLedger, SpentNonces};
/// use alloy_primitives::{Address, U256};
///
/// let client = Address::repeat_byte(1);
/// let mut spent = SpentNonces::default();
/// assert!(spent.spend(client, U256::from(7)));
/// assert!(!spent.spend(client, U256::from(7)), "a nonce is spent once");
/// spent.burn(client, U256::ZERO, U256::from(0b11));
/// assert!(spent.is_spent(client, U256::from(1)) && !spent.is_spent(client, U256::from(2)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpentNonces {
    words: BTreeMap<(Address, U256), U256>,
}

impl SpentNonces {
    /// Spends a nonce. Returns `false` if it was already spent: then the call must not be made.
    #[must_use = "`false` means that the nonce had been spent before"]
    pub fn spend(&mut self, policy_client: Address, nonce: U256) -> bool {
        let fresh = !self.is_spent(policy_client, nonce);
        let (word, bit) = position(nonce);
        self.burn(policy_client, word, bit);
        fresh
    }

    /// Spends all nonces of a word that a mask names.
    pub fn burn(&mut self, policy_client: Address, word: U256, mask: U256) {
        *self.words.entry((policy_client, word)).or_default() |= mask;
    }

    /// Returns the words in which a nonce is spent, ascending: client, word, mask.
    pub fn words(&self) -> impl Iterator<Item = (Address, U256, U256)> + '_ {
        self.words.iter().map(|(&(policy_client, word), &mask)| (policy_client, word, mask))
    }
}

impl SpentLedger for SpentNonces {
    fn is_spent(&self, policy_client: Address, nonce: U256) -> bool {
        let (word, bit) = position(nonce);
        self.words.get(&(policy_client, word)).is_some_and(|mask| !(*mask & bit).is_zero())
    }
}

impl SpendLedger for SpentNonces {
    fn spend(&mut self, policy_client: Address, nonce: U256) -> bool {
        Self::spend(self, policy_client, nonce)
    }
}

/// Returns the word that holds a nonce, and the nonce's bit in it.
fn position(nonce: U256) -> (U256, U256) {
    let bit = usize::from(nonce.byte(0));
    (nonce.wrapping_shr(8), U256::ONE.wrapping_shl(bit))
}
