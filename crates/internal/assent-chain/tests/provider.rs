//! The chain through alloy, as a client of any node would use it.

mod recorder;

use alloy::{
    eips::{BlockId, BlockNumberOrTag, Encodable2718},
    network::{EthereumWallet, NetworkTransactionBuilder, TransactionBuilder},
    primitives::{Address, B256, U256, bytes},
    providers::{Provider, ProviderBuilder},
    rpc::types::{Filter, TransactionRequest},
    signers::local::PrivateKeySigner,
    transports::{RpcError, TransportErrorKind},
};
use assent_chain::{DEVELOPMENT_ACCOUNTS, EmbeddedChain, Message};
use recorder::{CREATION, REFUSAL, RUNTIME, STRANGER, TOPIC, returned, word};
use serde_json::{Value, json};

const SENDER: Address = DEVELOPMENT_ACCOUNTS[0];

fn with_contract() -> (EmbeddedChain, Address) {
    let chain = EmbeddedChain::new(31_337);
    let contract = chain.deploy(SENDER, CREATION).unwrap();
    (chain, contract)
}

fn to(contract: Address) -> TransactionRequest {
    TransactionRequest::default().with_from(SENDER).with_to(contract)
}

fn code_of<T: std::fmt::Debug>(result: Result<T, RpcError<TransportErrorKind>>) -> i64 {
    result.unwrap_err().error_code().expect("an error inside the answer")
}

#[tokio::test]
async fn deploys_and_sends_for_an_unlocked_account() {
    let chain = EmbeddedChain::new(31_337);
    let provider = chain.provider();
    let creation = TransactionRequest::default().with_from(SENDER).with_deploy_code(CREATION);
    let receipt = provider.send_transaction(creation).await.unwrap().get_receipt().await.unwrap();
    assert!(receipt.status());
    let contract = receipt.contract_address.unwrap();
    assert_eq!(provider.get_code_at(contract).await.unwrap(), RUNTIME);

    let sent = provider.send_transaction(to(contract).with_input(word(7))).await.unwrap();
    let receipt = sent.get_receipt().await.unwrap();
    assert_eq!((receipt.from, receipt.to, receipt.block_number), (SENDER, Some(contract), Some(2)));
    let [log] = receipt.logs() else { panic!("{receipt:?}") };
    assert_eq!((log.address(), log.topics(), &log.data().data), (contract, &[TOPIC][..], &word(7)));
    assert_eq!(provider.get_storage_at(contract, U256::ZERO).await.unwrap(), U256::from(7));
    assert_eq!(provider.get_transaction_count(SENDER).await.unwrap(), 2);
}

#[tokio::test]
async fn fees_leave_the_senders_balance_to_the_wei() {
    let (chain, contract) = with_contract();
    let before = chain.balance(SENDER);
    let request = to(contract).with_input(word(7));
    let receipt = chain.provider().send_transaction(request).await.unwrap().get_receipt().await.unwrap();
    let fee = U256::from(receipt.gas_used) * U256::from(receipt.effective_gas_price);
    assert!(!fee.is_zero());
    assert_eq!(chain.balance(SENDER), before - fee);
}

#[tokio::test]
async fn revert_data_reaches_the_caller_intact() {
    let (chain, contract) = with_contract();
    let provider = chain.provider();
    let by_call = provider.call(to(contract)).await.unwrap_err();
    let by_estimate = provider.estimate_gas(to(contract)).await.unwrap_err();
    let by_sending = provider.send_transaction(to(contract)).await.unwrap_err();
    for error in [by_call, by_estimate, by_sending] {
        let answer = error.as_error_resp().expect("an error inside the answer");
        assert_eq!((answer.code, answer.as_revert_data()), (3, Some(REFUSAL)));
    }
    assert_eq!(chain.block_number(), 1, "a transaction that fails at estimation is not sent");
}

#[tokio::test]
async fn a_refused_transaction_with_a_gas_limit_is_mined_with_status_0() {
    let (chain, contract) = with_contract();
    let sent = chain.provider().send_transaction(to(contract).with_gas_limit(100_000)).await.unwrap();
    let receipt = sent.get_receipt().await.unwrap();
    assert!(!receipt.status());
    assert!(receipt.logs().is_empty());
}

