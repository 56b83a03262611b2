//! What a final block says of a handover from one epoch to a later one.
//!
//! The command line, operators and gateways read it here, so that all of them demand the same.

use std::collections::{BTreeMap, BTreeSet};

use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    primitives::{Address, U256, aliases::U48, keccak256},
    providers::{DynProvider, Provider},
};
use assent_client::AssentClient;
use assent_contracts::{OperatorRegistry, deployment::MAX_EPOCH_LIFETIME};
use assent_verifier::{
    Epoch, EpochHandover, EpochId, HandoverError, MirrorState, OperatorSet, OperatorSetId, VerifiedHandover,
    verify_handover,
};
use futures_util::try_join;

use crate::{
    error::ChainViewError,
    shared::{ViewedBlock, read_block},
    view::ChainView,
};

const OPERATOR_REGISTRY: &str = "OperatorRegistry";

/// A handover to an epoch, as a final block of the home chain has it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FinalHandover {
    /// The handover.
    pub handover: EpochHandover,
    /// The epoch whose operators sign. It is valid until it expires, as on a mirror that waits for its successor.
    pub signing: Epoch,
    /// The operators of the epoch that is handed over to.
    pub next: OperatorSet,
    /// The timestamp of the latest block (Unix time).
    pub timestamp: u64,
}

/// The reason why operators do not sign a handover.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandoverFault {
    /// No final block has the epoch in force. It may be pending, or activated in a block that is not final yet.
    #[error("no final block of the home chain has epoch {epoch} in force")]
    NotFinal {
        /// The epoch that would be handed over to, or whose operators would sign.
        epoch: EpochId,
    },
    /// The epoch is revoked, in a final block or a later one, or was never in force.
    #[error("epoch {epoch} is revoked, or was never in force")]
    Revoked {
        /// The epoch that would be handed over to, or whose operators would sign.
        epoch: EpochId,
    },
    /// The epoch that would be handed over to has expired.
    #[error("epoch {epoch} expired at {expires_at}")]
    Expired {
        /// The epoch.
        epoch: EpochId,
        /// Its end (Unix time).
        expires_at: U48,
    },
    /// No epoch of the set is before it.
    #[error("epoch {epoch} is the first of operator set {operator_set}")]
    First {
        /// The epoch that would be handed over to.
        epoch: EpochId,
        /// Its operator set.
        operator_set: OperatorSetId,
    },
    /// The epoch that would sign is of another set, or not before the other.
    #[error("epoch {signed_by} is no earlier epoch of operator set {operator_set}")]
    WrongSigner {
        /// The epoch that would sign.
        signed_by: EpochId,
        /// The operator set of the epoch that would be handed over to.
        operator_set: OperatorSetId,
    },
    /// The epoch that would sign has expired.
    #[error("epoch {signed_by}, which would sign, expired at {expires_at}")]
    SignerExpired {
        /// The epoch.
        signed_by: EpochId,
        /// Its end (Unix time).
        expires_at: U48,
    },
    /// The contract holds epochs of another chain's registry, as an `EpochMirror` does.
    #[error("the contract at {registry} is no OperatorRegistry: hand over on the home chain of its epochs")]
    NotHome {
        /// The contract.
        registry: Address,
    },
    /// The chain could not be read.
    #[error(transparent)]
    Unread(#[from] ChainViewError),
}

/// What the registry has of an epoch. The fields are those of its contract.
struct Entry {
    is_empty: bool,
    operator_set: OperatorSetId,
    valid_until: U48,
    expires_at: U48,
}

/// A registry at a block.
struct Reader<'a> {
    client: &'a AssentClient<DynProvider>,
    registry: Address,
    block: BlockId,
}

impl ChainView {
    /// Reads a handover between epochs of the TaskManager's registry, as [`read_final_handover`] does.
    ///
    /// # Errors
    /// Every [`HandoverFault`].
    pub async fn final_handover(
        &self,
        epoch: EpochId,
        signed_by: Option<EpochId>,
    ) -> Result<FinalHandover, HandoverFault> {
        let registry = self.operator_registry().await?;
        read_final_handover(self.client(), registry, epoch, signed_by).await
    }
}

