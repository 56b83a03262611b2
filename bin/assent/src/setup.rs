//! An example on a development chain, for the demo and local networks: contracts, operators, an epoch, a treasury.

use crate::stake::{
    eigenlayer::Artifacts,
    example::{self, StakedNetwork},
};
use alloy::{
    primitives::{
        Address, Bytes, U256, address,
        aliases::{U48, U96},
        hex,
        utils::parse_ether,
    },
    providers::{DynProvider, Provider},
    sol_types::SolCall,
};
use anyhow::{Context as _, Result, bail};
use assent_client::{AssentClient, ClientError};
use assent_contracts::deployment::{Delays, Deployment};
use assent_examples::{ExampleToken, TreasuryVault, deploy_token, deploy_vault};
use assent_policy::{Bundle, PolicyFolder, evaluator};
use assent_signer::{PartialSignature, SecretKey, aggregate_epoch_approval};
use assent_verifier::{Epoch, EpochApproval, EpochId, Intent, OperatorSetId, Policy, verify_proof_of_possession};

/// The accounts: an owner, two agents, up to seven operators.
pub const ACCOUNTS: usize = 10;

const OPERATOR_SET: OperatorSetId = OperatorSetId(1);
const WEIGHT: u64 = 100;
/// Two thirds, in basis points: 5 of 7 operators, or 3 of 4.
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
    pub operators: Vec<ExampleOperator>,
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
    /// The built policy that its id names.
    pub bundle: Bundle,
    /// The current epoch.
    pub epoch: Epoch,
    /// The contracts that weigh operators by their stake; `None` if the owner sets the weights.
    pub stake: Option<StakedNetwork>,
}

/// An operator with its key.
pub struct ExampleOperator {
    /// Its account.
    pub address: Address,
    /// Its key.
    pub key: SecretKey,
}

impl Setup {
    /// Deploys the contracts, registers an operator with each key, commits their epoch and fills the treasury.
    /// With EigenLayer's bytecode, operators have their stake there.
    pub async fn build(provider: DynProvider, keys: Vec<SecretKey>, eigenlayer: Option<&Artifacts>) -> Result<Self> {
        let [owner, agent, other_agent, accounts @ ..] = accounts(&provider).await?;
        let client = AssentClient::new(provider);
        let chain_id = U256::from(client.chain_id().await?);

        let delays = if eigenlayer.is_some() { example::delays() } else { Delays::default() };
        let report = client.deploy(owner, owner, delays).await?;
        let deployment = report.deployment;
        let operators = accounts.into_iter().zip(keys).map(|(address, key)| ExampleOperator { address, key });
        let mut operators = operators.collect::<Vec<_>>();
        operators.sort_unstable_by_key(|operator| operator.address);
        register(&client, &deployment, chain_id, &operators).await?;
        let (epoch, stake) = match eigenlayer {
            None => (commit_epoch(&client, &deployment, &operators).await?, None),
            Some(artifacts) => {
                let staked = StakedNetwork::deploy(&client, artifacts, &deployment, OPERATOR_SET).await?;
                let addresses = operators.iter().map(|operator| operator.address).collect::<Vec<_>>();
                staked.join(&client, &addresses).await?;
                // The agent is no one in particular.
                let epoch = staked.commit(&client, agent, deployment.operator_registry.address).await?;
                (epoch, Some(staked))
            }
        };

        let (token, _) = deploy_token(&client, owner, parse_ether("1000000")?).await?;
        let bundle = spending_limit(token)?;
        let policy = Policy {
            policyId: bundle.policy().id(),
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
            bundle,
            epoch,
            stake,
        })
    }

    /// Returns the calldata of a payment in whole tokens.
    pub fn payment(&self, tokens: &str) -> Result<Bytes> {
        let amount = parse_ether(tokens)?;
        let pay = TreasuryVault::payCall { token: self.token, recipient: self.recipient, amount };
        Ok(pay.abi_encode().into())
    }

    /// Returns the intent of a call of the vault by the agent.
    pub fn intent(&self, data: Bytes) -> Intent {
        Intent { from: self.agent, to: self.vault, value: U256::ZERO, data, chainId: self.chain_id }
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
    ("policy.json", include_str!("../../../policies/spending-limit/policy.json")),
    ("parameters.schema.json", include_str!("../../../policies/spending-limit/parameters.schema.json")),
    ("spending_limit.rego", include_str!("../../../policies/spending-limit/spending_limit.rego")),
];

/// Returns the library's spending limit, with a limit for this token.
fn spending_limit(token: Address) -> Result<Bundle> {
    let parameters = format!(r#"{{"currency": "0", "tokens": {{"{}": "{LIMIT}"}}}}"#, hex::encode_prefixed(token));
    let files = SPENDING_LIMIT.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    let files = files.chain([("parameters.json".to_owned(), parameters.into_bytes())]).collect();
    Ok(PolicyFolder::read(&files)?.build(evaluator()?.root())?)
}

/// Returns the accounts for which a development node signs.
async fn accounts(provider: &DynProvider) -> Result<[Address; ACCOUNTS]> {
    let accounts = provider.get_accounts().await.map_err(ClientError::Transport);
    let accounts = accounts.context("cannot read the node's accounts")?;
    match accounts.first_chunk() {
        Some(accounts) => Ok(*accounts),
        None => bail!(
            "the example needs {ACCOUNTS} unlocked accounts; the node has {}: start one with `anvil --hardfork osaka`",
            accounts.len()
        ),
    }
}

async fn register(
    client: &AssentClient<DynProvider>,
    deployment: &Deployment,
    chain_id: U256,
    operators: &[ExampleOperator],
) -> Result<()> {
    let registry = deployment.operator_registry.address;
    for ExampleOperator { address, key } in operators {
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
    operators: &[ExampleOperator],
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
    operators: &[ExampleOperator],
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
