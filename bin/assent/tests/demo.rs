//! The demo, on the embedded chain and on a real node: operators decide on two payments. Every other call is refused
//! with the same bytes on chain and offline.
#![cfg(feature = "network")]

mod command;
#[path = "command/anvil.rs"]
mod node;

use command::Desk;
use node::Anvil;
use serde_json::Value;

/// The rows of the table, and what must come of each.
const ROWS: [(&str, Option<&str>); 12] = [
    ("a quorum signed", None),
    ("a denial", Some("PolicyDenied")),
    ("the same authorization twice", Some("AttestationAlreadySpent")),
    ("one byte of calldata changed", Some("WrongTask")),
    ("another caller", Some("WrongTask")),
    ("another caller, explicit intent", Some("WrongSender")),
    ("another chain", Some("WrongTask")),
    ("another chain, explicit intent", Some("WrongChain")),
    ("too few signers", Some("QuorumNotReached")),
    ("a forged signature", Some("InvalidSignature")),
    ("after expiry", Some("AttestationExpired")),
    ("under a revoked epoch", Some("EpochRevoked")),
];

#[test]
fn on_the_embedded_chain_both_sides_agree() {
    let report = Desk::new().run(&["demo", "--json"]).json();
    check(&report);
}

#[test]
fn on_a_real_node_both_sides_agree_and_the_node_is_left_as_it_was() {
    let anvil = Anvil::start(&[]);
    let desk = Desk::new();
    let demo = ["demo", "--json", "--rpc-url", &anvil.url];
    let first = desk.run(&demo).json();
    check(&first);
    let second = desk.run(&demo).json();
    check(&second);
    assert_eq!(first["contracts"], second["contracts"], "the second run found the node as the first did");
}

#[test]
fn people_are_told_the_story_and_shown_the_table() {
    let said = Desk::new().run(&["demo"]).succeeded();
    for (check, error) in ROWS {
        let error = error.unwrap_or("succeeds");
        let row = said.lines().any(|line| line.contains(&format!(" {check} ")) && line.matches(error).count() == 2);
        assert!(row, "no row {check:?} with {error:?} twice in:\n{said}");
    }
    for words in [
        "throw-away",
        "decision     allow",
        "decision     deny",
        "signed: allow",
        "signed: deny",
        "reason       900000000000000000000 is more than",
        "reason    900000000000000000000 is more than",
        "1000 → 750 EXT",
        "0 → 250 EXT",
        "to the last byte",
    ] {
        assert!(said.contains(words), "{words:?} is not in:\n{said}");
    }
    assert!(!said.contains('\u{1b}'), "no colours where there is no terminal");
}

#[test]
fn a_node_with_too_few_accounts_is_refused() {
    let anvil = Anvil::start(&["--accounts", "3"]);
    Desk::new().run(&["demo", "--rpc-url", &anvil.url]).failed(1, &["needs 10 unlocked accounts", "has 3"]);
}

#[test]
fn a_node_without_the_precompiles_is_refused() {
    let anvil = Anvil::start(&["--hardfork", "cancun"]);
    Desk::new().run(&["demo", "--rpc-url", &anvil.url]).failed(1, &["EIP-2537"]);
}

#[test]
fn a_node_that_cannot_be_reached_is_named() {
    // Port 9 (discard) has no node.
    let (desk, url) = (Desk::new(), "http://127.0.0.1:9");
    desk.run(&["demo", "--rpc-url", url]).failed(1, &[url, "anvil --hardfork osaka"]);
    desk.run(&["demo", "--rpc-url", "ftp://x"]).failed(1, &["ftp"]);
    desk.run(&["demo", "--rpc-url", "nonsense"]).failed(1, &["nonsense is not a URL"]);
}

/// Compares the two sides itself: the demo's own verdict is only one of the things that must be right.
fn check(report: &Value) {
    let checks = report["checks"].as_array().expect("checks");
    let rows = checks.iter().map(|check| (check["check"].as_str().expect("a name"), check));
    assert!(rows.clone().map(|(name, _)| name).eq(ROWS.map(|(name, _)| name)), "{checks:?}");
    for ((_, check), (_, error)) in rows.zip(ROWS) {
        assert_eq!(check["onChain"]["revertData"], check["offline"]["revertData"], "{check}");
        assert_eq!(check["expected"].as_str(), error, "{check}");
        assert_eq!(check["onChain"]["error"].as_str().and_then(|text| text.split('(').next()), error, "{check}");
        assert_eq!(check["agree"], true, "{check}");
        assert!(check["gas"].as_u64().expect("gas") > 21_000, "{check}");
    }
    let reasons = |index: usize| checks[index]["reasons"].as_array().expect("reasons").clone();
    assert!(reasons(0).is_empty(), "the policy allows the payment of 250: {:?}", reasons(0));
    let denied = reasons(1);
    let reason = "900000000000000000000 is more than the limit of 500000000000000000000";
    assert!(denied.len() == 1 && denied[0].as_str().is_some_and(|text| text.starts_with(reason)), "{denied:?}");
    check_decisions(&report["decisions"]);
    assert_eq!(report["agree"], true);
    assert_eq!(report["balances"]["treasury"]["after"], "750000000000000000000");
    assert_eq!(report["balances"]["recipient"]["after"], "250000000000000000000");
}

/// Operators in the network decided both payments, and a quorum of them signed each decision.
fn check_decisions(decisions: &Value) {
    let decisions = decisions.as_array().expect("decisions");
    let shown = decisions.iter().map(|decision| (decision["tokens"].as_str(), decision["decision"].as_str()));
    assert!(shown.eq([(Some("250"), Some("allow")), (Some("900"), Some("deny"))]), "{decisions:?}");
    for decision in decisions {
        let signers = decision["signers"].as_array().expect("signers").len();
        assert!((5..=7).contains(&signers), "{decision}");
        let answers = decision["timings"]["operators"].as_array().expect("answers");
        let signed = |answer: &&Value| answer["answer"] == "signed" && answer["decision"] == decision["decision"];
        assert!(answers.iter().filter(signed).count() >= signers, "{decision}");
        assert_eq!(decision["document"]["attestation"]["taskId"], decision["taskId"], "{decision}");
    }
}
