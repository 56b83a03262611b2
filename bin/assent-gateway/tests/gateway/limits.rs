//! Who may ask, how often, and over what.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message},
};

use crate::{
    operator::Operators,
    world::{TestGateway, call, run, world},
};

const CALL: &str = r#"{"jsonrpc": "2.0", "method": "assent_operators", "id": 1}"#;

#[test]
fn a_caller_that_asks_too_often_is_told_when_to_ask_again() {
    run(async {
        let gateway = TestGateway::with(|options| (options.rate, options.burst) = (Some(1), Some(32))).await;
        for _ in 0..3 {
            assert_eq!(gateway.post(CALL).await.status(), 200);
        }
        // A batch counts as its calls: this one exceeds what is left.
        let batch = format!("[{}]", [CALL; 31].join(","));
        let response = gateway.post(batch).await;
        assert_eq!(response.status(), 429);
        let seconds: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=5).contains(&seconds), "{seconds}");
        let answer: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        assert_eq!(answer["error"]["code"], -32005);
        assert_eq!(
            answer["error"]["data"],
            json!({
                "code": "rateLimited",
                "retryable": true,
                "next": "wait as Retry-After says, and ask less often",
            })
        );
        let smaller = format!("[{}]", [CALL; 10].join(","));
        assert_eq!(gateway.post(smaller).await.status(), 200);
        let metrics = gateway.http.get(format!("{}/metrics", gateway.url)).send().await.unwrap().text().await.unwrap();
        assert!(metrics.contains("assent_gateway_rate_limited_total 1"), "{metrics}");
    });
}

#[test]
fn a_refusal_is_fast_under_overload() {
    run(async {
        let gateway = TestGateway::with(|options| (options.rate, options.burst) = (Some(1), Some(32))).await;
        let started = Instant::now();
        let mut refused = 0;
        for _ in 0..200 {
            refused += u32::from(gateway.post(CALL).await.status() == 429);
        }
        assert!(refused >= 150, "{refused}");
        // Generous, for a machine with other work; it takes less than a millisecond.
        assert!(started.elapsed() < Duration::from_millis(50) * 200, "{:?}", started.elapsed());
    });
}

#[test]
fn a_gateway_with_too_much_to_do_refuses_at_once_and_goes_on() {
    run(async {
        let world = world().await;
        let gateway = TestGateway::with(|options| options.max_requests = Some(4)).await;
        // No operator is connected: four requests wait.
        let waiting: Vec<_> = (0..4)
            .map(|amount| {
                let (http, url, request) = (gateway.http.clone(), gateway.url.clone(), world.request(amount));
                tokio::spawn(async move { call(&http, &url, "assent_requestAuthorization", request).await })
            })
            .collect();
        while gateway.call("assent_health", json!([])).await.unwrap()["tasks"] != 4 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let call =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "assent_requestAuthorization", "params": world.request(9) });
        let started = Instant::now();
        for _ in 0..100 {
            let response = gateway.post(call.to_string()).await;
            assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (429, &"1".parse().unwrap()));
            let answer: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
            assert_eq!((&answer["error"]["code"], &answer["error"]["data"]["code"]), (&json!(-32005), &json!("busy")));
        }
        // Generous, for a machine with other work.
        assert!(started.elapsed() < Duration::from_millis(50) * 100, "{:?}", started.elapsed());
        // In a batch, the other calls have their answers.
        let batch = format!("[{call},{CALL}]");
        let response = gateway.post(batch).await;
        assert_eq!(response.status(), 200);
        // What waited is answered.
        let operators = Operators::connect(gateway.gateway.address(), 4).await;
        for waiting in waiting {
            assert_eq!(waiting.await.unwrap().unwrap()["status"], "attested");
        }
        drop(operators);
    });
}

