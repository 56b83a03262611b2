//! A chain with contracts, registered operators and vaults under policies.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use alloy::{
    eips::BlockId,
    node_bindings::{Anvil, AnvilInstance},
    primitives::{
        Address, Bytes, U256,
        aliases::{U48, U96},
    },
    providers::{DynProvider, Provider, ProviderBuilder, ext::AnvilApi},
    sol_types::SolCall,
};
use anyhow::{Context as _, Result};
use assent_client::{AssentClient, PreparedCall};
use assent_contracts::deployment::Delays;
use assent_examples::{ExampleToken, TreasuryVault, deploy_token, deploy_vault};
use assent_policy::{Bundle, PolicyFolder, evaluator};
use assent_policy_store::PolicyStore;
use assent_signer::{PartialSignature, SecretKey, aggregate_epoch_approval};
use assent_verifier::{EpochApproval, EpochId, OperatorSetId, Policy};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Who is paid.
pub const RECIPIENT: Address = Address::repeat_byte(0x77);
/// Two thirds, in basis points.
pub const QUORUM: u16 = 6_667;

/// The operators' set.
pub const OPERATOR_SET: OperatorSetId = OperatorSetId(1);
/// The accounts that are not operators: the owner and the agent.
const OTHER_ACCOUNTS: usize = 2;

/// Allows payments of up to 1000.
const LIMIT: &str = "package limit\nimport rego.v1\n\nallow if input.call.args.amount <= 1000\n\n\
    deny contains \"more than 1000\" if input.call.args.amount > 1000\n";
/// Allows payments while the token was transferred at most twice to the recipient, in the last 100 blocks.
const HISTORY: &str = "package limit\nimport rego.v1\n\nallow if to_number(data.wasm.paid.count) < 2\n";

/// Allows payments while they and all that is outstanding come to at most 1000.
const OUTSTANDING: &str = "package limit\n\nallow if total <= 1000\n\n\
    total := data.wasm.pending.sum + input.call.args.amount\n\n\
    deny contains sprintf(\"%v are pending\", [data.wasm.pending.sum]) if total > 1000\n";

/// What a world is made with.
// Complete: a world has no other choices.
#[derive(Debug, Clone)]
pub struct WorldOptions {
    /// The chain's id.
    pub chain_id: u64,
    /// The operators' weights, one for each.
    pub weights: Vec<u64>,
    /// The seconds between two blocks.
    pub block_seconds: u64,
}

/// An operator of the epoch.
#[derive(Debug)]
#[non_exhaustive]
pub struct WorldOperator {
    /// Its address.
    pub address: Address,
    /// Its key.
    pub key: SecretKey,
    /// The file of its key.
    pub key_file: PathBuf,
}

/// A chain with contracts, registered operators and vaults.
#[non_exhaustive]
pub struct World {
    /// The client of the contracts.
    pub client: AssentClient<DynProvider>,
    /// The URL of the node.
    pub node: String,
    /// The chain's id.
    pub chain_id: u64,
    /// The TaskManager.
    pub task_manager: Address,
    /// The OperatorRegistry.
    pub registry: Address,
    /// The account that owns everything.
    pub owner: Address,
    /// The account that pays from vaults.
    pub agent: Address,
    /// The token that vaults hold.
    pub token: Address,
    /// The operators.
    pub operators: Vec<WorldOperator>,
    folder: TempDir,
    anvil: AnvilInstance,
}

