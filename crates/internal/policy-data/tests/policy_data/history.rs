//! The built-in source `history`, on a chain with a transfer of its number in every tenth block, each 12 seconds long.

use crate::world::{BLOCK, CONTRACT, MemoryChain, request, world};
use alloy_primitives::{Address, B256, Bytes, U256};
use assent_policy_data::{
    BlockReference, ObservationRequest, ObserveError, PlaybackError, World,
    chain::{ChainReadError, ChainReader},
    exchange::{Header, Log, LogFilter, Question},
    history::{self, HistoryError, HistoryQuery, Window},
    limits,
};
use std::sync::Arc;

const TRANSFER: &str = "event Transfer(address indexed from, address indexed to, uint256 value)";

fn query(window: Window) -> HistoryQuery {
    HistoryQuery {
        event: TRANSFER.to_owned(),
        address: format!("{CONTRACT:#x}"),
        arguments: [("from".to_owned(), "task.client".to_owned())].into(),
        window,
        sum: Some("value".to_owned()),
        events: false,
    }
}

fn answer(query: &HistoryQuery) -> Result<String, ObserveError> {
    history::observe(query, &request("{}"), &world()).map(|observation| observation.output.to_canonical())
}

fn refusal(query: &HistoryQuery) -> HistoryError {
    match answer(query).expect_err("the query is refused") {
        ObserveError::History(error) => error,
        other => panic!("another reason: {other}"),
    }
}

