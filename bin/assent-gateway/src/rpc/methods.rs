//! The table of methods. It dispatches, and the OpenRPC document is made of it.

use core::time::Duration;
use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256};
use assent_json::{Object, Value};
use assent_network::{
    Bls,
    gateway::{Answer, Event, HandoverSubmission, LoggedTask, Submission, TaskOutcome},
    operator::MINIMUM_QUORUM,
};
use assent_policy::{Observations, PolicyInput, Rules, evaluate, evaluator_with_root};
use assent_types::Intent;
use assent_verifier::{Epoch, EpochId, HandoverError};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    CallContext,
    absent::AbsentAnswer,
    answers::{SignedHandoverAnswer, TaskAnswer, decimal},
    error::RpcError,
};
use crate::{
    driver::{HandoverCollected, TaskEvent, decode},
    recent::Participation,
    service::Service,
    subscriptions::Topic,
};

/// How long a cancellation waits until the end is recorded.
const LONGEST_CANCELLATION: Duration = Duration::from_secs(5);
/// How long the node may take to show both epochs of a handover.
const LONGEST_READ: Duration = Duration::from_secs(15);
/// The quorums that a mirror can have, in basis points.
const HANDOVER_QUORUMS: core::ops::RangeInclusive<u16> = 5001..=10_000;
/// The most tasks of a list.
const MOST_RECENT: usize = 50;

/// A method.
pub(crate) struct MethodSpec {
    pub(crate) name: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) parameters: &'static [ParameterSpec],
    /// The name of the result's schema.
    pub(crate) result: &'static str,
    pub(crate) handler: Handler,
}

/// A parameter, by position and by name.
pub(crate) struct ParameterSpec {
    pub(crate) name: &'static str,
    pub(crate) summary: &'static str,
    /// The name of its schema.
    pub(crate) schema: &'static str,
    pub(crate) required: bool,
}

pub(crate) type Handled<'a> = BoxFuture<'a, Result<String, RpcError>>;
pub(crate) type Handler = for<'a> fn(&'a Service, &'a CallContext, Parameters) -> Handled<'a>;

const fn required(name: &'static str, schema: &'static str, summary: &'static str) -> ParameterSpec {
    ParameterSpec { name, summary, schema, required: true }
}

const fn optional(name: &'static str, schema: &'static str, summary: &'static str) -> ParameterSpec {
    ParameterSpec { name, summary, schema, required: false }
}

const POLICY_CLIENT: ParameterSpec = required("policyClient", "Address", "The contract that checks the authorization");
const INTENT: ParameterSpec = required("intent", "Intent", "The call");
const NONCE: ParameterSpec = optional("nonce", "Quantity", "The nonce; the gateway chooses one if none is given");
const EXPIRATION: ParameterSpec =
    optional("expiration", "Time", "The first second at which the attestation is no longer valid");
const TASK_ID: ParameterSpec = required("taskId", "Hash", "The task");