#[test]
fn tokens_are_needed_if_there_are_any() {
    run(async {
        // The SHA-256 of "secret".
        let hash = "alice:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
        let gateway = TestGateway::with(|options| options.tokens = Some(vec![hash.to_owned()])).await;
        let response = gateway.post(CALL).await;
        assert_eq!(
            (response.status().as_u16(), &response.headers()["www-authenticate"]),
            (401, &"Bearer".parse().unwrap())
        );
        let with = |token: &'static str| {
            let request = gateway.http.post(&gateway.url).header("content-type", "application/json");
            request.header("authorization", token).body(CALL).send()
        };
        assert_eq!(with("Bearer wrong").await.unwrap().status(), 401);
        assert_eq!(with("Bearer secret").await.unwrap().status(), 200);
    });
}

#[test]
fn pages_of_allowed_origins_can_ask() {
    run(async {
        let origins = vec!["https://app.example".to_owned()];
        let gateway = TestGateway::with(|options| options.cors_origins = Some(origins)).await;
        let from = |method: &str, origin: &'static str| {
            let request = gateway.http.request(method.parse().unwrap(), &gateway.url).header("origin", origin);
            request.header("access-control-request-method", "POST").header("content-type", "application/json")
        };
        let preflight = from("OPTIONS", "https://app.example").send().await.unwrap();
        assert_eq!(preflight.status(), 204);
        assert_eq!(preflight.headers()["access-control-allow-origin"], "https://app.example");
        assert_eq!(preflight.headers()["access-control-allow-headers"], "authorization, content-type");
        assert_eq!(from("OPTIONS", "https://other.example").send().await.unwrap().status(), 403);
        let asked = from("POST", "https://app.example").body(CALL).send().await.unwrap();
        assert_eq!(asked.headers()["access-control-allow-origin"], "https://app.example");
        let asked = from("POST", "https://other.example").body(CALL).send().await.unwrap();
        assert!(asked.headers().get("access-control-allow-origin").is_none());
        // A browser would let any page open a WebSocket.
        let upgrade = gateway.http.get(format!("{}/ws", gateway.url)).header("origin", "https://other.example");
        let upgrade = upgrade
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(upgrade.send().await.unwrap().status(), 403);
    });
}

#[test]
fn slow_headers_and_too_many_connections_do_not_stop_others() {
    run(async {
        let gateway = TestGateway::with(|options| options.max_connections = Some(8)).await;
        let address = gateway.gateway.address();
        let idle: Vec<TcpStream> = (0..8)
            .map(|_| {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.write_all(b"POST / HTTP/1.1\r\nhost: a\r\n").unwrap();
                stream
            })
            .collect();
        // The next one is refused. They are closed after ten seconds, and it is served.
        let started = Instant::now();
        let mut statuses = Vec::new();
        while statuses.last() != Some(&200) {
            assert!(started.elapsed() < Duration::from_secs(60), "{statuses:?}");
            let response = tokio::time::timeout(Duration::from_secs(60), gateway.post(CALL)).await.unwrap();
            statuses.push(response.status().as_u16());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(statuses[0], 503);
        assert!(started.elapsed() > Duration::from_secs(2), "the connections were not counted");
        let closed = tokio::task::spawn_blocking(move || {
            let mut idle = idle;
            let mut bytes = Vec::new();
            idle[0].set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            idle[0].read_to_end(&mut bytes).is_ok()
        });
        assert!(closed.await.unwrap());
    });
}

/// Opens a WebSocket from an address of this machine.
async fn socket(
    gateway: &TestGateway,
    from: &str,
    path: &str,
) -> Result<WebSocketStream<tokio::net::TcpStream>, Option<u16>> {
    let address = gateway.gateway.address();
    let stream = tokio::net::TcpSocket::new_v4().unwrap();
    stream.bind(format!("{from}:0").parse().unwrap()).unwrap();
    let stream = stream.connect(address).await.map_err(|_| None)?;
    match client_async(format!("ws://{address}{path}"), stream).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => Err(Some(response.status().as_u16())),
        Err(_) => Err(None),
    }
}

