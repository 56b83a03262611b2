//! What the methods work with.

use std::sync::Arc;

use assent_program::{Share, Shares, SharesError};
use assent_task_log::TaskLog;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use crate::{
    config::GatewayLimits, declarations::Declarations, driver::DriverHandle, evidence::EvidenceServers,
    metrics::GatewayMetrics, preparing::Preparer, rpc::error::RpcError,
};

/// The most evaluations at once: each takes a processor for up to a second.
const MAX_SIMULATIONS: usize = 2;
/// The most handovers at once, and of one caller: each reads whole epochs from the chain.
const MAX_HANDOVERS: usize = 8;
const MAX_HANDOVERS_OF_A_CALLER: usize = 2;

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

/// The most tasks that are read from the log at once: each is verified, which takes milliseconds of computation.
const MAX_LOOKUPS: usize = 4;
/// The most evidence that is fetched at once, and by one caller: each has up to 16 MiB, and servers take seconds.
const MAX_EVIDENCE: usize = 8;
const MAX_EVIDENCE_OF_A_CALLER: usize = 2;
/// The most bytes of answers that wait to be read, and of those of one caller.
const MAX_ANSWERS: usize = 256 * 1024 * 1024;
const MAX_ANSWERS_OF_A_CALLER: usize = 64 * 1024 * 1024;

/// What is admitted at the same time.
pub(crate) struct Admission {
    requests: Shares<Arc<str>>,
    evidence: Shares<Arc<str>>,
    handovers: Shares<Arc<str>>,
    answers: Shares<Arc<str>>,
    simulations: Arc<Semaphore>,
    lookups: Semaphore,
}

/// A text that a caller has not read yet.
pub(crate) struct HeldText {
    text: String,
    #[expect(dead_code, reason = "held until it is dropped")]
    share: Share<Arc<str>>,
}

impl HeldText {
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

impl AsRef<[u8]> for HeldText {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

impl Admission {
    pub(crate) fn new(limits: &GatewayLimits) -> Self {
        Self {
            requests: Shares::new(limits.max_requests, limits.max_requests_per_caller),
            evidence: Shares::new(MAX_EVIDENCE, MAX_EVIDENCE_OF_A_CALLER),
            answers: Shares::new(MAX_ANSWERS, MAX_ANSWERS_OF_A_CALLER),
            lookups: Semaphore::new(MAX_LOOKUPS),
            simulations: Arc::new(Semaphore::new(MAX_SIMULATIONS)),
            handovers: Shares::new(MAX_HANDOVERS, MAX_HANDOVERS_OF_A_CALLER),
        }
    }
}

impl Service {
    /// Admits a request that may wait, if not too many do, of all callers and of this one.
    pub(crate) fn admit(&self, caller: &Arc<str>) -> Result<Share<Arc<str>>, RpcError> {
        self.admission.requests.take(Arc::clone(caller), 1).map_err(|error| match error {
            SharesError::Share => RpcError::busy("too many requests of the caller wait"),
            SharesError::Total => RpcError::busy("too many requests wait"),
        })
    }

    /// Admits a question for evidence, which may take seconds.
    pub(crate) fn admit_evidence(&self, caller: &Arc<str>) -> Result<Share<Arc<str>>, RpcError> {
        let share = self.admission.evidence.take(Arc::clone(caller), 1);
        share.map_err(|_| RpcError::busy("too much evidence is fetched"))
    }

    /// Waits until a task may be read from the log.
    pub(crate) async fn lookup(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.admission.lookups.acquire().await.ok()
    }

    /// Holds a text until its caller has read it; nothing if too much waits for it already.
    pub(crate) fn hold(&self, caller: &Arc<str>, text: String) -> Option<HeldText> {
        let share = self.admission.answers.take(Arc::clone(caller), text.len()).ok()?;
        Some(HeldText { text, share })
    }

    /// Returns whether so many requests wait that no further one is admitted.
    pub(crate) fn is_full(&self) -> bool {
        self.admission.requests.is_exhausted()
    }

    /// Admits a simulation, if not too many are made.
    pub(crate) fn admit_simulation(&self) -> Result<OwnedSemaphorePermit, RpcError> {
        Arc::clone(&self.admission.simulations)
            .try_acquire_owned()
            .map_err(|_| RpcError::busy("too many simulations are made"))
    }

    /// Admits a request for a handover, if not too many are collected.
    pub(crate) fn admit_handover(&self, caller: &Arc<str>) -> Result<Share<Arc<str>>, RpcError> {
        let share = self.admission.handovers.take(Arc::clone(caller), 1);
        share.map_err(|_| RpcError::busy("too many handovers are collected"))
    }
}
