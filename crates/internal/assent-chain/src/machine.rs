//! The state machine both faces drive: state, blocks, time and snapshots.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use alloy::{
    consensus::{EthereumTxEnvelope, Header, Transaction as _, TxEip1559, TxEnvelope, transaction::Recovered},
    eips::{Typed2718, eip1559::BaseFeeParams},
    primitives::{Address, Signature, TxHash, U256},
};
use revm::{
    Context, ExecuteEvm, MainBuilder,
    context::{
        BlockEnv, CfgEnv, Journal, TxEnv,
        either::Either,
        result::{EVMError, ResultAndState},
    },
    database_interface::WrapDatabaseRef,
    primitives::hardfork::SpecId,
    state::EvmState,
};

use crate::{
    ChainError, Execution, Genesis, Message,
    block::{MinedBlock, MinedTransaction, randomness},
    genesis::{DEPLOYMENT_PROXY, DEPLOYMENT_PROXY_CODE},
    precompiles::{Price, PricedPrecompiles},
    state::{StateView, WorldState},
};

/// Which rules of a paying, signed transaction an execution is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rules {
    /// All of them: the nonce is the account's and the fee covers the base fee.
    Transaction,
    /// No base fee: the direct interface's transactions.
    NoFee,
    /// Neither base fee nor nonce: calls and estimates.
    Simulation,
}

/// The block an execution finds itself in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExecutionBlock {
    /// The latest block, as anvil has it for `eth_call` at `latest`: its number and time, the next block's base fee.
    Latest,
    /// The block that would be mined now.
    Next,
    /// The latest block, but at this time in seconds.
    At(u64),
    /// An older block, whose state is kept.
    Past(u64),
}

#[derive(Debug)]
pub(crate) struct Machine {
    config: CfgEnv,
    state: WorldState,
    /// The states after the blocks before the latest, each with the block's number; the oldest is the first.
    past_states: VecDeque<(u64, WorldState)>,
    /// The most states that are kept besides the latest.
    past_state_count: usize,
    /// Block `n` is at index `n`; never empty.
    blocks: Vec<MinedBlock>,
    /// Number of the block that holds each transaction.
    transactions: HashMap<TxHash, usize>,
    /// The next block's time, if it was set.
    next_timestamp: Option<u64>,
    snapshots: BTreeMap<u64, Snapshot>,
    next_snapshot: u64,
    unlocked: Vec<Address>,
    /// Of precompiles whose price is not today's.
    prices: BTreeMap<Address, Price>,
}

/// A handle on a machine; clones are handles on the same one.
#[derive(Clone, Debug)]
pub(crate) struct SharedMachine(Arc<Mutex<Machine>>);

impl SharedMachine {
    pub(crate) fn new(genesis: Genesis) -> Self {
        Self(Arc::new(Mutex::new(Machine::new(genesis))))
    }

    /// Locks the machine, also after a panic: it changes only after an execution is complete.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Machine> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Snapshot {
    state: WorldState,
    block_count: usize,
    next_timestamp: Option<u64>,
}

impl Machine {
    pub(crate) fn new(genesis: Genesis) -> Self {
        let mut state = WorldState::default();
        for (address, balance) in &genesis.accounts {
            state.set_balance(*address, *balance);
        }
        state.set_contract(DEPLOYMENT_PROXY, DEPLOYMENT_PROXY_CODE);
        let mut config = CfgEnv::new_with_spec(SpecId::OSAKA);
        config.chain_id = genesis.chain_id;
        // EIP-3607 forbids contracts as senders; here any address may send, as on anvil with an impersonated one.
        config.disable_eip3607 = true;
        Self {
            config,
            state,
            past_states: VecDeque::new(),
            past_state_count: 0,
            blocks: vec![MinedBlock::genesis(genesis.timestamp)],
            transactions: HashMap::new(),
            next_timestamp: None,
            snapshots: BTreeMap::new(),
            next_snapshot: 0,
            unlocked: genesis.accounts.into_iter().map(|(address, _)| address).collect(),
            prices: BTreeMap::new(),
        }
    }

    pub(crate) fn chain_id(&self) -> u64 {
        self.config.chain_id
    }

    pub(crate) fn state(&self) -> &WorldState {
        &self.state
    }

    /// Returns the state that an execution in this block starts from; `None` if it is not kept.
    pub(crate) fn state_at(&self, block: ExecutionBlock) -> Option<&WorldState> {
        match block {
            ExecutionBlock::Past(number) => {
                self.past_states.iter().rev().find(|(of, _)| *of == number).map(|(_, state)| state)
            }
            _ => Some(&self.state),
        }
    }

    pub(crate) fn past_state_count(&self) -> usize {
        self.past_state_count
    }

    pub(crate) fn keep_past_states(&mut self, count: usize) {
        self.past_state_count = count;
        while self.past_states.len() > count {
            self.past_states.pop_front();
        }
    }

