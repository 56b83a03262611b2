//! What every connection shares, and what is known of one.

use std::{net::SocketAddr, sync::Arc};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::{callers::Callers, rate::RateLimiter, service::Service};

/// The state of every request.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) service: Arc<Service>,
    pub(crate) callers: Arc<Callers>,
    pub(crate) limiter: Arc<RateLimiter>,
    pub(crate) origins: Arc<[String]>,
    /// The connections that operators may still open.
    pub(crate) links: Arc<Semaphore>,
    /// Whether the gateway stops.
    pub(crate) stopping: watch::Receiver<bool>,
}

/// The address of a connection's other end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// A part of the connections that are allowed. A WebSocket holds it as long as it lives.
#[derive(Clone)]
pub(crate) struct ConnectionPermit {
    #[expect(dead_code, reason = "held until it is dropped")]
    permit: Arc<OwnedSemaphorePermit>,
}

impl From<OwnedSemaphorePermit> for ConnectionPermit {
    fn from(permit: OwnedSemaphorePermit) -> Self {
        Self { permit: Arc::new(permit) }
    }
}

impl Api {
    /// Returns whether pages of an origin may ask.
    pub(crate) fn allows(&self, origin: &str) -> bool {
        self.origins.iter().any(|allowed| allowed == "*" || allowed == origin)
    }
}
