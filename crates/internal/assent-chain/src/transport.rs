//! alloy's transport to the chain: requests go to a function instead of a socket.

use std::task::{Context, Poll};

use alloy::{
    rpc::json_rpc::{RequestPacket, Response, ResponsePacket, ResponsePayload, SerializedRequest},
    transports::{TransportError, TransportFut},
};
use tower_service::Service;

use crate::{machine::SharedMachine, rpc};

/// An alloy transport to an [`EmbeddedChain`](crate::EmbeddedChain), from
/// [`EmbeddedChain::transport`](crate::EmbeddedChain::transport).
///
/// It answers single and batched JSON-RPC requests. It never fails as a transport: every error is in the answer.
/// Most users want [`EmbeddedChain::provider`](crate::EmbeddedChain::provider).
///
/// ```
/// use alloy::providers::{Provider, ProviderBuilder};
/// use alloy::rpc::client::RpcClient;
/// use assent_chain::EmbeddedChain;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let transport = EmbeddedChain::new(10).transport();
/// let provider = ProviderBuilder::new().connect_client(RpcClient::new(transport, true));
/// assert_eq!(provider.get_chain_id().await?, 10);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct EmbeddedTransport {
    machine: SharedMachine,
}

impl EmbeddedTransport {
    pub(crate) fn new(machine: SharedMachine) -> Self {
        Self { machine }
    }

    fn answer(&self, request: &SerializedRequest) -> Response {
        let answer = rpc::answer(&mut self.machine.lock(), request.method(), request.params());
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
