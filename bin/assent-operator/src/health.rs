//! Whether the operator can decide.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use assent_chain_view::{ChainView, ViewedBlock};
use assent_journal::Journal;
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};

use crate::{inputs::DriverHandle, log_function::LogFunction, metrics::OperatorMetrics};

/// How often the node's latest block is read.
const PERIOD: Duration = Duration::from_secs(2);
/// How long the node may give no answer.
const NODE_PATIENCE: Duration = Duration::from_secs(15);

/// What the operator depends on, as it was seen last.
pub(crate) struct Health {
    pub driver: DriverHandle,
    pub journal: Arc<Journal>,
    pub metrics: Arc<OperatorMetrics>,
    pub gateways: usize,
    /// The most seconds by which the latest block may be behind the machine's clock; 0 for any.
    pub max_node_lag: u64,
    pub log: LogFunction,
    node: Mutex<Option<(ViewedBlock, Instant)>>,
    start: Instant,
}

impl Health {
    pub(crate) fn new(
        driver: DriverHandle,
        journal: Arc<Journal>,
        metrics: Arc<OperatorMetrics>,
        gateways: usize,
        max_node_lag: u64,
        log: LogFunction,
    ) -> Self {
        let start = Instant::now();
        Self { driver, journal, metrics, gateways, max_node_lag, log, node: Mutex::default(), start }
    }

    /// Watches the node, until the task is dropped.
    pub(crate) async fn watch(&self, view: ChainView) {
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failed = false;
        loop {
            ticks.tick().await;
            match view.latest_block().await {
                Ok(block) => {
                    self.metrics.node_block.set(i64::try_from(block.number).unwrap_or(i64::MAX));
                    *self.node.lock().unwrap_or_else(PoisonError::into_inner) = Some((block, Instant::now()));
                    if failed {
                        (self.log)("the node answers again");
                    }
                    failed = false;
                }
                Err(error) => {
                    self.metrics.node_errors.inc();
                    if !failed {
                        (self.log)(&error.to_string());
                    }
                    failed = true;
                }
            }
        }
    }

    /// Returns whether the operator can decide, and what it depends on. Metrics that change with time are set.
    pub(crate) fn report(&self) -> (bool, Value) {
        let failure = self.journal.failure();
        self.metrics.journal_failed.set(i64::from(failure.is_some()));
        let node = *self.node.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = node.is_some_and(|(_, since)| since.elapsed() < NODE_PATIENCE);
        let lag = node.map(|(block, _)| lag(&block));
        // Without any block, the node is silent since the start.
        let shown_lag = lag.unwrap_or_else(|| self.start.elapsed().as_secs());
        self.metrics.node_lag.set(i64::try_from(shown_lag).unwrap_or(i64::MAX));
        let is_near = self.max_node_lag == 0 || lag.is_some_and(|lag| lag <= self.max_node_lag);
        let open = self.driver.open_gateways();
        let is_healthy = failure.is_none() && answers && is_near && !open.is_empty();
        let report = json!({
            "healthy": is_healthy,
            "journal": if failure.is_some() { "failed" } else { "ok" },
            "node": {
                "status": if !answers { "silent" } else if is_near { "ok" } else { "behind" },
                "block": node.map(|(block, _)| block.number),
                "lagSeconds": lag,
            },
            "gateways": { "configured": self.gateways, "connected": open },
        });
        (is_healthy, report)
    }
}

/// Returns the seconds by which a block is behind the machine's clock.
fn lag(block: &ViewedBlock) -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    now.as_secs().saturating_sub(block.timestamp)
}
