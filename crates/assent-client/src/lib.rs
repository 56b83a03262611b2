//! Assent over any alloy provider: read what verification needs, try a call out, send it with its authorization, and run
//! an operator registry.
//!
//! ```no_run
//! use alloy::{primitives::{address, aliases::U48, bytes}, providers::ProviderBuilder};
//! use assent_client::{AssentClient, Call};
//! use assent_verifier::Authorization;
//!
//! # async fn pay(vault: alloy::primitives::Address, agent: alloy::primitives::Address)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! let provider = ProviderBuilder::new().connect_http("http://127.0.0.1:8545".parse()?);
//! let client = AssentClient::new(provider);
//!
//! let authorization = Authorization::parse(&bytes!("0x"))?; // What the operators answered.
//! let call = Call::new(agent, vault, bytes!("0x12345678"));
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
mod operators;
mod roots;
mod spent;
mod validators;

pub use call::Call;
pub use deploying::{DeployedContract, DeploymentReport, ValidatorState};
pub use error::{ClientError, Revert};
pub use operators::CommittedEpoch;
pub use roots::SignedRoot;
pub use spent::SpentSnapshot;

/// Assent's contracts as seen through a provider.
///
/// Whatever sends a transaction names the account it comes from; the provider's wallet, or the node, must hold its key.
#[derive(Debug, Clone)]
pub struct AssentClient<P> {
    provider: P,
}

impl<P> AssentClient<P> {
    /// A client that asks through `provider`.
    pub fn new(provider: P) -> Self {
        Self { provider }
    }

    /// The provider.
    pub fn provider(&self) -> &P {
        &self.provider
    }
}
