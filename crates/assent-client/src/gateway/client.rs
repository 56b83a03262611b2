//! Calls of gateways, one after the other until one answers.

use super::{
    answer::{DecidedTask, GatewayHandover, GatewayHealth, GatewayTask, GatewayTaskState, TaskAnswer},
    error::{GatewayError, GatewayFailure, GatewayRefusal, RpcErrorAnswer},
};
use alloy::primitives::{Address, B256, U256};
use assent_verifier::{EpochId, Intent};
use reqwest::{
    Client, Response, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};
use tokio::time::{Instant, sleep};

/// How long a connection may take to open.
const OPENING: Duration = Duration::from_secs(5);
/// How long an answer may take that waits for nothing.
const ANSWERING: Duration = Duration::from_secs(15);
/// How long a gateway is asked to wait for a decision at once.
const WAITING_SECONDS: u64 = 25;
/// How long a gateway may take to answer a request that waits.
const WAITED: Duration = Duration::from_secs(WAITING_SECONDS + 10);
/// How long the client goes on asking when no gateway answers.
const PATIENCE: Duration = Duration::from_secs(5);
/// The wait before all gateways are asked again. It doubles with each time.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
/// How long an undecided request is asked for again if it has no expiration: a gateway's default lifetime.
const LONGEST_LIFETIME: Duration = Duration::from_secs(300);
/// The wait before an undecided request is asked for again.
const PENDING_PAUSE: Duration = Duration::from_millis(250);
/// How often one gateway may say that a request is undecided before the next one is asked.
const MOST_PENDING: u32 = 2;
/// The longest wait before all gateways are asked again.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// The most bytes of an answer: an attestation, its calldata, and what each of 2,000 operators did.
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;
/// Refusals after which another gateway may do what one did not.
const OF_THE_GATEWAY: [&str; 3] = ["unavailable", "busy", "rateLimited"];

/// What is asked of a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthorizationRequest {
    /// The contract that checks the authorization.
    pub policy_client: Address,
    /// The call.
    pub intent: Intent,
    /// The nonce. Without one, the client chooses one that it has not used.
    pub nonce: Option<U256>,
    /// The first second at which the attestation is no longer valid. Without one, the gateway chooses.
    pub expiration: Option<u64>,
}

impl AuthorizationRequest {
    /// Creates a request for a call of a client.
    pub fn new(policy_client: Address, intent: Intent) -> Self {
        Self { policy_client, intent, nonce: None, expiration: None }
    }

    /// Returns the same request with a nonce.
    pub fn with_nonce(self, nonce: U256) -> Self {
        Self { nonce: Some(nonce), ..self }
    }

    /// Returns the same request with an expiration, in seconds since the Unix epoch.
    pub fn with_expiration(self, expiration: u64) -> Self {
        Self { expiration: Some(expiration), ..self }
    }
}

/// A handover that is asked of a gateway of the registry's home chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct HandoverRequest {
    /// The epoch that is handed over to.
    pub epoch: EpochId,
    /// The epoch whose operators sign. Without it, the set's epoch before signs.
    pub signed_by: Option<EpochId>,
    /// The share of its weight that must sign, in basis points. Without it, 6,667 must.
    pub quorum: Option<u16>,
}

impl HandoverRequest {
    /// Creates a request for the handover to an epoch.
    pub fn new(epoch: EpochId) -> Self {
        Self { epoch, signed_by: None, quorum: None }
    }

    /// Returns the same request to the operators of another epoch, which is the mirror's latest.
    pub fn with_signed_by(self, signed_by: EpochId) -> Self {
        Self { signed_by: Some(signed_by), ..self }
    }

    /// Returns the same request with a quorum, which is the mirror's.
    pub fn with_quorum(self, quorum: u16) -> Self {
        Self { quorum: Some(quorum), ..self }
    }
}

/// A client of one or more gateways.
pub struct GatewayClient {
    http: Client,
    gateways: Vec<Gateway>,
    /// The gateway that answered last.
    current: AtomicUsize,
    nonces: Mutex<Option<U256>>,
    patience: Duration,
    token: Option<HeaderValue>,
}

struct Gateway {
    url: Url,
    /// Scheme, host and port. The rest can contain a secret.
    name: String,
}

