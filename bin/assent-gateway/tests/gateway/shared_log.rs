//! Two gateways on one log in NATS, one of which is killed.

use std::time::Duration;

use assent_gateway::GatewayConfig;
use serde_json::json;

use crate::{
    authority::make_authority,
    crash::{Program, call, require_decided},
    nats_server::{self, NatsServer},
    openrpc::require,
    operator::Operators,
    world::{now, run, world},
};

#[test]
fn of_two_gateways_on_one_log_one_is_killed_and_the_other_decides_its_tasks() {
    if !nats_server::is_installed() {
        return;
    }
    run(async {
        let world = world().await;
        let server = NatsServer::start();
        let start = |name: &str| {
            Program::with(world, &["--listen", "127.0.0.1:0", "--task-log", &server.url(), "--name", name])
        };
        let (one, other) = (start("one"), start("other"));
        let url = |program: &Program| format!("http://{}", program.address);
        let (url_of_one, url_of_other) = (url(&one), url(&other));
        let http = reqwest::Client::new();
        // No operator is connected yet: both gateways have open tasks, and both are asked for one of them.
        let mut task_ids = Vec::new();
        for number in 0..40_u64 {
            let intent = world.payment(world.vault, number);
            let request = json!({
                "policyClient": world.vault,
                "intent": intent,
                "nonce": (number / 2 + (1 << 20)).to_string(),
                "expiration": now() + 600,
            });
            let url = if number % 2 == 0 { &url_of_one } else { &url_of_other };
            let answer = call(&http, url, "assent_submitTask", request).await.unwrap();
            assert_eq!(answer["result"]["status"], "pending", "{answer}");
            task_ids.push(answer["result"]["taskId"].clone());
        }
        let mut operators = Operators::start(other.address, 4).await;
        operators.dial(one.address, 4).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        one.kill();
        for task_id in &task_ids {
            let task = loop {
                let answer = call(&http, &url_of_other, "assent_getTask", json!([task_id])).await.unwrap();
                let task = answer.get("result").unwrap_or_else(|| panic!("{task_id} is lost: {answer}")).clone();
                if task["status"] != "pending" {
                    break task;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            };
            require_decided(&task);
        }
        drop(operators);
        other.kill();
    });
}

/// Returns the server's URL with TLS, and with a password.
fn secure_url(server: &NatsServer, password: &str) -> String {
    server.url().replace("nats://", &format!("tls://gateway:{password}@"))
}

#[test]
fn a_log_in_nats_with_tls_and_a_password_needs_both() {
    let folder = tempfile::tempdir().unwrap();
    if !nats_server::is_installed() || !make_authority(folder.path()) {
        return;
    }
    run(async {
        let world = world().await;
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (certificate, key, authority) = (path("chain.pem"), path("key.pem"), path("authority.pem"));
        let server = NatsServer::start_with(&[
            "--tls",
            "--tlscert",
            &certificate,
            "--tlskey",
            &key,
            "--user",
            "gateway",
            "--pass",
            "open:sesame",
        ]);
        let start = async |password: &str, certificates: Option<&str>| {
            let mut options = world.options(folder.path());
            options.task_log = Some(secure_url(&server, password));
            options.task_log_certificates = certificates.map(Into::into);
            options.name = Some("one".to_owned());
            let started = assent_gateway::start(GatewayConfig::new(options).unwrap()).await;
            started.err().map(|error| format!("{error:#}")).unwrap()
        };
        for error in [start("open%3Asesame", None).await, start("guessed", Some(&authority)).await] {
            assert!(error.contains("the task log's server"), "{error}");
            assert!(!error.contains("sesame") && !error.contains("guessed"), "{error}");
        }
        let log = secure_url(&server, "open%3Asesame");
        let arguments = ["--task-log", &log, "--task-log-certificates", &authority];
        let gateway = Program::with(world, &[&arguments[..], &["--listen", "127.0.0.1:0", "--name", "one"]].concat());
        let operators = Operators::start(gateway.address, 4).await;
        let request = json!({ "policyClient": world.vault, "intent": world.payment(world.vault, 1) });
        let url = format!("http://{}", gateway.address);
        let answer = call(&reqwest::Client::new(), &url, "assent_requestAuthorization", request).await.unwrap();
        require("AttestedTask", &answer["result"]);
        drop(operators);
        gateway.kill();
    });
}

#[test]
fn one_task_that_two_gateways_are_asked_for_has_one_answer() {
    if !nats_server::is_installed() {
        return;
    }
    run(async {
        let world = world().await;
        let server = NatsServer::start();
        let start = |name: &str| {
            Program::with(world, &["--listen", "127.0.0.1:0", "--task-log", &server.url(), "--name", name])
        };
        let (one, other) = (start("one"), start("other"));
        let mut operators = Operators::start(one.address, 4).await;
        operators.dial(other.address, 4).await;
        let http = reqwest::Client::new();
        for number in 0..5_u64 {
            let vault = if number % 2 == 0 { world.vault } else { world.observing_vault };
            let request = json!({
                "policyClient": vault,
                "intent": world.payment(vault, number),
                "nonce": (number + (1 << 21)).to_string(),
                "expiration": now() + 600,
            });
            let ask = async |program: &Program| {
                let url = format!("http://{}", program.address);
                call(&http, &url, "assent_requestAuthorization", request.clone()).await.unwrap()
            };
            let (first, second) = tokio::join!(ask(&one), ask(&other));
            require("AttestedTask", &first["result"]);
            assert_eq!(first["result"]["authorization"], second["result"]["authorization"], "{first} {second}");
        }
        drop(operators);
        // A task at one gateway is cancelled at the other: the caller is the same.
        let request = json!({ "policyClient": world.vault, "intent": world.payment(world.vault, 1) });
        let (url_of_one, url_of_other) = (format!("http://{}", one.address), format!("http://{}", other.address));
        let task = call(&http, &url_of_one, "assent_submitTask", request).await.unwrap();
        let task_id = json!([task["result"]["taskId"]]);
        for url in [&url_of_other, &url_of_one] {
            let method = if url == &url_of_other { "assent_cancelTask" } else { "assent_getTask" };
            let ended = async {
                loop {
                    let answer = call(&http, url, method, task_id.clone()).await.unwrap();
                    if answer["result"]["status"] != "pending" {
                        return answer;
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            };
            assert_eq!(ended.await["result"]["failure"]["code"], "cancelled");
        }
        one.kill();
        other.kill();
    });
}
