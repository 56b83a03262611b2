//! The checks.

use crate::{
    Attestation, Context, Intent, Refusal, SpentLedger,
    admission::admit,
    backend::{Backend, Preferred},
    check::{Check, Examination},
};
use alloy_primitives::{Address, B256, U256, aliases::U96};

/// Verifies an authorization of an explicit intent, by every check of docs/protocol.md in its order.
///
/// Nothing is spent: the caller records the nonce before it acts on the result, for instance by
/// [`SpentNonces::spend`](crate::SpentNonces::spend).
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (mut context, intent, document) = attested::example();
/// use assent_verifier::{Refusal, verify};
///
/// let authorization = document.authorization()?.encode();
/// let verified = verify(&context, &intent, &authorization)?;
/// assert_eq!(*verified.intent(), intent);
///
/// // The caller spends the nonce before it acts. Then the authorization is invalid.
/// assert!(context.spent.spend(verified.policy_client(), verified.nonce()));
/// let refusal = verify(&context, &intent, &authorization).unwrap_err();
/// assert!(matches!(refusal, Refusal::AttestationAlreadySpent { .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (context, intent, document) = attested::example();
/// use alloy_primitives::U256;
/// use assent_verifier::{append_trailing, verify_trailing};
///
/// let calldata = append_trailing(&intent.data, &document.authorization()?)?; // What a transaction carries.
/// let verified = verify_trailing(&context, U256::ZERO, &calldata)?;
/// assert_eq!(verified.intent().to, context.policy_client);
/// assert_eq!(verified.intent().data, intent.data); // Without what was appended.
///
/// // Value that was not attested makes it another task.
/// let refusal = verify_trailing(&context, U256::from(1), &calldata).unwrap_err();
/// assert_eq!(refusal.name(), "WrongTask");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (context, intent, document) = attested::example();
/// use assent_verifier::{Call, Check, Outcome, examine};
///
/// let authorization = document.authorization()?.encode();
/// let examination = examine(&context, Call::Explicit { intent: &intent, authorization: &authorization });
/// assert!(examination.outcomes().all(|(_, outcome)| outcome == Outcome::Passed));
/// assert!(examination.into_result().is_ok());
/// # Ok::<(), assent_verifier::UnknownDecision>(())
/// ```
pub fn examine<L: SpentLedger>(context: &Context<L>, call: Call<'_>) -> Examination {
    examine_with::<Preferred, L>(context, call)
}

/// As [`examine`], with a backend of the caller's choice.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (context, intent, document) = attested::example();
/// use assent_verifier::{Call, backend::Preferred, examine, examine_with};
///
/// let authorization = document.authorization()?.encode();
/// let call = Call::Explicit { intent: &intent, authorization: &authorization };
/// // Which backend is used never changes the result.
/// assert_eq!(examine_with::<Preferred, _>(&context, call), examine(&context, call));
/// # Ok::<(), assent_verifier::UnknownDecision>(())
/// ```
pub fn examine_with<B: Backend, L: SpentLedger>(context: &Context<L>, call: Call<'_>) -> Examination {
    let mut passed = Passed::default();
    let result = run::<B, L>(context, call, &mut passed);
    Examination { passed: passed.0, result }
}

/// A call with its authorization, in one of the two ways to carry it.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (context, intent, document) = attested::example();
/// use alloy_primitives::U256;
/// use assent_verifier::{Call, append_trailing, verify_batch};
///
/// let authorization = document.authorization()?;
/// let (bytes, calldata) = (authorization.encode(), append_trailing(&intent.data, &authorization)?);
/// let calls = [
///     Call::Explicit { intent: &intent, authorization: &bytes },
///     Call::Trailing { value: U256::ZERO, calldata: &calldata },
/// ];
/// // Here both are one call of the client, and so one task.
/// let results = verify_batch(&context, &calls);
/// assert!(results[0].is_ok());
/// assert_eq!(results[0], results[1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (context, intent, document) = attested::example();
/// use alloy_primitives::{U256, aliases::U96};
/// use assent_verifier::verify;
///
/// let verified = verify(&context, &intent, &document.authorization()?.encode())?;
/// assert_eq!(*verified.attestation(), document.attestation);
/// assert_eq!(*verified.intent(), intent);
/// assert_eq!((verified.policy_client(), verified.nonce()), (context.policy_client, U256::from(7)));
/// assert_eq!((verified.epoch(), verified.root()), (document.epoch, document.root()));
/// assert_eq!((verified.signed_weight(), verified.total_weight()), (U96::from(200), U96::from(300)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedAttestation {
    pub(crate) attestation: Attestation,
    pub(crate) root: B256,
    pub(crate) epoch: u32,
    pub(crate) signed_weight: U96,
    pub(crate) total_weight: U96,
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

    /// The Merkle root that was signed, whether the signature came with the call or the root was recorded before.
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
    let admitted = admit::<B, L>(context, call, |check| passed.note(check))?;

    if admitted.statement.as_ref().is_some_and(|statement| !statement.is_true(statement.hash())) {
        return Err(Refusal::InvalidSignature);
    }
    passed.note(Check::Signature);

    let verified = admitted.conclude()?;
    passed.note(Check::Decision);
    Ok(verified)
}

/// How many checks passed; they run in order, so the number says which.
#[derive(Default)]
struct Passed(usize);

impl Passed {
    fn note(&mut self, check: Check) {
        self.0 = check.number();
    }
}
