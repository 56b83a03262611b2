//! Operators' processes hand an epoch over to a mirror on another chain, whatever a gateway asks for.

use std::{net::SocketAddr, sync::Arc};

use alloy::{
    primitives::{Address, B256, Bytes, U256, aliases::U48},
    providers::{DynProvider, Provider},
};
use anyhow::{Result, bail, ensure};
use assent_chain::{DEVELOPMENT_ACCOUNTS, EmbeddedChain};
use assent_chain_view::ChainView;
use assent_client::gateway::GatewayHandover;
use assent_contracts::{
    EpochMirror::{self, MirrorSettings},
    OperatorRegistry,
};
use assent_network::{
    Domain,
    message::{GatewayMessage, HandoverName, OperatorMessage, RefusalCode},
};
use assent_network_tests::{
    network::{Gateway, Operator},
    process::free_address,
    rpc::Answer,
    world::{OPERATOR_SET, World, WorldOptions},
};
use assent_types::{EpochHandover, EpochId, Signature, digest::EPOCH_HANDOVER_TAG};
use assent_verifier::backend::{blst::Blst, verify_signature};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Mutex,
    task::JoinSet,
};
use tokio_tungstenite::{accept_async, connect_async, tungstenite::Message};

use crate::{
    RUNNING,
    decisions::{Network, OPERATORS},
    program,
};

const REQUEST: &str = "assent_requestHandover";

/// A mirror on an embedded chain, which begins with epoch 1 of a world.
struct Mirror {
    provider: DynProvider,
    address: Address,
    chain: EmbeddedChain,
}

impl Mirror {
    async fn of(world: &World) -> Result<Self> {
        let home = world.client.provider();
        let chain = EmbeddedChain::new(10);
        chain.set_next_timestamp(world.latest_timestamp().await?)?;
        let (provider, owner) = (chain.provider(), DEVELOPMENT_ACCOUNTS[0]);
        let settings = MirrorSettings {
            homeChain: U256::from(world.chain_id),
            homeRegistry: world.registry,
            quorum: 6_667,
            haltQuorum: 5_000,
            gracePeriod: U48::from(3_600),
            notice: U48::from(3_600),
            guardian: Address::ZERO,
        };
        let address = EpochMirror::deploy_builder(&provider, owner, settings).from(owner).deploy().await?;
        let first = OperatorRegistry::new(world.registry, home).epochs(1).call().await?;
        let table: Bytes = home.get_code_at(first.table).await?.slice(1..);
        let contract = EpochMirror::new(address, &provider);
        contract.setGenesis(1, 1, first.expiresAt, table).from(owner).send().await?.get_receipt().await?;
        Ok(Self { provider, address, chain })
    }

    /// Gives the mirror a handover, as anyone may.
    async fn accept(&self, world: &World, signed: &GatewayHandover) -> Result<u32> {
        // No chain is behind the one on which the epoch was committed.
        self.chain.set_next_timestamp(world.latest_timestamp().await?)?;
        let epoch = signed.handover.epoch.into();
        let next = OperatorRegistry::new(world.registry, world.client.provider()).epochs(epoch).call().await?;
        let table: Bytes = world.client.provider().get_code_at(next.table).await?.slice(1..);
        let contract = EpochMirror::new(self.address, &self.provider);
        let (absent, signature) = (signed.non_signers.as_bytes().to_vec(), signed.signature.0);
        let accept = contract.accept(signed.handover.into(), table, absent.into(), signature.into());
        accept.from(DEVELOPMENT_ACCOUNTS[1]).send().await?.get_receipt().await?;
        Ok(contract.latestEpoch(OPERATOR_SET.into()).call().await?)
    }
}

fn signed(answer: Answer) -> Result<GatewayHandover> {
    match answer {
        Answer::Result(result) => Ok(serde_json::from_value(result)?),
        Answer::Error(error) => bail!("no handover: {error}"),
    }
}

