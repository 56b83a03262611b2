//! What an instance of a component has in its store.

use crate::{error::ObserveError, limits, recording::Answers};
use std::time::{Duration, Instant};
use wasmtime::{ResourceLimiter, StoreContextMut};

/// Between two ticks of the epoch.
pub(crate) const TICK: Duration = Duration::from_millis(20);

/// What an instance of a component has in its store.
pub(crate) struct State {
    pub(crate) answers: Answers,
    /// The reason for which the host ended the run.
    failure: Option<ObserveError>,
    memory: usize,
    elements: usize,
    compute_left: Duration,
    computes_since: Instant,
}

impl State {
    /// The state of a component that may compute for so long.
    pub(crate) fn new(answers: Answers, compute_left: Duration) -> Self {
        let computes_since = Instant::now();
        Self { answers, failure: None, memory: 0, elements: 0, compute_left, computes_since }
    }

    /// Returns the reason for which the host ended the run, if it did.
    pub(crate) const fn take_failure(&mut self) -> Option<ObserveError> {
        self.failure.take()
    }

    /// Returns the ticks until the component has computed too long.
    pub(crate) fn ticks_left(&self) -> u64 {
        let ticks = self.compute_left.as_millis() / TICK.as_millis();
        u64::try_from(ticks).unwrap_or(u64::MAX).saturating_add(1)
    }

    fn fail(&mut self, failure: ObserveError) -> wasmtime::Error {
        let error = wasmtime::Error::msg(failure.to_string());
        self.failure = Some(failure);
        error
    }
}

/// Does work of the host for a component. Its time does not count as the component's.
pub(crate) fn host_work<T>(
    mut store: StoreContextMut<'_, State>,
    work: impl FnOnce(&mut Answers) -> Result<T, ObserveError>,
) -> wasmtime::Result<T> {
    let state = store.data_mut();
    state.compute_left = state.compute_left.saturating_sub(state.computes_since.elapsed());
    let result = work(&mut state.answers).map_err(|failure| state.fail(failure));
    state.computes_since = Instant::now();
    let ticks = state.ticks_left();
    store.set_epoch_deadline(ticks);
    result
}

impl ResourceLimiter for State {
    fn memory_growing(&mut self, current: usize, desired: usize, _most: Option<usize>) -> wasmtime::Result<bool> {
        let requested = self.memory.saturating_sub(current).saturating_add(desired);
        if requested > limits::MEMORY_BYTES {
            return Err(self.fail(ObserveError::Memory { requested }));
        }
        self.memory = requested;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _most: Option<usize>) -> wasmtime::Result<bool> {
        let requested = self.elements.saturating_sub(current).saturating_add(desired);
        if requested > limits::TABLE_ELEMENTS {
            return Err(self.fail(ObserveError::Table { requested }));
        }
        self.elements = requested;
        Ok(true)
    }
}
