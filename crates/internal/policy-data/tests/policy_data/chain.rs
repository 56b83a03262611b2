//! The chain behind anvil.

use crate::world::{host, probe, request};
use alloy::{
    eips::BlockNumberOrTag,
    network::TransactionBuilder,
    node_bindings::{Anvil, AnvilInstance},
    providers::{Provider, RootProvider},
    rpc::types::TransactionRequest,
};
use alloy_primitives::{Address, B256, Bytes, U256, address, bytes};
use assent_policy_data::{
    BlockReference, ObservationRequest, World,
    chain::{ChainReadError, ChainReader, RpcChain},
    exchange::LogFilter,
    history::{self, HistoryQuery, Window},
};
use std::{path::Path, sync::Arc};
use tokio::runtime::Runtime;

/// Returns slot 0 if there is no calldata. Stores a word of calldata there, and emits it as `Transfer(caller, this,
/// word)`. Reverts with other calldata.
const CODE: Bytes = bytes!(
    "0x36600f5760005460005260206000f35b36602014602157366000600037366000fd5b6000358060005560005230337f\
     ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef60206000a300"
);
const STORE: Address = address!("0xc0ffee0000000000000000000000000000000001");

struct Node {
    anvil: AnvilInstance,
    runtime: Runtime,
    provider: RootProvider,
    chain: RpcChain<RootProvider>,
}

impl Node {
    /// Starts anvil. Without it, the test says so and ends.
    fn start() -> Option<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../node_modules/.bin/anvil");
        if !path.exists() {
            println!("SKIPPED: node_modules/.bin/anvil is missing; run `npm ci` in the project's root");
            return None;
        }
        let anvil = Anvil::at(path).spawn();
        let runtime = Runtime::new().expect("tokio starts");
        let provider = RootProvider::new_http(anvil.endpoint_url());
        let chain = RpcChain::new(provider.clone(), runtime.handle().clone());
        let node = Self { anvil, runtime, provider, chain };
        node.set_code(CODE);
        Some(node)
    }

    fn set_code(&self, code: Bytes) {
        self.raw::<()>("anvil_setCode", serde_json::json!([STORE, code]));
    }

    fn raw<T: serde::de::DeserializeOwned + Send + Sync + std::fmt::Debug + Unpin + 'static>(
        &self,
        method: &'static str,
        parameters: serde_json::Value,
    ) -> T {
        self.runtime.block_on(self.provider.raw_request(method.into(), parameters)).expect(method)
    }

    /// Stores a word, in a new block.
    fn store(&self, word: u64) -> BlockReference {
        let data = U256::from(word).to_be_bytes_vec();
        let call = TransactionRequest::default().with_from(self.anvil.addresses()[0]).with_to(STORE).with_input(data);
        let is_mined = self.runtime.block_on(async {
            let pending = self.provider.send_transaction(call).await.expect("anvil takes the transaction");
            pending.get_receipt().await.expect("the transaction is mined").status()
        });
        assert!(is_mined);
        self.latest()
    }

    fn latest(&self) -> BlockReference {
        self.chain.reference_block(BlockNumberOrTag::Latest).expect("anvil has a block")
    }
}

fn word(value: u64) -> B256 {
    U256::from(value).into()
}

fn filter(from_block: u64, to_block: u64) -> LogFilter {
    LogFilter { addresses: vec![STORE], topics: vec![], from_block, to_block }
}

#[test]
fn reads_are_those_of_the_reference_block() {
    let Some(node) = Node::start() else { return };
    let (first, second) = (node.store(1), node.store(2));
    assert_eq!(second.number, first.number + 1);
    let chain = &node.chain;
    for (block, value) in [(first, 1), (second, 2)] {
        assert_eq!(chain.call(&block, STORE, &Bytes::new()), Ok(Ok(word(value).0.into())));
        assert_eq!(chain.storage(&block, STORE, B256::ZERO), Ok(word(value)));
        assert_eq!(chain.code(&block, STORE), Ok(CODE));
        assert_eq!(chain.balance(&block, STORE), Ok(U256::ZERO));
        assert_eq!(chain.header(&block, first.number), Ok(first));
        let logs = chain.logs(&block, &filter(0, block.number)).expect("it has logs");
        assert_eq!(logs.len() as u64, value);
        assert_eq!(logs.last().map(|log| log.data.clone()), Some(word(value).0.into()));
    }
    assert_eq!(chain.code(&second, Address::ZERO), Ok(Bytes::new()));
    assert!(chain.balance(&second, node.anvil.addresses()[0]).expect("it has a balance") > U256::ZERO);
}

#[test]
fn logs_are_selected_by_address_and_topic() {
    let Some(node) = Node::start() else { return };
    let block = node.store(1);
    let caller = node.anvil.addresses()[0].into_word();
    let select = |topics: Vec<Vec<B256>>| {
        let filter = LogFilter { topics, ..filter(0, block.number) };
        node.chain.logs(&block, &filter).expect("it has logs").len()
    };
    assert_eq!(select(vec![]), 1);
    assert_eq!(select(vec![vec![], vec![caller]]), 1);
    assert_eq!(select(vec![vec![], vec![word(1), caller], vec![STORE.into_word()]]), 1);
    assert_eq!(select(vec![vec![], vec![word(1)]]), 0);
    let other = LogFilter { addresses: vec![Address::ZERO], ..filter(0, block.number) };
    assert_eq!(node.chain.logs(&block, &other), Ok(vec![]));
}

