//! What a request becomes: the chain is read at a recent block, the policy is fetched, and a nonce is chosen.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use alloy_primitives::{Address, B256, U256};
use assent_chain_view::{BlockView, ChainView, ChainViewError, ViewedBlock};
use assent_network::{
    Domain, Task,
    gateway::{Accepted, AcceptedSources, Failure, FailureCode, Submission},
    operator::MINIMUM_QUORUM,
};
use assent_policy::{Bundle, Rules};
use assent_policy_store::{PolicyStore, StoreError};
use assent_verifier::{Epoch, EpochId, OperatorSetId};
use tokio::{
    sync::{OnceCell, watch},
    time::Instant,
};

use crate::{
    clock::{Clock, describe_correction},
    metrics::GatewayMetrics,
};

/// How old the last answer of the node may be.
const LONGEST_SILENCE: Duration = Duration::from_secs(15);
/// The most policies that are remembered.
const REMEMBERED_POLICIES: usize = 64;
/// The most clients whose next nonce is remembered.
const REMEMBERED_CLIENTS: usize = 4096;

/// The latest block, as the node gave it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) block: ViewedBlock,
    /// When the node last gave it.
    pub(crate) at: Instant,
}

/// Reads what a task needs.
pub(crate) struct Preparer {
    pub(crate) view: ChainView,
    pub(crate) domain: Domain,
    head: watch::Sender<Option<Head>>,
    /// Corrected by the time of each new block.
    pub(crate) clock: Clock,
    /// The epochs in force at the block that was asked about last.
    epochs: tokio::sync::Mutex<Option<(ViewedBlock, Arc<[Epoch]>)>>,
    store: PolicyStore,
    policies: Mutex<VecDeque<Arc<LoadedPolicy>>>,
    nonces: Mutex<HashMap<Address, NextNonce>>,
    /// The policies that are fetched now, each once for all requests.
    fetches: Mutex<HashMap<B256, Weak<PolicyFetch>>>,
    /// How long an attestation is valid if the request does not say it.
    default_lifetime: Duration,
    metrics: Arc<GatewayMetrics>,
}

/// A policy of the store, verified against its id.
pub(crate) struct LoadedPolicy {
    pub(crate) id: B256,
    pub(crate) bundle: Bundle,
    pub(crate) sources: AcceptedSources,
}

/// A fetch of a policy, whose result all requests share that wait for it.
type PolicyFetch = OnceCell<Result<Arc<LoadedPolicy>, Failure>>;

#[derive(Clone, Copy)]
struct NextNonce {
    word: U256,
    bit: u8,
}

impl Preparer {
    pub(crate) fn new(
        view: ChainView,
        domain: Domain,
        store: PolicyStore,
        default_lifetime: Duration,
        metrics: Arc<GatewayMetrics>,
    ) -> Self {
        Self {
            view,
            domain,
            head: watch::Sender::new(None),
            clock: Clock::start(),
            epochs: tokio::sync::Mutex::new(None),
            store,
            policies: Mutex::default(),
            nonces: Mutex::default(),
            fetches: Mutex::default(),
            default_lifetime,
            metrics,
        }
    }

    /// Returns the latest block, if the node answered lately.
    pub(crate) fn head(&self) -> Option<Head> {
        (*self.head.borrow()).filter(|head| head.at.elapsed() < LONGEST_SILENCE)
    }

    /// Reads the latest block.
    pub(crate) async fn refresh(&self) -> Result<ViewedBlock, ChainViewError> {
        let latest = self.view.latest_block().await;
        let block = latest.inspect_err(|_| {
            self.metrics.node_failures.inc();
        })?;
        let head = Head { block, at: Instant::now() };
        let before = self.head.send_replace(Some(head));
        if before.is_none_or(|before| before.block != block)
            && let Some(seconds) = self.clock.observe(block.timestamp)
        {
            self.metrics.clock_correction.set(seconds);
            eprintln!("note: {}", describe_correction(seconds));
        }
        self.metrics.block.set(i64::try_from(block.number).unwrap_or(i64::MAX));
        Ok(block)
    }

    /// Reads the epochs that are in force at the latest block.
    pub(crate) async fn epochs(&self) -> Result<Arc<[Epoch]>, ChainViewError> {
        let Some(Head { block, .. }) = *self.head.borrow() else { return Ok(Arc::default()) };
        self.epochs_at(&self.view.at(block)).await
    }

