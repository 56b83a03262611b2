//! Running an operator registry: the transactions of operators and of the owner.

use crate::{AssentClient, ClientError, PreparedCall};
use alloy::{
    primitives::{
        Address, Bytes,
        aliases::{U48, U96},
    },
    providers::Provider,
    rpc::types::TransactionReceipt,
    sol_types::{SolCall, SolEvent},
};
use assent_contracts::{OperatorRegistry, OwnerStakeSource, deployment::Delays};
use assent_verifier::{EpochId, NonSigners, OperatorSetId, PublicKey, Signature};

/// The number of operators in a table, which one transaction writes.
const TABLE_CAPACITY: usize = 100;

/// A committed epoch. Complete: it is what the caller needs of the transactions.
///
/// ```
/// # mod fixture { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/fixture.rs")); }
/// # use fixture::{AGENT, OPERATOR, OWNER, Fixture};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), fixture::Failure> {
/// # let fixture = Fixture::new().await?;
/// # let (client, vault, token) = (&fixture.client, fixture.vault, fixture.token);
/// use assent_verifier::{EpochId, OperatorSetId};
///
/// let registry = fixture.deployment.operator_registry.address;
/// let committed = client.commit_epoch(registry, OWNER, OperatorSetId(1), &[OPERATOR, AGENT]).await?;
/// assert_eq!((committed.number, committed.receipts.len()), (EpochId(2), 1)); // The first was committed before.
/// assert_eq!(committed.skipped, [AGENT]); // It is not an operator.
/// // The set has an epoch in force, so the next one is pending.
/// assert!(committed.activates_at.is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct CommittedEpoch {
    /// Its number.
    pub number: EpochId,
    /// When it can be activated (Unix time); `None` when it is in force.
    pub activates_at: Option<U48>,
    /// The named operators that are not in it: they had no valid key or no weight.
    pub skipped: Vec<Address>,
    /// The receipt of each transaction; the last one committed the epoch.
    pub receipts: Vec<TransactionReceipt>,
}

impl<P: Provider> AssentClient<P> {
    /// Registers `operator`, which sends the transaction, with a key and its proof of possession.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send): [`ClientError::Reverted`] for an invalid proof, a key used before, or an operator that
    /// is already registered.
    pub async fn register_operator(
        &self,
        registry: Address,
        operator: Address,
        public_key: &PublicKey,
        proof_of_possession: &Signature,
    ) -> Result<TransactionReceipt, ClientError> {
        let call = OperatorRegistry::registerOperatorCall {
            publicKey: public_key.0.into(),
            proofOfPossession: proof_of_possession.0.into(),
        };
        self.send_call(operator, registry, &call).await
    }

    /// Replaces an operator's key in later epochs. `operator` sends the transaction.
    ///
    /// # Errors
    ///
    /// As [`register_operator`](Self::register_operator).
    pub async fn rotate_key(
        &self,
        registry: Address,
        operator: Address,
        public_key: &PublicKey,
        proof_of_possession: &Signature,
    ) -> Result<TransactionReceipt, ClientError> {
        let call = OperatorRegistry::rotateKeyCall {
            publicKey: public_key.0.into(),
            proofOfPossession: proof_of_possession.0.into(),
        };
        self.send_call(operator, registry, &call).await
    }

    /// Removes an operator from the registry and from later epochs. `operator` sends the transaction.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send): [`ClientError::Reverted`] when it is not registered.
    pub async fn deregister_operator(
        &self,
        registry: Address,
        operator: Address,
    ) -> Result<TransactionReceipt, ClientError> {
        self.send_call(operator, registry, &OperatorRegistry::deregisterOperatorCall {}).await
    }

