//! The policies that were fetched, with their components.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use alloy_primitives::B256;
use assent_network::operator::Unavailable;
use assent_policy::ExecutablePolicy;
use assent_policy_data::PolicySources;
use assent_policy_store::{PolicyStore, StoreError};
use tokio::sync::OnceCell;

use crate::log_function::LogFunction;

/// The most policies that are kept.
const KEPT: usize = 64;
/// How long a policy that no store has is not looked for again.
const MISSING: Duration = Duration::from_secs(5);
/// The most policies that are known to be missing.
const MOST_MISSING: usize = 1024;

/// A policy with what its sources need.
pub(crate) struct KnownPolicy {
    pub policy: Arc<ExecutablePolicy>,
    pub components: BTreeMap<String, Vec<u8>>,
    /// The sources, once they are compiled.
    pub sources: OnceCell<Arc<PolicySources>>,
}

/// A policy that is fetched once, for all who ask for it meanwhile.
type PolicyCell = Arc<OnceCell<Arc<KnownPolicy>>>;

/// Policy stores, in the order in which they are asked, and what they gave.
pub(crate) struct Policies {
    stores: Vec<PolicyStore>,
    log: LogFunction,
    /// The policy that was used last is the last.
    known: Mutex<VecDeque<(B256, PolicyCell)>>,
    missing: Mutex<HashMap<B256, Instant>>,
}

impl Policies {
    pub(crate) fn new(stores: Vec<PolicyStore>, log: LogFunction) -> Self {
        Self { stores, log, known: Mutex::default(), missing: Mutex::default() }
    }

    /// Returns a policy; `None` if no store has it.
    ///
    /// # Errors
    ///
    /// A store that may have it gave no answer.
    pub(crate) async fn get(&self, policy_id: B256) -> Result<Option<Arc<KnownPolicy>>, Unavailable> {
        if self.is_missing(policy_id) {
            return Ok(None);
        }
        let cell = self.cell(policy_id);
        let found = cell.get_or_try_init(|| self.fetch(policy_id)).await;
        let Err(error) = found.map(Arc::clone) else { return Ok(cell.get().map(Arc::clone)) };
        lock(&self.known).retain(|(known, _)| *known != policy_id);
        match error {
            NotFetched::Missing => {
                self.remember_missing(policy_id);
                Ok(None)
            }
            NotFetched::Unavailable => Err(Unavailable("the operator's policy store did not answer".to_owned())),
        }
    }

    async fn fetch(&self, policy_id: B256) -> Result<Arc<KnownPolicy>, NotFetched> {
        let mut result = NotFetched::Missing;
        for store in &self.stores {
            match store.fetch(policy_id).await {
                Ok(fetched) => {
                    return Ok(Arc::new(KnownPolicy {
                        policy: Arc::new(fetched.bundle.policy().clone()),
                        components: fetched.bundle.components().clone(),
                        sources: OnceCell::new(),
                    }));
                }
                Err(StoreError::UnknownPolicy { .. }) => {}
                Err(error) => {
                    (self.log)(&format!("cannot fetch the policy {policy_id} from {store}: {error}"));
                    result = NotFetched::Unavailable;
                }
            }
        }
        Err(result)
    }

    /// Returns the cell of a policy, which becomes the one that was used last.
    fn cell(&self, policy_id: B256) -> PolicyCell {
        let mut known = lock(&self.known);
        let index = known.iter().position(|(known, _)| *known == policy_id);
        let (_, cell) = index.and_then(|index| known.remove(index)).unwrap_or_default();
        known.push_back((policy_id, Arc::clone(&cell)));
        if known.len() > KEPT {
            known.pop_front();
        }
        cell
    }

    fn is_missing(&self, policy_id: B256) -> bool {
        lock(&self.missing).get(&policy_id).is_some_and(|since| since.elapsed() < MISSING)
    }

    fn remember_missing(&self, policy_id: B256) {
        let mut missing = lock(&self.missing);
        if missing.len() >= MOST_MISSING {
            missing.retain(|_, since| since.elapsed() < MISSING);
        }
        if missing.len() < MOST_MISSING {
            missing.insert(policy_id, Instant::now());
        }
    }
}

enum NotFetched {
    Missing,
    Unavailable,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
