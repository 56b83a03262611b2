//! The reasons why checks pass.

use crate::{
    SubmittedCall, fields,
    moment::{amount, moment},
};
use assent_verifier::{Authorization, Check, Context, Epoch, Intent, QuorumProof};

/// The input of the checks.
pub(crate) struct CheckedCall<'a> {
    pub(crate) context: &'a Context,
    pub(crate) submitted: &'a SubmittedCall,
    /// The parsed call; `Some` when check 2 passed.
    pub(crate) parsed: Option<&'a (Intent, Authorization)>,
}

impl CheckedCall<'_> {
    /// Returns why a check passed.
    pub(crate) fn reason(&self, check: Check) -> String {
        let Self { context, .. } = self;
        if check == Check::PolicySet {
            let policy = context.policy.as_ref().map(|policy| policy.policyId).unwrap_or_default();
            return format!("the client has the TaskManager {} and the policy {policy}", context.task_manager);
        }
        // All later checks come after parsing, which therefore succeeded.
        let Some((intent, authorization)) = self.parsed else { return String::new() };
        match check {
            Check::PolicySet => String::new(),
            Check::WellFormed => format!("all {} bytes parse", authorization.encode().len()),
            Check::ChainAndSender => self.chain_and_sender(intent),
            Check::Task => {
                let id = authorization.task_id;
                format!("chain, TaskManager, client, policy, call and nonce give task {id}, as in the authorization")
            }
            Check::ValidityPeriod => {
                let expiration = authorization.expiration.to::<u64>();
                let left = amount(expiration.saturating_sub(context.timestamp), "second", "seconds");
                let issued_at = moment(authorization.issued_at.to());
                format!("valid from {issued_at} until {}, for another {left}", moment(expiration))
            }
            Check::Lifetime => {
                let longest = context.policy.as_ref().map(|policy| policy.maxLifetime).unwrap_or_default();
                let lifetime = authorization.expiration.saturating_sub(authorization.issued_at);
                format!(
                    "{lifetime} seconds are within the policy's maximum lifetime of {longest}, and the client has not \
                     voided what was issued then"
                )
            }
            Check::SingleUse => format!("nonce {} is unspent in the context", authorization.nonce),
            Check::Epoch => self.epoch(authorization),
            Check::Quorum => self.quorum(intent, authorization),
            Check::SignatureEncoding => match authorization.quorum_proof {
                QuorumProof::Direct { .. } => "a point of the prime-order subgroup of G1".to_owned(),
                QuorumProof::Recorded => "verified when the root was recorded".to_owned(),
            },
            Check::Signature => self.signature(intent, authorization),
            Check::Decision => "the operators allow the call".to_owned(),
        }
    }

    fn chain_and_sender(&self, intent: &Intent) -> String {
        match self.submitted {
            SubmittedCall::Explicit { .. } => {
                format!(
                    "the intent is for this chain, {}, and its sender is the caller, {}",
                    intent.chainId, intent.from
                )
            }
            SubmittedCall::Trailing { .. } => "both are those of the call itself".to_owned(),
        }
    }

    fn epoch(&self, authorization: &Authorization) -> String {
        let Some(epoch) = self.known_epoch(authorization) else { return String::new() };
        let name = format!("epoch {} of operator set {}", epoch.number, epoch.operator_set);
        match (&authorization.quorum_proof, epoch.valid_until.to::<u64>()) {
            (QuorumProof::Recorded, _) => format!("{name} is known and not revoked"),
            (_, never) if never == (1 << 48) - 1 => format!("{name} is in force"),
            (_, until) => format!("{name} is valid until {}", moment(until)),
        }
    }

    fn quorum(&self, intent: &Intent, authorization: &Authorization) -> String {
        let quorum = self.context.policy.as_ref().map(|policy| policy.quorum).unwrap_or_default();
        let of = format!("the quorum is {quorum} basis points");
        let recorded = || {
            let root = self.context.root(intent, authorization)?;
            Some((root, self.context.recorded_roots.get(authorization.epoch, root)?))
        };
        if authorization.quorum_proof == QuorumProof::Recorded {
            return recorded().map_or_else(String::new, |(root, weight)| {
                let (signed, total) = (weight.signed_weight, weight.total_weight);
                format!("root {root} is recorded as signed by weight {signed} of {total}; {of}")
            });
        }
        let Some(epoch) = self.known_epoch(authorization) else { return String::new() };
        let signed = fields::signed_weight(epoch, authorization).unwrap_or_default();
        let required = epoch.operators.required_weight(quorum);
        let total = epoch.operators.total_weight();
        format!("operators with weight {signed} of {total} signed; {of}, which is {required}")
    }

    fn signature(&self, intent: &Intent, authorization: &Authorization) -> String {
        let QuorumProof::Direct { non_signers, .. } = &authorization.quorum_proof else {
            return "verified when the root was recorded".to_owned();
        };
        let root = self.context.root(intent, authorization).unwrap_or_default();
        let operators = self.known_epoch(authorization).map_or(0, |epoch| epoch.operators.operators().len());
        let signers = amount(operators.saturating_sub(non_signers.count()), "operator", "operators");
        format!("the signature of {signers} over root {root}")
    }

    fn known_epoch(&self, authorization: &Authorization) -> Option<&Epoch> {
        self.context.epoch(authorization.epoch)
    }
}
