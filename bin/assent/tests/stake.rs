//! Stake on EigenLayer's and Symbiotic's contracts, and epochs on another chain, as a user has them.
#![cfg(feature = "network")]

mod command;
#[path = "command/anvil.rs"]
mod node;
#[path = "command/running.rs"]
mod running;
#[path = "stake/symbiotic.rs"]
mod symbiotic;

use alloy::{
    primitives::{Address, Bytes, U256, aliases::U48},
    providers::{DynProvider, Provider, ProviderBuilder},
};
use assent_client::AssentClient;
use assent_contracts::{
    EpochMirror::{self, MirrorSettings},
    OperatorRegistry, ReporterReward,
};
use assent_examples::ExampleToken;
use assent_journal::{Journal, JournalOptions, LocalSigner};
use assent_signer::{PartialSignature, SecretKey, aggregate_epoch_handover};
use assent_verifier::{EpochHandover, EpochId, OperatorSetId};
use command::{Desk, Ran};
use node::Anvil;
use running::Running;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The first accounts of anvil.
const OWNER: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const ALICE: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const BOB: &str = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";

/// Returns the folder of another project's bytecode; `None` if it was not fetched, which fails in CI.
fn fetched(folder: &str, project: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../cache").join(folder);
    if folder.join("installed.txt").is_file() {
        return Some(folder);
    }
    let fetch = format!("{project}'s bytecode is missing: cargo xtask test --only {project}");
    assert!(std::env::var_os("CI").is_none_or(|ci| ci.is_empty()), "{fetch}");
    eprintln!("skipped: {fetch}");
    None
}

fn eigenlayer() -> Option<String> {
    fetched("eigenlayer", "EigenLayer").map(|folder| folder.to_string_lossy().into_owned())
}

#[test]
fn an_operator_that_signed_two_decisions_loses_stake_and_is_not_in_the_next_epoch() {
    let Some(folder) = eigenlayer() else { return };
    let demo = ["demo", "equivocation", "--eigenlayer", &folder, "--json"];
    let report = Desk::new().run(&demo).json();
    assert_eq!((&report["stakeBefore"], &report["stakeAfter"]), (&json!(tokens(500)), &json!(tokens(250))));
    assert_eq!(report["nonSignerUntouched"], true);
    assert_eq!(report["nonSignerStakeAfter"], json!(tokens(500)));
    assert_eq!(report["decisions"][0]["attestation"]["decision"], "allow");
    assert_eq!(report["decisions"][1]["attestation"]["decision"], "deny");
    assert_eq!(report["decisions"][0]["attestation"]["taskId"], report["decisions"][1]["attestation"]["taskId"]);
    let next = &report["nextEpoch"];
    assert_eq!((&next["lacksOperator"], next["operators"].as_array().unwrap().len()), (&json!(true), 6));
    assert!(!next["operators"].as_array().unwrap().contains(&report["operator"]));

    // On another node, in words.
    let anvil = Anvil::start(&[]);
    let told = Desk::new().run(&[&demo[..4], &["--rpc-url", &anvil.url]].concat()).succeeded();
    for words in ["500 → 250 of stake", "500 → 500: it signed nothing", "Epoch 2 has 6 operators", "lost half"] {
        assert!(told.contains(words), "{words:?} is not in:\n{told}");
    }
}

#[test]
fn without_eigenlayers_bytecode_it_is_said_how_to_get_it() {
    let words = ["are not in nowhere", "cargo xtask test --only EigenLayer", "--eigenlayer"];
    Desk::new().run(&["demo", "equivocation", "--eigenlayer", "nowhere"]).failed(1, &words);
    let up = ["network", "up", "--stake", "eigenlayer", "--eigenlayer", "nowhere"];
    Desk::new().run(&up).failed(1, &words);
}