    /// Reads an epoch as the TaskManager knows it at the latest block, be it in force or not.
    pub(crate) async fn epoch(&self, number: EpochId) -> Result<Option<Epoch>, Failure> {
        let head = self.head().ok_or_else(node_is_silent)?;
        self.view.at(head.block).epoch(number).await.map_err(no_answer)
    }

    /// Reads the epochs that are in force at a block, once for all requests.
    async fn epochs_at(&self, view: &BlockView) -> Result<Arc<[Epoch]>, ChainViewError> {
        let mut known = self.epochs.lock().await;
        if let Some((block, epochs)) = &*known
            && *block == view.block()
        {
            return Ok(Arc::clone(epochs));
        }
        let epochs: Arc<[Epoch]> = view.epochs_in_force().await?.into();
        *known = Some((view.block(), Arc::clone(&epochs)));
        Ok(epochs)
    }

    /// Makes a task of a request.
    pub(crate) async fn prepare(&self, submission: Submission) -> Result<Accepted, Failure> {
        let head = self.head().ok_or_else(node_is_silent)?;
        let result = self.prepare_at(&self.view.at(head.block), &submission).await;
        match result {
            Ok(accepted) => Ok(accepted),
            // The client may be newer than the block that was read last.
            Err(failure) => match self.refresh().await {
                Ok(latest) if latest != head.block => self.prepare_at(&self.view.at(latest), &submission).await,
                Ok(_) | Err(_) => Err(failure),
            },
        }
    }

    async fn prepare_at(&self, view: &BlockView, submission: &Submission) -> Result<Accepted, Failure> {
        let Submission { policy_client, intent, nonce, expiration } = submission;
        let (client, block) = (*policy_client, view.block());
        if intent.chainId != self.domain.chain_id {
            let (asked, ours) = (intent.chainId, self.domain.chain_id);
            return Err(invalid(format!("the intent is for chain {asked}, and this gateway serves chain {ours}")));
        }
        let terms = view.client_terms(client).await.map_err(no_answer)?;
        let terms = terms.ok_or_else(|| {
            invalid(format!("{client} is not a PolicyClient at block {}; give the contract to be called", block.number))
        })?;
        if terms.task_manager != self.domain.task_manager {
            let (theirs, ours) = (terms.task_manager, self.domain.task_manager);
            return Err(invalid(format!("{client} has the TaskManager {theirs}, and this gateway serves {ours}")));
        }
        let policy = terms.policy.ok_or_else(|| invalid(format!("{client} has no policy; its owner sets one")))?;
        if policy.quorum < MINIMUM_QUORUM {
            let quorum = policy.quorum;
            return Err(invalid(format!(
                "{client} has a quorum of {quorum} basis points; operators sign from {MINIMUM_QUORUM}"
            )));
        }
        let expiration = self.choose_expiration(*expiration, block.timestamp, policy.maxLifetime.to())?;
        if terms.issuance_floor.to::<u64>() > block.timestamp {
            let floor: u64 = terms.issuance_floor.to();
            return Err(invalid(format!("{client} accepts only what is issued from {floor} on")));
        }
        let nonce = match nonce {
            Some(nonce) if view.is_spent(client, *nonce).await.map_err(no_answer)? => {
                return Err(invalid(format!("the nonce {nonce} is spent; give another, or none")));
            }
            Some(nonce) => *nonce,
            None => self.choose_nonce(client)?,
        };
        let set = OperatorSetId(policy.operatorSet);
        let epochs = self.epochs_at(view).await.map_err(no_answer)?;
        let epoch = epochs.iter().find(|epoch| epoch.operator_set == set).ok_or_else(|| {
            Failure::new(FailureCode::Unavailable, format!("operator set {} has no epoch in force", set.0), true)
        })?;
        let sources = self.policy(policy.policyId).await?.sources.clone();
        let task = Task {
            policy_client: client,
            policy_id: policy.policyId,
            nonce,
            intent: intent.clone(),
            expiration,
            epoch: epoch.number,
            block_number: block.number,
            block_hash: block.hash,
            block_timestamp: block.timestamp,
        };
        Ok(Accepted { task, client_policy: policy, issuance_floor: terms.issuance_floor, sources })
    }

