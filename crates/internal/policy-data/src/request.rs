//! What a source is asked about.

use alloy_primitives::{Address, U256, hex};
use assent_json::{Object, Value};
use assent_types::Intent;

pub use crate::exchange::Header as BlockReference;
use crate::{error::ObserveError, limits};

/// A task, as a source sees it.
///
/// Complete: a component sees what the rules see, and nothing else.
#[derive(Debug, Clone)]
pub struct ObservationRequest {
    /// The call.
    pub intent: Intent,
    /// The client.
    pub policy_client: Address,
    /// The nonce.
    pub nonce: U256,
    /// The reference block, to which every read of the chain is pinned.
    pub block: BlockReference,
    /// The client's parameters.
    pub parameters: Value,
}

impl ObservationRequest {
    /// Returns the canonical JSON that a component is given.
    ///
    /// Its names are those that the rules see. Every integer of the task is a decimal string.
    ///
    /// # Errors
    /// If it has more than [`limits::REQUEST_BYTES`].
    pub fn to_json(&self) -> Result<String, ObserveError> {
        let Self { intent, block, .. } = self;
        let intent = object([
            ("chain_id", intent.chainId.to_string()),
            ("data", hex::encode_prefixed(&intent.data)),
            ("from", hex::encode_prefixed(intent.from)),
            ("to", hex::encode_prefixed(intent.to)),
            ("value", intent.value.to_string()),
        ]);
        let task = object([
            ("block", block.number.to_string()),
            ("block_hash", hex::encode_prefixed(block.hash)),
            ("client", hex::encode_prefixed(self.policy_client)),
            ("nonce", self.nonce.to_string()),
            ("time", block.timestamp.to_string()),
        ]);
        let mut request = Object::default();
        request.insert("intent", intent);
        request.insert("params", self.parameters.clone());
        request.insert("task", task);
        let text = Value::Object(request).to_canonical();
        if text.len() > limits::REQUEST_BYTES {
            return Err(ObserveError::RequestTooLong { length: text.len() });
        }
        Ok(text)
    }
}

fn object<const N: usize>(entries: [(&str, String); N]) -> Value {
    let mut object = Object::default();
    for (key, value) in entries {
        object.insert(key, Value::String(value));
    }
    Value::Object(object)
}
