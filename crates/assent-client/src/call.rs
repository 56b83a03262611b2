//! Trying calls out and sending them.

use crate::{AssentClient, ClientError, Revert};
use alloy::{
    eips::BlockId,
    network::TransactionBuilder,
    primitives::{Address, B256, Bytes, U256},
    providers::Provider,
    rpc::types::{TransactionReceipt, TransactionRequest},
    sol_types::SolCall,
};
use assent_contracts::{IPolicyClient, TreasuryVault};
use assent_verifier::{Authorization, AuthorizationError, Intent, append_trailing};

/// A call to a contract.
///
/// ```
/// use alloy::primitives::{Address, U256, bytes};
/// use assent_client::Call;
///
/// let (agent, vault) = (Address::repeat_byte(1), Address::repeat_byte(2));
/// let call = Call::new(agent, vault, bytes!("0x12345678")).with_value(U256::from(5)).with_gas_limit(500_000);
/// assert_eq!(call.gas_limit, Some(500_000));
///
/// // What the operators are asked about.
/// let intent = call.intent(1);
/// assert_eq!((intent.from, intent.to, intent.value), (agent, vault, U256::from(5)));
/// assert_eq!(intent.data, call.data);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Who calls.
    pub from: Address,
    /// The contract that is called.
    pub to: Address,
    /// Value that travels with the call, in wei.
    pub value: U256,
    /// The whole calldata.
    pub data: Bytes,
    /// Gas limit. Without one the gas is estimated first, and a call that would revert is not sent.
    pub gas_limit: Option<u64>,
}

impl Call {
    /// A call without value.
    pub fn new(from: Address, to: Address, data: impl Into<Bytes>) -> Self {
        Self { from, to, value: U256::ZERO, data: data.into(), gas_limit: None }
    }

    /// The same call with a value, in wei.
    pub fn with_value(self, value: U256) -> Self {
        Self { value, ..self }
    }

    /// The same call with a gas limit: it is sent even if it will revert.
    pub fn with_gas_limit(self, gas_limit: u64) -> Self {
        Self { gas_limit: Some(gas_limit), ..self }
    }

    /// The same call with an authorization behind its calldata, for a function under `onlyAttested`.
    ///
    /// ```
    /// use alloy::primitives::{Address, B256, U256, aliases::U48, bytes};
    /// use assent_client::Call;
    /// use assent_verifier::{Authorization, Decision, MerkleProof, QuorumProof, split_trailing};
    ///
    /// let call = Call::new(Address::repeat_byte(1), Address::repeat_byte(2), bytes!("0x12345678"));
    /// // What the operators answered; this one is of the kind whose root was recorded.
    /// let authorization = Authorization {
    ///     task_id: B256::repeat_byte(3),
    ///     nonce: U256::from(7),
    ///     expiration: U48::from(1_900_000_000_u64),
    ///     decision: Decision::Allow,
    ///     evidence: B256::repeat_byte(4),
    ///     epoch: 1,
    ///     quorum_proof: QuorumProof::Recorded,
    ///     merkle_proof: MerkleProof::EMPTY,
    /// };
    /// let attested = call.attested(&authorization)?;
    /// assert_eq!(split_trailing(&attested.data)?, (&call.data[..], &authorization.encode()[..]));
    /// # Ok::<(), assent_verifier::AuthorizationError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`AuthorizationError::NoTrailingAuthorization`] when the calldata is shorter than a selector.
    pub fn attested(&self, authorization: &Authorization) -> Result<Self, AuthorizationError> {
        Ok(Self { data: append_trailing(&self.data, authorization)?.into(), ..self.clone() })
    }

    /// The intent that operators have to attest for this call; the call must not carry an authorization yet.
    pub fn intent(&self, chain_id: u64) -> Intent {
        Intent {
            from: self.from,
            to: self.to,
            value: self.value,
            data: self.data.clone(),
            chainId: U256::from(chain_id),
        }
    }

    fn request(&self) -> TransactionRequest {
        TransactionRequest::default()
            .with_from(self.from)
            .with_to(self.to)
            .with_value(self.value)
            .with_input(self.data.clone())
    }
}

impl<P: Provider> AssentClient<P> {
    /// Tries a call out on the latest block and returns what it would return. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`ClientError::Reverted`] as the call would, which [`refusal`](ClientError::refusal) reads;
    /// [`ClientError::Transport`].
    pub async fn simulate(&self, call: &Call) -> Result<Bytes, ClientError> {
        let answer = self.provider.call(call.request()).await;
        answer.map_err(|error| ClientError::from_transport(call.to, error))
    }

