//! Observation of policies' sources.

use std::{collections::BTreeMap, sync::Arc};

use alloy_primitives::B256;
use assent_json::Value;
use assent_network::operator::{OutstandingSource, Unavailable};
use assent_policy::{PolicyInput, Rules};
use assent_policy_data::{Host, ObserveError, PolicySources, Senses, http::Secrets};
use futures_util::future::try_join_all;

use crate::{
    capacity::Threads,
    fair_queue::Share,
    log_function::LogFunction,
    outstanding::OutstandingHolds,
    policies::{KnownPolicy, KnownSources, Policies},
};

/// The most sources that are observed at one time, and the most policies whose components are compiled.
const OBSERVING: usize = 16;
const COMPILING: usize = 2;

/// Observes the sources of policies.
pub(crate) struct Observer {
    shared: Arc<Shared>,
    policies: Arc<Policies>,
    holds: Arc<OutstandingHolds>,
    observing: Threads,
    compiling: Threads,
    log: LogFunction,
}

struct Shared {
    host: Host,
    senses: Senses,
    secrets: Arc<Secrets>,
}

impl Observer {
    /// Returns an observer. `threads` makes so many threads for what can last.
    pub(crate) fn new(
        host: Host,
        senses: Senses,
        secrets: Secrets,
        policies: Arc<Policies>,
        holds: Arc<OutstandingHolds>,
        threads: impl Fn(usize) -> Threads,
        log: LogFunction,
    ) -> Self {
        Self {
            shared: Arc::new(Shared { host, senses, secrets: Arc::new(secrets) }),
            policies,
            holds,
            observing: threads(OBSERVING),
            compiling: threads(COMPILING),
            log,
        }
    }

    /// Returns what each source of a policy answers, by the sources' keys.
    ///
    /// # Errors
    ///
    /// A source has no answer. The text has nothing of what the operator's node or a host said.
    pub(crate) async fn observe(
        &self,
        share: &Share,
        input: &PolicyInput,
        policy_id: B256,
        task_id: B256,
    ) -> Result<BTreeMap<String, Value>, Unavailable> {
        let policy = self.policies.get(policy_id).await?;
        let policy = policy.ok_or_else(|| Unavailable("the operator no longer has the policy".to_owned()))?;
        let sources = self.sources(share, &policy).await?;
        let keys = sources.observed.iter().map(|source| source.key()).enumerate();
        let observed = keys.map(|(index, key)| {
            let sources = &sources;
            async move {
                match sources.outstanding.get(&key) {
                    Some(source) => Ok((key, self.holds.observe(share, source, input, policy_id, task_id).await?)),
                    None => self.observe_source(share, sources, index, input).await,
                }
            }
        });
        Ok(try_join_all(observed).await?.into_iter().collect())
    }

    /// Compiles a policy's components, unless that was done before.
    async fn sources(&self, share: &Share, policy: &Arc<KnownPolicy>) -> Result<Arc<KnownSources>, Unavailable> {
        let compiled = policy.sources.get_or_try_init(|| async {
            let (shared, known) = (Arc::clone(&self.shared), Arc::clone(policy));
            let compile = move || compile(&shared, &known);
            let compiled = self.compiling.run(share, compile).await.map_err(|error| Unavailable(error.to_string()))?;
            // What is wrong with a policy is no secret.
            compiled.map(Arc::new).map_err(Unavailable)
        });
        compiled.await.map(Arc::clone)
    }

    async fn observe_source(
        &self,
        share: &Share,
        sources: &Arc<KnownSources>,
        index: usize,
        input: &PolicyInput,
    ) -> Result<(String, Value), Unavailable> {
        let (shared, sources, input) = (Arc::clone(&self.shared), Arc::clone(sources), input.clone());
        let observe = move || {
            let source = sources.observed.iter().nth(index)?;
            Some((source.key(), source.observe(&shared.host, &input, &shared.senses)))
        };
        let observed = self.observing.run(share, observe).await.map_err(|error| Unavailable(error.to_string()))?;
        let (key, observed) = observed.ok_or_else(|| Unavailable("the policy has no such source".to_owned()))?;
        match observed {
            Ok(observation) => Ok((key, observation.output)),
            Err(error) => {
                (self.log)(&format!("cannot observe the source `{key}`: {error}"));
                Err(Unavailable(format!("the source `{key}`: {}", shown(&error))))
            }
        }
    }
}

fn compile(shared: &Shared, known: &KnownPolicy) -> Result<KnownSources, String> {
    let observed = PolicySources::new(&shared.host, &known.policy, &known.components, &shared.secrets);
    let observed = observed.map_err(|error| error.to_string())?;
    let rules = Rules::parse(known.policy.rules()).map_err(|error| error.to_string())?;
    let outstanding = OutstandingSource::all(&rules)?;
    let outstanding = outstanding.into_iter().map(|source| (source.key().to_owned(), source)).collect();
    Ok(KnownSources { observed, outstanding })
}

/// Returns what gateways learn of an observation that failed. Words of nodes and hosts can have the operator's secrets.
fn shown(error: &ObserveError) -> String {
    match error {
        ObserveError::Chain(_) => "the operator's node gave no answer".to_owned(),
        ObserveError::Http(_) => "a request to a host is not permitted here, or failed".to_owned(),
        ObserveError::Component { .. } => "the component reports that it cannot observe".to_owned(),
        error => error.to_string(),
    }
}
