//! Operators, weights and epochs on a real node, by the binary: what succeeds, and what is refused and why.

mod command;
#[path = "command/anvil.rs"]
mod node;

use command::{Desk, Ran};
use node::Anvil;
use serde_json::Value;

/// The first accounts of anvil.
const OWNER: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const ALICE: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const BOB: &str = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";

/// A node with the contracts.
struct Scene {
    anvil: Anvil,
    desk: Desk,
    contracts: Vec<String>,
}

impl Scene {
    fn set() -> Self {
        let (anvil, desk) = (Anvil::start(&[]), Desk::new());
        let deployed = run(&anvil, &desk, &["deploy", "--owner", OWNER, "--account", OWNER, "--json"]).json();
        let contracts = deployed["contracts"].as_array().expect("contracts").iter();
        let contracts =
            contracts.map(|contract| contract["address"].as_str().expect("an address").to_owned()).collect();
        for name in ["alice.key", "bob.key", "other.key"] {
            desk.run(&["keys", "new", "--out", name, "--unencrypted"]).succeeded();
        }
        Self { anvil, desk, contracts }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        run(&self.anvil, &self.desk, arguments)
    }

    fn operator(&self, command: &str, operator: &str, more: &[&str]) -> Ran {
        let registry = &self.contracts[1];
        self.run(&[&["operator", command, "--registry", registry, "--account", operator], more].concat())
    }

    fn weights(&self, sender: &str, weights: &[&str]) -> Ran {
        let owner_stake_source = &self.contracts[0];
        let set = ["weights", "set", "--stake-source", owner_stake_source, "--operator-set", "1", "--account", sender];
        self.run(&[&set[..], weights].concat())
    }

    fn commit(&self, sender: &str, operators: &[&str]) -> Ran {
        let registry = &self.contracts[1];
        let commit = ["epoch", "commit", "--registry", registry, "--operator-set", "1", "--account", sender];
        self.run(&[&commit[..], operators].concat())
    }

    fn epoch(&self) -> Value {
        let registry = &self.contracts[1];
        self.run(&["epoch", "show", "--registry", registry, "--operator-set", "1", "--json"]).json()
    }

    fn public_key(&self, file: &str) -> Value {
        self.desk.run(&["keys", "show", file, "--json"]).json()["publicKey"].clone()
    }
}

/// The node's URL comes from the environment.
fn run(anvil: &Anvil, desk: &Desk, arguments: &[&str]) -> Ran {
    desk.run_under(&[("ETH_RPC_URL", &anvil.url)], arguments)
}

#[test]
fn operators_come_rotate_and_go_and_epochs_follow() {
    let scene = Scene::set();
    let registered = scene.operator("register", ALICE, &["--key", "alice.key", "--json"]).json();
    assert_eq!(
        (&registered["operator"], &registered["publicKey"]),
        (&ALICE.to_lowercase().into(), &scene.public_key("alice.key"))
    );
    scene.operator("register", BOB, &["--key", "bob.key"]).succeeded();
    scene.weights(OWNER, &[&format!("{ALICE}=100"), &format!("{BOB}=50")]).succeeded();
    let said = scene.commit(OWNER, &[ALICE, BOB]).succeeded();
    assert!(said.contains("epoch 1 of operator set 1 is in force: 2 operators"), "{said}");
    let epoch = scene.epoch();
    let of_alice = |epoch: &Value| {
        let operators = epoch["operators"].as_array().expect("operators").iter();
        operators.filter(|operator| operator["weight"] == "100").map(|operator| operator["publicKey"].clone()).next()
    };
    assert_eq!(of_alice(&epoch), Some(scene.public_key("alice.key")));

    scene.operator("rotate", ALICE, &["--key", "other.key"]).succeeded();
    assert_eq!(scene.epoch(), epoch, "a frozen epoch keeps its keys");
    scene.operator("deregister", BOB, &[]).succeeded();
    assert_eq!(scene.commit(OWNER, &[ALICE, "--json"]).json()["epoch"], 2);
    assert_eq!(of_alice(&scene.epoch()), Some(scene.public_key("other.key")));

    let revoke = ["epoch", "revoke", "--registry", &scene.contracts[1], "--account", OWNER, "--epoch"];
    scene.run(&[&revoke[..], &["2"]].concat()).succeeded();
    assert_eq!(scene.epoch()["validUntil"], 0);
    scene.run(&[&revoke[..], &["9"]].concat()).failed(1, &["NoSuchEpoch(9)", "next: `assent epoch show"]);
}

