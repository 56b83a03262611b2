//! Reads and writes of the stream, each tried again while the servers are gone.

use core::error::Error as _;
use core::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy_primitives::{B256, Bytes as NoteBytes, hex};
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::message::{PublishMessage, StreamMessage};
use async_nats::jetstream::stream::{
    Config, DiscardPolicy, LastRawMessageErrorKind, RetentionPolicy, StorageType, Stream,
};
use async_nats::jetstream::{Context, context::ContextBuilder};
use async_nats::{ConnectOptions, Event, ServerAddr};
use bytes::Bytes;
use futures_util::{StreamExt, future::join};
use percent_encoding::percent_decode_str;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::credentials::with_credentials;
use super::locked;
use super::options::NatsOptions;
use super::record::{Entry, StateHeader, Subjects, TaskHeader};
use crate::error::{OpenError, TaskLogError};
use crate::task::{Task, TaskRecord};

/// How long one request waits for its answer.
const ANSWER: Duration = Duration::from_secs(2);
/// How long an operation tries again.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// How long an operation waits before it tries again.
const PAUSE: Duration = Duration::from_millis(100);
/// Within which time the server knows a repeated write. No operation is repeated longer.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(120);
/// How many states of a task the stream keeps: all of one that is claimed once, so that subscribers see each.
const STATES: i64 = 8;
/// How long a refusal of the server says that the stream is full.
const REMEMBERED_REFUSAL: Duration = Duration::from_secs(10);
/// How many messages one request for a list gets.
const LIST: usize = 500;

/// Returns a part of a URL as it was before it was encoded.
fn decoded(part: &str) -> String {
    percent_decode_str(part).decode_utf8_lossy().into_owned()
}

/// The stream of a log.
#[derive(Clone)]
pub(super) struct Store {
    context: Context,
    stream: Stream<()>,
    pub(super) subjects: Subjects,
    /// Counts connections to a server.
    connections: watch::Receiver<u64>,
    /// When the server last refused a message because the stream is full, and what it said.
    refused: Arc<Mutex<Option<(Instant, TaskLogError)>>>,
}

/// The result of a write that expects a revision.
// Complete: it is written, or the revision is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    Written(u64),
    Conflict,
}

/// A task as the stream has it.
pub(super) struct Current {
    pub(super) record: TaskRecord,
    pub(super) number: u64,
    /// The sequence of the last message under the state's subject, or 0.
    pub(super) revision: u64,
}

impl Store {
    pub(super) async fn connect(options: NatsOptions) -> Result<Self, OpenError> {
        let (counter, connections) = watch::channel(0);
        let counter = Arc::new(counter);
        let mut connection = ConnectOptions::new().name("assent task log").connection_timeout(ANSWER);
        connection = connection.reconnect_delay_callback(|tries| PAUSE * u32::try_from(tries).unwrap_or(20).min(20));
        connection = connection.event_callback(move |event| {
            if matches!(event, Event::Connected) {
                counter.send_modify(|count| *count = u64::wrapping_add(*count, 1));
            }
            async {}
        });
        if let Some(path) = &options.root_certificates {
            connection = connection.add_root_certificates(path.clone());
        }
        if let Some((certificate, key)) = &options.client_certificate {
            connection = connection.add_client_certificate(certificate.clone(), key.clone());
        }
        // The library reads no credentials from addresses.
        let mut addresses = options.servers.iter().filter_map(|server| server.parse::<ServerAddr>().ok());
        connection = match (addresses.find(ServerAddr::has_user_pass), &options.credentials) {
            (None, None) => connection,
            (None, Some(path)) => with_credentials(connection, path)?,
            (Some(address), None) => {
                let name = decoded(address.username().unwrap_or_default());
                match address.password() {
                    Some(password) => connection.user_and_password(name, decoded(password)),
                    None => connection.token(name),
                }
            }
            (Some(_), Some(_)) => {
                let reason = "an address has a name or a token, too; give one of the two";
                return Err(OpenError::Credentials(reason.to_owned()));
            }
        };
        let client = connection.connect(&options.servers).await.map_err(unreachable)?;
        let context = ContextBuilder::new().timeout(ANSWER).ack_timeout(ANSWER).build(client);
        let config = config(&options);
        let mut stream = context.get_or_create_stream(config.clone()).await.map_err(unreachable)?;
        let found = &stream.info().await.map_err(unreachable)?.config;
        if let Some(reason) = difference(&config, found) {
            return Err(OpenError::OtherStream { stream: options.stream, reason });
        }
        let stream = context.get_stream_no_info(&options.stream).await.map_err(unreachable)?;
        Ok(Self { context, stream, subjects: Subjects(options.stream), connections, refused: Arc::default() })
    }

