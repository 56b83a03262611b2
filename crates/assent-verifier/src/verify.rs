//! The checks.

use crate::{
    Attestation, Authorization, AuthorizationError, Context, Decision, Epoch, Intent, Policy, Refusal, SpentLedger,
    backend::{Backend, Preferred},
    check::{Check, Examination},
    digest::{SIGNATURE_TAG, attestation_digest},
    split_trailing,
};
use alloy_primitives::{
    Address, B256, Bytes, U256,
    aliases::{U48, U96},
};

/// Verifies an authorization of an explicit intent, by every check of docs/protocol.md in its order.
///
/// Nothing is spent: whoever acts on the result records the nonce, for instance by
/// [`SpentNonces::spend`](crate::SpentNonces::spend).
///
/// # Errors
///
/// The [`Refusal`] with which the contracts would revert.
pub fn verify<L: SpentLedger>(
    context: &Context<L>,
    intent: &Intent,
    authorization: &[u8],
) -> Result<VerifiedAttestation, Refusal> {
    examine(context, Call::Explicit { intent, authorization }).into_result()
}

/// Verifies calldata in trailing form, sent by the context's caller to the client with a value in wei.
///
/// # Errors
///
/// The [`Refusal`] with which the contracts would revert.
pub fn verify_trailing<L: SpentLedger>(
    context: &Context<L>,
    value: U256,
    calldata: &[u8],
) -> Result<VerifiedAttestation, Refusal> {
    examine(context, Call::Trailing { value, calldata }).into_result()
}

/// As [`verify`] and [`verify_trailing`], with the outcome of each check.
pub fn examine<L: SpentLedger>(context: &Context<L>, call: Call<'_>) -> Examination {
    examine_with::<Preferred, L>(context, call)
}

/// As [`examine`], with a backend of the caller's choice.
pub fn examine_with<B: Backend, L: SpentLedger>(context: &Context<L>, call: Call<'_>) -> Examination {
    let mut passed = Passed::default();
    let result = run::<B, L>(context, call, &mut passed);
    Examination { passed: passed.0, result }
}

/// A call with its authorization, in one of the two ways to carry it.
#[derive(Debug, Clone, Copy)]
pub enum Call<'a> {
    /// The intent was handed over, and the authorization beside it.
    Explicit {
        /// The call to be made.
        intent: &'a Intent,
        /// The authorization's bytes.
        authorization: &'a [u8],
    },
    /// The authorization follows the calldata.
    Trailing {
        /// Wei sent along.
        value: U256,
        /// `calldata ‖ authorization ‖ uint16 length`.
        calldata: &'a [u8],
    },
}

/// An attestation that passed every check. Only verification makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedAttestation {
    attestation: Attestation,
    root: B256,
    epoch: u32,
    signed_weight: U96,
    total_weight: U96,
}

impl VerifiedAttestation {
    /// Everything the operators attested.
    pub fn attestation(&self) -> &Attestation {
        &self.attestation
    }

    /// The call that may be made, once.
    pub fn intent(&self) -> &Intent {
        &self.attestation.intent
    }

    /// The client whose nonce the call spends.
    pub fn policy_client(&self) -> Address {
        self.attestation.policyClient
    }

    /// The nonce the call spends.
    pub fn nonce(&self) -> U256 {
        self.attestation.nonce
    }

    /// The Merkle root that was signed.
    pub fn root(&self) -> B256 {
        self.root
    }

    /// The epoch whose operators signed.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Weight of the operators that signed.
    pub fn signed_weight(&self) -> U96 {
        self.signed_weight
    }

    /// Weight of the whole epoch.
    pub fn total_weight(&self) -> U96 {
        self.total_weight
    }
}

