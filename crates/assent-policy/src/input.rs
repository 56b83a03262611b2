//! What a policy decides about: an intent, and the task that it is part of.

use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolValue;
use assent_types::Intent;

mod solidity;

/// What a policy decides about.
///
/// ```
/// use alloy_primitives::{B256, U256, address, bytes};
/// use assent_policy::{PolicyInput, ReferenceBlock};
/// use assent_types::Intent;
///
/// let input = PolicyInput {
///     intent: Intent {
///         from: address!("0x1111111111111111111111111111111111111111"),
///         to: address!("0x2222222222222222222222222222222222222222"),
///         value: U256::ZERO,
///         data: bytes!("0xa9059cbb"),
///         chainId: U256::from(1),
///     },
///     policy_client: address!("0x2222222222222222222222222222222222222222"),
///     nonce: U256::from(7),
///     block: ReferenceBlock { number: U256::from(9), hash: B256::ZERO, timestamp: U256::from(1_800_000_000) },
/// };
/// assert_eq!(PolicyInput::decode(&input.encode())?, input);
/// # Ok::<(), assent_policy::InputError>(())
/// ```
// Complete: the fields are those of the Solidity struct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyInput {
    /// The call.
    pub intent: Intent,
    /// The contract that asks for the decision.
    pub policy_client: Address,
    /// The client's nonce that the call will spend.
    pub nonce: U256,
    /// The block that all operators read the chain at.
    pub block: ReferenceBlock,
}

/// The block that all operators read the chain at. Its time is the task's time.
// Complete: the fields are those of the Solidity struct.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReferenceBlock {
    /// The number.
    pub number: U256,
    /// The hash.
    pub hash: B256,
    /// The time, in Unix seconds.
    pub timestamp: U256,
}

/// The bytes are not the encoding of an input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// They do not decode.
    #[error("the input does not decode: {0}")]
    Malformed(String),
    /// They decode, but are not the encoding that `abi.encode` gives.
    #[error("the input is not the encoding that abi.encode gives")]
    NotCanonical,
}

impl PolicyInput {
    /// Returns the encoding: `abi.encode` of the Solidity struct.
    pub fn encode(&self) -> Vec<u8> {
        let Intent { from, to, value, data, chainId } = self.intent.clone();
        solidity::PolicyInput {
            intent: solidity::Intent { from, to, value, data, chainId },
            policyClient: self.policy_client,
            nonce: self.nonce,
            blockNumber: self.block.number,
            blockHash: self.block.hash,
            blockTimestamp: self.block.timestamp,
        }
        .abi_encode()
    }

    /// Decodes an input.
    ///
    /// # Errors
    ///
    /// [`InputError`] if the bytes are not exactly what [`encode`](Self::encode) returns.
    pub fn decode(bytes: &[u8]) -> Result<Self, InputError> {
        let decoded =
            solidity::PolicyInput::abi_decode(bytes).map_err(|error| InputError::Malformed(error.to_string()))?;
        let solidity::Intent { from, to, value, data, chainId } = decoded.intent;
        let input = Self {
            intent: Intent { from, to, value, data, chainId },
            policy_client: decoded.policyClient,
            nonce: decoded.nonce,
            block: ReferenceBlock {
                number: decoded.blockNumber,
                hash: decoded.blockHash,
                timestamp: decoded.blockTimestamp,
            },
        };
        if input.encode() == bytes { Ok(input) } else { Err(InputError::NotCanonical) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn example(data: Vec<u8>) -> PolicyInput {
        PolicyInput {
            intent: Intent {
                from: Address::repeat_byte(1),
                to: Address::repeat_byte(2),
                value: U256::from(3),
                data: data.into(),
                chainId: U256::from(4),
            },
            policy_client: Address::repeat_byte(2),
            nonce: U256::from(5),
            block: ReferenceBlock { number: U256::from(6), hash: B256::repeat_byte(7), timestamp: U256::from(8) },
        }
    }

    proptest! {
        #[test]
        fn an_input_is_decoded_to_itself(data: Vec<u8>) {
            let input = example(data);
            prop_assert_eq!(PolicyInput::decode(&input.encode()), Ok(input));
        }

        #[test]
        fn an_encoding_has_no_second_form(data: Vec<u8>, index: prop::sample::Index, bit in 0_u8..8) {
            let input = example(data);
            let mut bytes = input.encode();
            let length = bytes.len();
            bytes[index.index(length)] ^= 1 << bit;
            prop_assert_ne!(PolicyInput::decode(&bytes).ok(), Some(input));
        }
    }

    #[test]
    fn bytes_after_the_input_and_dirty_padding_are_refused() {
        let bytes = example(vec![1]).encode();
        assert!(PolicyInput::decode(&bytes).is_ok());
        let longer = [bytes.as_slice(), &[0; 32]].concat();
        assert!(PolicyInput::decode(&longer).is_err());
        let mut dirty = bytes;
        *dirty.last_mut().unwrap() = 1;
        assert!(PolicyInput::decode(&dirty).is_err());
    }
}
