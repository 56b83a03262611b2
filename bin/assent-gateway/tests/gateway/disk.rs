//! A task log whose disk or stream is full: nothing that was accepted is lost, and it goes on when there is room.

use std::{fs, sync::atomic::Ordering, time::Duration};

use assent_gateway::GatewayConfig;
use serde_json::{Value, json};

use crate::{
    nats_server::{self, NatsServer},
    openrpc::require,
    operator::Operators,
    small_disk::SmallDisk,
    world::{TestGateway, call, run, world},
};

/// Submits tasks until one is refused. Returns those that were accepted, and the refusal.
async fn submit_until_refused(gateway: &TestGateway, data: usize) -> (Vec<Value>, Value) {
    let world = world().await;
    let mut accepted = Vec::new();
    for number in 0..2000 {
        let mut request = world.request(number % 1000);
        let intent = request["intent"]["data"].as_str().unwrap().to_owned();
        request["intent"]["data"] = json!(format!("{intent}{}", "00".repeat(data)));
        match gateway.call("assent_submitTask", request).await {
            Ok(task) => accepted.push(task["taskId"].clone()),
            Err(error) => return (accepted, error),
        }
    }
    panic!("{} tasks have room", accepted.len());
}

/// Waits for a status of `/healthz`.
async fn health(gateway: &TestGateway, status: u16) -> Value {
    loop {
        let response = gateway.http.get(format!("{}/healthz", gateway.url)).send().await.unwrap();
        if response.status() == status {
            return serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until a task has ended, and requires that it is attested.
async fn attested(gateway: &TestGateway, task_id: &Value) {
    loop {
        let task = gateway.call("assent_getTask", json!([task_id])).await.unwrap_or_else(|error| panic!("{error}"));
        if task["status"] != "pending" {
            return require("AttestedTask", &task);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Requires that a full log refuses with its reason, that health says so, and that operators' decisions wait.
async fn refuses(gateway: &TestGateway, refusal: &Value) {
    assert_eq!((&refusal["code"], &refusal["data"]["retryable"]), (&json!(-32002), &json!(true)), "{refusal}");
    assert!(refusal["message"].as_str().unwrap().contains("no space left"), "{refusal}");
    let health = health(gateway, 503).await;
    assert_eq!(health["refusing"][0]["message"], "the task log has no space left", "{health}");
    let metrics = gateway.http.get(format!("{}/metrics", gateway.url)).send().await.unwrap().text().await.unwrap();
    let zero = "assent_gateway_task_log_failures_total{outcome=\"noSpace\"} 0";
    assert!(!metrics.contains(zero), "{metrics}");
}

#[test]
fn a_full_disk_loses_nothing_and_the_log_goes_on_when_there_is_room() {
    run(async {
        let world = world().await;
        let folder = tempfile::tempdir().unwrap();
        let Some(disk) = SmallDisk::mount(folder.path().join("disk")).unwrap() else {
            eprintln!("skipped: this needs the right to mount a tmpfs; run it as root");
            return;
        };
        let log = disk.path.join("tasks.redb").to_str().unwrap().to_owned();
        let gateway = TestGateway::with(|options| options.task_log = Some(log.clone())).await;
        let operators = Operators::connect(gateway.gateway.address(), 4).await;
        let before = gateway.call("assent_requestAuthorization", world.request(1)).await.unwrap();

        operators.is_silent.store(true, Ordering::Relaxed);
        let filler = disk.fill().unwrap();
        let (accepted, refusal) = submit_until_refused(&gateway, 2000).await;
        refuses(&gateway, &refusal).await;
        // What operators decide now cannot be kept, so that it is not told.
        operators.is_silent.store(false, Ordering::Relaxed);

        fs::remove_file(filler).unwrap();
        health(&gateway, 200).await;
        for task_id in &accepted {
            attested(&gateway, task_id).await;
        }
        let after = gateway.call("assent_requestAuthorization", world.request(2)).await.unwrap();
        // All is on the disk.
        let TestGateway { gateway, http, .. } = gateway;
        gateway.stop().await;
        let mut options = world.options(folder.path());
        options.task_log = Some(log);
        let gateway = assent_gateway::start(GatewayConfig::new(options).unwrap()).await.unwrap();
        let url = format!("http://{}", gateway.address());
        for task_id in accepted.iter().chain([&before["taskId"], &after["taskId"]]) {
            let task = call(&http, &url, "assent_getTask", json!([task_id])).await.unwrap();
            require("AttestedTask", &task);
        }
        drop(operators);
        gateway.stop().await;
    });
}

#[test]
fn a_full_stream_loses_nothing_and_the_log_goes_on_when_there_is_room() {
    if !nats_server::is_installed() {
        return;
    }
    run(async {
        let server = NatsServer::start();
        let limits = |options: &mut assent_gateway::GatewayOptions| {
            (options.task_log, options.name) = (Some(server.url()), Some("one".to_owned()));
            (options.task_log_max_bytes, options.task_log_stream) = (Some(256 * 1024), Some("full".to_owned()));
        };
        let gateway = TestGateway::with(limits).await;
        let (accepted, refusal) = submit_until_refused(&gateway, 8000).await;
        assert!(accepted.len() > 5, "{}", accepted.len());
        refuses(&gateway, &refusal).await;
        // Who runs the server makes room.
        let client = async_nats::connect(server.url()).await.unwrap();
        let stream = async_nats::jetstream::new(client);
        let mut config = stream.get_stream("full").await.unwrap().cached_info().config.clone();
        config.max_bytes = 64 * 1024 * 1024;
        stream.update_stream(config).await.unwrap();
        let operators = Operators::connect(gateway.gateway.address(), 4).await;
        health(&gateway, 200).await;
        for task_id in &accepted {
            attested(&gateway, task_id).await;
        }
        let world = world().await;
        gateway.call("assent_requestAuthorization", world.request(2)).await.unwrap();
        drop(operators);
    });
}

#[test]
fn two_networks_on_one_server_have_two_streams() {
    if !nats_server::is_installed() {
        return;
    }
    run(async {
        let server = NatsServer::start();
        let (world, folder) = (world().await, tempfile::tempdir().unwrap());
        let mut options = world.options(folder.path());
        (options.task_log, options.name) = (Some(server.url()), Some("one".to_owned()));
        let gateway = assent_gateway::start(GatewayConfig::new(options).unwrap()).await.unwrap();
        let client = async_nats::connect(server.url()).await.unwrap();
        let name = format!("assent-31337-{}", alloy::primitives::hex::encode(world.task_manager));
        async_nats::jetstream::new(client).get_stream(name).await.unwrap();
        gateway.stop().await;
    });
}
