//! alloy's transport to the chain: requests go to a function instead of a socket.

use std::task::{Context, Poll};

use alloy::{
    rpc::json_rpc::{RequestPacket, Response, ResponsePacket, ResponsePayload, SerializedRequest},
    transports::{TransportError, TransportFut},
};
use tower_service::Service;

use crate::{EmbeddedChain, rpc};

/// Answers JSON-RPC requests, single or in batches, from an [`EmbeddedChain`]. It never fails as a transport: whatever
/// goes wrong is an error inside the answer.
///
/// Most users want [`EmbeddedChain::provider`] or [`EmbeddedChain::client`].
///
/// ```
/// use alloy::providers::{Provider, ProviderBuilder};
/// use alloy::rpc::client::RpcClient;
/// use assent_chain::{EmbeddedChain, EmbeddedTransport};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // What `EmbeddedChain::client` does, with the transport in one's own hands.
/// let transport = EmbeddedTransport::new(EmbeddedChain::new(10));
/// let provider = ProviderBuilder::new().connect_client(RpcClient::new(transport, true));
/// assert_eq!(provider.get_chain_id().await?, 10);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct EmbeddedTransport {
    chain: EmbeddedChain,
}

impl EmbeddedTransport {
    /// A transport to `chain`.
    pub fn new(chain: EmbeddedChain) -> Self {
        Self { chain }
    }

    fn answer(&self, request: &SerializedRequest) -> Response {
        let answer = rpc::answer(&mut self.chain.machine(), request.method(), request.params());
        let payload = match answer {
            Ok(result) => ResponsePayload::Success(result),
            Err(failure) => ResponsePayload::Failure(failure.into()),
        };
        Response { id: request.id().clone(), payload }
    }
}

impl Service<RequestPacket> for EmbeddedTransport {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, packet: RequestPacket) -> Self::Future {
        let transport = self.clone();
        Box::pin(async move {
            Ok(match packet {
                RequestPacket::Single(request) => ResponsePacket::Single(transport.answer(&request)),
                RequestPacket::Batch(requests) => {
                    ResponsePacket::Batch(requests.iter().map(|request| transport.answer(request)).collect())
                }
            })
        })
    }
}