/// Every method.
pub(crate) static METHODS: &[MethodSpec] = &[
    MethodSpec {
        name: "assent_requestAuthorization",
        summary: "Asks the operators for an authorization, and waits for their decision",
        parameters: &[
            POLICY_CLIENT,
            INTENT,
            NONCE,
            EXPIRATION,
            optional("waitSeconds", "Seconds", "How long to wait; the task goes on afterwards"),
        ],
        result: "AttestedTask",
        handler: request_authorization,
    },
    MethodSpec {
        name: "assent_submitTask",
        summary: "Asks the operators for an authorization, and returns when the task is durably recorded",
        parameters: &[POLICY_CLIENT, INTENT, NONCE, EXPIRATION],
        result: "Task",
        handler: submit_task,
    },
    MethodSpec {
        name: "assent_getTask",
        summary: "Returns a task and how far it is",
        parameters: &[TASK_ID],
        result: "Task",
        handler: get_task,
    },
    MethodSpec {
        name: "assent_recentTasks",
        summary: "Returns up to 50 tasks that ended last on this gateway in short, the latest first",
        parameters: &[],
        result: "TaskSummaries",
        handler: recent_tasks,
    },
    MethodSpec {
        name: "assent_cancelTask",
        summary: "Ends a task of the same caller that is not decided yet, and returns it",
        parameters: &[TASK_ID],
        result: "Task",
        handler: cancel_task,
    },
    MethodSpec {
        name: "assent_simulate",
        summary: "Returns what the client's policy would decide at the latest block; no operator is asked",
        parameters: &[
            POLICY_CLIENT,
            INTENT,
            NONCE,
            optional("data", "Outputs", "What the policy's sources answer, by their names"),
        ],
        result: "Simulation",
        handler: simulate,
    },
    MethodSpec {
        name: "assent_getPolicy",
        summary: "Returns a policy's rules and parameters",
        parameters: &[required("policyId", "Hash", "The policy")],
        result: "Policy",
        handler: get_policy,
    },
    MethodSpec {
        name: "assent_getEvidence",
        summary: "Returns the evidence of a decision, which has the hash that was asked for",
        parameters: &[required("evidence", "Hash", "The hash that the attestation carries")],
        result: "Evidence",
        handler: get_evidence,
    },
    MethodSpec {
        name: "assent_requestHandover",
        summary: "Asks an epoch's operators for the handover to a later epoch, and returns what a mirror accepts",
        parameters: &[
            required("epoch", "EpochNumber", "The epoch that is handed over to"),
            optional("signedBy", "EpochNumber", "The epoch whose operators sign; the set's epoch before by default"),
            optional("quorum", "BasisPoints", "The share of its weight that must sign, the mirror's; 6667 by default"),
        ],
        result: "SignedHandover",
        handler: request_handover,
    },
    MethodSpec {
        name: "assent_operators",
        summary: "Returns the operators of the epochs in force, and which of them are connected",
        parameters: &[],
        result: "Operators",
        handler: operators,
    },
    MethodSpec {
        name: "assent_health",
        summary: "Returns whether the gateway can serve requests",
        parameters: &[],
        result: "Health",
        handler: health,
    },
    MethodSpec {
        name: "assent_subscribe",
        summary: "Notifies of each change of a task, or of each decision, as assent_subscription (WebSocket)",
        parameters: &[optional("taskId", "Hash", "The task; without one, every task that ends")],
        result: "SubscriptionId",
        handler: subscribe,
    },
    MethodSpec {
        name: "assent_unsubscribe",
        summary: "Ends a subscription, and returns whether there was one (WebSocket)",
        parameters: &[required("subscription", "SubscriptionId", "The subscription")],
        result: "Boolean",
        handler: unsubscribe,
    },
    MethodSpec {
        name: "rpc.discover",
        summary: "Returns the OpenRPC document of this API",
        parameters: &[],
        result: "OpenRpc",
        handler: discover,
    },
];

/// The parameters of a call, by name.
pub(crate) struct Parameters(Object);

impl Parameters {
    pub(crate) const fn new(object: Object) -> Self {
        Self(object)
    }

    fn read<T: DeserializeOwned>(&self) -> Result<T, RpcError> {
        let text = Value::from(self.0.clone()).to_canonical();
        let mut deserializer = serde_json::Deserializer::from_str(&text);
        serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            let path = error.path().to_string();
            // The text is canonical, not the caller's: its line and column would mislead.
            let reason = error.into_inner().to_string();
            let reason = reason.split(" at line ").next().unwrap_or_default();
            RpcError::invalid_params(if path == "." { reason.to_owned() } else { format!("{path}: {reason}") })
        })
    }
}

