//! Operators' processes and gateways' processes in a world.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant},
};

use alloy::primitives::{Address, B256};
use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    process::{Launch, Process},
    rpc::RpcClient,
    world::World,
};

/// How long operators may take to connect.
const CONNECTING: Duration = Duration::from_secs(120);

/// A gateway as a process.
#[derive(Debug)]
#[non_exhaustive]
pub struct Gateway {
    /// The process.
    pub process: Process,
    /// The address at which it listens, also after a restart.
    pub address: SocketAddr,
    /// A client of it.
    pub rpc: RpcClient,
}

impl Gateway {
    /// Returns a gateway that is not started.
    ///
    /// `task_log` is a file, or the URL of NATS. `more` are further arguments.
    ///
    /// # Errors
    /// If there is no HTTP client.
    pub fn new(
        world: &World,
        program: PathBuf,
        name: &str,
        address: SocketAddr,
        task_log: &str,
        more: &[&str],
    ) -> Result<Self> {
        let task_manager = world.task_manager.to_string();
        let (listen, policies) = (address.to_string(), world.policies());
        let mut arguments = vec!["--name", name, "--listen", &listen, "--rpc-url", &world.node];
        arguments.extend(["--task-manager", &task_manager, "--policies", &policies, "--task-log", task_log]);
        // All callers of a test are one.
        arguments.extend(["--rate", "1000000", "--burst", "1000000"]);
        arguments.extend(["--max-connections-per-address", "4096", "--max-requests-per-caller", "1024"]);
        arguments.extend(more);
        let arguments = arguments.into_iter().map(str::to_owned).collect();
        let launch = Launch {
            program,
            role: "gateway",
            arguments,
            through: Vec::new(),
            variables: Vec::new(),
            log: world.path(&format!("{name}.log")),
        };
        Ok(Self { process: Process::new(launch), address, rpc: RpcClient::new(address)? })
    }

    /// Starts it, and waits until it listens.
    ///
    /// # Errors
    /// If it does not.
    pub fn start(&mut self) -> Result<()> {
        self.process.start()?;
        self.process.listening().map(drop)
    }

