//! The sequence of checks of docs/protocol.md.

use crate::{
    Attestation, AuthorizationError, AuthorizationRef, Call, Check, Context, Decision, Epoch, EpochId, Intent,
    NonSignersRef, OperatorSetId, Policy, QuorumProofRef, RecordedRoot, Refusal, SpentLedger, VerifiedAttestation,
    backend::Backend,
    claim::SignatureClaim,
    digest::{self, AttestedFields, SIGNATURE_TAG},
    operators::required_weight,
    split_trailing,
};
use alloy_primitives::{
    Address, B256, Bytes, U256,
    aliases::{U48, U96},
};

/// Runs all checks on one call, and notifies of each check that passes.
pub(crate) fn run_checks<B: Backend, L: SpentLedger>(
    context: &Context<L>,
    call: Call<'_>,
    mut passed: impl FnMut(Check),
) -> Result<VerifiedAttestation, Refusal> {
    let pending = run_checks_before_signature::<B, L>(context, call, &mut passed)?;
    verify_signature(pending.claim.as_ref())?;
    passed(Check::Signature);

    let verified = pending.require_allowed()?;
    passed(Check::Decision);
    Ok(verified)
}

/// A call that passed checks 1 to 10. Checks 11 (its signature) and 12 (the decision) are pending.
pub(crate) struct PendingVerification<'a, B: Backend> {
    policy: &'a Policy,
    call: ParsedCall<'a>,
    authorization: AuthorizationRef<'a>,
    root: B256,
    weight: Weight,
    /// The claim that check 11 verifies; `None` for a recorded root, whose claim was verified when it was recorded.
    pub(crate) claim: Option<SignatureClaim<'a, B>>,
}

/// Runs checks 1 to 10, and notifies of each check that passes.
pub(crate) fn run_checks_before_signature<'a, B: Backend, L: SpentLedger>(
    context: &'a Context<L>,
    call: Call<'a>,
    mut passed: impl FnMut(Check),
) -> Result<PendingVerification<'a, B>, Refusal> {
    let policy = require_policy(context)?;
    passed(Check::PolicySet);

    let (call, authorization) = ParsedCall::parse(context, call).map_err(|_| Refusal::MalformedAuthorization)?;
    passed(Check::WellFormed);

    require_chain_and_sender(context, &call)?;
    passed(Check::ChainAndSender);

    let intent_hash = call.intent_hash();
    require_task(context, policy, intent_hash, &authorization)?;
    passed(Check::Task);

    require_issued(context.timestamp, authorization.issued_at)?;
    require_not_expired(context.timestamp, authorization.expiration)?;
    passed(Check::ValidityPeriod);

    require_lifetime(&authorization, policy.maxLifetime)?;
    require_not_voided(context.issuance_floor, authorization.issued_at)?;
    passed(Check::Lifetime);

    require_not_spent(context, authorization.nonce)?;
    passed(Check::SingleUse);

    let epoch = require_known_epoch(context, policy.operatorSet.into(), authorization.epoch)?;
    match authorization.quorum_proof {
        QuorumProofRef::Direct { .. } => require_epoch_in_force(epoch, context.timestamp)?,
        // The root was recorded while the epoch was in force. Only revocation undoes that, and check 9 bounds the use.
        QuorumProofRef::Recorded => require_not_revoked(epoch)?,
    }
    passed(Check::Epoch);

    let (root, weight, claim) = match authorization.quorum_proof {
        QuorumProofRef::Recorded => {
            let root = root(context, policy, intent_hash, &authorization);
            let recorded = require_recorded_root(context, epoch.number, root)?;
            require_within_epoch(authorization.expiration, recorded.epoch_end)?;
            let weight = Weight { signed: recorded.signed_weight, total: recorded.total_weight };
            require_quorum(weight, policy.quorum)?;
            passed(Check::Quorum);
            (root, weight, None)
        }
        QuorumProofRef::Direct { signature: signature_bytes, non_signers } => {
            let weight = signed_weight(epoch, non_signers)?;
            require_quorum(weight, policy.quorum)?;
            passed(Check::Quorum);
            let signature = B::decode_signature(&signature_bytes).map_err(|_| Refusal::MalformedSignature)?;
            let root = root(context, policy, intent_hash, &authorization);
            (
                root,
                weight,
                Some(SignatureClaim { tag: SIGNATURE_TAG, epoch, non_signers, root, signature, signature_bytes }),
            )
        }
    };
    passed(Check::SignatureEncoding);
    Ok(PendingVerification { policy, call, authorization, root, weight, claim })
}

