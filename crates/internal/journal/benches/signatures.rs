//! How many signatures a second the journal allows: callers side by side, with one `fsync` for all that wait, and with
//! one for each.

#[allow(dead_code, reason = "shared with examples and tests")]
#[path = "../doc/statements.rs"]
mod statements;

use std::thread;
use std::time::{Duration, Instant};

use assent_journal::{Journal, JournalOptions, LocalSigner, Statement};
use assent_signer::{AttestationBatch, SecretKey};
use statements::single;

/// How long each measurement takes, unless fewer signatures are asked for.
const DURATION: Duration = Duration::from_secs(3);

fn main() {
    println!("{:>8} {:>14} {:>14} {:>10} {:>10}", "callers", "group commit", "one by one", "p50 ms", "p99 ms");
    for callers in [1, 8, 64] {
        let (grouped, mut times) = measure(callers, 1024);
        let (separate, _) = measure(callers, 1);
        times.sort();
        let at = |share: f64| {
            let index = (times.len() as f64 * share) as usize;
            times[index.min(times.len() - 1)].as_secs_f64() * 1e3
        };
        println!("{callers:>8} {grouped:>12.0}/s {separate:>12.0}/s {:>10.2} {:>10.2}", at(0.5), at(0.99));
    }
}

/// Returns signatures a second, and the times of each.
fn measure(callers: u64, longest_group: usize) -> (f64, Vec<Duration>) {
    let directory = tempfile::tempdir_in(".").unwrap();
    let options = JournalOptions::new(directory.path().join("journal.redb"), directory.path().join("marker"))
        .longest_group(longest_group);
    let signer = LocalSigner::new(SecretKey::generate().unwrap());
    let journal = Journal::create(&options, signer).unwrap();
    let started = Instant::now();
    let times: Vec<Duration> = thread::scope(|scope| {
        let callers: Vec<_> = (0..callers)
            .map(|caller| {
                let journal = &journal;
                scope.spawn(move || {
                    let mut times = Vec::new();
                    for task in 0.. {
                        if started.elapsed() > DURATION {
                            break;
                        }
                        let batch: AttestationBatch = single(task * callers + caller, 1);
                        let asked = Instant::now();
                        journal.sign(Statement::Attestations(&batch)).unwrap();
                        times.push(asked.elapsed());
                    }
                    times
                })
            })
            .collect();
        callers.into_iter().flat_map(|caller| caller.join().unwrap()).collect()
    });
    (times.len() as f64 / started.elapsed().as_secs_f64(), times)
}
