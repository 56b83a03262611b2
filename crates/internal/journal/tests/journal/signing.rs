//! One slot, one digest.

use std::sync::{Arc, Barrier, OnceLock, Weak};
use std::thread;

use alloy_primitives::{Address, B256, U256, aliases::U48, keccak256};
use assent_journal::{
    Conflict, Journal, LocalSigner, Recorded, SignError, Signer, SignerError, Slot, Statement::Attestations,
};
use assent_verifier::backend::{blst::Blst, verify_signature};
use assent_verifier::digest::{EPOCH_HANDOVER_TAG, OBSERVATION_TAG, SIGNATURE_TAG, attestation_digest};
use assent_verifier::{Connection, EpochHandover, Observation, OperatorSetId, PublicKey, Signature};

use crate::setup::Place;
use crate::statements::{
    START, TASK_MANAGER, attestation, batch, chain_id, handover, observation, single, two_decisions_on_one_task,
};

fn observed(observation: &Observation) -> assent_journal::Statement<'_> {
    assent_journal::Statement::Observation {
        observation,
        chain_id: chain_id(),
        task_manager: TASK_MANAGER,
        time: START,
    }
}

/// The conflict for which a statement was refused.
fn conflict(error: &SignError) -> Conflict {
    let SignError::AlreadySigned(conflict) = error else { panic!("{error}") };
    **conflict
}

#[test]
fn a_task_is_signed_again_only_with_the_same_digest() {
    let place = Place::new();
    let journal = place.create();
    let [allow, deny] = two_decisions_on_one_task();
    let signature = journal.sign(Attestations(&allow)).unwrap();
    verify_signature::<Blst>(allow.root().as_slice(), SIGNATURE_TAG, &signature, journal.public_key()).unwrap();

    let [recorded, requested] = [allow.root(), deny.root()];
    let slot = Slot::Attestation { task_id: allow.attestations()[0].taskId };
    let conflict = Conflict { slot, recorded, requested };
    for _ in 0..2 {
        let refused = journal.sign(Attestations(&deny)).unwrap_err();
        assert_eq!(refused, SignError::AlreadySigned(conflict.into()));
        let message = refused.to_string();
        assert!(message.contains(&recorded.to_string()) && message.contains(&requested.to_string()), "{message}");
        assert_eq!(journal.sign(Attestations(&allow)).unwrap(), signature);
    }
    drop(journal);

    let journal = place.open().unwrap();
    assert_eq!(journal.sign(Attestations(&deny)).unwrap_err(), SignError::AlreadySigned(conflict.into()));
    assert_eq!(journal.sign(Attestations(&allow)).unwrap(), signature);
    assert_eq!(journal.recorded().unwrap(), 1);
}

#[test]
fn an_operator_says_only_one_thing_of_an_epoch() {
    let place = Place::new();
    let journal = place.create();
    let sign =
        |journal: &Journal, handover: &EpochHandover| journal.sign(assent_journal::Statement::Handover(handover));
    let first = handover(4, 6, 1);
    let signature = sign(&journal, &first).unwrap();
    verify_signature::<Blst>(first.digest().as_slice(), EPOCH_HANDOVER_TAG, &signature, journal.public_key()).unwrap();
    assert_eq!(sign(&journal, &first).unwrap(), signature);
    // A later epoch hands over to the same one, with another signature.
    let later = handover(5, 6, 1);
    assert_ne!(sign(&journal, &later).unwrap(), signature);
    assert_eq!(journal.recorded().unwrap(), 1);

    let shorter = EpochHandover { expires_at: first.expires_at - U48::from(1), ..first };
    let earlier = EpochHandover { committed_at: first.committed_at - U48::from(1), ..first };
    let other_set = EpochHandover { operator_set: OperatorSetId(2), ..first };
    for other in [handover(4, 6, 2), handover(5, 6, 2), shorter, earlier, other_set] {
        let refused = sign(&journal, &other).unwrap_err();
        assert_eq!(conflict(&refused).recorded, first.content_digest());
    }
    // Another epoch, another registry and another chain are other slots.
    let other_registry = EpochHandover { home_registry: Address::ZERO, ..handover(4, 6, 2) };
    let other_chain = EpochHandover { home_chain: chain_id() + U256::from(1), ..handover(4, 6, 2) };
    for other in [handover(4, 7, 2), other_registry, other_chain] {
        sign(&journal, &other).unwrap();
    }
    drop(journal);
    assert!(matches!(sign(&place.open().unwrap(), &handover(4, 6, 2)), Err(SignError::AlreadySigned(_))));
}