/// From deposit to the next epoch: the operators of the local network are members, one leaves, and anyone commits.
#[test]
fn on_a_network_with_stake_operators_join_and_leave_and_anyone_commits() {
    let Some(folder) = eigenlayer() else { return };
    let (anvil, desk) = (Anvil::start(&[]), Desk::new());
    let up = ["network", "up", "--gateway-port", "0", "--rpc-url", &anvil.url, "--stake", "eigenlayer", "--json"];
    let mut network = Running::start(&desk, &[&up[..], &["--eigenlayer", &folder]].concat());
    network.line_where(|line| line == "}");
    let report: Value = serde_json::from_str(&network.printed()).expect("JSON");
    let contract = |name: &str| report["contracts"][name].as_str().expect("an address").to_owned();
    let (stake, keeper) = (contract("EigenLayerStake"), contract("EpochKeeper"));
    let run = |arguments: &[&str]| desk.run(&[arguments, &["--rpc-url", &anvil.url]].concat());
    let stake_status = || run(&["stake", "status", "--stake", &stake, "--operator-set", "1", "--json"]).json();
    let epoch_status = || run(&["epoch", "status", "--keeper", &keeper, "--operator-set", "1", "--json"]).json();

    let status = stake_status();
    let members = status["members"].as_array().unwrap();
    assert_eq!((members.len(), &status["totalWeight"], &status["epoch"]), (4, &json!(tokens(2_000)), &json!(1)));
    for member in members {
        assert_eq!((&member["weight"], &member["share"]), (&json!(tokens(500)), &json!(2_500)));
        assert_eq!((&member["hasKey"], &member["inEpoch"]), (&json!(true), &json!(true)));
        assert_eq!(member["region"], Value::Null, "the set is open");
    }
    let said = run(&["stake", "status", "--stake", &stake, "--operator-set", "1"]).succeeded();
    assert!(said.contains("4 members") && said.contains("25.00 %"), "{said}");

    let leaver = members[1]["operator"].as_str().unwrap().to_owned();
    let of_leaver = ["--stake", &stake, "--operator-set", "1", "--account", &leaver];
    let joined = run(&[&["operator", "join"], &of_leaver[..]].concat());
    joined.failed(1, &["is a member of operator set 1 already"]);
    let left = run(&[&["operator", "leave", "--json"], &of_leaver[..]].concat()).json();
    assert!(left["slashableUntilBlock"].as_u64().unwrap() > 100_800);
    run(&[&["operator", "leave"], &of_leaver[..]].concat()).failed(1, &["is not a member", "assent stake status"]);
    assert_eq!(stake_status()["members"].as_array().unwrap().len(), 3);

    let status = epoch_status();
    assert_eq!((&status["epoch"], &status["lost"][0]["operator"]), (&json!(1), &json!(leaver.to_lowercase())));
    assert_eq!(status["pendingEpoch"], Value::Null);
    let commit = ["epoch", "commit", "--keeper", &keeper, "--operator-set", "1", "--account", OWNER, "--json"];
    let early = run(&[&commit[..], &["--lost", &leaver]].concat());
    early.failed(1, &["CommitTooEarly", "assent epoch status"]);
    run(&[&commit[..], &["--lost", OWNER]].concat()).failed(1, &["is not in epoch 1"]);
    anvil.ask("evm_increaseTime", &json!([18 * 3_600 / 16]));
    anvil.ask("evm_mine", &json!([]));
    let committed = run(&commit).json();
    assert_eq!((&committed["epoch"], &committed["operators"]), (&json!(2), &json!(3)));
    assert!(committed["activatesAt"].is_u64());
    assert_eq!(epoch_status()["pendingEpoch"], json!(2));

    assert!(network.interrupt().success());
}

