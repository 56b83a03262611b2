//! What an operator checks before any work.

use std::sync::Arc;

use alloy_primitives::{Address, U256, aliases::U48};
use assent_verifier::{Epoch, Policy};

use super::{Settings, prepared::Prepared, refused};
use crate::{
    Task,
    message::{RefusalCode, Refused},
    task::weight_of,
};

/// The most seconds by which a reference block may be older than the node's latest block: two slots of Ethereum.
pub const MAX_BLOCK_AGE: u64 = 24;

/// The least quorum that a client must demand, in basis points: more than a third of the weight is in any two quorums.
pub const MINIMUM_QUORUM: u16 = 6667;

/// What the operator's node and policy store say of a task.
///
/// The chain's state is that at the task's reference block.
// Complete: each field is an input of a check, which every caller must then give.
#[derive(Debug, Clone)]
pub struct Examination {
    /// The timestamp of the block with the task's number and hash; `None` if no such block is canonical.
    pub block_timestamp: Option<u64>,
    /// The timestamp of the node's latest block.
    pub latest_timestamp: u64,
    /// The client's TaskManager.
    pub task_manager: Address,
    /// The client's policy, if it has one.
    pub client_policy: Option<Policy>,
    /// The first issuance time that the client accepts.
    pub issuance_floor: U48,
    /// Whether the task's nonce is spent.
    pub is_spent: bool,
    /// The task's epoch, if the TaskManager knows it.
    pub epoch: Option<Epoch>,
    /// Whether the intent's `from` is the client's trusted forwarder.
    pub is_trusted_forwarder: bool,
    /// Whether the intent's `from` has delegated its code (EIP-7702).
    pub is_delegated: bool,
    /// Whether the operator was missing in an earlier epoch of the set whose attestations may still be valid.
    ///
    /// It only counts for policies that count what is outstanding.
    pub is_newcomer: bool,
    /// The policy with the task's id, if the policy store has it.
    pub policy: Option<Arc<assent_policy::ExecutablePolicy>>,
}

/// A task that passed every check.
#[derive(Debug, Clone)]
pub(super) struct Examined {
    pub(super) policy: Arc<assent_policy::ExecutablePolicy>,
    pub(super) prepared: Arc<Prepared>,
    pub(super) epoch: Epoch,
    /// The weight that must agree.
    pub(super) required_weight: U256,
}

/// Checks a task. The first check that fails is the reason.
pub(super) fn check(
    settings: &Settings,
    task: &Task,
    found: Examination,
    prepared: Option<Result<Arc<Prepared>, Refused>>,
) -> Result<Examined, Refused> {
    require_block(settings, task, &found)?;
    if task.intent.chainId != settings.domain.chain_id {
        let (actual, expected) = (task.intent.chainId, settings.domain.chain_id);
        let reason = format!("the intent is for chain {actual}, but this is chain {expected}");
        return Err(refused(RefusalCode::WrongChain, reason, false));
    }
    let client = require_client_policy(settings, task, &found)?;
    require_lifetime(task, &client, found.issuance_floor)?;
    if found.is_spent {
        let reason = format!("nonce {} of client {} is spent", task.nonce, task.policy_client);
        return Err(refused(RefusalCode::SpentNonce, reason, false));
    }
    require_caller(settings, task, &found)?;
    let epoch = require_epoch(settings, task, &client, found.epoch)?;
    let policy = found.policy.filter(|policy| policy.id() == task.policy_id);
    let (policy, prepared) = policy.zip(prepared).ok_or_else(|| {
        refused(RefusalCode::UnknownPolicy, format!("the operator does not have policy {}", task.policy_id), true)
    })?;
    let prepared = prepared?;
    if found.is_newcomer && !prepared.outstanding.is_empty() {
        let reason = "the operator is new in the set: it does not know what others attested before, which may be valid";
        return Err(refused(RefusalCode::Source, reason, false));
    }
    let required_weight = crate::task::required_weight(&epoch, &client);
    Ok(Examined { policy, prepared, epoch, required_weight })
}

