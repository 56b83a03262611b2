//! Holds: attestations that together exceed what was agreed are not all signed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Barrier;

use alloy_primitives::{B256, U256};
use assent_journal::{Domain, Hold, HoldRequest, HoldTotal, Journal, MAX_HOLDS, SignError};
use assent_signer::AttestationBatch;
use assent_verifier::Attestation;
use assent_verifier::digest::{intent_hash, task_id};

use crate::setup::Place;
use crate::statements::{START, TASK_MANAGER, attestation, batch, chain_id};

const SOURCE: B256 = B256::repeat_byte(0x50);

fn domain() -> Domain {
    Domain { chain_id: chain_id(), task_manager: TASK_MANAGER }
}

fn total(count: u64, sum: u64) -> HoldTotal {
    HoldTotal { count: U256::from(count), sum: U256::from(sum) }
}

/// What an attestation holds, and what the others may come to.
fn request(attestation: &Attestation, amount: u64, agreed: HoldTotal) -> HoldRequest {
    let hold = Hold {
        task_id: attestation.taskId,
        policy_client: attestation.policyClient,
        policy_id: attestation.policyId,
        nonce: attestation.nonce,
        expiration: attestation.expiration.to(),
        amounts: BTreeMap::from([(SOURCE, U256::from(amount))]),
    };
    HoldRequest { hold, time: START, spent: BTreeSet::new(), agreed: BTreeMap::from([(SOURCE, agreed)]) }
}

fn sign(journal: &Journal, nonce: u64, amount: u64, agreed: HoldTotal) -> Result<(), SignError> {
    let attestation = attestation(nonce, 1);
    let request = request(&attestation, amount, agreed);
    journal.sign_holding(&batch(vec![attestation]), vec![request]).map(drop)
}

fn holds(journal: &Journal) -> Vec<Hold> {
    let attestation = attestation(1, 1);
    journal.holds(&domain(), attestation.policyClient, attestation.policyId).unwrap()
}

#[test]
fn two_attestations_that_were_decided_at_once_cannot_both_be_signed() {
    let place = Place::new();
    let journal = place.create();
    // Each was decided when nothing was outstanding.
    let barrier = Barrier::new(8);
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads = (0..8).map(|nonce| {
            let (journal, barrier) = (&journal, &barrier);
            scope.spawn(move || {
                barrier.wait();
                sign(journal, nonce, 600, total(0, 0))
            })
        });
        let threads: Vec<_> = threads.collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    for error in results.into_iter().filter_map(Result::err) {
        let SignError::Exceeded(excess) = error else { panic!("{error}") };
        assert_eq!((excess.recorded, excess.agreed), (total(1, 600), total(0, 0)));
    }
    assert_eq!(holds(&journal).len(), 1);
    // A decision that has seen the first is signed.
    sign(&journal, 100, 400, total(1, 600)).unwrap();
    let SignError::Exceeded(excess) = sign(&journal, 101, 1, total(2, 999)).unwrap_err() else { panic!("signed") };
    assert!(excess.to_string().contains("2 other attestations with the sum 1000"), "{excess}");
}

#[test]
fn what_is_on_record_is_signed_again_and_what_a_batch_exceeds_is_not_recorded() {
    let place = Place::new();
    let journal = place.create();
    sign(&journal, 1, 600, total(0, 0)).unwrap();
    sign(&journal, 2, 600, total(1, 600)).unwrap();
    // The second is on record meanwhile.
    sign(&journal, 1, 600, total(0, 0)).unwrap();

    // Of one client, the second of a batch counts the first.
    let attestations = [attestation(3, 1), attestation(4, 1)];
    let requests: Vec<_> = attestations.iter().map(|one| request(one, 1, total(2, 1200))).collect();
    let refused = journal.sign_holding(&batch(attestations.to_vec()), requests.clone()).unwrap_err();
    assert!(matches!(refused, SignError::Exceeded(_)), "{refused}");
    assert_eq!(holds(&journal).len(), 2);
    for (attestation, request) in attestations.into_iter().zip(requests) {
        let single: AttestationBatch = batch(vec![attestation.clone()]);
        let signed = journal.sign_holding(&single, vec![request]);
        // Neither was recorded by the batch, so the first is new.
        assert_eq!(signed.is_ok(), attestation.nonce == U256::from(3), "{signed:?}");
    }
}