impl<B: Backend> PendingVerification<'_, B> {
    /// Runs check 12. It is the last, so that only operators can make a client report a denial.
    ///
    /// Warning: the caller must have verified the claim (check 11).
    pub(crate) fn require_allowed(self) -> Result<VerifiedAttestation, Refusal> {
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
                issuedAt: authorization.issued_at,
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

/// The weight of the operators that signed, and of the whole epoch.
#[derive(Clone, Copy)]
pub(crate) struct Weight {
    pub(crate) signed: U96,
    pub(crate) total: U96,
}

/// The fields of a call, which borrow its calldata.
struct ParsedCall<'a> {
    policy_client: Address,
    from: Address,
    to: Address,
    value: U256,
    data: &'a [u8],
    chain_id: U256,
    /// The intent of an explicit call.
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

    /// Returns the intent. It shares the data of an explicit call's intent, and copies calldata.
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
        return Err(Refusal::WrongSender { expected: context.caller, actual: call.from });
    }
    Ok(())
}

/// Compares everything that the authorization does not carry: chain, contracts, policy and every byte of the call.
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

fn require_issued(timestamp: u64, issued_at: U48) -> Result<(), Refusal> {
    let timestamp = U256::from(timestamp);
    if U256::from(issued_at) > timestamp {
        return Err(Refusal::AttestationNotYetValid { issuedAt: issued_at, timestamp });
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

/// Bounds what was signed, whenever it is used: an old attestation does not become valid as its expiration approaches.
fn require_lifetime(authorization: &AuthorizationRef<'_>, max_lifetime: U48) -> Result<(), Refusal> {
    let AuthorizationRef { issued_at, expiration, .. } = *authorization;
    let latest = U256::from(issued_at).saturating_add(U256::from(max_lifetime));
    if U256::from(expiration) > latest {
        return Err(Refusal::LifetimeTooLong { expiration, latest });
    }
    Ok(())
}

fn require_not_voided(floor: U48, issued_at: U48) -> Result<(), Refusal> {
    if issued_at < floor {
        return Err(Refusal::AttestationVoided { issuedAt: issued_at, floor });
    }
    Ok(())
}

fn require_not_spent<L: SpentLedger>(context: &Context<L>, nonce: U256) -> Result<(), Refusal> {
    if context.spent.is_spent(context.policy_client, nonce) {
        return Err(Refusal::AttestationAlreadySpent { policyClient: context.policy_client, nonce });
    }
    Ok(())
}

/// Returns the epoch. An epoch of another set is unknown: the client does not trust its operators.
fn require_known_epoch<L>(
    context: &Context<L>,
    operator_set: OperatorSetId,
    number: EpochId,
) -> Result<&Epoch, Refusal> {
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

fn require_recorded_root<L>(context: &Context<L>, epoch: EpochId, root: B256) -> Result<RecordedRoot, Refusal> {
    context.recorded_roots.get(epoch, root).ok_or(Refusal::RootNotRecorded { epoch, root })
}

/// Bounds attestations under a recorded root, which outlasts the epoch's own end: nothing that an epoch signed
/// outlives it.
fn require_within_epoch(expiration: U48, epoch_end: U48) -> Result<(), Refusal> {
    if expiration > epoch_end {
        return Err(Refusal::ExpirationBeyondEpoch { expiration, epochEnd: epoch_end });
    }
    Ok(())
}

/// Returns the weight of the operators that a bitmap does not name. `NonSignerOutOfRange` is its only error.
pub(crate) fn signed_weight(epoch: &Epoch, non_signers: NonSignersRef<'_>) -> Result<Weight, Refusal> {
    let operators = epoch.operators.operators();
    let total = epoch.operators.total_weight();
    let mut signed = total;
    for index in non_signers.indices() {
        let non_signer = operators.get(usize::from(index)).ok_or(Refusal::NonSignerOutOfRange)?;
        // Never saturates: the total is the sum of all weights, and a bitmap names no operator twice.
        signed = signed.saturating_sub(non_signer.weight);
    }
    Ok(Weight { signed, total })
}

fn require_quorum(weight: Weight, quorum: u16) -> Result<(), Refusal> {
    let (signed, required) = (U256::from(weight.signed), required_weight(weight.total, quorum));
    if signed < required {
        return Err(Refusal::QuorumNotReached { signed, required });
    }
    Ok(())
}

fn verify_signature<B: Backend>(claim: Option<&SignatureClaim<'_, B>>) -> Result<(), Refusal> {
    match claim {
        Some(claim) if !claim.is_true(claim.hash()) => Err(Refusal::InvalidSignature),
        _ => Ok(()),
    }
}

/// Returns the root that the Merkle proof leads to from the attestation's digest.
fn root<L>(context: &Context<L>, policy: &Policy, intent_hash: B256, authorization: &AuthorizationRef<'_>) -> B256 {
    let attested = AttestedFields {
        task_id: authorization.task_id,
        policy_id: policy.policyId,
        policy_client: context.policy_client,
        nonce: authorization.nonce,
        issued_at: authorization.issued_at,
        expiration: authorization.expiration,
        decision: authorization.decision.into(),
        evidence: authorization.evidence,
        intent_hash,
    };
    authorization.merkle_proof.root(attested.digest(context.chain_id, context.task_manager))
}
