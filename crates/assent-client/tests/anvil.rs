//! The client against a real anvil, with operators who sign and a vault that pays.

use alloy::{
    node_bindings::{Anvil, AnvilInstance},
    primitives::{
        Address, B256, Bytes, U256,
        aliases::{U48, U96},
    },
    providers::{DynProvider, Provider, ProviderBuilder, ext::AnvilApi},
    sol_types::SolCall,
};
use assent_client::{AssentClient, ClientError, PreparedCall, Revert, SignedRoot, ValidatorState};
use assent_contracts::{
    OperatorRegistry,
    deployment::{Delays, Deployment},
};
use assent_examples::{ExampleToken, TreasuryVault, deploy_token, deploy_vault, execute_call};
use assent_signer::{AttestationBatch, PartialSignature, SecretKey, aggregate};
use assent_verifier::{
    Attestation, AttestationDocument, Authorization, Epoch, EpochApproval, EpochId, Intent, OperatorSetId, Policy,
    Refusal,
    digest::{EPOCH_APPROVAL_TAG, intent_hash, task_id},
    verify, verify_trailing,
};
use std::{collections::BTreeSet, path::Path};

type TestResult = Result<(), Box<dyn std::error::Error>>;

const OPERATOR_SET: OperatorSetId = OperatorSetId(3);
const SUPPLY: u64 = 1_000_000;