fn refusal(answer: Answer) -> Result<Value> {
    match answer {
        Answer::Error(error) => Ok(error),
        Answer::Result(result) => bail!("a handover: {result}"),
    }
}

fn codes(signed: &GatewayHandover) -> Vec<(Address, &str)> {
    signed.absent.iter().map(|absent| (absent.operator, absent.code.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_hand_over_to_a_mirror_on_another_chain() -> Result<()> {
    let _by_itself = RUNNING.lock().await;
    let mut network = Network::start().await?;
    let mirror = Mirror::of(&network.world).await?;
    network.world.finalize().await?;
    let epoch = network.world.next_epoch().await?;
    assert_eq!(epoch, EpochId(2));
    let of_epoch_2 = json!({ "epoch": 2 });
    let early = refusal(network.gateway.rpc.answer(REQUEST, &of_epoch_2).await?)?;
    assert_eq!((&early["code"], &early["data"]["code"]), (&json!(-32003), &json!("notFinal")), "{early}");
    assert_eq!(early["data"]["retryable"], true, "{early}");
    network.world.finalize().await?;

    // One operator is down, and three are a quorum.
    network.operators[0].process.kill()?;
    network.gateway.connected(OPERATORS - 1).await?;
    let first = signed(network.gateway.rpc.answer(REQUEST, &of_epoch_2).await?)?;
    assert_eq!(codes(&first), [(network.operators[0].address, "notConnected")]);
    assert_eq!((first.handover.signed_by, first.signers.len()), (EpochId(1), OPERATORS - 1));
    assert_eq!(mirror.accept(&network.world, &first).await?, 2);

    // An operator that was killed signs the same again. Another takes the place of one that is down now.
    network.operators[1].process.kill()?;
    network.operators[2].process.kill()?;
    network.gateway.connected(OPERATORS - 3).await?;
    let too_few = refusal(network.gateway.rpc.answer(REQUEST, &of_epoch_2).await?)?;
    assert_eq!(too_few["data"]["code"], "noQuorum", "{too_few}");
    assert_eq!(too_few["data"]["absent"].as_array().map(Vec::len), Some(OPERATORS), "{too_few}");
    network.operators[0].process.start()?;
    network.operators[1].process.start()?;
    network.gateway.connected(OPERATORS - 1).await?;
    let again = signed(network.gateway.rpc.answer(REQUEST, &json!([2, 1, 6_667])).await?)?;
    assert_eq!(again.handover, first.handover);
    assert_eq!(codes(&again), [(network.operators[2].address, "notConnected")]);
    assert_ne!(again.signature, first.signature);

    // An epoch that is revoked is handed over to no more, also before the revocation is final.
    let world = &network.world;
    world.client.revoke_epochs(world.registry, world.owner, &[epoch]).await?;
    let revoked = refusal(network.gateway.rpc.answer(REQUEST, &of_epoch_2).await?)?;
    assert_eq!((&revoked["data"]["code"], &revoked["data"]["retryable"]), (&json!("refused"), &json!(false)));
    assert!(revoked["message"].as_str().is_some_and(|text| text.contains("epoch 2 is revoked")), "{revoked}");
    let wrong = refusal(network.gateway.rpc.answer(REQUEST, &json!({ "epoch": 1, "signedBy": 1 })).await?)?;
    assert!(wrong["message"].as_str().is_some_and(|text| text.contains("no earlier epoch")), "{wrong}");

    for operator in &mut network.operators {
        operator.process.kill()?;
        assert_eq!(operator.journal()?.handovers, [(2, first.handover.content_digest())].into());
    }
    Ok(())
}

/// Passes an operator's connection on to a gateway, and makes the operator one that speaks only version 2.
async fn make_older(listener: TcpListener, gateway: SocketAddr) {
    let mut links = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        links.spawn(async move {
            let operator = accept_async(stream).await?;
            let (gateway, _) = connect_async(format!("ws://{gateway}/operators")).await?;
            let ((mut to_operator, mut from_operator), (mut to_gateway, mut from_gateway)) =
                (operator.split(), gateway.split());
            loop {
                tokio::select! {
                    Some(message) = from_operator.next() => {
                        let message = match message? {
                            Message::Text(text) => Message::text(text.replace("\"maxVersion\":3", "\"maxVersion\":2")),
                            other => other,
                        };
                        to_gateway.send(message).await?;
                    }
                    Some(message) = from_gateway.next() => to_operator.send(message?).await?,
                    else => return Ok::<(), anyhow::Error>(()),
                }
            }
        });
    }
}

/// The digest and the signature of a handover, or the code of the refusal.
type Reply = Result<(B256, Signature), RefusalCode>;

/// A gateway that asks each operator for every handover of small numbers.
struct Curious {
    domain: Domain,
    answers: Mutex<Vec<(Address, HandoverName, Reply)>>,
}

const NAMES: u32 = 4;

impl Curious {
    async fn listen(self: Arc<Self>, listener: TcpListener) {
        let mut links = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let curious = Arc::clone(&self);
            links.spawn(async move { curious.serve(stream).await });
        }
    }

    async fn serve(&self, stream: TcpStream) -> Result<()> {
        let (mut sink, mut stream) = accept_async(stream).await?.split();
        let mut operator = Address::ZERO;
        let mut names =
            (0..NAMES).flat_map(|epoch| (0..NAMES).map(move |signed_by| (EpochId(epoch), EpochId(signed_by))));
        while let Some(message) = stream.next().await {
            let Message::Text(text) = message? else { continue };
            let mut messages = Vec::new();
            match OperatorMessage::parse(text.as_bytes())? {
                OperatorMessage::Hello { operator: address, .. } => {
                    operator = address;
                    let (version, challenge) = (3, Default::default());
                    messages.push(GatewayMessage::Challenge { version, challenge, domain: self.domain });
                    sink.send(Message::text(messages.remove(0).to_json())).await?;
                    continue;
                }
                OperatorMessage::Proof { .. } => messages.push(GatewayMessage::Welcome),
                OperatorMessage::HandoverSigned { handover, digest, signature } => {
                    self.answers.lock().await.push((operator, handover, Ok((digest, signature))));
                }
                OperatorMessage::HandoverRefused { handover, refusal } => {
                    self.answers.lock().await.push((operator, handover, Err(refusal.code)));
                }
                other => bail!("{other:?}"),
            }
            let next = names.next().map(|(epoch, signed_by)| HandoverName { epoch, signed_by });
            messages.extend(next.map(|handover| GatewayMessage::SignHandover { handover }));
            for message in messages {
                sink.send(Message::text(message.to_json())).await?;
            }
        }
        Ok(())
    }

    /// Waits until an operator has answered everything.
    async fn answers_of(&self, operator: Address) -> Vec<(HandoverName, Reply)> {
        loop {
            let answers = self.answers.lock().await;
            let of_operator: Vec<_> =
                answers.iter().filter(|(of, ..)| *of == operator).map(|(_, name, answer)| (*name, *answer)).collect();
            if of_operator.len() >= usize::try_from(NAMES * NAMES).unwrap_or_default() {
                return of_operator;
            }
            drop(answers);
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lying_gateway_gets_only_true_handovers_and_an_older_operator_works_along() -> Result<()> {
    let _by_itself = RUNNING.lock().await;
    // The last two are a quorum.
    let options = WorldOptions { chain_id: 31_337, weights: vec![1, 1, 10, 10], block_seconds: 1 };
    let world = World::new(&options).await?;
    let epoch = world.next_epoch().await?;
    world.finalize().await?;
    let view = ChainView::new(world.client.provider().clone(), world.task_manager);
    let truth: EpochHandover = view.final_handover(epoch, None).await?.handover;

    let (address, older) = (free_address()?, TcpListener::bind("127.0.0.1:0").await?);
    let curious = Arc::new(Curious {
        domain: Domain { chain_id: U256::from(world.chain_id), task_manager: world.task_manager },
        answers: Mutex::default(),
    });
    let rogue = TcpListener::bind("127.0.0.1:0").await?;
    let (older_address, rogue_address) = (older.local_addr()?, rogue.local_addr()?);
    let mut servers = JoinSet::new();
    servers.spawn(make_older(older, address));
    servers.spawn(Arc::clone(&curious).listen(rogue));
    let names = [address, older_address].map(|address| address.to_string());
    let log = world.path("tasks.redb").display().to_string();
    let more = ["--names", &names[0], "--names", &names[1]];
    let mut gateway = Gateway::new(&world, program(), "gateway", address, &log, &more)?;
    gateway.start()?;
    let mut operators = Vec::new();
    for index in 0..4 {
        let dialled = if index == 1 { older_address } else { address };
        operators.push(Operator::new(&world, program(), index, &world.node, &[dialled, rogue_address])?);
    }
    // The first one has said something else about the epoch, at another time.
    let other = json!({ "epoch": 2, "digest": format!("0x{}", "ab".repeat(32)), "time": truth.expires_at.to::<u64>() });
    operators[0].import_journal(&json!({
        "version": 1,
        "publicKey": world.operators[0].key.public_key().to_string(),
        "data": [{
            "chainId": "31337",
            "taskManager": format!("{:#x}", world.registry),
            "newest": truth.expires_at.to::<u64>(),
            "floor": 0,
            "attestations": [],
            "observations": [],
            "handovers": [other],
        }],
    }))?;
    for operator in &mut operators {
        operator.process.start()?;
    }
    gateway.connected(4).await?;

    let signed = signed(gateway.rpc.answer(REQUEST, &json!({ "epoch": 2 })).await?)?;
    assert_eq!(signed.handover, truth);
    // The other two are a quorum: the gateway need not wait for the first one's refusal.
    let expected = ["alreadySigned", "silent"].map(|first| {
        let mut codes = [(operators[0].address, first), (operators[1].address, "olderVersion")];
        codes.sort_unstable();
        codes
    });
    let absent = codes(&signed);
    assert!(expected.iter().any(|expected| absent == *expected), "{absent:?}");
    // The older one decides tasks as before.
    let vault = world.vault(&World::limit_policy()?).await?;
    let task = gateway.rpc.call("assent_requestAuthorization", &world.payment_request(vault, 5)).await?;
    assert_eq!(task["decision"], "allow", "{task}");

    for (index, operator) in operators.iter().enumerate() {
        for (name, answer) in curious.answers_of(operator.address).await {
            let is_true = name == HandoverName { epoch, signed_by: EpochId(1) };
            match answer {
                Ok((digest, signature)) => {
                    ensure!(is_true && digest == truth.digest(), "{name:?} was signed");
                    let key = world.operators[index].key.public_key();
                    verify_signature::<Blst>(digest.as_slice(), EPOCH_HANDOVER_TAG, &signature, &key)?;
                }
                Err(RefusalCode::AlreadySigned) => assert!(is_true && index == 0, "{name:?}"),
                Err(code) => {
                    ensure!(!is_true, "{name:?}: {code:?}");
                    let expected = if name.epoch > epoch || name.epoch == EpochId(0) {
                        RefusalCode::NotFinal
                    } else {
                        RefusalCode::WrongEpoch
                    };
                    assert_eq!(code, expected, "{name:?}");
                }
            }
        }
    }
    for (index, operator) in operators.iter_mut().enumerate() {
        operator.process.kill()?;
        let said = operator.journal()?.handovers;
        assert_eq!(said.len(), 1);
        assert_eq!(said[&2] == truth.content_digest(), index != 0);
    }
    Ok(())
}
