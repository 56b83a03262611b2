//! The file that must neither be lost nor mistaken.

use crate::fixture::{Fixture, Service};
use alloy_primitives::U256;
use redb::{Database, ReadableDatabase, TableDefinition};

const AUDIT: TableDefinition<u64, &[u8]> = TableDefinition::new("audit");
const SERVE: [&str; 7] = ["serve", "--context", "context.json", "--ledger", "ledger.redb", "--listen", "127.0.0.1:0"];

#[track_caller]
fn assert_fails(fixture: &Fixture, arguments: &[&str], words: &str) {
    let output = fixture.run(arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains(words) && !error.contains("panicked"), "{error}");
}

#[tokio::test]
async fn a_ledger_is_never_begun_by_mistake_nor_used_for_another_client_nor_by_two() {
    let fixture = Fixture::new();
    assert_fails(&fixture, &SERVE, "create it with --create");
    let service = Service::begin(&fixture, &[]);
    service.submit(&fixture.document(1)).await.accepted();
    assert_fails(&fixture, &SERVE, "another process has the ledger");
    assert_fails(&fixture, &["audit", "--ledger", "ledger.redb"], "another process has the ledger");
    service.kill();

    assert_fails(&fixture, &[&SERVE[..], &["--create"]].concat(), "it already exists");
    let mut other = fixture.context.clone();
    other.chain_id = U256::from(1);
    fixture.write_context(&other);
    assert_fails(&fixture, &SERVE, "but the context is for");
    other = fixture.context.clone();
    other.policy = None;
    fixture.write_context(&other);
    assert_fails(&fixture, &SERVE, "has no policy");
    std::fs::write(fixture.path("context.json"), "{\"chainId\": \"one\"}").unwrap();
    assert_fails(&fixture, &SERVE, "`assent context --json` prints one");
}

#[tokio::test]
async fn an_altered_audit_trail_is_found_out() {
    let fixture = Fixture::new();
    let service = Service::begin(&fixture, &[]);
    for document in fixture.documents(0..4) {
        service.submit(&document).await.accepted();
    }
    service.kill();
    let path = fixture.path("ledger.redb");
    let record = |sequence| {
        let database = Database::open(&path).unwrap();
        let transaction = database.begin_read().unwrap();
        let table = transaction.open_table(AUDIT).unwrap();
        table.get(sequence).unwrap().unwrap().value().to_vec()
    };
    let write = |sequence, record: Option<&[u8]>| {
        let database = Database::open(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        {
            let mut table = transaction.open_table(AUDIT).unwrap();
            match record {
                Some(record) => drop(table.insert(sequence, record).unwrap()),
                None => drop(table.remove(sequence).unwrap()),
            }
        }
        transaction.commit().unwrap();
    };
    let audit = ["audit", "--ledger", "ledger.redb"];
    assert!(fixture.run(&audit).status.success());

    let (second, last) = (record(1), record(3));
    let altered = String::from_utf8(second.clone()).unwrap().replace("\"epoch\":1", "\"epoch\":2");
    write(1, Some(altered.as_bytes()));
    assert_fails(&fixture, &audit, "broken at record 2");
    write(1, Some(&second));
    assert!(fixture.run(&audit).status.success());
    write(1, None);
    assert_fails(&fixture, &audit, "broken at record 1");
    write(1, Some(&second));
    write(3, None);
    assert_fails(&fixture, &audit, "broken at record 3");
    write(3, Some(&last));
    write(4, Some(&last));
    assert_fails(&fixture, &audit, "broken at record 4");
}