    /// Returns why the last write was refused, if that is not long ago.
    pub(super) fn failure(&self) -> Option<TaskLogError> {
        let refused = locked(&self.refused).clone();
        refused.filter(|(at, _)| at.elapsed() < REMEMBERED_REFUSAL).map(|(_, error)| error)
    }

    /// Returns what changes when the client has connected again.
    pub(super) fn connections(&self) -> watch::Receiver<u64> {
        self.connections.clone()
    }

    pub(super) const fn stream(&self) -> &Stream<()> {
        &self.stream
    }

    /// Writes a task, unless there is one with its id.
    pub(super) async fn put_task(&self, task: &Task, lease: Option<(String, u64)>) -> Result<Put, TaskLogError> {
        let body = Bytes::copy_from_slice(&task.body);
        let header = TaskHeader { caller: task.caller.clone(), deadline: task.deadline, lease };
        self.put(self.subjects.task(task.id), Some(header.header()), body, 0).await
    }

    /// Writes a note, unless the task has one.
    pub(super) async fn put_note(&self, id: B256, number: u64, note: &[u8]) -> Result<Put, TaskLogError> {
        self.put(self.subjects.note(id, number), None, Bytes::copy_from_slice(note), 0).await
    }

    /// Writes that a caller has a task.
    pub(super) async fn put_caller(&self, task: &Task) -> Result<Put, TaskLogError> {
        self.put(self.subjects.task_of_caller(&task.caller, task.id), None, Bytes::new(), 0).await
    }

    /// Writes a state, if the one before has the revision.
    pub(super) async fn put_state(
        &self,
        id: B256,
        header: &StateHeader,
        payload: &[u8],
        revision: u64,
    ) -> Result<Put, TaskLogError> {
        let payload = Bytes::copy_from_slice(payload);
        let subject = self.subjects.state(id);
        let put = self.put(subject.clone(), Some(header.header()), payload.clone(), revision).await?;
        if put == Put::Conflict && revision == 0 {
            // A state of a forgotten task with this id, which a crash left there.
            let left = self.state(id).await?.filter(|(left, ..)| left.number != header.number);
            if let Some((_, _, revision)) = left {
                return self.put(subject, Some(header.header()), payload, revision).await;
            }
        }
        Ok(put)
    }

