//! Hours of moderate load, with a kill -9 now and then: memory is bounded, nothing is lost, latency is stable.

use std::{
    path::PathBuf,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::{
    network::{Gateway, Operator},
    process::free_address,
    random::Random,
    rpc::{Answer, RpcClient},
    speed::{figures::Latencies, policies, usage::resident_megabytes},
    world::{World, WorldOptions},
};

/// The operators. Three are a quorum.
const OPERATORS: usize = 4;
/// The windows of time that are compared.
const WINDOWS: u32 = 20;
/// The part of the windows at the start, in which memory grows to its level, and latency is that of a new network.
const FIRST: usize = 5;
/// The most memory of an operator and of the gateway, in megabytes.
const MOST_MEGABYTES: f64 = 300.0;
/// How much more memory than after the first windows is still no growth: a factor, and megabytes.
const GROWTH: (f64, f64) = (1.3, 20.0);
/// How much longer the median of late windows may be than that of the first: a factor, and milliseconds.
const SLOWER: (f64, f64) = (1.5, 10.0);
/// How long a task may take to be decided: an operator may be starting again.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a network for hours, and checks that memory is bounded, nothing is lost, and latency is stable
///
/// Four operators and a gateway decide a few requests a second.
/// Twenty times an operator or the gateway is killed.
/// Build it with `--release`.
/// The exit status is 0 only if all holds.
#[derive(Debug, Clone, Args)]
pub(crate) struct SoakArguments {
    /// How long, in hours
    #[arg(long, value_name = "HOURS", default_value_t = 24.0)]
    hours: f64,
    /// Requests a second
    #[arg(long, value_name = "COUNT", default_value_t = 5)]
    per_second: u32,
    /// Prints the results as JSON
    #[arg(long)]
    json: bool,
}

/// What happened in one window.
#[derive(Debug, Clone, Default)]
struct Window {
    decided: u64,
    /// Requests that the gateway did not accept, since it was dead.
    not_accepted: u64,
    latencies: Latencies,
    operator_megabytes: f64,
    gateway_megabytes: f64,
}

/// Runs it. Returns whether all holds.
pub(crate) async fn run(arguments: &SoakArguments, program: PathBuf) -> Result<bool> {
    let whole = Duration::from_secs_f64(arguments.hours.max(0.01) * 3600.0);
    let mut soak = Soak::new(program, arguments.per_second.max(1)).await?;
    let mut windows: Vec<Window> = Vec::new();
    for number in 0..WINDOWS {
        let window = soak.window(number, whole / WINDOWS).await?;
        eprintln!(
            "window {} of {WINDOWS}: {} decided, {}; operator {:.0} MB, gateway {:.0} MB",
            number + 1,
            window.decided,
            window.latencies.text(),
            window.operator_megabytes,
            window.gateway_megabytes,
        );
        windows.push(window);
    }
    let faults = faults(&windows);
    let report = report(arguments, &windows, &faults);
    match arguments.json {
        true => println!("{report:#}"),
        false if faults.is_empty() => println!("{report:#}\nNothing was lost, memory is bounded, latency is stable."),
        false => println!("{report:#}\n{}", faults.join("\n")),
    }
    Ok(faults.is_empty())
}

struct Soak {
    gateway: Gateway,
    operators: Vec<Operator>,
    request: Value,
    per_second: u32,
    random: Random,
    _world: World,
}

impl Soak {
    async fn new(program: PathBuf, per_second: u32) -> Result<Self> {
        let options = WorldOptions { chain_id: 1, weights: vec![1; OPERATORS], block_seconds: 2 };
        let world = World::new(&options).await?;
        let vault = world.vault(&policies::small()?).await?;
        let address = free_address()?;
        let log = world.path("tasks.redb").display().to_string();
        let mut gateway = Gateway::new(&world, program.clone(), "gateway", address, &log, &[])?;
        gateway.start()?;
        let mut operators = Vec::new();
        for index in 0..OPERATORS {
            let mut operator = Operator::new(&world, program.clone(), index, &world.node, &[address])?;
            operator.process.start()?;
            operator.process.listening()?;
            operators.push(operator);
        }
        gateway.connected(OPERATORS).await?;
        let request = world.request(vault, &policies::payment());
        Ok(Self { gateway, operators, request, per_second, random: Random::new(1), _world: world })
    }

    /// Makes requests at a rate, kills a process in the middle, and waits for every accepted task.
    async fn window(&mut self, number: u32, length: Duration) -> Result<Window> {
        let started = Instant::now();
        let mut ticks = interval(Duration::from_secs(1) / self.per_second);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut requests = Vec::new();
        let mut is_killed = false;
        while started.elapsed() < length {
            ticks.tick().await;
            let (rpc, request) = (self.gateway.rpc.clone(), self.request.clone());
            requests.push(tokio::spawn(async move { ask(&rpc, request).await }));
            if !is_killed && started.elapsed() > length / 2 {
                is_killed = true;
                self.kill_one(number)?;
            }
        }
        let mut window = Window::default();
        let mut millis = Vec::new();
        for request in requests {
            match request.await?? {
                Some(time) => millis.push(time),
                None => window.not_accepted += 1,
            }
        }
        window.decided = u64::try_from(millis.len())?;
        window.latencies = Latencies::new(millis);
        let processes = self.operators.iter().filter_map(|operator| operator.process.id());
        window.operator_megabytes = processes.filter_map(resident_megabytes).fold(0.0, f64::max);
        window.gateway_megabytes = self.gateway.process.id().and_then(resident_megabytes).unwrap_or_default();
        Ok(window)
    }

    /// Kills an operator, or the gateway now and then, and starts it again.
    fn kill_one(&mut self, number: u32) -> Result<()> {
        // The one of which memory is compared runs all the time.
        if number % 5 == 4 {
            self.gateway.process.kill()?;
            return self.gateway.start();
        }
        let index = 1 + usize::try_from(self.random.below(3))?;
        let process = &mut self.operators.get_mut(index).context("an operator")?.process;
        process.kill()?;
        process.start()?;
        process.listening().map(drop)
    }
}

/// Submits a task and waits for its end. Returns the milliseconds, or nothing if it was not accepted.
///
/// # Errors
/// If an accepted task is lost, or is not decided in time.
async fn ask(rpc: &RpcClient, mut request: Value) -> Result<Option<f64>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    request["expiration"] = json!(now + 120);
    let started = Instant::now();
    let Ok(Answer::Result(mut task)) = rpc.answer("assent_submitTask", &request).await else { return Ok(None) };
    let task_id = task["taskId"].clone();
    while task["status"] == "pending" {
        ensure!(started.elapsed() < PATIENCE, "the accepted task {task_id} is not decided");
        sleep(Duration::from_millis(5)).await;
        match rpc.answer("assent_getTask", &json!([task_id])).await {
            Ok(Answer::Result(answer)) => task = answer,
            Ok(Answer::Error(error)) if error["data"]["code"] == "notFound" => {
                anyhow::bail!("the accepted task {task_id} is lost: {error}")
            }
            // The gateway is dead, and comes back.
            Ok(Answer::Error(_)) | Err(_) => sleep(Duration::from_millis(200)).await,
        }
    }
    ensure!(task["decision"] == "allow", "the task has another end: {task}");
    Ok(Some(started.elapsed().as_secs_f64() * 1000.0))
}

