//! Published policies.

use crate::{AssentClient, ClientError, DeployedContract, PreparedCall};
use alloy::{
    primitives::{Address, B256},
    providers::Provider,
    rpc::types::{Filter, TransactionReceipt},
    sol_types::{SolCall, SolEvent},
};
use assent_contracts::{PolicyRegistry, deployment};

/// A publication of a policy.
///
/// Anyone can publish any policy with any URI: verify what you fetch against the policy's id.
// Complete: the fields are those of the event, and its block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedPolicy {
    /// The policy's id.
    pub policy_id: B256,
    /// The hash of its rules.
    pub rules: B256,
    /// The root of its parameters' region.
    pub parameters: B256,
    /// The account that published it.
    pub publisher: Address,
    /// Where the built policy can be fetched, as the publisher says.
    pub uri: String,
    /// The number of the block.
    pub block: u64,
}

impl<P: Provider> AssentClient<P> {
    /// Deploys the PolicyRegistry, paid by `from`. It has one address on every chain; a registry that is there already
    /// is left unchanged.
    ///
    /// ```
    /// use alloy::primitives::B256;
    /// use assent_chain::{DEVELOPMENT_ACCOUNTS, EmbeddedChain};
    /// use assent_client::AssentClient;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = AssentClient::new(EmbeddedChain::new(31_337).provider());
    /// let [publisher, ..] = DEVELOPMENT_ACCOUNTS;
    /// let registry = client.deploy_policy_registry(publisher).await?.address;
    /// let (rules, parameters) = (B256::repeat_byte(1), B256::repeat_byte(2));
    /// let uri = "https://example.com/treasury.policy";
    /// let (policy_id, _) = client.publish_policy(registry, publisher, rules, parameters, uri).await?;
    /// let published = client.list_published(registry, policy_id, 0).await?;
    /// assert_eq!((published[0].rules, published[0].uri.as_str()), (rules, uri));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ClientError::DeploymentProxyMissing`]; and as [`send`](Self::send).
    pub async fn deploy_policy_registry(&self, from: Address) -> Result<DeployedContract, ClientError> {
        self.require_deployment_proxy().await?;
        self.deploy_once(from, &deployment::policy_registry()).await
    }

    /// Publishes a policy: the hash of its rules, the root of its parameters' region, and where it can be fetched.
    /// Returns the policy's id.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send); [`ClientError::MissingEffect`] when the receipt has no event of the policy.
    pub async fn publish_policy(
        &self,
        registry: Address,
        from: Address,
        rules: B256,
        parameters: B256,
        uri: &str,
    ) -> Result<(B256, TransactionReceipt), ClientError> {
        self.require_contract(registry).await?;
        let call = PolicyRegistry::publishCall { rules, parameters, uri: uri.to_owned() };
        let receipt = self.send(&PreparedCall::new(from, registry, call.abi_encode())).await?;
        let events = receipt.logs().iter().filter(|log| log.address() == registry);
        let mut events = events.filter_map(|log| PolicyRegistry::PolicyPublished::decode_log(&log.inner).ok());
        let published = events.find(|event| event.rules == rules && event.parameters == parameters);
        let missing =
            ClientError::MissingEffect { transaction: receipt.transaction_hash, missing: "the event PolicyPublished" };
        Ok((published.ok_or(missing)?.policyId, receipt))
    }

    /// Returns where a policy was published from a block on, in the order of the chain.
    ///
    /// # Errors
    ///
    /// [`ClientError`] when the node does not answer, or there is no contract at the registry's address.
    pub async fn list_published(
        &self,
        registry: Address,
        policy_id: B256,
        from_block: u64,
    ) -> Result<Vec<PublishedPolicy>, ClientError> {
        self.require_contract(registry).await?;
        let filter = Filter::new()
            .address(registry)
            .event_signature(PolicyRegistry::PolicyPublished::SIGNATURE_HASH)
            .topic1(policy_id)
            .from_block(from_block);
        let logs = self.provider().get_logs(&filter).await;
        let logs = logs.map_err(|error| ClientError::from_transport(registry, error))?;
        let published = logs.into_iter().filter_map(|log| {
            let event = PolicyRegistry::PolicyPublished::decode_log(&log.inner).ok()?;
            let PolicyRegistry::PolicyPublished { policyId, rules, parameters, publisher, uri } = event.data;
            let block = log.block_number?;
            // A node must not pass another policy's event off.
            let is_asked = log.inner.address == registry && policyId == policy_id;
            is_asked.then_some(PublishedPolicy { policy_id, rules, parameters, publisher, uri, block })
        });
        Ok(published.collect())
    }
}
