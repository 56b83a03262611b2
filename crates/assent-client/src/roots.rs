//! Recorded roots: verified once on chain, so that each call under them needs no signature.

use crate::{AssentClient, ClientError};
use alloy::{
    eips::BlockId,
    primitives::{Address, B256},
    providers::Provider,
    rpc::types::TransactionReceipt,
};
use assent_contracts::TaskManager;
use assent_verifier::{AttestationDocument, NonSigners, RecordedRoot, RecordedRoots, Signature};

/// Roots that one transaction records. Each takes about 70,000 gas, and a transaction at most 2^24 (EIP-7825).
const ROOTS_AT_ONCE: usize = 100;

/// A Merkle root and its aggregate signature.
///
/// ```
/// # mod world { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/world.rs")); }
/// # use world::{AGENT, OPERATOR, OWNER, World};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), world::Failure> {
/// # let world = World::new().await?;
/// # let (client, vault, token) = (&world.client, world.vault, world.token);
/// use assent_client::{Call, SignedRoot};
///
/// // `world.attest` stands for the operators, who sign roots, of one attestation or of many.
/// let intent = Call::new(AGENT, token, []).intent(client.chain_id().await?);
/// let document = world.attest(&intent, 1)?;
/// let signed_root = SignedRoot::from(&document);
/// assert_eq!(signed_root.root, document.root());
/// assert!(signed_root.non_signers.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRoot {
    /// What the operators signed.
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
    /// Has a TaskManager verify and record a root. Anybody may: `from` pays.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send): [`ClientError::Reverted`] with the refusal of checks 8 to 11, the least quorum of 5,001
    /// basis points in place of a policy's.
    pub async fn record_root(
        &self,
        from: Address,
        task_manager: Address,
        epoch: u32,
        root: &SignedRoot,
    ) -> Result<TransactionReceipt, ClientError> {
        let call = TaskManager::recordRootCall { number: epoch, signedRoot: root.into() };
        self.send_call(from, task_manager, &call).await
    }

    /// As [`record_root`](Self::record_root), for many roots of one epoch: all with one product of pairings, in as many
    /// transactions as gas demands, one for every 100 roots.
    ///
    /// ```
    /// # mod world { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/world.rs")); }
    /// # use world::{AGENT, OPERATOR, OWNER, World};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), world::Failure> {
    /// # let world = World::new().await?;
    /// # let (client, vault, token) = (&world.client, world.vault, world.token);
    /// use alloy::{primitives::U256, sol_types::SolCall};
    /// use assent_client::{Call, SignedRoot};
    /// use assent_contracts::ExampleToken;
    ///
    /// // Two payments, attested each by itself. `world.attest` stands for the operators.
    /// let task_manager = world.deployment.task_manager.address;
    /// let transfer = ExampleToken::transferCall { to: OWNER, value: U256::from(40) };
    /// let intent = Call::new(AGENT, token, transfer.abi_encode()).intent(client.chain_id().await?);
    /// let documents = [world.attest(&intent, 1)?, world.attest(&intent, 2)?];
    ///
    /// // Anybody records the roots ahead of time ...
    /// let roots = documents.each_ref().map(SignedRoot::from);
    /// client.record_root(OWNER, task_manager, 1, &roots[0]).await?;
    /// client.record_roots(OWNER, task_manager, 1, &roots[1..]).await?;
    /// let recorded = client.read_recorded_roots(task_manager, &[(1, roots[0].root), (1, roots[1].root)]).await?;
    /// assert_eq!(recorded.iter().count(), 2);
    ///
    /// // ... and each payment is made without its signature.
    /// let receipt = client.send_explicit(vault, &intent, &documents[1].recorded_authorization()?).await?;
    /// assert!(receipt.status());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`record_root`](Self::record_root). One bad root has all of its transaction refused; those of the transactions
    /// before are recorded.
    pub async fn record_roots(
        &self,
        from: Address,
        task_manager: Address,
        epoch: u32,
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
            let call = TaskManager::recordRootsCall { number: epoch, signedRoots: signed_roots };
            receipts.push(self.send_call(from, task_manager, &call).await?);
        }
        Ok(receipts)
    }

    /// Reads which of these roots, each named with its epoch, a TaskManager has recorded.
    ///
    /// # Errors
    ///
    /// [`ClientError::UnexpectedAnswer`] when `task_manager` is no TaskManager; [`ClientError::Transport`].
    pub async fn read_recorded_roots(
        &self,
        task_manager: Address,
        roots: &[(u32, B256)],
    ) -> Result<RecordedRoots, ClientError> {
        self.recorded_roots_at(task_manager, roots, BlockId::latest()).await
    }

    pub(crate) async fn recorded_roots_at(
        &self,
        task_manager: Address,
        roots: &[(u32, B256)],
        block: BlockId,
    ) -> Result<RecordedRoots, ClientError> {
        let manager = TaskManager::new(task_manager, &self.provider);
        let mut recorded = RecordedRoots::default();
        for &(epoch, root) in roots {
            let weights = manager
                .recordedRoots(epoch, root)
                .block(block)
                .call()
                .await
                .map_err(|error| ClientError::from_contract(task_manager, "TaskManager", error))?;
            let weights = RecordedRoot { signed_weight: weights.signedWeight, total_weight: weights.totalWeight };
            // Both are zero when it is not recorded, which leaves nothing behind.
            recorded.record(epoch, root, weights);
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
