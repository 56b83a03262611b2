//! JSON-RPC 2.0: calls, batches of them, and notifications.
//!
//! An id is echoed as it was written. The text of a call is read strictly: an unknown or repeated member is an error.

pub(crate) mod absent;
pub(crate) mod answers;
pub(crate) mod error;
pub(crate) mod methods;
pub(crate) mod openrpc;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use assent_json::{Object, Value};
use futures_util::future::join_all;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use self::error::RpcError;
use self::methods::{MethodSpec, Parameters};
use crate::{
    service::{HeldText, Service},
    subscriptions::Subscriptions,
};

/// The most bytes of a batch's answers.
const MAX_BATCH_ANSWER: usize = 20 * 1024 * 1024;

/// Who calls, and how.
#[derive(Clone)]
pub(crate) struct CallContext {
    /// The caller: its token's name, or its address.
    pub(crate) caller: Arc<str>,
    /// The subscriptions of the caller's WebSocket.
    pub(crate) subscriptions: Option<Arc<Subscriptions>>,
}

/// A text that was read as far as needed to know how many calls it has.
pub(crate) enum Incoming<'a> {
    Single(&'a RawValue),
    Batch(Vec<&'a RawValue>),
}

impl<'a> Incoming<'a> {
    pub(crate) fn parse(text: &'a [u8], max_batch: usize) -> Result<Self, RpcError> {
        let text = core::str::from_utf8(text).map_err(|_| RpcError::parse("the text is not UTF-8"))?;
        let raw: &RawValue =
            serde_json::from_str(text).map_err(|error| RpcError::parse(format!("the text is not JSON: {error}")))?;
        if !raw.get().starts_with('[') {
            return Ok(Self::Single(raw));
        }
        let calls: Vec<&RawValue> = serde_json::from_str(raw.get())
            .map_err(|error| RpcError::parse(format!("the text is not JSON: {error}")))?;
        match calls.len() {
            0 => Err(RpcError::invalid_request("the batch is empty")),
            count if count > max_batch => {
                Err(RpcError::invalid_request(format!("the batch has {count} calls, more than {max_batch}")))
            }
            _ => Ok(Self::Batch(calls)),
        }
    }

    /// Returns how many calls it has.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Single(_) => 1,
            Self::Batch(calls) => calls.len(),
        }
    }

    /// Returns the text of an error for all calls, with the id of a single one.
    pub(crate) fn refuse(&self, error: &RpcError) -> String {
        let id = match self {
            Self::Single(call) => serde_json::from_str::<Envelope<'_>>(call.get()).ok().and_then(|call| call.id),
            Self::Batch(_) => None,
        };
        let id = id.map_or("null", RawValue::get);
        response(if is_id(id) { id } else { "null" }, &Err(error.clone()))
    }

    /// Makes the calls. Returns the answer; notifications have none.
    pub(crate) async fn answer(&self, service: &Service, context: &CallContext) -> Option<HeldAnswer> {
        let Answered { text, is_busy } = match self {
            Self::Single(call) => answer_one(call, service, context).await?,
            Self::Batch(calls) => {
                // What has no room is dropped at once: a batch's answers are all in memory before one is sent.
                let room = AtomicUsize::new(MAX_BATCH_ANSWER);
                let answers = join_all(calls.iter().map(|call| answer_in(&room, call, service, context))).await;
                let answers: Vec<String> = answers.into_iter().flatten().map(|answer| answer.text).collect();
                if answers.is_empty() {
                    return None;
                }
                Answered { text: format!("[{}]", answers.join(",")), is_busy: false }
            }
        };
        match service.hold(&context.caller, text) {
            Some(text) => Some(HeldAnswer { text: AnswerText::Held(text), is_busy }),
            None => {
                let error = RpcError::busy("too many answers wait for the caller to read them");
                Some(HeldAnswer { text: AnswerText::Short(self.refuse(&error)), is_busy: true })
            }
        }
    }
}

/// Makes a call of a batch whose answers have some room left.
async fn answer_in(room: &AtomicUsize, call: &RawValue, service: &Service, context: &CallContext) -> Option<Answered> {
    let answer = answer_one(call, service, context).await?;
    let length = answer.text.len();
    let left = room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(length));
    if left.is_ok() {
        return Some(answer);
    }
    let error = RpcError::answers_too_long(MAX_BATCH_ANSWER);
    Some(Answered { text: Incoming::Single(call).refuse(&error), is_busy: false })
}

/// The answer to a call.
struct Answered {
    text: String,
    /// Whether the gateway has too much to do for the call.
    is_busy: bool,
}

/// The answer to a text, which counts until the caller has read it.
pub(crate) struct HeldAnswer {
    pub(crate) text: AnswerText,
    /// Whether the gateway has too much to do for the call, which is the only one.
    pub(crate) is_busy: bool,
}

/// The text of an answer.
pub(crate) enum AnswerText {
    Held(HeldText),
    /// One that needs no room: an error.
    Short(String),
}

