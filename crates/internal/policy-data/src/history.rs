//! The built-in source `history`: events in a window before the reference block.
//!
//! It needs no component. Its output is exact, and the same for every honest node:
//!
//! ```json
//! {"count":"2","events":[{"args":{"value":"5"},"block":"19","time":"1700000000"}],"from_block":"12","sum":"5"}
//! ```
//!
//! `sum` and `events` are there only if the query asks for them.

pub use crate::{
    error::HistoryError,
    query::{HistoryQuery, Window},
};
use crate::{
    error::ObserveError,
    exchange::{Answer, Header, Log, LogFilter, Question},
    limits,
    recording::{Answers, RecordedSource, Recording, SourceRun, compare, parse_output},
    request::ObservationRequest,
    world::World,
};
use alloy_dyn_abi::{DynSolType, DynSolValue, EventExt, Specifier};
use alloy_json_abi::Event;
use alloy_primitives::{Address, B256, LogData, U256, hex};
use assent_json::{Object, Value};
/// Header reads for a window in seconds, and for the events that are listed, with room for reads of logs.
const READS: usize = 256;

/// Answers a query for a task.
///
/// # Errors
/// If the query is malformed or reaches a limit, or the chain cannot be read.
pub fn observe(query: &HistoryQuery, request: &ObservationRequest, world: &World) -> Result<SourceRun, ObserveError> {
    run(query, request.to_json()?, Answers::of_world(world.clone(), request.block))
}

/// Repeats a recorded answer, offline and to the byte.
///
/// # Errors
/// As [`observe`]; and if the recording is of another query, or differs.
pub fn replay(query: &HistoryQuery, recording: &Recording) -> Result<SourceRun, ObserveError> {
    recording.check(&RecordedSource::History(query.clone()))?;
    let observation = run(query, recording.request.clone(), Answers::of_recording(recording))?;
    compare(observation, recording)
}

fn run(query: &HistoryQuery, text: String, answers: Answers) -> Result<SourceRun, ObserveError> {
    let request = assent_json::parse(text.as_bytes()).map_err(ObserveError::Output)?;
    let resolved = Resolved::new(query, &request)?;
    let mut reader = Reader { answers: answers.permit_chain_reads(READS) };
    let first = first_block(query.window, &request, &mut reader)?;
    let last = number(&request, "task.block")?;
    let logs = reader.logs(&resolved, first, last)?;
    let output = resolved.output(query, first, &logs, &mut reader)?;
    let output = parse_output(&output.to_canonical())?;
    let recording = reader.answers.finish(RecordedSource::History(query.clone()), text, &output)?;
    Ok(SourceRun { output, recording, fuel: 0 })
}

/// A query whose names are resolved for a task.
struct Resolved {
    event: Event,
    address: Address,
    topics: Vec<Vec<B256>>,
    sum: Option<String>,
}

impl HistoryQuery {
    /// Checks that the query can be answered, as far as that does not depend on the task.
    ///
    /// # Errors
    /// If the event does not parse or lacks an argument, a value is not of its type, or the window is empty or too
    /// long.
    pub fn check(&self) -> Result<(), HistoryError> {
        let event = self.event()?;
        for (name, operand) in self.arguments.iter().filter(|(_, operand)| !is_path(operand)) {
            let input = event.inputs.iter().find(|input| input.name == *name);
            literal(operand, input.map_or("", |input| &input.ty))?;
        }
        if !is_path(&self.address) {
            literal(&self.address, "address")?;
        }
        match self.window {
            Window::Blocks(0) | Window::Seconds(0) => Err(HistoryError::EmptyWindow),
            Window::Blocks(blocks) if blocks > limits::HISTORY_BLOCKS => Err(HistoryError::WindowTooLong),
            Window::Blocks(_) | Window::Seconds(_) => Ok(()),
        }
    }

    /// Parses the event, and checks that it has the arguments that the query names.
    fn event(&self) -> Result<Event, HistoryError> {
        let malformed = |detail: String| HistoryError::Event { event: self.event.clone(), detail };
        let event = Event::parse(&self.event).map_err(|error| malformed(error.to_string()))?;
        if event.anonymous {
            return Err(malformed("an anonymous event has no topic by which it is found".to_owned()));
        }
        event.resolve().map_err(|error| malformed(error.to_string()))?;
        let is_indexed = |name: &&String| event.inputs.iter().any(|input| input.indexed && input.name == **name);
        if let Some(name) = self.arguments.keys().find(|name| !is_indexed(name)) {
            return Err(HistoryError::NotIndexed { name: name.clone() });
        }
        let is_summable = |name: &&String| {
            event
                .inputs
                .iter()
                .any(|input| input.name == **name && input.ty.starts_with("uint") && !input.ty.ends_with(']'))
        };
        if let Some(name) = self.sum.as_ref().filter(|name| !is_summable(name)) {
            return Err(HistoryError::NotSummable { name: name.clone() });
        }
        Ok(event)
    }
}

