//! A client of gateways, which ask operators for an authorization.
//!
//! Several gateways can be given. The client asks the next one when one does not answer, and stays with the one that
//! does. It chooses the nonce, so that a request that is repeated at another gateway is the same task. Operators sign
//! one attestation for it, and the chain accepts one call.
//!
//! A gateway is not trusted. An answer that is not about the request is refused. Whether the operators' signature is
//! valid, only the chain and the [verifier](assent_verifier) know: verify before you send.
//!
//! ```no_run
//! use alloy::{primitives::{address, bytes}, providers::ProviderBuilder};
//! use assent_client::{AssentClient, PreparedCall, gateway::{AuthorizationRequest, GatewayClient}};
//! use assent_verifier::Decision;
//!
//! # async fn pay() -> Result<(), Box<dyn std::error::Error>> {
//! let chain = AssentClient::new(ProviderBuilder::new().connect_http("http://127.0.0.1:8545".parse()?));
//! let gateway = GatewayClient::new(["http://127.0.0.1:8787", "http://127.0.0.1:8797"])?;
//! let agent = address!("0x70997970C51812dc3A010C7d01b50e0d17dc79C8");
//! let vault = address!("0x00000000000000000000000000000000000000aa");
//!
//! let call = PreparedCall::new(agent, vault, bytes!("0x12345678"));
//! let intent = call.intent(chain.chain_id().await?);
//! let decided = gateway.request_authorization(&AuthorizationRequest::new(vault, intent.clone())).await?;
//! if decided.decision == Decision::Deny {
//!     return Err(decided.reasons.join("; ").into());
//! }
//! let call = call.attested(&decided.authorization)?;
//! let context = chain.read_context_for(vault, agent, &intent, &decided.authorization).await?;
//! assent_verifier::verify_trailing(&context, call.value, &call.data)?;
//! chain.send(&call).await?;
//! # Ok(())
//! # }
//! ```

mod answer;
mod client;
mod error;

pub use answer::{
    DecidedTask, GatewayHealth, GatewayTask, GatewayTaskState, OperatorProgress, OperatorRefusal, TaskFailure,
    TaskTimings,
};
pub use client::{AuthorizationRequest, GatewayClient};
pub use error::{GatewayError, GatewayFailure, GatewayRefusal};
