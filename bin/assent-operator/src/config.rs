//! The operator's configuration: a file, flags, and environment variables with the same keys.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use alloy_primitives::{Address, hex};
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use assent_evidence_store::MIN_RETENTION;
use assent_journal::marker_beside;
use assent_network::operator::MAX_BLOCK_AGE;
use assent_program::{at_least_one, check_otlp_endpoint, missing, read_configuration};
use assent_types::PublicKey;
use clap::ValueHint;

use crate::{gateway_address::GatewayAddress, log_function::LogFunction};

/// What the names of the variables begin with.
const VARIABLES: &str = "ASSENT_OPERATOR";

assent_program::options! {
    /// The options of an operator, each a flag, a variable, or a key of the configuration file.
    pub struct OperatorOptions, hide_env_values = true;

    /// The operator's address in the registry.
    #[arg(value_name = "ADDRESS")]
    operator, "ASSENT_OPERATOR_OPERATOR": Address,
    /// The operator's keystore (EIP-2335), as `assent keys new` writes it.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    key, "ASSENT_OPERATOR_KEY": PathBuf,
    /// The file with the keystore's password.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    password_file, "ASSENT_OPERATOR_PASSWORD_FILE": PathBuf,
    /// A remote signer that holds the key instead: https, or http on this machine.
    #[arg(value_name = "URL", conflicts_with_all = ["key", "password_file"], value_hint = ValueHint::Url)]
    remote_signer, "ASSENT_OPERATOR_REMOTE_SIGNER": String,
    /// The public key with which the remote signer signs.
    #[arg(value_name = "HEX", requires = "remote_signer")]
    public_key, "ASSENT_OPERATOR_PUBLIC_KEY": String,
    /// The node of the chain. Its URL can contain a key, and is never shown.
    #[arg(value_name = "URL", value_hint = ValueHint::Url)]
    rpc_url, "ASSENT_OPERATOR_RPC_URL": String,
    /// The chain's id. The operator does not start on another chain [default: the node's].
    #[arg(value_name = "NUMBER")]
    chain_id, "ASSENT_OPERATOR_CHAIN_ID": u64,
    /// The TaskManager that it signs for.
    #[arg(value_name = "ADDRESS")]
    task_manager, "ASSENT_OPERATOR_TASK_MANAGER": Address,
    /// The gateways to which it connects, separated by commas.
    #[arg(value_name = "URL", value_delimiter = ',', value_hint = ValueHint::Url)]
    gateways, "ASSENT_OPERATOR_GATEWAYS": Vec<String>,
    /// Certificates (PEM) by which gateways are trusted besides those of public authorities.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    gateway_certificates, "ASSENT_OPERATOR_GATEWAY_CERTIFICATES": PathBuf,
    /// Where built policies are, separated by commas: folders, or URLs. The first that has a policy counts.
    #[arg(value_name = "FOLDER|URL", value_delimiter = ',', value_hint = ValueHint::AnyPath)]
    policies, "ASSENT_OPERATOR_POLICIES": Vec<String>,
    /// The file that records what is signed.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    journal, "ASSENT_OPERATOR_JOURNAL": PathBuf,
    /// The file that knows how far the key has been used [default: the key's file name with .marker].
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    marker, "ASSENT_OPERATOR_MARKER": PathBuf,
    /// Accept a journal that is not known to be the key's latest. What it lacks can be signed twice, an offence.
    #[arg(value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
    accept_older_journal, "ASSENT_OPERATOR_ACCEPT_OLDER_JOURNAL": bool,
    /// Where evidence is kept: a folder, or a bucket of S3 as in s3://BUCKET/PREFIX.
    #[arg(value_name = "FOLDER|URL", value_hint = ValueHint::DirPath)]
    evidence, "ASSENT_OPERATOR_EVIDENCE": String,
    /// How long evidence is kept, in days, at least 60 [default: 90].
    #[arg(value_name = "DAYS")]
    evidence_days, "ASSENT_OPERATOR_EVIDENCE_DAYS": u32,
    /// The address on which evidence, health and metrics are served; port 0 selects a free port
    /// [default: 127.0.0.1:8788].
    #[arg(value_name = "ADDRESS:PORT")]
    listen, "ASSENT_OPERATOR_LISTEN": SocketAddr,
    /// Accounts that forward calls of others, separated by commas: tasks from them are refused.
    #[arg(value_name = "ADDRESS", value_delimiter = ',')]
    forwarders, "ASSENT_OPERATOR_FORWARDERS": Vec<Address>,
    /// The secrets that policies' sources may send, each bound to a host and a policy.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    secrets, "ASSENT_OPERATOR_SECRETS": PathBuf,
    /// The most seconds by which a reference block may be older than the node's latest [default: 24].
    #[arg(value_name = "SECONDS")]
    max_block_age, "ASSENT_OPERATOR_MAX_BLOCK_AGE": u64,
    /// The most tasks that it works on or remembers [default: 1024].
    #[arg(value_name = "COUNT")]
    max_tasks, "ASSENT_OPERATOR_MAX_TASKS": usize,
    /// The most policies that are evaluated at one time [default: the processor's cores].
    #[arg(value_name = "COUNT")]
    evaluations, "ASSENT_OPERATOR_EVALUATIONS": usize,
    /// The seconds by which the node's latest block may be behind this machine's clock before /healthz says so; 0 for
    /// any [default: 120].
    #[arg(value_name = "SECONDS")]
    max_node_lag, "ASSENT_OPERATOR_MAX_NODE_LAG": u64,
    /// The collector of OpenTelemetry to which traces are sent as OTLP over HTTP, as in http://127.0.0.1:4318. Its URL
    /// can contain a key, and is never shown.
    #[arg(value_name = "URL", value_hint = ValueHint::Url)]
    otlp_endpoint, "ASSENT_OPERATOR_OTLP_ENDPOINT": String,
}