    /// Returns the expiration that was asked for if the client accepts it, or the default one that it accepts.
    fn choose_expiration(&self, asked: Option<u64>, issued_at: u64, max_lifetime: u64) -> Result<u64, Failure> {
        let latest = issued_at.saturating_add(max_lifetime);
        match asked {
            Some(expiration) if expiration <= issued_at || expiration > latest => Err(invalid(format!(
                "the expiration {expiration} is not within {max_lifetime} seconds after {issued_at}, the block's time"
            ))),
            Some(expiration) => Ok(expiration),
            // On a chain without new blocks, the time of the latest is long over. What the clock says counts then.
            None => {
                let now = issued_at.max(self.clock.uncorrected_millis() / 1000);
                Ok(now.saturating_add(self.default_lifetime.as_secs()).min(latest))
            }
        }
    }

    /// Chooses a nonce that no one has used: the next of 256 that share a storage slot, which a random number names.
    fn choose_nonce(&self, client: Address) -> Result<U256, Failure> {
        let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        let next = match nonces.get(&client) {
            Some(next) => *next,
            None => {
                let mut bytes = [0; 32];
                getrandom::fill(&mut bytes).map_err(|_| {
                    Failure::new(FailureCode::Unavailable, "the gateway's machine has no randomness", true)
                })?;
                NextNonce { word: U256::from_be_bytes(bytes) >> 8, bit: 0 }
            }
        };
        match next.bit.checked_add(1) {
            Some(bit) if nonces.len() < REMEMBERED_CLIENTS || nonces.contains_key(&client) => {
                nonces.insert(client, NextNonce { bit, ..next });
            }
            _ => {
                nonces.remove(&client);
            }
        }
        Ok((next.word << 8) | U256::from(next.bit))
    }

    /// Returns a policy, from memory or the store.
    pub(crate) async fn policy(&self, id: B256) -> Result<Arc<LoadedPolicy>, Failure> {
        let known = self.remembered().iter().find(|policy| policy.id == id).cloned();
        if let Some(policy) = known {
            return Ok(policy);
        }
        let fetch = self.join_fetch(id);
        fetch.get_or_init(|| self.fetch_policy(id)).await.clone()
    }

    /// Returns the fetch of a policy that is made now, or a new one. It is forgotten when the last request drops it.
    fn join_fetch(&self, id: B256) -> Arc<PolicyFetch> {
        let mut fetches = self.fetches.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fetch) = fetches.get(&id).and_then(Weak::upgrade) {
            return fetch;
        }
        fetches.retain(|_, fetch| fetch.strong_count() > 0);
        let fetch = Arc::default();
        fetches.insert(id, Arc::downgrade(&fetch));
        fetch
    }

    async fn fetch_policy(&self, id: B256) -> Result<Arc<LoadedPolicy>, Failure> {
        let fetched = self.store.fetch(id).await.map_err(|error| match error {
            StoreError::UnknownPolicy { .. } => Failure::new(
                FailureCode::Unavailable,
                format!("the gateway's policy store does not have the policy {id}; its operator puts it there"),
                true,
            ),
            error => {
                eprintln!("error: policy {id}: {error}");
                Failure::new(FailureCode::Unavailable, "the gateway's policy store gives no answer", true)
            }
        })?;
        let rules = Rules::parse(fetched.bundle.policy().rules());
        let rules = rules.map_err(|error| invalid(format!("the policy {id} cannot be read: {error}")))?;
        let loaded = Arc::new(LoadedPolicy { id, sources: AcceptedSources::of(&rules), bundle: fetched.bundle });
        let mut policies = self.remembered();
        if policies.len() >= REMEMBERED_POLICIES {
            policies.pop_front();
        }
        policies.push_back(Arc::clone(&loaded));
        Ok(loaded)
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, VecDeque<Arc<LoadedPolicy>>> {
        self.policies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn invalid(message: String) -> Failure {
    Failure::new(FailureCode::Invalid, message, false)
}

fn node_is_silent() -> Failure {
    Failure::new(FailureCode::Unavailable, "the gateway's node of the chain gives no answer", true)
}

/// Hides the error: it can contain the node's URL.
fn no_answer(error: ChainViewError) -> Failure {
    eprintln!("error: {error}");
    node_is_silent()
}