#[derive(Deserialize)]
struct Wide(#[serde(with = "assent_types::json::wide")] U256);

#[derive(Deserialize)]
struct Hash(#[serde(with = "assent_types::json::hex")] B256);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TaskRequest {
    #[serde(with = "assent_types::json::hex")]
    policy_client: Address,
    intent: Intent,
    nonce: Option<Wide>,
    expiration: Option<u64>,
    wait_seconds: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfTask {
    task_id: Option<Hash>,
}

impl TaskRequest {
    fn submission(self) -> Submission {
        Submission {
            policy_client: self.policy_client,
            intent: self.intent,
            nonce: self.nonce.map(|Wide(nonce)| nonce),
            expiration: self.expiration,
        }
    }
}

fn request_authorization<'a>(service: &'a Service, context: &'a CallContext, parameters: Parameters) -> Handled<'a> {
    Box::pin(async move {
        let started = Instant::now();
        let request: TaskRequest = parameters.read()?;
        let wait = request.wait_seconds.map_or(service.limits.max_wait, Duration::from_secs);
        let deadline = started + wait.min(service.limits.max_wait);
        let _permit = service.admit(&context.caller)?;
        let mut waiting = service.driver.request(request.submission(), context.caller.to_string());
        let mut accepted = None;
        loop {
            let answer = match timeout_at(deadline, waiting.next()).await {
                Ok(answer) => answer,
                Err(_) => {
                    return Err(match accepted {
                        Some(task_id) => RpcError::pending(task_id),
                        None => RpcError::unavailable("the task could not be recorded in time"),
                    });
                }
            };
            match answer {
                Answer::Accepted { task_id } => accepted = Some(task_id),
                Answer::Failed(failure) => return Err(RpcError::failure(failure, accepted)),
                Answer::Finished { task_id, outcome: TaskOutcome::Failed(failure) } => {
                    return Err(RpcError::failure(failure, Some(task_id)));
                }
                Answer::Finished { task_id, .. } => {
                    service.metrics.decided_in(started.elapsed());
                    return service.task(task_id).await;
                }
            }
        }
    })
}

fn submit_task<'a>(service: &'a Service, context: &'a CallContext, parameters: Parameters) -> Handled<'a> {
    Box::pin(async move {
        let request: TaskRequest = parameters.read()?;
        let _permit = service.admit(&context.caller)?;
        let mut waiting = service.driver.request(request.submission(), context.caller.to_string());
        let answer = timeout(service.limits.max_wait, waiting.next()).await;
        match answer.map_err(|_| RpcError::unavailable("the task could not be recorded in time"))? {
            Answer::Accepted { task_id } | Answer::Finished { task_id, .. } => service.task(task_id).await,
            Answer::Failed(failure) => Err(RpcError::failure(failure, None)),
        }
    })
}

fn get_task<'a>(service: &'a Service, _: &'a CallContext, parameters: Parameters) -> Handled<'a> {
    Box::pin(async move {
        let OfTask { task_id: Some(Hash(task_id)) } = parameters.read()? else { return Err(no_task()) };
        service.task(task_id).await
    })
}

fn recent_tasks<'a>(service: &'a Service, _: &'a CallContext, _: Parameters) -> Handled<'a> {
    Box::pin(async move {
        let recent = service.driver.recent().await.ok_or_else(stopping)?;
        to_json(&recent.summaries().take(MOST_RECENT).collect::<Vec<_>>())
    })
}

fn cancel_task<'a>(service: &'a Service, context: &'a CallContext, parameters: Parameters) -> Handled<'a> {
    Box::pin(async move {
        let OfTask { task_id: Some(Hash(task_id)) } = parameters.read()? else { return Err(no_task()) };
        let record = service.log.get(task_id).await.map_err(log_failed)?;
        // A caller does not learn whether a task of another caller exists.
        let record = record.filter(|record| *record.task.caller == *context.caller);
        let Some(record) = record else { return Err(no_task()) };
        if !record.state.is_final() {
            if service.driver.progress(task_id).await.0.is_none() {
                // Another gateway works on it, and learns of it from the log.
                service.log.cancel(task_id).await.map_err(log_failed)?;
                return service.task(task_id).await;
            }
            let mut events = service.driver.subscribe();
            service.driver.event(Event::Cancelled { task_id });
            let ended = async {
                // A subscriber that is behind looks at the task itself.
                while events.recv().await.is_ok_and(|event| event != TaskEvent::Ended(task_id)) {}
            };
            let _ = timeout(LONGEST_CANCELLATION, ended).await;
        }
        service.task(task_id).await
    })
}

fn simulate<'a>(service: &'a Service, _: &'a CallContext, parameters: Parameters) -> Handled<'a> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct SimulationAnswer {
        decision: &'static str,
        reasons: Vec<String>,
        policy_id: B256,
        #[serde(serialize_with = "decimal")]
        nonce: U256,
        steps: u64,
        block_number: u64,
        block_hash: B256,
    }

    Box::pin(async move {
        let request: TaskRequest = parameters.read()?;
        let data = parameters.0.get("data").cloned();
        let permit = service.admit_simulation()?;
        let prepared = service.preparer.prepare(request.submission()).await;
        let accepted = prepared.map_err(|failure| RpcError::failure(failure, None))?;
        let task = accepted.task;
        let policy = service.preparer.policy(task.policy_id).await;
        let policy = policy.map_err(|failure| RpcError::failure(failure, None))?;
        let data = simulated_data(&policy.bundle, data)?;
        let image = evaluator_with_root(policy.bundle.policy().image())
            .map_err(|error| RpcError::unavailable(error.to_string()))?;
        let input: PolicyInput = task.input();
        // Up to a second of computation, which must not delay others.
        let evaluation = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            evaluate(image, policy.bundle.policy(), &input, &data)
        });
        let evaluation = evaluation.await.map_err(|_| RpcError::unavailable("the evaluation failed"))?;
        let evaluation = evaluation.map_err(|error| RpcError::invalid_params(error.to_string()))?;
        to_json(&SimulationAnswer {
            decision: evaluation.decision.as_str(),
            reasons: evaluation.reasons.into_iter().map(|reason| reason.message).collect(),
            policy_id: task.policy_id,
            nonce: task.nonce,
            steps: evaluation.steps,
            block_number: task.block_number,
            block_hash: task.block_hash,
        })
    })
}

