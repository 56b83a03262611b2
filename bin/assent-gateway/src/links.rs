//! The operators' connections: WebSockets with one message a text frame.

use std::{sync::Arc, time::Duration};

use alloy_primitives::B256;
use assent_network::{LinkId, gateway::Event, message::MAX_MESSAGE};
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
    sync::Semaphore,
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
/// How long a message may take to be sent.
const LONGEST_SEND: Duration = Duration::from_secs(10);
/// The most bytes of a close frame's reason.
const LONGEST_REASON: usize = 120;

/// Accepts an operator's connection, if there are not too many.
pub(crate) fn accept(upgrade: WebSocketUpgrade, driver: DriverHandle, links: Arc<Semaphore>) -> Response {
    let Ok(permit) = links.try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "the gateway has too many operators\n").into_response();
    };
    let upgrade = upgrade.max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE);
    upgrade.on_upgrade(move |socket| async move {
        serve(socket, driver).await;
        drop(permit);
    })
}

async fn serve(socket: WebSocket, driver: DriverHandle) {
    let mut challenge = B256::ZERO;
    if getrandom::fill(&mut challenge.0).is_err() {
        // Without randomness, a proof could be repeated.
        return;
    }
    let link = driver.number();
    let (handle, outgoing) = LinkHandle::new();
    driver.send(Input::LinkOpened { link, challenge, handle });

    let (sink, stream) = socket.split();
    tokio::select! {
        () = read(stream, link, &driver) => {}
        () = write(sink, outgoing) => {}
        () = require_proof(link, &driver) => {}
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

/// Waits until the operator has not proved who it is for too long.
async fn require_proof(link: LinkId, driver: &DriverHandle) {
    tokio::time::sleep(LONGEST_GREETING).await;
    if driver.is_proven(link).await {
        std::future::pending().await
    }
}
