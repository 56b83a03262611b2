//! One script of requests, sent to this chain and to a real anvil: the answers are the same.

mod recorder;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use alloy::{
    eips::Encodable2718,
    network::{EthereumWallet, NetworkTransactionBuilder, TransactionBuilder},
    node_bindings::{Anvil, AnvilInstance},
    primitives::{B256, Bytes, U256},
    providers::{Provider, ProviderBuilder},
    rpc::types::TransactionRequest,
    signers::local::PrivateKeySigner,
};
use assent_chain::{BLOCK_GAS_LIMIT, DEPLOYMENT_PROXY, DEVELOPMENT_ACCOUNTS, EmbeddedChain, Genesis};
use recorder::{CREATION, STRANGER, TOPIC, word};
use serde_json::{Value, json};

/// What two honest chains may answer differently, anywhere in an answer. These are hashes over signatures that the
/// embedded chain does not make, the state root it does not compute, and fields that only anvil adds.
const FREE_FIELDS: [&str; 17] = [
    "hash",
    "parentHash",
    "blockHash",
    "transactionHash",
    "transactionsRoot",
    "stateRoot",
    "mixHash",
    "size",
    "totalDifficulty",
    "r",
    "s",
    "v",
    "yParity",
    "blobGasPrice",
    "blockTimestamp",
    "transactions",
    "requestsHash",
];

#[tokio::test]
async fn answers_as_a_real_anvil_does() {
    let Some(anvil_path) = find_anvil() else {
        println!("SKIPPED: node_modules/.bin/anvil is missing; run `npm ci` in the project's root");
        return;
    };
    let genesis = Genesis::default();
    let anvil = start(anvil_path, &genesis);
    let theirs = observe(ProviderBuilder::new().connect_http(anvil.endpoint_url()), genesis.timestamp).await;
    let ours = observe(EmbeddedChain::with_genesis(genesis.clone()).provider(), genesis.timestamp).await;
    assert_eq!(ours.len(), theirs.len());
    let differences: Vec<_> = ours.iter().zip(&theirs).filter(|(ours, theirs)| ours != theirs).collect();
    assert!(differences.is_empty(), "(ours, anvil's): {differences:#?}");
}

fn find_anvil() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../node_modules/.bin/anvil");
    path.exists().then_some(path)
}

fn start(path: PathBuf, genesis: &Genesis) -> AnvilInstance {
    Anvil::at(path)
        .chain_id(genesis.chain_id)
        .args(["--hardfork", "osaka", "--gas-limit", &BLOCK_GAS_LIMIT.to_string()])
        .args(["--timestamp", &genesis.timestamp.to_string()])
        .spawn()
}

/// Sends one request after the other and notes each answer.
struct Observer<P> {
    provider: P,
    seen: Vec<(String, Value)>,
}

impl<P: Provider> Observer<P> {
    async fn ask(&mut self, method: &'static str, parameters: Value) -> Value {
        let answer = match self.provider.raw_request::<_, Value>(method.into(), &parameters).await {
            Ok(answer) => answer,
            Err(error) => {
                let answer = error.as_error_resp().expect("an error inside the answer");
                json!({ "code": answer.code, "revertData": answer.as_revert_data() })
            }
        };
        self.seen.push((format!("{} {method}", self.seen.len()), comparable(answer.clone())));
        answer
    }

