//! The gateway's state machine behind a real WebSocket, for one operator or several.

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use alloy::primitives::B256;
use assent_network::{
    Bls, Domain, LinkId, Task,
    gateway::{Accepted, Action, Answer, Event, Gateway, Settings, Submission, TaskOutcome},
    message::{GatewayMessage, OperatorMessage, Refused},
};
use assent_types::Signature;
use assent_verifier::Epoch;
use futures_util::{SinkExt, StreamExt};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    time::{Instant, interval, sleep, timeout},
};
use tokio_tungstenite::{accept_async, tungstenite::Message};

use crate::fixture::Result;

/// How long the slowest machine may take for anything.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone)]
pub struct TestGateway {
    pub address: SocketAddr,
    inputs: mpsc::UnboundedSender<Input>,
    heard: Arc<Mutex<Heard>>,
}

#[derive(Default)]
struct Heard {
    operators: usize,
    /// What operators signed and refused, by task.
    signatures: HashMap<B256, Vec<Signature>>,
    refusals: HashMap<B256, Vec<Refused>>,
}

enum Input {
    Event(Box<Event>),
    Opened(LinkId, mpsc::UnboundedSender<Option<String>>),
    Request(Box<Accepted>, oneshot::Sender<Answer>),
    Offer(Box<Task>),
}

impl TestGateway {
    pub async fn start(domain: Domain, epoch: Epoch) -> Result<Self> {
        Self::start_at(domain, epoch, "127.0.0.1:0".parse()?).await
    }

    pub async fn start_at(domain: Domain, epoch: Epoch, address: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (inputs, received) = mpsc::unbounded_channel();
        let gateway = Self { address, inputs: inputs.clone(), heard: Arc::default() };
        let mut state = Gateway::new(Settings::new(domain, [address.to_string()]), Bls);
        state.handle(now(), Event::Epochs(vec![epoch]));
        tokio::spawn(accept(listener, inputs.clone()));
        tokio::spawn(run(domain, state, inputs, received, Arc::clone(&gateway.heard)));
        Ok(gateway)
    }

    /// Has the operators decide a task, and returns the end.
    pub async fn decide(&self, accepted: Accepted) -> Result<TaskOutcome> {
        let (sender, answer) = oneshot::channel();
        self.inputs.send(Input::Request(Box::new(accepted), sender)).map_err(|_| "the gateway ended")?;
        match timeout(PATIENCE, answer).await?? {
            Answer::Finished { outcome, .. } => Ok(outcome),
            other => Err(format!("{other:?}").into()),
        }
    }

    /// Offers a task past the state machine, which would make no such offer.
    pub fn offer(&self, task: &Task) {
        let _ = self.inputs.send(Input::Offer(Box::new(task.clone())));
    }

    /// Waits until so many operators are connected.
    pub async fn connected(&self, count: usize) -> Result {
        self.wait(|heard| (heard.operators == count).then_some(())).await
    }

    /// Waits for the first refusal of a task.
    pub async fn refusal(&self, task_id: B256) -> Result<Refused> {
        self.wait(|heard| heard.refusals.get(&task_id)?.first().cloned()).await
    }

    /// Waits for a signature of a task.
    pub async fn signature(&self, task_id: B256) -> Result<Signature> {
        self.wait(|heard| heard.signatures.get(&task_id)?.last().copied()).await
    }

    /// Every signature of a task that any operator sent.
    pub fn signatures(&self, task_id: B256) -> Vec<Signature> {
        self.heard.lock().unwrap().signatures.get(&task_id).cloned().unwrap_or_default()
    }

