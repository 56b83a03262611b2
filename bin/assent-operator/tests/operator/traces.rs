//! Traces, as a collector of OpenTelemetry gets them.

use assent_network::gateway::TaskOutcome;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

use crate::{
    collector::{ReceivedSpan, collector},
    fixture::{Fixture, Result},
    gateway::TestGateway,
};

/// A task's spans when it is decided, in the order in which they begin.
const STEPS: [&str; 5] = ["receive", "examine", "evaluate", "storeEvidence", "sign"];

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_the_spans_of_a_task_s_steps() -> Result {
    let (url, received) = collector().await;
    let mut fixture = Fixture::new().await?;
    let gateway = TestGateway::start(fixture.domain(), fixture.epoch.clone()).await?;
    fixture.configure(gateway.address, &format!("otlp-endpoint = \"{url}\"\n"))?;
    let process = fixture.run()?;
    gateway.connected(1).await?;
    let decided = fixture.task(1, 501).await?;
    let outcome = gateway.decide(fixture.accepted(decided.clone())).await?;
    assert!(matches!(outcome, TaskOutcome::Attested { .. }), "{outcome:?}");
    let refused = fixture.task(2, 1).await?;
    fixture.anvil.child_mut().kill()?;
    gateway.offer(&refused);
    let refusal = gateway.refusal(refused.id(fixture.domain())).await?;
    // What waits is sent before the operator ends.
    assert!(process.terminate()?);

    let spans = received.lock().unwrap().clone();
    let of_task = |task_id: &[u8]| {
        // The gateway's root span is not there, whose id follows the trace's.
        let of_task = spans.iter().filter(|received| {
            received.span.trace_id == task_id[..16] && received.span.parent_span_id == task_id[16..24]
        });
        let mut of_task: Vec<&ReceivedSpan> = of_task.collect();
        of_task.sort_by_key(|received| received.span.start_time_unix_nano);
        of_task
    };
    let named = |spans: &[&ReceivedSpan]| spans.iter().map(|received| received.span.name.clone()).collect::<Vec<_>>();
    let failed = |received: &ReceivedSpan| {
        let status = received.span.status.clone().unwrap_or_default();
        (status.code() == StatusCode::Error).then_some(status.message)
    };
    let task_id = decided.id(fixture.domain());
    let steps = of_task(task_id.as_slice());
    assert_eq!(named(&steps), STEPS, "{spans:?}");
    for received in &steps {
        assert_eq!(received.resource["service.name"], "assent-operator");
        assert_eq!(received.resource["service.instance.id"], fixture.operator().to_string());
        assert_eq!(received.attributes["assent.operator"], fixture.operator().to_string());
        assert_eq!(received.attributes["assent.task"], task_id.to_string());
        assert!(received.span.end_time_unix_nano >= received.span.start_time_unix_nano);
        assert_eq!(failed(received), None);
    }
    assert_eq!(steps[0].attributes["assent.gateway"], gateway.address.to_string());
    assert_eq!(steps[2].attributes["assent.decision"], "deny");
    assert!(steps[2].attributes["assent.steps"].parse::<u64>()? > 0);

    let steps = of_task(refused.id(fixture.domain()).as_slice());
    assert_eq!(named(&steps), ["receive", "examine"], "{spans:?}");
    assert_eq!(failed(steps[1]), Some(refusal.message));
    assert_eq!(spans.len(), STEPS.len() + 2, "{spans:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_not_there_delays_no_decision() -> Result {
    let fixture = Fixture::new().await?;
    let gateway = TestGateway::start(fixture.domain(), fixture.epoch.clone()).await?;
    // It takes connections, and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0")?;
    fixture.configure(gateway.address, &format!("otlp-endpoint = \"http://{}\"\n", silent.local_addr()?))?;
    let _process = fixture.run()?;
    gateway.connected(1).await?;
    for nonce in 1..4 {
        let task = fixture.task(nonce, 1).await?;
        assert!(matches!(gateway.decide(fixture.accepted(task)).await?, TaskOutcome::Attested { .. }));
    }
    Ok(())
}
