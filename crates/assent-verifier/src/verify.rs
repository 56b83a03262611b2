//! Verification of one call.

use crate::{
    Call, Context, Intent, Refusal, SpendLedger, SpentLedger, VerificationReport, VerifiedAttestation,
    backend::{Backend, DefaultBackend},
    checks::run_checks,
};
use alloy_primitives::U256;

/// Verifies an authorization of an explicit intent.
///
/// The checks are those of docs/protocol.md, in its order. The nonce is not spent: see [`spend`].
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (context, intent, document) = attested::example();
/// use alloy_primitives::U256;
/// use assent_verifier::{Intent, verify};
///
/// let authorization = document.authorization()?.encode();
/// let verified = verify(&context, &intent, &authorization)?;
/// assert_eq!(*verified.intent(), intent);
///
/// let another = Intent { value: U256::from(1), ..intent };
/// assert_eq!(verify(&context, &another, &authorization).unwrap_err().name(), "WrongTask");
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
    verify_with_report(context, Call::Explicit { intent, authorization }).into_result()
}

/// Verifies calldata in trailing form, sent by the context's caller to the client with a value in wei.
///
/// The nonce is not spent: see [`spend_trailing`].
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
/// assert_eq!(verified.intent().data, intent.data); // Without the authorization.
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
    verify_with_report(context, Call::Trailing { value, calldata }).into_result()
}

/// Verifies an authorization of an explicit intent and spends its nonce, as the contracts do.
///
/// After success the call may be made once: the same authorization is refused from then on.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (mut context, intent, document) = attested::example();
/// use assent_verifier::spend;
///
/// let authorization = document.authorization()?.encode();
/// let verified = spend(&mut context, &intent, &authorization)?;
/// assert_eq!(*verified.intent(), intent); // Make this call now.
///
/// let refusal = spend(&mut context, &intent, &authorization).unwrap_err();
/// assert_eq!(refusal.name(), "AttestationAlreadySpent");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// The [`Refusal`] with which the contracts would revert. Then nothing is spent.
pub fn spend<L: SpendLedger>(
    context: &mut Context<L>,
    intent: &Intent,
    authorization: &[u8],
) -> Result<VerifiedAttestation, Refusal> {
    let verified = verify(context, intent, authorization)?;
    context.spend(&verified)?;
    Ok(verified)
}

/// Verifies calldata in trailing form and spends its nonce, as the contracts do.
///
/// # Errors
///
/// The [`Refusal`] with which the contracts would revert. Then nothing is spent.
pub fn spend_trailing<L: SpendLedger>(
    context: &mut Context<L>,
    value: U256,
    calldata: &[u8],
) -> Result<VerifiedAttestation, Refusal> {
    let verified = verify_trailing(context, value, calldata)?;
    context.spend(&verified)?;
    Ok(verified)
}

/// Verifies a call, and reports the result of each check.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (context, intent, document) = attested::example();
/// use assent_verifier::{Call, verify_with_report};
///
/// let authorization = document.authorization()?.encode();
/// let report = verify_with_report(&context, Call::Explicit { intent: &intent, authorization: &authorization });
/// for (check, result) in report.checks() {
///     println!("{:>2} {check}: {result:?}", check.number());
/// }
/// assert!(report.into_result().is_ok());
/// # Ok::<(), assent_verifier::UnknownDecision>(())
/// ```
pub fn verify_with_report<L: SpentLedger>(context: &Context<L>, call: Call<'_>) -> VerificationReport {
    verify_with_report_using::<DefaultBackend, L>(context, call)
}

/// Verifies a call by a named backend, and reports the result of each check.
///
/// The backend never changes the result. See [`backend`](crate::backend).
pub fn verify_with_report_using<B: Backend, L: SpentLedger>(
    context: &Context<L>,
    call: Call<'_>,
) -> VerificationReport {
    let mut passed = 0;
    let result = run_checks::<B, L>(context, call, |check| passed = check.number());
    VerificationReport { passed, result }
}
