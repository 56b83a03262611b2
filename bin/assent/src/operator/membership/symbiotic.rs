//! Membership of a set whose members have vaults of Symbiotic: the stake source decides who joins.

use super::{Departure, Membership};
use crate::{
    arguments,
    output::{short_address, time},
    stake::contract::OnSymbiotic,
    transaction::send,
};
use alloy::{
    primitives::{Address, B256, U256},
    providers::Provider,
    rpc::types::TransactionReceipt,
    sol_types::{SolCall, SolInterface},
};
use anyhow::{Context as _, Error, Result, bail};
use assent_client::{ClientError, PreparedCall, Revert};
use assent_contracts::{
    SymbioticStake::{self, SymbioticStakeErrors, UnfitVault, joinSetCall, leaveSetCall},
    bindings::symbiotic::{
        IDelegatorCore::{self, IDelegatorCoreInstance},
        IOptInServiceCore::{self, optInCall},
        IVaultCore,
    },
};
use clap::Args;
use faults::VaultFault;
use serde_json::json;
use std::time::Duration;

mod faults {
    alloy::sol! {
        /// Why a vault cannot back an operator, in the order of ISymbioticStake.sol: an ABI does not name the values.
        #[derive(Debug)]
        enum VaultFault {
            NotVault,
            SharedStake,
            OtherNetwork,
            OtherOperator,
            NotSlashable,
            OtherBurner,
            OtherCollateral,
            ShortDuration,
            AlreadyBacked
        }
    } // sol!
}

/// How often, and after which time, the stake is asked for again after opting in: it weighs from the next second on.
const ATTEMPTS: usize = 30;
const PAUSE: Duration = Duration::from_secs(1);

/// The units of collateral that a multiplier is the weight of.
const UNIT: u64 = 1_000_000_000_000_000_000;

/// The options that say which vault backs an operator.
#[derive(Args)]
pub struct Backing {
    /// On Symbiotic: the vault that backs the operator in the set, for good.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    vault: Option<Address>,
    /// On Symbiotic: first opt into the vault and the network, as far as the operator has not.
    #[arg(long)]
    opt_in: bool,
}

impl Backing {
    /// Fails if one of the options is given: the stake is on EigenLayer.
    pub fn refuse(&self) -> Result<()> {
        if self.vault.is_some() || self.opt_in {
            bail!("--vault and --opt-in are for stake on Symbiotic; the stake is on EigenLayer: give --allocate");
        }
        Ok(())
    }
}

/// A vault, and what says whose stake it is.
struct Vault<'a> {
    membership: &'a Membership<'a>,
    system: &'a OnSymbiotic,
    address: Address,
    delegator: IDelegatorCoreInstance<&'a alloy::providers::DynProvider>,
    subnetwork: B256,
}

/// Opts into the vault and the network if asked to, and joins the set.
pub async fn join(
    membership: &Membership<'_>,
    system: &OnSymbiotic,
    backing: &Backing,
) -> Result<Vec<TransactionReceipt>> {
    let Membership { client, contract, operator_set, operator } = *membership;
    let stake = SymbioticStake::new(contract.address, client.provider());
    let known = stake.vaultOf(operator_set.into(), operator).call().await?;
    let address = match backing.vault {
        Some(vault) => vault,
        None if known.is_zero() => bail!(
            "the operator has no vault in operator set {operator_set} yet; give its vault with --vault: one of \
             Symbiotic's for this operator and the network {}",
            system.network
        ),
        None => known,
    };
    let call = PreparedCall::new(
        operator,
        contract.address,
        joinSetCall { operatorSet: operator_set.into(), vault: address }.abi_encode(),
    );
    // A vault that is not fit is not opted into. Too little stake is judged afterwards.
    match client.simulate(&call).await {
        Err(error) if !is_too_little(&error) => return Err(explain(error, address, system)),
        _ => {}
    }
    let delegator = IVaultCore::new(address, client.provider()).delegator().call().await?;
    let delegator = IDelegatorCore::new(delegator, client.provider());
    let subnetwork = stake.subnetworkOf(operator_set.into()).call().await?;
    let vault = Vault { membership, system, address, delegator, subnetwork };
    let mut receipts = vault.opt_in(backing.opt_in).await?;
    vault.require_stake(&stake).await?;
    for _ in 0..ATTEMPTS {
        match client.simulate(&call).await {
            Err(error) if is_too_little(&error) => tokio::time::sleep(PAUSE).await,
            _ => break,
        }
    }
    receipts.push(client.send(&call).await.map_err(|error| explain(error, address, system))?);
    Ok(receipts)
}

/// Leaves the set. What an epoch captured of the vault can be slashed for as long as the set requires of vaults.
pub async fn leave(membership: &Membership<'_>, system: &OnSymbiotic) -> Result<Departure> {
    let Membership { client, contract, operator_set, operator } = *membership;
    let leave = leaveSetCall { operatorSet: operator_set.into() };
    let receipt = send(client, operator, contract.address, &leave).await.context("leaving")?;
    let block = receipt.block_number.context("the transaction has no block; look it up on the node")?;
    let block = client.provider().get_block_by_number(block.into()).await?;
    let left = block.context("the node does not have the transaction's block; look it up there")?.header.timestamp;
    let until = left.saturating_add(system.vault_duration.to());
    Ok(Departure { receipt, slashable_until: time(until), slashable_until_json: ("slashableUntil", json!(until)) })
}

