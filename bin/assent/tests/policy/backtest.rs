//! What a policy would have decided about past calls, and decides about new ones, on a real node.

use super::{command::Desk, node::Anvil, proxy, running::Running};
use alloy::sol_types::SolEvent;
use alloy_primitives::{Address, U256, hex};
use assent_contracts::TaskManager::AttestationSpent;
use assent_policy::Function;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

/// A contract that takes every call, or reverts if it has value.
const CONTRACT: &str = "0x00000000000000000000000000000000000c0de0";
/// `CALLVALUE ISZERO PUSH1 8 JUMPI PUSH0 PUSH0 REVERT JUMPDEST STOP`, with a `PUSH0 POP` to fill.
const CODE: &str = "0x34156008575f5ffd5b00";
/// Stands for the TaskManager of a PolicyClient.
const TASK_MANAGER: &str = "0x000000000000000000000000000000000007a5c0";
const LIMIT: &str = "more than the limit of 100 for `amount` of pay";

/// A node with the contract, and a policy of one recorded payment of 100.
struct Scene {
    anvil: Anvil,
    desk: Desk,
}

impl Scene {
    fn set() -> Self {
        let (anvil, desk) = (Anvil::start(&[]), Desk::new());
        anvil.ask("anvil_setCode", &json!([CONTRACT, CODE]));
        let intent = json!({
            "from": anvil.account(), "to": CONTRACT, "value": "0", "data": payment(100), "chainId": 31337
        });
        desk.write_json("calls.json", &intent);
        let function = "function pay(address to, uint256 amount)";
        desk.run(&["policy", "suggest", "treasury", "--intents", "calls.json", "--function", function]).succeeded();
        Self { anvil, desk }
    }

    /// Sends a transaction in its own block, and returns its hash.
    fn send(&self, data: &str, value: u64) -> String {
        self.send_to(CONTRACT, data, value)
    }

    fn send_to(&self, contract: &str, data: &str, value: u64) -> String {
        let transaction = json!([{
            "from": self.anvil.account(), "to": contract, "data": data, "value": format!("{value:#x}"), "gas": "0x186a0"
        }]);
        let hash = self.anvil.ask("eth_sendTransaction", &transaction);
        let hash = hash.as_str().expect("a hash").to_owned();
        while self.anvil.ask("eth_getTransactionReceipt", &json!([hash])).is_null() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        hash
    }

    fn backtest<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        Self::backtest_on(&self.anvil.url, more)
    }

    fn backtest_on<'a>(url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        let arguments = ["policy", "backtest", "treasury", "--rpc-url", url, "--client", CONTRACT, "--from-block", "0"];
        [&arguments, more].concat()
    }

    fn shadow(&self, url: &str, more: &[&str]) -> Running {
        let arguments = ["policy", "shadow", "treasury", "--rpc-url", url, "--client", CONTRACT, "--poll", "50"];
        let mut running = Running::start(&self.desk, &[&arguments, more].concat());
        running.remark("Ctrl-C stops");
        running
    }
}

fn payment(amount: u64) -> String {
    let pay: Function = "function pay(address to, uint256 amount)".parse().expect("a function");
    let to = Address::repeat_byte(0xbe).into_word().to_string();
    let selector = hex::encode_prefixed(pay.selector().expect("a selector"));
    format!("{selector}{}{:064x}", to.trim_start_matches("0x"), U256::from(amount))
}

