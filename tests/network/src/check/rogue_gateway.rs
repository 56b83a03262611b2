//! A gateway that lies: it forks tasks, feeds other data to each operator, drops, replays and alters.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use alloy::primitives::{Address, B256, U256};
use anyhow::Result;
use assent_chain_view::ChainView;
use assent_network::{
    Domain, Task,
    message::{AgreedOutput, GatewayMessage, HandoverName, MAX_BATCH, OperatorMessage, SourceObservation, VERSIONS},
};
use assent_signer::AttestationBatch;
use assent_types::{Decision, EpochId, PublicKey, Signature, digest::SIGNATURE_TAG};
use assent_verifier::backend::{blst::Blst, verify_signature};
use futures_util::{SinkExt, StreamExt};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
    time::sleep,
};
use tokio_tungstenite::{accept_async, tungstenite::Message};

use super::book::Book;
use crate::random::Random;

/// How often it does something to each operator.
const PAUSE: Duration = Duration::from_millis(120);
/// The proposals of a task that it remembers.
const REMEMBERED: usize = 64;

/// The gateway.
pub(crate) struct RogueGateway {
    /// The address that operators dial.
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
    server: JoinHandle<()>,
}

/// What the gateway knows.
pub(crate) struct RogueParts {
    pub(crate) domain: Domain,
    /// Tasks that operators decided for honest gateways.
    pub(crate) book: Book,
    pub(crate) view: ChainView,
    pub(crate) keys: BTreeMap<Address, PublicKey>,
    pub(crate) seed: u64,
}

/// What it got from operators.
#[derive(Debug, Clone, Default)]
pub(crate) struct Loot {
    /// What each operator signed about a task: the digests of its attestations. More than one is an offence.
    pub(crate) signed: BTreeMap<(Address, B256), BTreeSet<B256>>,
    /// Refusals, by code.
    pub(crate) refusals: BTreeMap<&'static str, u64>,
    /// Messages that it sent.
    pub(crate) sent: u64,
    /// What must not be.
    pub(crate) violations: Vec<String>,
}

#[derive(Default)]
struct State {
    loot: Loot,
    /// Every proposal that it made, by task id.
    offered: BTreeMap<B256, Vec<Task>>,
    observed: BTreeMap<B256, Vec<(Address, SourceObservation)>>,
    /// What operators said that they decided, by operator and task.
    decided: HashMap<(Address, B256), Vec<(Decision, B256)>>,
    /// The batches that it asked for, by root.
    batches: HashMap<B256, AttestationBatch>,
}

struct Shared {
    parts: RogueParts,
    state: Arc<Mutex<State>>,
    links: AtomicU64,
}

impl RogueGateway {
    /// Listens for operators.
    pub(crate) async fn start(parts: RogueParts) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::new(Shared { parts, state: Arc::clone(&state), links: AtomicU64::new(0) });
        let server = tokio::spawn(async move {
            let mut links = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let Ok((stream, _)) = accepted else { continue };
                        let shared = Arc::clone(&shared);
                        links.spawn(async move {
                            // Operators are killed now and then.
                            let _ = shared.serve(stream).await;
                        });
                    }
                    Some(_) = links.join_next() => {}
                }
            }
        });
        Ok(Self { address, state, server })
    }

    /// Returns what it got so far.
    pub(crate) fn loot(&self) -> Loot {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).loot.clone()
    }

    /// Returns the tasks of which it made other proposals than an honest gateway.
    pub(crate) fn forked(&self) -> BTreeSet<B256> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).offered.keys().copied().collect()
    }
}

impl Drop for RogueGateway {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve(&self, stream: TcpStream) -> Result<()> {
        let (mut sink, mut stream) = accept_async(stream).await?.split();
        let number = self.links.fetch_add(1, Ordering::Relaxed);
        let mut random = Random::new(self.parts.seed ^ number.wrapping_mul(0x9e37_79b9));
        let mut operator = None;
        let mut is_proven = false;
        loop {
            let messages = tokio::select! {
                message = stream.next() => match message {
                    Some(Ok(Message::Text(text))) => match OperatorMessage::parse(text.as_bytes()) {
                        Ok(OperatorMessage::Hello { operator: address, .. }) => {
                            operator = Some(address);
                            let (version, challenge) = (VERSIONS.max, random.bytes().into());
                            let domain = self.parts.domain;
                            vec![GatewayMessage::Challenge { version, challenge, domain }.to_json()]
                        }
                        Ok(OperatorMessage::Proof { .. }) => {
                            is_proven = true;
                            vec![GatewayMessage::Welcome.to_json()]
                        }
                        Ok(message) => {
                            if let Some(operator) = operator {
                                self.take(operator, message);
                            }
                            Vec::new()
                        }
                        Err(error) => {
                            self.state().loot.violations.push(format!("an operator's message is invalid: {error}"));
                            Vec::new()
                        }
                    },
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                    Some(Ok(_)) => Vec::new(),
                },
                () = sleep(PAUSE), if is_proven => match operator {
                    Some(operator) => self.mischief(operator, &mut random).await,
                    None => Vec::new(),
                },
            };
            for message in messages {
                self.state().loot.sent += 1;
                sink.send(Message::text(message)).await?;
            }
        }
    }