/// Returns the content of the data region for what the sources are said to answer.
fn simulated_data(bundle: &assent_policy::Bundle, data: Option<Value>) -> Result<String, RpcError> {
    let rules = Rules::parse(bundle.policy().rules()).map_err(|error| RpcError::unavailable(error.to_string()))?;
    let Rules::Single(rules) = &rules else {
        let has_sources = rules.members().iter().any(|member| !member.sources.is_empty());
        return match (has_sources, data) {
            (false, None) => Ok(String::new()),
            _ => Err(RpcError::invalid_params("a conjunction is simulated only if no policy of it has sources")),
        };
    };
    let outputs = match data {
        None => Object::new(),
        Some(Value::Object(outputs)) => outputs,
        Some(other) => return Err(RpcError::invalid_params(format!("data is {}, not an object", other.kind()))),
    };
    if !outputs.keys().eq(rules.sources.keys().map(String::as_str)) {
        let sources = rules.sources.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let expected = if sources.is_empty() { "the policy has no sources".to_owned() } else { sources };
        return Err(RpcError::invalid_params(format!("data names other sources than the policy: {expected}")));
    }
    let observations = Observations::of_one(outputs).and_then(|observations| observations.to_canonical());
    observations.map_err(|error| RpcError::invalid_params(error.to_string()))
}

fn get_policy<'a>(service: &'a Service, _: &'a CallContext, parameters: Parameters) -> Handled<'a> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Request {
        policy_id: Hash,
    }

    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct PolicyAnswer<'a> {
        policy_id: B256,
        name: &'a str,
        version: &'a str,
        cid: String,
        image: B256,
        step_limit: u64,
        sources: Vec<String>,
        functions: Vec<FunctionAnswer>,
        rules: &'a RawValue,
        parameters: &'a RawValue,
    }

    Box::pin(async move {
        let Request { policy_id: Hash(policy_id) } = parameters.read()?;
        let policy = service.preparer.policy(policy_id).await;
        let policy = policy.map_err(|failure| RpcError::failure(failure, None))?;
        let (bundle, content) = (&policy.bundle, policy.bundle.policy());
        let raw = |text| serde_json::from_str(text).map_err(|_| RpcError::unavailable("the policy cannot be written"));
        to_json(&PolicyAnswer {
            policy_id,
            name: bundle.name(),
            version: bundle.version(),
            cid: bundle.cid(),
            image: content.image(),
            step_limit: content.step_limit(),
            sources: policy.sources.keys(),
            functions: functions_of(content.rules())?,
            rules: raw(content.rules())?,
            parameters: raw(content.parameters())?,
        })
    })
}

/// A function that a policy decides about.
#[derive(Serialize)]
struct FunctionAnswer {
    #[serde(skip_serializing_if = "Option::is_none")]
    selector: Option<String>,
    signature: String,
    declaration: String,
}

/// Returns the functions that a policy decides about, each once.
fn functions_of(rules: &str) -> Result<Vec<FunctionAnswer>, RpcError> {
    let rules = Rules::parse(rules).map_err(|error| RpcError::unavailable(error.to_string()))?;
    let mut known = BTreeMap::new();
    for function in rules.members().iter().flat_map(|member| &member.functions) {
        known.entry(function.signature()).or_insert_with(|| FunctionAnswer {
            selector: function.selector().map(alloy_primitives::hex::encode_prefixed),
            signature: function.signature(),
            declaration: function.to_string(),
        });
    }
    Ok(known.into_values().collect())
}

