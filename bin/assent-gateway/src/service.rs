//! What the methods work with.

use std::sync::Arc;

use assent_task_log::TaskLog;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    config::GatewayLimits, declarations::Declarations, driver::DriverHandle, evidence::EvidenceServers,
    metrics::GatewayMetrics, preparing::Preparer, rpc::error::RpcError,
};

/// The most evaluations at once: each takes a processor for up to a second.
const MAX_SIMULATIONS: usize = 2;

/// What the methods work with.
pub(crate) struct Service {
    pub(crate) driver: DriverHandle,
    pub(crate) preparer: Arc<Preparer>,
    pub(crate) log: Arc<dyn TaskLog>,
    pub(crate) evidence: EvidenceServers,
    pub(crate) declarations: Arc<Declarations>,
    pub(crate) metrics: Arc<GatewayMetrics>,
    pub(crate) limits: GatewayLimits,
    /// The OpenRPC document.
    pub(crate) openrpc: &'static str,
    pub(crate) admission: Admission,
}

/// What is admitted at the same time.
pub(crate) struct Admission {
    requests: Arc<Semaphore>,
    simulations: Arc<Semaphore>,
}

impl Admission {
    pub(crate) fn new(max_requests: usize) -> Self {
        Self {
            requests: Arc::new(Semaphore::new(max_requests.min(Semaphore::MAX_PERMITS))),
            simulations: Arc::new(Semaphore::new(MAX_SIMULATIONS)),
        }
    }
}

impl Service {
    /// Admits a request that may wait, if not too many do.
    pub(crate) fn admit(&self) -> Result<OwnedSemaphorePermit, RpcError> {
        Arc::clone(&self.admission.requests).try_acquire_owned().map_err(|_| RpcError::busy("too many requests wait"))
    }

    /// Returns whether so many requests wait that no further one is admitted.
    pub(crate) fn is_full(&self) -> bool {
        self.admission.requests.available_permits() == 0
    }

    /// Admits a simulation, if not too many are made.
    pub(crate) fn admit_simulation(&self) -> Result<OwnedSemaphorePermit, RpcError> {
        Arc::clone(&self.admission.simulations)
            .try_acquire_owned()
            .map_err(|_| RpcError::busy("too many simulations are made"))
    }
}