/// Reads a handover to an epoch in the node's final block. `signed_by` is the set's epoch before by default.
///
/// All that is signed is read in the final block: a handover to an epoch that a reorganization then replaces would be
/// an offence. An epoch that the latest block has revoked, or that has expired there, is refused as well.
///
/// # Errors
/// Every [`HandoverFault`].
pub async fn read_final_handover(
    client: &AssentClient<DynProvider>,
    registry: Address,
    epoch: EpochId,
    signed_by: Option<EpochId>,
) -> Result<FinalHandover, HandoverFault> {
    let unread = |error| HandoverFault::Unread(ChainViewError::of_node(error));
    let home_chain = U256::from(client.chain_id().await.map_err(unread)?);
    let read = |block| read_block(client.provider(), block);
    let (last, latest) = try_join!(read(BlockNumberOrTag::Finalized), read(BlockNumberOrTag::Latest))?;
    let (last, latest) = (last.ok_or(ChainViewError::NoFinalBlock)?, latest.ok_or(ChainViewError::NoBlock)?);
    let reader = |block: ViewedBlock| Reader { client, registry, block: BlockId::hash_canonical(block.hash) };
    let (now, timestamp) = (reader(latest), latest.timestamp);
    let at_last = reader(last);
    let code = client.provider().get_code_at(registry).block_id(at_last.block).await;
    if code.map_err(ChainViewError::from)?.is_empty() {
        return Err(HandoverFault::NotFinal { epoch });
    }

    let next = at_last.entry_in_force(epoch).await?;
    let operator_set = next.operator_set;
    now.require_valid(epoch).await?;
    if next.expires_at.to::<u64>() <= timestamp {
        return Err(HandoverFault::Expired { epoch, expires_at: next.expires_at });
    }
    let signed_by = match signed_by {
        Some(number) => number,
        None => at_last.epoch_before(epoch, operator_set, timestamp).await?,
    };
    if signed_by >= epoch || at_last.entry(signed_by).await?.operator_set != operator_set {
        return Err(HandoverFault::WrongSigner { signed_by, operator_set });
    }
    let signer = at_last.entry_in_force(signed_by).await?;
    now.require_valid(signed_by).await?;
    if signer.expires_at.to::<u64>() <= timestamp {
        return Err(HandoverFault::SignerExpired { signed_by, expires_at: signer.expires_at });
    }

    let (next_epoch, signing) = try_join!(at_last.epoch(epoch), at_last.epoch(signed_by))?;
    let committed_at = at_last.committed_at(epoch).await?;
    let handover = EpochHandover {
        home_chain,
        home_registry: registry,
        operator_set,
        signed_by,
        epoch,
        committed_at,
        expires_at: next.expires_at,
        content_hash: next_epoch.operators.content_hash(),
    };
    let signing = Epoch { valid_until: signer.expires_at, ..signing };
    Ok(FinalHandover { handover, signing, next: next_epoch.operators, timestamp })
}

impl FinalHandover {
    /// Verifies that the signing epoch's operators signed the handover, as a mirror that has this epoch does.
    ///
    /// # Errors
    /// Every [`HandoverError`].
    pub fn verify(&self, quorum: u16, non_signers: &[u8], signature: &[u8]) -> Result<VerifiedHandover, HandoverError> {
        let EpochHandover { home_chain, home_registry, .. } = self.handover;
        let state = MirrorState {
            home_chain,
            home_registry,
            quorum,
            halt_quorum: quorum,
            timestamp: self.timestamp,
            epochs: vec![self.signing.clone()],
            revoked_ahead: BTreeSet::new(),
            stored_tables: BTreeMap::new(),
        };
        self.verify_for(state, non_signers, signature)
    }

    /// Verifies the handover for a mirror, to which the full tables of the epoch may not be given yet.
    ///
    /// They are stored there only for a handover that is valid otherwise.
    ///
    /// # Errors
    /// Every [`HandoverError`].
    pub fn verify_for(
        &self,
        mut state: MirrorState,
        non_signers: &[u8],
        signature: &[u8],
    ) -> Result<VerifiedHandover, HandoverError> {
        let table = offer_tables(&mut state, &self.next)?;
        verify_handover(&state, &self.handover, &table, non_signers, signature)
    }
}

