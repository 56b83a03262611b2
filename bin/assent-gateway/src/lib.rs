//! A gateway of the decision network: takes callers' requests, has operators decide them, and hands out attestations.
//!
//! [`start`] starts one from a configuration. The state machine is `assent_network::gateway`; this crate carries out
//! its actions: the operators' WebSockets, the task log, the chain, and a JSON-RPC API for callers.
//!
//! A gateway is not trusted. It holds no key of an operator, and verifies every attestation before it hands it out.
//! `docs/gateway.md` describes the API, `docs/network.md` the messages to operators.

#![cfg_attr(
    not(test),
    deny(clippy::as_conversions, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)
)]

mod api;
mod caller_socket;
mod callers;
mod clock;
mod config;
mod declarations;
mod driver;
mod evidence;
mod health;
mod http;
mod link_handle;
mod links;
mod metrics;
mod page;
mod preparing;
mod program;
mod rate;
mod recent;
mod rpc;
mod service;
mod subscriptions;
mod text;
mod tls;
mod traces;

use std::{net::SocketAddr, sync::Arc, thread::JoinHandle, time::Duration};

use alloy::{
    providers::{DynProvider, Provider, ProviderBuilder},
    rpc::client::RpcClient,
    transports::http::{Http, reqwest},
};
use alloy_primitives::U256;
use anyhow::{Context as _, Result, bail};
use assent_chain_view::{ChainView, ChainViewError};
use assent_network::{
    Domain,
    gateway::{Event, Settings},
};
use assent_policy_store::PolicyStore;
use assent_program::{Connections, SecretUrl, Shares, Tracer};
use assent_task_log::{Limits, RedbTaskLog, State, TaskLog, TaskLogError};
use futures_util::StreamExt;
use tokio::{
    net::TcpListener,
    sync::watch,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, timeout},
};

pub use config::{ApiToken, BatchConfig, GatewayConfig, GatewayLimits, GatewayOptions, TaskLogLocation};
pub use program::main;
pub use rpc::openrpc::document as openrpc_document;

use api::Api;
use callers::Callers;
use clock::Clock;
use declarations::Declarations;
use driver::{DriverHandle, DriverParts, Input};
use evidence::EvidenceServers;
use links::{LinkLimits, MAX_UNPROVEN};
use metrics::GatewayMetrics;
use page::GatewayPage;
use preparing::Preparer;
use rate::RateLimiter;
use service::{Admission, Service};

/// How often the state machine looks at the time.
const TICK: Duration = Duration::from_millis(100);
/// How often operators are pinged.
const PING: Duration = Duration::from_secs(15);
/// How often the task log is asked for what others left, and for what expired.
const SWEEP: Duration = Duration::from_secs(2);
/// How often the task log forgets what ended long ago, for which it reads all its tasks.
const FORGETTING: Duration = Duration::from_secs(600);
/// How many tasks are taken over at once.
const CLAIMED_AT_ONCE: usize = 256;
/// How long the leases of a shared task log are, and how often they are renewed.
///
/// Another gateway has to take a task over before its reference block is too old.
#[cfg(feature = "nats")]
const SHARED_LEASE: Duration = Duration::from_secs(6);
const RENEWAL: Duration = Duration::from_secs(2);
/// The longest record of a task: observations to decide on are a message.
const MAX_RECORD: usize = assent_network::message::MAX_MESSAGE;
/// How long an answer of the node may take.
const LONGEST_NODE_ANSWER: Duration = Duration::from_secs(10);
/// The connections for operators that dial while callers have all others, and the most of them from one address.
const DIALLING: usize = 64;
const DIALLING_PER_ADDRESS: usize = 16;
/// The most connections for metrics, if they have a separate address.
const METRICS_CONNECTIONS: usize = 16;
/// How long requests that wait are answered after the stop.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(5);

/// Checks that the files of a configuration can be used, and asks no one.
///
/// # Errors
///
/// The first part that cannot be used.
pub fn check(config: &GatewayConfig) -> Result<()> {
    drop(config.tls.as_ref().map(|(certificate, key)| tls::acceptor(certificate, key)).transpose()?);
    drop(EvidenceServers::new(&config.evidence)?);
    drop(config.page.then(|| GatewayPage::new(config.page_replay.as_deref())).transpose()?);
    drop(connect(&config.rpc_url)?);
    if let Some(folder) = PolicyStore::parse(&config.policies).context("policies")?.missing_folder() {
        bail!("policies: the folder {} does not exist", folder.display());
    }
    match &config.task_log {
        TaskLogLocation::File(_) => Ok(()),
        TaskLogLocation::Nats(_) => check_log(config),
    }
}

