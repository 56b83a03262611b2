//! From a request to an authorization that the chain accepts.

use std::{sync::atomic::Ordering, time::Duration};

use alloy::{
    hex,
    primitives::{Address, B256},
};
use assent_client::{AssentClient, PreparedCall};
use assent_examples::ExampleToken;
use assent_task_log::{AppendedClaimed, EncodedOutcome, Limits, RedbTaskLog, State, TaskLog};
use assent_types::{AttestationDocument, Authorization};
use axum::{Router, extract::Path, routing::get};
use serde_json::{Value, json};

use crate::{
    openrpc::require,
    operator::Operators,
    world::{TestGateway, hash, now, run, world},
};

fn signers(task: &Value) -> usize {
    task["signers"].as_array().unwrap().len()
}

#[test]
fn a_request_becomes_an_authorization_that_the_chain_accepts() {
    run(async {
        let (world, gateway) = (world().await, TestGateway::start().await);
        let operators = Operators::connect(gateway.gateway.address(), 4).await;
        let task = gateway.call("assent_requestAuthorization", world.request(700)).await.unwrap();
        require("AttestedTask", &task);
        assert_eq!(
            (&task["status"], &task["decision"], &task["reasons"]),
            (&json!("attested"), &json!("allow"), &json!([]))
        );
        assert!(signers(&task) >= 3, "{task}");
        assert_eq!(signers(&task) + task["nonSigners"].as_array().unwrap().len(), 4);
        let document: AttestationDocument = serde_json::from_value(task["document"].clone()).unwrap();
        let bytes = hex::decode(task["authorization"].as_str().unwrap()).unwrap();
        let authorization = Authorization::parse(&bytes).unwrap();
        assert_eq!(authorization, document.authorization().unwrap());
        assert_eq!(authorization.evidence, hash(&task["evidence"]));
        let timings = &task["timings"];
        assert!(timings["endedAt"].as_u64() >= timings["receivedAt"].as_u64());
        assert!(
            timings["operators"].as_array().unwrap().iter().filter(|answer| answer["answer"] == "signed").count() >= 3
        );

        // The contract accepts it, once.
        let token = ExampleToken::new(world.token, world.client.provider());
        let recipient = Address::repeat_byte(0x77);
        let before = token.balanceOf(recipient).call().await.unwrap();
        let call =
            PreparedCall::new(world.agent, world.vault, world.payment_data(700)).attested(&authorization).unwrap();
        let client = AssentClient::new(world.client.provider().clone());
        client.send(&call).await.unwrap();
        let after = token.balanceOf(recipient).call().await.unwrap();
        assert_eq!((after - before).to::<u64>(), 700);
        assert!(client.send(&call).await.is_err(), "spent twice");

        // It is remembered. An operator may have answered since.
        let mut again = gateway.call("assent_getTask", json!([task["taskId"]])).await.unwrap();
        again["timings"] = task["timings"].clone();
        assert_eq!(again, task);
        drop(operators);
    });
}

#[test]
fn a_denial_is_attested_with_its_reasons() {
    run(async {
        let (world, gateway) = (world().await, TestGateway::start().await);
        let _operators = Operators::connect(gateway.gateway.address(), 4).await;
        let task = gateway.call("assent_requestAuthorization", world.request(1001)).await.unwrap();
        require("AttestedTask", &task);
        assert_eq!(task["decision"], "deny");
        assert_eq!(task["reasons"], json!(["more than 1000"]));
        let simulated = gateway.call("assent_simulate", world.request(1001)).await.unwrap();
        require("Simulation", &simulated);
        assert_eq!((&simulated["decision"], &simulated["reasons"]), (&task["decision"], &task["reasons"]));
        let simulated = gateway.call("assent_simulate", world.request(1000)).await.unwrap();
        assert_eq!(simulated["decision"], "allow");
    });
}

