//! A chain with contracts, operators and policies, which all tests share, and a gateway for each.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use alloy::{
    node_bindings::{Anvil, AnvilInstance},
    primitives::{
        Address, B256, Bytes, U256,
        aliases::{U48, U96},
        hex,
    },
    providers::{DynProvider, Provider, ProviderBuilder, ext::AnvilApi},
    sol_types::SolCall,
};
use assent_client::{AssentClient, PreparedCall};
use assent_contracts::{
    OperatorAllowlist::{self, admitCall},
    deployment::Delays,
};
use assent_examples::{ExampleToken, TreasuryVault, deploy_token, deploy_vault};
use assent_gateway::{GatewayConfig, GatewayOptions, RunningGateway};
use assent_policy::{Bundle, PolicyFolder, evaluator};
use assent_policy_store::PolicyStore;
use assent_signer::SecretKey;
use assent_verifier::{OperatorSetId, Policy};
use serde_json::{Value, json};
use tokio::{runtime::Runtime, sync::OnceCell};

/// Connections live as long as the runtime in which they were made.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

const SMALL: &str = "package small\nimport rego.v1\n\nallow if input.call.args.amount <= 1000\n\n\
    deny contains \"more than 1000\" if input.call.args.amount > 1000\n";
const WITH_SOURCE: &str = "package small\nimport rego.v1\n\n\
    allow if input.call.args.amount <= to_number(data.wasm.limit.value)\n";

pub struct World {
    pub client: AssentClient<DynProvider>,
    pub task_manager: Address,
    /// Its policy has no source.
    pub vault: Address,
    /// Its policy has the source `limit`.
    pub observing_vault: Address,
    /// The vault without a source, but with attestations that are valid for a minute at most.
    pub hasty_vault: Address,
    pub token: Address,
    pub agent: Address,
    pub operators: Vec<(Address, SecretKey)>,
    pub policy: Bundle,
    pub policies: tempfile::TempDir,
    pub node: String,
    _anvil: AnvilInstance,
    _watcher: Child,
}

/// Ends a process when this one ends: what a static holds is not dropped.
fn end_with_this_process(id: u32) -> Child {
    let script = format!("cat > /dev/null; kill {id}");
    Command::new("sh").args(["-c", &script]).stdin(Stdio::piped()).spawn().expect("sh starts")
}

/// Runs a test.
pub fn run<T>(test: impl Future<Output = T>) -> T {
    RUNTIME.block_on(async { tokio::time::timeout(Duration::from_secs(300), test).await.expect("in time") })
}

/// Returns what all tests share.
pub async fn world() -> &'static World {
    static WORLD: OnceCell<World> = OnceCell::const_new();
    WORLD.get_or_init(World::new).await
}

pub fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

impl World {
    async fn new() -> Self {
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../node_modules/.bin/anvil"));
        let anvil = Anvil::at(path).args(["--hardfork", "osaka"]).try_spawn().expect("anvil starts (run `npm ci`)");
        let watcher = end_with_this_process(anvil.child().id());
        let provider = ProviderBuilder::new().connect_http(anvil.endpoint_url()).erased();
        let client = AssentClient::new(provider);
        let accounts = anvil.addresses().to_vec();
        let (owner, agent) = (accounts[0], accounts[1]);
        let deployment = client.deploy(owner, owner, Delays::default()).await.unwrap().deployment;
        let (registry, task_manager) = (deployment.operator_registry.address, deployment.task_manager.address);
        let mut operators: Vec<_> =
            accounts[2..6].iter().zip(1..).map(|(address, seed)| (*address, key(seed))).collect();
        operators.sort_by_key(|(address, _)| *address);
        for (address, key) in &operators {
            let proof = key.prove_possession(*address, U256::from(31_337), registry);
            client.register_operator(registry, *address, &key.public_key(), &proof).await.unwrap();
        }
        let set = OperatorSetId(1);
        let weights: Vec<_> = operators.iter().map(|(address, _)| (*address, U96::from(1))).collect();
        client.set_weights(deployment.owner_stake_source.address, owner, set, &weights).await.unwrap();
        let addresses: Vec<_> = operators.iter().map(|(address, _)| *address).collect();
        client.commit_epoch(registry, owner, set, &addresses).await.unwrap();
        admit(&client, owner, deployment.owner_stake_source.address, addresses[0]).await;

        let policies = tempfile::tempdir().unwrap();
        let store = PolicyStore::parse(policies.path().to_str().unwrap()).unwrap();
        let mut vaults = Vec::new();
        let bundles = [bundle(SMALL, false), bundle(WITH_SOURCE, true)];
        for (bundle, max_lifetime) in [(&bundles[0], 3600), (&bundles[1], 3600), (&bundles[0], 60)] {
            store.put(bundle).await.unwrap();
            let policy = Policy {
                policyId: bundle.policy().id(),
                operatorSet: set.into(),
                quorum: 6700,
                maxLifetime: U48::from(max_lifetime),
            };
            let (vault, _) = deploy_vault(&client, owner, owner, agent, task_manager, policy).await.unwrap();
            vaults.push(vault);
        }
        let (token, _) = deploy_token(&client, owner, U256::from(1_000_000)).await.unwrap();
        for vault in &vaults {
            let call = ExampleToken::transferCall { to: *vault, value: U256::from(100_000) };
            client.send(&PreparedCall::new(owner, token, call.abi_encode())).await.unwrap();
        }
        client.provider().anvil_set_interval_mining(1).await.unwrap();
        let [policy, _] = bundles;
        Self {
            task_manager,
            vault: vaults[0],
            observing_vault: vaults[1],
            hasty_vault: vaults[2],
            token,
            agent,
            operators,
            policy,
            policies,
            node: anvil.endpoint(),
            client,
            _anvil: anvil,
            _watcher: watcher,
        }
    }