fn get_evidence<'a>(service: &'a Service, context: &'a CallContext, parameters: Parameters) -> Handled<'a> {
    #[derive(Deserialize)]
    struct Request {
        evidence: Hash,
    }

    Box::pin(async move {
        let Request { evidence: Hash(hash) } = parameters.read()?;
        let _permit = service.admit_evidence(&context.caller)?;
        service.evidence.get(hash).await
    })
}

fn request_handover<'a>(service: &'a Service, context: &'a CallContext, parameters: Parameters) -> Handled<'a> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Request {
        epoch: u32,
        signed_by: Option<u32>,
        quorum: Option<u16>,
    }

    Box::pin(async move {
        let Request { epoch, signed_by, quorum } = parameters.read()?;
        let quorum = quorum.unwrap_or(MINIMUM_QUORUM);
        if !HANDOVER_QUORUMS.contains(&quorum) {
            return Err(RpcError::invalid_params(format!("quorum: {quorum} is not within 5001 and 10000")));
        }
        let _permit = service.admit_handover(&context.caller)?;
        let view = &service.preparer.view;
        let read = timeout(LONGEST_READ, view.final_handover(EpochId(epoch), signed_by.map(EpochId))).await;
        let read = read.map_err(|_| RpcError::unavailable("the gateway's node of the chain gives no answer"))?;
        let read = read.map_err(|fault| RpcError::handover_fault(&fault))?;
        let submission = HandoverSubmission { handover: read.handover, signing: read.signing.clone(), quorum };
        let HandoverCollected { result, absent } = service.driver.request_handover(submission).await;
        let absent: Vec<AbsentAnswer> = absent.into_iter().map(Into::into).collect();
        let aggregate = match result {
            Ok(aggregate) => aggregate,
            Err(failure) => return Err(RpcError::no_handover(failure, absent)),
        };
        // A pairing takes milliseconds of computation.
        let verified = tokio::task::spawn_blocking(move || {
            read.verify(quorum, aggregate.non_signers.as_bytes(), aggregate.signature.as_ref())?;
            Ok::<_, HandoverError>((read, aggregate))
        });
        let verified = verified.await.map_err(|_| RpcError::unavailable("the verification failed"))?;
        let (read, aggregate) = verified.map_err(|error| RpcError::unavailable(error.to_string()))?;
        to_json(&SignedHandoverAnswer::new(&read, &aggregate, absent))
    })
}

fn operators<'a>(service: &'a Service, _: &'a CallContext, _: Parameters) -> Handled<'a> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct OperatorInfo {
        operator: Address,
        epoch: u32,
        operator_set: u32,
        weight: String,
        public_key: String,
        connected: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        last_seen: Option<u64>,
        participation: Participation,
        #[serde(skip_serializing_if = "Option::is_none")]
        region: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        provider: Option<String>,
    }

    Box::pin(async move {
        let snapshot = service.driver.snapshot().await.ok_or_else(stopping)?;
        let recent = service.driver.recent().await.ok_or_else(stopping)?;
        let attested = recent.attested();
        let participation_of = recent.participation(&attested);
        let declarations = service.declarations.get();
        let mut infos = Vec::new();
        for epoch in &snapshot.epochs {
            let tasks = attested.get(&epoch.number).copied().unwrap_or_default();
            for operator in epoch.operators.operators() {
                let participation = participation_of.get(&(epoch.number, operator.address)).copied();
                let declared = declarations.get(&(epoch.operator_set, operator.address));
                infos.push(OperatorInfo {
                    operator: operator.address,
                    epoch: epoch.number.into(),
                    operator_set: epoch.operator_set.into(),
                    weight: operator.weight.to_string(),
                    public_key: alloy_primitives::hex::encode_prefixed(operator.public_key),
                    connected: snapshot.connected.contains(&operator.address),
                    last_seen: snapshot.activity.get(&operator.address).copied(),
                    participation: participation.unwrap_or(Participation { tasks, ..Participation::default() }),
                    region: declared.map(|declared| declared.region.clone()),
                    provider: declared.map(|declared| declared.provider.clone()),
                });
            }
        }
        to_json(&infos)
    })
}

fn health<'a>(service: &'a Service, _: &'a CallContext, _: Parameters) -> Handled<'a> {
    Box::pin(async move { to_json(&service.health().await) })
}