impl GatewayClient {
    /// Creates a client of gateways, in the order in which they are asked.
    ///
    /// # Errors
    ///
    /// [`GatewayError::NoGateway`], [`GatewayError::InvalidUrl`], [`GatewayError::HttpClient`].
    pub fn new<U: AsRef<str>>(urls: impl IntoIterator<Item = U>) -> Result<Self, GatewayError> {
        let gateways = urls.into_iter().map(|url| Gateway::parse(url.as_ref())).collect::<Result<Vec<_>, _>>()?;
        if gateways.is_empty() {
            return Err(GatewayError::NoGateway);
        }
        let http = Client::builder().connect_timeout(OPENING).redirect(reqwest::redirect::Policy::none()).build();
        let http = http.map_err(|error| GatewayError::HttpClient(error.to_string()))?;
        let current = AtomicUsize::new(0);
        Ok(Self { http, gateways, current, nonces: Mutex::default(), patience: PATIENCE, token: None })
    }

    /// Returns the same client with a token, which it sends to each gateway.
    ///
    /// # Errors
    ///
    /// [`GatewayError::InvalidToken`].
    pub fn with_token(self, token: &str) -> Result<Self, GatewayError> {
        let value = HeaderValue::try_from(format!("Bearer {token}"));
        let mut value = value.map_err(|_| GatewayError::InvalidToken)?;
        value.set_sensitive(true);
        Ok(Self { token: Some(value), ..self })
    }

    /// Returns the same client that goes on for another time when no gateway answers. The default is 5 seconds.
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Asks for an authorization, and waits for the operators' decision.
    ///
    /// A denial is a decision, and has an authorization with which no call succeeds. While a gateway says that there is
    /// no decision, it is asked again, and the next one after the second time.
    ///
    /// # Errors
    ///
    /// [`GatewayError::Refused`] if the request is invalid, or the task ends without a decision. It has the code
    /// `pending` if nothing is decided at the request's expiration, or after 300 seconds if it has none;
    /// [`GatewayError::Unreachable`].
    pub async fn request_authorization(&self, request: &AuthorizationRequest) -> Result<DecidedTask, GatewayError> {
        let request = self.with_own_nonce(request)?;
        let mut parameters = parameters(&request);
        if let Value::Object(parameters) = &mut parameters {
            parameters.insert("waitSeconds".to_owned(), WAITING_SECONDS.into());
        }
        let deadline = Instant::now() + lifetime(&request);
        let mut pending = 0_u32;
        loop {
            let answer = self.call("assent_requestAuthorization", &parameters, WAITED, |answer: TaskAnswer| {
                match of_request(answer, &request)?.state {
                    GatewayTaskState::Decided(decided) => Ok(*decided),
                    _ => Err("gave a task without a decision"),
                }
            });
            match answer.await {
                // The task goes on. The same request again waits for it.
                Err(GatewayError::Refused(refusal)) if refusal.code == "pending" && Instant::now() < deadline => {
                    pending = pending.wrapping_add(1);
                }
                result => return result,
            }
            if pending.is_multiple_of(MOST_PENDING) {
                self.current.fetch_add(1, Ordering::Relaxed);
            }
            sleep(PENDING_PAUSE).await;
        }
    }

    /// Asks for an authorization, and returns as soon as a gateway has recorded the task.
    ///
    /// # Errors
    ///
    /// As [`request_authorization`](Self::request_authorization).
    pub async fn submit(&self, request: &AuthorizationRequest) -> Result<GatewayTask, GatewayError> {
        let request = self.with_own_nonce(request)?;
        let parameters = parameters(&request);
        self.call("assent_submitTask", &parameters, WAITED, |answer| of_request(answer, &request)).await
    }

    /// Returns a task.
    ///
    /// # Errors
    ///
    /// [`GatewayError::Refused`] with the code `notFound` if the gateway does not have it;
    /// [`GatewayError::Unreachable`].
    pub async fn task(&self, task_id: B256) -> Result<GatewayTask, GatewayError> {
        self.call("assent_getTask", &json!({ "taskId": task_id }), ANSWERING, |answer| of_id(answer, task_id)).await
    }

    /// Ends a task that is not decided yet, and returns it. A task that is decided stays as it is.
    ///
    /// # Errors
    ///
    /// As [`task`](Self::task).
    pub async fn cancel(&self, task_id: B256) -> Result<GatewayTask, GatewayError> {
        self.call("assent_cancelTask", &json!({ "taskId": task_id }), ANSWERING, |answer| of_id(answer, task_id)).await
    }