    /// Writes a message, if the last one under its subject has a sequence. The server carries it out at most once.
    async fn put(
        &self,
        subject: String,
        header: Option<(&'static str, String)>,
        payload: Bytes,
        expected: u64,
    ) -> Result<Put, TaskLogError> {
        let mut message = PublishMessage::build()
            .payload(payload)
            .message_id(unique_id()?)
            .expected_stream(&self.subjects.0)
            .expected_last_subject_sequence(expected);
        if let Some((name, value)) = header {
            message = message.header(name, value.as_str());
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let written = match self.context.send_publish(subject.clone(), message.clone()).await {
                Ok(answer) => answer.await,
                Err(error) => Err(error),
            };
            let error = match written {
                Ok(answer) => {
                    *locked(&self.refused) = None;
                    return Ok(Put::Written(answer.sequence));
                }
                Err(error) => error,
            };
            match error.kind() {
                PublishErrorKind::WrongLastSequence => return Ok(Put::Conflict),
                PublishErrorKind::MaxAckPending => return Err(TaskLogError::Busy),
                PublishErrorKind::MaxPayloadExceeded => {
                    return Err(unavailable(format!("{error}; the server's max_payload is too small")));
                }
                _ if is_full(&error) => {
                    let error = TaskLogError::NoSpace(cause(&error).into());
                    *locked(&self.refused) = Some((Instant::now(), error.clone()));
                    return Err(error);
                }
                _ => try_again(deadline, error.to_string()).await?,
            }
        }
    }

    /// Returns a task and its state.
    pub(super) async fn current(&self, id: B256) -> Result<Option<Current>, TaskLogError> {
        let (message, last) = join(self.last(self.subjects.task(id)), self.state(id)).await;
        let Some(message) = message? else { return Ok(None) };
        let (number, last) = (message.sequence, last?);
        let (task, header) = self.read_task(message)?;
        let revision = last.as_ref().map_or(0, |(_, _, revision)| *revision);
        let (state, claims) = match last.filter(|(header, ..)| header.number == number) {
            Some((header, payload, _)) => (header.state(&payload), header.claims),
            None => header.state(),
        };
        Ok(Some(Current { record: TaskRecord { task, state, claims, note: None }, number, revision }))
    }

    /// Returns a task with its state and its note.
    pub(super) async fn record(&self, id: B256) -> Result<Option<TaskRecord>, TaskLogError> {
        let Some(Current { record, number, .. }) = self.current(id).await? else { return Ok(None) };
        Ok(Some(TaskRecord { note: self.note(id, number).await?, ..record }))
    }

    /// Returns the note of the task with a number.
    pub(super) async fn note(&self, id: B256, number: u64) -> Result<Option<NoteBytes>, TaskLogError> {
        Ok(self.last(self.subjects.note(id, number)).await?.map(|message| message.payload.into()))
    }

    /// Returns the last state under a task's id, its payload and its sequence.
    pub(super) async fn state(&self, id: B256) -> Result<Option<(StateHeader, Bytes, u64)>, TaskLogError> {
        let Some(message) = self.last(self.subjects.state(id)).await? else { return Ok(None) };
        match self.subjects.entry(&message.subject, &message.headers) {
            Some(Entry::State { header, .. }) => Ok(Some((header, message.payload, message.sequence))),
            _ => Err(unreadable(&message)),
        }
    }

    /// Returns the task with a number.
    pub(super) async fn task(&self, number: u64) -> Result<Option<Task>, TaskLogError> {
        let message = self.message(number).await?;
        Ok(message.map(|message| self.read_task(message)).transpose()?.map(|(task, _)| task))
    }

    /// Returns the message with a sequence.
    pub(super) async fn message(&self, sequence: u64) -> Result<Option<StreamMessage>, TaskLogError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.stream.get_raw_message(sequence).await {
                Ok(message) => return Ok(Some(message)),
                Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => return Ok(None),
                Err(error) => try_again(deadline, error.to_string()).await?,
            }
        }
    }

    async fn last(&self, subject: String) -> Result<Option<StreamMessage>, TaskLogError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.stream.get_last_raw_message_by_subject(&subject).await {
                Ok(message) => return Ok(Some(message)),
                Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => return Ok(None),
                Err(error) => try_again(deadline, error.to_string()).await?,
            }
        }
    }

    fn read_task(&self, message: StreamMessage) -> Result<(Task, TaskHeader), TaskLogError> {
        match self.subjects.entry(&message.subject, &message.headers) {
            Some(Entry::Task { id, header }) => {
                let (caller, deadline) = (header.caller.clone(), header.deadline);
                Ok((Task { id, caller, deadline, body: message.payload.into() }, header))
            }
            _ => Err(unreadable(&message)),
        }
    }

    /// Returns every task and its last state, in the stream's order, without payloads.
    pub(super) async fn entries(&self) -> Result<Vec<(u64, Entry)>, TaskLogError> {
        let messages = self.list(self.subjects.tasks(), DeliverPolicy::LastPerSubject).await?;
        let entries = messages.into_iter().filter_map(|message| {
            let sequence = message.info().ok()?.stream_sequence;
            let headers = message.headers.as_ref()?;
            Some((sequence, self.subjects.entry(&message.subject, headers)?))
        });
        Ok(entries.collect())
    }

    /// Returns the ids of a caller's tasks, the first first. Some may not be there.
    pub(super) async fn ids_of_caller(&self, caller: &str) -> Result<Vec<B256>, TaskLogError> {
        let filter = format!("{}.*", self.subjects.caller(caller));
        let messages = self.list(filter, DeliverPolicy::All).await?;
        Ok(messages.iter().filter_map(|message| Subjects::id_of_caller(&message.subject)).collect())
    }

    /// Returns the messages under subjects, without payloads.
    async fn list(
        &self,
        filter_subject: String,
        deliver_policy: DeliverPolicy,
    ) -> Result<Vec<async_nats::jetstream::Message>, TaskLogError> {
        let config = reading(filter_subject, deliver_policy);
        let created = timeout(PATIENCE, self.stream.create_consumer(config)).await.map_err(unavailable)?;
        let consumer = created.map_err(unavailable)?;
        let mut left = consumer.cached_info().num_pending;
        let mut messages = Vec::new();
        while left > 0 {
            let fetch = consumer.fetch().max_messages(LIST).messages().await.map_err(unavailable)?;
            let mut batch = Box::pin(fetch);
            let before = messages.len();
            while let Some(message) = timeout(PATIENCE, batch.next()).await.map_err(unavailable)? {
                let message = message.map_err(unavailable)?;
                left = message.info().map_err(unavailable)?.pending;
                messages.push(message);
            }
            if messages.len() == before {
                return Err(unavailable("a list of messages is incomplete"));
            }
        }
        // It would end by itself.
        let _ = self.stream.delete_consumer(&consumer.cached_info().name).await;
        Ok(messages)
    }

    /// Removes a task that has ended, whose last message has a sequence. Returns whether it was there.
    pub(super) async fn remove(&self, id: B256, number: u64, last: u64, caller: String) -> Result<bool, TaskLogError> {
        // A task with the same id that is appended meanwhile has later messages.
        self.purge(self.subjects.task_of_caller(&caller, id), number).await?;
        Ok(self.purge(self.subjects.of_task(id), last).await? > 0)
    }

    /// Removes the messages under subjects up to one with a sequence. Returns how many.
    pub(super) async fn purge(&self, filter: String, last: u64) -> Result<u64, TaskLogError> {
        let purge = self.stream.purge().filter(filter).sequence(last.saturating_add(1));
        let purged = timeout(PATIENCE, purge).await.map_err(unavailable)?;
        Ok(purged.map_err(unavailable)?.purged)
    }
}

