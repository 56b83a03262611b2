//! Policies with sources: observed at the reference block of a node, recorded, and repeated offline.

#[path = "command/anvil.rs"]
mod anvil;
mod command;
#[path = "command/offline.rs"]
mod offline;

use alloy_primitives::{Address, U256, hex, keccak256};
use anvil::Anvil;
use assent_policy::Function;
use command::{Desk, Ran};
use serde_json::{Value, json};

const FEED: &str = "0x00000000000000000000000000000000000feed0";
const TOKEN: &str = "0x0000000000000000000000000000000000070ce0";
const VAULT: &str = "0x2222222222222222222222222222222222222222";
const RULES: &str = "package limit

default allow := false

allow if input.call.args.amount <= data.wasm.price.chain
";

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
    let data = format!("{}{:064x}", pay.selector().expect("a selector"), U256::from(amount));
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
    desk.write_json("limit/parameters.json", &json!({ "url": "https://api.example.invalid:8443/price" }));
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
