//! Gateways that mean harm, beside an honest one on the same operator.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use alloy::primitives::{Address, B256, U256};
use assent_network::{
    Domain, Task,
    gateway::{Accepted, AcceptedSources, TaskOutcome},
    message::{AgreedOutput, GatewayMessage, OperatorMessage},
};
use assent_policy::{Builtin, Bundle, ExecutablePolicy, Observer, Reduction, ReductionRule, Rules, Source};
use assent_policy_store::PolicyStore;
use assent_signer::SecretKey;
use assent_types::Observation;
use futures_util::{SinkExt, StreamExt};
use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite::Message};

use crate::{
    fixture::{Fixture, Result, policy, terms},
    gateway::TestGateway,
    process::Process,
};

/// How many times longer than usual a decision may take beside a flood. In the order of arrival, it would be hundreds.
const MOST_TIMES: u32 = 40;

/// What a gateway does once it has welcomed the operator.
#[derive(Clone)]
enum Harm {
    /// Offers tasks, each with another nonce, as fast as the operator takes them.
    Offers(Box<Task>),
    /// Has a task decided on observations whose signatures are of another key.
    Forges(Box<Task>),
    /// Closes the connection.
    Closes,
}

struct RogueGateway {
    address: SocketAddr,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    connections: AtomicU64,
    offered: AtomicU64,
    signed: AtomicU64,
    closed: AtomicU64,
}