/// Returns the configuration of a consumer that reads messages without payloads, and ends by itself.
pub(super) fn reading(filter_subject: String, deliver_policy: DeliverPolicy) -> pull::Config {
    pull::Config {
        filter_subject,
        deliver_policy,
        ack_policy: AckPolicy::None,
        headers_only: true,
        memory_storage: true,
        num_replicas: 1,
        inactive_threshold: Duration::from_secs(60),
        ..pull::Config::default()
    }
}

fn config(options: &NatsOptions) -> Config {
    let NatsOptions { stream, replicas, max_bytes, .. } = options;
    Config {
        name: stream.clone(),
        description: Some("Assent's task log".to_owned()),
        subjects: vec![Subjects(stream.clone()).all()],
        storage: StorageType::File,
        retention: RetentionPolicy::Limits,
        // A full stream refuses what is new; it drops nothing.
        discard: DiscardPolicy::New,
        max_messages_per_subject: STATES,
        max_bytes: max_bytes.map_or(-1, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX)),
        max_messages: -1,
        max_consumers: -1,
        duplicate_window: DUPLICATE_WINDOW,
        num_replicas: *replicas,
        ..Config::default()
    }
}

/// Returns what makes a stream no task log. Bounds and replicas may be changed at the server.
fn difference(expected: &Config, found: &Config) -> Option<String> {
    let checks = [
        (found.subjects == expected.subjects, format!("its subjects are {:?}", found.subjects)),
        (found.storage == StorageType::File, "it is not stored in files".to_owned()),
        (found.retention == RetentionPolicy::Limits, "its retention is not by limits".to_owned()),
        (found.discard == DiscardPolicy::New, "it drops old messages when it is full".to_owned()),
        (found.max_age.is_zero(), "its messages end by age".to_owned()),
        (!found.deny_delete && !found.deny_purge, "its messages cannot be deleted".to_owned()),
        (!found.no_ack, "it does not acknowledge".to_owned()),
        (found.duplicate_window >= PATIENCE, "its window for duplicates is too short".to_owned()),
    ];
    checks.into_iter().find(|(holds, _)| !holds).map(|(_, reason)| reason)
}

/// Returns whether the server refused a message because the stream, or the server's storage, is full.
fn is_full(error: &PublishError) -> bool {
    let refusal = error.source().and_then(|source| source.downcast_ref::<async_nats::jetstream::Error>());
    refusal.is_some_and(|refusal| {
        matches!(refusal.error_code(), ErrorCode::INSUFFICIENT_RESOURCES | ErrorCode::STORAGE_RESOURCES_EXCEEDED)
            || (refusal.error_code() == ErrorCode::STREAM_STORE_FAILED && refusal.to_string().contains("maximum bytes"))
    })
}

fn cause(error: &PublishError) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

/// Waits before another try, unless the time for tries is over.
async fn try_again(deadline: Instant, reason: String) -> Result<(), TaskLogError> {
    if Instant::now() + PAUSE >= deadline {
        return Err(unavailable(reason));
    }
    sleep(PAUSE).await;
    Ok(())
}

fn unavailable(reason: impl fmt::Display) -> TaskLogError {
    TaskLogError::Unavailable(reason.to_string().into())
}

fn unreachable(error: impl fmt::Display) -> OpenError {
    OpenError::Unreachable(error.to_string())
}

fn unreadable(message: &StreamMessage) -> TaskLogError {
    TaskLogError::Failed(format!("message {} of the stream cannot be read", message.sequence).into())
}

/// Returns an id that no other message has.
fn unique_id() -> Result<String, TaskLogError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| TaskLogError::Failed(error.to_string().into()))?;
    Ok(hex::encode(bytes))
}
