//! From deployment to a call that succeeds once, on a real node, by the binary. Operators, epochs and
//! the vault are made with assent-client: what the binary makes of them is in registry.rs and session.rs.

mod command;
#[path = "command/anvil.rs"]
mod node;
#[path = "command/proxy.rs"]
mod proxy;

use alloy::{
    primitives::{
        Address, B256, U256,
        aliases::{U48, U96},
        utils::parse_ether,
    },
    providers::{DynProvider, Provider, ProviderBuilder},
    sol_types::SolCall,
};
use assent_client::{AssentClient, PreparedCall};
use assent_examples::{ExampleToken, TreasuryVault, deploy_token, deploy_vault};
use assent_verifier::{OperatorSetId, Policy, PublicKey, Signature};
use command::Desk;
use node::Anvil;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

const HASH: &str = "0x1111111111111111111111111111111111111111111111111111111111111111";

/// A node with everything deployed, and two of three operators' signatures demanded.
struct Scene {
    anvil: Anvil,
    desk: Desk,
    runtime: tokio::runtime::Runtime,
    client: AssentClient<DynProvider>,
    accounts: Vec<Address>,
    registry: Address,
    task_manager: Address,
    vault: Address,
    token: Address,
}

impl Scene {
    fn set() -> Self {
        let (anvil, desk) = (Anvil::start(&[]), Desk::new());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let client = AssentClient::new(ProviderBuilder::new().connect_http(anvil.url.parse().expect("a URL")).erased());
        let accounts = runtime.block_on(client.provider().get_accounts()).expect("accounts");

        anvil.write_account_key(&desk, "account.key");
        let owner = accounts[0].to_string();
        let deploy =
            ["deploy", "--rpc-url", &anvil.url, "--owner", &owner, "--private-key-file", "account.key", "--json"];
        let first = desk.run(&deploy).json();
        let again = desk.run(&deploy).json();
        let address = |place: usize| address(&first["contracts"][place]["address"]);
        for (place, name) in ["OwnerStakeSource", "OperatorRegistry", "TaskManager"].into_iter().enumerate() {
            assert_eq!(first["contracts"][place]["name"], name);
            assert!(first["contracts"][place]["gas"].is_u64(), "{first}");
            assert_eq!(again["contracts"][place]["address"], first["contracts"][place]["address"]);
            assert!(again["contracts"][place]["gas"].is_null(), "deployed once: {again}");
        }
        assert!(
            first["validator"]["gas"].is_u64() && again["validator"]["gas"].is_null(),
            "added once: {first} {again}"
        );
        let (owner_stake_source, registry, task_manager) = (address(0), address(1), address(2));
        let mut scene = Self {
            anvil,
            desk,
            runtime,
            client,
            accounts,
            registry,
            task_manager,
            vault: Address::ZERO,
            token: Address::ZERO,
        };
        scene.register_operators(owner_stake_source);
        scene.deploy_vault();
        scene
    }

    fn agent(&self) -> Address {
        self.accounts[4]
    }

    fn register_operators(&self, owner_stake_source: Address) {
        let (owner, operators) = (self.accounts[0], &self.accounts[1..4]);
        let registry = self.registry.to_string();
        for operator in operators {
            let file = format!("{operator}.key");
            self.desk.run(&["keys", "new", "--out", &file, "--unencrypted"]).succeeded();
            let address = operator.to_string();
            let show = [
                "keys",
                "show",
                &file,
                "--operator",
                &address,
                "--registry",
                &registry,
                "--chain-id",
                "31337",
                "--json",
            ];
            let shown = self.desk.run(&show).json();
            let key: PublicKey = serde_json::from_value(shown["publicKey"].clone()).expect("a public key");
            let proof: Signature = serde_json::from_value(shown["proofOfPossession"].clone()).expect("a proof");
            let registered = self.client.register_operator(self.registry, *operator, &key, &proof);
            self.runtime.block_on(registered).expect("the registry takes the proof that the binary made");
        }
        let weights = operators.iter().map(|operator| (*operator, U96::from(10))).collect::<Vec<_>>();
        self.runtime.block_on(async {
            self.client.set_weights(owner_stake_source, owner, OperatorSetId(1), &weights).await.expect("weights");
            self.client.commit_epoch(self.registry, owner, OperatorSetId(1), operators).await.expect("an epoch");
        });
    }

