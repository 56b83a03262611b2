//! Reading the chain state that offline verification takes as input.

use crate::{AssentClient, ClientError, SpentSnapshot, spent::word_of};
use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    network::TransactionBuilder,
    primitives::{Address, U256, aliases::U48, keccak256},
    providers::Provider,
    rpc::types::{Header, TransactionRequest},
};
use assent_contracts::{IPolicyClient, TaskManager};
use assent_verifier::{Authorization, Context, Epoch, EpochId, Intent, Policy, QuorumProof, RecordedRoots};
use std::collections::BTreeSet;

/// The first bytes of the code of an account that delegates it (EIP-7702). No contract's code begins so (EIP-3541).
const EIP7702_DELEGATION: [u8; 3] = [0xef, 0x01, 0x00];

impl<P: Provider> AssentClient<P> {
    /// Returns the chain's id (EIP-155).
    ///
    /// # Errors
    ///
    /// [`ClientError::Transport`].
    pub async fn chain_id(&self) -> Result<u64, ClientError> {
        self.provider.get_chain_id().await.map_err(ClientError::Transport)
    }

    /// Reads a client's policy; `None` until it is set.
    ///
    /// # Errors
    ///
    /// [`ClientError::UnexpectedAnswer`] when `policy_client` is not a PolicyClient; [`ClientError::Transport`].
    pub async fn read_policy(&self, policy_client: Address) -> Result<Option<Policy>, ClientError> {
        self.read_policy_at(policy_client, BlockId::latest()).await
    }

    /// Reads a client's issuance floor: what was issued before is void. Zero until the client voids attestations.
    ///
    /// # Errors
    ///
    /// As [`read_policy`](Self::read_policy).
    pub async fn read_issuance_floor(&self, policy_client: Address) -> Result<U48, ClientError> {
        self.read_issuance_floor_at(policy_client, BlockId::latest()).await
    }

    /// Reads a client's TaskManager; zero until it is set.
    ///
    /// # Errors
    ///
    /// As [`read_policy`](Self::read_policy).
    pub async fn read_task_manager(&self, policy_client: Address) -> Result<Address, ClientError> {
        self.read_task_manager_at(policy_client, BlockId::latest()).await
    }

    /// Reads whether a client's nonce is spent or burned.
    ///
    /// # Errors
    ///
    /// [`ClientError::UnexpectedAnswer`] when `task_manager` is not a TaskManager; [`ClientError::Transport`].
    pub async fn is_spent(
        &self,
        task_manager: Address,
        policy_client: Address,
        nonce: U256,
    ) -> Result<bool, ClientError> {
        TaskManager::new(task_manager, &self.provider)
            .isSpent(policy_client, nonce)
            .call()
            .await
            .map_err(|error| ClientError::from_contract(task_manager, "TaskManager", error))
    }

    /// Reads the words that hold these nonces' bits.
    ///
    /// # Errors
    ///
    /// As [`is_spent`](Self::is_spent).
    pub async fn read_spent(
        &self,
        task_manager: Address,
        policy_client: Address,
        nonces: &[U256],
    ) -> Result<SpentSnapshot, ClientError> {
        self.read_spent_at(task_manager, policy_client, nonces, BlockId::latest()).await
    }

    /// Reads the context for verifying one authorization of an intent offline.
    ///
    /// It has the authorization's epoch, the word of its nonce, and its root's record if it uses one.
    ///
    /// # Errors
    ///
    /// As [`read_context`](Self::read_context).
    pub async fn read_context_for(
        &self,
        policy_client: Address,
        caller: Address,
        intent: &Intent,
        authorization: &Authorization,
    ) -> Result<Context<SpentSnapshot>, ClientError> {
        let latest = self.latest_header().await?;
        self.context_for_at(&latest, policy_client, caller, intent, authorization).await
    }

    /// Reads the context for verifying one authorization, as of a past block, whose time is the context's.
    ///
    /// The node must still have that state: most nodes keep the last 128 blocks, an archive node keeps all.
    ///
    /// # Errors
    ///
    /// As [`read_context`](Self::read_context); [`ClientError::NoSuchBlock`]; [`ClientError::Transport`] also when
    /// the node does not have the state.
    pub async fn read_context_for_at(
        &self,
        block: u64,
        policy_client: Address,
        caller: Address,
        intent: &Intent,
        authorization: &Authorization,
    ) -> Result<Context<SpentSnapshot>, ClientError> {
        let header = self.header(BlockNumberOrTag::Number(block)).await?.ok_or(ClientError::NoSuchBlock { block })?;
        self.context_for_at(&header, policy_client, caller, intent, authorization).await
    }

