//! Time of verification with 100 operators, each figure beside that of the library alone (`raw`), in one run.
//!
//! | group | benchmark | what an iteration is |
//! | --- | --- | --- |
//! | `verify-BACKEND` | `raw` | two pairings, hash to curve, subgroup check |
//! | | `non-signers-0`, `-1`, `-10` | one `verify` |
//! | `batch-BACKEND` | `raw-N` | N signatures over N roots by a random linear combination |
//! | | `same-non-signers-N` | one `verify_batch` of N calls that all operators signed |
//! | | `different-non-signers-1024` | the same where three operators at random are absent from each |
//! | | `parallel-1024` | as `same-non-signers-1024`, with `par_verify_batch` |
//! | `parts` | `parsing-and-digests` | everything of one `verify` but the curve's arithmetic |

#![allow(unsafe_code, reason = "raw blst has no other interface")]
#![allow(missing_docs)]

#[path = "../tests/fixture/mod.rs"]
mod fixture;
mod raw;

use alloy_primitives::{U256, keccak256};
use assent_verifier::{
    Attestation, Call, Context, Intent, NonSigners, Refusal, Signature, backend::Backend, digest::attestation_digest,
    examine, examine_with, verify_batch_with,
};
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime};
use fixture::Fixture;
use raw::Raw;
use std::{hint::black_box, time::Duration};

const OPERATORS: u16 = 100;
const SIZES: [usize; 5] = [1, 16, 64, 256, 1024];

/// Attested calls that differ in their nonces.
struct Batch {
    context: Context,
    intent: Intent,
    attestations: Vec<Attestation>,
    authorizations: Vec<Vec<u8>>,
    signatures: Vec<Signature>,
}

impl Batch {
    fn new(absent_of: impl Fn(u64) -> Vec<u16>) -> Self {
        let fixture = Fixture::with_operators(OPERATORS);
        let size = u64::try_from(SIZES[SIZES.len() - 1]).unwrap();
        let documents = (0..size).map(|nonce| {
            let absent = absent_of(nonce);
            let nonce = U256::from(nonce);
            // One signature by the sum of the secret keys is the sum of the operators' signatures.
            let signers = Fixture { secrets: vec![sum_of_secrets(&fixture, &absent)], nonce, ..fixture.clone() };
            let mut document = signers.document();
            document.non_signers = NonSigners::from_indices(absent).unwrap();
            document
        });
        let documents: Vec<_> = documents.collect();
        Self {
            attestations: documents.iter().map(|document| document.attestation.clone()).collect(),
            authorizations: documents.iter().map(|document| document.authorization().unwrap().encode()).collect(),
            signatures: documents.iter().map(|document| document.signature).collect(),
            context: fixture.context,
            intent: fixture.intent,
        }
    }

    fn calls(&self) -> Vec<Call<'_>> {
        let authorizations = self.authorizations.iter();
        authorizations.map(|authorization| Call::Explicit { intent: &self.intent, authorization }).collect()
    }

    fn roots(&self) -> Vec<[u8; 32]> {
        let Context { chain_id, task_manager, .. } = self.context;
        self.attestations.iter().map(|attestation| attestation_digest(attestation, chain_id, task_manager).0).collect()
    }
}

fn sum_of_secrets(fixture: &Fixture, absent: &[u16]) -> blst::min_sig::SecretKey {
    let mut sum = blst::blst_scalar::default();
    for (secret, _) in fixture.secrets.iter().zip(0..).filter(|(_, index)| !absent.contains(index)) {
        let secret: &blst::blst_scalar = secret.into();
        // SAFETY: all pointers come from references.
        unsafe { blst::blst_sk_add_n_check(&mut sum, &sum, secret) };
    }
    <&blst::min_sig::SecretKey>::try_from(&sum).unwrap().clone()
}