#[tokio::test]
async fn a_signed_transaction_is_accepted_once() {
    let (chain, contract) = with_contract();
    let signer = PrivateKeySigner::random();
    chain.set_balance(signer.address(), U256::from(10u64.pow(18)));
    let wallet = EthereumWallet::from(signer.clone());
    let provider = ProviderBuilder::new().wallet(wallet.clone()).connect_client(chain.client());
    let request = TransactionRequest::default().with_to(contract).with_input(word(9));
    let receipt = provider.send_transaction(request.clone()).await.unwrap().get_receipt().await.unwrap();
    assert_eq!((receipt.status(), receipt.from), (true, signer.address()));
    assert_eq!(chain.storage_at(contract, U256::ZERO), U256::from(9));

    let found = provider.get_transaction_by_hash(receipt.transaction_hash).await.unwrap().unwrap();
    assert_eq!(found.inner.signer(), signer.address());
    let raw = found.inner.inner().encoded_2718();
    assert_eq!(code_of(provider.send_raw_transaction(&raw).await), -32003, "nonce too low");
}

#[tokio::test]
async fn a_signed_transaction_for_another_chain_is_refused() {
    let (chain, contract) = with_contract();
    let signer = PrivateKeySigner::random();
    chain.set_balance(signer.address(), U256::from(10u64.pow(18)));
    let request = TransactionRequest::default()
        .with_to(contract)
        .with_chain_id(1)
        .with_nonce(0)
        .with_gas_limit(100_000)
        .with_max_fee_per_gas(10u128.pow(10))
        .with_max_priority_fee_per_gas(1);
    let raw = request.build(&EthereumWallet::from(signer)).await.unwrap().encoded_2718();
    assert_eq!(code_of(chain.provider().send_raw_transaction(&raw).await), -32003);
    assert_eq!(chain.block_number(), 1);
}

#[tokio::test]
async fn bytes_that_are_no_transaction_are_refused() {
    let provider = EmbeddedChain::new(1).provider();
    for raw in [&[][..], &[2], &[0x12, 0x34], &[0xc0], &[0xff; 100]] {
        assert_eq!(code_of(provider.send_raw_transaction(raw).await), -32602, "{raw:?}");
    }
}

#[tokio::test]
async fn only_unlocked_accounts_need_no_signature() {
    let chain = EmbeddedChain::new(31_337);
    let provider = chain.provider();
    chain.set_balance(STRANGER, U256::from(10u64.pow(18)));
    let request = TransactionRequest::default().with_from(STRANGER).with_to(SENDER);
    assert_eq!(code_of(provider.send_transaction(request.clone()).await), -32602);
    let _: Value = provider.raw_request("anvil_impersonateAccount".into(), [STRANGER]).await.unwrap();
    let receipt = provider.send_transaction(request).await.unwrap().get_receipt().await.unwrap();
    assert_eq!((receipt.status(), receipt.from), (true, STRANGER));
}

#[tokio::test]
async fn the_same_transaction_from_two_senders_has_two_hashes() {
    let provider = EmbeddedChain::new(31_337).provider();
    let mut hashes = Vec::new();
    for sender in &DEVELOPMENT_ACCOUNTS[..2] {
        let request = TransactionRequest::default()
            .with_from(*sender)
            .with_to(STRANGER)
            .with_gas_limit(21_000)
            .with_max_fee_per_gas(10u128.pow(10))
            .with_max_priority_fee_per_gas(1);
        hashes.push(*provider.send_transaction(request).await.unwrap().tx_hash());
    }
    assert_ne!(hashes[0], hashes[1]);
}

#[tokio::test]
async fn time_travels_as_on_anvil() {
    let (chain, contract) = with_contract();
    let provider = chain.provider();
    let start = chain.timestamp();
    let seen = async |block: BlockNumberOrTag| {
        let output = provider.call(to(contract).with_input(word(1))).block(block.into()).await.unwrap();
        returned(&output)
    };
    let _: Value = provider.raw_request("evm_increaseTime".into(), [1_000]).await.unwrap();
    assert_eq!(seen(BlockNumberOrTag::Latest).await, (start, 1));
    assert_eq!(seen(BlockNumberOrTag::Pending).await, (start + 1_000, 2));
    let _: Value = provider.raw_request("evm_mine".into(), ()).await.unwrap();
    assert_eq!(seen(BlockNumberOrTag::Latest).await, (start + 1_000, 2));
    let _: Value = provider.raw_request("evm_setNextBlockTimestamp".into(), [start + 5_000]).await.unwrap();
    let receipt = provider.send_transaction(to(contract).with_input(word(1))).await.unwrap();
    assert!(receipt.get_receipt().await.unwrap().status());
    assert_eq!(chain.timestamp(), start + 5_000);
    let back = provider.raw_request::<_, Value>("evm_setNextBlockTimestamp".into(), [start]).await;
    assert_eq!(code_of(back), -32602);
}

