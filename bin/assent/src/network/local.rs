//! The parts of a local network, and how they are started and stopped.

use super::{chain::LocalChain, folder::Folder};
use crate::setup::Setup;
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
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    task::spawn_blocking,
    time::{sleep, timeout},
};

/// The number of operators. Three of them are a quorum.
pub const OPERATORS: usize = 4;
/// How long the operators may take to connect.
const CONNECTING: Duration = Duration::from_secs(60);
/// Requests a second of a caller: a local network is there to be tried.
const RATE: u32 = 1_000;

/// A network in this process.
pub struct LocalNetwork {
    pub chain: LocalChain,
    pub setup: Setup,
    pub gateway_url: String,
    /// The operators, with where each serves evidence, health and metrics.
    pub operators: Vec<(Address, String)>,
    pub folder: Folder,
    running: Vec<RunningOperator>,
    gateway: RunningGateway,
}

impl LocalNetwork {
    /// Deploys the example on a chain, and starts operators and a gateway for it.
    pub async fn start(chain: LocalChain, folder: Folder, gateway: SocketAddr) -> Result<Self> {
        let keys = (0..OPERATORS).map(|_| SecretKey::generate()).collect::<Result<Vec<_>, _>>()?;
        let setup = Setup::build(chain.provider.clone(), keys).await?;
        let policies = folder.subfolder("policies")?;
        let store = PolicyStore::parse(&policies.to_string_lossy())?;
        store.put(&setup.bundle).await?;

        let gateway_address = free_address(gateway)?;
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
                gateways: Some(vec![format!("ws://{gateway_address}/operators")]),
                policies: Some(vec![policies.to_string_lossy().into_owned()]),
                journal: Some(own.join("journal.redb")),
                evidence: Some(own.join("evidence").to_string_lossy().into_owned()),
                listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
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

        let own = folder.subfolder("gateway")?;
        let options = GatewayOptions {
            listen: Some(gateway_address),
            rpc_url: Some(chain.url.clone()),
            task_manager: Some(setup.deployment.task_manager.address),
            policies: Some(policies.to_string_lossy().into_owned()),
            task_log: Some(own.join("tasks.redb").to_string_lossy().into_owned()),
            evidence: Some(operators.iter().map(|(_, url)| url.clone()).collect()),
            rate: Some(RATE),
            burst: Some(RATE),
            ..GatewayOptions::default()
        };
        let started = assent_gateway::start(GatewayConfig::new(options)?).await;
        let gateway = started.with_context(|| format!("the gateway on {gateway_address}; --gateway-port chooses"))?;
        let gateway_url = format!("http://{}", gateway.address());
        let network = Self { chain, setup, gateway_url, operators, folder, running, gateway };
        network.wait_for_operators().await?;
        Ok(network)
    }

    async fn wait_for_operators(&self) -> Result<()> {
        let client = GatewayClient::new([&self.gateway_url])?;
        let waiting = async {
            loop {
                match client.health().await {
                    Ok(health) if health.connected >= OPERATORS as u64 => return,
                    Ok(_) | Err(_) => sleep(Duration::from_millis(50)).await,
                }
            }
        };
        if timeout(CONNECTING, waiting).await.is_err() {
            let log = self.folder.path().join("operators.log");
            bail!("not all operators connected to the gateway; {} says why", log.display());
        }
        Ok(())
    }

    /// Stops the gateway, then the operators: what is being signed is recorded first.
    pub async fn stop(self) -> Result<()> {
        self.gateway.stop().await;
        for operator in self.running {
            operator.shutdown().await?;
        }
        Ok(())
    }
}

/// Returns the address, with a free port instead of 0: operators have to know it before the gateway listens.
fn free_address(address: SocketAddr) -> Result<SocketAddr> {
    let bound = std::net::TcpListener::bind(address);
    let bound =
        bound.with_context(|| format!("cannot listen on {address}; give another --gateway-port, 0 for a free one"))?;
    Ok(bound.local_addr()?)
}