impl AnswerText {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Held(text) => text.as_str(),
            Self::Short(text) => text,
        }
    }
}

impl AsRef<[u8]> for AnswerText {
    fn as_ref(&self) -> &[u8] {
        self.as_str().as_bytes()
    }
}

impl Answered {
    fn new(id: &str, result: &Result<String, RpcError>) -> Self {
        let is_busy = result.as_ref().is_err_and(RpcError::is_busy);
        Self { text: response(id, result), is_busy }
    }
}

/// Returns the text of an error that belongs to no call.
pub(crate) fn error_text(error: &RpcError) -> String {
    response("null", &Err(error.clone()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
}

/// Reads a member that is there, also if it is null.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

async fn answer_one(call: &RawValue, service: &Service, context: &CallContext) -> Option<Answered> {
    let refuse = |error| Some(Answered::new("null", &Err(error)));
    // An array of an object's members would be read as the object.
    if !call.get().starts_with('{') {
        return refuse(RpcError::invalid_request("a call is an object"));
    }
    let envelope: Envelope<'_> = match serde_json::from_str(call.get()) {
        Ok(envelope) => envelope,
        Err(error) => return refuse(RpcError::invalid_request(error.to_string())),
    };
    let id = match envelope.id.map(|id| id.get()) {
        Some(id) if !is_id(id) => {
            return refuse(RpcError::invalid_request("an id is a string, a number, or null"));
        }
        id => id,
    };
    let (method, parameters) = match prepare(&envelope) {
        Ok(prepared) => prepared,
        Err(error) => {
            return match id {
                Some(id) => Some(Answered::new(id, &Err(error))),
                // What is no valid request is no notification either, but a method that is not there may be one.
                None if error.code == error::INVALID_REQUEST => refuse(error),
                None => None,
            };
        }
    };
    let result = (method.handler)(service, context, parameters).await;
    let outcome = result.as_ref().map_or_else(|error| error.data.code, |_| "ok");
    service.metrics.count_call(method.name, outcome);
    id.map(|id| Answered::new(id, &result))
}

fn prepare(envelope: &Envelope<'_>) -> Result<(&'static MethodSpec, Parameters), RpcError> {
    let text = |member: Option<&RawValue>| member.and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
    if text(envelope.jsonrpc).as_deref() != Some("2.0") {
        return Err(RpcError::invalid_request("the member jsonrpc is not \"2.0\""));
    }
    let method = text(envelope.method).ok_or_else(|| RpcError::invalid_request("the member method is no string"))?;
    let params = envelope.params.map_or("{}", |params| params.get());
    if !params.starts_with(['{', '[']) {
        return Err(RpcError::invalid_request("the member params is neither an array nor an object"));
    }
    let spec = methods::METHODS.iter().find(|known| known.name == method);
    let spec = spec.ok_or_else(|| RpcError::method_not_found(&method))?;
    let value = assent_json::parse(params.as_bytes())
        .map_err(|error| RpcError::invalid_params(format!("the parameters are not strict JSON: {error}")))?;
    Ok((spec, Parameters::new(named(spec, value)?)))
}

/// Names parameters that were given by position, and refuses those that the method does not have.
fn named(spec: &MethodSpec, value: Value) -> Result<Object, RpcError> {
    let names = || spec.parameters.iter().map(|parameter| parameter.name);
    let object = match value {
        Value::Object(object) => object,
        Value::Array(values) if values.len() <= spec.parameters.len() => {
            // As in TypeScript, null by position is a parameter that is not given.
            let given = names().zip(values).filter(|(_, value)| *value != Value::Null);
            given.collect()
        }
        _ => {
            let most = spec.parameters.len();
            return Err(RpcError::invalid_params(format!("{} has at most {most} parameters", spec.name)));
        }
    };
    if let Some(unknown) = object.keys().find(|key| !names().any(|name| name == *key)) {
        return Err(RpcError::invalid_params(format!("{} has no parameter {unknown:?}", spec.name)));
    }
    let missing = spec.parameters.iter().find(|parameter| parameter.required && object.get(parameter.name).is_none());
    match missing {
        Some(missing) => Err(RpcError::invalid_params(format!("the parameter {} is missing", missing.name))),
        None => Ok(object),
    }
}

/// Returns whether a JSON value can be an id.
fn is_id(raw: &str) -> bool {
    match raw.as_bytes().first() {
        Some(b'"') => serde_json::from_str::<String>(raw).is_ok(),
        Some(b'-' | b'0'..=b'9') => true,
        _ => raw == "null",
    }
}

fn response(id: &str, result: &Result<String, RpcError>) -> String {
    match result {
        Ok(result) => format!(r#"{{"id":{id},"jsonrpc":"2.0","result":{result}}}"#),
        Err(error) => format!(r#"{{"error":{},"id":{id},"jsonrpc":"2.0"}}"#, error.to_json()),
    }
}