/// Checks the files with which the gateway connects to NATS.
#[cfg(feature = "nats")]
fn check_log(config: &GatewayConfig) -> Result<()> {
    if let Some(certificates) = &config.task_log_certificates {
        drop(tls::certificates(certificates)?);
    }
    if let Some((certificate, key)) = &config.task_log_client {
        drop(tls::acceptor(certificate, key)?);
    }
    let credentials = config.task_log_credentials.as_deref();
    credentials.map_or(Ok(()), |path| Ok(assent_task_log::check_credentials(path)?))
}

#[cfg(not(feature = "nats"))]
fn check_log(_: &GatewayConfig) -> Result<()> {
    bail!(WITHOUT_NATS)
}

/// Starts a gateway.
///
/// # Errors
///
/// A part of the configuration cannot be used, or the node does not answer.
pub async fn start(config: GatewayConfig) -> Result<RunningGateway> {
    let tls = config.tls.as_ref().map(|(certificate, key)| tls::acceptor(certificate, key)).transpose()?;
    let evidence = EvidenceServers::new(&config.evidence)?;
    let page = config.page.then(|| GatewayPage::new(config.page_replay.as_deref())).transpose()?;
    let policies = PolicyStore::parse(&config.policies).context("policies")?;
    if let Some(folder) = policies.missing_folder() {
        eprintln!("policies: the folder {} does not exist; it has no policies until it does", folder.display());
    }
    let view = ChainView::new(connect(&config.rpc_url)?, config.task_manager);
    let parsed = config.rpc_url.parse::<reqwest::Url>().ok().map(|url| url.to_string());
    let node = SecretUrl::new(&config.rpc_url, parsed, "(the node's URL)");
    let silent = |error: ChainViewError| anyhow::anyhow!("rpc-url: {}", node.hide(&error.to_string()));
    let chain_id = view.chain_id().await.map_err(silent)?;
    if view.operator_registry().await.is_err() {
        bail!("there is no TaskManager at {} on chain {chain_id}; compare task-manager", config.task_manager);
    }
    let OpenLog { log, lease } = open_log(&config, chain_id).await?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}; choose another address with --listen", config.listen))?;
    let address = listener.local_addr()?;
    let metrics_listener =
        match config.metrics_listen {
            None => None,
            Some(address) => Some(TcpListener::bind(address).await.with_context(|| {
                format!("cannot listen on {address}; choose another address with --metrics-listen")
            })?),
        };
    let metrics_address = metrics_listener.as_ref().map(TcpListener::local_addr).transpose()?;

    let domain = Domain { chain_id: U256::from(chain_id), task_manager: config.task_manager };
    let mut names = config.names.clone();
    if names.is_empty() {
        names.insert(address.to_string());
    }
    let mut settings = Settings::new(domain, names.clone());
    settings.max_tasks = config.limits.max_tasks;
    settings.max_links = config.limits.max_operators.saturating_add(MAX_UNPROVEN);
    settings.batch_from = config.batches.from;
    settings.batch_tasks = config.batches.tasks;
    settings.batch_millis = u64::try_from(config.batches.patience.as_millis()).unwrap_or(u64::MAX);
    let metrics = Arc::new(GatewayMetrics::new());
    let preparer = Arc::new(Preparer::new(view, domain, policies, config.default_lifetime, Arc::clone(&metrics)));
    preparer.refresh().await.map_err(|_| anyhow::anyhow!("the node of rpc-url gives no latest block"))?;
    let tracer = match &config.otlp_endpoint {
        None => Tracer::disabled(),
        Some(endpoint) => {
            let report = |line: &str| eprintln!("error: {line}");
            Tracer::start_exporter(endpoint, "assent-gateway", env!("CARGO_PKG_VERSION"), &config.name, report)?
        }
    };
    let (driver, thread) = driver::start(DriverParts {
        settings,
        name: config.name.clone(),
        log: Arc::clone(&log),
        lease,
        preparer: Arc::clone(&preparer),
        metrics: Arc::clone(&metrics),
        tracer: tracer.clone(),
    })
    .context("cannot start the gateway's thread")?;

    let mut tasks = JoinSet::new();
    let background =
        Background { driver: driver.clone(), preparer: Arc::clone(&preparer), log: Arc::clone(&log), lease };
    background.recover(&config).await?;
    background.spawn(&mut tasks, &config);
    let declarations = Arc::<Declarations>::default();
    tasks.spawn(Arc::clone(&declarations).watch(Arc::clone(&preparer)));

    let service = Service {
        driver: driver.clone(),
        preparer,
        log,
        evidence,
        declarations,
        metrics: Arc::clone(&metrics),
        limits: config.limits,
        openrpc: openrpc_document(),
        admission: Admission::new(&config.limits),
    };
    let stopping = watch::Sender::new(false);
    let callers = Callers::new(config.tokens.clone(), config.trust_forwarded_for);
    let each = config.limits.max_connections_per_address;
    let mut connections =
        Connections::new(config.limits.max_connections).with_reserve("/operators", DIALLING, DIALLING_PER_ADDRESS);
    if !callers.are_behind_a_proxy() {
        let metrics = Arc::clone(&metrics);
        connections = connections.with_address_limit(each, move || {
            metrics.refused_connections.inc();
        });
    }
    let api = Api {
        service: Arc::new(service),
        callers: Arc::new(callers),
        sockets: Shares::new(usize::MAX, each),
        limiter: Arc::new(RateLimiter::new(config.limits.rate, config.limits.burst)),
        origins: config.cors_origins.clone().into(),
        page: page.map(Arc::new),
        names: Arc::new(names),
        links: LinkLimits::new(config.limits.max_operators),
        stopping: stopping.subscribe(),
    };
    let shown = http::metrics_router(metrics);
    let router = match metrics_listener {
        None => http::router(api).merge(shown),
        Some(listener) => {
            let few = Connections::new(METRICS_CONNECTIONS);
            tasks.spawn(assent_program::serve(listener, None, shown, few, stopping.subscribe()));
            http::router(api)
        }
    };
    tasks.spawn(assent_program::serve(listener, tls, router, connections.clone(), stopping.subscribe()));
    Ok(RunningGateway { tracer, address, metrics_address, driver, thread: Some(thread), tasks, stopping, connections })
}

