//! A world in memory, and requests about it.

use alloy_primitives::{Address, B256, Bytes, U256, address, b256, bytes};
use assent_json::Value;
use assent_policy_data::{
    BlockReference, Component, Host, ObservationRequest, ObserveError, SourceRun, World,
    chain::{ChainReadError, ChainReader},
    exchange::{Header, HttpFailure, HttpHeader, HttpResponse, Log, LogFilter},
    http::{HttpClient, HttpRefusal, Permissions, PermittedRequest, Secrets},
};
use std::sync::{Arc, OnceLock};
use zeroize::Zeroizing;

pub(crate) const PROBE: &[u8] = include_bytes!("../../fixtures/probe.wasm");
pub(crate) const PRICE: &[u8] = include_bytes!("../../fixtures/price.wasm");

pub(crate) const CONTRACT: Address = address!("0xc0ffee0000000000000000000000000000000001");
pub(crate) const POLICY_ID: B256 = b256!("0x1111111111111111111111111111111111111111111111111111111111111111");
pub(crate) const SECRET: &str = "correct-horse-battery";
pub(crate) const BLOCK: BlockReference = Header {
    number: 100,
    hash: b256!("0x2222222222222222222222222222222222222222222222222222222222222222"),
    timestamp: 1_700_000_000,
};

/// The host that all tests share, as a process has one.
pub(crate) fn host() -> &'static Host {
    static HOST: OnceLock<Host> = OnceLock::new();
    HOST.get_or_init(|| Host::new().expect("the runtime starts"))
}

pub(crate) fn probe() -> Component {
    host().load(PROBE).expect("the probe has the world")
}

pub(crate) fn request(parameters: &str) -> ObservationRequest {
    ObservationRequest {
        intent: assent_types::Intent {
            from: address!("0x00000000000000000000000000000000000000aa"),
            to: CONTRACT,
            value: U256::MAX,
            data: bytes!("0xa9059cbb"),
            chainId: U256::from(31337),
        },
        policy_client: address!("0x00000000000000000000000000000000000000bb"),
        nonce: U256::from(7),
        block: BLOCK,
        parameters: assent_json::parse(parameters.as_bytes()).expect("parameters are JSON"),
    }
}

