//! Old blocks and inner calls, on a node that shows both; and the program itself.

use crate::fixture::{FORWARDER, Fixture, TWICE_FORWARDER, assert_verified};
use alloy::{
    node_bindings::{Anvil, AnvilInstance},
    primitives::{Address, U256},
    providers::{Provider, ProviderBuilder, ext::AnvilApi},
};
use assent_verifier::{Refusal, SpentLedger, SpentNonces};
use attestation_indexer::{FindingStatus, Indexer};
use std::{
    io,
    net::{Shutdown, TcpListener, TcpStream},
    path::Path,
    process::{Command, Output, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

fn anvil() -> AnvilInstance {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../node_modules/.bin/anvil"));
    Anvil::at(path).args(["--hardfork", "osaka"]).try_spawn().expect("anvil starts (run `npm ci`)")
}

#[tokio::test]
async fn the_past_is_verified_block_by_block_and_inner_calls_by_their_trace() {
    let anvil = anvil();
    let accounts = anvil.addresses().to_vec();
    let provider = ProviderBuilder::new().connect_http(anvil.endpoint_url()).erased();
    let fixture = Fixture::new(provider, &accounts, Some(&FORWARDER)).await;
    let from = fixture.head().await + 1;
    let receipts =
        [fixture.pay_from_inside(&[7], accounts[9]).await, fixture.execute_from_inside(8, accounts[9]).await];
    // What the chain knows now is another thing.
    fixture.change_policy(accounts[0]).await;
    fixture.burn_nonces(accounts[0]).await;

    let mut indexer = fixture.indexer(from, 1);
    let findings = indexer.step(u64::MAX).await.unwrap().unwrap();
    assert_eq!(findings.len(), 2);
    assert_verified(&findings[0], &receipts[0], 7);
    assert_verified(&findings[1], &receipts[1], 8);

    let program = |options: &[&str]| {
        let (url, task_manager) = (anvil.endpoint(), fixture.task_manager.to_string());
        let fixed = ["--rpc-url", &url, "--task-manager", &task_manager, "--confirmations", "1"];
        let program = env!("CARGO_BIN_EXE_attestation-indexer");
        let (from, last) = (from.to_string(), receipts[1].block_number.unwrap().to_string());
        let range = ["--from-block", &from, "--to-block", &last];
        Command::new(program).args(fixed).args(range).args(options).output().unwrap()
    };
    let Output { status, stdout, stderr } = program(&[]);
    let (lines, said) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert!(status.success(), "{lines}{said}");
    assert_eq!(
        lines.lines().filter(|line| line.ends_with("verified, signed by weight 20 of 30 of epoch 1")).count(),
        2
    );
    assert!(said.contains(&format!("resume with --from-block {}", receipts[1].block_number.unwrap() + 1)), "{said}");
    let output = program(&["--json", "--client", &fixture.vault.to_string()]);
    let line = String::from_utf8(output.stdout).unwrap().lines().next().unwrap().to_owned();
    let json: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&json["verdict"], &json["nonce"]), (&"verified".into(), &"7".into()));
}

#[tokio::test]
async fn two_uses_in_one_transaction_are_told_apart() {
    let anvil = anvil();
    let accounts = anvil.addresses().to_vec();
    let provider = ProviderBuilder::new().connect_http(anvil.endpoint_url()).erased();
    let fixture = Fixture::new(provider, &accounts, Some(&TWICE_FORWARDER)).await;
    let from = fixture.head().await + 1;
    let receipt = fixture.pay_from_inside(&[7, 8], accounts[9]).await;
    let mut indexer = fixture.indexer(from, 0);
    let findings = indexer.step(u64::MAX).await.unwrap().unwrap();
    assert_eq!(findings.len(), 2);
    assert_verified(&findings[0], &receipt, 7);
    assert_verified(&findings[1], &receipt, 8);

    let known = |indexer: &Indexer<_>| {
        (7..10).map(|nonce| indexer.spent().is_spent(fixture.vault, U256::from(nonce))).collect::<Vec<_>>()
    };
    assert_eq!(known(&indexer), [true, true, false]);
    fixture.burn_nonces(accounts[0]).await;
    assert!(indexer.step(u64::MAX).await.unwrap().unwrap().is_empty());
    assert_eq!(known(&indexer), [true, true, true], "what is burned cannot be used any more");
}

