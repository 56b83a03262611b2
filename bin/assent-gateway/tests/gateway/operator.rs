//! An operator: its state machine, a WebSocket, and actions that are carried out at once.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use alloy::primitives::{Address, B256, U256};
use assent_chain_view::{ChainView, ViewedBlock};
use assent_network::{
    Bls, Domain, Task,
    operator::{Action, Event, Examination, Operator, Settings},
};
use assent_policy::{evaluate, evaluator};
use assent_policy_store::PolicyStore;
use assent_signer::{AttestationBatch, SecretKey};
use assent_types::digest::attestation_digest;
use futures_util::{SinkExt, StreamExt};
use tokio::task::JoinHandle;
use tokio_tungstenite::{connect_async, tungstenite::Message};

use crate::world::{World, world};

/// Operators that work in this process until they are dropped.
pub struct Operators {
    tasks: Vec<JoinHandle<()>>,
    pub evidence: Evidence,
    /// What each has signed, by task id: its journal.
    pub signed: Arc<Mutex<HashMap<(Address, B256), B256>>>,
    /// How many tasks were offered.
    pub offers: Arc<AtomicUsize>,
    /// Whether they answer nothing.
    pub is_silent: Arc<AtomicBool>,
}

pub type Evidence = Arc<Mutex<HashMap<B256, String>>>;