    /// Sets operators' weights in a set; zero removes an operator from it. `owner` owns the OwnerStakeSource. Weights
    /// take effect in the next epoch.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn set_weights(
        &self,
        owner_stake_source: Address,
        owner: Address,
        operator_set: OperatorSetId,
        weights: &[(Address, U96)],
    ) -> Result<TransactionReceipt, ClientError> {
        let (operators, weights) = weights.iter().copied().unzip();
        let call = OwnerStakeSource::setWeightsCall { operatorSet: operator_set.into(), operators, weights };
        self.send_call(owner, owner_stake_source, &call).await
    }

    /// Disables an operator's key: later epochs skip the operator until it rotates. `operator` sends the transaction.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send): [`ClientError::Reverted`] when it is not registered, or has disabled its key already.
    pub async fn disable_key(&self, registry: Address, operator: Address) -> Result<TransactionReceipt, ClientError> {
        self.send_call(operator, registry, &OperatorRegistry::disableKeyCall {}).await
    }

    /// Reads the key with which an operator enters the next epoch; `None` if it is not registered or has disabled its
    /// key.
    ///
    /// # Errors
    ///
    /// [`ClientError::UnexpectedAnswer`] when `registry` is not an OperatorRegistry; [`ClientError::Transport`].
    pub async fn read_key(&self, registry: Address, operator: Address) -> Result<Option<PublicKey>, ClientError> {
        let key = OperatorRegistry::new(registry, &self.provider)
            .publicKeyOf(operator)
            .call()
            .await
            .map_err(|error| ClientError::from_contract(registry, "OperatorRegistry", error))?;
        Ok(PublicKey::try_from(key.as_ref()).ok())
    }

    /// Reads the delays of a registry.
    ///
    /// # Errors
    ///
    /// As [`read_key`](Self::read_key).
    pub async fn read_delays(&self, registry: Address) -> Result<Delays, ClientError> {
        let contract = OperatorRegistry::new(registry, &self.provider);
        let unexpected = |error| ClientError::from_contract(registry, "OperatorRegistry", error);
        Ok(Delays {
            epoch_lifetime: contract.epochLifetime().call().await.map_err(unexpected)?,
            activation_delay: contract.activationDelay().call().await.map_err(unexpected)?,
            grace_period: contract.gracePeriod().call().await.map_err(unexpected)?,
        })
    }

    /// Commits operators with a key and weight in a set, in any order, as the set's next epoch. `owner` owns the
    /// registry.
    ///
    /// The set's first epoch is in force at once. A later one is pending: see [`activate_epoch`](Self::activate_epoch)
    /// and [`approve_epoch`](Self::approve_epoch). Operators without a key or weight are skipped.
    ///
    /// It takes one transaction for every 100 operators. Operators that an interrupted attempt left staged are
    /// discarded.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send): [`ClientError::Reverted`] when an operator is named twice, all are skipped, there are
    /// more than 2,000, or an epoch of the set is pending; [`ClientError::UnexpectedAnswer`] when `registry` is not an
    /// OperatorRegistry.
    pub async fn commit_epoch(
        &self,
        registry: Address,
        owner: Address,
        operator_set: OperatorSetId,
        operators: &[Address],
    ) -> Result<CommittedEpoch, ClientError> {
        let mut operators = operators.to_vec();
        operators.sort_unstable();
        let mut rest = operators.as_slice();

        let mut receipts = self.discard_staged(registry, owner, operator_set).await?;
        while rest.len() > TABLE_CAPACITY {
            let (named, _) = rest.split_at(rest.len().min(2 * TABLE_CAPACITY));
            let stage =
                OperatorRegistry::stageOperatorsCall { operatorSet: operator_set.into(), operators: named.to_vec() };
            let receipt = self.send_call(owner, registry, &stage).await?;
            let staged: OperatorRegistry::OperatorsStaged = event(registry, &receipt, "the event OperatorsStaged")?;
            rest = rest.split_at(rest.partition_point(|operator| *operator <= staged.lastOperator)).1;
            receipts.push(receipt);
        }
        let commit = OperatorRegistry::commitEpochCall { operatorSet: operator_set.into(), operators: rest.to_vec() };
        let receipt = self.send_call(owner, registry, &commit).await?;
        let committed: OperatorRegistry::EpochCommitted = event(registry, &receipt, "the event EpochCommitted")?;
        let in_force = events::<OperatorRegistry::EpochActivated>(registry, &receipt).next().is_some();
        receipts.push(receipt);
        let skipped = receipts
            .iter()
            .flat_map(|receipt| events::<OperatorRegistry::OperatorSkipped>(registry, receipt))
            .map(|skipped| skipped.operator)
            .collect();
        let activates_at = (!in_force).then_some(committed.activatesAt);
        Ok(CommittedEpoch { number: committed.epoch.into(), activates_at, skipped, receipts })
    }

    /// Activates a pending epoch whose delay is over. Permissionless: `from` pays.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send): [`ClientError::Reverted`] when the epoch is not pending, its delay is not over, or it
    /// has expired.
    pub async fn activate_epoch(
        &self,
        registry: Address,
        from: Address,
        epoch: EpochId,
    ) -> Result<TransactionReceipt, ClientError> {
        self.send_call(from, registry, &OperatorRegistry::activateEpochCall { epoch: epoch.into() }).await
    }

    /// Activates a pending epoch at once, with the approval of its set's latest epoch. Permissionless: `from` pays.
    ///
    /// `deadline` is the approval's; `signature` and `non_signers` are of an aggregate of the approval's digest.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send): [`ClientError::Reverted`] when the epoch is not pending, the approval is invalid, or
    /// too few operators signed it.
    pub async fn approve_epoch(
        &self,
        registry: Address,
        from: Address,
        epoch: EpochId,
        deadline: U48,
        signature: &Signature,
        non_signers: &NonSigners,
    ) -> Result<TransactionReceipt, ClientError> {
        let approval = OperatorRegistry::EpochApproval {
            deadline,
            signature: signature.0.into(),
            nonSigners: non_signers.as_bytes().to_vec().into(),
        };
        self.send_call(from, registry, &OperatorRegistry::approveEpochCall { epoch: epoch.into(), approval }).await
    }

    /// Revokes epochs, pending or not: nothing that they signed is valid any more. `owner` owns the registry.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send): [`ClientError::Reverted`] when there is no such epoch.
    pub async fn revoke_epochs(
        &self,
        registry: Address,
        owner: Address,
        epochs: &[EpochId],
    ) -> Result<TransactionReceipt, ClientError> {
        let revoked = epochs.iter().copied().map(u32::from).collect();
        self.send_call(owner, registry, &OperatorRegistry::revokeEpochsCall { revoked }).await
    }

    /// Revokes all epochs of an operator set, the pending one included, and discards its staged operators. `owner` owns
    /// the registry.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn revoke_operator_set(
        &self,
        registry: Address,
        owner: Address,
        operator_set: OperatorSetId,
    ) -> Result<TransactionReceipt, ClientError> {
        let revoke = OperatorRegistry::revokeOperatorSetCall { operatorSet: operator_set.into() };
        self.send_call(owner, registry, &revoke).await
    }

    async fn discard_staged(
        &self,
        registry: Address,
        owner: Address,
        operator_set: OperatorSetId,
    ) -> Result<Vec<TransactionReceipt>, ClientError> {
        let staged = OperatorRegistry::new(registry, &self.provider)
            .stagedTables(operator_set.into())
            .call()
            .await
            .map_err(|error| ClientError::from_contract(registry, "OperatorRegistry", error))?;
        if staged.is_empty() {
            return Ok(Vec::new());
        }
        let discard = OperatorRegistry::discardStagedOperatorsCall { operatorSet: operator_set.into() };
        Ok(vec![self.send_call(owner, registry, &discard).await?])
    }

    /// Sends a call to an address that must have code.
    pub(crate) async fn send_call(
        &self,
        from: Address,
        contract: Address,
        call: &impl SolCall,
    ) -> Result<TransactionReceipt, ClientError> {
        self.send_calldata(from, contract, call.abi_encode().into()).await
    }

    /// Sends calldata to an address that must have code.
    pub(crate) async fn send_calldata(
        &self,
        from: Address,
        contract: Address,
        calldata: Bytes,
    ) -> Result<TransactionReceipt, ClientError> {
        self.require_contract(contract).await?;
        self.send(&PreparedCall::new(from, contract, calldata)).await
    }
}

/// Returns the first event of its kind.
pub(crate) fn event<E: SolEvent>(
    registry: Address,
    receipt: &TransactionReceipt,
    missing: &'static str,
) -> Result<E, ClientError> {
    events(registry, receipt)
        .next()
        .ok_or(ClientError::MissingEffect { transaction: receipt.transaction_hash, missing })
}

fn events<E: SolEvent>(registry: Address, receipt: &TransactionReceipt) -> impl Iterator<Item = E> {
    let logs = receipt.logs().iter().filter(move |log| log.address() == registry);
    logs.filter_map(|log| log.log_decode_validate::<E>().ok()).map(|log| log.inner.data)
}
