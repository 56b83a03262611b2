//! Observation of a policy's sources, with the answers recorded.

use super::files::Loaded;
use crate::{connection::Node, input, output};
use alloy::providers::DynProvider;
use alloy_primitives::B256;
use anyhow::{Context as _, Result, anyhow, bail};
use assent_json::Value;
use assent_policy::{Finding, PolicyFolder, PolicyInput};
use assent_policy_data::{
    Host, ObserveError, PolicySources, Recording, Senses,
    chain::{ChainReadError, NoChain, RpcChain},
    http::{HttpRefusal, Secrets, WebClient},
};
use serde::Deserialize;
use std::{path::Path, sync::Arc};
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

/// The maximum length of a file with secrets, in bytes.
const LONGEST_SECRETS: u64 = 1024 * 1024;

/// Observes the sources of a policy.
pub struct Observatory {
    host: Host,
    sources: PolicySources,
    senses: Senses,
    /// Sends the requests of the senses.
    _runtime: Runtime,
}

/// A secret of a file with secrets.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Secret {
    name: String,
    host: String,
    policy_id: B256,
    #[serde(default)]
    value: Option<String>,
    /// The environment variable that has the value.
    #[serde(default)]
    variable: Option<String>,
}

impl Observatory {
    /// Prepares the sources.
    pub fn new(loaded: &Loaded, secrets: Option<&Path>, node: Option<&Node>) -> Result<Self> {
        let secrets = Arc::new(secrets.map(read_secrets).transpose()?.unwrap_or_default());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.context("cannot start the runtime for network requests")?;
        let handle = runtime.handle().clone();
        let web = Arc::new(WebClient::new(handle.clone())?);
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
        Ok(Self { host, sources, senses, _runtime: runtime })
    }

    /// Returns what a source answers about a task, with the recording that repeats it; or repeats a recording.
    pub fn observe(
        &self,
        key: &str,
        input: &PolicyInput,
        recorded: Option<&serde_json::Value>,
    ) -> Result<(Value, serde_json::Value)> {
        let source = self.sources.iter().find(|source| source.key() == key);
        let source = source.ok_or_else(|| anyhow!("the policy has no source `{key}`"))?;
        let observation = match recorded {
            Some(recorded) => {
                let recording = Recording::deserialize(recorded);
                let recording =
                    recording.with_context(|| format!("cannot parse the recording of the source `{key}`"))?;
                source.replay(&self.host, input, &recording)
            }
            None => {
                let _spinner = output::spinner(format!("Observing {key}"));
                source.observe(&self.host, input, &self.senses)
            }
        };
        let observation = observation.map_err(|error| explained(key, &error))?;
        Ok((observation.output, serde_json::to_value(&observation.recording)?))
    }
}

/// Says which source failed, and what to do.
fn explained(key: &str, error: &ObserveError) -> anyhow::Error {
    let next_step = match error {
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
        _ => return anyhow!("cannot observe the source `{key}`: {error}"),
    };
    anyhow!("cannot observe the source `{key}`: {error}\n{next_step}")
}

/// Reads secrets, each with a value or the name of the environment variable that has it.
fn read_secrets(path: &Path) -> Result<Secrets> {
    let text = input::read_secret("file of secrets", path, LONGEST_SECRETS)?;
    // The error of the parser can quote what it read.
    let secrets = serde_json::from_slice::<Vec<Secret>>(&text).map_err(|error| {
        anyhow!(
            "cannot parse the file of secrets {}: line {}, column {}\nit is an array of {{\"name\": \"KEY\", \
             \"host\": \"api.example.com\", \"policyId\": \"0x…\", \"value\": \"…\"}}; \"variable\" instead of \
             \"value\" names an environment variable",
            path.display(),
            error.line(),
            error.column()
        )
    })?;
    let mut bound = Secrets::default();
    for Secret { name, host, policy_id, value, variable } in secrets {
        let value = match (value, variable) {
            (Some(value), None) => Zeroizing::new(value),
            (None, Some(variable)) => std::env::var(&variable).map(Zeroizing::new).map_err(|_| {
                anyhow!("the environment variable {variable} of the secret {name} is not set; export it")
            })?,
            _ => bail!("the secret {name} needs one of \"value\" and \"variable\""),
        };
        bound.insert(&name, &host, policy_id, value)?;
    }
    Ok(bound)
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