    /// Keeps the latest state before another block is mined.
    fn keep_state(&mut self) {
        if self.past_state_count == 0 {
            return;
        }
        while self.past_states.len() >= self.past_state_count {
            self.past_states.pop_front();
        }
        self.past_states.push_back((self.latest().header.number, self.state.clone()));
    }

    pub(crate) fn state_mut(&mut self) -> &mut WorldState {
        &mut self.state
    }

    pub(crate) fn blocks(&self) -> &[MinedBlock] {
        &self.blocks
    }

    pub(crate) fn latest(&self) -> &MinedBlock {
        self.blocks.last().expect("the genesis block is never removed")
    }

    pub(crate) fn transaction(&self, hash: &TxHash) -> Option<(&MinedBlock, &MinedTransaction)> {
        let block = self.blocks.get(*self.transactions.get(hash)?)?;
        Some((block, block.transaction.as_ref()?))
    }

    pub(crate) fn unlocked(&self) -> &[Address] {
        &self.unlocked
    }

    pub(crate) fn unlock(&mut self, address: Address) {
        if !self.unlocked.contains(&address) {
            self.unlocked.push(address);
        }
    }

    pub(crate) fn set_price(&mut self, precompile: Address, price: Price) {
        self.prices.insert(precompile, price);
    }

    /// Base fee of the next block in wei per gas: EIP-1559, except that block 1 has that of block 0, as on anvil.
    pub(crate) fn next_base_fee(&self) -> u64 {
        let latest = &self.latest().header;
        let base_fee = match latest.number {
            0 => latest.base_fee_per_gas,
            _ => latest.next_block_base_fee(BaseFeeParams::ethereum()),
        };
        base_fee.unwrap_or_default()
    }

    pub(crate) fn next_timestamp(&self) -> u64 {
        self.next_timestamp.unwrap_or(self.latest().header.timestamp.saturating_add(1))
    }

    pub(crate) fn set_next_timestamp(&mut self, requested: u64) -> Result<(), ChainError> {
        let latest = self.latest().header.timestamp;
        if requested <= latest {
            return Err(ChainError::TimestampNotLater { requested, latest });
        }
        // The block after next needs a time too.
        if requested == u64::MAX {
            return Err(ChainError::TimestampOverflow);
        }
        self.next_timestamp = Some(requested);
        Ok(())
    }

    pub(crate) fn increase_time(&mut self, seconds: u64) -> Result<(), ChainError> {
        let base = self.next_timestamp.unwrap_or(self.latest().header.timestamp);
        let target = base.checked_add(seconds).ok_or(ChainError::TimestampOverflow)?;
        if seconds == 0 { Ok(()) } else { self.set_next_timestamp(target) }
    }

    /// Mines a block without a transaction.
    pub(crate) fn mine_empty(&mut self) -> Result<(), ChainError> {
        let timestamp = self.take_next_timestamp()?;
        let block = MinedBlock::after(self.latest(), timestamp, self.next_base_fee(), None);
        self.keep_state();
        self.blocks.push(block);
        Ok(())
    }

    /// Executes without changing anything.
    pub(crate) fn simulate(&self, transaction: TxEnv, block: ExecutionBlock) -> Result<Execution, ChainError> {
        Ok(self.execute(transaction, block, Rules::Simulation)?.result.into())
    }

    /// Executes and mines in its own block. An execution that reverts or halts is mined too.
    pub(crate) fn transact(
        &mut self,
        transaction: Recovered<TxEnvelope>,
        rules: Rules,
    ) -> Result<Execution, ChainError> {
        let executed = self.execute(transaction_environment(&transaction)?, ExecutionBlock::Next, rules)?;
        let timestamp = self.take_next_timestamp()?;
        let execution = Execution::from(executed.result);
        let hash = *transaction.tx_hash();
        let included = Some((transaction, &execution));
        let block = MinedBlock::after(self.latest(), timestamp, self.next_base_fee(), included);
        self.keep_state();
        self.state.commit(executed.state);
        self.transactions.insert(hash, self.blocks.len());
        self.blocks.push(block);
        Ok(execution)
    }

    /// The direct interface's call as a transaction: the account's next nonce, no fee.
    pub(crate) fn free_transaction(&self, message: Message) -> Recovered<TxEnvelope> {
        let transaction = TxEip1559 {
            chain_id: self.chain_id(),
            nonce: self.state.nonce(message.from),
            gas_limit: message.gas_limit,
            to: message.to,
            value: message.value,
            input: message.data,
            ..TxEip1559::default()
        };
        unsigned(transaction.into(), message.from)
    }

    pub(crate) fn snapshot(&mut self) -> u64 {
        let id = self.next_snapshot;
        self.next_snapshot += 1;
        let snapshot =
            Snapshot { state: self.state.clone(), block_count: self.blocks.len(), next_timestamp: self.next_timestamp };
        self.snapshots.insert(id, snapshot);
        id
    }

