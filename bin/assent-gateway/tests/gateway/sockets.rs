//! Calls and subscriptions over a WebSocket, and TLS.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::{
    openrpc::require,
    operator::Operators,
    world::{TestGateway, run, world},
};

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    async fn connect(gateway: &TestGateway) -> Self {
        let url = format!("ws://{}/ws", gateway.gateway.address());
        Self(connect_async(url).await.unwrap().0)
    }

    async fn send(&mut self, method: &str, params: Value, id: u64) {
        let call = json!({ "jsonrpc": "2.0", "method": method, "params": params, "id": id });
        self.0.send(Message::Text(call.to_string().into())).await.unwrap();
    }

    async fn next(&mut self) -> Value {
        loop {
            match self.0.next().await.unwrap().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn a_task_is_followed_from_its_acceptance_to_its_end() {
    run(async {
        let (world, gateway) = (world().await, TestGateway::start().await);
        let mut socket = Socket::connect(&gateway).await;
        socket.send("assent_submitTask", world.request(20), 1).await;
        let submitted = socket.next().await;
        assert_eq!((&submitted["id"], &submitted["result"]["status"]), (&json!(1), &json!("pending")), "{submitted}");
        let task_id = &submitted["result"]["taskId"];
        socket.send("assent_subscribe", json!([task_id]), 2).await;
        let subscribed = socket.next().await;
        require("SubscriptionId", &subscribed["result"]);
        let first = socket.next().await;
        assert_eq!(first["method"], "assent_subscription");
        assert_eq!(first["params"]["subscription"], subscribed["result"]);
        assert_eq!(first["params"]["result"]["status"], "pending");
        let _operators = Operators::connect(gateway.gateway.address(), 4).await;
        let ended = socket.next().await;
        require("AttestedTask", &ended["params"]["result"]);
        assert_eq!(ended["params"]["result"]["taskId"], *task_id);
        // Its end ended the subscription.
        socket.send("assent_unsubscribe", json!([subscribed["result"]]), 3).await;
        assert_eq!(socket.next().await["result"], false);
    });
}

#[test]
fn all_decisions_are_followed_until_the_subscription_ends() {
    run(async {
        let (world, gateway) = (world().await, TestGateway::start().await);
        let _operators = Operators::connect(gateway.gateway.address(), 4).await;
        let mut socket = Socket::connect(&gateway).await;
        socket.send("assent_subscribe", json!([]), 1).await;
        let subscription = socket.next().await["result"].clone();
        for amount in [21, 2000] {
            let task = gateway.call("assent_requestAuthorization", world.request(amount)).await.unwrap();
            let notified = socket.next().await;
            assert_eq!(notified["params"]["result"]["authorization"], task["authorization"]);
        }
        socket.send("assent_unsubscribe", json!([subscription]), 2).await;
        assert_eq!(socket.next().await["result"], true);
        gateway.call("assent_requestAuthorization", world.request(22)).await.unwrap();
        socket.send("assent_health", json!([]), 3).await;
        assert_eq!(socket.next().await["id"], 3, "a notification after the subscription ended");
    });
}

#[test]
fn a_socket_answers_as_a_post_does() {
    run(async {
        let gateway = TestGateway::with(|options| (options.rate, options.burst) = (Some(1), Some(32))).await;
        let mut socket = Socket::connect(&gateway).await;
        for (text, code) in [("garbage", -32700), ("[]", -32600), ("{}", -32600)] {
            socket.0.send(Message::Text(text.into())).await.unwrap();
            assert_eq!(socket.next().await["error"]["code"], code, "{text}");
        }
        let batch = json!([
            { "jsonrpc": "2.0", "method": "assent_health", "id": "a" },
            { "jsonrpc": "2.0", "method": "nothing", "id": null },
        ]);
        socket.0.send(Message::Text(batch.to_string().into())).await.unwrap();
        let answers = socket.next().await;
        assert_eq!((&answers[0]["id"], &answers[1]["error"]["code"]), (&json!("a"), &json!(-32601)));
        let mut limited = Value::Null;
        for id in 0..40 {
            socket.send("assent_health", json!([]), id).await;
            let answer = socket.next().await;
            assert_eq!(answer["id"], id);
            limited = answer["error"]["data"]["code"].clone();
        }
        assert_eq!(limited, "rateLimited");
        let too_many = Socket::connect(&gateway).await;
        drop(too_many);
    });
}

#[test]
fn subscriptions_of_a_connection_are_bounded() {
    run(async {
        let gateway = TestGateway::start().await;
        let mut socket = Socket::connect(&gateway).await;
        for id in 0..65 {
            socket.send("assent_subscribe", json!([]), id).await;
            let answer = socket.next().await;
            assert_eq!(answer.get("result").is_some(), id < 64, "{answer}");
        }
        let unknown = json!(["0x1111111111111111111111111111111111111111111111111111111111111111"]);
        socket.send("assent_subscribe", unknown, 100).await;
        assert_eq!(socket.next().await["error"]["code"], -32001);
    });
}

#[test]
fn an_operator_that_does_not_prove_who_it_is_is_closed() {
    run(async {
        let gateway = TestGateway::start().await;
        let url = format!("ws://{}/operators", gateway.gateway.address());
        for text in ["garbage", "{\"type\":\"pong\",\"number\":1}", "{\"type\":\"hello\"}"] {
            let (mut socket, _) = connect_async(&url).await.unwrap();
            socket.send(Message::Text(text.into())).await.unwrap();
            let frame = match socket.next().await.unwrap().unwrap() {
                Message::Close(frame) => frame.unwrap(),
                other => panic!("{other:?}"),
            };
            assert!(!frame.reason.is_empty(), "{text}");
        }
        // One that says nothing is closed after a while.
        let (mut silent, _) = connect_async(&url).await.unwrap();
        let closed = tokio::time::timeout(std::time::Duration::from_secs(30), silent.next()).await;
        assert!(!matches!(closed, Err(_) | Ok(Some(Ok(Message::Text(_))))), "{closed:?}");
    });
}