/// A vault under a policy, with seven operators of weight 100 in epoch 1.
struct Fixture {
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
async fn an_attested_payment_goes_through_once_and_chain_and_verifier_agree() -> TestResult {
    let fixture = Fixture::new().await?;
    let call = fixture.payment(250);
    let authorization = fixture.attest(&call.intent(fixture.chain_id().await?), U256::from(7), 5).await?;

    let intent = call.intent(fixture.chain_id().await?);
    let context = fixture.client.read_context_for(fixture.vault, fixture.agent(), &intent, &authorization).await?;
    let attested = call.attested(&authorization)?;
    let verified = verify_trailing(&context, call.value, &attested.data)?;
    assert_eq!(verified.nonce(), U256::from(7));
    fixture.client.simulate(&attested).await?;
    let bytes = authorization.encode();
    let task = fixture.client.check_authorization(fixture.vault, verified.intent(), fixture.agent(), &bytes).await?;
    assert_eq!(task, authorization.task_id);
    assert!(!fixture.client.is_spent(fixture.task_manager, fixture.vault, U256::from(7)).await?);

    let receipt = fixture.client.send_trailing(&call, &authorization).await?;
    assert!(receipt.gas_used > 21_000);
    assert_eq!(fixture.balance(fixture.recipient()).await?, U256::from(250));
    assert!(fixture.client.is_spent(fixture.task_manager, fixture.vault, U256::from(7)).await?);

    let again = Refusal::AttestationAlreadySpent { policyClient: fixture.vault, nonce: U256::from(7) };
    let context = fixture.client.read_context_for(fixture.vault, fixture.agent(), &intent, &authorization).await?;
    assert_eq!(verify_trailing(&context, call.value, &attested.data), Err(again));
    assert_eq!(fixture.client.simulate(&attested).await.unwrap_err().refusal(), Some(again));

    let not_sent = fixture.client.send(&attested).await.unwrap_err();
    assert_eq!((not_sent.refusal(), not_sent.gas_used()), (Some(again), None));
    let mined = fixture.client.send(&attested.with_gas_limit(1_000_000)).await.unwrap_err();
    assert_eq!(mined.refusal(), Some(again));
    assert!(mined.gas_used().is_some_and(|gas| gas > 21_000));
    assert_eq!(fixture.balance(fixture.recipient()).await?, U256::from(250));
    Ok(())
}

#[tokio::test]
async fn an_explicit_intent_is_executed_and_another_is_refused() -> TestResult {
    let fixture = Fixture::new().await?;
    let data = ExampleToken::transferCall { to: fixture.recipient(), value: U256::from(40) }.abi_encode();
    let intent = PreparedCall::new(fixture.agent(), fixture.token, data).intent(fixture.chain_id().await?);
    let authorization = fixture.attest(&intent, U256::ZERO, 7).await?;

    let altered = Intent { value: U256::from(1), ..intent.clone() };
    let context = fixture.client.read_context_for(fixture.vault, fixture.agent(), &intent, &authorization).await?;
    let refusal = verify(&context, &altered, &authorization.encode()).unwrap_err();
    assert!(matches!(refusal, Refusal::WrongTask { .. }));
    let error = fixture.client.send(&execute_call(fixture.vault, &altered, &authorization)).await.unwrap_err();
    assert_eq!(error.refusal(), Some(refusal));

    let returned = fixture.client.simulate(&execute_call(fixture.vault, &intent, &authorization)).await?;
    let returned = TreasuryVault::executeCall::abi_decode_returns(&returned)?;
    assert_eq!(U256::from_be_slice(&returned), U256::from(1), "ERC-20's `true`");
    fixture.client.send(&execute_call(fixture.vault, &intent, &authorization)).await?;
    assert_eq!(fixture.balance(fixture.recipient()).await?, U256::from(40));
    Ok(())
}

#[tokio::test]
async fn a_revoked_epoch_and_one_that_does_not_exist_are_refused_alike() -> TestResult {
    let fixture = Fixture::new().await?;
    let call = fixture.payment(1);
    let authorization = fixture.attest(&call.intent(fixture.chain_id().await?), U256::from(1), 7).await?;
    fixture.client.revoke_epochs(fixture.registry, fixture.owner(), &[EpochId(1)]).await?;
    assert_eq!(fixture.client.read_epoch(fixture.registry, EpochId(1)).await?.valid_until, U48::ZERO);

    let unknown = Authorization { epoch: EpochId(2), ..authorization.clone() };
    let cases = [
        (authorization, Refusal::EpochRevoked { epoch: EpochId(1) }),
        (unknown, Refusal::UnknownEpoch { epoch: EpochId(2) }),
    ];
    for (authorization, refusal) in cases {
        let attested = call.attested(&authorization)?;
        let intent = call.intent(fixture.chain_id().await?);
        let context = fixture.client.read_context_for(fixture.vault, fixture.agent(), &intent, &authorization).await?;
        assert_eq!(verify_trailing(&context, call.value, &attested.data), Err(refusal));
        assert_eq!(fixture.client.simulate(&attested).await.unwrap_err().refusal(), Some(refusal));
    }
    let missing = fixture.client.read_epoch(fixture.registry, EpochId(2)).await.unwrap_err();
    assert!(matches!(missing, ClientError::NoSuchEpoch { epoch: EpochId(2), .. }));
    Ok(())
}

#[tokio::test]
async fn a_recorded_root_lets_a_call_through_without_its_signature() -> TestResult {
    let fixture = Fixture::new().await?;
    let call = fixture.payment(30);
    let intent = call.intent(fixture.chain_id().await?);
    // Under two roots, that of the second signed by fewer than the vault demands.
    let documents =
        [fixture.document(&intent, U256::from(5), 7).await?, fixture.document(&intent, U256::from(6), 4).await?];
    let uses = [documents[0].recorded_authorization()?, documents[1].recorded_authorization()?];
    let verdict = async |authorization: &Authorization| -> Result<_, Box<dyn std::error::Error>> {
        let attested = call.attested(authorization)?;
        let context = fixture.client.read_context_for(fixture.vault, fixture.agent(), &intent, authorization).await?;
        let offline = verify_trailing(&context, call.value, &attested.data).err();
        assert_eq!(fixture.client.simulate(&attested).await.err().and_then(|error| error.refusal()), offline);
        Ok(offline)
    };
    let not_recorded = Refusal::RootNotRecorded { epoch: EpochId(1), root: documents[0].root() };
    assert_eq!(verdict(&uses[0]).await?, Some(not_recorded));

    let roots = documents.each_ref().map(SignedRoot::from);
    let receipts = fixture.client.record_roots(fixture.agent(), fixture.task_manager, EpochId(1), &roots).await?;
    assert_eq!(receipts.len(), 1);
    let [first, second] = documents.each_ref().map(AttestationDocument::root);
    let names = [(EpochId(1), first), (EpochId(1), second), (EpochId(2), second)];
    let recorded = fixture.client.read_recorded_roots(fixture.task_manager, &names).await?;
    let weights = recorded.iter().map(|(_, _, recorded)| recorded.signed_weight).collect::<BTreeSet<_>>();
    assert_eq!(weights, BTreeSet::from([U96::from(400), U96::from(700)]));

    assert_eq!(verdict(&uses[0]).await?, None);
    let too_few = Refusal::QuorumNotReached { signed: U256::from(400), required: U256::from(469) };
    assert_eq!(verdict(&uses[1]).await?, Some(too_few));
    let receipt = fixture.client.send_trailing(&call, &uses[0]).await?;
    assert!(receipt.gas_used < 120_000, "{}", receipt.gas_used);
    assert_eq!(fixture.balance(fixture.recipient()).await?, U256::from(30));

    let forged = SignedRoot { root: B256::ZERO, ..roots[0].clone() };
    let error =
        fixture.client.record_root(fixture.agent(), fixture.task_manager, EpochId(1), &forged).await.unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::InvalidSignature));
    Ok(())
}

