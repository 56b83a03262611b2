//! Why there is no observation.

use crate::{chain::ChainReadError, exchange::Question, http::HttpRefusal, limits};

/// Why a component cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The component has too many bytes.
    #[error("the component has {length} bytes; the most are {}", limits::COMPONENT_BYTES)]
    TooLong {
        /// The bytes that it has.
        length: usize,
    },
    /// The bytes are no valid component within the limits.
    #[error("not a valid WebAssembly component: {detail}")]
    Invalid {
        /// The runtime's words.
        detail: String,
    },
    /// The component imports something that is not provided.
    #[error(
        "the component imports {name}; only `chain` and `http` of assent:policy-data@1.0.0 are provided (no WASI: no \
         clock, no random numbers, no files)"
    )]
    Import {
        /// The import.
        name: String,
    },
    /// A function of the component has another type than the world says.
    #[error("{name} has the type `{found}`; the world assent:policy-data@1.0.0 has `{expected}`")]
    Type {
        /// The function.
        name: String,
        /// The type that the component has.
        found: String,
        /// The type that the world has.
        expected: &'static str,
    },
    /// The component does not export `observe`.
    #[error("the component does not export the function `observe` of the world assent:policy-data@1.0.0")]
    NoObserve,
}

/// Why there is no observation.
///
/// A refused observation is no data: the rules then deny.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObserveError {
    /// The request has too many bytes.
    #[error("the request to the source has {length} bytes; the most are {}", limits::REQUEST_BYTES)]
    RequestTooLong {
        /// The bytes that it has.
        length: usize,
    },
    /// The reference block is not one.
    #[error("the reference block cannot be observed: {detail}")]
    Block {
        /// What is wrong.
        detail: String,
    },
    /// Only recorded data answers the source.
    #[error("only recorded data answers `outstanding` here: operators have it in their journals")]
    RecordedOnly,
    /// The component used all its fuel.
    #[error("the component used all its fuel ({}): it may loop", limits::FUEL)]
    OutOfFuel,
    /// The component computed too long for this machine.
    #[error("the component computed longer than {} s", limits::COMPUTE_TIME.as_secs())]
    Deadline,
    /// The component asked for too much memory.
    #[error("the component asked for {requested} bytes of memory; the most are {}", limits::MEMORY_BYTES)]
    Memory {
        /// The bytes that all its memories would have.
        requested: usize,
    },
    /// The component asked for tables with too many elements.
    #[error("the component asked for {requested} table elements; the most are {}", limits::TABLE_ELEMENTS)]
    Table {
        /// The elements that all its tables would have.
        requested: usize,
    },
    /// The component recursed too deep.
    #[error("the component's stack has more than {} bytes: it may recurse without end", limits::WASM_STACK_BYTES)]
    StackOverflow,
    /// The component trapped.
    #[error("the component trapped: {detail}")]
    Trap {
        /// The runtime's words.
        detail: String,
    },
    /// The component says that it cannot observe.
    #[error("the component reports: {reason}")]
    Component {
        /// The component's words, not trusted.
        reason: String,
    },
    /// The output has too many bytes.
    #[error("the output has {length} bytes; the most are {}", limits::OUTPUT_BYTES)]
    OutputTooLong {
        /// The bytes that it has.
        length: usize,
    },
    /// The output is not strict JSON.
    #[error("the output is not strict JSON: {0}")]
    Output(assent_json::ParseError),
    /// The component passed more data to the host than it may.
    #[error(
        "the component passed more than {} bytes to the host at once, as arguments or as its output",
        limits::HOST_CALL_BYTES
    )]
    DataTooLong,
    /// An argument of an import is malformed.
    #[error("the component called {import} with {detail}")]
    Argument {
        /// The import.
        import: &'static str,
        /// What is wrong, with the value.
        detail: String,
    },
    /// The component sent too many HTTP requests.
    #[error("the component sent more than {} HTTP requests", limits::HTTP_REQUESTS)]
    TooManyRequests,
    /// An HTTP request has too many bytes.
    #[error("an HTTP request has {length} bytes; the most are {}", limits::HTTP_REQUEST_BYTES)]
    HttpRequestTooLong {
        /// The bytes of URL, headers and body together.
        length: usize,
    },
    /// The component read the chain too often.
    #[error("the component read the chain more than {} times", limits::CHAIN_READS)]
    TooManyReads,
    /// The answers have too many bytes together.
    #[error("the answers have more than {} bytes together", limits::RECORDED_BYTES)]
    AnswersTooLong,
    /// The chain could not be read.
    #[error(transparent)]
    Chain(#[from] ChainReadError),
    /// An HTTP request is not permitted.
    #[error(transparent)]
    Http(#[from] HttpRefusal),
    /// The query of a source `history` cannot be answered.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The recording does not fit.
    #[error(transparent)]
    Playback(#[from] PlaybackError),
}

/// Why a recording does not fit what the source does now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlaybackError {
    /// The recording is of another source.
    #[error("the recording is of the source {recorded}, not of {given}")]
    Source {
        /// The source that the recording names.
        recorded: String,
        /// The source that is played back.
        given: String,
    },
    /// The recording has a version that this program does not know.
    #[error("the recording has version {version}; this program reads version 1")]
    Version {
        /// The version.
        version: u32,
    },
    /// The recording is of another task, or of other parameters.
    #[error("the recording answers another request: recorded {recorded}, asked {asked}")]
    Request {
        /// The recorded request.
        recorded: String,
        /// The request of the task.
        asked: String,
    },
    /// The source asks something else than the recording has.
    #[error("question {index} differs from the recording: recorded {recorded:?}, asked {asked:?}")]
    Question {
        /// The question's index.
        index: usize,
        /// The recorded question.
        recorded: Box<Question>,
        /// The question that the source asks.
        asked: Box<Question>,
    },
    /// The source asks more than the recording has.
    #[error("the recording has {index} answers, and the source asks {asked:?} after them")]
    Ended {
        /// The number of recorded answers.
        index: usize,
        /// The question that the source asks.
        asked: Box<Question>,
    },
    /// The source asks less than the recording has.
    #[error("the source asked {asked} questions; the recording has {recorded}")]
    Unused {
        /// The questions that the source asked.
        asked: usize,
        /// The questions that the recording has.
        recorded: usize,
    },
    /// An answer of the recording is not one to its question.
    #[error("answer {index} of the recording does not belong to its question")]
    Answer {
        /// The answer's index.
        index: usize,
    },
    /// The output differs.
    #[error("the output differs from the recording: recorded {recorded}, computed {computed}")]
    Output {
        /// The recorded output.
        recorded: String,
        /// The output of the source.
        computed: String,
    },
}

/// Why the runtime cannot start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot start the WebAssembly runtime: {detail}")]
#[non_exhaustive]
pub struct StartError {
    /// The runtime's words.
    pub detail: String,
}

/// Why the query cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// The event is malformed.
    #[error("cannot parse the event {event:?}: {detail}")]
    Event {
        /// The event.
        event: String,
        /// What is wrong.
        detail: String,
    },
    /// The event has no indexed argument of that name.
    #[error("the event has no indexed argument {name:?}; `where` compares indexed arguments")]
    NotIndexed {
        /// The argument.
        name: String,
    },
    /// The event has no unsigned integer of that name.
    #[error("the event has no unsigned integer {name:?} to add up")]
    NotSummable {
        /// The argument.
        name: String,
    },
    /// A value is neither one of its type nor the path of one.
    #[error("{operand:?} is not of type {expected}, and not the path of one in the request")]
    Operand {
        /// What the query has.
        operand: String,
        /// The type.
        expected: String,
    },
    /// The window has too many blocks.
    #[error("the window has more than {} blocks", limits::HISTORY_BLOCKS)]
    WindowTooLong,
    /// The window is empty.
    #[error("the window is empty")]
    EmptyWindow,
    /// There are too many events.
    #[error("the window has more than {} events", limits::HISTORY_EVENTS)]
    TooManyEvents,
    /// A log is not one of the event, although its first topic says so.
    #[error("log {log_index} of block {block_number} is not one of the event: {detail}")]
    Log {
        /// The log's block.
        block_number: u64,
        /// The log's index in the block.
        log_index: u32,
        /// What is wrong.
        detail: String,
    },
    /// The sum does not fit 256 bits.
    #[error("the sum of {name} does not fit 256 bits")]
    Overflow {
        /// The argument.
        name: String,
    },
}