/// Returns what does not hold.
fn faults(windows: &[Window]) -> Vec<String> {
    let mut faults = Vec::new();
    let (first, later) = windows.split_at(FIRST.min(windows.len()));
    let most = |windows: &[Window], of: fn(&Window) -> f64| windows.iter().map(of).fold(0.0, f64::max);
    let operator: fn(&Window) -> f64 = |window| window.operator_megabytes;
    let gateway: fn(&Window) -> f64 = |window| window.gateway_megabytes;
    for (what, of) in [("an operator", operator), ("the gateway", gateway)] {
        let (before, after) = (most(first, of), most(later, of));
        if after > MOST_MEGABYTES || after > before * GROWTH.0 + GROWTH.1 {
            faults.push(format!("{what} used {before:.0} MB at first, and {after:.0} MB later"));
        }
    }
    let median = |windows: &[Window]| {
        Latencies::new(windows.iter().map(|window| window.latencies.percentile(50)).collect()).percentile(50)
    };
    let (before, after) = (median(first), median(later));
    if after > before * SLOWER.0 + SLOWER.1 {
        faults.push(format!("the median latency was {before:.1} ms at first, and {after:.1} ms later"));
    }
    faults
}

fn report(arguments: &SoakArguments, windows: &[Window], faults: &[String]) -> Value {
    let round = |value: f64| (value * 10.0).round() / 10.0;
    let rows = windows.iter().map(|window| {
        json!({
            "decided": window.decided,
            "notAccepted": window.not_accepted,
            "p50": round(window.latencies.percentile(50)),
            "p99": round(window.latencies.percentile(99)),
            "operatorMegabytes": round(window.operator_megabytes),
            "gatewayMegabytes": round(window.gateway_megabytes),
        })
    });
    json!({
        "hours": arguments.hours,
        "perSecond": arguments.per_second,
        "profile": if cfg!(debug_assertions) { "dev" } else { "release" },
        "kills": windows.len(),
        "decided": windows.iter().map(|window| window.decided).sum::<u64>(),
        "lost": 0,
        "windows": rows.collect::<Vec<_>>(),
        "faults": faults,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(megabytes: impl Fn(u32) -> f64, millis: impl Fn(u32) -> f64) -> Vec<Window> {
        (0..WINDOWS)
            .map(|number| Window {
                operator_megabytes: megabytes(number),
                gateway_megabytes: 30.0,
                latencies: Latencies::new(vec![millis(number)]),
                ..Window::default()
            })
            .collect()
    }

    #[test]
    fn growth_of_memory_and_of_latency_are_faults() {
        assert!(faults(&windows(|_| 60.0, |_| 20.0)).is_empty());
        assert!(faults(&windows(|number| 60.0 + 4.0 * f64::from(number), |_| 20.0))[0].contains("an operator used"));
        assert!(faults(&windows(|_| 310.0, |_| 20.0))[0].contains("310 MB"));
        assert!(faults(&windows(|_| 60.0, |number| 20.0 + 3.0 * f64::from(number)))[0].contains("latency"));
    }
}
