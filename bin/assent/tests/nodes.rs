//! Nodes that answer in other ways than anvil, and chains that lack something.

mod command;
#[path = "command/anvil.rs"]
mod node;
#[path = "command/proxy.rs"]
mod proxy;

use command::Desk;
use node::Anvil;
use serde_json::{Value, json};

/// Deregisters an account that is not registered, which reverts with `OperatorNotRegistered`.
fn deregister(desk: &Desk, url: &str, registry: &str) -> command::Ran {
    let key = ["--private-key-file", "account.key"];
    desk.run(&[&["operator", "deregister", "--rpc-url", url, "--registry", registry][..], &key].concat())
}

fn deploy<'a>(url: &'a str, owner: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments =
        vec!["deploy", "--rpc-url", url, "--owner", owner, "--private-key-file", "account.key", "--json"];
    arguments.extend(more);
    arguments
}

#[test]
fn a_revert_is_named_however_the_node_reports_it() {
    let (anvil, desk) = (Anvil::start(&[]), Desk::new());
    anvil.write_account_key(&desk, "account.key");
    let deployed = desk.run(&deploy(&anvil.url, anvil.account(), &[])).json();
    let registry = deployed["contracts"][1]["address"].as_str().expect("the registry");
    deregister(&desk, &anvil.url, registry)
        .failed(1, &["OperatorNotRegistered(", "next: the operator has to register"]);

    let nodes: [(&str, proxy::Answers); 4] = [
        ("Nethermind", |_, error| {
            let data = error?["data"].as_str()?;
            Some(json!({ "code": -32015, "message": "VM execution error.", "data": format!("Reverted {data}") }))
        }),
        ("in the message", |_, error| {
            let data = error?["data"].as_str()?;
            Some(json!({ "code": -32000, "message": format!("execution reverted: {data}") }))
        }),
        ("Hardhat", |_, error| {
            let data = error?["data"].as_str()?;
            let hash = format!("0x{}", "ab".repeat(32));
            let data = json!({ "message": "VM Exception", "txHash": hash, "data": data });
            Some(json!({ "code": -32603, "message": "VM Exception while processing: reverted", "data": data }))
        }),
        ("a wallet", |_, error| {
            let error = error.filter(|error| error["data"].is_string())?;
            Some(json!({ "code": -32603, "message": "Internal JSON-RPC error.", "data": error }))
        }),
    ];
    for (name, answers) in nodes {
        let said = deregister(&desk, &proxy::start(&anvil.url, answers), registry).failed(1, &[]);
        assert!(said.contains("OperatorNotRegistered("), "{name}: {said}");
        assert!(said.contains("next: the operator has to register"), "{name}: {said}");
        assert!(!said.contains("unlocked"), "{name}: {said}");
    }
}

#[test]
fn a_node_without_fee_history_gets_a_legacy_gas_price() {
    let (anvil, desk) = (Anvil::start(&[]), Desk::new());
    anvil.write_account_key(&desk, "account.key");
    let url = proxy::start(&anvil.url, |method, _| {
        let message = "the method eth_feeHistory does not exist/is not available";
        (method == "eth_feeHistory").then(|| json!({ "code": -32601, "message": message }))
    });
    let deployed = desk.run(&deploy(&url, anvil.account(), &[])).json();
    let transaction = deployed["contracts"][0]["transaction"].as_str().expect("a transaction");
    let sent = anvil.ask("eth_getTransactionByHash", &json!([transaction]));
    assert_eq!(sent["type"], "0x0", "{sent}");
    // Where the history is there, it is used.
    let by_history = desk.run(&deploy(&anvil.url, anvil.account(), &["--grace-period", "3600"])).json();
    let transaction = by_history["contracts"][1]["transaction"].as_str().expect("a transaction");
    assert_eq!(anvil.ask("eth_getTransactionByHash", &json!([transaction]))["type"], "0x2");
}

#[test]
fn advice_follows_only_the_error_it_is_about() {
    let (anvil, desk) = (Anvil::start(&[]), Desk::new());
    let account = anvil.account();
    let errors: [(proxy::Answers, Option<&str>); 4] = [
        (
            |method, _| {
                let locked = json!({ "code": -32000, "message": "unknown account" });
                (method == "eth_sendTransaction").then_some(locked)
            },
            Some("next: with --account, the node must have that account unlocked"),
        ),
        (
            |method, _| {
                let halted = json!({ "code": -32603, "message": "EVM error NotActivated" });
                (method == "eth_estimateGas").then_some(halted)
            },
            Some("next: the chain lacks an instruction"),
        ),
        (
            |method, _| {
                let poor = json!({ "code": -32000, "message": "insufficient funds for gas * price + value" });
                (method == "eth_estimateGas").then_some(poor)
            },
            Some("next: give the sending account some of the chain's currency"),
        ),
        (
            |method, _| (method == "eth_estimateGas").then(|| json!({ "code": -32603, "message": "Internal error" })),
            None,
        ),
    ];
    for (answers, expected) in errors {
        let url = proxy::start(&anvil.url, answers);
        let said = desk.run(&["deploy", "--rpc-url", &url, "--owner", account, "--account", account]).failed(1, &[]);
        match expected {
            Some(expected) => assert!(said.contains(expected), "{said}"),
            None => assert!(said.contains("Internal error") && !said.contains("next:"), "{said}"),
        }
        assert_eq!(said.contains("unlocked"), expected.is_some_and(|expected| expected.contains("unlocked")), "{said}");
    }
}

