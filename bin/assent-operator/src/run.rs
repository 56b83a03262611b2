//! An operator from its start to its end.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::Arc,
    thread,
    time::{Duration, SystemTime},
};

use alloy::{
    providers::{DynProvider, Provider, ProviderBuilder},
    rpc::client::RpcClient,
    transports::http::{
        Http,
        reqwest::{Client, Url},
    },
};
use alloy_primitives::{U256, hex};
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use assent_chain_view::{ChainView, ChainViewError};
use assent_evidence_store::EvidenceStore;
use assent_journal::Journal;
use assent_network::{Domain, operator::Settings};
use assent_policy_data::{
    Host, Senses,
    chain::RpcChain,
    http::{HttpClient, Secrets, WebClient},
};
use assent_policy_store::PolicyStore;
use assent_program::{SecretUrl, Tracer};
use assent_s3::S3Path;
use assent_secret_files::read_private;
use tokio::{
    net::TcpListener,
    runtime::Handle,
    sync::watch,
    task::{JoinHandle, JoinSet, spawn_blocking},
    time::{MissedTickBehavior, interval, sleep, timeout},
};

use crate::{
    capacity::{Threads, part},
    config::{KeySource, OperatorConfig},
    driver,
    examination::Examiner,
    gateway::Dialer,
    gateway_address::GatewayAddress,
    health::Health,
    http::{self, Shown},
    inputs::DriverHandle,
    journal::open_journal,
    log_function::LogFunction,
    metrics::OperatorMetrics,
    observing::Observer,
    outstanding::OutstandingHolds,
    policies::Policies,
    tls,
    traces::Traces,
    work::{Worker, WorkerParts},
};

/// How long the node may take for an answer.
const NODE_ANSWER: Duration = Duration::from_secs(5);
/// The wait between attempts to reach the node at the start.
const NODE_RETRY: Duration = Duration::from_secs(2);
/// How long the end waits for what is being done.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often old entries and old evidence are deleted.
const CLEANING: Duration = Duration::from_secs(60 * 60);
/// How often holds are released that no longer count.
const RELEASING: Duration = Duration::from_secs(60);
/// The most reads of holds at one time.
const READING_HOLDS: usize = 8;
/// The longest file of secrets, in bytes.
const LONGEST_SECRETS: u64 = 1024 * 1024;

/// An operator that runs. When it is dropped, it stops without waiting for what is being done.
pub struct RunningOperator {
    address: SocketAddr,
    driver: DriverHandle,
    worker: Worker,
    traces: Traces,
    thread: Option<thread::JoinHandle<()>>,
    tasks: JoinSet<()>,
    /// Whether the server stops. It does when this is dropped, too.
    stopping: watch::Sender<bool>,
    server: JoinHandle<()>,
}

/// Checks everything that can be checked without the network: files, key, password, secrets, certificates.
///
/// # Errors
///
/// What cannot be used, and what to do.
pub fn check(config: &OperatorConfig) -> Result<()> {
    drop(secrets(config)?);
    drop(tls::connector(config.gateway_certificates.as_deref())?);
    let stores = stores(config)?;
    drop(node_url(&config.rpc_url)?);
    ensure!(
        config.journal.exists(),
        "the journal {} does not exist; run `assent-operator journal create` once, for a key that has never signed",
        config.journal.display()
    );
    if let KeySource::File { path, password_file } = &config.key {
        drop(crate::journal::read_key(path, password_file.as_deref())?);
    }
    if let Some(folder) = stores.iter().find_map(PolicyStore::missing_folder) {
        bail!("policies: the folder {} does not exist", folder.display());
    }
    Ok(())
}

/// Starts an operator on the current runtime, with the journal of its key.
///
/// It waits until the node answers, so drop the future to give up.
///
/// # Errors
///
/// The configuration cannot be used, or the node is on another chain or has no TaskManager at the address.
pub async fn start(config: OperatorConfig) -> Result<RunningOperator> {
    let web = Arc::new(WebClient::new(Handle::current())?);
    start_with_web(config, web).await
}

