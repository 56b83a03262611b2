//! The gateway's page as a browser gets it, and what it asks: the tests in a browser are in tests/gateway-page.

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Error, client::IntoClientRequest, http::StatusCode},
};

use crate::{
    openrpc::require,
    operator::Operators,
    world::{TestGateway, run, world},
};

/// SHA-256 of `secret`.
const TOKEN: &str = "alice:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

/// Opens a WebSocket as a browser does, and returns the status with which it is refused.
async fn socket(gateway: &TestGateway, headers: &[(&'static str, &str)]) -> Result<Option<String>, StatusCode> {
    let mut request = format!("ws://{}/ws", gateway.gateway.address()).into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    match connect_async(request).await {
        Ok((mut socket, response)) => {
            let chosen = response.headers().get("sec-websocket-protocol");
            let chosen = chosen.map(|chosen| chosen.to_str().unwrap().to_owned());
            // It works: the server pings.
            assert!(socket.next().await.unwrap().unwrap().is_ping());
            Ok(chosen)
        }
        Err(Error::Http(response)) => Err(response.status()),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn the_page_is_served_with_a_policy_that_allows_only_itself() {
    run(async {
        let gateway = TestGateway::with(|options| options.tokens = Some(vec![TOKEN.to_owned()])).await;
        for (path, kind) in
            [("/page", "text/html"), ("/page/page.css", "text/css"), ("/page/page.js", "text/javascript")]
        {
            // What is not secret needs no token.
            let response = gateway.http.get(format!("{}{path}", gateway.url)).send().await.unwrap();
            assert_eq!(response.status(), 200, "{path}");
            let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
            assert!(header("content-type").starts_with(kind), "{path}");
            assert_eq!(header("x-content-type-options"), "nosniff");
            let policy = header("content-security-policy");
            for part in [
                "default-src 'none'",
                "script-src 'self';",
                "require-trusted-types-for 'script'",
                "frame-ancestors 'none'",
            ] {
                assert!(policy.contains(part), "{policy}");
            }
            for open in ["unsafe", "http:", "ws:", "*"] {
                assert!(!policy.contains(open), "{policy}");
            }
            let text = response.text().await.unwrap();
            for markup in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "style=", "onclick="] {
                assert!(!text.contains(markup), "{path} has {markup}");
            }
        }
    });
}

#[test]
fn the_page_can_be_switched_off() {
    run(async {
        let gateway = TestGateway::with(|options| options.page = Some(false)).await;
        for path in ["/page", "/page/page.css", "/page/page.js", "/page/replay.js"] {
            let response = gateway.http.get(format!("{}{path}", gateway.url)).send().await.unwrap();
            assert_eq!(response.status(), 404, "{path}");
        }
        let own = gateway.url.clone();
        assert_eq!(socket(&gateway, &[("origin", &own)]).await, Err(StatusCode::FORBIDDEN));
    });
}

#[test]
fn the_script_that_replays_evidence_is_a_file() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("replay.js");
        std::fs::write(&path, "self.onmessage = null;").unwrap();
        let gateway = TestGateway::with(|options| options.page_replay = Some(path)).await;
        let response = gateway.http.get(format!("{}/page/replay.js", gateway.url)).send().await.unwrap();
        let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert_eq!(policy, "default-src 'none'; script-src 'wasm-unsafe-eval'");
        assert_eq!(response.text().await.unwrap(), "self.onmessage = null;");
    });
}

#[test]
fn only_the_gateways_own_page_and_listed_origins_open_a_socket() {
    run(async {
        let gateway = TestGateway::start().await;
        let own = gateway.url.clone();
        assert_eq!(socket(&gateway, &[("origin", &own)]).await, Ok(None));
        for other in ["http://127.0.0.1:1", "https://attacker.example", "null"] {
            assert_eq!(socket(&gateway, &[("origin", other)]).await, Err(StatusCode::FORBIDDEN), "{other}");
        }
    });
}

