//! How an operator proves its key to a gateway.

use alloc::string::String;
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolStruct;

use crate::digest::domain;

mod typed_data {
    #![allow(missing_docs)]
    alloy_sol_types::sol! {
        struct Connection {
            bytes32 challenge;
            address operator;
            string gateway;
        }
    } // sol!
}

/// A gateway's challenge to an operator that connects, signed under [`CONNECTION_TAG`].
///
/// It names the gateway that the operator dialled, so that no gateway can answer another's challenge with it.
///
/// [`CONNECTION_TAG`]: crate::digest::CONNECTION_TAG
///
/// ```
/// use alloy_primitives::{B256, U256, address};
/// use assent_types::Connection;
///
/// let operator = address!("0x00000000000000000000000000000000000000a1");
/// let task_manager = address!("0x00000000000000000000000000000000000000b2");
/// let challenge = B256::repeat_byte(1); // Random bytes of the gateway.
/// let dialled = Connection { challenge, operator, gateway: "gateway.example:443".into() };
/// let another = Connection { gateway: "another.example:443".into(), ..dialled.clone() };
/// assert_ne!(dialled.digest(U256::from(1), task_manager), another.digest(U256::from(1), task_manager));
/// ```
// Complete: these are the fields of the EIP-712 type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Connection {
    /// 32 random bytes, which the gateway uses for one connection.
    pub challenge: B256,
    /// The operator that connects.
    pub operator: Address,
    /// The host and port that the operator dialled, as `host:port`.
    pub gateway: String,
}

impl Connection {
    /// Returns the EIP-712 digest that the operator signs, under the domain of the TaskManager that the gateway serves.
    pub fn digest(&self, chain_id: U256, task_manager: Address) -> B256 {
        let Self { challenge, operator, gateway } = self.clone();
        typed_data::Connection { challenge, operator, gateway }.eip712_signing_hash(&domain(chain_id, task_manager))
    }
}
