//! What the sources of a policy answer: given, recorded, or observed.

use super::{
    era::Era,
    files::{Loaded, parse_json},
    observing::Observatory,
};
use crate::{connection::Node, input, output, output_file::OutputFile};
use alloy_primitives::{Address, B256, U256, keccak256};
use anyhow::{Context as _, Result, bail};
use assent_json::{Object, Value};
use assent_policy::{Observations, PolicyInput, ReferenceBlock, Rules};
use clap::Args;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// The maximum length of a file with answers and recordings, in bytes: more than four sources can record.
const LONGEST_DATA: u64 = 128 * 1024 * 1024;

/// The options for what sources answer.
#[derive(Args)]
pub struct DataArguments {
    /// What sources answer, as a JSON object by their names; or the recordings that --recordings-out wrote. Sources
    /// that it does not answer are observed. It can be given several times.
    #[arg(long, value_name = "FILE")]
    data: Vec<PathBuf>,
    /// The secrets that sources may send, each bound to a host and a policy: a file that only its owner can read.
    #[arg(long, value_name = "FILE")]
    secrets: Option<PathBuf>,
}

/// What sources answered before, by the sources' keys.
#[derive(Default)]
pub struct Given {
    /// Answers as one observer gives them.
    answers: BTreeMap<String, Value>,
    /// The recordings of a source, each of one task.
    recordings: BTreeMap<String, Vec<serde_json::Value>>,
    /// The file that names a source.
    paths: BTreeMap<String, PathBuf>,
    /// The hash of each file.
    hashes: Vec<B256>,
}

/// The task of a recording.
pub struct RecordedTask {
    pub client: Address,
    pub nonce: U256,
    pub block: ReferenceBlock,
}

/// The data of one decision.
pub struct Data {
    /// The content of the data region.
    pub content: String,
    /// What repeats it.
    pub recordings: Recordings,
}

/// What repeats the data of a decision: the file that --recordings-out writes and --data reads.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recordings {
    version: u32,
    /// Answers that were given.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    answers: BTreeMap<String, serde_json::Value>,
    /// What sources asked and were answered.
    recordings: BTreeMap<String, serde_json::Value>,
}

impl DataArguments {
    /// Returns the files that are read.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.data.iter().chain(&self.secrets).map(PathBuf::as_path)
    }

    /// Reads the files with data.
    pub fn read(&self) -> Result<Given> {
        Given::read_all(&self.data)
    }

    /// Prepares the sources of a policy for one task.
    pub fn sources(&self, loaded: &Loaded, given: Given, node: Option<&Node>) -> Result<Sources> {
        Sources::new(loaded, given, self.secrets.as_deref(), node, Era::Now)
    }

    /// Reads the files with data, and prepares the sources of a policy for each new task.
    pub fn live_sources(&self, loaded: &Loaded, node: &Node) -> Result<Sources> {
        Sources::new(loaded, self.read()?, self.secrets.as_deref(), Some(node), Era::Live)
    }
}

impl Given {
    /// Reads files with answers and recordings. A source has one answer, or several recordings.
    pub fn read_all(paths: &[PathBuf]) -> Result<Self> {
        let mut given = Self::default();
        for path in paths {
            let Self { answers, recordings, hashes, .. } = Self::read(path)?;
            given.hashes.extend(hashes);
            for (key, answer) in answers {
                if let Some(earlier) = given.paths.get(&key) {
                    bail!("{} and {} both answer the source `{key}`; give one", earlier.display(), path.display());
                }
                given.paths.insert(key.clone(), path.clone());
                given.answers.insert(key, answer);
            }
            for (key, of_source) in recordings {
                if given.answers.contains_key(&key) {
                    bail!("{}: the source `{key}` has an answer already; give one of the two", path.display());
                }
                given.paths.insert(key.clone(), path.clone());
                given.recordings.entry(key).or_default().extend(of_source);
            }
        }
        Ok(given)
    }

    fn read(path: &Path) -> Result<Self> {
        let text = input::read_file("data", path, LONGEST_DATA)?;
        let Value::Object(object) = parse_json("data", path, &text)? else {
            bail!("data {} must be an object with the answer of each source", path.display());
        };
        let mut given = Self { hashes: vec![keccak256(&text)], ..Self::default() };
        let is_recorded = object.get("recordings").is_some_and(|recordings| recordings.as_object().is_some());
        if !is_recorded || object.get("version").and_then(Value::as_u64).is_none() {
            given.answers = flattened(object);
            return Ok(given);
        }
        let malformed = || format!("cannot parse the recordings {}", path.display());
        let file = serde_json::from_slice::<Recordings>(&text).with_context(malformed)?;
        if file.version != Recordings::VERSION {
            bail!("the recordings {} have version {}; this program reads version 1", path.display(), file.version);
        }
        for (key, answer) in file.answers {
            let answer = assent_json::parse(answer.to_string().as_bytes()).with_context(malformed)?;
            given.answers.insert(key, answer);
        }
        given.recordings = file.recordings.into_iter().map(|(key, recording)| (key, vec![recording])).collect();
        Ok(given)
    }