    fn deploy_vault(&mut self) {
        let (owner, agent) = (self.accounts[0], self.agent());
        let policy =
            Policy { policyId: B256::repeat_byte(0x11), operatorSet: 1, quorum: 6000, maxLifetime: U48::from(3600) };
        let supply = parse_ether("1000").expect("an amount");
        (self.vault, self.token) = self.runtime.block_on(async {
            let vault = deploy_vault(&self.client, owner, owner, agent, self.task_manager, policy).await;
            let vault = vault.expect("a vault").0;
            let token = deploy_token(&self.client, owner, supply).await.expect("a token").0;
            let fill = ExampleToken::transferCall { to: vault, value: supply }.abi_encode();
            self.client.send(&PreparedCall::new(owner, token, fill)).await.expect("a full vault");
            (vault, token)
        });
    }

    fn write_intent(&self, to: Address, data: Vec<u8>) {
        let data = alloy::hex::encode_prefixed(data);
        let intent = json!({ "from": self.agent(), "to": to, "value": 0, "data": data, "chainId": 31337 });
        self.desk.write_json("intent.json", &intent);
    }

    fn payment(&self, amount: u64) -> Vec<u8> {
        let recipient = Address::repeat_byte(0xbe);
        TreasuryVault::payCall { token: self.token, recipient, amount: U256::from(amount) }.abi_encode()
    }

    fn read_context(&self) {
        let (vault, agent) = (self.vault.to_string(), self.agent().to_string());
        let arguments =
            ["context", "--rpc-url", &self.anvil.url, "--client", &vault, "--caller", &agent, "--nonce", "0", "--json"];
        self.desk.write("context.json", self.desk.run(&arguments).succeeded());
    }

    /// Two of the three operators allow what is in intent.json, for ten minutes.
    fn attest(&self, nonce: &str) {
        let keys = self.accounts[1..3].iter().map(|operator| format!("{operator}.key")).collect::<Vec<_>>();
        let arguments = [
            "attest",
            "--intent",
            "intent.json",
            "--context",
            "context.json",
            "--nonce",
            nonce,
            "--lifetime",
            "600",
            "--without-policy",
            "--decision",
            "allow",
            "--evidence",
            HASH,
            "--key",
            &keys[0],
            "--key",
            &keys[1],
            "--document-out",
            "document.json",
        ];
        self.desk.run(&arguments).succeeded();
    }

    fn send(&self, more: &[&str]) -> command::Ran {
        let agent = self.agent().to_string();
        let arguments =
            ["send", "--rpc-url", &self.anvil.url, "--document", "document.json", "--account", &agent, "--json"];
        self.desk.run(&[&arguments, more].concat())
    }

    fn paid(&self) -> U256 {
        let token = ExampleToken::new(self.token, self.client.provider());
        self.runtime.block_on(async { token.balanceOf(Address::repeat_byte(0xbe)).call().await }).expect("a balance")
    }
}

fn address(value: &Value) -> Address {
    value.as_str().and_then(|text| text.parse().ok()).expect("an address")
}

const VERIFY: [&str; 6] = ["verify", "--context", "context.json", "--document", "document.json", "--json"];

#[test]
fn an_attested_payment_goes_through_once() {
    let scene = Scene::set();
    scene.write_intent(scene.vault, scene.payment(250));
    scene.read_context();
    scene.attest("0");
    scene.desk.run(&VERIFY).succeeded();

    let sent = scene.send(&[]).json();
    assert_eq!(sent["sent"], true);
    assert_eq!(scene.paid(), U256::from(250));

    let again = scene.send(&[]);
    assert_eq!(again.status, Some(1), "{again:?}");
    let refused: Value = serde_json::from_str(&again.out).expect("JSON");
    assert_eq!((&refused["sent"], &refused["error"]["name"]), (&json!(false), &json!("AttestationAlreadySpent")));
    assert_eq!(scene.paid(), U256::from(250));

    // The chain's state, read again, has the offline verifier refuse with the same bytes.
    scene.read_context();
    let offline = scene.desk.run(&VERIFY);
    assert_eq!(offline.status, Some(1), "{offline:?}");
    let offline: Value = serde_json::from_str(&offline.out).expect("JSON");
    assert_eq!(offline["error"]["revertData"], refused["error"]["revertData"]);
}

