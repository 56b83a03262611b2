//! What is sent to an operator, with a limit.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::{Notify, mpsc};

/// How many messages may wait for an operator that does not read, and how many bytes.
const MAX_QUEUED: usize = 1024;
const MAX_QUEUED_BYTES: usize = 16 * 1024 * 1024;

/// The gateway's side of a connection.
pub(crate) struct LinkHandle {
    messages: mpsc::Sender<String>,
    queued: Arc<AtomicUsize>,
    reason: Arc<OnceLock<String>>,
    proof: Arc<Notify>,
}

/// The connection's side: what is to be sent, and why it ends.
pub(crate) struct Outgoing {
    messages: mpsc::Receiver<String>,
    queued: Arc<AtomicUsize>,
    reason: Arc<OnceLock<String>>,
}

impl LinkHandle {
    pub(crate) fn new() -> (Self, Outgoing) {
        let (messages, receiver) = mpsc::channel(MAX_QUEUED);
        let (queued, reason) = (Arc::new(AtomicUsize::new(0)), Arc::new(OnceLock::new()));
        let proof = Arc::default();
        let handle = Self { messages, queued: Arc::clone(&queued), reason: Arc::clone(&reason), proof };
        (handle, Outgoing { messages: receiver, queued, reason })
    }

    /// Returns what is notified when the operator has proved who it is.
    pub(crate) fn proof(&self) -> Arc<Notify> {
        Arc::clone(&self.proof)
    }

    /// Tells the connection that the operator has proved who it is.
    pub(crate) fn set_proven(&self) {
        self.proof.notify_one();
    }

    /// Queues a message. Returns whether there was room.
    pub(crate) fn send(&self, message: String) -> bool {
        let length = message.len();
        let before = self.queued.fetch_add(length, Ordering::Relaxed);
        if before.saturating_add(length) > MAX_QUEUED_BYTES {
            return false;
        }
        match self.messages.try_send(message) {
            // A connection that has ended is reported by its own task.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => true,
            Err(mpsc::error::TrySendError::Full(_)) => false,
        }
    }

    /// Closes the connection after what is queued.
    pub(crate) fn close(self, reason: &str) {
        let _ = self.reason.set(reason.to_owned());
    }
}

impl Outgoing {
    /// Returns the next message; nothing once the gateway has let go of the connection.
    pub(crate) async fn next(&mut self) -> Option<String> {
        let message = self.messages.recv().await?;
        self.queued.fetch_sub(message.len(), Ordering::Relaxed);
        Some(message)
    }

    /// Returns why the gateway closes the connection, if it does.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.reason.get().map(String::as_str)
    }
}
