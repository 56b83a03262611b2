//! A vault under a policy, with three operators in epoch 1, on any chain that has the accounts unlocked.

use alloy::{
    primitives::{
        Address, B256, Bytes, U256,
        aliases::{U48, U96},
        hex,
    },
    providers::{DynProvider, Provider},
    rpc::types::{TransactionReceipt, TransactionRequest},
    sol_types::SolCall,
};
use assent_client::{AssentClient, PreparedCall, SignedRoot};
use assent_contracts::deployment::Delays;
use assent_examples::{ExampleToken, TreasuryVault, deploy_token, deploy_vault, execute_call};
use assent_signer::{AttestationBatch, PartialSignature, SecretKey, aggregate};
use assent_verifier::{
    Attestation, AttestationDocument, Authorization, EpochId, Intent, OperatorSetId, Policy, QuorumProof,
    append_trailing,
    digest::{intent_hash, task_id},
};
use attestation_indexer::{Finding, FindingStatus, Indexer, Settings};

const OPERATOR_SET: OperatorSetId = OperatorSetId(3);

/// Calls the address in the first 20 bytes of its calldata with the rest, and reverts if that does.
pub const FORWARDER: [u8; 51] = hex!(
    // Returns what follows its 12 bytes as code.
    "6027600c60003960276000f3"
    // CALLDATACOPY(0, 20, size - 20)
    "6014360360146000" "37"
    // CALL(all gas, calldata[..20], 0, 0, size - 20, 0, 0)
    "60006000" "60143603" "6000" "6000" "60003560601c" "5a" "f1"
    // Stops on success, reverts otherwise.
    "602557" "60006000fd" "5b00"
);

/// Calls the address in the first 20 bytes of its calldata twice: with the first half of the rest, then with the
/// second.
pub const TWICE_FORWARDER: [u8; 83] = hex!(
    "6047600c60003960476000f3"
    // CALLDATACOPY(0, 20, size - 20)
    "6014360360146000" "37"
    // CALL(all gas, calldata[..20], 0, 0, (size - 20) / 2, 0, 0)
    "60006000" "6014360360011c" "6000" "6000" "60003560601c" "5a" "f1"
    // CALL(all gas, calldata[..20], 0, (size - 20) / 2, (size - 20) / 2, 0, 0)
    "60006000" "6014360360011c" "6014360360011c" "6000" "60003560601c" "5a" "f1"
    // Stops when both succeeded, reverts otherwise.
    "16" "604557" "60006000fd" "5b00"
);

pub struct Fixture {
    pub client: AssentClient<DynProvider>,
    pub agent: Address,
    pub task_manager: Address,
    pub vault: Address,
    token: Address,
    keys: Vec<(Address, SecretKey)>,
    policy_id: B256,
}

impl Fixture {
    /// The first account owns everything; the second is the agent, unless a contract of this init code is.
    pub async fn new(provider: DynProvider, accounts: &[Address], agent_contract: Option<&'static [u8]>) -> Self {
        let client = AssentClient::new(provider);
        let owner = accounts[0];
        let report = client.deploy(owner, owner, Delays::default()).await.unwrap();
        let (registry, task_manager) =
            (report.deployment.operator_registry.address, report.deployment.task_manager.address);
        let agent = match agent_contract {
            Some(init_code) => client.create(owner, Bytes::from_static(init_code)).await.unwrap().0,
            None => accounts[1],
        };
        let policy_id = B256::repeat_byte(0x70);
        let policy = Policy {
            policyId: policy_id,
            operatorSet: OPERATOR_SET.into(),
            quorum: 6600,
            maxLifetime: U48::from(3600),
        };
        let (vault, _) = deploy_vault(&client, owner, owner, agent, task_manager, policy).await.unwrap();
        let (token, _) = deploy_token(&client, owner, U256::from(1000)).await.unwrap();
        let fund = ExampleToken::transferCall { to: vault, value: U256::from(1000) }.abi_encode();
        client.send(&PreparedCall::new(owner, token, fund)).await.unwrap();

        let chain_id = U256::from(client.chain_id().await.unwrap());
        let mut keys = Vec::new();
        for (&operator, seed) in accounts[2..5].iter().zip(1..) {
            let key = SecretKey::from_key_material(&[seed; 32]).unwrap();
            let proof = key.prove_possession(operator, chain_id, registry);
            client.register_operator(registry, operator, &key.public_key(), &proof).await.unwrap();
            keys.push((operator, key));
        }
        let operators = keys.iter().map(|(operator, _)| *operator).collect::<Vec<_>>();
        let weights = operators.iter().map(|&operator| (operator, U96::from(10))).collect::<Vec<_>>();
        client.set_weights(report.deployment.owner_stake_source.address, owner, OPERATOR_SET, &weights).await.unwrap();
        client.commit_epoch(registry, owner, OPERATOR_SET, &operators).await.unwrap();
        Self { client, agent, task_manager, vault, token, keys, policy_id }
    }