#[test]
fn what_is_spent_or_expired_or_another_clients_does_not_count() {
    let place = Place::new();
    let journal = place.create();
    sign(&journal, 1, 600, total(0, 0)).unwrap();
    let next = attestation(2, 1);
    let spent = BTreeSet::from([attestation(1, 1).taskId]);
    let request_spent = HoldRequest { spent, ..request(&next, 1, total(0, 0)) };
    journal.sign_holding(&batch(vec![next]), vec![request_spent]).unwrap();
    let later = attestation(3, 1);
    let expired = HoldRequest { time: START + 600, ..request(&later, 1, total(0, 0)) };
    journal.sign_holding(&batch(vec![later]), vec![expired]).unwrap();
    let mut other = attestation(4, 1);
    other.policyId = B256::repeat_byte(0x77);
    let intent = intent_hash(&other.intent);
    other.taskId = task_id(chain_id(), TASK_MANAGER, other.policyClient, other.policyId, intent, other.nonce);
    let request_other = request(&other, 1, total(0, 0));
    journal.sign_holding(&batch(vec![other.clone()]), vec![request_other]).unwrap();
    assert_eq!(holds(&journal).len(), 3);
    assert_eq!(journal.all_holds(&domain()).unwrap().len(), 4);
    assert_eq!(journal.holds(&domain(), other.policyClient, other.policyId).unwrap().len(), 1);

    let none = BTreeSet::new();
    let all = holds(&journal);
    assert_eq!(HoldTotal::of(&all, SOURCE, START, &none), total(3, 602));
    assert_eq!(HoldTotal::of(&all, SOURCE, START + 600, &none), total(0, 0));
    assert_eq!(HoldTotal::of(&all, B256::ZERO, START, &none), total(0, 0));
    assert_eq!(journal.release(&domain(), all.clone()).unwrap(), 3);
    assert_eq!(journal.release(&domain(), all).unwrap(), 0);
    assert!(holds(&journal).is_empty());
}

#[test]
fn a_hold_is_on_disk_with_its_attestation_and_moves_with_an_export() {
    let place = Place::new();
    let journal = place.create();
    sign(&journal, 1, 600, total(0, 0)).unwrap();
    drop(journal);
    let journal = place.open().unwrap();
    let held = holds(&journal);
    assert_eq!(held.len(), 1);
    sign(&journal, 2, 600, total(0, 0)).unwrap_err();

    let mut export = Vec::new();
    journal.export(&mut export).unwrap();
    let text = String::from_utf8(export.clone()).unwrap();
    assert!(text.contains("\n\"holds\": [\n{\"taskId\":"), "{text}");
    let moved = Place::new();
    let journal = Journal::create(&moved.options(), place.signer()).unwrap();
    journal.import(export.as_slice()).unwrap();
    assert_eq!(holds(&journal), held);
    sign(&journal, 2, 600, total(0, 0)).unwrap_err();
    let malformed = text.replace("\"600\"", "\"0600\"");
    let error = journal.import(malformed.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("the amount \"0600\" is not a decimal number"), "{error}");
}

#[test]
fn an_import_replaces_no_hold_that_is_on_record() {
    let place = Place::new();
    let journal = place.create();
    sign(&journal, 1, 600, total(0, 0)).unwrap();
    let held = holds(&journal);
    let mut export = Vec::new();
    journal.export(&mut export).unwrap();
    let text = String::from_utf8(export).unwrap();
    // An operator that holds less for a shorter time signs more.
    let expiration = format!("\"expiration\":{}", held[0].expiration);
    for (recorded, other) in [("\"600\"", "\"1\""), (expiration.as_str(), "\"expiration\":1")] {
        assert!(text.contains(recorded), "{text}");
        journal.import(text.replace(recorded, other).as_bytes()).unwrap();
        assert_eq!(holds(&journal), held);
    }
    sign(&journal, 2, 600, total(0, 0)).unwrap_err();
}

#[test]
fn the_holds_of_a_client_are_bounded() {
    let place = Place::new();
    let journal = place.create();
    let many = total(u64::MAX, u64::MAX);
    for first in (0..MAX_HOLDS).step_by(256) {
        let attestations: Vec<_> = (first..first + 256).map(|nonce| attestation(nonce as u64, 1)).collect();
        let requests = attestations.iter().map(|one| request(one, 1, many)).collect();
        journal.sign_holding(&batch(attestations), requests).unwrap();
    }
    let refused = sign(&journal, MAX_HOLDS as u64, 1, many).unwrap_err();
    assert!(matches!(refused, SignError::TooManyHolds(_)), "{refused}");
}
