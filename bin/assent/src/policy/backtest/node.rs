//! Patience with a node that does not answer.

use super::super::era::NotObserved;
use crate::output;
use anyhow::Result;
use assent_client::with_causes;
use attestation_indexer::is_temporary;
use std::time::{Duration, Instant};

/// How long a node that does not answer is asked again.
pub struct Patience {
    limit: Option<Duration>,
    failing_since: Option<Instant>,
    pause: Duration,
}

impl Patience {
    const SHORTEST: Duration = Duration::from_millis(500);
    const LONGEST: Duration = Duration::from_secs(30);

    /// Returns the patience for so many seconds, or without end.
    pub fn new(seconds: Option<u64>) -> Self {
        Self { limit: seconds.map(Duration::from_secs), failing_since: None, pause: Self::SHORTEST }
    }

    /// Forgets earlier failures.
    pub fn answered(&mut self) {
        if self.failing_since.take().is_some() {
            output::remark("the node answers again");
        }
        self.pause = Self::SHORTEST;
    }

    /// Asks until there is an answer, as [`wait`](Self::wait) allows it.
    pub async fn retry<T>(&mut self, mut ask: impl AsyncFnMut() -> Result<T>) -> Result<T> {
        loop {
            match ask().await {
                Ok(answer) => {
                    self.answered();
                    return Ok(answer);
                }
                Err(error) => self.wait(error).await?,
            }
        }
    }

    /// Waits after an error that can be temporary, twice as long each time; returns any other error.
    pub async fn wait(&mut self, error: anyhow::Error) -> Result<()> {
        let is_first = self.failing_since.is_none();
        let since = *self.failing_since.get_or_insert_with(Instant::now);
        let is_over = self.limit.is_some_and(|limit| since.elapsed() + self.pause > limit);
        let is_not_observed = error.downcast_ref::<NotObserved>().is_some_and(|source| source.is_temporary);
        if !(is_temporary(&error) || is_not_observed) || is_over {
            return Err(error);
        }
        if is_first {
            output::remark(format_args!(
                "the node does not answer, and is asked again: {}",
                with_causes(error.as_ref())
            ));
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (2 * self.pause).min(Self::LONGEST);
        Ok(())
    }
}
