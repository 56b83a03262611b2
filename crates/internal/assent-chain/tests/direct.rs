//! The synchronous interface.

mod recorder;

use std::time::Instant;

use alloy::primitives::{Address, TxKind, U256, bytes};
use assent_chain::{
    ChainError, DEPLOYMENT_PROXY, DEVELOPMENT_ACCOUNTS, EmbeddedChain, ExecutionStatus, Genesis, HaltReason,
    InvalidTransaction, Message, TRANSACTION_GAS_CAP,
};
use recorder::{CREATION, REFUSAL, RUNTIME, STRANGER, TOPIC, returned, word};

const SENDER: Address = DEVELOPMENT_ACCOUNTS[0];

fn with_contract() -> (EmbeddedChain, Address) {
    let chain = EmbeddedChain::new(1);
    let contract = chain.deploy(SENDER, CREATION).unwrap();
    (chain, contract)
}

#[test]
fn deploys_where_create_puts_it() {
    let (chain, contract) = with_contract();
    assert_eq!(contract, SENDER.create(0));
    assert_eq!(chain.code_at(contract), RUNTIME);
    assert_eq!((chain.nonce(SENDER), chain.nonce(contract), chain.block_number()), (1, 1, 1));
}

#[test]
fn a_failed_deployment_names_its_revert_data() {
    let refusal = EmbeddedChain::new(1).deploy(SENDER, bytes!("63deadbeef6000526004601cfd"));
    assert_eq!(refusal, Err(ChainError::DeploymentFailed { status: ExecutionStatus::Revert, data: REFUSAL }));
}

#[test]
fn a_transaction_changes_storage_and_emits() {
    let (chain, contract) = with_contract();
    let execution = chain.transact(Message::new(SENDER, contract, word(7))).unwrap();
    assert!(execution.is_success());
    assert_eq!(chain.storage_at(contract, U256::ZERO), U256::from(7));
    assert_eq!(execution.logs.len(), 1);
    assert_eq!(execution.logs[0].address, contract);
    assert_eq!(execution.logs[0].topics(), [TOPIC]);
    assert_eq!(execution.logs[0].data.data, word(7));
}

#[test]
fn a_call_changes_nothing() {
    let (chain, contract) = with_contract();
    assert!(chain.call(Message::new(SENDER, contract, word(7))).unwrap().is_success());
    assert_eq!(chain.storage_at(contract, U256::ZERO), U256::ZERO);
    assert_eq!((chain.nonce(SENDER), chain.block_number()), (1, 1));
}

#[test]
fn a_refused_transaction_is_mined_and_leaves_only_the_nonce() {
    let (chain, contract) = with_contract();
    let execution = chain.transact(Message::new(SENDER, contract, bytes!(""))).unwrap();
    assert_eq!(execution.revert_data(), Some(&REFUSAL));
    assert!(execution.logs.is_empty());
    assert_eq!((chain.nonce(SENDER), chain.block_number()), (2, 2));
}

#[test]
fn events_before_a_revert_are_not_kept() {
    // PUSH1 0 PUSH1 0 LOG0  PUSH1 0 PUSH1 0 REVERT
    let execution = EmbeddedChain::new(1).call(Message::create(SENDER, bytes!("60006000a060006000fd"))).unwrap();
    assert_eq!(execution.revert_data(), Some(&bytes!("")));
    assert!(execution.logs.is_empty());
}

#[test]
fn running_out_of_gas_is_a_halt_that_costs_all_gas() {
    let chain = EmbeddedChain::new(1);
    // JUMPDEST PUSH1 0 JUMP
    let execution = chain.call(Message::create(SENDER, bytes!("5b600056")).with_gas_limit(100_000)).unwrap();
    assert!(matches!(execution.status, ExecutionStatus::Halt(HaltReason::OutOfGas(_))), "{:?}", execution.status);
    assert_eq!((execution.gas_used, execution.revert_data()), (100_000, None));
}

#[test]
fn a_transfer_costs_the_intrinsic_gas_and_no_fee() {
    let chain = EmbeddedChain::new(1);
    let before = chain.balance(SENDER);
    let execution = chain.transact(Message::new(SENDER, STRANGER, bytes!("")).with_value(U256::from(5))).unwrap();
    assert_eq!(execution.gas_used, 21_000);
    assert_eq!((chain.balance(STRANGER), chain.balance(SENDER)), (U256::from(5), before - U256::from(5)));
}