#[test]
fn what_a_registry_refuses_comes_with_the_next_step() {
    let scene = Scene::set();
    let refused = |ran: Ran, words: &[&str]| {
        assert!(ran.out.is_empty(), "{ran:?}");
        ran.failed(1, words);
    };
    refused(
        scene.operator("rotate", ALICE, &["--key", "alice.key"]),
        &["NotRegistered", "next: ", "operator register"],
    );
    refused(scene.operator("deregister", ALICE, &[]), &["OperatorNotRegistered", "next: "]);
    scene.operator("register", ALICE, &["--key", "alice.key"]).succeeded();
    refused(scene.operator("register", ALICE, &["--key", "bob.key"]), &["AlreadyRegistered", "assent operator rotate"]);
    refused(scene.operator("register", BOB, &["--key", "alice.key"]), &["KeyAlreadyUsed", "assent keys new"]);
    refused(
        scene.weights(ALICE, &[&format!("{ALICE}=1")]),
        &["OwnableUnauthorizedAccount", "only the contract's owner"],
    );
    refused(scene.commit(OWNER, &[ALICE]), &["OperatorWithoutWeight", "assent weights set"]);
    scene.weights(OWNER, &[&format!("{ALICE}=1")]).succeeded();
    refused(scene.commit(OWNER, &[ALICE, ALICE]), &["OperatorsNotAscending", "name each operator once"]);
    refused(scene.commit(ALICE, &[ALICE]), &["OwnableUnauthorizedAccount", "only the contract's owner"]);
    let stranger = "0x00000000000000000000000000000000000000a1";
    refused(
        scene.operator("register", stranger, &["--key", "bob.key"]),
        &[&scene.anvil.url, "next: ", "--private-key-file"],
    );
    let elsewhere = ["operator", "register", "--registry", ALICE, "--account", BOB, "--key", "bob.key"];
    let registered_nowhere = scene.run(&elsewhere);
    refused(registered_nowhere, &[ALICE, "no contract", "next: check the address"]);

    let example = ["deploy-example", "--agent", BOB, "--account", OWNER, "--task-manager"];
    refused(scene.run(&[&example[..], &[ALICE]].concat()), &["AssentInvalidTaskManager", "next: check --task-manager"]);
    let quorum = [&example[..], &[&scene.contracts[2], "--quorum", "5000"]].concat();
    refused(scene.run(&quorum), &["AssentInvalidPolicy", "from 5001 to 10000"]);
}

#[test]
fn a_call_for_another_chain_is_not_sent() {
    let scene = Scene::set();
    let intent = ["intent", "--from", ALICE, "--to", BOB, "--chain-id", "1", "--data", "0x12345678"];
    scene.desk.write("intent.json", scene.desk.run(&intent).succeeded());
    // An attestation of that call for that chain, signed or not: the node's chain is looked at first.
    let authorization = format!("0x{}00", "00".repeat(70) + "01" + &"00".repeat(134));
    let send = ["send", "--intent", "intent.json", "--account", ALICE, "--authorization", &authorization];
    let ran = scene.run(&send);
    assert!(ran.out.is_empty(), "{ran:?}");
    ran.failed(1, &["for chain 1", "is on chain 31337", "give --rpc-url of a node on chain 1"]);
}
