//! One history: what happens, in virtual time, and what must hold after each event.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{B256, U256};
use assent_network::{
    LinkId, Task,
    gateway::{
        self, Answer, Failure, FailureCode, Gateway, HandoverSubmission, LoggedTask, Record, Submission, TaskOutcome,
    },
    message::{GatewayMessage, HandoverName, OperatorMessage, RefusalCode, Refused},
    operator::{self, JournalError, SignedHandover, Unavailable},
};
use assent_types::{
    Attestation, Decision, EpochHandover, EpochId, MerkleTree, Observation, Signature, digest::attestation_digest,
};

use crate::{
    chain::{self, Chain, START_MILLIS},
    evaluations::{HONEST_LIMIT, evaluated, honest_decision, misfit, output, replayed},
    faults::{Faults, Lie, liars, opposite},
    node::{MAX_TASKS, MAX_TASKS_BESIDE_FLOOD, Node},
    options::{Options, Sabotage},
    random::Random,
    rogue_gateway::RogueGateway,
    scheme::{Keys, domain},
};

/// The most tasks that the gateway of a history remembers.
const MAX_GATEWAY_TASKS: usize = 5;
const HONEST_GATEWAYS: [&str; 2] = ["gateway.example:443", "second.example:443"];
/// How long a gateway's lease of a task is, in milliseconds.
const LEASE_MILLIS: u64 = 2000;
/// The handover that callers ask for.
const HANDOVER: HandoverName = HandoverName { epoch: EpochId(2), signed_by: EpochId(1) };
/// The most bytes of observations that an operator keeps of all gateways.
const MAX_KEPT: usize = 32 << 20;
const ROGUE_GATEWAY: &str = "rogue.example:443";

/// What must hold, and did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// What happened.
    pub what: String,
    /// When, in milliseconds since the history's start.
    pub at_millis: u64,
}

/// What happened in histories.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// The histories.
    pub histories: u64,
    /// Events of all state machines.
    pub events: u64,
    /// Tasks that a gateway accepted.
    pub accepted: u64,
    /// Tasks that a quorum decided.
    pub attested: u64,
    /// Tasks that ended otherwise.
    pub failed: u64,
    /// Crashes of operators and gateways.
    pub crashes: u64,
    /// Attestations that honest operators signed.
    pub signatures: u64,
    /// Batches that honest operators signed.
    pub batches: u64,
    /// Tasks that a gateway took over from another.
    pub taken_over: u64,
    /// Handovers that a quorum signed for an honest gateway.
    pub handovers: u64,
    /// Histories with two honest gateways on one log.
    pub with_two_gateways: u64,
    /// Histories in which blocks are replaced.
    pub with_reorganisations: u64,
    /// Histories in which a second epoch begins, or clients change their policies.
    pub with_changes: u64,
    /// Signatures that a journal refused, since it had another statement.
    pub conflicts: u64,
    /// Histories with operators that lie.
    pub with_liars: u64,
    /// Histories with a second gateway that lies.
    pub with_rogue_gateway: u64,
    /// Histories with a second gateway that floods operators.
    pub with_flood: u64,
}