    /// Whether the snapshot existed. It and all later ones are used up.
    pub(crate) fn revert(&mut self, id: u64) -> bool {
        if !self.snapshots.contains_key(&id) {
            return false;
        }
        let Some(snapshot) = self.snapshots.split_off(&id).remove(&id) else { return false };
        for block in self.blocks.drain(snapshot.block_count..) {
            if let Some(transaction) = block.transaction {
                self.transactions.remove(transaction.envelope.tx_hash());
            }
        }
        let latest = self.latest().header.number;
        self.past_states.retain(|(number, _)| *number < latest);
        self.state = snapshot.state;
        self.next_timestamp = snapshot.next_timestamp;
        true
    }

    fn take_next_timestamp(&mut self) -> Result<u64, ChainError> {
        let latest = self.latest().header.timestamp;
        let next = latest.checked_add(1).ok_or(ChainError::TimestampOverflow)?;
        Ok(mem::take(&mut self.next_timestamp).unwrap_or(next))
    }

    fn execute(
        &self,
        transaction: TxEnv,
        block: ExecutionBlock,
        rules: Rules,
    ) -> Result<ResultAndState<revm::context::result::HaltReason, EvmState>, ChainError> {
        let mut config = self.config.clone();
        config.disable_nonce_check = rules == Rules::Simulation;
        config.disable_base_fee = rules != Rules::Transaction;
        let state = self.state_at(block);
        let state = state.ok_or_else(|| ChainError::Execution("the block's state is not kept".to_owned()))?;
        let view = WrapDatabaseRef(StateView {
            state,
            block_hash: |number| Some(self.blocks.get(usize::try_from(number).ok()?)?.hash),
        });
        let context: Context<BlockEnv, TxEnv, CfgEnv, _, Journal<_>, ()> = Context::new(view, SpecId::OSAKA);
        let evm = context.with_cfg(config).with_block(self.block_environment(block)).build_mainnet();
        let mut evm = evm.with_precompiles(PricedPrecompiles::new(SpecId::OSAKA, &self.prices));
        evm.transact(transaction).map_err(|error| match error {
            EVMError::Transaction(reason) => ChainError::InvalidTransaction(reason),
            other => ChainError::Execution(other.to_string()),
        })
    }

    fn header_of(&self, number: u64) -> &Header {
        let block = usize::try_from(number).ok().and_then(|index| self.blocks.get(index));
        &block.unwrap_or(self.latest()).header
    }

    fn block_environment(&self, block: ExecutionBlock) -> BlockEnv {
        let latest = &self.latest().header;
        let next_base_fee = self.next_base_fee();
        let (number, timestamp, basefee) = match block {
            ExecutionBlock::Latest => (latest.number, latest.timestamp, next_base_fee),
            ExecutionBlock::At(timestamp) => (latest.number, timestamp, next_base_fee),
            ExecutionBlock::Past(number) => {
                let past = self.header_of(number);
                (number, past.timestamp, past.base_fee_per_gas.unwrap_or_default())
            }
            ExecutionBlock::Next => (latest.number + 1, self.next_timestamp(), next_base_fee),
        };
        BlockEnv {
            number: U256::from(number),
            timestamp: U256::from(timestamp),
            gas_limit: latest.gas_limit,
            basefee,
            prevrandao: Some(randomness(number)),
            ..BlockEnv::default()
        }
    }
}

/// A transaction whose sender signed nothing. The sender takes the place of the signature's `r`, so that the same
/// transaction from two senders has two hashes.
pub(crate) fn unsigned(transaction: alloy::consensus::TypedTransaction, sender: Address) -> Recovered<TxEnvelope> {
    let signature = Signature::new(U256::from_be_bytes(sender.into_word().0), U256::ONE, false);
    Recovered::new_unchecked(transaction.into_envelope(signature), sender)
}

fn transaction_environment(transaction: &Recovered<TxEnvelope>) -> Result<TxEnv, ChainError> {
    if let EthereumTxEnvelope::Eip4844(_) = transaction.inner() {
        return Err(ChainError::BlobTransaction);
    }
    let authorizations = transaction.authorization_list().unwrap_or_default();
    Ok(TxEnv {
        tx_type: transaction.ty(),
        caller: transaction.signer(),
        gas_limit: transaction.gas_limit(),
        gas_price: transaction.max_fee_per_gas(),
        gas_priority_fee: transaction.max_priority_fee_per_gas(),
        kind: transaction.kind(),
        value: transaction.value(),
        data: transaction.input().clone(),
        nonce: transaction.nonce(),
        chain_id: transaction.chain_id(),
        access_list: transaction.access_list().cloned().unwrap_or_default(),
        authorization_list: authorizations.iter().cloned().map(Either::Left).collect(),
        ..TxEnv::default()
    })
}

impl From<Message> for TxEnv {
    fn from(message: Message) -> Self {
        Self {
            caller: message.from,
            gas_limit: message.gas_limit,
            kind: message.to,
            value: message.value,
            data: message.data,
            chain_id: None,
            ..Self::default()
        }
    }
}
