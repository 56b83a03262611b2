//! Simulating and sending calls.

use crate::{AssentClient, ClientError, node_answer};
use alloy::{
    eips::BlockId,
    network::TransactionBuilder,
    primitives::{Address, B256, Bytes, U256},
    providers::Provider,
    rpc::types::{TransactionReceipt, TransactionRequest},
    transports::TransportError,
};
use assent_contracts::IPolicyClient;
use assent_verifier::{Authorization, AuthorizationError, Intent, append_trailing};

/// A call to a contract, before it is sent. Complete: these are all inputs of a call.
///
/// ```
/// use alloy::primitives::{Address, U256, bytes};
/// use assent_client::PreparedCall;
///
/// let (agent, vault) = (Address::repeat_byte(1), Address::repeat_byte(2));
/// let call = PreparedCall::new(agent, vault, bytes!("0x12345678")).with_value(U256::from(5)).with_gas_limit(500_000);
/// assert_eq!(call.gas_limit, Some(500_000));
///
/// // The intent that operators attest.
/// let intent = call.intent(1);
/// assert_eq!((intent.from, intent.to, intent.value), (agent, vault, U256::from(5)));
/// assert_eq!(intent.data, call.data);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedCall {
    /// The caller.
    pub from: Address,
    /// The contract that is called.
    pub to: Address,
    /// The value in wei.
    pub value: U256,
    /// The whole calldata.
    pub data: Bytes,
    /// The gas limit. Without one, gas is estimated first, and a call that would revert is not sent.
    pub gas_limit: Option<u64>,
}

impl PreparedCall {
    /// Returns a call without value.
    pub fn new(from: Address, to: Address, data: impl Into<Bytes>) -> Self {
        Self { from, to, value: U256::ZERO, data: data.into(), gas_limit: None }
    }

    /// Returns the same call with a value, in wei.
    pub fn with_value(self, value: U256) -> Self {
        Self { value, ..self }
    }

    /// Returns the same call with a gas limit: it is sent even if it will revert.
    pub fn with_gas_limit(self, gas_limit: u64) -> Self {
        Self { gas_limit: Some(gas_limit), ..self }
    }

    /// Returns the same call with an authorization appended to its calldata, for a function with `onlyAttested`.
    ///
    /// ```
    /// use alloy::primitives::{Address, B256, U256, aliases::U48, bytes};
    /// use assent_client::PreparedCall;
    /// use assent_verifier::{Authorization, Decision, EpochId, MerkleProof, QuorumProof, split_trailing};
    ///
    /// let call = PreparedCall::new(Address::repeat_byte(1), Address::repeat_byte(2), bytes!("0x12345678"));
    /// // What the operators answered, for a root that is recorded.
    /// let authorization = Authorization {
    ///     task_id: B256::repeat_byte(3),
    ///     nonce: U256::from(7),
    ///     issued_at: U48::from(1_899_999_400_u64),
    ///     expiration: U48::from(1_900_000_000_u64),
    ///     decision: Decision::Allow,
    ///     evidence: B256::repeat_byte(4),
    ///     epoch: EpochId(1),
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

    /// Returns the intent that operators attest for this call. The call must not carry an authorization yet.
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
    /// Simulates a call on the latest block, and returns what it would return.
    ///
    /// # Errors
    ///
    /// [`ClientError::Reverted`] as the call would, which [`refusal`](ClientError::refusal) reads;
    /// [`ClientError::Transport`].
    pub async fn simulate(&self, call: &PreparedCall) -> Result<Bytes, ClientError> {
        let answer = self.provider.call(call.request()).await;
        answer.map_err(|error| ClientError::from_transport(call.to, error))
    }

    /// Checks that an address has code: a call to an account without code would succeed and do nothing.
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
    /// [`ClientError::Reverted`] when it would revert (it is then not sent, unless it has a gas limit). Also when it
    /// has reverted (the error then has the gas used); [`ClientError::Failed`] when the reason is unknown;
    /// [`ClientError::Transport`] and [`ClientError::Receipt`].
    pub async fn send(&self, call: &PreparedCall) -> Result<TransactionReceipt, ClientError> {
        self.send_request(call.to, call.request(), call.gas_limit).await
    }

