//! One thread that verifies, spends and records, batch after batch. Only it decides, so that no two requests race for
//! a nonce; and it answers only what is on disk.

use crate::{
    answer::SubmissionResult,
    ledger::{Ledger, Recorded},
    metrics::Metrics,
    submission::Submission,
};
use alloy_primitives::{Address, U256};
use anyhow::{Context as _, Result, anyhow};
use assent_verifier::{
    Call, Context, Difference, Refusal, SpendLedger, SpentLedger, SpentNonces, VerifiedAttestation,
    backend::blst::Blst, verify_batch_using,
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

/// A submission, with the channel for its result.
pub struct Job {
    pub submission: Submission,
    pub answer: oneshot::Sender<SubmissionResult>,
}

/// The options of the thread.
pub struct WorkerOptions {
    pub context: Context,
    pub ledger: Arc<Ledger>,
    pub metrics: Arc<Metrics>,
    /// How long the first request of a batch waits for others.
    pub window: Duration,
    pub longest_queue: usize,
}

/// A handle that replaces the thread's context.
#[derive(Clone)]
pub struct Reload(Arc<Mutex<Option<Context>>>);

impl Reload {
    /// Replaces the context, from the next batch on.
    pub fn reload(&self, context: Context) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(context);
    }

    fn take(&self) -> Option<Context> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A handle on the thread, which ends when every sender of its queue is dropped, or when the ledger fails.
pub struct Worker {
    thread: JoinHandle<Result<()>>,
    alive: watch::Receiver<()>,
}

impl Worker {
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
pub fn start(options: WorkerOptions) -> Result<(SyncSender<Job>, Reload, Worker)> {
    let (sender, queue) = sync_channel(options.longest_queue);
    let (living, alive) = watch::channel(());
    let reload = Reload(Arc::default());
    let worker = WorkerThread {
        context: with_ledger(options.context, Arc::clone(&options.ledger)),
        reload: reload.clone(),
        ledger: options.ledger,
        metrics: options.metrics,
        window: options.window,
        longest_queue: options.longest_queue,
        queue,
    };
    let run = move || {
        let _living = living;
        worker.run()
    };
    let thread = thread::Builder::new().name("worker".to_owned()).spawn(run).context("starting a thread")?;
    Ok((sender, reload, Worker { thread, alive }))
}

struct WorkerThread {
    context: Context<Spent>,
    reload: Reload,
    ledger: Arc<Ledger>,
    metrics: Arc<Metrics>,
    window: Duration,
    longest_queue: usize,
    queue: Receiver<Job>,
}

impl WorkerThread {
    fn run(mut self) -> Result<()> {
        while let Ok(first) = self.queue.recv() {
            thread::sleep(self.window);
            let others = self.queue.try_iter().take(self.longest_queue);
            let batch = std::iter::once(first).chain(others).collect();
            // On a failure no request in the batch gets a verdict, and none ever will: what cannot be written is not
            // answered.
            self.process(batch).context("the ledger failed, and nothing more is accepted")?;
        }
        Ok(())
    }

    fn process(&mut self, batch: Vec<Job>) -> Result<()> {
        let begun = Instant::now();
        if let Some(context) = self.reload.take() {
            self.context = with_ledger(context, Arc::clone(&self.ledger));
        }
        self.context.timestamp = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is wrong")?.as_secs();

        let submissions = batch.iter().map(|job| &job.submission).collect::<Vec<_>>();
        let answers = self.results(&submissions)?;
        self.metrics.batch_size.observe(batch.len() as f64);
        self.metrics.settling_seconds.observe(begun.elapsed().as_secs_f64());
        for (job, result) in batch.into_iter().zip(answers) {
            self.metrics.count(result.outcome());
            // The client may be gone. What was accepted stays spent: it cannot be known whether the answer arrived.
            let _ = job.answer.send(result);
        }
        Ok(())
    }

    fn results(&mut self, submissions: &[&Submission]) -> Result<Vec<SubmissionResult>> {
        let calls = submissions
            .iter()
            .map(|submission| Call::Explicit { intent: &submission.intent, authorization: &submission.encoded });
        let results = verify_batch_using::<Blst, _>(&self.context, &calls.collect::<Vec<_>>());
        if let Some(error) = self.context.spent.failure.take() {
            return Err(error.into());
        }
        let pairs = submissions.iter().zip(results);
        let checked: Vec<_> = pairs.map(|(submission, result)| self.check_and_spend(submission, result)).collect();
        if let Some(error) = self.context.spent.failure.take() {
            return Err(error.into());
        }

        let accepted = checked.iter().zip(submissions).filter_map(|(checked, submission)| match checked {
            Checked::Accepted(verified) => Some((&**verified, submission.encoded.as_slice())),
            Checked::Contradicted(_) | Checked::Refused(_) => None,
        });
        let accepted = accepted.collect::<Vec<_>>();
        let recorded = match accepted.is_empty() {
            true => Vec::new(),
            false => self.ledger.record(self.context.timestamp, &accepted)?,
        };
        // They are on disk.
        self.context.spent.in_batch = SpentNonces::default();
        let mut recorded = recorded.into_iter();
        let mut answers = Vec::with_capacity(checked.len());
        for (checked, submission) in checked.into_iter().zip(submissions) {
            answers.push(match checked {
                Checked::Contradicted(differences) => SubmissionResult::Contradicted(differences),
                Checked::Refused(refusal) => self.refused(submission, refusal)?,
                Checked::Accepted(verified) => {
                    match recorded.next().context("an accepted submission was not recorded")? {
                        Recorded::Now(entry) => {
                            self.metrics.records.set(i64::try_from(entry.sequence + 1)?);
                            SubmissionResult::Accepted(entry)
                        }
                        Recorded::Before(sequence) => already_spent(&verified, sequence),
                    }
                }
            });
        }
        Ok(answers)
    }

    /// Spends the nonce of a verified attestation that is to be recorded.
    fn check_and_spend(&mut self, submission: &Submission, result: Result<VerifiedAttestation, Refusal>) -> Checked {
        let verified = match result {
            Ok(verified) => verified,
            Err(refusal) => return Checked::Refused(refusal),
        };
        let differences = submission.differences(&self.context);
        if !differences.is_empty() {
            return Checked::Contradicted(differences);
        }
        match self.context.spend(&verified) {
            Ok(()) => Checked::Accepted(Box::new(verified)),
            Err(refusal) => Checked::Refused(refusal),
        }
    }

    fn refused(&self, submission: &Submission, refusal: Refusal) -> Result<SubmissionResult> {
        let spent_by = match refusal {
            Refusal::AttestationAlreadySpent { policyClient, nonce } => self.ledger.spent_by(policyClient, nonce)?,
            _ => None,
        };
        let differences = match refusal {
            Refusal::WrongTask { .. } | Refusal::InvalidSignature => submission.differences(&self.context),
            _ => Vec::new(),
        };
        Ok(SubmissionResult::Refused { refusal, differences, spent_by })
    }
}

/// A submission before it is recorded.
enum Checked {
    /// Its nonce is spent, and it is to be recorded.
    Accepted(Box<VerifiedAttestation>),
    /// It is valid, but its document says something else.
    Contradicted(Vec<Difference>),
    Refused(Refusal),
}

fn already_spent(verified: &VerifiedAttestation, sequence: u64) -> SubmissionResult {
    let (policy_client, nonce) = (verified.policy_client(), verified.nonce());
    let refusal = Refusal::AttestationAlreadySpent { policyClient: policy_client, nonce };
    SubmissionResult::Refused { refusal, differences: Vec::new(), spent_by: Some(sequence) }
}

/// The nonces that are spent on disk or, according to the context, on chain.
struct Spent {
    ledger: Arc<Ledger>,
    on_chain: SpentNonces,
    /// Those that are spent in the current batch and not on disk yet.
    in_batch: SpentNonces,
    failure: RefCell<Option<redb::Error>>,
}

impl SpendLedger for Spent {
    fn spend(&mut self, policy_client: Address, nonce: U256) -> bool {
        !self.is_spent(policy_client, nonce) && self.in_batch.spend(policy_client, nonce)
    }
}

impl SpentLedger for Spent {
    fn is_spent(&self, policy_client: Address, nonce: U256) -> bool {
        self.on_chain.is_spent(policy_client, nonce)
            || self.in_batch.is_spent(policy_client, nonce)
            || self.ledger.is_spent(policy_client, nonce).unwrap_or_else(|error| {
                // A nonce that cannot be read counts as spent; the batch is then not answered.
                *self.failure.borrow_mut() = Some(error);
                true
            })
    }
}

fn with_ledger(context: Context, ledger: Arc<Ledger>) -> Context<Spent> {
    context.map_ledger(|on_chain| Spent {
        ledger,
        on_chain,
        in_batch: SpentNonces::default(),
        failure: RefCell::default(),
    })
}
