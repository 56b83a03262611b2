//! Measures how many decisions an operator's process makes in a second of a core, and its memory.
//!
//! `cargo bench -p assent-operator --bench decisions` prints a table; with `-- --json` it prints JSON. The process is
//! the program itself, with a real anvil, journal and evidence store. This program is its gateway. Only the operator's
//! own CPU time counts, so that the others do not.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::Path,
    time::{Duration, Instant},
};

use alloy::primitives::{Address, B256, U256, keccak256};
use assent_network::{
    Task,
    message::{AgreedOutput, GatewayMessage, OperatorMessage},
};
use assent_policy::{Bundle, PolicyFolder, evaluator};
use assent_policy_store::PolicyStore;
use assent_signer::SecretKey;
use assent_types::Observation;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite::Message};

#[allow(dead_code, reason = "shared with the tests")]
#[path = "../tests/operator/fixture.rs"]
mod fixture;
#[allow(dead_code, reason = "shared with the tests")]
#[path = "../tests/operator/process.rs"]
mod process;

use fixture::{Fixture, Result, terms};
use process::Process;

/// The tasks that are offered and not answered at one time.
const AT_ONCE: usize = 64;
/// The tasks before those that are measured.
const WARM_UP: u64 = 200;
/// The ticks of the kernel's clock in a second, as every Linux reports them.
const TICKS: f64 = 100.0;
const PATIENCE: Duration = Duration::from_secs(60);

/// A policy to measure.
struct Case {
    name: &'static str,
    bundle: Bundle,
    /// The outputs of its sources.
    outputs: BTreeMap<String, String>,
    tasks: u64,
}

/// What was measured.
struct Measured {
    per_core: f64,
    per_second: f64,
    idle_megabytes: f64,
    busy_megabytes: f64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result {
    let mut figures = BTreeMap::new();
    let is_json = std::env::args().any(|argument| argument == "--json");
    if !is_json {
        println!("policy     decisions/s·core  decisions/s  idle MB  busy MB");
    }
    for case in [small()?, treasury()?] {
        let name = case.name;
        let Measured { per_core, per_second, idle_megabytes, busy_megabytes } = measure(case).await?;
        if !is_json {
            println!("{name:<10} {per_core:>16.0}  {per_second:>11.0}  {idle_megabytes:>7.0}  {busy_megabytes:>7.0}");
        }
        figures.insert(
            name,
            json!({
                "decisionsPerSecondPerCore": per_core,
                "decisionsPerSecond": per_second,
                "megabytes": { "idle": idle_megabytes, "busy": busy_megabytes },
            }),
        );
    }
    if is_json {
        println!("{}", json!(figures));
    }
    Ok(())
}

async fn measure(case: Case) -> Result<Measured> {
    let fixture = Fixture::new().await?;
    let policies = fixture.path("policies");
    PolicyStore::parse(policies.to_str().ok_or("a path")?)?.put(&case.bundle).await?;
    fixture.set_terms(terms(case.bundle.policy(), 6_700)).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    fixture.configure(listener.local_addr()?, "")?;
    let process = fixture.run()?;
    let mut gateway = Gateway::accept(&fixture, listener).await?;
    let idle_megabytes = megabytes(&process, "VmRSS")?;
    let offers = offers(&fixture, &case, WARM_UP + case.tasks).await?;
    let (warm_up, offers) = offers.split_at(usize::try_from(WARM_UP)?);
    gateway.decide(warm_up).await?;
    let (start, before) = (Instant::now(), cpu_seconds(&process)?);
    gateway.decide(offers).await?;
    let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds(&process)? - before);
    let tasks = f64::from(u32::try_from(case.tasks)?);
    Ok(Measured {
        per_core: tasks / cpu,
        per_second: tasks / wall,
        idle_megabytes,
        busy_megabytes: megabytes(&process, "VmHWM")?,
    })
}

/// The operator's connection, from the gateway's side.
struct Gateway(WebSocketStream<TcpStream>);

impl Gateway {
    async fn accept(fixture: &Fixture, listener: TcpListener) -> Result<Self> {
        let (stream, _) = timeout(PATIENCE, listener.accept()).await??;
        stream.set_nodelay(true)?;
        let mut gateway = Self(accept_async(stream).await?);
        let OperatorMessage::Hello { .. } = gateway.receive().await? else { return Err("no hello".into()) };
        let challenge = B256::repeat_byte(7);
        gateway.send(&GatewayMessage::Challenge { version: 2, challenge, domain: fixture.domain() }).await?;
        let OperatorMessage::Proof { .. } = gateway.receive().await? else { return Err("no proof".into()) };
        gateway.send(&GatewayMessage::Welcome).await?;
        Ok(gateway)
    }

