//! Time of one verification, for each backend: 100 operators of which 0, 1 or 10 did not sign.

#[path = "../tests/fixture/mod.rs"]
mod fixture;

use assent_verifier::{
    Call,
    backend::{self, Backend},
    examine_with,
};
use criterion::{Criterion, criterion_group, criterion_main};
use fixture::Fixture;

fn measure<B: Backend>(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group(format!("verify/{}", B::NAME));
    for absent in [0, 1, 10] {
        let fixture = Fixture { absent: (0..absent).collect(), ..Fixture::with_operators(100) };
        let authorization = fixture.authorization().encode();
        let call = Call::Explicit { intent: &fixture.intent, authorization: &authorization };
        group.bench_function(format!("100 operators, {absent} non-signers"), |bencher| {
            bencher.iter(|| examine_with::<B, _>(&fixture.context, call).into_result().unwrap());
        });
    }
    group.finish();
}

fn backends(criterion: &mut Criterion) {
    #[cfg(feature = "arkworks")]
    measure::<backend::arkworks::Arkworks>(criterion);
    #[cfg(feature = "blst")]
    measure::<backend::blst::Blst>(criterion);
}

criterion_group!(benches, backends);
criterion_main!(benches);