#[tokio::test]
async fn a_snapshot_brings_back_what_was() {
    let (chain, contract) = with_contract();
    let provider = chain.provider();
    let snapshot: Value = provider.raw_request("evm_snapshot".into(), ()).await.unwrap();
    let sent = provider.send_transaction(to(contract).with_input(word(7))).await.unwrap();
    let hash = *sent.tx_hash();
    let revert = async || provider.raw_request::<_, bool>("evm_revert".into(), [snapshot.clone()]).await.unwrap();
    assert!(revert().await);
    assert!(!revert().await);
    assert_eq!(provider.get_storage_at(contract, U256::ZERO).await.unwrap(), U256::ZERO);
    assert!(provider.get_transaction_receipt(hash).await.unwrap().is_none());
    assert_eq!(provider.get_block_number().await.unwrap(), 1);
}

#[tokio::test]
async fn logs_are_found_by_address_topic_and_block() {
    let (chain, contract) = with_contract();
    for value in [1, 2, 3] {
        chain.transact(Message::new(SENDER, contract, word(value))).unwrap();
    }
    let provider = chain.provider();
    let count = async |filter: Filter| provider.get_logs(&filter).await.unwrap().len();
    let all = || Filter::new().from_block(0);
    assert_eq!(count(Filter::new()).await, 1, "without a range: the latest block");
    assert_eq!(count(all()).await, 3);
    assert_eq!(count(all().address(contract).event_signature(TOPIC)).await, 3);
    assert_eq!(count(all().address(STRANGER)).await, 0);
    assert_eq!(count(all().event_signature(B256::ZERO)).await, 0);
    assert_eq!(count(Filter::new().from_block(3).to_block(3)).await, 1);
    assert_eq!(count(Filter::new().from_block(3).to_block(2)).await, 0);
    assert_eq!(count(Filter::new().from_block(0).to_block(u64::MAX)).await, 3);
    let block = provider.get_block(BlockId::latest()).await.unwrap().unwrap();
    let [log] = &provider.get_logs(&Filter::new().at_block_hash(block.header.hash)).await.unwrap()[..] else {
        panic!("one log")
    };
    assert_eq!((log.block_number, log.log_index, log.data().data.clone()), (Some(4), Some(0), word(3)));
    assert_eq!(code_of(provider.get_logs(&Filter::new().at_block_hash(B256::ZERO)).await), -32602);
}

#[tokio::test]
async fn blocks_are_found_by_number_and_hash() {
    let (chain, _) = with_contract();
    let provider = chain.provider();
    let latest = provider.get_block(BlockId::latest()).full().await.unwrap().unwrap();
    assert_eq!((latest.header.number, latest.transactions.len()), (1, 1));
    assert_eq!(latest.header.hash, latest.header.inner.hash_slow());
    let genesis = provider.get_block(0.into()).await.unwrap().unwrap();
    assert_eq!(latest.header.parent_hash, genesis.header.hash);
    assert_eq!(provider.get_block(latest.header.hash.into()).full().await.unwrap().unwrap(), latest);
    assert!(provider.get_block(2.into()).await.unwrap().is_none());
    assert!(provider.get_block(B256::ZERO.into()).await.unwrap().is_none());
}

#[tokio::test]
async fn state_at_an_older_block_is_refused_not_guessed() {
    let (chain, contract) = with_contract();
    let provider = chain.provider();
    assert!(provider.get_balance(SENDER).block_id(1.into()).await.is_ok());
    let latest = provider.get_block(BlockId::latest()).await.unwrap().unwrap();
    assert!(provider.call(to(contract).with_input(word(1))).block(latest.header.hash.into()).await.is_ok());
    for block in [0, 2] {
        assert_eq!(code_of(provider.get_balance(SENDER).block_id(block.into()).await), -32602);
        assert_eq!(code_of(provider.call(to(contract)).block(block.into()).await), -32602);
    }
}

