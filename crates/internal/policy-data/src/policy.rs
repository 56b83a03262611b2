//! The sources of a policy.

use crate::{
    chain::ChainReader,
    component::Component,
    error::{LoadError, ObserveError, PlaybackError},
    history::{self, HistoryError, HistoryQuery},
    host::Host,
    http::{HostError, HttpClient, Permissions, Secrets},
    recording::{Recording, SourceRun},
    request::{BlockReference, ObservationRequest},
    world::World,
};
use assent_json::Value;
use assent_policy::{Builtin, ExecutablePolicy, KeyedSource, Observer, PolicyInput, Rules, Source};
use std::{collections::BTreeMap, sync::Arc};

/// The sources of a policy, ready to observe.
#[derive(Debug)]
pub struct PolicySources {
    sources: Vec<PolicySource>,
}

/// A source of a policy, ready to observe.
#[derive(Debug)]
pub struct PolicySource {
    name: String,
    member: Option<usize>,
    observer: Ready,
    parameters: Value,
    permissions: Option<Arc<Permissions>>,
}

#[derive(Debug)]
enum Ready {
    Component(Component),
    History(HistoryQuery),
    Outstanding,
}

/// Why a policy's sources cannot observe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The rules or parameters cannot be read.
    #[error("the policy cannot be read: {detail}")]
    Policy {
        /// What is wrong.
        detail: String,
    },
    /// A component is not there.
    #[error("the component of the source `{name}` is not there; it is sources/{name}.wasm of the policy's folder")]
    NoComponent {
        /// The source.
        name: String,
    },
    /// A component is not the one that the rules name.
    #[error("the component of the source `{name}` is not the one that the policy commits to")]
    WrongComponent {
        /// The source.
        name: String,
    },
    /// A component cannot be used.
    #[error("the component of the source `{name}`: {error}")]
    Load {
        /// The source.
        name: String,
        /// The reason.
        error: LoadError,
    },
    /// A host is not one.
    #[error("the source `{name}`: {error}")]
    Host {
        /// The source.
        name: String,
        /// The reason.
        error: HostError,
    },
    /// The query of a source that is built in cannot be answered.
    #[error("the source `{name}`: {detail}")]
    Query {
        /// The source.
        name: String,
        /// What is wrong.
        detail: String,
    },
}

/// What sources observe, as far as the program has it.
pub struct Senses {
    /// The chain.
    pub chain: Arc<dyn ChainReader>,
    /// The web.
    pub web: Arc<dyn HttpClient>,
}

impl PolicySources {
    /// Prepares the sources of a policy, with its components by name as [`assent_policy::Bundle`] has them.
    ///
    /// Components are compiled. That takes up to half a minute, for what is built from Python.
    ///
    /// # Errors
    /// If a component is missing, another one or invalid, or a query cannot be answered.
    pub fn new(
        host: &Host,
        policy: &ExecutablePolicy,
        components: &BTreeMap<String, Vec<u8>>,
        secrets: &Arc<Secrets>,
    ) -> Result<Self, SourceError> {
        let unreadable = |detail: String| SourceError::Policy { detail };
        let rules = Rules::parse(policy.rules()).map_err(|error| unreadable(error.to_string()))?;
        let parameters = assent_json::parse(policy.parameters().as_bytes());
        let parameters = parameters.map_err(|error| unreadable(error.to_string()))?;
        let mut sources = vec![];
        for KeyedSource { key, member, name, source } in rules.sources() {
            let own = member.map_or(Some(&parameters), |index| parameters.as_array()?.get(index));
            let observer = match &source.observer {
                Observer::Component(hash) => {
                    let bytes = components.get(&key);
                    let bytes = bytes.ok_or_else(|| SourceError::NoComponent { name: key.clone() })?;
                    if Component::hash_of(bytes) != *hash {
                        return Err(SourceError::WrongComponent { name: key });
                    }
                    let component = host.load(bytes);
                    Ready::Component(component.map_err(|error| SourceError::Load { name: key.clone(), error })?)
                }
                Observer::Builtin(Builtin::History(query)) => {
                    let query = history_query(query);
                    Ready::History(query.map_err(|detail| SourceError::Query { name: key.clone(), detail })?)
                }
                Observer::Builtin(Builtin::Outstanding(_)) => Ready::Outstanding,
            };
            let permissions = permissions(&key, source, policy, secrets)?;
            let parameters = own.cloned().unwrap_or_default();
            sources.push(PolicySource { name: name.to_owned(), member, observer, parameters, permissions });
        }
        Ok(Self { sources })
    }