/// Where the operator's key is.
#[derive(Clone)]
#[non_exhaustive]
pub enum KeySource {
    /// A file, with the file of its password if it is encrypted.
    File {
        /// The keystore, or an unencrypted key.
        path: PathBuf,
        /// The file with the password.
        password_file: Option<PathBuf>,
    },
    /// A remote signer, which holds the key.
    Remote {
        /// Its URL.
        url: String,
        /// The key.
        public_key: PublicKey,
    },
}

/// A checked configuration.
#[derive(Clone)]
#[non_exhaustive]
pub struct OperatorConfig {
    /// The operator's address in the registry.
    pub operator: Address,
    /// Where its key is.
    pub key: KeySource,
    /// The URL of the node.
    pub rpc_url: String,
    /// The chain that the node must be on, if it is given.
    pub chain_id: Option<u64>,
    /// The TaskManager.
    pub task_manager: Address,
    /// The gateways.
    pub gateways: Vec<GatewayAddress>,
    /// The file with certificates by which gateways are trusted besides public authorities.
    pub gateway_certificates: Option<PathBuf>,
    /// Where built policies are.
    pub policies: Vec<String>,
    /// The file of the journal.
    pub journal: PathBuf,
    /// The file of the key's marker.
    pub marker: PathBuf,
    /// Whether an older journal is accepted.
    pub accept_older_journal: bool,
    /// Where evidence is kept: a folder, or a bucket of S3 as in `s3://BUCKET/PREFIX`.
    pub evidence: String,
    /// How long evidence is kept.
    pub evidence_retention: Duration,
    /// The address on which evidence, health and metrics are served.
    pub listen: SocketAddr,
    /// Accounts that forward calls of others.
    pub forwarders: BTreeSet<Address>,
    /// The file with the secrets of sources.
    pub secrets: Option<PathBuf>,
    /// The most seconds by which a reference block may be older than the node's latest.
    pub max_block_age: u64,
    /// The most tasks that it works on or remembers.
    pub max_tasks: usize,
    /// The most policies that are evaluated at one time.
    pub evaluations: usize,
    /// The seconds by which the node's latest block may be behind this machine's clock; 0 for any.
    pub max_node_lag: u64,
    /// The URL of the collector to which traces are sent.
    pub otlp_endpoint: Option<String>,
    /// Where lines of the log go.
    pub log: LogFunction,
}

impl OperatorOptions {
    /// Returns the keys of the configuration file.
    pub fn keys() -> Vec<String> {
        Self::KEYS.iter().map(|key| key.replace('_', "-")).collect()
    }

