//! The gateway's configuration: a file, flags, and environment variables with the same keys.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use alloy::transports::http::reqwest::Url;
use alloy_primitives::{Address, hex};
use anyhow::{Context as _, Result, bail, ensure};
use assent_network::message::MAX_BATCH;
use assent_program::{at_least_one, check_otlp_endpoint, read_configuration};
use clap::ValueHint;

assent_program::options! {
    /// The options of the gateway, each a flag, a variable, or a key of the configuration file.
    pub struct GatewayOptions, hide_env_values = false;

    /// The address to listen on; port 0 selects a free port [default: 127.0.0.1:8787].
    #[arg(value_name = "ADDRESS:PORT")]
    listen, "ASSENT_GATEWAY_LISTEN": SocketAddr,
    /// A separate address for metrics; without it, they are at /metrics of `listen`.
    #[arg(value_name = "ADDRESS:PORT")]
    metrics_listen, "ASSENT_GATEWAY_METRICS_LISTEN": SocketAddr,
    /// The host:port under which operators dial it; an operator signs what it dialled [default: the listen address].
    #[arg(value_name = "HOST:PORT", value_delimiter = ',')]
    names, "ASSENT_GATEWAY_NAMES": Vec<String>,
    /// The node of the chain. Its URL can contain a key, and is never shown.
    #[arg(value_name = "URL", hide_env_values = true, value_hint = ValueHint::Url)]
    rpc_url, "ASSENT_GATEWAY_RPC_URL": String,
    /// The TaskManager that it serves.
    #[arg(value_name = "ADDRESS")]
    task_manager, "ASSENT_GATEWAY_TASK_MANAGER": Address,
    /// Where built policies are: a folder, or a URL.
    #[arg(value_name = "FOLDER|URL", value_hint = ValueHint::AnyPath)]
    policies, "ASSENT_GATEWAY_POLICIES": String,
    /// The tasks that it has accepted: a file, or the nats:// URLs of servers with JetStream, separated by commas.
    #[arg(value_name = "FILE|URLS", hide_env_values = true, value_hint = ValueHint::FilePath)]
    task_log, "ASSENT_GATEWAY_TASK_LOG": String,
    /// Certificates (PEM) by which NATS servers with TLS are trusted besides those of the system.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    task_log_certificates, "ASSENT_GATEWAY_TASK_LOG_CERTIFICATES": PathBuf,
    /// The file with the credentials for NATS, which only its owner may read: a .creds file, or the seed of an nkey.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    task_log_credentials, "ASSENT_GATEWAY_TASK_LOG_CREDENTIALS": PathBuf,
    /// The certificate (PEM) with which the gateway proves to NATS servers who it is.
    #[arg(value_name = "FILE", requires = "task_log_client_key", value_hint = ValueHint::FilePath)]
    task_log_client_certificate, "ASSENT_GATEWAY_TASK_LOG_CLIENT_CERTIFICATE": PathBuf,
    /// The private key of that certificate (PEM).
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    task_log_client_key, "ASSENT_GATEWAY_TASK_LOG_CLIENT_KEY": PathBuf,
    /// The stream in NATS, which gateways of one network share [default: assent-CHAIN-TASKMANAGER].
    #[arg(value_name = "NAME")]
    task_log_stream, "ASSENT_GATEWAY_TASK_LOG_STREAM": String,
    /// The most bytes of the stream. It counts for a log that is created [default: the server's limit].
    #[arg(value_name = "BYTES")]
    task_log_max_bytes, "ASSENT_GATEWAY_TASK_LOG_MAX_BYTES": u64,
    /// On how many servers of a NATS cluster each task is kept: 1, 3 or 5. It counts for a log that is created
    /// [default: 1].
    #[arg(value_name = "COUNT")]
    task_log_replicas, "ASSENT_GATEWAY_TASK_LOG_REPLICAS": usize,
    /// The name of this gateway in the task log; gateways on one log have different names [default: gateway].
    #[arg(value_name = "NAME")]
    name, "ASSENT_GATEWAY_NAME": String,
    /// Where evidence is served by its hash: the URLs of operators.
    #[arg(value_name = "URL", value_delimiter = ',')]
    evidence, "ASSENT_GATEWAY_EVIDENCE": Vec<String>,
    /// The certificate chain of the server (PEM). Without it, the gateway speaks HTTP without TLS.
    #[arg(value_name = "FILE", requires = "tls_key", value_hint = ValueHint::FilePath)]
    tls_certificate, "ASSENT_GATEWAY_TLS_CERTIFICATE": PathBuf,
    /// The private key of the certificate (PEM).
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    tls_key, "ASSENT_GATEWAY_TLS_KEY": PathBuf,
    /// Who may ask, as NAME:SHA-256 of a token that callers send as `Authorization: Bearer`. Without one, everyone may.
    #[arg(value_name = "NAME:HASH", value_delimiter = ',', hide_env_values = true)]
    tokens, "ASSENT_GATEWAY_TOKENS": Vec<String>,
    /// The origins whose pages may ask; `*` for all.
    #[arg(value_name = "ORIGIN", value_delimiter = ',')]
    cors_origins, "ASSENT_GATEWAY_CORS_ORIGINS": Vec<String>,
    /// Serve the page with the latest decisions and the operators at /page [default: true].
    #[arg(value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
    page, "ASSENT_GATEWAY_PAGE": bool,
    /// The script with which the page replays evidence [default: assent-replay.js beside the program, if it is there].
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    page_replay, "ASSENT_GATEWAY_PAGE_REPLAY": PathBuf,
    /// Take a caller's address from the last entry of X-Forwarded-For: only behind a proxy that sets it.
    #[arg(value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
    trust_forwarded_for, "ASSENT_GATEWAY_TRUST_FORWARDED_FOR": bool,
    /// The calls a second that each caller can make in the long run [default: 20].
    #[arg(value_name = "COUNT")]
    rate, "ASSENT_GATEWAY_RATE": u32,
    /// The calls that each caller can make at once [default: 100].
    #[arg(value_name = "COUNT")]
    burst, "ASSENT_GATEWAY_BURST": u32,
    /// The most connections [default: 4096].
    #[arg(value_name = "COUNT")]
    max_connections, "ASSENT_GATEWAY_MAX_CONNECTIONS": usize,
    /// The most connections of an address; further ones are closed [default: 256].
    #[arg(value_name = "COUNT")]
    max_connections_per_address, "ASSENT_GATEWAY_MAX_CONNECTIONS_PER_ADDRESS": usize,
    /// The most connections of operators, which do not count as others [default: 1024].
    #[arg(value_name = "COUNT")]
    max_operators, "ASSENT_GATEWAY_MAX_OPERATORS": usize,
    /// The most requests that wait; further ones are refused as busy [default: 1024].
    #[arg(value_name = "COUNT")]
    max_requests, "ASSENT_GATEWAY_MAX_REQUESTS": usize,
    /// The most requests of a caller that wait [default: 128].
    #[arg(value_name = "COUNT")]
    max_requests_per_caller, "ASSENT_GATEWAY_MAX_REQUESTS_PER_CALLER": usize,
    /// The most tasks that are open or remembered [default: 10000].
    #[arg(value_name = "COUNT")]
    max_tasks, "ASSENT_GATEWAY_MAX_TASKS": usize,
    /// The most bytes of a request's body [default: 1048576].
    #[arg(value_name = "BYTES")]
    max_body, "ASSENT_GATEWAY_MAX_BODY": usize,
    /// The most calls of a batch [default: 32].
    #[arg(value_name = "COUNT")]
    max_batch, "ASSENT_GATEWAY_MAX_BATCH": usize,
    /// The open tasks from which further ones are signed in batches; 0 for always [default: 16].
    #[arg(value_name = "COUNT")]
    batch_from, "ASSENT_GATEWAY_BATCH_FROM": usize,
    /// The most tasks that operators sign in one batch, up to 256 [default: 256].
    #[arg(value_name = "COUNT")]
    batch_tasks, "ASSENT_GATEWAY_BATCH_TASKS": usize,
    /// How long a batch waits for a quorum's signatures before its tasks are signed one by one, in milliseconds
    /// [default: 1000].
    #[arg(value_name = "MILLISECONDS")]
    batch_millis, "ASSENT_GATEWAY_BATCH_MILLIS": u64,
    /// How long a request waits for a decision unless it says how long, in seconds [default: 30].
    #[arg(value_name = "SECONDS")]
    max_wait, "ASSENT_GATEWAY_MAX_WAIT": u64,
    /// How long an attestation is valid if the request does not say it, in seconds; the client's longest lifetime if
    /// that is less [default: 300].
    #[arg(value_name = "SECONDS")]
    default_lifetime, "ASSENT_GATEWAY_DEFAULT_LIFETIME": u64,
    /// How long ended tasks are kept after their expiration, in seconds [default: 604800].
    #[arg(value_name = "SECONDS")]
    retention, "ASSENT_GATEWAY_RETENTION": u64,
    /// The collector of OpenTelemetry to which traces are sent as OTLP over HTTP, as in http://127.0.0.1:4318. Its URL
    /// can contain a key, and is never shown.
    #[arg(value_name = "URL", hide_env_values = true, value_hint = ValueHint::Url)]
    otlp_endpoint, "ASSENT_GATEWAY_OTLP_ENDPOINT": String,
    /// How often the chain's latest block is read, in milliseconds [default: 250].
    #[arg(value_name = "MILLISECONDS")]
    poll, "ASSENT_GATEWAY_POLL": u64,
}