/// No chain accepts a nonce twice. So the indexer is told that it had been used before the first block.
#[tokio::test]
async fn a_use_that_the_verifier_refuses_is_an_alarm() {
    let anvil = anvil();
    let accounts = anvil.addresses().to_vec();
    let provider = ProviderBuilder::new().connect_http(anvil.endpoint_url()).erased();
    let fixture = Fixture::new(provider, &accounts, None).await;
    let from = fixture.head().await + 1;
    fixture.pay(7).await;
    let mut spent = SpentNonces::default();
    assert!(spent.spend(fixture.vault, U256::from(7)));
    let findings = fixture.indexer(from, 0).with_spent(spent).step(u64::MAX).await.unwrap().unwrap();
    let refusal = Refusal::AttestationAlreadySpent { policyClient: fixture.vault, nonce: U256::from(7) };
    assert!(matches!(findings[0].status, FindingStatus::Refused(found) if found == refusal), "{}", findings[0]);
    assert!(findings[0].to_string().contains("REFUSED, although the chain accepted it: AttestationAlreadySpent"));
}

/// Runs the program on a TaskManager's address, without a pause between requests.
fn follow(url: &str, task_manager: Address, options: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_attestation-indexer"));
    let task_manager = task_manager.to_string();
    program.args(["--rpc-url", url, "--task-manager", &task_manager, "--from-block", "0", "--poll", "1"]).args(options);
    program
}

#[tokio::test]
async fn the_program_fails_on_an_address_without_a_task_manager() {
    let anvil = anvil();
    let Output { status, stderr, .. } =
        follow(&anvil.endpoint(), anvil.addresses()[0], &["--to-block", "0", "--confirmations", "0"]).output().unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert!(!status.success() && said.contains("no contract at") && !said.contains("done"), "{said}");
}

#[tokio::test]
async fn a_refused_connection_is_tried_again_and_waiting_is_reported() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let mut gives_up = follow(&url, Address::ZERO, &["--patience", "0"]);
    let Output { status, stderr, .. } = gives_up.output().unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert!(!status.success() && said.contains("Connection refused"), "{said}");

    // The node comes after the program, with a TaskManager from the start.
    let anvil = anvil();
    let accounts = anvil.addresses().to_vec();
    let provider = ProviderBuilder::new().connect_http(anvil.endpoint_url()).erased();
    let fixture = Fixture::new(provider.clone(), &accounts, None).await;
    let (gate, gated) = gate(anvil.port());
    let head = fixture.head().await;
    let last = (head + 1).to_string();
    let mut program = follow(&gated, fixture.task_manager, &["--to-block", &last, "--confirmations", "1"]);
    let program = program.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    gate.send(()).unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    provider.anvil_mine(Some(2), None).await.unwrap();
    let Output { status, stderr, .. } = program.wait_with_output().unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert!(status.success(), "{said}");
    for words in ["trying again in 1 s", &format!("waiting for block {head} and 1 confirmations"), "done; resume with"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
}

/// Forwards connections to a port once a message has come. Until then, its own port refuses them.
fn gate(port: u16) -> (mpsc::Sender<()>, String) {
    let own = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (sender, opened) = mpsc::channel();
    thread::spawn(move || {
        opened.recv().unwrap();
        for client in TcpListener::bind(own).unwrap().incoming() {
            let (client, node) = (client.unwrap(), TcpStream::connect(("127.0.0.1", port)).unwrap());
            for (mut from, mut to) in [(client.try_clone().unwrap(), node.try_clone().unwrap()), (node, client)] {
                thread::spawn(move || {
                    let _ = io::copy(&mut from, &mut to);
                    let _ = to.shutdown(Shutdown::Write);
                });
            }
        }
    });
    (sender, format!("http://{own}"))
}
