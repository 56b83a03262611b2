//! A chain with four operators, two vaults and their policies; the operators' processes; and a gateway.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use alloy::{
    node_bindings::{Anvil, AnvilInstance},
    primitives::{
        Address, U256,
        aliases::{U48, U96},
    },
    providers::{DynProvider, Provider, ProviderBuilder, ext::AnvilApi},
    sol_types::SolCall,
};
use assent_client::{AssentClient, PreparedCall};
use assent_contracts::deployment::Delays;
use assent_examples::{ExampleToken, TreasuryVault, deploy_token, deploy_vault};
use assent_gateway::{GatewayConfig, GatewayOptions, RunningGateway};
use assent_policy::{Bundle, PolicyFolder, evaluator};
use assent_policy_store::PolicyStore;
use assent_signer::SecretKey;
use assent_verifier::{OperatorSetId, Policy};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::sleep;

pub type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The number of operators.
pub const OPERATORS: usize = 4;
/// Who is paid.
pub const RECIPIENT: Address = Address::repeat_byte(0x77);

/// Allows payments of up to 1000.
const LIMIT: &str = "package limit\nimport rego.v1\n\nallow if input.call.args.amount <= 1000\n\n\
    deny contains \"more than 1000\" if input.call.args.amount > 1000\n";
/// Allows payments while the token was transferred at most twice to the recipient, in the last 100 blocks.
const HISTORY: &str = "package limit\nimport rego.v1\n\nallow if to_number(data.wasm.paid.count) < 2\n";

pub struct World {
    pub client: AssentClient<DynProvider>,
    pub gateway: RunningGateway,
    pub operators: Vec<Process>,
    pub agent: Address,
    pub token: Address,
    /// Its policy has no source.
    pub vault: Address,
    /// Its policy has the source `history`.
    pub observing_vault: Address,
    http: reqwest::Client,
    folder: TempDir,
    _anvil: AnvilInstance,
}

impl World {
    pub async fn new() -> Result<Self> {
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../node_modules/.bin/anvil"));
        let anvil = Anvil::at(path).args(["--hardfork", "osaka"]).try_spawn().expect("anvil starts (run `npm ci`)");
        let client = AssentClient::new(ProviderBuilder::new().connect_http(anvil.endpoint_url()).erased());
        let accounts = anvil.addresses().to_vec();
        let (owner, agent) = (accounts[0], accounts[1]);
        let addresses = &accounts[2..2 + OPERATORS];
        let deployment = client.deploy(owner, owner, Delays::default()).await?.deployment;
        let (registry, task_manager) = (deployment.operator_registry.address, deployment.task_manager.address);
        let folder = tempfile::tempdir()?;
        for address in addresses {
            let key = SecretKey::generate()?;
            key.write_unencrypted(&folder.path().join(format!("{address}.key")))?;
            let proof = key.prove_possession(*address, U256::from(31_337), registry);
            client.register_operator(registry, *address, &key.public_key(), &proof).await?;
        }
        let set = OperatorSetId(1);
        let weights: Vec<_> = addresses.iter().map(|address| (*address, U96::from(1))).collect();
        client.set_weights(deployment.owner_stake_source.address, owner, set, &weights).await?;
        client.commit_epoch(registry, owner, set, addresses).await?;

        let (token, _) = deploy_token(&client, owner, U256::from(1_000_000)).await?;
        let policies = folder.path().join("policies");
        let store = PolicyStore::parse(policies.to_str().ok_or("a path")?)?;
        let mut vaults = Vec::new();
        for bundle in [bundle(LIMIT, None)?, bundle(HISTORY, Some(token))?] {
            store.put(&bundle).await?;
            let policy_id = bundle.policy().id();
            let terms =
                Policy { policyId: policy_id, operatorSet: set.into(), quorum: 6700, maxLifetime: U48::from(3600) };
            let (vault, _) = deploy_vault(&client, owner, owner, agent, task_manager, terms).await?;
            let fund = ExampleToken::transferCall { to: vault, value: U256::from(100_000) };
            client.send(&PreparedCall::new(owner, token, fund.abi_encode())).await?;
            vaults.push(vault);
        }
        client.provider().anvil_set_interval_mining(1).await?;

        let options = GatewayOptions {
            listen: Some("127.0.0.1:0".parse()?),
            rpc_url: Some(anvil.endpoint()),
            task_manager: Some(task_manager),
            policies: Some(policies.to_str().ok_or("a path")?.to_owned()),
            task_log: Some(folder.path().join("tasks.redb").display().to_string()),
            ..GatewayOptions::default()
        };
        let gateway = assent_gateway::start(GatewayConfig::new(options)?).await?;
        let mut world = Self {
            gateway,
            operators: Vec::new(),
            agent,
            token,
            vault: vaults[0],
            observing_vault: vaults[1],
            http: reqwest::Client::new(),
            client,
            folder,
            _anvil: anvil,
        };
        for address in addresses {
            let process = Process::start(&world, *address, task_manager)?;
            world.operators.push(process);
        }
        world.connected(OPERATORS).await?;
        Ok(world)
    }