fn require_block(settings: &Settings, task: &Task, found: &Examination) -> Result<(), Refused> {
    if found.block_timestamp != Some(task.block_timestamp) {
        let reason = format!("block {} {} is not canonical", task.block_number, task.block_hash);
        return Err(refused(RefusalCode::UnknownBlock, reason, true));
    }
    // Against the chain's own time, since clocks differ.
    let age = found.latest_timestamp.saturating_sub(task.block_timestamp);
    if age > settings.max_block_age {
        let reason = format!("block {} is {age} seconds old, more than {}", task.block_number, settings.max_block_age);
        return Err(refused(RefusalCode::StaleBlock, reason, false));
    }
    Ok(())
}

fn require_client_policy(settings: &Settings, task: &Task, found: &Examination) -> Result<Policy, Refused> {
    let client = task.policy_client;
    let wrong = |reason: String| refused(RefusalCode::WrongPolicy, reason, false);
    if found.task_manager != settings.domain.task_manager {
        return Err(wrong(format!("client {client} has TaskManager {}", found.task_manager)));
    }
    let policy = found.client_policy.as_ref().filter(|policy| !policy.policyId.is_zero());
    let policy = policy.ok_or_else(|| wrong(format!("client {client} has no policy")))?;
    if policy.policyId != task.policy_id {
        return Err(wrong(format!("client {client} has policy {}, not {}", policy.policyId, task.policy_id)));
    }
    if policy.quorum < MINIMUM_QUORUM {
        let reason = format!("client {client} demands {} basis points, less than {MINIMUM_QUORUM}", policy.quorum);
        return Err(refused(RefusalCode::LowQuorum, reason, false));
    }
    Ok(policy.clone())
}

fn require_lifetime(task: &Task, client: &Policy, floor: U48) -> Result<(), Refused> {
    let refuse = |reason: String| Err(refused(RefusalCode::Lifetime, reason, false));
    let (issued_at, expiration) = (task.block_timestamp, task.expiration);
    if expiration <= issued_at {
        return refuse(format!("the task expires at {expiration}, not after the block's time {issued_at}"));
    }
    let latest = issued_at.saturating_add(client.maxLifetime.to());
    if expiration > latest {
        return refuse(format!("the task expires at {expiration}; the client accepts {latest} at most"));
    }
    if issued_at < floor.to() {
        return refuse(format!("the client voided all attestations that were issued before {floor}"));
    }
    Ok(())
}

/// Refuses callers for whom `from` is not who makes the call, or who are not bound by the client.
fn require_caller(settings: &Settings, task: &Task, found: &Examination) -> Result<(), Refused> {
    let from = task.intent.from;
    if found.is_trusted_forwarder || settings.forwarders.contains(&from) {
        return Err(refused(RefusalCode::Forwarder, format!("{from} forwards calls of others"), false));
    }
    // The key of such an account makes plain transactions that no guard or hook sees.
    if found.is_delegated && task.intent.to != task.policy_client {
        let reason = format!("{from} is an account under EIP-7702, which can bypass client {}", task.policy_client);
        return Err(refused(RefusalCode::DelegatedCaller, reason, false));
    }
    Ok(())
}

fn require_epoch(settings: &Settings, task: &Task, client: &Policy, epoch: Option<Epoch>) -> Result<Epoch, Refused> {
    let wrong = |reason: String| refused(RefusalCode::WrongEpoch, reason, false);
    let epoch = epoch
        .filter(|epoch| epoch.number == task.epoch && epoch.operator_set == client.operatorSet.into())
        .ok_or_else(|| wrong(format!("epoch {} is not of operator set {}", task.epoch, client.operatorSet)))?;
    if !epoch.is_in_force(task.block_timestamp) {
        return Err(wrong(format!("epoch {} is not in force", task.epoch)));
    }
    if weight_of(&epoch, settings.operator).is_none() {
        return Err(wrong(format!("{} is not an operator of epoch {}", settings.operator, task.epoch)));
    }
    Ok(epoch)
}