/// From deposit to slash: an operator of the local network signs a second decision of a task.
/// Anyone reports both documents and punishes it, and the next epoch lacks it.
#[test]
fn on_a_network_with_stake_anyone_reports_two_decisions_and_the_stake_is_slashed() {
    let Some(folder) = eigenlayer() else { return };
    let (anvil, desk) = (Anvil::start(&[]), Desk::new());
    let up = ["network", "up", "--gateway-port", "0", "--rpc-url", &anvil.url, "--stake", "eigenlayer", "--json"];
    let data = desk.path("network");
    let more = ["--data-dir", data.to_str().unwrap(), "--eigenlayer", &folder];
    let mut network = Running::start(&desk, &[&up[..], &more].concat());
    network.line_where(|line| line == "}");
    let report: Value = serde_json::from_str(&network.printed()).expect("JSON");
    let contract = |name: &str| report["contracts"][name].as_str().expect("an address").to_owned();
    let (slasher, keeper, registry) =
        (contract("EigenLayerSlasher"), contract("EpochKeeper"), contract("OperatorRegistry"));
    let run = |arguments: &[&str]| desk.run(&[arguments, &["--rpc-url", &anvil.url]].concat());

    let request = report["allowedRequest"].as_str().unwrap().replace("\\\n", " ");
    let request = shlex::split(request.trim_start_matches("assent ")).unwrap();
    let request: Vec<_> = request.iter().map(String::as_str).collect();
    let asked = desk.run(&[&request[..], &["--document-out", "allowed.json", "--json"]].concat()).json();
    let (document, offender) = (&asked["document"], asked["signers"][0].as_str().unwrap().to_owned());
    let attestation = &document["attestation"];
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToString::to_string);
    desk.write_json("intent.json", &attestation["intent"]);
    let epoch = run(&["epoch", "show", "--registry", &registry, "--operator-set", "1", "--json"]).succeeded();
    desk.write("epoch.json", &epoch);

    // Its journal would have refused: the key is taken from it.
    let index = (1..=4).find(|index| {
        let key = data.join(format!("operator-{index}/operator.key"));
        let shown = desk.run(&["keys", "show", key.to_str().unwrap(), "--json"]).json();
        shown["publicKey"] == json!(key_of(&epoch, &offender))
    });
    let key = data.join(format!("operator-{}/operator.key", index.expect("the signer's key")));
    let fields = [
        ("--chain-id", text(&document["chainId"])),
        ("--task-manager", text(&document["taskManager"])),
        ("--client", text(&attestation["policyClient"])),
        ("--policy-id", text(&attestation["policyId"])),
        ("--nonce", text(&attestation["nonce"])),
        ("--issued-at", text(&attestation["issuedAt"])),
        ("--expiration", text(&attestation["expiration"])),
        ("--evidence", text(&attestation["evidence"])),
    ];
    let fields: Vec<_> = fields.iter().flat_map(|(option, value)| [*option, value.as_str()]).collect();
    let deny = ["attest", "--intent", "intent.json", "--epoch", "epoch.json", "--key", key.to_str().unwrap()];
    let decided = ["--without-policy", "--decision", "deny", "--document-out", "denied.json"];
    desk.run(&[&deny[..], &fields, &decided].concat()).succeeded();

    let offence = |command: &[&str]| run(&[&["offence"], command, &["--slasher", &slasher]].concat());
    let as_anyone = ["--account", BOB, "--json"];
    let same = offence(&[&["report", "allowed.json", "allowed.json"], &as_anyone[..]].concat());
    same.failed(1, &["same attestation"]);
    let wrong = ["report", "allowed.json", "denied.json", "--fault", BOB];
    offence(&[&wrong[..], &as_anyone].concat()).failed(1, &["refuses the proof; nothing was sent", "UnknownFault"]);
    let reported = offence(&[&["report", "allowed.json", "denied.json"], &as_anyone[..]].concat()).json();
    assert_eq!(reported["offenders"], json!([offender.to_lowercase()]), "{reported}");
    assert_eq!(reported["fault"], json!(contract("Equivocation").to_lowercase()));
    let again = offence(&[&["report", "denied.json", "allowed.json"], &as_anyone[..]].concat());
    again.failed(1, &["refuses the proof"]);

    let record = reported["record"].as_str().unwrap().to_owned();
    let status = || offence(&["status", "--record", &record, "--json"]).json();
    assert_eq!(status()["offenders"][0]["punished"], false);
    let punish = [&["punish", "--record", &record], &as_anyone[..]].concat();
    offence(&[&punish[..], &["--operator", BOB]].concat()).failed(1, &["did not do what is recorded"]);
    assert_eq!(offence(&punish).json()["punished"], json!([offender.to_lowercase()]));
    assert_eq!(status()["offenders"][0]["punished"], true);
    offence(&punish).failed(1, &["no one left to punish"]);
    let said = offence(&["status", "--record", &record]).succeeded();
    assert!(said.contains("loses 50 % of its stake") && said.contains(&format!("reported by {BOB}")), "{said}");
    let (reporter, now) = (json!(BOB.to_lowercase()), status());
    assert_eq!((&reported["reporter"], &now["reporter"]), (&reporter, &reporter));
    assert_eq!((&now["offenders"][0]["reporter"], &now["offenders"][0]["reward"]), (&reporter, &Value::Null));
    assert!(now["offenders"][0]["slashedAt"].is_u64(), "{now}");
    let reward = Reward::deploy(&anvil, &slasher, &keeper);
    let rewarded = || {
        let status = offence(&["status", "--record", &record, "--reward", &reward.address.to_string(), "--json"]);
        status.json()["offenders"][0]["reward"].clone()
    };
    assert_eq!(rewarded(), "claimable");
    reward.claim(now["id"].as_str().unwrap(), &offender);
    assert_eq!((rewarded(), reward.balance_of(BOB)), (json!("claimed"), U256::from(5)));
    let other = offence(&["status", "--record", &record, "--reward", &slasher]);
    other.failed(1, &["does not answer as a ReporterReward"]);
    let unknown = format!("0x{}", "11".repeat(32));
    offence(&["status", "--record", &unknown]).failed(1, &["has no record", "assent offence report"]);

    anvil.ask("evm_increaseTime", &json!([18 * 3_600 / 16]));
    anvil.ask("evm_mine", &json!([]));
    let commit = ["epoch", "commit", "--keeper", &keeper, "--operator-set", "1", "--account", BOB, "--json"];
    assert_eq!(run(&commit).json()["operators"], json!(3), "the next epoch lacks it");
    assert!(network.interrupt().success());
}

