//! Many at once, too many at once, and signals.

use crate::fixture::{Fixture, Service};
use alloy_primitives::{Address, aliases::U48};
use std::time::Duration;

#[tokio::test]
async fn one_authorization_submitted_by_many_at_once_is_accepted_once() {
    let fixture = Fixture::new();
    let service = Service::begin(&fixture, &["--window", "50"]);
    let document = fixture.document(7);
    let callers = (0..24).map(|_| {
        let (caller, document) = (service.caller(), document.clone());
        tokio::spawn(async move { caller.submit(&document).await.unwrap() })
    });
    let mut accepted = 0;
    for caller in callers.collect::<Vec<_>>() {
        let answer = caller.await.unwrap();
        if answer.status == 200 {
            accepted += 1;
        } else {
            assert_eq!(answer.refused(409, "AttestationAlreadySpent")["record"], 0);
        }
    }
    assert_eq!(accepted, 1);
    assert_eq!(service.get("/health").await.body["records"], 1);
    assert_eq!(service.metric("attestation_service_audit_records").await, 1);
    let outcome = |name| format!("attestation_service_submissions_total{{outcome=\"{name}\"}}");
    assert_eq!(service.metric(&outcome("accepted")).await, 1);
    assert_eq!(service.metric(&outcome("AttestationAlreadySpent")).await, 23);
    assert!(service.metric("attestation_service_batch_size_count").await < 24, "they were verified together");
}

#[tokio::test]
async fn more_than_the_queue_holds_are_answered_503_and_not_spent() {
    let fixture = Fixture::new();
    let service = Service::begin(&fixture, &["--window", "1000", "--queue", "2"]);
    let documents = fixture.documents(0..12);
    let callers = documents.iter().cloned().map(|document| {
        let caller = service.caller();
        tokio::spawn(async move { caller.submit(&document).await.unwrap() })
    });
    let mut answers = Vec::new();
    for caller in callers.collect::<Vec<_>>() {
        answers.push(caller.await.unwrap());
    }
    assert!(answers.iter().any(|answer| answer.status == 503), "the queue was never full");
    service.kill();

    let service = Service::start(&fixture, &["--window", "0"]);
    for (document, answer) in documents.iter().zip(answers) {
        let again = service.submit(document).await;
        if answer.status == 200 {
            again.refused(409, "AttestationAlreadySpent");
        } else {
            answer.refused(503, "Unavailable");
            assert!(answer.retry_after);
            again.accepted();
        }
    }
    assert_eq!(service.get("/health").await.body["records"], 12);
}

#[cfg(unix)]
#[tokio::test]
async fn a_service_that_is_asked_to_stop_answers_what_is_under_way() {
    let fixture = Fixture::new();
    let service = Service::begin(&fixture, &["--window", "1000"]);
    let callers = fixture.documents(0..5).into_iter().map(|document| {
        let caller = service.caller();
        tokio::spawn(async move { caller.submit(&document).await.unwrap() })
    });
    let callers = callers.collect::<Vec<_>>();
    while service.metric("attestation_service_waiting").await < 5 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(!callers.iter().all(|caller| caller.is_finished()), "answered before the signal could be sent");
    }
    service.signal("TERM");
    for caller in callers {
        caller.await.unwrap().accepted();
    }
    assert!(service.wait(), "it ends well");
    assert!(fixture.run(&["audit", "--ledger", "ledger.redb"]).status.success());
}

#[cfg(unix)]
#[tokio::test]
async fn a_context_that_changed_counts_once_the_service_is_told_and_another_clients_never() {
    let fixture = Fixture::new();
    let service = Service::begin(&fixture, &["--window", "0"]);
    service.submit(&fixture.document(0)).await.accepted();

    let mut other = fixture.context.clone();
    other.policy_client = Address::ZERO;
    fixture.write_context(&other);
    service.signal("HUP");
    service.submit(&fixture.document(1)).await.accepted();

    let mut revoked = fixture.context.clone();
    revoked.epochs[0].valid_until = U48::ZERO;
    fixture.write_context(&revoked);
    service.signal("HUP");
    for nonce in 2.. {
        let answer = service.submit(&fixture.document(nonce)).await;
        if answer.status != 200 {
            answer.refused(422, "EpochRevoked");
            break;
        }
        assert!(nonce < 1000, "the signal had no effect");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