/// Lets a mirror's state have the full tables of an epoch, at addresses that stand for those that they will get.
///
/// Returns the epoch's table with these addresses, to be verified with that state and then replaced.
///
/// # Errors
/// [`HandoverError::MalformedTable`], which no valid set has.
pub fn offer_tables(state: &mut MirrorState, operators: &OperatorSet) -> Result<Vec<u8>, HandoverError> {
    let placeholders = (0u64..).map(|index| Address::left_padding_from(&index.saturating_add(1).to_be_bytes()));
    let stored = placeholders.zip(operators.full_tables());
    state.stored_tables = stored.map(|(address, entries)| (address, keccak256(entries))).collect();
    let addresses: Vec<Address> = state.stored_tables.keys().copied().collect();
    operators.mirror_table(&addresses).map_err(|_| HandoverError::MalformedTable)
}

impl Reader<'_> {
    /// Reads an epoch that was activated and is not revoked.
    async fn entry_in_force(&self, epoch: EpochId) -> Result<Entry, HandoverFault> {
        let entry = self.entry(epoch).await?;
        if entry.is_empty {
            return Err(HandoverFault::NotFinal { epoch });
        }
        // A mirror has no pending epochs: only the registry that it mirrors says what its epochs are.
        let contract = OperatorRegistry::new(self.registry, self.client.provider());
        let pending = contract.pendingEpoch(entry.operator_set.into()).block(self.block).call().await;
        let pending = pending.map_err(|error| match self.unexpected(&error) {
            ChainViewError::WrongContract { .. } => HandoverFault::NotHome { registry: self.registry },
            error => HandoverFault::Unread(error),
        })?;
        if !entry.valid_until.is_zero() {
            return Ok(entry);
        }
        Err(match EpochId(pending.epoch) == epoch {
            true => HandoverFault::NotFinal { epoch },
            false => HandoverFault::Revoked { epoch },
        })
    }

    /// Requires that an epoch is not revoked.
    async fn require_valid(&self, epoch: EpochId) -> Result<(), HandoverFault> {
        match self.entry(epoch).await?.valid_until.is_zero() {
            true => Err(HandoverFault::Revoked { epoch }),
            false => Ok(()),
        }
    }

    /// Returns the set's last epoch before another that was in force.
    async fn epoch_before(
        &self,
        epoch: EpochId,
        operator_set: OperatorSetId,
        timestamp: u64,
    ) -> Result<EpochId, HandoverFault> {
        for number in (1..epoch.0).rev().map(EpochId) {
            let entry = self.entry(number).await?;
            if entry.operator_set == operator_set && !entry.valid_until.is_zero() {
                return Ok(number);
            }
            // It was committed before it expired, and each earlier one before that.
            if entry.expires_at.saturating_add(MAX_EPOCH_LIFETIME).to::<u64>() < timestamp {
                break;
            }
        }
        Err(HandoverFault::First { epoch, operator_set })
    }

    async fn entry(&self, epoch: EpochId) -> Result<Entry, ChainViewError> {
        let contract = OperatorRegistry::new(self.registry, self.client.provider());
        let entry = contract.epochs(epoch.into()).block(self.block).call().await;
        let entry = entry.map_err(|error| self.unexpected(&error))?;
        Ok(Entry {
            is_empty: entry.table.is_zero(),
            operator_set: OperatorSetId(entry.operatorSet),
            valid_until: entry.validUntil,
            expires_at: entry.expiresAt,
        })
    }

    async fn committed_at(&self, epoch: EpochId) -> Result<U48, ChainViewError> {
        let contract = OperatorRegistry::new(self.registry, self.client.provider());
        let committed_at = contract.committedAt(epoch.into()).block(self.block).call().await;
        committed_at.map_err(|error| self.unexpected(&error))
    }

    async fn epoch(&self, epoch: EpochId) -> Result<Epoch, ChainViewError> {
        let epoch = self.client.read_epoch_at(self.registry, epoch, self.block).await;
        epoch.map_err(|error| ChainViewError::of_read(self.registry, OPERATOR_REGISTRY, error))
    }

    fn unexpected(&self, error: &alloy::contract::Error) -> ChainViewError {
        ChainViewError::of_call(self.registry, OPERATOR_REGISTRY, error)
    }
}