#[test]
fn a_chain_without_an_instruction_or_precompile_is_named_before_anything_is_sent() {
    for (hardfork, expected) in [("cancun", "the precompile G1ADD at 0x0b"), ("prague", "the instruction CLZ")] {
        let (anvil, desk) = (Anvil::start(&["--hardfork", hardfork]), Desk::new());
        anvil.write_account_key(&desk, "account.key");
        for more in [&[][..], &["--without-proxy"]] {
            desk.run(&deploy(&anvil.url, anvil.account(), more))
                .failed(1, &["chain 31337 lacks", expected, "nothing was sent", "next: use a chain with that upgrade"]);
        }
        assert_eq!(anvil.ask("eth_blockNumber", &json!([])), "0x0");
    }
}

#[test]
fn a_chain_without_the_deployment_proxy_is_deployed_to_plainly() {
    let (anvil, desk) = (Anvil::start(&["--disable-default-create2-deployer"]), Desk::new());
    anvil.write_account_key(&desk, "account.key");
    desk.run(&deploy(&anvil.url, anvil.account(), &[]))
        .failed(1, &["no deterministic deployment proxy", "next: `assent deploy --without-proxy`"]);
    let deployed = desk.run(&deploy(&anvil.url, anvil.account(), &["--without-proxy"])).json();
    assert_eq!(deployed["validator"]["added"], true, "{deployed}");
    for contract in deployed["contracts"].as_array().expect("contracts") {
        let code = anvil.ask("eth_getCode", &json!([contract["address"], "latest"]));
        assert!(code.as_str().is_some_and(|code| code.len() > 2), "{contract}");
    }
    let registry = deployed["contracts"][1]["address"].as_str().expect("the registry");
    // The TaskManager is not a registry.
    let task_manager = deployed["contracts"][2]["address"].as_str().expect("the TaskManager");
    desk.run(&["registry", "show", "--rpc-url", &anvil.url, "--registry", task_manager])
        .failed(1, &["does not answer as a contract OperatorRegistry does", "next: check the address"]);
    desk.run(&[
        "operator",
        "deregister",
        "--rpc-url",
        &anvil.url,
        "--registry",
        task_manager,
        "--account",
        anvil.account(),
    ])
    .failed(1, &["without a reason", "next: check the address"]);
    let shown = desk.run(&["registry", "show", "--rpc-url", &anvil.url, "--registry", registry, "--json"]).json();
    assert_eq!(shown["owner"], Value::from(anvil.account().to_lowercase()), "{shown}");
    assert_eq!(shown["validators"][0], deployed["contracts"][2]["address"]);
}

#[test]
fn a_change_of_the_registry_is_proposed_and_applied_after_its_delay() {
    let (anvil, desk) = (Anvil::start(&[]), Desk::new());
    anvil.write_account_key(&desk, "account.key");
    let delays = ["--activation-delay", "3600", "--grace-period", "3600"];
    let deployed = desk.run(&deploy(&anvil.url, anvil.account(), &delays)).json();
    let address = |index: usize| deployed["contracts"][index]["address"].as_str().expect("an address");
    let (stake_source, registry) = (address(0), address(1));
    let change = |command: &str, change: [&str; 2]| {
        let sender = ["--private-key-file", "account.key", "--json"];
        let to = ["registry", command, "--rpc-url", &anvil.url, "--registry", registry];
        desk.run(&[&to[..], &change, &sender].concat())
    };
    let shown = || desk.run(&["registry", "show", "--rpc-url", &anvil.url, "--registry", registry, "--json"]).json();

    // Before the first epoch, no notice is needed.
    change("propose", ["--grace-period", "60"]).failed(1, &["needs no notice", "`assent registry apply`"]);
    change("apply", ["--grace-period", "60"]).succeeded();
    assert_eq!(shown()["gracePeriod"], 60);

    let key = ["--private-key-file", "account.key"];
    let node = ["--rpc-url", &anvil.url];
    desk.run(&["keys", "new", "--out", "operator.key", "--unencrypted"]).succeeded();
    let register =
        [&["operator", "register", "--registry", registry, "--key", "operator.key"][..], &node, &key].concat();
    desk.run(&register).succeeded();
    let weight = format!("{}=100", anvil.account());
    let weights =
        [&["weights", "set", "--stake-source", stake_source, "--operator-set", "1", &weight][..], &node, &key].concat();
    desk.run(&weights).succeeded();
    let commit = ["epoch", "commit", "--registry", registry, "--operator-set", "1", anvil.account()];
    desk.run(&[&commit[..], &node, &key].concat()).succeeded();

    let longer = ["--grace-period", "7200"];
    change("apply", longer).failed(1, &["is not proposed", "`assent registry propose`"]);
    assert!(change("propose", longer).json()["appliesFrom"].is_u64());
    change("propose", longer).failed(1, &["already proposed"]);
    change("apply", longer).failed(1, &["can be applied from", "nothing was sent"]);
    anvil.skip(3600);
    change("apply", longer).succeeded();
    assert_eq!(shown()["gracePeriod"], 7200);

    let removal = ["--remove-validator", address(2)];
    change("propose", removal).succeeded();
    change("cancel", removal).succeeded();
    anvil.skip(3600);
    change("apply", removal).failed(1, &["is not proposed"]);
    change("cancel", removal).failed(1, &["ChangeNotProposed", "`assent registry propose`"]);
    assert_eq!(shown()["validators"].as_array().map(Vec::len), Some(1));
    let calldata = desk.run(&["registry", "calldata", "--remove-validator", address(2), "--json"]).json();
    assert!(calldata["propose"].as_str().is_some_and(|propose| propose.len() > 10), "{calldata}");
}
