//! The time of one observation without input and output, by language.
//!
//! `cargo bench -p assent-policy-data --bench calls` prints JSON: the median of many calls in microseconds of CPU time,
//! with a new instance each. Components that are not built are left out, and named on standard error.
//! Names of languages as arguments select them.

use alloy_primitives::{Address, B256, Bytes, U256};
use assent_json::Value;
use assent_policy_data::{
    BlockReference, Host, ObservationRequest, World,
    chain::{ChainReadError, ChainReader},
    exchange::{Header, Log, LogFilter},
};
use std::{
    collections::BTreeMap,
    env, fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};

/// The languages, and their components below the crate.
const COMPONENTS: [(&str, &str); 3] = [
    ("rust", "fixtures/price.wasm"),
    ("javascript", "../../../target/policy-data/price-javascript.wasm"),
    ("python", "../../../target/policy-data/price-python.wasm"),
];

const WARM_UP: usize = 100;
const CALLS: usize = 1_000;

fn main() {
    let host = Host::new().expect("the runtime starts");
    let world = World::new(Arc::new(NoChain));
    let request = request();
    let mut medians = BTreeMap::new();
    let selected: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let is_selected = |language: &str| selected.is_empty() || selected.iter().any(|name| name == language);
    for (language, file) in COMPONENTS.into_iter().filter(|(language, _)| is_selected(language)) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let Ok(bytes) = fs::read(&path) else {
            eprintln!("SKIPPED: {} is missing; build it: `cargo xtask components`", path.display());
            continue;
        };
        let started = Instant::now();
        let component = host.load(&bytes).expect("it has the world");
        eprintln!("{language}: compiled in {} ms", started.elapsed().as_millis());
        let call = || {
            let started = cpu_time();
            let observation = host.observe(&component, &request, &world).expect("it observes");
            assert_eq!(observation.output, Value::Object(Default::default()));
            cpu_time().saturating_sub(started)
        };
        for _ in 0..WARM_UP {
            call();
        }
        let mut times: Vec<Duration> = (0..CALLS).map(|_| call()).collect();
        times.sort_unstable();
        eprintln!("{language}: least {:?}, median {:?}", times[0], times[CALLS / 2]);
        // More digits than these are noise.
        medians.insert(language, (times[CALLS / 2].as_secs_f64() * 1e7).round() / 10.0);
    }
    println!("{}", serde_json::to_string(&medians).expect("numbers are JSON"));
}

/// CPU time of this thread: it does not advance while another program has the core.
fn cpu_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().expect("it is not negative")
}

fn request() -> ObservationRequest {
    ObservationRequest {
        intent: assent_types::Intent {
            from: Address::ZERO,
            to: Address::ZERO,
            value: U256::ZERO,
            data: Bytes::from(vec![0; 68]),
            chainId: U256::from(1),
        },
        policy_client: Address::ZERO,
        nonce: U256::ZERO,
        block: Header { number: 1, hash: B256::ZERO, timestamp: 1 },
        parameters: Value::Object(Default::default()),
    }
}

/// A chain that is not read.
struct NoChain;

const UNREAD: ChainReadError = ChainReadError::Timeout { method: "none" };

impl ChainReader for NoChain {
    fn call(&self, _: &BlockReference, _: Address, _: &Bytes) -> Result<Result<Bytes, Bytes>, ChainReadError> {
        Err(UNREAD)
    }
    fn storage(&self, _: &BlockReference, _: Address, _: B256) -> Result<B256, ChainReadError> {
        Err(UNREAD)
    }
    fn code(&self, _: &BlockReference, _: Address) -> Result<Bytes, ChainReadError> {
        Err(UNREAD)
    }
    fn balance(&self, _: &BlockReference, _: Address) -> Result<U256, ChainReadError> {
        Err(UNREAD)
    }
    fn logs(&self, _: &BlockReference, _: &LogFilter) -> Result<Vec<Log>, ChainReadError> {
        Err(UNREAD)
    }
    fn header(&self, _: &BlockReference, _: u64) -> Result<Header, ChainReadError> {
        Err(UNREAD)
    }
}
