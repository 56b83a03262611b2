//! JSON-RPC 2.0, call by call.

use serde_json::{Value, json};

use crate::world::{TestGateway, run};

/// What a text is answered with.
enum Expected {
    /// No text.
    Nothing,
    /// An error with this code, and the id as it is written.
    Error(i64, &'static str),
    /// A result, and the id as it is written.
    Result(&'static str),
}

use Expected::{Error, Nothing, Result};

fn check(answer: &str, expected: &Expected, text: &str) {
    let id = match expected {
        Nothing => return assert_eq!(answer, "", "{text}"),
        Error(_, id) | Result(id) => id,
    };
    // A number that no reader here holds.
    let parsed: Value = serde_json::from_str(&answer.replace("1e400", "0")).unwrap();
    assert!(answer.contains(&format!("\"id\":{id},")), "{text}: {answer}");
    assert_eq!(parsed["jsonrpc"], "2.0", "{text}");
    match expected {
        Error(code, _) => {
            assert_eq!(parsed["error"]["code"], *code, "{text}: {answer}");
            let data = &parsed["error"]["data"];
            assert!(data["code"].is_string() && data["retryable"].is_boolean() && data["next"].is_string());
            assert!(parsed["error"]["message"].as_str().is_some_and(|message| !message.is_empty()));
            assert!(parsed.get("result").is_none());
        }
        _ => assert!(parsed.get("result").is_some() && parsed.get("error").is_none(), "{text}: {answer}"),
    }
}

const CALL: &str = r#""jsonrpc": "2.0", "method": "assent_operators""#;
const UNKNOWN_TASK: &str = "0x1111111111111111111111111111111111111111111111111111111111111111";

#[test]
fn calls_and_notifications_are_answered_as_the_specification_says() {
    run(async {
        let gateway = TestGateway::start().await;
        let of_task = |params: &str| {
            let params = params.replace("TASK", UNKNOWN_TASK);
            format!(r#"{{"jsonrpc": "2.0", "method": "assent_getTask", "params": {params}, "id": 3}}"#)
        };
        let id = |id: &str| format!("{{{CALL}, \"id\": {id}}}");
        let long_id: &str = format!("\"{}\"", "x".repeat(5000)).leak();
        let deep_id = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
        let deep_params = of_task(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)));
        let deep_object = of_task(&format!("{}1{}", "{\"a\":".repeat(50_000), "}".repeat(50_000)));
        let deep_text = "[".repeat(500_000);
        let cases: Vec<(String, Expected)> = [
            // The specification's examples: by position, by name, a notification, a method that is not there.
            (of_task(r#"["TASK"]"#), Error(-32001, "3")),
            (of_task(r#"{"taskId": "TASK"}"#), Error(-32001, "3")),
            (format!("{{{CALL}, \"params\": []}}"), Nothing),
            (format!("{{{CALL}}}"), Nothing),
            (r#"{"jsonrpc": "2.0", "method": "foobar", "id": "1"}"#.into(), Error(-32601, "\"1\"")),
            (r#"{"jsonrpc": "2.0", "method": "foobar"}"#.into(), Nothing),
            (r#"{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]"#.into(), Error(-32700, "null")),
            (r#"{"jsonrpc": "2.0", "method": 1, "params": "bar"}"#.into(), Error(-32600, "null")),
            // Ids of every kind, as they are written.
            (id("1"), Result("1")),
            (id("0"), Result("0")),
            (id("-7"), Result("-7")),
            (id("1.50"), Result("1.50")),
            (id("1e400"), Result("1e400")),
            (id("123456789012345678901234567890"), Result("123456789012345678901234567890")),
            (id("null"), Result("null")),
            (id("\"\""), Result("\"\"")),
            (id("\"a\\u0041\\n\\ud83d\\ude00\""), Result("\"a\\u0041\\n\\ud83d\\ude00\"")),
            (id(long_id), Result(long_id)),
            (id("true"), Error(-32600, "null")),
            (id("[1]"), Error(-32600, "null")),
            (id("{}"), Error(-32600, "null")),
            (id(&deep_id), Error(-32600, "null")),
            (id("\"\\ud800\""), Error(-32600, "null")),
            // What is no request.
            ("1".into(), Error(-32600, "null")),
            ("null".into(), Error(-32600, "null")),
            ("\"x\"".into(), Error(-32600, "null")),
            ("{}".into(), Error(-32600, "null")),
            (r#"{"method": "assent_operators", "id": 1}"#.into(), Error(-32600, "1")),
            (r#"{"jsonrpc": "1.0", "method": "assent_operators", "id": 1}"#.into(), Error(-32600, "1")),
            (r#"{"jsonrpc": 2.0, "method": "assent_operators", "id": 1}"#.into(), Error(-32600, "1")),
            (format!("{{{CALL}, \"id\": 1, \"id\": 2}}"), Error(-32600, "null")),
            (format!("{{{CALL}, \"method\": \"rpc.discover\", \"id\": 1}}"), Error(-32600, "null")),
            (format!("{{{CALL}, \"id\": 1, \"extra\": 2}}"), Error(-32600, "null")),
            (format!("{{{CALL}, \"id\": 1, \"params\": 5}}"), Error(-32600, "1")),
            (format!("{{{CALL}, \"id\": 1, \"params\": null}}"), Error(-32600, "1")),
            (String::new(), Error(-32700, "null")),
            ("garbage".into(), Error(-32700, "null")),
            ("{\"jsonrpc\"".into(), Error(-32700, "null")),
            (format!("{{{CALL}, \"id\": 1}} x"), Error(-32700, "null")),
            (format!("\u{feff}{{{CALL}, \"id\": 1}}"), Error(-32700, "null")),
            (deep_text, Error(-32700, "null")),
            // Parameters.
            (of_task("[]"), Error(-32602, "3")),
            (of_task(r#"["TASK", 1]"#), Error(-32602, "3")),
            (of_task(r#"{"taskId": "TASK", "more": 1}"#), Error(-32602, "3")),
            (of_task(r#"{"taskId": "TASK", "taskId": "TASK"}"#), Error(-32602, "3")),
            (of_task(r#"{"taskid": "TASK"}"#), Error(-32602, "3")),
            (of_task(r#"["0x12"]"#), Error(-32602, "3")),
            (of_task("[1.5]"), Error(-32602, "3")),
            (of_task("[null]"), Error(-32602, "3")),
            (of_task("[\"\\ud800\"]"), Error(-32602, "3")),
            (deep_params, Error(-32602, "3")),
            (deep_object, Error(-32602, "3")),
        ]
        .into_iter()
        .collect();
        for (text, expected) in &cases {
            let response = gateway.post(text.clone()).await;
            let status = if matches!(expected, Nothing) { 204 } else { 200 };
            assert_eq!(response.status(), status, "{text}");
            let shown: String = text.chars().take(200).collect();
            check(&response.text().await.unwrap(), expected, &shown);
        }
        // What is not UTF-8.
        let response = gateway.post(b"{\"jsonrpc\": \"2.0\", \"method\": \"\xff\", \"id\": 1}".to_vec()).await;
        check(&response.text().await.unwrap(), &Error(-32700, "null"), "not UTF-8");
    });
}

#[test]
fn batches_are_answered_as_the_specification_says() {
    run(async {
        let gateway = TestGateway::start().await;
        let batch = |text: String| async { gateway.post(text).await.text().await.unwrap() };
        // The specification's examples.
        check(&batch("[]".into()).await, &Error(-32600, "null"), "an empty batch");
        let invalid: Value = serde_json::from_str(&batch("[1,2,3]".into()).await).unwrap();
        let invalid = invalid.as_array().unwrap();
        assert_eq!(invalid.len(), 3);
        assert!(invalid.iter().all(|answer| answer["error"]["code"] == -32600 && answer["id"] == Value::Null));
        let unfinished = r#"[{"jsonrpc": "2.0", "method": "sum", "id": "1"}, {"jsonrpc": "2.0", "method""#;
        check(&batch(unfinished.into()).await, &Error(-32700, "null"), "an unfinished batch");
        let mixed = format!(
            r#"[{{{CALL}, "id": "1"}}, {{{CALL}}}, {{"foo": "boo"}},
               {{"jsonrpc": "2.0", "method": "foo.get", "id": "5"}}, {{{CALL}, "id": "9"}}]"#
        );
        let answers: Value = serde_json::from_str(&batch(mixed).await).unwrap();
        let seen: Vec<_> =
            answers.as_array().unwrap().iter().map(|answer| (&answer["id"], &answer["error"]["code"])).collect();
        let (no, missing) = (&Value::Null, &json!(-32601));
        assert_eq!(seen, [(&json!("1"), no), (no, &json!(-32600)), (&json!("5"), missing), (&json!("9"), no)]);
        let response = gateway.post(format!("[{{{CALL}}},{{{CALL}}}]")).await;
        assert_eq!((response.status().as_u16(), response.text().await.unwrap().as_str()), (204, ""));
        // A batch has a limit, and is not read as a call.
        let call = format!("{{{CALL}, \"id\": 1}}");
        let most = format!("[{}]", vec![call.as_str(); 32].join(","));
        let answers: Value = serde_json::from_str(&batch(most).await).unwrap();
        assert_eq!(answers.as_array().unwrap().len(), 32);
        let too_many = format!("[{}]", vec![call.as_str(); 33].join(","));
        check(&batch(too_many).await, &Error(-32600, "null"), "33 calls");
        check(&batch(format!("[{}]", vec!["1"; 200_000].join(","))).await, &Error(-32600, "null"), "200,000 calls");
        let nested: Value = serde_json::from_str(&batch(format!("[[{call}]]")).await).unwrap();
        assert_eq!(nested[0]["error"]["code"], -32600);
        let deep: Value =
            serde_json::from_str(&batch(format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))).await).unwrap();
        assert_eq!(deep[0]["error"]["code"], -32600);
    });
}

#[test]
fn http_has_its_own_refusals() {
    run(async {
        let gateway = TestGateway::with(|options| options.max_body = Some(1000)).await;
        let request = format!("{{{CALL}, \"id\": 1}}");
        let post = |kind: &'static str, body: String| {
            gateway.http.post(&gateway.url).header("content-type", kind).body(body).send()
        };
        assert_eq!(post("application/json; charset=utf-8", request.clone()).await.unwrap().status(), 200);
        for kind in ["text/plain", "application/x-www-form-urlencoded", ""] {
            assert_eq!(post(kind, request.clone()).await.unwrap().status(), 415, "{kind}");
        }
        let huge = format!("{{{CALL}, \"id\": \"{}\"}}", "x".repeat(2000));
        let response = post("application/json", huge).await.unwrap();
        assert_eq!(response.status(), 413);
        let answer: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        assert_eq!(answer["error"]["data"]["code"], "tooLong");
        for (method, path, status) in [
            ("GET", "/healthz", 200),
            ("GET", "/metrics", 200),
            ("GET", "/openrpc.json", 200),
            ("GET", "/nothing", 404),
            ("PUT", "/", 405),
            ("POST", "/healthz", 405),
            ("GET", "/ws", 400),
            ("GET", "/operators", 400),
        ] {
            let request = gateway.http.request(method.parse().unwrap(), format!("{}{path}", gateway.url));
            assert_eq!(request.send().await.unwrap().status(), status, "{method} {path}");
        }
    });
}

#[test]
fn a_handover_needs_a_final_epoch_and_a_quorum_that_a_mirror_can_have() {
    run(async {
        let gateway = TestGateway::start().await;
        let ask = |params: Value| gateway.call("assent_requestHandover", params);
        for quorum in [5_000, 10_001] {
            let error = ask(json!({ "epoch": 1, "quorum": quorum })).await.unwrap_err();
            assert_eq!((&error["code"], &error["data"]["code"]), (&json!(-32602), &json!("invalid")), "{error}");
        }
        let error = ask(json!([99])).await.unwrap_err();
        assert_eq!((&error["code"], &error["data"]["code"]), (&json!(-32003), &json!("notFinal")), "{error}");
        assert_eq!((&error["data"]["retryable"], error["data"].get("absent")), (&json!(true), None), "{error}");
    });
}