#[tokio::test]
async fn a_task_manager_added_late_hears_of_the_epochs_in_force() -> TestResult {
    let fixture = Fixture::new().await?;
    let (owner, stranger) = (fixture.owner(), fixture.agent());
    // Another registry, deployed by an account that cannot add the TaskManager. Its epochs count at once.
    let at_once = Delays { activation_delay: U48::ZERO, ..Delays::default() };
    let report = fixture.client.deploy(stranger, owner, at_once).await?;
    assert!(matches!(report.validator, ValidatorState::LeftToOwner));
    let Deployment { owner_stake_source, operator_registry, task_manager, .. } = report.deployment;
    let (operator, _) = fixture.keys[0];
    let key = SecretKey::generate()?;
    let proof = key.prove_possession(operator, U256::from(fixture.chain_id().await?), operator_registry.address);
    fixture.client.register_operator(operator_registry.address, operator, &key.public_key(), &proof).await?;
    fixture
        .client
        .set_weights(owner_stake_source.address, owner, OperatorSetId(1), &[(operator, U96::from(1))])
        .await?;
    for number in [1, 2] {
        let committed =
            fixture.client.commit_epoch(operator_registry.address, owner, OperatorSetId(1), &[operator]).await?;
        assert_eq!(committed.number, EpochId(number));
    }
    fixture.client.revoke_epochs(operator_registry.address, owner, &[EpochId(1)]).await?;
    assert_eq!(fixture.client.read_known_epoch(task_manager.address, EpochId(2)).await?, None);

    let report = fixture.client.deploy(owner, owner, at_once).await?;
    let ValidatorState::Added(receipts) = report.validator else { panic!("not added: {:?}", report.validator) };
    assert_eq!(receipts.len(), 2, "added, and the one epoch in force is published");
    let known = fixture.client.read_known_epoch(task_manager.address, EpochId(2)).await?;
    assert_eq!(known, Some(fixture.client.read_epoch(operator_registry.address, EpochId(2)).await?));
    assert_eq!(fixture.client.read_known_epoch(task_manager.address, EpochId(1)).await?, None);
    let again = fixture.client.add_validator(operator_registry.address, owner, task_manager.address).await?;
    assert!(matches!(again, ValidatorState::WasAdded));
    Ok(())
}

#[tokio::test]
async fn deploying_again_changes_nothing() -> TestResult {
    let fixture = Fixture::new().await?;
    let again = fixture.client.deploy(fixture.agent(), fixture.owner(), Delays::default()).await?;
    assert_eq!(again.deployment.task_manager.address, fixture.task_manager);
    assert!(again.contracts.iter().all(|contract| contract.receipt.is_none()));
    assert!(matches!(again.validator, ValidatorState::WasAdded));
    Ok(())
}

#[tokio::test]
async fn errors_that_are_no_refusals_are_named() -> TestResult {
    let fixture = Fixture::new().await?;
    let stranger = fixture.accounts[9];
    let error = fixture.client.simulate(&PreparedCall { from: stranger, ..fixture.payment(1) }).await.unwrap_err();
    assert_eq!(error.refusal(), None);
    let ClientError::Reverted { reason: Revert::Other { description, data }, .. } = error else {
        panic!("not a revert: {error}")
    };
    assert_eq!(description, None, "the vault is not one of the library's contracts");
    assert_eq!(assent_examples::describe(&data), Some(format!("NotAgent({stranger})")));

    let error = fixture.client.read_policy(stranger).await.unwrap_err();
    assert!(matches!(error, ClientError::UnexpectedAnswer { expected: "PolicyClient", .. }), "{error}");

    let error = fixture.client.commit_epoch(fixture.registry, fixture.owner(), OPERATOR_SET, &[stranger]).await;
    let ClientError::Reverted { reason, .. } = error.unwrap_err() else { panic!("not a revert") };
    assert_eq!(reason.to_string(), "WrongOperatorCount(0, 1, 100)");
    Ok(())
}

#[tokio::test]
async fn what_a_chain_lacks_is_named_before_anything_is_sent() -> TestResult {
    for (hardfork, expected) in [("cancun", "the precompile G1ADD"), ("prague", "the instruction CLZ")] {
        let anvil = anvil(hardfork);
        let client = AssentClient::new(ProviderBuilder::new().connect_http(anvil.endpoint_url()));
        let account = anvil.addresses()[0];
        let with_proxy = client.deploy(account, account, Delays::default()).await.unwrap_err();
        let without_proxy = client.deploy_without_proxy(account, account, Delays::default()).await.unwrap_err();
        for error in [with_proxy, without_proxy] {
            let ClientError::ChainNotSupported { chain_id: 31_337, missing } = error else { panic!("{error}") };
            assert!(missing.starts_with(expected), "{missing}");
        }
        assert_eq!(client.provider().get_block_number().await?, 0, "nothing was sent");
    }
    Ok(())
}