    /// Reads a configuration file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is not TOML, or has an unknown key.
    pub fn read_file(path: &Path) -> Result<Self> {
        let text = read_configuration(path)?;
        Self::parse(&text).with_context(|| format!("the configuration {}", path.display()))
    }

    /// Parses the text of a configuration file.
    ///
    /// # Errors
    ///
    /// The text is not TOML, or has an unknown key.
    pub fn parse(text: &str) -> Result<Self> {
        let table: toml::Table = toml::from_str(text)?;
        let keys = Self::keys();
        if let Some(unknown) = table.keys().find(|key| !keys.contains(key)) {
            let nearest = keys.iter().min_by_key(|key| edits(unknown, key)).map(String::as_str).unwrap_or_default();
            bail!("unknown key `{unknown}`; did you mean `{nearest}`? --help lists all of them");
        }
        Ok(toml::from_str(text)?)
    }
}

impl OperatorConfig {
    /// Checks options. Nothing is opened yet.
    ///
    /// # Errors
    ///
    /// An option is missing, or has a value that cannot be used.
    pub fn new(options: OperatorOptions) -> Result<Self> {
        let key = match (options.key, options.remote_signer) {
            (Some(path), None) => KeySource::File { path, password_file: options.password_file },
            (None, Some(url)) => {
                let public_key = parse_public_key(&required("public-key", options.public_key)?)?;
                KeySource::Remote { url, public_key }
            }
            (Some(_), Some(_)) => bail!("key and remote-signer are two places of one key; give one of them"),
            (None, None) => return Err(missing(VARIABLES, "key")),
        };
        let journal = required("journal", options.journal)?;
        let marker = match (options.marker, &key) {
            (Some(marker), _) => marker,
            (None, KeySource::File { path, .. }) => marker_beside(path),
            (None, KeySource::Remote { .. }) => marker_beside(&journal),
        };
        let gateways = required("gateways", options.gateways)?;
        ensure!(
            !gateways.is_empty(),
            "gateways is empty; give the URL of at least one gateway, as in wss://HOST/operators"
        );
        let policies = required("policies", options.policies)?;
        ensure!(!policies.is_empty(), "policies is empty; give the folder or URL of at least one policy store");
        let days = options.evidence_days.unwrap_or(90);
        let evidence_retention = Duration::from_secs(u64::from(days) * 24 * 60 * 60);
        ensure!(
            evidence_retention >= MIN_RETENTION,
            "evidence-days is {days}; evidence is kept for at least {} days, while it can be challenged",
            MIN_RETENTION.as_secs() / 86_400
        );
        let max_block_age = options.max_block_age.unwrap_or(MAX_BLOCK_AGE);
        ensure!(max_block_age > 0, "max-block-age is 0; give at least 1");
        if let Some(endpoint) = &options.otlp_endpoint {
            check_otlp_endpoint(endpoint)?;
        }
        Ok(Self {
            operator: required("operator", options.operator)?,
            key,
            rpc_url: required("rpc-url", options.rpc_url)?,
            chain_id: options.chain_id,
            task_manager: required("task-manager", options.task_manager)?,
            gateways: gateways
                .iter()
                .map(|url| url.parse().map_err(|error| anyhow!("gateways: {error}")))
                .collect::<Result<_>>()?,
            gateway_certificates: options.gateway_certificates,
            policies,
            journal,
            marker,
            accept_older_journal: options.accept_older_journal.unwrap_or_default(),
            evidence: required("evidence", options.evidence)?,
            evidence_retention,
            listen: options.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8788))),
            forwarders: options.forwarders.unwrap_or_default().into_iter().collect(),
            secrets: options.secrets,
            max_block_age,
            max_tasks: at_least_one("max-tasks", options.max_tasks.unwrap_or(1024))?,
            evaluations: at_least_one("evaluations", options.evaluations.unwrap_or_else(cores))?,
            max_node_lag: options.max_node_lag.unwrap_or(120),
            otlp_endpoint: options.otlp_endpoint,
            log: Arc::new(|line| eprintln!("{line}")),
        })
    }
}

fn parse_public_key(text: &str) -> Result<PublicKey> {
    let bytes = text.strip_prefix("0x").and_then(|digits| hex::decode(digits).ok());
    let key = bytes.and_then(|bytes| PublicKey::try_from(bytes.as_slice()).ok());
    key.context("public-key is not 0x and the digits of a public key; `assent keys show` prints it")
}