/// A checked configuration.
#[derive(Clone)]
#[non_exhaustive]
pub struct GatewayConfig {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The separate address of the metrics, if they have one.
    pub metrics_listen: Option<SocketAddr>,
    /// The `host:port` under which operators dial it; if empty, the address that it listens on.
    pub names: BTreeSet<String>,
    /// The URL of the node.
    pub rpc_url: String,
    /// The TaskManager.
    pub task_manager: Address,
    /// Where built policies are.
    pub policies: String,
    /// Where the tasks are.
    pub task_log: TaskLogLocation,
    /// The certificates by which NATS servers are trusted besides those of the system.
    pub task_log_certificates: Option<PathBuf>,
    /// The file with the credentials for NATS.
    pub task_log_credentials: Option<PathBuf>,
    /// The files with the certificate and the key by which NATS servers know the gateway.
    pub task_log_client: Option<(PathBuf, PathBuf)>,
    /// The stream in NATS; without one, its name is that of the chain and the TaskManager.
    pub task_log_stream: Option<String>,
    /// The most bytes of a new stream.
    pub task_log_max_bytes: Option<u64>,
    /// On how many servers of a NATS cluster each task of a new log is kept.
    pub task_log_replicas: usize,
    /// The gateway's name in the task log.
    pub name: String,
    /// Where evidence is served by its hash.
    pub evidence: Vec<String>,
    /// The files with certificate chain and private key.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Who may ask; everyone if the list is empty.
    pub tokens: Vec<ApiToken>,
    /// The origins whose pages may ask.
    pub cors_origins: Vec<String>,
    /// Whether the page is served.
    pub page: bool,
    /// The script with which the page replays evidence; without one, that beside the program, if it is there.
    pub page_replay: Option<PathBuf>,
    /// Whether X-Forwarded-For has the caller's address.
    pub trust_forwarded_for: bool,
    /// The bounds of everything that callers and operators can make grow.
    pub limits: GatewayLimits,
    /// When operators sign many tasks together.
    pub batches: BatchConfig,
    /// How long an attestation is valid if the request does not say it.
    pub default_lifetime: Duration,
    /// How long ended tasks are kept after their expiration.
    pub retention: Duration,
    /// The URL of the collector to which traces are sent.
    pub otlp_endpoint: Option<String>,
    /// How often the latest block is read.
    pub poll: Duration,
}