impl World {
    /// Starts a node, deploys the contracts, and commits an epoch.
    ///
    /// # Errors
    /// If anvil is not installed (run `npm ci`), or a step fails.
    pub async fn new(options: &WorldOptions) -> Result<Self> {
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../node_modules/.bin/anvil"));
        let accounts = (OTHER_ACCOUNTS + options.weights.len()).to_string();
        let folder = tempfile::tempdir()?;
        // Blocks' states that it does not hold in memory. It leaves them behind where it is killed.
        let states = folder.path().join("states").display().to_string();
        let anvil = Anvil::at(path)
            .args(["--hardfork", "osaka", "--accounts", &accounts, "--cache-path", &states])
            .chain_id(options.chain_id)
            .try_spawn()
            .context("anvil does not start; run `npm ci`")?;
        let client = AssentClient::new(ProviderBuilder::new().connect_http(anvil.endpoint_url()).erased());
        let accounts = anvil.addresses().to_vec();
        let [owner, agent] = [0, 1].map(|index| accounts.get(index).copied().unwrap_or_default());
        let deployment = client.deploy(owner, owner, Delays::default()).await?.deployment;
        let (registry, task_manager) = (deployment.operator_registry.address, deployment.task_manager.address);
        let mut operators = Vec::new();
        for address in accounts.iter().skip(OTHER_ACCOUNTS) {
            let key = SecretKey::generate()?;
            let key_file = folder.path().join(format!("{address}.key"));
            key.write_unencrypted(&key_file)?;
            let proof = key.prove_possession(*address, U256::from(options.chain_id), registry);
            client.register_operator(registry, *address, &key.public_key(), &proof).await?;
            operators.push(WorldOperator { address: *address, key, key_file });
        }
        let addresses: Vec<_> = operators.iter().map(|operator| operator.address).collect();
        let weights: Vec<_> = addresses.iter().copied().zip(options.weights.iter().map(|w| U96::from(*w))).collect();
        client.set_weights(deployment.owner_stake_source.address, owner, OPERATOR_SET, &weights).await?;
        client.commit_epoch(registry, owner, OPERATOR_SET, &addresses).await?;
        let (token, _) = deploy_token(&client, owner, U256::from(1_000_000_000)).await?;
        client.provider().anvil_set_interval_mining(options.block_seconds).await?;
        Ok(Self {
            node: anvil.endpoint(),
            chain_id: options.chain_id,
            task_manager,
            registry,
            owner,
            agent,
            token,
            operators,
            client,
            folder,
            anvil,
        })
    }

    /// Commits the same operators as the next epoch, which all of them approve, so that it is in force at once.
    ///
    /// # Errors
    /// If a step fails.
    pub async fn next_epoch(&self) -> Result<EpochId> {
        let Self { client, registry, owner, chain_id, .. } = self;
        let addresses: Vec<_> = self.operators.iter().map(|operator| operator.address).collect();
        let signing = client.latest_epoch(*registry, OPERATOR_SET).await?.context("the set has an epoch")?;
        let number = client.commit_epoch(*registry, *owner, OPERATOR_SET, &addresses).await?.number;
        let pending = client.read_epoch(*registry, number).await?;
        let approval = EpochApproval {
            registry: *registry,
            operator_set: OPERATOR_SET,
            signed_by: signing.number,
            set_hash: pending.operators.set_hash(),
            deadline: U48::MAX,
        };
        let chain_id = U256::from(*chain_id);
        let sign = |operator: &WorldOperator| {
            PartialSignature::new(operator.address, operator.key.approve_epoch(&approval, chain_id))
        };
        let partials: Vec<_> = self.operators.iter().map(sign).collect();
        let aggregate = aggregate_epoch_approval(&signing, &approval, chain_id, &partials)?;
        let (signature, non_signers) = (&aggregate.signature, &aggregate.non_signers);
        client.approve_epoch(*registry, *owner, number, approval.deadline, signature, non_signers).await?;
        Ok(number)
    }

