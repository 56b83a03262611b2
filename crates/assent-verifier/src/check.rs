//! The checks by name, and their results.

use crate::{Refusal, VerifiedAttestation};
use core::fmt;

/// The checks, in protocol order.
///
/// ```
/// use assent_verifier::Check;
///
/// for check in Check::ALL {
///     println!("{:>2} {check}", check.number());
/// }
/// assert_eq!(Check::Expiration.number(), 5);
/// assert_eq!(Check::Expiration.to_string(), "not expired");
/// assert!(Check::Expiration < Check::Signature);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Check {
    /// 1: the client has a TaskManager and a policy.
    PolicySet,
    /// 2: the authorization's bytes parse.
    WellFormed,
    /// 3: this chain, and the caller is the intent's sender.
    ChainAndSender,
    /// 4: the task is the one attested.
    Task,
    /// 5: not expired.
    Expiration,
    /// 6: the lifetime is within the policy's limit.
    Lifetime,
    /// 7: not spent.
    SingleUse,
    /// 8: the epoch is known and in force; for a recorded root, not revoked.
    Epoch,
    /// 9: enough weight signed; a root that is said to be recorded is.
    Quorum,
    /// 10: the signature is a valid point. Passes for a recorded root, for which it was made when it was recorded.
    SignatureEncoding,
    /// 11: the signature is the signers'. As 10 for a recorded root.
    Signature,
    /// 12: the operators allow the call.
    Decision,
}

impl Check {
    /// All, in order.
    pub const ALL: [Self; 12] = [
        Self::PolicySet,
        Self::WellFormed,
        Self::ChainAndSender,
        Self::Task,
        Self::Expiration,
        Self::Lifetime,
        Self::SingleUse,
        Self::Epoch,
        Self::Quorum,
        Self::SignatureEncoding,
        Self::Signature,
        Self::Decision,
    ];

    /// The number in docs/protocol.md, from 1.
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
            Self::Expiration => "not expired",
            Self::Lifetime => "lifetime",
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
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (mut context, intent, document) = attested::example();
/// use assent_verifier::{Call, Outcome, Refusal, examine};
///
/// let authorization = document.authorization()?.encode();
/// context.policy_client.0[0] ^= 1; // Another client: check 4 fails.
/// let call = Call::Explicit { intent: &intent, authorization: &authorization };
/// let outcomes: Vec<_> = examine(&context, call).outcomes().map(|(_, outcome)| outcome).collect();
/// assert_eq!(outcomes[2], Outcome::Passed);
/// assert!(matches!(outcomes[3], Outcome::Failed(Refusal::WrongTask { .. })));
/// assert_eq!(outcomes[4], Outcome::NotReached);
/// # Ok::<(), assent_verifier::UnknownDecision>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not, and that is why the call is refused.
    Failed(Refusal),
    /// An earlier one failed.
    NotReached,
}

/// The result of a verification, check by check.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (mut context, intent, document) = attested::example();
/// use assent_verifier::{Call, Check, Outcome, Refusal, examine};
///
/// let authorization = document.authorization()?.encode();
/// context.timestamp += 600;
/// let examination = examine(&context, Call::Explicit { intent: &intent, authorization: &authorization });
/// for (check, outcome) in examination.outcomes() {
///     match outcome {
///         Outcome::Passed => println!("{check}: passed"),
///         Outcome::Failed(refusal) => println!("{check}: {refusal}"),
///         Outcome::NotReached => println!("{check}: not reached"),
///     }
/// }
/// let failed = examination.outcomes().find(|(_, outcome)| matches!(outcome, Outcome::Failed(_)));
/// assert_eq!(failed.map(|(check, _)| check), Some(Check::Expiration));
///
/// assert!(examination.result().is_err());
/// let refusal = examination.into_result().unwrap_err();
/// assert!(matches!(refusal, Refusal::AttestationExpired { .. }));
/// # Ok::<(), assent_verifier::UnknownDecision>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Examination {
    pub(crate) passed: usize,
    pub(crate) result: Result<VerifiedAttestation, Refusal>,
}

impl Examination {
    /// Each check with its outcome, in order.
    pub fn outcomes(&self) -> impl Iterator<Item = (Check, Outcome)> + '_ {
        Check::ALL.into_iter().enumerate().map(|(index, check)| {
            let outcome = match self.result {
                Ok(_) => Outcome::Passed,
                Err(_) if index < self.passed => Outcome::Passed,
                Err(refusal) if index == self.passed => Outcome::Failed(refusal),
                Err(_) => Outcome::NotReached,
            };
            (check, outcome)
        })
    }

    /// The result that [`verify`](crate::verify) gives.
    pub fn result(&self) -> &Result<VerifiedAttestation, Refusal> {
        &self.result
    }

    /// The result that [`verify`](crate::verify) gives.
    pub fn into_result(self) -> Result<VerifiedAttestation, Refusal> {
        self.result
    }
}