    /// Returns the sources, in the order of the policies of a conjunction and then of their names.
    pub fn iter(&self) -> impl Iterator<Item = &PolicySource> {
        self.sources.iter()
    }
}

impl PolicySource {
    /// Returns the name that the rules use.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the index of the policy in a conjunction.
    pub const fn member(&self) -> Option<usize> {
        self.member
    }

    /// Returns the name that is unique in the policy: in a conjunction, the index comes first, as in `0.price`.
    pub fn key(&self) -> String {
        self.member.map_or_else(|| self.name.clone(), |index| format!("{index}.{}", self.name))
    }

    /// Returns whether only recorded data can answer the source: operators answer it from their journals.
    pub const fn is_recorded_only(&self) -> bool {
        matches!(self.observer, Ready::Outstanding)
    }

    /// Returns what the source is asked.
    ///
    /// # Errors
    /// If number or time of the reference block do not fit 64 bits.
    pub fn request(&self, input: &PolicyInput) -> Result<ObservationRequest, ObserveError> {
        let narrow = |what, value| {
            u64::try_from(value)
                .map_err(|_wide| ObserveError::Block { detail: format!("its {what} {value} is too large") })
        };
        let block = BlockReference {
            number: narrow("number", input.block.number)?,
            hash: input.block.hash,
            timestamp: narrow("time", input.block.timestamp)?,
        };
        Ok(ObservationRequest {
            intent: input.intent.clone(),
            policy_client: input.policy_client,
            nonce: input.nonce,
            block,
            parameters: self.parameters.clone(),
        })
    }

    /// Observes.
    ///
    /// # Errors
    /// As [`Host::observe`]; and if the source is `outstanding`.
    pub fn observe(&self, host: &Host, input: &PolicyInput, senses: &Senses) -> Result<SourceRun, ObserveError> {
        let request = self.request(input)?;
        let mut world = World::new(Arc::clone(&senses.chain));
        if let Some(permissions) = &self.permissions {
            world = world.with_web(Arc::clone(&senses.web), Arc::clone(permissions));
        }
        match &self.observer {
            Ready::Component(component) => host.observe(component, &request, &world),
            Ready::History(query) => history::observe(query, &request, &world),
            Ready::Outstanding => Err(ObserveError::RecordedOnly),
        }
    }

    /// Repeats a recorded observation of the same task, offline and to the byte.
    ///
    /// # Errors
    /// As [`Host::replay`]; and if the recording is of another task or other parameters.
    pub fn replay(&self, host: &Host, input: &PolicyInput, recording: &Recording) -> Result<SourceRun, ObserveError> {
        let request = self.request(input)?.to_json()?;
        if recording.request != request {
            let recorded = recording.request.clone();
            return Err(PlaybackError::Request { recorded, asked: request }.into());
        }
        match &self.observer {
            Ready::Component(component) => host.replay(component, recording),
            Ready::History(query) => history::replay(query, recording),
            Ready::Outstanding => Err(ObserveError::RecordedOnly),
        }
    }
}

/// Checks what the manifest says of a source that is built in.
///
/// # Errors
/// The reason, if the source could never answer.
pub fn check_builtin(builtin: &Builtin) -> Result<(), String> {
    match builtin {
        Builtin::History(query) => history_query(query).map(drop),
        Builtin::Outstanding(_) => Ok(()),
    }
}

fn history_query(query: &Value) -> Result<HistoryQuery, String> {
    let parsed = serde_json::from_str::<HistoryQuery>(&query.to_canonical()).map_err(|error| error.to_string())?;
    parsed.check().map_err(|error: HistoryError| error.to_string())?;
    Ok(parsed)
}

fn permissions(
    key: &str,
    source: &Source,
    policy: &ExecutablePolicy,
    secrets: &Arc<Secrets>,
) -> Result<Option<Arc<Permissions>>, SourceError> {
    if source.hosts.is_empty() {
        return Ok(None);
    }
    let hosts = source.hosts.iter().map(String::as_str);
    let permissions = Permissions::new(hosts, policy.id(), Arc::clone(secrets));
    let permissions = permissions.map_err(|error| SourceError::Host { name: key.to_owned(), error })?;
    Ok(Some(Arc::new(permissions)))
}
