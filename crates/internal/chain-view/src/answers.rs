//! Answers that several ask for.

use std::{
    collections::HashMap,
    future::Future,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OnceCell;

/// Answers that are the same whenever they are asked for, by what was asked.
///
/// Questions that are asked at the same time are answered once. An error is not kept.
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

/// Answers that change. Questions that are asked while the same one is being asked get its answer; nothing is kept.
pub(crate) struct Flights<K, V>(Mutex<HashMap<K, Arc<OnceCell<V>>>>);

/// The most questions that are being asked. One whose asker gave up stays until another asks it.
const MOST_FLIGHTS: usize = 1024;

impl<K, V> Default for Flights<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Flights<K, V> {
    /// Returns the answer, which `ask` gives unless the question is being asked.
    pub(crate) async fn get<E>(&self, key: K, ask: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        let cell = self.cell(&key);
        let answer = cell.get_or_try_init(|| ask).await.cloned();
        let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cells.get(&key).is_some_and(|known| Arc::ptr_eq(known, &cell)) {
            cells.remove(&key);
        }
        answer
    }

    fn cell(&self, key: &K) -> Arc<OnceCell<V>> {
        let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cells.len() < MOST_FLIGHTS || cells.contains_key(key) {
            return Arc::clone(cells.entry(key.clone()).or_default());
        }
        Arc::default()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::atomic::{AtomicUsize, Ordering},
        task::Poll,
    };

    use super::*;

    #[tokio::test]
    async fn a_question_that_is_being_asked_is_asked_once_and_its_answer_not_kept() {
        let (flights, asked) = (Flights::default(), AtomicUsize::new(0));
        let ask = || async {
            // Others ask meanwhile.
            let mut is_first = true;
            std::future::poll_fn(|context| {
                context.waker().wake_by_ref();
                if std::mem::take(&mut is_first) { Poll::Pending } else { Poll::Ready(()) }
            })
            .await;
            Ok::<_, Infallible>(asked.fetch_add(1, Ordering::SeqCst))
        };
        let together = futures_util::future::join(flights.get("latest", ask()), flights.get("latest", ask())).await;
        assert_eq!(together, (Ok(0), Ok(0)));
        assert_eq!(flights.get("latest", ask()).await, Ok(1));
        assert!(flights.0.lock().unwrap().is_empty());
    }
}
