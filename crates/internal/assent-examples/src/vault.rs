//! Deploying the examples, and calls of the treasury vault.

use crate::{ExampleToken, TreasuryVault};
use alloy::{
    primitives::{Address, U256},
    providers::Provider,
    rpc::types::TransactionReceipt,
    sol_types::{SolCall, SolConstructor},
};
use assent_client::{AssentClient, ClientError, PreparedCall};
use assent_verifier::{Authorization, Intent, Policy};

/// Deploys a TreasuryVault from the account `from`.
///
/// # Errors
///
/// As [`AssentClient::create`]: [`ClientError::Reverted`] when the policy is invalid, or `task_manager` is not a
/// contract.
pub async fn deploy_vault<P: Provider>(
    client: &AssentClient<P>,
    from: Address,
    owner: Address,
    agent: Address,
    task_manager: Address,
    policy: Policy,
) -> Result<(Address, TransactionReceipt), ClientError> {
    let arguments =
        TreasuryVault::constructorCall { owner, initialAgent: agent, taskManager: task_manager, policy: policy.into() };
    client.create(from, [TreasuryVault::BYTECODE.as_ref(), &arguments.abi_encode()].concat().into()).await
}

/// Deploys an ExampleToken from the account `from`, which gets the whole supply.
///
/// # Errors
///
/// As [`AssentClient::create`].
pub async fn deploy_token<P: Provider>(
    client: &AssentClient<P>,
    from: Address,
    supply: U256,
) -> Result<(Address, TransactionReceipt), ClientError> {
    let arguments = ExampleToken::constructorCall { supply }.abi_encode();
    client.create(from, [ExampleToken::BYTECODE.as_ref(), &arguments].concat().into()).await
}

/// Returns the call of `execute(Intent,bytes)` that has a vault execute an attested intent, by the intent's `from`.
pub fn execute_call(vault: Address, intent: &Intent, authorization: &Authorization) -> PreparedCall {
    let execute =
        TreasuryVault::executeCall { intent: intent.clone().into(), authorization: authorization.encode().into() };
    PreparedCall::new(intent.from, vault, execute.abi_encode())
}
