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

    fn on_epochs(&self, command: &str, more: &[&str]) -> Ran {
        self.run(&[&["epoch", command, "--registry", &self.contracts[1]], more].concat())
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
    assert_eq!(scene.epoch(), epoch, "a committed epoch keeps its keys");
    scene.operator("deregister", BOB, &[]).succeeded();

    // The next epoch is pending, and an operator that is named without a key is left out.
    let committed = scene.commit(OWNER, &[ALICE, BOB, "--json"]).json();
    assert_eq!((&committed["epoch"], &committed["operators"]), (&2.into(), &1.into()));
    assert_eq!(committed["skipped"][0], BOB.to_lowercase());
    assert_eq!(scene.epoch(), epoch, "a pending epoch is not in force");
    scene.on_epochs("activate", &["--epoch", "2", "--account", ALICE]).failed(1, &["ActivationTooEarly", "approve it"]);
    scene.commit(OWNER, &[ALICE]).failed(1, &["EpochIsPending(2)", "next: `assent epoch activate`"]);

    // The operators of the current epoch approve it: with half of the weight too few, on two machines enough.
    let approve = ["--epoch", "2", "--account", ALICE];
    scene.on_epochs("approve", &[&approve[..], &["--key", "bob.key"]].concat()).failed(1, &["101 is required"]);
    let sign = ["--epoch", "2", "--deadline", "4000000000", "--key"];
    let partial = scene.on_epochs("sign", &[&sign[..], &["alice.key"]].concat()).succeeded();
    scene.desk.write("partials.txt", partial);
    let elsewhere = ["--key", "bob.key", "--partial", "@partials.txt", "--deadline", "4000000000"];
    let said = scene.on_epochs("approve", &[&approve[..], &elsewhere[..]].concat()).succeeded();
    assert!(said.contains("epoch 2 is approved by epoch 1 and in force"), "{said}");
    assert_eq!(of_alice(&scene.epoch()), Some(scene.public_key("other.key")));
}

#[test]
fn revocation_reaches_every_epoch_that_holds_a_key() {
    let scene = Scene::set();
    scene.operator("register", ALICE, &["--key", "alice.key"]).succeeded();
    scene.operator("register", BOB, &["--key", "bob.key"]).succeeded();
    scene.weights(OWNER, &[&format!("{ALICE}=100"), &format!("{BOB}=100")]).succeeded();
    scene.commit(OWNER, &[ALICE, BOB]).succeeded();
    scene.commit(OWNER, &[ALICE]).succeeded();
    let keys = ["--key", "alice.key", "--key", "bob.key"];
    scene.on_epochs("approve", &[&["--epoch", "2", "--account", ALICE][..], &keys[..]].concat()).succeeded();
    scene.commit(OWNER, &[BOB]).succeeded();
    let epochs = |more: &[&str]| {
        let listed = scene.on_epochs("list", &[more, &["--json"]].concat()).json();
        let listed = listed.as_array().expect("epochs").iter();
        listed.map(|epoch| (epoch["epoch"].clone(), epoch["status"].clone())).collect::<Vec<_>>()
    };
    let (pending, in_force) = (Value::from("pending"), Value::from("inForce"));
    let all = [(3.into(), pending.clone()), (2.into(), in_force.clone()), (1.into(), in_force.clone())];
    assert_eq!(epochs(&[]), all);
    assert_eq!(epochs(&["--holding", "bob.key"]), [(3.into(), pending), (1.into(), in_force.clone())]);

    // Bob's key is stolen: the epoch in its grace period and the pending one go, and the set stays in force.
    scene.operator("disable-key", BOB, &[]).succeeded();
    let revoked = scene.on_epochs("revoke", &["--holding", "bob.key", "--account", OWNER, "--json"]).json();
    assert_eq!(revoked["epochs"], serde_json::json!([3, 1]));
    assert_eq!(epochs(&[]), [(2.into(), in_force)]);
    scene.on_epochs("revoke", &["--holding", "bob.key", "--account", OWNER]).failed(1, &["assent epoch list"]);

    scene.on_epochs("revoke", &["9", "--account", OWNER]).failed(1, &["NoSuchEpoch(9)", "next: `assent epoch"]);
    scene.on_epochs("revoke", &["--operator-set", "1", "--account", OWNER]).succeeded();
    assert_eq!(scene.epoch()["validUntil"], 0);
    assert_eq!(epochs(&[]), []);
}

#[test]
fn an_epoch_is_kept_in_time_and_replaced_when_a_key_is_disabled() {
    let scene = Scene::set();
    scene.operator("register", ALICE, &["--key", "alice.key"]).succeeded();
    scene.operator("register", BOB, &["--key", "bob.key"]).succeeded();
    scene.weights(OWNER, &[&format!("{ALICE}=100"), &format!("{BOB}=100")]).succeeded();
    let keep = |more: &[&str]| {
        let keep = ["--operator-set", "1", "--once", "--account", OWNER];
        scene.on_epochs("keep", &[&keep[..], more].concat()).succeeded()
    };
    assert!(keep(&[ALICE, BOB]).contains("epoch 1 of operator set 1 is committed"));
    assert!(keep(&[]).contains("nothing is due"));

    scene.operator("disable-key", BOB, &[]).succeeded();
    assert!(keep(&[]).contains("epoch 2 of operator set 1 is committed"));
    assert!(keep(&[]).contains("nothing is due"), "its delay is not over");
    scene.anvil.skip(86_400);
    assert!(keep(&[]).contains("epoch 2 of operator set 1 is in force"));
    assert_eq!(scene.epoch()["operators"].as_array().map(Vec::len), Some(1));

    // A day before it must be activated, and no earlier.
    scene.anvil.skip(4 * 86_400 - 600);
    assert!(keep(&[]).contains("nothing is due"));
    scene.anvil.skip(600);
    assert!(keep(&[]).contains("epoch 3 of operator set 1 is committed"));
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
    refused(scene.commit(OWNER, &[ALICE]), &["WrongOperatorCount", "assent weights set"]);
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
    let authorization = format!("0x{}00", "00".repeat(76) + "01" + &"00".repeat(134));
    let send = ["send", "--intent", "intent.json", "--account", ALICE, "--authorization", &authorization];
    let ran = scene.run(&send);
    assert!(ran.out.is_empty(), "{ran:?}");
    ran.failed(1, &["for chain 1", "is on chain 31337", "give --rpc-url of a node on chain 1"]);
}
