//! Whether the gateway can serve requests, and what it refuses.

use alloy_primitives::{Address, B256, U256};
use assent_network::{message::VERSIONS, operator::MINIMUM_QUORUM};
use assent_task_log::TaskLogError;
use serde::Serialize;

use crate::{driver::Snapshot, metrics::RefusalCount, service::Service};

/// What `assent_health` answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HealthAnswer {
    status: &'static str,
    version: &'static str,
    protocol: Protocol,
    chain_id: String,
    task_manager: Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<u64>,
    operators: usize,
    connected: usize,
    tasks: usize,
    refusing: Vec<Obstacle>,
    refusals: Vec<RefusalCount>,
}

#[derive(Debug, Serialize)]
struct Protocol {
    min: u16,
    max: u16,
}

/// Why new requests get no attestation now.
#[derive(Debug, Serialize)]
struct Obstacle {
    /// The code of the error that they get.
    code: &'static str,
    message: String,
    next: &'static str,
}

impl HealthAnswer {
    pub(crate) fn is_ok(&self) -> bool {
        self.status == "ok"
    }
}

impl Service {
    /// Returns whether the gateway can serve requests.
    pub(crate) async fn health(&self) -> HealthAnswer {
        let snapshot = self.driver.snapshot().await;
        let block = self.preparer.head().map(|head| head.block.number);
        let log_failure = self.log.get(B256::ZERO).await.err().or_else(|| self.log.failure());
        let mut refusing = Vec::new();
        let mut refuse = |code, message: &str, next| {
            refusing.push(Obstacle { code, message: message.to_owned(), next });
        };
        if snapshot.is_none() {
            refuse("unavailable", "the gateway stops", "ask another gateway");
        }
        if block.is_none() {
            refuse("unavailable", "the node of the chain gives no answer", "check the node of rpc-url");
        }
        match log_failure {
            None => {}
            // What failed can name a server, which callers need not know.
            Some(TaskLogError::NoSpace(_)) => {
                refuse(
                    "unavailable",
                    "the task log has no space left",
                    "make room on the disk or the servers of task-log",
                );
            }
            Some(_) => {
                refuse("unavailable", "the task log gives no answer", "check the disk or the servers of task-log")
            }
        }
        let is_ok = refusing.is_empty();
        let snapshot = snapshot.unwrap_or_default();
        if self.is_full() || snapshot.open_tasks >= self.limits.max_tasks {
            let next = "wait until operators decide; raise max-requests or max-tasks if memory allows";
            refusing.push(Obstacle { code: "busy", message: "too many requests or tasks wait".to_owned(), next });
        }
        refusing.extend(without_quorum(&snapshot));
        let mut known: Vec<Address> = Vec::new();
        for epoch in &snapshot.epochs {
            known.extend(epoch.operators.operators().iter().map(|operator| operator.address));
        }
        known.sort_unstable();
        known.dedup();
        HealthAnswer {
            status: if is_ok { "ok" } else { "unavailable" },
            version: env!("CARGO_PKG_VERSION"),
            protocol: Protocol { min: VERSIONS.min, max: VERSIONS.max },
            chain_id: self.preparer.domain.chain_id.to_string(),
            task_manager: self.preparer.domain.task_manager,
            block,
            operators: known.len(),
            connected: snapshot.connected.len(),
            tasks: snapshot.tasks,
            refusing,
            refusals: self.metrics.refusals(),
        }
    }
}

/// Returns the operator sets of which no quorum is connected.
fn without_quorum(snapshot: &Snapshot) -> Vec<Obstacle> {
    let obstacle = |message| Obstacle {
        code: "noQuorum",
        message,
        next: "ask the operators to connect; tasks are accepted, and decided once enough of them are there",
    };
    if snapshot.epochs.is_empty() {
        return vec![obstacle("no operator set has an epoch in force".to_owned())];
    }
    let mut obstacles = Vec::new();
    for epoch in &snapshot.epochs {
        let total = epoch.operators.total_weight();
        let operators = epoch.operators.operators().iter();
        let connected = operators.filter(|operator| snapshot.connected.contains(&operator.address));
        let weights = connected.map(|operator| U256::from(operator.weight));
        let connected = weights.fold(U256::ZERO, U256::saturating_add);
        if connected < epoch.operators.required_weight(MINIMUM_QUORUM) {
            let set: u32 = epoch.operator_set.into();
            let number: u32 = epoch.number.into();
            obstacles.push(obstacle(format!(
                "operators with weight {connected} of {total} are connected, of set {set} in epoch {number}: no quorum"
            )));
        }
    }
    obstacles
}
