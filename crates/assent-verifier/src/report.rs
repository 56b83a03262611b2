//! The result of each check.

use crate::{Refusal, VerifiedAttestation};
use core::fmt;

/// One of the twelve checks, in the order of docs/protocol.md.
///
/// ```
/// use assent_verifier::Check;
///
/// for check in Check::ALL {
///     println!("{:>2} {check}", check.number());
/// }
/// assert_eq!(Check::ValidityPeriod.number(), 5);
/// assert_eq!(Check::ValidityPeriod.to_string(), "validity period");
/// ```
// Complete: docs/protocol.md has these checks, and a further one would be another protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Check {
    /// 1: the client has a TaskManager and a policy.
    PolicySet,
    /// 2: the authorization's bytes parse.
    WellFormed,
    /// 3: the intent is for this chain, and the caller is its sender.
    ChainAndSender,
    /// 4: the call is the attested task.
    Task,
    /// 5: the attestation is already valid and has not expired.
    ValidityPeriod,
    /// 6: the attestation's lifetime is at most the policy's, and the client has not voided it.
    Lifetime,
    /// 7: the nonce is not spent.
    SingleUse,
    /// 8: the epoch is known and in force; for a recorded root, not revoked.
    Epoch,
    /// 9: a quorum signed; a root without signature is recorded, and its epoch does not end before the attestation.
    Quorum,
    /// 10: the signature is a valid point. Passes for a recorded root, which was checked when it was recorded.
    SignatureEncoding,
    /// 11: the signature is the signers'. Passes for a recorded root, as check 10.
    Signature,
    /// 12: the operators allow the call.
    Decision,
}

impl Check {
    /// All checks, in order.
    pub const ALL: [Self; 12] = [
        Self::PolicySet,
        Self::WellFormed,
        Self::ChainAndSender,
        Self::Task,
        Self::ValidityPeriod,
        Self::Lifetime,
        Self::SingleUse,
        Self::Epoch,
        Self::Quorum,
        Self::SignatureEncoding,
        Self::Signature,
        Self::Decision,
    ];

    /// Returns the check's number in docs/protocol.md, from 1.
    pub fn number(self) -> usize {
        Self::ALL.iter().take_while(|check| **check <= self).count()
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PolicySet => "policy set",
            Self::WellFormed => "authorization parses",
            Self::ChainAndSender => "chain and sender",
            Self::Task => "task",
            Self::ValidityPeriod => "validity period",
            Self::Lifetime => "lifetime, not voided",
            Self::SingleUse => "not spent",
            Self::Epoch => "epoch in force",
            Self::Quorum => "quorum",
            Self::SignatureEncoding => "signature encoding",
            Self::Signature => "signature",
            Self::Decision => "decision",
        })
    }
}

/// The result of one check.
// Complete: a check passes, fails, or is not reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CheckResult {
    /// The check passed.
    Passed,
    /// The check failed, and the call is refused for this reason.
    Failed(Refusal),
    /// An earlier check failed.
    NotReached,
}

/// The result of a verification, check by check.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (mut context, intent, document) = attested::example();
/// use assent_verifier::{Call, CheckResult, Refusal, verify_with_report};
///
/// let authorization = document.authorization()?.encode();
/// context.timestamp += 600; // Check 5 fails.
/// let report = verify_with_report(&context, Call::Explicit { intent: &intent, authorization: &authorization });
/// let results: Vec<_> = report.checks().map(|(_, result)| result).collect();
/// assert_eq!(results[3], CheckResult::Passed);
/// assert!(matches!(results[4], CheckResult::Failed(Refusal::AttestationExpired { .. })));
/// assert_eq!(results[5], CheckResult::NotReached);
/// # Ok::<(), assent_verifier::UnknownDecision>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct VerificationReport {
    /// How many checks passed. They run in order, so the number says which.
    pub(crate) passed: usize,
    pub(crate) result: Result<VerifiedAttestation, Refusal>,
}

impl VerificationReport {
    /// Returns each check with its result, in order.
    pub fn checks(&self) -> impl Iterator<Item = (Check, CheckResult)> + '_ {
        Check::ALL.into_iter().enumerate().map(|(index, check)| {
            let result = match self.result {
                Ok(_) => CheckResult::Passed,
                Err(_) if index < self.passed => CheckResult::Passed,
                Err(refusal) if index == self.passed => CheckResult::Failed(refusal),
                Err(_) => CheckResult::NotReached,
            };
            (check, result)
        })
    }

    /// Returns the result that [`verify`](crate::verify) returns.
    pub fn result(&self) -> &Result<VerifiedAttestation, Refusal> {
        &self.result
    }

    /// Returns the result that [`verify`](crate::verify) returns.
    pub fn into_result(self) -> Result<VerifiedAttestation, Refusal> {
        self.result
    }
}
