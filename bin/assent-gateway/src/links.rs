//! The operators' connections: WebSockets with one message a text frame.

use std::{net::IpAddr, sync::Arc, time::Duration};

use alloy_primitives::B256;
use assent_network::{LinkId, gateway::Event, message::MAX_MESSAGE};
use assent_program::{Share, Shares};
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio::{
    sync::{Notify, Semaphore},
    time::{Instant, sleep_until, timeout},
};

use crate::{
    driver::{DriverHandle, Input},
    link_handle::{LinkHandle, Outgoing},
    text::bounded,
};

/// How many of a connection's messages may wait for the gateway.
const MAX_RECEIVED: usize = 64;
/// How many messages of a connection are taken in a second; further ones wait in the network.
const MAX_RECEIVED_A_SECOND: u32 = 5000;
/// How long an operator may be silent. Pings ask it more often.
const LONGEST_SILENCE: Duration = Duration::from_secs(45);
/// How long an operator may take to prove who it is.
const LONGEST_GREETING: Duration = Duration::from_secs(10);
/// The most connections whose operators have not proved who they are, and the most of them from one address.
///
/// A proof takes milliseconds, and an operator that is refused dials again.
pub(crate) const MAX_UNPROVEN: usize = 128;
const MAX_UNPROVEN_PER_ADDRESS: usize = 32;
/// How long a message may take to be sent.
const LONGEST_SEND: Duration = Duration::from_secs(10);
/// The most bytes of a close frame's reason.
const LONGEST_REASON: usize = 120;

/// The connections of operators at the same time. They count apart from those of callers..
#[derive(Clone)]
pub(crate) struct LinkLimits {
    proven: Arc<Semaphore>,
    unproven: Shares<IpAddr>,
}

impl LinkLimits {
    /// Allows a number of operators that have proved who they are.
    pub(crate) fn new(most: usize) -> Self {
        let proven = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Self { proven, unproven: Shares::new(MAX_UNPROVEN, MAX_UNPROVEN_PER_ADDRESS) }
    }
}

/// Accepts an operator's connection, if there are not too many.
pub(crate) fn accept(
    upgrade: WebSocketUpgrade,
    driver: DriverHandle,
    limits: &LinkLimits,
    address: IpAddr,
) -> Response {
    let refuse = |reason: &'static str| (StatusCode::SERVICE_UNAVAILABLE, reason).into_response();
    if limits.proven.available_permits() == 0 {
        return refuse("the gateway has too many operators\n");
    }
    let Ok(unproven) = limits.unproven.take(address, 1) else {
        return refuse("too many connections have not proved which operator they are\n");
    };
    let proven = Arc::clone(&limits.proven);
    let upgrade = upgrade.max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE);
    upgrade.on_upgrade(move |socket| serve(socket, driver, unproven, proven))
}

async fn serve(socket: WebSocket, driver: DriverHandle, unproven: Share<IpAddr>, proven: Arc<Semaphore>) {
    let mut challenge = B256::ZERO;
    if getrandom::fill(&mut challenge.0).is_err() {
        // Without randomness, a proof could be repeated.
        return;
    }
    let link = driver.number();
    let (handle, outgoing) = LinkHandle::new();
    let proof = handle.proof();
    driver.send(Input::LinkOpened { link, challenge, handle });

    let (sink, stream) = socket.split();
    tokio::select! {
        () = read(stream, link, &driver) => {}
        () = write(sink, outgoing) => {}
        () = require_proof(&proof, unproven, proven) => {}
    }
    driver.event(Event::LinkClosed { link });
}

async fn read(mut stream: SplitStream<WebSocket>, link: LinkId, driver: &DriverHandle) {
    let permits = Arc::new(Semaphore::new(MAX_RECEIVED));
    let (mut second, mut received) = (Instant::now(), 0_u32);
    while let Ok(Some(Ok(message))) = timeout(LONGEST_SILENCE, stream.next()).await {
        let message = match message {
            Message::Text(text) => text.as_bytes().to_vec(),
            // The state machine refuses what is not a message.
            Message::Binary(bytes) => bytes.to_vec(),
            Message::Ping(_) | Message::Pong(_) => continue,
            Message::Close(_) => break,
        };
        if second.elapsed() >= Duration::from_secs(1) {
            (second, received) = (Instant::now(), 0);
        }
        received = received.saturating_add(1);
        if received > MAX_RECEIVED_A_SECOND {
            sleep_until(second + Duration::from_secs(1)).await;
        }
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { break };
        driver.send(Input::Received { link, message, permit });
    }
}

async fn write(mut sink: SplitSink<WebSocket, Message>, mut outgoing: Outgoing) {
    while let Some(message) = outgoing.next().await {
        let sent = timeout(LONGEST_SEND, sink.send(Message::Text(message.into()))).await;
        if !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
    // The gateway has let go of the connection, and what was queued is sent.
    if let Some(reason) = outgoing.reason() {
        let reason = bounded(reason, LONGEST_REASON).to_owned();
        let frame = CloseFrame { code: close_code::POLICY, reason: reason.into() };
        let _ = timeout(LONGEST_SEND, sink.send(Message::Close(Some(frame)))).await;
    }
}

/// Waits until the operator has not proved who it is for too long, or there are too many that have.
async fn require_proof(proof: &Notify, unproven: Share<IpAddr>, proven: Arc<Semaphore>) {
    if timeout(LONGEST_GREETING, proof.notified()).await.is_err() {
        return;
    }
    let Ok(_permit) = proven.try_acquire_owned() else { return };
    drop(unproven);
    std::future::pending().await
}
