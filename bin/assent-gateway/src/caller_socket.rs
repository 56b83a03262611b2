//! A caller's WebSocket: calls as text frames, and the notifications of its subscriptions.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use assent_program::{ConnectionPermit, Share};
use axum::{
    extract::ws::{Message, WebSocket, WebSocketUpgrade},
    response::Response,
};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio::{
    sync::{Semaphore, broadcast, mpsc},
    time::timeout,
};

use crate::{
    api::Api,
    callers::PROTOCOL,
    driver::TaskEvent,
    rpc::{AnswerText, CallContext, Incoming, error::RpcError, error_text},
    service::Service,
    subscriptions::Subscriptions,
};

/// How many texts of a connection are answered at the same time.
const MAX_AT_ONCE: usize = 32;
/// How many answers may wait for a caller that does not read.
const MAX_QUEUED: usize = 64;
/// How long a caller may be silent. Its WebSocket library answers pings.
const LONGEST_SILENCE: Duration = Duration::from_secs(120);
const PING_INTERVAL: Duration = Duration::from_secs(30);
/// How long a text may take to be sent.
const LONGEST_SEND: Duration = Duration::from_secs(10);

/// Accepts a caller's connection.
pub(crate) fn accept(
    upgrade: WebSocketUpgrade,
    api: Api,
    caller: Arc<str>,
    held: (ConnectionPermit, Share<IpAddr>),
) -> Response {
    let most = api.service.limits.max_body;
    let upgrade = upgrade.max_message_size(most).max_frame_size(most).protocols([PROTOCOL]);
    upgrade.on_upgrade(move |socket| async move {
        serve(socket, api, caller).await;
        drop(held);
    })
}

async fn serve(socket: WebSocket, api: Api, caller: Arc<str>) {
    let subscriptions = Arc::new(Subscriptions::default());
    // Before the first call: no change is missed.
    let events = api.service.driver.subscribe();
    let (answers, outgoing) = mpsc::channel(MAX_QUEUED);
    let context = CallContext { caller: Arc::clone(&caller), subscriptions: Some(Arc::clone(&subscriptions)) };
    let (sink, stream) = socket.split();
    let service = Arc::clone(&api.service);
    let mut stopping = api.stopping.clone();
    tokio::select! {
        // A caller that waits asks another gateway, or this one once it is there again.
        _ = stopping.wait_for(|stopping| *stopping) => {}
        () = read(stream, api, context, answers.clone()) => {}
        () = write(sink, outgoing) => {}
        () = follow(events, &service, &subscriptions, &caller, answers) => {}
    }
}

async fn read(mut stream: SplitStream<WebSocket>, api: Api, context: CallContext, answers: mpsc::Sender<AnswerText>) {
    let permits = Arc::new(Semaphore::new(MAX_AT_ONCE));
    while let Ok(Some(Ok(message))) = timeout(LONGEST_SILENCE, stream.next()).await {
        let text = match message {
            Message::Text(text) => text,
            Message::Ping(_) | Message::Pong(_) => continue,
            Message::Binary(_) | Message::Close(_) => break,
        };
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { break };
        let (api, context, answers) = (api.clone(), context.clone(), answers.clone());
        tokio::spawn(async move {
            if let Some(answer) = answer(text.as_bytes(), &api, &context).await {
                let _ = answers.send(answer).await;
            }
            for (subscription, task_id) in context.subscriptions.iter().flat_map(|known| known.take_fresh()) {
                if let Ok(task) = api.service.task(task_id).await
                    && let Some(text) = api.service.hold(&context.caller, notification(&subscription, &task))
                {
                    let _ = answers.send(AnswerText::Held(text)).await;
                }
            }
            drop(permit);
        });
    }
}

async fn answer(text: &[u8], api: &Api, context: &CallContext) -> Option<AnswerText> {
    let incoming = match Incoming::parse(text, api.service.limits.max_batch) {
        Ok(incoming) => incoming,
        Err(error) => {
            let _ = api.limiter.take(&context.caller, 1, Instant::now());
            return Some(AnswerText::Short(error_text(&error)));
        }
    };
    let calls = u32::try_from(incoming.len()).unwrap_or(u32::MAX);
    if let Err(wait) = api.limiter.take(&context.caller, calls, Instant::now()) {
        api.service.metrics.count_limited();
        let refusal = incoming.refuse(&RpcError::rate_limited(wait.as_secs().saturating_add(1)));
        return Some(AnswerText::Short(refusal));
    }
    incoming.answer(&api.service, context).await.map(|answer| answer.text)
}

async fn write(mut sink: SplitSink<WebSocket, Message>, mut outgoing: mpsc::Receiver<AnswerText>) {
    let mut pings = tokio::time::interval(PING_INTERVAL);
    loop {
        // It counts until it is sent.
        let held = tokio::select! {
            text = outgoing.recv() => match text {
                Some(text) => Some(text),
                None => return,
            },
            _ = pings.tick() => None,
        };
        let message = match &held {
            Some(text) => Message::Text(text.as_str().into()),
            None => Message::Ping(Vec::new().into()),
        };
        if !matches!(timeout(LONGEST_SEND, sink.send(message)).await, Ok(Ok(()))) {
            return;
        }
    }
}

/// Sends what subscriptions are about, until the caller is too far behind: then it connects again, and asks anew.
async fn follow(
    mut events: broadcast::Receiver<TaskEvent>,
    service: &Service,
    subscriptions: &Subscriptions,
    caller: &Arc<str>,
    answers: mpsc::Sender<AnswerText>,
) {
    while let Ok(event) = events.recv().await {
        let (task_id, concerned) = subscriptions.concerned(event);
        if concerned.is_empty() {
            continue;
        }
        let Ok(task) = service.task(task_id).await else { continue };
        for subscription in concerned {
            let Some(text) = service.hold(caller, notification(&subscription, &task)) else { return };
            if answers.send(AnswerText::Held(text)).await.is_err() {
                return;
            }
        }
    }
}

fn notification(subscription: &str, task: &str) -> String {
    let params = format!(r#"{{"result":{task},"subscription":"{subscription}"}}"#);
    format!(r#"{{"jsonrpc":"2.0","method":"assent_subscription","params":{params}}}"#)
}
