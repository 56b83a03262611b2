//! The checks before and after the signature: what the signature must have signed, and by whom.

use crate::{
    Attestation, AuthorizationError, AuthorizationRef, Call, Context, Decision, Epoch, Intent, NonSignersRef, Policy,
    QuorumProofRef, RecordedRoot, Refusal, SpentLedger, VerifiedAttestation,
    backend::Backend,
    check::Check,
    digest::{self, AttestedFields},
    operators::required_weight,
    split_trailing,
    statement::Statement,
};
use alloy_primitives::{
    Address, B256, Bytes, U256,
    aliases::{U48, U96},
};

/// A call that passed checks 1 to 10: whether it may be made depends on its signature, and then on the decision.
pub(crate) struct Admitted<'a, B: Backend> {
    policy: &'a Policy,
    call: ParsedCall<'a>,
    authorization: AuthorizationRef<'a>,
    root: B256,
    weight: Weight,
    /// What must be true; `None` when the root is recorded, since it was found to be true then.
    pub(crate) statement: Option<Statement<'a, B>>,
}

/// Checks 1 to 10. Each is noted as it passes.
pub(crate) fn admit<'a, B: Backend, L: SpentLedger>(
    context: &'a Context<L>,
    call: Call<'a>,
    mut note: impl FnMut(Check),
) -> Result<Admitted<'a, B>, Refusal> {
    let policy = require_policy(context)?;
    note(Check::PolicySet);

    let (call, authorization) = ParsedCall::parse(context, call).map_err(|_| Refusal::MalformedAuthorization)?;
    note(Check::WellFormed);

    require_chain_and_sender(context, &call)?;
    note(Check::ChainAndSender);

    let intent_hash = call.intent_hash();
    require_task(context, policy, intent_hash, &authorization)?;
    note(Check::Task);

    require_not_expired(context.timestamp, authorization.expiration)?;
    note(Check::Expiration);

    require_lifetime(context.timestamp, authorization.expiration, policy.maxLifetime)?;
    note(Check::Lifetime);

    require_not_spent(context, authorization.nonce)?;
    note(Check::SingleUse);

    let epoch = require_known(context, policy.operatorSet, authorization.epoch)?;
    match authorization.quorum_proof {
        QuorumProofRef::Direct { .. } => require_epoch_in_force(epoch, context.timestamp)?,
        // The root was recorded while the epoch was in force. Only revocation undoes that.
        QuorumProofRef::Recorded => require_not_revoked(epoch)?,
    }
    note(Check::Epoch);

    let (root, weight, statement) = match authorization.quorum_proof {
        QuorumProofRef::Recorded => {
            let root = root(context, policy, intent_hash, &authorization);
            let weight = recorded_weight(context, epoch.number, root)?;
            require_weight(weight, policy.quorum)?;
            note(Check::Quorum);
            (root, weight, None)
        }
        QuorumProofRef::Direct { signature: signature_bytes, non_signers: absent } => {
            let weight = weight_without(epoch, absent)?;
            require_weight(weight, policy.quorum)?;
            note(Check::Quorum);
            let signature = B::decode_signature(&signature_bytes).map_err(|_| Refusal::MalformedSignature)?;
            let root = root(context, policy, intent_hash, &authorization);
            (root, weight, Some(Statement { epoch, absent, root, signature, signature_bytes }))
        }
    };
    note(Check::SignatureEncoding);
    Ok(Admitted { policy, call, authorization, root, weight, statement })
}

impl<B: Backend> Admitted<'_, B> {
    /// Check 12, the last, so that only the operators can make a client report a denial. Only for calls whose
    /// signature was found to be good.
    pub(crate) fn conclude(self) -> Result<VerifiedAttestation, Refusal> {
        let Self { policy, call, authorization, root, weight, .. } = self;
        if authorization.decision != Decision::Allow {
            return Err(Refusal::PolicyDenied { taskId: authorization.task_id });
        }
        Ok(VerifiedAttestation {
            attestation: Attestation {
                taskId: authorization.task_id,
                policyId: policy.policyId,
                policyClient: call.policy_client,
                nonce: authorization.nonce,
                expiration: authorization.expiration,
                decision: authorization.decision.into(),
                evidence: authorization.evidence,
                intent: call.into_intent(),
            },
            root,
            epoch: authorization.epoch,
            signed_weight: weight.signed,
            total_weight: weight.total,
        })
    }
}

/// Of the operators that signed, and of the whole epoch.
#[derive(Clone, Copy)]
struct Weight {
    signed: U96,
    total: U96,
}

/// A call taken apart, its calldata where it was.
struct ParsedCall<'a> {
    policy_client: Address,
    from: Address,
    to: Address,
    value: U256,
    data: &'a [u8],
    chain_id: U256,
    /// The intent that was handed over, if one was.
    intent: Option<&'a Intent>,
}

impl<'a> ParsedCall<'a> {
    fn parse<L>(context: &Context<L>, call: Call<'a>) -> Result<(Self, AuthorizationRef<'a>), AuthorizationError> {
        let policy_client = context.policy_client;
        let (call, authorization) = match call {
            Call::Explicit { intent, authorization } => {
                let &Intent { from, to, value, ref data, chainId: chain_id } = intent;
                (Self { policy_client, from, to, value, data, chain_id, intent: Some(intent) }, authorization)
            }
            Call::Trailing { value, calldata } => {
                let (data, authorization) = split_trailing(calldata)?;
                let (from, to, chain_id) = (context.caller, policy_client, context.chain_id);
                (Self { policy_client, from, to, value, data, chain_id, intent: None }, authorization)
            }
        };
        Ok((call, AuthorizationRef::parse(authorization)?))
    }

