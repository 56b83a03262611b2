//! The client of `assent-client`, against real gateways.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use alloy::primitives::{B256, U256};
use assent_client::{
    PreparedCall,
    gateway::{AuthorizationRequest, DecidedTask, GatewayClient, GatewayError, GatewayTaskState},
};
use assent_verifier::Decision;
use axum::{Router, routing::post};

use crate::{
    operator::Operators,
    world::{TestGateway, World, now, run, world},
};

/// No one listens on the discard port.
const NO_GATEWAY: &str = "http://127.0.0.1:9";

fn payment(world: &World, amount: u64) -> (PreparedCall, AuthorizationRequest) {
    let call = PreparedCall::new(world.agent, world.vault, world.payment_data(amount));
    let request = AuthorizationRequest::new(world.vault, call.intent(31_337));
    (call, request)
}

/// Shows that the contract would accept the call.
async fn verify(world: &World, call: &PreparedCall, decided: &DecidedTask) {
    let authorization = &decided.authorization;
    let intent = call.intent(31_337);
    let context = world.client.read_context_for(world.vault, world.agent, &intent, authorization).await.unwrap();
    let attested = call.attested(authorization).unwrap();
    assent_verifier::verify_trailing(&context, attested.value, &attested.data).unwrap();
    world.client.simulate(&attested).await.unwrap();
}

#[test]
fn an_answer_is_an_authorization_that_the_contract_accepts() {
    run(async {
        let (world, gateway) = (world().await, TestGateway::start().await);
        let _operators = Operators::connect(gateway.gateway.address(), 4).await;
        let client = GatewayClient::new([&gateway.url]).unwrap();
        assert!(client.health().await.unwrap().is_ok());

        let (call, request) = payment(world, 501);
        let decided = client.request_authorization(&request).await.unwrap();
        assert_eq!((decided.decision, decided.reasons.len()), (Decision::Allow, 0));
        assert!(decided.signers.as_ref().unwrap().len() >= 3);
        verify(world, &call, &decided).await;

        // The same nonce is the same task, and has the same authorization.
        let again = request.clone().with_nonce(decided.document.attestation.nonce);
        assert_eq!(client.request_authorization(&again).await.unwrap().authorization, decided.authorization);
        let task = client.task(decided.task_id).await.unwrap();
        assert!(matches!(task.state, GatewayTaskState::Decided(_)), "{task:?}");
        // Without one, it is another.
        let other = client.submit(&request).await.unwrap();
        assert_eq!(other.nonce, decided.document.attestation.nonce + U256::from(1));

        let (_, request) = payment(world, 5_001);
        let denied = client.request_authorization(&request).await.unwrap();
        assert_eq!((denied.decision, denied.reasons), (Decision::Deny, vec!["more than 1000".to_owned()]));
    });
}

#[test]
fn another_gateway_is_asked_if_one_is_away() {
    run(async {
        let (world, first, second) = (world().await, TestGateway::start().await, TestGateway::start().await);
        let _of_first = Operators::connect(first.gateway.address(), 4).await;
        let _of_second = Operators::connect(second.gateway.address(), 4).await;
        let client = GatewayClient::new([NO_GATEWAY, &first.url, &second.url]).unwrap();
        let (call, request) = payment(world, 502);
        verify(world, &call, &client.request_authorization(&request).await.unwrap()).await;

        first.gateway.stop().await;
        let (call, request) = payment(world, 503);
        verify(world, &call, &client.request_authorization(&request).await.unwrap()).await;
        second.gateway.stop().await;
        let client = client.with_patience(Duration::ZERO);
        let error = client.request_authorization(&request).await.unwrap_err();
        let GatewayError::Unreachable(failures) = &error else { panic!("{error}") };
        assert_eq!(failures.len(), 3);
        assert!(error.is_retryable());
    });
}

#[test]
fn a_gateway_that_comes_back_in_time_is_asked_again() {
    run(async {
        let (world, gateway) = (world().await, TestGateway::start().await);
        let address = gateway.gateway.address();
        gateway.gateway.stop().await;
        let client = GatewayClient::new([&gateway.url]).unwrap().with_patience(Duration::from_secs(60));
        let waiting = tokio::spawn(async move { client.health().await });
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!waiting.is_finished());
        let _again = TestGateway::with(|options| options.listen = Some(address)).await;
        assert_eq!(waiting.await.unwrap().unwrap().task_manager, world.task_manager);
    });
}