    async fn context_for_at(
        &self,
        header: &Header,
        policy_client: Address,
        caller: Address,
        intent: &Intent,
        authorization: &Authorization,
    ) -> Result<Context<SpentSnapshot>, ClientError> {
        let Authorization { epoch, nonce, .. } = *authorization;
        let mut context = self.context_at(header, policy_client, caller, &[epoch], &[nonce]).await?;
        let root = context.root(intent, authorization);
        if let (QuorumProof::Recorded, Some(root), false) =
            (&authorization.quorum_proof, root, context.task_manager.is_zero())
        {
            let block = BlockId::number(header.number);
            context.recorded_roots = self.recorded_roots_at(context.task_manager, &[(epoch, root)], block).await?;
        }
        Ok(context)
    }

    /// Reads the context for verifying a client's authorizations, as of the latest block, whose time is the context's.
    ///
    /// It has the chain, the TaskManager, the policy, the issuance floor, these epochs, and the words of these nonces,
    /// but no recorded roots: see [`read_recorded_roots`](Self::read_recorded_roots). An epoch that the TaskManager
    /// does not know is left out. A client without a TaskManager has neither epochs nor spent nonces. Verification then
    /// returns the chain's refusal.
    ///
    /// ```
    /// # mod fixture { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/fixture.rs")); }
    /// # use fixture::{AGENT, OPERATOR, OWNER, Fixture};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), fixture::Failure> {
    /// # let fixture = Fixture::new().await?;
    /// # let (client, vault, token) = (&fixture.client, fixture.vault, fixture.token);
    /// use alloy::{primitives::U256, providers::Provider};
    /// use assent_verifier::{EpochId, SpentLedger};
    ///
    /// // Enough for attestations of epoch 1 with nonces 0 to 255.
    /// let context = client.read_context(vault, AGENT, &[EpochId(1)], &[U256::ZERO]).await?;
    /// assert_eq!(context.policy, client.read_policy(vault).await?);
    /// assert!(context.epoch(EpochId(1)).is_some());
    /// assert!(!context.spent.is_spent(vault, U256::from(255)));
    /// assert!(context.spent.is_spent(vault, U256::from(256))); // Not read.
    ///
    /// // Further nonces need only their words.
    /// let spent = client.read_spent(context.task_manager, vault, &[U256::from(256)]).await?;
    /// assert!(!spent.is_spent(vault, U256::from(256)));
    /// assert_eq!(client.provider().get_block_number().await?, fixture.chain.block_number());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ClientError::UnexpectedAnswer`] when `policy_client` is not a PolicyClient; [`ClientError::OperatorTable`];
    /// [`ClientError::Transport`].
    pub async fn read_context(
        &self,
        policy_client: Address,
        caller: Address,
        epochs: &[EpochId],
        nonces: &[U256],
    ) -> Result<Context<SpentSnapshot>, ClientError> {
        self.context_at(&self.latest_header().await?, policy_client, caller, epochs, nonces).await
    }

    pub(crate) async fn latest_header(&self) -> Result<Header, ClientError> {
        self.header(BlockNumberOrTag::Latest).await?.ok_or(ClientError::NoBlock)
    }

    async fn header(&self, block: BlockNumberOrTag) -> Result<Option<Header>, ClientError> {
        let block = self.provider.get_block_by_number(block).await;
        Ok(block.map_err(ClientError::Transport)?.map(|block| block.header))
    }

    async fn context_at(
        &self,
        header: &Header,
        policy_client: Address,
        caller: Address,
        epochs: &[EpochId],
        nonces: &[U256],
    ) -> Result<Context<SpentSnapshot>, ClientError> {
        // All reads are of this block, so that they are consistent.
        let block = BlockId::number(header.number);
        let task_manager = self.read_task_manager_at(policy_client, block).await?;
        let (epochs, spent) = if task_manager.is_zero() {
            (Vec::new(), SpentSnapshot::new(policy_client, []))
        } else {
            (
                self.epochs_at(task_manager, epochs, block).await?,
                self.read_spent_at(task_manager, policy_client, nonces, block).await?,
            )
        };
        Ok(Context {
            chain_id: U256::from(self.chain_id().await?),
            task_manager,
            policy_client,
            policy: self.read_policy_at(policy_client, block).await?,
            issuance_floor: self.read_issuance_floor_at(policy_client, block).await?,
            caller,
            timestamp: header.timestamp,
            epochs,
            recorded_roots: RecordedRoots::default(),
            spent,
        })
    }