    /// Has the operator sign tasks, some of them at one time.
    async fn decide(&mut self, offers: &[Vec<GatewayMessage>]) -> Result {
        let mut signed = HashSet::new();
        let mut offered = offers.iter();
        for messages in offered.by_ref().take(AT_ONCE) {
            self.offer(messages).await?;
        }
        while signed.len() < offers.len() {
            match self.receive().await? {
                OperatorMessage::Signed { task_id, .. } => {
                    if signed.insert(task_id)
                        && let Some(messages) = offered.next()
                    {
                        self.offer(messages).await?;
                    }
                }
                OperatorMessage::Refused { refusal, .. } => return Err(refusal.message.into()),
                other => return Err(format!("{other:?}").into()),
            }
        }
        Ok(())
    }

    async fn offer(&mut self, messages: &[GatewayMessage]) -> Result {
        for message in messages {
            self.send(message).await?;
        }
        Ok(())
    }

    async fn send(&mut self, message: &GatewayMessage) -> Result {
        Ok(self.0.send(Message::text(message.to_json())).await?)
    }

    async fn receive(&mut self) -> Result<OperatorMessage> {
        loop {
            match timeout(PATIENCE, self.0.next()).await?.ok_or("the operator closed the connection")?? {
                Message::Text(text) => return Ok(OperatorMessage::parse(text.as_bytes())?),
                Message::Close(_) => return Err("the operator closed the connection".into()),
                _ => {}
            }
        }
    }
}

/// The messages that have an operator decide each of some tasks.
async fn offers(fixture: &Fixture, case: &Case, count: u64) -> Result<Vec<Vec<GatewayMessage>>> {
    let key = SecretKey::read_unencrypted(&fixture.path("operator.key"))?;
    let first = fixture.task(0, 1).await?;
    let mut calldata = keccak256("pay(address,uint256)")[..4].to_vec();
    calldata.extend(Address::with_last_byte(0xa1).into_word());
    calldata.extend(U256::from(1000).to_be_bytes::<32>());
    let mut offers = Vec::new();
    for nonce in 0..count {
        let mut task = Task { nonce: U256::from(nonce), policy_id: case.bundle.policy().id(), ..first.clone() };
        task.intent.data = calldata.clone().into();
        let task_id = task.id(fixture.domain());
        let mut messages = vec![GatewayMessage::Offer { task: task.clone() }];
        if !case.outputs.is_empty() {
            let observations = case.outputs.iter().map(|(source, output)| {
                let observation = Observation::new(task_id, source, task.block_hash, output.as_bytes());
                let domain = fixture.domain();
                let signature = key.sign_observation(&observation, domain.chain_id, domain.task_manager);
                let observers = vec![(fixture.operator(), signature)];
                AgreedOutput { source: source.clone(), output: output.clone(), observers }
            });
            messages.push(GatewayMessage::Decide { task_id, observations: observations.collect() });
        }
        offers.push(messages);
    }
    Ok(offers)
}

fn small() -> Result<Case> {
    let mut files = folder("small")?;
    let rules = String::from_utf8(files.remove("small.rego").ok_or("the rules")?)?;
    files.insert("small.rego".to_owned(), rules.replace("chain_id == 1\n", "chain_id == 31337\n").into_bytes());
    let bundle = PolicyFolder::read(&files)?.build(evaluator()?.root())?;
    Ok(Case { name: "small", bundle, outputs: BTreeMap::new(), tasks: 3_000 })
}

fn treasury() -> Result<Case> {
    let mut files = folder("treasury")?;
    let observed: Value = serde_json::from_slice(&files.remove("observations.json").ok_or("the observations")?)?;
    let mut outputs = BTreeMap::new();
    for (source, output) in observed.as_object().ok_or("an object")? {
        // The observations come from the gateway, so that no component is ever run.
        files.insert(format!("sources/{source}.wasm"), source.clone().into_bytes());
        outputs.insert(source.clone(), assent_json::parse(output.to_string().as_bytes())?.to_canonical());
    }
    let bundle = PolicyFolder::read(&files)?.build(evaluator()?.root())?;
    Ok(Case { name: "treasury", bundle, outputs, tasks: 1_000 })
}

fn folder(name: &str) -> Result<BTreeMap<String, Vec<u8>>> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../benchmarks/policies")).join(name);
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).ok_or("a name")?;
        files.insert(name.to_owned(), fs::read(&path)?);
    }
    Ok(files)
}

/// The CPU time of a process, of all its threads.
fn cpu_seconds(process: &Process) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.id()))?;
    // The name, in parentheses, may have spaces.
    let (_, fields) = stat.rsplit_once(") ").ok_or("the fields")?;
    let fields: Vec<_> = fields.split(' ').collect();
    let ticks = |index: usize| -> Result<f64> { Ok(fields.get(index).ok_or("a field")?.parse()?) };
    Ok((ticks(11)? + ticks(12)?) / TICKS)
}

/// The memory of a process: `VmRSS` is now, `VmHWM` the most there was.
fn megabytes(process: &Process, name: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).ok_or("a line")?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes / 1024.0)
}
