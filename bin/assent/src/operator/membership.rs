//! `assent operator join` and `assent operator leave`: an operator's membership of a set on EigenLayer.

use crate::{
    ExitStatus,
    account::Account,
    connection,
    output::{self, Output, short_address},
    stake::contract::{StakeContract, StakeNode},
    transaction::{hashes, send},
};
use alloy::{
    primitives::{Address, Bytes, aliases::U96},
    providers::{DynProvider, Provider},
};
use anyhow::{Context as _, Result, bail};
use assent_client::AssentClient;
use assent_contracts::{
    EigenLayerStake,
    bindings::eigenlayer::IAllocationManagerCore::{
        self, AllocateParams, DeregisterParams, RegisterParams, deregisterFromOperatorSetsCall, modifyAllocationsCall,
        registerForOperatorSetsCall,
    },
};
use assent_verifier::OperatorSetId;
use clap::Args;
use serde_json::json;

/// One percent of what an operator can allocate.
const PERCENT: u64 = 10_000_000_000_000_000;

/// The options of `assent operator join`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent operator join --rpc-url http://127.0.0.1:8545 --stake $STAKE --operator-set 1 --allocate 100 \\
      --private-key-file account.key
  assent operator join --stake $STAKE --operator-set 1 --account $OPERATOR

The sending account is an operator of EigenLayer, with stake in the strategies that weigh, and has registered its key
(`assent operator register`). With --allocate, it first allocates that share of its stake in each of them to the set:
only allocated stake weighs. The operator is in the next epoch that is committed (`assent epoch commit --keeper`).")]
pub struct JoinArguments {
    #[command(flatten)]
    at: StakeNode,
    /// First allocate this share of the operator's stake in each strategy to the set, in percent.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u64).range(1..=100))]
    allocate: Option<u64>,
    #[command(flatten)]
    operator: Account,
}

/// The options of `assent operator leave`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent operator leave --rpc-url http://127.0.0.1:8545 --stake $STAKE --operator-set 1 --private-key-file account.key

The operator is in no later epoch. Keep it running until the epochs with it have ended: its stake stays slashable for
EigenLayer's delay, and it can join again only after that.")]
pub struct LeaveArguments {
    #[command(flatten)]
    at: StakeNode,
    #[command(flatten)]
    operator: Account,
}

/// Runs `assent operator join`.
pub fn join(arguments: &JoinArguments, output: Output) -> Result<ExitStatus> {
    let JoinArguments { at, allocate, operator } = arguments;
    let (operator, signer) = operator.open()?;
    let (weight, gas, transactions) = connection::block_on(async {
        let client = AssentClient::new(at.node.connect(signer)?);
        let _spinner = output::spinner("Joining the operator set");
        let contract = StakeContract::read(&client, at.stake).await.with_context(|| at.node.asking())?;
        require_joinable(&client, &contract, at.operator_set, operator).await?;
        let mut receipts = Vec::new();
        if let Some(percent) = allocate {
            let params = vec![AllocateParams {
                operatorSet: contract.set(at.operator_set),
                strategies: contract.strategies.clone(),
                newMagnitudes: vec![percent * PERCENT; contract.strategies.len()],
            }];
            let allocate = modifyAllocationsCall { operator, params };
            let sent = send(&client, operator, contract.allocation_manager, &allocate).await;
            receipts.push(sent.context(
                "allocating the stake; an operator of EigenLayer can allocate once its allocation delay applies",
            )?);
        }
        let operator_sets = vec![at.operator_set.into()];
        let params = RegisterParams { avs: contract.avs, operatorSetIds: operator_sets, data: Bytes::new() };
        let join = registerForOperatorSetsCall { operator, params };
        let sent = send(&client, operator, contract.allocation_manager, &join).await;
        receipts.push(sent.context(
            "joining; with too little stake, allocate more of it with --allocate, or have stakers delegate more",
        )?);
        let weight = weight_of(&client, &contract, at.operator_set, operator).await?;
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
    let (slashable_until, receipt) = connection::block_on(async {
        let client = AssentClient::new(at.node.connect(signer)?);
        let _spinner = output::spinner("Leaving the operator set");
        let contract = StakeContract::read(&client, at.stake).await.with_context(|| at.node.asking())?;
        let manager = IAllocationManagerCore::new(contract.allocation_manager, client.provider());
        if !manager.isMemberOfOperatorSet(operator, contract.set(at.operator_set)).call().await? {
            bail!(
                "operator {operator} is not a member of operator set {}; `assent stake status` lists the members",
                at.operator_set
            );
        }
        let delay = manager.DEALLOCATION_DELAY().call().await?;
        let operator_sets = vec![at.operator_set.into()];
        let params = DeregisterParams { operator, avs: contract.avs, operatorSetIds: operator_sets };
        let leave = deregisterFromOperatorSetsCall { params };
        let receipt = send(&client, operator, contract.allocation_manager, &leave).await.context("leaving")?;
        let block = match receipt.block_number {
            Some(block) => block,
            None => client.provider().get_block_number().await?,
        };
        Ok((block.saturating_add(delay.into()), receipt))
    })?;
    output.result(
        format_args!(
            "operator {} left operator set {}, {} gas; keep it running until the epochs with it have ended: its stake \
             is slashable until block {slashable_until}",
            short_address(operator),
            at.operator_set,
            receipt.gas_used
        ),
        &json!({
            "operator": operator,
            "operatorSet": at.operator_set,
            "slashableUntilBlock": slashable_until,
            "transaction": receipt.transaction_hash,
            "gas": receipt.gas_used,
        }),
    )?;
    Ok(ExitStatus::Success)
}

/// Fails with what the operator has to do first, if it is known.
async fn require_joinable(
    client: &AssentClient<DynProvider>,
    contract: &StakeContract,
    operator_set: OperatorSetId,
    operator: Address,
) -> Result<()> {
    let manager = IAllocationManagerCore::new(contract.allocation_manager, client.provider());
    if manager.isMemberOfOperatorSet(operator, contract.set(operator_set)).call().await? {
        bail!("operator {operator} is a member of operator set {operator_set} already");
    }
    if client.read_key(contract.registry, operator).await?.is_none() {
        bail!(
            "operator {operator} has no valid key in the registry; register one with `assent operator register \
             --registry {}`",
            contract.registry
        );
    }
    if !contract.admission.is_zero() {
        let admission = assent_contracts::OperatorAllowlist::new(contract.admission, client.provider());
        if !admission.isAdmitted(operator_set.into(), operator).call().await? {
            bail!(
                "operator {operator} is not admitted to operator set {operator_set}; ask the owner of the allowlist {}",
                contract.admission
            );
        }
    }
    Ok(())
}

async fn weight_of(
    client: &AssentClient<DynProvider>,
    contract: &StakeContract,
    operator_set: OperatorSetId,
    operator: Address,
) -> Result<U96> {
    let stake = EigenLayerStake::new(contract.address, client.provider());
    let weights = stake.weightsOf(operator_set.into(), vec![operator]).call().await?;
    Ok(weights.first().copied().unwrap_or_default())
}