    async fn wait<T>(&self, find: impl Fn(&Heard) -> Option<T>) -> Result<T> {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = find(&self.heard.lock().unwrap()) {
                return Ok(found);
            }
            if Instant::now() > end {
                return Err("nothing came".into());
            }
            sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn accept(listener: TcpListener, inputs: mpsc::UnboundedSender<Input>) {
    for link in 0.. {
        let Ok((stream, _)) = listener.accept().await else { return };
        tokio::spawn(carry(link, stream, inputs.clone()));
    }
}

async fn carry(link: LinkId, stream: TcpStream, inputs: mpsc::UnboundedSender<Input>) {
    let Ok(mut stream) = accept_async(stream).await else { return };
    let (sender, mut outgoing) = mpsc::unbounded_channel();
    let _ = inputs.send(Input::Opened(link, sender));
    loop {
        tokio::select! {
            message = stream.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let event = Event::Received { link, message: text.as_bytes().to_vec() };
                    let _ = inputs.send(Input::Event(Box::new(event)));
                }
                Some(Ok(_)) => {}
                _ => break,
            },
            message = outgoing.recv() => match message {
                Some(Some(message)) => {
                    if stream.send(Message::text(message)).await.is_err() {
                        break;
                    }
                }
                _ => break,
            },
        }
    }
    let _ = inputs.send(Input::Event(Box::new(Event::LinkClosed { link })));
}

async fn run(
    domain: Domain,
    mut gateway: Gateway<Bls>,
    inputs: mpsc::UnboundedSender<Input>,
    mut received: mpsc::UnboundedReceiver<Input>,
    heard: Arc<Mutex<Heard>>,
) {
    let mut links: HashMap<LinkId, mpsc::UnboundedSender<Option<String>>> = HashMap::new();
    let mut requests: HashMap<u64, (Box<Accepted>, oneshot::Sender<Answer>)> = HashMap::new();
    let mut next = 0;
    // The state machine does not know what it did not offer.
    let mut offered = HashSet::new();
    let mut ticks = interval(Duration::from_millis(100));
    loop {
        let event = tokio::select! {
            input = received.recv() => match input {
                Some(Input::Event(event)) => *event,
                Some(Input::Opened(link, sender)) => {
                    links.insert(link, sender);
                    Event::LinkOpened { link, challenge: B256::repeat_byte(7) }
                }
                Some(Input::Request(accepted, answer)) => {
                    next += 1;
                    let task = &accepted.task;
                    let submission = Submission {
                        policy_client: task.policy_client,
                        intent: task.intent.clone(),
                        nonce: Some(task.nonce),
                        expiration: Some(task.expiration),
                    };
                    requests.insert(next, (accepted, answer));
                    Event::Requested { request: next, submission }
                }
                Some(Input::Offer(task)) => {
                    offered.insert(task.id(domain));
                    let message = GatewayMessage::Offer { task: *task }.to_json();
                    for sender in links.values() {
                        let _ = sender.send(Some(message.clone()));
                    }
                    continue;
                }
                None => return,
            },
            _ = ticks.tick() => Event::Tick,
        };
        if let Event::Received { message, .. } = &event {
            let mut heard = heard.lock().unwrap();
            let task_id = match OperatorMessage::parse(message).expect("a message") {
                OperatorMessage::Signed { task_id, signature, .. } => {
                    heard.signatures.entry(task_id).or_default().push(signature);
                    Some(task_id)
                }
                OperatorMessage::Refused { task_id, refusal } => {
                    heard.refusals.entry(task_id).or_default().push(refusal);
                    Some(task_id)
                }
                _ => None,
            };
            if task_id.is_some_and(|task_id| offered.contains(&task_id)) {
                continue;
            }
        }
        for action in gateway.handle(now(), event) {
            match action {
                Action::Send { link, message } => {
                    let _ = links.get(&link).map(|sender| sender.send(Some(message)));
                }
                Action::Close { link, .. } => {
                    let _ = links.remove(&link).map(|sender| sender.send(None));
                }
                Action::Prepare { request, .. } => {
                    let result = Ok(requests[&request].0.clone());
                    let _ = inputs.send(Input::Event(Box::new(Event::Prepared { request, result })));
                }
                Action::Record { task_id, .. } => {
                    let _ = inputs.send(Input::Event(Box::new(Event::Recorded { task_id, result: Ok(()) })));
                }
                Action::Answer { answer: Answer::Accepted { .. }, .. } | Action::AnswerHandover { .. } => {}
                Action::Answer { request, answer } => {
                    if let Some((_, sender)) = requests.remove(&request) {
                        let _ = sender.send(answer);
                    }
                }
            }
        }
        heard.lock().unwrap().operators = gateway.operators().count();
    }
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    u64::try_from(now.as_millis()).expect("before the year 500000000")
}