fn subscribe<'a>(service: &'a Service, context: &'a CallContext, parameters: Parameters) -> Handled<'a> {
    Box::pin(async move {
        let OfTask { task_id } = parameters.read()?;
        let subscriptions = context.subscriptions.as_ref().ok_or_else(only_websocket)?;
        let topic = task_id.map_or(Topic::Decisions, |Hash(task_id)| Topic::Task(task_id));
        if let Topic::Task(task_id) = topic {
            // A task that does not exist never changes.
            service.task(task_id).await?;
        }
        let id = subscriptions.add(topic).ok_or_else(|| {
            RpcError::busy("the connection has too many subscriptions; end one with assent_unsubscribe")
        })?;
        to_json(&id)
    })
}

fn unsubscribe<'a>(_: &'a Service, context: &'a CallContext, parameters: Parameters) -> Handled<'a> {
    #[derive(Deserialize)]
    struct Request {
        subscription: String,
    }

    Box::pin(async move {
        let Request { subscription } = parameters.read()?;
        let subscriptions = context.subscriptions.as_ref().ok_or_else(only_websocket)?;
        to_json(&subscriptions.remove(&subscription))
    })
}

fn discover<'a>(service: &'a Service, _: &'a CallContext, _: Parameters) -> Handled<'a> {
    Box::pin(async { Ok(service.openrpc.to_owned()) })
}

impl Service {
    /// Refuses an attestation that the task log has and the client's contract would not accept: the log is not trusted.
    async fn require_valid(&self, logged: &LoggedTask, epochs: &[Epoch]) -> Result<(), RpcError> {
        let Some(TaskOutcome::Attested { document, .. }) = &logged.outcome else { return Ok(()) };
        let number = logged.accepted.task.epoch;
        let known = epochs.iter().find(|epoch| epoch.number == number).cloned();
        let epoch = match known {
            Some(epoch) => Some(epoch),
            // One that is in force no longer.
            None => self.preparer.epoch(number).await.map_err(|failure| RpcError::failure(failure, None))?,
        };
        let (accepted, document) = (logged.accepted.clone(), document.clone());
        // A pairing takes milliseconds of computation.
        let verified = tokio::task::spawn_blocking(move || {
            epoch.is_some_and(|epoch| accepted.verify(&document, &epoch, &Bls).is_ok())
        });
        if verified.await.unwrap_or_default() {
            return Ok(());
        }
        self.metrics.invalid_ends.inc();
        Err(RpcError::unavailable("the task log has an attestation that cannot be verified"))
    }

    /// Returns a task, from memory or the log.
    pub(crate) async fn task(&self, task_id: B256) -> Result<String, RpcError> {
        let (progress, epochs) = self.driver.progress(task_id).await;
        let answer = match progress {
            Some(progress) => {
                let (accepted, outcome) = (progress.accepted.clone(), progress.outcome.clone());
                TaskAnswer::new(task_id, accepted, outcome, Some(&progress), &epochs)
            }
            None => {
                let _permit = self.lookup().await.ok_or_else(stopping)?;
                let record = self.log.get(task_id).await.map_err(log_failed)?.ok_or_else(no_task)?;
                let logged = decode(&record, self.preparer.domain)
                    .ok_or_else(|| RpcError::unavailable("the task was recorded by another version of the gateway"))?;
                self.require_valid(&logged, &epochs).await?;
                TaskAnswer::new(task_id, logged.accepted, logged.outcome, None, &epochs)
            }
        };
        answer.to_json().ok_or_else(|| RpcError::unavailable("the task cannot be written"))
    }
}

fn no_task() -> RpcError {
    RpcError::not_found("there is no such task", "compare the task id; ended tasks are forgotten after a time")
}

fn log_failed(error: assent_task_log::TaskLogError) -> RpcError {
    eprintln!("error: {error}");
    RpcError::unavailable("the task log gives no answer")
}

fn only_websocket() -> RpcError {
    RpcError::invalid_params("subscriptions need a WebSocket: connect to /ws")
}

fn stopping() -> RpcError {
    RpcError::unavailable("the gateway stops")
}

fn to_json(value: &impl Serialize) -> Result<String, RpcError> {
    serde_json::to_string(value).map_err(|_| RpcError::unavailable("the answer cannot be written"))
}