#[tokio::test]
async fn a_chain_without_the_proxy_is_refused_or_deployed_to_plainly() -> TestResult {
    let anvil = anvil("osaka");
    let client = AssentClient::new(ProviderBuilder::new().connect_http(anvil.endpoint_url()));
    let account = anvil.addresses()[0];
    let proxy = assent_contracts::deployment::DEPLOYMENT_PROXY;
    client.provider().anvil_set_code(proxy, Bytes::new()).await?;
    let error = client.deploy(account, account, Delays::default()).await.unwrap_err();
    assert!(matches!(error, ClientError::DeploymentProxyMissing { .. }), "{error}");
    assert_eq!(client.provider().get_block_number().await?, 0, "nothing was sent");

    let report = client.deploy_without_proxy(account, account, Delays::default()).await?;
    assert!(matches!(report.validator, ValidatorState::Added(_)));
    let registry = OperatorRegistry::new(report.deployment.operator_registry.address, client.provider());
    assert_eq!(registry.stakeSource().call().await?, report.deployment.owner_stake_source.address);
    Ok(())
}

#[tokio::test]
async fn an_approval_is_signed_as_the_registry_verifies_it() -> TestResult {
    let fixture = Fixture::new().await?;
    let registry = OperatorRegistry::new(fixture.registry, fixture.client.provider());
    assert_eq!(registry.APPROVAL_TAG().call().await?.as_ref(), EPOCH_APPROVAL_TAG);
    assert_eq!(registry.APPROVAL_QUORUM().call().await?, EpochApproval::QUORUM);

    let approval = EpochApproval {
        registry: fixture.registry,
        operator_set: OperatorSetId(7),
        signed_by: EpochId(9),
        set_hash: B256::repeat_byte(3),
        deadline: U48::from(1_800_000_000),
    };
    let EpochApproval { operator_set, signed_by, set_hash, deadline, .. } = approval;
    let digest = registry.epochApprovalDigest(operator_set.into(), signed_by.into(), set_hash, deadline).call().await?;
    assert_eq!(approval.digest(U256::from(fixture.client.chain_id().await?)), digest);
    Ok(())
}

/// 101 operators: one staged table and a head. Registered from accounts that anvil plays, with the registry's real
/// checks.
#[tokio::test]
async fn a_set_of_more_than_one_table_is_staged_committed_and_read_back() -> TestResult {
    let fixture = Fixture::new().await?;
    let provider = fixture.client.provider();
    let mut operators = Vec::new();
    for index in 0..101_u32 {
        let operator = Address::left_padding_from(&(0x1000 + index).to_be_bytes());
        provider.anvil_set_balance(operator, U256::from(10).pow(U256::from(18))).await?;
        provider.anvil_impersonate_account(operator).await?;
        let key = SecretKey::from_key_material(&[u8::try_from(index)?; 32])?;
        fixture.register(operator, &key).await?;
        operators.push(operator);
    }
    let weights: Vec<_> = operators.iter().map(|&operator| (operator, U96::from(2))).collect();
    let owner_stake_source =
        assent_contracts::deployment::Deployment::new(fixture.owner(), Delays::default())?.owner_stake_source;
    fixture.client.set_weights(owner_stake_source.address, fixture.owner(), OperatorSetId(9), &weights).await?;

    // Out of order: the client sorts.
    operators.reverse();
    let committed =
        fixture.client.commit_epoch(fixture.registry, fixture.owner(), OperatorSetId(9), &operators).await?;
    assert_eq!(committed.receipts.len(), 2);
    let epoch = fixture.client.latest_epoch(fixture.registry, OperatorSetId(9)).await?.expect("it was committed");
    assert_eq!((epoch.number, epoch.operator_set), (committed.number, OperatorSetId(9)));
    assert_eq!(epoch.operators.total_weight(), U96::from(202));
    // Two tables: the hash is that of the contract.
    let registry = OperatorRegistry::new(fixture.registry, fixture.client.provider());
    assert_eq!(registry.setHashOf(epoch.number.into()).call().await?, epoch.operators.set_hash());
    operators.reverse();
    assert!(epoch.operators.operators().iter().map(|operator| operator.address).eq(operators));
    assert_eq!(fixture.client.latest_epoch(fixture.registry, OperatorSetId(10)).await?, None);
    Ok(())
}

