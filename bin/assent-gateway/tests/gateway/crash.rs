//! The program is killed under load: what it accepted is not lost.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};

use assent_gateway::GatewayConfig;

use crate::{
    openrpc::require,
    operator::Operators,
    world::{TestGateway, World, now, run, world},
};

/// How often the program is killed.
const ROUNDS: u64 = 6;

/// A gateway as a process.
pub struct Program {
    child: Child,
    pub address: SocketAddr,
}

impl Program {
    fn start(world: &World, folder: &Path, listen: &str) -> Self {
        Self::with(world, &["--task-log", folder.join("tasks.redb").to_str().unwrap(), "--listen", listen])
    }

    /// Starts a gateway with further arguments.
    pub fn with(world: &World, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_assent-gateway"))
            .args(["--rpc-url", &world.node, "--rate", "100000", "--burst", "100000"])
            .args(arguments)
            .args(["--task-manager", &world.task_manager.to_string()])
            .args(["--policies", world.policies.path().to_str().unwrap()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap_or_else(|| panic!("{line}"));
        Self { child, address: address.parse().unwrap() }
    }

    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Requires that a task is decided; or that operators got it too late, as on a machine with much other work.
pub fn require_decided(task: &Value) {
    let failure = &task["failure"];
    if failure["code"] == "noQuorum" && failure["message"].as_str().unwrap().contains("seconds old") {
        return require("FailedTask", task);
    }
    require("AttestedTask", task);
}

/// Calls a method of a program that may die meanwhile.
pub async fn call(http: &reqwest::Client, url: &str, method: &str, params: Value) -> Option<Value> {
    let request = json!({ "jsonrpc": "2.0", "method": method, "params": params, "id": 1 });
    let post = http.post(url).header("content-type", "application/json").body(request.to_string());
    let bytes = post.send().await.ok()?.bytes().await.ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[test]
fn kill_9_under_load_loses_nothing_that_was_accepted() {
    run(async {
        let world = world().await;
        let folder = tempfile::tempdir().unwrap();
        let first = Program::start(world, folder.path(), "127.0.0.1:0");
        let address = first.address;
        let url = format!("http://{address}");
        let operators = Operators::start(address, 4).await;
        let accepted: Arc<Mutex<BTreeMap<String, Value>>> = Arc::default();
        let mut program = Some(first);
        for round in 0..ROUNDS {
            let running = match program.take() {
                Some(running) => running,
                None => Program::start(world, folder.path(), &address.to_string()),
            };
            let load: Vec<_> = (0..4)
                .map(|caller| {
                    let (url, accepted) = (url.clone(), Arc::clone(&accepted));
                    tokio::spawn(async move {
                        let http = reqwest::Client::new();
                        for amount in 0.. {
                            let vault = if amount % 2 == 0 { world.vault } else { world.observing_vault };
                            let intent = world.payment(vault, round * 100 + caller);
                            let request = json!({ "policyClient": vault, "intent": intent, "expiration": now() + 300 });
                            let Some(answer) = call(&http, &url, "assent_submitTask", request).await else { return };
                            let task = &answer["result"];
                            let task_id = task["taskId"].as_str().unwrap_or_else(|| panic!("{answer}"));
                            accepted.lock().unwrap().insert(task_id.to_owned(), task["nonce"].clone());
                        }
                    })
                })
                .collect();
            tokio::time::sleep(Duration::from_millis(300 + 150 * round)).await;
            running.kill();
            for caller in load {
                caller.await.unwrap();
            }
        }
        let last = Program::start(world, folder.path(), &address.to_string());
        let accepted = accepted.lock().unwrap().clone();
        assert!(accepted.len() > 10, "hardly anything was accepted");
        let http = reqwest::Client::new();
        for (task_id, nonce) in &accepted {
            let task = loop {
                let answer = call(&http, &url, "assent_getTask", json!([task_id])).await.unwrap();
                let task = answer.get("result").unwrap_or_else(|| panic!("{task_id} is lost: {answer}")).clone();
                if task["status"] != "pending" {
                    break task;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            };
            require_decided(&task);
            assert_eq!(task["nonce"], *nonce);
        }
        println!("{ROUNDS} kills, {} tasks were accepted, and all are decided", accepted.len());
        drop(operators);
        last.kill();
    });
}

#[test]
fn a_start_takes_up_more_tasks_than_it_takes_over_at_once() {
    run(async {
        let world = world().await;
        let gateway = TestGateway::start().await;
        let submissions = (0..300).map(|amount| gateway.call("assent_submitTask", world.request(amount)));
        for submitted in futures_util::future::join_all(submissions).await {
            assert_eq!(submitted.unwrap()["status"], "pending");
        }
        let TestGateway { gateway, folder, http, .. } = gateway;
        gateway.stop().await;
        let options = world.options(folder.path());
        let gateway = assent_gateway::start(GatewayConfig::new(options).unwrap()).await.unwrap();
        let url = format!("http://{}", gateway.address());
        let health = call(&http, &url, "assent_health", json!([])).await.unwrap();
        assert_eq!(health["result"]["tasks"], 300);
    });
}
