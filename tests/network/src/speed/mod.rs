//! How fast the network decides, with all its processes on this machine.

pub(crate) mod figures;
pub(crate) mod load;
mod local_web;
pub(crate) mod policies;
pub(crate) mod usage;

use std::{path::PathBuf, time::Duration};

use alloy::primitives::Address;
use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    network::{Gateway, Operator},
    process::free_address,
    world::{World, WorldOptions},
};

use figures::{Figures, Latencies};
use load::{Requests, Window};
pub(crate) use local_web::main as operator_with_local_web;
use usage::Usage;

/// The operators. Five are a quorum.
const OPERATORS: usize = 7;
/// How many requests are open while throughput is measured.
const CONCURRENT: usize = 64;
/// How many times the best throughput is asked for in the overload.
const OVERLOAD: f64 = 10.0;

/// Measures latency, throughput and memory of seven operators and a gateway, with all processes on this machine
///
/// Takes about three minutes, `--short` a minute. Build it with `--release`, on an idle machine.
#[derive(Debug, Clone, Args)]
pub(crate) struct SpeedArguments {
    /// Measures less, to find where the time goes
    #[arg(long)]
    short: bool,
    /// Prints the figures as JSON
    #[arg(long)]
    json: bool,
}

/// How long is measured.
struct Extent {
    warm_up: usize,
    light: usize,
    seconds: u64,
    warm_up_seconds: u64,
}

impl Extent {
    const fn new(short: bool) -> Self {
        match short {
            true => Self { warm_up: 10, light: 60, seconds: 5, warm_up_seconds: 2 },
            false => Self { warm_up: 30, light: 400, seconds: 20, warm_up_seconds: 5 },
        }
    }
}

/// Measures, and prints the figures.
pub(crate) async fn run(arguments: &SpeedArguments, program: PathBuf) -> Result<()> {
    let figures = Speed::new(program).await?.measure(&Extent::new(arguments.short)).await?;
    match arguments.json {
        true => println!("{:#}", figures.json()),
        false => println!("{}", figures.text()),
    }
    Ok(())
}

struct Speed {
    world: World,
    web: local_web::LocalWeb,
    gateway: Gateway,
    operators: Vec<Operator>,
    small: Address,
    treasury: Address,
    with_source: Address,
    small_steps: u64,
    treasury_steps: u64,
}

impl Speed {
    async fn new(program: PathBuf) -> Result<Self> {
        // The small policy is for chain 1.
        let options = WorldOptions { chain_id: 1, weights: vec![1; OPERATORS], block_seconds: 2 };
        let world = World::new(&options).await?;
        let web = local_web::LocalWeb::start().await?;
        let [small, treasury, with_source] = [policies::small()?, policies::treasury()?, policies::with_source()?];
        let vaults = [world.vault(&small).await?, world.vault(&treasury).await?, world.vault(&with_source).await?];
        let address = free_address()?;
        let log = world.path("tasks.redb").display().to_string();
        let gateway = Gateway::new(&world, program.clone(), "gateway", address, &log, &[])?;
        let mut operators = Vec::new();
        let policy_id = with_source.policy().id();
        for index in 0..OPERATORS {
            let secrets = local_web::secrets_file(&world, index, policy_id)?;
            let more = format!("secrets = \"{}\"\n", secrets.display());
            let node = world.node.clone();
            operators.push(Operator::with(&world, program.clone(), "operator", index, &node, &[address], &more)?);
        }
        Ok(Self {
            small_steps: policies::steps(&small, &world, vaults[0])?,
            treasury_steps: policies::steps(&treasury, &world, vaults[1])?,
            world,
            web,
            gateway,
            operators,
            small: vaults[0],
            treasury: vaults[1],
            with_source: vaults[2],
        })
    }

    async fn start(&mut self) -> Result<()> {
        self.gateway.start()?;
        for operator in &mut self.operators {
            operator.process.start()?;
        }
        for operator in &mut self.operators {
            operator.process.listening()?;
        }
        self.gateway.connected(OPERATORS).await
    }

    fn requests(&self, vault: Address) -> Requests {
        let request = self.world.request(vault, &policies::payment());
        Requests { rpc: self.gateway.rpc.clone(), request }
    }

    /// Returns the processes that are measured, by kind.
    fn processes(&self) -> Usage {
        let operators = self.operators.iter().filter_map(|operator| operator.process.id()).collect();
        let gateway = self.gateway.process.id().into_iter().collect();
        Usage::of([
            ("gateway", gateway),
            ("operators", operators),
            ("node", vec![self.world.node_process()]),
            ("load", vec![std::process::id()]),
        ])
    }