impl Operators {
    /// Connects the first `count` operators, and waits until the gateway knows all of them.
    pub async fn connect(address: std::net::SocketAddr, count: usize) -> Self {
        let operators = Self::start(address, count).await;
        let http = reqwest::Client::new();
        let url = format!("http://{address}");
        loop {
            let health = crate::world::call(&http, &url, "assent_health", serde_json::json!({})).await.unwrap();
            if health["connected"] == count {
                return operators;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Starts operators that connect again and again.
    pub async fn start(address: std::net::SocketAddr, count: usize) -> Self {
        let mut operators = Self {
            tasks: Vec::new(),
            evidence: Arc::default(),
            signed: Arc::default(),
            offers: Arc::default(),
            is_silent: Arc::default(),
        };
        operators.dial(address, count).await;
        operators
    }

    /// Has the same operators connect to another gateway.
    pub async fn dial(&mut self, address: std::net::SocketAddr, count: usize) {
        let (world, operators) = (world().await, self);
        for (operator, key) in world.operators.iter().take(count) {
            let program = Program {
                world,
                operator: *operator,
                key,
                view: ChainView::new(world.client.provider().clone(), world.task_manager),
                store: PolicyStore::parse(world.policies.path().to_str().unwrap()).unwrap(),
                evidence: Arc::clone(&operators.evidence),
                signed: Arc::clone(&operators.signed),
                offers: Arc::clone(&operators.offers),
                is_silent: Arc::clone(&operators.is_silent),
            };
            operators.tasks.push(tokio::spawn(async move {
                loop {
                    program.serve(&address.to_string()).await;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }));
        }
    }
}

impl Drop for Operators {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

struct Program {
    world: &'static World,
    operator: Address,
    key: &'static SecretKey,
    view: ChainView,
    store: PolicyStore,
    evidence: Evidence,
    signed: Arc<Mutex<HashMap<(Address, B256), B256>>>,
    offers: Arc<AtomicUsize>,
    is_silent: Arc<AtomicBool>,
}

impl Program {
    fn domain(&self) -> Domain {
        Domain { chain_id: U256::from(31_337), task_manager: self.world.task_manager }
    }

    async fn serve(&self, gateway: &str) {
        let Ok((mut socket, _)) = connect_async(format!("ws://{gateway}/operators")).await else { return };
        let mut operator = Operator::new(Settings::new(self.domain(), self.operator), Bls);
        let mut events = vec![Event::LinkOpened { link: 1, gateway: gateway.to_owned() }];
        loop {
            while let Some(event) = events.pop() {
                for action in operator.handle(event) {
                    match action {
                        Action::Send { message, .. } if !self.is_silent.load(Ordering::Relaxed) => {
                            if socket.send(Message::Text(message.into())).await.is_err() {
                                return;
                            }
                        }
                        Action::Send { .. } => {}
                        Action::Close { .. } => return,
                        action => events.push(self.act(action).await),
                    }
                }
            }
            match socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    if text.contains("\"type\":\"offer\"") {
                        self.offers.fetch_add(1, Ordering::Relaxed);
                    }
                    events.push(Event::Received { link: 1, message: text.as_bytes().to_vec() });
                }
                Some(Ok(_)) => {}
                None | Some(Err(_)) => return,
            }
        }
    }

    async fn act(&self, action: Action) -> Event {
        let Domain { chain_id, task_manager } = self.domain();
        match action {
            Action::SignConnection { link, connection } => {
                let signature = self.key.prove_connection(&connection, chain_id, task_manager);
                Event::ConnectionSigned { link, result: Ok(signature) }
            }
            Action::Examine { ticket, task } => {
                Event::Examined { ticket, result: Ok(Box::new(self.examine(task).await)) }
            }
            Action::Observe { ticket, .. } => {
                let output = assent_json::parse(br#"{"value":"500"}"#).unwrap();
                Event::Observed { ticket, result: Ok(BTreeMap::from([("limit".to_owned(), output)])) }
            }
            Action::SignObservations { ticket, observations, .. } => {
                let sign = |observation| self.key.sign_observation(observation, chain_id, task_manager);
                Event::ObservationsSigned { ticket, result: Ok(observations.iter().map(sign).collect()) }
            }
            Action::Evaluate { ticket, input, policy, data } => {
                let result = Box::new(evaluate(evaluator().unwrap(), &policy, &input, &data));
                Event::Evaluated { ticket, result }
            }
            Action::StoreEvidence { ticket, file } => {
                self.evidence.lock().unwrap().insert(file.roots().unwrap().hash(), file.to_json());
                Event::EvidenceStored { ticket, result: Ok(()) }
            }
            Action::SignAttestation { ticket, attestation, .. } => {
                let batch = AttestationBatch::new(vec![*attestation], chain_id, task_manager).unwrap();
                let known = self.signed.lock().unwrap().insert((self.operator, ticket.task_id), batch.root());
                assert!(known.is_none_or(|known| known == batch.root()), "two statements about one task");
                Event::AttestationSigned { ticket, result: Ok(self.key.sign_batch(&batch)) }
            }
            Action::SignBatch { link, batch, .. } => {
                for attestation in batch.attestations() {
                    let digest = attestation_digest(attestation, chain_id, task_manager);
                    let known = self.signed.lock().unwrap().insert((self.operator, attestation.taskId), digest);
                    assert!(known.is_none_or(|known| known == digest), "two statements about one task");
                }
                Event::BatchSigned { link, root: batch.root(), result: Ok(self.key.sign_batch(&batch)) }
            }
            other => panic!("{other:?}"),
        }
    }

    async fn examine(&self, task: Task) -> Examination {
        let block = ViewedBlock { number: task.block_number, hash: task.block_hash, timestamp: task.block_timestamp };
        let canonical = self.view.canonical_block(task.block_number).await.unwrap();
        let at = self.view.at(block);
        let terms = at.client_terms(task.policy_client).await.unwrap().unwrap();
        let policy = self.store.fetch(task.policy_id).await.unwrap().bundle.policy().clone();
        Examination {
            block_timestamp: canonical.filter(|known| *known == block).map(|block| block.timestamp),
            latest_timestamp: self.view.latest_block().await.unwrap().timestamp,
            task_manager: terms.task_manager,
            client_policy: terms.policy,
            issuance_floor: terms.issuance_floor,
            is_spent: at.is_spent(task.policy_client, task.nonce).await.unwrap(),
            epoch: at.epoch(task.epoch).await.unwrap(),
            is_trusted_forwarder: at.is_trusted_forwarder(task.policy_client, task.intent.from).await.unwrap(),
            is_delegated: at.is_delegated(task.intent.from).await.unwrap(),
            is_newcomer: false,
            policy: Some(Arc::new(policy)),
        }
    }
}
