//! The queue of what is written to a connection.

use tokio::sync::mpsc;

/// The most messages to a gateway that are not sent yet. Then it is too slow, and its connection is closed.
const UNSENT: usize = 256;

/// The end of a connection that the driver writes to.
#[derive(Debug, Clone)]
pub(crate) struct LinkSender {
    messages: mpsc::Sender<Outgoing>,
}

/// What is written to a connection.
pub(crate) enum Outgoing {
    Message(String),
    Close(String),
}

impl LinkSender {
    /// Returns an empty queue, and the end that is read.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Outgoing>) {
        let (messages, outgoing) = mpsc::channel(UNSENT);
        (Self { messages }, outgoing)
    }

    /// Queues a message. Returns whether there was room.
    pub(crate) fn send(&self, message: String) -> bool {
        self.messages.try_send(Outgoing::Message(message)).is_ok()
    }

    /// Closes the connection after what is queued, or at once if there is no room.
    pub(crate) fn close(&self, reason: String) {
        // When the driver drops the sender, the connection ends.
        let _ = self.messages.try_send(Outgoing::Close(reason));
    }
}