fn lines(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

#[test]
fn past_calls_are_counted_by_rule_and_each_denial_has_its_transaction() {
    let scene = Scene::set();
    scene.send(&payment(100), 0);
    let large = scene.send(&payment(101), 0);
    scene.send(&payment(7), 0);
    let unknown = scene.send("0x12345678", 0);
    let reverted = scene.send(&payment(5), 1);

    let ran = scene.desk.run(&scene.backtest(&[]));
    assert_eq!(ran.status, Some(0), "{ran:?}");
    for expected in [
        &format!("DENY {large} (block 2): denied: 101 is {LIMIT}"),
        &format!("DENY {unknown} (block 4): function: "),
        "4 calls in blocks 0 to 5",
        "1 transaction reverted, and is not counted",
        "50.00 %",
        "25.00 %",
        "(treasury.rego:",
    ] {
        assert!(ran.out.contains(expected), "{expected}: {ran:?}");
    }
    assert!(!ran.out.contains(&reverted) && !ran.out.contains("ALLOW"), "{ran:?}");
    assert!(ran.err.contains("calls that other contracts make are not seen"), "{ran:?}");

    let reported = lines(&scene.desk.run(&scene.backtest(&["--json", "--with-reverted"])).succeeded());
    let [denied, _, reverted_call, summary] = reported.as_slice() else { panic!("{reported:#?}") };
    assert_eq!((&denied["transaction"], &denied["decision"]), (&json!(large), &json!("deny")));
    assert_eq!(denied["reasons"][0]["message"], format!("101 is {LIMIT}"));
    // The reference block is the one before the call's own.
    let before = scene.anvil.ask("eth_getBlockByNumber", &json!(["0x1", false]));
    assert_eq!(
        (&denied["referenceBlock"]["number"], &denied["referenceBlock"]["hash"]),
        (&json!("1"), &before["hash"])
    );
    assert_eq!(reverted_call["transaction"], json!(reverted));
    assert_eq!(
        (&summary["type"], &summary["calls"], &summary["allowed"], &summary["denied"]),
        (&json!("summary"), &json!(5), &json!(2), &json!(3))
    );
}

#[test]
fn a_backtest_continues_from_its_state_and_refuses_another_subject() {
    let scene = Scene::set();
    scene.send(&payment(100), 0);
    scene.send(&payment(101), 0);
    scene.send(&payment(102), 0);
    let first = scene.desk.run(&scene.backtest(&["--to-block", "2", "--state", "state.json"])).succeeded();
    assert!(first.contains("2 calls in blocks 0 to 2"), "{first}");
    let second = scene.desk.run(&scene.backtest(&["--state", "state.json"])).succeeded();
    assert!(second.contains("3 calls in blocks 0 to 3") && second.contains("102 is"), "{second}");
    assert!(!second.contains("101 is"), "what is counted is not read again: {second}");
    scene
        .desk
        .run(&scene.backtest(&["--state", "state.json", "--with-reverted"]))
        .failed(1, &["state.json is of another"]);

    // The last block that was counted is replaced.
    scene.anvil.ask("anvil_rollback", &json!([1]));
    scene.send(&payment(103), 0);
    scene.desk.run(&scene.backtest(&["--state", "state.json"])).failed(1, &["block 3 was replaced"]);
    scene.desk.run(&scene.backtest(&["--to-block", "99"])).failed(1, &["the latest block is 3"]);
}

/// How often the node in the test below is asked for events and for transactions.
static EVENTS: AtomicU32 = AtomicU32::new(0);
static TRANSACTIONS: AtomicU32 = AtomicU32::new(0);

#[test]
fn a_question_that_fails_is_repeated_without_the_rest_of_its_range() {
    let scene = Scene::set();
    let [client, task_manager] = [CONTRACT, TASK_MANAGER].map(|address| address.trim_start_matches("0x"));
    // The client returns the address of its TaskManager, which emits an AttestationSpent of the client.
    scene.anvil.ask("anvil_setCode", &json!([CONTRACT, format!("0x73{task_manager}5f5260205ff3")]));
    let event = hex::encode(AttestationSpent::SIGNATURE_HASH);
    scene.anvil.ask("anvil_setCode", &json!([TASK_MANAGER, format!("0x600773{client}7f{event}60605fa300")]));
    let spent = [0; 3].map(|value| scene.send_to(TASK_MANAGER, "0x", value));

    let url = proxy::start(&scene.anvil.url, |method, error| {
        let is_asked = |name| method == name && error.is_none();
        if is_asked("eth_getLogs") {
            EVENTS.fetch_add(1, Ordering::SeqCst);
        }
        let fails = is_asked("eth_getTransactionByHash") && TRANSACTIONS.fetch_add(1, Ordering::SeqCst) == 1;
        fails.then(|| json!({ "code": -32000, "message": "the node is busy" }))
    });
    let ran = scene.desk.run(&Scene::backtest_on(&url, &[]));
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.err.contains("the node does not answer, and is asked again"), "{ran:?}");
    assert!(ran.err.contains("the node answers again"), "{ran:?}");
    for transaction in spent {
        assert_eq!(ran.out.matches(&format!("NOT VISIBLE {transaction}")).count(), 1, "{ran:?}");
    }
    assert_eq!((EVENTS.load(Ordering::SeqCst), TRANSACTIONS.load(Ordering::SeqCst)), (1, 4));
}