    /// Takes what an operator says.
    fn take(&self, operator: Address, message: OperatorMessage) {
        match message {
            OperatorMessage::Observed { task_id, observations } => {
                let mut state = self.state();
                let known = state.observed.entry(task_id).or_default();
                if known.len() < REMEMBERED {
                    known.extend(observations.into_iter().map(|observation| (operator, observation)));
                }
            }
            OperatorMessage::Decided { task_id, decision, evidence, .. } => {
                self.state().decided.entry((operator, task_id)).or_default().push((decision, evidence));
            }
            OperatorMessage::Signed { task_id, decision, evidence, signature, .. } => {
                self.signed(operator, task_id, decision, evidence, &signature);
            }
            OperatorMessage::BatchSigned { root, signature } => self.batch_signed(operator, root, &signature),
            OperatorMessage::HandoverSigned { handover, .. } => {
                // It has one epoch, which no epoch hands over to.
                let violation = format!("{operator} signed a handover of an epoch without another: {handover:?}");
                self.state().loot.violations.push(violation);
            }
            OperatorMessage::Refused { refusal, .. }
            | OperatorMessage::BatchRefused { refusal, .. }
            | OperatorMessage::HandoverRefused { refusal, .. } => {
                *self.state().loot.refusals.entry(refusal.code.as_str()).or_default() += 1;
            }
            OperatorMessage::Hello { .. } | OperatorMessage::Proof { .. } | OperatorMessage::Pong { .. } => {}
        }
    }

    fn is_signature(&self, operator: Address, root: B256, signature: &Signature) -> bool {
        let key = self.parts.keys.get(&operator);
        key.is_some_and(|key| verify_signature::<Blst>(root.as_slice(), SIGNATURE_TAG, signature, key).is_ok())
    }

    fn signed(&self, operator: Address, task_id: B256, decision: Decision, evidence: B256, signature: &Signature) {
        let Domain { chain_id, task_manager } = self.parts.domain;
        let offered = self.state().offered.get(&task_id).cloned().unwrap_or_default();
        let mut digests = offered.iter().filter_map(|task| {
            let attestation = task.attestation(self.parts.domain, decision, evidence);
            AttestationBatch::new(vec![attestation], chain_id, task_manager).ok().map(|batch| batch.root())
        });
        let digest = digests.find(|digest| self.is_signature(operator, *digest, signature));
        let mut state = self.state();
        match digest {
            Some(digest) => {
                state.loot.signed.entry((operator, task_id)).or_default().insert(digest);
            }
            None => {
                let violation = format!("{operator} signed something else than a proposal of the task {task_id}");
                state.loot.violations.push(violation);
            }
        }
    }

    fn batch_signed(&self, operator: Address, root: B256, signature: &Signature) {
        let Domain { chain_id, task_manager } = self.parts.domain;
        let batch = self.state().batches.get(&root).cloned();
        let is_signature = self.is_signature(operator, root, signature);
        let mut state = self.state();
        let Some(batch) = batch.filter(|_| is_signature) else {
            state.loot.violations.push(format!("{operator} signed a batch that it was not asked to sign"));
            return;
        };
        for attestation in batch.attestations() {
            let decided = state.decided.get(&(operator, attestation.taskId));
            let is_its_own = decided.into_iter().flatten().any(|(decision, evidence)| {
                attestation.decision == u8::from(*decision) && attestation.evidence == *evidence
            });
            if !is_its_own {
                let violation = format!("{operator} signed a leaf that it did not decide: {attestation:?}");
                state.loot.violations.push(violation);
            }
            let digest = assent_types::digest::attestation_digest(attestation, chain_id, task_manager);
            state.loot.signed.entry((operator, attestation.taskId)).or_default().insert(digest);
        }
    }

