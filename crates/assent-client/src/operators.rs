//! Running an operator registry: the transactions of operators and of the owner.

use crate::{AssentClient, ClientError, PreparedCall};
use alloy::{
    primitives::{
        Address,
        aliases::{U48, U96},
    },
    providers::Provider,
    rpc::types::TransactionReceipt,
    sol_types::SolCall,
};
use assent_contracts::{OperatorRegistry, OwnerStakeSource};
use assent_verifier::{PublicKey, Signature};

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
/// use assent_client::CommittedEpoch;
///
/// let registry = fixture.deployment.operator_registry.address;
/// let CommittedEpoch { number, receipts } = client.commit_epoch(registry, OWNER, 1, &[OPERATOR]).await?;
/// assert_eq!((number, receipts.len()), (2, 1)); // The first was committed before.
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct CommittedEpoch {
    /// Its number.
    pub number: u32,
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
        operator_set: u32,
        weights: &[(Address, U96)],
    ) -> Result<TransactionReceipt, ClientError> {
        let (operators, weights) = weights.iter().copied().unzip();
        let call = OwnerStakeSource::setWeightsCall { operatorSet: operator_set, operators, weights };
        self.send_call(owner, owner_stake_source, &call).await
    }

    /// Commits registered operators with weight in a set, in any order, as the set's next epoch. `owner` owns the
    /// registry.
    ///
    /// It takes one transaction for every 100 operators. Operators that an interrupted attempt left staged are
    /// discarded.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send): [`ClientError::Reverted`] when an operator is named twice, is not registered or has no
    /// weight, or when there is no operator or more than 2,000; [`ClientError::UnexpectedAnswer`] when `registry` is
    /// not an OperatorRegistry.
    pub async fn commit_epoch(
        &self,
        registry: Address,
        owner: Address,
        operator_set: u32,
        operators: &[Address],
    ) -> Result<CommittedEpoch, ClientError> {
        let mut operators = operators.to_vec();
        operators.sort_unstable();
        let in_earlier_tables = operators.len().saturating_sub(1) / TABLE_CAPACITY * TABLE_CAPACITY;
        let (earlier, last) = operators.split_at(in_earlier_tables);

        let mut receipts = self.discard_staged(registry, owner, operator_set).await?;
        for table in earlier.chunks(TABLE_CAPACITY) {
            let stage = OperatorRegistry::stageOperatorsCall { operatorSet: operator_set, operators: table.to_vec() };
            receipts.push(self.send_call(owner, registry, &stage).await?);
        }
        let commit = OperatorRegistry::commitEpochCall { operatorSet: operator_set, operators: last.to_vec() };
        let receipt = self.send_call(owner, registry, &commit).await?;
        let number = committed_epoch(registry, &receipt)?;
        receipts.push(receipt);
        Ok(CommittedEpoch { number, receipts })
    }

    /// Revokes an epoch at once: its attestations are no longer valid. `owner` owns the registry.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send): [`ClientError::Reverted`] when there is no such epoch.
    pub async fn revoke_epoch(
        &self,
        registry: Address,
        owner: Address,
        epoch: u32,
    ) -> Result<TransactionReceipt, ClientError> {
        self.send_call(owner, registry, &OperatorRegistry::revokeEpochCall { epoch }).await
    }

    /// Sets how long, in seconds, a superseded epoch stays valid. `owner` owns the registry.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send): [`ClientError::Reverted`] above 30 days.
    pub async fn set_grace_period(
        &self,
        registry: Address,
        owner: Address,
        grace_period: U48,
    ) -> Result<TransactionReceipt, ClientError> {
        let call = OperatorRegistry::setGracePeriodCall { newGracePeriod: grace_period };
        self.send_call(owner, registry, &call).await
    }

    async fn discard_staged(
        &self,
        registry: Address,
        owner: Address,
        operator_set: u32,
    ) -> Result<Vec<TransactionReceipt>, ClientError> {
        let staged = OperatorRegistry::new(registry, &self.provider)
            .stagedTables(operator_set)
            .call()
            .await
            .map_err(|error| ClientError::from_contract(registry, "OperatorRegistry", error))?;
        if staged.is_empty() {
            return Ok(Vec::new());
        }
        let discard = OperatorRegistry::discardStagedOperatorsCall { operatorSet: operator_set };
        Ok(vec![self.send_call(owner, registry, &discard).await?])
    }

    /// Sends a call to an address that must have code.
    pub(crate) async fn send_call(
        &self,
        from: Address,
        contract: Address,
        call: &impl SolCall,
    ) -> Result<TransactionReceipt, ClientError> {
        self.require_contract(contract).await?;
        self.send(&PreparedCall::new(from, contract, call.abi_encode())).await
    }
}

fn committed_epoch(registry: Address, receipt: &TransactionReceipt) -> Result<u32, ClientError> {
    receipt
        .logs()
        .iter()
        .filter(|log| log.address() == registry)
        .find_map(|log| log.log_decode_validate::<OperatorRegistry::EpochCommitted>().ok())
        .map(|log| log.inner.data.epoch)
        .ok_or(ClientError::MissingEffect {
            transaction: receipt.transaction_hash,
            missing: "the event EpochCommitted",
        })
}