/// The bounds of everything that callers and operators can make grow.
// Complete: each is an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GatewayLimits {
    /// Calls a second of each caller.
    pub rate: u32,
    /// Calls of each caller at once.
    pub burst: u32,
    /// Connections.
    pub max_connections: usize,
    /// Connections of an address.
    pub max_connections_per_address: usize,
    /// Connections of operators.
    pub max_operators: usize,
    /// Requests that wait.
    pub max_requests: usize,
    /// Requests of a caller that wait.
    pub max_requests_per_caller: usize,
    /// Tasks that are open or remembered.
    pub max_tasks: usize,
    /// Bytes of a request's body.
    pub max_body: usize,
    /// Calls of a batch.
    pub max_batch: usize,
    /// How long a request waits for a decision.
    pub max_wait: Duration,
}

/// When operators sign many tasks together.
// Complete: each is an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchConfig {
    /// The open tasks from which further ones are signed in batches.
    pub from: usize,
    /// The most tasks of a batch.
    pub tasks: usize,
    /// How long a batch waits for a quorum's signatures.
    pub patience: Duration,
}

/// Where accepted tasks are.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskLogLocation {
    /// A file, which only this gateway opens.
    File(PathBuf),
    /// Servers of NATS, whose stream several gateways share. A URL can contain a password.
    Nats(Vec<String>),
}