#[cfg(unix)]
#[test]
fn new_calls_are_reported_and_those_of_replaced_blocks_withdrawn() {
    let scene = Scene::set();
    scene.send(&payment(1), 0);
    let mut shadow = scene.shadow(&scene.anvil.url, &[]);
    let allowed = scene.send(&payment(100), 0);
    shadow.line(&format!("ALLOW {allowed} (block 2)"));
    let denied = scene.send(&payment(101), 0);
    assert!(shadow.line(&format!("DENY {denied} (block 3)")).contains(&format!("101 is {LIMIT}")));

    scene.anvil.ask("anvil_rollback", &json!([1]));
    let other = scene.send(&payment(7), 0);
    shadow.line("REORGANISED: block 3 was replaced; 1 call is withdrawn");
    shadow.line(&format!("ALLOW {other} (block 3)"));

    assert!(shadow.interrupt().success());
    shadow.line("2 calls in blocks 2 to 3");
    assert!(!shadow.has_seen("block 1)"), "what was before it began is not reported");
}

#[cfg(unix)]
#[test]
fn calls_without_confirmations_wait_and_json_has_a_line_for_each() {
    let scene = Scene::set();
    scene.send(&payment(1), 0);
    let mut shadow = scene.shadow(&scene.anvil.url, &["--confirmations", "2", "--json"]);
    let early = scene.send(&payment(101), 0);
    scene.send("0x", 0);
    // Replaced before it had its confirmations: it is never reported.
    scene.anvil.ask("anvil_rollback", &json!([2]));
    let call = scene.send(&payment(102), 0);
    scene.send(&payment(3), 0);
    scene.send(&payment(4), 0);
    let reported: Value = serde_json::from_str(&shadow.line("\"type\":\"call\"")).expect("JSON");
    assert_eq!((&reported["transaction"], &reported["decision"]), (&json!(call), &json!("deny")));
    assert!(shadow.interrupt().success());
    let summary: Value = serde_json::from_str(&shadow.line("\"type\":\"summary\"")).expect("JSON");
    assert_eq!((&summary["calls"], &summary["denied"]), (&json!(1), &json!(1)));
    assert!(!shadow.has_seen(&early) && !shadow.has_seen("reorganisation"));
}

/// How many more answers fail, of the node in the test below.
static FAILURES: AtomicU32 = AtomicU32::new(0);

#[cfg(unix)]
#[test]
fn a_node_that_fails_for_a_while_is_asked_again() {
    let scene = Scene::set();
    let url = proxy::start(&scene.anvil.url, |method, _| {
        let fails = method == "eth_blockNumber"
            && FAILURES.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        fails.then(|| json!({ "code": -32000, "message": "the node starts" }))
    });
    let mut shadow = scene.shadow(&url, &[]);
    FAILURES.store(2, Ordering::SeqCst);
    shadow.remark("the node does not answer, and is asked again");
    let call = scene.send(&payment(1), 0);
    shadow.line(&format!("ALLOW {call}"));
    shadow.remark("the node answers again");
    assert!(shadow.interrupt().success());
}