#[test]
fn a_call_under_a_recorded_root_goes_through_without_its_signature() {
    let scene = Scene::set();
    scene.write_intent(scene.vault, scene.payment(12));
    scene.read_context();
    scene.attest("3");
    let verify_recorded = [&VERIFY[..], &["--recorded"]].concat();

    let early = scene.send(&["--recorded"]);
    assert_eq!(early.status, Some(1), "{early:?}");
    let refused: Value = serde_json::from_str(&early.out).expect("JSON");
    assert_eq!(refused["error"]["name"], "RootNotRecorded");
    let offline: Value = serde_json::from_str(&scene.desk.run(&verify_recorded).out).expect("JSON");
    assert_eq!(offline["error"]["revertData"], refused["error"]["revertData"]);

    // Any account can record it.
    let payer = scene.accounts[8].to_string();
    let record = ["record", "--rpc-url", &scene.anvil.url, "--account", &payer, "document.json", "--json"];
    let first = scene.desk.run(&record).json();
    assert_eq!((&first["roots"][0]["signedWeight"], &first["roots"][0]["totalWeight"]), (&json!("20"), &json!("30")));
    assert_eq!(
        (&first["roots"][0]["recordedBefore"], first["transactions"].as_array().map(Vec::len)),
        (&json!(false), Some(1))
    );
    let again = scene.desk.run(&record).json();
    assert_eq!((&again["roots"][0]["recordedBefore"], &again["gas"]), (&json!(true), &json!(0)));

    let (vault, agent) = (scene.vault.to_string(), scene.agent().to_string());
    let context = ["context", "--rpc-url", &scene.anvil.url, "--client", &vault, "--caller", &agent];
    let context = scene.desk.run(&[&context[..], &["--document", "document.json", "--json"]].concat());
    scene.desk.write("context.json", context.succeeded());
    scene.desk.run(&verify_recorded).succeeded();
    assert_eq!(scene.send(&["--recorded"]).json()["sent"], true);
    assert_eq!(scene.paid(), U256::from(12));
}

#[test]
fn a_root_that_operators_did_not_sign_is_not_recorded() {
    let scene = Scene::set();
    scene.write_intent(scene.vault, scene.payment(1));
    scene.read_context();
    scene.attest("4");
    let mut document: Value = serde_json::from_str(&scene.desk.read("document.json")).expect("JSON");
    document["attestation"]["nonce"] = json!("5");
    scene.desk.write_json("document.json", &document);
    let payer = scene.accounts[8].to_string();
    let record = ["record", "--rpc-url", &scene.anvil.url, "--account", &payer, "document.json"];
    let refused = scene.desk.run(&record);
    assert!(refused.status == Some(1) && refused.out.contains("InvalidSignature"), "{refused:?}");

    document["chainId"] = json!("1");
    scene.desk.write_json("document.json", &document);
    scene.desk.run(&record).failed(1, &["for chain 1", "is on chain 31337"]);
}

#[test]
fn whoever_deploys_for_another_owner_is_told_what_the_owner_must_do() {
    let (anvil, desk) = (Anvil::start(&[]), Desk::new());
    anvil.write_account_key(&desk, "account.key");
    let owner = Address::repeat_byte(0x0e).to_string();
    let deploy = ["deploy", "--rpc-url", &anvil.url, "--owner", &owner, "--private-key-file", "account.key"];
    let told = desk.run(&deploy).succeeded();
    assert!(told.contains("addValidator(0x") && told.contains(&owner), "{told}");
    let report = desk.run(&[&deploy[..], &["--json"]].concat()).json();
    assert_eq!(report["validator"]["added"], false);
}

#[test]
fn an_explicit_intent_is_executed() {
    let scene = Scene::set();
    let transfer = ExampleToken::transferCall { to: Address::repeat_byte(0xbe), value: U256::from(7) };
    scene.write_intent(scene.token, transfer.abi_encode());
    scene.read_context();
    scene.attest("1");
    let vault = scene.vault.to_string();
    scene.send(&["--explicit", &vault]).succeeded();
    assert_eq!(scene.paid(), U256::from(7));
}

#[test]
fn a_shown_epoch_is_what_attest_takes() {
    let scene = Scene::set();
    let registry = scene.registry.to_string();
    let show = ["epoch", "show", "--rpc-url", &scene.anvil.url, "--registry", &registry];
    let epoch = scene.desk.run(&[&show[..], &["--operator-set", "1", "--json"]].concat()).succeeded();
    assert_eq!(epoch, scene.desk.run(&[&show[..], &["--epoch", "1", "--json"]].concat()).succeeded());
    scene.desk.write("epoch.json", &epoch);

    scene.write_intent(scene.vault, scene.payment(1));
    let key = format!("{}.key", scene.accounts[1]);
    let (manager, vault) = (scene.task_manager.to_string(), scene.vault.to_string());
    let attested = scene.desk.run(&[
        "attest",
        "--intent",
        "intent.json",
        "--epoch",
        "epoch.json",
        "--chain-id",
        "31337",
        "--task-manager",
        &manager,
        "--client",
        &vault,
        "--policy-id",
        HASH,
        "--nonce",
        "2",
        "--lifetime",
        "600",
        "--without-policy",
        "--decision",
        "allow",
        "--evidence",
        HASH,
        "--key",
        &key,
    ]);
    assert!(attested.err.contains("weight 10 of 30"), "{attested:?}");
    attested.succeeded();

    let shown = scene.desk.run(&[&show[..], &["--epoch", "1"]].concat()).succeeded();
    assert!(shown.contains("3 operators, total weight 30"), "{shown}");
    scene.desk.run(&[&show[..], &["--epoch", "9"]].concat()).failed(1, &["no epoch 9"]);
    scene.desk.run(&[&show[..], &["--operator-set", "9"]].concat()).failed(1, &["no epoch of that operator set"]);
}