    pub fn indexer(&self, from_block: u64, confirmations: u64) -> Indexer<DynProvider> {
        let settings =
            Settings { task_manager: self.task_manager, policy_client: Some(self.vault), from_block, confirmations };
        Indexer::new(self.client.provider().clone(), settings)
    }

    pub async fn head(&self) -> u64 {
        self.client.provider().get_block_number().await.unwrap()
    }

    /// The agent pays, with an authorization behind the calldata.
    pub async fn pay(&self, nonce: u64) -> TransactionReceipt {
        let call = PreparedCall::new(self.agent, self.vault, self.payment());
        let authorization = self.attest(&call.intent(self.chain_id().await), nonce).await;
        self.client.send_trailing(&call, &authorization).await.unwrap()
    }

    /// The agent pays under a root that it has recorded before.
    pub async fn pay_recorded(&self, nonce: u64) -> TransactionReceipt {
        let call = PreparedCall::new(self.agent, self.vault, self.payment());
        let document = self.document(&call.intent(self.chain_id().await), nonce).await;
        let root = SignedRoot::from(&document);
        self.client.record_root(self.agent, self.task_manager, document.epoch, &root).await.unwrap();
        let authorization = Authorization { quorum_proof: QuorumProof::Recorded, ..document.authorization().unwrap() };
        self.client.send_trailing(&call, &authorization).await.unwrap()
    }

    /// The agent hands over an intent and its authorization.
    pub async fn execute(&self, nonce: u64) -> TransactionReceipt {
        let (intent, authorization) = self.execution(nonce).await;
        self.client.send(&execute_call(self.vault, &intent, &authorization)).await.unwrap()
    }

    /// The agent, a contract, is called to pay: once for each nonce, in one transaction.
    pub async fn pay_from_inside(&self, nonces: &[u64], sender: Address) -> TransactionReceipt {
        let call = PreparedCall::new(self.agent, self.vault, self.payment());
        let mut calldata = Vec::new();
        for &nonce in nonces {
            let authorization = self.attest(&call.intent(self.chain_id().await), nonce).await;
            calldata.extend(append_trailing(&call.data, &authorization).unwrap());
        }
        self.forward(sender, &calldata).await
    }

    /// The agent, a contract, is called to pass an intent.
    pub async fn execute_from_inside(&self, nonce: u64, sender: Address) -> TransactionReceipt {
        let (intent, authorization) = self.execution(nonce).await;
        self.forward(sender, &execute_call(self.vault, &intent, &authorization).data).await
    }

    /// The vault's owner demands other attestations from now on.
    pub async fn change_policy(&self, owner: Address) {
        let policy = Policy {
            policyId: B256::repeat_byte(0x71),
            operatorSet: OPERATOR_SET.into(),
            quorum: 10_000,
            maxLifetime: U48::from(1),
        };
        let change = TreasuryVault::setAssentPolicyCall { newPolicy: policy.into() }.abi_encode();
        self.client.send(&PreparedCall::new(owner, self.vault, change)).await.unwrap();
    }

