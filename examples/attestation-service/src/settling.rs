//! One thread that verifies, spends and records, batch after batch. Only it decides, so that no two requests race for
//! a nonce; and it answers only what is on disk.

use crate::{
    answer::Verdict,
    ledger::{Ledger, Recorded},
    metrics::Metrics,
    submission::Submission,
};
use alloy_primitives::{Address, U256};
use anyhow::{Context as _, Result, anyhow};
use assent_verifier::{
    Call, Context, Refusal, SpentLedger, SpentNonces, VerifiedAttestation, backend::blst::Blst, verify_batch_using,
};
use std::{
    cell::RefCell,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::sync::{oneshot, watch};

/// A submission, and where its verdict goes.
pub struct Job {
    pub submission: Submission,
    pub verdict: oneshot::Sender<Verdict>,
}

/// What the thread needs.
pub struct Setting {
    pub context: Context,
    pub ledger: Arc<Ledger>,
    pub metrics: Arc<Metrics>,
    /// How long the first request of a batch waits for others.
    pub window: Duration,
    pub longest_queue: usize,
}

/// Hands the thread another context.
#[derive(Clone)]
pub struct Reload(Arc<Mutex<Option<Context>>>);

impl Reload {
    /// From the next batch on.
    pub fn reload(&self, context: Context) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(context);
    }

    fn take(&self) -> Option<Context> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The thread. It ends when every sender of its queue is gone, or when the ledger fails.
pub struct Settling {
    thread: JoinHandle<Result<()>>,
    alive: watch::Receiver<()>,
}

impl Settling {
    /// Returns when the thread has ended.
    pub fn ended(&self) -> impl Future<Output = ()> + use<> {
        let mut alive = self.alive.clone();
        async move { while alive.changed().await.is_ok() {} }
    }

    /// Waits for the end of the thread.
    pub fn join(self) -> Result<()> {
        self.thread.join().map_err(|_| anyhow!("the thread that verifies has panicked"))?
    }
}

/// Starts the thread.
pub fn start(setting: Setting) -> Result<(SyncSender<Job>, Reload, Settling)> {
    let (sender, queue) = sync_channel(setting.longest_queue);
    let (living, alive) = watch::channel(());
    let reload = Reload(Arc::default());
    let settler = Settler {
        context: with_ledger(setting.context, Arc::clone(&setting.ledger)),
        reload: reload.clone(),
        ledger: setting.ledger,
        metrics: setting.metrics,
        window: setting.window,
        longest_queue: setting.longest_queue,
        queue,
    };
    let run = move || {
        let _living = living;
        settler.run()
    };
    let thread = thread::Builder::new().name("settling".to_owned()).spawn(run).context("starting a thread")?;
    Ok((sender, reload, Settling { thread, alive }))
}

struct Settler {
    context: Context<Spent>,
    reload: Reload,
    ledger: Arc<Ledger>,
    metrics: Arc<Metrics>,
    window: Duration,
    longest_queue: usize,
    queue: Receiver<Job>,
}

impl Settler {
    fn run(mut self) -> Result<()> {
        while let Ok(first) = self.queue.recv() {
            thread::sleep(self.window);
            let others = self.queue.try_iter().take(self.longest_queue);
            let batch = std::iter::once(first).chain(others).collect();
            // On a failure no request in the batch gets a verdict, and none ever will: what cannot be written is not
            // answered.
            self.settle(batch).context("the ledger failed, and nothing more is accepted")?;
        }
        Ok(())
    }

    fn settle(&mut self, batch: Vec<Job>) -> Result<()> {
        let begun = Instant::now();
        if let Some(context) = self.reload.take() {
            self.context = with_ledger(context, Arc::clone(&self.ledger));
        }
        self.context.timestamp = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is wrong")?.as_secs();

        let submissions = batch.iter().map(|job| &job.submission).collect::<Vec<_>>();
        let verdicts = self.verdicts(&submissions)?;
        self.metrics.batch_size.observe(batch.len() as f64);
        self.metrics.settling_seconds.observe(begun.elapsed().as_secs_f64());
        for (job, verdict) in batch.into_iter().zip(verdicts) {
            self.metrics.count(verdict.outcome());
            // The client may be gone. What was accepted stays spent: it cannot be known whether the answer arrived.
            let _ = job.verdict.send(verdict);
        }
        Ok(())
    }

    fn verdicts(&self, submissions: &[&Submission]) -> Result<Vec<Verdict>> {
        let calls = submissions
            .iter()
            .map(|submission| Call::Explicit { intent: &submission.intent, authorization: &submission.encoded });
        let results = verify_batch_using::<Blst, _>(&self.context, &calls.collect::<Vec<_>>());
        if let Some(error) = self.context.spent.failure.take() {
            return Err(error.into());
        }
        let judged = submissions.iter().zip(results).map(|(submission, result)| self.judge(submission, result));
        let judged = judged.collect::<Result<Vec<_>>>()?;

        let accepted = judged.iter().zip(submissions).filter_map(|(judged, submission)| {
            judged.as_ref().ok().map(|verified| (verified, submission.encoded.as_slice()))
        });
        let accepted = accepted.collect::<Vec<_>>();
        let recorded = match accepted.is_empty() {
            true => Vec::new(),
            false => self.ledger.record(self.context.timestamp, &accepted)?,
        };
        let mut recorded = recorded.into_iter();
        let mut verdicts = Vec::with_capacity(judged.len());
        for judged in judged {
            verdicts.push(match judged {
                Err(verdict) => verdict,
                Ok(verified) => match recorded.next().context("a verdict was not recorded")? {
                    Recorded::Now(entry) => {
                        self.metrics.records.set(i64::try_from(entry.sequence + 1)?);
                        Verdict::Accepted(entry)
                    }
                    // By one before it in the batch.
                    Recorded::Before(sequence) => already_spent(&verified, sequence),
                },
            });
        }
        Ok(verdicts)
    }

    /// Whether what was verified may be recorded.
    fn judge(
        &self,
        submission: &Submission,
        result: Result<VerifiedAttestation, Refusal>,
    ) -> Result<Result<VerifiedAttestation, Verdict>> {
        let refusal = match result {
            Ok(verified) => {
                let differences = submission.differences(&self.context);
                return Ok(match differences.is_empty() {
                    true => Ok(verified),
                    false => Err(Verdict::Contradicted(differences)),
                });
            }
            Err(refusal) => refusal,
        };
        let spent_by = match refusal {
            Refusal::AttestationAlreadySpent { policyClient, nonce } => self.ledger.spent_by(policyClient, nonce)?,
            _ => None,
        };
        let differences = match refusal {
            Refusal::WrongTask { .. } | Refusal::InvalidSignature => submission.differences(&self.context),
            _ => Vec::new(),
        };
        Ok(Err(Verdict::Refused { refusal, differences, spent_by }))
    }
}

fn already_spent(verified: &VerifiedAttestation, sequence: u64) -> Verdict {
    let (policy_client, nonce) = (verified.policy_client(), verified.nonce());
    let refusal = Refusal::AttestationAlreadySpent { policyClient: policy_client, nonce };
    Verdict::Refused { refusal, differences: Vec::new(), spent_by: Some(sequence) }
}

/// Spent on disk, or according to the context, which knows what was spent or burned on chain.
struct Spent {
    ledger: Arc<Ledger>,
    on_chain: SpentNonces,
    failure: RefCell<Option<redb::Error>>,
}

impl SpentLedger for Spent {
    fn is_spent(&self, policy_client: Address, nonce: U256) -> bool {
        self.on_chain.is_spent(policy_client, nonce)
            || self.ledger.is_spent(policy_client, nonce).unwrap_or_else(|error| {
                // What cannot be checked is refused; and then the batch is not answered at all.
                *self.failure.borrow_mut() = Some(error);
                true
            })
    }
}

fn with_ledger(context: Context, ledger: Arc<Ledger>) -> Context<Spent> {
    let Context { chain_id, task_manager, policy_client, policy, caller, timestamp, epochs, recorded_roots, spent } =
        context;
    let spent = Spent { ledger, on_chain: spent, failure: RefCell::default() };
    Context { chain_id, task_manager, policy_client, policy, caller, timestamp, epochs, recorded_roots, spent }
}