#[test]
fn a_browser_gives_its_token_as_a_subprotocol() {
    run(async {
        let gateway = TestGateway::with(|options| options.tokens = Some(vec![TOKEN.to_owned()])).await;
        let own = gateway.url.clone();
        let open = |protocols: &'static str| socket_with(&gateway, &own, protocols);
        assert_eq!(open("assent, assent.token.736563726574").await, Ok(Some("assent".to_owned())));
        for refused in ["assent", "assent, assent.token.00", "assent, assent.token.secret"] {
            assert_eq!(open(refused).await, Err(StatusCode::UNAUTHORIZED), "{refused}");
        }
    });
}

async fn socket_with(gateway: &TestGateway, origin: &str, protocols: &str) -> Result<Option<String>, StatusCode> {
    socket(gateway, &[("origin", origin), ("sec-websocket-protocol", protocols)]).await
}

#[test]
fn the_page_learns_of_recent_tasks_their_times_and_who_took_part() {
    run(async {
        let (world, gateway) = (world().await, TestGateway::start().await);
        assert_eq!(gateway.call("assent_recentTasks", json!([])).await, Ok(json!([])));
        let health = gateway.call("assent_health", json!([])).await.unwrap();
        require("Health", &health);
        // No operator is connected.
        assert_eq!(health["refusing"][0]["code"], "noQuorum", "{health}");

        let _operators = Operators::connect(gateway.gateway.address(), 4).await;
        let mut ids = Vec::new();
        for amount in [31, 3000] {
            let task = gateway.call("assent_requestAuthorization", world.request(amount)).await.unwrap();
            let at = |name: &str| task["timings"][name].as_u64().unwrap_or_else(|| panic!("{name}: {task}"));
            assert!(at("receivedAt") <= at("acceptedAt") && at("acceptedAt") <= at("decidedAt"), "{task}");
            assert!(at("decidedAt") <= at("endedAt"), "{task}");
            ids.insert(0, task["taskId"].clone());
        }
        let recent = gateway.call("assent_recentTasks", json!([])).await.unwrap();
        require("TaskSummaries", &recent);
        let ends: Vec<_> = recent.as_array().unwrap().iter().map(|task| task["decision"].as_str().unwrap()).collect();
        assert_eq!(ends, ["deny", "allow"]);
        assert_eq!(recent[0]["selector"], world.payment_data(1).to_string()[..10]);
        let listed: Vec<Value> = recent.as_array().unwrap().iter().map(|task| task["taskId"].clone()).collect();
        assert_eq!(listed, ids);

        let operators = gateway.call("assent_operators", json!([])).await.unwrap();
        require("Operators", &operators);
        let mut decided = 0;
        for operator in operators.as_array().unwrap() {
            let participation = &operator["participation"];
            assert_eq!(participation["tasks"], 2, "{operator}");
            decided += participation["decided"].as_u64().unwrap();
        }
        // What an operator declared on the chain is text, and short. It is read in the background.
        let declared = loop {
            let operators = gateway.call("assent_operators", json!([])).await.unwrap();
            require("Operators", &operators);
            if operators[0].get("region").is_some() {
                break operators;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        let provider = format!("<script>{}…", "x".repeat(56));
        assert_eq!((&declared[0]["region"], &declared[0]["provider"]), (&json!("eu-central-1"), &json!(provider)));
        assert!(declared[1].get("region").is_none() && declared[1].get("provider").is_none(), "{declared}");
        // A quorum of three decided each; the fourth may have, too.
        assert!((6..=8).contains(&decided), "{operators}");

        assert!(gateway.call("assent_getTask", json!([world.policy.policy().id()])).await.is_err());
        let health = gateway.call("assent_health", json!([])).await.unwrap();
        require("Health", &health);
        assert_eq!(health["refusing"], json!([]), "{health}");
        assert_eq!((&health["refusals"][0]["code"], &health["refusals"][0]["count"]), (&json!("notFound"), &json!(1)));
    });
}

#[test]
fn a_policy_names_the_functions_that_it_decides_about() {
    run(async {
        let (world, gateway) = (world().await, TestGateway::start().await);
        let policy = gateway.call("assent_getPolicy", json!([world.policy.policy().id()])).await.unwrap();
        require("Policy", &policy);
        let data = world.payment_data(1).to_string();
        assert_eq!(
            policy["functions"],
            json!([{
                "selector": data[..10],
                "signature": "pay(address,address,uint256)",
                "declaration": "function pay(address token, address recipient, uint256 amount)",
            }])
        );
    });
}