impl Summary {
    /// Adds the figures of other histories.
    pub const fn add(&mut self, other: &Self) {
        self.histories += other.histories;
        self.events += other.events;
        self.accepted += other.accepted;
        self.attested += other.attested;
        self.failed += other.failed;
        self.crashes += other.crashes;
        self.signatures += other.signatures;
        self.batches += other.batches;
        self.taken_over += other.taken_over;
        self.handovers += other.handovers;
        self.with_two_gateways += other.with_two_gateways;
        self.with_reorganisations += other.with_reorganisations;
        self.with_changes += other.with_changes;
        self.conflicts += other.conflicts;
        self.with_liars += other.with_liars;
        self.with_rogue_gateway += other.with_rogue_gateway;
        self.with_flood += other.with_flood;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Site {
    /// The honest gateway with an index.
    Honest(usize),
    Rogue,
}

/// A connection, as both ends see it.
#[derive(Debug, Clone, Copy)]
struct Link {
    node: usize,
    site: Site,
    /// When the last message of each direction arrives: those after it arrive later.
    last: [u64; 2],
    /// Whether the operator barred the gateway, for longer than a history.
    is_barred: bool,
}

/// Something that will happen.
#[derive(Debug)]
enum Happening {
    Dial { node: usize, generation: u64, site: Site },
    ToNode { link: LinkId, message: Vec<u8> },
    ToGateway { link: LinkId, message: Vec<u8> },
    Break { link: LinkId },
    AtNode { node: usize, generation: u64, event: operator::Event },
    AtGateway { host: usize, generation: u64, event: gateway::Event },
    Request { host: usize, request: u64, submission: Submission },
    RequestHandover { host: usize, request: u64 },
    Tick,
    NewEpoch { host: usize },
    LoseLog { host: usize, is_lost: bool },
    RogueTick,
    FloodTick { until: u64 },
    CrashNode { node: usize },
    StartNode { node: usize },
    CrashGateway { host: usize },
    StartGateway { host: usize },
    CutOff { node: usize, is_cut_off: bool },
}

/// An honest gateway: its state machine, which a crash loses, and its way to the log.
struct Host<K> {
    gateway: Option<Gateway<K>>,
    /// Counts its starts: what an earlier start began does not reach a later one.
    generation: u64,
    /// Whether the log is out of reach.
    has_lost_log: bool,
}

/// What the shared log has of a task.
struct Logged {
    task: LoggedTask,
    /// The gateway that holds it, and until when (Unix time in milliseconds).
    holder: usize,
    until: u64,
}

struct History<K> {
    options: Options,
    scheme: K,
    random: Random,
    faults: Faults,
    now: u64,
    end: u64,
    queue: BTreeMap<(u64, u64), Happening>,
    sequence: u64,
    chain: Chain,
    nodes: Vec<Node<K>>,
    hosts: Vec<Host<K>>,
    task_log: BTreeMap<B256, Logged>,
    rogue: RogueGateway,
    links: BTreeMap<LinkId, Link>,
    next_link: LinkId,
    /// What each honest operator signed for each task, and for each task and source, ever.
    signed: BTreeMap<(usize, B256), B256>,
    observed: BTreeMap<(usize, B256, B256), B256>,
    /// The tasks of which a caller learned that they are accepted.
    accepted: BTreeSet<B256>,
    tasks: Vec<Task>,
    statements: BTreeMap<B256, (Decision, B256)>,
    summary: Summary,
}

/// Runs a history.
///
/// # Errors
///
/// The first violation.
pub(crate) fn run<K: Keys>(options: Options, scheme: K) -> Result<Summary, Violation> {
    let mut history = History::new(options, scheme);
    history.plan();
    while let Some(((at, _), happening)) = history.queue.pop_first() {
        if at > history.end {
            break;
        }
        history.now = at;
        history.happen(happening)?;
        history.require_bounds()?;
    }
    history.require_ends()?;
    Ok(history.summary)
}

impl<K: Keys> History<K> {
    fn new(options: Options, scheme: K) -> Self {
        let mut random = Random::new(options.seed);
        let faults = Faults::choose(&mut random);
        let chain = Chain::choose(&mut random, &faults);
        let signers = chain.signers.clone();
        let lies = liars(&mut random, chain.all_epochs(), &signers);
        let with_liars = u64::from(lies.iter().any(Option::is_some));
        let nodes = signers.into_iter().zip(lies);
        let nodes = nodes.map(|(signer, lie)| {
            let lag_millis = if faults.lag && random.percent(30) { random.between(0, 30_000) } else { 0 };
            let max_tasks = if faults.flood { MAX_TASKS_BESIDE_FLOOD } else { MAX_TASKS };
            Node::new(signer, lie, lag_millis, max_tasks)
        });
        let nodes = nodes.collect();
        Self {
            options,
            scheme,
            faults,
            now: START_MILLIS,
            end: START_MILLIS,
            queue: BTreeMap::new(),
            sequence: 0,
            chain,
            nodes,
            hosts: (0..faults.gateways).map(|_| Host { gateway: None, generation: 0, has_lost_log: false }).collect(),
            task_log: BTreeMap::new(),
            rogue: RogueGateway::default(),
            links: BTreeMap::new(),
            next_link: 0,
            signed: BTreeMap::new(),
            observed: BTreeMap::new(),
            accepted: BTreeSet::new(),
            tasks: Vec::new(),
            statements: BTreeMap::new(),
            summary: Summary {
                histories: 1,
                with_liars,
                with_rogue_gateway: u64::from(faults.rogue_gateway),
                with_flood: u64::from(faults.flood),
                with_two_gateways: u64::from(faults.gateways > 1),
                with_reorganisations: u64::from(faults.reorganisations),
                with_changes: u64::from(faults.epoch_change || faults.policy_change),
                ..Summary::default()
            },
            random,
        }
    }

    /// Decides what callers ask for, and what crashes when.
    fn plan(&mut self) {
        for host in 0..self.hosts.len() {
            self.at(0, Happening::StartGateway { host });
            if let Some(change) = self.chain.epoch_change_millis() {
                // A gateway learns it sooner or later.
                let at = change - START_MILLIS + self.random.below(1500);
                self.at(at, Happening::NewEpoch { host });
                for request in 0..2 {
                    let at = change - START_MILLIS + self.random.below(6000);
                    self.at(at, Happening::RequestHandover { host, request: 1000 + request });
                }
            }
        }
        for node in 0..self.nodes.len() {
            self.at(0, Happening::StartNode { node });
        }
        let requests = self.random.between(1, 4);
        let mut latest = 0;
        for request in 0..requests {
            let at = self.random.between(200, 3000);
            let lifetime = self.random.between(4, 20);
            let expiration = START_MILLIS / 1000 + at.div_ceil(1000) + lifetime;
            latest = latest.max(expiration);
            let (has_source, nonce, value) = (self.random.percent(60), self.random.below(3), self.random.between(3, 5));
            let submission = chain::submission(has_source, nonce, value, expiration);
            if self.random.percent(20) {
                let later = at + self.random.between(0, 3000);
                let (host, submission) = (self.any_host(), submission.clone());
                self.at(later, Happening::Request { host, request: 100 + request, submission });
            }
            let host = self.any_host();
            self.at(at, Happening::Request { host, request, submission });
        }
        // Long enough after the last deadline for a gateway to come up, and to record the end.
        self.end = latest * 1000 + 12_000;
        let duration = self.end - START_MILLIS;
        if self.faults.crashes {
            for _ in 0..self.random.between(1, 5) {
                let at = self.random.below(duration - 10_000);
                let node = self.any_node();
                let gateway = self.random.percent(30);
                let host = self.any_host();
                self.at(at, if gateway { Happening::CrashGateway { host } } else { Happening::CrashNode { node } });
            }
        }
        if self.faults.partitions {
            for _ in 0..self.random.between(1, 3) {
                let (at, node) = (self.random.below(duration), self.any_node());
                let until = at + self.random.between(100, 6000);
                self.at(at, Happening::CutOff { node, is_cut_off: true });
                self.at(until, Happening::CutOff { node, is_cut_off: false });
            }
        }
        if self.faults.lost_leases {
            for _ in 0..self.random.between(1, 3) {
                let (at, host) = (self.random.below(duration - 10_000), self.any_host());
                let until = at + self.random.between(1000, 6000);
                self.at(at, Happening::LoseLog { host, is_lost: true });
                self.at(until, Happening::LoseLog { host, is_lost: false });
            }
        }
        self.at(250, Happening::Tick);
        if self.faults.rogue_gateway {
            self.at(700, Happening::RogueTick);
        }
        if self.faults.flood {
            // From before the first request until all of them are there.
            self.at(300, Happening::FloodTick { until: START_MILLIS + 6000 });
        }
    }

    fn any_host(&mut self) -> usize {
        usize::try_from(self.random.below(u64::try_from(self.hosts.len()).unwrap_or(1))).unwrap_or(0)
    }

    fn any_node(&mut self) -> usize {
        usize::try_from(self.random.below(u64::try_from(self.nodes.len()).unwrap_or(1))).unwrap_or(0)
    }

    fn at(&mut self, delay: u64, happening: Happening) {
        self.sequence += 1;
        self.queue.insert((self.now + delay, self.sequence), happening);
    }

    fn happen(&mut self, happening: Happening) -> Result<(), Violation> {
        match happening {
            Happening::Dial { node, generation, site } => self.dial(node, generation, site)?,
            Happening::ToNode { link, message } => {
                if let Some(&Link { node, .. }) = self.links.get(&link) {
                    if self.options.sabotage == Some(Sabotage::UnseenLeaf)
                        && let Ok(GatewayMessage::SignBatch { root, .. }) = GatewayMessage::parse(&message)
                    {
                        // Signs what the gateway says, without a look at its own statements.
                        let signature = self.scheme.sign_root(&self.nodes[node].signer, root);
                        let signed = OperatorMessage::BatchSigned { root, signature };
                        self.send_to_gateway(link, signed.to_json().into_bytes());
                        return Ok(());
                    }
                    self.tell_node(node, operator::Event::Received { link, message })?;
                }
            }
            Happening::ToGateway { link, message } => match self.links.get(&link).map(|link| link.site) {
                Some(Site::Honest(host)) => self.tell_gateway(host, gateway::Event::Received { link, message })?,
                Some(Site::Rogue) => {
                    let node = self.links.get(&link).map_or(0, |link| link.node);
                    if self.nodes[node].is_honest() {
                        self.require_true_handover(node, &message)?;
                    }
                    let is_forged = self.nodes[node].is_honest() && self.rogue.is_forged(link, &message);
                    self.require(!is_forged, || {
                        format!("operator {node} signed a batch with a leaf that it did not compute")
                    })?;
                    for answer in self.rogue.receive(link, &message, &mut self.random) {
                        self.send_to_node(link, answer);
                    }
                }
                None => {}
            },
            Happening::Break { link } => self.break_link(link)?,
            Happening::AtNode { node, generation, event } => {
                if self.nodes[node].generation == generation {
                    self.tell_node(node, event)?;
                }
            }
            Happening::AtGateway { host, generation, event } => {
                if self.hosts[host].generation == generation {
                    self.tell_gateway(host, event)?;
                }
            }
            Happening::Request { host, request, submission } => {
                self.tell_gateway(host, gateway::Event::Requested { request, submission })?;
            }
            Happening::RequestHandover { host, request } => {
                // The gateway's node shows it once it is final.
                if let Some((handover, signing)) = self.chain.handover(HANDOVER, self.now, 0) {
                    let submission = Box::new(HandoverSubmission { handover, signing, quorum: 6667 });
                    self.tell_gateway(host, gateway::Event::HandoverRequested { request, submission })?;
                }
            }
            Happening::Tick => {
                for host in 0..self.hosts.len() {
                    self.tell_gateway(host, gateway::Event::Tick)?;
                    self.keep_leases(host)?;
                }
                self.at(500, Happening::Tick);
            }
            Happening::NewEpoch { host } => self.tell_epochs(host)?,
            Happening::LoseLog { host, is_lost } => self.hosts[host].has_lost_log = is_lost,
            Happening::RogueTick => {
                for (link, message) in self.rogue.mischief(&self.tasks, &mut self.random) {
                    self.send_to_node(link, message);
                }
                let next = self.random.between(300, 2500);
                self.at(next, Happening::RogueTick);
            }
            Happening::FloodTick { until } => {
                for (link, message) in self.rogue.flood(&self.tasks, &mut self.random) {
                    self.send_to_node(link, message);
                }
                if self.now < until {
                    self.at(200, Happening::FloodTick { until });
                }
            }
            Happening::CrashNode { node } => self.crash_node(node)?,
            Happening::StartNode { node } => self.start_node(node),
            Happening::CrashGateway { host } => self.crash_gateway(host)?,
            Happening::StartGateway { host } => self.start_gateway(host)?,
            Happening::CutOff { node, is_cut_off } => {
                self.nodes[node].is_cut_off = is_cut_off;
                if is_cut_off {
                    self.break_links(|link| link.node == node)?;
                }
            }
        }
        Ok(())
    }

    // ----- processes -----

    fn start_node(&mut self, node: usize) {
        if self.nodes[node].operator.is_some() {
            return;
        }
        let scheme = self.scheme.clone();
        self.nodes[node].start(scheme);
        for host in 0..self.hosts.len() {
            self.dial_soon(node, Site::Honest(host));
        }
        if self.faults.rogue_gateway || self.faults.flood {
            self.dial_soon(node, Site::Rogue);
        }
    }

    fn crash_node(&mut self, node: usize) -> Result<(), Violation> {
        if self.nodes[node].operator.take().is_none() {
            return Ok(());
        }
        self.summary.crashes += 1;
        self.nodes[node].generation += 1;
        if self.options.sabotage == Some(Sabotage::ForgetfulJournal) {
            self.nodes[node].disk.attestations.clear();
        }
        self.break_links(|link| link.node == node)?;
        let down = self.random.between(50, 4000);
        self.at(down, Happening::StartNode { node });
        Ok(())
    }

    fn crash_gateway(&mut self, host: usize) -> Result<(), Violation> {
        if self.hosts[host].gateway.take().is_none() {
            return Ok(());
        }
        self.summary.crashes += 1;
        self.hosts[host].generation += 1;
        self.break_links(|link| link.site == Site::Honest(host))?;
        let down = self.random.between(50, 3000);
        self.at(down, Happening::StartGateway { host });
        Ok(())
    }

    fn start_gateway(&mut self, host: usize) -> Result<(), Violation> {
        if self.hosts[host].gateway.is_some() {
            return Ok(());
        }
        let mut settings = gateway::Settings::new(domain(), [HONEST_GATEWAYS[host].to_owned()]);
        settings.max_tasks = MAX_GATEWAY_TASKS;
        settings.batch_from = self.faults.batch_from;
        self.hosts[host].generation += 1;
        self.hosts[host].gateway = Some(Gateway::new(settings, self.scheme.clone()));
        self.tell_epochs(host)?;
        // What it held before it ended.
        self.take_over(host, |logged| logged.holder == host)
    }

    fn tell_epochs(&mut self, host: usize) -> Result<(), Violation> {
        let epochs = self.chain.epochs(self.now / 1000).to_vec();
        self.tell_gateway(host, gateway::Event::Epochs(epochs))
    }

    /// Renews a gateway's leases, and takes over the tasks whose leases have ended.
    fn keep_leases(&mut self, host: usize) -> Result<(), Violation> {
        let Host { gateway, has_lost_log, .. } = &self.hosts[host];
        if gateway.is_none() || *has_lost_log {
            return Ok(());
        }
        let now = self.now;
        for logged in self.task_log.values_mut().filter(|logged| logged.holder == host && logged.until > now) {
            logged.until = now + LEASE_MILLIS;
        }
        self.take_over(host, |logged| logged.until <= now)?;
        // What no gateway ended in time.
        let forgotten = self.task_log.iter_mut().filter(|(_, logged)| {
            logged.task.outcome.is_none() && logged.task.accepted.task.expiration * 1000 + 4000 <= now
        });
        let mut ended = Vec::new();
        for (task_id, logged) in forgotten {
            let failure = Failure::new(FailureCode::Expired, "the task expired before a quorum signed", false);
            logged.task.outcome = Some(TaskOutcome::Failed(failure));
            ended.push(*task_id);
        }
        ended.into_iter().for_each(|task_id| self.publish_end(task_id));
        Ok(())
    }

    fn take_over(&mut self, host: usize, which: impl Fn(&Logged) -> bool) -> Result<(), Violation> {
        let now = self.now;
        let mut taken = Vec::new();
        for logged in self.task_log.values_mut().filter(|logged| which(logged)) {
            if logged.task.outcome.is_none() && logged.task.accepted.task.expiration * 1000 > now {
                self.summary.taken_over += u64::from(logged.holder != host);
                (logged.holder, logged.until) = (host, now + LEASE_MILLIS);
                taken.push(logged.task.clone());
            }
        }
        for task in taken {
            self.tell_gateway(host, gateway::Event::Recovered(Box::new(task)))?;
        }
        Ok(())
    }

    /// Tells the gateways that wait for a task without its lease how another ended it.
    fn publish_end(&mut self, task_id: B256) {
        let Some(logged) = self.task_log.get(&task_id) else { return };
        let (holder, task) = (logged.holder, logged.task.clone());
        for host in 0..self.hosts.len() {
            let waits = self.hosts[host].gateway.as_ref().is_some_and(|gateway| gateway.progress(task_id).is_some());
            if waits && host != holder && !self.hosts[host].has_lost_log {
                self.later_at_gateway(
                    host,
                    gateway::Event::AlreadyRecorded { task_id, logged: Box::new(task.clone()) },
                );
            }
        }
    }

    // ----- connections -----

    fn dial_soon(&mut self, node: usize, site: Site) {
        let (delay, generation) = (self.random.between(10, 800), self.nodes[node].generation);
        self.at(delay, Happening::Dial { node, generation, site });
    }

    fn dial(&mut self, node: usize, generation: u64, site: Site) -> Result<(), Violation> {
        let Node { is_cut_off, generation: current, ref operator, .. } = self.nodes[node];
        if current != generation || operator.is_none() {
            return Ok(());
        }
        if self.links.values().any(|link| link.node == node && link.site == site) {
            return Ok(());
        }
        let is_down = matches!(site, Site::Honest(host) if self.hosts[host].gateway.is_none());
        if is_cut_off || is_down {
            self.dial_soon(node, site);
            return Ok(());
        }
        self.next_link += 1;
        let link = self.next_link;
        self.links.insert(link, Link { node, site, last: [self.now; 2], is_barred: false });
        match site {
            Site::Honest(host) => {
                let challenge = self.random.hash();
                self.tell_gateway(host, gateway::Event::LinkOpened { link, challenge })?;
            }
            Site::Rogue => self.rogue.opened(link),
        }
        let gateway = match site {
            Site::Honest(host) => HONEST_GATEWAYS[host],
            Site::Rogue => ROGUE_GATEWAY,
        };
        self.tell_node(node, operator::Event::LinkOpened { link, gateway: gateway.into() })
    }

    fn break_links(&mut self, which: impl Fn(&Link) -> bool) -> Result<(), Violation> {
        let links: Vec<LinkId> = self.links.iter().filter(|(_, link)| which(link)).map(|(id, _)| *id).collect();
        links.into_iter().try_for_each(|link| self.break_link(link))
    }

    fn break_link(&mut self, link: LinkId) -> Result<(), Violation> {
        let Some(Link { node, site, is_barred, .. }) = self.links.remove(&link) else { return Ok(()) };
        match site {
            Site::Honest(host) => self.tell_gateway(host, gateway::Event::LinkClosed { link })?,
            Site::Rogue => self.rogue.closed(link),
        }
        self.tell_node(node, operator::Event::LinkClosed { link })?;
        if !is_barred {
            self.dial_soon(node, site);
        }
        Ok(())
    }

    fn send_to_node(&mut self, link: LinkId, message: String) {
        self.send(link, 0, |message| Happening::ToNode { link, message }, message.into_bytes());
    }

    fn send_to_gateway(&mut self, link: LinkId, message: Vec<u8>) {
        self.send(link, 1, |message| Happening::ToGateway { link, message }, message);
    }

    fn send(&mut self, link: LinkId, direction: usize, happening: impl Fn(Vec<u8>) -> Happening, message: Vec<u8>) {
        let Some(state) = self.links.get_mut(&link) else { return };
        if self.random.percent(self.faults.loss) {
            return;
        }
        let mut at = self.now + self.random.between(1, self.faults.delay.max(1));
        if !self.random.percent(self.faults.reordering) {
            at = at.max(state.last[direction]);
            state.last[direction] = at;
        }
        let delay = at - self.now;
        if self.random.percent(self.faults.duplicates) {
            let later = delay + self.random.between(0, 3000);
            self.at(later, happening(message.clone()));
        }
        self.at(delay, happening(message));
    }

    // ----- operators -----

    fn tell_node(&mut self, node: usize, event: operator::Event) -> Result<(), Violation> {
        let Some(operator) = &mut self.nodes[node].operator else { return Ok(()) };
        self.summary.events += 1;
        let actions = operator.handle(event);
        actions.into_iter().try_for_each(|action| self.act_at_node(node, action))
    }

    fn later_at_node(&mut self, node: usize, event: operator::Event) {
        let (delay, generation) = (self.random.between(1, 20), self.nodes[node].generation);
        self.at(delay, Happening::AtNode { node, generation, event });
    }

    fn act_at_node(&mut self, node: usize, action: operator::Action) -> Result<(), Violation> {
        use operator::{Action, Event};
        let fails = self.random.percent(self.faults.failures);
        match action {
            Action::Send { link, message } => self.send_from_node(node, link, message),
            Action::Close { link, is_barred, .. } => {
                if let Some(state) = self.links.get_mut(&link) {
                    state.is_barred |= is_barred;
                    let is_honest = matches!(state.site, Site::Honest(_));
                    self.require(!(is_barred && is_honest), || format!("operator {node} barred an honest gateway"))?;
                    self.at(1, Happening::Break { link });
                }
            }
            Action::SignConnection { link, connection } => {
                let signature = self.scheme.sign_connection(&self.nodes[node].signer, &connection, domain());
                self.later_at_node(node, Event::ConnectionSigned { link, result: Ok(signature) });
            }
            Action::Examine { ticket, task } => {
                let found = self.chain.examination(&task, self.now, self.nodes[node].lag_millis);
                let result = if fails { Err(Unavailable("no answer".into())) } else { Ok(Box::new(found)) };
                self.later_at_node(node, Event::Examined { ticket, result });
            }
            Action::Observe { ticket, .. } => {
                let output = match self.nodes[node].lie {
                    Some(Lie::FalseObservation) => output(self.random.between(7, 9)),
                    Some(Lie::Misfit) => misfit(&mut self.random),
                    _ => output(HONEST_LIMIT),
                };
                let outputs = BTreeMap::from([("limit".to_owned(), output)]);
                let result = if fails { Err(Unavailable("no answer".into())) } else { Ok(outputs) };
                self.later_at_node(node, Event::Observed { ticket, result });
            }
            Action::SignObservations { ticket, observations, .. } => {
                let result = if fails {
                    Err(JournalError::Unavailable("the disk is full".into()))
                } else {
                    self.sign_observations(node, &observations)?
                };
                self.later_at_node(node, Event::ObservationsSigned { ticket, result });
            }
            Action::Evaluate { ticket, input, policy, data } => {
                let mut evaluation = evaluated(&policy, &input, &data);
                if self.options.sabotage == Some(Sabotage::WrongDecision) {
                    evaluation.decision = opposite(evaluation.decision);
                }
                self.later_at_node(node, Event::Evaluated { ticket, result: Box::new(Ok(evaluation)) });
            }
            Action::StoreEvidence { ticket, file } => {
                let result = if fails { Err(Unavailable("the disk is full".into())) } else { Ok(()) };
                if !fails {
                    self.nodes[node].disk.evidence.insert(file.evidence, *file);
                }
                self.later_at_node(node, Event::EvidenceStored { ticket, result });
            }
            Action::SignAttestation { ticket, attestation, .. } => {
                let result = if fails {
                    Err(JournalError::Unavailable("the disk is full".into()))
                } else {
                    let digest = attestation_digest(&attestation, domain().chain_id, domain().task_manager);
                    self.sign_attestations(node, &[*attestation], digest)?
                };
                self.later_at_node(node, Event::AttestationSigned { ticket, result });
            }
            Action::SignHandover { link, handover } => {
                let lag_millis = self.nodes[node].lag_millis;
                let is_hasty = self.options.sabotage == Some(Sabotage::HastyHandover);
                let seen_at = if is_hasty { u64::MAX } else { self.now };
                let read = self.chain.handover(handover, seen_at, lag_millis).filter(|_| !fails);
                let refused = Refused::new(RefusalCode::NotFinal, "no final block has the epoch in force", true);
                let result = match read {
                    Some((statement, signing))
                        if signing
                            .operators
                            .operators()
                            .iter()
                            .any(|known| known.address == self.nodes[node].signer.address) =>
                    {
                        Ok(self.sign_handover(node, &statement)?)
                    }
                    _ => Err(refused),
                };
                self.later_at_node(node, Event::HandoverSigned { link, handover, result });
            }
            Action::SignBatch { link, batch, .. } => {
                let root = batch.root();
                let result = if fails {
                    Err(JournalError::Unavailable("the disk is full".into()))
                } else {
                    self.summary.batches += u64::from(self.nodes[node].is_honest());
                    self.sign_attestations(node, batch.attestations(), root)?
                };
                self.later_at_node(node, Event::BatchSigned { link, root, result });
            }
        }
        Ok(())
    }

    /// Records and signs, as the journal does: all of a batch or nothing. Checks what it signs.
    fn sign_attestations(
        &mut self,
        node: usize,
        attestations: &[Attestation],
        root: B256,
    ) -> Result<Result<Signature, JournalError>, Violation> {
        let signature = self.scheme.sign_root(&self.nodes[node].signer, root);
        if !self.nodes[node].is_honest() {
            return Ok(Ok(signature));
        }
        let digest = |attestation| attestation_digest(attestation, domain().chain_id, domain().task_manager);
        let digests: Vec<B256> = attestations.iter().map(digest).collect();
        let expected = MerkleTree::new(digests.clone()).map(|tree| tree.root());
        self.require(expected == Some(root), || format!("operator {node} signed a root of other statements"))?;
        let journal = &mut self.nodes[node].disk.attestations;
        let mut recorded = attestations.iter().zip(&digests);
        if recorded.any(|(attestation, digest)| journal.get(&attestation.taskId).is_some_and(|known| known != digest)) {
            self.summary.conflicts += 1;
            return Ok(Err(JournalError::AlreadySigned));
        }
        for (attestation, digest) in attestations.iter().zip(digests) {
            self.nodes[node].disk.attestations.insert(attestation.taskId, digest);
            self.summary.signatures += 1;
            let earlier = self.signed.insert((node, attestation.taskId), digest);
            self.require(earlier.is_none_or(|earlier| earlier == digest), || {
                format!("operator {node} signed two different statements about task {}", attestation.taskId)
            })?;
            self.require_replay(node, attestation)?;
        }
        Ok(Ok(signature))
    }

    /// Records and signs, as the journal does.
    fn sign_handover(&mut self, node: usize, handover: &EpochHandover) -> Result<SignedHandover, Violation> {
        let content = handover.content_digest();
        let earlier = self.nodes[node].disk.handovers.insert(handover.epoch, content);
        self.require(earlier.is_none_or(|earlier| earlier == content), || {
            format!("operator {node} signed two different statements about epoch {}", handover.epoch)
        })?;
        let signature = self.scheme.sign_handover(&self.nodes[node].signer, handover);
        Ok(SignedHandover { digest: handover.digest(), signature })
    }

    /// Whatever a gateway asks for, an honest operator signs only what a final block shows.
    fn require_true_handover(&self, node: usize, message: &[u8]) -> Result<(), Violation> {
        let Ok(OperatorMessage::HandoverSigned { handover, digest, .. }) = OperatorMessage::parse(message) else {
            return Ok(());
        };
        let is_true = self.chain.handover(handover, self.now, 0).is_some_and(|(known, _)| known.digest() == digest);
        self.require(is_true, || format!("operator {node} signed a handover that no final block shows"))
    }

    fn sign_observations(
        &mut self,
        node: usize,
        observations: &[Observation],
    ) -> Result<Result<Vec<Signature>, JournalError>, Violation> {
        let mut signatures = Vec::new();
        for observation in observations {
            let digest = observation.digest(domain().chain_id, domain().task_manager);
            let key = (observation.task_id, observation.source);
            if self.nodes[node].is_honest() {
                let journal = &mut self.nodes[node].disk.observations;
                if journal.get(&key).is_some_and(|recorded| *recorded != digest) {
                    return Ok(Err(JournalError::AlreadySigned));
                }
                journal.insert(key, digest);
                let earlier = self.observed.insert((node, key.0, key.1), digest);
                self.require(earlier.is_none_or(|earlier| earlier == digest), || {
                    format!("operator {node} signed two different observations for task {}", key.0)
                })?;
            }
            let signer = &self.nodes[node].signer;
            signatures.push(self.scheme.sign_observation(signer, observation, domain()));
        }
        Ok(Ok(signatures))
    }

    fn send_from_node(&mut self, node: usize, link: LinkId, message: String) {
        let Some(lie) = self.nodes[node].lie else {
            return self.send_to_gateway(link, message.into_bytes());
        };
        let parsed = OperatorMessage::parse(message.as_bytes());
        match (lie, parsed) {
            (_, Ok(OperatorMessage::Hello { .. } | OperatorMessage::Proof { .. })) => {
                self.send_to_gateway(link, message.into_bytes());
            }
            (Lie::Silence, _) | (Lie::NoBatches, Ok(OperatorMessage::BatchSigned { .. })) => {}
            (Lie::Garbage, Ok(OperatorMessage::BatchSigned { root, .. })) => {
                let signature = self.random_signature();
                let signed = OperatorMessage::BatchSigned { root, signature };
                self.send_to_gateway(link, signed.to_json().into_bytes());
            }
            (Lie::Garbage, Ok(OperatorMessage::HandoverSigned { handover, digest, .. })) => {
                let signature = self.random_signature();
                let signed = OperatorMessage::HandoverSigned { handover, digest, signature };
                self.send_to_gateway(link, signed.to_json().into_bytes());
            }
            (Lie::TwoSignatures, Ok(OperatorMessage::Decided { task_id, decision, evidence, reasons })) => {
                let decision = opposite(decision);
                let other = OperatorMessage::Decided { task_id, decision, evidence, reasons };
                let both = [other.to_json(), message];
                let is_first = self.random.percent(50);
                for message in if is_first {
                    both
                } else {
                    let [one, other] = both;
                    [other, one]
                } {
                    self.send_to_gateway(link, message.into_bytes());
                }
            }
            (Lie::Garbage, Ok(OperatorMessage::Signed { task_id, decision, evidence, reasons, .. })) => {
                let signature = self.random_signature();
                let signed = OperatorMessage::Signed { task_id, decision, evidence, signature, reasons };
                self.send_to_gateway(link, signed.to_json().into_bytes());
                if self.random.percent(10) {
                    self.send_to_gateway(link, vec![0xff; 20]);
                }
            }
            (Lie::Garbage, Ok(OperatorMessage::Observed { task_id, mut observations })) => {
                for observation in &mut observations {
                    observation.signature = self.random_signature();
                }
                self.send_to_gateway(link, OperatorMessage::Observed { task_id, observations }.to_json().into_bytes());
            }
            (Lie::TwoSignatures, Ok(OperatorMessage::Signed { task_id, decision, evidence, reasons, .. })) => {
                if let Some(task) = self.tasks.iter().find(|task| task.id(domain()) == task_id) {
                    let attestation = task.attestation(domain(), opposite(decision), evidence);
                    let digest = attestation_digest(&attestation, domain().chain_id, domain().task_manager);
                    let signature = self.scheme.sign_root(&self.nodes[node].signer, digest);
                    let decision = opposite(decision);
                    let signed = OperatorMessage::Signed { task_id, decision, evidence, signature, reasons };
                    self.send_to_gateway(link, signed.to_json().into_bytes());
                }
                self.send_to_gateway(link, message.into_bytes());
            }
            _ => self.send_to_gateway(link, message.into_bytes()),
        }
    }

    fn random_signature(&mut self) -> Signature {
        let mut bytes = [0; Signature::LENGTH];
        for chunk in bytes.chunks_exact_mut(32) {
            chunk.copy_from_slice(self.random.hash().as_slice());
        }
        Signature(bytes)
    }

    // ----- the gateway -----

    fn tell_gateway(&mut self, host: usize, event: gateway::Event) -> Result<(), Violation> {
        let Some(gateway) = &mut self.hosts[host].gateway else { return Ok(()) };
        self.summary.events += 1;
        let actions = gateway.handle(self.now, event);
        actions.into_iter().try_for_each(|action| self.act_at_gateway(host, action))
    }

    fn later_at_gateway(&mut self, host: usize, event: gateway::Event) {
        let (delay, generation) = (self.random.between(1, 20), self.hosts[host].generation);
        self.at(delay, Happening::AtGateway { host, generation, event });
    }

    fn act_at_gateway(&mut self, host: usize, action: gateway::Action) -> Result<(), Violation> {
        use gateway::{Action, Event};
        let fails = self.random.percent(self.faults.failures);
        match action {
            Action::Send { link, message } => self.send_to_node(link, message),
            Action::Close { link, .. } => self.at(1, Happening::Break { link }),
            Action::Prepare { request, submission } => {
                let result = if fails {
                    Err(Failure::new(FailureCode::Unavailable, "the node gave no answer", true))
                } else {
                    Ok(Box::new(self.chain.accepted(&submission, self.now)))
                };
                self.later_at_gateway(host, Event::Prepared { request, result });
            }
            Action::Record { task_id, record } => {
                let event = if fails || self.hosts[host].has_lost_log {
                    Event::Recorded { task_id, result: Err("the log gives no answer".into()) }
                } else {
                    self.record(host, task_id, record)?
                };
                self.later_at_gateway(host, event);
            }
            Action::Answer { answer: Answer::Accepted { task_id }, .. } => {
                self.accepted.insert(task_id);
                if let Some(logged) = self.task_log.get(&task_id) {
                    self.tasks.push(logged.task.accepted.task.clone());
                }
            }
            Action::Answer { answer: Answer::Finished { task_id, outcome }, .. } => {
                let recorded = self.task_log.get(&task_id).and_then(|logged| logged.task.outcome.as_ref());
                let is_recorded = recorded == Some(&outcome);
                self.require(is_recorded, || format!("task {task_id} has an end that is not in the task log"))?;
            }
            Action::Answer { answer: Answer::Failed(_), .. } => {}
            Action::AnswerHandover { result: Ok(aggregate), .. } => {
                let Some((handover, signing)) = self.chain.handover(HANDOVER, self.now, 0) else {
                    return self.require(false, || "a handover was signed that is not final".to_owned());
                };
                let is_quorum = U256::from(aggregate.signed_weight) >= signing.operators.required_weight(6667);
                self.require(is_quorum && aggregate.root == handover.digest(), || {
                    format!("a gateway answered with a handover that no quorum signed: {aggregate:?}")
                })?;
                self.summary.handovers += 1;
            }
            Action::AnswerHandover { result: Err(_), .. } => {}
        }
        Ok(())
    }

    /// Keeps a record in the log, as one of its gateways makes it; returns the log's answer.
    fn record(&mut self, host: usize, task_id: B256, record: Record) -> Result<gateway::Event, Violation> {
        use gateway::Event;
        let recorded = Event::Recorded { task_id, result: Ok(()) };
        let Some(logged) = self.task_log.get_mut(&task_id) else {
            if let (Record::Accepted(accepted), true) =
                (record, self.options.sabotage != Some(Sabotage::ForgetfulTaskLog))
            {
                let task = LoggedTask { accepted: *accepted, agreed: None, outcome: None };
                self.task_log.insert(task_id, Logged { task, holder: host, until: self.now + LEASE_MILLIS });
            }
            return Ok(recorded);
        };
        let as_it_is = |logged: &Logged| Event::AlreadyRecorded { task_id, logged: Box::new(logged.task.clone()) };
        let may_write = logged.holder == host || self.options.sabotage == Some(Sabotage::IgnoredLease);
        match record {
            Record::Accepted(_) => Ok(as_it_is(logged)),
            _ if logged.task.outcome.is_some() && self.options.sabotage != Some(Sabotage::IgnoredLease) => {
                Ok(as_it_is(logged))
            }
            _ if !may_write => Ok(Event::Recorded { task_id, result: Err("another gateway holds the task".into()) }),
            Record::Agreed(agreed) => {
                let kept = logged.task.agreed.get_or_insert_with(|| agreed.clone());
                Ok(if *kept == agreed { recorded } else { as_it_is(logged) })
            }
            Record::Finished(outcome) => {
                let earlier = logged.task.outcome.replace(outcome.clone());
                self.require(earlier.is_none_or(|earlier| earlier == outcome), || {
                    format!("task {task_id} was completed twice differently")
                })?;
                if let TaskOutcome::Attested { document, .. } = &outcome {
                    self.require_statement(task_id, &document.attestation)?;
                }
                self.publish_end(task_id);
                Ok(recorded)
            }
        }
    }

    // ----- what must hold -----

    fn require(&self, holds: bool, what: impl FnOnce() -> String) -> Result<(), Violation> {
        if holds {
            return Ok(());
        }
        Err(Violation { what: what(), at_millis: self.now - START_MILLIS })
    }

    /// What an honest operator signs is stored as evidence, and follows from it.
    fn require_replay(&self, node: usize, attestation: &Attestation) -> Result<(), Violation> {
        let file = self.nodes[node].disk.evidence.get(&attestation.evidence);
        let Some(file) = file else {
            return self.require(false, || format!("operator {node} signed without evidence"));
        };
        let input = file.policy_input();
        let is_of_task = input.is_ok_and(|input| {
            input.intent == attestation.intent
                && input.policy_client == attestation.policyClient
                && input.nonce == attestation.nonce
                && input.block.timestamp == U256::from(attestation.issuedAt)
                && file.policy_id == attestation.policyId
        });
        let follows = replayed(file).is_some_and(|decision| u8::from(decision) == attestation.decision);
        self.require(is_of_task && follows, || {
            format!("what operator {node} signed about task {} contradicts its evidence", attestation.taskId)
        })?;
        // Fewer than a third lie, and the median of what two thirds observed decides.
        let limit = U256::from(HONEST_LIMIT);
        let may_allow = file.data.is_empty() || attestation.intent.value < limit;
        self.require(attestation.decision == 0 || may_allow, || {
            format!("operator {node} allowed what no honest operator's data allows")
        })
    }

    /// A task has one statement.
    fn require_statement(&mut self, task_id: B256, attestation: &Attestation) -> Result<(), Violation> {
        let decision = Decision::try_from(attestation.decision).unwrap_or(Decision::Deny);
        let statement = (decision, attestation.evidence);
        let earlier = *self.statements.entry(task_id).or_insert(statement);
        self.require(earlier == statement, || format!("task {task_id} has two attestations"))?;
        let is_evident = self.nodes.iter().any(|node| {
            node.is_honest()
                && node.disk.evidence.get(&attestation.evidence).is_some_and(|file| replayed(file) == Some(decision))
        });
        self.require(is_evident, || format!("no honest operator has the evidence of task {task_id}"))
    }

    /// Nothing grows without bounds.
    fn require_bounds(&self) -> Result<(), Violation> {
        for (index, node) in self.nodes.iter().enumerate() {
            let Some(operator) = &node.operator else { continue };
            let (count, bytes) = (operator.task_count(), operator.kept_bytes());
            self.require(count <= node.max_tasks && bytes <= MAX_KEPT, || {
                format!("operator {index} remembers {count} tasks, and {bytes} bytes of observations")
            })?;
        }
        for gateway in self.hosts.iter().filter_map(|host| host.gateway.as_ref()) {
            let (tasks, requests, batches) = (gateway.task_count(), gateway.request_count(), gateway.batch_count());
            let is_bounded = tasks <= MAX_GATEWAY_TASKS
                && requests <= MAX_GATEWAY_TASKS
                && batches <= 2
                && gateway.handover_count() <= 2;
            self.require(is_bounded, || {
                format!("a gateway remembers {tasks} tasks, {requests} requests and {batches} batches")
            })?;
        }
        Ok(())
    }

    /// Every accepted task ended; without faults, a quorum decided it.
    fn require_ends(&mut self) -> Result<(), Violation> {
        for task_id in &self.accepted {
            let outcome = self.task_log.get(task_id).and_then(|logged| logged.task.outcome.as_ref());
            self.require(outcome.is_some(), || format!("task {task_id} was accepted and never ended"))?;
            let is_attested = matches!(outcome, Some(TaskOutcome::Attested { .. }));
            if let Some(TaskOutcome::Attested { document, .. }) = outcome {
                let attestation = &document.attestation;
                let has_source = attestation.policyClient == chain::client(true);
                let expected = u8::from(honest_decision(has_source, U256::from(attestation.intent.value)));
                self.require(attestation.decision == expected || !self.faults.is_calm(), || {
                    format!("liars decided task {task_id}: {attestation:?}")
                })?;
            }
            self.require(is_attested || !self.faults.is_calm(), || {
                format!("task {task_id} was not decided, though nothing failed: {outcome:?}")
            })?;
            self.summary.accepted += 1;
            self.summary.attested += u64::from(is_attested);
            self.summary.failed += u64::from(!is_attested);
        }
        Ok(())
    }
}