    /// Returns the hash of what was read; nothing without a file.
    pub fn hash(&self) -> Option<B256> {
        Some(self.hashes.concat()).filter(|hashes| !hashes.is_empty()).map(keccak256)
    }

    /// Returns the task that the first recording is of.
    pub fn task(&self) -> Option<RecordedTask> {
        let request = self.recordings.values().flatten().next()?.get("request")?.as_str()?;
        let request = assent_json::parse(request.as_bytes()).ok()?;
        let text = |name| request.get("task").and_then(|task: &Value| task.get(name)?.as_str().map(str::to_owned));
        let number = |name| text(name)?.parse::<U256>().ok();
        Some(RecordedTask {
            client: text("client")?.parse().ok()?,
            nonce: number("nonce")?,
            block: ReferenceBlock {
                number: number("block")?,
                hash: text("block_hash")?.parse::<B256>().ok()?,
                timestamp: number("time")?,
            },
        })
    }
}

/// Returns the answers by key. Those of a conjunction are in objects by the policies' indices.
fn flattened(object: Object) -> BTreeMap<String, Value> {
    let mut answers = BTreeMap::new();
    for (name, value) in object {
        let is_index = !name.is_empty() && name.chars().all(|letter| letter.is_ascii_digit());
        match value {
            Value::Object(of_member) if is_index => {
                answers.extend(of_member.into_iter().map(|(source, value)| (format!("{name}.{source}"), value)));
            }
            value => drop(answers.insert(name, value)),
        }
    }
    answers
}

/// The sources of a policy, with what answers them.
pub struct Sources {
    keys: BTreeMap<String, (Option<usize>, String)>,
    given: Given,
    observatory: Option<Observatory>,
}

impl Sources {
    /// Prepares the sources of a policy: compiles its components, unless all of them are answered.
    pub fn new(loaded: &Loaded, given: Given, secrets: Option<&Path>, node: Option<&Node>, era: Era) -> Result<Self> {
        let rules = Rules::parse(loaded.policy.rules())?;
        let keys = rules.source_keys();
        for (name, path) in &given.paths {
            if !keys.contains_key(name) {
                let known = keys.keys().map(|key| format!("`{key}`")).collect::<Vec<_>>();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                bail!("data {}: `{name}` is not a source of the policy, which has {known}", path.display());
            }
        }
        let is_observed = keys.keys().any(|key| !given.answers.contains_key(key));
        let observatory = if is_observed { Some(Observatory::new(loaded, secrets, node, era)?) } else { None };
        Ok(Self { keys, given, observatory })
    }

    /// Returns the data of one decision, and shows that it waits for the sources.
    pub fn wait_for_data(&self, input: &PolicyInput) -> Result<Data> {
        let _spinner = self.observatory.is_some().then(|| output::spinner("Observing the policy's sources"));
        self.data(input)
    }

    /// Returns the data of one decision. Empty without sources.
    pub fn data(&self, input: &PolicyInput) -> Result<Data> {
        let mut recordings = Recordings { version: Recordings::VERSION, ..Recordings::default() };
        let mut members = BTreeMap::<Option<usize>, Observations>::new();
        for (key, (member, name)) in &self.keys {
            let recorded = self.given.recordings.get(key).map(Vec::as_slice).unwrap_or_default();
            let output = match (self.given.answers.get(key), &self.observatory) {
                (Some(answer), _) => {
                    recordings.answers.insert(key.clone(), serde_json::from_str(&answer.to_canonical())?);
                    answer.clone()
                }
                (None, Some(observatory)) => {
                    let (output, recording) = observatory.observe(key, input, recorded)?;
                    recordings.recordings.insert(key.clone(), recording);
                    output
                }
                (None, None) => bail!("the source `{key}` has no answer; give it in --data"),
            };
            let observations = members.entry(*member).or_insert_with(|| Observations::new(U256::ONE));
            observations.add(name, Address::ZERO, U256::ONE, output)?;
        }
        Ok(Data { content: Observations::of_members(&members)?, recordings })
    }
}

impl Recordings {
    const VERSION: u32 = 1;

    /// Returns whether a source was asked.
    pub fn is_observed(&self) -> bool {
        !self.recordings.is_empty()
    }

    /// Writes the file. Recordings that are there are replaced.
    pub fn replace(&self, path: &Path, force: bool) -> Result<()> {
        let existing = input::read_file("recordings", path, LONGEST_DATA).ok();
        let is_recorded = existing.is_some_and(|text| serde_json::from_slice::<Self>(&text).is_ok());
        self.write(path, force || is_recorded)
    }

    /// Writes the file.
    pub fn write(&self, path: &Path, force: bool) -> Result<()> {
        let text = serde_json::to_string(self)? + "\n";
        OutputFile::new("recordings", path, force)?.write(text)?;
        output::remark(format_args!("what the sources answered is in {}; --data repeats it", path.display()));
        Ok(())
    }
}