    async fn measure(mut self, extent: &Extent) -> Result<Figures> {
        self.start().await?;
        sleep(Duration::from_secs(3)).await;
        let megabytes_idle = self.operator_megabytes(usage::resident_megabytes);

        let small = self.light("small policy", self.small, extent.warm_up, extent.light).await?;
        let treasury = self.light("treasury policy", self.treasury, extent.warm_up, extent.light / 2).await?;

        let best = self.closed("small policy", self.small, extent).await?;
        let treasury_best = self.closed("treasury policy", self.treasury, extent).await?;
        let overload = self.open("small policy", self.small, best.per_second() * OVERLOAD, extent).await?;
        self.requests(self.small).answered().await?;
        let megabytes_busy = self.operator_megabytes(usage::peak_megabytes);

        // Requests to this machine are for a client that the operator's program does not have.
        for operator in &mut self.operators {
            operator.process.kill()?;
            operator.process.set_role("operator-with-local-web");
            operator.process.set_variable(local_web::VARIABLE, &self.web.address.to_string());
        }
        self.gateway.connected(0).await?;
        self.start().await?;
        let with_source = self.light("http source", self.with_source, extent.warm_up, extent.light / 2).await?;

        Ok(Figures {
            small_steps: self.small_steps,
            treasury_steps: self.treasury_steps,
            small,
            treasury,
            with_source,
            decisions_per_second: best.per_second(),
            operator_per_core: best.per_core()?,
            treasury_operator_per_core: treasury_best.per_core()?,
            treasury_decisions_per_second: treasury_best.per_second(),
            overload_share: overload.per_second() / best.per_second().max(f64::MIN_POSITIVE),
            overload_refusals: overload.refusals.clone(),
            cpu_millis: best.cpu_millis(),
            megabytes_idle,
            megabytes_busy,
        })
    }

    /// One request at a time, with pauses.
    async fn light(&self, what: &str, vault: Address, warm_up: usize, count: usize) -> Result<Latencies> {
        let requests = self.requests(vault);
        requests.one_by_one(warm_up).await?;
        let mut usage = self.processes();
        let latencies = requests.one_by_one(count).await?;
        eprintln!("{what}, one at a time: {}; CPU ms each: {}", latencies.text(), usage.since().per(count));
        Ok(latencies)
    }

    /// A number of requests at a time, one after the other.
    async fn closed(&mut self, what: &str, vault: Address, extent: &Extent) -> Result<Window> {
        let requests = self.requests(vault);
        let running = requests.concurrent(CONCURRENT);
        sleep(Duration::from_secs(extent.warm_up_seconds)).await;
        let window = self.window(&running, extent).await?;
        running.stop().await;
        eprintln!("{what}, {CONCURRENT} at a time: {}", window.text());
        Ok(window)
    }

    /// So many requests a second, whatever becomes of them.
    async fn open(&mut self, what: &str, vault: Address, per_second: f64, extent: &Extent) -> Result<Window> {
        let requests = self.requests(vault);
        let running = requests.at_rate(per_second);
        sleep(Duration::from_secs(extent.warm_up_seconds)).await;
        let window = self.window(&running, extent).await?;
        running.stop().await;
        eprintln!("{what}, {per_second:.0} a second asked for: {}", window.text());
        Ok(window)
    }

    async fn window(&mut self, running: &load::Running, extent: &Extent) -> Result<Window> {
        let signed_before = self.signed().await?;
        let mut usage = self.processes();
        running.begin();
        let started = std::time::Instant::now();
        sleep(Duration::from_secs(extent.seconds)).await;
        let counts = running.counts();
        let seconds = started.elapsed().as_secs_f64();
        let cpu = usage.since();
        Ok(Window { seconds, cpu, signed: self.signed().await? - signed_before, ..counts })
    }

    /// Returns how many attestations all operators have signed since they started.
    async fn signed(&mut self) -> Result<u64> {
        let mut sum = 0;
        for operator in &mut self.operators {
            let url = format!("http://{}/metrics", operator.process.listening()?);
            let text = reqwest::get(url).await?.text().await?;
            let lines = text.lines().filter(|line| line.starts_with("assent_operator_decisions_total"));
            sum += lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum::<u64>();
        }
        Ok(sum)
    }

    /// Returns the most that an operator uses, in megabytes.
    fn operator_megabytes(&self, of: fn(u32) -> Option<f64>) -> f64 {
        let processes = self.operators.iter().filter_map(|operator| operator.process.id());
        processes.filter_map(of).fold(0.0, f64::max)
    }
}

/// Returns the object of a path of keys.
fn nested(path: &str, value: Value) -> Value {
    path.rsplit('.').fold(value, |inner, key| json!({ key: inner }))
}

/// Returns the file of a policy in benchmarks/policies.
fn benchmark_file(name: &str) -> Result<Vec<u8>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../benchmarks/policies");
    std::fs::read(std::path::Path::new(path).join(name)).with_context(|| format!("benchmarks/policies/{name}"))
}