    /// Returns the timestamp of the latest block.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn latest_timestamp(&self) -> Result<u64> {
        let latest = self.client.provider().get_block(BlockId::latest()).await?;
        Ok(latest.context("the node has a latest block")?.header.timestamp)
    }

    /// Mines so many blocks that the latest one is final: on anvil, 64 more.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn finalize(&self) -> Result<()> {
        Ok(self.client.provider().anvil_mine(Some(70), None).await?)
    }

    /// Publishes a policy in the store, and deploys a vault under it.
    ///
    /// # Errors
    /// If a step fails.
    pub async fn vault(&self, bundle: &Bundle) -> Result<Address> {
        let store = PolicyStore::parse(&self.policies())?;
        store.put(bundle).await?;
        let terms = Policy {
            policyId: bundle.policy().id(),
            operatorSet: OPERATOR_SET.into(),
            quorum: QUORUM,
            maxLifetime: U48::from(3600),
        };
        let Self { client, owner, agent, task_manager, token, .. } = self;
        let (vault, _) = deploy_vault(client, *owner, *owner, *agent, *task_manager, terms).await?;
        let fund = ExampleToken::transferCall { to: vault, value: U256::from(100_000) };
        client.send(&PreparedCall::new(*owner, *token, fund.abi_encode())).await?;
        Ok(vault)
    }

    /// Returns the policy store's folder.
    pub fn policies(&self) -> String {
        self.path("policies").display().to_string()
    }

    /// Returns a path in the world's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Keeps the world's folder, with all logs, and returns it.
    pub fn keep(&mut self) -> PathBuf {
        self.folder.disable_cleanup(true);
        self.folder.path().to_owned()
    }

    /// Returns the process id of the node.
    pub fn node_process(&self) -> u32 {
        self.anvil.child().id()
    }

    /// Returns the call by which the agent has a vault pay an amount.
    pub fn payment(&self, vault: Address, amount: u64) -> PreparedCall {
        let pay = TreasuryVault::payCall { token: self.token, recipient: RECIPIENT, amount: U256::from(amount) };
        PreparedCall::new(self.agent, vault, pay.abi_encode())
    }

    /// Returns the parameters of a request to a gateway, for a call of the agent.
    pub fn request(&self, vault: Address, data: &Bytes) -> Value {
        let chain_id = self.chain_id.to_string();
        let intent = json!({ "from": self.agent, "to": vault, "value": "0", "data": data, "chainId": chain_id });
        json!({ "policyClient": vault, "intent": intent })
    }

    /// Returns the parameters of a request to pay an amount.
    pub fn payment_request(&self, vault: Address, amount: u64) -> Value {
        self.request(vault, &self.payment(vault, amount).data)
    }

    /// Returns what the recipient has got.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn paid(&self) -> Result<u64> {
        let token = ExampleToken::new(self.token, self.client.provider());
        Ok(token.balanceOf(RECIPIENT).call().await?.to())
    }

    /// Returns a policy without sources, which allows payments of up to 1000.
    ///
    /// # Errors
    /// If it cannot be built.
    pub fn limit_policy() -> Result<Bundle> {
        bundle(LIMIT, &json!({}))
    }

    /// Returns a policy with the source `history`: it allows while the token was paid less than twice.
    ///
    /// # Errors
    /// If it cannot be built.
    pub fn history_policy(&self) -> Result<Bundle> {
        let history = json!({
            "address": self.token,
            "event": "event Transfer(address indexed from, address indexed to, uint256 value)",
            "where": { "to": RECIPIENT },
            "window": { "blocks": 100 },
        });
        let source = json!({ "builtin": { "history": history }, "reduce": "same", "schema": { "type": "object" } });
        bundle(HISTORY, &json!({ "paid": source }))
    }

    /// Returns a policy with the source `outstanding`: all payments that are not spent yet come to at most 1000.
    ///
    /// # Errors
    /// If it cannot be built.
    pub fn outstanding_policy() -> Result<Bundle> {
        let source = json!({ "builtin": { "outstanding": { "function": "pay", "sum": "amount" } } });
        bundle(OUTSTANDING, &json!({ "pending": source }))
    }
}

fn bundle(rules: &str, sources: &Value) -> Result<Bundle> {
    let manifest = json!({
        "name": "limit",
        "version": "0.1.0",
        "entrypoint": "limit",
        "functions": ["function pay(address token, address recipient, uint256 amount)"],
        "sources": sources,
    });
    let files = BTreeMap::from([
        ("limit.rego".to_owned(), rules.as_bytes().to_vec()),
        ("policy.json".to_owned(), manifest.to_string().into_bytes()),
    ]);
    Ok(PolicyFolder::read(&files)?.build(evaluator()?.root())?)
}