/// A task log, and how long its leases are: as long as the task if no other gateway has the log.
struct OpenLog {
    log: Arc<dyn TaskLog>,
    lease: Option<Duration>,
}

async fn open_log(config: &GatewayConfig, chain_id: u64) -> Result<OpenLog> {
    let open_tasks = u64::try_from(config.limits.max_tasks).unwrap_or(u64::MAX);
    let limits = Limits { open_tasks, bytes: MAX_RECORD, ..Limits::default() };
    match config.task_log.clone() {
        TaskLogLocation::File(path) => {
            // To verify a large log takes a while.
            let log = tokio::task::spawn_blocking(move || RedbTaskLog::open(&path, limits)).await??;
            Ok(OpenLog { log: Arc::new(log), lease: None })
        }
        TaskLogLocation::Nats(servers) => connect_log(servers, config, chain_id, limits).await,
    }
}

#[cfg(feature = "nats")]
async fn connect_log(servers: Vec<String>, config: &GatewayConfig, chain_id: u64, limits: Limits) -> Result<OpenLog> {
    use alloy_primitives::hex;
    use assent_task_log::{NatsOptions, NatsTaskLog};

    let mut options = NatsOptions::new(servers);
    options.root_certificates.clone_from(&config.task_log_certificates);
    options.credentials.clone_from(&config.task_log_credentials);
    options.client_certificate.clone_from(&config.task_log_client);
    // Two networks on one server have two streams.
    let of_network = || format!("assent-{chain_id}-{}", hex::encode(config.task_manager));
    options.stream = config.task_log_stream.clone().unwrap_or_else(of_network);
    options.max_bytes = config.task_log_max_bytes;
    options.replicas = config.task_log_replicas;
    let log = NatsTaskLog::connect(options, limits).await?;
    Ok(OpenLog { log: Arc::new(log), lease: Some(SHARED_LEASE) })
}

