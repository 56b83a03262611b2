//! The set-up before the first payment: contracts, operators, an epoch, a treasury.

use super::node::Node;
use alloy::{
    primitives::{
        Address, B256, U256, address,
        aliases::{U48, U96},
        hex, keccak256,
        utils::parse_ether,
    },
    providers::DynProvider,
};
use anyhow::{Context as _, Result};
use assent_client::AssentClient;
use assent_contracts::deployment::{Delays, Deployment};
use assent_examples::{ExampleToken, deploy_token, deploy_vault};
use assent_policy::{PolicyFolder, evaluator};
use assent_signer::{PartialSignature, SecretKey, aggregate_epoch_approval};
use assent_verifier::{Epoch, EpochApproval, EpochId, OperatorSetId, Policy, verify_proof_of_possession};

/// The number of operators in the epoch.
pub const OPERATORS: usize = 7;
/// The number of operators that must sign, under the quorum below and equal weights.
pub const SIGNERS: usize = 5;

const OPERATOR_SET: OperatorSetId = OperatorSetId(1);
const WEIGHT: u64 = 100;
/// Two thirds, in basis points: 5 of 7.
const QUORUM: u16 = 6667;
const MAX_LIFETIME: u64 = 3_600;
const RECIPIENT: Address = address!("0x000000000000000000000000000000000000bEEF");

/// The chain with all contracts and accounts.
pub struct Setup {
    /// The client of the contracts.
    pub client: AssentClient<DynProvider>,
    /// The chain's id.
    pub chain_id: U256,
    /// The owner of registry, stake source, vault and token.
    pub owner: Address,
    /// The account that can spend from the vault.
    pub agent: Address,
    /// An account that cannot.
    pub other_agent: Address,
    /// The operators, ascending by address as in the epoch.
    pub operators: Vec<DemoOperator>,
    /// OwnerStakeSource, OperatorRegistry and TaskManager.
    pub deployment: Deployment,
    /// The treasury.
    pub vault: Address,
    /// The token that it holds.
    pub token: Address,
    /// The account that is paid.
    pub recipient: Address,
    /// The vault's policy.
    pub policy: Policy,
    /// The rules and parameters that its id names.
    pub rules: assent_policy::ExecutablePolicy,
    /// The current epoch.
    pub epoch: Epoch,
}

/// An operator with its key.
pub struct DemoOperator {
    /// Its account.
    pub address: Address,
    /// Its throw-away key.
    pub key: SecretKey,
}

impl Setup {
    /// Deploys the contracts, registers the operators, commits their epoch and fills the treasury.
    pub async fn build(node: &Node) -> Result<Self> {
        let client = AssentClient::new(node.provider.clone());
        let [owner, agent, other_agent, accounts @ ..] = node.accounts().await?;
        let chain_id = U256::from(client.chain_id().await?);

        let report = client.deploy(owner, owner, Delays::default()).await?;
        let deployment = report.deployment;
        let operators = demo_operators(accounts)?;
        register(&client, &deployment, chain_id, &operators).await?;
        let epoch = commit_epoch(&client, &deployment, &operators).await?;

        let (token, _) = deploy_token(&client, owner, parse_ether("1000000")?).await?;
        let rules = spending_limit(token)?;
        let policy = Policy {
            policyId: rules.id(),
            operatorSet: OPERATOR_SET.into(),
            quorum: QUORUM,
            maxLifetime: U48::from(MAX_LIFETIME),
        };
        let task_manager = deployment.task_manager.address;
        let (vault, _) = deploy_vault(&client, owner, owner, agent, task_manager, policy.clone()).await?;
        crate::deploy_example::fill_treasury(&client, owner, token, vault).await?;
        Ok(Self {
            client,
            chain_id,
            owner,
            agent,
            other_agent,
            operators,
            deployment,
            vault,
            token,
            recipient: RECIPIENT,
            policy,
            rules,
            epoch,
        })
    }

    /// Returns the balance of an account in the token's smallest unit.
    pub async fn balance(&self, account: Address) -> Result<U256> {
        let token = ExampleToken::new(self.token, self.client.provider());
        Ok(token.balanceOf(account).call().await?)
    }

