//! Deploying the contracts.

use crate::{AssentClient, ClientError, PreparedCall};
use alloy::{
    eips::BlockId,
    network::TransactionBuilder,
    primitives::{Address, Bytes},
    providers::Provider,
    rpc::types::{TransactionReceipt, TransactionRequest},
};
use assent_contracts::deployment::{DEPLOYMENT_PROXY, Delays, Deployment, DeterministicContract};

/// The result of a deployment.
///
/// ```
/// use assent_chain::{DEVELOPMENT_ACCOUNTS, EmbeddedChain};
/// use assent_client::{AssentClient, DeployedContract, ValidatorState};
/// use assent_contracts::deployment::Delays;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = AssentClient::new(EmbeddedChain::new(31_337).provider());
/// let [owner, other, ..] = DEVELOPMENT_ACCOUNTS;
/// let report = client.deploy(owner, owner, Delays::default()).await?;
/// for DeployedContract { name, address, receipt } in &report.contracts {
///     println!("{name} at {address}, {} gas", receipt.as_ref().map_or(0, |receipt| receipt.gas_used));
/// }
/// assert!(matches!(report.validator, ValidatorState::Added(_)));
///
/// // Again, from any account: everything is deployed already.
/// let again = client.deploy(other, owner, Delays::default()).await?;
/// assert_eq!(again.deployment, report.deployment);
/// assert!(again.contracts.iter().all(|contract| contract.receipt.is_none()));
/// assert!(matches!(again.validator, ValidatorState::WasAdded));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DeploymentReport {
    /// The contracts with their addresses and arguments.
    pub deployment: Deployment,
    /// The result for each, in the order of [`Deployment::in_order`].
    pub contracts: Vec<DeployedContract>,
    /// Whether the OperatorRegistry publishes epochs to the TaskManager.
    pub validator: ValidatorState,
}

/// Whether an OperatorRegistry publishes epochs to a TaskManager. Until it does, every attestation is refused.
///
/// Complete: it already did, it now does, it will, or it does not.
///
/// ```
/// use assent_chain::{DEVELOPMENT_ACCOUNTS, EmbeddedChain};
/// use assent_client::{AssentClient, ValidatorState};
/// use assent_contracts::deployment::Delays;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = AssentClient::new(EmbeddedChain::new(31_337).provider());
/// let [owner, other, ..] = DEVELOPMENT_ACCOUNTS;
/// // Another account deploys, and cannot act as the registry's owner.
/// let report = client.deploy(other, owner, Delays::default()).await?;
/// assert!(matches!(report.validator, ValidatorState::LeftToOwner));
///
/// let (registry, task_manager) = (report.deployment.operator_registry, report.deployment.task_manager);
/// client.add_validator(registry.address, owner, task_manager.address).await?;
/// assert!(client.is_validator(registry.address, task_manager.address).await?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub enum ValidatorState {
    /// It already did.
    WasAdded,
    /// It now does: the receipts of `addValidator`, and of `publishEpoch` for each live epoch.
    Added(Vec<TransactionReceipt>),
    /// The change is proposed, since an epoch was committed before: repeat the call once its delay is over.
    Proposed {
        /// When the TaskManager can be added (Unix time).
        applies_from: u64,
    },
    /// The owner must still call `addValidator` with the TaskManager: another account deployed.
    LeftToOwner,
}

/// A deployed contract.
///
/// ```
/// use alloy::primitives::Address;
/// use assent_client::DeployedContract;
///
/// /// Returns a line for a log.
/// fn line(contract: &DeployedContract) -> String {
///     let DeployedContract { name, address, receipt } = contract;
///     let what = if receipt.is_some() { "deployed to" } else { "is already at" };
///     format!("{name} {what} {address}")
/// }
///
/// let contract = DeployedContract { name: "TaskManager", address: Address::ZERO, receipt: None };
/// assert_eq!(line(&contract), format!("TaskManager is already at {}", Address::ZERO));
/// ```
// Complete: a contract has a name and an address, and was deployed or not.
#[derive(Debug, Clone)]
pub struct DeployedContract {
    /// Its name in Solidity.
    pub name: &'static str,
    /// Its address.
    pub address: Address,
    /// The receipt of its deployment; `None` when it was deployed before.
    pub receipt: Option<TransactionReceipt>,
}

impl<P: Provider> AssentClient<P> {
    /// Deploys OwnerStakeSource, OperatorRegistry and TaskManager, paid by `from`.
    ///
    /// Their addresses follow from `owner` and `delays`. Contracts that are already deployed are left
    /// unchanged. When `from` is the owner, the TaskManager is added to the registry.
    ///
    /// # Errors
    ///
    /// [`ClientError::InvalidDeployment`]; [`ClientError::DeploymentProxyMissing`] and
    /// [`ClientError::ChainNotSupported`] when the chain lacks what Assent needs; and as [`send`](Self::send).
    pub async fn deploy(&self, from: Address, owner: Address, delays: Delays) -> Result<DeploymentReport, ClientError> {
        let deployment = Deployment::new(owner, delays)?;
        self.require_supported_chain().await?;
        self.require_deployment_proxy().await?;
        let mut contracts = Vec::new();
        for contract in deployment.in_order() {
            contracts.push(self.deploy_once(from, contract).await?);
        }
        self.report_deployment(from, deployment, contracts).await
    }

