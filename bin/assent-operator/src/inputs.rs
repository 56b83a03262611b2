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

use crate::{
    capacity::Slot, fair_queue::Share, gateway_address::GatewayAddress, link_sender::LinkSender,
    log_function::LogFunction,
};

/// What the thread is told.
pub(crate) enum Input {
    /// A connection to a gateway is open.
    LinkOpened { link: LinkId, gateway: GatewayAddress, sender: LinkSender },
    /// A connection is closed. The reply says how.
    LinkClosed { link: LinkId, reply: oneshot::Sender<Ended> },
    /// Something happened, at a time. What it holds is free again once it is handled.
    Event { event: Event, at: SystemTime, held: Held },
    /// The thread ends.
    Stop,
}

/// What an event holds until it is handled, so that the queue is bounded where it comes from.
pub(crate) enum Held {
    Nothing,
    /// One of the messages of a connection that are not handled.
    Message(#[expect(dead_code, reason = "held until it is dropped")] OwnedSemaphorePermit),
    /// One of the actions that are not done.
    Action(#[expect(dead_code, reason = "held until it is dropped")] Slot),
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ended {
    /// Whether the gateway had accepted the operator.
    pub was_welcome: bool,
    /// Whether the gateway sent what no honest one sends.
    pub is_barred: bool,
}

/// Speaks to the thread.
#[derive(Clone)]
pub(crate) struct DriverHandle {
    inputs: mpsc::UnboundedSender<(Share, Input)>,
    links: Arc<AtomicU64>,
    pub(crate) open: Arc<OpenGateways>,
    log: LogFunction,
}

/// The gateways that accepted the operator.
#[derive(Debug, Default)]
pub(crate) struct OpenGateways(pub Mutex<BTreeSet<String>>);

impl DriverHandle {
    /// Returns a handle, and what the thread takes from it.
    pub(crate) fn new(log: LogFunction) -> (Self, mpsc::UnboundedReceiver<(Share, Input)>) {
        let (inputs, receiver) = mpsc::unbounded_channel();
        (Self { inputs, links: Arc::default(), open: Arc::default(), log }, receiver)
    }

    /// Tells the thread something that uses a gateway's share.
    pub(crate) fn send(&self, share: &Share, input: Input) {
        // After the end no one is there to be told.
        let _ = self.inputs.send((Arc::clone(share), input));
    }

    /// Has the thread end.
    pub(crate) fn stop(&self) {
        self.send(&Share::default(), Input::Stop);
    }

    /// Says that something happened, now.
    pub(crate) fn happened(&self, share: &Share, event: Event, held: Held) {
        self.send(share, Input::Event { event, at: SystemTime::now(), held });
    }

    /// Returns the number of a connection, which no other has had.
    pub(crate) fn next_link(&self) -> LinkId {
        self.links.fetch_add(1, Ordering::Relaxed)
    }

    /// Says that a connection is closed. Returns how it ended.
    pub(crate) async fn close(&self, share: &Share, link: LinkId) -> Ended {
        let (reply, answer) = oneshot::channel();
        self.send(share, Input::LinkClosed { link, reply });
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
