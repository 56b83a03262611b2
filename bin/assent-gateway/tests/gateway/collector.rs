//! A collector of OpenTelemetry, which keeps the spans that it gets.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value},
    trace::v1::Span,
};
use prost::Message;

pub type Received = Arc<Mutex<Vec<ReceivedSpan>>>;

#[derive(Debug, Clone)]
pub struct ReceivedSpan {
    pub span: Span,
    pub attributes: BTreeMap<String, String>,
    pub resource: BTreeMap<String, String>,
}

fn attributes(known: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |value: AnyValue| match value.value.unwrap() {
        any_value::Value::StringValue(text) => text,
        other => panic!("{other:?}"),
    };
    known.into_iter().map(|known| (known.key, text(known.value.unwrap()))).collect()
}

/// Starts a collector. Returns its URL, and the spans that it gets, with their resource.
pub async fn collector() -> (String, Received) {
    async fn take(State(received): State<Received>, body: Bytes) {
        let request = ExportTraceServiceRequest::decode(body).unwrap();
        for of_resource in request.resource_spans {
            let resource = attributes(of_resource.resource.unwrap().attributes);
            for span in of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                let attributes = attributes(span.attributes.clone());
                received.lock().unwrap().push(ReceivedSpan { span, attributes, resource: resource.clone() });
            }
        }
    }

    let received = Received::default();
    let router = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&received));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, received)
}