#[cfg(not(feature = "nats"))]
const WITHOUT_NATS: &str = "this build has no NATS; build it with the default feature `nats`, or give a file";

#[cfg(not(feature = "nats"))]
async fn connect_log(_: Vec<String>, _: &GatewayConfig, _: u64, _: Limits) -> Result<OpenLog> {
    bail!(WITHOUT_NATS)
}

/// Returns a provider for a node's URL.
fn connect(url: &str) -> Result<DynProvider> {
    let url: reqwest::Url = url.parse().map_err(|_| anyhow::anyhow!("rpc-url is not a URL"))?;
    let client = reqwest::Client::builder().timeout(LONGEST_NODE_ANSWER).build().context("HTTP client")?;
    let transport = Http::with_client(client, url);
    Ok(ProviderBuilder::new().connect_client(RpcClient::new(transport, false)).erased())
}

/// A gateway that runs until it is stopped or dropped.
pub struct RunningGateway {
    tracer: Tracer,
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    driver: DriverHandle,
    thread: Option<JoinHandle<()>>,
    tasks: JoinSet<()>,
    stopping: watch::Sender<bool>,
    connections: Connections,
}

impl RunningGateway {
    /// Returns the address that it listens on.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the separate address of the metrics, if they have one.
    pub const fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Stops the gateway: requests that wait are answered if they can be in a few seconds. Accepted tasks stay in the
    /// log, and the next start goes on with them.
    pub async fn stop(mut self) {
        let _ = self.stopping.send(true);
        // All of them are back when no connection is left. Operators' connections stay open until the end.
        let _ = timeout(SHUTDOWN_PATIENCE, self.connections.ended()).await;
        self.end();
        self.tasks.shutdown().await;
        if let Some(thread) = self.thread.take() {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
        self.tracer.shutdown().await;
    }

    /// Completes when the gateway can no longer work, because its thread or one of its tasks ended.
    pub async fn ended(&mut self) {
        ended(self.thread.as_ref(), &mut self.tasks).await;
    }

    fn end(&self) {
        let _ = self.stopping.send(true);
        self.driver.send(Input::Stop);
    }
}

impl Drop for RunningGateway {
    fn drop(&mut self) {
        self.end();
    }
}

/// Completes when a thread or one of some tasks has ended, of which none does while the gateway works.
async fn ended(thread: Option<&JoinHandle<()>>, tasks: &mut JoinSet<()>) {
    let thread = async {
        while thread.is_some_and(|thread| !thread.is_finished()) {
            tokio::time::sleep(TICK).await;
        }
    };
    tokio::select! {
        () = thread => {}
        _ = tasks.join_next() => {}
    }
}

/// What happens without a caller.
struct Background {
    driver: DriverHandle,
    preparer: Arc<Preparer>,
    log: Arc<dyn TaskLog>,
    lease: Option<Duration>,
}

impl Background {
    /// Takes up what the gateway did before it ended.
    async fn recover(&self, config: &GatewayConfig) -> Result<()> {
        let epochs = self.preparer.epochs().await;
        let epochs = epochs.map_err(|_| anyhow::anyhow!("the node of rpc-url does not give the epochs"))?;
        self.driver.event(Event::Epochs(epochs.to_vec()));
        let clock = &self.preparer.clock;
        self.driver.event(Event::ClockCorrected { seconds: clock.correction() });
        let now = clock.earliest_now_seconds();
        self.log.expire(now).await.context("the task log")?;
        // All at once: what was taken up would be found again.
        let claimed = self.log.reclaim(&config.name, now, until(clock, self.lease), usize::MAX).await;
        self.driver.send(Input::Claimed(claimed.context("the task log")?));
        Ok(())
    }

