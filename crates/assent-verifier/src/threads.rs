//! Where the work of a batch is done.

use alloc::vec::Vec;

pub(crate) trait Threads {
    /// How many work at once.
    fn count() -> usize;

    /// The results for all items, in order.
    fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Send + Sync) -> Vec<R>;
}

/// One after the other.
pub(crate) struct CallingThread;

impl Threads for CallingThread {
    fn count() -> usize {
        1
    }

    fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Send + Sync) -> Vec<R> {
        items.iter().map(work).collect()
    }
}

/// In rayon's current thread pool.
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
