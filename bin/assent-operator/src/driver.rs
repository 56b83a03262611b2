//! The thread that owns the state machine: events in, actions out.
//!
//! It verifies observations' signatures, which takes milliseconds of CPU time. So it is a thread, and not one of the
//! runtime's tasks. What waits or computes longer is done by [`Worker`], and its result comes back as an event.
//!
//! What the queue holds is bounded where it comes from. A connection has so many messages that are not handled, and the
//! worker has so many actions that are not done.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, PoisonError},
    thread,
    time::SystemTime,
};

use assent_network::{
    Bls, LinkId,
    operator::{Action, Event, Operator, Settings},
};
use tokio::sync::mpsc;

use crate::{
    gateway_address::GatewayAddress,
    inputs::{DriverHandle, Input},
    link_sender::LinkSender,
    metrics::OperatorMetrics,
    traces::Traces,
    work::Worker,
};

/// Starts the thread. It ends with [`Input::Stop`].
pub(crate) fn start(
    settings: Settings,
    handle: DriverHandle,
    inputs: mpsc::UnboundedReceiver<Input>,
    worker: Worker,
    metrics: Arc<OperatorMetrics>,
    traces: Traces,
) -> std::io::Result<thread::JoinHandle<()>> {
    let operator = Operator::new(settings, Bls);
    let driver = Driver { operator, handle, worker, metrics, traces, links: HashMap::new() };
    thread::Builder::new().name("operator".to_owned()).spawn(move || driver.run(inputs))
}

struct Driver {
    operator: Operator<Bls>,
    handle: DriverHandle,
    worker: Worker,
    metrics: Arc<OperatorMetrics>,
    traces: Traces,
    links: HashMap<LinkId, OpenLink>,
}

struct OpenLink {
    gateway: GatewayAddress,
    sender: LinkSender,
    /// Whether the gateway accepted the operator.
    is_welcome: bool,
}

impl Driver {
    fn run(mut self, mut inputs: mpsc::UnboundedReceiver<Input>) {
        while let Some(input) = inputs.blocking_recv() {
            match input {
                Input::LinkOpened { link, gateway, sender } => {
                    let name = gateway.name().to_owned();
                    self.links.insert(link, OpenLink { gateway, sender, is_welcome: false });
                    self.handle(Event::LinkOpened { link, gateway: name }, None);
                }
                Input::LinkClosed { link, reply } => {
                    let closed = self.links.remove(&link);
                    self.handle(Event::LinkClosed { link }, None);
                    let _ = reply.send(closed.is_some_and(|link| link.is_welcome));
                    self.publish();
                }
                Input::Event { event, at, permit } => {
                    let from = match &event {
                        Event::Received { link, .. } => Some(*link),
                        _ => None,
                    };
                    self.handle(event, from.map(|link| (link, at)));
                    drop(permit);
                    self.welcome(from);
                }
                Input::Stop => break,
            }
            self.metrics.tasks.set(i64::try_from(self.operator.task_count()).unwrap_or(i64::MAX));
        }
    }

    /// Handles an event. `received` has the connection of a message, and when it was read.
    fn handle(&mut self, event: Event, received: Option<(LinkId, SystemTime)>) {
        for action in self.operator.handle(event) {
            if let Some((link, at)) = received
                && let Some(open) = self.links.get(&link)
            {
                self.traces.received(&action, open.gateway.name(), at);
            }
            match action {
                Action::Send { link, message } => self.send(link, message),
                Action::Close { link, reason } => {
                    if let Some(open) = self.links.get(&link) {
                        open.sender.close(reason);
                    }
                }
                action => self.worker.carry_out(action, &self.handle),
            }
        }
    }

    fn send(&mut self, link: LinkId, message: String) {
        let Some(open) = self.links.get(&link) else { return };
        self.metrics.count_message(&message);
        if !open.sender.send(message) {
            self.handle.log(&format!("the gateway {} takes messages too slowly: closing its connection", open.gateway));
            // The connection ends, since its sender is dropped, and says so.
            self.links.remove(&link);
        }
    }

    /// Notes that a gateway accepted the operator, if it did so just now.
    fn welcome(&mut self, link: Option<LinkId>) {
        let Some(link) = link else { return };
        let Some(open) = self.links.get_mut(&link).filter(|open| !open.is_welcome) else { return };
        if self.operator.open_links().any(|open| open == link) {
            open.is_welcome = true;
            self.handle.log(&format!("connected to the gateway {}", open.gateway));
            self.publish();
        }
    }

    fn publish(&self) {
        let welcome = self.links.values().filter(|open| open.is_welcome);
        let gateways: BTreeSet<_> = welcome.map(|open| open.gateway.name().to_owned()).collect();
        self.metrics.gateways.set(i64::try_from(gateways.len()).unwrap_or(i64::MAX));
        *self.handle.open.0.lock().unwrap_or_else(PoisonError::into_inner) = gateways;
    }
}
