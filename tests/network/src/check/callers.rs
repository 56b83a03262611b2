//! Callers that ask all the time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use alloy::primitives::{Address, B256};
use anyhow::Result;
use assent_network::Domain;
use serde_json::{Value, json};
use tokio::{task::JoinHandle, time::sleep};

use super::book::Book;
use crate::{
    rpc::{Answer, RpcClient},
    world::World,
};

/// How long tasks may take until they expire, in seconds.
pub(crate) const LIFETIME: u64 = 60;
/// How often a caller looks whether its task ended.
const POLL: Duration = Duration::from_millis(40);

/// Callers, each with at most one open task. They end when they are stopped.
pub(crate) struct Callers {
    tasks: Vec<JoinHandle<Result<()>>>,
    stopping: Arc<AtomicBool>,
    /// Requests that a gateway refused.
    pub(crate) refused: Arc<AtomicU64>,
}

impl Callers {
    /// Starts callers of gateways, for payments of vaults in turn.
    pub(crate) fn start(
        count: u64,
        round: u64,
        world: &World,
        vaults: &[Address],
        gateways: &[RpcClient],
        book: &Book,
        domain: Domain,
    ) -> Self {
        let (stopping, refused) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let requests: Vec<Value> = (0..count)
            .map(|caller| {
                let index = usize::try_from(caller).unwrap_or_default() % vaults.len().max(1);
                let vault = vaults.get(index).copied().unwrap_or_default();
                // Some are denied.
                let amount = 100 + 1_000 * u64::from(caller % 4 == 2) + round % 500;
                world.payment_request(vault, amount)
            })
            .collect();
        let tasks = requests.into_iter().enumerate().map(|(caller, request)| {
            let caller = Caller {
                index: caller,
                round,
                request,
                gateways: gateways.to_vec(),
                book: book.clone(),
                domain,
                stopping: Arc::clone(&stopping),
                refused: Arc::clone(&refused),
            };
            tokio::spawn(caller.run())
        });
        Self { tasks: tasks.collect(), stopping, refused }
    }

    /// Stops them.
    ///
    /// # Errors
    /// What a caller found that must not be.
    pub(crate) async fn stop(self) -> Result<()> {
        self.stopping.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await??;
        }
        Ok(())
    }
}

struct Caller {
    index: usize,
    round: u64,
    request: Value,
    gateways: Vec<RpcClient>,
    book: Book,
    domain: Domain,
    stopping: Arc<AtomicBool>,
    refused: Arc<AtomicU64>,
}

impl Caller {
    async fn run(mut self) -> Result<()> {
        let mut attempts = self.index;
        while !self.stopping.load(Ordering::Relaxed) {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            self.request["expiration"] = json!(now + LIFETIME);
            attempts += 1;
            let Some(gateway) = self.gateways.get(attempts % self.gateways.len().max(1)) else { return Ok(()) };
            match gateway.answer("assent_submitTask", &self.request).await {
                Ok(Answer::Result(task)) => {
                    let task_id = self.book.accept(self.round, &task, self.domain)?;
                    self.wait(task_id).await?;
                }
                Ok(Answer::Error(_)) => {
                    self.refused.fetch_add(1, Ordering::Relaxed);
                    sleep(POLL).await;
                }
                // It is dead.
                Err(_) => sleep(POLL).await,
            }
        }
        Ok(())
    }

    /// Waits until a task ended, or the caller is stopped.
    async fn wait(&self, task_id: B256) -> Result<()> {
        let mut attempts = self.index;
        while !self.stopping.load(Ordering::Relaxed) {
            attempts += 1;
            let Some(gateway) = self.gateways.get(attempts % self.gateways.len().max(1)) else { return Ok(()) };
            if ask(gateway, &self.book, task_id, self.domain).await? {
                return Ok(());
            }
            sleep(POLL).await;
        }
        Ok(())
    }
}

/// Asks a gateway how a task ended. Returns whether it did.
///
/// # Errors
/// If the gateway does not know the task, or says something else than before.
pub(crate) async fn ask(gateway: &RpcClient, book: &Book, task_id: B256, domain: Domain) -> Result<bool> {
    match gateway.answer("assent_getTask", &json!([task_id])).await {
        Ok(Answer::Result(task)) => book.answer(task_id, &task, domain),
        Ok(Answer::Error(error)) if error["data"]["code"] == "notFound" => {
            anyhow::bail!("the accepted task {task_id} is lost: {error}")
        }
        // The log does not answer, or the gateway is dead.
        Ok(Answer::Error(_)) | Err(_) => Ok(false),
    }
}
