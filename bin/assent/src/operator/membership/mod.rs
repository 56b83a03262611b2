//! `assent operator join` and `assent operator leave`: an operator's membership of a set with stake.

mod eigenlayer;
mod symbiotic;

use crate::{
    ExitStatus,
    account::Account,
    connection,
    output::{self, Output, short_address},
    stake::contract::{StakeContract, StakeNode, StakeSystem},
    transaction::hashes,
};
use alloy::{
    primitives::{Address, aliases::U96},
    providers::DynProvider,
    rpc::types::TransactionReceipt,
};
use anyhow::{Context as _, Result, bail};
use assent_client::AssentClient;
use assent_contracts::{EigenLayerStake, OperatorAllowlist};
use assent_verifier::OperatorSetId;
use clap::Args;
use serde_json::{Value, json};

/// The options of `assent operator join`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent operator join --rpc-url http://127.0.0.1:8545 --stake $STAKE --operator-set 1 --allocate 100 \\
      --private-key-file account.key
  assent operator join --stake $STAKE --operator-set 1 --vault $VAULT --opt-in --account $OPERATOR

The sending account is the operator, and has registered its key (`assent operator register`). It is in the next epoch
that is committed (`assent epoch commit --keeper`).

On EigenLayer, it is an operator with stake in the strategies that weigh. With --allocate, it first allocates that share
of its stake in each of them to the set: only allocated stake weighs.

On Symbiotic, it is an operator with a vault for it and the network, and the network has set the vault's limit. With
--opt-in, it first opts into the vault and the network, as far as it has not: only then the vault's stake weighs. It
joins again with the same vault, for which it needs no --vault.")]
pub struct JoinArguments {
    #[command(flatten)]
    at: StakeNode,
    /// On EigenLayer: first allocate this share of the operator's stake in each strategy to the set, in percent.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u64).range(1..=100))]
    allocate: Option<u64>,
    #[command(flatten)]
    backing: symbiotic::Backing,
    #[command(flatten)]
    operator: Account,
}

/// The options of `assent operator leave`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent operator leave --rpc-url http://127.0.0.1:8545 --stake $STAKE --operator-set 1 --private-key-file account.key

The operator is in no later epoch. Keep it running until the epochs with it have ended. Its stake stays slashable:
EigenLayer's for its delay, until which it cannot join again, and that of a vault as long as the set requires.")]
pub struct LeaveArguments {
    #[command(flatten)]
    at: StakeNode,
    #[command(flatten)]
    operator: Account,
}

/// An operator, and the set that it joins or leaves.
struct Membership<'a> {
    client: &'a AssentClient<DynProvider>,
    contract: &'a StakeContract,
    operator_set: OperatorSetId,
    operator: Address,
}

/// An operator that has left, and until when its stake can be slashed.
struct Departure {
    receipt: TransactionReceipt,
    /// For a person.
    slashable_until: String,
    /// The same for `--json`: a name and a number.
    slashable_until_json: (&'static str, Value),
}

/// Runs `assent operator join`.
pub fn join(arguments: &JoinArguments, output: Output) -> Result<ExitStatus> {
    let JoinArguments { at, allocate, backing, operator } = arguments;
    let (operator, signer) = operator.open()?;
    let (weight, gas, transactions) = connection::block_on(async {
        let client = AssentClient::new(at.node.connect(signer)?);
        let _spinner = output::spinner("Joining the operator set");
        let contract = StakeContract::read(&client, at.stake).await.with_context(|| at.node.asking())?;
        let membership = Membership { client: &client, contract: &contract, operator_set: at.operator_set, operator };
        let receipts = match &contract.system {
            StakeSystem::EigenLayer(system) => {
                backing.refuse()?;
                membership.require_joinable().await?;
                eigenlayer::join(&membership, system, *allocate).await?
            }
            StakeSystem::Symbiotic(system) => {
                if allocate.is_some() {
                    bail!("--allocate is for stake on EigenLayer; the stake is on Symbiotic: give --vault");
                }
                membership.require_joinable().await?;
                symbiotic::join(&membership, system, backing).await?
            }
        };
        let weight = membership.weight().await?;
        let gas = receipts.iter().map(|receipt| receipt.gas_used).sum::<u64>();
        Ok((weight, gas, hashes(&receipts)))
    })?;
    output.result(
        format_args!(
            "operator {} is a member of operator set {} and weighs {weight}, {gas} gas; it is in the next epoch that \
             is committed",
            short_address(operator),
            at.operator_set
        ),
        &json!({
            "operator": operator,
            "operatorSet": at.operator_set,
            "weight": weight.to_string(),
            "transactions": transactions,
            "gas": gas,
        }),
    )?;
    Ok(ExitStatus::Success)
}

/// Runs `assent operator leave`.
pub fn leave(arguments: &LeaveArguments, output: Output) -> Result<ExitStatus> {
    let LeaveArguments { at, operator } = arguments;
    let (operator, signer) = operator.open()?;
    let departure = connection::block_on(async {
        let client = AssentClient::new(at.node.connect(signer)?);
        let _spinner = output::spinner("Leaving the operator set");
        let contract = StakeContract::read(&client, at.stake).await.with_context(|| at.node.asking())?;
        let membership = Membership { client: &client, contract: &contract, operator_set: at.operator_set, operator };
        if !membership.is_member().await? {
            bail!(
                "operator {operator} is not a member of operator set {}; `assent stake status` lists the members",
                at.operator_set
            );
        }
        match &contract.system {
            StakeSystem::EigenLayer(system) => eigenlayer::leave(&membership, system).await,
            StakeSystem::Symbiotic(system) => symbiotic::leave(&membership, system).await,
        }
    })?;
    let Departure { receipt, slashable_until, slashable_until_json: (name, until) } = departure;
    output.result(
        format_args!(
            "operator {} left operator set {}, {} gas; keep it running until the epochs with it have ended: its stake \
             is slashable until {slashable_until}",
            short_address(operator),
            at.operator_set,
            receipt.gas_used
        ),
        &json!({
            "operator": operator,
            "operatorSet": at.operator_set,
            name: until,
            "transaction": receipt.transaction_hash,
            "gas": receipt.gas_used,
        }),
    )?;
    Ok(ExitStatus::Success)
}

impl Membership<'_> {
    async fn is_member(&self) -> Result<bool> {
        let stake = EigenLayerStake::new(self.contract.address, self.client.provider());
        Ok(stake.membersOf(self.operator_set.into()).call().await?.contains(&self.operator))
    }

    async fn weight(&self) -> Result<U96> {
        let stake = EigenLayerStake::new(self.contract.address, self.client.provider());
        let weights = stake.weightsOf(self.operator_set.into(), vec![self.operator]).call().await?;
        Ok(weights.first().copied().unwrap_or_default())
    }

    /// Fails with what the operator has to do first, if it is known.
    async fn require_joinable(&self) -> Result<()> {
        let Self { client, contract, operator_set, operator } = *self;
        if self.is_member().await? {
            bail!("operator {operator} is a member of operator set {operator_set} already");
        }
        if client.read_key(contract.registry, operator).await?.is_none() {
            bail!(
                "operator {operator} has no valid key in the registry; register one with `assent operator register \
                 --registry {}`",
                contract.registry
            );
        }
        if contract.admission.is_zero() {
            return Ok(());
        }
        let admission = OperatorAllowlist::new(contract.admission, client.provider());
        if !admission.isAdmitted(operator_set.into(), operator).call().await? {
            bail!(
                "operator {operator} is not admitted to operator set {operator_set}; ask the owner of the allowlist {}",
                contract.admission
            );
        }
        Ok(())
    }
}