/// A contract that pays reporters 5 tokens for each operator that is slashed.
struct Reward {
    address: Address,
    token: Address,
    provider: DynProvider,
    runtime: tokio::runtime::Runtime,
}

impl Reward {
    fn deploy(anvil: &Anvil, slasher: &str, keeper: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let provider = ProviderBuilder::new().connect_http(anvil.url.parse().unwrap()).erased();
        let owner: Address = OWNER.parse().unwrap();
        let (slasher, keeper) = (slasher.parse().unwrap(), keeper.parse().unwrap());
        let (address, token) = runtime.block_on(async {
            let token = ExampleToken::deploy_builder(&provider, U256::from(1_000)).from(owner).deploy().await.unwrap();
            let reward = ReporterReward::deploy_builder(&provider, slasher, keeper, token, U256::from(5));
            let reward = reward.from(owner).deploy().await.unwrap();
            let funding = ExampleToken::new(token, &provider);
            let funding = funding.transfer(reward, U256::from(20)).from(owner).send().await.unwrap();
            funding.get_receipt().await.unwrap();
            (reward, token)
        });
        Self { address, token, provider, runtime }
    }

    fn claim(&self, id: &str, operator: &str) {
        let contract = ReporterReward::new(self.address, &self.provider);
        let call = contract.claim(id.parse().unwrap(), vec![operator.parse().unwrap()]).from(OWNER.parse().unwrap());
        self.runtime.block_on(async { call.send().await.unwrap().get_receipt().await.unwrap() });
    }

    fn balance_of(&self, account: &str) -> U256 {
        let token = ExampleToken::new(self.token, &self.provider);
        let balance = token.balanceOf(account.parse().unwrap());
        self.runtime.block_on(async { balance.call().await.unwrap() })
    }
}

/// Returns an operator's key in an epoch's JSON.
fn key_of(epoch: &str, operator: &str) -> String {
    let epoch: Value = serde_json::from_str(epoch).expect("JSON");
    let operators = epoch["operators"].as_array().expect("operators");
    let found = operators.iter().find(|known| known["address"].as_str().unwrap().eq_ignore_ascii_case(operator));
    found.expect("an operator of the epoch")["publicKey"].as_str().unwrap().to_owned()
}

/// A registry with two operators on a node, and its mirror on the same.
struct Scene {
    anvil: Anvil,
    desk: Desk,
    registry: String,
    owner_stake_source: String,
    runtime: tokio::runtime::Runtime,
    provider: DynProvider,
}

impl Scene {
    /// Epochs 1 and 2 have both operators, and epoch 2 is final.
    fn set() -> Self {
        let (anvil, desk) = (Anvil::start(&[]), Desk::new());
        let deploy = ["deploy", "--owner", OWNER, "--account", OWNER, "--json", "--rpc-url", &anvil.url];
        let deployed = desk.run(&deploy).json();
        let address = |index: usize| deployed["contracts"][index]["address"].as_str().unwrap().to_owned();
        let (owner_stake_source, registry) = (address(0), address(1));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let provider = ProviderBuilder::new().connect_http(anvil.url.parse().unwrap()).erased();
        let scene = Self { anvil, desk, registry, owner_stake_source, runtime, provider };
        for (name, account) in [("alice", ALICE), ("bob", BOB)] {
            let key = format!("{name}.key");
            scene.desk.run(&["keys", "new", "--out", &key, "--unencrypted"]).succeeded();
            scene.of_registry(&["operator", "register", "--key", &key, "--account", account]).succeeded();
            let signer = LocalSigner::new(SecretKey::read_unencrypted(&scene.desk.path(&key)).unwrap());
            let marker = scene.desk.path(&format!("{key}.marker"));
            let options = JournalOptions::new(scene.desk.path(&format!("{name}.redb")), marker);
            drop(Journal::create(&options, signer).unwrap());
        }
        let weights = ["weights", "set", "--stake-source", &scene.owner_stake_source, "--operator-set", "1"];
        let more = ["--account", OWNER, &format!("{ALICE}=50"), &format!("{BOB}=50")].map(ToString::to_string);
        let more: Vec<_> = more.iter().map(String::as_str).collect();
        scene.run(&[&weights[..], &more].concat()).succeeded();
        scene.commit();
        scene.commit();
        scene.finalize();
        scene
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.desk.run(&[arguments, &["--rpc-url", &self.anvil.url]].concat())
    }