    /// Waits until exactly so many operators are connected.
    ///
    /// # Errors
    /// If they are not, after two minutes.
    pub async fn connected(&self, count: usize) -> Result<()> {
        let deadline = Instant::now() + CONNECTING;
        loop {
            let health = self.rpc.call("assent_health", &json!({})).await;
            if health.as_ref().is_ok_and(|health| health["connected"] == count) {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("{count} operators should be connected: {health:?}");
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// An operator as a process.
#[derive(Debug)]
#[non_exhaustive]
pub struct Operator {
    /// Its address.
    pub address: Address,
    /// The process.
    pub process: Process,
}

/// What an operator's journal has, by task, and by task and source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct JournalEntries {
    /// The digests of attestations.
    pub attestations: BTreeMap<B256, B256>,
    /// The digests of observations.
    pub observations: BTreeMap<(B256, B256), B256>,
    /// The digests of what was said about epochs.
    pub handovers: BTreeMap<u64, B256>,
}

impl Operator {
    /// Returns an operator with a new journal, which is not started.
    ///
    /// # Errors
    /// If its journal cannot be created.
    pub fn new(world: &World, program: PathBuf, index: usize, node: &str, gateways: &[SocketAddr]) -> Result<Self> {
        Self::with(world, program, "operator", index, node, gateways, "")
    }

    /// Returns an operator as [`new`](Self::new) does, in a role and with further lines of its configuration.
    ///
    /// # Errors
    /// If its journal cannot be created.
    pub fn with(
        world: &World,
        program: PathBuf,
        role: &'static str,
        index: usize,
        node: &str,
        gateways: &[SocketAddr],
        more: &str,
    ) -> Result<Self> {
        let operator = world.operators.get(index).context("the world has not so many operators")?;
        let address = operator.address;
        let path = |name: &str| world.path(name).display().to_string();
        let gateways: Vec<_> = gateways.iter().map(|address| format!("ws://{address}/operators")).collect();
        let text = format!(
            "operator = \"{address}\"\nkey = \"{}\"\nrpc-url = \"{node}\"\ntask-manager = \"{}\"\n\
             gateways = {}\npolicies = [\"{}\"]\njournal = \"{}\"\nevidence = \"{}\"\n\
             listen = \"127.0.0.1:0\"\nmax-node-lag = 0\nevaluations = 1\n{more}",
            operator.key_file.display(),
            world.task_manager,
            json!(gateways),
            world.policies(),
            path(&format!("{address}.redb")),
            path(&format!("{address}.evidence")),
        );
        let configuration = path(&format!("{address}.toml"));
        std::fs::write(&configuration, text)?;
        let arguments = vec!["--config".to_owned(), configuration];
        let launch = Launch {
            program,
            role,
            arguments,
            through: Vec::new(),
            variables: Vec::new(),
            log: world.path(&format!("{address}.log")),
        };
        let created = launch.command(&["journal", "create"])?.output()?;
        ensure!(created.status.success(), "an operator's journal cannot be created; see {}", launch.log.display());
        Ok(Self { address, process: Process::new(launch) })
    }

    /// Adds what an export has to the journal. The process must not be running.
    ///
    /// # Errors
    /// If it cannot be imported.
    pub fn import_journal(&self, export: &Value) -> Result<()> {
        let launch = self.process.launch();
        let file = launch.log.with_extension("import.json");
        std::fs::write(&file, export.to_string())?;
        let file = file.display().to_string();
        let imported = launch.command(&["journal", "import", &file])?.output()?;
        ensure!(imported.status.success(), "a journal cannot be imported; see {}", launch.log.display());
        Ok(())
    }

    /// Returns what the journal has. The process must not be running.
    ///
    /// # Errors
    /// If the journal cannot be exported.
    pub fn journal(&self) -> Result<JournalEntries> {
        let launch = self.process.launch();
        let exported = launch.command(&["journal", "export"])?.output()?;
        ensure!(exported.status.success(), "a journal cannot be exported; see {}", launch.log.display());
        JournalEntries::parse(&exported.stdout)
    }
}

impl JournalEntries {
    /// Reads an export.
    fn parse(export: &[u8]) -> Result<Self> {
        let export: Value = serde_json::from_slice(export).context("a journal's export is no JSON")?;
        let mut entries = Self::default();
        let hash = |entry: &Value, key: &str| -> Result<B256> {
            Ok(entry[key].as_str().with_context(|| format!("an entry without {key}"))?.parse()?)
        };
        for data in export["data"].as_array().into_iter().flatten() {
            for entry in data["attestations"].as_array().into_iter().flatten() {
                let known = entries.attestations.insert(hash(entry, "taskId")?, hash(entry, "digest")?);
                ensure!(known.is_none(), "a journal has two attestations of one task: {entry}");
            }
            for entry in data["observations"].as_array().into_iter().flatten() {
                let slot = (hash(entry, "taskId")?, hash(entry, "source")?);
                let known = entries.observations.insert(slot, hash(entry, "digest")?);
                ensure!(known.is_none(), "a journal has two observations of one source: {entry}");
            }
            for entry in data["handovers"].as_array().into_iter().flatten() {
                let epoch = entry["epoch"].as_u64().with_context(|| format!("an entry without epoch: {entry}"))?;
                let known = entries.handovers.insert(epoch, hash(entry, "digest")?);
                ensure!(known.is_none(), "a journal has two statements about one epoch: {entry}");
            }
        }
        Ok(entries)
    }

    /// Checks that nothing of an earlier export is missing or different.
    ///
    /// # Errors
    /// What differs.
    pub fn continues(&self, before: &Self) -> Result<()> {
        for (task, digest) in &before.attestations {
            let now = self.attestations.get(task);
            ensure!(now == Some(digest), "the journal had {digest} for the task {task}, and has {now:?}");
        }
        for (slot, digest) in &before.observations {
            let now = self.observations.get(slot);
            ensure!(now == Some(digest), "the journal had {digest} for the source {slot:?}, and has {now:?}");
        }
        Ok(())
    }
}