impl RogueGateway {
    async fn start(domain: Domain, harm: Harm) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, counts) = (listener.local_addr()?, Arc::new(Counts::default()));
        let shared = Arc::clone(&counts);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (harm, counts) = (harm.clone(), Arc::clone(&shared));
                tokio::spawn(async move {
                    let _ = connection(stream, domain, harm, &counts).await;
                    counts.closed.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        Ok(Self { address, counts })
    }

    /// Waits until a number is reached.
    async fn wait(&self, number: fn(&Counts) -> &AtomicU64, at_least: u64) {
        let start = Instant::now();
        while number(&self.counts).load(Ordering::SeqCst) < at_least {
            assert!(start.elapsed() < Duration::from_secs(120), "it did not come to {at_least}");
            sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn connection(stream: TcpStream, domain: Domain, harm: Harm, counts: &Counts) -> Result {
    let mut stream = accept_async(stream).await?;
    next(&mut stream).await?;
    send(&mut stream, &GatewayMessage::Challenge { version: 1, challenge: B256::repeat_byte(9), domain }).await?;
    next(&mut stream).await?;
    send(&mut stream, &GatewayMessage::Welcome).await?;
    counts.connections.fetch_add(1, Ordering::SeqCst);
    match harm {
        Harm::Closes => {
            // So that the operator has read the welcome.
            sleep(Duration::from_millis(50)).await;
        }
        Harm::Offers(task) => {
            let (mut sink, mut stream) = stream.split();
            let reads = async {
                while let Some(Ok(message)) = stream.next().await {
                    if let Ok(OperatorMessage::Signed { .. }) = OperatorMessage::parse(&message.into_data()) {
                        counts.signed.fetch_add(1, Ordering::SeqCst);
                    }
                }
            };
            let writes = async {
                loop {
                    let nonce = counts.offered.fetch_add(1, Ordering::SeqCst) + 1_000_000;
                    let task = Task { nonce: U256::from(nonce), ..(*task).clone() };
                    let message = GatewayMessage::Offer { task }.to_json();
                    if sink.send(Message::text(message)).await.is_err() {
                        return;
                    }
                }
            };
            futures_util::future::join(reads, writes).await;
        }
        Harm::Forges(task) => {
            let task_id = task.id(domain);
            send(&mut stream, &GatewayMessage::Offer { task: (*task).clone() }).await?;
            loop {
                let OperatorMessage::Observed { observations, .. } = next(&mut stream).await? else { continue };
                let output = observations[0].output.clone();
                let observation = Observation::new(task_id, "paid", task.block_hash, output.as_bytes());
                let key = SecretKey::generate()?;
                let signature = key.sign_observation(&observation, domain.chain_id, domain.task_manager);
                let observers = vec![(Address::from_word(task.nonce.into()), signature)];
                let observations = vec![AgreedOutput { source: "paid".into(), output, observers }];
                for _ in 0..10 {
                    let observations = observations.clone();
                    send(&mut stream, &GatewayMessage::Decide { task_id, observations }).await?;
                }
            }
        }
    }
    Ok(())
}

async fn send(stream: &mut WebSocketStream<TcpStream>, message: &GatewayMessage) -> Result {
    Ok(stream.send(Message::text(message.to_json())).await?)
}

async fn next(stream: &mut WebSocketStream<TcpStream>) -> Result<OperatorMessage> {
    let message = stream.next().await.ok_or("the connection ended")??;
    Ok(OperatorMessage::parse(&message.into_data())?)
}

impl Fixture {
    /// Starts the operator with an honest gateway and another.
    fn run_with_both(&self, honest: &TestGateway, rogue: &RogueGateway) -> Result<Process> {
        self.configure(honest.address, "")?;
        let gateways = format!("ws://{}/operators,ws://{}/operators", honest.address, rogue.address);
        self.run_with(&["--gateways", &gateways])
    }

    /// Has the honest gateway decide a task, and returns how long that took.
    async fn decide(&self, honest: &TestGateway, nonce: u64) -> Result<Duration> {
        let accepted = self.accepted(self.task(nonce, 1).await?);
        let start = Instant::now();
        match honest.decide(accepted).await? {
            TaskOutcome::Attested { .. } => Ok(start.elapsed()),
            other => Err(format!("{other:?}").into()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_floods_an_operator_with_offers_delays_itself_and_no_other() -> Result {
    let fixture = Fixture::new().await?;
    let honest = TestGateway::start(fixture.domain(), fixture.epoch.clone()).await?;
    fixture.configure(honest.address, "")?;
    let process = fixture.run()?;
    honest.connected(1).await?;
    let mut usual = Vec::new();
    for nonce in 0..5 {
        usual.push(fixture.decide(&honest, nonce).await?);
    }
    usual.sort();
    let usual = usual[2];
    assert!(process.terminate()?);

    let task = fixture.task(0, 1).await?;
    let rogue = RogueGateway::start(fixture.domain(), Harm::Offers(Box::new(task))).await?;
    let process = fixture.run_with_both(&honest, &rogue)?;
    honest.connected(1).await?;
    // Its tasks fill the table, and some are decided.
    rogue.wait(|counts| &counts.offered, 3000).await;
    rogue.wait(|counts| &counts.signed, 1).await;
    let before = rogue.counts.signed.load(Ordering::SeqCst);
    for nonce in 10..15 {
        let time = fixture.decide(&honest, nonce).await?;
        println!("usually {usual:?}, beside a flood {time:?}");
        assert!(time < MOST_TIMES * usual, "usually {usual:?}, beside a flood {time:?}");
    }
    let (offered, signed) = (&rogue.counts.offered, &rogue.counts.signed);
    println!("offered {}, signed {before} to {}", offered.load(Ordering::SeqCst), signed.load(Ordering::SeqCst));
    let (_, metrics) = process.get("/metrics").await?;
    assert!(metrics.contains("assent_operator_panics_total 0"), "{metrics}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_sends_invalid_signatures_is_not_dialled_for_a_while() -> Result {
    let mut fixture = Fixture::new().await?;
    fixture.policy = history_policy();
    let bundle = Bundle::new("history".into(), "0.1.0".into(), fixture.policy.clone(), BTreeMap::new())?;
    PolicyStore::parse(fixture.path("policies").to_str().ok_or("a path")?)?.put(&bundle).await?;
    fixture.set_terms(terms(&fixture.policy, 6_700)).await?;
    let mut task = fixture.task(0, 1).await?;
    // The nonce names the operator for the gateway that forges.
    task.nonce = U256::from_be_bytes(fixture.operator().into_word().0);
    let honest = TestGateway::start(fixture.domain(), fixture.epoch.clone()).await?;
    let rogue = RogueGateway::start(fixture.domain(), Harm::Forges(Box::new(task))).await?;
    let process = fixture.run_with_both(&honest, &rogue)?;
    honest.connected(1).await?;
    rogue.wait(|counts| &counts.closed, 1).await;
    // Long after it would be dialled again otherwise.
    sleep(Duration::from_secs(3)).await;
    assert_eq!(rogue.counts.connections.load(Ordering::SeqCst), 1);
    let (_, metrics) = process.get("/metrics").await?;
    assert!(metrics.contains("assent_operator_invalid_observations_total 4\n"), "{metrics}");

    let sources = AcceptedSources::of(&Rules::parse(fixture.policy.rules())?);
    let accepted = Accepted { sources, ..fixture.accepted(fixture.task(1, 1).await?) };
    let outcome = honest.decide(accepted).await?;
    assert!(matches!(outcome, TaskOutcome::Attested { .. }), "{outcome:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_closes_every_connection_is_dialled_ever_more_seldom() -> Result {
    let fixture = Fixture::new().await?;
    let honest = TestGateway::start(fixture.domain(), fixture.epoch.clone()).await?;
    let rogue = RogueGateway::start(fixture.domain(), Harm::Closes).await?;
    let _process = fixture.run_with_both(&honest, &rogue)?;
    honest.connected(1).await?;
    rogue.wait(|counts| &counts.connections, 2).await;
    sleep(Duration::from_secs(6)).await;
    // Every 250 ms it would be more than twenty.
    let connections = rogue.counts.connections.load(Ordering::SeqCst);
    assert!(connections <= 10, "{connections} connections");
    fixture.decide(&honest, 1).await?;
    Ok(())
}

/// A policy with the source `history`, which every operator observes alike.
fn history_policy() -> ExecutablePolicy {
    let query = br#"{
        "address": "0x7070707070707070707070707070707070707070",
        "event": "event Transfer(address indexed from, address indexed to, uint256 value)",
        "window": { "blocks": 10 }
    }"#;
    let source = Source {
        observer: Observer::Builtin(Builtin::History(assent_json::parse(query).expect("JSON"))),
        hosts: Vec::new(),
        reduce: Reduction::Whole(ReductionRule::Same),
        within: None,
        schema: assent_json::parse(br#"{"type":"object"}"#).expect("JSON"),
    };
    policy(BTreeMap::from([("paid".to_owned(), source)]))
}