    /// Commits the same operators as the next epoch.
    pub async fn commit_next_epoch(&mut self) -> Result<()> {
        self.epoch = commit_epoch(&self.client, &self.deployment, &self.operators).await?;
        Ok(())
    }
}

/// The most that one payment may have, in the token's smallest unit: 500 EXT.
const LIMIT: &str = "500000000000000000000";

/// The files of policies/spending-limit.
const SPENDING_LIMIT: [(&str, &str); 3] = [
    ("policy.json", include_str!("../../../../policies/spending-limit/policy.json")),
    ("parameters.schema.json", include_str!("../../../../policies/spending-limit/parameters.schema.json")),
    ("spending_limit.rego", include_str!("../../../../policies/spending-limit/spending_limit.rego")),
];

/// Returns the library's spending limit, with a limit for this token.
fn spending_limit(token: Address) -> Result<assent_policy::ExecutablePolicy> {
    let parameters = format!(r#"{{"currency": "0", "tokens": {{"{}": "{LIMIT}"}}}}"#, hex::encode_prefixed(token));
    let files = SPENDING_LIMIT.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    let files = files.chain([("parameters.json".to_owned(), parameters.into_bytes())]).collect();
    Ok(PolicyFolder::read(&files)?.policy(evaluator()?.root())?)
}

/// Returns operators with keys derived from fixed text, so that every run is the same. The keys are public.
fn demo_operators(accounts: [Address; OPERATORS]) -> Result<Vec<DemoOperator>> {
    let mut operators = Vec::new();
    for (index, address) in accounts.into_iter().enumerate() {
        let material: B256 = keccak256(format!("Assent demo, operator {index}: not a secret"));
        operators.push(DemoOperator { address, key: SecretKey::from_key_material(material.as_slice())? });
    }
    operators.sort_unstable_by_key(|operator| operator.address);
    Ok(operators)
}

async fn register(
    client: &AssentClient<DynProvider>,
    deployment: &Deployment,
    chain_id: U256,
    operators: &[DemoOperator],
) -> Result<()> {
    let registry = deployment.operator_registry.address;
    for DemoOperator { address, key } in operators {
        let public_key = key.public_key();
        let proof = key.prove_possession(*address, chain_id, registry);
        verify_proof_of_possession(*address, &public_key, &proof, chain_id, registry)?;
        client.register_operator(registry, *address, &public_key, &proof).await?;
    }
    Ok(())
}

async fn commit_epoch(
    client: &AssentClient<DynProvider>,
    deployment: &Deployment,
    operators: &[DemoOperator],
) -> Result<Epoch> {
    let registry = deployment.operator_registry.address;
    let weights = operators.iter().map(|operator| (operator.address, U96::from(WEIGHT))).collect::<Vec<_>>();
    client.set_weights(deployment.owner_stake_source.address, deployment.owner, OPERATOR_SET, &weights).await?;
    let addresses = operators.iter().map(|operator| operator.address).collect::<Vec<_>>();
    let committed = client.commit_epoch(registry, deployment.owner, OPERATOR_SET, &addresses).await?;
    if committed.activates_at.is_some() {
        approve(client, registry, deployment.owner, committed.number, operators).await?;
    }
    Ok(client.read_epoch(registry, committed.number).await?)
}

/// The operators of the current epoch approve the next one, so that it counts at once.
async fn approve(
    client: &AssentClient<DynProvider>,
    registry: Address,
    payer: Address,
    number: EpochId,
    operators: &[DemoOperator],
) -> Result<()> {
    let chain_id = U256::from(client.chain_id().await?);
    let next = client.read_epoch(registry, number).await?;
    let current = client.latest_epoch(registry, next.operator_set).await?.context("no epoch can approve the next")?;
    let deadline = U48::MAX;
    let approval = EpochApproval {
        registry,
        operator_set: next.operator_set,
        signed_by: current.number,
        set_hash: next.operators.set_hash(),
        deadline,
    };
    let partials: Vec<_> = operators
        .iter()
        .map(|operator| PartialSignature::new(operator.address, operator.key.approve_epoch(&approval, chain_id)))
        .collect();
    let signed = aggregate_epoch_approval(&current, &approval, chain_id, &partials)?;
    client.approve_epoch(registry, payer, number, deadline, &signed.signature, &signed.non_signers).await?;
    Ok(())
}
