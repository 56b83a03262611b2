//! An operator that lies: a proxy between its process and the gateway, which has its key.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::Duration,
};

use alloy::primitives::B256;
use anyhow::Result;
use assent_network::{
    Domain,
    message::{GatewayMessage, OperatorMessage, SourceObservation},
};
use assent_signer::SecretKey;
use assent_types::{Observation, Signature};
use futures_util::{SinkExt, StreamExt};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
    time::sleep,
};
use tokio_tungstenite::{accept_async, connect_async, tungstenite::Message};

/// How an operator behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Behaviour {
    /// As its process does.
    Honest,
    /// Its signatures are of something else, or no signatures.
    Garbage,
    /// It observes two things.
    Equivocates,
    /// It answers nothing after its proof.
    Silent,
    /// It answers late.
    Slow,
}

impl Behaviour {
    pub(crate) const ALL: [Self; 5] = [Self::Honest, Self::Garbage, Self::Equivocates, Self::Silent, Self::Slow];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Honest => "honest",
            Self::Garbage => "signs garbage",
            Self::Equivocates => "equivocates",
            Self::Silent => "silent",
            Self::Slow => "slow",
        }
    }
}

/// What the proxy and those who change it share.
pub(crate) struct RogueOperator {
    /// The address that the process dials.
    pub(crate) address: SocketAddr,
    behaviour: Arc<AtomicU8>,
    /// The messages that it changed, dropped or delayed.
    pub(crate) lies: Arc<AtomicU64>,
    server: JoinHandle<()>,
}

#[derive(Clone)]
struct Lies {
    key: Arc<SecretKey>,
    domain: Domain,
    behaviour: Arc<AtomicU8>,
    count: Arc<AtomicU64>,
}

impl RogueOperator {
    /// Listens for the operator's process, and forwards to a gateway.
    pub(crate) async fn start(key: SecretKey, domain: Domain, gateway: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (behaviour, count) = (Arc::new(AtomicU8::new(0)), Arc::new(AtomicU64::new(0)));
        let lies = Lies { key: Arc::new(key), domain, behaviour: Arc::clone(&behaviour), count: Arc::clone(&count) };
        let server = tokio::spawn(async move {
            // The links end with the server.
            let mut links = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let Ok((stream, _)) = accepted else { continue };
                        let lies = lies.clone();
                        links.spawn(async move {
                            // Either side is killed now and then.
                            let _ = serve(stream, gateway, &lies).await;
                        });
                    }
                    Some(_) = links.join_next() => {}
                }
            }
        });
        Ok(Self { address, behaviour, lies: count, server })
    }

    /// Behaves so from now on.
    pub(crate) fn behave(&self, behaviour: Behaviour) {
        let number = Behaviour::ALL.iter().position(|known| *known == behaviour).unwrap_or_default();
        self.behaviour.store(u8::try_from(number).unwrap_or_default(), Ordering::Relaxed);
    }
}

impl Drop for RogueOperator {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(stream: TcpStream, gateway: SocketAddr, lies: &Lies) -> Result<()> {
    let (mut to_operator, mut from_operator) = accept_async(stream).await?.split();
    let (socket, _) = connect_async(format!("ws://{gateway}/operators")).await?;
    let (mut to_gateway, mut from_gateway) = socket.split();
    // The reference blocks of the tasks that were offered.
    let mut blocks = HashMap::new();
    loop {
        tokio::select! {
            message = from_operator.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    for message in lies.change(text.as_str(), &blocks).await {
                        to_gateway.send(Message::text(message)).await?;
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                Some(Ok(_)) => {}
            },
            message = from_gateway.next() => match message {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                Some(Ok(Message::Text(text))) => {
                    if let Ok(GatewayMessage::Offer { task } | GatewayMessage::OfferForBatch { task }) =
                        GatewayMessage::parse(text.as_bytes())
                    {
                        blocks.insert(task.id(lies.domain), task.block_hash);
                    }
                    to_operator.send(Message::Text(text)).await?;
                }
                Some(Ok(_)) => {}
            },
        }
    }
}

impl Lies {
    fn behaviour(&self) -> Behaviour {
        let number = self.behaviour.load(Ordering::Relaxed);
        Behaviour::ALL.get(usize::from(number)).copied().unwrap_or(Behaviour::Honest)
    }

    /// Returns what the gateway gets instead of a message.
    async fn change(&self, text: &str, blocks: &HashMap<B256, B256>) -> Vec<String> {
        let Ok(message) = OperatorMessage::parse(text.as_bytes()) else { return vec![text.to_owned()] };
        let is_greeting = matches!(message, OperatorMessage::Hello { .. } | OperatorMessage::Proof { .. });
        let behaviour = self.behaviour();
        if is_greeting || behaviour == Behaviour::Honest {
            return vec![text.to_owned()];
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        match behaviour {
            Behaviour::Honest => vec![text.to_owned()],
            Behaviour::Garbage => vec![self.garbage(message)],
            Behaviour::Equivocates => self.equivocate(message, blocks),
            Behaviour::Silent => Vec::new(),
            Behaviour::Slow => {
                sleep(Duration::from_millis(700)).await;
                vec![text.to_owned()]
            }
        }
    }

    /// Replaces signatures by a signature of something else, or by bytes that no key signed.
    fn garbage(&self, message: OperatorMessage) -> String {
        let seed = self.count.load(Ordering::Relaxed);
        let other = match seed % 3 {
            0 => Signature::try_from([0xa5_u8; 96].as_slice()).ok(),
            _ => Some(self.key.sign_root(B256::repeat_byte(u8::try_from(seed % 200).unwrap_or_default()))),
        };
        let message = match (message, other) {
            (OperatorMessage::Signed { task_id, decision, evidence, reasons, .. }, Some(signature)) => {
                OperatorMessage::Signed { task_id, decision, evidence, signature, reasons }
            }
            (OperatorMessage::BatchSigned { root, .. }, Some(signature)) => {
                OperatorMessage::BatchSigned { root, signature }
            }
            (OperatorMessage::Decided { task_id, decision, reasons, .. }, _) => {
                OperatorMessage::Decided { task_id, decision, evidence: B256::repeat_byte(0x99), reasons }
            }
            (OperatorMessage::Observed { task_id, observations }, Some(signature)) => {
                let observations = observations.into_iter().map(|o| SourceObservation { signature, ..o }).collect();
                OperatorMessage::Observed { task_id, observations }
            }
            (message, _) => message,
        };
        message.to_json()
    }

    /// Signs another output first, then says what its process observed.
    fn equivocate(&self, message: OperatorMessage, blocks: &HashMap<B256, B256>) -> Vec<String> {
        let OperatorMessage::Observed { task_id, observations } = &message else { return vec![message.to_json()] };
        let Some(block) = blocks.get(task_id) else { return vec![message.to_json()] };
        let lie = |source: &str| {
            let output = r#"{"count":"7"}"#;
            let observation = Observation::new(*task_id, source, *block, output.as_bytes());
            let Domain { chain_id, task_manager } = self.domain;
            let signature = self.key.sign_observation(&observation, chain_id, task_manager);
            SourceObservation { source: source.to_owned(), output: output.to_owned(), signature }
        };
        let lies = observations.iter().map(|observation| lie(&observation.source)).collect();
        let lie = OperatorMessage::Observed { task_id: *task_id, observations: lies };
        vec![lie.to_json(), message.to_json()]
    }
}
