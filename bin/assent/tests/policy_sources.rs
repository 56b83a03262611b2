//! Policies with sources: observed at the reference block of a node, recorded, and repeated offline.

#[path = "command/anvil.rs"]
mod anvil;
mod command;
#[path = "command/offline.rs"]
mod offline;
#[path = "command/running.rs"]
mod running;

use alloy_primitives::{Address, U256, hex, keccak256};
use anvil::Anvil;
use assent_policy::Function;
use command::{Desk, Ran};
use running::Running;
use serde_json::{Value, json};

const FEED: &str = "0x00000000000000000000000000000000000feed0";
const TOKEN: &str = "0x0000000000000000000000000000000000070ce0";
const VAULT: &str = "0x2222222222222222222222222222222222222222";
const RULES: &str = "package limit

default allow := false

allow if input.call.args.amount <= data.wasm.price.chain
";

/// Code that takes every call.
const CODE: &str = "0x00";
/// A host that does not exist.
const URL: &str = "https://api.example.invalid:8443/price";

/// A desk with the policy `limit`, which allows payments up to the price of a feed on the chain.
fn desk() -> Desk {
    let desk = Desk::new();
    std::fs::create_dir_all(desk.path("limit/sources")).expect("a folder");
    let source = json!({
        "hosts": ["api.example.invalid", "api.example.invalid:8443"],
        "schema": {
            "type": "object",
            "properties": { "chain": { "type": "string", "format": "uint256" }, "web": { "type": "string" } },
        },
    });
    manifest(&desk, &json!({ "price": source }));
    desk.write("limit/limit.rego", RULES);
    desk.write_json("limit/parameters.json", &json!({ "feed": FEED }));
    let component = concat!(env!("CARGO_MANIFEST_DIR"), "/../../crates/internal/policy-data/fixtures/price.wasm");
    desk.write("limit/sources/price.wasm", std::fs::read(component).expect("the component"));
    desk.write_json("100.json", &intent(100));
    desk.write_json("101.json", &intent(101));
    desk
}

fn manifest(desk: &Desk, sources: &Value) {
    let functions = ["function pay(uint256 amount)"];
    let manifest = json!({
        "name": "limit", "version": "1.0.0", "entrypoint": "limit", "functions": functions, "sources": sources,
    });
    desk.write_json("limit/policy.json", &manifest);
}

fn intent(amount: u64) -> Value {
    let pay: Function = "function pay(uint256 amount)".parse().expect("a function");
    let selector = hex::encode_prefixed(pay.selector().expect("a selector"));
    let data = format!("{selector}{:064x}", U256::from(amount));
    json!({ "from": Address::repeat_byte(0x11), "to": VAULT, "value": "0", "data": data, "chainId": 31337 })
}

/// Gives the feed a price, from the next block on.
fn set_price(anvil: &Anvil, price: u8) {
    // anvil changes the state of the latest block, so that must not be one that a test looks back at.
    anvil.ask("evm_mine", &json!([]));
    // Stores the price at 0x20, and returns five words.
    let code = format!("0x60{price:02x}60205260a06000f3");
    anvil.ask("anvil_setCode", &json!([FEED, code]));
    anvil.ask("evm_mine", &json!([]));
}

fn latest(anvil: &Anvil) -> Value {
    anvil.ask("eth_getBlockByNumber", &json!(["latest", false]))
}

fn eval(desk: &Desk, intent: &str, more: &[&str]) -> Ran {
    desk.run(&[&["policy", "eval", "limit", "--intent", intent, "--json"], more].concat())
}

