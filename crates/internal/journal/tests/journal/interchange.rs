//! Export and import.

use assent_journal::{
    Conflict, Import, ImportError, Journal, SignError, Slot,
    Statement::{self, Attestations},
};

use crate::setup::Place;
use crate::statements::{START, TASK_MANAGER, attestation, batch, chain_id, handover, observation, single};

fn export(journal: &Journal) -> String {
    let mut text = Vec::new();
    journal.export(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}

fn sign_observation(journal: &Journal, output: &str) -> Result<(), SignError> {
    let observation = observation(1, "price", output);
    let (chain_id, task_manager) = (chain_id(), TASK_MANAGER);
    let statement = Statement::Observation { observation: &observation, chain_id, task_manager, time: START };
    journal.sign(statement).map(drop)
}

/// A second journal of the same key, as on another machine.
fn elsewhere(place: &Place) -> (Place, Journal) {
    let other = Place::new();
    let journal = Journal::create(&other.options(), place.signer()).unwrap();
    (other, journal)
}

#[test]
fn an_export_is_exactly_this() {
    let place = Place::new();
    let journal = place.create();
    assert_eq!(
        export(&journal),
        format!("{{\n\"version\": 1,\n\"publicKey\": \"{}\",\n\"data\": []\n}}\n", journal.public_key())
    );
    let single = single(1, 1);
    journal.sign(Attestations(&single)).unwrap();
    sign_observation(&journal, "{}").unwrap();
    let observation = observation(1, "price", "{}");
    let expected = format!(
        r#"{{
"version": 1,
"publicKey": "{}",
"data": [
{{
"chainId": "1",
"taskManager": "0x0707070707070707070707070707070707070707",
"newest": 1900000000,
"floor": 0,
"attestations": [
{{"taskId":"{}","digest":"{}","time":1900000000}}],
"observations": [
{{"taskId":"{}","source":"{}","digest":"{}","time":1900000000}}]
}}]
}}
"#,
        journal.public_key(),
        single.attestations()[0].taskId,
        single.root(),
        observation.task_id,
        observation.source,
        observation.digest(chain_id(), TASK_MANAGER),
    );
    assert_eq!(export(&journal), expected);
}

#[test]
fn an_imported_journal_refuses_what_the_exported_one_refuses() {
    let place = Place::new();
    let journal = place.create();
    journal.sign(Attestations(&batch(vec![attestation(1, 1), attestation(2, 1)]))).unwrap();
    sign_observation(&journal, "{}").unwrap();
    let text = export(&journal);

    let (_other, imported) = elsewhere(&place);
    let import = imported.import(text.as_bytes()).unwrap();
    assert_eq!(import, Import { added: 3, known: 0, conflicts: vec![] });
    assert_eq!(export(&imported), text);
    assert!(matches!(imported.sign(Attestations(&single(2, 2))), Err(SignError::AlreadySigned(_))));
    assert!(matches!(sign_observation(&imported, "[]"), Err(SignError::AlreadySigned(_))));
    assert_eq!(imported.sign(Attestations(&single(2, 1))), journal.sign(Attestations(&single(2, 1))));
    // Once more changes nothing.
    let again = imported.import(text.as_bytes()).unwrap();
    assert_eq!(again, Import { added: 0, known: 3, conflicts: vec![] });
    assert_eq!(export(&imported), text);
}

#[test]
fn an_export_has_handovers_too() {
    let place = Place::new();
    let journal = place.create();
    let signed = handover(4, 6, 1);
    journal.sign(Statement::Handover(&signed)).unwrap();
    let text = export(&journal);
    let line = format!(
        "\"handovers\": [\n{{\"epoch\":6,\"digest\":\"{}\",\"time\":{}}}]\n}}",
        signed.content_digest(),
        signed.expires_at
    );
    assert!(text.contains(&line), "{text}");

    let (_other, imported) = elsewhere(&place);
    assert_eq!(imported.import(text.as_bytes()).unwrap(), Import { added: 1, known: 0, conflicts: vec![] });
    assert_eq!(export(&imported), text);
    let refused = imported.sign(Statement::Handover(&handover(5, 6, 2)));
    assert!(matches!(refused, Err(SignError::AlreadySigned(_))));
}

#[test]
fn an_import_merges_and_never_replaces_what_is_on_record() {
    let place = Place::new();
    let journal = place.create();
    let exported = [single(1, 1), single(2, 1)];
    for batch in &exported {
        journal.sign(Attestations(batch)).unwrap();
    }
    let (_other, target) = elsewhere(&place);
    let on_record = [single(2, 9), single(3, 9)];
    for batch in &on_record {
        target.sign(Attestations(batch)).unwrap();
    }

    let import = target.import(export(&journal).as_bytes()).unwrap();
    let slot = Slot::Attestation { task_id: attestation(2, 1).taskId };
    let conflict = Conflict { slot, recorded: on_record[0].root(), requested: exported[1].root() };
    assert_eq!(import, Import { added: 1, known: 0, conflicts: vec![conflict] });
    for allowed in [&exported[0], &on_record[0], &on_record[1]] {
        target.sign(Attestations(allowed)).unwrap();
    }
    for refused in [single(1, 9), single(2, 1), single(3, 1)] {
        assert!(matches!(target.sign(Attestations(&refused)), Err(SignError::AlreadySigned(_))));
    }
}

#[test]
fn what_is_no_export_of_this_key_is_refused_whole() {
    let place = Place::new();
    let journal = place.create();
    journal.sign(Attestations(&single(1, 1))).unwrap();
    let text = export(&journal);
    let (other, target) = elsewhere(&place);
    assert!(target.import(text.as_bytes()).is_ok());
    drop((target, other));

    let (_other, target) = elsewhere(&place);
    let malformed = [
        text.replace("\"time\"", "\"tim\""),
        text.replace("\"newest\"", "\"extra\": 1, \"newest\""),
        text.replace("\"chainId\": \"1\"", "\"chainId\": \"one\""),
        text.replace("\"chainId\": \"1\"", "\"chainId\": \"\""),
        text[..text.len() - 3].to_owned(),
        format!("{text}{{}}"),
        "[]".to_owned(),
        String::new(),
    ];
    for text in malformed {
        assert!(matches!(target.import(text.as_bytes()), Err(ImportError::Malformed(_))), "{text}");
    }
    let newer = text.replace("\"version\": 1", "\"version\": 2");
    assert!(matches!(target.import(newer.as_bytes()), Err(ImportError::Version(2))));
    let stranger = Place::new().create();
    assert!(matches!(stranger.import(text.as_bytes()), Err(ImportError::OtherKey { .. })));
    assert_eq!(target.recorded().unwrap(), 0);
    assert_eq!(stranger.recorded().unwrap(), 0);
}
