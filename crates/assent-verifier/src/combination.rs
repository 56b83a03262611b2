//! One equation that decides many claims.

use crate::{
    NonSignersRef,
    backend::{Backend, Coefficient, Factor, Key},
    claim::SignatureClaim,
    threads::Threads,
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

/// A claim's part of the equation.
pub(crate) struct Term<'a, B: Backend> {
    pub(crate) claim: &'a SignatureClaim<'a, B>,
    pub(crate) hash: B::SignaturePoint,
    pub(crate) coefficient: Coefficient,
    /// Whether the claim is known to be true.
    pub(crate) holds: bool,
}

/// Decides which claims are true. The terms are in the order of their claims' identity.
pub(crate) fn decide<B: Backend, T: Threads>(terms: &mut [Term<'_, B>]) {
    if hold_together::<B, T>(terms) {
        terms.iter_mut().for_each(|term| term.holds = true);
    } else {
        bisect::<B, T>(terms);
    }
}

/// Decides which claims are true, given that at least one is false.
fn bisect<B: Backend, T: Threads>(terms: &mut [Term<'_, B>]) {
    if terms.len() < 2 {
        return;
    }
    let (left, right) = terms.split_at_mut(terms.len() / 2);
    if hold_together::<B, T>(left) {
        left.iter_mut().for_each(|term| term.holds = true);
        // The coefficients stay the same: if the left half's product is 1 and the whole is not, neither is the right's.
        bisect::<B, T>(right);
    } else {
        bisect::<B, T>(left);
        decide::<B, T>(right);
    }
}

/// Returns whether `e(Σ r·signature, G2) · Π e(Σ r·hash, −signers' keys) = 1`.
///
/// The `r` are the coefficients, and the product is over the sets of signers.
pub(crate) fn hold_together<B: Backend, T: Threads>(terms: &[Term<'_, B>]) -> bool {
    let mut sums = match terms {
        [] => return true,
        // Exact, and needs no coefficient.
        [term] => return term.claim.is_true(term.hash),
        [first, ..] => Vec::from([Sum::of_signatures(terms, first.claim.keys())]),
    };
    for same_epoch in terms.chunk_by(|one, other| one.claim.epoch.number == other.claim.epoch.number) {
        let Some(keys) = same_epoch.first().map(|term| term.claim.keys()) else { continue };
        let sums_of_hashes = if by_operator_is_faster(same_epoch) { by_operator } else { by_signers };
        sums.extend(sums_of_hashes(same_epoch, keys));
    }
    let factors = evaluate::<B, T>(&sums);
    let at_once = factors.len().div_ceil(T::count()).clamp(1, 16);
    let parts: Vec<_> = factors.chunks(at_once).collect();
    B::is_one(T::map(&parts, |factors| B::miller_loops(factors)))
}

/// A factor of the equation whose G1 point is a sum that is not computed yet.
struct Sum<'a, B: Backend> {
    points: Vec<B::SignaturePoint>,
    coefficients: Vec<Coefficient>,
    keys: &'a B::Keys,
    key: Key<'a>,
}

impl<'a, B: Backend> Sum<'a, B> {
    fn of_signatures(terms: &[Term<'a, B>], keys: &'a B::Keys) -> Self {
        let points = terms.iter().map(|term| term.claim.signature).collect();
        let coefficients = terms.iter().map(|term| term.coefficient).collect();
        Self { points, coefficients, keys, key: Key::Generator }
    }

    fn of_hashes<'t>(terms: impl Iterator<Item = &'t Term<'a, B>>, keys: &'a B::Keys, key: Key<'a>) -> Self
    where
        'a: 't,
    {
        let (points, coefficients) = terms.map(|term| (term.hash, term.coefficient)).unzip();
        Self { points, coefficients, keys, key }
    }
}

/// Sums the hashes of one epoch's terms by signers: one pairing for each set of them.
fn by_signers<'a, B: Backend>(terms: &[Term<'a, B>], keys: &'a B::Keys) -> Vec<Sum<'a, B>> {
    let sets = terms.chunk_by(|one, other| one.claim.non_signers == other.claim.non_signers);
    sets.filter_map(|terms| {
        let non_signers = terms.first()?.claim.non_signers;
        Some(Sum::of_hashes(terms.iter(), keys, Key::NegatedSigners { non_signers }))
    })
    .collect()
}

/// Sums the hashes of one epoch's terms by operator.
///
/// One pairing is with the key of all, and one corrects it for each operator that did not sign everything.
fn by_operator<'a, B: Backend>(terms: &[Term<'a, B>], keys: &'a B::Keys) -> Vec<Sum<'a, B>> {
    let mut without: BTreeMap<u16, Vec<&Term<'a, B>>> = BTreeMap::new();
    for term in terms {
        for operator in term.claim.non_signers.indices() {
            without.entry(operator).or_default().push(term);
        }
    }
    let all = Sum::of_hashes(terms.iter(), keys, Key::NegatedSigners { non_signers: NonSignersRef::default() });
    let corrections =
        without.into_iter().map(|(index, terms)| Sum::of_hashes(terms.into_iter(), keys, Key::Operator(index)));
    core::iter::once(all).chain(corrections).collect()
}

/// Returns whether [`by_operator`] takes less time than [`by_signers`].
fn by_operator_is_faster<B: Backend>(terms: &[Term<'_, B>]) -> bool {
    /// Points that can be added to a sum in the time of one Miller loop.
    const MILLER_LOOP: usize = 12;
    let sets = terms.chunk_by(|one, other| one.claim.non_signers == other.claim.non_signers).count();
    let absences = || terms.iter().flat_map(|term| term.claim.non_signers.indices());
    // Counting takes far less time than the pairings that it may save.
    let operators = absences().collect::<BTreeSet<_>>().len().saturating_add(1);
    let additions = absences().count();
    operators.saturating_mul(MILLER_LOOP).saturating_add(additions) < sets.saturating_mul(MILLER_LOOP)
}

/// Computes the sums, in parts if there are several threads.
fn evaluate<'a, B: Backend, T: Threads>(sums: &[Sum<'a, B>]) -> Vec<Factor<'a, B::Keys, B::SignaturePoint>> {
    /// The smallest number of points that is worth a separate part.
    const LEAST: usize = 64;
    let all = sums.iter().map(|sum| sum.points.len()).fold(0, usize::saturating_add);
    let part = all.div_ceil(T::count()).max(LEAST);
    let parts: Vec<_> = sums
        .iter()
        .enumerate()
        .flat_map(|(index, Sum { points, coefficients, .. })| {
            points.chunks(part).zip(coefficients.chunks(part)).map(move |part| (index, part))
        })
        .collect();
    let partial_sums =
        T::map(&parts, |(index, (points, coefficients))| (*index, B::weighted_sum(points, coefficients)));
    partial_sums
        .chunk_by(|(one, _), (other, _)| one == other)
        .zip(sums)
        .map(|(partial_sums, sum)| {
            let point = match partial_sums {
                [(_, point)] => *point,
                several => B::sum(&several.iter().map(|(_, point)| *point).collect::<Vec<_>>()),
            };
            Factor { point, keys: sum.keys, key: sum.key }
        })
        .collect()
}