    fn spawn(&self, tasks: &mut JoinSet<()>, config: &GatewayConfig) {
        let driver = self.driver.clone();
        tasks.spawn(every(TICK, move || driver.event(Event::Tick)));
        let driver = self.driver.clone();
        tasks.spawn(every(PING, move || driver.send(Input::Ping)));
        tasks.spawn(watch_chain(Arc::clone(&self.preparer), self.driver.clone(), config.poll));
        tasks.spawn(watch_log(Arc::clone(&self.log), self.driver.clone()));
        if self.lease.is_some() {
            let driver = self.driver.clone();
            tasks.spawn(every(RENEWAL, move || driver.send(Input::Renew)));
        }
        let sweep = Sweep {
            log: Arc::clone(&self.log),
            driver: self.driver.clone(),
            name: config.name.clone(),
            clock: self.preparer.clock.clone(),
            lease: self.lease,
            retention: config.retention,
        };
        tasks.spawn(sweep.run());
    }
}

async fn every(period: Duration, act: impl Fn()) {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        act();
    }
}

/// Follows the latest block, and with it the epochs.
async fn watch_chain(preparer: Arc<Preparer>, driver: DriverHandle, poll: Duration) {
    let mut interval = interval(poll);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut known = None;
    // The block whose epochs were read last. Until they are, they are asked for again.
    let mut seen = None;
    loop {
        interval.tick().await;
        let Ok(block) = preparer.refresh().await else { continue };
        if seen == Some(block) {
            continue;
        }
        driver.event(Event::ClockCorrected { seconds: preparer.clock.correction() });
        match preparer.epochs().await {
            Ok(epochs) => {
                if known.as_ref() != Some(&epochs) {
                    driver.event(Event::Epochs(epochs.to_vec()));
                    known = Some(epochs);
                }
                seen = Some(block);
            }
            Err(error) => eprintln!("error: {error}"),
        }
    }
}

/// Follows the ends that other gateways on the same log record.
async fn watch_log(log: Arc<dyn TaskLog>, driver: DriverHandle) {
    loop {
        let mut changes = log.subscribe();
        while let Some(change) = changes.next().await {
            if change.state.is_final() {
                let is_completed = matches!(change.state, State::Completed { .. });
                driver.send(Input::LogEnded { task_id: change.task_id, is_completed });
            }
        }
        // It was too far behind. What it missed is asked for when it is recorded.
        tokio::time::sleep(TICK).await;
    }
}

/// Returns when a lease that begins now ends.
fn until(clock: &Clock, lease: Option<Duration>) -> u64 {
    lease.map_or(u64::MAX, |lease| clock.end_of(lease))
}

/// Takes over what other gateways left, ends what expired, and forgets what ended long ago.
struct Sweep {
    log: Arc<dyn TaskLog>,
    driver: DriverHandle,
    name: String,
    clock: Clock,
    lease: Option<Duration>,
    retention: Duration,
}

impl Sweep {
    async fn run(self) {
        let mut interval = interval(SWEEP);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next_forgetting = Instant::now();
        loop {
            interval.tick().await;
            if let Err(error) = self.once().await {
                eprintln!("error: {error}");
            }
            if Instant::now() >= next_forgetting {
                next_forgetting = Instant::now() + FORGETTING;
                let now = self.clock.earliest_now_seconds();
                if let Err(error) = self.log.forget(now.saturating_sub(self.retention.as_secs())).await {
                    eprintln!("error: {error}");
                }
            }
        }
    }

    async fn once(&self) -> Result<(), TaskLogError> {
        let (now, until) = (self.clock.now_seconds(), until(&self.clock, self.lease));
        let claimed = self.log.claim(&self.name, now, until, CLAIMED_AT_ONCE).await?;
        if !claimed.is_empty() {
            self.driver.send(Input::Claimed(claimed));
        }
        // What a gateway works on, it ends itself: these are tasks that were forgotten.
        self.log.expire(self.clock.earliest_now_seconds().saturating_sub(SWEEP.as_secs())).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_gateway_has_ended_when_its_thread_or_a_task_has() {
        let soon = Duration::from_millis(300);
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || receiver.recv().unwrap_or_default());
        let mut tasks = JoinSet::new();
        tasks.spawn(std::future::pending());
        assert!(timeout(soon, ended(Some(&thread), &mut tasks)).await.is_err());
        let failing = tasks.spawn(async { panic!("as a test") });
        ended(Some(&thread), &mut tasks).await;
        assert!(failing.is_finished());
        assert!(timeout(soon, ended(Some(&thread), &mut tasks)).await.is_err());
        drop(sender);
        ended(Some(&thread), &mut tasks).await;
    }
}
