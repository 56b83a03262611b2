//! Many calls at once.

use crate::{
    Call, Context, Refusal, SpentLedger, VerifiedAttestation,
    admission::{Admitted, admit},
    backend::{Backend, Preferred},
    coefficients::coefficients,
    combination::{Term, find_false},
    statement::Statement,
    threads::{CallingThread, Threads},
};
use alloc::{vec, vec::Vec};

/// Verifies many calls against one context: for each, in order, exactly what [`verify`](crate::verify) or
/// [`verify_trailing`](crate::verify_trailing) gives, in a fraction of the time.
///
/// Every check but that of the signatures (11) is made for each call by itself. The signatures, of any epochs and any
/// non-signers, are decided together by an equation that takes one pairing, and one for each distinct set of non-signers, or
/// fewer where operators are absent in many sets. When it does not hold, halving the batch again and again finds the calls
/// whose signatures are bad, and those alone are refused: one among 1,024 costs about ten equations more, and a batch of
/// nothing but bad ones about twice the time of verifying each by itself. Calls under one signed root, as those of a batch
/// that operators signed, share its verification.
///
/// The equation is a random combination of the single ones: a bad signature passes with a probability below 2^-117 in a
/// batch of 1,024. Its coefficients are hashed from all signatures and all that was signed, so that the same batch always
/// gives the same results and no source of randomness is needed.
///
/// Nothing is spent, and each call is verified against the context as it is. So two calls that would spend the same nonce
/// both pass: whoever acts on the results spends each nonce first, and acts only where that tells that it was not spent.
///
pub fn verify_batch<L: SpentLedger>(
    context: &Context<L>,
    calls: &[Call<'_>],
) -> Vec<Result<VerifiedAttestation, Refusal>> {
    verify_batch_with::<Preferred, L>(context, calls)
}

/// As [`verify_batch`], with a backend of the caller's choice.
pub fn verify_batch_with<B: Backend, L: SpentLedger>(
    context: &Context<L>,
    calls: &[Call<'_>],
) -> Vec<Result<VerifiedAttestation, Refusal>> {
    conclude::<B, CallingThread>(calls.iter().map(|call| admit(context, *call, |_| {})).collect())
}

/// As [`verify_batch`], in all threads of rayon's current pool.
#[cfg(feature = "rayon")]
pub fn par_verify_batch<L: SpentLedger + Sync>(
    context: &Context<L>,
    calls: &[Call<'_>],
) -> Vec<Result<VerifiedAttestation, Refusal>> {
    par_verify_batch_with::<Preferred, L>(context, calls)
}

/// As [`par_verify_batch`], with a backend of the caller's choice.
#[cfg(feature = "rayon")]
pub fn par_verify_batch_with<B: Backend, L: SpentLedger + Sync>(
    context: &Context<L>,
    calls: &[Call<'_>],
) -> Vec<Result<VerifiedAttestation, Refusal>> {
    use crate::threads::ThreadPool;
    conclude::<B, ThreadPool>(ThreadPool::map(calls, |call| admit(context, *call, |_| {})))
}

/// Checks 11 and 12.
fn conclude<B: Backend, T: Threads>(
    admitted: Vec<Result<Admitted<'_, B>, Refusal>>,
) -> Vec<Result<VerifiedAttestation, Refusal>> {
    let signed = are_signed::<B, T>(&admitted);
    let concluded = admitted.into_iter().zip(signed).map(|(admitted, signed)| match admitted? {
        admitted if signed => admitted.conclude(),
        _ => Err(Refusal::InvalidSignature),
    });
    concluded.collect()
}

/// Check 11, for each call that came so far.
fn are_signed<B: Backend, T: Threads>(admitted: &[Result<Admitted<'_, B>, Refusal>]) -> Vec<bool> {
    let places = admitted.iter().enumerate();
    let mut claims: Vec<(Statement<'_, B>, usize)> =
        places.filter_map(|(place, admitted)| Some((Statement::of(admitted.as_ref().ok()?), place))).collect();
    claims.sort_unstable_by(|(one, _), (other, _)| one.identity().cmp(&other.identity()));
    let same: Vec<_> = claims.chunk_by(|(one, _), (other, _)| one.identity() == other.identity()).collect();

    let statements: Vec<_> = same.iter().filter_map(|same| Some(&same.first()?.0)).collect();
    let hashes = T::map(&statements, |statement| statement.hash());
    let mut terms: Vec<_> = statements
        .iter()
        .zip(hashes)
        .zip(coefficients(&statements))
        .map(|((statement, hash), coefficient)| Term { statement, hash, coefficient, holds: false })
        .collect();
    find_false::<B, T>(&mut terms);

    let mut signed = vec![false; admitted.len()];
    for (term, same) in terms.iter().zip(same) {
        for (_, place) in same {
            if let Some(signed) = signed.get_mut(*place) {
                *signed = term.holds;
            }
        }
    }
    signed
}