    fn of_registry(&self, arguments: &[&str]) -> Ran {
        self.run(&[arguments, &["--registry", &self.registry]].concat())
    }

    /// Commits both operators. Both approve it, unless it is the first.
    fn commit(&self) {
        let commit = ["epoch", "commit", "--operator-set", "1", "--account", OWNER, "--json", ALICE, BOB];
        let committed = self.of_registry(&commit).json();
        if committed["activatesAt"].is_u64() {
            let epoch = committed["epoch"].to_string();
            let keys = ["--key", "alice.key", "--key", "bob.key"];
            let approve = ["epoch", "approve", "--epoch", &epoch, "--account", OWNER];
            self.of_registry(&[&approve[..], &keys].concat()).succeeded();
        }
    }

    /// On anvil a block is final after 64 more.
    fn finalize(&self) {
        self.anvil.ask("anvil_mine", &json!(["0x46"]));
    }

    /// Deploys a mirror on the same chain that begins with epoch 1, and names it in chains.json.
    fn mirror(&self) -> Address {
        self.mirror_on(&self.anvil)
    }

    /// Deploys a mirror that begins with epoch 1, and names it in chains.json.
    fn mirror_on(&self, away: &Anvil) -> Address {
        let (owner, registry): (Address, Address) = (OWNER.parse().unwrap(), self.registry.parse().unwrap());
        let settings = MirrorSettings {
            homeChain: U256::from(31_337),
            homeRegistry: registry,
            quorum: 6_667,
            haltQuorum: 5_000,
            gracePeriod: U48::from(3_600),
            notice: U48::from(3_600),
            guardian: Address::ZERO,
        };
        let mirror = self.runtime.block_on(async {
            let there = ProviderBuilder::new().connect_http(away.url.parse().unwrap()).erased();
            let deploy = EpochMirror::deploy_builder(&there, owner, settings).from(owner);
            let mirror = deploy.deploy().await.unwrap();
            let first = OperatorRegistry::new(registry, &self.provider).epochs(1).call().await.unwrap();
            let table: Bytes = self.provider.get_code_at(first.table).await.unwrap().slice(1..);
            let contract = EpochMirror::new(mirror, &there);
            let genesis = contract.setGenesis(1, 1, first.expiresAt, table).from(owner);
            genesis.send().await.unwrap().get_receipt().await.unwrap();
            mirror
        });
        let chains = json!({ "mirrors": [{ "name": "away", "rpcUrl": away.url, "mirror": mirror }] });
        self.desk.write_json("chains.json", &chains);
        mirror
    }

    /// Has both operators hand over to an epoch, and writes the file that a gateway would.
    fn request(&self, epoch: u32, file: &str) {
        let signed =
            ["alice", "bob"].map(|name| self.sign(name, &epoch.to_string(), &["--signed-by", "1", "--json"]).json());
        let text = |field: &str| signed[0][field].as_str().unwrap();
        let handover = EpochHandover {
            home_chain: text("homeChain").parse().unwrap(),
            home_registry: text("homeRegistry").parse().unwrap(),
            operator_set: OperatorSetId(1),
            signed_by: EpochId(1),
            epoch: EpochId(epoch),
            committed_at: U48::from(signed[0]["committedAt"].as_u64().unwrap()),
            expires_at: U48::from(signed[0]["expiresAt"].as_u64().unwrap()),
            content_hash: text("contentHash").parse().unwrap(),
        };
        let partials: Vec<_> = signed
            .iter()
            .map(|signed| {
                let partial = &signed["partials"][0];
                let signature: Bytes = partial["signature"].as_str().unwrap().parse().unwrap();
                let operator: Address = partial["operator"].as_str().unwrap().parse().unwrap();
                PartialSignature::new(operator, signature)
            })
            .collect();
        let client = AssentClient::new(&self.provider);
        let registry = self.registry.parse().unwrap();
        let first = self.runtime.block_on(client.read_epoch(registry, EpochId(1))).unwrap();
        let aggregate = aggregate_epoch_handover(&first, &handover, &partials).unwrap();
        let document = json!({
            "handover": handover,
            "nonSigners": Bytes::copy_from_slice(aggregate.non_signers.as_bytes()),
            "signature": aggregate.signature.to_string(),
            "signers": [],
            "absent": [],
        });
        self.desk.write_json(file, &document);
    }