    /// Returns the options of a gateway with a log in a folder.
    pub fn options(&self, folder: &Path) -> GatewayOptions {
        GatewayOptions {
            listen: Some("127.0.0.1:0".parse().unwrap()),
            rpc_url: Some(self.node.clone()),
            task_manager: Some(self.task_manager),
            policies: Some(self.policies.path().to_str().unwrap().to_owned()),
            task_log: Some(folder.join("tasks.redb").to_str().unwrap().to_owned()),
            rate: Some(1_000_000),
            burst: Some(1_000_000),
            max_requests_per_caller: Some(1_000_000),
            max_connections_per_address: Some(1_000_000),
            ..GatewayOptions::default()
        }
    }

    /// Returns the payment of an amount.
    pub fn payment(&self, vault: Address, amount: u64) -> Value {
        json!({
            "from": self.agent,
            "to": vault,
            "value": "0",
            "data": self.payment_data(amount),
            "chainId": "31337",
        })
    }

    pub fn payment_data(&self, amount: u64) -> Bytes {
        let recipient = Address::repeat_byte(0x77);
        TreasuryVault::payCall { token: self.token, recipient, amount: U256::from(amount) }.abi_encode().into()
    }

    /// Returns the parameters of a request to pay an amount.
    pub fn request(&self, amount: u64) -> Value {
        json!({ "policyClient": self.vault, "intent": self.payment(self.vault, amount) })
    }
}

/// Has the stake source name an allowlist, to which an operator declares a hostile text. No epoch is committed after.
async fn admit(client: &AssentClient<DynProvider>, owner: Address, stake_source: Address, operator: Address) {
    let provider = client.provider();
    let allowlist = OperatorAllowlist::deploy_builder(provider, owner).from(owner).deploy().await.unwrap();
    let (region, provider_name) = ("eu-central-1".to_owned(), format!("<script>{}", "x".repeat(1000)));
    let call = admitCall { operatorSet: 1, operator, region, provider: provider_name };
    client.send(&PreparedCall::new(owner, allowlist, call.abi_encode())).await.unwrap();
    // The word with the address: a source with members answers so to `ADMISSION()`.
    let code = [&hex!("73")[..], allowlist.as_slice(), &hex!("5f5260205ff3")].concat();
    provider.anvil_set_code(stake_source, code.into()).await.unwrap();
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_key_material(&[seed; 32]).unwrap()
}

fn bundle(rules: &str, has_source: bool) -> Bundle {
    let mut manifest = json!({
        "name": "small",
        "version": "0.1.0",
        "entrypoint": "small",
        "functions": ["function pay(address token, address recipient, uint256 amount)"],
    });
    let mut files = BTreeMap::from([("small.rego".to_owned(), rules.as_bytes().to_vec())]);
    if has_source {
        manifest["sources"] = json!({ "limit": { "reduce": "same", "schema": { "type": "object" } } });
        files.insert("sources/limit.wasm".to_owned(), b"\0asm".to_vec());
    }
    files.insert("policy.json".to_owned(), manifest.to_string().into_bytes());
    PolicyFolder::read(&files).unwrap().build(evaluator().unwrap().root()).unwrap()
}

/// A gateway of a test, and a client of it.
pub struct TestGateway {
    pub gateway: RunningGateway,
    pub url: String,
    pub http: reqwest::Client,
    pub folder: tempfile::TempDir,
}

impl TestGateway {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// Starts a gateway with other options.
    pub async fn with(change: impl FnOnce(&mut GatewayOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = world().await.options(folder.path());
        change(&mut options);
        let gateway = assent_gateway::start(GatewayConfig::new(options).unwrap()).await.unwrap();
        Self { url: format!("http://{}", gateway.address()), gateway, http: reqwest::Client::new(), folder }
    }

    /// Posts a text.
    pub async fn post(&self, text: impl Into<reqwest::Body>) -> reqwest::Response {
        post(&self.http, &self.url, text).await
    }

    /// Calls a method.
    pub async fn call(&self, method: &str, params: Value) -> Result<Value, Value> {
        call(&self.http, &self.url, method, params).await
    }
}

pub async fn post(http: &reqwest::Client, url: &str, text: impl Into<reqwest::Body>) -> reqwest::Response {
    http.post(url).header("content-type", "application/json").body(text).send().await.unwrap()
}

pub async fn call(http: &reqwest::Client, url: &str, method: &str, params: Value) -> Result<Value, Value> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let request = json!({ "jsonrpc": "2.0", "method": method, "params": params, "id": id });
    let response = post(http, url, request.to_string()).await;
    let mut answer: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &json!(id)), "{answer}");
    match answer.get("error") {
        Some(error) => Err(error.clone()),
        None => Ok(answer["result"].take()),
    }
}

pub fn hash(value: &Value) -> B256 {
    value.as_str().unwrap().parse().unwrap()
}
