//! A local network, started as a user would, and used with the commands that it prints.
#![cfg(feature = "network")]

mod command;
#[path = "command/anvil.rs"]
mod node;
#[path = "command/running.rs"]
mod running;
#[cfg(unix)]
#[path = "network/typescript.rs"]
mod typescript;

use command::{Desk, Ran};
use node::Anvil;
use running::Running;
use serde_json::{Value, json};

/// A network in its own process.
struct Network {
    running: Running,
    printed: String,
}

impl Network {
    /// Starts it, and reads what it prints up to a line that `is_last`.
    #[track_caller]
    fn up(desk: &Desk, more: &[&str], is_last: fn(&str) -> bool) -> Self {
        let mut running = Running::start(desk, &[&["network", "up", "--gateway-port", "0"], more].concat());
        running.line_where(is_last);
        Self { printed: running.printed(), running }
    }

    fn with_text(desk: &Desk, more: &[&str]) -> Self {
        // The data of the request that is denied.
        let network = Self::up(desk, more, |line| line.contains("--data") && !line.ends_with('\\'));
        assert!(network.printed.contains("4 operators, of which 3 are a quorum"), "{}", network.printed);
        assert!(network.printed.contains("/page\n"), "{}", network.printed);
        network
    }

    fn with_json(desk: &Desk, more: &[&str]) -> (Self, Value) {
        let network = Self::up(desk, &[more, &["--json"]].concat(), |line| line == "}");
        let report = serde_json::from_str(&network.printed).expect("JSON");
        (network, report)
    }

    /// The commands that it prints, as a shell splits them.
    fn commands(&self) -> Vec<Vec<String>> {
        let joined = self.printed.replace("\\\n", " ");
        let commands = joined.lines().filter_map(|line| line.trim().strip_prefix("assent "));
        commands.map(words).collect()
    }

    /// Ends it as Ctrl-C does.
    #[track_caller]
    fn interrupt(mut self) {
        let status = self.running.interrupt();
        assert!(status.success(), "{status}");
    }
}

fn words(command: &str) -> Vec<String> {
    shlex::split(command).expect("no quote is left open")
}

