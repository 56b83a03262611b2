//! The thread that owns the state machine: events in, actions out.
//!
//! It verifies observations' signatures, which takes milliseconds of CPU time. So it is a thread, and not one of the
//! runtime's tasks. What waits or computes longer is done by [`Worker`], and its result comes back as an event.
//!
//! What the queue holds is bounded where it comes from. A connection has so many messages that are not handled, and the
//! worker has so many actions that are not done. Gateways take turns: the next input is another's, if another has one.

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
    fair_queue::{FairQueue, Share},
    gateway_address::GatewayAddress,
    inputs::{DriverHandle, Ended, Input},
    link_sender::LinkSender,
    metrics::OperatorMetrics,
    traces::Traces,
    work::Worker,
};

/// Starts the thread. It ends with [`Input::Stop`].
pub(crate) fn start(
    settings: Settings,
    handle: DriverHandle,
    inputs: mpsc::UnboundedReceiver<(Share, Input)>,
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
    /// Nothing once it is to be closed.
    sender: Option<LinkSender>,
    /// Whether the gateway accepted the operator.
    is_welcome: bool,
    /// Whether it sent what no honest one sends.
    is_barred: bool,
}

impl Driver {
    fn run(mut self, mut inputs: mpsc::UnboundedReceiver<(Share, Input)>) {
        let mut queue = FairQueue::default();
        loop {
            // What came meanwhile takes part in the turns.
            while let Ok((share, input)) = inputs.try_recv() {
                queue.push(share, input);
            }
            let Some(input) = queue.pop() else {
                let Some((share, input)) = inputs.blocking_recv() else { break };
                queue.push(share, input);
                continue;
            };
            match input {
                Input::LinkOpened { link, gateway, sender } => {
                    let name = gateway.name().to_owned();
                    let open = OpenLink { gateway, sender: Some(sender), is_welcome: false, is_barred: false };
                    self.links.insert(link, open);
                    self.handle(Event::LinkOpened { link, gateway: name }, None);
                }
                Input::LinkClosed { link, reply } => {
                    let closed = self.links.remove(&link);
                    self.handle(Event::LinkClosed { link }, None);
                    let ended = |open: OpenLink| Ended { was_welcome: open.is_welcome, is_barred: open.is_barred };
                    let _ = reply.send(closed.map(ended).unwrap_or_default());
                    self.publish();
                }
                Input::Event { event, at, held } => {
                    let from = match &event {
                        Event::Received { link, .. } => Some(*link),
                        _ => None,
                    };
                    self.handle(event, from.map(|link| (link, at)));
                    drop(held);
                    self.welcome(from);
                }
                Input::Stop => break,
            }
            self.metrics.tasks.set(i64::try_from(self.operator.task_count()).unwrap_or(i64::MAX));
            let counted = self.metrics.invalid_observations.get();
            self.metrics.invalid_observations.inc_by(self.operator.invalid_sets().saturating_sub(counted));
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
                Action::Close { link, reason, is_barred } => {
                    if let Some(open) = self.links.get_mut(&link) {
                        open.is_barred |= is_barred;
                        // Without room for the reason it ends, too: the sender is dropped.
                        open.sender.take().into_iter().for_each(|sender| sender.close(reason.clone()));
                    }
                }
                action => {
                    // What belongs to no gateway is the operator's own.
                    let share = self.operator.gateway_of(&action).unwrap_or_default();
                    self.worker.carry_out(action, share, &self.handle);
                }
            }
        }
    }

    fn send(&mut self, link: LinkId, message: String) {
        let Some(open) = self.links.get(&link) else { return };
        let Some(sender) = &open.sender else { return };
        self.metrics.count_message(&message);
        if !sender.send(message) {
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