fn printed(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

#[test]
fn a_component_reads_the_chain_at_the_reference_block_and_its_answers_repeat_the_decision_offline() {
    let (desk, anvil) = (desk(), Anvil::start(&[]));
    set_price(&anvil, 100);
    let then = latest(&anvil);
    set_price(&anvil, 101);
    let node = ["--rpc-url", anvil.url.as_str()];
    let is_allowed = |intent: &str, more: &[&str]| eval(&desk, intent, &[&node, more].concat()).status == Some(0);
    assert!(is_allowed("101.json", &[]), "{:?}", eval(&desk, "101.json", &node));

    let number = U256::from_str_radix(then["number"].as_str().expect("a number")[2..].as_ref(), 16).expect("hex");
    let (number, hash) = (number.to_string(), then["hash"].as_str().expect("a hash"));
    assert!(!is_allowed("101.json", &["--block", &number]));
    let files = ["--evidence-out", "evidence.json", "--recordings-out", "recordings.json"];
    let decided = printed(&eval(&desk, "100.json", &[&node[..], &["--block", hash], &files].concat()));
    let shown = desk.run(&["evidence", "show", "evidence.json", "--json"]).json();
    assert_eq!((&shown["block"]["number"], &shown["block"]["hash"]), (&json!(number), &json!(hash)));
    drop(anvil);
    let repeated = printed(&eval(&desk, "100.json", &["--data", "recordings.json"]));
    assert_eq!(repeated["evidence"], decided["evidence"]);
    eval(&desk, "101.json", &["--data", "recordings.json"]).failed(1, &["another request", "another task"]);

    let mut recordings: Value = serde_json::from_str(&desk.read("recordings.json")).expect("JSON");
    recordings["recordings"]["price"]["exchanges"][0]["answer"]["returned"] = json!("0x00");
    desk.write_json("recordings.json", &recordings);
    eval(&desk, "100.json", &["--data", "recordings.json"]).failed(1, &["source `price`"]);
}

#[test]
fn the_reference_block_is_the_nodes_or_the_callers_and_never_a_default_beside_a_node() {
    let (desk, anvil) = (desk(), Anvil::start(&[]));
    desk.write_json("answers.json", &json!({ "price": { "chain": "100" } }));
    set_price(&anvil, 100);
    let block = latest(&anvil);
    let hash = block["hash"].as_str().expect("a hash");
    let answers = ["--data", "answers.json"];
    let node = [&answers[..], &["--rpc-url", &anvil.url]].concat();
    for more in [&[][..], &["--block", "latest"], &["--block", "latest", "--block-hash", hash]] {
        let files = ["--evidence-out", "evidence.json", "--force"];
        eval(&desk, "100.json", &[&node, more, &files].concat()).succeeded();
        let shown = desk.run(&["evidence", "show", "evidence.json", "--json"]).json();
        assert_eq!(shown["block"]["hash"], hash);
    }
    eval(&desk, "100.json", &[&node[..], &["--block", "finalized"]].concat()).succeeded();
    let environment = [("ETH_RPC_URL", anvil.url.as_str())];
    let arguments = ["policy", "eval", "limit", "--intent", "100.json", "--data", "answers.json"];
    desk.run_under(&environment, &arguments).succeeded();

    let zero = offline::HASH;
    eval(&desk, "100.json", &[&node[..], &["--block-hash", zero]].concat()).failed(1, &["not 0x1111"]);
    eval(&desk, "100.json", &[&node[..], &["--block", zero]].concat()).failed(1, &["has no block"]);
    eval(&desk, "100.json", &[&node[..], &["--block", "99999"]].concat()).failed(1, &["has no block 99999"]);
    eval(&desk, "100.json", &[&node[..], &["--time", "5"]].concat()).failed(2, &["--time", "--rpc-url"]);
    eval(&desk, "100.json", &answers).failed(1, &["there is no reference block", "--rpc-url", "--time"]);
    let given = |block: &str| eval(&desk, "100.json", &[&answers[..], &["--time", "5", "--block", block]].concat());
    given("9").succeeded();
    given("latest").failed(1, &["only a node has a latest block"]);
    given(hash).failed(1, &["only a node knows the number", "--block-hash"]);
    desk.write_json("other-chain.json", &{
        let mut intent = intent(1);
        intent["chainId"] = json!(1);
        intent
    });
    eval(&desk, "other-chain.json", &node).failed(1, &["the call is for chain 1", "is on chain 31337"]);
}

#[test]
fn history_and_outstanding_are_added_up() {
    let (desk, anvil) = (desk(), Anvil::start(&[]));
    std::fs::remove_file(desk.path("limit/sources/price.wasm")).expect("it is removed");
    let history = json!({
        "event": "event Paid(uint256 amount)", "address": "params.token", "window": { "blocks": 100 }, "sum": "amount",
    });
    let outstanding = json!({ "function": "pay", "sum": "amount" });
    let sources = json!({
        "pending": { "builtin": { "outstanding": outstanding } }, "spent": { "builtin": { "history": history } },
    });
    manifest(&desk, &sources);
    let rules = RULES.replace("<= data.wasm.price.chain", "+ data.wasm.spent.sum + data.wasm.pending.sum <= 130");
    desk.write("limit/limit.rego", rules);
    desk.write_json("limit/parameters.json", &json!({ "token": TOKEN }));
    desk.run(&["policy", "check", "limit"]).succeeded();
    let explained = desk.run(&["policy", "explain", "limit"]).succeeded();
    let sentence = "It looks at spent: the sum of amount over the events Paid of params.token in the last 100 blocks";
    assert!(explained.contains(sentence), "{explained}");

    // Every call emits Paid(7).
    let topic = hex::encode(keccak256("Paid(uint256)"));
    let code = format!("0x60076000527f{topic}60206000a100");
    anvil.ask("anvil_setCode", &json!([TOKEN, code]));
    for _ in 0..2 {
        anvil.ask("eth_sendTransaction", &json!([{ "from": anvil.account(), "to": TOKEN }]));
    }
    let node = ["--rpc-url", anvil.url.as_str()];
    eval(&desk, "100.json", &node).failed(1, &["source `pending`", "only recorded data", "--data"]);
    for (pending, is_allowed) in [("16", true), ("17", false)] {
        desk.write_json("pending.json", &json!({ "pending": { "count": "1", "sum": pending } }));
        let files = ["--data", "pending.json", "--recordings-out", "recordings.json", "--force"];
        let ran = eval(&desk, "100.json", &[&node[..], &files].concat());
        assert_eq!(ran.status == Some(0), is_allowed, "{pending}: {ran:?}");
        let repeated = printed(&eval(&desk, "100.json", &["--data", "recordings.json"]));
        assert_eq!(repeated["evidence"], printed(&ran)["evidence"]);
    }
    eval(&desk, "100.json", &["--time", "5", "--data", "pending.json"]).failed(1, &["`spent`", "no node", "--rpc-url"]);
    desk.write_json("unknown.json", &json!({ "prices": {} }));
    eval(&desk, "100.json", &["--time", "5", "--data", "unknown.json"])
        .failed(1, &["`prices` is not a source of the policy, which has `pending`, `spent`"]);

    let mut wrong = sources;
    wrong["spent"]["builtin"]["history"]["sum"] = json!("total");
    manifest(&desk, &wrong);
    let checked = desk.run(&["policy", "check", "limit"]);
    assert!(checked.status == Some(1) && checked.out.contains("no unsigned integer \"total\""), "{checked:?}");
}

#[test]
fn a_secret_is_sent_only_where_its_owner_binds_it() {
    let desk = desk();
    desk.write_json("limit/parameters.json", &json!({ "url": URL }));
    let policy_id = desk.run(&["policy", "build", "limit", "--json"]).json()["policyId"].clone();
    let observe = |more: &[&str]| eval(&desk, "100.json", &[&["--time", "1800000000"], more].concat());
    observe(&[]).failed(1, &["no secret PRICE_KEY", "--secrets"]);

    let secret = |host: &str, policy_id: &Value, key: &str, value: &str| {
        let mut secret = json!({ "name": "PRICE_KEY", "host": host, "policyId": policy_id });
        secret[key] = json!(value);
        desk.write_json("secrets.json", &json!([secret]));
    };
    let secrets = ["--secrets", "secrets.json"];
    secret("api.example.invalid", &policy_id, "value", "correct-horse");
    observe(&secrets).failed(1, &["did not bind the secret PRICE_KEY to the host api.example.invalid:8443"]);
    secret("api.example.invalid:8443", &json!(offline::HASH), "value", "correct-horse");
    observe(&secrets).failed(1, &["did not bind"]);
    // With the secret it gets as far as the host, which does not exist.
    secret("api.example.invalid:8443", &policy_id, "value", "correct-horse");
    observe(&secrets).failed(1, &["no answer: unreachable"]);
    secret("api.example.invalid:8443", &policy_id, "variable", "PRICE_KEY_OF_TESTS");
    let arguments = ["policy", "eval", "limit", "--intent", "100.json", "--time", "5", "--secrets", "secrets.json"];
    desk.run_under(&[("PRICE_KEY_OF_TESTS", "correct-horse")], &arguments).failed(1, &["no answer: unreachable"]);
    observe(&secrets).failed(1, &["PRICE_KEY_OF_TESTS", "is not set"]);

    desk.write("secrets.json", "[{\"name\": \"KEY\", \"value\": \"correct-horse\"}]");
    let said = observe(&secrets).failed(1, &["cannot parse the file of secrets", "\"policyId\""]);
    assert!(!said.contains("correct-horse"), "{said}");
    if cfg!(unix) {
        desk.set_mode("secrets.json", 0o644);
        observe(&secrets).failed(1, &["secrets.json"]);
    }
}

#[test]
fn simulate_is_the_command_to_type_first() {
    let (desk, anvil) = (desk(), Anvil::start(&[]));
    set_price(&anvil, 100);
    let simulate =
        |intent: &str, more: &[&str]| desk.run(&[&["policy", "simulate", "limit", "--intent", intent], more].concat());
    let node = ["--rpc-url", anvil.url.as_str()];
    let allowed = simulate("100.json", &node).succeeded();
    assert!(
        allowed.starts_with("ALLOW\n") && allowed.contains("next: assent evidence replay evidence.json"),
        "{allowed}"
    );
    // The second replaces the files of the first.
    let denied = simulate("101.json", &[&node[..], &["--json"]].concat());
    assert_eq!((denied.status, &printed(&denied)["decision"]), (Some(1), &json!("deny")), "{denied:?}");
    assert_eq!(printed(&denied)["block"]["hash"], latest(&anvil)["hash"]);
    let replayed = desk.run(&["evidence", "replay", "evidence.json", "--json"]).json();
    assert_eq!(replayed["evidence"], printed(&denied)["evidence"]);
    drop(anvil);
    let offline = simulate("101.json", &["--data", "recordings.json", "--json"]);
    assert_eq!(printed(&offline)["evidence"], printed(&denied)["evidence"]);

    desk.write("limit/limit.rego", RULES.replace("input.call.args.amount", "\"5\""));
    desk.write_json("answers.json", &json!({ "price": { "chain": "100" } }));
    let warned = simulate("100.json", &["--data", "answers.json"]);
    assert!(
        warned.err.contains("warning: limit.rego:5") && warned.err.contains("by this machine's clock"),
        "{warned:?}"
    );
    desk.write("evidence.json", "{}");
    simulate("100.json", &["--data", "answers.json"]).failed(1, &["evidence.json already exists", "--force"]);
    simulate("100.json", &["--evidence-out", "100.json"]).failed(1, &["--evidence-out names 100.json"]);
    simulate("100.json", &["--time", "5"]).failed(1, &["evidence.json already exists"]);
}

#[test]
fn an_attestation_is_issued_at_the_reference_block() {
    let (desk, anvil) = (desk(), Anvil::start(&[]));
    offline::prepare(&desk);
    set_price(&anvil, 100);
    let policy_id = desk.run(&["policy", "build", "limit", "--json"]).json()["policyId"].clone();
    let mut context: Value = serde_json::from_str(&desk.read("context.json")).expect("a context");
    context["policy"]["policyId"] = policy_id;
    context["policyClient"] = json!(VAULT);
    desk.write_json("context.json", &context);
    let attest = |more: &[&str]| {
        let arguments = ["attest", "--intent", "100.json", "--context", "context.json", "--nonce", "7", "--policy"];
        let keys = ["limit.policy", "--key", "operator-1.key", "--key", "operator-3.key", "--lifetime", "600"];
        let force = ["--rpc-url", anvil.url.as_str(), "--force"];
        desk.run(&[&arguments[..], &keys, &force, more].concat())
    };
    attest(&["--document-out", "document.json", "--evidence-out", "evidence.json"]).succeeded();
    let document: Value = serde_json::from_str(&desk.read("document.json")).expect("a document");
    let shown = desk.run(&["evidence", "show", "evidence.json", "--json"]).json();
    assert_eq!(shown["block"]["hash"], latest(&anvil)["hash"]);
    assert_eq!(document["attestation"]["issuedAt"].to_string().trim_matches('"'), shown["block"]["timestamp"]);
    assert_eq!(document["attestation"]["decision"], "allow");
    attest(&["--issued-at", "1800000000"]).failed(1, &["is issued at 1800000000, but the reference block"]);
}

/// Sends a payment to the vault in its own block, and returns its hash.
fn pay(anvil: &Anvil, amount: u64) -> String {
    let data = intent(amount)["data"].clone();
    let transaction = json!([{ "from": anvil.account(), "to": VAULT, "data": data, "gas": "0x186a0" }]);
    let hash = anvil.ask("eth_sendTransaction", &transaction);
    let hash = hash.as_str().expect("a hash").to_owned();
    while anvil.ask("eth_getTransactionReceipt", &json!([hash])).is_null() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    hash
}

/// A node with the vault, and three payments of 100 while the feed's price is 100, 99 and 101.
fn payments() -> (Anvil, [String; 3]) {
    let anvil = Anvil::start(&[]);
    anvil.ask("anvil_setCode", &json!([VAULT, CODE]));
    let paid = [100, 99, 101].map(|price| {
        set_price(&anvil, price);
        pay(&anvil, 100)
    });
    (anvil, paid)
}

fn backtest(desk: &Desk, anvil: &Anvil, more: &[&str]) -> Ran {
    desk.run(&backtest_arguments(anvil, more))
}

fn backtest_arguments<'a>(anvil: &'a Anvil, more: &[&'a str]) -> Vec<&'a str> {
    let arguments = ["policy", "backtest", "limit", "--rpc-url", &anvil.url, "--client", VAULT, "--from-block", "0"];
    [&arguments, more].concat()
}

fn lines(ran: &Ran) -> Vec<Value> {
    ran.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {ran:?}"))).collect()
}

#[test]
fn a_backtest_reads_the_chain_at_the_block_before_each_call() {
    let (desk, (anvil, paid)) = (desk(), payments());
    let ran = backtest(&desk, &anvil, &["--json"]);
    let [denied, summary] = &lines(&ran)[..] else { panic!("{ran:?}") };
    assert_eq!((&denied["decision"], &denied["transaction"]), (&json!("deny"), &json!(paid[1])));
    assert_eq!((&summary["allowed"], &summary["denied"], &summary["undecided"]), (&json!(2), &json!(1), &json!(0)));

    // An answer that is given holds for every call.
    desk.write_json("answers.json", &json!({ "price": { "chain": "5" } }));
    let ran = backtest(&desk, &anvil, &["--json", "--data", "answers.json", "--state", "state.json"]);
    assert_eq!(lines(&ran).last().expect("a summary")["denied"], 3, "{ran:?}");
    backtest(&desk, &anvil, &["--state", "state.json"]).failed(1, &["state.json is of another", "--data"]);

    // The same answers from standard input are the same data, and others are not.
    desk.write_json("others.json", &json!({ "price": { "chain": "100" } }));
    let piped = |file: &str| {
        let arguments = backtest_arguments(&anvil, &["--data", "-", "--state", "state.json"]);
        desk.run_with_input(file, &arguments)
    };
    piped("answers.json").succeeded();
    piped("others.json").failed(1, &["state.json is of another", "--data"]);
}

#[test]
fn a_backtest_adds_up_the_history_before_each_call() {
    let (desk, (anvil, paid)) = (desk(), payments());
    std::fs::remove_file(desk.path("limit/sources/price.wasm")).expect("it is removed");
    let history = json!({
        "event": "event Paid(uint256 amount)", "address": "params.token", "window": { "blocks": 100 }, "sum": "amount",
    });
    manifest(&desk, &json!({ "spent": { "builtin": { "history": history } } }));
    desk.write("limit/limit.rego", RULES.replace("<= data.wasm.price.chain", "+ data.wasm.spent.sum <= 106"));
    desk.write_json("limit/parameters.json", &json!({ "token": TOKEN }));
    let summary = |ran: &Ran| {
        let summary = lines(ran).pop().expect("a summary");
        (summary["allowed"].clone(), summary["denied"].clone())
    };
    let ran = backtest(&desk, &anvil, &["--json"]);
    assert_eq!(summary(&ran), (json!(3), json!(0)), "nothing is spent yet: {ran:?}");
    // Every call emits Paid(7).
    let topic = hex::encode(keccak256("Paid(uint256)"));
    anvil.ask("anvil_setCode", &json!([TOKEN, format!("0x60076000527f{topic}60206000a100")]));
    anvil.ask("eth_sendTransaction", &json!([{ "from": anvil.account(), "to": TOKEN }]));
    anvil.ask("evm_mine", &json!([]));
    let last = pay(&anvil, 100);
    let ran = backtest(&desk, &anvil, &["--json"]);
    assert_eq!(summary(&ran), (json!(3), json!(1)), "{ran:?}");
    assert_eq!(lines(&ran)[0]["transaction"], json!(last));
    assert!(!ran.out.contains(&paid[0]), "{ran:?}");
}

#[test]
fn what_a_host_would_have_answered_is_undecided_unless_it_is_recorded() {
    let (desk, (anvil, paid)) = (desk(), payments());
    // The recording of the first call, with what the host answered.
    let receipt = anvil.ask("eth_getTransactionReceipt", &json!([paid[0]]));
    let block = u64::from_str_radix(&receipt["blockNumber"].as_str().expect("a number")[2..], 16).expect("hex");
    let mut call = intent(100);
    call["from"] = json!(anvil.account());
    desk.write_json("call.json", &call);
    let before = (block - 1).to_string();
    let files = ["--rpc-url", &anvil.url, "--block", &before, "--recordings-out", "recordings.json"];
    eval(&desk, "call.json", &files).succeeded();
    let mut recordings: Value = serde_json::from_str(&desk.read("recordings.json")).expect("JSON");
    let recording = &mut recordings["recordings"]["price"];
    let request = recording["request"].as_str().expect("a request");
    let (feed, both) =
        (format!(r#""params":{{"feed":"{FEED}"}}"#), format!(r#""params":{{"feed":"{FEED}","url":"{URL}"}}"#));
    assert!(request.contains(&feed), "{request}");
    recording["request"] = json!(request.replace(&feed, &both));
    let headers = json!([{ "name": "authorization", "value": "Bearer {{secret:PRICE_KEY}}" }]);
    let asked = json!({ "method": "GET", "url": URL, "headers": headers, "body": null });
    let response = json!({ "status": 200, "headers": [], "body": r#"{"price":"7"}"# });
    recording["exchanges"].as_array_mut().expect("exchanges").push(json!({
        "question": { "import": "http.send", "request": asked }, "answer": { "response": response },
    }));
    recording["output"] = json!(r#"{"chain":"100","web":"7"}"#);
    desk.write_json("recordings.json", &recordings);

    desk.write_json("limit/parameters.json", &json!({ "feed": FEED, "url": URL }));
    let undecided = |transaction: &str| format!("UNDECIDED {transaction} (block ");
    let ran = backtest(&desk, &anvil, &[]);
    assert!(ran.status == Some(0) && paid.iter().all(|paid| ran.out.contains(&undecided(paid))), "{ran:?}");
    assert!(ran.out.contains("whose answers at a past block are not known"), "{ran:?}");
    assert!(ran.out.contains("3 calls are undecided: a source has no answer for them"), "{ran:?}");

    let ran = backtest(&desk, &anvil, &["--json", "--data", "recordings.json"]);
    let reported = lines(&ran);
    let [one, two, summary] = reported.as_slice() else { panic!("{ran:?}") };
    assert_eq!([&one["transaction"], &two["transaction"]], [&json!(paid[1]), &json!(paid[2])]);
    assert_eq!((&one["decision"], &one["reasons"][0]["kind"]), (&Value::Null, &json!("source")));
    assert_eq!((&summary["allowed"], &summary["denied"], &summary["undecided"]), (&json!(1), &json!(0), &json!(2)));
}

#[cfg(unix)]
#[test]
fn a_shadow_observes_the_sources_of_new_calls() {
    let (desk, (anvil, _)) = (desk(), payments());
    eval(&desk, "100.json", &["--rpc-url", &anvil.url, "--recordings-out", "recordings.json"]).succeeded();
    let arguments = ["policy", "shadow", "limit", "--rpc-url", &anvil.url, "--client", VAULT, "--poll", "50"];
    let mut shadow = Running::start(&desk, &arguments);
    shadow.remark("Ctrl-C stops");
    let allowed = pay(&anvil, 101);
    shadow.line(&format!("ALLOW {allowed}"));
    let denied = pay(&anvil, 102);
    shadow.line(&format!("DENY {denied}"));
    assert!(shadow.interrupt().success());
    shadow.line("2 calls in blocks");

    // New calls cannot use a recording of another task.
    let mut shadow = Running::start(&desk, &[&arguments[..], &["--data", "recordings.json"]].concat());
    shadow.remark("Ctrl-C stops");
    let allowed = pay(&anvil, 101);
    shadow.line(&format!("ALLOW {allowed}"));
    assert!(shadow.interrupt().success());

    desk.write_json("limit/parameters.json", &json!({ "feed": FEED, "url": URL }));
    let mut shadow = Running::start(&desk, &arguments);
    shadow.remark("Ctrl-C stops");
    let undecided = pay(&anvil, 1);
    let line = shadow.line(&format!("UNDECIDED {undecided}"));
    assert!(line.contains("no secret PRICE_KEY; bind it"), "{line}");
    assert!(shadow.interrupt().success());
    shadow.line("1 call is undecided");
}

#[test]
fn a_conjunction_observes_the_sources_of_all_its_policies() {
    let (desk, anvil) = (desk(), Anvil::start(&[]));
    offline::prepare(&desk);
    desk.run(&["policy", "build", "limit"]).succeeded();
    std::fs::create_dir_all(desk.path("window")).expect("a folder");
    let history = json!({
        "event": "event Paid(uint256 amount)", "address": "params.token", "window": { "blocks": 100 }, "sum": "amount",
    });
    desk.write_json(
        "window/policy.json",
        &json!({
            "name": "window", "version": "1.0.0", "entrypoint": "window", "functions": ["function pay(uint256 amount)"],
            "sources": { "price": { "builtin": { "history": history } } },
        }),
    );
    let rules = RULES.replace("package limit", "package window").replace("price.chain", "price.count + 101");
    desk.write("window/window.rego", rules);
    desk.write_json("window/parameters.json", &json!({ "token": TOKEN }));
    std::fs::create_dir_all(desk.path("both")).expect("a folder");
    let all = json!([{ "policy": "../limit.policy" }, { "policy": "../window" }]);
    desk.write_json("both/policy.json", &json!({ "name": "both", "version": "1.0.0", "all": all }));

    set_price(&anvil, 100);
    let node = ["--rpc-url", anvil.url.as_str()];
    let simulate = |intent: &str, more: &[&str]| {
        desk.run(&[&["policy", "simulate", "both", "--intent", intent, "--json"], more].concat())
    };
    assert_eq!(printed(&simulate("100.json", &node))["decision"], "allow");
    let denied = printed(&simulate("101.json", &node));
    assert_eq!((&denied["decision"], &denied["reasons"][0]["policy"]), (&json!("deny"), &json!("0")));
    let recordings: Value = serde_json::from_str(&desk.read("recordings.json")).expect("JSON");
    let keys = recordings["recordings"].as_object().expect("recordings").keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys, ["0.price", "1.price"]);
    let repeated = printed(&simulate("101.json", &["--data", "recordings.json"]));
    assert_eq!(repeated["evidence"], denied["evidence"]);

    // An attestation is issued as one of a single policy is.
    let policy_id = desk.run(&["policy", "build", "both", "--json"]).json()["policyId"].clone();
    let mut context: Value = serde_json::from_str(&desk.read("context.json")).expect("a context");
    context["policy"]["policyId"] = policy_id;
    context["policyClient"] = json!(VAULT);
    desk.write_json("context.json", &context);
    let arguments = ["attest", "--intent", "100.json", "--context", "context.json", "--nonce", "7", "--policy"];
    let keys = ["both.policy", "--key", "operator-1.key", "--key", "operator-3.key", "--lifetime", "600"];
    let files = ["--document-out", "document.json", "--evidence-out", "attested.json"];
    desk.run(&[&arguments[..], &keys, &files, &node, &["--force"]].concat()).succeeded();
    let document: Value = serde_json::from_str(&desk.read("document.json")).expect("a document");
    assert_eq!(document["attestation"]["decision"], "allow");
    let replayed = desk.run(&["evidence", "replay", "attested.json", "--json"]).json();
    assert_eq!(replayed["decision"], "allow", "{replayed}");

    // And a backtest names the policy that denies.
    anvil.ask("anvil_setCode", &json!([VAULT, CODE]));
    anvil.ask("evm_mine", &json!([]));
    pay(&anvil, 101);
    let arguments = ["policy", "backtest", "both", "--client", VAULT, "--from-block", "0"];
    let ran = desk.run(&[&arguments[..], &node].concat());
    assert!(ran.out.contains("policy 0: notAllowed"), "{ran:?}");
}