    /// Asks for the fees of the last blocks, once anvil knows them all, which is a moment after it has mined.
    async fn ask_fee_history(&mut self, blocks: usize) {
        let parameters = json!([format!("{blocks:#x}"), "latest", [20.0, 80.0]]);
        for _ in 0..500 {
            let fees: Value = self.provider.raw_request("eth_feeHistory".into(), &parameters).await.unwrap();
            if fees["gasUsedRatio"].as_array().map(Vec::len) == Some(blocks) {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.ask("eth_feeHistory", parameters).await;
    }

    /// Sends a transaction; notes its receipt instead of its hash.
    async fn send(&mut self, transaction: Value) -> Value {
        let hash: Value = self.provider.raw_request("eth_sendTransaction".into(), [transaction]).await.unwrap();
        let receipt = self.mined(&hash).await;
        self.seen.push(("receipt".to_owned(), comparable(receipt.clone())));
        receipt
    }

    /// The receipt, once anvil has mined, which is a moment after it has answered. A moment later it no longer counts
    /// the transaction as waiting.
    async fn mined(&self, hash: &Value) -> Value {
        for _ in 0..500 {
            let found: Value = self.provider.raw_request("eth_getTransactionByHash".into(), [hash]).await.unwrap();
            if !found["blockNumber"].is_null() {
                return self.provider.raw_request("eth_getTransactionReceipt".into(), [hash]).await.unwrap();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("transaction {hash} is not mined after five seconds");
    }
}

async fn observe(provider: impl Provider, genesis_time: u64) -> Vec<(String, Value)> {
    let [sender, other, ..] = DEVELOPMENT_ACCOUNTS;
    let mut observer = Observer { provider, seen: Vec::new() };

    for method in ["eth_chainId", "net_version", "eth_accounts", "eth_blockNumber", "eth_gasPrice"] {
        observer.ask(method, json!([])).await;
    }
    observer.ask("eth_maxPriorityFeePerGas", json!([])).await;
    observer.ask("eth_feeHistory", json!(["0xa", "latest", [20.0]])).await;
    observer.ask("eth_getBlockByNumber", json!(["latest", false])).await;
    observer.ask("eth_getBalance", json!([sender, "latest"])).await;
    observer.ask("eth_getCode", json!([DEPLOYMENT_PROXY, "latest"])).await;

    // Deployment, at a time that is set.
    observer.ask("evm_setNextBlockTimestamp", json!([genesis_time + 1_000])).await;
    let receipt = observer.send(json!({"from": sender, "data": CREATION, "gas": "0x7a120"})).await;
    let contract = receipt["contractAddress"].clone();
    observer.ask("eth_getBlockByNumber", json!(["latest", false])).await;
    observer.ask("eth_getCode", json!([contract, "latest"])).await;

    // Calls: at the latest block and at the next; refused; impossible.
    let good = json!({"from": sender, "to": contract, "data": word(7)});
    let refused = json!({"from": sender, "to": contract});
    let halting = json!({"from": sender, "data": "0xfe"});
    let unaffordable = json!({"from": sender, "to": other, "value": U256::MAX >> 8});
    observer.ask("eth_call", json!([good])).await;
    observer.ask("evm_setNextBlockTimestamp", json!([genesis_time + 2_000])).await;
    observer.ask("eth_call", json!([good, "latest"])).await;
    observer.ask("eth_call", json!([good, "pending"])).await;
    for request in [&refused, &halting] {
        observer.ask("eth_call", json!([request, "latest"])).await;
        observer.ask("eth_estimateGas", json!([request])).await;
    }
    observer.ask("eth_call", json!([unaffordable, "latest"])).await;
    observer.ask("eth_estimateGas", json!([{"from": sender, "to": other}])).await;

    // Transactions: valid; refused with a gas limit, and without; impossible.
    let good_receipt = observer.send(json!({"from": sender, "to": contract, "data": word(7), "gas": "0x186a0"})).await;
    observer.ask("eth_getTransactionByHash", json!([good_receipt["transactionHash"]])).await;
    observer.ask("eth_getStorageAt", json!([contract, "0x0", "latest"])).await;
    observer.ask("eth_getLogs", json!([{"fromBlock": "0x0", "address": contract, "topics": [TOPIC]}])).await;
    observer.ask("eth_getLogs", json!([{"fromBlock": "0x0", "address": other}])).await;
    observer.ask("evm_setNextBlockTimestamp", json!([genesis_time + 3_000])).await;
    observer.send(json!({"from": sender, "to": contract, "gas": "0x186a0"})).await;
    observer.ask("evm_setNextBlockTimestamp", json!([genesis_time + 4_000])).await;
    observer.send(refused.clone()).await;
    observer.ask("eth_sendTransaction", json!([{"from": sender, "to": other, "gas": "0x5208", "nonce": "0x0"}])).await;
    observer.ask("eth_sendTransaction", json!([{"from": sender, "to": other, "gas": "0x100"}])).await;
    observer.ask("eth_sendTransaction", json!([{"from": STRANGER, "to": other, "gas": "0x5208"}])).await;
    let mut unaffordable_with_gas = unaffordable.clone();
    unaffordable_with_gas["gas"] = json!("0x5208");
    observer.ask("eth_sendTransaction", json!([unaffordable_with_gas])).await;
    observer.ask("eth_getTransactionCount", json!([sender, "latest"])).await;
    observer.ask("eth_getBalance", json!([sender, "latest"])).await;

    // A signed transaction has the same hash everywhere.
    let (signer, raw) = signed_transaction().await;
    observer.ask("anvil_setBalance", json!([signer, "0xde0b6b3a7640000"])).await;
    observer.ask("evm_setNextBlockTimestamp", json!([genesis_time + 5_000])).await;
    let hash = observer.ask("eth_sendRawTransaction", json!([raw])).await;
    observer.mined(&hash).await;
    observer.ask("eth_getTransactionByHash", json!([hash])).await;
    observer.ask("eth_getTransactionReceipt", json!([hash])).await;
    observer.ask("eth_sendRawTransaction", json!([raw])).await;
    observer.ask("eth_sendRawTransaction", json!(["0x1234"])).await;

    // Blocks without a transaction, and fees.
    observer.ask("evm_setNextBlockTimestamp", json!([1])).await;
    observer.ask("evm_mine", json!([genesis_time + 5_500])).await;
    observer.ask("eth_getBlockByNumber", json!(["latest", false])).await;
    observer.ask_fee_history(3).await;

    // Impersonation and snapshots.
    let snapshot = observer.ask("evm_snapshot", json!([])).await;
    observer.ask("anvil_setBalance", json!([STRANGER, "0xde0b6b3a7640000"])).await;
    observer.ask("anvil_impersonateAccount", json!([STRANGER])).await;
    observer.ask("evm_setNextBlockTimestamp", json!([genesis_time + 6_000])).await;
    observer.send(json!({"from": STRANGER, "to": other, "gas": "0x5208", "value": "0x1"})).await;
    observer.ask("evm_revert", json!([snapshot])).await;
    observer.ask("evm_revert", json!([snapshot])).await;
    observer.ask("eth_getBalance", json!([STRANGER, "latest"])).await;
    observer.ask("eth_blockNumber", json!([])).await;

    // What does not exist.
    observer.ask("eth_noSuchMethod", json!([])).await;
    observer.ask("eth_getBlockByNumber", json!(["0xffff", false])).await;
    observer.ask("eth_getTransactionReceipt", json!([B256::ZERO])).await;
    observer.ask("eth_call", json!([good, "0xffff"])).await;
    observer.ask("eth_getBalance", json!(["0x12", "latest"])).await;
    observer.seen
}

async fn signed_transaction() -> (alloy::primitives::Address, Bytes) {
    let signer = PrivateKeySigner::from_bytes(&B256::repeat_byte(0x42)).unwrap();
    let request = TransactionRequest::default()
        .with_to(STRANGER)
        .with_value(U256::from(5))
        .with_chain_id(Genesis::default().chain_id)
        .with_nonce(0)
        .with_gas_limit(21_000)
        .with_max_fee_per_gas(3_000_000_000)
        .with_max_priority_fee_per_gas(1_000_000_000);
    let address = signer.address();
    let envelope = request.build(&EthereumWallet::from(signer)).await.unwrap();
    (address, envelope.encoded_2718().into())
}

/// The answer without [`FREE_FIELDS`].
fn comparable(answer: Value) -> Value {
    match answer {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(name, _)| !FREE_FIELDS.contains(&name.as_str()));
            Value::Object(kept.map(|(name, value)| (name, comparable(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(comparable).collect()),
        other => other,
    }
}