#[test]
fn a_source_is_observed_again_only_with_the_same_output() {
    let place = Place::new();
    let journal = place.create();
    let first = observation(1, "price", "{\"usd\":\"1\"}");
    let signature = journal.sign(observed(&first)).unwrap();
    let digest = first.digest(chain_id(), TASK_MANAGER);
    verify_signature::<Blst>(digest.as_slice(), OBSERVATION_TAG, &signature, journal.public_key()).unwrap();
    assert_eq!(journal.sign(observed(&first)).unwrap(), signature);

    let other_block = Observation { reference_block: B256::repeat_byte(3), ..first };
    for other in [observation(1, "price", "{\"usd\":\"2\"}"), other_block] {
        let refused = journal.sign(observed(&other)).unwrap_err();
        assert_eq!(conflict(&refused).recorded, digest);
    }
    // Another source, another task, and the attestation of the same task are other slots.
    journal.sign(observed(&observation(1, "sanctions", "{}"))).unwrap();
    journal.sign(observed(&observation(2, "price", "{}"))).unwrap();
    let attested = attestation(0, 0);
    let task = Observation { task_id: attested.taskId, ..first };
    journal.sign(observed(&task)).unwrap();
    journal.sign(Attestations(&batch(vec![attested]))).unwrap();
    assert_eq!(journal.recorded().unwrap(), 5);
}

#[test]
fn a_batch_is_recorded_whole_or_not_at_all() {
    let place = Place::new();
    let journal = place.create();
    let known = single(2, 1);
    journal.sign(Attestations(&known)).unwrap();

    let conflicting = batch(vec![attestation(1, 1), attestation(2, 2), attestation(3, 1)]);
    let refused = journal.sign(Attestations(&conflicting)).unwrap_err();
    assert_eq!(conflict(&refused).recorded, known.root());
    // So the others can still be decided differently.
    journal.sign(Attestations(&single(1, 5))).unwrap();
    journal.sign(Attestations(&single(3, 5))).unwrap();

    // The same in one batch.
    let contradictory = batch(vec![attestation(4, 1), attestation(4, 2)]);
    let refused = journal.sign(Attestations(&contradictory)).unwrap_err();
    let Conflict { recorded, requested, .. } = conflict(&refused);
    assert_eq!([recorded, requested], [single(4, 1).root(), single(4, 2).root()]);
    journal.sign(Attestations(&single(4, 2))).unwrap();
    let repeated = batch(vec![attestation(5, 1), attestation(5, 1)]);
    journal.sign(Attestations(&repeated)).unwrap();
    assert_eq!(journal.recorded().unwrap(), 5);
}

#[test]
fn what_was_signed_in_a_batch_can_be_signed_alone_and_under_another_root() {
    let place = Place::new();
    let journal = place.create();
    let both = batch(vec![attestation(1, 1), attestation(2, 1)]);
    let signature = journal.sign(Attestations(&both)).unwrap();
    verify_signature::<Blst>(both.root().as_slice(), SIGNATURE_TAG, &signature, journal.public_key()).unwrap();
    assert_ne!(journal.sign(Attestations(&single(1, 1))).unwrap(), signature);
    journal.sign(Attestations(&batch(vec![attestation(2, 1), attestation(3, 1)]))).unwrap();
    assert!(journal.sign(Attestations(&single(1, 2))).is_err());
    let slot = Slot::Attestation { task_id: attestation(2, 1).taskId };
    let entry = journal.entry(&slot).unwrap().unwrap();
    assert_eq!(entry.digest, attestation_digest(&attestation(2, 1), chain_id(), TASK_MANAGER));
    assert_eq!((entry.time, entry.domain.chain_id, entry.domain.task_manager), (START, chain_id(), TASK_MANAGER));
    assert_eq!(journal.entry(&Slot::Attestation { task_id: B256::ZERO }).unwrap(), None);
}

#[test]
fn of_several_statements_each_is_signed_or_refused_separately() {
    let place = Place::new();
    let journal = place.create();
    let [first, second, third, fourth] = [single(1, 1), single(1, 2), single(2, 1), single(1, 1)];
    let statements = [&first, &second, &third, &fourth].map(Attestations);
    let signed = journal.sign_all(&statements);
    assert_eq!(signed.len(), 4);
    assert!(matches!(signed[1], Err(SignError::AlreadySigned(_))));
    assert!(signed[2].is_ok());
    assert_eq!(signed[0].as_ref().unwrap(), signed[3].as_ref().unwrap());
    assert!(journal.sign_all(&[]).is_empty());
    // Limits of the group split nothing that belongs together.
    drop(journal);
    let journal = Journal::open(&place.options().longest_group(1), place.signer()).unwrap();
    assert_eq!(journal.sign_all(&statements), signed);
}

