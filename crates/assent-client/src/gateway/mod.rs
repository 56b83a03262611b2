//! A client of gateways, which ask operators for an authorization.
//!
//! Several gateways can be given. The client asks the next one when one does not answer, and stays with the one that
//! does. It chooses the nonce, so that a request that is repeated at another gateway is the same task. Operators sign
//! one attestation for it, and the chain accepts one call.
//!
//! A gateway is not trusted. An answer that is not about the request is refused. Whether the operators' signature is
//! valid, only the chain and the [verifier](assent_verifier) know: verify before you send.
//!
#![doc = include_str!("../../doc/gateway.md")]

mod answer;
mod client;
mod error;

pub use answer::{
    AbsentOperator, DecidedTask, GatewayHandover, GatewayHealth, GatewayTask, GatewayTaskState, OperatorProgress,
    OperatorRefusal, TaskFailure, TaskTimings,
};
pub use client::{AuthorizationRequest, GatewayClient, HandoverRequest};
pub use error::{GatewayError, GatewayFailure, GatewayRefusal};

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_for_integrators_has_the_tested_example() {
        let page = include_str!("../../../../docs/integrate.md");
        assert!(page.contains(include_str!("../../doc/gateway.md")));
    }
}
