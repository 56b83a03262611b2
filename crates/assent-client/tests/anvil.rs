//! The client against a real anvil, with operators who sign and a vault that pays.

use alloy::{
    node_bindings::{Anvil, AnvilInstance},
    primitives::{
        Address, B256, Bytes, U256,
        aliases::{U48, U96},
    },
    providers::{DynProvider, Provider, ProviderBuilder, ext::AnvilApi},
    sol_types::{SolCall, SolConstructor},
};
use assent_client::{AssentClient, Call, ClientError, Revert};
use assent_contracts::{ExampleToken, TreasuryVault};
use assent_signer::{AttestationBatch, PartialSignature, SecretKey, aggregate};
use assent_verifier::{
    Attestation, Authorization, Epoch, Intent, Policy, Refusal,
    digest::{intent_hash, task_id},
    verify, verify_trailing,
};
use std::path::Path;

type Outcome = Result<(), Box<dyn std::error::Error>>;

const OPERATOR_SET: u32 = 3;
const SUPPLY: u64 = 1_000_000;

/// A vault under a policy, with seven operators of weight 100 in epoch 1.
struct World {
    client: AssentClient<DynProvider>,
    accounts: Vec<Address>,
    keys: Vec<(Address, SecretKey)>,
    registry: Address,
    task_manager: Address,
    token: Address,
    vault: Address,
    policy: Policy,
    _anvil: AnvilInstance,
}

#[tokio::test]
async fn an_attested_payment_goes_through_once_and_chain_and_verifier_agree() -> Outcome {
    let world = World::new().await?;
    let call = world.payment(250);
    let authorization = world.attest(&call.intent(world.chain_id().await?), U256::from(7), 5).await?;

    let context = world.client.read_context_for(world.vault, world.agent(), &authorization).await?;
    let attested = call.attested(&authorization)?;
    let verified = verify_trailing(&context, call.value, &attested.data)?;
    assert_eq!(verified.nonce(), U256::from(7));
    world.client.simulate(&attested).await?;
    let bytes = authorization.encode();
    let task = world.client.check_authorization(world.vault, verified.intent(), world.agent(), &bytes).await?;
    assert_eq!(task, authorization.task_id);
    assert!(!world.client.is_spent(world.task_manager, world.vault, U256::from(7)).await?);

    let receipt = world.client.send_trailing(&call, &authorization).await?;
    assert!(receipt.gas_used > 21_000);
    assert_eq!(world.balance(world.recipient()).await?, U256::from(250));
    assert!(world.client.is_spent(world.task_manager, world.vault, U256::from(7)).await?);

    let again = Refusal::AttestationAlreadySpent { policyClient: world.vault, nonce: U256::from(7) };
    let context = world.client.read_context_for(world.vault, world.agent(), &authorization).await?;
    assert_eq!(verify_trailing(&context, call.value, &attested.data), Err(again));
    assert_eq!(world.client.simulate(&attested).await.unwrap_err().refusal(), Some(again));

    let not_sent = world.client.send(&attested).await.unwrap_err();
    assert_eq!((not_sent.refusal(), not_sent.gas_used()), (Some(again), None));
    let mined = world.client.send(&attested.with_gas_limit(1_000_000)).await.unwrap_err();
    assert_eq!(mined.refusal(), Some(again));
    assert!(mined.gas_used().is_some_and(|gas| gas > 21_000));
    assert_eq!(world.balance(world.recipient()).await?, U256::from(250));
    Ok(())
}

#[tokio::test]
async fn an_explicit_intent_is_executed_and_another_is_refused() -> Outcome {
    let world = World::new().await?;
    let data = ExampleToken::transferCall { to: world.recipient(), value: U256::from(40) }.abi_encode();
    let intent = Call::new(world.agent(), world.token, data).intent(world.chain_id().await?);
    let authorization = world.attest(&intent, U256::ZERO, 7).await?;

    let altered = Intent { value: U256::from(1), ..intent.clone() };
    let context = world.client.read_context_for(world.vault, world.agent(), &authorization).await?;
    let refusal = verify(&context, &altered, &authorization.encode()).unwrap_err();
    assert!(matches!(refusal, Refusal::WrongTask { .. }));
    let error = world.client.send_explicit(world.vault, &altered, &authorization).await.unwrap_err();
    assert_eq!(error.refusal(), Some(refusal));

    let returned = world.client.simulate_explicit(world.vault, &intent, &authorization).await?;
    assert_eq!(U256::from_be_slice(&returned), U256::from(1), "ERC-20's `true`");
    world.client.send_explicit(world.vault, &intent, &authorization).await?;
    assert_eq!(world.balance(world.recipient()).await?, U256::from(40));
    Ok(())
}