    fn status(&self) -> Ran {
        self.of_registry(&["handover", "status", "--operator-set", "1", "--chains", "chains.json", "--json"])
    }

    fn sign(&self, name: &str, epoch: &str, more: &[&str]) -> Ran {
        let (key, journal) = (format!("{name}.key"), format!("{name}.redb"));
        let sign = ["handover", "sign", "--epoch", epoch, "--key", &key, "--journal", &journal];
        self.of_registry(&[&sign[..], more].concat())
    }

    fn send(&self, partials: &[&str]) -> Ran {
        let send = ["handover", "send", "--epoch", "2", "--chains", "chains.json", "--account", ALICE, "--json"];
        let partials: Vec<_> = partials.iter().flat_map(|partial| ["--partial", partial.trim()]).collect();
        self.of_registry(&[&send[..], &partials].concat())
    }
}

#[test]
fn operators_hand_over_to_a_final_epoch_and_revoke_it() {
    let scene = Scene::set();
    let mirror = scene.mirror();
    let status = scene.status().json();
    assert_eq!((&status["homeEpoch"], &status["chains"][0]["status"]), (&json!(2), &json!("behind")));

    let by_alice = scene.sign("alice", "2", &[]).succeeded();
    let too_few = scene.send(&[&by_alice]);
    assert_eq!(too_few.status, Some(1), "{too_few:?}");
    let refused: Value = serde_json::from_str(&too_few.out).unwrap();
    let reason = refused["chains"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("weight 50") && reason.contains("have more operators sign"), "{reason}");

    let by_bob = scene.sign("bob", "2", &[]).succeeded();
    let accepted = scene.send(&[&by_alice, &by_bob]).json();
    assert_eq!(accepted["chains"][0]["status"], "accepted");
    assert_eq!(scene.send(&[&by_alice, &by_bob]).json()["chains"][0]["status"], "known");
    let status = scene.status().json();
    assert_eq!((&status["chains"][0]["status"], &status["chains"][0]["epoch"]), (&json!("current"), &json!(2)));

    // What the journal has on record is all that is ever signed of an epoch.
    assert_eq!(scene.sign("alice", "2", &[]).succeeded(), by_alice);
    scene.commit();
    scene.sign("alice", "3", &[]).failed(1, &["no final block", "wait until its activation is final"]);
    scene.sign("alice", "2", &["--signed-by", "2"]).failed(1, &["no earlier epoch", "--signed-by"]);
    scene.sign("alice", "1", &[]).failed(1, &["is the first of operator set 1"]);

    let revoke = ["revoke", "--epoch", "2", "--chains", "chains.json", "--account", BOB, "--json"];
    let revoked = scene.of_registry(&[&revoke[..], &["--key", "alice.key"]].concat()).json();
    assert_eq!((&revoked["chains"][0]["revoked"], &revoked["chains"][0]["name"]), (&json!(true), &json!("away")));
    let status = scene.status();
    assert_eq!(status.status, Some(1), "{status:?}");
    let status: Value = serde_json::from_str(&status.out).unwrap();
    assert_eq!(status["chains"][0]["status"], "revoked");
    let valid_until = scene
        .runtime
        .block_on(async { EpochMirror::new(mirror, &scene.provider).epochs(2).call().await.unwrap().validUntil });
    assert!(valid_until.is_zero());
}