#[test]
fn without_an_expiration_the_client_s_terms_bound_the_default_one() {
    run(async {
        let (world, gateway) = (world().await, TestGateway::start().await);
        let _operators = Operators::connect(gateway.gateway.address(), 4).await;
        for (vault, lifetimes) in [(world.vault, 299..=330), (world.hasty_vault, 60..=60)] {
            let request = json!({ "policyClient": vault, "intent": world.payment(vault, 1) });
            let simulated = gateway.call("assent_simulate", request.clone()).await.unwrap();
            assert_eq!(simulated["decision"], "allow");
            let task = gateway.call("assent_requestAuthorization", request).await.unwrap();
            require("AttestedTask", &task);
            let issued_at = task["block"]["timestamp"].as_u64().unwrap();
            let lifetime = task["expiration"].as_u64().unwrap() - issued_at;
            assert!(lifetimes.contains(&lifetime), "{lifetime}");
        }
    });
}

#[test]
fn a_policy_with_a_source_is_decided_on_the_observations_of_a_quorum() {
    run(async {
        let (world, gateway) = (world().await, TestGateway::start().await);
        let _operators = Operators::connect(gateway.gateway.address(), 4).await;
        let vault = world.observing_vault;
        let request = |amount| json!({ "policyClient": vault, "intent": world.payment(vault, amount) });
        for (amount, decision) in [(500, "allow"), (501, "deny")] {
            let task = gateway.call("assent_requestAuthorization", request(amount)).await.unwrap();
            require("AttestedTask", &task);
            assert_eq!(task["decision"], decision, "{task}");
            assert!(task["timings"]["agreedAt"].is_u64());
            let mut simulated = request(amount);
            simulated["data"] = json!({ "limit": { "value": "500" } });
            let simulated = gateway.call("assent_simulate", simulated).await.unwrap();
            assert_eq!(simulated["decision"], decision);
        }
        let error = gateway.call("assent_simulate", request(1)).await.unwrap_err();
        assert_eq!(error["message"], "data names other sources than the policy: limit");
    });
}

#[test]
fn two_requests_for_one_task_get_one_answer() {
    run(async {
        let (world, gateway) = (world().await, TestGateway::start().await);
        let operators = Operators::connect(gateway.gateway.address(), 4).await;
        let mut request = world.request(3);
        request["nonce"] = json!("77");
        request["expiration"] = json!(now() + 600);
        let (one, other) = tokio::join!(
            gateway.call("assent_requestAuthorization", request.clone()),
            gateway.call("assent_requestAuthorization", request.clone()),
        );
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_eq!((&one["taskId"], &one["authorization"]), (&other["taskId"], &other["authorization"]));
        let offers = operators.offers.load(Ordering::Relaxed);
        // Also with another expiration: the id does not cover it.
        request["expiration"] = json!(now() + 900);
        let third = gateway.call("assent_submitTask", request.clone()).await.unwrap();
        require("Task", &third);
        assert_eq!(third["authorization"], one["authorization"]);
        assert_eq!(operators.offers.load(Ordering::Relaxed), offers, "no operator is asked again");
        // Without a nonce, each request is another task.
        let (one, other) = tokio::join!(
            gateway.call("assent_submitTask", world.request(3)),
            gateway.call("assent_submitTask", world.request(3)),
        );
        assert_ne!(one.unwrap()["taskId"], other.unwrap()["taskId"]);
    });
}

#[test]
fn a_task_that_waits_can_be_asked_for_and_cancelled() {
    run(async {
        let (world, gateway) = (world().await, TestGateway::start().await);
        let mut request = world.request(4);
        request["waitSeconds"] = json!(1);
        // No operator is connected.
        let error = gateway.call("assent_requestAuthorization", request).await.unwrap_err();
        assert_eq!((&error["code"], &error["data"]["code"]), (&json!(-32002), &json!("pending")), "{error}");
        assert_eq!(error["data"]["retryable"], true);
        let task_id = &error["data"]["taskId"];
        let task = gateway.call("assent_getTask", json!([task_id])).await.unwrap();
        require("PendingTask", &task);
        let cancelled = gateway.call("assent_cancelTask", json!([task_id])).await.unwrap();
        require("FailedTask", &cancelled);
        assert_eq!(cancelled["failure"]["code"], "cancelled");
        let operators = Operators::connect(gateway.gateway.address(), 4).await;
        // It stays so, also if it is asked for again.
        let mut again = world.request(4);
        again["nonce"] = task["nonce"].clone();
        let error = gateway.call("assent_requestAuthorization", again).await.unwrap_err();
        assert_eq!((&error["code"], &error["data"]["code"]), (&json!(-32003), &json!("cancelled")));
        assert_eq!(operators.offers.load(Ordering::Relaxed), 0);
        // What has ended is not cancelled.
        let done = gateway.call("assent_requestAuthorization", world.request(5)).await.unwrap();
        let after = gateway.call("assent_cancelTask", json!([done["taskId"]])).await.unwrap();
        assert_eq!(after["status"], "attested");
        let unknown = json!(["0x1111111111111111111111111111111111111111111111111111111111111111"]);
        assert_eq!(gateway.call("assent_cancelTask", unknown).await.unwrap_err()["code"], -32001);
    });
}

