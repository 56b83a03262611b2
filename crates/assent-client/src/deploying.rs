//! Deploying the contracts.

use crate::{AssentClient, Call, ClientError};
use alloy::sol_types::SolConstructor;
use alloy::{
    eips::BlockId,
    network::TransactionBuilder,
    primitives::{Address, Bytes, address, aliases::U48},
    providers::Provider,
    rpc::types::{TransactionReceipt, TransactionRequest},
};
use assent_contracts::{
    TreasuryVault,
    deployment::{DEPLOYMENT_PROXY, Deployment, DeterministicContract},
};
use assent_verifier::Policy;

/// EIP-2537's addition in G1.
const G1ADD: Address = address!("0x000000000000000000000000000000000000000b");
/// Two points in, one point out, 128 bytes each.
const G1ADD_INPUT: [u8; 256] = [0; 256];
const G1ADD_OUTPUT_LENGTH: usize = 128;

/// What a deployment did.
///
/// ```
/// use alloy::primitives::aliases::U48;
/// use assent_chain::{DEVELOPMENT_ACCOUNTS, EmbeddedChain};
/// use assent_client::{AssentClient, DeployedContract, ValidatorState};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = AssentClient::new(EmbeddedChain::new(31_337).provider());
/// let [owner, somebody, ..] = DEVELOPMENT_ACCOUNTS;
/// let report = client.deploy(owner, owner, U48::from(3600)).await?;
/// for DeployedContract { name, address, receipt } in &report.contracts {
///     println!("{name} at {address}, {} gas", receipt.as_ref().map_or(0, |receipt| receipt.gas_used));
/// }
/// assert!(matches!(report.validator, ValidatorState::Added(_)));
///
/// // Again, by anybody: everything stands already.
/// let again = client.deploy(somebody, owner, U48::from(3600)).await?;
/// assert_eq!(again.deployment, report.deployment);
/// assert!(again.contracts.iter().all(|contract| contract.receipt.is_none()));
/// assert!(matches!(again.validator, ValidatorState::WasAdded));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct DeploymentReport {
    /// The contracts, where they stand, and the arguments.
    pub deployment: Deployment,
    /// What became of each, in the order of [`Deployment::in_order`].
    pub contracts: Vec<DeployedContract>,
    /// Whether the OperatorRegistry tells the TaskManager of epochs.
    pub validator: ValidatorState,
}

/// Whether an OperatorRegistry tells a TaskManager of epochs. Until it does, every attestation is refused.
///
/// ```
/// use alloy::primitives::aliases::U48;
/// use assent_chain::{DEVELOPMENT_ACCOUNTS, EmbeddedChain};
/// use assent_client::{AssentClient, ValidatorState};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = AssentClient::new(EmbeddedChain::new(31_337).provider());
/// let [owner, somebody, ..] = DEVELOPMENT_ACCOUNTS;
/// // Somebody else pays for the deployment, and cannot act as the registry's owner.
/// let report = client.deploy(somebody, owner, U48::from(3600)).await?;
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
    /// It did already.
    WasAdded,
    /// It does from now on: the receipt of `addValidator`, and of `publishEpoch` for each epoch that was in force.
    Added(Vec<TransactionReceipt>),
    /// Its owner must call `addValidator` with the TaskManager; somebody else has deployed.
    LeftToOwner,
}

/// A contract that stands.
///
/// ```
/// use alloy::primitives::Address;
/// use assent_client::DeployedContract;
///
/// /// What a log says of each.
/// fn line(contract: &DeployedContract) -> String {
///     let DeployedContract { name, address, receipt } = contract;
///     let what = if receipt.is_some() { "deployed to" } else { "stands at" };
///     format!("{name} {what} {address}")
/// }
///
/// let contract = DeployedContract { name: "TaskManager", address: Address::ZERO, receipt: None };
/// assert_eq!(line(&contract), format!("TaskManager stands at {}", Address::ZERO));
/// ```
#[derive(Debug, Clone)]
pub struct DeployedContract {
    /// Its name in Solidity.
    pub name: &'static str,
    /// Where it stands.
    pub address: Address,
    /// The receipt of its deployment; `None` when it stood there already.
    pub receipt: Option<TransactionReceipt>,
}