/// Opens some WebSockets from an address of this machine.
async fn sockets(
    gateway: &TestGateway,
    from: &str,
    path: &str,
    count: usize,
) -> Vec<WebSocketStream<tokio::net::TcpStream>> {
    let mut sockets = Vec::new();
    while sockets.len() < count {
        sockets.push(socket(gateway, from, path).await.unwrap());
    }
    sockets
}

#[test]
#[cfg(target_os = "linux")]
fn no_address_takes_the_connections_of_others() {
    run(async {
        let limits = |options: &mut assent_gateway::GatewayOptions| {
            (options.max_connections, options.max_connections_per_address) = (Some(8), Some(4));
        };
        let gateway = TestGateway::with(limits).await;
        let mut held = sockets(&gateway, "127.0.0.2", "/ws", 4).await;
        assert!(socket(&gateway, "127.0.0.2", "/ws").await.is_err());
        let other = socket(&gateway, "127.0.0.3", "/ws").await.unwrap();
        drop(held.pop());
        // The end of a connection is known a moment later.
        while socket(&gateway, "127.0.0.2", "/ws").await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        drop(other);
        let metrics = gateway.http.get(format!("{}/metrics", gateway.url)).send().await.unwrap().text().await.unwrap();
        let refused = metrics.lines().find_map(|line| line.strip_prefix("assent_gateway_refused_connections_total "));
        assert!(refused.unwrap().parse::<u64>().unwrap() >= 1, "{metrics}");
    });
}

#[test]
fn behind_a_proxy_the_callers_addresses_are_counted() {
    run(async {
        let limits = |options: &mut assent_gateway::GatewayOptions| {
            (options.trust_forwarded_for, options.max_connections_per_address) = (Some(true), Some(2));
        };
        let gateway = TestGateway::with(limits).await;
        let open = async |caller: &str| {
            let url = format!("ws://{}/ws", gateway.gateway.address());
            let mut request =
                tokio_tungstenite::tungstenite::client::IntoClientRequest::into_client_request(url).unwrap();
            request.headers_mut().insert("x-forwarded-for", caller.parse().unwrap());
            tokio_tungstenite::connect_async(request).await
        };
        let _held = [open("192.0.2.1").await.unwrap(), open("192.0.2.1").await.unwrap()];
        match open("192.0.2.1").await {
            Err(Error::Http(response)) => assert_eq!(response.status(), 429),
            other => panic!("{other:?}"),
        }
        let _others = [open("192.0.2.2").await.unwrap(), open("192.0.2.3").await.unwrap()];
    });
}