pub(crate) fn steps(steps: &str) -> ObservationRequest {
    request(&format!(r#"{{"steps":[{steps}]}}"#))
}

/// Lets the probe take steps in the world of the tests.
pub(crate) fn take(text: &str) -> Result<Value, ObserveError> {
    observe(text).map(|observation| observation.output)
}

pub(crate) fn observe(text: &str) -> Result<SourceRun, ObserveError> {
    host().observe(&probe(), &steps(text), &world())
}

pub(crate) fn world() -> World {
    let mut secrets = Secrets::default();
    let mut insert = |name, host, policy_id, value: &str| {
        secrets.insert(name, host, policy_id, Zeroizing::new(value.to_owned())).expect("the secret is valid");
    };
    insert("PRICE_KEY", "api.example", POLICY_ID, SECRET);
    insert("OTHER_HOST", "other.example", POLICY_ID, "another-secret-value");
    insert("OTHER_POLICY", "api.example", B256::ZERO, "a-third-secret-value");
    let permissions = Permissions::new(["api.example", "other.example"], POLICY_ID, secrets.into());
    World::new(Arc::new(MemoryChain)).with_web(Arc::new(MemoryWeb), permissions.expect("hosts are valid").into())
}

/// A chain with one contract.
pub(crate) struct MemoryChain;

impl ChainReader for MemoryChain {
    fn call(&self, _: &BlockReference, _: Address, data: &Bytes) -> Result<Result<Bytes, Bytes>, ChainReadError> {
        match data.as_ref() {
            [] => Ok(Err(bytes!("0x08c379a0"))),
            [0xff, ..] => Err(ChainReadError::Timeout { method: "eth_call" }),
            [0xee, ..] => Ok(Ok(vec![0; 1 << 20].into())),
            // latestRoundData().
            [0xfe, 0xaf, 0x96, 0x8c] => {
                let words = [U256::from(1), U256::from(312_345_000_000_u64), U256::ZERO, U256::ZERO, U256::from(1)];
                Ok(Ok(words.iter().flat_map(U256::to_be_bytes::<32>).collect::<Vec<_>>().into()))
            }
            data => Ok(Ok(data.to_vec().into())),
        }
    }

    fn storage(&self, _: &BlockReference, _: Address, slot: B256) -> Result<B256, ChainReadError> {
        Ok(slot)
    }

    fn code(&self, _: &BlockReference, _: Address) -> Result<Bytes, ChainReadError> {
        Ok(bytes!("0x6001"))
    }

    fn balance(&self, _: &BlockReference, _: Address) -> Result<U256, ChainReadError> {
        Ok(U256::MAX)
    }

    /// A transfer of its number in every tenth block.
    fn logs(&self, _: &BlockReference, filter: &LogFilter) -> Result<Vec<Log>, ChainReadError> {
        let blocks = (filter.from_block..=filter.to_block).filter(|number| number % 10 == 0);
        Ok(blocks.map(transfer).filter(|log| filter.addresses.contains(&log.address)).collect())
    }

    /// A block in 12 seconds.
    fn header(&self, block: &BlockReference, number: u64) -> Result<Header, ChainReadError> {
        let timestamp = block.timestamp - 12 * (block.number - number);
        Ok(Header { number, hash: B256::left_padding_from(&number.to_be_bytes()), timestamp })
    }
}

pub(crate) fn transfer(block_number: u64) -> Log {
    let topics = [
        b256!("0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"),
        address!("0x00000000000000000000000000000000000000bb").into_word(),
        address!("0x00000000000000000000000000000000000000cc").into_word(),
    ];
    Log {
        address: CONTRACT,
        topics: topics.to_vec(),
        data: U256::from(block_number).to_be_bytes_vec().into(),
        block_number,
        log_index: 0,
        transaction_hash: B256::ZERO,
    }
}

/// A web of one service, which does what the URL's path says.
pub(crate) struct MemoryWeb;

impl HttpClient for MemoryWeb {
    fn send(&self, request: &PermittedRequest) -> Result<Result<HttpResponse, HttpFailure>, HttpRefusal> {
        let header = |name: &str, value: &str| HttpHeader { name: name.to_owned(), value: value.to_owned() };
        let answer = |status, headers, body: &str| Ok(Ok(HttpResponse { status, headers, body: body.to_owned() }));
        let authorization = request.headers().find(|(name, _)| *name == "authorization").map(|(_, value)| value);
        match request.url().path() {
            "/price" if authorization == Some("Bearer correct-horse-battery") => {
                answer(200, vec![header("content-type", "application/json")], r#"{"price":"3123.45"}"#)
            }
            "/price" => answer(401, vec![], ""),
            "/echo" => answer(200, vec![], &format!("you sent {}", authorization.unwrap_or_default())),
            "/echo-header" => answer(200, vec![header("x-got", authorization.unwrap_or_default())], ""),
            // "correct-horse-battery" after one byte, in base64; and in hexadecimal.
            "/echo-base64" => answer(200, vec![], r#"{"got":"OmNvcnJlY3QtaG9yc2UtYmF0dGVyeQ=="}"#),
            "/echo-hex" => answer(200, vec![], "636F72726563742D686F7273652D62617474657279"),
            "/redirect" => answer(302, vec![header("location", "https://169.254.169.254/latest/meta-data")], ""),
            "/redirect-here" => answer(302, vec![header("location", "/price")], ""),
            "/slow" => Ok(Err(HttpFailure::Timeout)),
            "/large" => answer(200, vec![], &"x".repeat(1 << 20)),
            path => answer(404, vec![], path),
        }
    }
}
