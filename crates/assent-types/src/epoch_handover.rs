//! What an epoch's operators sign about epochs, for all chains at once.

use alloy_primitives::{Address, B256, U256, aliases::U48};
use alloy_sol_types::SolStruct;

use crate::{EpochId, OperatorSetId, digest::epoch_domain};

mod typed_data {
    #![allow(missing_docs)]
    alloy_sol_types::sol! {
        struct EpochHandover {
            uint256 homeChain;
            address homeRegistry;
            uint32 operatorSet;
            uint32 signedBy;
            uint32 epoch;
            uint48 committedAt;
            uint48 expiresAt;
            bytes32 contentHash;
        }

        struct EpochRevocation {
            uint256 homeChain;
            address homeRegistry;
            uint32 epoch;
        }
    } // sol!
}

/// The statement of an epoch's operators that another epoch follows it, signed under [`EPOCH_HANDOVER_TAG`].
///
/// One signature is valid on every chain. A false one is an offence, which is proved at home.
///
/// [`EPOCH_HANDOVER_TAG`]: crate::digest::EPOCH_HANDOVER_TAG
///
/// ```
/// use alloy_primitives::{B256, U256, address, aliases::U48};
/// use assent_types::{EpochHandover, EpochId, OperatorSetId};
///
/// let handover = EpochHandover {
///     home_chain: U256::from(1),
///     home_registry: address!("0x00000000000000000000000000000000000000b2"),
///     operator_set: OperatorSetId(1),
///     signed_by: EpochId(4),
///     epoch: EpochId(6), // Epochs can be skipped.
///     committed_at: U48::from(1_799_400_000),
///     expires_at: U48::from(1_800_000_000),
///     content_hash: B256::repeat_byte(5),
/// };
/// let later = EpochHandover { signed_by: EpochId(5), ..handover };
/// assert_ne!(handover.digest(), later.digest());
/// // Both say the same of epoch 6.
/// assert_eq!(handover.content_digest(), later.content_digest());
/// ```
// Complete: these are the fields of the EIP-712 type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EpochHandover {
    /// The chain of the registry.
    pub home_chain: U256,
    /// The OperatorRegistry that committed both epochs.
    pub home_registry: Address,
    /// The operator set of both.
    pub operator_set: OperatorSetId,
    /// The epoch whose operators sign.
    pub signed_by: EpochId,
    /// The epoch that follows it, perhaps with others between.
    pub epoch: EpochId,
    /// When its first weights were read (Unix time), `committedAt` in the registry. Its lifetime counts from then.
    pub committed_at: U48,
    /// The end of that epoch (Unix time), `expiresAt` in the registry.
    pub expires_at: U48,
    /// What its operator tables hold, by `OperatorSet::content_hash` of assent-verifier.
    pub content_hash: B256,
}

impl EpochHandover {
    /// Returns the EIP-712 digest that the operators sign.
    pub fn digest(&self) -> B256 {
        let Self { home_chain, home_registry, operator_set, signed_by, epoch, committed_at, expires_at, content_hash } =
            *self;
        typed_data::EpochHandover {
            homeChain: home_chain,
            homeRegistry: home_registry,
            operatorSet: operator_set.into(),
            signedBy: signed_by.into(),
            epoch: epoch.into(),
            committedAt: committed_at,
            expiresAt: expires_at,
            contentHash: content_hash,
        }
        .eip712_signing_hash(&epoch_domain())
    }

    /// Returns the digest of what it says of the epoch, for all signers: that of a handover which epoch 0 would sign.
    ///
    /// An operator says only one thing of an epoch, ever. There is no epoch 0, so no one signs this digest itself.
    pub fn content_digest(&self) -> B256 {
        Self { signed_by: EpochId(0), ..*self }.digest()
    }
}

/// The statement of an epoch's operators that the epoch is revoked, signed under [`EPOCH_HANDOVER_TAG`].
///
/// One signature is valid on every chain, at home too, and has no end.
///
/// [`EPOCH_HANDOVER_TAG`]: crate::digest::EPOCH_HANDOVER_TAG
///
/// ```
/// use alloy_primitives::{U256, address};
/// use assent_types::{EpochId, EpochRevocation};
///
/// let home_registry = address!("0x00000000000000000000000000000000000000b2");
/// let revocation = EpochRevocation { home_chain: U256::from(1), home_registry, epoch: EpochId(4) };
/// assert_ne!(revocation.digest(), EpochRevocation { epoch: EpochId(5), ..revocation }.digest());
/// ```
// Complete: these are the fields of the EIP-712 type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EpochRevocation {
    /// The chain of the registry.
    pub home_chain: U256,
    /// The OperatorRegistry that committed the epoch.
    pub home_registry: Address,
    /// The epoch, whose own operators sign.
    pub epoch: EpochId,
}

impl EpochRevocation {
    /// Returns the EIP-712 digest that the operators sign.
    pub fn digest(&self) -> B256 {
        let Self { home_chain, home_registry, epoch } = *self;
        typed_data::EpochRevocation { homeChain: home_chain, homeRegistry: home_registry, epoch: epoch.into() }
            .eip712_signing_hash(&epoch_domain())
    }
}
