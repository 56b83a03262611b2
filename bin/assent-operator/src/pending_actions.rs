//! Actions that are not done: so many of each gateway, and each with one event as its result, whatever happens.

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use assent_network::operator::Event;
use futures_util::FutureExt;
use tokio::{runtime::Handle, time::sleep};

use crate::{
    capacity::{Slots, part},
    fair_queue::Share,
    inputs::{DriverHandle, Held},
    log_function::LogFunction,
    metrics::OperatorMetrics,
};

/// How often the end looks whether all is done.
const LOOKING: Duration = Duration::from_millis(10);

/// Begins actions, and has each end.
pub(crate) struct PendingActions {
    runtime: Handle,
    /// Bounded: a gateway can cancel tasks and offer others without end.
    slots: Slots,
    metrics: Arc<OperatorMetrics>,
    log: LogFunction,
}

impl PendingActions {
    /// Returns those of the current runtime, for so many gateways.
    pub(crate) fn new(most: usize, gateways: usize, metrics: Arc<OperatorMetrics>, log: LogFunction) -> Self {
        Self { runtime: Handle::current(), slots: Slots::new(most, part(most, gateways)), metrics, log }
    }

    /// Begins an action that uses a gateway's share. Its result is the event of `work`.
    ///
    /// If the gateway has too many, or `work` panics, the result is the event that `failed` makes of the reason. `name`
    /// is for the log.
    pub(crate) fn begin(
        &self,
        share: &Share,
        driver: &DriverHandle,
        name: String,
        failed: impl FnOnce(&str) -> Event + Send + 'static,
        work: impl Future<Output = Event> + Send + 'static,
    ) {
        let Some(slot) = self.slots.try_acquire(share) else {
            driver.happened(share, failed("the operator has too much to do"), Held::Nothing);
            return;
        };
        let (metrics, log) = (Arc::clone(&self.metrics), Arc::clone(&self.log));
        let (share, driver) = (Arc::clone(share), driver.clone());
        self.runtime.spawn(async move {
            metrics.actions.inc();
            let event = AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_panic| {
                metrics.panics.inc();
                log(&format!("{name} panicked"));
                failed("the operator failed internally")
            });
            metrics.actions.dec();
            driver.happened(&share, event, Held::Action(slot));
        });
    }

    /// Waits until no action is pending.
    pub(crate) async fn finish(&self) {
        while self.slots.held() > 0 {
            sleep(LOOKING).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use assent_network::operator::{JournalError, Unavailable};

    use super::*;
    use crate::inputs::Input;

    fn event_of(input: Input) -> Event {
        let Input::Event { event, .. } = input else { panic!("no event") };
        event
    }

    /// Without an event, the state machine would wait for ever, and what it holds for the action would never be free.
    #[tokio::test]
    async fn an_action_that_panics_has_one_event_as_its_result() {
        let metrics = Arc::new(OperatorMetrics::new());
        let pending = PendingActions::new(1, 1, Arc::clone(&metrics), Arc::new(|_: &str| {}));
        let (driver, mut inputs) = DriverHandle::new(Arc::new(|_: &str| {}));
        let share: Share = "gateway".into();
        for _ in 0..3 {
            let failed = |reason: &str| {
                let result = Err(JournalError::Unavailable(reason.to_owned()));
                Event::BatchSigned { link: 1, root: alloy_primitives::B256::ZERO, result }
            };
            pending.begin(&share, &driver, "a batch".into(), failed, async { panic!("a fault") });
            let (_, input) = inputs.recv().await.unwrap();
            let Event::BatchSigned { result: Err(error), .. } = event_of(input) else { panic!() };
            assert_eq!(error.to_string(), "the operator failed internally");
        }
        assert_eq!((metrics.panics.get(), metrics.actions.get()), (3, 0));
        pending.finish().await;
    }

    #[tokio::test]
    async fn a_gateway_with_too_many_actions_is_refused_and_another_is_not() {
        let pending = PendingActions::new(4, 2, Arc::new(OperatorMetrics::new()), Arc::new(|_: &str| {}));
        let (driver, mut inputs) = DriverHandle::new(Arc::new(|_: &str| {}));
        let (flood, honest): (Share, Share) = ("flood".into(), "honest".into());
        let begin = |share: &Share, link| {
            let failed = move |reason: &str| {
                let result = Err(Unavailable(reason.to_owned()));
                Event::ConnectionSigned { link, result }
            };
            pending.begin(share, &driver, "a proof".into(), failed, std::future::pending());
        };
        (0..3).for_each(|link| begin(&flood, link));
        (3..5).for_each(|link| begin(&honest, link));
        tokio::task::yield_now().await;
        let (_, input) = inputs.try_recv().unwrap();
        let Event::ConnectionSigned { link: 2, result: Err(_) } = event_of(input) else { panic!() };
        assert!(inputs.try_recv().is_err());
    }
}
