//! The rounds.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use alloy::{
    primitives::{Address, B256, U256, hex},
    providers::Provider,
    rpc::types::TransactionRequest,
};
use anyhow::{Context as _, Result, bail, ensure};
use assent_chain_view::ChainView;
use assent_network::Domain;
use assent_policy::{EvidenceFile, Replay, evaluator};
use assent_signer::SecretKey;
use tokio::time::sleep;

use super::{
    CheckArguments, Log, Sabotage,
    book::{Attested, Book, Entry, Outcome},
    callers::{Callers, LIFETIME, ask},
    outcome::{CheckReport, Round},
    rogue_gateway::{RogueGateway, RogueParts},
    rogue_operator::{Behaviour, RogueOperator},
};
use crate::{
    network::{Gateway, JournalEntries, Operator},
    process::{NatsServer, free_address},
    random::Random,
    world::{World, WorldOptions},
};

/// The weights: four honest operators, and one that lies, with 29 % of the weight. Without it, all four are the quorum.
const WEIGHTS: [u64; 5] = [3, 3, 3, 3, 5];
/// The honest operators.
const HONEST: usize = 4;
/// The callers, each with one open task.
const CALLERS: u64 = 24;
/// The longest time of load before a kill, and after it, in milliseconds.
const LOAD_MILLIS: u64 = 700;
/// The attestations of a round that are verified on chain, and the decisions that are repeated.
const VERIFIED: usize = 12;
const REPLAYED: usize = 4;

struct Check {
    random: Random,
    world: World,
    domain: Domain,
    vaults: [Address; 2],
    nats: Option<NatsServer>,
    gateways: Vec<Gateway>,
    operators: Vec<Operator>,
    rogue_operator: RogueOperator,
    rogue_gateway: RogueGateway,
    journals: BTreeMap<Address, JournalEntries>,
    book: Book,
    violations: Vec<String>,
    sabotage: Option<Sabotage>,
}

pub(super) async fn run(arguments: &CheckArguments, seed: u64, program: PathBuf) -> Result<CheckReport> {
    let log = arguments.log;
    let mut check = Check::new(seed, log, program).await?;
    check.sabotage = arguments.sabotage;
    let mut done = Vec::new();
    for number in 0..arguments.rounds {
        match check.round(number).await {
            Ok(round) => {
                eprintln!("{}", round.line());
                done.push(round);
            }
            Err(error) => check.violations.push(format!("round {number}: {error:#}")),
        }
        if !check.violations.is_empty() {
            eprintln!("the folder of the run is kept: {}", check.world.keep().display());
            break;
        }
    }
    if check.violations.is_empty()
        && let Err(error) = check.end()
    {
        check.violations.push(format!("at the end: {error:#}"));
    }
    let loot = check.rogue_gateway.loot();
    let count = |entries: fn(&JournalEntries) -> usize| {
        check.journals.values().map(|journal| u64::try_from(entries(journal)).unwrap_or_default()).sum()
    };
    Ok(CheckReport {
        seed,
        log: log.as_str(),
        rounds: done,
        attestations: count(|journal| journal.attestations.len()),
        observations: count(|journal| journal.observations.len()),
        lies: check.rogue_operator.lies.load(std::sync::atomic::Ordering::Relaxed),
        rogue_messages: loot.sent,
        rogue_signed: u64::try_from(loot.signed.len()).unwrap_or_default(),
        rogue_refusals: loot.refusals,
        violations: check.violations,
    })
}