#[test]
fn an_error_says_what_to_do() {
    run(async {
        let (world, gateway) = (world().await, TestGateway::start().await);
        let client = GatewayClient::new([&gateway.url]).unwrap();
        let (_, request) = payment(world, 504);
        let error = client.submit(&request.with_expiration(now() + 100_000)).await.unwrap_err();
        assert_eq!((error.code(), error.is_retryable()), (Some("invalid"), false));
        assert!(error.to_string().contains("is not within 3600 seconds"), "{error}");
        assert_eq!(error.next_step(), "change the request as the message says");

        let error = client.task(B256::repeat_byte(9)).await.unwrap_err();
        assert_eq!((error.code(), error.task_id()), (Some("notFound"), None));
    });
}

#[test]
fn a_task_that_is_not_decided_can_be_cancelled() {
    run(async {
        let (world, gateway) = (world().await, TestGateway::start().await);
        let operators = Operators::connect(gateway.gateway.address(), 4).await;
        operators.is_silent.store(true, Ordering::Relaxed);
        let client = GatewayClient::new([&gateway.url]).unwrap();
        let (_, request) = payment(world, 505);
        let task = client.submit(&request).await.unwrap();
        assert_eq!(task.state, GatewayTaskState::Pending);
        let cancelled = client.cancel(task.task_id).await.unwrap();
        assert!(matches!(&cancelled.state, GatewayTaskState::Failed(failure) if failure.code == "cancelled"));
        let error = client.request_authorization(&request.with_nonce(task.nonce)).await.unwrap_err();
        assert_eq!((error.code(), error.task_id()), (Some("cancelled"), Some(task.task_id)));
    });
}

#[test]
fn an_answer_to_another_request_is_refused() {
    run(async {
        let (world, gateway) = (world().await, TestGateway::start().await);
        let _operators = Operators::connect(gateway.gateway.address(), 4).await;
        // A gateway that answers each request with one task.
        let honest = gateway.call("assent_requestAuthorization", world.request(506)).await.unwrap();
        let answer = serde_json::json!({ "jsonrpc": "2.0", "id": 1, "result": honest }).to_string();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/", post(move || async move { answer }));
        tokio::spawn(async move { axum::serve(listener, router).await });

        let client = GatewayClient::new([&url]).unwrap().with_patience(Duration::ZERO);
        let (call, request) = payment(world, 506);
        let nonce: U256 = honest["nonce"].as_str().unwrap().parse().unwrap();
        // It is taken as the answer to the request that it is about.
        let decided = client.request_authorization(&request.clone().with_nonce(nonce)).await.unwrap();
        verify(world, &call, &decided).await;
        let others = [request.clone(), payment(world, 507).1.with_nonce(nonce)];
        for other in others {
            let error = client.request_authorization(&other).await.unwrap_err();
            assert!(error.to_string().contains("gave another task than it was asked for"), "{error}");
        }
        // With another gateway beside it, the request succeeds.
        let both = GatewayClient::new([&url, &gateway.url]).unwrap();
        verify(world, &call, &both.request_authorization(&request).await.unwrap()).await;
    });
}

#[test]
fn a_gateway_that_never_decides_is_not_waited_for_longer_than_the_request_lives() {
    run(async {
        let (world, gateway) = (world().await, TestGateway::start().await);
        let _operators = Operators::connect(gateway.gateway.address(), 4).await;
        let asked = Arc::new(AtomicUsize::new(0));
        let error = serde_json::json!({
            "code": -32002,
            "message": "the task is not decided yet",
            "data": { "code": "pending", "retryable": true, "next": "ask again", "taskId": B256::repeat_byte(7) },
        });
        let answer = serde_json::json!({ "jsonrpc": "2.0", "id": 1, "error": error }).to_string();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let counted = Arc::clone(&asked);
        let counting = move || {
            counted.fetch_add(1, Ordering::Relaxed);
            async move { answer }
        };
        let router = Router::new().route("/", post(counting));
        tokio::spawn(async move { axum::serve(listener, router).await });

        let client = GatewayClient::new([&url]).unwrap();
        let (call, request) = payment(world, 508);
        let error = client.request_authorization(&request.clone().with_expiration(now() + 3)).await.unwrap_err();
        assert_eq!((error.code(), error.is_retryable()), (Some("pending"), true), "{error}");
        let asked = asked.load(Ordering::Relaxed);
        assert!((2..=14).contains(&asked), "{asked}");
        // The next gateway decides it.
        let both = GatewayClient::new([&url, &gateway.url]).unwrap();
        verify(world, &call, &both.request_authorization(&request).await.unwrap()).await;
    });
}
