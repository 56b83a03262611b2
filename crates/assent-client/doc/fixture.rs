// The hidden set-up of the documentation's examples: Assent on an in-process chain, one operator in epoch 1, and a
// treasury vault that holds tokens. Each example includes this file as a module.

use alloy::{
    primitives::{
        Address, B256, U256,
        aliases::{U48, U96},
    },
    providers::DynProvider,
    sol_types::SolCall,
};
use assent_chain::{DEVELOPMENT_ACCOUNTS, EmbeddedChain};
use assent_client::{AssentClient, PreparedCall};
use assent_contracts::deployment::{Delays, Deployment};
use assent_examples::{ExampleToken, deploy_token, deploy_vault};
use assent_signer::{AttestationBatch, PartialSignature, SecretKey, aggregate};
use assent_verifier::{
    Attestation, AttestationDocument, EpochId, Intent, OperatorSetId, Policy,
    digest::{intent_hash, task_id},
};

pub type Failure = Box<dyn std::error::Error>;

pub const OWNER: Address = DEVELOPMENT_ACCOUNTS[0];
pub const AGENT: Address = DEVELOPMENT_ACCOUNTS[1];
pub const OPERATOR: Address = DEVELOPMENT_ACCOUNTS[2];

pub struct Fixture {
    pub client: AssentClient<DynProvider>,
    pub deployment: Deployment,
    pub key: SecretKey,
    pub token: Address,
    pub vault: Address,
    pub policy: Policy,
    pub chain: EmbeddedChain,
}

impl Fixture {
    pub async fn new() -> Result<Self, Failure> {
        let chain = EmbeddedChain::new(31_337);
        let client = AssentClient::new(chain.provider());
        let deployment = client.deploy(OWNER, OWNER, Delays::default()).await?.deployment;
        let (registry, task_manager) = (deployment.operator_registry.address, deployment.task_manager.address);

        let key = SecretKey::generate()?;
        let proof = key.prove_possession(OPERATOR, U256::from(31_337), registry);
        client.register_operator(registry, OPERATOR, &key.public_key(), &proof).await?;
        let (set, weights) = (OperatorSetId(1), [(OPERATOR, U96::from(100))]);
        client.set_weights(deployment.owner_stake_source.address, OWNER, set, &weights).await?;
        client.commit_epoch(registry, OWNER, set, &[OPERATOR]).await?;

        let policy =
            Policy { policyId: B256::repeat_byte(1), operatorSet: 1, quorum: 6700, maxLifetime: U48::from(3600) };
        let (vault, _) = deploy_vault(&client, OWNER, OWNER, AGENT, task_manager, policy.clone()).await?;
        let (token, _) = deploy_token(&client, OWNER, U256::from(1000)).await?;
        let fund = ExampleToken::transferCall { to: vault, value: U256::from(1000) }.abi_encode();
        client.send(&PreparedCall::new(OWNER, token, fund)).await?;
        Ok(Self { client, deployment, key, token, vault, policy, chain })
    }

    /// The operator allows an intent of the vault for ten minutes.
    pub fn attest(&self, intent: &Intent, nonce: u64) -> Result<AttestationDocument, Failure> {
        let (chain_id, task_manager) = (intent.chainId, self.deployment.task_manager.address);
        let (policy_id, nonce) = (self.policy.policyId, U256::from(nonce));
        let attestation = Attestation {
            taskId: task_id(chain_id, task_manager, self.vault, policy_id, intent_hash(intent), nonce),
            policyId: policy_id,
            policyClient: self.vault,
            nonce,
            issuedAt: U48::from(self.chain.timestamp()),
            expiration: U48::from(self.chain.timestamp() + 600),
            decision: 1,
            evidence: B256::repeat_byte(2),
            intent: intent.clone(),
        };
        let batch = AttestationBatch::new(vec![attestation], chain_id, task_manager)?;
        let epoch = assent_verifier::Epoch {
            number: EpochId(1),
            operator_set: OperatorSetId(1),
            valid_until: U48::MAX,
            operators: assent_verifier::OperatorSet::new(vec![assent_verifier::Operator {
                address: OPERATOR,
                public_key: self.key.public_key(),
                weight: U96::from(100),
            }])?,
        };
        let partial = PartialSignature::new(OPERATOR, self.key.sign_batch(&batch));
        Ok(aggregate(&epoch, batch.root(), &[partial])?.document(&batch, 0)?)
    }
}
