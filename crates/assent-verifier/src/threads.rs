//! The threads that verify a batch.

use alloc::vec::Vec;

pub(crate) trait Threads {
    /// Returns the number of threads.
    fn count() -> usize;

    /// Returns the results of all items, in order.
    fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Send + Sync) -> Vec<R>;
}

/// The calling thread, which works on one item after another.
pub(crate) struct CallingThread;

impl Threads for CallingThread {
    fn count() -> usize {
        1
    }

    fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Send + Sync) -> Vec<R> {
        items.iter().map(work).collect()
    }
}

/// Rayon's current thread pool.
#[cfg(feature = "rayon")]
pub(crate) struct ThreadPool;

#[cfg(feature = "rayon")]
impl Threads for ThreadPool {
    fn count() -> usize {
        rayon::current_num_threads()
    }

    fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Send + Sync) -> Vec<R> {
        use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
        items.par_iter().map(work).collect()
    }
}
