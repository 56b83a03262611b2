//! Both sides' answers.

use crate::{
    Attempt, Way, World,
    recording::{record, require_recorded},
};
use alloy::{
    primitives::{Address, Bytes, U256},
    sol_types::SolCall,
};
use assent_chain::{Call, Ending, Outcome};
use assent_contracts::{IPolicyClient, TaskManager};
use assent_verifier::{
    Call as VerifierCall, Refusal, VerifiedAttestation,
    backend::{Backend, arkworks::Arkworks, blst::Blst},
    examine_with,
};

/// What both sides said: the attested task's nonce, or why not.
pub type Verdict = Result<U256, Refusal>;

/// Lets the contracts and both backends of the verifier decide about an attempt, and leaves the world as it was.
///
/// # Errors
///
/// What they disagree on: acceptance, revert data, or what is spent afterwards.
pub fn compare(world: &World, attempt: &Attempt) -> Result<Verdict, String> {
    let verdict = verdict(world, attempt)?;
    world.undone(|| {
        prepare(world, attempt);
        require_recorded(world, &attempt.recorded)?;
        require_verdict(world, attempt, &verdict)?;
        if let (Ok(nonce), true) = (verdict, attempt.way.spends()) {
            require_spent_once(world, attempt, nonce)?;
        }
        Ok(verdict)
    })
}

/// What both backends of the verifier say.
///
/// # Errors
///
/// What each says, where they differ.
pub(crate) fn verdict(world: &World, attempt: &Attempt) -> Result<Verdict, String> {
    let verdict = verifier_verdict::<Arkworks>(world, attempt);
    let with_blst = verifier_verdict::<Blst>(world, attempt);
    if verdict != with_blst {
        return Err(format!("arkworks: {verdict:?}; blst: {with_blst:?}"));
    }
    Ok(verdict.map(|verified| verified.nonce()))
}

/// The contracts decide as the verifier did.
fn require_verdict(world: &World, attempt: &Attempt, verdict: &Verdict) -> Result<(), String> {
    let outcome = execute(world, attempt);
    let expected = match verdict {
        Ok(_) => (Ending::Success, None),
        Err(refusal) => (Ending::Revert, Some(Bytes::from(refusal.revert_data()))),
    };
    if (outcome.ending.clone(), outcome.revert_data().cloned()) == expected {
        return Ok(());
    }
    let on_chain = Refusal::decode(&outcome.output);
    Err(format!("verifier: {verdict:?}; contracts: {:?} {on_chain:?} {}", outcome.ending, outcome.output))
}

fn verifier_verdict<B: Backend>(world: &World, attempt: &Attempt) -> Result<VerifiedAttestation, Refusal> {
    let context = attempt.context(world);
    let calldata = attempt.trailing_calldata();
    let call = match attempt.way {
        Way::Trailing => VerifierCall::Trailing { value: U256::ZERO, calldata: &calldata },
        _ => VerifierCall::Explicit { intent: &attempt.intent, authorization: &attempt.authorization },
    };
    examine_with::<B, _>(&context, call).into_result()
}

/// Brings policy, nonces, recorded roots and a revocation about.
fn prepare(world: &World, attempt: &Attempt) {
    let client = attempt.client(world);
    if attempt.policy.policyId.is_zero() {
        forget_policy(world, client.vault);
    } else if attempt.policy != client.policy && attempt.way != Way::TaskManagerView {
        let policy = attempt.policy.clone().into();
        world.transact(world.owner, client.vault, &IPolicyClient::setAssentPolicyCall { newPolicy: policy });
    }
    if let Some((word, mask)) = attempt.burned {
        let burn = TaskManager::burnNoncesCall { word, mask };
        world.transact(client.vault, world.task_manager, &burn);
    }
    record(world, &attempt.recorded);
    if let Some(epoch) = attempt.revoked {
        world.revoke(epoch);
    }
}

/// As if the client had never been initialised. Both slots of its ERC-7201 namespace: the slot itself and the next.
fn forget_policy(world: &World, vault: Address) {
    let slot = U256::from_be_bytes(alloy::primitives::hex!(
        "775bcae047544c0ff1bf72751e7823236a3ff3789295e7d770bca6883ef01b00"
    ));
    world.chain.set_storage(vault, slot, U256::ZERO);
    world.chain.set_storage(vault, slot + U256::from(1), U256::ZERO);
}

fn execute(world: &World, attempt: &Attempt) -> Outcome {
    let call = attempt.call(world);
    let result = if attempt.way.spends() {
        world.chain.set_next_timestamp(attempt.timestamp).expect("time moves forward");
        world.chain.transact(call)
    } else {
        world.chain.call_at(call, attempt.timestamp)
    };
    result.expect("the chain takes the call")
}

/// The nonce, and no other of its word, has become spent, and the same call is refused.
fn require_spent_once(world: &World, attempt: &Attempt, nonce: U256) -> Result<(), String> {
    let vault = attempt.client(world).vault;
    let query = TaskManager::spentNoncesCall { policyClient: vault, word: nonce >> 8 };
    let answer = world.chain.call(Call::new(world.owner, world.task_manager, query.abi_encode()));
    let spent = U256::from_be_slice(&answer.expect("a view answers").output);
    let before = attempt.burned.filter(|(word, _)| *word == nonce >> 8).map_or(U256::ZERO, |(_, mask)| mask);
    let expected = before | U256::from(1) << (nonce & U256::from(0xff));
    if spent != expected {
        return Err(format!("spent nonces of the word: {spent:#x}, expected {expected:#x}"));
    }

    let again = world.chain.call_at(attempt.call(world), attempt.timestamp).expect("the chain takes the call");
    let refusal = Refusal::AttestationAlreadySpent { policyClient: vault, nonce };
    if again.revert_data().map(|data| data.to_vec()) != Some(refusal.revert_data()) {
        return Err(format!("used again, it ended with {:?} {}", again.ending, again.output));
    }
    Ok(())
}
