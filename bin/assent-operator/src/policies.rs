//! The policies that were fetched, with their components.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use alloy_primitives::B256;
use assent_network::operator::{OutstandingSource, Unavailable};
use assent_policy::{Builtin, ExecutablePolicy, Observer, Rules};
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
    /// Whether a source is `outstanding`.
    pub counts_outstanding: bool,
    /// The sources, once they are compiled.
    pub sources: OnceCell<Arc<KnownSources>>,
}

/// The sources of a policy, ready to observe.
pub(crate) struct KnownSources {
    pub observed: PolicySources,
    /// Those that the journal answers, by key.
    pub outstanding: BTreeMap<String, OutstandingSource>,
}

/// A policy that is fetched once, for all who ask for it meanwhile.
type PolicyCell = Arc<OnceCell<Result<Arc<KnownPolicy>, NotFetched>>>;

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
        // All who wait get the same answer, also if there is no policy: none of them asks again.
        let error = match cell.get_or_init(|| self.fetch(policy_id)).await {
            Ok(known) => return Ok(Some(Arc::clone(known))),
            Err(error) => *error,
        };
        // Those who ask later ask the stores, and only once: what they wait for now stays.
        lock(&self.known).retain(|(_, known)| !Arc::ptr_eq(known, &cell));
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
                    let policy = Arc::new(fetched.bundle.policy().clone());
                    return Ok(Arc::new(KnownPolicy {
                        counts_outstanding: counts_outstanding(&policy),
                        policy,
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

/// Returns whether a source of a policy is `outstanding`. Rules that cannot be read are refused elsewhere.
fn counts_outstanding(policy: &ExecutablePolicy) -> bool {
    let is_outstanding = |observer: &Observer| matches!(observer, Observer::Builtin(Builtin::Outstanding(_)));
    let rules = Rules::parse(policy.rules());
    rules.is_ok_and(|rules| rules.sources().any(|keyed| is_outstanding(&keyed.source.observer)))
}

/// Why no store gave a policy.
#[derive(Debug, Clone, Copy)]
enum NotFetched {
    Missing,
    Unavailable,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        sync::atomic::{AtomicUsize, Ordering},
        thread,
    };

    use super::*;

    /// A web server that has nothing, and the number of requests that it got.
    fn empty_store() -> (String, Arc<AtomicUsize>) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, count) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&count);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = [0; 1024];
                if stream.read(&mut request).unwrap() > 0 {
                    counted.fetch_add(1, Ordering::SeqCst);
                    // So long that all others have asked.
                    thread::sleep(Duration::from_millis(200));
                    let _ =
                        stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                }
            }
        });
        (format!("http://{address}/"), count)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_missing_policy_is_asked_for_once_by_all_who_need_it() {
        let (url, count) = empty_store();
        let policies = Policies::new(vec![PolicyStore::parse(&url).unwrap()], Arc::new(|_: &str| {}));
        let asked = (0..32).map(|_| policies.get(B256::repeat_byte(1)));
        for found in futures_util::future::join_all(asked).await {
            assert!(found.unwrap().is_none());
        }
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }
}
