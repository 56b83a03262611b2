//! Observations, and what it takes to repeat them.

use crate::{
    error::{ObserveError, PlaybackError},
    exchange::{Answer, Exchange, Header as BlockReference, Question},
    limits,
    query::HistoryQuery,
    world::World,
};
use alloy_primitives::B256;
use assent_json::Value;
use serde::{Deserialize, Serialize};

/// What a source found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceRun {
    /// The output.
    pub output: Value,
    /// What it takes to repeat the observation.
    pub recording: Recording,
    /// The fuel that the component used. It is 0 for a built-in source.
    pub fuel: u64,
}

/// What it takes to repeat an observation offline, to the byte.
///
/// It holds no secret: an answer that echoes one is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Recording {
    /// The version of this format: 1.
    pub version: u32,
    /// The source.
    pub source: RecordedSource,
    /// The request, as the source got it.
    pub request: String,
    /// Each question and its answer, in order.
    pub exchanges: Vec<Exchange>,
    /// The canonical output.
    pub output: String,
}

/// A source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum RecordedSource {
    /// A component, by its SHA-256.
    Component(B256),
    /// The built-in source `history`, with its query.
    History(HistoryQuery),
}

impl Recording {
    /// The version of the format.
    pub(crate) const VERSION: u32 = 1;

    /// Compares version and source.
    pub(crate) fn check(&self, source: &RecordedSource) -> Result<(), PlaybackError> {
        if self.version != Self::VERSION {
            return Err(PlaybackError::Version { version: self.version });
        }
        if self.source != *source {
            return Err(PlaybackError::Source { recorded: self.source.to_string(), given: source.to_string() });
        }
        Ok(())
    }
}

impl std::fmt::Display for RecordedSource {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Component(hash) => write!(out, "component {hash}"),
            Self::History(query) => write!(out, "history of {}", query.event),
        }
    }
}

/// Where answers come from. It records each.
pub(crate) struct Answers {
    origin: Origin,
    recorded: Vec<Exchange>,
    http_requests: usize,
    chain_reads: usize,
    most_chain_reads: usize,
    bytes: usize,
}

enum Origin {
    World(World, BlockReference),
    Recording(Vec<Exchange>),
}

impl Answers {
    /// Answers from the world, as of a block.
    pub(crate) const fn of_world(world: World, block: BlockReference) -> Self {
        Self::new(Origin::World(world, block))
    }

    /// Repeats a recording's answers.
    pub(crate) fn of_recording(recording: &Recording) -> Self {
        Self::new(Origin::Recording(recording.exchanges.clone()))
    }

    const fn new(origin: Origin) -> Self {
        Self {
            origin,
            recorded: vec![],
            http_requests: 0,
            chain_reads: 0,
            most_chain_reads: limits::CHAIN_READS,
            bytes: 0,
        }
    }

    /// Changes the limit of reads, for a built-in source.
    pub(crate) const fn permit_chain_reads(mut self, most: usize) -> Self {
        self.most_chain_reads = most;
        self
    }

    /// Answers a question within the limits, and records it.
    pub(crate) fn ask(&mut self, question: Question) -> Result<Answer, ObserveError> {
        self.count(&question)?;
        let index = self.recorded.len();
        let answer = match &self.origin {
            Origin::World(world, block) => world.answer(block, &question)?,
            Origin::Recording(exchanges) => repeat(exchanges, index, &question)?,
        };
        self.bytes = self.bytes.saturating_add(answer.size());
        if self.bytes > limits::RECORDED_BYTES {
            return Err(ObserveError::AnswersTooLong);
        }
        self.recorded.push(Exchange { question, answer: answer.clone() });
        Ok(answer)
    }

    fn count(&mut self, question: &Question) -> Result<(), ObserveError> {
        let Question::Http { request } = question else {
            self.chain_reads = self.chain_reads.saturating_add(1);
            let is_within = self.chain_reads <= self.most_chain_reads;
            return is_within.then_some(()).ok_or(ObserveError::TooManyReads);
        };
        self.http_requests = self.http_requests.saturating_add(1);
        if self.http_requests > limits::HTTP_REQUESTS {
            return Err(ObserveError::TooManyRequests);
        }
        let length = request.size();
        if length > limits::HTTP_REQUEST_BYTES {
            return Err(ObserveError::HttpRequestTooLong { length });
        }
        Ok(())
    }

    /// Returns the questions so far, with their answers.
    pub(crate) fn recorded(&self) -> &[Exchange] {
        &self.recorded
    }

    /// The error for an answer that does not belong to the last question. Only a recording can have one.
    pub(crate) fn mismatch(&self) -> ObserveError {
        PlaybackError::Answer { index: self.recorded.len().saturating_sub(1) }.into()
    }

    /// Ends the observation: with the output, it is a recording.
    pub(crate) fn finish(
        self,
        source: RecordedSource,
        request: String,
        output: &Value,
    ) -> Result<Recording, PlaybackError> {
        if let Origin::Recording(exchanges) = &self.origin
            && exchanges.len() != self.recorded.len()
        {
            return Err(PlaybackError::Unused { asked: self.recorded.len(), recorded: exchanges.len() });
        }
        let output = output.to_canonical();
        Ok(Recording { version: Recording::VERSION, source, request, exchanges: self.recorded, output })
    }
}

/// Compares an observation with the recording that it repeats.
pub(crate) fn compare(observation: SourceRun, recording: &Recording) -> Result<SourceRun, ObserveError> {
    if observation.recording.output == recording.output {
        return Ok(observation);
    }
    let (recorded, computed) = (recording.output.clone(), observation.recording.output);
    Err(PlaybackError::Output { recorded, computed }.into())
}

fn repeat(exchanges: &[Exchange], index: usize, question: &Question) -> Result<Answer, PlaybackError> {
    let Some(exchange) = exchanges.get(index) else {
        return Err(PlaybackError::Ended { index, asked: question.clone().into() });
    };
    if exchange.question != *question {
        let recorded = Box::new(exchange.question.clone());
        return Err(PlaybackError::Question { index, recorded, asked: question.clone().into() });
    }
    Ok(exchange.answer.clone())
}

/// Parses a source's output strictly.
pub(crate) fn parse_output(text: &str) -> Result<Value, ObserveError> {
    if text.len() > limits::OUTPUT_BYTES {
        return Err(ObserveError::OutputTooLong { length: text.len() });
    }
    let output = assent_json::parse(text.as_bytes()).map_err(ObserveError::Output)?;
    let length = output.to_canonical().len();
    if length > limits::OUTPUT_BYTES {
        return Err(ObserveError::OutputTooLong { length });
    }
    Ok(output)
}