#[tokio::test]
async fn a_retired_epoch_and_one_that_does_not_exist_are_refused_alike() -> Outcome {
    let world = World::new().await?;
    let call = world.payment(1);
    let authorization = world.attest(&call.intent(world.chain_id().await?), U256::from(1), 7).await?;
    world.client.retire_epoch(world.registry, world.owner(), 1).await?;
    assert_eq!(world.client.read_epoch(world.registry, 1).await?.valid_until, U48::ZERO);

    let unknown = Authorization { epoch: 2, ..authorization.clone() };
    let cases = [(authorization, Refusal::EpochRetired { epoch: 1 }), (unknown, Refusal::UnknownEpoch { epoch: 2 })];
    for (authorization, refusal) in cases {
        let attested = call.attested(&authorization)?;
        let context = world.client.read_context_for(world.vault, world.agent(), &authorization).await?;
        assert_eq!(verify_trailing(&context, call.value, &attested.data), Err(refusal));
        assert_eq!(world.client.simulate(&attested).await.unwrap_err().refusal(), Some(refusal));
    }
    let missing = world.client.read_epoch(world.registry, 2).await.unwrap_err();
    assert!(matches!(missing, ClientError::NoSuchEpoch { epoch: 2, .. }));
    Ok(())
}

#[tokio::test]
async fn deploying_again_changes_nothing() -> Outcome {
    let world = World::new().await?;
    let again = world.client.deploy(world.agent(), world.owner(), U48::from(3600)).await?;
    assert_eq!(again.deployment.task_manager.address, world.task_manager);
    assert!(again.contracts.iter().all(|contract| contract.receipt.is_none()));
    Ok(())
}

#[tokio::test]
async fn errors_that_are_no_refusals_are_named() -> Outcome {
    let world = World::new().await?;
    let stranger = world.accounts[9];
    let error = world.client.simulate(&Call { from: stranger, ..world.payment(1) }).await.unwrap_err();
    assert_eq!(error.refusal(), None);
    let ClientError::Reverted { reason: Revert::Other { description, .. }, .. } = error else {
        panic!("not a revert: {error}")
    };
    assert_eq!(description, Some(format!("NotAgent({stranger})")));

    let error = world.client.read_policy(stranger).await.unwrap_err();
    assert!(matches!(error, ClientError::UnexpectedAnswer { expected: "PolicyClient", .. }), "{error}");

    let error = world.client.commit_epoch(world.registry, world.owner(), OPERATOR_SET, &[stranger]).await;
    let ClientError::Reverted { reason, .. } = error.unwrap_err() else { panic!("not a revert") };
    assert_eq!(reason.to_string(), format!("OperatorNotRegistered({stranger})"));
    Ok(())
}

#[tokio::test]
async fn a_chain_without_the_precompiles_or_the_proxy_is_refused() -> Outcome {
    let anvil = anvil("cancun");
    let client = AssentClient::new(ProviderBuilder::new().connect_http(anvil.endpoint_url()));
    let account = anvil.addresses()[0];
    let error = client.deploy(account, account, U48::ZERO).await.unwrap_err();
    assert!(matches!(error, ClientError::PrecompilesMissing { chain_id: 31_337 }), "{error}");

    let proxy = assent_contracts::deployment::DEPLOYMENT_PROXY;
    client.provider().anvil_set_code(proxy, Bytes::new()).await?;
    let error = client.deploy(account, account, U48::ZERO).await.unwrap_err();
    assert!(matches!(error, ClientError::DeploymentProxyMissing { .. }), "{error}");
    Ok(())
}

/// 101 operators: one staged table and a head. Registered from accounts that anvil plays, with the registry's real checks.
#[tokio::test]
async fn a_set_of_more_than_one_table_is_staged_committed_and_read_back() -> Outcome {
    let world = World::new().await?;
    let provider = world.client.provider();
    let mut operators = Vec::new();
    for index in 0..101_u32 {
        let operator = Address::left_padding_from(&(0x1000 + index).to_be_bytes());
        provider.anvil_set_balance(operator, U256::from(10).pow(U256::from(18))).await?;
        provider.anvil_impersonate_account(operator).await?;
        let key = SecretKey::from_key_material(&[u8::try_from(index)?; 32])?;
        world.register(operator, &key).await?;
        operators.push(operator);
    }
    let weights: Vec<_> = operators.iter().map(|&operator| (operator, U96::from(2))).collect();
    let stake_table = assent_contracts::deployment::Deployment::new(world.owner(), U48::from(3600))?.stake_table;
    world.client.set_weights(stake_table.address, world.owner(), 9, &weights).await?;

    // Out of order: the client sorts.
    operators.reverse();
    let committed = world.client.commit_epoch(world.registry, world.owner(), 9, &operators).await?;
    assert_eq!(committed.receipts.len(), 2);
    let epoch = world.client.latest_epoch(world.registry, 9).await?.expect("it was committed");
    assert_eq!((epoch.number, epoch.operator_set), (committed.number, 9));
    assert_eq!(epoch.operators.total_weight(), U96::from(202));
    operators.reverse();
    assert!(epoch.operators.operators().iter().map(|operator| operator.address).eq(operators));
    assert_eq!(world.client.latest_epoch(world.registry, 10).await?, None);
    Ok(())
}

