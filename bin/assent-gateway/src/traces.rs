//! The spans of a task, made of what the gateway remembers when the task ends.

use std::time::{Duration, SystemTime};

use alloy_primitives::B256;
use assent_network::gateway::{OperatorAnswerKind, TaskOutcome, TaskProgress};
use assent_program::{Span, Tracer};
use assent_types::Decision;

/// Records the spans of a task that ended.
pub(crate) fn record(tracer: &Tracer, task_id: B256, progress: &TaskProgress) {
    let Some(ended_at) = progress.ended_at else { return };
    let span = |name, start, end| Span { end: time(end), ..Span::new(task_id.0, name, time(start)) };
    let task = &progress.accepted.task;

    let mut root = span("task", progress.since, ended_at);
    root.is_root = true;
    root.attributes = vec![
        ("assent.task", task_id.to_string()),
        ("assent.client", task.policy_client.to_string()),
        ("assent.policy", task.policy_id.to_string()),
        ("assent.epoch", u32::from(task.epoch).to_string()),
        ("assent.block", task.block_number.to_string()),
    ];
    match &progress.outcome {
        Some(TaskOutcome::Attested { document, .. }) => {
            let decision = Decision::try_from(document.attestation.decision).map_or("", Decision::as_str);
            root.attributes.push(("assent.decision", decision.to_owned()));
        }
        Some(TaskOutcome::Failed(failure)) => {
            root.attributes.push(("assent.failure", failure.code.as_str().to_owned()));
            root.error = Some(failure.message.clone());
        }
        None => {}
    }
    tracer.record(root);

    let decided_from = progress.agreed_at.unwrap_or(progress.since);
    if let Some(agreed_at) = progress.agreed_at {
        tracer.record(span("agree", progress.since, agreed_at));
    }
    tracer.record(span("decide", decided_from, ended_at));
    for answer in &progress.answers {
        let mut span = span("answer", progress.since, answer.at);
        span.attributes =
            vec![("assent.operator", answer.operator.to_string()), ("assent.answer", answer.kind.as_str().to_owned())];
        if let OperatorAnswerKind::Refused(refusal) = &answer.kind {
            span.error = Some(refusal.message.clone());
        }
        tracer.record(span);
    }
}

/// Returns the time of Unix milliseconds.
fn time(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}