/// The one sequence of checks.
fn run<B: Backend, L: SpentLedger>(
    context: &Context<L>,
    call: Call<'_>,
    passed: &mut Passed,
) -> Result<VerifiedAttestation, Refusal> {
    let policy = require_policy(context)?;
    passed.note(Check::PolicySet);

    let (intent, authorization) = call.parse(context).map_err(|_| Refusal::MalformedAuthorization)?;
    passed.note(Check::WellFormed);

    require_chain_and_sender(context, &intent)?;
    passed.note(Check::ChainAndSender);

    require_task(context, policy, &intent, &authorization)?;
    passed.note(Check::Task);

    require_not_expired(context.timestamp, authorization.expiration)?;
    passed.note(Check::Expiration);

    require_lifetime(context.timestamp, authorization.expiration, policy.maxLifetime)?;
    passed.note(Check::Lifetime);

    require_not_spent(context, authorization.nonce)?;
    passed.note(Check::SingleUse);

    let epoch = require_epoch(context, policy.operatorSet, authorization.epoch)?;
    passed.note(Check::Epoch);

    let signed_weight = require_quorum(epoch, policy.quorum, &authorization)?;
    passed.note(Check::Quorum);

    let signature = B::decode_signature(&authorization.signature).map_err(|_| Refusal::MalformedSignature)?;
    passed.note(Check::SignatureEncoding);

    let attestation = attestation(context, policy, intent, &authorization);
    let digest = attestation_digest(&attestation, context.chain_id, context.task_manager);
    let root = authorization.merkle_proof.root(digest);
    require_signature::<B>(epoch, &authorization, &signature, root)?;
    passed.note(Check::Signature);

    // Last, so that nobody but the operators can make a client report a denial.
    if authorization.decision != Decision::Allow {
        return Err(Refusal::PolicyDenied { taskId: authorization.task_id });
    }
    passed.note(Check::Decision);

    let total_weight = epoch.operators.total_weight();
    Ok(VerifiedAttestation { attestation, root, epoch: epoch.number, signed_weight, total_weight })
}

/// How many checks passed; they run in order, so the number says which.
#[derive(Default)]
struct Passed(usize);

impl Passed {
    fn note(&mut self, check: Check) {
        self.0 = check.number();
    }
}

impl Call<'_> {
    fn parse<L>(self, context: &Context<L>) -> Result<(Intent, Authorization), AuthorizationError> {
        match self {
            Call::Explicit { intent, authorization } => Ok((intent.clone(), Authorization::parse(authorization)?)),
            Call::Trailing { value, calldata } => {
                let (data, authorization) = split_trailing(calldata)?;
                let authorization = Authorization::parse(authorization)?;
                Ok((context.trailing_intent(value, Bytes::copy_from_slice(data)), authorization))
            }
        }
    }
}

fn require_policy<L>(context: &Context<L>) -> Result<&Policy, Refusal> {
    let policy = context.policy.as_ref().filter(|policy| !policy.policyId.is_zero());
    policy.filter(|_| !context.task_manager.is_zero()).ok_or(Refusal::PolicyNotSet)
}

fn require_chain_and_sender<L>(context: &Context<L>, intent: &Intent) -> Result<(), Refusal> {
    if intent.chainId != context.chain_id {
        return Err(Refusal::WrongChain { expected: context.chain_id, actual: intent.chainId });
    }
    if context.caller != intent.from {
        return Err(Refusal::WrongSender { expected: intent.from, actual: context.caller });
    }
    Ok(())
}

/// Fixes everything that the authorization does not carry: chain, contracts, policy and every byte of the call.
fn require_task<L>(
    context: &Context<L>,
    policy: &Policy,
    intent: &Intent,
    authorization: &Authorization,
) -> Result<(), Refusal> {
    let expected = context.task_id(policy.policyId, intent, authorization.nonce);
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
fn require_quorum(epoch: &Epoch, quorum: u16, authorization: &Authorization) -> Result<U96, Refusal> {
    let operators = epoch.operators.operators();
    let mut signed_weight = epoch.operators.total_weight();
    for index in authorization.non_signers.indices() {
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

fn require_signature<B: Backend>(
    epoch: &Epoch,
    authorization: &Authorization,
    signature: &B::SignaturePoint,
    root: B256,
) -> Result<(), Refusal> {
    let operators = epoch.operators.operators();
    let absent = authorization.non_signers.indices().filter_map(|index| operators.get(usize::from(index)));
    let signers_key = B::without(epoch.operators.aggregate_key(), absent.map(|operator| &operator.public_key));
    match signers_key {
        Some(key) if B::verify(root.as_slice(), SIGNATURE_TAG, signature, &key) => Ok(()),
        _ => Err(Refusal::InvalidSignature),
    }
}

fn attestation<L>(context: &Context<L>, policy: &Policy, intent: Intent, authorization: &Authorization) -> Attestation {
    Attestation {
        taskId: authorization.task_id,
        policyId: policy.policyId,
        policyClient: context.policy_client,
        nonce: authorization.nonce,
        expiration: authorization.expiration,
        decision: authorization.decision.into(),
        evidence: authorization.evidence,
        intent,
    }
}