#[test]
fn another_caller_cannot_cancel() {
    run(async {
        let gateway = TestGateway::with(|options| options.trust_forwarded_for = Some(true)).await;
        let world = world().await;
        let task = gateway.call("assent_submitTask", world.request(6)).await.unwrap();
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": "assent_cancelTask", "params": [task["taskId"]] });
        let post = gateway.http.post(&gateway.url).header("content-type", "application/json");
        let post = post.header("x-forwarded-for", "198.51.100.7").body(request.to_string());
        let answer: Value = serde_json::from_slice(&post.send().await.unwrap().bytes().await.unwrap()).unwrap();
        assert_eq!(answer["error"]["code"], -32001);
        let task = gateway.call("assent_getTask", json!([task["taskId"]])).await.unwrap();
        assert_eq!(task["status"], "pending");
    });
}

#[test]
fn a_task_expires_when_its_expiration_comes() {
    run(async {
        let (world, gateway) = (world().await, TestGateway::start().await);
        let operators = Operators::connect(gateway.gateway.address(), 4).await;
        operators.is_silent.store(true, Ordering::Relaxed);
        let mut request = world.request(8);
        request["expiration"] = json!(now() + 3);
        let error = gateway.call("assent_requestAuthorization", request).await.unwrap_err();
        assert_eq!((&error["code"], &error["data"]["code"]), (&json!(-32003), &json!("expired")), "{error}");
    });
}

#[test]
fn what_cannot_become_a_task_is_refused_with_the_reason() {
    run(async {
        let (world, gateway) = (world().await, TestGateway::start().await);
        let refused = async |change: &dyn Fn(&mut Value)| {
            let mut request = world.request(9);
            change(&mut request);
            let error = gateway.call("assent_submitTask", request).await.unwrap_err();
            assert_eq!(error["code"], -32602, "{error}");
            error["message"].as_str().unwrap().to_owned()
        };
        let no_client = "0x00000000000000000000000000000000000000aa";
        for (reason, message) in [
            ("is not a PolicyClient", refused(&|request| request["policyClient"] = json!(no_client)).await),
            ("is for chain 1,", refused(&|request| request["intent"]["chainId"] = json!("1")).await),
            ("the expiration is in the past", refused(&|request| request["expiration"] = json!(now() - 5)).await),
            ("is not within 3600 seconds", refused(&|request| request["expiration"] = json!(now() + 5000)).await),
            (
                "intent: missing field `to`",
                refused(&|request| {
                    request["intent"].as_object_mut().unwrap().remove("to");
                })
                .await,
            ),
            ("intent.value:", refused(&|request| request["intent"]["value"] = json!("1.5")).await),
            ("expiration:", refused(&|request| request["expiration"] = json!(-1)).await),
            (
                "has more than 65536 bytes",
                refused(&|request| {
                    request["intent"]["data"] = json!(format!("0x{}", "00".repeat(65537)));
                })
                .await,
            ),
        ] {
            assert!(message.contains(reason), "{message}");
        }
        let counted = gateway.http.get(format!("{}/metrics", gateway.url)).send().await.unwrap().text().await.unwrap();
        assert!(counted.contains("assent_gateway_tasks_accepted_total 0"), "{counted}");
    });
}

