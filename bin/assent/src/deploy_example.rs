//! `assent deploy-example`: deploys a treasury to try Assent.

use crate::{
    ExitStatus,
    account::Account,
    arguments,
    connection::{self, Node},
    output::{self, Output},
    transaction::send,
};
use alloy::{
    primitives::{Address, B256, aliases::U48, utils::parse_ether},
    providers::Provider,
};
use anyhow::{Context, Result};
use assent_client::AssentClient;
use assent_examples::{ExampleToken, deploy_token, deploy_vault};
use assent_verifier::{OperatorSetId, Policy};
use clap::Args;
use serde_json::json;

/// The keccak256 hash of `example policy`.
const EXAMPLE_POLICY: &str = "0xea940d71eab808517529037cb5ea0a854611fd3064a0bd5069f8bb5e754f7539";

/// The treasury's initial balance, in whole tokens.
const TREASURY: &str = "1000";

/// The options of `assent deploy-example`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent deploy-example --rpc-url http://127.0.0.1:8545 --task-manager $TASK_MANAGER --agent $AGENT --account $OWNER
  assent deploy-example --task-manager $TASK_MANAGER --agent $AGENT --operator-set 2 --quorum 7500 --account $OWNER

Deploys a TreasuryVault that the sending account owns, with 1,000 of a new token. With pay(token, recipient,
amount), the agent can make the payments that a quorum of the operator set attests. It is an example: keep nothing
of value in it.")]
pub struct Arguments {
    #[command(flatten)]
    node: Node,
    /// The TaskManager, as `assent deploy` prints it.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    task_manager: Address,
    /// The account that can make payments.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    agent: Address,
    /// The policy. The default is keccak256 of "example policy".
    #[arg(long, value_name = "HASH", value_parser = arguments::policy_id, default_value = EXAMPLE_POLICY)]
    policy_id: B256,
    /// The operator set whose quorum decides.
    #[arg(long, value_name = "NUMBER", value_parser = arguments::operator_set_id(), default_value = "1")]
    operator_set: OperatorSetId,
    /// The minimum share of the set's weight that must sign, in basis points.
    #[arg(long, value_name = "BASIS_POINTS", default_value = "6667")]
    quorum: u16,
    /// The maximum lifetime of an attestation, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "3600")]
    max_lifetime: U48,
    #[command(flatten)]
    owner: Account,
}

/// Runs `assent deploy-example`.
pub fn run(arguments: Arguments, output: Output) -> Result<ExitStatus> {
    let Arguments { node, task_manager, agent, policy_id, operator_set, quorum, max_lifetime, owner } = arguments;
    let (owner, signer) = owner.open()?;
    let policy = Policy { policyId: policy_id, operatorSet: operator_set.into(), quorum, maxLifetime: max_lifetime };
    let (vault, token) = connection::block_on(async {
        let client = AssentClient::new(node.connect(signer)?);
        let _spinner = output::spinner("Deploying");
        let (vault, _) = deploy_vault(&client, owner, owner, agent, task_manager, policy)
            .await
            .with_context(|| format!("{}, with the TaskManager {task_manager}", node.asking()))?;
        let (token, _) = deploy_token(&client, owner, parse_ether("1000000")?).await.with_context(|| node.asking())?;
        fill_treasury(&client, owner, token, vault).await.with_context(|| node.asking())?;
        Ok((vault, token))
    })?;
    let mut table = output::table(["contract", "address"]);
    table.add_row(["TreasuryVault", &vault.to_string()]).add_row(["ExampleToken", &token.to_string()]);
    output.result(
        format_args!("{table}\nthe vault holds {TREASURY} EXT; the agent can make the payments that operators attest"),
        &json!({ "vault": vault, "token": token, "owner": owner, "agent": agent, "policyId": policy_id }),
    )?;
    Ok(ExitStatus::Success)
}

/// Transfers the treasury's initial balance of a token to a vault.
pub async fn fill_treasury(
    client: &AssentClient<impl Provider>,
    owner: Address,
    token: Address,
    vault: Address,
) -> Result<()> {
    let transfer = ExampleToken::transferCall { to: vault, value: parse_ether(TREASURY)? };
    send(client, owner, token, &transfer).await?;
    Ok(())
}
