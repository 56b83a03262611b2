//! Time of verification with 100 operators, each figure beside that of the bare library (`raw`), in one run: CPU time
//! of the one thread that works. How the two compare is measured more exactly by the benchmark `ratio`.
//!
//! | group | benchmark | what an iteration is |
//! | --- | --- | --- |
//! | `verify-BACKEND` | `raw` | two pairings, hash to curve, subgroup check |
//! | | `non-signers-0`, `-1`, `-10` | one `verify` |
//! | `batch-BACKEND` | `raw-N` | N signatures over N roots by a random linear combination |
//! | | `same-non-signers-N` | one `verify_batch` of N calls that all operators signed |
//! | | `different-non-signers-1024` | the same where three operators at random are absent from each |
//! | | `parallel-1024` | as `same-non-signers-1024`, with `par_verify_batch`, by the clock on the wall |
//! | `parts` | `parsing-and-digests` | everything of one `verify` but the curve's arithmetic |

#![allow(unsafe_code, reason = "raw blst has no other interface")]
#![allow(missing_docs)]

mod attested;
#[path = "../tests/fixture/mod.rs"]
mod fixture;
mod raw;
mod thread_time;

use assent_verifier::{
    Call, Context, Refusal, Signature, backend::Backend, digest::attestation_digest, verify_batch_using,
    verify_with_report, verify_with_report_using,
};
use attested::{Batch, OPERATORS, SIZES};
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use fixture::Fixture;
use raw::Raw;
use std::{hint::black_box, time::Duration};
use thread_time::ThreadTime;

fn verify<B: Backend, R: Raw>(criterion: &mut Criterion<ThreadTime>, batch: &Batch) {
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
            bencher.iter(|| verify_with_report_using::<B, _>(&fixture.context, black_box(call)).into_result().unwrap());
        });
    }
    group.finish();
}

fn batches<B: Backend, R: Raw>(criterion: &mut Criterion<ThreadTime>, same: &Batch, different: &Batch) {
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
    group.finish();
}

/// By the clock on the wall, since the work is that of several threads.
#[cfg(feature = "rayon")]
fn in_all_threads<B: Backend>(criterion: &mut Criterion, batch: &Batch) {
    let mut group = criterion.benchmark_group(format!("batch-{}", B::NAME));
    group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
    let calls = batch.calls();
    group.throughput(Throughput::Elements(calls.len().try_into().unwrap()));
    group.bench_function("parallel-1024", |bencher| {
        bencher.iter(|| assent_verifier::par_verify_batch_using::<B, _>(&batch.context, black_box(&calls)));
    });
    group.finish();
}

fn measure_batch<B: Backend>(
    group: &mut BenchmarkGroup<'_, ThreadTime>,
    name: &str,
    batch: &Batch,
    calls: &[Call<'_>],
) {
    assert!(verify_batch_using::<B, _>(&batch.context, calls).iter().all(Result::is_ok));
    group.bench_function(name, |bencher| {
        bencher.iter(|| verify_batch_using::<B, _>(&batch.context, black_box(calls)));
    });
}

/// A call whose signature is infinity is refused before any arithmetic, but after all else except for the digest.
fn parts(criterion: &mut Criterion<ThreadTime>, batch: &Batch) {
    let mut group = criterion.benchmark_group("parts");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    let mut authorization = batch.authorizations[0].clone();
    authorization[assent_verifier::offset::SIGNATURE..][..Signature::LENGTH].fill(0);
    let call = Call::Explicit { intent: &batch.intent, authorization: &authorization };
    assert_eq!(*verify_with_report(&batch.context, call).result(), Err(Refusal::MalformedSignature));
    let Context { chain_id, task_manager, .. } = batch.context;
    group.bench_function("parsing-and-digests", |bencher| {
        bencher.iter(|| {
            let digest = attestation_digest(black_box(&batch.attestations[0]), chain_id, task_manager);
            (verify_with_report(&batch.context, black_box(call)).into_result(), digest)
        });
    });
    group.finish();
}

fn all(criterion: &mut Criterion<ThreadTime>) {
    let (same, different) = (Batch::of_all(), Batch::of_some());
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

#[cfg(feature = "rayon")]
fn all_threads(criterion: &mut Criterion) {
    let batch = Batch::of_all();
    #[cfg(feature = "blst")]
    in_all_threads::<assent_verifier::backend::blst::Blst>(criterion, &batch);
    #[cfg(feature = "arkworks")]
    in_all_threads::<assent_verifier::backend::arkworks::Arkworks>(criterion, &batch);
}

criterion_group!(name = one_thread; config = Criterion::default().with_measurement(ThreadTime); targets = all);
#[cfg(feature = "rayon")]
criterion_group!(threads, all_threads);

#[cfg(feature = "rayon")]
criterion_main!(one_thread, threads);
#[cfg(not(feature = "rayon"))]
criterion_main!(one_thread);
