//! What many holders share: a total, of which each has at most a share.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// A total that holders take parts of. Each has at most a share, so that no one of them has all.
///
/// ```
/// use assent_program::{Shares, SharesError};
///
/// let shares = Shares::new(3, 2);
/// let held = [shares.take("alice", 1)?, shares.take("alice", 1)?];
/// assert_eq!(shares.take("alice", 1).err(), Some(SharesError::Share));
/// let other = shares.take("bob", 1)?;
/// assert_eq!(shares.take("carol", 1).err(), Some(SharesError::Total));
/// drop(held);
/// assert!(shares.take("alice", 2).is_ok());
/// # drop(other);
/// # Ok::<(), SharesError>(())
/// ```
#[derive(Debug)]
pub struct Shares<K: Ord>(Arc<Inner<K>>);

/// What a holder has until it drops it.
#[derive(Debug)]
pub struct Share<K: Ord + Clone> {
    inner: Arc<Inner<K>>,
    holder: K,
    amount: usize,
}

/// The reason why a holder gets nothing.
// Complete: its own share is used, or the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SharesError {
    /// The holder has its share.
    Share,
    /// All holders together have the total.
    Total,
}

#[derive(Debug)]
struct Inner<K> {
    total: usize,
    each: usize,
    held: Mutex<Held<K>>,
}

#[derive(Debug)]
struct Held<K> {
    total: usize,
    /// Only of holders that have something: its size is bounded by the total.
    each: BTreeMap<K, usize>,
}

impl<K: Ord + Clone> Shares<K> {
    /// Creates a total, of which each holder has at most `each`.
    pub fn new(total: usize, each: usize) -> Self {
        Self(Arc::new(Inner { total, each, held: Mutex::new(Held { total: 0, each: BTreeMap::new() }) }))
    }

    /// Takes an amount for a holder.
    ///
    /// # Errors
    ///
    /// Every variant of [`SharesError`].
    pub fn take(&self, holder: K, amount: usize) -> Result<Share<K>, SharesError> {
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        let own = held.each.get(&holder).copied().unwrap_or_default().saturating_add(amount);
        if own > self.0.each {
            return Err(SharesError::Share);
        }
        let total = held.total.saturating_add(amount);
        if total > self.0.total {
            return Err(SharesError::Total);
        }
        held.total = total;
        held.each.insert(holder.clone(), own);
        Ok(Share { inner: Arc::clone(&self.0), holder, amount })
    }

    /// Returns whether the holders together have the total.
    pub fn is_exhausted(&self) -> bool {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner).total >= self.0.total
    }
}

impl<K: Ord> Clone for Shares<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Ord + Clone> Drop for Share<K> {
    fn drop(&mut self) {
        let mut held = self.inner.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.total = held.total.saturating_sub(self.amount);
        let own = held.each.get(&self.holder).copied().unwrap_or_default().saturating_sub(self.amount);
        if own == 0 {
            held.each.remove(&self.holder);
        } else {
            held.each.insert(self.holder.clone(), own);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_holder_has_more_than_its_share_and_what_is_dropped_is_free() {
        let shares = Shares::new(10, 4);
        let mut held: Vec<_> = (0..4).map(|_| shares.take("alice", 1).unwrap()).collect();
        assert_eq!(shares.take("alice", 1).unwrap_err(), SharesError::Share);
        held.push(shares.take("bob", 4).unwrap());
        held.push(shares.take("carol", 2).unwrap());
        assert!(shares.is_exhausted());
        assert_eq!(shares.take("carol", 1).unwrap_err(), SharesError::Total);
        held.clear();
        assert!(!shares.is_exhausted());
        assert!(shares.0.held.lock().unwrap().each.is_empty());
        assert!(shares.take("alice", 4).is_ok());
        assert_eq!(shares.take("alice", 5).unwrap_err(), SharesError::Share);
    }
}
