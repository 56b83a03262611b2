//! The approval with which a set's current quorum lets its next epoch count at once.

use alloy_primitives::{Address, B256, U256, aliases::U48};
use alloy_sol_types::SolStruct;

use crate::{EpochId, OperatorSetId, digest::domain};

mod typed_data {
    #![allow(missing_docs)]
    alloy_sol_types::sol! {
        struct EpochApproval {
            address registry;
            uint32 operatorSet;
            uint32 signedBy;
            bytes32 setHash;
            uint48 deadline;
        }
    } // sol!
}

/// The approval of a set's next operators by its current ones, signed under [`EPOCH_APPROVAL_TAG`].
///
/// [`EPOCH_APPROVAL_TAG`]: crate::digest::EPOCH_APPROVAL_TAG
///
/// ```
/// use alloy_primitives::{B256, U256, address, aliases::U48};
/// use assent_types::{EpochApproval, EpochId, OperatorSetId};
///
/// let approval = EpochApproval {
///     registry: address!("0x00000000000000000000000000000000000000b2"),
///     operator_set: OperatorSetId(1),
///     signed_by: EpochId(4),
///     set_hash: B256::repeat_byte(5), // Of the next operators.
///     deadline: U48::from(1_800_000_000),
/// };
/// // What each operator of epoch 4 signs; another chain's registry takes another signature.
/// assert_ne!(approval.digest(U256::from(1)), approval.digest(U256::from(10)));
/// ```
// Complete: these are the fields of the EIP-712 type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EpochApproval {
    /// The OperatorRegistry.
    pub registry: Address,
    /// The operator set.
    pub operator_set: OperatorSetId,
    /// The epoch whose operators sign: the set's latest.
    pub signed_by: EpochId,
    /// The next operators, by `OperatorSet::set_hash` of assent-verifier.
    pub set_hash: B256,
    /// The first second at which it is no longer valid (Unix time).
    pub deadline: U48,
}

impl EpochApproval {
    /// The least share of the signing epoch's weight, in basis points.
    pub const QUORUM: u16 = 6667;

    /// Returns the EIP-712 digest that the operators sign, for the registry on the chain `chain_id`.
    pub fn digest(&self, chain_id: U256) -> B256 {
        let Self { registry, operator_set, signed_by, set_hash, deadline } = *self;
        typed_data::EpochApproval {
            registry,
            operatorSet: operator_set.into(),
            signedBy: signed_by.into(),
            setHash: set_hash,
            deadline,
        }
        .eip712_signing_hash(&domain(chain_id, registry))
    }
}