    /// Refuses an address where no contract stands: a call to it would succeed and do nothing.
    ///
    /// # Errors
    ///
    /// [`ClientError::NoContract`]; [`ClientError::Transport`].
    pub async fn require_contract(&self, address: Address) -> Result<(), ClientError> {
        match self.code_at(address, BlockId::latest()).await?.is_empty() {
            true => Err(ClientError::NoContract { address }),
            false => Ok(()),
        }
    }

    /// Sends a call and waits until it is mined.
    ///
    /// # Errors
    ///
    /// [`ClientError::Reverted`] when it would revert (and then it is not sent, unless it has a gas limit) or has
    /// reverted (and then the error has the gas used); [`ClientError::Failed`] when the reason cannot be found out;
    /// [`ClientError::Transport`] and [`ClientError::Receipt`].
    pub async fn send(&self, call: &Call) -> Result<TransactionReceipt, ClientError> {
        self.send_request(call.to, call.request(), call.gas_limit).await
    }

    /// Sends a call with its authorization behind the calldata.
    ///
    /// ```
    /// # mod world { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/world.rs")); }
    /// # use world::{AGENT, OPERATOR, OWNER, World};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), world::Failure> {
    /// # let world = World::new().await?;
    /// # let (client, vault, token) = (&world.client, world.vault, world.token);
    /// use alloy::{primitives::U256, providers::Provider, sol_types::SolCall};
    /// use assent_client::Call;
    /// use assent_contracts::TreasuryVault;
    /// use assent_verifier::verify_trailing;
    ///
    /// // The agent has the vault pay 40 tokens. `world.attest` stands for the operators.
    /// let pay = TreasuryVault::payCall { token, recipient: OWNER, amount: U256::from(40) };
    /// let call = Call::new(AGENT, vault, pay.abi_encode());
    /// let intent = call.intent(client.chain_id().await?);
    /// let authorization = world.attest(&intent, 7)?.authorization()?;
    ///
    /// // Offline first, then on the latest block without a transaction.
    /// let attested = call.attested(&authorization)?;
    /// let context = client.read_context_for(vault, AGENT, &intent, &authorization).await?;
    /// assert!(verify_trailing(&context, attested.value, &attested.data).is_ok());
    /// client.simulate(&attested).await?;
    ///
    /// // As of a block of one's choice, for whoever has to say later why it was accepted.
    /// let block = client.provider().get_block_number().await?;
    /// let context = client.read_context_for_at(block, vault, AGENT, &intent, &authorization).await?;
    /// assert!(verify_trailing(&context, attested.value, &attested.data).is_ok());
    ///
    /// let receipt = client.send_trailing(&call, &authorization).await?; // As `send(&attested)` does.
    /// assert!(receipt.status());
    ///
    /// // Once. What would revert is not sent.
    /// let error = client.send(&attested).await.unwrap_err();
    /// assert_eq!(error.refusal().map(|refusal| refusal.name()), Some("AttestationAlreadySpent"));
    /// assert_eq!(error.gas_used(), None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send); [`ClientError::Authorization`] when the calldata is shorter than a selector.
    pub async fn send_trailing(
        &self,
        call: &Call,
        authorization: &Authorization,
    ) -> Result<TransactionReceipt, ClientError> {
        self.send(&call.attested(authorization)?).await
    }