impl Resolved {
    fn new(query: &HistoryQuery, request: &Value) -> Result<Self, HistoryError> {
        let event = query.event()?;
        let mut topics = vec![vec![event.selector()]];
        for input in event.inputs.iter().filter(|input| input.indexed) {
            let operand = query.arguments.get(&input.name);
            let topic = operand.map(|operand| topic(operand, &input.ty, request)).transpose()?;
            topics.push(topic.into_iter().collect());
        }
        let address = Address::from_word(topic(&query.address, "address", request)?);
        Ok(Self { event, address, topics, sum: query.sum.clone() })
    }

    fn output(
        &self,
        query: &HistoryQuery,
        first: u64,
        logs: &[Log],
        reader: &mut Reader,
    ) -> Result<Value, ObserveError> {
        let events = logs.iter().map(|log| self.decode(log)).collect::<Result<Vec<_>, _>>()?;
        let mut output = Object::default();
        output.insert("count", Value::String(logs.len().to_string()));
        output.insert("from_block", Value::String(first.to_string()));
        if let Some(name) = &self.sum {
            output.insert("sum", Value::String(self.sum(name, &events)?.to_string()));
        }
        if query.events {
            let skipped = logs.len().saturating_sub(limits::HISTORY_LISTED);
            let newest = logs.iter().zip(&events).skip(skipped);
            let listed = newest.map(|(log, event)| self.list(log, event, reader)).collect::<Result<Vec<_>, _>>()?;
            output.insert("events", Value::Array(listed));
        }
        Ok(Value::Object(output))
    }

    /// Returns the values of the event's arguments, in its order.
    fn decode(&self, log: &Log) -> Result<Vec<DynSolValue>, HistoryError> {
        let error = |detail: String| {
            let (block_number, log_index) = (log.block_number, log.log_index);
            HistoryError::Log { block_number, log_index, detail }
        };
        let data = LogData::new(log.topics.clone(), log.data.clone());
        let data = data.ok_or_else(|| error("it has too many topics".to_owned()))?;
        let decoded = self.event.decode_log(&data).map_err(|cause| error(cause.to_string()))?;
        let (mut indexed, mut body) = (decoded.indexed.into_iter(), decoded.body.into_iter());
        let next = |input: &alloy_json_abi::EventParam| if input.indexed { indexed.next() } else { body.next() };
        let values = self.event.inputs.iter().map(next).collect::<Option<Vec<_>>>();
        values.ok_or_else(|| error("an argument is missing".to_owned()))
    }

    fn sum(&self, name: &str, events: &[Vec<DynSolValue>]) -> Result<U256, HistoryError> {
        let index = self.event.inputs.iter().position(|input| input.name == name).unwrap_or_default();
        let mut values = events.iter().filter_map(|event| event.get(index)?.as_uint());
        let sum = values.try_fold(U256::ZERO, |sum, (value, _bits)| sum.checked_add(value));
        sum.ok_or_else(|| HistoryError::Overflow { name: name.to_owned() })
    }

    fn list(&self, log: &Log, event: &[DynSolValue], reader: &mut Reader) -> Result<Value, ObserveError> {
        let mut arguments = Object::default();
        for (index, (input, value)) in self.event.inputs.iter().zip(event).enumerate() {
            let name = if input.name.is_empty() { index.to_string() } else { input.name.clone() };
            arguments.insert(name, json(value));
        }
        let mut listed = Object::default();
        listed.insert("args", Value::Object(arguments));
        listed.insert("block", Value::String(log.block_number.to_string()));
        listed.insert("time", Value::String(reader.header(log.block_number)?.timestamp.to_string()));
        Ok(Value::Object(listed))
    }
}

/// Reads the chain, and each header only once.
struct Reader {
    answers: Answers,
}

impl Reader {
    fn header(&mut self, number: u64) -> Result<Header, ObserveError> {
        let known = self.answers.recorded().iter().find_map(|exchange| match exchange.answer {
            Answer::Header(header) if header.number == number => Some(header),
            _ => None,
        });
        if let Some(header) = known {
            return Ok(header);
        }
        match self.answers.ask(Question::Header { number })? {
            Answer::Header(header) if header.number == number => Ok(header),
            _ => Err(self.answers.mismatch()),
        }
    }