#[tokio::test]
async fn calls_and_estimates_at_a_kept_block_see_nothing_newer() {
    let (chain, contract) = with_contract();
    chain.keep_past_states(1);
    chain.transact(Message::new(SENDER, contract, word(7))).unwrap();
    let (provider, before) = (chain.provider(), BlockId::number(1));
    // The balance that a transfer needs is there only since block 2.
    let poor = to(contract).with_from(STRANGER).with_to(SENDER).with_value(U256::from(5));
    chain.set_balance(STRANGER, U256::from(10).pow(U256::from(18)));
    provider.estimate_gas(poor.clone()).await.unwrap();
    provider.estimate_gas(poor.clone()).block(before).await.unwrap_err();
    provider.call(poor).block(before).await.unwrap_err();
    // BASEFEE, as what a deployment returns.
    let base_fee = TransactionRequest::default().with_from(SENDER).with_deploy_code(bytes!("485f5260205ff3"));
    let header = provider.get_block(before).await.unwrap().unwrap().header;
    let at_that_block = provider.call(base_fee).block(before).await.unwrap();
    assert_eq!(U256::from_be_slice(&at_that_block), U256::from(header.base_fee_per_gas.unwrap()));
}

#[tokio::test]
async fn an_estimate_is_the_least_gas_that_suffices() {
    let (chain, contract) = with_contract();
    let provider = chain.provider();
    let call = Message::new(SENDER, contract, word(7));
    let estimate = provider.estimate_gas(to(contract).with_input(word(7))).await.unwrap();
    assert!(chain.call(call.clone().with_gas_limit(estimate)).unwrap().is_success());
    assert!(!chain.call(call.with_gas_limit(estimate - 1)).unwrap().is_success());
    assert_eq!(provider.estimate_gas(to(STRANGER)).await.unwrap(), 21_000);
}

#[tokio::test]
async fn fee_history_covers_the_blocks_asked_for() {
    let (chain, _) = with_contract();
    let history = chain.provider().get_fee_history(10, BlockNumberOrTag::Latest, &[20.0, 50.0]).await.unwrap();
    assert_eq!((history.oldest_block, history.base_fee_per_gas.len(), history.gas_used_ratio.len()), (0, 3, 2));
    assert_eq!(history.reward.unwrap(), [[0, 0], [0, 0]]);
    let future = chain.provider().get_fee_history(1, 9.into(), &[]).await;
    assert_eq!(code_of(future), -32602);
}

#[tokio::test]
async fn unknown_methods_and_malformed_parameters_get_their_codes() {
    let (chain, contract) = with_contract();
    let provider = chain.provider();
    let code = async |method: &'static str, parameters: Value| {
        code_of(provider.raw_request::<_, Value>(method.into(), parameters).await)
    };
    assert_eq!(code("eth_noSuchMethod", json!([])).await, -32601);
    assert_eq!(code("eth_getBalance", json!([])).await, -32602);
    assert_eq!(code("eth_getBalance", json!(["0x12"])).await, -32602);
    assert_eq!(code("eth_getBalance", json!({"address": SENDER})).await, -32602);
    assert_eq!(code("eth_call", json!([{"to": contract, "input": "0x01", "data": "0x02"}])).await, -32602);
    assert_eq!(code("eth_call", json!([{"to": contract}, "latest", {contract.to_string(): {}}])).await, -32602);
    assert_eq!(code("evm_increaseTime", json!([u64::MAX])).await, -32602);
    assert_eq!(code("eth_sendTransaction", json!([{"to": contract}])).await, -32602);
}

#[tokio::test]
async fn requests_in_a_batch_are_all_answered() {
    let chain = EmbeddedChain::new(31_337);
    let client = chain.client();
    let mut batch = client.new_batch();
    let id = batch.add_call::<_, String>("eth_chainId", &()).unwrap();
    let unknown = batch.add_call::<_, String>("eth_noSuchMethod", &()).unwrap();
    batch.send().await.unwrap();
    assert_eq!(id.await.unwrap(), "0x7a69");
    assert_eq!(code_of(unknown.await), -32601);
}