    /// Deploys the contracts as [`deploy`](Self::deploy) does, without the deterministic deployment proxy.
    ///
    /// Their addresses depend on `from` and its nonce, and each call deploys new contracts.
    ///
    /// ```
    /// use assent_chain::{DEVELOPMENT_ACCOUNTS, EmbeddedChain};
    /// use assent_client::{AssentClient, ValidatorState};
    /// use assent_contracts::deployment::Delays;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = AssentClient::new(EmbeddedChain::new(31_337).provider());
    /// let [owner, ..] = DEVELOPMENT_ACCOUNTS;
    /// let report = client.deploy_without_proxy(owner, owner, Delays::default()).await?;
    /// assert_eq!(report.contracts[0].address, owner.create(0));
    /// assert!(matches!(report.validator, ValidatorState::Added(_)));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`deploy`](Self::deploy), except for the proxy; [`ClientError::MissingEffect`] when another transaction of
    /// `from` took the nonce of one of these.
    pub async fn deploy_without_proxy(
        &self,
        from: Address,
        owner: Address,
        delays: Delays,
    ) -> Result<DeploymentReport, ClientError> {
        let nonce = self.provider.get_transaction_count(from).await.map_err(ClientError::Transport)?;
        let deployment = Deployment::created_by(owner, delays, from, nonce)?;
        self.require_supported_chain().await?;
        let mut contracts = Vec::new();
        for DeterministicContract { name, address, init_code } in deployment.in_order() {
            let (created, receipt) = self.create(from, init_code.clone()).await?;
            if created != *address {
                let transaction = receipt.transaction_hash;
                return Err(ClientError::MissingEffect {
                    transaction,
                    missing: "the address of its account's next nonce",
                });
            }
            contracts.push(DeployedContract { name, address: *address, receipt: Some(receipt) });
        }
        self.report_deployment(from, deployment, contracts).await
    }

    /// Adds the TaskManager to the registry, if `from` can.
    async fn report_deployment(
        &self,
        from: Address,
        deployment: Deployment,
        contracts: Vec<DeployedContract>,
    ) -> Result<DeploymentReport, ClientError> {
        let owner = deployment.owner;
        let (registry, task_manager) = (deployment.operator_registry.address, deployment.task_manager.address);
        let validator = if self.is_validator(registry, task_manager).await? {
            ValidatorState::WasAdded
        } else if from == owner {
            self.add_validator(registry, owner, task_manager).await?
        } else {
            ValidatorState::LeftToOwner
        };
        Ok(DeploymentReport { deployment, contracts, validator })
    }

    /// Creates a contract from its init code (creation bytecode and ABI-encoded arguments), at an address that depends
    /// on the account `from` and its nonce.
    ///
    /// ```
    /// # mod fixture { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/fixture.rs")); }
    /// # use fixture::{AGENT, OPERATOR, OWNER, Fixture};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), fixture::Failure> {
    /// # let fixture = Fixture::new().await?;
    /// # let client = &fixture.client;
    /// use alloy::primitives::bytes;
    ///
    /// // Twelve bytes that return the one after them, STOP.
    /// let (address, receipt) = client.create(AGENT, bytes!("6001600c60003960016000f3" "00")).await?;
    /// assert_eq!(receipt.contract_address, Some(address));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send); [`ClientError::MissingEffect`] when the receipt names no contract.
    pub async fn create(&self, from: Address, init_code: Bytes) -> Result<(Address, TransactionReceipt), ClientError> {
        let receipt = self.send_request(Address::ZERO, creation(from, init_code), None).await?;
        let missing = ClientError::MissingEffect { transaction: receipt.transaction_hash, missing: "a contract" };
        let address = receipt.contract_address.ok_or(missing)?;
        Ok((address, receipt))
    }

    pub(crate) async fn deploy_once(
        &self,
        from: Address,
        contract: &DeterministicContract,
    ) -> Result<DeployedContract, ClientError> {
        let (name, address) = (contract.name, contract.address);
        if self.has_code(address).await? {
            return Ok(DeployedContract { name, address, receipt: None });
        }
        let receipt = match self.send(&PreparedCall::new(from, DEPLOYMENT_PROXY, contract.proxy_calldata())).await {
            Ok(receipt) => receipt,
            // The proxy reverts without data. A plain creation has the constructor's revert data.
            Err(reverted @ ClientError::Reverted { .. }) => {
                let plainly = self.provider.call(creation(from, contract.init_code.clone())).await;
                return Err(plainly.err().map_or(reverted, |error| ClientError::from_transport(address, error)));
            }
            Err(error) => return Err(error),
        };
        if !self.has_code(address).await? {
            let transaction = receipt.transaction_hash;
            return Err(ClientError::MissingEffect { transaction, missing: "code at the contract's address" });
        }
        Ok(DeployedContract { name, address, receipt: Some(receipt) })
    }

    pub(crate) async fn require_deployment_proxy(&self) -> Result<(), ClientError> {
        if self.has_code(DEPLOYMENT_PROXY).await? {
            return Ok(());
        }
        Err(ClientError::DeploymentProxyMissing { chain_id: self.chain_id().await?, proxy: DEPLOYMENT_PROXY })
    }

    async fn has_code(&self, address: Address) -> Result<bool, ClientError> {
        Ok(!self.code_at(address, BlockId::latest()).await?.is_empty())
    }
}

fn creation(from: Address, init_code: Bytes) -> TransactionRequest {
    TransactionRequest::default().with_from(from).with_deploy_code(init_code)
}