    fn intent_hash(&self) -> B256 {
        digest::intent_fields_hash(self.from, self.to, self.value, self.data, self.chain_id)
    }

    /// Shares the data with the intent that was handed over; copies calldata.
    fn into_intent(self) -> Intent {
        let Self { from, to, value, chain_id, .. } = self;
        self.intent.cloned().unwrap_or_else(|| Intent {
            from,
            to,
            value,
            data: Bytes::copy_from_slice(self.data),
            chainId: chain_id,
        })
    }
}

fn require_policy<L>(context: &Context<L>) -> Result<&Policy, Refusal> {
    let policy = context.policy.as_ref().filter(|policy| !policy.policyId.is_zero());
    policy.filter(|_| !context.task_manager.is_zero()).ok_or(Refusal::PolicyNotSet)
}

fn require_chain_and_sender<L>(context: &Context<L>, call: &ParsedCall<'_>) -> Result<(), Refusal> {
    if call.chain_id != context.chain_id {
        return Err(Refusal::WrongChain { expected: context.chain_id, actual: call.chain_id });
    }
    if context.caller != call.from {
        return Err(Refusal::WrongSender { expected: call.from, actual: context.caller });
    }
    Ok(())
}

/// Fixes everything that the authorization does not carry: chain, contracts, policy and every byte of the call.
fn require_task<L>(
    context: &Context<L>,
    policy: &Policy,
    intent_hash: B256,
    authorization: &AuthorizationRef<'_>,
) -> Result<(), Refusal> {
    let expected = context.task_id(policy.policyId, intent_hash, authorization.nonce);
    if authorization.task_id != expected {
        return Err(Refusal::WrongTask { expected, actual: authorization.task_id });
    }
    Ok(())
}

fn require_not_expired(timestamp: u64, expiration: U48) -> Result<(), Refusal> {
    let timestamp = U256::from(timestamp);
    if timestamp >= U256::from(expiration) {
        return Err(Refusal::AttestationExpired { expiration, timestamp });
    }
    Ok(())
}

fn require_lifetime(timestamp: u64, expiration: U48, max_lifetime: U48) -> Result<(), Refusal> {
    let latest = U256::from(timestamp).saturating_add(U256::from(max_lifetime));
    if U256::from(expiration) > latest {
        return Err(Refusal::LifetimeTooLong { expiration, latest });
    }
    Ok(())
}

fn require_not_spent<L: SpentLedger>(context: &Context<L>, nonce: U256) -> Result<(), Refusal> {
    if context.spent.is_spent(context.policy_client, nonce) {
        return Err(Refusal::AttestationAlreadySpent { policyClient: context.policy_client, nonce });
    }
    Ok(())
}

/// An epoch of another set is as good as none: its operators are not those the client trusts.
fn require_known<L>(context: &Context<L>, operator_set: u32, number: u32) -> Result<&Epoch, Refusal> {
    let epoch = context.epoch(number).filter(|epoch| epoch.operator_set == operator_set);
    epoch.ok_or(Refusal::UnknownEpoch { epoch: number })
}

fn require_epoch_in_force(epoch: &Epoch, timestamp: u64) -> Result<(), Refusal> {
    if epoch.is_in_force(timestamp) {
        return Ok(());
    }
    require_not_revoked(epoch)?;
    Err(Refusal::EpochExpired { epoch: epoch.number, validUntil: epoch.valid_until })
}

fn require_not_revoked(epoch: &Epoch) -> Result<(), Refusal> {
    if epoch.is_revoked() {
        return Err(Refusal::EpochRevoked { epoch: epoch.number });
    }
    Ok(())
}

fn recorded_weight<L>(context: &Context<L>, epoch: u32, root: B256) -> Result<Weight, Refusal> {
    let recorded = context.recorded_roots.get(epoch, root);
    let RecordedRoot { signed_weight, total_weight } = recorded.ok_or(Refusal::RootNotRecorded { epoch, root })?;
    Ok(Weight { signed: signed_weight, total: total_weight })
}

fn weight_without(epoch: &Epoch, absent: NonSignersRef<'_>) -> Result<Weight, Refusal> {
    let operators = epoch.operators.operators();
    let total = epoch.operators.total_weight();
    let mut signed = total;
    for index in absent.indices() {
        let absent = operators.get(usize::from(index)).ok_or(Refusal::MalformedAuthorization)?;
        // The total is the sum of all weights, and a bitmap names none twice.
        signed = signed.saturating_sub(absent.weight);
    }
    Ok(Weight { signed, total })
}

fn require_weight(weight: Weight, quorum: u16) -> Result<(), Refusal> {
    let (signed, required) = (U256::from(weight.signed), required_weight(weight.total, quorum));
    if signed < required {
        return Err(Refusal::QuorumNotReached { signed, required });
    }
    Ok(())
}

/// The root that the Merkle proof leads to from the attestation's digest.
fn root<L>(context: &Context<L>, policy: &Policy, intent_hash: B256, authorization: &AuthorizationRef<'_>) -> B256 {
    let attested = AttestedFields {
        task_id: authorization.task_id,
        policy_id: policy.policyId,
        policy_client: context.policy_client,
        nonce: authorization.nonce,
        expiration: authorization.expiration,
        decision: authorization.decision.into(),
        evidence: authorization.evidence,
        intent_hash,
    };
    authorization.merkle_proof.root(attested.digest(context.chain_id, context.task_manager))
}
