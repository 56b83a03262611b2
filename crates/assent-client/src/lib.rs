//! Assent over any alloy provider: read what verification needs, simulate and send attested calls, and run an operator
//! registry.
//!
//! With the feature `gateway`, the module `gateway` asks gateways for authorizations.
//!
//! ```no_run
//! use alloy::{primitives::{address, aliases::U48, bytes}, providers::ProviderBuilder};
//! use assent_client::{AssentClient, PreparedCall};
//! use assent_verifier::Authorization;
//!
//! # async fn pay(vault: alloy::primitives::Address, agent: alloy::primitives::Address)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! let provider = ProviderBuilder::new().connect_http("http://127.0.0.1:8545".parse()?);
//! let client = AssentClient::new(provider);
//!
//! let authorization = Authorization::parse(&bytes!("0x"))?; // The operators' answer.
//! let call = PreparedCall::new(agent, vault, bytes!("0x12345678"));
//! let intent = call.intent(client.chain_id().await?);
//! let call = call.attested(&authorization)?;
//!
//! // Offline first: the same checks, the same error.
//! let context = client.read_context_for(vault, agent, &intent, &authorization).await?;
//! assent_verifier::verify_trailing(&context, call.value, &call.data)?;
//!
//! let receipt = client.send(&call).await?;
//! println!("{} gas", receipt.gas_used);
//! # Ok(())
//! # }
//! ```

#![cfg_attr(not(test), deny(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used))]

mod call;
mod context;
mod deploying;
mod epochs;
mod error;
#[cfg(feature = "gateway")]
pub mod gateway;
mod node_answer;
mod operators;
mod policies;
mod registry_changes;
mod requirements;
mod roots;
mod spent;
mod validators;

pub use call::PreparedCall;
pub use deploying::{DeployedContract, DeploymentReport, ValidatorState};
pub use epochs::{EpochRecord, EpochStatus};
pub use error::{ClientError, Revert, with_causes};
pub use operators::CommittedEpoch;
pub use policies::PublishedPolicy;
pub use registry_changes::{RegistryChange, RegistryChangeStatus, RegistrySettings};
pub use roots::SignedRoot;
pub use spent::SpentSnapshot;

/// A client of Assent's contracts over a provider.
///
/// Every method that sends a transaction takes its sender. The provider's wallet, or the node, must hold its key.
///
/// ```
/// // An in-process chain; any other alloy provider works too.
/// use alloy::primitives::{B256, U256, aliases::{U48, U96}};
/// use assent_chain::{DEVELOPMENT_ACCOUNTS, EmbeddedChain};
/// use assent_client::AssentClient;
/// use assent_contracts::deployment::Delays;
/// use assent_examples::deploy_vault;
/// use assent_signer::{PartialSignature, SecretKey, aggregate_epoch_approval};
/// use assent_verifier::{EpochApproval, OperatorSetId, Policy};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = AssentClient::new(EmbeddedChain::new(31_337).provider());
/// let [owner, agent, operator, ..] = DEVELOPMENT_ACCOUNTS;
/// let chain_id = client.chain_id().await?;
///
/// // The contracts.
/// let deployment = client.deploy(owner, owner, Delays::default()).await?.deployment;
/// let (registry, task_manager) = (deployment.operator_registry.address, deployment.task_manager.address);
/// assert!(client.is_validator(registry, task_manager).await?);
///
/// // An operator, its weight in a set, and an epoch of the set.
/// let set = OperatorSetId(1);
/// let key = SecretKey::generate()?;
/// let proof = key.prove_possession(operator, U256::from(chain_id), registry);
/// client.register_operator(registry, operator, &key.public_key(), &proof).await?;
/// client.set_weights(deployment.owner_stake_source.address, owner, set, &[(operator, U96::from(100))]).await?;
/// let epoch = client.commit_epoch(registry, owner, set, &[operator]).await?.number;
/// assert_eq!(client.latest_epoch(registry, set).await?, Some(client.read_epoch(registry, epoch).await?));
///
/// // A contract that uses them: a vault, whose agent can make the payments that the operators attest.
/// let policy =
///     Policy { policyId: B256::repeat_byte(1), operatorSet: set.into(), quorum: 6700, maxLifetime: U48::from(3600) };
/// let (vault, _) = deploy_vault(&client, owner, owner, agent, task_manager, policy.clone()).await?;
/// assert_eq!(client.read_policy(vault).await?, Some(policy));
/// assert_eq!(client.read_task_manager(vault).await?, task_manager);
/// assert!(!client.is_spent(task_manager, vault, U256::from(7)).await?);
///
/// // A key is rotated for later epochs. The next one is pending, until the operators of the current one approve it.
/// let next = SecretKey::generate()?;
/// let proof = next.prove_possession(operator, U256::from(chain_id), registry);
/// client.rotate_key(registry, operator, &next.public_key(), &proof).await?;
/// let second = client.commit_epoch(registry, owner, set, &[operator]).await?.number;
/// let (current, pending) = (client.read_epoch(registry, epoch).await?, client.read_epoch(registry, second).await?);
/// let deadline = U48::MAX;
/// let set_hash = pending.operators.set_hash();
/// let approval = EpochApproval { registry, operator_set: set, signed_by: epoch, set_hash, deadline };
/// let partial = PartialSignature::new(operator, key.approve_epoch(&approval, U256::from(chain_id)));
/// let signed = aggregate_epoch_approval(&current, &approval, U256::from(chain_id), &[partial])?;
/// client.approve_epoch(registry, agent, second, deadline, &signed.signature, &signed.non_signers).await?;
/// assert_eq!(client.latest_epoch(registry, set).await?.map(|epoch| epoch.number), Some(second));
///
/// // An epoch with a leaked key is revoked at once. Any account can publish its state to the TaskManagers again.
/// client.revoke_epochs(registry, owner, &[epoch]).await?;
/// client.publish_epoch(registry, agent, epoch).await?;
/// let known = client.read_known_epoch(task_manager, epoch).await?;
/// assert!(known.is_some_and(|epoch| epoch.is_revoked()));
///
/// // An operator that leaves is in no later epoch. A mistyped address is found before a transaction is sent.
/// client.require_contract(registry).await?;
/// client.deregister_operator(registry, operator).await?;
/// assert!(client.commit_epoch(registry, owner, set, &[operator]).await.is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct AssentClient<P> {
    provider: P,
}

impl<P> AssentClient<P> {
    /// Returns a client over `provider`.
    pub fn new(provider: P) -> Self {
        Self { provider }
    }

    /// Returns the provider.
    pub fn provider(&self) -> &P {
        &self.provider
    }
}

/// The README's example, which is tested like all others.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
