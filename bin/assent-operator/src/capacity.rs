//! Bounds of what is done at one time, and what a panic becomes.

use std::sync::Arc;

use prometheus_client::metrics::counter::Counter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The reason why work was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotDone {
    /// The work panicked.
    #[error("the operator failed internally")]
    Panicked,
    /// The program ends.
    #[error("the operator is stopping")]
    Stopping,
}

/// Threads on which work may block or compute, at most so many at one time.
#[derive(Debug, Clone)]
pub(crate) struct Threads {
    free: Arc<Semaphore>,
    /// Counts work that panicked.
    panics: Counter,
}

impl Threads {
    pub(crate) fn new(count: usize, panics: &Counter) -> Self {
        Self { free: Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS))), panics: panics.clone() }
    }

    /// Runs work on a separate thread, once one is free.
    pub(crate) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, NotDone> {
        let permit = Arc::clone(&self.free).acquire_owned().await.map_err(|_closed| NotDone::Stopping)?;
        let result = run(permit, work).await;
        if let Err(NotDone::Panicked) = result {
            self.panics.inc();
        }
        result
    }
}

async fn run<T: Send + 'static>(
    permit: OwnedSemaphorePermit,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, NotDone> {
    let work = move || {
        // Until the work ends, even if no one waits for it any longer.
        let _permit = permit;
        work()
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| match error.is_panic() {
        true => NotDone::Panicked,
        false => NotDone::Stopping,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_and_frees_its_thread() {
        let panics = Counter::default();
        let threads = Threads::new(1, &panics);
        let foreign: fn() = || panic!("foreign work");
        for _ in 0..3 {
            assert_eq!(threads.run(foreign).await, Err(NotDone::Panicked));
        }
        assert_eq!(threads.run(|| 5).await, Ok(5));
        assert_eq!(panics.get(), 3);
    }

    #[tokio::test]
    async fn no_more_work_is_done_at_one_time_than_there_are_threads() {
        static AT_ONE_TIME: AtomicUsize = AtomicUsize::new(0);
        static MOST: AtomicUsize = AtomicUsize::new(0);
        let threads = Threads::new(2, &Counter::default());
        let work = || {
            MOST.fetch_max(AT_ONE_TIME.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(std::time::Duration::from_millis(5));
            AT_ONE_TIME.fetch_sub(1, Ordering::SeqCst);
        };
        let all = (0..8).map(|_| threads.run(work));
        futures_util::future::join_all(all).await;
        assert_eq!(MOST.load(Ordering::SeqCst), 2);
    }
}
