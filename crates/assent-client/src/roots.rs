//! Recorded roots, which are verified once on chain; calls under them need no signature.

use crate::{AssentClient, ClientError};
use alloy::{
    eips::BlockId,
    primitives::{Address, B256},
    providers::Provider,
    rpc::types::TransactionReceipt,
};
use assent_contracts::TaskManager;
use assent_verifier::{AttestationDocument, EpochId, NonSigners, RecordedRoot, RecordedRoots, Signature};

/// The roots that one transaction records: each takes about 70,000 gas, and a transaction at most 2^24 (EIP-7825).
const ROOTS_AT_ONCE: usize = 100;

/// A Merkle root and its aggregate signature. Complete: it is what the TaskManager takes.
///
/// ```
/// # mod fixture { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/fixture.rs")); }
/// # use fixture::{AGENT, OPERATOR, OWNER, Fixture};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), fixture::Failure> {
/// # let fixture = Fixture::new().await?;
/// # let (client, vault, token) = (&fixture.client, fixture.vault, fixture.token);
/// use assent_client::{PreparedCall, SignedRoot};
///
/// // `fixture.attest` acts as the operators, who sign roots of one or many attestations.
/// let intent = PreparedCall::new(AGENT, token, []).intent(client.chain_id().await?);
/// let document = fixture.attest(&intent, 1)?;
/// let signed_root = SignedRoot::from(&document);
/// assert_eq!(signed_root.root, document.root());
/// assert!(signed_root.non_signers.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRoot {
    /// The root that the operators signed.
    pub root: B256,
    /// The aggregate signature.
    pub signature: Signature,
    /// The operators that did not sign.
    pub non_signers: NonSigners,
}

impl From<&AttestationDocument> for SignedRoot {
    fn from(document: &AttestationDocument) -> Self {
        Self { root: document.root(), signature: document.signature, non_signers: document.non_signers.clone() }
    }
}

impl<P: Provider> AssentClient<P> {
    /// Has a TaskManager verify and record a root. Permissionless: `from` pays.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send): [`ClientError::Reverted`] with the refusal of checks 8 to 11. The quorum is the
    /// minimum, 5,001 basis points.
    pub async fn record_root(
        &self,
        from: Address,
        task_manager: Address,
        epoch: EpochId,
        root: &SignedRoot,
    ) -> Result<TransactionReceipt, ClientError> {
        let call = TaskManager::recordRootCall { number: epoch.into(), signedRoot: root.into() };
        self.send_call(from, task_manager, &call).await
    }

    /// Records many roots of one epoch, in one transaction for every 100 roots.
    ///
    /// Each transaction verifies its roots with one product of pairings.
    ///
    /// ```
    /// # mod fixture { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/fixture.rs")); }
    /// # use fixture::{AGENT, OPERATOR, OWNER, Fixture};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), fixture::Failure> {
    /// # let fixture = Fixture::new().await?;
    /// # let (client, vault, token) = (&fixture.client, fixture.vault, fixture.token);
    /// use alloy::{primitives::U256, sol_types::SolCall};
    /// use assent_client::{PreparedCall, SignedRoot};
    /// use assent_examples::{ExampleToken, execute_call};
    /// use assent_verifier::EpochId;
    ///
    /// // Two payments, attested separately. `fixture.attest` acts as the operators.
    /// let task_manager = fixture.deployment.task_manager.address;
    /// let transfer = ExampleToken::transferCall { to: OWNER, value: U256::from(40) };
    /// let intent = PreparedCall::new(AGENT, token, transfer.abi_encode()).intent(client.chain_id().await?);
    /// let documents = [fixture.attest(&intent, 1)?, fixture.attest(&intent, 2)?];
    ///
    /// // Any account records the roots in advance …
    /// let roots = documents.each_ref().map(SignedRoot::from);
    /// client.record_root(OWNER, task_manager, EpochId(1), &roots[0]).await?;
    /// client.record_roots(OWNER, task_manager, EpochId(1), &roots[1..]).await?;
    /// let names = roots.each_ref().map(|signed| (EpochId(1), signed.root));
    /// let recorded = client.read_recorded_roots(task_manager, &names).await?;
    /// assert_eq!(recorded.iter().count(), 2);
    ///
    /// // … and each payment is made without its signature.
    /// let call = execute_call(vault, &intent, &documents[1].recorded_authorization()?);
    /// let receipt = client.send(&call).await?;
    /// assert!(receipt.status());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`record_root`](Self::record_root). One invalid root makes its whole transaction revert; the transactions
    /// before it stay recorded.
    pub async fn record_roots(
        &self,
        from: Address,
        task_manager: Address,
        epoch: EpochId,
        roots: &[SignedRoot],
    ) -> Result<Vec<TransactionReceipt>, ClientError> {
        // Each change of the non-signers from one root to the next costs a pairing.
        let mut roots = roots.iter().collect::<Vec<_>>();
        roots.sort_by(|one, other| one.non_signers.as_bytes().cmp(other.non_signers.as_bytes()));
        let mut receipts = Vec::new();
        for roots in roots.chunks(ROOTS_AT_ONCE) {
            if let [root] = roots {
                receipts.push(self.record_root(from, task_manager, epoch, root).await?);
                continue;
            }
            let signed_roots = roots.iter().copied().map(TaskManager::SignedRoot::from).collect();
            let call = TaskManager::recordRootsCall { number: epoch.into(), signedRoots: signed_roots };
            receipts.push(self.send_call(from, task_manager, &call).await?);
        }
        Ok(receipts)
    }

    /// Reads which of these roots, each named with its epoch, a TaskManager has recorded.
    ///
    /// # Errors
    ///
    /// [`ClientError::UnexpectedAnswer`] when `task_manager` is not a TaskManager; [`ClientError::Transport`].
    pub async fn read_recorded_roots(
        &self,
        task_manager: Address,
        roots: &[(EpochId, B256)],
    ) -> Result<RecordedRoots, ClientError> {
        self.recorded_roots_at(task_manager, roots, BlockId::latest()).await
    }

    pub(crate) async fn recorded_roots_at(
        &self,
        task_manager: Address,
        roots: &[(EpochId, B256)],
        block: BlockId,
    ) -> Result<RecordedRoots, ClientError> {
        let manager = TaskManager::new(task_manager, &self.provider);
        let mut recorded = RecordedRoots::default();
        for &(epoch, root) in roots {
            let recorded_root = manager
                .recordedRoots(epoch.into(), root)
                .block(block)
                .call()
                .await
                .map_err(|error| ClientError::from_contract(task_manager, "TaskManager", error))?;
            let recorded_root = RecordedRoot {
                signed_weight: recorded_root.signedWeight,
                total_weight: recorded_root.totalWeight,
                epoch_end: recorded_root.epochEnd,
            };
            // All are zero when it is not recorded; then nothing is added.
            recorded.record(EpochId(epoch.into()), root, recorded_root);
        }
        Ok(recorded)
    }
}

impl From<&SignedRoot> for TaskManager::SignedRoot {
    fn from(signed: &SignedRoot) -> Self {
        Self {
            root: signed.root,
            signature: signed.signature.0.into(),
            nonSigners: signed.non_signers.as_bytes().to_vec().into(),
        }
    }
}