#[test]
fn policies_operators_and_health_are_shown() {
    run(async {
        let (world, gateway) = (world().await, TestGateway::start().await);
        let _operators = Operators::connect(gateway.gateway.address(), 3).await;
        let policy = gateway.call("assent_getPolicy", json!([world.policy.policy().id()])).await.unwrap();
        require("Policy", &policy);
        assert_eq!((&policy["name"], &policy["cid"]), (&json!("small"), &json!(world.policy.cid())));
        assert_eq!(policy["rules"].to_string().len(), world.policy.policy().rules().len());
        let unknown = json!(["0x1111111111111111111111111111111111111111111111111111111111111111"]);
        let error = gateway.call("assent_getPolicy", unknown).await.unwrap_err();
        assert_eq!((&error["code"], &error["data"]["retryable"]), (&json!(-32002), &json!(true)));
        let operators = gateway.call("assent_operators", json!([])).await.unwrap();
        require("Operators", &operators);
        let connected = operators.as_array().unwrap().iter().filter(|operator| operator["connected"] == true);
        assert_eq!((connected.count(), operators.as_array().unwrap().len()), (3, 4));
        let health = gateway.call("assent_health", json!([])).await.unwrap();
        require("Health", &health);
        assert_eq!(
            (&health["status"], &health["connected"], &health["operators"]),
            (&json!("ok"), &json!(3), &json!(4))
        );
    });
}

