//! One operator or several, a policy with a source, and a task.

use std::{
    cell::Cell,
    collections::{BTreeMap, VecDeque},
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_primitives::{
    Address, B256, U256,
    aliases::{U48, U96},
    b256,
};
use assent_network::{
    Bls, ContractCall, Domain, LinkId, Scheme, Task,
    gateway::{
        self, AbsentSigner, Accepted, AcceptedSources, Answer, Failure, Gateway, HandoverSubmission, Submission,
    },
    message::{GatewayMessage, HandoverName, Refused},
    operator::{self, Examination, Operator, SignedHandover},
};
use assent_policy::{
    Evaluation, ExecutablePolicy, Observer, Reduction, ReductionRule, Rules, SingleRules, Source, Tolerance, evaluate,
    evaluator, evaluator_with_root,
};
use assent_signer::{Aggregate, AggregationError, AttestationBatch, PartialSignature, SecretKey};
use assent_types::{Connection, EpochHandover, Intent, PublicKey, Signature};
use assent_verifier::{Context, Epoch, EpochId, OperatorSet, OperatorSetId, Refusal, SignedObservation};

pub const GATEWAY: &str = "gateway.example:443";
pub const NOW_MILLIS: u64 = 1_800_000_000_000;

pub fn domain() -> Domain {
    Domain { chain_id: U256::from(31337), task_manager: Address::repeat_byte(0x11) }
}

pub fn key(seed: u8) -> SecretKey {
    SecretKey::from_key_material(&[seed; 32]).unwrap()
}

pub fn address(seed: u8) -> Address {
    Address::repeat_byte(seed)
}

/// Operators of weight 1, with seeds from 1.
pub fn epoch(count: u8) -> Epoch {
    let operators = (1..=count).map(|seed| assent_verifier::Operator {
        address: address(seed),
        public_key: key(seed).public_key(),
        weight: U96::from(1),
    });
    let operators = OperatorSet::new(operators.collect()).unwrap();
    Epoch { number: EpochId(5), operator_set: OperatorSetId(1), valid_until: U48::MAX, operators }
}

/// The evaluator's image of the recorded messages, which name its policy. A later image leaves them as they are.
pub const IMAGE: B256 = b256!("0xc19b84690d4cb3ab7a3f10b25d0d1ed23d1af8bd76539d7dcad7d3fb29ed9b22");

/// A policy with one source.
pub fn policy() -> Arc<ExecutablePolicy> {
    let text = "package p\nimport rego.v1\nallow if input.intent.value < to_number(data.wasm.limit.value)\n";
    let source = Source {
        observer: Observer::Component(B256::repeat_byte(0xcc)),
        hosts: Vec::new(),
        reduce: Reduction::Whole(ReductionRule::Same),
        within: None,
        schema: assent_json::parse(br#"{"type":"object"}"#).unwrap(),
    };
    policy_with(text, BTreeMap::from([("limit".to_owned(), source)]))
}

/// A policy whose source is reduced by other rules, which allows what a condition is true of.
pub fn reducing(reduce: &str, within: Option<&str>, schema: &str, condition: &str) -> Arc<ExecutablePolicy> {
    let value = |text: &str| assent_json::parse(text.as_bytes()).unwrap();
    let reduce = Reduction::from_value(&value(reduce)).unwrap();
    let source = Source {
        observer: Observer::Component(B256::repeat_byte(0xcc)),
        hosts: Vec::new(),
        within: within.map(|within| Tolerance::from_value(&value(within), &reduce).unwrap()),
        reduce,
        schema: value(schema),
    };
    let text = format!("package p\nimport rego.v1\nlimit := data.wasm.limit\nallow if {condition}\n");
    policy_of(evaluator().unwrap().root(), &text, BTreeMap::from([("limit".to_owned(), source)]))
}

/// A policy without sources.
pub fn plain_policy() -> Arc<ExecutablePolicy> {
    policy_with("package p\nimport rego.v1\nallow if input.intent.value < 4\n", BTreeMap::new())
}

fn policy_with(text: &str, sources: BTreeMap<String, Source>) -> Arc<ExecutablePolicy> {
    policy_of(IMAGE, text, sources)
}

fn policy_of(image: B256, text: &str, sources: BTreeMap<String, Source>) -> Arc<ExecutablePolicy> {
    let rules = Rules::Single(SingleRules {
        entrypoint: "p".into(),
        functions: vec!["receive()".parse().unwrap()],
        modules: BTreeMap::from([("p".to_owned(), text.to_owned())]),
        parameters_schema: assent_json::parse(br#"{"type":"object"}"#).unwrap(),
        sources,
    });
    let parameters = assent_json::parse(b"{}").unwrap();
    Arc::new(ExecutablePolicy::new(image, &rules, 1 << 24, &parameters).unwrap())
}

pub fn task() -> Task {
    task_with(258)
}

pub fn task_with(nonce: u64) -> Task {
    Task {
        policy_client: Address::repeat_byte(0x22),
        policy_id: policy().id(),
        nonce: U256::from(nonce),
        intent: Intent {
            from: Address::repeat_byte(0x44),
            to: Address::repeat_byte(0x22),
            value: U256::from(3),
            data: Vec::new().into(),
            chainId: domain().chain_id,
        },
        expiration: NOW_MILLIS / 1000 + 600,
        epoch: EpochId(5),
        block_number: 20,
        block_hash: B256::repeat_byte(0x20),
        block_timestamp: NOW_MILLIS / 1000 - 12,
    }
}

pub fn client_policy() -> assent_verifier::Policy {
    assent_verifier::Policy { policyId: policy().id(), operatorSet: 1, quorum: 6667, maxLifetime: U48::from(3600) }
}

pub fn examination(count: u8) -> Examination {
    Examination {
        block_timestamp: Some(task().block_timestamp),
        latest_timestamp: task().block_timestamp + 12,
        task_manager: domain().task_manager,
        client_policy: Some(client_policy()),
        issuance_floor: U48::ZERO,
        is_spent: false,
        epoch: Some(epoch(count)),
        is_trusted_forwarder: false,
        is_delegated: false,
        is_newcomer: false,
        policy: Some(policy()),
    }
}

pub fn submission() -> Submission {
    let Task { policy_client, nonce, intent, expiration, .. } = task();
    Submission { policy_client, intent, nonce: Some(nonce), expiration: Some(expiration) }
}

pub fn accepted() -> Accepted {
    Accepted { task: task(), client_policy: client_policy(), issuance_floor: U48::ZERO, sources: sources(&policy()) }
}

/// What a gateway knows of a policy's sources.
pub fn sources(policy: &ExecutablePolicy) -> AcceptedSources {
    AcceptedSources::of(&Rules::parse(policy.rules()).unwrap())
}

pub const HANDOVER: HandoverName = HandoverName { epoch: EpochId(6), signed_by: EpochId(5) };

/// A handover as every node shows it.
pub fn handover_of(name: HandoverName) -> EpochHandover {
    EpochHandover {
        home_chain: domain().chain_id,
        home_registry: Address::repeat_byte(0x99),
        operator_set: OperatorSetId(1),
        signed_by: name.signed_by,
        epoch: name.epoch,
        committed_at: U48::from(1_799_990_000),
        expires_at: U48::from(1_800_600_000),
        content_hash: B256::repeat_byte(0x66),
    }
}

/// An operator with an open connection, which has the number 0.
pub fn open_operator(settings: operator::Settings, version: u16) -> Operator<Bls> {
    let mut operator = Operator::new(settings, Bls);
    operator.handle(operator::Event::LinkOpened { link: 0, gateway: GATEWAY.into() });
    let challenge = GatewayMessage::Challenge { version, challenge: B256::ZERO, domain: domain() };
    let actions = receive(&mut operator, &challenge);
    let operator::Action::SignConnection { connection, .. } = &actions[0] else { panic!("{actions:?}") };
    assert_eq!((connection.gateway.as_str(), connection.operator), (GATEWAY, address(1)));
    let signature = key(1).prove_connection(connection, domain().chain_id, domain().task_manager);
    operator.handle(operator::Event::ConnectionSigned { link: 0, result: Ok(signature) });
    receive(&mut operator, &GatewayMessage::Welcome);
    operator
}

pub fn receive(operator: &mut Operator<Bls>, message: &GatewayMessage) -> Vec<operator::Action> {
    operator.handle(operator::Event::Received { link: 0, message: message.to_json().into_bytes() })
}

/// Has the first operator observe and sign the outputs of a task's sources.
pub fn observe(
    operator: &mut Operator<Bls>,
    ticket: operator::Ticket,
    outputs: BTreeMap<String, assent_json::Value>,
) -> Vec<operator::Action> {
    let actions = operator.handle(operator::Event::Observed { ticket, result: Ok(outputs) });
    let [operator::Action::SignObservations { observations, .. }] = &actions[..] else { panic!("{actions:?}") };
    let sign = |observation| key(1).sign_observation(observation, domain().chain_id, domain().task_manager);
    let signatures = observations.iter().map(sign).collect();
    operator.handle(operator::Event::ObservationsSigned { ticket, result: Ok(signatures) })
}

/// [`Bls`] that counts the checks of signatures: each is a pairing check.
pub struct CountingBls(Rc<Cell<u32>>);

impl CountingBls {
    fn count(&self, checks: usize) {
        self.0.set(self.0.get() + u32::try_from(checks).unwrap());
    }
}

impl Scheme for CountingBls {
    fn verify_connection(&self, connection: &Connection, key: &PublicKey, proof: &Signature, domain: Domain) -> bool {
        self.count(1);
        Bls.verify_connection(connection, key, proof, domain)
    }

    fn verify_observations(&self, epoch: &Epoch, observations: &[SignedObservation], domain: Domain) -> Vec<bool> {
        self.count(1);
        Bls.verify_observations(epoch, observations, domain)
    }

    fn aggregate(
        &self,
        epoch: &Epoch,
        root: B256,
        partials: &[PartialSignature],
    ) -> Result<Aggregate, AggregationError> {
        let aggregate = Bls.aggregate(epoch, root, partials);
        let is_valid = aggregate.as_ref().is_ok_and(|aggregate| aggregate.rejected.is_empty());
        self.count(if is_valid { 1 } else { 1 + partials.len() });
        aggregate
    }

    fn aggregate_handover(
        &self,
        signing: &Epoch,
        handover: &EpochHandover,
        partials: &[PartialSignature],
    ) -> Result<Aggregate, AggregationError> {
        self.count(1);
        Bls.aggregate_handover(signing, handover, partials)
    }

    fn sum(&self, epoch: &Epoch, root: B256, partials: &[PartialSignature]) -> Result<Aggregate, AggregationError> {
        Bls.sum(epoch, root, partials)
    }

    fn verify(&self, context: &Context, intent: &Intent, authorization: &[u8]) -> Result<(), Refusal> {
        self.count(1);
        Bls.verify(context, intent, authorization)
    }

    fn verify_all(&self, calls: &[ContractCall]) -> Vec<Result<(), Refusal>> {
        // Those of one root are one equation.
        self.count(1);
        Bls.verify_all(calls)
    }
}

/// A gateway and operators that are connected without delay, and whose actions succeed.
pub struct Network {
    pub gateway: Gateway<CountingBls>,
    /// How many checks of signatures the gateway made.
    pub checks: Rc<Cell<u32>>,
    pub operators: Vec<Operator<Bls>>,
    /// The client's policy.
    pub policy: Arc<ExecutablePolicy>,
    epoch: Epoch,
    /// What was evaluated, by task and data.
    evaluated: BTreeMap<(B256, String), Evaluation>,
    /// How long gateway and operators computed.
    pub times: Times,
    /// Every message: whether it is from the operator, and its text.
    pub transcript: Vec<(bool, String)>,
    pub answers: Vec<Answer>,
    pub closed: Vec<String>,
    /// What became of requests for handovers.
    pub handovers: Vec<(Result<Aggregate, Failure>, Vec<AbsentSigner>)>,
    /// Why operators sign no handover.
    pub refused: BTreeMap<usize, Refused>,
    /// What each operator's source answers.
    pub outputs: Vec<String>,
    /// Messages of these operators are not delivered.
    pub silent: Vec<usize>,
    /// Changes a message before it is delivered; an empty one is not.
    pub alter: fn(usize, String) -> String,
    /// What happens next, in order; the number is the operator's, or that of none.
    queue: VecDeque<Happening>,
}

/// How long state machines computed. Evaluation and signing are not counted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Times {
    pub gateway: Duration,
    pub operators: Duration,
}

enum Happening {
    AtGateway(gateway::Event),
    AtOperator(usize, operator::Event),
}

impl Network {
    pub fn new(count: u8) -> Self {
        Self::with_settings(count, gateway::Settings::new(domain(), [GATEWAY.to_owned()]))
    }

    pub fn with_settings(count: u8, settings: gateway::Settings) -> Self {
        let operators = (1..=count).map(|seed| Operator::new(operator::Settings::new(domain(), address(seed)), Bls));
        let checks = Rc::new(Cell::new(0));
        let mut network = Self {
            gateway: Gateway::new(settings, CountingBls(Rc::clone(&checks))),
            checks,
            operators: operators.collect(),
            policy: policy(),
            epoch: epoch(count),
            evaluated: BTreeMap::new(),
            times: Times::default(),
            transcript: Vec::new(),
            answers: Vec::new(),
            closed: Vec::new(),
            handovers: Vec::new(),
            refused: BTreeMap::new(),
            outputs: vec![r#"{"value":"4"}"#.to_owned(); usize::from(count)],
            silent: Vec::new(),
            alter: |_, message| message,
            queue: VecDeque::new(),
        };
        network.at_gateway(gateway::Event::Epochs(vec![network.epoch.clone()]));
        network
    }

    pub fn connect(&mut self) {
        for index in 0..self.operators.len() {
            let link = LinkId::try_from(index).unwrap();
            self.at_gateway(gateway::Event::LinkOpened { link, challenge: B256::repeat_byte(0xcc) });
            self.at_operator(index, operator::Event::LinkOpened { link, gateway: GATEWAY.into() });
        }
        self.run();
    }

    pub fn request(&mut self) {
        self.at_gateway(gateway::Event::Requested { request: 1, submission: submission() });
        self.run();
    }

    /// Asks for tasks with nonces from 0, all at once.
    pub fn request_many(&mut self, count: u64) {
        for nonce in 0..count {
            let submission = Submission { nonce: Some(U256::from(nonce)), ..submission() };
            self.at_gateway(gateway::Event::Requested { request: nonce, submission });
        }
        self.run();
    }

    /// Asks for the handover from the epoch to the next one.
    pub fn request_handover(&mut self, request: u64) {
        let handover = handover_of(HANDOVER);
        let submission = Box::new(HandoverSubmission { handover, signing: self.epoch.clone(), quorum: 6667 });
        self.at_gateway(gateway::Event::HandoverRequested { request, submission });
        self.run();
    }

    /// Opens a new connection of one operator.
    pub fn connect_one(&mut self, index: usize) {
        let link = LinkId::try_from(index).unwrap();
        self.at_gateway(gateway::Event::LinkOpened { link, challenge: B256::repeat_byte(0xcc) });
        self.at_operator(index, operator::Event::LinkOpened { link, gateway: GATEWAY.into() });
    }

    /// A gateway that always batches.
    pub fn with_batches(count: u8) -> Self {
        let mut settings = gateway::Settings::new(domain(), [GATEWAY.to_owned()]);
        settings.batch_from = 0;
        Self::with_settings(count, settings)
    }

    /// The gateway's and the operators' messages that have a type.
    pub fn messages(&self, kind: &str) -> Vec<&str> {
        let kind = format!(r#""type":"{kind}""#);
        self.transcript.iter().map(|(_, text)| text.as_str()).filter(|text| text.contains(&kind)).collect()
    }

    pub fn at_gateway(&mut self, event: gateway::Event) {
        self.queue.push_back(Happening::AtGateway(event));
    }

    pub fn at_operator(&mut self, index: usize, event: operator::Event) {
        self.queue.push_back(Happening::AtOperator(index, event));
    }

    pub fn run(&mut self) {
        self.run_at(NOW_MILLIS);
    }

    pub fn run_at(&mut self, now_millis: u64) {
        while let Some(happening) = self.queue.pop_front() {
            match happening {
                Happening::AtGateway(event) => {
                    let start = Instant::now();
                    let actions = self.gateway.handle(now_millis, event);
                    self.times.gateway += start.elapsed();
                    for action in actions {
                        self.act_at_gateway(action);
                    }
                }
                Happening::AtOperator(index, event) => {
                    let start = Instant::now();
                    let actions = self.operators[index].handle(event);
                    self.times.operators += start.elapsed();
                    for action in actions {
                        self.act_at_operator(index, action);
                    }
                }
            }
        }
    }

    fn act_at_gateway(&mut self, action: gateway::Action) {
        use gateway::{Action, Event};
        match action {
            Action::Send { link, message } => {
                self.transcript.push((false, message.clone()));
                let index = usize::try_from(link).unwrap();
                self.at_operator(index, operator::Event::Received { link, message: message.into_bytes() });
            }
            Action::Close { reason, .. } => self.closed.push(reason),
            Action::Prepare { request, submission } => {
                let policy_id = self.policy.id();
                let task = Task { policy_id, ..task_with(submission.nonce.unwrap_or_default().to()) };
                let client_policy = assent_verifier::Policy { policyId: policy_id, ..client_policy() };
                let mut accepted = Accepted { task, client_policy, ..accepted() };
                accepted.sources = sources(&self.policy);
                self.at_gateway(Event::Prepared { request, result: Ok(Box::new(accepted)) });
            }
            Action::Record { task_id, .. } => self.at_gateway(Event::Recorded { task_id, result: Ok(()) }),
            Action::Answer { answer, .. } => self.answers.push(answer),
            Action::AnswerHandover { result, absent, .. } => {
                self.handovers.push((result.map(|aggregate| *aggregate), absent));
            }
        }
    }

    fn act_at_operator(&mut self, index: usize, action: operator::Action) {
        use operator::{Action, Event};
        let key = key(u8::try_from(index).unwrap() + 1);
        let Domain { chain_id, task_manager } = domain();
        match action {
            Action::Send { link, message } => {
                let message = (self.alter)(index, message);
                self.transcript.push((true, message.clone()));
                if !self.silent.contains(&index) && !message.is_empty() {
                    self.at_gateway(gateway::Event::Received { link, message: message.into_bytes() });
                }
            }
            Action::Close { reason, .. } => self.closed.push(reason),
            Action::SignConnection { link, connection } => {
                let signature = key.prove_connection(&connection, chain_id, task_manager);
                self.at_operator(index, Event::ConnectionSigned { link, result: Ok(signature) });
            }
            Action::Examine { ticket, .. } => {
                let client_policy = assent_verifier::Policy { policyId: self.policy.id(), ..client_policy() };
                let examination = Examination {
                    client_policy: Some(client_policy),
                    epoch: Some(self.epoch.clone()),
                    policy: Some(Arc::clone(&self.policy)),
                    ..examination(1)
                };
                self.at_operator(index, Event::Examined { ticket, result: Ok(Box::new(examination)) });
            }
            Action::Observe { ticket, .. } => {
                let output = assent_json::parse(self.outputs[index].as_bytes()).unwrap();
                let result = Ok(BTreeMap::from([("limit".to_owned(), output)]));
                self.at_operator(index, Event::Observed { ticket, result });
            }
            Action::SignObservations { ticket, observations, .. } => {
                let sign = |observation| key.sign_observation(observation, chain_id, task_manager);
                let result = Ok(observations.iter().map(sign).collect());
                self.at_operator(index, Event::ObservationsSigned { ticket, result });
            }
            Action::Evaluate { ticket, input, policy, data } => {
                let image = evaluator_with_root(policy.image()).unwrap();
                // All operators evaluate the same. One evaluation takes as long as what the tests are about.
                let evaluated = self
                    .evaluated
                    .entry((ticket.task_id, data.clone()))
                    .or_insert_with(|| evaluate(image, &policy, &input, &data).unwrap());
                let result = Box::new(Ok(evaluated.clone()));
                self.at_operator(index, Event::Evaluated { ticket, result });
            }
            Action::StoreEvidence { ticket, .. } => {
                self.at_operator(index, Event::EvidenceStored { ticket, result: Ok(()) });
            }
            Action::SignBatch { link, batch, .. } => {
                let (root, result) = (batch.root(), Ok(key.sign_batch(&batch)));
                self.at_operator(index, Event::BatchSigned { link, root, result });
            }
            Action::SignHandover { link, handover } => {
                let result = match self.refused.get(&index) {
                    Some(refusal) => Err(refusal.clone()),
                    None => {
                        let statement = handover_of(handover);
                        let signature = key.hand_over_epoch(&statement);
                        Ok(SignedHandover { digest: statement.digest(), signature })
                    }
                };
                self.at_operator(index, Event::HandoverSigned { link, handover, result });
            }
            Action::SignAttestation { ticket, attestation, .. } => {
                let batch = AttestationBatch::new(vec![*attestation], chain_id, task_manager).unwrap();
                self.at_operator(index, Event::AttestationSigned { ticket, result: Ok(key.sign_batch(&batch)) });
            }
        }
    }
}
