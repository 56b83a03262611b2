//! The parts of a local network, and how they are started and stopped.

use super::{chain::LocalChain, folder::Folder, local};
use crate::{setup::Setup, stake::eigenlayer::Artifacts};
use alloy::primitives::Address;
use anyhow::{Context as _, Result, bail};
use assent_client::gateway::GatewayClient;
use assent_gateway::{GatewayConfig, GatewayOptions, RunningGateway};
use assent_operator::{OperatorConfig, OperatorOptions, RunningOperator, open_journal};
use assent_policy_store::PolicyStore;
use assent_signer::SecretKey;
use std::{
    fs::File,
    io::Write as _,
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    task::{JoinSet, spawn_blocking},
    time::{sleep, timeout},
};

/// How long the operators may take to connect.
const CONNECTING: Duration = Duration::from_secs(60);
/// Requests a second of a caller: a local network is there to be tried.
const RATE: u32 = 1_000;

/// A network in this process.
pub struct LocalNetwork {
    pub chain: LocalChain,
    pub setup: Setup,
    pub gateway_urls: Vec<String>,
    /// The operators, with where each serves evidence, health and metrics.
    pub operators: Vec<(Address, String)>,
    pub folder: Folder,
    running: Vec<RunningOperator>,
    gateways: Vec<RunningGateway>,
}

impl LocalNetwork {
    /// Deploys the example on a chain, and starts an operator for each key, and a gateway at each address. With
    /// EigenLayer's bytecode, operators have their stake there.
    pub async fn start(
        chain: LocalChain,
        folder: Folder,
        gateways: &[SocketAddr],
        keys: Vec<SecretKey>,
        eigenlayer: Option<&Artifacts>,
    ) -> Result<Self> {
        let setup = Setup::build(chain.provider.clone(), keys, eigenlayer).await?;
        let policies = folder.subfolder("policies")?;
        let store = PolicyStore::parse(&policies.to_string_lossy())?;
        store.put(&setup.bundle).await?;

        let gateways = free_addresses(gateways)?;
        let log = Arc::new(Mutex::new(File::create_new(folder.path().join("operators.log"))?));
        let mut running = Vec::new();
        let mut operators = Vec::new();
        for (index, operator) in setup.operators.iter().enumerate() {
            let own = folder.subfolder(&format!("operator-{}", index + 1))?;
            let key = own.join("operator.key");
            operator.key.write_unencrypted(&key).with_context(|| format!("cannot write {}", key.display()))?;
            let options = OperatorOptions {
                operator: Some(operator.address),
                key: Some(key),
                rpc_url: Some(chain.url.clone()),
                task_manager: Some(setup.deployment.task_manager.address),
                gateways: Some(gateways.iter().map(|gateway| format!("ws://{gateway}/operators")).collect()),
                policies: Some(vec![policies.to_string_lossy().into_owned()]),
                journal: Some(own.join("journal.redb")),
                evidence: Some(own.join("evidence").to_string_lossy().into_owned()),
                listen: Some(local(0)),
                evaluations: Some(1),
                ..OperatorOptions::default()
            };
            let mut config = OperatorConfig::new(options)?;
            let log = Arc::clone(&log);
            config.log = Arc::new(move |line: &str| {
                let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                // A log that cannot be written stops no operator.
                let _ = writeln!(log, "{line}");
            });
            let new = config.clone();
            drop(spawn_blocking(move || open_journal(&new, true)).await??);
            let started = assent_operator::start(config).await?;
            operators.push((operator.address, format!("http://{}", started.address())));
            running.push(started);
        }

        let mut network =
            Self { chain, setup, gateway_urls: Vec::new(), operators, folder, running, gateways: Vec::new() };
        for (index, address) in gateways.into_iter().enumerate() {
            network.start_gateway(index, address, &policies).await?;
        }
        network.wait_for_operators().await?;
        Ok(network)
    }

    async fn start_gateway(&mut self, index: usize, address: SocketAddr, policies: &Path) -> Result<()> {
        let name = if index == 0 { "gateway".to_owned() } else { format!("gateway-{}", index + 1) };
        let own = self.folder.subfolder(&name)?;
        let options = GatewayOptions {
            listen: Some(address),
            rpc_url: Some(self.chain.url.clone()),
            task_manager: Some(self.setup.deployment.task_manager.address),
            policies: Some(policies.to_string_lossy().into_owned()),
            task_log: Some(own.join("tasks.redb").to_string_lossy().into_owned()),
            evidence: Some(self.operators.iter().map(|(_, url)| url.clone()).collect()),
            rate: Some(RATE),
            burst: Some(RATE),
            // All callers are on one machine.
            max_connections_per_address: Some(4096),
            max_requests_per_caller: Some(1024),
            ..GatewayOptions::default()
        };
        let started = assent_gateway::start(GatewayConfig::new(options)?).await;
        let gateway = started.with_context(|| format!("the gateway on {address}; --gateway-port chooses"))?;
        self.gateway_urls.push(format!("http://{}", gateway.address()));
        self.gateways.push(gateway);
        Ok(())
    }

    async fn wait_for_operators(&self) -> Result<()> {
        let clients = self.gateway_urls.iter().map(|url| GatewayClient::new([url]));
        let clients = clients.collect::<Result<Vec<_>, _>>()?;
        let waiting = async {
            for client in &clients {
                while !client.health().await.is_ok_and(|health| health.connected >= self.running.len() as u64) {
                    sleep(Duration::from_millis(50)).await;
                }
            }
        };
        if timeout(CONNECTING, waiting).await.is_err() {
            let log = self.folder.path().join("operators.log");
            bail!("not all operators connected to each gateway; {} says why", log.display());
        }
        Ok(())
    }

    /// Stops gateways and operators, and the chain's clock: what is being signed is recorded first. Returns the set-up,
    /// whose chain can still be used in this process.
    pub async fn stop(self) -> Result<Setup> {
        let Self { setup, running, gateways, .. } = self;
        let mut operators = JoinSet::new();
        for operator in running {
            operators.spawn(operator.shutdown());
        }
        // At the same time: a gateway waits until operators' connections are closed.
        for gateway in gateways {
            gateway.stop().await;
        }
        while let Some(stopped) = operators.join_next().await {
            stopped?;
        }
        Ok(setup)
    }
}

/// Returns the addresses, with free ports instead of 0: operators have to know them before the gateways listen.
fn free_addresses(addresses: &[SocketAddr]) -> Result<Vec<SocketAddr>> {
    let bind = |&address: &SocketAddr| {
        let bound = TcpListener::bind(address);
        bound.with_context(|| format!("cannot listen on {address}; give another --gateway-port, 0 for a free one"))
    };
    // All are bound before the first is free again, so that they differ.
    let bound = addresses.iter().map(bind).collect::<Result<Vec<_>>>()?;
    bound.iter().map(|listener| Ok(listener.local_addr()?)).collect()
}