/// Starts an operator as [`start`] does, with a client for sources' requests instead of the one for public hosts.
///
/// Warning: it can reach what the operator's machine reaches. It is for tests on one machine.
///
/// # Errors
///
/// As [`start`].
pub async fn start_with_web(config: OperatorConfig, web: Arc<dyn HttpClient>) -> Result<RunningOperator> {
    let provider = connect(&config.rpc_url)?;
    let opening = config.clone();
    let journal = spawn_blocking(move || open_journal(&opening, false)).await.context("opening the journal")??;
    let journal = Arc::new(journal);
    let log = redacted(&config);
    let metrics = Arc::new(OperatorMetrics::new());
    let (driver, inputs) = DriverHandle::new(Arc::clone(&log));
    let opening = config.evidence.clone();
    let evidence = spawn_blocking(move || evidence_store(&opening)).await.context("opening the evidence store")??;
    let tls = tls::connector(config.gateway_certificates.as_deref())?;
    let stores = stores(&config)?;
    for folder in stores.iter().filter_map(PolicyStore::missing_folder) {
        log(&format!("policies: the folder {} does not exist; it has no policies until it does", folder.display()));
    }
    let policies = Arc::new(Policies::new(stores, Arc::clone(&log)));
    let view = ChainView::new(provider.clone(), config.task_manager);
    let senses = Senses { chain: Arc::new(RpcChain::new(provider, Handle::current())), web };
    let secrets = secrets(&config)?;
    let host = spawn_blocking(Host::new).await.context("starting the runtime of components")??;

    let health = Arc::new(Health::new(
        driver.clone(),
        Arc::clone(&journal),
        Arc::clone(&metrics),
        config.gateways.len(),
        config.max_node_lag,
        Arc::clone(&log),
    ));
    let listener = TcpListener::bind(config.listen).await;
    let listener = listener.with_context(|| format!("cannot listen on {}; give another --listen", config.listen))?;
    let address = listener.local_addr()?;
    let stopping = watch::Sender::new(false);
    let shown = Shown::new(evidence.clone(), Arc::clone(&health), Arc::clone(&metrics));
    let server = tokio::spawn(http::serve(listener, shown, stopping.subscribe()));
    // What was started ends with it, and the server with `stopping`.
    let mut tasks = JoinSet::new();
    let watched = view.clone();
    tasks.spawn(async move { health.watch(watched).await });

    let domain = domain(&config, &view, &log).await?;
    let holds = Arc::new(OutstandingHolds {
        view: view.clone(),
        journal: Arc::clone(&journal),
        domain: assent_journal::Domain { chain_id: domain.chain_id, task_manager: domain.task_manager },
        reading: Threads::new(READING_HOLDS, &metrics.panics),
        log: Arc::clone(&log),
    });
    let names: BTreeSet<_> = config.gateways.iter().map(GatewayAddress::name).collect();
    let gateways = names.len();
    // A host can be slow, and so can a compilation: one gateway takes no more than its part.
    let lasting = |count| Threads::with_most_of_one(count, part(count, gateways), &metrics.panics);
    let observer =
        Observer::new(host, senses, secrets, Arc::clone(&policies), Arc::clone(&holds), lasting, Arc::clone(&log));
    let traces = traces(&config, &log)?;
    let worker = Worker::new(WorkerParts {
        domain,
        examiner: Examiner {
            view: view.clone(),
            operator: config.operator,
            policies,
            metrics: Arc::clone(&metrics),
            log: Arc::clone(&log),
        },
        observer,
        holds: Arc::clone(&holds),
        journal: Arc::clone(&journal),
        evidence: evidence.clone(),
        evaluations: config.evaluations,
        max_tasks: config.max_tasks,
        gateways,
        metrics: Arc::clone(&metrics),
        traces: traces.clone(),
        log: Arc::clone(&log),
    });
    let mut settings = Settings::new(domain, config.operator);
    settings.max_tasks = config.max_tasks;
    settings.max_block_age = config.max_block_age;
    settings.forwarders.clone_from(&config.forwarders);
    let thread = driver::start(settings, driver.clone(), inputs, worker.clone(), Arc::clone(&metrics), traces.clone())?;
    for address in &config.gateways {
        let dialer = Dialer {
            address: address.clone(),
            tls: tls.clone(),
            driver: driver.clone(),
            metrics: Arc::clone(&metrics),
        };
        tasks.spawn(dialer.run());
    }
    tasks.spawn(release(holds, config.max_block_age, Arc::clone(&metrics)));
    let retention = config.evidence_retention;
    tasks.spawn(clean(domain, view, journal, evidence, retention, log));
    Ok(RunningOperator { address, driver, worker, traces, thread: Some(thread), tasks, stopping, server })
}