#[test]
fn of_contradictory_callers_side_by_side_only_one_is_answered() {
    let place = Place::new();
    let journal = Arc::new(place.create());
    for task in 0..10 {
        let barrier = Barrier::new(16);
        let signed: Vec<_> = thread::scope(|scope| {
            let callers: Vec<_> = (0..16)
                .map(|evidence| {
                    let (journal, barrier) = (&journal, &barrier);
                    scope.spawn(move || {
                        let batch = single(task, evidence);
                        barrier.wait();
                        (batch.root(), journal.sign(Attestations(&batch)))
                    })
                })
                .collect();
            callers.into_iter().map(|caller| caller.join().unwrap()).collect()
        });
        let winners: Vec<_> = signed.iter().filter(|(_, result)| result.is_ok()).collect();
        let [(winner, _)] = winners[..] else { panic!("task {task}: {} were signed", winners.len()) };
        for (requested, result) in &signed {
            if let Err(error) = result {
                let Conflict { recorded, requested: actual, .. } = conflict(error);
                assert_eq!((recorded, actual), (*winner, *requested));
            }
        }
    }
}

/// A signer that looks, while it signs, whether the statement is on record.
struct Witness {
    signer: LocalSigner,
    journal: Arc<OnceLock<Weak<Journal>>>,
    fails: bool,
}

impl Signer for Witness {
    fn public_key(&self) -> PublicKey {
        self.signer.public_key()
    }

    fn sign(&self, recorded: &Recorded<'_>) -> Result<Signature, SignerError> {
        let Attestations(batch) = recorded.statement() else { panic!("only attestations are signed here") };
        let journal = self.journal.get().unwrap().upgrade().unwrap();
        for attestation in batch.attestations() {
            let entry = journal.entry(&Slot::Attestation { task_id: attestation.taskId }).unwrap();
            let digest = attestation_digest(attestation, chain_id(), TASK_MANAGER);
            assert_eq!(entry.map(|entry| entry.digest), Some(digest), "signed before it was committed");
        }
        if self.fails { Err(SignerError::WrongSignature) } else { self.signer.sign(recorded) }
    }

    fn prove_connection(
        &self,
        connection: &Connection,
        chain_id: U256,
        task_manager: Address,
    ) -> Result<Signature, SignerError> {
        self.signer.prove_connection(connection, chain_id, task_manager)
    }
}

#[test]
fn nothing_is_signed_before_it_is_committed() {
    let place = Place::new();
    let seen = Arc::new(OnceLock::new());
    let signer = Witness { signer: place.signer(), journal: Arc::clone(&seen), fails: false };
    let journal = Arc::new(Journal::create(&place.options(), signer).unwrap());
    seen.set(Arc::downgrade(&journal)).unwrap();
    thread::scope(|scope| {
        for caller in 0..8 {
            let journal = &journal;
            scope.spawn(move || {
                for task in 0..5 {
                    journal.sign(Attestations(&single(task * 8 + caller, 1))).unwrap();
                }
            });
        }
    });
    assert_eq!(journal.recorded().unwrap(), 40);
}

#[test]
fn a_signer_that_fails_leaves_the_digest_on_record() {
    let place = Place::new();
    let seen = Arc::new(OnceLock::new());
    let signer = Witness { signer: place.signer(), journal: Arc::clone(&seen), fails: true };
    let journal = Arc::new(Journal::create(&place.options(), signer).unwrap());
    seen.set(Arc::downgrade(&journal)).unwrap();
    let failed = SignError::Signer(SignerError::WrongSignature);
    assert_eq!(journal.sign(Attestations(&single(1, 1))).unwrap_err(), failed);
    // It may have signed and lost the answer, so another digest is refused.
    assert!(matches!(journal.sign(Attestations(&single(1, 2))), Err(SignError::AlreadySigned(_))));
    drop(journal);
    place.open().unwrap().sign(Attestations(&single(1, 1))).unwrap();
}

#[test]
fn a_connection_is_proved_without_an_entry() {
    let place = Place::new();
    let journal = place.create();
    let gateway = "gateway.example:443".to_owned();
    let connection = Connection { challenge: keccak256("challenge"), operator: Address::repeat_byte(1), gateway };
    let signature = journal.prove_connection(&connection, chain_id(), TASK_MANAGER).unwrap();
    assert_eq!(signature, journal.prove_connection(&connection, chain_id(), TASK_MANAGER).unwrap());
    assert_eq!(journal.recorded().unwrap(), 0);
}