    /// Returns messages for one operator.
    async fn mischief(&self, operator: Address, random: &mut Random) -> Vec<String> {
        match random.below(10) {
            0..=4 => self.offer(random).await.into_iter().collect(),
            5 | 6 => self.decide(random).into_iter().collect(),
            7 => self.sign_batch(operator, random).into_iter().collect(),
            // Everything again, in another order: the decision before its offer, a cancellation between.
            8 => {
                let Some(task) = self.known_task(random) else { return Vec::new() };
                let task_id = task.id(self.parts.domain);
                let mut messages: Vec<_> = self.decide_task(task_id, random).into_iter().collect();
                messages.push(GatewayMessage::Offer { task: task.clone() }.to_json());
                messages.push(GatewayMessage::Cancel { task_id }.to_json());
                messages.push(GatewayMessage::Offer { task }.to_json());
                messages.extend(self.decide_task(task_id, random));
                messages
            }
            9 if random.percent(30) => {
                let mut epoch = || EpochId(u32::try_from(random.below(3)).unwrap_or_default());
                let handover = HandoverName { epoch: epoch(), signed_by: epoch() };
                vec![GatewayMessage::SignHandover { handover }.to_json()]
            }
            // No message at all: the operator closes the connection, and dials again.
            _ if random.percent(10) => vec![r#"{"type":"offer"}"#.to_owned()],
            _ => Vec::new(),
        }
    }

    fn known_task(&self, random: &mut Random) -> Option<Task> {
        let state = self.state();
        let known: Vec<_> = state.offered.values().flatten().collect();
        random.pick(&known).copied().cloned()
    }

    /// Offers a task: one that an honest gateway had decided, another proposal of it, or a new one.
    async fn offer(&self, random: &mut Random) -> Option<String> {
        let latest = self.parts.view.latest_block().await.ok()?;
        let ended = self.parts.book.ended();
        let (task_id, entry) = random.pick(&ended)?;
        let original = entry.task.clone();
        let mut task = match random.percent(60) {
            // A new one, of which each operator gets another proposal.
            true => {
                let recent = u64::try_from(self.state().offered.len() % 16).unwrap_or_default();
                let (nonce, expiration) = (U256::from(1_u64 << 40) + U256::from(recent), latest.timestamp + 60);
                Task { nonce, expiration, ..original }
            }
            false => {
                // Operators may repeat what they signed for the honest gateway.
                let mut state = self.state();
                let known = state.offered.entry(*task_id).or_default();
                if !known.contains(&original) {
                    known.push(original.clone());
                }
                original
            }
        };
        if random.percent(70) {
            (task.block_number, task.block_hash, task.block_timestamp) = (latest.number, latest.hash, latest.timestamp);
        }
        match random.below(6) {
            0 => task.expiration += 1 + random.below(3),
            1 => task.block_timestamp += 1,
            2 => task.block_hash = random.bytes().into(),
            3 => task.expiration = task.block_timestamp,
            _ => {}
        }
        let mut state = self.state();
        let proposals = state.offered.entry(task.id(self.parts.domain)).or_default();
        if !proposals.contains(&task) {
            if proposals.len() >= REMEMBERED {
                return None;
            }
            proposals.push(task.clone());
        }
        let for_batch = random.percent(40);
        Some(if for_batch { GatewayMessage::OfferForBatch { task } } else { GatewayMessage::Offer { task } }.to_json())
    }

    fn decide(&self, random: &mut Random) -> Option<String> {
        let observed: Vec<B256> = self.state().observed.keys().copied().collect();
        self.decide_task(*random.pick(&observed)?, random)
    }

    /// Asks to decide on a set of observations: another one each time, now and then with an altered output.
    fn decide_task(&self, task_id: B256, random: &mut Random) -> Option<String> {
        let observations = self.state().observed.get(&task_id)?.clone();
        let mut outputs: BTreeMap<String, AgreedOutput> = BTreeMap::new();
        for (operator, SourceObservation { source, output, signature }) in observations {
            if random.percent(15) {
                continue;
            }
            let new = AgreedOutput { source, output: output.clone(), observers: Vec::new() };
            let agreed = outputs.entry(output).or_insert(new);
            if agreed.observers.iter().all(|(known, _)| *known != operator) || random.percent(3) {
                agreed.observers.push((operator, signature));
            }
        }
        let mut observations: Vec<_> = outputs.into_values().collect();
        if let (true, Some(first)) = (random.percent(25), observations.first_mut()) {
            first.output = r#"{"count":"9"}"#.to_owned();
        }
        Some(GatewayMessage::Decide { task_id, observations }.to_json())
    }

    /// Asks for a batch of what an operator decided, or of something else.
    fn sign_batch(&self, operator: Address, random: &mut Random) -> Option<String> {
        let mut state = self.state();
        let forges = random.percent(50);
        let mut attestations = Vec::new();
        let decided = state.decided.iter().filter(|((of, _), _)| *of == operator).take(MAX_BATCH.min(8));
        for ((_, task_id), decided) in decided {
            let (decision, evidence) = decided.last()?;
            let task = random.pick(state.offered.get(task_id)?)?;
            let evidence = if forges && random.percent(50) { random.bytes().into() } else { *evidence };
            attestations.push(task.attestation(self.parts.domain, *decision, evidence));
        }
        let task_ids = attestations.iter().map(|attestation| attestation.taskId).collect();
        let Domain { chain_id, task_manager } = self.parts.domain;
        let batch = AttestationBatch::new(attestations, chain_id, task_manager).ok()?;
        let root = batch.root();
        state.batches.insert(root, batch);
        Some(GatewayMessage::SignBatch { root, task_ids }.to_json())
    }
}