#[test]
fn value_beyond_the_balance_is_an_error_and_mines_nothing() {
    let chain = EmbeddedChain::new(1);
    let call = Message::new(STRANGER, SENDER, bytes!("")).with_value(U256::from(1));
    for result in [chain.call(call.clone()), chain.transact(call)] {
        let Err(ChainError::InvalidTransaction(reason)) = result else { panic!("{result:?}") };
        assert!(matches!(reason, InvalidTransaction::LackOfFundForMaxFee { .. }), "{reason:?}");
    }
    assert_eq!((chain.block_number(), chain.nonce(STRANGER)), (0, 0));
}

#[test]
fn gas_beyond_the_cap_of_eip_7825_is_an_error() {
    let chain = EmbeddedChain::new(1);
    let call = Message::new(SENDER, STRANGER, bytes!(""));
    assert!(chain.transact(call.clone().with_gas_limit(TRANSACTION_GAS_CAP)).is_ok());
    let refusal = chain.transact(call.with_gas_limit(TRANSACTION_GAS_CAP + 1));
    let cap = InvalidTransaction::TxGasLimitGreaterThanCap { gas_limit: TRANSACTION_GAS_CAP + 1, cap: 16_777_216 };
    assert_eq!(refusal, Err(ChainError::InvalidTransaction(cap)));
}

#[test]
fn code_beyond_24576_bytes_cannot_be_deployed() {
    let chain = EmbeddedChain::new(1);
    // PUSH2 size PUSH1 0 RETURN: that many zero bytes.
    assert!(chain.deploy(SENDER, bytes!("6160006000f3")).is_ok());
    let refusal = chain.deploy(SENDER, bytes!("6160016000f3")).unwrap_err();
    let status = ExecutionStatus::Halt(HaltReason::CreateContractSizeLimit);
    assert_eq!(refusal, ChainError::DeploymentFailed { status, data: bytes!("") });
}

#[test]
fn the_deployment_proxy_deploys_where_create2_puts_it() {
    let chain = EmbeddedChain::new(1);
    let salt = [9; 32];
    let calldata = [&salt[..], &CREATION].concat();
    let execution = chain.transact(Message::new(SENDER, DEPLOYMENT_PROXY, calldata)).unwrap();
    let expected = DEPLOYMENT_PROXY.create2_from_code(salt, CREATION);
    assert_eq!(Address::from_slice(&execution.output), expected);
    assert_eq!(chain.code_at(expected), RUNTIME);
}

#[test]
fn the_chain_id_is_the_one_given() {
    // CHAINID PUSH1 0 MSTORE PUSH1 32 PUSH1 0 RETURN
    let execution = EmbeddedChain::new(4_242).call(Message::create(SENDER, bytes!("4660005260206000f3"))).unwrap();
    assert_eq!(U256::from_be_slice(&execution.output), U256::from(4_242));
}

#[test]
fn genesis_is_what_was_asked_for() {
    let accounts = vec![(STRANGER, U256::from(3))];
    let chain = EmbeddedChain::with_genesis(Genesis { chain_id: 5, timestamp: 1_000, accounts });
    assert_eq!((chain.chain_id(), chain.timestamp(), chain.block_number()), (5, 1_000, 0));
    assert_eq!((chain.balance(STRANGER), chain.balance(SENDER)), (U256::from(3), U256::ZERO));
}

#[test]
fn time_moves_only_when_blocks_are_mined() {
    let (chain, contract) = with_contract();
    let seen = || returned(&chain.call(Message::new(SENDER, contract, word(1))).unwrap().output);
    let start = chain.timestamp();
    assert_eq!(seen(), (start, 1));
    chain.set_next_timestamp(start + 500).unwrap();
    assert_eq!((seen(), chain.next_timestamp()), ((start, 1), start + 500));
    chain.mine().unwrap();
    assert_eq!(seen(), (start + 500, 2));
    chain.mine().unwrap();
    assert_eq!(seen(), (start + 501, 3));
    chain.set_timestamp(start + 900).unwrap();
    assert_eq!(seen(), (start + 900, 4));
    let execution = chain.transact(Message::new(SENDER, contract, word(1))).unwrap();
    assert_eq!(returned(&execution.output), (start + 901, 5));
}

