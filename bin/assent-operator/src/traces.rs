//! The spans of a task's steps, for a collector of OpenTelemetry.
//!
//! Each step has one event as its result, which says how the step ended. Texts of spans are those that gateways get.

use std::time::SystemTime;

use alloy_primitives::{Address, B256};
use assent_network::operator::{Action, Event, Ticket};
use assent_program::{Span, Tracer};

use crate::metrics::TimedStep;

/// Records spans of one operator.
#[derive(Clone)]
pub(crate) struct Traces {
    tracer: Tracer,
    operator: Address,
}

impl Traces {
    /// Returns what records the spans of an operator.
    pub(crate) const fn new(tracer: Tracer, operator: Address) -> Self {
        Self { tracer, operator }
    }

    /// Records that a gateway's message began a step of a task, with its wait to be handled.
    pub(crate) fn received(&self, action: &Action, gateway: &str, received_at: SystemTime) {
        if let Some(task_id) = begun(action).filter(|_| self.tracer.is_enabled()) {
            let mut span = self.span(task_id, "receive", received_at);
            span.attributes.push(("assent.gateway", gateway.to_owned()));
            self.tracer.record(span);
        }
    }

    /// Records a step of a task, which ends now with an event.
    pub(crate) fn ended(&self, ticket: Ticket, step: TimedStep, start: SystemTime, event: &Event) {
        if !self.tracer.is_enabled() {
            return;
        }
        let mut span = self.span(ticket.task_id, step.as_str(), start);
        if let Event::Evaluated { result, .. } = event
            && let Ok(evaluation) = result.as_ref()
        {
            span.attributes.push(("assent.decision", evaluation.decision.as_str().to_owned()));
            span.attributes.push(("assent.steps", evaluation.steps.to_string()));
        }
        span.error = error(event);
        self.tracer.record(span);
    }

    /// Records the signature of a batch, once for each of its tasks.
    pub(crate) fn batch_signed(&self, task_ids: &[B256], root: B256, start: SystemTime, event: &Event) {
        if !self.tracer.is_enabled() {
            return;
        }
        for task_id in task_ids {
            let mut span = self.span(*task_id, TimedStep::Sign.as_str(), start);
            span.attributes.push(("assent.batch", root.to_string()));
            span.error = error(event);
            self.tracer.record(span);
        }
    }

    /// Sends what waits, for some seconds at most.
    pub(crate) async fn shutdown(&self) {
        self.tracer.shutdown().await;
    }

    fn span(&self, task_id: B256, name: &'static str, start: SystemTime) -> Span {
        let attributes = vec![("assent.task", task_id.to_string()), ("assent.operator", self.operator.to_string())];
        Span { attributes, ..Span::new(task_id.0, name, start) }
    }
}

/// Returns the task of which a gateway's message begins a step.
fn begun(action: &Action) -> Option<B256> {
    match action {
        Action::Examine { ticket, .. } | Action::Evaluate { ticket, .. } => Some(ticket.task_id),
        _ => None,
    }
}

/// Returns why a step failed, if it did.
fn error(event: &Event) -> Option<String> {
    match event {
        Event::Examined { result, .. } => text(result),
        Event::Observed { result, .. } => text(result),
        Event::ObservationsSigned { result, .. } => text(result),
        Event::Evaluated { result, .. } => text(result),
        Event::EvidenceStored { result, .. } => text(result),
        Event::AttestationSigned { result, .. } | Event::BatchSigned { result, .. } => text(result),
        Event::Failed { reason, .. } => Some(reason.to_string()),
        Event::LinkOpened { .. }
        | Event::LinkClosed { .. }
        | Event::Received { .. }
        | Event::HandoverSigned { .. }
        | Event::ConnectionSigned { .. } => None,
    }
}

fn text<T>(result: &Result<T, impl ToString>) -> Option<String> {
    result.as_ref().err().map(ToString::to_string)
}