    /// Waits until so many operators are connected.
    pub async fn connected(&self, count: usize) -> Result {
        for _ in 0..600 {
            if self.call("assent_health", json!({})).await?["connected"] == count {
                return Ok(());
            }
            sleep(Duration::from_millis(100)).await;
        }
        Err(format!("{count} operators did not connect").into())
    }

    /// Calls a method of the gateway. Its errors are this function's.
    pub async fn call(&self, method: &str, params: Value) -> Result<Value> {
        let request = json!({ "jsonrpc": "2.0", "method": method, "params": params, "id": 1 });
        let url = format!("http://{}", self.gateway.address());
        let request = self.http.post(url).header("content-type", "application/json").body(request.to_string());
        let mut answer: Value = serde_json::from_slice(&request.send().await?.bytes().await?)?;
        match answer.get("error") {
            Some(error) => Err(error.to_string().into()),
            None => Ok(answer["result"].take()),
        }
    }

    /// The call by which the agent has a vault pay an amount.
    pub fn payment(&self, vault: Address, amount: u64) -> PreparedCall {
        let pay = TreasuryVault::payCall { token: self.token, recipient: RECIPIENT, amount: U256::from(amount) };
        PreparedCall::new(self.agent, vault, pay.abi_encode())
    }

    /// Asks for an authorization of a payment.
    pub async fn request(&self, vault: Address, amount: u64) -> Result<Value> {
        let payment = self.payment(vault, amount);
        let intent = json!({
            "from": self.agent,
            "to": vault,
            "value": "0",
            "data": payment.data,
            "chainId": "31337",
        });
        self.call("assent_requestAuthorization", json!({ "policyClient": vault, "intent": intent })).await
    }

    pub async fn balance(&self) -> Result<u64> {
        let token = ExampleToken::new(self.token, self.client.provider());
        Ok(token.balanceOf(RECIPIENT).call().await?.to())
    }
}

/// An operator's process.
pub struct Process {
    child: Child,
    configuration: PathBuf,
    pub address: SocketAddr,
}

impl Process {
    fn start(world: &World, operator: Address, task_manager: Address) -> Result<Self> {
        let path = |name: &str| world.folder.path().join(name).display().to_string();
        let configuration = world.folder.path().join(format!("{operator}.toml"));
        let text = format!(
            "operator = \"{operator}\"\nkey = \"{}\"\nrpc-url = \"{}\"\ntask-manager = \"{task_manager}\"\n\
             gateways = [\"ws://{}/operators\"]\npolicies = [\"{}\"]\njournal = \"{}\"\nevidence = \"{}\"\n\
             listen = \"127.0.0.1:0\"\nmax-node-lag = 0\nevaluations = 1\n",
            path(&format!("{operator}.key")),
            world._anvil.endpoint(),
            world.gateway.address(),
            path("policies"),
            path(&format!("{operator}.redb")),
            path(&format!("{operator}.evidence")),
        );
        std::fs::write(&configuration, text)?;
        let created = command(&configuration, &["journal", "create"]).output()?;
        if !created.status.success() {
            return Err(String::from_utf8_lossy(&created.stderr).into());
        }
        let (child, address) = spawn(&configuration)?;
        Ok(Self { child, configuration, address })
    }

    /// kill -9.
    pub fn kill(&mut self) -> Result {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Starts a process that was killed.
    pub fn restart(&mut self) -> Result {
        (self.child, self.address) = spawn(&self.configuration)?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(configuration: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_operator-under-test"));
    command.args(arguments).arg("--config").arg(configuration).stdin(Stdio::null());
    command
}

fn spawn(configuration: &Path) -> Result<(Child, SocketAddr)> {
    let mut child = command(configuration, &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let errors = BufReader::new(child.stderr.take().ok_or("a pipe")?);
    // What it logs is shown if the test fails.
    std::thread::spawn(move || errors.lines().map_while(std::result::Result::ok).for_each(|line| println!("{line}")));
    let mut line = String::new();
    BufReader::new(child.stdout.take().ok_or("a pipe")?).read_line(&mut line)?;
    let address = line.trim().strip_prefix("listening on http://").ok_or(format!("it says {line:?}"))?;
    Ok((child, address.parse()?))
}

/// A policy, with the transfers of a token to the recipient as its source.
fn bundle(rules: &str, token: Option<Address>) -> Result<Bundle> {
    let mut manifest = json!({
        "name": "limit",
        "version": "0.1.0",
        "entrypoint": "limit",
        "functions": ["function pay(address token, address recipient, uint256 amount)"],
    });
    if let Some(token) = token {
        manifest["sources"] = json!({ "paid": {
            "builtin": { "history": {
                "address": token,
                "event": "event Transfer(address indexed from, address indexed to, uint256 value)",
                "where": { "to": RECIPIENT },
                "window": { "blocks": 100 },
            } },
            "reduce": "same",
            "schema": { "type": "object" },
        } });
    }
    let files = BTreeMap::from([
        ("limit.rego".to_owned(), rules.as_bytes().to_vec()),
        ("policy.json".to_owned(), manifest.to_string().into_bytes()),
    ]);
    Ok(PolicyFolder::read(&files)?.build(evaluator()?.root())?)
}