impl Vault<'_> {
    /// Opts into the vault and the network as far as the operator has not; fails if it is not asked to.
    async fn opt_in(&self, asked: bool) -> Result<Vec<TransactionReceipt>> {
        let Membership { client, operator, .. } = *self.membership;
        let of_vaults = self.delegator.OPERATOR_VAULT_OPT_IN_SERVICE().call().await?;
        let of_networks = self.delegator.OPERATOR_NETWORK_OPT_IN_SERVICE().call().await?;
        let mut receipts = Vec::new();
        for (what, service, entity) in
            [("vault", of_vaults, self.address), ("network", of_networks, self.system.network)]
        {
            let opt_ins = IOptInServiceCore::new(service, client.provider());
            if opt_ins.isOptedIn(operator, entity).call().await? {
                continue;
            }
            if !asked {
                bail!(
                    "operator {operator} has not opted into the {what} {entity}, so that its stake does not weigh; \
                     repeat this with --opt-in"
                );
            }
            // `where` of the call is Rust's keyword.
            let opt_in = optInCall { r#where: entity };
            let sent = send(client, operator, service, &opt_in).await;
            receipts.push(sent.with_context(|| format!("opting into the {what} {entity}"))?);
        }
        Ok(receipts)
    }

    /// Fails if the vault's current stake for the set weighs less than a member's must.
    async fn require_stake(
        &self,
        stake: &SymbioticStake::SymbioticStakeInstance<&alloy::providers::DynProvider>,
    ) -> Result<()> {
        let Membership { client, contract, operator_set, operator } = *self.membership;
        let collateral = IVaultCore::new(self.address, client.provider()).collateral().call().await?;
        let multiplier = stake.multiplierOf(collateral).call().await?;
        let amount = self.delegator.stake(self.subnetwork, operator).call().await?;
        let weight = amount.saturating_mul(U256::from(multiplier)) / U256::from(UNIT);
        if weight >= U256::from(contract.min_weight) {
            return Ok(());
        }
        let limit = self.delegator.maxNetworkLimit(self.subnetwork).call().await?;
        if limit.is_zero() {
            bail!(
                "the network has set no limit for operator set {operator_set} in the vault {}; ask the network {} to \
                 call setMaxNetworkLimit({operator_set}, LIMIT) of its delegator {}",
                self.address,
                self.system.network,
                self.delegator.address()
            );
        }
        bail!(
            "the vault {} has {amount} for operator set {operator_set}, which weighs {weight}, and a member weighs at \
             least {}; have stakers deposit more, or ask the network to raise its limit of {limit}",
            self.address,
            contract.min_weight
        )
    }
}

/// Returns the stake source's error.
fn error_of(error: &ClientError) -> Option<SymbioticStakeErrors> {
    match error {
        ClientError::Reverted { reason: Revert::Other { data, .. }, .. } => SymbioticStakeErrors::abi_decode(data).ok(),
        _ => None,
    }
}

fn is_too_little(error: &ClientError) -> bool {
    matches!(error_of(error), Some(SymbioticStakeErrors::TooLittleStake(_)))
}

/// Says what to do about the stake source's error.
fn explain(error: ClientError, vault: Address, system: &OnSymbiotic) -> Error {
    let remedy = match error_of(&error) {
        Some(SymbioticStakeErrors::UnfitVault(UnfitVault { reason, .. })) => remedy_of(reason, system),
        Some(SymbioticStakeErrors::OperatorSetFull(_)) => {
            "the set is full; `assent stake status` shows its members, and anyone can eject one without key or stake"
                .to_owned()
        }
        _ => return Error::from(error).context(format!("joining with the vault {}", short_address(vault))),
    };
    Error::from(error).context(remedy)
}

fn remedy_of(fault: u8, system: &OnSymbiotic) -> String {
    let OnSymbiotic { vault_factory, network, burner, vault_duration } = system;
    match VaultFault::try_from(fault).unwrap_or(VaultFault::__Invalid) {
        VaultFault::NotVault => format!("it is no vault of Symbiotic's factory {vault_factory}; check --vault"),
        VaultFault::SharedStake => {
            "others share the vault's stake; make one whose delegator is of type 3, for one operator and one network"
                .to_owned()
        }
        VaultFault::OtherNetwork => format!("the vault is for another network; make one for the network {network}"),
        VaultFault::OtherOperator => "the vault is for another operator; check --vault and the account".to_owned(),
        VaultFault::NotSlashable => "the vault cannot be slashed at once; make one with a slasher of type 0".to_owned(),
        VaultFault::OtherBurner => format!("the vault has another burner; make one with the burner {burner}"),
        VaultFault::OtherCollateral => "the vault's collateral does not weigh in this set; use another".to_owned(),
        VaultFault::ShortDuration => {
            format!("stake can leave the vault too early; make one with epochs of at least {vault_duration} seconds")
        }
        VaultFault::AlreadyBacked => {
            "the vault backs another set, or another vault backs the operator here, both for good; give that one"
                .to_owned()
        }
        VaultFault::__Invalid => "the stake source gives an unknown reason; use a newer assent".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::VaultFault;

    #[test]
    fn faults_of_vaults_are_those_of_the_contract_in_its_order() {
        let source = include_str!("../../../../../contracts/interfaces/ISymbioticStake.sol");
        let (_, body) = source.split_once("enum VaultFault {").unwrap();
        let (body, _) = body.split_once('}').unwrap();
        let lines = body.lines().map(|line| line.trim().trim_end_matches(','));
        let names: Vec<_> = lines.filter(|line| !line.is_empty() && !line.starts_with("///")).collect();
        let known: Vec<_> =
            (0..).map_while(|value| VaultFault::try_from(value).ok()).map(|fault| format!("{fault:?}")).collect();
        assert_eq!(known, names);
        assert_eq!(names.len(), 9);
    }
}
