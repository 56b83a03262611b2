//! Requests: one by one, many at a time, or at a rate.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::{
    task::{JoinHandle, JoinSet},
    time::{MissedTickBehavior, interval, sleep},
};

use super::{figures::Latencies, usage::CpuSeconds};
use crate::rpc::{Answer, RpcClient};

const METHOD: &str = "assent_requestAuthorization";
/// The pause between two requests of a light load.
const PAUSE: Duration = Duration::from_millis(25);
/// How long the network may take to recover from an overload.
const LONGEST_CALM: Duration = Duration::from_secs(120);
/// JSON-RPC's code for too many requests.
const BUSY: i64 = -32_005;

/// One request, again and again. The gateway gives each another nonce.
#[derive(Clone)]
pub(super) struct Requests {
    pub(super) rpc: RpcClient,
    pub(super) request: Value,
}

/// What happened in a window of time.
#[derive(Debug, Clone, Default)]
pub(super) struct Window {
    pub(super) seconds: f64,
    /// Answers with an authorization, and how long they took.
    pub(super) decided: Vec<f64>,
    /// Refusals as busy, and how long they took.
    pub(super) refusals: Latencies,
    /// Other errors, by their text.
    pub(super) errors: BTreeMap<String, u64>,
    pub(super) cpu: CpuSeconds,
    /// Attestations that operators signed.
    pub(super) signed: u64,
}

impl Window {
    fn count(&self) -> f64 {
        f64::from(u32::try_from(self.decided.len()).unwrap_or(u32::MAX))
    }

    /// Returns the decisions of a second.
    pub(super) fn per_second(&self) -> f64 {
        self.count() / self.seconds.max(f64::MIN_POSITIVE)
    }

    /// Returns how many attestations an operator signs in a second of CPU time.
    pub(super) fn per_core(&self) -> Result<f64> {
        let signed = f64::from(u32::try_from(self.signed)?);
        let seconds = self.cpu.0.get("operators").copied().filter(|seconds| *seconds > 0.0);
        Ok(signed / seconds.context("operators use no CPU time")?)
    }

    /// Returns the CPU time of each decision, by kind of process.
    pub(super) fn cpu_millis(&self) -> BTreeMap<&'static str, f64> {
        self.cpu.millis(self.count())
    }

    pub(super) fn text(&self) -> String {
        format!(
            "{:.1} decisions a second ({}); CPU ms each: {}; {} signed; refused {}; errors {:?}",
            self.per_second(),
            Latencies::new(self.decided.clone()).text(),
            self.cpu.per(self.decided.len()),
            self.signed,
            self.refusals.text(),
            self.errors,
        )
    }
}

impl Requests {
    /// Makes requests one after the other.
    pub(super) async fn one_by_one(&self, count: usize) -> Result<Latencies> {
        let mut millis = Vec::new();
        for _ in 0..count {
            sleep(PAUSE).await;
            let started = Instant::now();
            let answer = self.rpc.call(METHOD, &self.request).await?;
            millis.push(started.elapsed().as_secs_f64() * 1000.0);
            ensure!(answer["decision"] == "allow", "the call is denied: {answer}");
        }
        Ok(Latencies::new(millis))
    }

    /// Waits until a request is answered, after an overload.
    pub(super) async fn answered(&self) -> Result<()> {
        let started = Instant::now();
        while let Answer::Error(error) = self.rpc.answer(METHOD, &self.request).await? {
            ensure!(started.elapsed() < LONGEST_CALM, "the network does not recover from the overload: {error}");
            sleep(Duration::from_millis(200)).await;
        }
        Ok(())
    }

    /// Begins to make requests, so many at a time.
    pub(super) fn concurrent(&self, count: usize) -> Running {
        let running = Running::default();
        let tasks = (0..count).map(|_| {
            let (requests, running) = (self.clone(), running.clone());
            tokio::spawn(async move {
                while !running.stopping.load(Ordering::Relaxed) {
                    requests.ask(&running).await;
                }
            })
        });
        running.add(tasks.collect());
        running
    }

    /// Begins to make so many requests a second, whether earlier ones are answered or not.
    pub(super) fn at_rate(&self, per_second: f64) -> Running {
        let running = Running::default();
        let (requests, own) = (self.clone(), running.clone());
        let task = tokio::spawn(async move {
            let mut ticks = interval(Duration::from_millis(5));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            let started = Instant::now();
            let mut made: f64 = 0.0;
            let mut asked = JoinSet::new();
            while !own.stopping.load(Ordering::Relaxed) {
                ticks.tick().await;
                let due = started.elapsed().as_secs_f64() * per_second;
                while made < due {
                    made += 1.0;
                    let (requests, running) = (requests.clone(), own.clone());
                    asked.spawn(async move { requests.ask(&running).await });
                }
                while asked.try_join_next().is_some() {}
            }
            while asked.join_next().await.is_some() {}
        });
        running.add(vec![task]);
        running
    }

    async fn ask(&self, running: &Running) {
        let started = Instant::now();
        let answer = self.rpc.answer(METHOD, &self.request).await;
        let millis = started.elapsed().as_secs_f64() * 1000.0;
        let is_decided = |answer: &Value| answer["decision"] == "allow";
        let result = match answer {
            Ok(Answer::Result(answer)) if is_decided(&answer) => Ok(true),
            Ok(Answer::Error(error)) if error["code"] == BUSY => Ok(false),
            Ok(Answer::Result(other) | Answer::Error(other)) => {
                Err(other["data"]["code"].as_str().map_or_else(|| other.to_string(), str::to_owned))
            }
            Err(error) => Err(format!("{error:#}")),
        };
        running.note(millis, result);
    }
}

/// Requests that go on until they are stopped.
#[derive(Clone, Default)]
pub(super) struct Running {
    stopping: Arc<AtomicBool>,
    tasks: Arc<Mutex<Vec<JoinHandle<()>>>>,
    noted: Arc<Mutex<Noted>>,
}

#[derive(Default)]
struct Noted {
    decided: Vec<f64>,
    refused: Vec<f64>,
    errors: BTreeMap<String, u64>,
}

impl Running {
    fn add(&self, tasks: Vec<JoinHandle<()>>) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).extend(tasks);
    }

    fn note(&self, millis: f64, result: Result<bool, String>) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(true) => noted.decided.push(millis),
            Ok(false) => noted.refused.push(millis),
            Err(error) => *noted.errors.entry(error).or_default() += 1,
        }
    }

    /// Forgets what happened before.
    pub(super) fn begin(&self) {
        *self.noted.lock().unwrap_or_else(PoisonError::into_inner) = Noted::default();
    }

    /// Returns what happened since then.
    pub(super) fn counts(&self) -> Window {
        let noted = std::mem::take(&mut *self.noted.lock().unwrap_or_else(PoisonError::into_inner));
        let Noted { decided, refused, errors } = noted;
        Window { decided, refusals: Latencies::new(refused), errors, ..Window::default() }
    }

    /// Stops, and waits for the requests that are not answered.
    pub(super) async fn stop(self) {
        self.stopping.store(true, Ordering::Relaxed);
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            let _ = task.await;
        }
    }
}