#[test]
fn a_call_can_be_tried_at_any_time() {
    let (chain, contract) = with_contract();
    for timestamp in [0, 1, chain.timestamp() + 12_345, u64::MAX] {
        let execution = chain.call_at(Message::new(SENDER, contract, word(1)), timestamp).unwrap();
        assert_eq!(returned(&execution.output), (timestamp, 1));
    }
}

#[test]
fn time_never_moves_back_or_past_its_end() {
    let chain = EmbeddedChain::new(1);
    let latest = chain.timestamp();
    for requested in [0, latest - 1, latest] {
        let refusal = Err(ChainError::TimestampNotLater { requested, latest });
        assert_eq!((chain.set_timestamp(requested), chain.set_next_timestamp(requested)), (refusal.clone(), refusal));
    }
    assert_eq!(chain.set_timestamp(u64::MAX), Err(ChainError::TimestampOverflow));
    chain.set_timestamp(u64::MAX - 1).unwrap();
    chain.mine().unwrap();
    assert_eq!(chain.mine(), Err(ChainError::TimestampOverflow));
    assert_eq!(chain.transact(Message::new(SENDER, STRANGER, bytes!(""))), Err(ChainError::TimestampOverflow));
}

#[test]
fn a_snapshot_brings_back_state_blocks_and_time() {
    let (chain, contract) = with_contract();
    chain.set_next_timestamp(chain.timestamp() + 50).unwrap();
    let everything = || {
        let slot = chain.storage_at(contract, U256::ZERO);
        (
            slot,
            chain.nonce(SENDER),
            chain.block_number(),
            chain.timestamp(),
            chain.next_timestamp(),
            chain.balance(STRANGER),
        )
    };
    let before = everything();
    let snapshot = chain.snapshot();
    chain.transact(Message::new(SENDER, contract, word(7))).unwrap();
    chain.set_balance(STRANGER, U256::from(1));
    assert_ne!(everything(), before);
    assert!(chain.revert(snapshot));
    assert_eq!(everything(), before);
}

#[test]
fn a_snapshot_is_used_up_together_with_the_later_ones() {
    let chain = EmbeddedChain::new(1);
    let (first, second) = (chain.snapshot(), chain.snapshot());
    assert!(chain.revert(first));
    assert!(!chain.revert(first));
    assert!(!chain.revert(second));
    let third = chain.snapshot();
    assert!(third != first && third != second, "an old name must not come to mean a new snapshot");
}

#[test]
fn balance_code_and_storage_can_be_set() {
    let chain = EmbeddedChain::new(1);
    chain.set_code(STRANGER, RUNTIME).unwrap();
    chain.set_storage(STRANGER, U256::from(8), U256::from(9));
    chain.set_balance(STRANGER, U256::from(10));
    assert_eq!(chain.storage_at(STRANGER, U256::from(8)), U256::from(9));
    assert_eq!((chain.code_at(STRANGER), chain.balance(STRANGER)), (RUNTIME, U256::from(10)));
    assert_eq!(chain.call(Message::new(SENDER, STRANGER, bytes!(""))).unwrap().revert_data(), Some(&REFUSAL));
    assert!(matches!(chain.set_code(STRANGER, bytes!("ef010001")), Err(ChainError::InvalidCode(_))));
}

#[test]
fn a_contract_may_send() {
    let (chain, contract) = with_contract();
    let call = Message { from: contract, to: TxKind::Call(contract), ..Message::create(contract, word(3)) };
    assert!(chain.transact(call).unwrap().is_success());
}

#[test]
fn clones_are_the_same_chain() {
    let chain = EmbeddedChain::new(1);
    chain.clone().mine().unwrap();
    assert_eq!(chain.block_number(), 1);
}

#[test]
fn refuses_more_than_a_thousand_calls_a_second() {
    let (chain, contract) = with_contract();
    let start = Instant::now();
    for _ in 0..2_000 {
        assert_eq!(chain.call(Message::new(SENDER, contract, bytes!(""))).unwrap().revert_data(), Some(&REFUSAL));
    }
    let elapsed = start.elapsed();
    println!("2,000 refused calls in {elapsed:?}");
    assert!(elapsed.as_secs() < 2, "2,000 refused calls took {elapsed:?}");
}
