//! The limits within which a component runs.
//!
//! [`FUEL`], the sizes and the counts are the same on every machine.
//! [`COMPUTE_TIME`], [`ANSWER_TIME`] and [`WASM_STACK_BYTES`] protect the machine: reaching one gives no observation.

use std::time::Duration;

/// The most bytes of a component: 32 MiB.
pub const COMPONENT_BYTES: usize = assent_policy::MAX_COMPONENT;
/// The most sources of a policy.
pub const SOURCES: usize = assent_policy::MAX_SOURCES;
/// The most bytes of an observation's output, as the component writes it and in canonical form: 16 KiB.
pub const OUTPUT_BYTES: usize = assent_policy::MAX_OUTPUT;
/// The most bytes of a request to a component: 512 KiB.
pub const REQUEST_BYTES: usize = 512 << 10;
/// The most bytes of the reason that a component gives.
pub const REASON_BYTES: usize = 1 << 10;

/// The most fuel of an observation. An instruction costs 1, and so does a byte that is copied in bulk.
pub const FUEL: u64 = 1_000_000_000;
/// The most bytes of a component's memories together: 128 MiB.
pub const MEMORY_BYTES: usize = 128 << 20;
/// The most elements of a component's tables together.
pub const TABLE_ELEMENTS: usize = 100_000;
/// The most memories of a component.
pub const MEMORIES: u32 = 2;
/// The most tables of a component.
pub const TABLES: u32 = 8;
/// The most bytes that a component passes to the host at once: an import's arguments, or its output.
pub const HOST_CALL_BYTES: usize = 1 << 20;
/// The most core instances of a component. What is built from Python has dozens.
pub const CORE_INSTANCES: u32 = 128;
/// The most bytes of a component's stack: 1 MiB.
pub const WASM_STACK_BYTES: usize = 1 << 20;
/// The longest that a component computes, without the time that it waits for answers.
pub const COMPUTE_TIME: Duration = Duration::from_secs(10);
/// The most observations that compute at one time. Others wait.
pub const CONCURRENT_OBSERVATIONS: u32 = 16;

/// The most HTTP requests of an observation.
pub const HTTP_REQUESTS: usize = 8;
/// The most bytes of an HTTP request's URL, headers and body together: 16 KiB.
pub const HTTP_REQUEST_BYTES: usize = 16 << 10;
/// The most reads of the chain of an observation.
pub const CHAIN_READS: usize = 64;
/// The most bytes of a call's data: 64 KiB.
pub const CALL_DATA_BYTES: usize = 64 << 10;
/// The gas of a call.
pub const CALL_GAS: u64 = 30_000_000;
/// The most addresses of a log filter, and the most alternatives of a topic.
pub const FILTER_ALTERNATIVES: usize = 16;
/// The most blocks of a log filter.
pub const FILTER_BLOCKS: u64 = 10_000;
/// The most bytes of an answer, of a host or of a node: 1 MiB.
pub const ANSWER_BYTES: usize = 1 << 20;
/// The longest that an answer takes.
pub const ANSWER_TIME: Duration = Duration::from_secs(5);
/// The most bytes that an observation's answers have together: 16 MiB.
pub const RECORDED_BYTES: usize = 16 << 20;

/// The most blocks of the window of [`history`](crate::history).
pub const HISTORY_BLOCKS: u64 = 200_000;
/// The most events of the window of [`history`](crate::history).
pub const HISTORY_EVENTS: usize = 10_000;
/// The most events that [`history`](crate::history) lists: the newest.
pub const HISTORY_LISTED: usize = 64;