#[test]
fn a_window_of_blocks_ends_with_the_reference_block() {
    for (blocks, expected) in [
        (1, r#"{"count":"1","from_block":"100","sum":"100"}"#),
        (10, r#"{"count":"1","from_block":"91","sum":"100"}"#),
        (11, r#"{"count":"2","from_block":"90","sum":"190"}"#),
        (limits::HISTORY_BLOCKS, r#"{"count":"11","from_block":"0","sum":"550"}"#),
    ] {
        assert_eq!(answer(&query(Window::Blocks(blocks))), Ok(expected.to_owned()));
    }
}

#[test]
fn a_window_of_seconds_has_the_blocks_after_its_start() {
    for (seconds, expected) in [
        (1, r#"{"count":"1","from_block":"100","sum":"100"}"#),
        (12, r#"{"count":"1","from_block":"100","sum":"100"}"#),
        (13, r#"{"count":"1","from_block":"99","sum":"100"}"#),
        // Block 90 is exactly 120 seconds before the reference block.
        (120, r#"{"count":"1","from_block":"91","sum":"100"}"#),
        (121, r#"{"count":"2","from_block":"90","sum":"190"}"#),
        (12 * 100, r#"{"count":"10","from_block":"1","sum":"550"}"#),
        (86_400, r#"{"count":"11","from_block":"0","sum":"550"}"#),
        (u64::MAX, r#"{"count":"11","from_block":"0","sum":"550"}"#),
    ] {
        assert_eq!(answer(&query(Window::Seconds(seconds))), Ok(expected.to_owned()), "{seconds}");
    }
}

#[test]
fn the_newest_events_are_listed_on_request() {
    let output = answer(&HistoryQuery { events: true, sum: None, ..query(Window::Blocks(20)) }).expect("it observes");
    let event = |value: u64| {
        let time = BLOCK.timestamp - 12 * (BLOCK.number - value);
        let (from, to) = (format!("0x{:040x}", 0xbb), format!("0x{:040x}", 0xcc));
        format!(r#"{{"args":{{"from":"{from}","to":"{to}","value":"{value}"}},"block":"{value}","time":"{time}"}}"#)
    };
    assert_eq!(output, format!(r#"{{"count":"2","events":[{},{}],"from_block":"81"}}"#, event(90), event(100)));
}

#[test]
fn more_events_than_are_listed_are_counted() {
    let request = ObservationRequest { block: BlockReference { number: 2_000, ..BLOCK }, ..request("{}") };
    let query = HistoryQuery { events: true, ..query(Window::Blocks(1_001)) };
    let output = history::observe(&query, &request, &world()).expect("it observes").output;
    assert_eq!(output.get("count").and_then(|count| count.as_str()), Some("101"));
    assert_eq!(output.get("sum").and_then(|count| count.as_str()), Some("151500"));
    let events = output.get("events").and_then(|events| events.as_array()).expect("it has events");
    assert_eq!(events.len(), limits::HISTORY_LISTED);
    assert_eq!(events.last().and_then(|event| event.get("block")?.as_str()), Some("2000"));
}

#[test]
fn logs_are_read_in_ranges_that_nodes_answer() {
    let request = ObservationRequest { block: BlockReference { number: 150_000, ..BLOCK }, ..request("{}") };
    let query = HistoryQuery { address: format!("{:#x}", Address::ZERO), ..query(Window::Blocks(25_000)) };
    let observation = history::observe(&query, &request, &world()).expect("it observes");
    let ranges = observation.recording.exchanges.iter().map(|exchange| match &exchange.question {
        Question::Logs { filter } => (filter.from_block, filter.to_block),
        other => panic!("another question: {other:?}"),
    });
    assert_eq!(ranges.collect::<Vec<_>>(), [(125_001, 135_000), (135_001, 145_000), (145_001, 150_000)]);
}

#[test]
fn a_recording_repeats_the_query_and_no_other() {
    let query = HistoryQuery { events: true, ..query(Window::Seconds(500)) };
    let observation = history::observe(&query, &request("{}"), &world()).expect("it observes");
    let text = serde_json::to_string(&observation.recording).expect("a recording is JSON");
    let recording = serde_json::from_str(&text).expect("a recording is read as it is written");
    assert_eq!(history::replay(&query, &recording), Ok(observation));
    let other = HistoryQuery { sum: None, ..query };
    let refusal = history::replay(&other, &recording).expect_err("the query is another");
    assert!(matches!(refusal, ObserveError::Playback(PlaybackError::Source { .. })));
}

#[test]
fn queries_are_read_from_the_manifest() {
    let text = r#"{"event":"event Paid(uint256 amount)","address":"task.client","window":{"seconds":3600}}"#;
    let query: HistoryQuery = serde_json::from_str(text).expect("the query is valid");
    assert_eq!(query.window, Window::Seconds(3600));
    assert_eq!(serde_json::to_string(&query).expect("it is JSON"), text);
    for text in [
        r#"{"event":"event Paid(uint256 amount)","address":"task.client","window":{"hours":1}}"#,
        r#"{"event":"event Paid(uint256 amount)","address":"task.client","window":{"seconds":1},"more":1}"#,
        r#"{"event":"event Paid(uint256 amount)","address":"task.client"}"#,
    ] {
        assert!(serde_json::from_str::<HistoryQuery>(text).is_err(), "{text}");
    }
}

#[test]
fn malformed_queries_are_refused() {
    let base = query(Window::Blocks(10));
    assert!(answer(&base).is_ok());
    let with = |change: fn(&mut HistoryQuery)| {
        let mut query = base.clone();
        change(&mut query);
        refusal(&query)
    };
    assert_eq!(with(|query| query.window = Window::Blocks(0)), HistoryError::EmptyWindow);
    assert_eq!(with(|query| query.window = Window::Seconds(0)), HistoryError::EmptyWindow);
    assert_eq!(with(|query| query.window = Window::Blocks(limits::HISTORY_BLOCKS + 1)), HistoryError::WindowTooLong);
    assert!(matches!(with(|query| query.event = "Transfer(".to_owned()), HistoryError::Event { .. }));
    assert!(matches!(with(|query| query.event = format!("{TRANSFER} anonymous")), HistoryError::Event { .. }));
    let not_summable = |name: &str| HistoryError::NotSummable { name: name.to_owned() };
    assert_eq!(with(|query| query.sum = Some("from".to_owned())), not_summable("from"));
    assert_eq!(with(|query| query.sum = Some("amount".to_owned())), not_summable("amount"));
    let where_ = |query: &mut HistoryQuery, name: &str, value: &str| {
        query.arguments = [(name.to_owned(), value.to_owned())].into();
    };
    let _ = where_;
    assert_eq!(
        with(|query| query.arguments = [("value".to_owned(), "1".to_owned())].into()),
        HistoryError::NotIndexed { name: "value".to_owned() }
    );
    for operand in ["", "task.nothing", "params.token", "0x12", "client"] {
        let query = HistoryQuery { address: operand.to_owned(), ..base.clone() };
        let expected = HistoryError::Operand { operand: operand.to_owned(), expected: "address".to_owned() };
        assert_eq!(refusal(&query), expected);
    }
}

#[test]
fn a_window_in_seconds_has_a_limit_of_blocks() {
    let number = limits::HISTORY_BLOCKS + 10;
    let request = ObservationRequest { block: BlockReference { number, ..BLOCK }, ..request("{}") };
    let query = query(Window::Seconds(12 * (limits::HISTORY_BLOCKS + 2)));
    let refusal = history::observe(&query, &request, &world()).expect_err("the window is too long");
    assert_eq!(refusal, ObserveError::History(HistoryError::WindowTooLong));
}

/// A chain whose only contract emits what it likes.
struct Forged(Log);

impl ChainReader for Forged {
    fn call(&self, block: &BlockReference, to: Address, data: &Bytes) -> Result<Result<Bytes, Bytes>, ChainReadError> {
        MemoryChain.call(block, to, data)
    }
    fn storage(&self, block: &BlockReference, account: Address, slot: B256) -> Result<B256, ChainReadError> {
        MemoryChain.storage(block, account, slot)
    }
    fn code(&self, block: &BlockReference, account: Address) -> Result<Bytes, ChainReadError> {
        MemoryChain.code(block, account)
    }
    fn balance(&self, block: &BlockReference, account: Address) -> Result<U256, ChainReadError> {
        MemoryChain.balance(block, account)
    }
    fn logs(&self, _: &BlockReference, _: &LogFilter) -> Result<Vec<Log>, ChainReadError> {
        Ok(vec![self.0.clone(), self.0.clone()])
    }
    fn header(&self, block: &BlockReference, number: u64) -> Result<Header, ChainReadError> {
        MemoryChain.header(block, number)
    }
}

fn answer_forged(change: impl FnOnce(&mut Log)) -> Result<String, ObserveError> {
    let mut log = crate::world::transfer(100);
    change(&mut log);
    let world = World::new(Arc::new(Forged(log)));
    let observation = history::observe(&query(Window::Blocks(1)), &request("{}"), &world)?;
    Ok(observation.output.to_canonical())
}

#[test]
fn a_log_that_is_not_the_event_is_refused() {
    assert!(answer_forged(|_| {}).is_ok());
    let is_refused = |result| matches!(result, Err(ObserveError::History(HistoryError::Log { .. })));
    assert!(is_refused(answer_forged(|log| log.data = Bytes::new())));
    assert!(is_refused(answer_forged(|log| log.data = vec![0; 31].into())));
    assert!(is_refused(answer_forged(|log| log.topics.truncate(2))));
}

#[test]
fn a_sum_beyond_256_bits_is_refused() {
    let refusal = answer_forged(|log| log.data = U256::MAX.to_be_bytes_vec().into()).expect_err("it overflows");
    assert_eq!(refusal, ObserveError::History(HistoryError::Overflow { name: "value".to_owned() }));
}
