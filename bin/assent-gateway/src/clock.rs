//! The gateway's time, for deadlines and leases. Nothing that is signed depends on it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

/// By how many seconds the clock may differ from a block that is new.
///
/// More than a chain's time between blocks, and less than the life of most attestations.
const TOLERANCE: u64 = 60;

/// The time by which tasks expire and leases end.
///
/// It starts as this machine's and runs evenly, whatever is set meanwhile. Contracts go by the time of blocks, though,
/// and other gateways by their own clocks. So what is wrong by minutes is corrected to the time of the latest block:
/// otherwise tasks would expire too early, and leases too late.
#[derive(Debug, Clone)]
pub(crate) struct Clock(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// The machine's Unix time in milliseconds at the start.
    started_at: u64,
    start: Instant,
    /// The chain's time less the uncorrected one, in seconds, or 0 if they are near.
    correction: AtomicI64,
}

impl Clock {
    /// Starts at this machine's time.
    pub(crate) fn start() -> Self {
        Self::start_at(now_millis())
    }

    fn start_at(started_at: u64) -> Self {
        Self(Arc::new(Shared { started_at, start: Instant::now(), correction: AtomicI64::new(0) }))
    }

    /// Takes the time of a block that the node has just given for the first time. Returns the new correction in
    /// seconds, if it is another one.
    pub(crate) fn observe(&self, block_timestamp: u64) -> Option<i64> {
        let now = self.uncorrected_millis() / 1000;
        let correction = if now.abs_diff(block_timestamp) > TOLERANCE {
            // No true time is that far away.
            let now = i64::try_from(now).unwrap_or(i64::MAX);
            i64::try_from(block_timestamp).unwrap_or(i64::MAX).saturating_sub(now)
        } else {
            0
        };
        (self.0.correction.swap(correction, Ordering::Relaxed) != correction).then_some(correction)
    }

    /// Returns the correction in seconds: the chain's time less the uncorrected one, or 0 if they are near.
    pub(crate) fn correction(&self) -> i64 {
        self.0.correction.load(Ordering::Relaxed)
    }

    /// Returns the Unix time in milliseconds, uncorrected: it never goes back.
    pub(crate) fn uncorrected_millis(&self) -> u64 {
        let elapsed = u64::try_from(self.0.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.started_at.saturating_add(elapsed)
    }

    /// Returns the corrected Unix time in seconds.
    pub(crate) fn now_seconds(&self) -> u64 {
        (self.uncorrected_millis() / 1000).saturating_add_signed(self.correction())
    }

    /// Returns when a lease ends that begins now, in Unix seconds.
    pub(crate) fn end_of(&self, lease: Duration) -> u64 {
        self.now_seconds().saturating_add(lease.as_secs())
    }

    /// Returns the earlier of the corrected and the uncorrected Unix time in seconds.
    ///
    /// What is over by it is over, even if the node lies about the time of a block.
    pub(crate) fn earliest_now_seconds(&self) -> u64 {
        self.now_seconds().min(self.uncorrected_millis() / 1000)
    }
}

/// Returns what the gateway's operator reads of a new correction.
pub(crate) fn describe_correction(seconds: i64) -> String {
    match seconds {
        0 => "the clock is right again".to_owned(),
        1.. => format!("the clock is {seconds} seconds behind the chain's time, by which tasks expire; set it"),
        _ => format!(
            "the clock is {} seconds ahead of the chain's time, by which tasks expire; set it, or see whether the \
             node follows the chain",
            seconds.unsigned_abs()
        ),
    }
}

/// Returns this machine's Unix time in milliseconds.
pub(crate) fn now_millis() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn a_clock_that_is_wrong_by_minutes_is_corrected_and_one_that_is_nearly_right_is_not() {
        let clock = Clock::start_at(NOW * 1000);
        for near in [NOW - 59, NOW, NOW + 59] {
            assert_eq!(clock.observe(near), None);
        }
        assert!(matches!(clock.observe(NOW + 70), Some(69..=70)));
        assert!(clock.now_seconds().abs_diff(NOW + 70) <= 1);
        assert!(clock.earliest_now_seconds().abs_diff(NOW) <= 1);
        assert!(matches!(clock.observe(NOW - 600), Some(-601..=-600)));
        assert!(clock.now_seconds().abs_diff(NOW - 600) <= 1);
        assert!(clock.earliest_now_seconds().abs_diff(NOW - 600) <= 1);
        assert_eq!(clock.observe(NOW + 1), Some(0));
    }

    #[test]
    fn no_time_that_a_node_gives_overflows() {
        let clock = Clock::start_at(NOW * 1000);
        assert!(clock.observe(u64::MAX).is_some_and(|correction| correction > 1 << 62));
        assert!(clock.now_seconds() >= 1 << 62);
        assert!(clock.earliest_now_seconds().abs_diff(NOW) <= 1);
        assert!(clock.observe(0).is_some());
        assert!(clock.now_seconds() <= 1);
    }
}