    fn logs(&mut self, query: &Resolved, first: u64, last: u64) -> Result<Vec<Log>, ObserveError> {
        let mut logs = vec![];
        let mut from_block = first;
        while from_block <= last {
            let to_block = last.min(from_block.saturating_add(limits::FILTER_BLOCKS - 1));
            let topics = query.topics.clone();
            let filter = LogFilter { addresses: vec![query.address], topics, from_block, to_block };
            let Answer::Logs(found) = self.answers.ask(Question::Logs { filter })? else {
                return Err(self.answers.mismatch());
            };
            logs.extend(found);
            if logs.len() > limits::HISTORY_EVENTS {
                return Err(HistoryError::TooManyEvents.into());
            }
            from_block = to_block.saturating_add(1);
        }
        Ok(logs)
    }
}

/// Returns the first block of the window.
fn first_block(window: Window, request: &Value, reader: &mut Reader) -> Result<u64, ObserveError> {
    let last = number(request, "task.block")?;
    match window {
        Window::Blocks(0) | Window::Seconds(0) => Err(HistoryError::EmptyWindow.into()),
        Window::Blocks(blocks) if blocks > limits::HISTORY_BLOCKS => Err(HistoryError::WindowTooLong.into()),
        Window::Blocks(blocks) => Ok(last.saturating_sub(blocks.saturating_sub(1))),
        Window::Seconds(seconds) => {
            let Some(before) = number(request, "task.time")?.checked_sub(seconds) else { return Ok(0) };
            first_block_after(before, last, reader)
        }
    }
}

/// Returns the first block, up to the last one, whose time is after another. Blocks' times do not decrease.
fn first_block_after(time: u64, last: u64, reader: &mut Reader) -> Result<u64, ObserveError> {
    let mut first = last.saturating_sub(limits::HISTORY_BLOCKS);
    if reader.header(first)?.timestamp > time {
        return if first == 0 { Ok(0) } else { Err(HistoryError::WindowTooLong.into()) };
    }
    // The time of `first` is not after, and that of `after` is.
    let mut after = last;
    while after.saturating_sub(first) > 1 {
        let middle = first.midpoint(after);
        if reader.header(middle)?.timestamp > time { after = middle } else { first = middle }
    }
    Ok(after)
}

/// Returns the topic of a value, or of the value at a path in the request.
fn topic(operand: &str, ty: &str, request: &Value) -> Result<B256, HistoryError> {
    if !is_path(operand) {
        return literal(operand, ty);
    }
    let not_one = || HistoryError::Operand { operand: operand.to_owned(), expected: ty.to_owned() };
    let value = text_at(request, operand).ok_or_else(not_one)?;
    literal(value, ty).map_err(|_error| not_one())
}

fn is_path(operand: &str) -> bool {
    ["task.", "intent.", "params."].iter().any(|root| operand.starts_with(root))
}

/// Returns the topic of a value.
fn literal(text: &str, ty: &str) -> Result<B256, HistoryError> {
    let error = || HistoryError::Operand { operand: text.to_owned(), expected: ty.to_owned() };
    let ty = DynSolType::parse(ty).map_err(|_error| error())?;
    let is_word = matches!(
        ty,
        DynSolType::Address | DynSolType::Uint(_) | DynSolType::Int(_) | DynSolType::FixedBytes(_) | DynSolType::Bool
    );
    let value = ty.coerce_str(text).map_err(|_error| error())?;
    value.as_word().filter(|_| is_word).ok_or_else(error)
}

fn text_at<'a>(request: &'a Value, path: &str) -> Option<&'a str> {
    path.split('.').try_fold(request, |value, key| value.get(key))?.as_str()
}

fn number(request: &Value, path: &'static str) -> Result<u64, HistoryError> {
    let number = text_at(request, path).and_then(|text| text.parse().ok());
    number.ok_or_else(|| HistoryError::Operand { operand: path.to_owned(), expected: "uint64".to_owned() })
}

/// Returns a value as JSON: integers as decimal strings, bytes and addresses in lower-case hexadecimal.
fn json(value: &DynSolValue) -> Value {
    match value {
        DynSolValue::Bool(value) => Value::Bool(*value),
        DynSolValue::Int(value, _) => Value::String(value.to_string()),
        DynSolValue::Uint(value, _) => Value::String(value.to_string()),
        DynSolValue::Address(value) => Value::String(hex::encode_prefixed(value)),
        DynSolValue::String(value) => Value::String(value.clone()),
        DynSolValue::FixedBytes(word, size) => {
            Value::String(hex::encode_prefixed(word.get(..*size).unwrap_or_default()))
        }
        DynSolValue::Array(values) | DynSolValue::FixedArray(values) | DynSolValue::Tuple(values) => {
            Value::Array(values.iter().map(json).collect())
        }
        DynSolValue::Bytes(value) => Value::String(hex::encode_prefixed(value)),
        DynSolValue::Function(value) => Value::String(hex::encode_prefixed(value)),
    }
}