    /// Asks an epoch's operators for the handover to a later epoch. Asked again, they sign the same.
    ///
    /// Read the handover from a final block yourself and verify the signature before you rely on it: see
    /// `verify_handover` of [assent-verifier](assent_verifier). A mirror verifies it, too.
    ///
    /// # Errors
    ///
    /// [`GatewayError::Refused`] if the epoch is not final, or too few operators signed; [`GatewayError::Unreachable`].
    pub async fn request_handover(&self, request: &HandoverRequest) -> Result<GatewayHandover, GatewayError> {
        let HandoverRequest { epoch, signed_by, quorum } = *request;
        let mut parameters = json!({ "epoch": u32::from(epoch) });
        if let Value::Object(parameters) = &mut parameters {
            parameters.extend(signed_by.map(|epoch| ("signedBy".to_owned(), u32::from(epoch).into())));
            parameters.extend(quorum.map(|quorum| ("quorum".to_owned(), quorum.into())));
        }
        self.call("assent_requestHandover", &parameters, WAITED, |answer: GatewayHandover| {
            let handover = &answer.handover;
            let is_asked = handover.epoch == epoch && signed_by.is_none_or(|asked| handover.signed_by == asked);
            if is_asked { Ok(answer) } else { Err("gave another handover than it was asked for") }
        })
        .await
    }

    /// Returns whether the first gateway that answers can serve requests.
    ///
    /// # Errors
    ///
    /// [`GatewayError::Unreachable`], [`GatewayError::Refused`].
    pub async fn health(&self) -> Result<GatewayHealth, GatewayError> {
        self.call("assent_health", &json!({}), ANSWERING, Ok).await
    }

    /// Returns the request with a nonce.
    fn with_own_nonce(&self, request: &AuthorizationRequest) -> Result<AuthorizationRequest, GatewayError> {
        let nonce = match request.nonce {
            Some(nonce) => nonce,
            None => self.choose_nonce()?,
        };
        Ok(request.clone().with_nonce(nonce))
    }

    /// Chooses the next of 256 nonces that share a storage slot, which a random number names.
    fn choose_nonce(&self) -> Result<U256, GatewayError> {
        let mut next = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        let nonce = match *next {
            Some(nonce) => nonce,
            None => {
                let mut word = [0; 32];
                getrandom::fill(&mut word).map_err(|_| GatewayError::NoRandomness)?;
                U256::from_be_bytes(word) >> 8 << 8
            }
        };
        *next = (nonce.byte(0) < u8::MAX).then(|| nonce | U256::from(nonce.byte(0).saturating_add(1)));
        Ok(nonce)
    }

    /// Calls a method at the gateways in turn, until one gives an answer that can be used.
    async fn call<A: DeserializeOwned, T>(
        &self,
        method: &str,
        parameters: &Value,
        longest: Duration,
        read: impl Fn(A) -> Result<T, &'static str>,
    ) -> Result<T, GatewayError> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": parameters }).to_string();
        let started = Instant::now();
        let mut pause = SHORTEST_PAUSE;
        loop {
            let mut failures = Vec::new();
            let mut refused = None;
            let first = self.current.load(Ordering::Relaxed);
            for offset in 0..self.gateways.len() {
                let index = first.wrapping_add(offset) % self.gateways.len();
                let Some(gateway) = self.gateways.get(index) else { continue };
                match self.ask(gateway, body.clone(), longest).await {
                    Ok(Ok(answer)) => match serde_json::from_value(answer).map_err(|_| UNEXPECTED).and_then(&read) {
                        Ok(value) => {
                            self.current.store(index, Ordering::Relaxed);
                            return Ok(value);
                        }
                        Err(reason) => failures.push(gateway.failure(reason)),
                    },
                    Ok(Err(refusal)) if OF_THE_GATEWAY.contains(&refusal.code.as_str()) => {
                        refused = Some(refusal);
                    }
                    Ok(Err(refusal)) => {
                        self.current.store(index, Ordering::Relaxed);
                        return Err(GatewayError::Refused(refusal));
                    }
                    Err(reason) => failures.push(gateway.failure(reason)),
                }
            }
            if started.elapsed().saturating_add(pause) > self.patience {
                return Err(refused.map_or(GatewayError::Unreachable(failures), GatewayError::Refused));
            }
            sleep(pause).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }

