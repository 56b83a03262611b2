//! What an operator signs about the world before a decision.

use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_sol_types::SolStruct;

use crate::digest::domain;

mod typed_data {
    #![allow(missing_docs)]
    alloy_sol_types::sol! {
        struct Observation {
            bytes32 taskId;
            bytes32 source;
            bytes32 referenceBlock;
            bytes32 output;
        }
    } // sol!
}

/// An operator's statement of what a source answered for a task, signed under [`OBSERVATION_TAG`].
///
/// Two different observations of one task and source by one operator prove that it lied to one of their readers.
///
/// [`OBSERVATION_TAG`]: crate::digest::OBSERVATION_TAG
///
/// ```
/// use alloy_primitives::{B256, U256, address};
/// use assent_types::Observation;
///
/// let task_manager = address!("0x00000000000000000000000000000000000000a1");
/// let observation = Observation::new(B256::repeat_byte(1), "price", B256::repeat_byte(2), br#"{"usd":"1"}"#);
/// let other = Observation::new(B256::repeat_byte(1), "price", B256::repeat_byte(2), br#"{"usd":"2"}"#);
/// let chain_id = U256::from(1);
/// assert_ne!(observation.digest(chain_id, task_manager), other.digest(chain_id, task_manager));
/// ```
// Complete: these are the fields of the EIP-712 type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Observation {
    /// The task.
    pub task_id: B256,
    /// keccak256 of the source's name.
    pub source: B256,
    /// The hash of the block at which the source read the chain.
    pub reference_block: B256,
    /// keccak256 of the output's canonical JSON.
    pub output: B256,
}

impl Observation {
    /// Returns the observation of a source by its name, whose output is canonical JSON.
    pub fn new(task_id: B256, source_name: &str, reference_block: B256, output: &[u8]) -> Self {
        Self { task_id, source: keccak256(source_name), reference_block, output: keccak256(output) }
    }

    /// Returns the EIP-712 digest that the operator signs, under the TaskManager's domain as attestations.
    pub fn digest(&self, chain_id: U256, task_manager: Address) -> B256 {
        let Self { task_id, source, reference_block, output } = *self;
        typed_data::Observation { taskId: task_id, source, referenceBlock: reference_block, output }
            .eip712_signing_hash(&domain(chain_id, task_manager))
    }
}
