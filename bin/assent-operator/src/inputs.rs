//! The queue of what the driver's thread is told.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use assent_network::{LinkId, operator::Event};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use crate::{gateway_address::GatewayAddress, link_sender::LinkSender, log_function::LogFunction};

/// What the thread is told.
pub(crate) enum Input {
    /// A connection to a gateway is open.
    LinkOpened { link: LinkId, gateway: GatewayAddress, sender: LinkSender },
    /// A connection is closed. The reply says whether the gateway had accepted the operator.
    LinkClosed { link: LinkId, reply: oneshot::Sender<bool> },
    /// Something happened, at a time. The permit is free again once it is handled.
    Event { event: Event, at: SystemTime, permit: Option<OwnedSemaphorePermit> },
    /// The thread ends.
    Stop,
}

/// Speaks to the thread.
#[derive(Clone)]
pub(crate) struct DriverHandle {
    inputs: mpsc::UnboundedSender<Input>,
    links: Arc<AtomicU64>,
    pub(crate) open: Arc<OpenGateways>,
    log: LogFunction,
}

/// The gateways that accepted the operator.
#[derive(Debug, Default)]
pub(crate) struct OpenGateways(pub Mutex<BTreeSet<String>>);

impl DriverHandle {
    /// Returns a handle, and what the thread takes from it.
    pub(crate) fn new(log: LogFunction) -> (Self, mpsc::UnboundedReceiver<Input>) {
        let (inputs, receiver) = mpsc::unbounded_channel();
        (Self { inputs, links: Arc::default(), open: Arc::default(), log }, receiver)
    }

    pub(crate) fn send(&self, input: Input) {
        // After the end no one is there to be told.
        let _ = self.inputs.send(input);
    }

    pub(crate) fn event(&self, event: Event) {
        self.happened(event, None);
    }

    /// Says that something happened, now.
    pub(crate) fn happened(&self, event: Event, permit: Option<OwnedSemaphorePermit>) {
        self.send(Input::Event { event, at: SystemTime::now(), permit });
    }

    /// Returns the number of a connection, which no other has had.
    pub(crate) fn next_link(&self) -> LinkId {
        self.links.fetch_add(1, Ordering::Relaxed)
    }

    /// Says that a connection is closed. Returns whether the gateway had accepted the operator.
    pub(crate) async fn close(&self, link: LinkId) -> bool {
        let (reply, answer) = oneshot::channel();
        self.send(Input::LinkClosed { link, reply });
        answer.await.unwrap_or_default()
    }

    /// Returns the gateways that accepted the operator.
    pub(crate) fn open_gateways(&self) -> BTreeSet<String> {
        self.open.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn log(&self, line: &str) {
        (self.log)(line);
    }
}
