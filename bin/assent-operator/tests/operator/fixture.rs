//! A vault under a policy with one operator, on a real anvil.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use alloy::{
    node_bindings::{Anvil, AnvilInstance},
    primitives::{
        Address, U256,
        aliases::{U48, U96},
    },
    providers::{DynProvider, Provider, ProviderBuilder},
    sol_types::SolCall,
};
use assent_chain_view::{ChainView, ViewedBlock};
use assent_client::{AssentClient, PreparedCall};
use assent_contracts::deployment::{Delays, Deployment};
use assent_examples::{TreasuryVault, deploy_vault};
use assent_network::{
    Domain, Task,
    gateway::{Accepted, AcceptedSources},
};
use assent_policy::{Bundle, ExecutablePolicy, Rules, SingleRules, Source, evaluator};
use assent_policy_store::PolicyStore;
use assent_signer::SecretKey;
use assent_types::{Intent, Policy};
use assent_verifier::{Epoch, EpochId, OperatorSetId};
use tempfile::TempDir;

pub type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

const OPERATOR_SET: OperatorSetId = OperatorSetId(1);

pub struct Fixture {
    pub client: AssentClient<DynProvider>,
    pub accounts: Vec<Address>,
    pub deployment: Deployment,
    pub vault: Address,
    pub epoch: Epoch,
    pub policy: ExecutablePolicy,
    pub folder: TempDir,
    pub anvil: AnvilInstance,
}

impl Fixture {
    /// An operator with weight 1 whose key is in `operator.key`, and the policy of the vault in `policies`.
    pub async fn new() -> Result<Self> {
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../node_modules/.bin/anvil"));
        let anvil = Anvil::at(path).args(["--hardfork", "osaka"]).try_spawn().expect("anvil starts (run `npm ci`)");
        let client = AssentClient::new(ProviderBuilder::new().connect_http(anvil.endpoint_url()).erased());
        let accounts = anvil.addresses().to_vec();
        let (owner, agent, operator) = (accounts[0], accounts[1], accounts[2]);
        let deployment = client.deploy(owner, owner, Delays::default()).await?.deployment;
        let registry = deployment.operator_registry.address;

        let folder = tempfile::tempdir()?;
        let key = SecretKey::generate()?;
        key.write_unencrypted(&folder.path().join("operator.key"))?;
        let proof = key.prove_possession(operator, U256::from(31_337), registry);
        client.register_operator(registry, operator, &key.public_key(), &proof).await?;
        let weights = [(operator, U96::from(1))];
        client.set_weights(deployment.owner_stake_source.address, owner, OPERATOR_SET, &weights).await?;
        client.commit_epoch(registry, owner, OPERATOR_SET, &[operator]).await?;
        let epoch = client.read_epoch(registry, EpochId(1)).await?;

        let policy = policy(BTreeMap::new());
        let bundle = Bundle::new("limit".into(), "0.1.0".into(), policy.clone(), BTreeMap::new())?;
        PolicyStore::parse(folder.path().join("policies").to_str().ok_or("a path")?)?.put(&bundle).await?;
        let task_manager = deployment.task_manager.address;
        let terms = terms(&policy, 6_700);
        let (vault, _) = deploy_vault(&client, owner, owner, agent, task_manager, terms).await?;
        Ok(Self { client, accounts, deployment, vault, epoch, policy, folder, anvil })
    }

    pub fn operator(&self) -> Address {
        self.accounts[2]
    }

    pub fn domain(&self) -> Domain {
        Domain { chain_id: U256::from(31_337), task_manager: self.deployment.task_manager.address }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub async fn latest_block(&self) -> Result<ViewedBlock> {
        let view = ChainView::new(self.client.provider().clone(), self.domain().task_manager);
        Ok(view.latest_block().await?)
    }

    /// A task at the latest block: the agent has the vault pay an amount. The policy allows up to 500.
    pub async fn task(&self, nonce: u64, amount: u64) -> Result<Task> {
        let block = self.latest_block().await?;
        let pay = TreasuryVault::payCall {
            token: Address::repeat_byte(0x70),
            recipient: Address::repeat_byte(0x71),
            amount: U256::from(amount),
        };
        Ok(Task {
            policy_client: self.vault,
            policy_id: self.policy.id(),
            nonce: U256::from(nonce),
            intent: Intent {
                from: self.accounts[1],
                to: self.vault,
                value: U256::ZERO,
                data: pay.abi_encode().into(),
                chainId: self.domain().chain_id,
            },
            expiration: block.timestamp + 600,
            epoch: EpochId(1),
            block_number: block.number,
            block_hash: block.hash,
            block_timestamp: block.timestamp,
        })
    }

    /// What a gateway makes of a task.
    pub fn accepted(&self, task: Task) -> Accepted {
        let client_policy = terms(&self.policy, 6_700);
        let sources = AcceptedSources::Identity(BTreeMap::new());
        Accepted { task, client_policy, issuance_floor: U48::ZERO, sources }
    }

    /// Binds the vault to another policy or quorum.
    pub async fn set_terms(&self, terms: Policy) -> Result {
        self.send(&TreasuryVault::setAssentPolicyCall { newPolicy: terms.into() }).await
    }

    pub async fn burn_nonce(&self, nonce: u8) -> Result {
        self.send(&TreasuryVault::burnAssentNoncesCall { word: U256::ZERO, mask: U256::ONE << nonce }).await
    }

    async fn send(&self, call: &impl SolCall) -> Result {
        self.client.send(&PreparedCall::new(self.accounts[0], self.vault, call.abi_encode())).await?;
        Ok(())
    }
}

/// The terms of a client with a policy.
pub fn terms(policy: &ExecutablePolicy, quorum: u16) -> Policy {
    let operator_set = OPERATOR_SET.into();
    Policy { policyId: policy.id(), operatorSet: operator_set, quorum, maxLifetime: U48::from(3600) }
}

/// A policy that allows payments of at most 500, with sources that it does not use.
pub fn policy(sources: BTreeMap<String, Source>) -> ExecutablePolicy {
    let rules = Rules::Single(SingleRules {
        entrypoint: "limit".into(),
        functions: vec!["function pay(address token, address recipient, uint256 amount)".parse().expect("a function")],
        modules: BTreeMap::from([(
            "limit".to_owned(),
            "package limit\nimport rego.v1\nallow if input.call.args.amount <= 500\n".to_owned(),
        )]),
        parameters_schema: assent_json::parse(br#"{"type":"object"}"#).expect("JSON"),
        sources,
    });
    let parameters = assent_json::parse(b"{}").expect("JSON");
    let image = evaluator().expect("the evaluator").root();
    ExecutablePolicy::new(image, &rules, 1 << 24, &parameters).expect("a policy")
}