    /// The vault's owner revokes nonces 0 to 255.
    pub async fn burn_nonces(&self, owner: Address) {
        let burn = TreasuryVault::burnAssentNoncesCall { word: U256::ZERO, mask: U256::MAX }.abi_encode();
        self.client.send(&PreparedCall::new(owner, self.vault, burn)).await.unwrap();
    }

    async fn forward(&self, sender: Address, calldata: &[u8]) -> TransactionReceipt {
        let input = [self.vault.as_slice(), calldata].concat();
        let request = TransactionRequest::default().from(sender).to(self.agent).input(Bytes::from(input).into());
        let sent = self.client.provider().send_transaction(request).await.unwrap();
        let receipt = sent.get_receipt().await.unwrap();
        assert!(receipt.status());
        receipt
    }

    async fn execution(&self, nonce: u64) -> (Intent, Authorization) {
        let data = ExampleToken::transferCall { to: Address::repeat_byte(0xee), value: U256::from(1) }.abi_encode();
        let intent = PreparedCall::new(self.agent, self.token, data).intent(self.chain_id().await);
        let authorization = self.attest(&intent, nonce).await;
        (intent, authorization)
    }

    fn payment(&self) -> Vec<u8> {
        let recipient = Address::repeat_byte(0xee);
        TreasuryVault::payCall { token: self.token, recipient, amount: U256::from(1) }.abi_encode()
    }

    async fn chain_id(&self) -> u64 {
        self.client.chain_id().await.unwrap()
    }

    async fn attest(&self, intent: &Intent, nonce: u64) -> Authorization {
        self.document(intent, nonce).await.authorization().unwrap()
    }

    async fn document(&self, intent: &Intent, nonce: u64) -> AttestationDocument {
        let context = self.client.read_context(self.vault, self.agent, &[EpochId(1)], &[]).await.unwrap();
        let (chain_id, nonce) = (context.chain_id, U256::from(nonce));
        let attestation = Attestation {
            taskId: task_id(chain_id, self.task_manager, self.vault, self.policy_id, intent_hash(intent), nonce),
            policyId: self.policy_id,
            policyClient: self.vault,
            nonce,
            issuedAt: U48::from(context.timestamp),
            expiration: U48::from(context.timestamp + 600),
            decision: 1,
            evidence: B256::repeat_byte(0xe1),
            intent: intent.clone(),
        };
        let batch = AttestationBatch::new(vec![attestation], chain_id, self.task_manager).unwrap();
        // Two of three sign.
        let partials =
            self.keys[..2].iter().map(|(operator, key)| PartialSignature::new(*operator, key.sign_batch(&batch)));
        let aggregate = aggregate(&context.epochs[0], batch.root(), &partials.collect::<Vec<_>>()).unwrap();
        aggregate.document(&batch, 0).unwrap()
    }
}

/// It is of this transaction, and verified.
#[track_caller]
pub fn assert_verified(finding: &Finding, receipt: &TransactionReceipt, nonce: u64) {
    let FindingStatus::Verified(verified) = &finding.status else { panic!("{finding}") };
    assert_eq!((finding.transaction, Some(finding.block)), (receipt.transaction_hash, receipt.block_number));
    assert_eq!((finding.nonce, verified.nonce()), (U256::from(nonce), U256::from(nonce)));
    assert_eq!(verified.attestation().taskId, finding.task_id);
    assert_eq!((verified.epoch(), verified.attestation().evidence), (finding.epoch, finding.evidence));
    assert_eq!((verified.signed_weight(), verified.total_weight()), (U96::from(20), U96::from(30)));
    assert!(finding.is_verified());
}