fn paste(desk: &Desk, command: &[String]) -> Ran {
    desk.run(&command.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Returns the balance of an account in a token's smallest unit.
fn balance(url: &str, token: &Value, account: &Value) -> u128 {
    let account = account.as_str().expect("an address").trim_start_matches("0x");
    let call = json!({ "to": token, "data": format!("0x70a08231{account:0>64}") });
    let balance = node::ask(url, "eth_call", &json!([call, "latest"]));
    u128::from_str_radix(balance.as_str().expect("a result").trim_start_matches("0x"), 16).expect("a number")
}

#[test]
fn what_it_prints_can_be_pasted() {
    let desk = Desk::new();
    let network = Network::with_text(&desk, &["--rpc-port", "0"]);
    let commands = network.commands();
    let [ask, send, denied] = &commands[..] else { panic!("{commands:?}") };
    let asked = paste(&desk, ask).succeeded();
    for words in ["allow", "non-signers", "authorization: 0x", "signed: allow"] {
        assert!(asked.contains(words), "{words:?} is not in:\n{asked}");
    }
    let sent = paste(&desk, send).succeeded();
    assert!(sent.contains("the call succeeded"), "{sent}");

    let denied = paste(&desk, denied);
    assert_eq!(denied.status, Some(1), "{denied:?}");
    let reason = "900000000000000000000 is more than the limit of 500000000000000000000";
    assert!(denied.out.contains("deny") && denied.out.contains(reason), "{denied:?}");
    assert!(!denied.out.contains("authorization:"), "{denied:?}");
    network.interrupt();
}

#[test]
fn programs_get_what_they_need_and_the_vault_pays() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("network");
    let data = data.to_str().expect("UTF-8");
    let desk = Desk::new();
    let (network, report) = Network::with_json(&desk, &["--rpc-port", "0", "--data-dir", data]);
    let ask = report["allowedRequest"].as_str().expect("a command").replace("\\\n", " ");
    let ask = format!("{ask} --document-out payment.json --json");
    let asked = paste(&desk, &words(ask.trim_start_matches("assent "))).json();
    assert_eq!(
        (&asked["decision"], &asked["document"]["attestation"]["policyClient"]),
        (&json!("allow"), &report["vault"])
    );
    let signers = asked["signers"].as_array().expect("who signed");
    assert!(signers.len() >= 3, "{asked}");

    let url = report["chain"]["rpcUrl"].as_str().expect("a URL");
    let balances =
        || (balance(url, &report["token"], &report["vault"]), balance(url, &report["token"], &report["recipient"]));
    let ether = 10_u128.pow(18);
    assert_eq!(balances(), (1_000 * ether, 0));
    let send = report["send"].as_str().expect("a command");
    paste(&desk, &words(send.trim_start_matches("assent "))).succeeded();
    assert_eq!(balances(), (750 * ether, 250 * ether));
    // Spent, the same authorization is refused.
    let again = paste(&desk, &words(send.trim_start_matches("assent ")));
    assert!(again.status == Some(1) && again.out.contains("AttestationAlreadySpent"), "{again:?}");

    let denied = report["deniedRequest"].as_str().expect("a command").replace("\\\n", " ");
    let denied = paste(&desk, &words(format!("{denied} --json").trim_start_matches("assent ")));
    let decision: Value = serde_json::from_str(&denied.out).expect("JSON");
    assert_eq!((denied.status, &decision["decision"]), (Some(1), &json!("deny")));
    assert_eq!(decision["reasons"].as_array().expect("reasons").len(), 1, "{decision}");

    network.interrupt();
    for file in ["operators.log", "operator-4/journal.redb", "gateway/tasks.redb"] {
        assert!(std::path::Path::new(data).join(file).exists(), "{file} is kept");
    }
    // Another network is another chain, for which the journals are not.
    let second = ["network", "up", "--gateway-port", "0", "--rpc-port", "0", "--data-dir", data];
    desk.run(&second).failed(1, &["is not empty", "--data-dir"]);
    let beyond = ["network", "up", "--gateway-port", "65535", "--gateways", "2", "--rpc-port", "0"];
    desk.run(&beyond).failed(1, &["there are not 2 ports from 65535 on", "--gateway-port"]);
    let no_node = ["network", "up", "--gateway-port", "0", "--rpc-url", "http://127.0.0.1:9"];
    desk.run(&no_node).failed(1, &["cannot read the node's accounts", "next: check the URL"]);
}

#[test]
fn a_request_passes_over_gateways_that_do_not_answer_and_says_what_to_do_next() {
    let desk = Desk::new();
    let (network, report) = Network::with_json(&desk, &["--rpc-port", "0", "--gateways", "2"]);
    let gateways = report["gateways"].as_array().expect("gateways");
    let [first, second] = gateways.iter().map(|url| url.as_str().expect("a URL")).collect::<Vec<_>>()[..] else {
        panic!("{report}")
    };
    let ask = |request: &str, gateways: &[&str], more: &[&str]| {
        let words =
            words(report[request].as_str().expect("a command").replace("\\\n", " ").trim_start_matches("assent "));
        let call = words.iter().map(String::as_str).skip_while(|word| *word != "--chain-id");
        let gateways = gateways.iter().flat_map(|url| ["--gateway", url]);
        desk.run(&["request"].into_iter().chain(gateways).chain(call).chain(more.iter().copied()).collect::<Vec<_>>())
    };
    let nowhere = "http://127.0.0.1:9";

    let allowed = ask("allowedRequest", &[nowhere, second], &["--nonce", "5", "--document-out", "payment.json"]);
    assert!(
        allowed.status == Some(0) && allowed.err.contains("next: `assent send --document payment.json`"),
        "{allowed:?}"
    );
    let again = ask("allowedRequest", &[second], &["--nonce", "5", "--json"]).json();
    let document: Value = serde_json::from_str(&desk.read("payment.json")).expect("JSON");
    assert_eq!(again["document"], document, "the same task has one answer");

    let denied = ask("deniedRequest", &[nowhere, first], &[]);
    assert!(denied.status == Some(1) && denied.err.contains("next: change the call"), "{denied:?}");
    let node = report["chain"]["rpcUrl"].as_str().expect("a URL");
    ask("allowedRequest", &[node], &[]).failed(1, &[node, "next: check that the URL is a gateway's"]);

    let expired = ask("allowedRequest", &[nowhere, second], &["--expiration", "5", "--json"]);
    let error = serde_json::from_str::<Value>(&expired.out).expect("JSON")["error"].clone();
    assert_eq!((expired.status, &error["code"], &error["retryable"]), (Some(1), &json!("invalid"), &json!(false)));
    assert!(["message", "next"].iter().all(|field| error[field].is_string()), "{error}");

    // A decision takes longer than no time.
    let undecided = ask("allowedRequest", &[second], &["--wait", "0", "--json"]);
    let error = serde_json::from_str::<Value>(&undecided.out).expect("JSON")["error"].clone();
    assert_eq!((undecided.status, &error["code"], &error["retryable"]), (Some(1), &json!("pending"), &json!(true)));
    let message = error["message"].as_str().expect("a message");
    assert!(message.contains("4 of 4 operators are connected to the gateway"), "{message}");
    assert!(error["next"].as_str().expect("a step").contains("--nonce"), "{error}");
    network.interrupt();
}

#[test]
fn it_runs_on_a_development_node() {
    let (anvil, desk) = (Anvil::start(&[]), Desk::new());
    let (network, report) = Network::with_json(&desk, &["--rpc-url", &anvil.url]);
    assert_eq!(report["chain"]["rpcUrl"], json!(anvil.url));
    let ask = report["allowedRequest"].as_str().expect("a command").replace("\\\n", " ");
    let ask = format!("{ask} --document-out payment.json");
    paste(&desk, &words(ask.trim_start_matches("assent "))).succeeded();
    let send = report["send"].as_str().expect("a command");
    paste(&desk, &words(send.trim_start_matches("assent "))).succeeded();
    assert_eq!(balance(&anvil.url, &report["token"], &report["recipient"]), 250 * 10_u128.pow(18));
    network.interrupt();
}