impl<P: Provider> AssentClient<P> {
    /// Deploys OwnerStakeSource, OperatorRegistry and TaskManager to the addresses that follow from `owner` and
    /// `grace_period` (seconds), paid by `from`. What stands there already is left as it is. When `from` is the owner, the
    /// registry is told of the TaskManager.
    ///
    /// # Errors
    ///
    /// [`ClientError::InvalidDeployment`]; [`ClientError::DeploymentProxyMissing`] and
    /// [`ClientError::PrecompilesMissing`] when the chain lacks what Assent needs; and as [`send`](Self::send).
    pub async fn deploy(
        &self,
        from: Address,
        owner: Address,
        grace_period: U48,
    ) -> Result<DeploymentReport, ClientError> {
        let deployment = Deployment::new(owner, grace_period)?;
        self.require_deployment_proxy().await?;
        self.require_precompiles().await?;
        let mut contracts = Vec::new();
        for contract in deployment.in_order() {
            contracts.push(self.deploy_once(from, contract).await?);
        }
        let (registry, task_manager) = (deployment.operator_registry.address, deployment.task_manager.address);
        let validator = if self.is_validator(registry, task_manager).await? {
            ValidatorState::WasAdded
        } else if from == owner {
            ValidatorState::Added(self.add_validator(registry, owner, task_manager).await?)
        } else {
            ValidatorState::LeftToOwner
        };
        Ok(DeploymentReport { deployment, contracts, validator })
    }

    /// Deploys a treasury vault, the example among the contracts, from the account `from`.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create): [`ClientError::Reverted`] when the policy is not one, or `task_manager` no contract.
    pub async fn deploy_vault(
        &self,
        from: Address,
        owner: Address,
        agent: Address,
        task_manager: Address,
        policy: Policy,
    ) -> Result<(Address, TransactionReceipt), ClientError> {
        let arguments = TreasuryVault::constructorCall {
            owner,
            initialAgent: agent,
            taskManager: task_manager,
            policy: policy.into(),
        };
        self.create(from, [TreasuryVault::BYTECODE.as_ref(), &arguments.abi_encode()].concat().into()).await
    }

    /// Creates a contract from its init code (creation bytecode and ABI-encoded arguments), at an address that depends
    /// on the account `from` and its nonce.
    ///
    /// ```
    /// # mod world { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/world.rs")); }
    /// # use world::{AGENT, OPERATOR, OWNER, World};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), world::Failure> {
    /// # let world = World::new().await?;
    /// # let (client, vault, token) = (&world.client, world.vault, world.token);
    /// use alloy::{primitives::U256, sol_types::SolConstructor};
    /// use assent_contracts::ExampleToken;
    ///
    /// let arguments = ExampleToken::constructorCall { supply: U256::from(1000) }.abi_encode();
    /// let init_code = [ExampleToken::BYTECODE.as_ref(), &arguments].concat();
    /// let (address, receipt) = client.create(AGENT, init_code.into()).await?;
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

    async fn deploy_once(
        &self,
        from: Address,
        contract: &DeterministicContract,
    ) -> Result<DeployedContract, ClientError> {
        let (name, address) = (contract.name, contract.address);
        if self.has_code(address).await? {
            return Ok(DeployedContract { name, address, receipt: None });
        }
        let receipt = match self.send(&Call::new(from, DEPLOYMENT_PROXY, contract.proxy_calldata())).await {
            Ok(receipt) => receipt,
            // The proxy reverts without data. A plain creation says what the constructor said.
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

    async fn require_deployment_proxy(&self) -> Result<(), ClientError> {
        if self.has_code(DEPLOYMENT_PROXY).await? {
            return Ok(());
        }
        Err(ClientError::DeploymentProxyMissing { chain_id: self.chain_id().await?, proxy: DEPLOYMENT_PROXY })
    }

    /// Infinity plus infinity. Where the precompile is missing, an empty account answers, with nothing.
    async fn require_precompiles(&self) -> Result<(), ClientError> {
        let request = TransactionRequest::default().with_to(G1ADD).with_input(G1ADD_INPUT);
        let sum = self.provider.call(request).await.map_err(ClientError::Transport)?;
        if sum.len() == G1ADD_OUTPUT_LENGTH {
            return Ok(());
        }
        Err(ClientError::PrecompilesMissing { chain_id: self.chain_id().await? })
    }

    async fn has_code(&self, address: Address) -> Result<bool, ClientError> {
        Ok(!self.code_at(address, BlockId::latest()).await?.is_empty())
    }
}

fn creation(from: Address, init_code: Bytes) -> TransactionRequest {
    TransactionRequest::default().with_from(from).with_deploy_code(init_code)
}