#[test]
fn operators_of_a_running_network_hand_over_to_a_mirror() {
    let (anvil, desk) = (Anvil::start(&[]), Desk::new());
    let data = desk.path("network").to_string_lossy().into_owned();
    let up = ["network", "up", "--gateway-port", "0", "--rpc-url", &anvil.url, "--data-dir", &data, "--json"];
    let mut network = Running::start(&desk, &up);
    network.line_where(|line| line == "}");
    let report: Value = serde_json::from_str(&network.printed()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let registry = text(&report["contracts"]["OperatorRegistry"]);
    let (gateway, owner) = (text(&report["gateways"][0]), text(&report["owner"]));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let provider = ProviderBuilder::new().connect_http(anvil.url.parse().unwrap()).erased();
    let scene = Scene { anvil, desk, registry, owner_stake_source: String::new(), runtime, provider };
    scene.mirror();
    let operators = report["operators"].as_array().unwrap();
    let addresses: Vec<_> = operators.iter().map(|operator| text(&operator["operator"])).collect();
    let commit = ["epoch", "commit", "--operator-set", "1", "--account", &owner, "--json"];
    let addresses: Vec<_> = addresses.iter().map(String::as_str).collect();
    assert_eq!(scene.of_registry(&[&commit[..], &addresses].concat()).json()["epoch"], 2);
    let keys: Vec<_> = (1..=operators.len()).map(|number| format!("{data}/operator-{number}/operator.key")).collect();
    let keys: Vec<_> = keys.iter().flat_map(|key| ["--key", key]).collect();
    let approve = ["epoch", "approve", "--epoch", "2", "--account", &owner];
    scene.of_registry(&[&approve[..], &keys].concat()).succeeded();

    let ask = ["handover", "request", "--gateway", &gateway, "--epoch", "2", "--out", "handover.json"];
    let early = scene.desk.run(&[&ask[..], &["--json"]].concat());
    let error = serde_json::from_str::<Value>(&early.out).unwrap()["error"].clone();
    assert_eq!((early.status, &error["code"], &error["retryable"]), (Some(1), &json!("notFinal"), &json!(true)));
    scene.desk.run(&ask).failed(1, &["no final block", "next: ask again when the epoch's activation is final"]);
    scene.finalize();
    let told = scene.desk.run(&ask).succeeded();
    assert!(told.contains("epoch 1 hands over to epoch 2: ") && told.contains("send --signed handover.json"), "{told}");
    scene.desk.run(&ask).failed(1, &["already exists", "--force"]);
    // Without a file, the same is printed.
    let printed = scene.desk.run(&ask[..6]).succeeded();
    let signed: Value = serde_json::from_str(&printed).unwrap();
    let saved: Value = serde_json::from_str(&scene.desk.read("handover.json")).unwrap();
    assert_eq!(signed["handover"], saved["handover"]);
    assert!(saved["signers"].as_array().unwrap().len() >= 3, "{saved}");
    // The file is what the gateway answers, as its OpenRPC document describes it.
    let mut schema: Value = serde_json::from_str(assent_gateway::openrpc_document()).unwrap();
    schema["$ref"] = json!("#/components/schemas/SignedHandover");
    assert!(jsonschema::is_valid(&schema, &saved), "{saved}");

    let send = |file: &str| {
        let send = ["handover", "send", "--signed", file, "--chains", "chains.json", "--account", ALICE, "--json"];
        scene.of_registry(&send)
    };
    let mut other = saved.clone();
    other["handover"]["expiresAt"] = json!(saved["handover"]["expiresAt"].as_u64().unwrap() + 1);
    scene.desk.write_json("other.json", &other);
    send("other.json").failed(1, &["differs from what a final block of the home chain says", "another gateway"]);
    let mut forged = saved.clone();
    forged["nonSigners"] = json!("0x");
    if saved["nonSigners"] != "0x" {
        scene.desk.write_json("forged.json", &forged);
        let refused: Value = serde_json::from_str(&send("forged.json").out).unwrap();
        assert_eq!(refused["chains"][0]["status"], "refused", "{refused}");
    }
    let sent = send("handover.json").json();
    assert_eq!((&sent["epoch"], &sent["chains"][0]["status"]), (&json!(2), &json!("accepted")), "{sent}");
    assert_eq!(scene.status().json()["chains"][0]["status"], "current");
    assert!(network.interrupt().success());
}

/// Two chains: the mirror has epoch 1 when epoch 2 must be revoked, and operators have handed over to it.
#[test]
fn a_mirror_that_is_behind_is_told_of_a_revocation_by_the_handover() {
    let scene = Scene::set();
    let away = Anvil::start(&["--chain-id", "10"]);
    let mirror = scene.mirror_on(&away);
    scene.request(2, "ahead.json");
    let revoke = ["revoke", "--epoch", "2", "--chains", "chains.json", "--account", BOB, "--key", "alice.key"];
    let result = |ran: Ran| -> (Option<i32>, Value) {
        let told: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"));
        (ran.status, told["chains"][0].clone())
    };
    let revoked = |more: &[&str]| result(scene.of_registry(&[&revoke[..], &["--json"], more].concat()));

    let (status, behind) = revoked(&[]);
    assert_eq!((status, &behind["status"], &behind["revoked"]), (Some(1), &json!("refused"), &json!(false)));
    let reason = behind["reason"].as_str().unwrap();
    assert!(reason.contains("it has epoch 1") && reason.contains("--epoch 2 --signed-by 1"), "{reason}");
    // Signed for another epoch, or by no quorum.
    let ahead: Value = serde_json::from_str(&scene.desk.read("ahead.json")).unwrap();
    let mut other = ahead.clone();
    other["handover"]["epoch"] = json!(3);
    scene.desk.write_json("other.json", &other);
    let other = scene.of_registry(&[&revoke[..], &["--handover", "other.json"]].concat());
    other.failed(1, &["is to epoch 3", "give one to epoch 2"]);
    let mut few = ahead.clone();
    few["nonSigners"] = json!("0x01");
    scene.desk.write_json("few.json", &few);
    let (status, refused) = revoked(&["--handover", "few.json"]);
    assert_eq!((status, &refused["status"]), (Some(1), &json!("refused")));
    let reason = refused["reason"].as_str().unwrap();
    assert!(reason.contains("handover is refused") && reason.contains("weight 50"), "{reason}");

    let (status, told) = revoked(&["--handover", "ahead.json"]);
    assert_eq!((status, &told["status"], &told["revoked"]), (Some(0), &json!("revokedAhead"), &json!(true)), "{told}");
    assert_eq!(told["transactions"].as_array().unwrap().len(), 1);
    let there = ProviderBuilder::new().connect_http(away.url.parse().unwrap()).erased();
    let record = scene.runtime.block_on(async { EpochMirror::new(mirror, &there).epochs(2).call().await.unwrap() });
    assert_eq!((record.table, record.validUntil), (Address::ZERO, U48::from(1)));
    let again = scene.of_registry(&[&revoke[..], &["--handover", "ahead.json"]].concat()).succeeded();
    assert!(again.contains("away: epoch 2 was revoked before"), "{again}");

    // Who has stolen the keys of epoch 2 is too late.
    let send = ["handover", "send", "--signed", "ahead.json", "--chains", "chains.json", "--account", ALICE, "--json"];
    let (status, refused) = result(scene.of_registry(&send));
    assert_eq!((status, &refused["status"]), (Some(1), &json!("refused")));
    let reason = refused["reason"].as_str().unwrap();
    assert!(reason.contains("was revoked before it was accepted") && reason.contains("a later epoch"), "{reason}");
    let standing = &scene.status().json()["chains"][0];
    assert_eq!((&standing["status"], &standing["epoch"]), (&json!("behind"), &json!(1)));
    assert!(standing["next"].as_str().unwrap().contains("refuses epoch 2"), "{standing}");

    // A later epoch skips it. Each block at home took a second, of which the other chain knows nothing.
    scene.commit();
    scene.finalize();
    away.skip(600);
    scene.request(3, "later.json");
    let send = send.map(|word| if word == "ahead.json" { "later.json" } else { word });
    assert_eq!(scene.of_registry(&send).json()["chains"][0]["status"], "accepted");
    let of_first = ["revoke", "--epoch", "1", "--chains", "chains.json", "--account", BOB, "--key", "alice.key"];
    let told = scene.of_registry(&of_first).succeeded();
    assert!(told.contains("away: epoch 1 is revoked, "), "it is superseded, and can still be revoked: {told}");
}

#[test]
fn a_revocation_is_signed_apart_and_says_where_it_goes() {
    let scene = Scene::set();
    scene.mirror();
    let revoke = ["revoke", "--epoch", "1", "--key", "alice.key"];
    let signed = scene.of_registry(&[&revoke[..], &["--sign-only"]].concat()).succeeded();
    assert!(signed.starts_with(&format!("{ALICE}=0x")), "{signed}");
    scene.of_registry(&revoke).failed(1, &["--keeper", "--chains", "--sign-only"]);
    let sent = ["revoke", "--epoch", "1", "--partial", signed.trim(), "--account", BOB, "--json"];
    // The registry's owner is an account here, and no keeper.
    let at_home = scene.of_registry(&[&sent[..], &["--keeper", &scene.registry]].concat());
    assert_eq!(at_home.status, Some(1), "{at_home:?}");
    let at_home: Value = serde_json::from_str(&at_home.out).unwrap();
    assert!(at_home["chains"][0]["reason"].as_str().unwrap().contains("EpochKeeper"), "{at_home}");
    let away = scene.of_registry(&[&sent[..], &["--chains", "chains.json"]].concat()).json();
    assert_eq!(away["chains"][0]["revoked"], true);
}

fn tokens(number: u128) -> String {
    (number * 10_u128.pow(18)).to_string()
}
