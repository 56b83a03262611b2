//! Verification of many calls together.

use crate::{
    Call, Context, Refusal, SpentLedger, VerifiedAttestation,
    backend::{Backend, DefaultBackend},
    checks::{PendingVerification, run_checks_before_signature},
    claim::SignatureClaim,
    coefficients::coefficients,
    combination::{Term, decide, hold_together},
    threads::{CallingThread, Threads},
};
use alloc::{vec, vec::Vec};

/// Verifies many calls against one context, in a fraction of the time.
///
/// The result of each call is that of [`verify`](crate::verify) or [`verify_trailing`](crate::verify_trailing).
/// Nothing is spent, and two calls with the same nonce may both be valid: [`Context::spend`] accepts only the first.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (mut context, intent, document) = attested::example();
/// # let authorization = document.authorization()?.encode();
/// use assent_verifier::{Call, verify_batch};
///
/// let calls = [Call::Explicit { intent: &intent, authorization: &authorization }; 2];
/// let mut executed = 0;
/// for result in verify_batch(&context, &calls) {
///     match result.and_then(|verified| context.spend(&verified)) {
///         Ok(()) => executed += 1, // Make the call.
///         Err(refusal) => println!("{refusal}"),
///     }
/// }
/// assert_eq!(executed, 1); // Both calls have the same nonce.
/// # Ok::<(), assent_verifier::UnknownDecision>(())
/// ```
///
/// # How signatures are decided together
///
/// One equation decides all signatures, of any epochs and non-signers. It has one pairing, and one for each distinct
/// set of non-signers of an epoch. If they are fewer, it has one for each operator that did not sign everything. If it
/// does not hold, repeated halving finds the invalid signatures, and only their calls are refused. One invalid
/// signature among 1,024 costs about ten more equations. A batch of only invalid signatures takes about twice as long
/// as verifying each call separately. Calls under one signed root share its verification, and calls under recorded
/// roots need none.
///
/// The equation is a random linear combination: an invalid signature is accepted with a probability below 2^-117 in a
/// batch of 1,024.
/// The coefficients are hashed from all signatures and everything signed: the same batch always has the same results.
pub fn verify_batch<L: SpentLedger>(
    context: &Context<L>,
    calls: &[Call<'_>],
) -> Vec<Result<VerifiedAttestation, Refusal>> {
    verify_batch_using::<DefaultBackend, L>(context, calls)
}

/// Verifies many calls by a named backend, as [`verify_batch`].
pub fn verify_batch_using<B: Backend, L: SpentLedger>(
    context: &Context<L>,
    calls: &[Call<'_>],
) -> Vec<Result<VerifiedAttestation, Refusal>> {
    conclude::<B, CallingThread>(calls.iter().map(|call| run_checks_before_signature(context, *call, |_| {})).collect())
}

/// Verifies many calls, each against its own context, as [`verify_batch`]: for clients with different policies.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (context, intent, document) = attested::example();
/// # let authorization = document.authorization()?.encode();
/// use assent_verifier::{Call, backend::DefaultBackend, verify_each_using};
///
/// let call = Call::Explicit { intent: &intent, authorization: &authorization };
/// // What one client's contract knows, and another's.
/// let (known, other) = (context.clone(), context);
/// let results = verify_each_using::<DefaultBackend, _>([(&known, call), (&other, call)]);
/// assert!(results.iter().all(Result::is_ok));
/// # Ok::<(), assent_verifier::UnknownDecision>(())
/// ```
pub fn verify_each_using<'a, B: Backend, L: SpentLedger + 'a>(
    calls: impl IntoIterator<Item = (&'a Context<L>, Call<'a>)>,
) -> Vec<Result<VerifiedAttestation, Refusal>> {
    let calls = calls.into_iter();
    conclude::<B, CallingThread>(
        calls.map(|(context, call)| run_checks_before_signature(context, call, |_| {})).collect(),
    )
}

/// Verifies many calls in all threads of rayon's current pool, as [`verify_batch`].
#[cfg(feature = "rayon")]
pub fn par_verify_batch<L: SpentLedger + Sync>(
    context: &Context<L>,
    calls: &[Call<'_>],
) -> Vec<Result<VerifiedAttestation, Refusal>> {
    par_verify_batch_using::<DefaultBackend, L>(context, calls)
}

/// Verifies many calls by a named backend in all threads of rayon's current pool, as [`verify_batch`].
#[cfg(feature = "rayon")]
pub fn par_verify_batch_using<B: Backend, L: SpentLedger + Sync>(
    context: &Context<L>,
    calls: &[Call<'_>],
) -> Vec<Result<VerifiedAttestation, Refusal>> {
    use crate::threads::ThreadPool;
    conclude::<B, ThreadPool>(ThreadPool::map(calls, |call| run_checks_before_signature(context, *call, |_| {})))
}

/// Runs checks 11 and 12.
fn conclude<B: Backend, T: Threads>(
    pending: Vec<Result<PendingVerification<'_, B>, Refusal>>,
) -> Vec<Result<VerifiedAttestation, Refusal>> {
    let signed = are_signed::<B, T>(&pending);
    let concluded = pending.into_iter().zip(signed).map(|(pending, signed)| match pending? {
        pending if signed => pending.require_allowed(),
        _ => Err(Refusal::InvalidSignature),
    });
    concluded.collect()
}

/// Runs check 11 for each call that passed the checks before.
fn are_signed<B: Backend, T: Threads>(pending: &[Result<PendingVerification<'_, B>, Refusal>]) -> Vec<bool> {
    let claims: Vec<_> = pending.iter().map(|pending| pending.as_ref().ok()?.claim.as_ref()).collect();
    let mut signed = are_true::<B, T>(&claims);
    for (signed, pending) in signed.iter_mut().zip(pending) {
        // A recorded root has no claim left to decide.
        *signed |= pending.as_ref().is_ok_and(|pending| pending.claim.is_none());
    }
    signed
}

/// Returns whether each claim is there and true. All must have the same tag.
pub(crate) fn are_true<B: Backend, T: Threads>(claims: &[Option<&SignatureClaim<'_, B>>]) -> Vec<bool> {
    let indexed = claims.iter().enumerate();
    let mut indexed: Vec<_> = indexed.filter_map(|(index, claim)| Some(((*claim)?, index))).collect();
    indexed.sort_unstable_by(|(one, _), (other, _)| one.identity().cmp(&other.identity()));
    let same: Vec<_> = indexed.chunk_by(|(one, _), (other, _)| one.identity() == other.identity()).collect();

    let distinct: Vec<_> = same.iter().filter_map(|same| Some(same.first()?.0)).collect();
    let mut terms = terms::<B, T>(&distinct);
    decide::<B, T>(&mut terms);

    let mut are_true = vec![false; claims.len()];
    for (term, same) in terms.iter().zip(same) {
        for (_, index) in same {
            if let Some(is_true) = are_true.get_mut(*index) {
                *is_true = term.holds;
            }
        }
    }
    are_true
}

/// Returns whether all claims are true, by one equation. All must have the same tag.
pub(crate) fn all_true<B: Backend, T: Threads>(claims: &[SignatureClaim<'_, B>]) -> bool {
    let mut distinct: Vec<_> = claims.iter().collect();
    distinct.sort_unstable_by(|one, other| one.identity().cmp(&other.identity()));
    distinct.dedup_by(|one, other| one.identity() == other.identity());
    hold_together::<B, T>(&terms::<B, T>(&distinct))
}

/// Returns the equation's terms of claims that differ, in the order of their identity.
fn terms<'a, 'b, B: Backend, T: Threads>(distinct: &[&'a SignatureClaim<'b, B>]) -> Vec<Term<'a, B>>
where
    'b: 'a,
{
    let parts: Vec<_> = distinct.chunks(distinct.len().div_ceil(T::count()).max(1)).collect();
    let hashes = T::map(&parts, |claims| SignatureClaim::hash_each(claims)).into_iter().flatten();
    let terms = distinct.iter().zip(hashes).zip(coefficients(distinct));
    terms.map(|((claim, hash), coefficient)| Term { claim, hash, coefficient, holds: false }).collect()
}