#[test]
fn evidence_is_returned_only_if_it_has_the_hash() {
    run(async {
        let world = world().await;
        // A server with the operators' evidence, which answers one hash with other evidence.
        let files: crate::operator::Evidence = Default::default();
        let serve = {
            let files = files.clone();
            move |Path(hash): Path<String>| async move {
                let files = files.lock().unwrap();
                let exact = hash.parse::<B256>().ok().and_then(|hash| files.get(&hash)).cloned();
                exact.unwrap_or_else(|| files.values().next().cloned().unwrap_or_default())
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/evidence/{hash}", get(serve));
        tokio::spawn(async move { axum::serve(listener, router).await });

        let gateway = TestGateway::with(|options| options.evidence = Some(vec![server])).await;
        let operators = Operators::connect(gateway.gateway.address(), 4).await;
        let task = gateway.call("assent_requestAuthorization", world.request(11)).await.unwrap();
        files.lock().unwrap().extend(operators.evidence.lock().unwrap().clone());
        let evidence = gateway.call("assent_getEvidence", json!([task["evidence"]])).await.unwrap();
        require("Evidence", &evidence);
        let file = assent_policy::EvidenceFile::parse(evidence.to_string().as_bytes()).unwrap();
        assert_eq!(file.roots().unwrap().hash(), hash(&task["evidence"]));
        let forged = json!(["0x2222222222222222222222222222222222222222222222222222222222222222"]);
        assert_eq!(gateway.call("assent_getEvidence", forged).await.unwrap_err()["code"], -32001);
    });
}

#[test]
fn an_end_that_the_log_has_is_verified_again() {
    run(async {
        let (world, gateway) = (world().await, TestGateway::start().await);
        let operators = Operators::connect(gateway.gateway.address(), 4).await;
        let mut request = world.request(13);
        (request["nonce"], request["expiration"]) = (json!("4711"), json!(now() + 600));
        let task = gateway.call("assent_requestAuthorization", request.clone()).await.unwrap();
        let task_id = hash(&task["taskId"]);
        drop(operators);
        let TestGateway { gateway, folder, .. } = gateway;
        gateway.stop().await;

        let open = |folder: &std::path::Path| RedbTaskLog::open(&folder.join("tasks.redb"), Limits::default()).unwrap();
        let record = open(folder.path()).get(task_id).await.unwrap().unwrap();
        let State::Completed { outcome } = &record.state else { panic!("{record:?}") };
        let honest = String::from_utf8(outcome.0.to_vec()).unwrap();
        let forged = honest.replace("\"decision\":\"allow\"", "\"decision\":\"deny\"");
        assert_ne!(honest, forged);
        for (end, is_valid) in [(honest, true), (forged, false)] {
            // Another log, in which the task has that end.
            let folder = tempfile::tempdir().unwrap();
            let log = open(folder.path());
            let AppendedClaimed::New(lease) =
                log.append_claimed(record.task.clone(), "gateway", now() + 600).await.unwrap()
            else {
                panic!("the log is new")
            };
            log.complete(&lease, EncodedOutcome(end.into_bytes().into())).await.unwrap();
            drop(log);
            let gateway = TestGateway::with(|options| {
                options.task_log = Some(folder.path().join("tasks.redb").to_str().unwrap().to_owned());
            })
            .await;
            let shown = gateway.call("assent_getTask", json!([task_id])).await;
            let asked = gateway.call("assent_requestAuthorization", request.clone()).await;
            // What is shown and what is asked for again are both refused, and counted.
            let metrics =
                gateway.http.get(format!("{}/metrics", gateway.url)).send().await.unwrap().text().await.unwrap();
            let count = if is_valid { 0 } else { 2 };
            assert!(metrics.contains(&format!("assent_gateway_invalid_ends_total {count}\n")), "{count}: {metrics}");
            if is_valid {
                assert_eq!(shown.unwrap()["authorization"], task["authorization"]);
                assert_eq!(asked.unwrap()["authorization"], task["authorization"]);
            } else {
                for error in [shown.unwrap_err(), asked.unwrap_err()] {
                    assert_eq!(
                        (&error["code"], &error["data"]["code"]),
                        (&json!(-32002), &json!("unavailable")),
                        "{error}"
                    );
                    assert!(error["message"].as_str().unwrap().contains("cannot be verified"), "{error}");
                }
            }
        }
    });
}

#[test]
fn metrics_have_an_address_of_their_own_if_they_are_given_one() {
    run(async {
        let gateway = TestGateway::with(|options| options.metrics_listen = Some("127.0.0.1:0".parse().unwrap())).await;
        let get = |url: String| gateway.http.get(url).send();
        let public = get(format!("{}/metrics", gateway.url)).await.unwrap();
        assert_eq!(public.status(), 404);
        // A family without a label has no type either.
        gateway.call("assent_health", json!({})).await.unwrap();
        let address = gateway.gateway.metrics_address().unwrap();
        let own = get(format!("http://{address}/metrics")).await.unwrap();
        assert_eq!(own.status(), 200);
        let metrics = own.text().await.unwrap();
        assert!(metrics.contains("assent_gateway_tasks_accepted_total 0"));
        let page = include_str!("../../../../docs/gateway.md");
        let (_, table) = page.split_once("<!-- metrics -->").unwrap();
        let (table, _) = table.split_once("<!-- end of metrics -->").unwrap();
        let types = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
        let names: Vec<_> =
            types.map(|(name, kind)| format!("{name}{}", if kind == "counter" { "_total" } else { "" })).collect();
        for name in &names {
            assert!(table.contains(&format!("\n| `{name}` |")), "docs/gateway.md lacks {name}");
        }
        assert_eq!(table.matches("\n| `assent_gateway_").count(), names.len(), "docs/gateway.md has another metric");
        // Nothing else is there.
        assert_eq!(get(format!("http://{address}/openrpc.json")).await.unwrap().status(), 404);
    });
}

#[test]
fn a_gateway_that_stops_answers_what_it_can() {
    run(async {
        let (world, gateway) = (world().await, TestGateway::start().await);
        let operators = Operators::connect(gateway.gateway.address(), 4).await;
        operators.is_silent.store(true, Ordering::Relaxed);
        let url = gateway.url.clone();
        let waiting = tokio::spawn({
            let (http, request) = (gateway.http.clone(), world.request(12));
            async move { crate::world::call(&http, &url, "assent_requestAuthorization", request).await }
        });
        while operators.offers.load(Ordering::Relaxed) < 4 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let stopped = tokio::spawn(gateway.gateway.stop());
        tokio::time::sleep(Duration::from_millis(200)).await;
        // They speak again, and are offered what is open.
        operators.is_silent.store(false, Ordering::Relaxed);
        let task = waiting.await.unwrap();
        stopped.await.unwrap();
        if let Ok(task) = &task {
            require("AttestedTask", task);
        } else {
            // The log has it, and the next start goes on with it.
            assert_eq!(task.unwrap_err()["data"]["retryable"], true);
        }
    });
}