impl RunningOperator {
    /// Returns the address on which evidence, health and metrics are served.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops: closes the connections, waits for what is being signed, and closes the journal.
    pub async fn shutdown(mut self) {
        self.tasks.shutdown().await;
        self.driver.stop();
        if let Some(thread) = self.thread.take() {
            let _ = spawn_blocking(move || thread.join()).await;
        }
        self.worker.finish(PATIENCE).await;
        self.traces.shutdown().await;
        self.stopping.send_replace(true);
        let _ = timeout(PATIENCE, &mut self.server).await;
    }

    /// Completes when the operator can no longer decide, because its thread ended.
    pub async fn ended(&self) {
        while self.thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            sleep(Duration::from_millis(200)).await;
        }
    }
}

impl Drop for RunningOperator {
    fn drop(&mut self) {
        // The other tasks end with their set.
        self.driver.stop();
    }
}

/// Waits for the node, and checks that it is on the right chain and has the TaskManager.
async fn domain(config: &OperatorConfig, view: &ChainView, log: &LogFunction) -> Result<Domain> {
    loop {
        let read = async { Ok((view.chain_id().await?, view.operator_registry().await?)) };
        match read.await {
            Ok((chain_id, _registry)) => {
                if let Some(expected) = config.chain_id.filter(|expected| *expected != chain_id) {
                    bail!("the node is on chain {chain_id}, not {expected}; give another --rpc-url or --chain-id");
                }
                return Ok(Domain { chain_id: U256::from(chain_id), task_manager: config.task_manager });
            }
            Err(error @ ChainViewError::WrongContract { .. }) => {
                return Err(anyhow!(error))
                    .context("--task-manager is not the address of a TaskManager on the node's chain");
            }
            Err(error) => {
                log(&format!("waiting for the node: {error}"));
                sleep(NODE_RETRY).await;
            }
        }
    }
}

/// Releases what is no longer outstanding, every minute.
async fn release(holds: Arc<OutstandingHolds>, max_block_age: u64, metrics: Arc<OperatorMetrics>) {
    let mut ticks = interval(RELEASING);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // What failed is in the log, and tried again.
        if let Ok(remaining) = holds.release(max_block_age).await {
            metrics.holds.set(i64::try_from(remaining).unwrap_or(i64::MAX));
        }
    }
}