    /// Reads the policy that a contract is bound to, as of a block; `None` when no policy is set.
    ///
    /// # Errors
    ///
    /// As [`read_policy`](Self::read_policy).
    pub async fn read_policy_at(&self, policy_client: Address, block: BlockId) -> Result<Option<Policy>, ClientError> {
        let policy = IPolicyClient::new(policy_client, &self.provider)
            .assentPolicy()
            .block(block)
            .call()
            .await
            .map_err(|error| ClientError::from_contract(policy_client, "PolicyClient", error))?;
        Ok((!policy.policyId.is_zero()).then(|| policy.into()))
    }

    /// Reads the first issuance time that a contract accepts, as of a block.
    ///
    /// # Errors
    ///
    /// As [`read_policy`](Self::read_policy).
    pub async fn read_issuance_floor_at(&self, policy_client: Address, block: BlockId) -> Result<U48, ClientError> {
        IPolicyClient::new(policy_client, &self.provider)
            .assentIssuanceFloor()
            .block(block)
            .call()
            .await
            .map_err(|error| ClientError::from_contract(policy_client, "PolicyClient", error))
    }

    /// Reads the TaskManager that a contract spends attestations at, as of a block.
    ///
    /// # Errors
    ///
    /// As [`read_policy`](Self::read_policy).
    pub async fn read_task_manager_at(&self, policy_client: Address, block: BlockId) -> Result<Address, ClientError> {
        IPolicyClient::new(policy_client, &self.provider)
            .assentTaskManager()
            .block(block)
            .call()
            .await
            .map_err(|error| ClientError::from_contract(policy_client, "PolicyClient", error))
    }

    /// Reads whether a contract trusts an account as an ERC-2771 forwarder, as of a block.
    ///
    /// A contract without `isTrustedForwarder`, or with one that reverts, trusts none.
    ///
    /// # Errors
    ///
    /// [`ClientError::Transport`].
    pub async fn is_trusted_forwarder_at(
        &self,
        contract: Address,
        account: Address,
        block: BlockId,
    ) -> Result<bool, ClientError> {
        let selector = keccak256("isTrustedForwarder(address)");
        let data = [selector.split_at(4).0, account.into_word().as_slice()].concat();
        let request = TransactionRequest::default().with_to(contract).with_input(data);
        match self.provider.call(request).block(block).await {
            Ok(answer) => Ok(answer.first_chunk::<32>().is_some_and(|word| *word != [0; 32])),
            Err(error) => match ClientError::from_transport(contract, error) {
                ClientError::Reverted { .. } => Ok(false),
                error => Err(error),
            },
        }
    }

    /// Reads whether an account has delegated its code (EIP-7702), as of a block.
    ///
    /// # Errors
    ///
    /// [`ClientError::Transport`].
    pub async fn is_delegated_at(&self, account: Address, block: BlockId) -> Result<bool, ClientError> {
        Ok(self.code_at(account, block).await?.starts_with(&EIP7702_DELEGATION))
    }

    async fn epochs_at(
        &self,
        task_manager: Address,
        numbers: &[EpochId],
        block: BlockId,
    ) -> Result<Vec<Epoch>, ClientError> {
        let mut epochs = Vec::new();
        for &number in numbers.iter().collect::<BTreeSet<_>>() {
            epochs.extend(self.read_known_epoch_at(task_manager, number, block).await?);
        }
        Ok(epochs)
    }

    /// Reads the words that hold these nonces' bits, as of a block.
    ///
    /// # Errors
    ///
    /// As [`is_spent`](Self::is_spent).
    pub async fn read_spent_at(
        &self,
        task_manager: Address,
        policy_client: Address,
        nonces: &[U256],
        block: BlockId,
    ) -> Result<SpentSnapshot, ClientError> {
        let manager = TaskManager::new(task_manager, &self.provider);
        let mut words = Vec::new();
        for word in nonces.iter().copied().map(word_of).collect::<BTreeSet<_>>() {
            let mask = manager
                .spentNonces(policy_client, word)
                .block(block)
                .call()
                .await
                .map_err(|error| ClientError::from_contract(task_manager, "TaskManager", error))?;
            words.push((word, mask));
        }
        Ok(SpentSnapshot::new(policy_client, words))
    }
}