#[test]
#[cfg(target_os = "linux")]
fn operators_connect_while_callers_have_all_connections() {
    run(async {
        let limits = |options: &mut assent_gateway::GatewayOptions| {
            (options.max_connections, options.max_operators) = (Some(4), Some(4));
        };
        let gateway = TestGateway::with(limits).await;
        let mut callers = Vec::new();
        for number in 2..6 {
            callers.push(socket(&gateway, &format!("127.0.0.{number}"), "/ws").await.unwrap());
        }
        let response = gateway.post(CALL).await;
        assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (503, &"1".parse().unwrap()));
        let _operators = Operators::start(gateway.gateway.address(), 4).await;
        let health = r#"{"jsonrpc": "2.0", "method": "assent_health", "id": 1}"#;
        loop {
            callers[0].send(Message::Text(health.into())).await.unwrap();
            let Message::Text(text) = callers[0].next().await.unwrap().unwrap() else { continue };
            if serde_json::from_str::<Value>(&text).unwrap()["result"]["connected"] == 4 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
}

#[test]
#[cfg(target_os = "linux")]
fn connections_that_prove_no_operator_keep_none_out() {
    run(async {
        // More strangers than operators that may be there.
        let gateway = TestGateway::with(|options| options.max_operators = Some(4)).await;
        let strangers = sockets(&gateway, "127.0.0.2", "/operators", 32).await;
        assert_eq!(socket(&gateway, "127.0.0.2", "/operators").await.err(), Some(Some(503)));
        let _operators = Operators::connect(gateway.gateway.address(), 4).await;
        // All operators that may be there are.
        assert_eq!(socket(&gateway, "127.0.0.3", "/operators").await.err(), Some(Some(503)));
        drop(strangers);
    });
}

#[test]
fn no_caller_takes_the_requests_of_others() {
    run(async {
        let world = world().await;
        let limits = |options: &mut assent_gateway::GatewayOptions| {
            (options.max_requests, options.max_requests_per_caller) = (Some(4), Some(2));
            options.trust_forwarded_for = Some(true);
        };
        let gateway = TestGateway::with(limits).await;
        // No operator is connected: what is asked for waits.
        let ask = async |caller: &str, amount: u64| {
            let params = world.request(amount);
            let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "assent_requestAuthorization", "params": params });
            let post = gateway.http.post(&gateway.url).header("content-type", "application/json");
            let response = post.header("x-forwarded-for", caller).body(call.to_string()).send().await.unwrap();
            serde_json::from_slice::<Value>(&response.bytes().await.unwrap()).unwrap()
        };
        let greedy = async { tokio::join!(ask("192.0.2.1", 1), ask("192.0.2.1", 2), ask("192.0.2.1", 3)) };
        let greedy = async {
            // Two wait for ever, so that the third has its answer first.
            tokio::time::timeout(Duration::from_secs(4), greedy).await.unwrap_err();
        };
        let others = async {
            while gateway.call("assent_health", json!([])).await.unwrap()["tasks"] != 2 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let refused = ask("192.0.2.1", 4).await;
            assert_eq!(refused["error"]["data"]["code"], "busy");
            assert_eq!(refused["error"]["message"], "too many requests of the caller wait");
            // Another caller is admitted, and waits.
            let other = tokio::time::timeout(Duration::from_millis(500), ask("192.0.2.2", 5)).await;
            assert!(other.is_err(), "{other:?}");
        };
        tokio::join!(greedy, others);
    });
}

#[test]
fn the_list_of_recent_tasks_is_short_however_long_their_calldata_is() {
    run(async {
        let world = world().await;
        let gateway = TestGateway::start().await;
        for number in 0..60_u64 {
            let mut request = world.request(number);
            let data = request["intent"]["data"].as_str().unwrap().to_owned();
            request["intent"]["data"] = json!(format!("{data}{}", "00".repeat(20_000)));
            let task = gateway.call("assent_submitTask", request).await.unwrap();
            gateway.call("assent_cancelTask", json!([task["taskId"]])).await.unwrap();
        }
        let call = r#"{"jsonrpc": "2.0", "method": "assent_recentTasks", "id": 1}"#;
        let answer = gateway.post(call).await.bytes().await.unwrap();
        assert!(answer.len() < 50 * 600, "{}", answer.len());
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["result"].as_array().unwrap().len(), 50);
        assert_eq!(answer["result"][0]["failure"], "cancelled");
    });
}

#[test]
fn the_answers_of_a_batch_are_bounded() {
    run(async {
        let world = world().await;
        let gateway = TestGateway::with(|options| options.max_batch = Some(200)).await;
        let mut request = world.request(1);
        let data = request["intent"]["data"].as_str().unwrap().to_owned();
        request["intent"]["data"] = json!(format!("{data}{}", "00".repeat(60_000)));
        let task = gateway.call("assent_submitTask", request).await.unwrap();
        let call = json!({ "jsonrpc": "2.0", "method": "assent_getTask", "params": [task["taskId"]], "id": 1 });
        let batch = format!("[{}]", vec![call.to_string(); 200].join(","));
        let answer = gateway.post(batch).await.bytes().await.unwrap();
        assert!(answer.len() < 21 * 1024 * 1024, "{}", answer.len());
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let answers = answer.as_array().unwrap();
        let (given, refused): (Vec<&Value>, Vec<&Value>) = answers.iter().partition(|one| one.get("error").is_none());
        assert!(given.len() > 100 && !refused.is_empty(), "{} {}", given.len(), refused.len());
        assert!(refused.iter().all(|one| one["error"]["data"]["code"] == "tooLong" && one["id"] == 1));
    });
}