    /// Sends one call to one gateway. Returns its result, or its refusal, or why there is neither.
    async fn ask(
        &self,
        gateway: &Gateway,
        body: String,
        longest: Duration,
    ) -> Result<Result<Value, Box<GatewayRefusal>>, String> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(token) = &self.token {
            headers.insert(AUTHORIZATION, token.clone());
        }
        let request = self.http.post(gateway.url.clone()).headers(headers).body(body).timeout(longest);
        let response = request.send().await.map_err(|error| cause(error, longest))?;
        let status = response.status();
        let text = read_bounded(response, longest).await?;
        let Ok(answer) = serde_json::from_slice::<RpcAnswer>(&text) else {
            return Err(format!("answers HTTP {status} without a result"));
        };
        match (answer.result, answer.error) {
            (Some(result), None) => Ok(Ok(result)),
            (None, Some(error)) => Ok(Err(Box::new(error.into_refusal(&gateway.name)))),
            _ => Err(UNEXPECTED.to_owned()),
        }
    }
}

const UNEXPECTED: &str = "gave an answer that no gateway gives";

impl fmt::Debug for GatewayClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.gateways.iter().map(|gateway| &gateway.name).collect();
        f.debug_struct("GatewayClient").field("gateways", &names).finish_non_exhaustive()
    }
}

impl Gateway {
    fn parse(text: &str) -> Result<Self, GatewayError> {
        let url: Url = text.parse().map_err(|_| GatewayError::InvalidUrl)?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(GatewayError::InvalidUrl);
        }
        Ok(Self { name: url.origin().ascii_serialization(), url })
    }

    fn failure(&self, reason: impl Into<String>) -> GatewayFailure {
        GatewayFailure { gateway: self.name.clone(), reason: reason.into() }
    }
}

/// The text of a JSON-RPC answer.
#[derive(Deserialize)]
struct RpcAnswer {
    result: Option<Value>,
    error: Option<RpcErrorAnswer>,
}

/// Returns how long an authorization of a request can be valid.
fn lifetime(request: &AuthorizationRequest) -> Duration {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let left = request.expiration.map(|expiration| Duration::from_secs(expiration).saturating_sub(now));
    // What no gateway would accept is bounded, too.
    left.unwrap_or(LONGEST_LIFETIME).min(Duration::from_secs(u32::MAX.into()))
}

fn parameters(request: &AuthorizationRequest) -> Value {
    let AuthorizationRequest { policy_client, intent, nonce, expiration } = request;
    let mut parameters = json!({ "policyClient": policy_client, "intent": intent });
    if let Value::Object(parameters) = &mut parameters {
        parameters.extend(nonce.map(|nonce| ("nonce".to_owned(), nonce.to_string().into())));
        parameters.extend(expiration.map(|expiration| ("expiration".to_owned(), expiration.into())));
    }
    parameters
}

/// Returns the task, if it is what was asked for.
fn of_request(answer: TaskAnswer, request: &AuthorizationRequest) -> Result<GatewayTask, &'static str> {
    let task = answer.into_task()?;
    let is_asked = task.policy_client == request.policy_client
        && task.intent == request.intent
        && Some(task.nonce) == request.nonce
        && request.expiration.is_none_or(|expiration| task.expiration == expiration);
    if is_asked { Ok(task) } else { Err("gave another task than it was asked for") }
}

fn of_id(answer: TaskAnswer, task_id: B256) -> Result<GatewayTask, &'static str> {
    let task = answer.into_task()?;
    if task.task_id == task_id { Ok(task) } else { Err("gave another task than it was asked for") }
}

async fn read_bounded(mut response: Response, longest: Duration) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| cause(error, longest))? {
        if text.len().saturating_add(chunk.len()) > LONGEST_ANSWER {
            return Err(format!("gave an answer of more than {LONGEST_ANSWER} bytes"));
        }
        text.extend_from_slice(&chunk);
    }
    Ok(text)
}

/// Returns why there is no answer, without the URL, which can contain a secret.
fn cause(error: reqwest::Error, longest: Duration) -> String {
    if error.is_timeout() {
        return format!("gave no answer within {} s", longest.as_secs());
    }
    let error = error.without_url();
    let mut deepest: &dyn std::error::Error = &error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    format!("cannot be reached: {deepest}")
}