/// A caller that may ask, and the hash of the token that shows it.
// Complete: a token has a name and a hash.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// The caller's name.
    pub name: String,
    /// The SHA-256 of the token.
    pub hash: [u8; 32],
}

impl GatewayOptions {
    /// Reads a configuration file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is not TOML, or has an unknown key.
    pub fn read_file(path: &Path) -> Result<Self> {
        toml::from_str(&read_configuration(path)?).with_context(|| format!("{} is not a configuration", path.display()))
    }
}

impl GatewayConfig {
    /// Checks options.
    ///
    /// # Errors
    ///
    /// An option is missing, or has a value that cannot be used.
    pub fn new(options: GatewayOptions) -> Result<Self> {
        let limits = GatewayLimits {
            rate: at_least_one("rate", options.rate.unwrap_or(20))?,
            burst: at_least_one("burst", options.burst.unwrap_or(100))?,
            max_connections: at_least_one("max-connections", options.max_connections.unwrap_or(4096))?,
            max_connections_per_address: at_least_one(
                "max-connections-per-address",
                options.max_connections_per_address.unwrap_or(256),
            )?,
            max_operators: at_least_one("max-operators", options.max_operators.unwrap_or(1024))?,
            max_requests: at_least_one("max-requests", options.max_requests.unwrap_or(1024))?,
            max_requests_per_caller: at_least_one(
                "max-requests-per-caller",
                options.max_requests_per_caller.unwrap_or(128),
            )?,
            max_tasks: at_least_one("max-tasks", options.max_tasks.unwrap_or(10_000))?,
            max_body: at_least_one("max-body", options.max_body.unwrap_or(1024 * 1024))?,
            max_batch: at_least_one("max-batch", options.max_batch.unwrap_or(32))?,
            max_wait: Duration::from_secs(at_least_one("max-wait", options.max_wait.unwrap_or(30))?),
        };
        ensure!(
            usize::try_from(limits.burst).is_ok_and(|burst| burst >= limits.max_batch),
            "burst is {}, less than the {} calls of a batch: raise burst, or lower max-batch",
            limits.burst,
            limits.max_batch
        );
        let names: BTreeSet<_> = options.names.unwrap_or_default().into_iter().collect();
        if let Some(name) = names.iter().find(|name| !is_host_and_port(name)) {
            bail!("names has {name:?}, which is not host:port; operators sign the host:port that they dial");
        }
        let task_log = TaskLogLocation::parse(&required("task-log", options.task_log)?);
        ensure!(
            options.name.is_some() || matches!(task_log, TaskLogLocation::File(_)),
            "name is missing: gateways that share a task log have different names"
        );
        let task_log_replicas = options.task_log_replicas.unwrap_or(1);
        ensure!(
            matches!(task_log_replicas, 1 | 3 | 5),
            "task-log-replicas is {task_log_replicas}; NATS keeps a stream on 1, 3 or 5 servers"
        );
        let name = options.name.unwrap_or_else(|| "gateway".to_owned());
        ensure!(!name.is_empty() && name.len() <= 64, "name is empty, or longer than 64 bytes");
        let tls = match (options.tls_certificate, options.tls_key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => bail!("tls-certificate and tls-key go together; give both"),
        };
        let task_log_client = match (options.task_log_client_certificate, options.task_log_client_key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => bail!("task-log-client-certificate and task-log-client-key go together; give both"),
        };
        if let Some(stream) = &options.task_log_stream {
            ensure!(is_stream_name(stream), "task-log-stream is not 1 to 64 letters, digits, `-` and `_`");
        }
        let tokens = options.tokens.unwrap_or_default();
        let batches = BatchConfig {
            from: options.batch_from.unwrap_or(16),
            tasks: at_least_one("batch-tasks", options.batch_tasks.unwrap_or(MAX_BATCH))?,
            patience: Duration::from_millis(at_least_one("batch-millis", options.batch_millis.unwrap_or(1000))?),
        };
        ensure!(batches.tasks <= MAX_BATCH, "batch-tasks is {}; a batch has at most {MAX_BATCH} tasks", batches.tasks);
        if let Some(endpoint) = &options.otlp_endpoint {
            check_otlp_endpoint(endpoint)?;
        }
        let rpc_url = required("rpc-url", options.rpc_url)?;
        // The text can contain a key: no error repeats it.
        ensure!(
            rpc_url.parse::<Url>().is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()),
            "rpc-url is not the http:// or https:// URL of a node"
        );
        Ok(Self {
            metrics_listen: options.metrics_listen,
            batches,
            listen: options.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8787))),
            names,
            rpc_url,
            task_manager: required("task-manager", options.task_manager)?,
            policies: required("policies", options.policies)?,
            task_log,
            task_log_certificates: options.task_log_certificates,
            task_log_credentials: options.task_log_credentials,
            task_log_client,
            task_log_stream: options.task_log_stream,
            task_log_max_bytes: options
                .task_log_max_bytes
                .map(|bytes| at_least_one("task-log-max-bytes", bytes))
                .transpose()?,
            task_log_replicas,
            name,
            evidence: options.evidence.unwrap_or_default(),
            tls,
            tokens: tokens.iter().map(|token| parse_token(token)).collect::<Result<_>>()?,
            cors_origins: options.cors_origins.unwrap_or_default(),
            page: options.page.unwrap_or(true),
            page_replay: options.page_replay,
            trust_forwarded_for: options.trust_forwarded_for.unwrap_or_default(),
            limits,
            default_lifetime: Duration::from_secs(at_least_one(
                "default-lifetime",
                options.default_lifetime.unwrap_or(300),
            )?),
            retention: Duration::from_secs(options.retention.unwrap_or(7 * 24 * 60 * 60)),
            otlp_endpoint: options.otlp_endpoint,
            poll: Duration::from_millis(at_least_one("poll", options.poll.unwrap_or(250))?),
        })
    }
}

impl TaskLogLocation {
    fn parse(text: &str) -> Self {
        let is_url = text.starts_with("nats://") || text.starts_with("tls://");
        if is_url { Self::Nats(text.split(',').map(str::to_owned).collect()) } else { Self::File(text.into()) }
    }
}

fn required<T>(key: &str, value: Option<T>) -> Result<T> {
    assent_program::required("ASSENT_GATEWAY", key, value)
}

fn is_host_and_port(name: &str) -> bool {
    let host_and_port = name.rsplit_once(':');
    host_and_port.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}

fn is_stream_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=64).contains(&name.len()) && name.bytes().all(is_letter)
}

fn parse_token(text: &str) -> Result<ApiToken> {
    let (name, hash) = text.split_once(':').context("a token is NAME:SHA-256 of the token, as sha256sum prints it")?;
    ensure!(!name.is_empty() && name.len() <= 64, "the name of a token is empty, or longer than 64 bytes");
    let mut bytes = [0; 32];
    hex::decode_to_slice(hash, &mut bytes).with_context(|| {
        format!("the token {name} has no SHA-256 of 64 hex digits; `printf TOKEN | sha256sum` prints it")
    })?;
    Ok(ApiToken { name: name.to_owned(), hash: bytes })
}
