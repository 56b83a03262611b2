//! Compares the contracts' decision with the verifier's.

use crate::{
    Attempt, Deployment, EntryPoint,
    recording::{record, require_recorded},
};
use alloy::{
    primitives::{Address, Bytes, U256},
    sol_types::SolCall,
};
use assent_chain::{Execution, ExecutionStatus, Message};
use assent_contracts::{IPolicyClient, TaskManager};
use assent_verifier::{
    Refusal, VerifiedAttestation,
    backend::{Backend, arkworks::Arkworks, blst::Blst},
    verify_with_report_using,
};

/// The result of a verification: the attested task's nonce, or the refusal.
pub type Verification = Result<U256, Refusal>;

/// Lets the contracts and both backends of the verifier decide about an attempt, and leaves the deployment as it was.
///
/// # Errors
///
/// What they disagree on: acceptance, revert data, or what is spent afterwards.
pub fn compare(deployment: &Deployment, attempt: &Attempt) -> Result<Verification, String> {
    let verification = verify(deployment, attempt)?;
    deployment.undone(|| {
        prepare(deployment, attempt);
        require_recorded(deployment, &attempt.recorded)?;
        require_same(deployment, attempt, &verification)?;
        if let (Ok(nonce), true) = (verification, attempt.entry_point.spends()) {
            require_spent_once(deployment, attempt, nonce)?;
        }
        Ok(verification)
    })
}

/// Verifies with both backends.
///
/// # Errors
///
/// Both results, if they differ.
pub(crate) fn verify(deployment: &Deployment, attempt: &Attempt) -> Result<Verification, String> {
    let verified = verify_with::<Arkworks>(deployment, attempt);
    let with_blst = verify_with::<Blst>(deployment, attempt);
    if verified != with_blst {
        return Err(format!("arkworks: {verified:?}; blst: {with_blst:?}"));
    }
    Ok(verified.map(|verified| verified.nonce()))
}

/// Fails unless the contracts decide as the verifier did.
fn require_same(deployment: &Deployment, attempt: &Attempt, verification: &Verification) -> Result<(), String> {
    let outcome = execute(deployment, attempt);
    let expected = match verification {
        Ok(_) => (ExecutionStatus::Success, None),
        Err(refusal) => (ExecutionStatus::Revert, Some(Bytes::from(refusal.revert_data()))),
    };
    if (outcome.status.clone(), outcome.revert_data().cloned()) == expected {
        return Ok(());
    }
    let on_chain = Refusal::decode(&outcome.output);
    Err(format!("verifier: {verification:?}; contracts: {:?} {on_chain:?} {}", outcome.status, outcome.output))
}

fn verify_with<B: Backend>(deployment: &Deployment, attempt: &Attempt) -> Result<VerifiedAttestation, Refusal> {
    let context = attempt.context(deployment);
    let calldata = attempt.trailing_calldata();
    let call = match attempt.entry_point {
        EntryPoint::Trailing => assent_verifier::Call::Trailing { value: U256::ZERO, calldata: &calldata },
        _ => assent_verifier::Call::Explicit { intent: &attempt.intent, authorization: &attempt.authorization },
    };
    verify_with_report_using::<B, _>(&context, call).into_result()
}

/// Sets policy, floor and nonces, records roots, revokes an epoch.
fn prepare(deployment: &Deployment, attempt: &Attempt) {
    let client = attempt.client(deployment);
    if attempt.policy.policyId.is_zero() {
        forget_policy(deployment, client.vault);
    } else if attempt.policy != client.policy && attempt.entry_point != EntryPoint::TaskManagerView {
        let policy = attempt.policy.clone().into();
        deployment.transact(deployment.owner, client.vault, &IPolicyClient::setAssentPolicyCall { newPolicy: policy });
    }
    let floor = attempt.issuance_floor;
    if floor != client.issuance_floor && attempt.entry_point != EntryPoint::TaskManagerView {
        let void = IPolicyClient::voidAssentAttestationsCall { newFloor: floor };
        deployment.transact(deployment.owner, client.vault, &void);
    }
    if let Some((word, mask)) = attempt.burned {
        let burn = TaskManager::burnNoncesCall { word, mask };
        deployment.transact(client.vault, deployment.task_manager, &burn);
    }
    record(deployment, &attempt.recorded);
    if let Some(epoch) = attempt.revoked {
        deployment.revoke(epoch);
    }
}

/// As if the client had never been initialised. Both slots of its ERC-7201 namespace: the slot itself and the next.
fn forget_policy(deployment: &Deployment, vault: Address) {
    let slot = U256::from_be_bytes(alloy::primitives::hex!(
        "775bcae047544c0ff1bf72751e7823236a3ff3789295e7d770bca6883ef01b00"
    ));
    deployment.chain.set_storage(vault, slot, U256::ZERO);
    deployment.chain.set_storage(vault, slot + U256::from(1), U256::ZERO);
}

fn execute(deployment: &Deployment, attempt: &Attempt) -> Execution {
    let call = attempt.call(deployment);
    let result = if attempt.entry_point.spends() {
        deployment.chain.set_next_timestamp(attempt.timestamp).expect("time moves forward");
        deployment.chain.transact(call)
    } else {
        deployment.chain.call_at(call, attempt.timestamp)
    };
    result.expect("the chain takes the call")
}

/// The nonce, and no other of its word, has become spent, and the same call is refused.
fn require_spent_once(deployment: &Deployment, attempt: &Attempt, nonce: U256) -> Result<(), String> {
    let vault = attempt.client(deployment).vault;
    let query = TaskManager::spentNoncesCall { policyClient: vault, word: nonce >> 8 };
    let answer = deployment.chain.call(Message::new(deployment.owner, deployment.task_manager, query.abi_encode()));
    let spent = U256::from_be_slice(&answer.expect("a view answers").output);
    let before = attempt.burned.filter(|(word, _)| *word == nonce >> 8).map_or(U256::ZERO, |(_, mask)| mask);
    let expected = before | U256::from(1) << (nonce & U256::from(0xff));
    if spent != expected {
        return Err(format!("spent nonces of the word: {spent:#x}, expected {expected:#x}"));
    }

    let again =
        deployment.chain.call_at(attempt.call(deployment), attempt.timestamp).expect("the chain takes the call");
    let refusal = Refusal::AttestationAlreadySpent { policyClient: vault, nonce };
    if again.revert_data().map(|data| data.to_vec()) != Some(refusal.revert_data()) {
        return Err(format!("used again, it ended with {:?} {}", again.status, again.output));
    }
    Ok(())
}
