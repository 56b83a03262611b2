//! Whether the reporter of an offence was paid for its operators.

use super::record::{Offender, Record};
use alloy::{
    primitives::{Address, aliases::U48},
    providers::Provider,
};
use anyhow::{Context as _, Result, bail};
use assent_client::AssentClient;
use assent_contracts::{EpochKeeper, ReporterReward};

/// The reward for an operator's punishment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reward {
    /// Its reporter was paid for the slash.
    Claimed,
    /// Anyone can claim it for the reporter.
    Claimable,
    /// No stake was slashed, or not yet.
    NotSlashed,
    /// No one is paid: the stake was rewarded before.
    None,
}

impl Reward {
    /// Returns what people read.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Claimable => "claimable",
            Self::NotSlashed => "not slashed",
            Self::None => "none",
        }
    }

    /// Returns what programs read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Claimable => "claimable",
            Self::NotSlashed => "notSlashed",
            Self::None => "none",
        }
    }
}

/// Reads the reward for each offender of a record, in their order.
pub async fn read(
    client: &AssentClient<impl Provider>,
    reward: Address,
    slasher: Address,
    record: &Record,
) -> Result<Vec<Reward>> {
    client.require_contract(reward).await?;
    let contract = ReporterReward::new(reward, client.provider());
    let offences = contract.OFFENCES().call().await;
    let offences = offences.with_context(|| format!("{reward} does not answer as a ReporterReward"))?;
    if offences != slasher {
        bail!("the ReporterReward {reward} rewards reports to the slasher {offences}, not to {slasher}");
    }
    let keeper = EpochKeeper::new(contract.KEEPER().call().await?, client.provider());
    let committed_at = keeper.committedAt(record.epoch.into()).call().await?;
    let mut rewards = Vec::new();
    for offender in &record.offenders {
        let last = contract.rewardedSlash(record.operator_set.into(), offender.operator).call().await?;
        rewards.push(reward_of(offender, committed_at, last));
    }
    Ok(rewards)
}

/// As `ReporterReward.claim`: `last` is the time of the slash that was rewarded last.
fn reward_of(offender: &Offender, committed_at: U48, last: U48) -> Reward {
    let Some(slashed_at) = offender.punishment.as_ref().and_then(|punishment| punishment.slashed_at) else {
        return Reward::NotSlashed;
    };
    if U48::from(slashed_at) == last {
        Reward::Claimed
    } else if committed_at > last {
        Reward::Claimable
    } else {
        Reward::None
    }
}

#[cfg(test)]
mod tests {
    use super::{super::record::Punished, *};

    #[test]
    fn a_slash_is_rewarded_once_and_only_for_a_later_commit() {
        let offender = |slashed_at| Offender {
            index: 0,
            operator: Address::ZERO,
            punishment: Some(Punished { reporter: Address::ZERO, slashed_at }),
        };
        let of = |offender: &Offender, committed_at, last| {
            reward_of(offender, U48::from(committed_at), U48::from(last)).name()
        };
        let unpunished = Offender { punishment: None, ..offender(None) };
        assert_eq!(of(&unpunished, 5, 0), "notSlashed");
        assert_eq!(of(&offender(None), 5, 0), "notSlashed");
        assert_eq!(of(&offender(Some(9)), 5, 0), "claimable");
        assert_eq!(of(&offender(Some(9)), 5, 9), "claimed");
        assert_eq!(of(&offender(Some(9)), 5, 4), "claimable");
        assert_eq!(of(&offender(Some(9)), 5, 5), "none");
        assert_eq!(of(&offender(Some(9)), 5, 7), "none");
        assert_eq!(of(&offender(Some(9)), 0, 0), "none", "no commit is known");
    }
}
