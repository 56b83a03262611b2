//! Answers that are the same whenever they are asked for.

use std::{
    collections::HashMap,
    future::Future,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OnceCell;

/// Answers by what was asked. Questions that are asked at the same time are answered once.
///
/// An error is not kept.
pub(crate) struct Answers<K, V> {
    cells: Mutex<HashMap<K, Arc<OnceCell<V>>>>,
    most: usize,
}

impl<K: Eq + Hash, V: Clone> Answers<K, V> {
    /// Keeps at most `most` answers: further questions are asked each time.
    pub(crate) fn new(most: usize) -> Self {
        Self { cells: Mutex::default(), most }
    }

    /// Returns the answer, which `ask` gives if it is not known.
    pub(crate) async fn get<E>(&self, key: K, ask: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        self.cell(key).get_or_try_init(|| ask).await.cloned()
    }

    fn cell(&self, key: K) -> Arc<OnceCell<V>> {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        if cells.len() < self.most || cells.contains_key(&key) {
            return Arc::clone(cells.entry(key).or_default());
        }
        Arc::default()
    }
}