fn verify<B: Backend, R: Raw>(criterion: &mut Criterion, batch: &Batch) {
    let mut group = criterion.benchmark_group(format!("verify-{}", B::NAME));
    group.sample_size(50).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(4));
    let raw = R::new(batch.context.epochs[0].operators.aggregate_key());
    let (root, signature) = (batch.roots()[0], R::decode(&batch.signatures[0]));
    group
        .bench_function("raw", |bencher| bencher.iter(|| assert!(raw.verify(black_box(&root), black_box(&signature)))));
    for absent in [0, 1, 10] {
        let fixture = Fixture { absent: (0..absent).collect(), ..Fixture::with_operators(OPERATORS) };
        let authorization = fixture.authorization().encode();
        let call = Call::Explicit { intent: &fixture.intent, authorization: &authorization };
        group.bench_function(format!("non-signers-{absent}"), |bencher| {
            bencher.iter(|| examine_with::<B, _>(&fixture.context, black_box(call)).into_result().unwrap());
        });
    }
    group.finish();
}

fn batches<B: Backend, R: Raw>(criterion: &mut Criterion, same: &Batch, different: &Batch) {
    let mut group = criterion.benchmark_group(format!("batch-{}", B::NAME));
    group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
    let mut raw = R::new(same.context.epochs[0].operators.aggregate_key());
    let (roots, calls) = (same.roots(), same.calls());
    let signatures: Vec<_> = same.signatures.iter().map(R::decode).collect();
    // Any will do: what a multiplication costs does not depend on the number.
    let coefficients: Vec<_> = roots.iter().map(|root| root[..raw::COEFFICIENT].try_into().unwrap()).collect();
    for size in SIZES {
        group.throughput(Throughput::Elements(size.try_into().unwrap()));
        group.bench_function(format!("raw-{size}"), |bencher| {
            bencher.iter(|| assert!(raw.verify_batch(&roots[..size], &signatures[..size], &coefficients[..size])));
        });
        measure_batch::<B>(&mut group, &format!("same-non-signers-{size}"), same, &calls[..size]);
    }
    measure_batch::<B>(&mut group, "different-non-signers-1024", different, &different.calls());
    #[cfg(feature = "rayon")]
    group.bench_function("parallel-1024", |bencher| {
        bencher.iter(|| assent_verifier::par_verify_batch_with::<B, _>(&same.context, black_box(&calls)));
    });
    group.finish();
}

fn measure_batch<B: Backend>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, batch: &Batch, calls: &[Call<'_>]) {
    assert!(verify_batch_with::<B, _>(&batch.context, calls).iter().all(Result::is_ok));
    group.bench_function(name, |bencher| {
        bencher.iter(|| verify_batch_with::<B, _>(&batch.context, black_box(calls)));
    });
}

/// A call whose signature is infinity is refused before any arithmetic, but after all else except for the digest.
fn parts(criterion: &mut Criterion, batch: &Batch) {
    let mut group = criterion.benchmark_group("parts");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    let mut authorization = batch.authorizations[0].clone();
    authorization[107..][..Signature::LENGTH].fill(0);
    let call = Call::Explicit { intent: &batch.intent, authorization: &authorization };
    assert_eq!(*examine(&batch.context, call).result(), Err(Refusal::MalformedSignature));
    let Context { chain_id, task_manager, .. } = batch.context;
    group.bench_function("parsing-and-digests", |bencher| {
        bencher.iter(|| {
            let digest = attestation_digest(black_box(&batch.attestations[0]), chain_id, task_manager);
            (examine(&batch.context, black_box(call)).into_result(), digest)
        });
    });
    group.finish();
}

fn all(criterion: &mut Criterion) {
    let same = Batch::new(|_| vec![]);
    // Up to three operators, as the nonce's hash has it.
    let different = Batch::new(|nonce| {
        let hash = keccak256(nonce.to_be_bytes());
        hash[..3].iter().map(|byte| u16::from(*byte) % OPERATORS).collect()
    });
    #[cfg(feature = "blst")]
    {
        use assent_verifier::backend::blst::Blst;
        verify::<Blst, raw::blst::RawBlst>(criterion, &same);
        batches::<Blst, raw::blst::RawBlst>(criterion, &same, &different);
    }
    #[cfg(feature = "arkworks")]
    {
        use assent_verifier::backend::arkworks::Arkworks;
        verify::<Arkworks, raw::arkworks::RawArkworks>(criterion, &same);
        batches::<Arkworks, raw::arkworks::RawArkworks>(criterion, &same, &different);
    }
    parts(criterion, &same);
}

criterion_group!(benches, all);
criterion_main!(benches);