impl Check {
    async fn new(seed: u64, log: Log, program: PathBuf) -> Result<Self> {
        let options = WorldOptions { chain_id: 31_337, weights: WEIGHTS.to_vec(), block_seconds: 1 };
        let world = World::new(&options).await?;
        let vaults = [world.vault(&World::limit_policy()?).await?, world.vault(&world.history_policy()?).await?];
        let domain = Domain { chain_id: U256::from(world.chain_id), task_manager: world.task_manager };
        let nats = match log {
            Log::Redb => None,
            Log::Nats => {
                NatsServer::is_installed()?;
                let mut server = NatsServer::new(&world.path(""))?;
                server.start()?;
                Some(server)
            }
        };
        let book = Book::default();
        let liar = world.operators.last().context("an operator")?;
        let liar_key = SecretKey::from_bytes(&liar.key.to_bytes())?;
        let addresses: Vec<_> = match log {
            Log::Redb => vec![free_address()?],
            Log::Nats => vec![free_address()?, free_address()?],
        };
        let first = *addresses.first().context("a gateway")?;
        let rogue_operator = RogueOperator::start(liar_key, domain, first).await?;
        let keys = world.operators.iter().map(|operator| (operator.address, operator.key.public_key())).collect();
        let view = ChainView::new(world.client.provider().clone(), world.task_manager);
        let parts = RogueParts { domain, book: book.clone(), view, keys, seed };
        let rogue_gateway = RogueGateway::start(parts).await?;
        let task_log = match &nats {
            Some(server) => server.url(),
            None => world.path("tasks.redb").display().to_string(),
        };
        let mut gateways = Vec::new();
        for (index, address) in addresses.iter().enumerate() {
            let names = format!("{address},{}", rogue_operator.address);
            let name = format!("gateway-{}", index + 1);
            let more = ["--names", &names, "--poll", "100"];
            gateways.push(Gateway::new(&world, program.clone(), &name, *address, &task_log, &more)?);
        }
        let mut operators = Vec::new();
        for index in 0..WEIGHTS.len() {
            let mut dialled = addresses.clone();
            match index < HONEST {
                true => dialled.push(rogue_gateway.address),
                false => dialled[0] = rogue_operator.address,
            }
            operators.push(Operator::new(&world, program.clone(), index, &world.node, &dialled)?);
        }
        let mut check = Self {
            random: Random::new(seed),
            world,
            domain,
            vaults,
            nats,
            gateways,
            operators,
            rogue_operator,
            rogue_gateway,
            journals: BTreeMap::new(),
            book,
            violations: Vec::new(),
            sabotage: None,
        };
        check.start_all()?;
        for gateway in &check.gateways {
            gateway.connected(WEIGHTS.len()).await?;
        }
        Ok(check)
    }

    fn start_all(&mut self) -> Result<()> {
        if let Some(nats) = &mut self.nats {
            nats.start()?;
        }
        for gateway in &mut self.gateways {
            gateway.start()?;
        }
        self.operators.iter_mut().try_for_each(|operator| operator.process.start())?;
        self.operators.iter_mut().try_for_each(|operator| operator.process.listening().map(drop))
    }

    async fn round(&mut self, number: u64) -> Result<Round> {
        let started = Instant::now();
        let behaviour = Behaviour::ALL[usize::try_from(number % 5).unwrap_or_default()];
        self.rogue_operator.behave(behaviour);
        let clients: Vec<_> = self.gateways.iter().map(|gateway| gateway.rpc.clone()).collect();
        let callers = Callers::start(CALLERS, number, &self.world, &self.vaults, &clients, &self.book, self.domain);
        let refused = std::sync::Arc::clone(&callers.refused);

        // Some of them are killed while there is load, and come back.
        self.wait().await;
        let mut killed = self.kill_some(number)?;
        sleep(Duration::from_millis(self.random.below(300))).await;
        self.start_all()?;
        self.wait().await;

        // All of them are killed while there is load.
        for gateway in &mut self.gateways {
            gateway.process.kill()?;
            *killed.entry("gateways").or_default() += 1;
        }
        for operator in &mut self.operators {
            operator.process.kill()?;
            *killed.entry("operators").or_default() += 1;
        }
        callers.stop().await?;
        self.break_on_purpose(number)?;
        self.compare_journals()?;

        self.start_all()?;
        self.settle().await?;
        let mut round = Round { number, behaviour: behaviour.as_str(), killed, ..Round::default() };
        self.judge(&mut round).await?;
        self.compare_signatures()?;
        round.refused = refused.load(std::sync::atomic::Ordering::Relaxed);
        round.millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(round)
    }

    /// Compares the journals once more, with what was signed since.
    fn end(&mut self) -> Result<()> {
        self.operators.iter_mut().try_for_each(|operator| operator.process.kill())?;
        self.compare_journals()
    }