fn required<T>(key: &str, value: Option<T>) -> Result<T> {
    assent_program::required(VARIABLES, key, value)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Returns how many letters must be added, removed or replaced to make one word of another.
fn edits(one: &str, other: &str) -> usize {
    let mut previous: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.bytes().enumerate() {
        let mut left = row + 1;
        let mut current = vec![left];
        for (pair, known) in previous.windows(2).zip(other.bytes()) {
            let [diagonal, above] = pair else { continue };
            left = (diagonal + usize::from(letter != known)).min(above + 1).min(left + 1);
            current.push(left);
        }
        previous = current;
    }
    previous.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that must be given.
    const LEAST: &str = r#"
        operator = "0x0101010101010101010101010101010101010101"
        key = "operator.json"
        rpc-url = "http://127.0.0.1:8545"
        task-manager = "0x0202020202020202020202020202020202020202"
        gateways = ["wss://gateway.example/operators"]
        policies = ["policies"]
        journal = "journal.redb"
        evidence = "evidence"
    "#;

    fn config(text: &str) -> Result<OperatorConfig> {
        OperatorConfig::new(OperatorOptions::parse(text)?)
    }

    #[test]
    fn what_is_not_given_has_its_documented_default() {
        let config = config(LEAST).unwrap();
        assert_eq!(config.marker, Path::new("operator.json.marker"));
        assert_eq!((config.max_block_age, config.max_tasks, config.max_node_lag), (24, 1024, 120));
        assert_eq!(config.listen, "127.0.0.1:8788".parse().unwrap());
        assert_eq!(config.evidence_retention, Duration::from_secs(90 * 86_400));
        assert!(!config.accept_older_journal);
    }

    #[test]
    fn every_error_says_what_to_do() {
        let without =
            |key: &str| LEAST.lines().filter(|line| !line.trim().starts_with(key)).collect::<Vec<_>>().join("\n");
        for key in ["operator", "key", "rpc-url", "task-manager", "gateways", "policies", "journal", "evidence"] {
            let error = format!("{:#}", config(&without(key)).err().unwrap());
            assert!(error.starts_with(&format!("{key} is missing: give --{key}, ASSENT_OPERATOR_")), "{error}");
        }
        for (changed, expected) in [
            ("jurnal = 'x'", "unknown key `jurnal`; did you mean `journal`?"),
            ("rpc_url = 'x'", "unknown key `rpc_url`; did you mean `rpc-url`?"),
            ("gatway = 'x'", "unknown key `gatway`; did you mean `gateways`?"),
            ("evidence-days = 59", "evidence is kept for at least 60 days"),
            ("max-tasks = 0", "max-tasks is 0; give at least 1"),
            ("max-tasks = 'many'", "invalid type"),
            ("otlp-endpoint = 'grpc://collector'", "otlp-endpoint is not the URL of a collector"),
            ("remote-signer = 'http://localhost:1'", "key and remote-signer are two places of one key"),
        ] {
            let error = format!("{:#}", config(&format!("{LEAST}\n{changed}")).err().unwrap());
            assert!(error.contains(expected), "{changed}: {error}");
        }
        let remote = format!("{}\nremote-signer = 'http://localhost:1'", without("key"));
        let error = format!("{:#}", config(&remote).err().unwrap());
        assert!(error.starts_with("public-key is missing"), "{error}");
    }

    #[test]
    fn a_flag_counts_before_the_file() {
        let file = OperatorOptions::parse(LEAST).unwrap();
        let flags = OperatorOptions { max_tasks: Some(7), ..OperatorOptions::default() };
        let config = OperatorConfig::new(flags.or(file)).unwrap();
        assert_eq!(config.max_tasks, 7);
        assert_eq!(config.journal, Path::new("journal.redb"));
    }

    #[test]
    fn the_distance_of_words_counts_edits() {
        for (one, other, expected) in
            [("", "", 0), ("a", "", 1), ("", "ab", 2), ("kitten", "sitting", 3), ("a", "a", 0)]
        {
            assert_eq!(edits(one, other), expected, "{one} {other}");
        }
    }
}