    /// Sends a call with its authorization appended to the calldata.
    ///
    /// ```
    /// # mod fixture { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/fixture.rs")); }
    /// # use fixture::{AGENT, OPERATOR, OWNER, Fixture};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), fixture::Failure> {
    /// # let fixture = Fixture::new().await?;
    /// # let (client, vault, token) = (&fixture.client, fixture.vault, fixture.token);
    /// use alloy::{primitives::U256, providers::Provider, sol_types::SolCall};
    /// use assent_client::PreparedCall;
    /// use assent_examples::TreasuryVault;
    /// use assent_verifier::verify_trailing;
    ///
    /// // The vault pays 40 tokens. `fixture.attest` acts as the operators.
    /// let pay = TreasuryVault::payCall { token, recipient: OWNER, amount: U256::from(40) };
    /// let call = PreparedCall::new(AGENT, vault, pay.abi_encode());
    /// let intent = call.intent(client.chain_id().await?);
    /// let authorization = fixture.attest(&intent, 7)?.authorization()?;
    ///
    /// // Offline first, then on the latest block without a transaction.
    /// let attested = call.attested(&authorization)?;
    /// let context = client.read_context_for(vault, AGENT, &intent, &authorization).await?;
    /// assert!(verify_trailing(&context, attested.value, &attested.data).is_ok());
    /// client.simulate(&attested).await?;
    ///
    /// // At a block of your choice, to find out later why a call was accepted.
    /// let block = client.provider().get_block_number().await?;
    /// let context = client.read_context_for_at(block, vault, AGENT, &intent, &authorization).await?;
    /// assert!(verify_trailing(&context, attested.value, &attested.data).is_ok());
    ///
    /// let receipt = client.send_trailing(&call, &authorization).await?; // As `send(&attested)` does.
    /// assert!(receipt.status());
    ///
    /// // Only once. A call that would revert is not sent.
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
        call: &PreparedCall,
        authorization: &Authorization,
    ) -> Result<TransactionReceipt, ClientError> {
        self.send(&call.attested(authorization)?).await
    }

    /// Checks whether a client would accept an authorization now, and returns the attested task.
    ///
    /// # Errors
    ///
    /// [`ClientError::Reverted`] with the refusal; [`ClientError::UnexpectedAnswer`] when `policy_client` is not
    /// a PolicyClient; [`ClientError::Transport`].
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

    /// Sends a transaction to `contract` (zero for a creation) and waits until it is mined.
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
        self.set_fees(&mut request).await.map_err(failed)?;
        let pending = self.provider.send_transaction(request.clone()).await.map_err(failed)?;
        let receipt = pending.get_receipt().await.map_err(ClientError::Receipt)?;
        if receipt.status() {
            return Ok(receipt);
        }
        Err(self.why_failed(contract, request, &receipt).await)
    }

    /// Sets the fees of EIP-1559, or a legacy gas price where the node does not give what they are estimated from.
    async fn set_fees(&self, request: &mut TransactionRequest) -> Result<(), TransportError> {
        match self.provider.estimate_eip1559_fees().await {
            Ok(fees) => {
                request.set_max_fee_per_gas(fees.max_fee_per_gas);
                request.set_max_priority_fee_per_gas(fees.max_priority_fee_per_gas);
            }
            Err(error) if error.is_error_resp() => request.set_gas_price(self.provider.get_gas_price().await?),
            // Without a base fee, the provider sends a legacy transaction; a broken connection is its error too.
            Err(_) => {}
        }
        Ok(())
    }

    /// Repeats a failed call on top of its block: a receipt has no revert data.
    async fn why_failed(
        &self,
        contract: Address,
        request: TransactionRequest,
        receipt: &TransactionReceipt,
    ) -> ClientError {
        let block = receipt.block_number.map_or_else(BlockId::latest, BlockId::number);
        let gas_used = receipt.gas_used;
        let answer = match self.provider.call(request).block(block).await {
            Ok(_) => None,
            Err(error) => error.as_error_resp().and_then(node_answer::revert),
        };
        match answer {
            Some(answer) => ClientError::Reverted { contract, reason: answer.into(), gas_used: Some(gas_used) },
            None => ClientError::Failed { transaction: receipt.transaction_hash, gas_used },
        }
    }
}
