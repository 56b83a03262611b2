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
use alloc::vec::Vec;

/// Verifies many calls against one context: for each, in order, exactly what [`verify`](crate::verify) or
/// [`verify_trailing`](crate::verify_trailing) gives, in a fraction of the time.
///
/// Every check but that of the signatures (11) is made for each call by itself. The signatures, of any epochs and any
/// non-signers, are decided together by an equation of one pairing and one for each distinct set of non-signers of an
/// epoch, or, where that is less work, for each operator that is absent anywhere. When it does not hold, halving the
/// batch again and again finds the calls whose signatures are invalid, and refuses only those: one among 1,024 costs
/// about ten equations more, and a batch of nothing but bad ones about twice the time of verifying each by itself.
/// Calls under one signed root, as those of a batch that operators signed, share its verification, and those under
/// recorded roots need none.
///
/// The equation is a random combination of the single ones: a bad signature passes with a probability below 2^-117 in a
/// batch of 1,024. Its coefficients are hashed from all signatures and all that was signed, so that the same batch
/// always gives the same results and no source of randomness is needed.
///
/// Nothing is spent, and each call is verified against the context as it is. So two calls that would spend the same
/// nonce both pass: the caller spends each nonce first, and acts only where it was not spent before.
///
/// ```
/// use assent_verifier::{Call, Context, Intent, SpentNonces, verify_batch};
///
/// /// Settles the attested ones of some calls, each an intent with its authorization, and returns how many were.
/// fn settle(context: &mut Context<SpentNonces>, calls: &[(Intent, Vec<u8>)], settle: impl Fn(&Intent)) -> usize {
///     let calls: Vec<_> =
///         calls.iter().map(|(intent, authorization)| Call::Explicit { intent, authorization }).collect();
///     let mut settled = 0;
///     for (place, result) in verify_batch(context, &calls).into_iter().enumerate() {
///         match result {
///             Ok(verified) if context.spent.spend(verified.policy_client(), verified.nonce()) => {
///                 settle(verified.intent());
///                 settled += 1;
///             }
///             Ok(verified) => println!("call {place}: nonce {} twice in one batch", verified.nonce()),
///             Err(refusal) => println!("call {place}: {refusal}"),
///         }
///     }
///     settled
/// }
/// # let mut key = [0; 192];
/// # let secret = blst::min_sig::SecretKey::key_gen(&[1; 32], &[]).unwrap();
/// # key.copy_from_slice(&secret.sk_to_pk().serialize());
/// # key.chunks_exact_mut(96).for_each(|coordinate| coordinate.rotate_left(48));
/// # use assent_verifier::*;
/// # use alloy_primitives::{Address, B256, U256, aliases::{U48, U96}};
/// # let operators = OperatorSet::new(vec![Operator {
/// #     address: Address::ZERO, public_key: PublicKey(key), weight: U96::from(1),
/// # }])?;
/// # let policy = Policy { policyId: B256::repeat_byte(1), operatorSet: 1, quorum: 6700, maxLifetime: U48::from(3600) };
/// # let mut context = Context {
/// #     chain_id: U256::from(1), task_manager: Address::repeat_byte(2), policy_client: Address::repeat_byte(3),
/// #     policy: Some(policy), caller: Address::repeat_byte(4), timestamp: 1_700_000_000,
/// #     epochs: vec![Epoch { number: 1, operator_set: 1, valid_until: U48::MAX, operators }],
/// #     recorded_roots: RecordedRoots::default(),
/// #     spent: SpentNonces::default(),
/// # };
/// # let intent = Intent {
/// #     from: context.caller, to: Address::ZERO, value: U256::ZERO, data: Default::default(), chainId: context.chain_id,
/// # };
/// # let attested = |nonce| {
/// #     let Context { chain_id, task_manager, policy_client, .. } = context;
/// #     let policyId = B256::repeat_byte(1);
/// #     let taskId =
/// #         digest::task_id(chain_id, task_manager, policy_client, policyId, digest::intent_hash(&intent), nonce);
/// #     let attestation = Attestation {
/// #         taskId, policyId, policyClient: policy_client, nonce, expiration: U48::from(1_700_000_600), decision: 1,
/// #         evidence: B256::ZERO, intent: intent.clone(),
/// #     };
/// #     let root = digest::attestation_digest(&attestation, chain_id, task_manager);
/// #     let signature = Signature(secret.sign(root.as_slice(), digest::SIGNATURE_TAG, &[]).serialize());
/// #     let (non_signers, merkle_proof) = (NonSigners::NONE, MerkleProof::EMPTY);
/// #     let document =
/// #         AttestationDocument { chain_id, task_manager, attestation, epoch: 1, signature, non_signers, merkle_proof };
/// #     (intent.clone(), document.authorization().unwrap().encode())
/// # };
/// # let (one, two) = (attested(U256::from(1)), attested(U256::from(2)));
/// # let mut forged = attested(U256::from(3));
/// # forged.1[108..204].copy_from_slice(&two.1[108..204]);
///
/// // The second is signed for another call, the third is there twice.
/// let settled = settle(&mut context, &[one, forged, two.clone(), two], |intent| println!("settling {intent:?}"));
/// assert_eq!(settled, 2);
/// # Ok::<(), OperatorSetError>(())
/// ```
pub fn verify_batch<L: SpentLedger>(
    context: &Context<L>,
    calls: &[Call<'_>],
) -> Vec<Result<VerifiedAttestation, Refusal>> {
    verify_batch_with::<Preferred, L>(context, calls)
}

/// As [`verify_batch`], with a backend of the caller's choice.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (context, intent, document) = attested::example();
/// use assent_verifier::{Call, backend::Preferred, verify_batch, verify_batch_with};
///
/// let authorization = document.authorization()?.encode();
/// let calls = [Call::Explicit { intent: &intent, authorization: &authorization }; 2];
/// assert_eq!(verify_batch(&context, &calls), verify_batch_with::<Preferred, _>(&context, &calls));
/// # Ok::<(), assent_verifier::UnknownDecision>(())
/// ```
pub fn verify_batch_with<B: Backend, L: SpentLedger>(
    context: &Context<L>,
    calls: &[Call<'_>],
) -> Vec<Result<VerifiedAttestation, Refusal>> {
    conclude::<B, CallingThread>(calls.iter().map(|call| admit(context, *call, |_| {})).collect())
}

/// As [`verify_batch`], in all threads of rayon's current pool.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (context, intent, document) = attested::example();
/// use assent_verifier::{Call, par_verify_batch, verify_batch};
///
/// let authorization = document.authorization()?.encode();
/// let calls = [Call::Explicit { intent: &intent, authorization: &authorization }; 4];
/// let results = par_verify_batch(&context, &calls);
/// assert!(results.iter().all(Result::is_ok));
/// assert_eq!(results, verify_batch(&context, &calls));
/// # Ok::<(), assent_verifier::UnknownDecision>(())
/// ```
#[cfg(feature = "rayon")]
pub fn par_verify_batch<L: SpentLedger + Sync>(
    context: &Context<L>,
    calls: &[Call<'_>],
) -> Vec<Result<VerifiedAttestation, Refusal>> {
    par_verify_batch_with::<Preferred, L>(context, calls)
}

/// As [`par_verify_batch`], with a backend of the caller's choice.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (context, intent, document) = attested::example();
/// use assent_verifier::{Call, backend::Preferred, par_verify_batch, par_verify_batch_with};
///
/// let authorization = document.authorization()?.encode();
/// let calls = [Call::Explicit { intent: &intent, authorization: &authorization }; 2];
/// assert_eq!(par_verify_batch(&context, &calls), par_verify_batch_with::<Preferred, _>(&context, &calls));
/// # Ok::<(), assent_verifier::UnknownDecision>(())
/// ```
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
    let mut claims: Vec<(&Statement<'_, B>, usize)> =
        places.filter_map(|(place, admitted)| Some((admitted.as_ref().ok()?.statement.as_ref()?, place))).collect();
    claims.sort_unstable_by(|(one, _), (other, _)| one.identity().cmp(&other.identity()));
    let same: Vec<_> = claims.chunk_by(|(one, _), (other, _)| one.identity() == other.identity()).collect();

    let statements: Vec<_> = same.iter().filter_map(|same| Some(same.first()?.0)).collect();
    let parts: Vec<_> = statements.chunks(statements.len().div_ceil(T::count()).max(1)).collect();
    let hashes = T::map(&parts, |statements| Statement::hash_each(statements)).into_iter().flatten();
    let mut terms: Vec<_> = statements
        .iter()
        .zip(hashes)
        .zip(coefficients(&statements))
        .map(|((statement, hash), coefficient)| Term { statement, hash, coefficient, holds: false })
        .collect();
    find_false::<B, T>(&mut terms);

    // A recorded root has no statement left to decide.
    let recorded = |admitted: &Admitted<'_, B>| admitted.statement.is_none();
    let mut signed: Vec<_> = admitted.iter().map(|admitted| admitted.as_ref().is_ok_and(recorded)).collect();
    for (term, same) in terms.iter().zip(same) {
        for (_, place) in same {
            if let Some(signed) = signed.get_mut(*place) {
                *signed = term.holds;
            }
        }
    }
    signed
}
