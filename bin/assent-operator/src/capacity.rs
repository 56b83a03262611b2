//! Bounds of what is done at one time, and what a panic becomes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use prometheus_client::metrics::counter::Counter;
use tokio::sync::oneshot;

use crate::fair_queue::{FairQueue, Share};

/// So many things at one time. Those that wait get theirs in the gateways' turns.
#[derive(Debug, Clone)]
pub(crate) struct Slots(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    free: usize,
    /// The most that one gateway holds.
    most_of_one: usize,
    held: HashMap<Share, usize>,
    waiting: FairQueue<oneshot::Sender<Slot>>,
}

/// One of [`Slots`], which is free again once this is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    /// `None` if it was never given out.
    slots: Option<Slots>,
    share: Share,
}

impl Slots {
    /// Returns free slots, of which one gateway may hold so many.
    pub(crate) fn new(count: usize, most_of_one: usize) -> Self {
        let state = State { free: count, most_of_one, held: HashMap::new(), waiting: FairQueue::default() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Returns a slot if one is free for a gateway.
    pub(crate) fn try_acquire(&self, share: &Share) -> Option<Slot> {
        self.lock().take(share).then(|| self.slot(share))
    }

    /// Waits until a slot is free for a gateway.
    pub(crate) async fn acquire(&self, share: &Share) -> Slot {
        let given = {
            let mut state = self.lock();
            // A gateway that waits then has as many as it may.
            if state.take(share) {
                return self.slot(share);
            }
            let (sender, given) = oneshot::channel();
            state.waiting.push(Arc::clone(share), sender);
            given
        };
        match given.await {
            Ok(slot) => slot,
            // The sender is in the state, which is there as long as these slots.
            Err(_dropped) => std::future::pending().await,
        }
    }

    /// Returns how many are held.
    pub(crate) fn held(&self) -> usize {
        self.lock().held.values().sum()
    }

    fn slot(&self, share: &Share) -> Slot {
        Slot { slots: Some(self.clone()), share: Arc::clone(share) }
    }

    fn release(&self, share: &Share) {
        let mut state = self.lock();
        state.give_back(share);
        while let Some((share, sender)) = state.next() {
            if let Err(mut slot) = sender.send(self.slot(&share)) {
                // No one waits for it any longer.
                slot.slots = None;
                state.give_back(&share);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, share: &Share) -> bool {
        let held = self.held.get(share).copied().unwrap_or_default();
        if self.free == 0 || held >= self.most_of_one {
            return false;
        }
        self.free = self.free.saturating_sub(1);
        self.held.insert(Arc::clone(share), held.saturating_add(1));
        true
    }

    fn give_back(&mut self, share: &Share) {
        self.free = self.free.saturating_add(1);
        let Some(held) = self.held.get_mut(share) else { return };
        *held = held.saturating_sub(1);
        if *held == 0 {
            self.held.remove(share);
        }
    }

    /// Takes a slot for the next one that waits and may have it.
    fn next(&mut self) -> Option<(Share, oneshot::Sender<Slot>)> {
        if self.free == 0 {
            return None;
        }
        let (held, most) = (&self.held, self.most_of_one);
        let next = self.waiting.pop_of(|share| held.get(share).is_none_or(|held| *held < most))?;
        self.take(&next.0).then_some(next)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(slots) = &self.slots {
            slots.release(&self.share);
        }
    }
}

/// Returns the part of something that one of so many gateways may use.
pub(crate) fn part(count: usize, gateways: usize) -> usize {
    count.div_ceil(gateways.max(1)).max(1)
}

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
    free: Slots,
    /// Counts work that panicked.
    panics: Counter,
}

impl Threads {
    /// Returns threads that gateways use in turns.
    pub(crate) fn new(count: usize, panics: &Counter) -> Self {
        Self::with_most_of_one(count, count, panics)
    }

    /// Returns threads of which one gateway has at most so many: for work that can last.
    pub(crate) fn with_most_of_one(count: usize, most_of_one: usize, panics: &Counter) -> Self {
        Self { free: Slots::new(count, most_of_one), panics: panics.clone() }
    }

    /// Runs work on a separate thread, once one is free for the gateway.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        share: &Share,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NotDone> {
        let slot = self.free.acquire(share).await;
        let result = run(slot, work).await;
        if let Err(NotDone::Panicked) = result {
            self.panics.inc();
        }
        result
    }
}

async fn run<T: Send + 'static>(slot: Slot, work: impl FnOnce() -> T + Send + 'static) -> Result<T, NotDone> {
    let work = move || {
        // Until the work ends, even if no one waits for it any longer.
        let _slot = slot;
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
            assert_eq!(threads.run(&"".into(), foreign).await, Err(NotDone::Panicked));
        }
        assert_eq!(threads.run(&"".into(), || 5).await, Ok(5));
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
        let share = "".into();
        let all = (0..8).map(|_| threads.run(&share, work));
        futures_util::future::join_all(all).await;
        assert_eq!(MOST.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_gateway_that_floods_delays_only_itself() {
        let slots = Slots::new(2, 2);
        let (flood, honest): (Share, Share) = ("flood".into(), "honest".into());
        let order = Mutex::new(Vec::new());
        let hold = |share| {
            let (slots, order) = (&slots, &order);
            async move {
                let slot = slots.acquire(share).await;
                order.lock().unwrap().push(Arc::clone(share));
                tokio::task::yield_now().await;
                drop(slot);
            }
        };
        let all: Vec<_> = (0..100).map(|_| hold(&flood)).chain([hold(&honest)]).collect();
        futures_util::future::join_all(all).await;
        let order = order.lock().unwrap();
        // Two were taken before it came, and one has its turn before it.
        assert!(order.iter().position(|share| *share == honest).unwrap() <= 3, "{order:?}");
        assert_eq!((order.len(), slots.held()), (101, 0));
    }

    #[tokio::test]
    async fn a_gateway_holds_no_more_than_its_part() {
        let slots = Slots::new(4, 3);
        let (flood, honest): (Share, Share) = ("flood".into(), "honest".into());
        let mut held: Vec<_> = (0..10).filter_map(|_| slots.try_acquire(&flood)).collect();
        assert_eq!(held.len(), 3);
        let waiting = slots.acquire(&flood);
        let mut waiting = std::pin::pin!(waiting);
        assert!(futures_util::poll!(&mut waiting).is_pending());
        // The fourth is another's, though one waits.
        let own = slots.try_acquire(&honest).unwrap();
        assert!(slots.try_acquire(&honest).is_none());
        drop(own);
        assert!(futures_util::poll!(&mut waiting).is_pending());
        held.pop();
        held.push(waiting.await);
        assert_eq!(slots.held(), 3);
    }

    #[tokio::test]
    async fn a_slot_for_which_no_one_waits_any_longer_is_free() {
        let slots = Slots::new(1, 1);
        let share: Share = "gateway".into();
        let held = slots.acquire(&share).await;
        let mut given_up = Box::pin(slots.acquire(&share));
        let mut dropped_later = Box::pin(slots.acquire(&share));
        assert!(futures_util::poll!(&mut given_up).is_pending());
        assert!(futures_util::poll!(&mut dropped_later).is_pending());
        drop(given_up);
        drop(held);
        // The slot is given to the second, which never takes it.
        assert_eq!(slots.held(), 1);
        drop(dropped_later);
        assert_eq!(slots.held(), 0);
        assert!(slots.try_acquire(&share).is_some());
    }
}
