//! `kill -9` in the middle of a stream of requests.

use crate::fixture::{Fixture, Service};
use alloy_primitives::U256;
use assent_verifier::AttestationDocument;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// How many acceptances each life of the service sees before it is killed.
const LIVES: [usize; 5] = [1, 9, 20, 4, 30];
/// Attestations for each life: more than it gets to.
const ATTESTATIONS: u64 = 64;
const CALLERS: u64 = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_200_survives_kill_9_and_nothing_is_accepted_twice() {
    let fixture = Fixture::new();
    let documents = fixture.documents(0..LIVES.len() as u64 * ATTESTATIONS);
    let mut answered = BTreeMap::new();
    let mut cut_off = 0;
    for (life, acceptances) in LIVES.into_iter().enumerate() {
        let service = Service::start(&fixture, if life == 0 { &["--create"] } else { &[] });
        let own = &documents[life * ATTESTATIONS as usize..][..ATTESTATIONS as usize];
        let stream = stream(&service, own, acceptances).await;
        service.kill();
        for caller in stream {
            let Heard { accepted, unanswered } = caller.await.unwrap();
            answered.extend(accepted);
            cut_off += unanswered;
        }
        assert!(answered.len() >= acceptances);
    }
    assert!(cut_off > 0, "no request was pending when the service was killed");

    let service = Service::start(&fixture, &[]);
    let mut accepted_late = 0;
    for (nonce, document) in (0..).zip(&documents) {
        let answer = service.submit(document).await;
        match answered.get(&nonce) {
            Some(sequence) => {
                let error = answer.refused(409, "AttestationAlreadySpent");
                assert_eq!(error["record"], *sequence, "nonce {nonce} is spent by the record that was answered");
            }
            None if answer.status == 200 => accepted_late += 1,
            // Accepted, but the answer never arrived. Then it is on record all the same.
            None => assert!(answer.refused(409, "AttestationAlreadySpent")["record"].is_u64()),
        }
    }
    assert!(accepted_late > 0, "each life was meant to end before all were accepted");
    service.signal("TERM");
    assert!(service.wait());

    let audit = fixture.run(&["audit", "--ledger", "ledger.redb"]);
    assert!(audit.status.success(), "{audit:?}");
    let records = String::from_utf8(audit.stdout).unwrap();
    let records = records.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>();
    let by_nonce =
        records.iter().map(|record| (record["attestation"]["nonce"].as_str().unwrap().parse().unwrap(), record));
    let by_nonce = by_nonce.collect::<BTreeMap<u64, _>>();
    assert_eq!(records.len(), documents.len(), "one record for each");
    assert_eq!(by_nonce.len(), documents.len(), "and none for a nonce twice");
    for (nonce, document) in (0..).zip(&documents) {
        let record = &by_nonce[&nonce];
        assert_eq!(record["attestation"], serde_json::to_value(&document.attestation).unwrap());
        if let Some(sequence) = answered.get(&nonce) {
            assert_eq!(record["sequence"], *sequence);
        }
    }
}

/// What a caller heard before the service was gone.
struct Heard {
    /// Nonces with the numbers of their records.
    accepted: Vec<(u64, u64)>,
    unanswered: usize,
}

/// Callers submit, each its share, and something forged before each. Returns in the middle of it, once so many were
/// accepted.
async fn stream(
    service: &Service,
    documents: &[AttestationDocument],
    acceptances: usize,
) -> Vec<tokio::task::JoinHandle<Heard>> {
    let accepted_by_all = Arc::new(AtomicUsize::new(0));
    let callers = (0..CALLERS).map(|caller| {
        let service = service.caller();
        let accepted_by_all = Arc::clone(&accepted_by_all);
        let share = documents.iter().skip(caller as usize).step_by(CALLERS as usize).cloned().collect::<Vec<_>>();
        tokio::spawn(async move {
            let mut heard = Heard { accepted: Vec::new(), unanswered: 0 };
            for document in share {
                let mut forged = document.clone();
                forged.attestation.intent.value = U256::from(1);
                match service.submit(&forged).await {
                    Ok(answer) => drop(answer.refused(422, "WrongTask").clone()),
                    Err(_) => heard.unanswered += 1,
                }
                match service.submit(&document).await {
                    Ok(answer) => {
                        heard.accepted.push((document.attestation.nonce.to(), answer.accepted()));
                        accepted_by_all.fetch_add(1, Ordering::SeqCst);
                    }
                    Err(_) => heard.unanswered += 1,
                }
            }
            heard
        })
    });
    let callers = callers.collect();
    while accepted_by_all.load(Ordering::SeqCst) < acceptances {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    callers
}