    /// Hands an intent and its authorization, from the intent's `from`, to a contract with the function
    /// `execute(Intent,bytes)` of `TreasuryVault`.
    ///
    /// ```
    /// # mod world { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/world.rs")); }
    /// # use world::{AGENT, OPERATOR, OWNER, World};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), world::Failure> {
    /// # let world = World::new().await?;
    /// # let (client, vault, token) = (&world.client, world.vault, world.token);
    /// use alloy::{primitives::U256, sol_types::SolCall};
    /// use assent_client::Call;
    /// use assent_contracts::ExampleToken;
    ///
    /// // The vault shall send 40 tokens to its owner. `world.attest` stands for the operators.
    /// let transfer = ExampleToken::transferCall { to: OWNER, value: U256::from(40) };
    /// let intent = Call::new(AGENT, token, transfer.abi_encode()).intent(client.chain_id().await?);
    /// let authorization = world.attest(&intent, 7)?.authorization()?;
    ///
    /// // Offline first: the same checks, the same error.
    /// let context = client.read_context_for(vault, AGENT, &intent, &authorization).await?;
    /// assert!(assent_verifier::verify(&context, &intent, &authorization.encode()).is_ok());
    ///
    /// // The chain's own answer, without a transaction.
    /// let task = client.check_authorization(vault, &intent, AGENT, &authorization.encode()).await?;
    /// assert_eq!(task, authorization.task_id);
    /// let returned = client.simulate_explicit(vault, &intent, &authorization).await?;
    /// assert_eq!(U256::from_be_slice(&returned), U256::from(1)); // ERC-20's `true`.
    ///
    /// let receipt = client.send_explicit(vault, &intent, &authorization).await?;
    /// assert!(receipt.status());
    ///
    /// // Once.
    /// let error = client.send_explicit(vault, &intent, &authorization).await.unwrap_err();
    /// assert_eq!(error.refusal().map(|refusal| refusal.name()), Some("AttestationAlreadySpent"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn send_explicit(
        &self,
        contract: Address,
        intent: &Intent,
        authorization: &Authorization,
    ) -> Result<TransactionReceipt, ClientError> {
        self.send(&explicit_call(contract, intent, authorization)).await
    }

    /// Tries out what [`send_explicit`](Self::send_explicit) sends, and returns what the intent's call would return.
    ///
    /// # Errors
    ///
    /// As [`simulate`](Self::simulate).
    pub async fn simulate_explicit(
        &self,
        contract: Address,
        intent: &Intent,
        authorization: &Authorization,
    ) -> Result<Bytes, ClientError> {
        let answer = self.simulate(&explicit_call(contract, intent, authorization)).await?;
        TreasuryVault::executeCall::abi_decode_returns(&answer).map_err(|error| {
            ClientError::from_contract(contract, "TreasuryVault", alloy::contract::Error::AbiError(error.into()))
        })
    }

    /// Asks a client whether an authorization would let a call through now. Returns the attested task.
    ///
    /// # Errors
    ///
    /// [`ClientError::Reverted`] with the refusal; [`ClientError::UnexpectedAnswer`] when `policy_client` is no
    /// PolicyClient; [`ClientError::Transport`].
    pub async fn check_authorization(
        &self,
        policy_client: Address,
        intent: &Intent,
        caller: Address,
        authorization: &[u8],
    ) -> Result<B256, ClientError> {
        IPolicyClient::new(policy_client, &self.provider)
            .checkAssentAuthorization(intent.clone().into(), caller, authorization.to_vec().into())
            .call()
            .await
            .map_err(|error| ClientError::from_contract(policy_client, "PolicyClient", error))
    }

    /// Sends a transaction to `contract` (zero: a creation) and waits until it is mined.
    pub(crate) async fn send_request(
        &self,
        contract: Address,
        mut request: TransactionRequest,
        gas_limit: Option<u64>,
    ) -> Result<TransactionReceipt, ClientError> {
        let failed = |error| ClientError::from_transport(contract, error);
        let gas = match gas_limit {
            Some(gas) => gas,
            None => self.provider.estimate_gas(request.clone()).await.map_err(failed)?,
        };
        request.set_gas_limit(gas);
        let pending = self.provider.send_transaction(request.clone()).await.map_err(failed)?;
        let receipt = pending.get_receipt().await.map_err(ClientError::Receipt)?;
        if receipt.status() {
            return Ok(receipt);
        }
        Err(self.why_failed(contract, request, &receipt).await)
    }

    /// A receipt does not say why: repeats the call on top of the block in which it failed.
    async fn why_failed(
        &self,
        contract: Address,
        request: TransactionRequest,
        receipt: &TransactionReceipt,
    ) -> ClientError {
        let block = receipt.block_number.map_or_else(BlockId::latest, BlockId::number);
        let gas_used = receipt.gas_used;
        let revert_data = match self.provider.call(request).block(block).await {
            Ok(_) => None,
            Err(error) => error.as_error_resp().and_then(|answer| answer.as_revert_data()),
        };
        match revert_data {
            Some(data) => ClientError::Reverted { contract, reason: Revert::from(data), gas_used: Some(gas_used) },
            None => ClientError::Failed { transaction: receipt.transaction_hash, gas_used },
        }
    }
}

fn explicit_call(contract: Address, intent: &Intent, authorization: &Authorization) -> Call {
    let execute =
        TreasuryVault::executeCall { intent: intent.clone().into(), authorization: authorization.encode().into() };
    Call::new(intent.from, contract, execute.abi_encode())
}