impl Fixture {
    async fn new() -> Result<Self, Box<dyn std::error::Error>> {
        let anvil = anvil("osaka");
        let provider = ProviderBuilder::new().connect_http(anvil.endpoint_url()).erased();
        let client = AssentClient::new(provider);
        let accounts = anvil.addresses().to_vec();
        let (owner, agent) = (accounts[0], accounts[1]);

        let report = client.deploy(owner, owner, Delays::default()).await?;
        assert!(report.contracts.iter().all(|contract| contract.receipt.is_some()));
        let registry = report.deployment.operator_registry.address;
        let task_manager = report.deployment.task_manager.address;

        let policy = Policy {
            policyId: B256::repeat_byte(0x70),
            operatorSet: OPERATOR_SET.into(),
            quorum: 6700,
            maxLifetime: U48::from(600),
        };
        let (vault, _) = deploy_vault(&client, owner, owner, agent, task_manager, policy.clone()).await?;
        assert_eq!(client.read_policy(vault).await?, Some(policy.clone()));

        let (token, _) = deploy_token(&client, owner, U256::from(SUPPLY)).await?;
        let fund = ExampleToken::transferCall { to: vault, value: U256::from(SUPPLY) }.abi_encode();
        client.send(&PreparedCall::new(owner, token, fund)).await?;

        let mut fixture =
            Self { client, keys: Vec::new(), registry, task_manager, token, vault, policy, accounts, _anvil: anvil };
        for operator in fixture.accounts[2..9].iter().copied() {
            let key = SecretKey::generate()?;
            fixture.register(operator, &key).await?;
            fixture.keys.push((operator, key));
        }
        let operators: Vec<_> = fixture.keys.iter().map(|(operator, _)| *operator).collect();
        let weights: Vec<_> = operators.iter().map(|&operator| (operator, U96::from(100))).collect();
        let owner_stake_source = report.deployment.owner_stake_source.address;
        fixture.client.set_weights(owner_stake_source, owner, OPERATOR_SET, &weights).await?;
        let committed = fixture.client.commit_epoch(registry, owner, OPERATOR_SET, &operators).await?;
        assert_eq!((committed.number, committed.receipts.len()), (EpochId(1), 1));
        Ok(fixture)
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

    async fn register(&self, operator: Address, key: &SecretKey) -> TestResult {
        let proof = key.prove_possession(operator, U256::from(self.chain_id().await?), self.registry);
        self.client.register_operator(self.registry, operator, &key.public_key(), &proof).await?;
        Ok(())
    }

    fn payment(&self, amount: u64) -> PreparedCall {
        let pay = TreasuryVault::payCall { token: self.token, recipient: self.recipient(), amount: U256::from(amount) };
        PreparedCall::new(self.agent(), self.vault, pay.abi_encode())
    }

    async fn balance(&self, account: Address) -> Result<U256, Box<dyn std::error::Error>> {
        let call = PreparedCall::new(account, self.token, ExampleToken::balanceOfCall { account }.abi_encode());
        Ok(ExampleToken::balanceOfCall::abi_decode_returns(&self.client.simulate(&call).await?)?)
    }

    async fn attest(
        &self,
        intent: &Intent,
        nonce: U256,
        signers: usize,
    ) -> Result<Authorization, Box<dyn std::error::Error>> {
        Ok(self.document(intent, nonce, signers).await?.authorization()?)
    }

    /// The first `signers` operators allow the intent for five minutes.
    async fn document(
        &self,
        intent: &Intent,
        nonce: U256,
        signers: usize,
    ) -> Result<AttestationDocument, Box<dyn std::error::Error>> {
        let epoch: Epoch = self.client.latest_epoch(self.registry, OPERATOR_SET).await?.ok_or("no epoch")?;
        let context = self.client.read_context(self.vault, self.agent(), &[], &[]).await?;
        let policy_id = self.policy.policyId;
        let attestation = Attestation {
            taskId: task_id(context.chain_id, context.task_manager, self.vault, policy_id, intent_hash(intent), nonce),
            policyId: policy_id,
            policyClient: self.vault,
            nonce,
            issuedAt: U48::from(context.timestamp),
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
        Ok(aggregate(&epoch, batch.root(), &partials)?.document(&batch, 0)?)
    }
}

fn anvil(hardfork: &str) -> AnvilInstance {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../node_modules/.bin/anvil"));
    Anvil::at(path).args(["--hardfork", hardfork]).try_spawn().expect("anvil starts (run `npm ci`)")
}
