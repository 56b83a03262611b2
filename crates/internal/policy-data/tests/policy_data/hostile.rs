//! Components that misbehave, and what they are refused. The process is unharmed.

use crate::world::{BLOCK, CONTRACT, SECRET, host, observe, probe, steps, take, world};
use assent_policy_data::{ObserveError, chain::ChainReadError, http::HttpRefusal, limits};
use std::{net::IpAddr, thread, time::Instant};

fn refusal(steps: &str) -> ObserveError {
    let refusal = take(steps).expect_err("the component misbehaves");
    // What was refused has no effect on what follows.
    assert_eq!(take(r#"{"do":"count"}"#).expect("the next observation works").to_canonical(), "[1]");
    refusal
}

#[test]
fn what_a_component_may_do_works() {
    let output = take(&format!(
        r#"{{"do":"call","to":"{CONTRACT:#x}","data":"0x1234"}},{{"do":"call","to":"{CONTRACT:#x}","data":"0x"}},
           {{"do":"storage","account":"{CONTRACT:#x}","slot":"0x{:064x}"}},{{"do":"code","account":"{CONTRACT:#x}"}},
           {{"do":"balance","account":"{CONTRACT:#x}"}},
           {{"do":"logs","addresses":["{CONTRACT:#x}"],"topics":[],"from":95,"to":100}},
           {{"do":"send","url":"https://api.example/hello"}}"#,
        5
    ));
    let expected = [
        r#"[{"returned":"0x1234"},{"reverted":"0x08c379a0"},"#,
        r#""0x0000000000000000000000000000000000000000000000000000000000000005","0x6001","#,
        r#""115792089237316195423570985008687907853269984665640564039457584007913129639935","#,
        r#"[{"address":"0xc0ffee0000000000000000000000000000000001","block":"100","data":"#,
        r#""0x0000000000000000000000000000000000000000000000000000000000000064","index":0,"topics":["#,
        r#""0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef","#,
        r#""0x00000000000000000000000000000000000000000000000000000000000000bb","#,
        r#""0x00000000000000000000000000000000000000000000000000000000000000cc"],"#,
        r#""transaction":"0x0000000000000000000000000000000000000000000000000000000000000000"}],"#,
        r#"{"body":"/hello","headers":0,"status":404}]"#,
    ];
    assert_eq!(output.expect("all is permitted").to_canonical(), expected.concat());
}

#[test]
fn a_component_sees_the_task() {
    let output = take(r#"{"do":"request"}"#).expect("it observes");
    let expected = concat!(
        r#"[{"intent":{"chain_id":"31337","data":"0xa9059cbb","from":"0x00000000000000000000000000000000000000aa","#,
        r#""to":"0xc0ffee0000000000000000000000000000000001","#,
        r#""value":"115792089237316195423570985008687907853269984665640564039457584007913129639935"},"#,
        r#""params":{"steps":[{"do":"request"}]},"task":{"block":"100","block_hash":"#,
        r#""0x2222222222222222222222222222222222222222222222222222222222222222","#,
        r#""client":"0x00000000000000000000000000000000000000bb","nonce":"7","time":"1700000000"}}]"#,
    );
    assert_eq!(output.to_canonical(), expected);
}

#[test]
fn a_loop_ends_with_its_fuel() {
    assert_eq!(refusal(r#"{"do":"loop"}"#), ObserveError::OutOfFuel);
}

#[test]
fn memory_does_not_grow_without_bound() {
    let ObserveError::Memory { requested } = refusal(r#"{"do":"grow"}"#) else { panic!("another reason") };
    assert!(requested > limits::MEMORY_BYTES);
}

#[test]
fn deep_recursion_is_a_refusal() {
    // Rust's own stack in the component's memory is the smaller one; see the WebAssembly text for the other.
    let refusal = refusal(r#"{"do":"recurse"}"#);
    assert!(matches!(refusal, ObserveError::StackOverflow | ObserveError::Trap { .. }), "{refusal:?}");
}

#[test]
fn a_trap_is_a_refusal() {
    let ObserveError::Trap { detail } = refusal(r#"{"do":"trap"}"#) else { panic!("another reason") };
    assert!(detail.contains("unreachable"), "{detail}");
}

#[test]
fn a_large_output_is_refused() {
    let output = |times| format!(r#"{{"do":"output","text":"1","times":{times}}}"#);
    let quoted = format!(r#"{{"do":"output","text":"\"{}\"","times":1}}"#, "x".repeat(limits::OUTPUT_BYTES - 2));
    assert!(take(&quoted).is_ok());
    assert_eq!(refusal(&output(limits::OUTPUT_BYTES + 1)), ObserveError::OutputTooLong { length: 16385 });
    assert_eq!(refusal(&output(50 << 20)), ObserveError::DataTooLong);
    // 1 GiB does not fit the memory that a component may have.
    assert!(matches!(refusal(&output(1 << 30)), ObserveError::Memory { .. }));
}

#[test]
fn an_output_is_strict_json() {
    let output = |text: &str| format!(r#"{{"do":"output","text":{}}}"#, assent_json::Value::from(text).to_canonical());
    assert_eq!(take(&output(r#" {"b":1,"a":[true]} "#)).expect("it is JSON").to_canonical(), r#"{"a":[true],"b":1}"#);
    for text in ["", "{", "1.5", "1e3", "9007199254740992", r#"{"a":1,"a":2}"#, r#""\ud800""#, "[1] 2", "NaN"] {
        assert!(matches!(refusal(&output(text)), ObserveError::Output(_)), "{text}");
    }
    let deep = format!("{}{}", "[".repeat(7000), "]".repeat(7000));
    assert!(matches!(refusal(&output(&deep)), ObserveError::Output(_)));
}

#[test]
fn a_components_reason_is_shown_and_short() {
    let reason = |times| format!(r#"{{"do":"fail","reason":"é!","times":{times}}}"#);
    assert_eq!(refusal(&reason(1)), ObserveError::Component { reason: "é!".to_owned() });
    let ObserveError::Component { reason } = refusal(&reason(10_000)) else { panic!("another reason") };
    assert!(reason.len() <= limits::REASON_BYTES && reason.len() > limits::REASON_BYTES - 4);
}

#[test]
fn nothing_is_kept_from_one_observation_to_the_next() {
    for _ in 0..3 {
        assert_eq!(take(r#"{"do":"count"},{"do":"count"}"#).expect("it observes").to_canonical(), "[1,2]");
    }
}

#[test]
fn every_nan_is_the_canonical_one() {
    let output = take(r#"{"do":"nan"}"#).expect("it observes").to_canonical();
    assert_eq!(output, r#"["7ff8000000000000 7ff8000000000000"]"#);
}

#[test]
fn malformed_arguments_are_refused() {
    let address = format!("{CONTRACT:#x}");
    for (step, detail) in [
        (r#"{"do":"code","account":""}"#.to_owned(), "\"\", which is not hexadecimal with the prefix 0x"),
        (format!(r#"{{"do":"code","account":"{}"}}"#, &address[2..]), "which is not hexadecimal with the prefix 0x"),
        (format!(r#"{{"do":"balance","account":"{address}00"}}"#), "which is not an address"),
        (format!(r#"{{"do":"storage","account":"{address}","slot":"0x1"}}"#), "\"0x1\", which is not hexadecimal"),
        (format!(r#"{{"do":"storage","account":"{address}","slot":"0x01"}}"#), "\"0x01\", which is not 32 bytes"),
        (format!(r#"{{"do":"call","to":"{address}","data":"0xzz"}}"#), "\"0xzz\", which is not hexadecimal"),
        (r#"{"do":"logs","addresses":[],"from":1,"to":2}"#.to_owned(), "a filter without addresses"),
        (
            format!(r#"{{"do":"logs","addresses":["{address}"],"from":1,"to":{}}}"#, BLOCK.number + 1),
            "after the reference",
        ),
        (format!(r#"{{"do":"logs","addresses":["{address}"],"from":50,"to":49}}"#), "from block 50 to 49"),
        (format!(r#"{{"do":"logs","addresses":["{address}"],"topics":[[],[],[],[],[]],"from":1,"to":2}}"#), "5 topics"),
        (format!(r#"{{"do":"logs","addresses":{},"from":1,"to":2}}"#, list(&address, 17)), "more than 16 alternatives"),
    ] {
        let ObserveError::Argument { detail: found, .. } = refusal(&step) else { panic!("another reason: {step}") };
        assert!(found.contains(detail), "{found}");
    }
    let long = format!(r#"{{"do":"call","to":"{address}","data":"0x{}"}}"#, "00".repeat(limits::CALL_DATA_BYTES + 1));
    assert!(matches!(refusal(&long), ObserveError::Argument { .. }));
}

fn list(item: &str, times: usize) -> String {
    format!("[{}]", vec![format!("\"{item}\""); times].join(","))
}

#[test]
fn reads_and_requests_are_counted() {
    let read = format!(r#"{{"do":"balance","account":"{CONTRACT:#x}"}}"#);
    assert!(take(&vec![read.as_str(); limits::CHAIN_READS].join(",")).is_ok());
    assert_eq!(refusal(&vec![read.as_str(); limits::CHAIN_READS + 1].join(",")), ObserveError::TooManyReads);

    let send = r#"{"do":"send","url":"https://api.example/"}"#;
    assert!(take(&[send; limits::HTTP_REQUESTS].join(",")).is_ok());
    assert_eq!(refusal(&[send; limits::HTTP_REQUESTS + 1].join(",")), ObserveError::TooManyRequests);

    let send = |length| {
        format!(r#"{{"do":"send","method":"POST","url":"https://api.example/","body":"{}"}}"#, "x".repeat(length))
    };
    let url = "https://api.example/".len();
    assert!(take(&send(limits::HTTP_REQUEST_BYTES - url)).is_ok());
    assert_eq!(
        refusal(&send(limits::HTTP_REQUEST_BYTES - url + 1)),
        ObserveError::HttpRequestTooLong { length: limits::HTTP_REQUEST_BYTES + 1 }
    );
}

#[test]
fn answers_are_bounded_together() {
    let read = format!(r#"{{"do":"call","to":"{CONTRACT:#x}","data":"0xee"}}"#);
    assert_eq!(refusal(&vec![read.as_str(); 17].join(",")), ObserveError::AnswersTooLong);
}

#[test]
fn a_node_that_fails_ends_the_observation() {
    let call = format!(r#"{{"do":"call","to":"{CONTRACT:#x}","data":"0xff"}}"#);
    assert_eq!(refusal(&call), ObserveError::Chain(ChainReadError::Timeout { method: "eth_call" }));
}

fn send(url: &str) -> String {
    format!(r#"{{"do":"send","url":"{url}"}}"#)
}

fn send_secret(url: &str, name: &str) -> String {
    format!(
        r#"{{"do":"send","url":"{url}","headers":[{{"name":"authorization","value":"Bearer {{{{secret:{name}}}}}"}}]}}"#
    )
}

#[test]
fn only_hosts_of_the_manifest_are_asked() {
    let address = |text: &str| HttpRefusal::AddressInUrl { address: text.parse::<IpAddr>().expect("an address") };
    let not_allowed = |host: &str| HttpRefusal::HostNotAllowed { host: host.to_owned() };
    assert!(take(&send("https://api.example/")).is_ok());
    for (url, expected) in [
        ("https://evil.example/", not_allowed("evil.example")),
        ("https://api.example.evil.example/", not_allowed("api.example.evil.example")),
        ("https://api.example:8443/", not_allowed("api.example:8443")),
        ("https://api.example./", not_allowed("api.example.")),
        ("https://localhost/", not_allowed("localhost")),
        ("https://metadata.google.internal/", not_allowed("metadata.google.internal")),
        ("https://169.254.169.254/latest/meta-data", address("169.254.169.254")),
        ("https://2852039166/", address("169.254.169.254")),
        ("https://0xa9fea9fe/", address("169.254.169.254")),
        ("https://[::ffff:169.254.169.254]/", address("::ffff:169.254.169.254")),
        ("https://[::1]/", address("::1")),
        ("http://api.example/", HttpRefusal::NotHttps { url: "http://api.example/".to_owned() }),
        ("file:///etc/passwd", HttpRefusal::NotHttps { url: "file:///etc/passwd".to_owned() }),
    ] {
        assert_eq!(refusal(&send(url)), ObserveError::Http(expected), "{url}");
    }
    for url in ["", "api.example", "https://user@api.example/", "https://:pass@api.example/", "https://api.example/#x"]
    {
        assert!(matches!(refusal(&send(url)), ObserveError::Http(HttpRefusal::Url { .. })), "{url}");
    }
}

#[test]
fn redirects_to_other_hosts_are_refused() {
    let expected = HttpRefusal::Redirect {
        host: "api.example".to_owned(),
        location: "https://169.254.169.254/latest/meta-data".to_owned(),
    };
    assert_eq!(refusal(&send("https://api.example/redirect")), ObserveError::Http(expected));
    let output = take(&send("https://api.example/redirect-here")).expect("the host is the same").to_canonical();
    assert_eq!(output, r#"[{"body":"","headers":1,"status":302}]"#);
}

#[test]
fn a_secret_reaches_only_its_host_and_policy() {
    let output = take(&send_secret("https://api.example/price", "PRICE_KEY")).expect("the secret is bound");
    assert_eq!(output.to_canonical(), r#"[{"body":"{\"price\":\"3123.45\"}","headers":1,"status":200}]"#);

    let not_bound = |name: &str, host: &str| {
        ObserveError::Http(HttpRefusal::SecretNotBound { name: name.to_owned(), host: host.to_owned() })
    };
    let unknown = ObserveError::Http(HttpRefusal::UnknownSecret { name: "NONE".to_owned() });
    assert_eq!(refusal(&send_secret("https://other.example/", "PRICE_KEY")), not_bound("PRICE_KEY", "other.example"));
    assert_eq!(refusal(&send_secret("https://api.example/", "OTHER_HOST")), not_bound("OTHER_HOST", "api.example"));
    assert_eq!(refusal(&send_secret("https://api.example/", "OTHER_POLICY")), not_bound("OTHER_POLICY", "api.example"));
    assert_eq!(refusal(&send_secret("https://api.example/", "NONE")), unknown);
    for name in ["", "price_key", "PRICE KEY", "{{secret:PRICE_KEY"] {
        let malformed = ObserveError::Http(HttpRefusal::MalformedSecret { header: "authorization".to_owned() });
        assert_eq!(refusal(&send_secret("https://api.example/", name)), malformed, "{name}");
    }
}

#[test]
fn a_secret_is_only_in_headers() {
    let outside = |part| ObserveError::Http(HttpRefusal::SecretOutsideHeader { part });
    assert_eq!(refusal(&send("https://api.example/?key={{secret:PRICE_KEY}}")), outside("URL"));
    let body = r#"{"do":"send","method":"POST","url":"https://api.example/","body":"{{secret:PRICE_KEY}}"}"#;
    assert_eq!(refusal(body), outside("body"));
}

#[test]
fn an_answer_that_echoes_a_secret_is_refused() {
    let echoed = HttpRefusal::SecretEchoed { name: "PRICE_KEY".to_owned(), host: "api.example".to_owned() };
    for path in ["echo", "echo-header", "echo-base64", "echo-hex"] {
        let refusal = refusal(&send_secret(&format!("https://api.example/{path}"), "PRICE_KEY"));
        assert_eq!(refusal, ObserveError::Http(echoed.clone()), "{path}");
        assert!(!format!("{refusal:?} {refusal}").contains(SECRET));
    }
}

#[test]
fn a_recording_has_no_secret() {
    let observation = observe(&send_secret("https://api.example/price", "PRICE_KEY")).expect("the secret is bound");
    let recording = format!("{:?}", observation.recording);
    assert!(recording.contains("{{secret:PRICE_KEY}}") && !recording.contains(SECRET));
    assert!(!format!("{:?}", observation.output).contains(SECRET));
}

#[test]
fn headers_of_the_connection_are_refused() {
    let send = |name: &str, value: &str| {
        format!(r#"{{"do":"send","url":"https://api.example/","headers":[{{"name":"{name}","value":"{value}"}}]}}"#)
    };
    assert!(take(&send("accept", "application/json")).is_ok());
    for (name, value) in [
        ("host", "evil.example"),
        ("content-length", "0"),
        ("transfer-encoding", "chunked"),
        ("connection", "close"),
        ("proxy-authorization", "x"),
        ("Accept", "x"),
        ("", "x"),
        ("a b", "x"),
        ("accept", r"x\r\nhost: evil.example"),
        ("accept", "é"),
    ] {
        let refusal = refusal(&send(name, value));
        assert!(matches!(refusal, ObserveError::Http(HttpRefusal::Header { .. })), "{name}: {refusal:?}");
    }
}

#[test]
fn a_failure_of_a_host_is_an_answer() {
    assert_eq!(
        take(&send("https://api.example/slow")).expect("it observes").to_canonical(),
        r#"[{"failure":"timeout"}]"#
    );
}

#[test]
fn a_source_without_hosts_has_no_web() {
    let world = assent_policy_data::World::new(std::sync::Arc::new(crate::world::MemoryChain));
    let refusal = host().observe(&probe(), &steps(&send("https://api.example/")), &world);
    assert_eq!(refusal.expect_err("there is no web"), ObserveError::Http(HttpRefusal::NoHosts));
}

#[test]
fn many_observations_at_once_wait_for_each_other() {
    let started = Instant::now();
    thread::scope(|scope| {
        for _ in 0..4 * limits::CONCURRENT_OBSERVATIONS {
            scope.spawn(|| {
                let output = host().observe(&probe(), &steps(r#"{"do":"count"}"#), &world()).expect("it waits");
                assert_eq!(output.output.to_canonical(), "[1]");
            });
        }
    });
    assert!(started.elapsed().as_secs() < 60);
}