#[test]
fn what_is_no_client_and_no_registry_is_named() {
    let scene = Scene::set();
    let registry = scene.registry.to_string();
    let context =
        ["context", "--rpc-url", &scene.anvil.url, "--client", &registry, "--caller", &registry, "--nonce", "0"];
    scene.desk.run(&context).failed(1, &[&registry, "PolicyClient"]);
    let vault = scene.vault.to_string();
    let epoch = ["epoch", "show", "--rpc-url", &scene.anvil.url, "--registry", &vault, "--epoch", "1"];
    scene.desk.run(&epoch).failed(1, &[&vault, "OperatorRegistry"]);
}

/// How many more requests for events fail, of the node in the test below.
static REFUSED_RANGES: AtomicU32 = AtomicU32::new(0);

#[test]
fn calls_that_spent_attestations_are_decided_about_again() {
    let scene = Scene::set();
    let recipient = Address::repeat_byte(0xbe);
    for (nonce, amount) in [("0", 250), ("1", 251)] {
        scene.write_intent(scene.vault, scene.payment(amount));
        scene.read_context();
        scene.attest(nonce);
        scene.send(&[]).succeeded();
        std::fs::remove_file(scene.desk.path("document.json")).expect("the document is removed");
    }
    let transfer = ExampleToken::transferCall { to: recipient, value: U256::from(7) };
    scene.write_intent(scene.token, transfer.abi_encode());
    scene.read_context();
    scene.attest("2");
    let vault = scene.vault.to_string();
    scene.send(&["--explicit", &vault]).succeeded();

    scene.desk.run(&["policy", "new", "treasury"]).succeeded();
    scene.desk.write_json("treasury/parameters.json", &json!({ "limit": "250", "recipients": [recipient] }));
    // A node that answers with few events at once.
    REFUSED_RANGES.store(4, Ordering::SeqCst);
    let url = proxy::start(&scene.anvil.url, |method, _| {
        let is_refused = method == "eth_getLogs"
            && REFUSED_RANGES.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        is_refused.then(|| json!({ "code": -32005, "message": "query returned more than 10000 results" }))
    });
    let arguments =
        ["policy", "backtest", "treasury", "--rpc-url", &url, "--client", &vault, "--from-block", "0", "--json"];
    let ran = scene.desk.run(&arguments);
    assert!(ran.status == Some(0) && ran.err.contains("that spent an attestation under the TaskManager"), "{ran:?}");
    assert_eq!(REFUSED_RANGES.load(Ordering::SeqCst), 0);
    let lines = ran.out.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")).collect::<Vec<_>>();
    let [large, explicit, summary] = lines.as_slice() else { panic!("{lines:#?}") };
    // The authorization is no part of the call.
    assert_eq!(large["intent"]["data"], json!(alloy::hex::encode_prefixed(scene.payment(251))));
    assert_eq!(
        (&large["nonce"], &large["reasons"][0]["message"]),
        (&json!("1"), &json!("251 is more than the limit of 250"))
    );
    assert_eq!((&explicit["intent"]["to"], &explicit["reasons"][0]["kind"]), (&json!(scene.token), &json!("function")));
    assert_eq!(
        (&summary["calls"], &summary["allowed"], &summary["denied"], &summary["hidden"]),
        (&json!(3), &json!(1), &json!(2), &json!(0))
    );

    // Of its transactions, too, and without the authorization.
    let all = scene.desk.run(&[&arguments[..], &["--all-transactions"]].concat());
    assert!(all.err.contains("reading the transactions to"), "{all:?}");
    let first = all.succeeded().lines().next().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    assert_eq!(first.expect("a denial")["reasons"], large["reasons"]);
}
