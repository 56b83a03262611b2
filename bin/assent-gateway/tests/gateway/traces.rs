//! Traces, as a collector of OpenTelemetry gets them.

use std::time::Duration;

use serde_json::json;

use crate::{
    collector::{ReceivedSpan, collector},
    operator::Operators,
    world::{TestGateway, hash, run, world},
};

#[test]
fn a_collector_gets_the_spans_of_a_decision() {
    run(async {
        let (url, received) = collector().await;
        let world = world().await;
        let gateway = TestGateway::with(|options| options.otlp_endpoint = Some(url)).await;
        let operators = Operators::connect(gateway.gateway.address(), 4).await;
        let vault = world.observing_vault;
        let request = json!({ "policyClient": vault, "intent": world.payment(vault, 7) });
        let task = gateway.call("assent_requestAuthorization", request).await.unwrap();
        // What waits is sent before the gateway stops.
        gateway.gateway.stop().await;
        drop(operators);

        let spans = received.lock().unwrap().clone();
        let task_id = task["taskId"].as_str().unwrap();
        let bytes = hash(&task["taskId"]);
        let (trace_id, root_id) = (&bytes[..16], &bytes[16..24]);
        let named = |name: &str| spans.iter().filter(|received| received.span.name == name).collect::<Vec<_>>();
        let [root] = named("task")[..] else { panic!("{spans:?}") };
        assert_eq!((&root.span.trace_id[..], &root.span.span_id[..]), (trace_id, root_id));
        assert_eq!(
            (root.attributes["assent.task"].as_str(), root.attributes["assent.decision"].as_str()),
            (task_id, "allow")
        );
        assert_eq!(root.resource["service.name"], "assent-gateway");
        assert_eq!((named("agree").len(), named("decide").len()), (1, 1));
        let answers = named("answer");
        let signed = answers.iter().filter(|answer| answer.attributes["assent.answer"] == "signed");
        assert!(signed.count() >= 3, "{spans:?}");
        for ReceivedSpan { span, .. } in spans.iter().filter(|received| received.span.name != "task") {
            assert_eq!((&span.trace_id[..], &span.parent_span_id[..]), (trace_id, root_id));
            assert!(span.start_time_unix_nano >= root.span.start_time_unix_nano);
            assert!(span.end_time_unix_nano <= root.span.end_time_unix_nano);
        }
    });
}

#[test]
fn a_collector_that_does_not_answer_delays_no_decision() {
    run(async {
        // It takes connections, and says nothing.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let gateway = TestGateway::with(|options| options.otlp_endpoint = Some(url)).await;
        let _operators = Operators::connect(gateway.gateway.address(), 4).await;
        for amount in 0..3 {
            let request = gateway.call("assent_requestAuthorization", world().await.request(amount));
            let task = tokio::time::timeout(Duration::from_secs(60), request).await.unwrap().unwrap();
            assert_eq!(task["status"], "attested");
        }
    });
}