impl World {
    async fn new() -> Result<Self, Box<dyn std::error::Error>> {
        let anvil = anvil("osaka");
        let provider = ProviderBuilder::new().connect_http(anvil.endpoint_url()).erased();
        let client = AssentClient::new(provider);
        let accounts = anvil.addresses().to_vec();
        let (owner, agent) = (accounts[0], accounts[1]);

        let report = client.deploy(owner, owner, U48::from(3600)).await?;
        assert!(report.contracts.iter().all(|contract| contract.receipt.is_some()));
        let registry = report.deployment.operator_registry.address;
        let task_manager = report.deployment.task_manager.address;

        let policy = Policy {
            policyId: B256::repeat_byte(0x70),
            operatorSet: OPERATOR_SET,
            quorum: 6700,
            maxLifetime: U48::from(600),
        };
        let (vault, _) = client.deploy_vault(owner, owner, agent, task_manager, policy.clone()).await?;
        assert_eq!(client.read_policy(vault).await?, Some(policy.clone()));

        let supply = ExampleToken::constructorCall { supply: U256::from(SUPPLY) }.abi_encode();
        let init_code = [ExampleToken::BYTECODE.as_ref(), &supply].concat().into();
        let (token, _) = client.create(owner, init_code).await?;
        let fund = ExampleToken::transferCall { to: vault, value: U256::from(SUPPLY) }.abi_encode();
        client.send(&Call::new(owner, token, fund)).await?;

        let mut world =
            Self { client, keys: Vec::new(), registry, task_manager, token, vault, policy, accounts, _anvil: anvil };
        for operator in world.accounts[2..9].iter().copied() {
            let key = SecretKey::generate()?;
            world.register(operator, &key).await?;
            world.keys.push((operator, key));
        }
        let operators: Vec<_> = world.keys.iter().map(|(operator, _)| *operator).collect();
        let weights: Vec<_> = operators.iter().map(|&operator| (operator, U96::from(100))).collect();
        let stake_table = report.deployment.stake_table.address;
        world.client.set_weights(stake_table, owner, OPERATOR_SET, &weights).await?;
        let committed = world.client.commit_epoch(registry, owner, OPERATOR_SET, &operators).await?;
        assert_eq!((committed.number, committed.receipts.len()), (1, 1));
        Ok(world)
    }

    fn owner(&self) -> Address {
        self.accounts[0]
    }

    fn agent(&self) -> Address {
        self.accounts[1]
    }

    fn recipient(&self) -> Address {
        Address::repeat_byte(0xee)
    }

    async fn chain_id(&self) -> Result<u64, ClientError> {
        self.client.chain_id().await
    }

    async fn register(&self, operator: Address, key: &SecretKey) -> Outcome {
        let proof = key.prove_possession(operator, U256::from(self.chain_id().await?), self.registry);
        self.client.register_operator(self.registry, operator, &key.public_key(), &proof).await?;
        Ok(())
    }

    fn payment(&self, amount: u64) -> Call {
        let pay = TreasuryVault::payCall { token: self.token, recipient: self.recipient(), amount: U256::from(amount) };
        Call::new(self.agent(), self.vault, pay.abi_encode())
    }

    async fn balance(&self, account: Address) -> Result<U256, Box<dyn std::error::Error>> {
        let call = Call::new(account, self.token, ExampleToken::balanceOfCall { account }.abi_encode());
        Ok(ExampleToken::balanceOfCall::abi_decode_returns(&self.client.simulate(&call).await?)?)
    }

    /// The first `signers` operators allow the intent for five minutes.
    async fn attest(
        &self,
        intent: &Intent,
        nonce: U256,
        signers: usize,
    ) -> Result<Authorization, Box<dyn std::error::Error>> {
        let epoch: Epoch = self.client.latest_epoch(self.registry, OPERATOR_SET).await?.ok_or("no epoch")?;
        let context = self.client.read_context(self.vault, self.agent(), &[], &[]).await?;
        let policy_id = self.policy.policyId;
        let attestation = Attestation {
            taskId: task_id(context.chain_id, context.task_manager, self.vault, policy_id, intent_hash(intent), nonce),
            policyId: policy_id,
            policyClient: self.vault,
            nonce,
            expiration: U48::from(context.timestamp + 300),
            decision: 1,
            evidence: B256::repeat_byte(0xe1),
            intent: intent.clone(),
        };
        let batch = AttestationBatch::new(vec![attestation], context.chain_id, context.task_manager)?;
        let partials: Vec<_> = self.keys[..signers]
            .iter()
            .map(|(operator, key)| PartialSignature::new(*operator, key.sign_batch(&batch)))
            .collect();
        Ok(aggregate(&epoch, batch.root(), &partials)?.document(&batch, 0)?.authorization()?)
    }
}

fn anvil(hardfork: &str) -> AnvilInstance {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../node_modules/.bin/anvil"));
    Anvil::at(path).args(["--hardfork", hardfork]).try_spawn().expect("anvil starts (run `npm ci`)")
}
