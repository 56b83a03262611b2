//! Observation of a policy's sources, with the answers recorded.

use super::{
    era::{Era, NotObserved},
    files::Loaded,
};
use crate::{connection::Node, input, output};
use alloy::providers::DynProvider;
use anyhow::{Context as _, Result, anyhow};
use assent_json::Value;
use assent_policy::{Finding, PolicyFolder, PolicyInput};
use assent_policy_data::{
    Host, ObserveError, PolicySources, Recording, Senses,
    chain::{ChainReadError, NoChain, RpcChain},
    http::{HttpClient, HttpRefusal, PastWeb, Secrets, WebClient},
};
use serde::Deserialize;
use std::{path::Path, sync::Arc};
use tokio::runtime::Runtime;

/// The maximum length of a file with secrets, in bytes.
const LONGEST_SECRETS: u64 = 1024 * 1024;

/// Observes the sources of a policy.
pub struct Observatory {
    host: Host,
    sources: PolicySources,
    senses: Senses,
    era: Era,
    /// Sends the requests of the senses.
    _runtime: Runtime,
}

impl Observatory {
    /// Prepares the sources.
    pub fn new(loaded: &Loaded, secrets: Option<&Path>, node: Option<&Node>, era: Era) -> Result<Self> {
        let secrets = Arc::new(secrets.map(read_secrets).transpose()?.unwrap_or_default());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.context("cannot start the runtime for network requests")?;
        let handle = runtime.handle().clone();
        let web: Arc<dyn HttpClient> = match era {
            Era::Now | Era::Live => Arc::new(WebClient::new(handle.clone())?),
            Era::Past => Arc::new(PastWeb),
        };
        let senses = match node {
            None => Senses { chain: Arc::new(NoChain), web },
            Some(node) => {
                let provider: DynProvider = node.connect(None)?;
                Senses { chain: Arc::new(RpcChain::new(provider, handle)), web }
            }
        };
        let _spinner = output::spinner("Compiling the policy's components");
        let host = Host::new()?;
        let sources = PolicySources::new(&host, &loaded.policy, &loaded.components, &secrets)?;
        Ok(Self { host, sources, senses, era, _runtime: runtime })
    }

    /// Returns what a source answers about a task, with the recording that repeats it; or repeats the recording of the
    /// task. Recordings of other tasks are passed over, except under [`Era::Now`]: there they repeat the one task.
    ///
    /// # Errors
    /// [`NotObserved`] if the source has no answer.
    pub fn observe(
        &self,
        key: &str,
        input: &PolicyInput,
        recorded: &[serde_json::Value],
    ) -> Result<(Value, serde_json::Value)> {
        let source = self.sources.iter().find(|source| source.key() == key);
        let source = source.ok_or_else(|| anyhow!("the policy has no source `{key}`"))?;
        let failed = |error: ObserveError| self.explained(key, &error);
        let request = source.request(input).and_then(|request| request.to_json()).map_err(failed)?;
        let of_task = |recording: &&serde_json::Value| recording["request"].as_str() == Some(request.as_str());
        let recorded = recorded.iter().find(of_task).or(recorded.first().filter(|_| self.era == Era::Now));
        let observation = match recorded {
            Some(recorded) => {
                let recording = Recording::deserialize(recorded);
                let recording =
                    recording.with_context(|| format!("cannot parse the recording of the source `{key}`"))?;
                source.replay(&self.host, input, &recording)
            }
            None => source.observe(&self.host, input, &self.senses),
        };
        let observation = observation.map_err(failed)?;
        Ok((observation.output, serde_json::to_value(&observation.recording)?))
    }

    /// Says which source failed, and what to do.
    fn explained(&self, key: &str, error: &ObserveError) -> NotObserved {
        let is_temporary = matches!(error, ObserveError::Chain(error) if error.is_temporary());
        let message = match (self.era, error) {
            // No secret is needed for a request that is not sent.
            (Era::Past, ObserveError::Http(HttpRefusal::UnknownSecret { .. } | HttpRefusal::SecretNotBound { .. })) => {
                format!("the source `{key}` asks the web, whose answers at a past block are not known")
            }
            (Era::Past, ObserveError::Http(HttpRefusal::Past { .. }) | ObserveError::RecordedOnly) => {
                format!("the source `{key}`: {error}")
            }
            (Era::Past, _) => format!("cannot observe the source `{key}`: {error}"),
            (Era::Now | Era::Live, _) => match next_step(error) {
                Some(next_step) => format!("cannot observe the source `{key}`: {error}\n{next_step}"),
                None => format!("cannot observe the source `{key}`: {error}"),
            },
        };
        NotObserved { message, is_temporary }
    }
}

/// Says what to do about a source that failed.
fn next_step(error: &ObserveError) -> Option<&'static str> {
    Some(match error {
        ObserveError::Chain(ChainReadError::NoNode) => "give --rpc-url, or recorded answers with --data",
        ObserveError::RecordedOnly => {
            "give its answer with --data, as in {\"pending\": {\"count\": \"0\", \"sum\": \"0\"}}"
        }
        ObserveError::Http(HttpRefusal::UnknownSecret { .. } | HttpRefusal::SecretNotBound { .. }) => {
            "bind it to the host and the policy's id in the file of --secrets"
        }
        ObserveError::Http(HttpRefusal::HostNotAllowed { .. } | HttpRefusal::NoHosts) => {
            "name the host in policy.json, which makes another policy"
        }
        ObserveError::Playback(_) => {
            "the recording is of another task, parameters or component; observe again without it"
        }
        _ => return None,
    })
}

/// Reads secrets, each with a value or the name of the environment variable that has it.
fn read_secrets(path: &Path) -> Result<Secrets> {
    let text = input::read_secret("file of secrets", path, LONGEST_SECRETS)?;
    Secrets::parse(&text, |variable| std::env::var(variable).ok())
        .with_context(|| format!("cannot parse the file of secrets {}", path.display()))
}

/// Checks the sources that are built in.
pub fn findings(folder: &PolicyFolder) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, source) in &folder.manifest.sources {
        let Some(builtin) = &source.builtin else { continue };
        if let Err(message) = assent_policy_data::check_builtin(builtin) {
            findings.push(Finding::new("policy.json", 1, 1, format!("sources.{name}.builtin: {message}")));
        }
    }
    findings
}