#[test]
fn a_revert_is_an_answer_and_another_halt_is_not() {
    let Some(node) = Node::start() else { return };
    let block = node.latest();
    assert_eq!(node.chain.call(&block, STORE, &bytes!("0x1234")), Ok(Err(bytes!("0x1234"))));
    // INVALID: nodes report it each in its own words.
    node.set_code(bytes!("0xfe"));
    let block = node.store_nothing();
    let result = node.chain.call(&block, STORE, &Bytes::new());
    assert!(matches!(result, Err(ChainReadError::Node { method: "eth_call", .. })), "{result:?}");
}

impl Node {
    /// Mines a block.
    fn store_nothing(&self) -> BlockReference {
        self.raw::<serde_json::Value>("evm_mine", serde_json::json!([]));
        self.latest()
    }
}

#[test]
fn a_block_that_is_no_longer_canonical_is_refused() {
    let Some(node) = Node::start() else { return };
    let kept = node.store(1);
    let snapshot: String = node.raw("evm_snapshot", serde_json::json!([]));
    let block = node.store(2);
    assert_eq!(node.chain.storage(&block, STORE, B256::ZERO), Ok(word(2)));
    assert!(node.raw::<bool>("evm_revert", serde_json::json!([snapshot])));
    let other = node.store(3);
    assert!(other.number == block.number && other.hash != block.hash);

    let not_canonical = ChainReadError::NotCanonical { number: block.number, hash: block.hash };
    assert_eq!(node.chain.logs(&block, &filter(0, block.number)), Err(not_canonical.clone()));
    assert_eq!(node.chain.header(&block, kept.number), Err(not_canonical));
    assert!(matches!(node.chain.storage(&block, STORE, B256::ZERO), Err(ChainReadError::Node { .. })));
    assert!(matches!(node.chain.call(&block, STORE, &Bytes::new()), Err(ChainReadError::Node { .. })));
    assert!(matches!(node.chain.code(&block, STORE), Err(ChainReadError::Node { .. })));
    assert!(matches!(node.chain.balance(&block, STORE), Err(ChainReadError::Node { .. })));
    assert_eq!(node.chain.storage(&kept, STORE, B256::ZERO), Ok(word(1)));
    // The number and the time belong to the hash.
    let wrong = BlockReference { timestamp: other.timestamp + 1, ..other };
    assert!(matches!(node.chain.logs(&wrong, &filter(0, other.number)), Err(ChainReadError::NotCanonical { .. })));
}

#[test]
fn a_node_that_is_gone_is_named() {
    let Some(node) = Node::start() else { return };
    let block = node.latest();
    drop(node.anvil);
    let result = node.chain.balance(&block, STORE);
    assert!(matches!(result, Err(ChainReadError::Unreachable { method: "eth_getBalance", .. })), "{result:?}");
}

#[test]
fn a_component_reads_the_chain_and_is_repeated_without_it() {
    let Some(node) = Node::start() else { return };
    node.store(41);
    let block = node.store(42);
    node.store(43);
    let parameters = format!(
        r#"{{"steps":[{{"do":"call","to":"{STORE:#x}","data":"0x"}},{{"do":"call","to":"{STORE:#x}","data":"0xab"}},
            {{"do":"logs","addresses":["{STORE:#x}"],"topics":[],"from":0,"to":{}}}]}}"#,
        block.number
    );
    let request = ObservationRequest { block, ..request(&parameters) };
    let world = World::new(Arc::new(node.chain.clone()));
    let observation = host().observe(&probe(), &request, &world).expect("it observes");
    let output = observation.output.to_canonical();
    let expected = format!(r#"[{{"returned":"{}"}},{{"reverted":"0xab"}},["#, word(42));
    assert!(output.starts_with(&expected) && output.matches("transaction").count() == 2, "{output}");

    drop(node);
    assert_eq!(host().replay(&probe(), &observation.recording), Ok(observation));
}

#[test]
fn history_is_that_of_the_chain() {
    let Some(node) = Node::start() else { return };
    node.store(5);
    let block = node.store(6);
    node.store(7);
    let mut request = ObservationRequest { block, ..request("{}") };
    request.policy_client = node.anvil.addresses()[0];
    let query = HistoryQuery {
        event: "event Transfer(address indexed from, address indexed to, uint256 value)".to_owned(),
        address: "intent.to".to_owned(),
        arguments: [("from".to_owned(), "task.client".to_owned())].into(),
        window: Window::Blocks(10),
        sum: Some("value".to_owned()),
        events: true,
    };
    let world = World::new(Arc::new(node.chain.clone()));
    let observation = history::observe(&query, &request, &world).expect("it observes");
    let output = &observation.output;
    assert_eq!(output.get("count").and_then(|count| count.as_str()), Some("2"));
    assert_eq!(output.get("sum").and_then(|sum| sum.as_str()), Some("11"));
    drop(node);
    assert_eq!(history::replay(&query, &observation.recording), Ok(observation));
}
