//! The checks before and after the signature: what the signature must have signed, and by whom.

use crate::{
    Attestation, AuthorizationError, Call, Context, Decision, Epoch, Intent, Policy, Refusal, Signature, SpentLedger,
    VerifiedAttestation,
    authorization::ParsedAuthorization,
    backend::Backend,
    check::Check,
    digest::{self, AttestedFields},
    non_signers::Bitmap,
    split_trailing,
};
use alloy_primitives::{
    Address, B256, Bytes, U256,
    aliases::{U48, U96},
};

/// A call that passed checks 1 to 10: whether it may be made depends on its signature, and then on the decision.
pub(crate) struct Admitted<'a, B: Backend> {
    policy: &'a Policy,
    call: ParsedCall<'a>,
    authorization: ParsedAuthorization<'a>,
    signed_weight: U96,
    pub(crate) epoch: &'a Epoch,
    /// What must have been signed.
    pub(crate) root: B256,
    pub(crate) signature: B::SignaturePoint,
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

    let epoch = require_epoch(context, policy.operatorSet, authorization.epoch)?;
    note(Check::Epoch);

    let signed_weight = require_quorum(epoch, policy.quorum, authorization.non_signers)?;
    note(Check::Quorum);

    let signature = B::decode_signature(&authorization.signature).map_err(|_| Refusal::MalformedSignature)?;
    note(Check::SignatureEncoding);

    let root = root(context, policy, intent_hash, &authorization);
    Ok(Admitted { policy, call, authorization, signed_weight, epoch, root, signature })
}

impl<B: Backend> Admitted<'_, B> {
    /// Those who are said not to have signed; each is an operator of the epoch.
    pub(crate) fn absent(&self) -> Bitmap<'_> {
        self.authorization.non_signers
    }

    /// The signature's bytes.
    pub(crate) fn signature_bytes(&self) -> Signature {
        self.authorization.signature
    }

    /// Check 12, the last, so that nobody but the operators can make a client report a denial. For calls alone whose
    /// signature was found to be good.
    pub(crate) fn conclude(self) -> Result<VerifiedAttestation, Refusal> {
        let Self { policy, call, authorization, signed_weight, epoch, root, .. } = self;
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
            epoch: epoch.number,
            signed_weight,
            total_weight: epoch.operators.total_weight(),
        })
    }
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
    fn parse<L>(context: &Context<L>, call: Call<'a>) -> Result<(Self, ParsedAuthorization<'a>), AuthorizationError> {
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
        Ok((call, ParsedAuthorization::parse(authorization)?))
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
    authorization: &ParsedAuthorization<'_>,
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
fn require_epoch<L>(context: &Context<L>, operator_set: u32, number: u32) -> Result<&Epoch, Refusal> {
    let epoch = context.epoch(number).filter(|epoch| epoch.operator_set == operator_set);
    let epoch = epoch.ok_or(Refusal::UnknownEpoch { epoch: number })?;
    if !epoch.is_in_force(context.timestamp) {
        return Err(Refusal::EpochRetired { epoch: number });
    }
    Ok(epoch)
}

/// Returns the weight that signed.
fn require_quorum(epoch: &Epoch, quorum: u16, non_signers: Bitmap<'_>) -> Result<U96, Refusal> {
    let operators = epoch.operators.operators();
    let mut signed_weight = epoch.operators.total_weight();
    for index in non_signers.indices() {
        let absent = operators.get(usize::from(index)).ok_or(Refusal::MalformedAuthorization)?;
        // The total is the sum of all weights, and a bitmap names none twice.
        signed_weight = signed_weight.saturating_sub(absent.weight);
    }
    let (signed, required) = (U256::from(signed_weight), epoch.operators.required_weight(quorum));
    if signed < required {
        return Err(Refusal::QuorumNotReached { signed, required });
    }
    Ok(signed_weight)
}

/// The root that the Merkle proof leads to from the attestation's digest.
fn root<L>(context: &Context<L>, policy: &Policy, intent_hash: B256, authorization: &ParsedAuthorization<'_>) -> B256 {
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