/// Deletes what is too old, every hour.
async fn clean(
    domain: Domain,
    view: ChainView,
    journal: Arc<Journal>,
    evidence: EvidenceStore,
    retention: Duration,
    log: LogFunction,
) {
    let Domain { chain_id, task_manager } = domain;
    let mut ticks = interval(CLEANING);
    // The first tick is at once.
    ticks.tick().await;
    loop {
        ticks.tick().await;
        // By the chain's clock: the machine's can be wrong.
        let Ok(latest) = view.latest_block().await else { continue };
        let (journal, evidence) = (Arc::clone(&journal), evidence.clone());
        let cleaned = spawn_blocking(move || {
            let domain = assent_journal::Domain { chain_id, task_manager };
            let pruned = journal.prune(&domain, latest.timestamp).map_err(|error| error.to_string());
            let removed = evidence.remove_older_than(retention, SystemTime::now()).map_err(|error| error.to_string());
            (pruned, removed)
        });
        match cleaned.await {
            Ok((Ok(pruned), Ok(removed))) if pruned.deleted > 0 || removed > 0 => {
                log(&format!("deleted {} entries of the journal and {removed} evidence files", pruned.deleted));
            }
            Ok((Err(error), _) | (_, Err(error))) => log(&format!("cannot delete what is too old: {error}")),
            Ok(_) | Err(_) => {}
        }
    }
}

/// Starts to send traces, if a collector is configured.
fn traces(config: &OperatorConfig, log: &LogFunction) -> Result<Traces> {
    let tracer = match &config.otlp_endpoint {
        None => Tracer::disabled(),
        Some(endpoint) => {
            let (log, instance) = (Arc::clone(log), config.operator.to_string());
            let report = move |line: &str| log(line);
            Tracer::start_exporter(endpoint, "assent-operator", env!("CARGO_PKG_VERSION"), &instance, report)?
        }
    };
    Ok(Traces::new(tracer, config.operator))
}

fn stores(config: &OperatorConfig) -> Result<Vec<PolicyStore>> {
    config
        .policies
        .iter()
        .map(|store| PolicyStore::parse(store).with_context(|| format!("policies: {store}")))
        .collect()
}

fn evidence_store(place: &str) -> Result<EvidenceStore> {
    let store = match place.starts_with("s3://") {
        true => EvidenceStore::s3(S3Path::parse(place).with_context(|| format!("evidence: {place}"))?),
        false => EvidenceStore::folder(place),
    };
    store.with_context(|| format!("evidence: {place}"))
}

fn secrets(config: &OperatorConfig) -> Result<Secrets> {
    let Some(path) = &config.secrets else { return Ok(Secrets::default()) };
    let text = read_private("file of secrets", path, LONGEST_SECRETS)?;
    Secrets::parse(&text, |variable| std::env::var(variable).ok())
        .with_context(|| format!("cannot parse the file of secrets {}", path.display()))
}

fn node_url(text: &str) -> Result<Url> {
    // The text itself can have a key, and is not shown.
    let url: Url = text.parse().map_err(|_| anyhow!("rpc-url is not a URL; give one such as http://127.0.0.1:8545"))?;
    match url.scheme() {
        "http" => Ok(url),
        "https" if cfg!(feature = "https") => Ok(url),
        "https" => bail!("this build has no TLS for nodes; build it with the default feature `https`"),
        other => bail!("rpc-url has the scheme {other}; give an http:// or https:// URL"),
    }
}

fn connect(url: &str) -> Result<DynProvider> {
    let url = node_url(url)?;
    let http = Client::builder().timeout(NODE_ANSWER).build().context("cannot start the HTTP client")?;
    let client = RpcClient::new(Http::with_client(http, url), false);
    Ok(ProviderBuilder::new().connect_client(client).erased())
}

/// Returns the log, which names the operator, says the time, and hides the node's URL.
fn redacted(config: &OperatorConfig) -> LogFunction {
    let log = Arc::clone(&config.log);
    let name = hex::encode(config.operator.0.first_chunk::<4>().copied().unwrap_or_default());
    let parsed = config.rpc_url.parse::<Url>().ok().map(|url| url.to_string());
    let node = SecretUrl::new(&config.rpc_url, parsed, "(the node's URL)");
    Arc::new(move |line: &str| {
        let line = node.hide(line);
        let now = humantime::format_rfc3339_millis(SystemTime::now());
        log(&format!("{now} 0x{name} {line}"));
    })
}