    async fn wait(&mut self) {
        sleep(Duration::from_millis(150 + self.random.below(LOAD_MILLIS))).await;
    }

    /// Kills some processes. Which follows from the round and the seed.
    fn kill_some(&mut self, number: u64) -> Result<BTreeMap<&'static str, u64>> {
        let mut killed = BTreeMap::new();
        let kind = number % 4;
        if kind != 1 {
            // Up to half of the operators.
            for _ in 0..=self.random.below(2) {
                let index = usize::try_from(self.random.below(5)).unwrap_or_default();
                let Some(operator) = self.operators.get_mut(index) else { continue };
                if operator.process.is_running() {
                    operator.process.kill()?;
                    *killed.entry("operators").or_default() += 1;
                }
            }
        }
        if kind != 0 {
            let count = u64::try_from(self.gateways.len()).unwrap_or(1);
            let index = usize::try_from(self.random.below(count)).unwrap_or_default();
            if let Some(gateway) = self.gateways.get_mut(index) {
                gateway.process.kill()?;
                *killed.entry("gateways").or_default() += 1;
            }
        }
        if let Some(nats) = self.nats.as_mut().filter(|_| kind == 3) {
            nats.kill()?;
            *killed.entry("nats").or_default() += 1;
        }
        Ok(killed)
    }

    /// Copies files after the first round, and restores them after the second, if that is asked for.
    fn break_on_purpose(&self, number: u64) -> Result<()> {
        let operator = self.operators.first().context("an operator")?.address;
        let files = match self.sabotage {
            None => Vec::new(),
            Some(Sabotage::Journal) => vec![format!("{operator}.redb"), format!("{operator}.key.marker")],
            Some(Sabotage::TaskLog) => vec!["tasks.redb".to_owned()],
        };
        for file in files {
            let (file, copy) = (self.world.path(&file), self.world.path(&format!("{file}.copy")));
            match number {
                0 => drop(std::fs::copy(file, copy)?),
                1 => drop(std::fs::copy(copy, file)?),
                _ => {}
            }
        }
        Ok(())
    }

    /// Compares what each journal has with what it had, and with what the operator signed for the gateway that lies.
    fn compare_journals(&mut self) -> Result<()> {
        let loot = self.rogue_gateway.loot();
        for operator in &self.operators {
            let now = operator.journal().with_context(|| format!("the journal of {}", operator.address))?;
            if let Some(before) = self.journals.get(&operator.address) {
                now.continues(before).with_context(|| format!("the journal of {}", operator.address))?;
            }
            for ((of, task_id), digests) in loot.signed.iter().filter(|((of, _), _)| *of == operator.address) {
                ensure!(digests.len() == 1, "{of} signed two statements about the task {task_id}: {digests:?}");
                let recorded = now.attestations.get(task_id);
                ensure!(
                    recorded.is_some_and(|digest| digests.contains(digest)),
                    "{of} signed {digests:?} about the task {task_id}, and its journal has {recorded:?}"
                );
            }
            // Who signed an attestation recorded it before.
            for (task_id, entry) in self.book.ended() {
                let Some(Outcome::Attested(outcome)) = &entry.outcome else { continue };
                if outcome.signers.contains(&operator.address) {
                    let recorded = now.attestations.get(&task_id);
                    ensure!(
                        recorded == Some(&outcome.digest),
                        "{} signed the task {task_id}, and its journal has {recorded:?}",
                        operator.address
                    );
                }
            }
            self.journals.insert(operator.address, now);
        }
        if !loot.violations.is_empty() {
            bail!("{}", loot.violations.join("; "));
        }
        Ok(())
    }

    /// Waits until every accepted task ended.
    async fn settle(&self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(LIFETIME + 60);
        let mut attempts: usize = 0;
        loop {
            let open = self.book.open();
            if open.is_empty() {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "{} accepted tasks have no end: {:?}", open.len(), open.first());
            for task_id in open {
                attempts += 1;
                let gateway = self.gateways.get(attempts % self.gateways.len().max(1)).context("a gateway")?;
                ask(&gateway.rpc, &self.book, task_id, self.domain).await?;
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Counts how the round's tasks ended, and looks at some closely.
    async fn judge(&mut self, round: &mut Round) -> Result<()> {
        let tasks = self.book.of_round(round.number);
        round.accepted = u64::try_from(tasks.len()).unwrap_or_default();
        let mut attested: Vec<(Entry, Box<Attested>)> = Vec::new();
        for (_, entry) in tasks {
            match &entry.outcome {
                Some(Outcome::Attested(outcome)) => {
                    let outcome = outcome.clone();
                    attested.push((entry, outcome));
                }
                Some(Outcome::Failed(code)) => {
                    ensure!(["expired", "noQuorum"].contains(&code.as_str()), "a task failed with {code}: {entry:?}");
                    *round.failed.entry(code.clone()).or_default() += 1;
                }
                None => bail!("a task has no end: {entry:?}"),
            }
        }
        round.attested = u64::try_from(attested.len()).unwrap_or_default();
        for _ in 0..VERIFIED.min(attested.len()) {
            if let Some((entry, outcome)) = self.random.pick(&attested) {
                self.verify_on_chain(entry, outcome).await?;
                round.on_chain += 1;
            }
        }
        for _ in 0..REPLAYED.min(attested.len()) {
            if let Some((_, outcome)) = self.random.pick(&attested) {
                self.replay(outcome.evidence).await?;
                round.replayed += 1;
            }
        }
        Ok(())
    }

    /// Compares attestations with the journals of those who signed them: the next export, or this one, has them.
    fn compare_signatures(&self) -> Result<()> {
        let forked = self.rogue_gateway.forked();
        for (task_id, entry) in self.book.ended() {
            let Some(Outcome::Attested(outcome)) = &entry.outcome else { continue };
            for (operator, journal) in &self.journals {
                let recorded = journal.attestations.get(&task_id);
                let is_signer = outcome.signers.contains(operator);
                // Of a task that was forked, operators that did not sign may have recorded the other proposal.
                let must_be_same = is_signer || !forked.contains(&task_id);
                ensure!(
                    recorded.is_none_or(|digest| *digest == outcome.digest || !must_be_same),
                    "{operator} recorded {recorded:?} for the task {task_id}, whose attestation is {}",
                    outcome.digest
                );
            }
        }
        Ok(())
    }

    async fn verify_on_chain(&self, entry: &Entry, outcome: &Attested) -> Result<()> {
        let intent = &entry.task.intent;
        let authorization = hex::decode(&outcome.authorization)?;
        let authorization = assent_verifier::Authorization::parse(&authorization)?;
        let call = assent_client::PreparedCall::new(intent.from, intent.to, intent.data.to_vec());
        let call = call.attested(&authorization)?;
        let request = TransactionRequest::default().from(call.from).to(call.to).input(call.data.into());
        let provider = self.world.client.provider();
        let is_valid = provider.call(request).await;
        // The time of the next block can be after the expiration.
        let latest = provider.get_block_number().await?;
        match (is_valid.is_ok(), outcome.is_allowed) {
            (true, true) | (false, false) => Ok(()),
            (true, false) => bail!("the vault paid what was denied: {entry:?}"),
            (false, true) => bail!("the vault refuses an attestation at block {latest}: {is_valid:?} {entry:?}"),
        }
    }

    /// Repeats a decision from the evidence, which each of those who signed stores.
    async fn replay(&mut self, evidence: B256) -> Result<()> {
        for operator in &mut self.operators {
            let address = operator.process.listening()?;
            let answer = reqwest::get(format!("http://{address}/evidence/{evidence}")).await?;
            if answer.status().is_success() {
                let file = EvidenceFile::parse(&answer.bytes().await?)?;
                ensure!(file.evidence == evidence, "an operator serves other evidence than {evidence}");
                let replay = file.replay(evaluator()?)?;
                ensure!(matches!(replay, Replay::Follows(_)), "the decision does not follow from {evidence}");
                return Ok(());
            }
        }
        bail!("no operator has the evidence {evidence}")
    }
}
