//! Accounts, code and storage.

use std::{collections::HashMap, convert::Infallible, sync::Arc};

use alloy::primitives::{Address, B256, Bytes, U256};
use revm::{
    DatabaseRef,
    bytecode::{Bytecode, BytecodeDecodeError},
    state::{AccountInfo, EvmState},
};

/// The world state. A clone shares every account with its original until one of them writes to it, so a snapshot costs
/// one pointer for each account.
#[derive(Clone, Debug, Default)]
pub(crate) struct WorldState {
    accounts: HashMap<Address, Arc<StoredAccount>>,
}

/// Zero slots are not kept. The code is always inside `info`.
#[derive(Clone, Debug, Default)]
struct StoredAccount {
    info: AccountInfo,
    storage: HashMap<U256, U256>,
}

impl WorldState {
    pub(crate) fn balance(&self, address: Address) -> U256 {
        self.accounts.get(&address).map_or(U256::ZERO, |account| account.info.balance)
    }

    pub(crate) fn nonce(&self, address: Address) -> u64 {
        self.accounts.get(&address).map_or(0, |account| account.info.nonce)
    }

    pub(crate) fn code(&self, address: Address) -> Bytes {
        let code = self.accounts.get(&address).and_then(|account| account.info.code.as_ref());
        code.map(Bytecode::original_bytes).unwrap_or_default()
    }

    pub(crate) fn storage(&self, address: Address, slot: U256) -> U256 {
        let account = self.accounts.get(&address);
        account.and_then(|account| account.storage.get(&slot)).copied().unwrap_or_default()
    }

    pub(crate) fn set_balance(&mut self, address: Address, balance: U256) {
        self.account_mut(address).info.balance = balance;
    }

    /// Refuses code that begins like an EIP-7702 designator (`0xef0100`) but is not one.
    pub(crate) fn set_code(&mut self, address: Address, code: Bytes) -> Result<(), BytecodeDecodeError> {
        let code = Bytecode::new_raw_checked(code)?;
        let info = &mut self.account_mut(address).info;
        info.code_hash = code.hash_slow();
        info.code = Some(code);
        Ok(())
    }

    /// A contract of the genesis block, with the nonce that EIP-161 gives every contract.
    pub(crate) fn set_contract(&mut self, address: Address, code: Bytes) {
        let code = Bytecode::new_legacy(code);
        let info = &mut self.account_mut(address).info;
        *info = AccountInfo { nonce: 1, code_hash: code.hash_slow(), code: Some(code), ..AccountInfo::default() };
    }

    pub(crate) fn set_storage(&mut self, address: Address, slot: U256, value: U256) {
        self.account_mut(address).set_slot(slot, value);
    }

    /// Writes the execution of one transaction.
    pub(crate) fn commit(&mut self, changes: EvmState) {
        for (address, account) in changes {
            if !account.is_touched() {
                continue;
            }
            // EIP-161: a touched account that is empty does not exist.
            if account.is_selfdestructed() || account.info.is_empty() {
                self.accounts.remove(&address);
                continue;
            }
            let stored = self.account_mut(address);
            if account.is_created() {
                stored.storage.clear();
            }
            stored.info = account.info;
            for (slot, value) in account.storage {
                stored.set_slot(slot, value.present_value());
            }
        }
    }

    fn account_mut(&mut self, address: Address) -> &mut StoredAccount {
        Arc::make_mut(self.accounts.entry(address).or_default())
    }
}

impl StoredAccount {
    fn set_slot(&mut self, slot: U256, value: U256) {
        if value.is_zero() {
            self.storage.remove(&slot);
        } else {
            self.storage.insert(slot, value);
        }
    }
}

/// What the EVM reads: the state, and the hashes of past blocks (the block's number is its index).
pub(crate) struct StateView<'a, F> {
    pub(crate) state: &'a WorldState,
    pub(crate) block_hash: F,
}

impl<F: Fn(u64) -> Option<B256>> DatabaseRef for StateView<'_, F> {
    type Error = Infallible;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        Ok(self.state.accounts.get(&address).map(|account| account.info.clone()))
    }

    /// Searches all accounts. The EVM never needs it: [`basic_ref`](Self::basic_ref) returns all code.
    fn code_by_hash_ref(&self, code_hash: B256) -> Result<Bytecode, Infallible> {
        let holder = self.state.accounts.values().find(|account| account.info.code_hash == code_hash);
        Ok(holder.and_then(|account| account.info.code.clone()).unwrap_or_default())
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, Infallible> {
        Ok(self.state.storage(address, slot))
    }

    /// Zero for a block that does not exist, as the BLOCKHASH instruction has it.
    fn block_hash_ref(&self, number: u64) -> Result<B256, Infallible> {
        Ok((self.block_hash)(number).unwrap_or_default())
    }
}
